// SPDX-License-Identifier: GPL-2.0

//! The component's own tests, which the kernel runs when it boots.

use anyhow::Result;

use crate::ask::ktap;
use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::model::results::{Case, Groups};
use crate::verify::boots::{Boots, Mode, Plan};

/// The suite that must be there.
const SUITE: &str = "kvm_arm_fw_regs/";

/// The examples in the documentation of `kernel::kvm`, where they are built.
const DOCTESTS: &str = "rust_doctests_kernel/rust_doctest_kernel_kvm_";

const HOST: &str = "max";

pub fn plan(plan: &mut Plan) -> Result<()> {
    plan.job_in(Mode::Kunit, HOST, Handlers::Rust);
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let wanted = match project.has_doctests() {
        true => vec![SUITE, DOCTESTS],
        false => vec![SUITE],
    };
    let transcript = boots.transcript_in(Mode::Kunit, HOST, Handlers::Rust)?;
    Ok(vec![(String::new(), cases(&transcript.kernel, &wanted))])
}

/// The results on a console, among which there must be some whose names begin as is wanted.
pub fn cases(console: &str, wanted: &[&str]) -> Vec<Case> {
    let ktap = ktap::parse(console);
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
