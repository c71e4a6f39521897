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
    PsciVersion,
    Reason,
    Services,
    Ssbd, //
};

/// A pseudo-register of a VM.
///
/// Each kind has a type of its own, so that what is done with a register is compiled for it, and
/// what register it is, is asked once.
pub(crate) trait Item: Copy {
    /// What its values promise.
    type Promise: Copy + PartialOrd + Into<u64>;

    /// Whether nothing that userspace can write to the VM changes the offer. Otherwise it stays
    /// what it is while `config_lock` is held, or once the VM has run.
    const HAS_FIXED_OFFER: bool = true;

    /// What a value of userspace's promises.
    fn parse(self, value: u64) -> Result<Self::Promise, Reason>;

    /// The best that this host can keep for the VM.
    fn offer(self, vm: &Vm) -> Self::Promise;

    /// What the VM was given: a single word, so that it can be read without the lock.
    fn given(self, vm: &Vm) -> Option<Self::Promise>;

    /// Gives the VM an accepted promise.
    fn give(self, config: &mut VmConfig<'_>, promise: Self::Promise);

    /// What the VM has now: what it was given, or else the offer.
    #[inline]
    fn promise(self, vm: &Vm) -> Self::Promise {
        self.given(vm).unwrap_or_else(|| self.offer(vm))
    }
}

/// PSCI_VERSION.
#[derive(Clone, Copy)]
pub(crate) struct Psci {
    /// Whether the vCPUs have PSCI 0.2 or newer.
    is_0_2: bool,
}

impl Psci {
    #[inline]
    pub(crate) fn of(vm: &Vm) -> Self {
        Self {
            is_0_2: vm.has_feature(VcpuFeature::Psci0_2),
        }
    }

    /// What the VM has now. Looks at the vCPUs' features only where nothing was given.
    #[inline]
    pub(crate) fn promise_of(vm: &Vm) -> PsciVersion {
        match vm.psci_version() {
            Some(version) => PsciVersion::from_promise(version.into()),
            None => Self::of(vm).offer(vm),
        }
    }
}

impl Item for Psci {
    type Promise = PsciVersion;

    #[inline]
    fn parse(self, value: u64) -> Result<PsciVersion, Reason> {
        PsciVersion::parse(value, self.is_0_2)
    }

    #[inline]
    fn offer(self, _vm: &Vm) -> PsciVersion {
        PsciVersion::offer(self.is_0_2)
    }

    #[inline]
    fn given(self, vm: &Vm) -> Option<PsciVersion> {
        let value = vm.psci_version()?;
        Some(PsciVersion::from_promise(value.into()))
    }

    #[inline]
    fn give(self, config: &mut VmConfig<'_>, version: PsciVersion) {
        config.set_psci_version(version.value() as u32);
    }
}

/// SMCCC_ARCH_WORKAROUND_1 and SMCCC_ARCH_WORKAROUND_3.
#[derive(Clone, Copy)]
pub(crate) enum Workaround {
    One,
    Three,
}

impl Workaround {
    #[inline]
    const fn number(self) -> smccc::Workaround {
        match self {
            Self::One => smccc::Workaround::One,
            Self::Three => smccc::Workaround::Three,
        }
    }
}

impl Item for Workaround {
    type Promise = Level;

    #[inline]
    fn parse(self, value: u64) -> Result<Level, Reason> {
        Level::parse(value)
    }

    #[inline]
    fn offer(self, _vm: &Vm) -> Level {
        Level::offer(match self {
            Self::One => spectre::v2().into(),
            Self::Three => spectre::bhb().into(),
        })
    }

    #[inline]
    fn given(self, vm: &Vm) -> Option<Level> {
        let value = vm.workaround(self.number())?;
        Some(Level::from_promise(value.into()))
    }

    #[inline]
    fn give(self, config: &mut VmConfig<'_>, level: Level) {
        config.set_workaround(self.number(), level.value() as u8);
    }
}

/// SMCCC_ARCH_WORKAROUND_2.
#[derive(Clone, Copy)]
pub(crate) struct Workaround2;

impl Workaround2 {
    /// What the VM has now, for whoever does not hold `config_lock` while the VM may be written to:
    /// an ID register on which the offer depends can be written after something was given.
    #[inline]
    pub(crate) fn promise_unlocked(self, vm: &Vm) -> Ssbd {
        self.given(vm).unwrap_or_else(|| {
            let offer = self.offer_if(vm.sees_ssbs_acquire());
            self.given(vm).unwrap_or(offer)
        })
    }

    /// The offer to a VM that sees SSBS, or does not.
    #[inline]
    pub(crate) fn offer_if(self, sees_ssbs: bool) -> Ssbd {
        Ssbd::offer(spectre::v4().into(), sees_ssbs)
    }
}

impl Item for Workaround2 {
    type Promise = Ssbd;

    // It depends on an ID register.
    const HAS_FIXED_OFFER: bool = false;

    #[inline]
    fn parse(self, value: u64) -> Result<Ssbd, Reason> {
        Ssbd::parse(value)
    }

    // Inlined for speed: it is small, and a call has to save what the caller has in registers.
    #[inline(always)]
    fn offer(self, vm: &Vm) -> Ssbd {
        self.offer_if(vm.sees_ssbs())
    }

    #[inline]
    fn given(self, vm: &Vm) -> Option<Ssbd> {
        let value = vm.workaround(smccc::Workaround::Two)?;
        Some(Ssbd::from_promise(value.into()))
    }

    #[inline]
    fn give(self, config: &mut VmConfig<'_>, ssbd: Ssbd) {
        config.set_workaround(smccc::Workaround::Two, ssbd.value() as u8);
    }
}

impl Item for Bitmap {
    type Promise = Services;

    #[inline]
    fn parse(self, value: u64) -> Result<Services, Reason> {
        Ok(Services::from_value(value))
    }

    #[inline]
    fn offer(self, _vm: &Vm) -> Services {
        Services::from_value(smccc::Services::from(self).implemented())
    }

    #[inline]
    fn given(self, vm: &Vm) -> Option<Services> {
        Some(Services::from_value(vm.services(self.into())))
    }

    #[inline]
    fn give(self, config: &mut VmConfig<'_>, services: Services) {
        config.set_services(self.into(), services.value());
    }
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
