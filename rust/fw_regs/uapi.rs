// SPDX-License-Identifier: GPL-2.0

//! The numbers of the policy and of the handlers against those of the UAPI, of SMCCC and of the
//! trace event, at compile time.
//!
//! The policy is also compiled where there are no kernel headers, therefore it has the numbers
//! itself.

use kernel::bindings;

use crate::{
    handlers::{
        NULL_PROMISE,
        STRICT, //
    },
    policy::{
        Accepted,
        Level,
        PsciVersion,
        Reason,
        Register,
        Ssbd,
        NOT_SUPPORTED, //
    },
};

macro_rules! assert_same {
    ($($ours:expr => $uapi:ident,)*) => {
        $(
            #[allow(clippy::unnecessary_cast)]
            const _: () = assert!($ours as u64 == bindings::$uapi as u64, stringify!($uapi));
        )*
    };
}

assert_same! {
    Register::PsciVersion.id() => KVM_REG_ARM_PSCI_VERSION,
    Register::Workaround1.id() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1,
    Register::Workaround2.id() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2,
    Register::Workaround3.id() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3,
    Register::StdBmap.id() => KVM_REG_ARM_STD_BMAP,
    Register::StdHypBmap.id() => KVM_REG_ARM_STD_HYP_BMAP,
    Register::VendorHypBmap.id() => KVM_REG_ARM_VENDOR_HYP_BMAP,
    Register::VendorHypBmap2.id() => KVM_REG_ARM_VENDOR_HYP_BMAP_2,
}

assert_same! {
    PsciVersion::V0_1 => KVM_ARM_PSCI_0_1,
    PsciVersion::V0_2 => KVM_ARM_PSCI_0_2,
    PsciVersion::V1_0 => KVM_ARM_PSCI_1_0,
    PsciVersion::V1_1 => KVM_ARM_PSCI_1_1,
    PsciVersion::V1_2 => KVM_ARM_PSCI_1_2,
    PsciVersion::V1_3 => KVM_ARM_PSCI_1_3,
    PsciVersion::newest(true) => KVM_ARM_PSCI_LATEST,
}

assert_same! {
    Level::NotAvailable => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_AVAIL,
    Level::Available => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_AVAIL,
    Level::NotRequired => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED,
    Level::NotAvailable => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_AVAIL,
    Level::Available => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_AVAIL,
    Level::NotRequired => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_REQUIRED,
}

assert_same! {
    Ssbd::NotAvailable => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL,
    Ssbd::UNKNOWN => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN,
    Ssbd::AVAILABLE => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL,
    Ssbd::NotRequired => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED,
    Ssbd::ENABLED => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED,
}

assert_same! {
    Level::NotAvailable.discovery() => SMCCC_RET_NOT_SUPPORTED,
    Level::Available.discovery() => SMCCC_RET_SUCCESS,
    Level::NotRequired.discovery() => SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED,
    Ssbd::NotAvailable.discovery() => SMCCC_RET_NOT_SUPPORTED,
    Ssbd::NotRequired.discovery() => SMCCC_RET_NOT_REQUIRED,
    NOT_SUPPORTED => SMCCC_RET_NOT_SUPPORTED,
}

assert_same! {
    STRICT => KVM_ARM_FW_REGS_STRICT,
    NULL_PROMISE => KVM_ARM_FW_REGS_NULL_PROMISE,
}

assert_same! {
    Accepted::Value => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_ACCEPTED,
    Accepted::NullPromise => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_NULL_PROMISE,
    Reason::UnknownRegister => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_UNKNOWN_REGISTER,
    Reason::BadAddress => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_BAD_ADDRESS,
    Reason::Malformed => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_MALFORMED,
    Reason::WrongFeature => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_WRONG_FEATURE,
    Reason::ExceedsOffer => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_EXCEEDS_OFFER,
    Reason::Frozen => kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_FROZEN,
}
