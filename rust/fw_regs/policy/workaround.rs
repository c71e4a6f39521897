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
/// It is its register value.
// No enum, for speed: what a VM was given is read back as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u64);

impl Level {
    /// The guest cannot call the workaround.
    pub const NOT_AVAILABLE: Self = Self(0);
    /// The guest can call the workaround, and should.
    pub const AVAILABLE: Self = Self(1);
    /// The guest can call the workaround, and need not.
    pub const NOT_REQUIRED: Self = Self(2);

    /// Every level, least first.
    pub const ALL: [Self; 3] = [Self::NOT_AVAILABLE, Self::AVAILABLE, Self::NOT_REQUIRED];

    /// The level that the value of a promise tells: one of [`Self::value`].
    #[inline]
    pub const fn from_promise(value: u64) -> Self {
        Self(value)
    }

    /// The level that a value of userspace's tells.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: it tells none.
    #[inline]
    pub const fn parse(value: u64) -> Result<Self, Reason> {
        match Self(value) {
            level @ (Self::NOT_AVAILABLE | Self::AVAILABLE | Self::NOT_REQUIRED) => Ok(level),
            _ => Err(Reason::Malformed),
        }
    }

    /// The register value.
    #[inline]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// What `SMCCC_ARCH_FEATURES` answers for the workaround.
    pub const fn discovery(self) -> i32 {
        match self {
            Self::NOT_REQUIRED => UNAFFECTED,
            Self::AVAILABLE => SUCCESS,
            _ => NOT_SUPPORTED,
        }
    }

    /// The best level that a host in this state can keep.
    pub const fn offer(state: Mitigation) -> Self {
        match state {
            Mitigation::Vulnerable => Self::NOT_AVAILABLE,
            Mitigation::Mitigated => Self::AVAILABLE,
            Mitigation::Unaffected => Self::NOT_REQUIRED,
        }
    }
}

/// What SMCCC_ARCH_WORKAROUND_2, the firmware's switch for Speculative Store Bypass Disable, does
/// for a guest.
///
/// The register has more values than KVM has states: KVM never lets a guest switch the mitigation,
/// so it either has none to offer or is one that the guest need not care about.
/// It is its register value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ssbd(u64);

impl Ssbd {
    /// The guest is not helped by firmware.
    pub const NOT_AVAILABLE: Self = Self(0);
    /// The guest is safe without doing anything.
    pub const NOT_REQUIRED: Self = Self(3);

    /// "Unknown", which is narrowed to "not available".
    pub const UNKNOWN: u64 = 1;
    /// "Available", which is narrowed to "not required".
    pub const AVAILABLE: u64 = 2;
    /// The mitigation is switched on; valid with [`Self::AVAILABLE`] only.
    pub const ENABLED: u64 = 1 << 4;

    /// The state that the value of a promise tells: one of [`Self::value`].
    #[inline]
    pub const fn from_promise(value: u64) -> Self {
        Self(value)
    }

    /// The state that a value of userspace's tells, narrowed to those that KVM has.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: it tells none.
    #[inline]
    pub const fn parse(value: u64) -> Result<Self, Reason> {
        if value > Self::NOT_REQUIRED.0 && value != Self::AVAILABLE | Self::ENABLED {
            return Err(Reason::Malformed);
        }
        // What helps the guest has the bit of "available", "not required" too.
        if value & Self::AVAILABLE == 0 {
            Ok(Self::NOT_AVAILABLE)
        } else {
            Ok(Self::NOT_REQUIRED)
        }
    }

    /// The register value.
    #[inline]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// What `SMCCC_ARCH_FEATURES` answers for the workaround.
    pub const fn discovery(self) -> i32 {
        match self {
            Self::NOT_REQUIRED => NOT_REQUIRED,
            _ => NOT_SUPPORTED,
        }
    }

    /// The best that a host in this state can keep for a VM that sees `ID_AA64PFR1_EL1.SSBS`, or
    /// does not.
    ///
    /// A guest that sees SSBS switches the mitigation by itself and gets no help from firmware. A
    /// guest from which SSBS is hidden runs with the mitigation always on.
    pub const fn offer(state: Mitigation, ssbs_visible: bool) -> Self {
        match state {
            Mitigation::Vulnerable => Self::NOT_AVAILABLE,
            Mitigation::Mitigated if ssbs_visible => Self::NOT_AVAILABLE,
            Mitigation::Mitigated | Mitigation::Unaffected => Self::NOT_REQUIRED,
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
