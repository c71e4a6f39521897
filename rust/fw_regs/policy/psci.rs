// SPDX-License-Identifier: GPL-2.0

//! PSCI versions.

/// A version of the Power State Coordination Interface (DEN0022) that KVM implements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PsciVersion {
    /// 0.1, with function ids of KVM's own: for vCPUs without `KVM_ARM_VCPU_PSCI_0_2`.
    V0_1,
    /// 0.2, the first with standard function ids.
    V0_2,
    /// 1.0.
    V1_0,
    /// 1.1.
    V1_1,
    /// 1.2.
    V1_2,
    /// 1.3.
    V1_3,
}

impl PsciVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [
        Self::V0_1,
        Self::V0_2,
        Self::V1_0,
        Self::V1_1,
        Self::V1_2,
        Self::V1_3,
    ];

    /// The version that a register value tells, in the format of the `PSCI_VERSION` call.
    pub fn from_value(value: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.value() == value)
    }

    /// The register value: major version in bits 31:16, minor version in bits 15:0.
    pub const fn value(self) -> u64 {
        match self {
            Self::V0_1 => 0x0_0001,
            Self::V0_2 => 0x0_0002,
            Self::V1_0 => 0x1_0000,
            Self::V1_1 => 0x1_0001,
            Self::V1_2 => 0x1_0002,
            Self::V1_3 => 0x1_0003,
        }
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
