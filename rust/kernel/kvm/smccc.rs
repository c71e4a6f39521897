// SPDX-License-Identifier: GPL-2.0

//! What a guest can call, by the SMC Calling Convention (DEN0028).
//!
//! C headers: [`include/kvm/arm_hypercalls.h`](srctree/include/kvm/arm_hypercalls.h),
//! [`include/linux/arm-smccc.h`](srctree/include/linux/arm-smccc.h).

use crate::{
    bindings,
    macros::TryFrom, //
};

/// A bitmap of the hypercall services that a VM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Services {
    /// Standard secure services.
    Std,
    /// Standard hypervisor services.
    StdHyp,
    /// Vendor-specific hypervisor services, function numbers 0 to 63.
    VendorHyp,
    /// Vendor-specific hypervisor services, function numbers 64 to 127.
    VendorHyp2,
}

impl Services {
    /// All the services that KVM implements.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::kvm::smccc::Services;
    ///
    /// // Bit 1 is PTP: the guest can ask for the host's time.
    /// assert_ne!(Services::VendorHyp.implemented() & (1 << 1), 0);
    /// // Bit 0 is TRNG: it can ask for random numbers.
    /// assert_ne!(Services::Std.implemented() & (1 << 0), 0);
    /// ```
    pub const fn implemented(self) -> u64 {
        match self {
            Self::Std => bindings::KVM_ARM_SMCCC_STD_FEATURES,
            Self::StdHyp => bindings::KVM_ARM_SMCCC_STD_HYP_FEATURES,
            Self::VendorHyp => bindings::KVM_ARM_SMCCC_VENDOR_HYP_FEATURES,
            Self::VendorHyp2 => bindings::KVM_ARM_SMCCC_VENDOR_HYP_FEATURES_2,
        }
    }
}

/// A workaround of a speculation vulnerability that a guest can discover. Each is the id of its
/// function, as a guest gives it to `SMCCC_ARCH_FEATURES`.
///
/// # Examples
///
/// ```
/// use kernel::kvm::smccc::Workaround;
///
/// assert_eq!(Workaround::try_from(0x8000_8000), Ok(Workaround::One));
/// assert_eq!(Workaround::try_from(0x8000_7fff), Ok(Workaround::Two));
/// assert_eq!(Workaround::try_from(0x8000_3fff), Ok(Workaround::Three));
/// // SMCCC_VERSION is no workaround.
/// assert_eq!(Workaround::try_from(0x8000_0000), Err(0x8000_0000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFrom)]
#[repr(u32)]
pub enum Workaround {
    /// `SMCCC_ARCH_WORKAROUND_1`: Spectre-v2.
    One = bindings::ARM_SMCCC_ARCH_WORKAROUND_1,
    /// `SMCCC_ARCH_WORKAROUND_2`: Spectre-v4.
    Two = bindings::ARM_SMCCC_ARCH_WORKAROUND_2,
    /// `SMCCC_ARCH_WORKAROUND_3`: Spectre-BHB.
    Three = bindings::ARM_SMCCC_ARCH_WORKAROUND_3,
}
