// SPDX-License-Identifier: GPL-2.0

//! The C side of the kernel, as far as `kernel::kvm` sees it: names and types are those that bindgen
//! makes of the headers, the fields are those that are used.

#![allow(non_camel_case_types, non_upper_case_globals)]

mod uapi;

use core::mem::offset_of;

use crate::ffi::{c_int, c_ulong};
use crate::memory::{Atomic, RawMutex};
use crate::sim::{self, Event};
use crate::sync::atomic::ordering::Relaxed;

pub use uapi::*;

#[derive(Default)]
pub struct mutex {
    raw: RawMutex,
}

pub fn mutex_lock(mutex: &mutex) {
    mutex.raw.lock();
    sim::locked();
}

/// # Safety
///
/// `mutex` must be valid.
pub unsafe fn mutex_assert_is_held(mutex: *mut mutex) {
    // SAFETY: The caller guarantees it.
    if !unsafe { (*mutex).raw.is_held() } {
        sim::violation("a lock is not held that has to be");
    }
}

pub fn mutex_unlock(mutex: &mutex) {
    if !mutex.raw.unlock() {
        sim::violation("a lock is dropped that is not held");
    }
    sim::unlocked();
}

pub struct kvm {
    pub arch: kvm_arch,
    /// Stands for `vcpu_features`: whether they have `KVM_ARM_VCPU_PSCI_0_2`.
    pub psci_0_2: bool,
    /// Stands for the ID registers: the field SSBS of `ID_AA64PFR1_EL1`.
    pub ssbs: Atomic<u8>,
    pub is_protected: bool,
}

pub struct kvm_arch {
    pub config_lock: mutex,
    /// Only the address is used, by [`test_bit`] and [`set_bit`]. The flags are `flag_bits`.
    pub flags: c_ulong,
    pub flag_bits: Atomic<c_ulong>,
    pub psci_version: Atomic<u32>,
    pub smccc_feat: kvm_smccc_features,
}

pub struct kvm_smccc_features {
    pub std_bmap: Atomic<c_ulong>,
    pub std_hyp_bmap: Atomic<c_ulong>,
    pub vendor_hyp_bmap: Atomic<c_ulong>,
    pub vendor_hyp_bmap_2: Atomic<c_ulong>,
    pub workaround: [Atomic<u32>; 3],
}

impl kvm {
    /// A VM as KVM makes it: with all services but those of the youngest register.
    pub fn new(psci_0_2: bool, ssbs: u8, is_protected: bool) -> Self {
        Self {
            arch: kvm_arch {
                config_lock: mutex::default(),
                flags: 0,
                flag_bits: Atomic::new(0),
                psci_version: Atomic::new(0),
                smccc_feat: kvm_smccc_features {
                    std_bmap: Atomic::new(KVM_ARM_SMCCC_STD_FEATURES as c_ulong),
                    std_hyp_bmap: Atomic::new(KVM_ARM_SMCCC_STD_HYP_FEATURES as c_ulong),
                    vendor_hyp_bmap: Atomic::new(KVM_ARM_SMCCC_VENDOR_HYP_FEATURES as c_ulong),
                    vendor_hyp_bmap_2: Atomic::new(0),
                    workaround: [0; 3].map(Atomic::new),
                },
            },
            psci_0_2,
            ssbs: Atomic::new(ssbs),
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
    // SAFETY: The caller guarantees it.
    unsafe { (*kvm).ssbs.load(Relaxed) != 0 }
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
/// `addr` must be that of a VM's flags, which must be valid, and the bit in the word.
pub unsafe fn test_bit(nr: c_ulong, addr: *const c_ulong) -> bool {
    // SAFETY: The caller guarantees it.
    unsafe { flag_bits(addr) }.load(Relaxed) & 1 << nr != 0
}

/// # Safety
///
/// `addr` must be that of a VM's flags, which must be valid, and the bit in the word.
pub unsafe fn set_bit(nr: c_ulong, addr: *mut c_ulong) {
    // SAFETY: The caller guarantees it.
    unsafe { flag_bits(addr) }.fetch_or(1 << nr, Relaxed);
}

/// # Safety
///
/// `addr` must be that of the flags of a VM that is valid for `'a`.
unsafe fn flag_bits<'a>(addr: *const c_ulong) -> &'a Atomic<c_ulong> {
    let arch = addr.wrapping_byte_sub(offset_of!(kvm_arch, flags));
    // SAFETY: The caller guarantees that this is around the flags.
    unsafe { &(*arch.cast::<kvm_arch>()).flag_bits }
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
