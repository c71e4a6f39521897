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

// Tests, and what is compiled for the build machine, have registers of all kinds in one table.
#[cfg(any(not(CONFIG_KVM), CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST))]
mod promise;

#[cfg(any(test, CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST))]
pub mod cases;

pub use null::promises_nothing;
#[cfg(any(not(CONFIG_KVM), CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST))]
pub use promise::Promise;
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

/// What the verdict on a write depends on, besides the value. `P` is what values of the register
/// promise: [`PsciVersion`], [`Level`], [`Ssbd`] or [`Services`].
#[derive(Clone, Copy, Debug)]
pub struct View<P> {
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
