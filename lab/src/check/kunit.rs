// SPDX-License-Identifier: GPL-2.0

//! The component's own tests, which the kernel runs when it boots.

use anyhow::Result;

use super::plan::{Boots, Plan};
use super::Groups;
use crate::ktap;
use crate::results::Case;

/// The suite that must be there.
const SUITE: &str = "kvm_arm_fw_regs";

const HOST: &str = "max";

pub fn plan(plan: &mut Plan) -> Result<()> {
    plan.kunit(HOST);
    Ok(())
}

pub fn judge(boots: &Boots) -> Result<Groups> {
    let cases = cases(&boots.kunit(HOST)?.kernel);
    Ok(vec![(String::new(), cases)])
}

/// The results in a kernel's log.
fn cases(log: &str) -> Vec<Case> {
    let ktap = ktap::parse(log);
    let mut cases = ktap.cases;
    if !ktap.problems.is_empty() {
        cases.push(Case::fail("(protocol)", ktap.problems.join("\n")));
    }
    let inside = format!("{SUITE}/");
    if !cases.iter().any(|case| case.name.starts_with(&inside)) {
        cases.push(Case::fail(SUITE, "the kernel did not run this suite"));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Outcome;

    fn log(suite: &str) -> String {
        format!(
            "Booting Linux\nKTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: {suite}\n    \
             1..1\n    ok 1 a\nok 1 {suite}\nRun /init as init process\n"
        )
    }

    #[test]
    fn our_suite_is_read() {
        assert_eq!(cases(&log(SUITE)), [Case::pass("kvm_arm_fw_regs/a")]);
    }

    #[test]
    fn a_log_without_our_suite_is_a_failure() {
        for log in [log("other"), String::new()] {
            let cases = cases(&log);
            let last = cases.last().unwrap();
            assert_eq!(last.name, SUITE);
            assert!(matches!(last.outcome, Outcome::Fail(_)));
        }
    }
}
