// SPDX-License-Identifier: GPL-2.0

//! The registers of a VM: what this host offers, and what was stored.

use kernel::kvm::{
    smccc::{
        Services,
        Workaround, //
    },
    spectre::{
        self,
        State, //
    },
    VcpuFeature,
    Vm,
    Word, //
};

use crate::policy::{
    Level,
    PsciVersion,
    Register,
    Ssbd, //
};

/// A register of a VM.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The best value that this host can keep for the VM now.
    pub(crate) offer: u64,
    /// What userspace has set, as far as it was stored.
    pub(crate) stored: Word<'a>,
}

impl Entry<'_> {
    /// The value that the VM has: what was stored last or, where nothing was stored, the offer.
    #[inline]
    pub(crate) fn promise(&self) -> u64 {
        self.stored.load().unwrap_or(self.offer)
    }
}

/// Looks a register of a VM up.
///
/// The offer of WORKAROUND_2 depends on an ID register of the VM, and so what it has on two words:
/// they are those of one moment while `config_lock` is held, or once the VM has run.
#[inline]
pub(crate) fn entry(vm: &Vm, register: Register) -> Entry<'_> {
    let services = |which: Services| (which.implemented(), vm.services(which));
    let (offer, stored) = match register {
        Register::PsciVersion => {
            let version = PsciVersion::newest(vm.has_feature(VcpuFeature::Psci0_2));
            (version.into(), vm.psci_version())
        }
        Register::Workaround1 => (level(spectre::v2()).into(), vm.workaround(Workaround::One)),
        Register::Workaround2 => (ssbd(vm.sees_ssbs()).into(), vm.workaround(Workaround::Two)),
        Register::Workaround3 => (
            level(spectre::bhb()).into(),
            vm.workaround(Workaround::Three),
        ),
        Register::StdBmap => services(Services::Std),
        Register::StdHypBmap => services(Services::StdHyp),
        Register::VendorHypBmap => services(Services::VendorHyp),
        Register::VendorHypBmap2 => services(Services::VendorHyp2),
    };
    Entry { offer, stored }
}

/// The value that a register of a VM has, see [`entry`].
#[inline(never)]
pub(crate) fn promise(vm: &Vm, register: Register) -> u64 {
    entry(vm, register).promise()
}

/// What a host in this state offers of the workaround for a vulnerability.
#[inline]
fn level(state: State) -> Level {
    match state {
        State::Vulnerable => Level::NotAvailable,
        State::Mitigated => Level::Available,
        State::Unaffected => Level::NotRequired,
    }
}

/// What this host offers of SMCCC_ARCH_WORKAROUND_2 to a VM that sees `ID_AA64PFR1_EL1.SSBS`, or
/// does not.
///
/// A guest that sees SSBS switches the mitigation by itself and gets no help from firmware. A guest
/// from which SSBS is hidden runs with the mitigation always on.
#[inline]
pub(crate) fn ssbd(sees_ssbs: bool) -> Ssbd {
    match spectre::v4() {
        State::Vulnerable => Ssbd::NotAvailable,
        State::Mitigated if sees_ssbs => Ssbd::NotAvailable,
        State::Mitigated | State::Unaffected => Ssbd::NotRequired,
    }
}
