// SPDX-License-Identifier: GPL-2.0

//! The handlers: what stands between KVM and the policy.

use kernel::{
    kvm::{
        one_reg::OneReg,
        smccc::Workaround,
        Config,
        Vcpu,
        VcpuFeature,
        Vm,
        VmFlag, //
    },
    prelude::*,
    uaccess::UserSlice, //
};

use crate::{
    policy::{
        judge,
        promises_nothing,
        Accepted,
        Reason,
        Register,
        Retention,
        State,
        NOT_SUPPORTED, //
    },
    trace::FwRegSet,
    vm::{
        entry,
        promise,
        ssbd, //
    },
};

/// How many registers there are.
pub(crate) const COUNT: usize = Register::ALL.len();

/// How many bytes of user memory the list of their ids takes.
pub(crate) const LIST_SIZE: usize = size_of::<u64>() * COUNT;

/// Writes the ids of all registers, in the order of the UAPI.
///
/// # Errors
///
/// - [`EFAULT`]: the memory cannot be written.
pub(crate) fn list(ids: UserSlice) -> Result {
    ids.writer().write(&Register::IDS)
}

/// Writes the value that the VM has to user memory.
///
/// # Errors
///
/// - [`ENOENT`]: there is no such register. User memory is not touched.
/// - [`EFAULT`]: the memory cannot be written.
pub(crate) fn get(vcpu: &Vcpu, reg: &OneReg) -> Result {
    let register = Register::try_from(reg.id()).map_err(|_| ENOENT)?;
    let vm = vcpu.vm();
    let value = {
        // What was stored, and the ID register on which the offer depends: both of one moment.
        let is_two_words = register == Register::Workaround2 && vm.has_flag(VmFlag::FwRegsStrict);
        let _config = is_two_words.then(|| vm.lock_config());
        promise(vm, register)
    };
    reg.addr().write_u64(value)
}

/// Sets a register to a value in user memory, if this host can keep it.
///
/// # Errors
///
/// - [`ENOENT`]: there is no such register.
/// - [`EFAULT`]: the memory cannot be read.
/// - [`EINVAL`]: the value is not well-formed, or promises more than this host can keep.
/// - [`EBUSY`]: the VM has run, and the value is not the one that it has.
///
/// A refused write changes nothing.
pub(crate) fn set(vcpu: &Vcpu, reg: &OneReg) -> Result {
    let mut event = FwRegSet::new(vcpu, reg);
    let verdict = accept(vcpu.vm(), reg, &mut event);
    event.trace(verdict);
    verdict.map(drop).map_err(errno)
}

/// Judges a write, and stores the value where it is accepted and kept. Notes in `event` what the
/// verdict depends on.
#[inline]
fn accept(vm: &Vm, reg: &OneReg, event: &mut FwRegSet) -> Result<Accepted, Reason> {
    // The size is a part of the id: a register that is known has the right one.
    let register = Register::try_from(reg.id());
    if register.is_err() && !reg.is_u64() {
        return Err(Reason::UnknownRegister);
    }
    let value = reg.addr().read_u64().map_err(|_| Reason::BadAddress)?;
    event.value = value;
    let Ok(register) = register else {
        return accept_unknown(vm, reg.id(), value);
    };
    let value = register.parse(value, vm.has_feature(VcpuFeature::Psci0_2))?;
    let retention = register.retention(vm.has_flag(VmFlag::FwRegsStrict));

    let config = vm.lock_config();
    let entry = entry(vm, register);
    let state = State {
        offer: entry.offer,
        promise: entry.promise(),
        has_run: config.has_run(),
    };
    event.state = Some(state);
    judge(register, retention, value, &state)?;
    match retention {
        Retention::Forgotten => (),
        Retention::Kept | Retention::Frozen => config.set(entry.stored, value),
    }
    Ok(Accepted::Value)
}

/// Judges a write to a register that this kernel does not know.
#[cold]
fn accept_unknown(vm: &Vm, id: u64, value: u64) -> Result<Accepted, Reason> {
    if vm.has_flag(VmFlag::FwRegsNullPromise) && promises_nothing(id, value) {
        Ok(Accepted::NullPromise)
    } else {
        Err(Reason::UnknownRegister)
    }
}

/// What userspace gets for a refusal. It branches on the errno.
#[inline]
pub(crate) fn errno(reason: Reason) -> Error {
    match reason {
        Reason::UnknownRegister => ENOENT,
        Reason::BadAddress => EFAULT,
        Reason::Malformed | Reason::WrongFeature | Reason::ExceedsOffer => EINVAL,
        Reason::Frozen => EBUSY,
    }
}

/// What `SMCCC_ARCH_FEATURES` answers to a guest that asks for the workaround with this function
/// id.
///
/// Called without the lock: the VM runs, hence no promise changes.
pub(crate) fn discover(vcpu: &Vcpu, function: u32) -> i32 {
    let register = match Workaround::try_from(function) {
        Ok(Workaround::One) => Register::Workaround1,
        Ok(Workaround::Two) => Register::Workaround2,
        Ok(Workaround::Three) => Register::Workaround3,
        Err(_) => return NOT_SUPPORTED,
    };
    register.discovery(promise(vcpu.vm(), register))
}

/// Whether the VM's promises can still be kept when it sees `ID_AA64PFR1_EL1.SSBS`, or does not.
///
/// # Errors
///
/// - [`EINVAL`]: the VM was promised that it need not care about Spectre-v4, and would have to.
pub(crate) fn allow_ssbs(config: &Config<'_>, visible: bool) -> Result {
    let offer = u64::from(ssbd(visible));
    match config.vm().workaround(Workaround::Two).load() {
        Some(promise) if promise > offer => Err(EINVAL),
        Some(_) | None => Ok(()),
    }
}

/// `KVM_ARM_FW_REGS_STRICT`.
pub(crate) const STRICT: u64 = 1;
/// `KVM_ARM_FW_REGS_NULL_PROMISE`.
pub(crate) const NULL_PROMISE: u64 = 2;
/// The flags of `KVM_CAP_ARM_FW_REGS_STRICT`.
pub(crate) const FLAGS: u64 = STRICT | NULL_PROMISE;

/// Enables `KVM_CAP_ARM_FW_REGS_STRICT` for a VM without vCPUs.
///
/// # Errors
///
/// - [`EINVAL`]: there is no such flag, or an argument besides them.
pub(crate) fn enable(vm: &Vm, args: &[u64; 4]) -> Result {
    let [flags, others @ ..] = *args;
    if flags & !FLAGS != 0 || others != [0; 3] {
        return Err(EINVAL);
    }
    if flags & STRICT != 0 {
        vm.set_flag(VmFlag::FwRegsStrict);
    }
    if flags & NULL_PROMISE != 0 {
        vm.set_flag(VmFlag::FwRegsNullPromise);
    }
    Ok(())
}
