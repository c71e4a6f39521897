// SPDX-License-Identifier: GPL-2.0

//! The firmware pseudo-registers of arm64 KVM.
//!
//! KVM shows each virtual machine a firmware: which PSCI version it has, which Spectre workarounds
//! it offers, which hypercall services exist. Userspace sees it as eight pseudo-registers which it
//! saves on one host and restores on another, and cannot judge: only the receiving kernel knows
//! what it can keep. This component owns the registers' list, get and set handlers.
//!
//! A default VM has, to the bit, what the C handlers give it. What userspace sets the registers of
//! a *strict* VM to is kept, shown to the guest, and does not change once the VM has run: a VM is
//! strict where its VMM enables `KVM_CAP_ARM_FW_REGS_STRICT`, or the host has
//! `kvm_arm_fw_regs.strict=1` on its command line.
//!
//! Three layers, each of which knows only those below it:
//!
//! - the entry points in this file, which the C side of KVM calls through the prototypes in
//!   [`include/kvm/arm_hypercalls.h`](srctree/include/kvm/arm_hypercalls.h),
//! - the [`handlers`], which read the user's value, take the lock, gather, ask and store,
//! - the [`policy`], which decides, and [`kernel::kvm`], which sees the VM.
//!
//! Concurrency: all state of a VM is guarded by its `config_lock`. The guest's side reads single
//! words of it without the lock, which [`kernel::kvm`] lists, therefore each is written with one
//! marked access. No user memory is accessed while the lock is held.
//!
//! uAPI documents: `Documentation/virt/kvm/arm/fw-pseudo-registers.rst`,
//! `Documentation/virt/kvm/arm/fw-pseudo-registers-acceptance.rst`.

use kernel::{
    bindings,
    kvm::{
        self,
        one_reg::OneReg,
        Config,
        Vcpu,
        Vm,
        VmFlag, //
    },
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

// The policy does not know who brings its derives.
use kernel::macros::{
    Into,
    TryFrom, //
};

mod handlers;
pub mod policy;
mod trace;
mod uapi;
mod vm;

#[cfg(CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST)]
mod tests;

module! {
    type: FwRegs,
    name: "kvm_arm_fw_regs",
    authors: ["The arm64 KVM firmware pseudo-register authors"],
    description: "Firmware pseudo-registers of arm64 KVM",
    license: "GPL",
    params: {
        strict: u8 {
            default: 0,
            description: "Make every VM strict that is not protected (0 or 1)",
        },
    },
}

struct FwRegs;

impl kernel::Module for FwRegs {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        if kvm::is_initialised() {
            let vms = if every_vm_is_strict() {
                "every VM is strict"
            } else {
                "VMs are strict on request"
            };
            pr_info!("firmware pseudo-registers served by Rust, {}\n", vms);
        }
        Ok(Self)
    }
}

/// Whether the kernel's command line asks for strict VMs.
fn every_vm_is_strict() -> bool {
    // Both for a number and a reference to it, which older kernels return.
    module_parameters::strict.value().ne(&0)
}

/// Makes a new VM strict where the kernel's command line asks for that.
///
/// # Safety
///
/// `kvm` must point to an initialised VM that stays alive during the call, and of which userspace
/// has no file descriptor yet.
#[export]
pub unsafe extern "C" fn kvm_arm_fw_regs_init_vm(kvm: *mut bindings::kvm) {
    // SAFETY: The caller guarantees that `kvm` is initialised and stays alive.
    let vm = unsafe { Vm::from_raw(kvm) };
    if every_vm_is_strict() && !vm.is_protected() {
        vm.set_flag(VmFlag::FwRegsStrict);
    }
}

/// Returns the flags that `KVM_CAP_ARM_FW_REGS_STRICT` has.
///
/// # Safety
///
/// Always safe to call.
// Required to be unsafe due to the `#[export]` annotation.
#[export]
pub unsafe extern "C" fn kvm_arm_fw_regs_flags() -> c_int {
    handlers::FLAGS as c_int
}

/// Enables `KVM_CAP_ARM_FW_REGS_STRICT` with these arguments.
///
/// Returns 0, or `-EINVAL` for an unknown flag or another argument.
///
/// # Safety
///
/// - `kvm` must point to an initialised VM that stays alive during the call, and has no vCPU. The
///   caller must hold `kvm->lock`.
/// - `args` must point to four integers that are valid for reads during the call.
#[export]
pub unsafe extern "C" fn kvm_arm_fw_regs_enable(
    kvm: *mut bindings::kvm,
    args: *const u64,
) -> c_int {
    // SAFETY: The caller guarantees that `kvm` is initialised and stays alive.
    let vm = unsafe { Vm::from_raw(kvm) };
    // SAFETY: The caller guarantees that four integers are valid for reads.
    let args = unsafe { &*args.cast::<[u64; 4]>() };
    to_errno(handlers::enable(vm, args))
}

/// Returns the number of firmware pseudo-registers.
///
/// # Safety
///
/// Always safe to call; the pointer is not used.
// Required to be unsafe due to the `#[export]` annotation.
#[export]
pub unsafe extern "C" fn kvm_arm_get_fw_num_regs(_vcpu: *mut bindings::kvm_vcpu) -> c_int {
    handlers::COUNT as c_int
}

/// Writes the ids of the firmware pseudo-registers to user memory.
///
/// Returns 0, or `-EFAULT` where the memory cannot be written.
///
/// # Safety
///
/// Always safe to call: `uindices` is a user pointer, and `_vcpu` is not used.
// Required to be unsafe due to the `#[export]` annotation.
#[export]
pub unsafe extern "C" fn kvm_arm_copy_fw_reg_indices(
    _vcpu: *mut bindings::kvm_vcpu,
    uindices: *mut u64,
) -> c_int {
    let ids = UserSlice::new(UserPtr::from_ptr(uindices.cast()), handlers::LIST_SIZE);
    to_errno(handlers::list(ids))
}

/// Writes the value of a firmware pseudo-register to user memory.
///
/// Returns 0, `-ENOENT` for an unknown register, or `-EFAULT` where the memory cannot be written.
///
/// # Safety
///
/// - `vcpu` must point to an initialised vCPU that stays alive during the call. The caller must
///   not hold the `config_lock` of its VM.
/// - `reg` must be valid for reads during the call, and nobody may write to it meanwhile.
#[export]
pub unsafe extern "C" fn kvm_arm_get_fw_reg(
    vcpu: *mut bindings::kvm_vcpu,
    reg: *const bindings::kvm_one_reg,
) -> c_int {
    // SAFETY: The caller guarantees that `vcpu` is initialised and stays alive.
    let vcpu = unsafe { Vcpu::from_raw(vcpu) };
    // SAFETY: The caller guarantees that `reg` is valid for reads, and not written to.
    let reg = unsafe { OneReg::from_raw(reg) };
    to_errno(handlers::get(vcpu, reg))
}

/// Sets a firmware pseudo-register to a value in user memory.
///
/// Returns 0, `-ENOENT` for an unknown register, `-EFAULT` where the memory cannot be read,
/// `-EINVAL` for a value that this host does not accept, or `-EBUSY` for one that would change a
/// register of a VM that has run.
///
/// # Safety
///
/// - `vcpu` must point to an initialised vCPU that stays alive during the call. The caller must
///   not hold the `config_lock` of its VM.
/// - `reg` must be valid for reads during the call, and nobody may write to it meanwhile.
#[export]
pub unsafe extern "C" fn kvm_arm_set_fw_reg(
    vcpu: *mut bindings::kvm_vcpu,
    reg: *const bindings::kvm_one_reg,
) -> c_int {
    // SAFETY: The caller guarantees that `vcpu` is initialised and stays alive.
    let vcpu = unsafe { Vcpu::from_raw(vcpu) };
    // SAFETY: The caller guarantees that `reg` is valid for reads, and not written to.
    let reg = unsafe { OneReg::from_raw(reg) };
    to_errno(handlers::set(vcpu, reg))
}

/// Returns what `SMCCC_ARCH_FEATURES` answers to a guest that asks for a workaround.
///
/// # Safety
///
/// `vcpu` must point to an initialised vCPU that stays alive during the call, and has run.
#[export]
pub unsafe extern "C" fn kvm_arm_fw_reg_discover(
    vcpu: *mut bindings::kvm_vcpu,
    workaround: u32,
) -> c_int {
    // SAFETY: The caller guarantees that `vcpu` is initialised and stays alive.
    let vcpu = unsafe { Vcpu::from_raw(vcpu) };
    handlers::discover(vcpu, workaround)
}

/// Returns 0 if the promises of a VM can still be kept when the field `ID_AA64PFR1_EL1.SSBS` of it
/// becomes `ssbs`; else `-EINVAL`.
///
/// # Safety
///
/// `kvm` must point to an initialised VM that stays alive during the call. The caller must hold
/// its `config_lock`, and write the ID register before it drops the lock.
#[export]
pub unsafe extern "C" fn kvm_arm_fw_reg_allow_ssbs(kvm: *mut bindings::kvm, ssbs: u64) -> c_int {
    // SAFETY: The caller guarantees that `kvm` is initialised and stays alive.
    let vm = unsafe { Vm::from_raw(kvm) };
    // SAFETY: The caller guarantees that `config_lock` is held.
    let config = unsafe { Config::from_held(vm) };
    to_errno(handlers::allow_ssbs(&config, ssbs != 0))
}

fn to_errno(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
