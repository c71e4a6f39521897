// SPDX-License-Identifier: GPL-2.0

//! The handlers: what stands between KVM and the policy.
//!
//! Those of userspace's accesses go through the same steps: look the register up, access user
//! memory, take the lock, gather, ask the policy, store, drop the lock, trace.

use kernel::{
    kvm::{
        one_reg::OneReg,
        smccc::Workaround,
        trace::{
            FwRegSet,
            Verdict, //
        },
        Vcpu,
        Vm, //
    },
    prelude::*,
    uaccess::UserSlice, //
};

use crate::{
    policy::{
        judge,
        promises_nothing,
        Promise,
        Reason,
        Register,
        View,
        NOT_SUPPORTED, //
    },
    vm::{
        give,
        given,
        has_psci_0_2,
        offer,
        offer_ssbd,
        promise, //
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
    let mut writer = ids.writer();
    for register in Register::ALL {
        writer.write(&register.id())?;
    }
    Ok(())
}

/// Writes what the VM was promised to user memory.
///
/// # Errors
///
/// - [`ENOENT`]: there is no such register. User memory is not touched.
/// - [`EFAULT`]: the memory cannot be written.
pub(crate) fn get(vcpu: &Vcpu, reg: &OneReg) -> Result {
    let register = Register::from_id(reg.id()).ok_or(Reason::UnknownRegister)?;
    let promise = {
        // An ID register may be in the promise: both from the same moment.
        let config = vcpu.vm().lock_config();
        promise(config.vm(), register)
    };
    reg.write(promise.value())
}

/// Gives the VM what a value in user memory promises, if this host can keep it.
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
    let mut event = FwRegSet {
        vcpu_id: vcpu.id(),
        id: reg.id(),
        value: 0,
        promise: 0,
        offer: 0,
    };
    let result = accept(vcpu.vm(), reg, &mut event);
    event.trace(result.unwrap_or_else(Verdict::from));
    result?;
    Ok(())
}

/// Judges a write, and notes in `event` what the verdict depends on.
fn accept(vm: &Vm, reg: &OneReg, event: &mut FwRegSet) -> Result<Verdict, Reason> {
    if !reg.is_u64() {
        return Err(Reason::UnknownRegister);
    }
    event.value = reg.read().map_err(|_| Reason::BadAddress)?;
    let Some(register) = Register::from_id(reg.id()) else {
        return if vm.accepts_null_promises() && promises_nothing(reg.id(), event.value) {
            Ok(Verdict::NullPromise)
        } else {
            Err(Reason::UnknownRegister)
        };
    };
    let wanted = Promise::parse(register, event.value, has_psci_0_2(vm));

    let mut config = vm.lock_config();
    let view = View {
        offer: offer(vm, register),
        promise: promise(vm, register),
        frozen: config.has_run(),
    };
    event.promise = view.promise.value();
    event.offer = view.offer.value();
    let wanted = wanted?;
    judge(wanted, &view)?;
    give(&mut config, register, wanted);
    Ok(Verdict::Accepted)
}

/// What `SMCCC_ARCH_FEATURES` answers to a guest that asks for the workaround with this function
/// id.
///
/// Called without the lock: the VM runs, hence no promise changes.
pub(crate) fn discover(vcpu: &Vcpu, function: u32) -> i32 {
    Workaround::from_function(function)
        .and_then(|workaround| promise(vcpu.vm(), workaround.into()).discovery())
        .unwrap_or(NOT_SUPPORTED)
}

/// Whether the VM's promises can still be kept when `ID_AA64PFR1_EL1.SSBS` becomes visible to it,
/// or does not. Hiding it takes nothing from the offer, and neither does leaving it as it is.
///
/// # Errors
///
/// - [`EINVAL`]: the VM was promised that it need not care about Spectre-v4, and would have to.
pub(crate) fn allow_ssbs(vm: &Vm, visible: bool) -> Result {
    if !visible || vm.sees_ssbs() {
        return Ok(());
    }
    match given(vm, Register::Workaround2) {
        Some(promise) if !promise.within(offer_ssbd(visible)) => Err(EINVAL),
        _ => Ok(()),
    }
}

/// Lets the VM accept unknown registers whose values promise nothing.
///
/// # Errors
///
/// - [`EBUSY`]: the VM has run.
pub(crate) fn accept_null_promises(vm: &Vm) -> Result {
    let mut config = vm.lock_config();
    if config.has_run() {
        return Err(EBUSY);
    }
    config.accept_null_promises();
    Ok(())
}

/// The errno of a refusal. Userspace branches on it.
impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::UnknownRegister => ENOENT,
            Reason::BadAddress => EFAULT,
            Reason::Malformed | Reason::WrongFeature | Reason::ExceedsOffer => EINVAL,
            Reason::Frozen => EBUSY,
        }
    }
}

impl From<Reason> for Verdict {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::UnknownRegister => Self::UnknownRegister,
            Reason::BadAddress => Self::BadAddress,
            Reason::Malformed => Self::Malformed,
            Reason::WrongFeature => Self::WrongFeature,
            Reason::ExceedsOffer => Self::ExceedsOffer,
            Reason::Frozen => Self::Frozen,
        }
    }
}

impl From<Workaround> for Register {
    fn from(workaround: Workaround) -> Self {
        match workaround {
            Workaround::One => Self::Workaround1,
            Workaround::Two => Self::Workaround2,
            Workaround::Three => Self::Workaround3,
        }
    }
}
