// SPDX-License-Identifier: GPL-2.0

//! The trace event that each write leaves.
//!
//! C header: [`arch/arm64/kvm/fw_regs/trace.h`](srctree/arch/arm64/kvm/fw_regs/trace.h).

use core::marker::PhantomData;
use kernel::{
    bindings,
    kvm::{
        one_reg::OneReg,
        Vcpu, //
    },
    tracepoint::declare_trace, //
};

declare_trace! {
    /// # Safety
    ///
    /// `write`, and the pointers in it, must be valid for reads during the call.
    unsafe fn kvm_arm_fw_reg_set(
        write: *const bindings::kvm_arm_fw_reg_write,
        verdict: bindings::kvm_arm_fw_reg_verdict,
    );
}

/// What became of a write to a firmware pseudo-register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Verdict {
    /// The VM has what the value promises.
    Accepted = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_ACCEPTED,
    /// There is no such register, but the value promises nothing and the VM does not mind.
    NullPromise = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_NULL_PROMISE,
    /// There is no such register.
    UnknownRegister = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_UNKNOWN_REGISTER,
    /// The value cannot be read.
    BadAddress = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_BAD_ADDRESS,
    /// The value has no meaning in the register.
    Malformed = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_MALFORMED,
    /// The value does not go with the vCPUs' features.
    WrongFeature = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_WRONG_FEATURE,
    /// The host cannot keep it.
    ExceedsOffer = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_EXCEEDS_OFFER,
    /// The VM has run.
    Frozen = bindings::kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_FROZEN,
}

/// A write to a firmware pseudo-register, and what the verdict on it depended on. What the write
/// did not get to is 0.
///
/// # Invariants
///
/// The pointers in `self.0` are made from references that live for `'a`.
pub(crate) struct FwRegSet<'a>(
    bindings::kvm_arm_fw_reg_write,
    PhantomData<(&'a Vcpu, &'a OneReg)>,
);

impl<'a> FwRegSet<'a> {
    /// A write of `value` to `reg` by `vcpu`.
    #[inline]
    pub(crate) fn new(vcpu: &'a Vcpu, reg: &'a OneReg, value: u64) -> Self {
        // INVARIANT: Both pointers are made from references that live for `'a`.
        Self(
            bindings::kvm_arm_fw_reg_write {
                vcpu: vcpu.as_raw(),
                reg: reg.as_raw(),
                value,
                promise: 0,
                offer: 0,
            },
            PhantomData,
        )
    }

    /// What the register was before, and the best that the host could keep.
    #[inline]
    pub(crate) fn saw_state(&mut self, promise: u64, offer: u64) {
        self.0.promise = promise;
        self.0.offer = offer;
    }

    /// Leaves a trace event. No lock may be held.
    #[inline]
    pub(crate) fn trace(&self, verdict: Verdict) {
        // SAFETY: By the type invariant the pointers are valid for reads. Of the vCPU its id is
        // read, which never changes.
        unsafe {
            kvm_arm_fw_reg_set(
                &raw const self.0,
                verdict as bindings::kvm_arm_fw_reg_verdict,
            )
        }
    }
}
