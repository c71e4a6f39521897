// SPDX-License-Identifier: GPL-2.0

//! Versions of PSCI.

use super::Reason;
use crate::{
    Into,
    TryFrom, //
};

/// A version of the Power State Coordination Interface (DEN0022) that KVM implements. Each is its
/// register value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TryFrom, Into)]
#[repr(u64)]
pub enum PsciVersion {
    /// 0.1, which vCPUs without the `KVM_ARM_VCPU_PSCI_0_2` feature have.
    V0_1 = 0x0_0001,
    /// 0.2.
    V0_2 = 0x0_0002,
    /// 1.0.
    V1_0 = 0x1_0000,
    /// 1.1.
    V1_1 = 0x1_0001,
    /// 1.2.
    V1_2 = 0x1_0002,
    /// 1.3.
    V1_3 = 0x1_0003,
}

impl PsciVersion {
    /// Reads a value that userspace writes.
    ///
    /// `psci_0_2` is whether the vCPUs have the `KVM_ARM_VCPU_PSCI_0_2` feature.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: the value is no version, or none that KVM implements.
    /// - [`Reason::WrongFeature`]: vCPUs with the feature do not have 0.1, and those without it
    ///   have nothing else.
    #[inline]
    pub fn parse(value: u64, psci_0_2: bool) -> Result<Self, Reason> {
        let version = Self::try_from(value).map_err(|_| Reason::Malformed)?;
        if (version == Self::V0_1) == psci_0_2 {
            return Err(Reason::WrongFeature);
        }
        Ok(version)
    }

    /// The newest version that vCPUs with or without `KVM_ARM_VCPU_PSCI_0_2` can have.
    #[inline]
    pub const fn newest(psci_0_2: bool) -> Self {
        if psci_0_2 {
            Self::V1_3
        } else {
            Self::V0_1
        }
    }
}
