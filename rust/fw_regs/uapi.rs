// SPDX-License-Identifier: GPL-2.0

//! The policy's constants against those of the UAPI and of SMCCC, at compile time.
//!
//! The policy is also compiled where there are no kernel headers, therefore it has the numbers
//! itself.

use kernel::bindings;

use crate::policy::{
    Bitmap,
    Level,
    PsciVersion,
    Register,
    Ssbd,
    NOT_SUPPORTED, //
};

macro_rules! assert_same {
    ($($ours:expr => $uapi:ident,)*) => {
        $(
            #[allow(clippy::unnecessary_cast)]
            const _: () = assert!($ours == bindings::$uapi as u64, stringify!($uapi));
        )*
    };
}

assert_same! {
    Register::PsciVersion.id() => KVM_REG_ARM_PSCI_VERSION,
    Register::Workaround1.id() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1,
    Register::Workaround2.id() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2,
    Register::Workaround3.id() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3,
    Register::Bitmap(Bitmap::Std).id() => KVM_REG_ARM_STD_BMAP,
    Register::Bitmap(Bitmap::StdHyp).id() => KVM_REG_ARM_STD_HYP_BMAP,
    Register::Bitmap(Bitmap::VendorHyp).id() => KVM_REG_ARM_VENDOR_HYP_BMAP,
    Register::Bitmap(Bitmap::VendorHyp2).id() => KVM_REG_ARM_VENDOR_HYP_BMAP_2,
}

assert_same! {
    PsciVersion::V0_1.value() => KVM_ARM_PSCI_0_1,
    PsciVersion::V0_2.value() => KVM_ARM_PSCI_0_2,
    PsciVersion::V1_0.value() => KVM_ARM_PSCI_1_0,
    PsciVersion::V1_1.value() => KVM_ARM_PSCI_1_1,
    PsciVersion::V1_2.value() => KVM_ARM_PSCI_1_2,
    PsciVersion::V1_3.value() => KVM_ARM_PSCI_1_3,
    PsciVersion::offer(true).value() => KVM_ARM_PSCI_LATEST,
}

assert_same! {
    Level::NOT_AVAILABLE.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_AVAIL,
    Level::AVAILABLE.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_AVAIL,
    Level::NOT_REQUIRED.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED,
    Level::NOT_AVAILABLE.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_AVAIL,
    Level::AVAILABLE.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_AVAIL,
    Level::NOT_REQUIRED.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_REQUIRED,
}

assert_same! {
    Ssbd::NOT_AVAILABLE.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL,
    Ssbd::UNKNOWN => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN,
    Ssbd::AVAILABLE => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL,
    Ssbd::NOT_REQUIRED.value() => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED,
    Ssbd::ENABLED => KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED,
}

assert_same! {
    Level::NOT_AVAILABLE.discovery() as u64 => SMCCC_RET_NOT_SUPPORTED,
    Level::AVAILABLE.discovery() as u64 => SMCCC_RET_SUCCESS,
    Level::NOT_REQUIRED.discovery() as u64 => SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED,
    Ssbd::NOT_AVAILABLE.discovery() as u64 => SMCCC_RET_NOT_SUPPORTED,
    Ssbd::NOT_REQUIRED.discovery() as u64 => SMCCC_RET_NOT_REQUIRED,
    NOT_SUPPORTED as u64 => SMCCC_RET_NOT_SUPPORTED,
}
