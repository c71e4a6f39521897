// SPDX-License-Identifier: GPL-2.0

//! A VM as the policy sees it: its offers, its promises, and where they are stored.

use kernel::kvm::{
    smccc,
    spectre,
    VcpuFeature,
    Vm,
    VmConfig, //
};

use crate::policy::{
    Bitmap,
    Level,
    Mitigation,
    Promise,
    PsciVersion,
    Register,
    Services,
    Ssbd, //
};

/// Whether the vCPUs have PSCI 0.2 or newer.
pub(crate) fn has_psci_0_2(vm: &Vm) -> bool {
    vm.has_feature(VcpuFeature::Psci0_2)
}

/// The best that this host can keep for the VM.
///
/// That of [`Register::Workaround2`] depends on an ID register of the VM. It stays what it is while
/// `config_lock` is held, or once the VM has run.
pub(crate) fn offer(vm: &Vm, register: Register) -> Promise {
    match register {
        Register::PsciVersion => Promise::Psci(PsciVersion::offer(has_psci_0_2(vm))),
        Register::Workaround1 => Promise::Workaround(Level::offer(spectre::v2().into())),
        Register::Workaround2 => offer_ssbd(vm.sees_ssbs()),
        Register::Workaround3 => Promise::Workaround(Level::offer(spectre::bhb().into())),
        Register::Bitmap(bitmap) => services(smccc::Services::from(bitmap).implemented()),
    }
}

/// What [`offer`] says of [`Register::Workaround2`] for a VM that sees SSBS, or does not.
pub(crate) fn offer_ssbd(sees_ssbs: bool) -> Promise {
    Promise::Ssbd(Ssbd::offer(spectre::v4().into(), sees_ssbs))
}

/// What the VM has now: what it was given, or else the offer.
pub(crate) fn promise(vm: &Vm, register: Register) -> Promise {
    given(vm, register).unwrap_or_else(|| offer(vm, register))
}

/// What the VM was given.
///
/// Each promise is a single word, so that it can be read without the lock.
pub(crate) fn given(vm: &Vm, register: Register) -> Option<Promise> {
    match register {
        Register::PsciVersion => {
            PsciVersion::from_value(vm.psci_version().into()).map(Promise::Psci)
        }
        Register::Workaround1 => level(vm, smccc::Workaround::One),
        Register::Workaround2 => vm
            .workaround(smccc::Workaround::Two)
            .and_then(|value| Ssbd::from_value(value.into()))
            .map(Promise::Ssbd),
        Register::Workaround3 => level(vm, smccc::Workaround::Three),
        Register::Bitmap(bitmap) => Some(services(vm.services(bitmap.into()))),
    }
}

/// Gives the VM an accepted promise.
pub(crate) fn give(config: &mut VmConfig<'_>, register: Register, promise: Promise) {
    let value = promise.value();
    match register {
        Register::PsciVersion => config.set_psci_version(value as u32),
        Register::Workaround1 => config.set_workaround(smccc::Workaround::One, value as u8),
        Register::Workaround2 => config.set_workaround(smccc::Workaround::Two, value as u8),
        Register::Workaround3 => config.set_workaround(smccc::Workaround::Three, value as u8),
        Register::Bitmap(bitmap) => config.set_services(bitmap.into(), value),
    }
}

fn level(vm: &Vm, which: smccc::Workaround) -> Option<Promise> {
    vm.workaround(which)
        .and_then(|value| Level::from_value(value.into()))
        .map(Promise::Workaround)
}

fn services(value: u64) -> Promise {
    Promise::Services(Services::from_value(value))
}

impl From<Bitmap> for smccc::Services {
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
