// SPDX-License-Identifier: GPL-2.0

//! The C side of the kernel, as far as `kernel::kvm` sees it: names and types are those that bindgen
//! makes of the headers, the fields are those that are used.

#![allow(non_camel_case_types, non_upper_case_globals)]

mod uapi;

use core::cell::Cell;

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

/// # Safety
///
/// `mutex` must be valid.
pub unsafe fn mutex_assert_is_held(mutex: *mut mutex) {
    // SAFETY: The caller guarantees it.
    if !unsafe { (*mutex).held.get() } {
        sim::violation("a lock is not held that has to be");
    }
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
    pub is_protected: bool,
}

pub struct kvm_arch {
    pub config_lock: mutex,
    pub flags: c_ulong,
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
}

impl kvm {
    /// A VM as KVM makes it: with all services but those of the youngest register.
    pub fn new(psci_0_2: bool, ssbs: u8, is_protected: bool) -> Self {
        Self {
            arch: kvm_arch {
                config_lock: mutex {
                    held: Cell::new(false),
                },
                flags: 0,
                psci_version: 0,
                smccc_feat: kvm_smccc_features {
                    std_bmap: KVM_ARM_SMCCC_STD_FEATURES as c_ulong,
                    std_hyp_bmap: KVM_ARM_SMCCC_STD_HYP_FEATURES as c_ulong,
                    vendor_hyp_bmap: KVM_ARM_SMCCC_VENDOR_HYP_FEATURES as c_ulong,
                    vendor_hyp_bmap_2: 0,
                    workaround: [0; 3],
                },
            },
            psci_0_2,
            ssbs: Cell::new(ssbs),
            is_protected,
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
pub unsafe fn kvm_vm_is_protected(kvm: *mut kvm) -> bool {
    // SAFETY: The caller guarantees it; the field never changes.
    unsafe { (*kvm).is_protected }
}

/// # Safety
///
/// `kvm` must be valid.
pub unsafe fn kvm_vm_has_ran_once(kvm: *mut kvm) -> bool {
    // SAFETY: The caller guarantees it.
    unsafe {
        test_bit(
            KVM_ARCH_FLAG_HAS_RAN_ONCE as c_ulong,
            &raw const (*kvm).arch.flags,
        )
    }
}

/// # Safety
///
/// `addr` must be valid for reads, and the bit in the word at it.
pub unsafe fn test_bit(nr: c_ulong, addr: *const c_ulong) -> bool {
    sim::access();
    // SAFETY: The caller guarantees it.
    unsafe { addr.read() & 1 << nr != 0 }
}

/// # Safety
///
/// `addr` must be valid for reads and writes, and the bit in the word at it.
pub unsafe fn set_bit(nr: c_ulong, addr: *mut c_ulong) {
    sim::access();
    // SAFETY: The caller guarantees it.
    unsafe { addr.write(addr.read() | 1 << nr) };
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

/// # Safety
///
/// Always safe to call.
pub unsafe fn kvm_arm_fw_reg_set(
    vcpu_id: c_int,
    id: u64,
    value: u64,
    promise: u64,
    offer: u64,
    verdict: kvm_arm_fw_reg_verdict,
) {
    sim::trace(Event {
        vcpu_id,
        id,
        value,
        promise,
        offer,
        verdict,
    });
}
