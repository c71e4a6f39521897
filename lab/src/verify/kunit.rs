// SPDX-License-Identifier: GPL-2.0

//! The component's own tests, which the kernel runs when it boots.

use anyhow::Result;

use crate::ask::ktap;
use crate::base::project::Project;
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::verify::boots::{Boots, Plan};

/// The suite that must be there.
const SUITE: &str = "kvm_arm_fw_regs/";

/// The examples in the documentation of `kernel::kvm`, where they are built.
const DOCTESTS: &str = "rust_doctests_kernel/rust_doctest_kernel_kvm_";

const HOST: &str = "max";

pub fn plan(plan: &mut Plan) -> Result<()> {
    plan.kunit(HOST);
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let wanted: &[&str] = match project.has_doctests() {
        true => &[SUITE, DOCTESTS],
        false => &[SUITE],
    };
    let cases = cases(&boots.kunit(HOST)?.kernel, wanted);
    Ok(vec![(String::new(), cases)])
}

/// The results in a kernel's log, among which there must be some whose names begin as is wanted.
fn cases(log: &str, wanted: &[&str]) -> Vec<Case> {
    let ktap = ktap::parse(log);
    let mut cases = ktap.cases;
    if !ktap.problems.is_empty() {
        cases.push(Case::fail("(protocol)", ktap.problems.join("\n")));
    }
    for start in wanted {
        if !cases.iter().any(|case| case.name.starts_with(start)) {
            cases.push(Case::fail(*start, "the kernel did not run any of these"));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::results::Outcome;

    fn log(suite: &str) -> String {
        format!(
            "Booting Linux\nKTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: {suite}\n    \
             1..1\n    ok 1 a\nok 1 {suite}\nRun /init as init process\n"
        )
    }

    #[test]
    fn our_suite_is_read() {
        let cases = cases(&log("kvm_arm_fw_regs"), &[SUITE]);
        assert_eq!(cases, [Case::pass("kvm_arm_fw_regs/a")]);
    }

    #[test]
    fn a_log_without_our_suite_is_a_failure() {
        for log in [log("other"), String::new()] {
            let cases = cases(&log, &[SUITE]);
            let last = cases.last().unwrap();
            assert_eq!(last.name, SUITE);
            assert!(matches!(last.outcome, Outcome::Fail(_)));
        }
    }
}
