// SPDX-License-Identifier: GPL-2.0

//! The trace event that each write leaves.
//!
//! C header: [`arch/arm64/kvm/fw_regs/trace.h`](srctree/arch/arm64/kvm/fw_regs/trace.h).

use kernel::{
    kvm::{
        one_reg::OneReg,
        Vcpu, //
    },
    prelude::*,
    tracepoint::declare_trace, //
};

use crate::policy::{
    Accepted,
    Reason,
    State, //
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
        verdict: u32,
    );
}

/// A write to a firmware pseudo-register, and what the verdict on it depends on. Fields that were
/// not evaluated are 0.
pub(crate) struct FwRegSet {
    vcpu_id: c_int,
    id: u64,
    pub(crate) value: u64,
    pub(crate) state: Option<State>,
}

impl FwRegSet {
    /// A write to `reg` by `vcpu`.
    #[inline]
    pub(crate) fn new(vcpu: &Vcpu, reg: &OneReg) -> Self {
        Self {
            vcpu_id: vcpu.id(),
            id: reg.id(),
            value: 0,
            state: None,
        }
    }

    /// Leaves a trace event. Never with `config_lock` held.
    #[inline]
    pub(crate) fn trace(&self, verdict: Result<Accepted, Reason>) {
        let (promise, offer) = self
            .state
            .map_or((0, 0), |state| (state.promise, state.offer));
        let verdict = match verdict {
            Ok(accepted) => accepted.into(),
            Err(reason) => reason.into(),
        };
        // SAFETY: Always safe to call.
        unsafe { kvm_arm_fw_reg_set(self.vcpu_id, self.id, self.value, promise, offer, verdict) }
    }
}
