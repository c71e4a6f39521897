// SPDX-License-Identifier: GPL-2.0

//! KUnit tests: the policy's tables as this kernel's compiler built them, and what only the kernel
//! knows.

use kernel::{
    kvm::smccc::Services,
    prelude::*, //
};

use crate::{
    handlers::answer,
    policy::{
        cases::{
            self,
            Case, //
        },
        Reason,
        Register, //
    }, //
};

fn all_as_told(cases: &[Case]) -> bool {
    cases.iter().all(|case| {
        let told = case.judged() == case.verdict;
        if !told {
            pr_err!("{:?}: judged {:?}\n", case, case.judged());
        }
        told
    })
}

#[kunit_tests(kvm_arm_fw_regs)]
mod suite {
    use super::*;

    #[test]
    fn psci_version_verdicts() {
        assert!(all_as_told(cases::PSCI_VERSION));
    }

    #[test]
    fn workaround_1_3_verdicts() {
        assert!(all_as_told(cases::WORKAROUND_1_3));
    }

    #[test]
    fn workaround_2_verdicts() {
        assert!(all_as_told(cases::WORKAROUND_2));
    }

    #[test]
    fn bitmap_verdicts() {
        assert!(all_as_told(cases::BITMAPS));
    }

    #[test]
    fn frozen_verdicts() {
        assert!(all_as_told(cases::FROZEN));
    }

    #[test]
    fn null_promise_verdicts() {
        for case in cases::NULL_PROMISES {
            if case.judged() != case.verdict {
                pr_err!("{:?}: judged {}\n", case, case.judged());
            }
            assert!(case.judged() == case.verdict);
        }
    }

    #[test]
    fn discovery_answers() {
        for (promise, answer) in cases::DISCOVERY {
            assert!(promise.discovery() == *answer);
        }
    }

    #[test]
    fn reason_errnos() {
        assert!(answer(Reason::UnknownRegister.into()) == Err(ENOENT));
        assert!(answer(Reason::BadAddress.into()) == Err(EFAULT));
        assert!(answer(Reason::Malformed.into()) == Err(EINVAL));
        assert!(answer(Reason::WrongFeature.into()) == Err(EINVAL));
        assert!(answer(Reason::ExceedsOffer.into()) == Err(EINVAL));
        assert!(answer(Reason::Frozen.into()) == Err(EBUSY));
    }

    #[test]
    fn ids_round_trip() {
        for register in Register::ALL {
            assert!(Register::from_id(register.id()) == Some(register));
            assert!(Register::from_id(register.id() ^ (1 << 52)).is_none());
        }
    }

    #[test]
    fn every_bitmap_has_services() {
        assert!(Services::Std.implemented() != 0);
        assert!(Services::StdHyp.implemented() != 0);
        assert!(Services::VendorHyp.implemented() != 0);
        assert!(Services::VendorHyp2.implemented() != 0);
    }
}
