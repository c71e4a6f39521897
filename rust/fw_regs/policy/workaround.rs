// SPDX-License-Identifier: GPL-2.0

//! Levels of the Spectre workarounds.
//!
//! A level tells the guest which help it gets from its firmware, see "SMC Calling Convention"
//! (DEN0028), of which "Firmware interfaces for mitigating cache speculation vulnerabilities"
//! (DEN0070) has become a part.

use super::Reason;
use crate::{
    Into,
    TryFrom, //
};

/// `SMCCC_RET_NOT_SUPPORTED`: what the guest gets where there is nothing for it.
pub const NOT_SUPPORTED: i32 = -1;
/// `SMCCC_RET_NOT_REQUIRED`.
const NOT_REQUIRED: i32 = -2;
/// `SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED`.
const UNAFFECTED: i32 = 1;
/// `SMCCC_RET_SUCCESS`.
const SUCCESS: i32 = 0;

/// What SMCCC_ARCH_WORKAROUND_1 or SMCCC_ARCH_WORKAROUND_3 does for a guest. Each is its register
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TryFrom, Into)]
#[repr(u64)]
pub enum Level {
    /// The guest cannot call the workaround.
    NotAvailable = 0,
    /// The guest can call the workaround, and should.
    Available = 1,
    /// The guest can call the workaround, and need not.
    NotRequired = 2,
}

impl Level {
    /// Reads a value that userspace writes.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: the value is no level.
    #[inline]
    pub fn parse(value: u64) -> Result<Self, Reason> {
        Self::try_from(value).map_err(|_| Reason::Malformed)
    }

    /// What `SMCCC_ARCH_FEATURES` answers for the workaround.
    #[inline]
    pub const fn discovery(self) -> i32 {
        match self {
            Self::NotAvailable => NOT_SUPPORTED,
            Self::Available => SUCCESS,
            Self::NotRequired => UNAFFECTED,
        }
    }
}

/// What SMCCC_ARCH_WORKAROUND_2, the firmware's switch for Speculative Store Bypass Disable, does
/// for a guest. Each is its register value.
///
/// The register has more values than KVM has states: KVM never lets a guest switch the mitigation,
/// so it either has none to offer or is one that the guest need not care about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TryFrom, Into)]
#[repr(u64)]
pub enum Ssbd {
    /// The guest is not helped by firmware.
    NotAvailable = 0,
    /// The guest is safe without doing anything.
    NotRequired = 3,
}

impl Ssbd {
    /// "Unknown", which is narrowed to "not available".
    pub const UNKNOWN: u64 = 1;
    /// "Available", which is narrowed to "not required".
    pub const AVAILABLE: u64 = 2;
    /// The mitigation is switched on; valid with [`Self::AVAILABLE`] only.
    pub const ENABLED: u64 = 1 << 4;
    const AVAILABLE_ENABLED: u64 = Self::AVAILABLE | Self::ENABLED;

    /// Reads a value that userspace writes, and narrows it to the states that KVM has.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: the register has no such value.
    #[inline]
    pub fn parse(value: u64) -> Result<Self, Reason> {
        match value {
            Self::UNKNOWN => Ok(Self::NotAvailable),
            Self::AVAILABLE | Self::AVAILABLE_ENABLED => Ok(Self::NotRequired),
            _ => Self::try_from(value).map_err(|_| Reason::Malformed),
        }
    }

    /// What `SMCCC_ARCH_FEATURES` answers for the workaround.
    #[inline]
    pub const fn discovery(self) -> i32 {
        match self {
            Self::NotAvailable => NOT_SUPPORTED,
            Self::NotRequired => NOT_REQUIRED,
        }
    }
}
