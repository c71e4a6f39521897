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
//! - A *promise* is the value that the VM has: what was stored last or, where nothing was stored,
//!   the offer.
//! - A write is either accepted or refused with one [`Reason`].
//!
//! Being free of kernel interfaces, the same files are also compiled for the build machine, where
//! they are tested.
//!
//! C header: [`arch/arm64/include/uapi/asm/kvm.h`](srctree/arch/arm64/include/uapi/asm/kvm.h).
//!
//! uAPI document: `Documentation/virt/kvm/arm/fw-pseudo-registers.rst`.

#![forbid(unsafe_code)]

mod psci;
mod register;
mod workaround;

#[cfg(any(test, CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST))]
pub mod cases;

pub use psci::PsciVersion;
pub use register::{
    promises_nothing,
    Register, //
};
pub use workaround::{
    Level,
    Ssbd,
    NOT_SUPPORTED, //
};

use crate::Into;

/// Why a write to a pseudo-register is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Into)]
#[repr(u32)]
pub enum Reason {
    /// There is no such register, or not of that size.
    UnknownRegister = 1,
    /// The user memory that holds the value cannot be read.
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

/// Why a write to a pseudo-register is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Into)]
#[repr(u32)]
pub enum Accepted {
    /// The host can keep the value.
    Value = 0,
    /// There is no such register, but the value promises nothing and the VM does not mind.
    NullPromise = 7,
}

/// What becomes of an accepted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// It is not stored: the VM has what the host offers.
    Forgotten,
    /// It is stored, and can be changed.
    Kept,
    /// It is stored, and cannot be changed once the VM has run.
    Frozen,
}

/// What the verdict on a write depends on, besides the register and the value.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The best that this host can keep for this VM.
    pub offer: u64,
    /// What the VM has now.
    pub promise: u64,
    /// Whether the VM has run.
    pub has_run: bool,
}

/// Judges whether a VM may have `value`, which is one of [`Register::parse`], in a register.
///
/// Writing the value that the VM has is always accepted: VMMs rewrite every register on each reset.
///
/// # Errors
///
/// - [`Reason::ExceedsOffer`]: the host cannot keep it.
/// - [`Reason::Frozen`]: the VM has run, and this is another value than it has.
#[inline]
pub fn judge(
    register: Register,
    retention: Retention,
    value: u64,
    state: &State,
) -> Result<(), Reason> {
    let is_frozen = state.has_run && retention == Retention::Frozen;
    if !register.fits(value, state.offer) {
        Err(Reason::ExceedsOffer)
    } else if is_frozen && value != state.promise {
        Err(Reason::Frozen)
    } else {
        Ok(())
    }
}
