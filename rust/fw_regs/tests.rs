// SPDX-License-Identifier: GPL-2.0

//! KUnit tests: the policy's tables as this kernel's compiler built them, and what only the kernel
//! knows.

use kernel::{
    kvm::smccc::Services,
    prelude::*, //
};

use crate::{
    handlers::errno,
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
    fn retention_by_kind_of_vm() {
        for (register, default, strict) in cases::RETENTION {
            assert!(register.retention(false) == *default);
            assert!(register.retention(true) == *strict);
        }
    }

    #[test]
    fn discovery_answers() {
        for (register, promise, answer) in cases::DISCOVERY {
            assert!(register.discovery(*promise) == *answer);
        }
    }

    #[test]
    fn reason_errnos() {
        assert!(errno(Reason::UnknownRegister) == ENOENT);
        assert!(errno(Reason::BadAddress) == EFAULT);
        assert!(errno(Reason::Malformed) == EINVAL);
        assert!(errno(Reason::WrongFeature) == EINVAL);
        assert!(errno(Reason::ExceedsOffer) == EINVAL);
        assert!(errno(Reason::Frozen) == EBUSY);
    }

    #[test]
    fn ids_round_trip() {
        for register in Register::ALL {
            let id = u64::from(register);
            assert!(Register::try_from(id) == Ok(register));
            assert!(Register::try_from(id ^ (1 << 52)).is_err());
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
