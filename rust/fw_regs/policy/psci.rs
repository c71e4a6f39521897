// SPDX-License-Identifier: GPL-2.0

//! PSCI versions.

use super::Reason;

/// A version of the Power State Coordination Interface (DEN0022) that KVM implements.
///
/// It is its register value: major version in bits 31:16, minor version in bits 15:0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PsciVersion(u64);

impl PsciVersion {
    /// 0.1, with function ids of KVM's own: for vCPUs without `KVM_ARM_VCPU_PSCI_0_2`.
    pub const V0_1: Self = Self(0x0_0001);
    /// 0.2, the first with standard function ids.
    pub const V0_2: Self = Self(0x0_0002);
    /// 1.0.
    pub const V1_0: Self = Self(0x1_0000);
    /// 1.1.
    pub const V1_1: Self = Self(0x1_0001);
    /// 1.2.
    pub const V1_2: Self = Self(0x1_0002);
    /// 1.3.
    pub const V1_3: Self = Self(0x1_0003);

    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [
        Self::V0_1,
        Self::V0_2,
        Self::V1_0,
        Self::V1_1,
        Self::V1_2,
        Self::V1_3,
    ];

    /// The version that the value of a promise tells: one of [`Self::value`].
    #[inline]
    pub const fn from_promise(value: u64) -> Self {
        Self(value)
    }

    /// The version that a value of userspace's tells, in the format of the `PSCI_VERSION` call, for
    /// a VM whose vCPUs have the `KVM_ARM_VCPU_PSCI_0_2` feature, or do not.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: there is no such version.
    /// - [`Reason::WrongFeature`]: no VM with these vCPUs has it.
    #[inline]
    pub const fn parse(value: u64, psci_0_2: bool) -> Result<Self, Reason> {
        let version = match Self(value) {
            version @ (Self::V0_1
            | Self::V0_2
            | Self::V1_0
            | Self::V1_1
            | Self::V1_2
            | Self::V1_3) => version,
            _ => return Err(Reason::Malformed),
        };
        if version.needs_psci_0_2() != psci_0_2 {
            return Err(Reason::WrongFeature);
        }
        Ok(version)
    }

    /// The register value.
    #[inline]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Whether only vCPUs with the `KVM_ARM_VCPU_PSCI_0_2` feature have this version. Those
    /// without it have the others.
    pub const fn needs_psci_0_2(self) -> bool {
        !matches!(self, Self::V0_1)
    }

    /// The newest version that vCPUs with or without `KVM_ARM_VCPU_PSCI_0_2` can have.
    pub const fn offer(psci_0_2: bool) -> Self {
        if psci_0_2 {
            Self::V1_3
        } else {
            Self::V0_1
        }
    }
}

impl From<PsciVersion> for u64 {
    #[inline]
    fn from(version: PsciVersion) -> Self {
        version.value()
    }
}
