// SPDX-License-Identifier: GPL-2.0

//! The handlers: what stands between KVM's view of a VM and the policy.
//!
//! Each goes through the same steps: look the register up, access user memory, take the lock,
//! gather, ask the policy, store, drop the lock.

use kernel::{
    kvm::{
        one_reg::OneReg,
        spectre,
        SmcccServices,
        Vcpu,
        VcpuFeature,
        Vm,
        VmConfig, //
    },
    prelude::*,
    uaccess::UserSlice, //
};

use crate::policy::{
    judge,
    Bitmap,
    Level,
    Mitigation,
    Promise,
    PsciVersion,
    Reason,
    Register,
    Services,
    Ssbd,
    View, //
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
    let promise = promise(&vcpu.vm().lock_config(), register);
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
    accept(vcpu.vm(), reg)?;
    Ok(())
}

fn accept(vm: &Vm, reg: &OneReg) -> Result<(), Reason> {
    if !reg.is_u64() {
        return Err(Reason::UnknownRegister);
    }
    let value = reg.read().map_err(|_| Reason::BadAddress)?;
    let register = Register::from_id(reg.id()).ok_or(Reason::UnknownRegister)?;
    let wanted = Promise::parse(register, value, has_psci_0_2(vm))?;

    let mut config = vm.lock_config();
    let view = View {
        offer: offer(&config, register),
        promise: promise(&config, register),
        frozen: register.freezes() && config.has_run(),
    };
    judge(wanted, &view)?;
    store(&mut config, register, wanted);
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

/// The best that this host can keep for the VM.
fn offer(config: &VmConfig<'_>, register: Register) -> Promise {
    match register {
        Register::PsciVersion => Promise::Psci(PsciVersion::offer(has_psci_0_2(config.vm()))),
        Register::Workaround1 => Promise::Workaround(Level::offer(spectre::v2().into())),
        Register::Workaround2 => {
            Promise::Ssbd(Ssbd::offer(spectre::v4().into(), config.sees_ssbs()))
        }
        Register::Workaround3 => Promise::Workaround(Level::offer(spectre::bhb().into())),
        Register::Bitmap(bitmap) => services(SmcccServices::from(bitmap).implemented()),
    }
}

/// What the VM has now: what it was given, or else the offer.
fn promise(config: &VmConfig<'_>, register: Register) -> Promise {
    stored(config, register).unwrap_or_else(|| offer(config, register))
}

/// What the VM was given.
fn stored(config: &VmConfig<'_>, register: Register) -> Option<Promise> {
    match register {
        Register::PsciVersion => {
            PsciVersion::from_value(config.psci_version().into()).map(Promise::Psci)
        }
        // Shown as the host has them.
        Register::Workaround1 | Register::Workaround2 | Register::Workaround3 => None,
        Register::Bitmap(bitmap) => Some(services(config.services(bitmap.into()))),
    }
}

/// Gives the VM an accepted promise.
fn store(config: &mut VmConfig<'_>, register: Register, promise: Promise) {
    match register {
        Register::PsciVersion => config.set_psci_version(promise.value() as u32),
        // Shown as the host has them.
        Register::Workaround1 | Register::Workaround2 | Register::Workaround3 => {}
        Register::Bitmap(bitmap) => config.set_services(bitmap.into(), promise.value()),
    }
}

fn services(value: u64) -> Promise {
    Promise::Services(Services::from_value(value))
}

fn has_psci_0_2(vm: &Vm) -> bool {
    vm.has_feature(VcpuFeature::Psci0_2)
}

impl From<Bitmap> for SmcccServices {
    fn from(bitmap: Bitmap) -> Self {
        match bitmap {
            Bitmap::Std => Self::Std,
            Bitmap::StdHyp => Self::StdHyp,
            Bitmap::VendorHyp => Self::VendorHyp,
            Bitmap::VendorHyp2 => Self::VendorHyp2,
        }
    }
}

impl From<spectre::State> for Mitigation {
    fn from(state: spectre::State) -> Self {
        match state {
            spectre::State::Unaffected => Self::Unaffected,
            spectre::State::Mitigated => Self::Mitigated,
            spectre::State::Vulnerable => Self::Vulnerable,
        }
    }
}
