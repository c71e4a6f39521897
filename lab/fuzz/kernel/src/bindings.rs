// SPDX-License-Identifier: GPL-2.0

//! The C side of the kernel, as far as `kernel::kvm` sees it: names and types are those that bindgen
//! makes of the headers, the fields are those that are used.

#![allow(non_camel_case_types, non_upper_case_globals)]

mod uapi;

use core::cell::Cell;

use crate::error::code::EFAULT;
use crate::ffi::{c_int, c_ulong};
use crate::sim::{self, Event};

pub use uapi::*;

pub struct mutex {
    held: Cell<bool>,
}

pub fn mutex_lock(mutex: &mutex) {
    sim::access();
    if mutex.held.replace(true) {
        sim::violation("a lock is taken by the thread that holds it");
    }
    sim::locked();
}

pub fn mutex_unlock(mutex: &mutex) {
    if !mutex.held.replace(false) {
        sim::violation("a lock is dropped that is not held");
    }
    sim::unlocked();
}

pub struct kvm {
    pub arch: kvm_arch,
    /// Stands for `vcpu_features`: whether they have `KVM_ARM_VCPU_PSCI_0_2`.
    pub psci_0_2: bool,
    /// Stands for the ID registers: the field SSBS of `ID_AA64PFR1_EL1`.
    pub ssbs: Cell<u8>,
    /// Stands for the flag `KVM_ARCH_FLAG_HAS_RAN_ONCE`.
    pub ran: Cell<bool>,
}

pub struct kvm_arch {
    pub config_lock: mutex,
    pub psci_version: u32,
    pub smccc_feat: kvm_smccc_features,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct kvm_smccc_features {
    pub std_bmap: c_ulong,
    pub std_hyp_bmap: c_ulong,
    pub vendor_hyp_bmap: c_ulong,
    pub vendor_hyp_bmap_2: c_ulong,
    pub workaround: [u32; 3],
    pub null_promise: u32,
}

impl kvm {
    /// A VM as KVM makes it: with all services but those of the youngest register.
    pub fn new(psci_0_2: bool, ssbs: u8) -> Self {
        Self {
            arch: kvm_arch {
                config_lock: mutex {
                    held: Cell::new(false),
                },
                psci_version: 0,
                smccc_feat: kvm_smccc_features {
                    std_bmap: KVM_ARM_SMCCC_STD_FEATURES as c_ulong,
                    std_hyp_bmap: KVM_ARM_SMCCC_STD_HYP_FEATURES as c_ulong,
                    vendor_hyp_bmap: KVM_ARM_SMCCC_VENDOR_HYP_FEATURES as c_ulong,
                    vendor_hyp_bmap_2: 0,
                    workaround: [0; 3],
                    null_promise: 0,
                },
            },
            psci_0_2,
            ssbs: Cell::new(ssbs),
            ran: Cell::new(false),
        }
    }
}

pub struct kvm_vcpu {
    pub kvm: *mut kvm,
    pub vcpu_id: c_int,
}

#[repr(C)]
pub struct kvm_one_reg {
    pub id: u64,
    pub addr: u64,
}

/// # Safety
///
/// Always safe to call.
pub unsafe fn is_kvm_arm_initialised() -> bool {
    sim::has_kvm()
}

/// # Safety
///
/// `kvm` must be valid.
pub unsafe fn kvm_vcpu_has_feature(kvm: *mut kvm, feature: c_int) -> bool {
    // SAFETY: The caller guarantees it; the field never changes.
    feature == KVM_ARM_VCPU_PSCI_0_2 as c_int && unsafe { (*kvm).psci_0_2 }
}

/// # Safety
///
/// `kvm` must be valid.
pub unsafe fn kvm_has_ssbs(kvm: *mut kvm) -> bool {
    sim::access();
    // SAFETY: The caller guarantees it.
    unsafe { (*kvm).ssbs.get() != 0 }
}

/// # Safety
///
/// `kvm` must be valid.
pub unsafe fn kvm_has_ssbs_acquire(kvm: *mut kvm) -> bool {
    // SAFETY: The caller guarantees it.
    unsafe { kvm_has_ssbs(kvm) }
}

/// # Safety
///
/// `kvm` must be valid.
pub unsafe fn kvm_vm_has_ran_once(kvm: *mut kvm) -> bool {
    sim::access();
    // SAFETY: The caller guarantees it.
    unsafe { (*kvm).ran.get() }
}

/// # Safety
///
/// `kvm` must be valid.
pub unsafe fn kvm_vm_has_ran_once_acquire(kvm: *mut kvm) -> bool {
    // SAFETY: The caller guarantees it.
    unsafe { kvm_vm_has_ran_once(kvm) }
}

/// # Safety
///
/// `value` must be valid for writes.
pub unsafe fn kvm_get_user_u64(value: *mut u64, uaddr: *const u64) -> c_int {
    let read = sim::user::read(uaddr as usize);
    // SAFETY: The caller guarantees it.
    unsafe { *value = read.unwrap_or(0) };
    fault_unless(read.is_some())
}

/// # Safety
///
/// Always safe to call.
pub unsafe fn kvm_put_user_u64(value: u64, uaddr: *mut u64) -> c_int {
    fault_unless(sim::user::write(uaddr as usize, value).is_some())
}

/// What the kernel's functions return for an access to user memory.
fn fault_unless(done: bool) -> c_int {
    if done {
        0
    } else {
        EFAULT.to_errno()
    }
}

pub type mitigation_state = u32;
pub const mitigation_state_SPECTRE_UNAFFECTED: mitigation_state = 0;
pub const mitigation_state_SPECTRE_MITIGATED: mitigation_state = 1;
pub const mitigation_state_SPECTRE_VULNERABLE: mitigation_state = 2;

/// # Safety
///
/// Always safe to call.
pub unsafe fn arm64_get_spectre_v2_state() -> mitigation_state {
    sim::spectre().v2
}

/// # Safety
///
/// Always safe to call.
pub unsafe fn arm64_get_spectre_v4_state() -> mitigation_state {
    sim::spectre().v4
}

/// # Safety
///
/// Always safe to call.
pub unsafe fn arm64_get_spectre_bhb_state() -> mitigation_state {
    sim::spectre().bhb
}

#[repr(C)]
pub struct kvm_arm_fw_reg_write {
    pub vcpu: *const kvm_vcpu,
    pub reg: *const kvm_one_reg,
    pub value: u64,
    pub promise: u64,
    pub offer: u64,
}

/// # Safety
///
/// `write`, and the pointers in it, must be valid.
pub unsafe fn kvm_arm_fw_reg_set(
    write: *const kvm_arm_fw_reg_write,
    verdict: kvm_arm_fw_reg_verdict,
) {
    // SAFETY: The caller guarantees it.
    let event = unsafe {
        Event {
            vcpu_id: (*(*write).vcpu).vcpu_id,
            id: (*(*write).reg).id,
            value: (*write).value,
            promise: (*write).promise,
            offer: (*write).offer,
            verdict,
        }
    };
    sim::trace(event);
}
