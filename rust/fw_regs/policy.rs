// SPDX-License-Identifier: GPL-2.0

//! The acceptance policy of the firmware pseudo-registers.
//!
//! Userspace saves these registers on one host and restores them on another. Whether a restored
//! value can be kept is for the receiving kernel to judge, and this module is that judgement:
//! values in, verdict out, no state, no I/O, nothing but [`core`]. The component that calls it
//! gathers what a verdict depends on under the VM's `config_lock` and stores what was accepted
//! before it drops the lock again.
//!
//! - An *offer* is the best value that this host can keep for this VM now.
//! - A *promise* is the value that the VM has been given.
//! - A write is either accepted or refused with one [`Reason`].
//!
//! Being free of kernel interfaces, the same files are also compiled for the build machine, where
//! they are tested.
//!
//! C header: [`arch/arm64/include/uapi/asm/kvm.h`](srctree/arch/arm64/include/uapi/asm/kvm.h).
//!
//! uAPI document: `Documentation/virt/kvm/arm/fw-pseudo-registers.rst`.

#![forbid(unsafe_code)]

mod null;
mod psci;
mod register;
mod services;
mod workaround;

#[cfg(any(test, CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST))]
pub mod cases;

pub use null::promises_nothing;
pub use psci::PsciVersion;
pub use register::{
    Bitmap,
    Register, //
};
pub use services::Services;
pub use workaround::{
    Level,
    Mitigation,
    Ssbd,
    NOT_SUPPORTED, //
};

use core::cmp::Ordering;

/// Why an access to a pseudo-register is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such register, or not of that size.
    UnknownRegister,
    /// The user memory that holds the value, or shall hold it, cannot be accessed.
    BadAddress,
    /// The value has no meaning in this register.
    Malformed,
    /// The value needs the `KVM_ARM_VCPU_PSCI_0_2` vCPU feature, or its absence.
    WrongFeature,
    /// The value promises more than this host can keep.
    ExceedsOffer,
    /// The VM has run, and the value is not the one that it has.
    Frozen,
}

/// A well-formed value of a pseudo-register.
///
/// Promises of one register are ordered by what they give to the guest. For bitmaps that order is
/// partial, and promises of different kinds have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// What PSCI_VERSION tells.
    Psci(PsciVersion),
    /// What SMCCC_ARCH_WORKAROUND_1 and SMCCC_ARCH_WORKAROUND_3 tell.
    Workaround(Level),
    /// What SMCCC_ARCH_WORKAROUND_2 tells.
    Ssbd(Ssbd),
    /// What the bitmaps of hypercall services tell.
    Services(Services),
}

impl Promise {
    /// Reads the promise out of a value that userspace wants `register` to have.
    ///
    /// `psci_0_2` is whether the vCPUs have the `KVM_ARM_VCPU_PSCI_0_2` feature.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: the value has no meaning in this register.
    /// - [`Reason::WrongFeature`]: no VM with these vCPUs has it.
    #[inline]
    pub fn parse(register: Register, value: u64, psci_0_2: bool) -> Result<Self, Reason> {
        Ok(match register {
            Register::PsciVersion => Self::Psci(PsciVersion::parse(value, psci_0_2)?),
            Register::Workaround1 | Register::Workaround3 => Self::Workaround(Level::parse(value)?),
            Register::Workaround2 => Self::Ssbd(Ssbd::parse(value)?),
            Register::Bitmap(_) => Self::Services(Services::from_value(value)),
        })
    }

    /// Whether a host that can keep `offer` can keep this promise too.
    #[inline]
    pub fn within(self, offer: Self) -> bool {
        self <= offer
    }

    /// What `SMCCC_ARCH_FEATURES` answers to a guest that asks for a workaround: the result of the
    /// call, or `None` where the promise is not about a workaround.
    #[inline]
    pub const fn discovery(self) -> Option<i32> {
        match self {
            Self::Workaround(level) => Some(level.discovery()),
            Self::Ssbd(ssbd) => Some(ssbd.discovery()),
            Self::Psci(_) | Self::Services(_) => None,
        }
    }

    /// The value that userspace reads from the register.
    #[inline]
    pub const fn value(self) -> u64 {
        match self {
            Self::Psci(version) => version.value(),
            Self::Workaround(level) => level.value(),
            Self::Ssbd(ssbd) => ssbd.value(),
            Self::Services(services) => services.value(),
        }
    }
}

impl PartialOrd for Promise {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Psci(a), Self::Psci(b)) => a.partial_cmp(b),
            (Self::Workaround(a), Self::Workaround(b)) => a.partial_cmp(b),
            (Self::Ssbd(a), Self::Ssbd(b)) => a.partial_cmp(b),
            (Self::Services(a), Self::Services(b)) => a.partial_cmp(b),
            (Self::Psci(_) | Self::Workaround(_) | Self::Ssbd(_) | Self::Services(_), _) => None,
        }
    }
}

/// What the verdict on a write depends on, besides the value. `P` is what the register promises:
/// [`Promise`], or the one kind of it where that is known.
#[derive(Clone, Copy, Debug)]
pub struct View<P = Promise> {
    /// The best that this host can keep for this VM.
    pub offer: P,
    /// What the VM has now.
    pub promise: P,
    /// Whether the VM has run, and keeps what it has.
    pub frozen: bool,
}

/// Judges whether the register may become `wanted`.
///
/// Writing the value that the VM has is always accepted: VMMs rewrite every register on each reset,
/// and a CPU that came online since may have taken from what the host can offer.
///
/// # Errors
///
/// - [`Reason::ExceedsOffer`]: the host cannot keep it.
/// - [`Reason::Frozen`]: the VM has run, and this is another value than it has.
#[inline]
pub fn judge<P: PartialOrd>(wanted: P, view: &View<P>) -> Result<(), Reason> {
    // Where the two have no order, it is more than the offer, too.
    let kept = wanted <= view.offer;
    if (kept && !view.frozen) || wanted == view.promise {
        Ok(())
    } else if kept {
        Err(Reason::Frozen)
    } else {
        Err(Reason::ExceedsOffer)
    }
}
