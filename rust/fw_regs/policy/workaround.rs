// SPDX-License-Identifier: GPL-2.0

//! Levels of the Spectre workarounds.
//!
//! A level tells the guest which help it gets from its firmware, see "Arm SMC Calling Convention
//! Extension: Cache Speculation Vulnerabilities" (DEN0070).

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The guest cannot call the workaround.
    NotAvailable,
    /// The guest can call the workaround, and should.
    Available,
    /// The guest can call the workaround, and need not.
    NotRequired,
}

impl Level {
    /// Every level, least first.
    pub const ALL: [Self; 3] = [Self::NotAvailable, Self::Available, Self::NotRequired];

    /// The level that a register value tells.
    pub fn from_value(value: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.value() == value)
    }

    /// The register value.
    pub const fn value(self) -> u64 {
        match self {
            Self::NotAvailable => 0,
            Self::Available => 1,
            Self::NotRequired => 2,
        }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ssbd {
    /// The guest is not helped by firmware.
    NotAvailable,
    /// The guest is safe without doing anything.
    NotRequired,
}

/// The level is in bits 3:0 of SMCCC_ARCH_WORKAROUND_2.
const LEVEL_MASK: u64 = 0xf;

impl Ssbd {
    /// "Unknown", which is narrowed to "not available".
    pub const UNKNOWN: u64 = 1;
    /// "Available", which is narrowed to "not required".
    pub const AVAILABLE: u64 = 2;
    /// The mitigation is switched on; valid with [`Self::AVAILABLE`] only.
    pub const ENABLED: u64 = 1 << 4;

    /// The state that a register value tells, narrowed to those that KVM has.
    pub fn from_value(value: u64) -> Option<Self> {
        if value & !(LEVEL_MASK | Self::ENABLED) != 0 {
            return None;
        }
        let level = value & LEVEL_MASK;
        if value & Self::ENABLED != 0 && level != Self::AVAILABLE {
            return None;
        }
        if level == Self::NotAvailable.value() || level == Self::UNKNOWN {
            Some(Self::NotAvailable)
        } else if level == Self::NotRequired.value() || level == Self::AVAILABLE {
            Some(Self::NotRequired)
        } else {
            None
        }
    }

    /// The register value.
    pub const fn value(self) -> u64 {
        match self {
            Self::NotAvailable => 0,
            Self::NotRequired => 3,
        }
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
