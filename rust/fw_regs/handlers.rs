// SPDX-License-Identifier: GPL-2.0

//! The handlers: what stands between KVM and the policy.
//!
//! A set goes through these steps: read user memory, look the register up, gather what the policy
//! needs to know, and where something would change, take the lock, gather again, ask the policy,
//! store, drop the lock; trace. A get takes no lock.

use kernel::{
    kvm::{
        one_reg::OneReg,
        smccc,
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
        Reason,
        Register,
        View,
        NOT_SUPPORTED, //
    },
    trace::{
        FwRegSet,
        Verdict, //
    },
    vm::{
        Item,
        Psci,
        Workaround,
        Workaround2, //
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
    ids.writer().write(&Register::ALL.map(Register::id))
}

/// Writes what the VM was promised to user memory.
///
/// # Errors
///
/// - [`ENOENT`]: there is no such register. User memory is not touched.
/// - [`EFAULT`]: the memory cannot be written.
pub(crate) fn get(vcpu: &Vcpu, reg: &OneReg) -> Result {
    let register = Register::from_id(reg.id()).ok_or(ENOENT)?;
    let vm = vcpu.vm();
    reg.write(match register {
        Register::PsciVersion => Psci::promise_of(vm).value(),
        Register::Workaround1 => Workaround::One.promise(vm).value(),
        Register::Workaround2 => Workaround2.promise_unlocked(vm).value(),
        Register::Workaround3 => Workaround::Three.promise(vm).value(),
        Register::Bitmap(bitmap) => bitmap.promise(vm).value(),
    })
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
    let value = read(reg);
    let mut event = FwRegSet::new(vcpu, reg, value.unwrap_or(0));
    let verdict = match value {
        Ok(value) => accept(vcpu.vm(), reg.id(), value, &mut event),
        Err(verdict) => verdict,
    };
    let result = answer(verdict);
    event.trace(verdict);
    result
}

/// Reads the value that is to be written.
#[inline]
fn read(reg: &OneReg) -> Result<u64, Verdict> {
    if !reg.is_u64() {
        return Err(Verdict::UnknownRegister);
    }
    reg.read().map_err(|_| Verdict::BadAddress)
}

/// Judges a write, and notes in `event` what the verdict depends on.
#[inline]
fn accept(vm: &Vm, id: u64, value: u64, event: &mut FwRegSet<'_>) -> Verdict {
    match Register::from_id(id) {
        Some(Register::PsciVersion) => keep(vm, Psci::of(vm), value, event),
        Some(Register::Workaround1) => keep(vm, Workaround::One, value, event),
        Some(Register::Workaround2) => keep(vm, Workaround2, value, event),
        Some(Register::Workaround3) => keep(vm, Workaround::Three, value, event),
        Some(Register::Bitmap(bitmap)) => keep(vm, bitmap, value, event),
        None if vm.accepts_null_promises() && promises_nothing(id, value) => Verdict::NullPromise,
        None => Verdict::UnknownRegister,
    }
}

/// Gives the VM what a value promises, if the policy has nothing against it.
// Inlined for speed: once compiled, the kinds of registers have little in common.
#[inline(always)]
fn keep<I: Item>(vm: &Vm, item: I, value: u64, event: &mut FwRegSet<'_>) -> Verdict {
    let wanted = match item.parse(value) {
        Ok(wanted) => wanted,
        Err(reason) => return reason.into(),
    };

    // An offer that nobody can change: all that is, once the VM has run.
    let ran = !I::HAS_FIXED_OFFER && vm.has_run();
    let fixed = (I::HAS_FIXED_OFFER || ran).then(|| item.offer(vm));
    if let Some(offer) = fixed {
        let given = item.given(vm);
        let kept = wanted <= offer;
        // Where nothing will change, no lock is needed: the VM keeps what it was given, was given
        // this already, or the host cannot keep it.
        if (ran && given.is_some()) || given == Some(wanted) || !kept {
            let view = View {
                offer,
                promise: given.unwrap_or(offer),
                frozen: ran,
            };
            event.saw_state(view.promise.into(), view.offer.into());
            return match judge(wanted, &view) {
                Ok(()) => Verdict::Accepted,
                Err(reason) => reason.into(),
            };
        }
    }

    let mut config = vm.lock_config();
    let offer = fixed.unwrap_or_else(|| item.offer(vm));
    let view = View {
        offer,
        promise: item.given(vm).unwrap_or(offer),
        frozen: config.has_run(),
    };
    event.saw_state(view.promise.into(), view.offer.into());
    if let Err(reason) = judge(wanted, &view) {
        return reason.into();
    }
    item.give(&mut config, wanted);
    Verdict::Accepted
}

/// What `SMCCC_ARCH_FEATURES` answers to a guest that asks for the workaround with this function
/// id.
///
/// Called without the lock: the VM runs, hence no promise changes.
pub(crate) fn discover(vcpu: &Vcpu, function: u32) -> i32 {
    let vm = vcpu.vm();
    match smccc::Workaround::from_function(function) {
        Some(smccc::Workaround::One) => Workaround::One.promise(vm).discovery(),
        Some(smccc::Workaround::Two) => Workaround2.promise(vm).discovery(),
        Some(smccc::Workaround::Three) => Workaround::Three.promise(vm).discovery(),
        None => NOT_SUPPORTED,
    }
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
    match Workaround2.given(vm) {
        Some(promise) if promise > Workaround2.offer_if(visible) => Err(EINVAL),
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

/// What userspace gets for each verdict. It branches on the errno.
const ANSWERS: [Result; 8] = {
    let mut answers = [Ok(()); 8];
    answers[Verdict::UnknownRegister as usize] = Err(ENOENT);
    answers[Verdict::BadAddress as usize] = Err(EFAULT);
    answers[Verdict::Malformed as usize] = Err(EINVAL);
    answers[Verdict::WrongFeature as usize] = Err(EINVAL);
    answers[Verdict::ExceedsOffer as usize] = Err(EINVAL);
    answers[Verdict::Frozen as usize] = Err(EBUSY);
    answers
};

/// What userspace gets for a verdict.
// A table, for speed: a match would be compiled into each of the ways to a verdict.
#[inline]
pub(crate) fn answer(verdict: Verdict) -> Result {
    ANSWERS[verdict as usize]
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
