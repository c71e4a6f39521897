// SPDX-License-Identifier: GPL-2.0

//! Tracepoints.
//!
//! C header: [`arch/arm64/kvm/fw_regs/trace.h`](srctree/arch/arm64/kvm/fw_regs/trace.h).

use crate::{
    bindings,
    prelude::*,
    tracepoint::declare_trace, //
};

declare_trace! {
    /// # Safety
    ///
    /// Always safe to call.
    unsafe fn kvm_arm_fw_reg_set(
        vcpu_id: c_int,
        id: u64,
        value: u64,
        promise: u64,
        offer: u64,
        verdict: bindings::kvm_arm_fw_reg_verdict,
    );
}

/// What became of a write to a firmware pseudo-register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
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

/// A write to a firmware pseudo-register. What the write did not get to is 0.
#[derive(Clone, Copy, Debug)]
pub struct FwRegSet {
    /// The vCPU through which userspace wrote.
    pub vcpu_id: i32,
    /// The id of the register.
    pub id: u64,
    /// The value that was to be written.
    pub value: u64,
    /// What the register was before.
    pub promise: u64,
    /// The best that the host could keep.
    pub offer: u64,
}

impl FwRegSet {
    /// Leaves a trace event. No lock may be held.
    #[inline]
    pub fn trace(&self, verdict: Verdict) {
        // SAFETY: Always safe to call.
        unsafe {
            kvm_arm_fw_reg_set(
                self.vcpu_id,
                self.id,
                self.value,
                self.promise,
                self.offer,
                verdict as bindings::kvm_arm_fw_reg_verdict,
            )
        }
    }
}
