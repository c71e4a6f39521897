// SPDX-License-Identifier: GPL-2.0

//! Kernel-based Virtual Machine (KVM) on arm64.
//!
//! Safe views of the virtual machines and vCPUs that the C side owns: [`Vm`] and [`Vcpu`]. What
//! `config_lock` guards is reachable through [`VmConfig`] only, which holds that lock. It is taken
//! inside of `vcpu->mutex`, and no user memory may be accessed while it is held.
//!
//! C headers: [`include/linux/kvm_host.h`](srctree/include/linux/kvm_host.h),
//! [`arch/arm64/include/asm/kvm_host.h`](srctree/arch/arm64/include/asm/kvm_host.h).
//!
//! Reference: <https://docs.kernel.org/virt/kvm/arm/index.html>

use crate::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        lock::{
            mutex::MutexBackend,
            Guard,
            Lock, //
        },
    },
    types::Opaque, //
};

pub mod one_reg;
pub mod spectre;

/// Whether KVM was found to work on this machine.
pub fn is_initialised() -> bool {
    // SAFETY: The function only reads a flag, and can always be called.
    unsafe { bindings::is_kvm_arm_initialised() }
}

/// A feature that userspace asks for with `KVM_ARM_VCPU_INIT`.
///
/// All vCPUs of a VM have the same features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum VcpuFeature {
    /// `KVM_ARM_VCPU_PSCI_0_2`: PSCI 0.2 or newer.
    Psci0_2 = bindings::KVM_ARM_VCPU_PSCI_0_2,
}

/// A bitmap of the hypercall services that a VM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmcccServices {
    /// Standard secure services.
    Std,
    /// Standard hypervisor services.
    StdHyp,
    /// Vendor-specific hypervisor services, function numbers 0 to 63.
    VendorHyp,
    /// Vendor-specific hypervisor services, function numbers 64 to 127.
    VendorHyp2,
}

impl SmcccServices {
    /// All the services that KVM implements.
    pub const fn implemented(self) -> u64 {
        match self {
            Self::Std => bindings::KVM_ARM_SMCCC_STD_FEATURES,
            Self::StdHyp => bindings::KVM_ARM_SMCCC_STD_HYP_FEATURES,
            Self::VendorHyp => bindings::KVM_ARM_SMCCC_VENDOR_HYP_FEATURES,
            Self::VendorHyp2 => bindings::KVM_ARM_SMCCC_VENDOR_HYP_FEATURES_2,
        }
    }
}

/// A virtual CPU.
///
/// # Invariants
///
/// `self.0` is a vCPU that is initialised (`KVM_ARM_VCPU_INIT`), and its `kvm` field points to the
/// VM that it belongs to.
#[repr(transparent)]
pub struct Vcpu(Opaque<bindings::kvm_vcpu>);

impl Vcpu {
    /// Makes a reference to a vCPU from a pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to an initialised vCPU that stays alive for `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::kvm_vcpu) -> &'a Self {
        // INVARIANT: The caller guarantees that the vCPU is initialised.
        // SAFETY: `ptr` is valid for `'a`, and `Self` is a transparent wrapper of the pointee.
        unsafe { &*ptr.cast() }
    }

    /// The VM that the vCPU belongs to.
    #[inline]
    pub fn vm(&self) -> &Vm {
        // SAFETY: By the type invariant the vCPU is valid. Its `kvm` field never changes.
        let kvm = unsafe { (*self.0.get()).kvm };
        // SAFETY: A vCPU does not outlive its VM.
        unsafe { Vm::from_raw(kvm) }
    }
}

/// A virtual machine.
///
/// # Invariants
///
/// `self.0` is a VM whose `config_lock` is initialised.
#[repr(transparent)]
pub struct Vm(Opaque<bindings::kvm>);

impl Vm {
    /// Makes a reference to a VM from a pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to an initialised VM that stays alive for `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::kvm) -> &'a Self {
        // INVARIANT: An initialised VM has an initialised `config_lock`.
        // SAFETY: `ptr` is valid for `'a`, and `Self` is a transparent wrapper of the pointee.
        unsafe { &*ptr.cast() }
    }

    /// Whether the VM's vCPUs have a feature.
    #[inline]
    pub fn has_feature(&self, feature: VcpuFeature) -> bool {
        // SAFETY: By the type invariant the VM is valid. The features are atomic bits, and do not
        // change once a vCPU is initialised.
        unsafe { bindings::kvm_vcpu_has_feature(self.0.get(), feature as c_int) }
    }

    /// Takes `config_lock`.
    ///
    /// It must not be held already, nor any lock that is taken inside of it.
    #[inline]
    pub fn lock_config(&self) -> VmConfig<'_> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let lock = unsafe { &raw mut (*self.0.get()).arch.config_lock };
        // SAFETY: By the type invariant the lock is initialised. It lives as long as the VM.
        let lock = unsafe { Lock::<(), MutexBackend>::from_raw(lock) };
        VmConfig {
            vm: self,
            _guard: lock.lock(),
        }
    }
}

/// The configuration of a VM, while `config_lock` is held.
///
/// # Invariants
///
/// `_guard` holds the `config_lock` of `vm`.
pub struct VmConfig<'a> {
    vm: &'a Vm,
    _guard: Guard<'a, (), MutexBackend>,
}

impl<'a> VmConfig<'a> {
    /// The VM whose configuration this is.
    #[inline]
    pub fn vm(&self) -> &'a Vm {
        self.vm
    }

    /// Whether a vCPU of the VM has run.
    ///
    /// The answer holds until the lock is dropped: the flag is set under the same lock.
    #[inline]
    pub fn has_run(&self) -> bool {
        // SAFETY: By the type invariant of `Vm` it is valid. The flag is an atomic bit.
        unsafe { bindings::kvm_vm_has_ran_once(self.vm.0.get()) }
    }

    /// Whether the guest sees `ID_AA64PFR1_EL1.SSBS`.
    #[inline]
    pub fn sees_ssbs(&self) -> bool {
        // SAFETY: By the type invariant of `Vm` it is valid. ID registers are written under
        // `config_lock`, which is held by the type invariant.
        unsafe { bindings::kvm_has_ssbs(self.vm.0.get()) }
    }

    /// The PSCI version that userspace has set, 0 if none.
    #[inline]
    pub fn psci_version(&self) -> u32 {
        self.psci_version_cell().load(Relaxed)
    }

    /// Sets the PSCI version that the guest sees.
    #[inline]
    pub fn set_psci_version(&mut self, version: u32) {
        self.psci_version_cell().store(version, Relaxed);
    }

    /// The services that the VM has.
    #[inline]
    pub fn services(&self, which: SmcccServices) -> u64 {
        self.services_cell(which).load(Relaxed) as u64
    }

    /// Sets the services that the VM has.
    #[inline]
    pub fn set_services(&mut self, which: SmcccServices, services: u64) {
        self.services_cell(which).store(services as usize, Relaxed);
    }

    /// Pairs with the lockless reads in `kvm_psci_version()`.
    #[inline]
    fn psci_version_cell(&self) -> &Atomic<u32> {
        // SAFETY: By the type invariant of `Vm` it is valid; only the field's address is taken.
        let field = unsafe { &raw mut (*self.vm.0.get()).arch.psci_version };
        // SAFETY: The field lives as long as the VM and is aligned. Writers hold `config_lock`,
        // and single words are read without it.
        unsafe { Atomic::from_ptr(field) }
    }

    /// Pairs with the lockless reads in `kvm_smccc_test_fw_bmap()` and `kvm_smccc_call_handler()`.
    #[inline]
    fn services_cell(&self, which: SmcccServices) -> &Atomic<c_ulong> {
        // SAFETY: By the type invariant of `Vm` it is valid; only the field's address is taken.
        let features = unsafe { &raw mut (*self.vm.0.get()).arch.smccc_feat };
        // SAFETY: `features` points to the field of a valid VM; only an address in it is taken.
        let field = unsafe {
            match which {
                SmcccServices::Std => &raw mut (*features).std_bmap,
                SmcccServices::StdHyp => &raw mut (*features).std_hyp_bmap,
                SmcccServices::VendorHyp => &raw mut (*features).vendor_hyp_bmap,
                SmcccServices::VendorHyp2 => &raw mut (*features).vendor_hyp_bmap_2,
            }
        };
        // SAFETY: The field lives as long as the VM and is aligned. Writers hold `config_lock`,
        // and single words are read without it.
        unsafe { Atomic::from_ptr(field) }
    }
}
