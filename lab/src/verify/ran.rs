// SPDX-License-Identifier: GPL-2.0

//! Cases that no host has run are tests of nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::results::{Case, Outcome};

/// What a case says that is skipped because the kernel has no strict VMs.
const CAPABILITY: &str = "KVM_CAP_ARM_FW_REGS_STRICT";

/// What one kernel has run, on all hosts: cases as `test/name`.
pub struct Ran {
    /// Whether the kernel has the capability, so that nothing may be skipped for the lack of it.
    strict_vms: bool,
    ran: BTreeSet<String>,
    /// With whether the lack of the capability was a reason.
    skipped: BTreeMap<String, bool>,
}

impl Ran {
    pub fn new(strict_vms: bool) -> Self {
        Self {
            strict_vms,
            ran: BTreeSet::new(),
            skipped: BTreeMap::new(),
        }
    }

    /// Takes the results of one test on one host. Returns those that are worth telling for each
    /// host.
    pub fn take(&mut self, test: &str, mut cases: Vec<Case>) -> Vec<Case> {
        cases.retain(|Case { name, outcome }| {
            let case = format!("{test}/{name}");
            let Outcome::Skip(reason) = outcome else {
                self.ran.insert(case);
                return true;
            };
            let lacks_capability = reason.contains(CAPABILITY) && !self.strict_vms;
            *self.skipped.entry(case).or_default() |= lacks_capability;
            !lacks_capability
        });
        cases
    }

    /// What can be said only when all hosts have been seen: which cases ran nowhere.
    pub fn finish(self) -> Vec<Case> {
        let mut never = self.skipped;
        never.retain(|case, _| !self.ran.contains(case));
        let lacking = never.values().filter(|lacks| **lacks).count();
        never.retain(|_, lacks_capability| !*lacks_capability);

        let never = never.into_keys();
        let mut cases: Vec<Case> = never
            .map(|case| Case::fail(case, "was skipped on every host"))
            .collect();
        if cases.is_empty() {
            cases.push(Case::pass("every case ran somewhere"));
        }
        if lacking > 0 {
            let reason = format!("no {CAPABILITY}");
            cases.push(Case::skip(format!("{lacking} cases"), reason));
        }
        cases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(strict_vms: bool) -> (Vec<Case>, Vec<Case>) {
        let mut ran = Ran::new(strict_vms);
        let skip = |name, reason: &str| Case::skip(name, reason);
        let cases = ["x", "y", "z"].map(|name| skip(name, "no SSBS"));
        assert_eq!(ran.take("a", cases.to_vec()), cases);
        let strict = format!("Requirement not met: kvm_has_cap({CAPABILITY})");
        let cases = vec![Case::pass("x"), skip("y", "no SSBS"), skip("z", &strict)];
        (ran.take("a", cases), ran.finish())
    }

    #[test]
    fn a_case_must_run_somewhere() {
        let (told, all) = ran(true);
        assert_eq!(told.len(), 3);
        let never = |name| Case::fail(name, "was skipped on every host");
        assert_eq!(all, [never("a/y"), never("a/z")]);
    }

    #[test]
    fn a_kernel_without_strict_vms_runs_the_others() {
        let (told, all) = ran(false);
        assert_eq!(told.len(), 2);
        let lacking = Case::skip("1 cases", "no KVM_CAP_ARM_FW_REGS_STRICT");
        assert_eq!(
            all,
            [Case::fail("a/y", "was skipped on every host"), lacking]
        );
    }
}
