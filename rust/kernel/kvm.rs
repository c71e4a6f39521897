// SPDX-License-Identifier: GPL-2.0

//! Kernel-based Virtual Machine (KVM) on arm64.
//!
//! Safe views of the virtual machines and vCPUs that the C side owns: [`Vm`] and [`Vcpu`].
//!
//! The configuration of a VM is guarded by its `config_lock`, and Rust changes it only through
//! [`Config`], which stands for that lock. The lock is taken inside of `vcpu->mutex`, and Rust
//! accesses no user memory while it is held.
//!
//! # Reads without the lock
//!
//! Each setting is a single word, which is read without the lock as well. Each such load, and the
//! store that it pairs with, is one marked access without an order, but for the features:
//!
//! - `psci_version`: read by [`Vm::psci_version`] and `kvm_psci_version()`, stored by
//!   [`Config::set`].
//! - The bitmaps in `smccc_feat`: read by [`Vm::services`], `kvm_smccc_test_fw_bmap()` and
//!   `kvm_smccc_call_handler()`, stored by [`Config::set`].
//! - `smccc_feat.workaround`: read by `Vm::workaround()`, stored by [`Config::set`].
//! - `ID_AA64PFR1_EL1`: read by [`Vm::sees_ssbs`] in `kvm_read_vm_id_reg()`, stored by
//!   `kvm_set_vm_id_reg()`.
//! - The flags: read by [`Vm::has_flag`], set by [`Vm::set_flag`] before userspace has the VM, or
//!   with `kvm->lock` held, which each vCPU that reads them has taken since, when it was created.
//! - The features of the vCPUs: read by [`Vm::has_feature`], stored by `bitmap_copy()` in
//!   `KVM_ARM_VCPU_INIT` with `config_lock` held, which each vCPU that reads them has taken since,
//!   when it was initialised. A later vCPU stores the same.
//!
//! Loads of several words are not of one moment. They are while the lock is held, and for a vCPU
//! that has run: `kvm_arch_vcpu_run_pid_change()` takes the lock, and no setting that is frozen
//! changes afterwards. `kvm_vm_has_ran_once()` without the lock orders nothing.
//!
//! C headers: [`include/linux/kvm_host.h`](srctree/include/linux/kvm_host.h),
//! [`arch/arm64/include/asm/kvm_host.h`](srctree/arch/arm64/include/asm/kvm_host.h).
//!
//! Reference: <https://docs.kernel.org/virt/kvm/arm/index.html>

use crate::{
    bindings,
    prelude::*,
    sync::atomic::Atomic,
    types::Opaque, //
};

mod config;
pub mod one_reg;
pub mod smccc;
pub mod spectre;
#[cfg(CONFIG_KVM_ARM_FW_REGS_RUST)]
mod workaround;

pub use config::{
    Config,
    ConfigGuard,
    Word, //
};

use config::Kind;
use smccc::Services;

/// Whether KVM was found to work on this machine.
#[inline]
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

    /// The number that userspace has given the vCPU (`KVM_CREATE_VCPU`).
    #[inline]
    pub fn id(&self) -> c_int {
        // SAFETY: By the type invariant the vCPU is valid. Its `vcpu_id` field never changes.
        unsafe { (*self.0.get()).vcpu_id }
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

/// A flag of a VM that does not change once a vCPU has been created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum VmFlag {
    /// `KVM_ARM_FW_REGS_STRICT`: what userspace sets the firmware pseudo-registers to is kept.
    FwRegsStrict = bindings::KVM_ARCH_FLAG_FW_REGS_STRICT,
    /// `KVM_ARM_FW_REGS_NULL_PROMISE`: unknown pseudo-registers that promise nothing are accepted.
    FwRegsNullPromise = bindings::KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE,
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

    /// Whether the host has no access to the VM's memory (`KVM_VM_TYPE_ARM_PROTECTED`).
    #[inline]
    pub fn is_protected(&self) -> bool {
        // SAFETY: By the type invariant the VM is valid. The field does not change once the VM is
        // initialised.
        unsafe { bindings::kvm_vm_is_protected(self.0.get()) }
    }

    /// Whether the VM's vCPUs have a feature.
    #[inline]
    pub fn has_feature(&self, feature: VcpuFeature) -> bool {
        // SAFETY: By the type invariant the VM is valid. Once a vCPU is initialised, the features
        // are stored again only with the value that they have.
        unsafe { bindings::kvm_vcpu_has_feature(self.0.get(), feature as c_int) }
    }

    /// Whether a flag of the VM is set.
    #[inline]
    pub fn has_flag(&self, flag: VmFlag) -> bool {
        // SAFETY: By the type invariant the VM is valid. The flags are atomic bits.
        unsafe { bindings::test_bit(flag as c_ulong, self.flags()) }
    }

    /// Sets a flag of the VM.
    ///
    /// The caller makes sure that no vCPU has been created.
    #[inline]
    pub fn set_flag(&self, flag: VmFlag) {
        // SAFETY: By the type invariant the VM is valid. The flags are atomic bits.
        unsafe { bindings::set_bit(flag as c_ulong, self.flags()) }
    }

    #[inline]
    fn flags(&self) -> *mut c_ulong {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        unsafe { &raw mut (*self.0.get()).arch.flags }
    }

    /// Whether the guest sees `ID_AA64PFR1_EL1.SSBS`.
    #[inline]
    pub fn sees_ssbs(&self) -> bool {
        // SAFETY: By the type invariant the VM is valid. kvm_read_vm_id_reg() reads with
        // READ_ONCE(), and kvm_set_vm_id_reg() writes with WRITE_ONCE().
        unsafe { bindings::kvm_has_ssbs(self.0.get()) }
    }

    /// The PSCI version that userspace has set.
    #[inline]
    pub fn psci_version(&self) -> Word<'_> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let field = unsafe { &raw mut (*self.0.get()).arch.psci_version };
        // SAFETY: The field lives as long as the VM and is aligned. All other accesses are
        // READ_ONCE() and WRITE_ONCE().
        Word(Kind::ZeroIfNotSet(unsafe { Atomic::from_ptr(field) }))
    }

    /// The services that the VM has.
    #[inline]
    pub fn services(&self, which: Services) -> Word<'_> {
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
        // SAFETY: The field lives as long as the VM and is aligned. All other accesses are
        // test_bit(), READ_ONCE() and WRITE_ONCE().
        Word(Kind::AlwaysSet(unsafe { Atomic::from_ptr(field) }))
    }
}
