// SPDX-License-Identifier: GPL-2.0

//! Levels of the Spectre workarounds.
//!
//! A level tells the guest which help it gets from its firmware, see "Arm SMC Calling Convention
//! Extension: Cache Speculation Vulnerabilities" (DEN0070).

use super::Reason;

/// `SMCCC_RET_NOT_SUPPORTED`: what the guest gets where there is nothing for it.
pub const NOT_SUPPORTED: i32 = -1;
/// `SMCCC_RET_NOT_REQUIRED`.
const NOT_REQUIRED: i32 = -2;
/// `SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED`.
const UNAFFECTED: i32 = 1;
/// `SMCCC_RET_SUCCESS`.
const SUCCESS: i32 = 0;

/// How the host stands to a speculation vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mitigation {
    /// Affected, and nothing is done about it.
    Vulnerable,
    /// Affected, and something is done about it.
    Mitigated,
    /// Not affected.
    Unaffected,
}

/// What SMCCC_ARCH_WORKAROUND_1 or SMCCC_ARCH_WORKAROUND_3 does for a guest.
///
/// Each is its register value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Every level, least first.
    pub const ALL: [Self; 3] = [Self::NotAvailable, Self::Available, Self::NotRequired];

    /// The level that a register value tells.
    #[inline]
    pub const fn from_value(value: u64) -> Option<Self> {
        Some(match value {
            0 => Self::NotAvailable,
            1 => Self::Available,
            2 => Self::NotRequired,
            _ => return None,
        })
    }

    /// The same for a value of userspace's.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: it tells none.
    #[inline]
    pub fn parse(value: u64) -> Result<Self, Reason> {
        Self::from_value(value).ok_or(Reason::Malformed)
    }

    /// The register value.
    #[inline]
    pub const fn value(self) -> u64 {
        self as u64
    }

    /// What `SMCCC_ARCH_FEATURES` answers for the workaround.
    pub const fn discovery(self) -> i32 {
        match self {
            Self::NotAvailable => NOT_SUPPORTED,
            Self::Available => SUCCESS,
            Self::NotRequired => UNAFFECTED,
        }
    }

    /// The best level that a host in this state can keep.
    pub const fn offer(state: Mitigation) -> Self {
        match state {
            Mitigation::Vulnerable => Self::NotAvailable,
            Mitigation::Mitigated => Self::Available,
            Mitigation::Unaffected => Self::NotRequired,
        }
    }
}

/// What SMCCC_ARCH_WORKAROUND_2, the firmware's switch for Speculative Store Bypass Disable, does
/// for a guest.
///
/// The register has more values than KVM has states: KVM never lets a guest switch the mitigation,
/// so it either has none to offer or is one that the guest need not care about.
/// Each is its register value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// The state that the value of a promise tells: one of [`Self::value`].
    #[inline]
    pub const fn from_promise(value: u64) -> Self {
        match value {
            3 => Self::NotRequired,
            _ => Self::NotAvailable,
        }
    }

    /// The state that a value of userspace's tells, narrowed to those that KVM has.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: it tells none.
    #[inline]
    pub const fn parse(value: u64) -> Result<Self, Reason> {
        const AVAILABLE_ENABLED: u64 = Ssbd::AVAILABLE | Ssbd::ENABLED;

        Ok(match value {
            0 | Self::UNKNOWN => Self::NotAvailable,
            3 | Self::AVAILABLE | AVAILABLE_ENABLED => Self::NotRequired,
            _ => return Err(Reason::Malformed),
        })
    }

    /// The register value.
    #[inline]
    pub const fn value(self) -> u64 {
        self as u64
    }

    /// What `SMCCC_ARCH_FEATURES` answers for the workaround.
    pub const fn discovery(self) -> i32 {
        match self {
            Self::NotAvailable => NOT_SUPPORTED,
            Self::NotRequired => NOT_REQUIRED,
        }
    }

    /// The best that a host in this state can keep for a VM that sees `ID_AA64PFR1_EL1.SSBS`, or
    /// does not.
    ///
    /// A guest that sees SSBS switches the mitigation by itself and gets no help from firmware. A
    /// guest from which SSBS is hidden runs with the mitigation always on.
    pub const fn offer(state: Mitigation, ssbs_visible: bool) -> Self {
        match state {
            Mitigation::Vulnerable => Self::NotAvailable,
            Mitigation::Mitigated if ssbs_visible => Self::NotAvailable,
            Mitigation::Mitigated | Mitigation::Unaffected => Self::NotRequired,
        }
    }
}

impl From<Level> for u64 {
    #[inline]
    fn from(level: Level) -> Self {
        level.value()
    }
}

impl From<Ssbd> for u64 {
    #[inline]
    fn from(ssbd: Ssbd) -> Self {
        ssbd.value()
    }
}
