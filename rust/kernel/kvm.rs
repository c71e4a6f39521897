// SPDX-License-Identifier: GPL-2.0

//! Kernel-based Virtual Machine (KVM) on arm64.
//!
//! Safe views of the virtual machines and vCPUs that the C side owns: [`Vm`] and [`Vcpu`].
//!
//! The configuration of a VM is guarded by its `config_lock`, and changes only through
//! [`VmConfig`], which holds that lock. It is taken inside of `vcpu->mutex`, and no user memory may
//! be accessed while it is held. Each item is a single word that the guest's side reads without
//! the lock, as do the methods of [`Vm`]: what several of them say together holds while the lock
//! is held, or once the VM has run.
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
pub mod smccc;
pub mod spectre;

use smccc::{
    Services,
    Workaround, //
};

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

    /// The C side's vCPU.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::kvm_vcpu {
        self.0.get()
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

    /// Whether the guest sees `ID_AA64PFR1_EL1.SSBS`.
    #[inline]
    pub fn sees_ssbs(&self) -> bool {
        // SAFETY: By the type invariant the VM is valid. An ID register is a single word.
        unsafe { bindings::kvm_has_ssbs(self.0.get()) }
    }

    /// The same as an acquire: what is read after it is not older than the ID register.
    #[inline]
    pub fn sees_ssbs_acquire(&self) -> bool {
        // SAFETY: By the type invariant the VM is valid. An ID register is a single word.
        unsafe { bindings::kvm_has_ssbs_acquire(self.0.get()) }
    }

    /// Whether a vCPU of the VM has run.
    ///
    /// An acquire: what is read after a `true` is what the VM runs with. A `false` can be outdated.
    #[inline]
    pub fn has_run(&self) -> bool {
        // SAFETY: By the type invariant the VM is valid. The flag is an atomic bit.
        unsafe { bindings::kvm_vm_has_ran_once_acquire(self.0.get()) }
    }

    /// The PSCI version that userspace has set, if any.
    #[inline]
    pub fn psci_version(&self) -> Option<u32> {
        match self.psci_version_cell().load(Relaxed) {
            0 => None,
            version => Some(version),
        }
    }

    /// The value that userspace has set for a workaround, if any.
    #[inline]
    pub fn workaround(&self, which: Workaround) -> Option<u32> {
        self.workaround_cell(which).load(Relaxed).checked_sub(1)
    }

    /// Whether userspace has asked for unknown registers to be accepted whose values promise
    /// nothing (`KVM_ARM_VM_SMCCC_NULL_PROMISE`).
    #[inline]
    pub fn accepts_null_promises(&self) -> bool {
        self.null_promise_cell().load(Relaxed) != 0
    }

    /// The services that the VM has.
    #[inline]
    pub fn services(&self, which: Services) -> u64 {
        self.services_cell(which).load(Relaxed) as u64
    }

    /// Pairs with the lockless reads in `kvm_psci_version()`.
    #[inline]
    fn psci_version_cell(&self) -> &Atomic<u32> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let field = unsafe { &raw mut (*self.0.get()).arch.psci_version };
        // SAFETY: The field lives as long as the VM and is aligned. Writers hold `config_lock`,
        // and single words are read without it.
        unsafe { Atomic::from_ptr(field) }
    }

    /// Pairs with the lockless reads in `kvm_smccc_test_fw_bmap()` and `kvm_smccc_call_handler()`.
    #[inline]
    fn services_cell(&self, which: Services) -> &Atomic<c_ulong> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let features = unsafe { &raw mut (*self.0.get()).arch.smccc_feat };
        // SAFETY: `features` points to the field of the VM; only an address in it is taken.
        let field = unsafe {
            match which {
                Services::Std => &raw mut (*features).std_bmap,
                Services::StdHyp => &raw mut (*features).std_hyp_bmap,
                Services::VendorHyp => &raw mut (*features).vendor_hyp_bmap,
                Services::VendorHyp2 => &raw mut (*features).vendor_hyp_bmap_2,
            }
        };
        // SAFETY: The field lives as long as the VM and is aligned. Writers hold `config_lock`,
        // and single words are read without it.
        unsafe { Atomic::from_ptr(field) }
    }

    /// 0 where userspace has not set the workaround, else its value plus one.
    #[inline]
    fn workaround_cell(&self, which: Workaround) -> &Atomic<u32> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let features = unsafe { &raw mut (*self.0.get()).arch.smccc_feat };
        // SAFETY: `features` points to the field of the VM; only an address in it is taken.
        let field = unsafe {
            match which {
                Workaround::One => &raw mut (*features).workaround[0],
                Workaround::Two => &raw mut (*features).workaround[1],
                Workaround::Three => &raw mut (*features).workaround[2],
            }
        };
        // SAFETY: The field lives as long as the VM and is aligned. All accesses are marked.
        unsafe { Atomic::from_ptr(field) }
    }

    #[inline]
    fn null_promise_cell(&self) -> &Atomic<u32> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let field = unsafe { &raw mut (*self.0.get()).arch.smccc_feat.null_promise };
        // SAFETY: The field lives as long as the VM and is aligned. All accesses are marked.
        unsafe { Atomic::from_ptr(field) }
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

impl VmConfig<'_> {
    /// Whether a vCPU of the VM has run.
    ///
    /// The answer holds until the lock is dropped: the flag is set under the same lock.
    #[inline]
    pub fn has_run(&self) -> bool {
        // SAFETY: By the type invariant of `Vm` it is valid. The flag is an atomic bit.
        unsafe { bindings::kvm_vm_has_ran_once(self.vm.0.get()) }
    }

    /// Sets the PSCI version that the guest sees.
    #[inline]
    pub fn set_psci_version(&mut self, version: u32) {
        self.vm.psci_version_cell().store(version, Relaxed);
    }

    /// Sets the services that the VM has.
    #[inline]
    pub fn set_services(&mut self, which: Services, services: u64) {
        self.vm
            .services_cell(which)
            .store(services as usize, Relaxed);
    }

    /// Sets the value of a workaround.
    #[inline]
    pub fn set_workaround(&mut self, which: Workaround, value: u8) {
        let biased = u32::from(value) + 1;
        self.vm.workaround_cell(which).store(biased, Relaxed);
    }

    /// Lets the VM accept unknown registers whose values promise nothing.
    #[inline]
    pub fn accept_null_promises(&mut self) {
        self.vm.null_promise_cell().store(1, Relaxed);
    }
}
