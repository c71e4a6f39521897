// SPDX-License-Identifier: GPL-2.0

//! The promise of a register, whichever it is.

use core::cmp::Ordering;

use super::{
    Level,
    PsciVersion,
    Reason,
    Register,
    Services,
    Ssbd, //
};

/// A well-formed value of a pseudo-register.
///
/// Promises of one register are ordered by what they give to the guest. For bitmaps that order is
/// partial, and promises of different kinds have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// What PSCI_VERSION tells.
    Psci(PsciVersion),
    /// What SMCCC_ARCH_WORKAROUND_1 and SMCCC_ARCH_WORKAROUND_3 tell.
    Workaround(Level),
    /// What SMCCC_ARCH_WORKAROUND_2 tells.
    Ssbd(Ssbd),
    /// What the bitmaps of hypercall services tell.
    Services(Services),
}

impl Promise {
    /// Reads the promise out of a value that userspace wants `register` to have.
    ///
    /// `psci_0_2` is whether the vCPUs have the `KVM_ARM_VCPU_PSCI_0_2` feature.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: the value has no meaning in this register.
    /// - [`Reason::WrongFeature`]: no VM with these vCPUs has it.
    #[inline]
    pub fn parse(register: Register, value: u64, psci_0_2: bool) -> Result<Self, Reason> {
        Ok(match register {
            Register::PsciVersion => Self::Psci(PsciVersion::parse(value, psci_0_2)?),
            Register::Workaround1 | Register::Workaround3 => Self::Workaround(Level::parse(value)?),
            Register::Workaround2 => Self::Ssbd(Ssbd::parse(value)?),
            Register::Bitmap(_) => Self::Services(Services::from_value(value)),
        })
    }

    /// Whether a host that can keep `offer` can keep this promise too.
    #[inline]
    pub fn within(self, offer: Self) -> bool {
        self <= offer
    }

    /// What `SMCCC_ARCH_FEATURES` answers to a guest that asks for a workaround: the result of the
    /// call, or `None` where the promise is not about a workaround.
    #[inline]
    pub const fn discovery(self) -> Option<i32> {
        match self {
            Self::Workaround(level) => Some(level.discovery()),
            Self::Ssbd(ssbd) => Some(ssbd.discovery()),
            Self::Psci(_) | Self::Services(_) => None,
        }
    }

    /// The value that userspace reads from the register.
    #[inline]
    pub const fn value(self) -> u64 {
        match self {
            Self::Psci(version) => version.value(),
            Self::Workaround(level) => level.value(),
            Self::Ssbd(ssbd) => ssbd.value(),
            Self::Services(services) => services.value(),
        }
    }
}

impl PartialOrd for Promise {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Psci(a), Self::Psci(b)) => a.partial_cmp(b),
            (Self::Workaround(a), Self::Workaround(b)) => a.partial_cmp(b),
            (Self::Ssbd(a), Self::Ssbd(b)) => a.partial_cmp(b),
            (Self::Services(a), Self::Services(b)) => a.partial_cmp(b),
            (Self::Psci(_) | Self::Workaround(_) | Self::Ssbd(_) | Self::Services(_), _) => None,
        }
    }
}
