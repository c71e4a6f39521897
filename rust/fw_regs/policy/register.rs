// SPDX-License-Identifier: GPL-2.0

//! The pseudo-registers: their ids, and what their values mean.

use super::{
    Level,
    PsciVersion,
    Reason,
    Retention,
    Ssbd,
    NOT_SUPPORTED, //
};

use crate::{
    Into,
    TryFrom, //
};

/// `KVM_REG_ARM64 | KVM_REG_SIZE_U64`: what all ids have in bits 63:32.
const U64: u64 = 0x6030_0000_0000_0000;
/// `KVM_REG_ARM_FW`.
const FW: u32 = 0x0014_0000;
/// `KVM_REG_ARM_FW_FEAT_BMAP`.
const FW_FEAT_BMAP: u32 = 0x0016_0000;
/// All of an id's lower half but the number of the register in its class.
const CLASS_MASK: u32 = 0xffff_0000;

/// A firmware pseudo-register, in the order of the UAPI. Each is the lower half of its id.
///
/// The size is in the upper half: there is no register of another size than 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFrom, Into)]
#[repr(u32)]
pub enum Register {
    /// `KVM_REG_ARM_PSCI_VERSION`: the PSCI version that the guest sees (DEN0022).
    PsciVersion = FW,
    /// `KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1`: mitigation of Spectre-v2 by firmware (DEN0028).
    Workaround1,
    /// `KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2`: mitigation of Spectre-v4 by firmware (DEN0028).
    Workaround2,
    /// `KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3`: mitigation of Spectre-BHB by firmware (DEN0028).
    Workaround3,
    /// `KVM_REG_ARM_STD_BMAP`: standard secure services, such as the TRNG (DEN0098).
    StdBmap = FW_FEAT_BMAP,
    /// `KVM_REG_ARM_STD_HYP_BMAP`: standard hypervisor services, such as stolen time (DEN0057).
    StdHypBmap,
    /// `KVM_REG_ARM_VENDOR_HYP_BMAP`: KVM's own services, function numbers 0 to 63.
    VendorHypBmap,
    /// `KVM_REG_ARM_VENDOR_HYP_BMAP_2`: KVM's own services, function numbers 64 to 127.
    VendorHypBmap2,
}

impl Register {
    /// Every register, in the order in which `KVM_GET_REG_LIST` tells them.
    pub const ALL: [Self; 8] = [
        Self::PsciVersion,
        Self::Workaround1,
        Self::Workaround2,
        Self::Workaround3,
        Self::StdBmap,
        Self::StdHypBmap,
        Self::VendorHypBmap,
        Self::VendorHypBmap2,
    ];

    /// The ids of all of them.
    pub const IDS: [u64; Self::ALL.len()] = {
        let mut ids = [0; Self::ALL.len()];
        let mut i = 0;
        while i < ids.len() {
            ids[i] = Self::ALL[i].id();
            i += 1;
        }
        ids
    };

    /// Its id in `struct kvm_one_reg`.
    #[inline]
    pub const fn id(self) -> u64 {
        U64 | self as u64
    }

    /// The name that the UAPI gives it, without the common prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PsciVersion => "PSCI_VERSION",
            Self::Workaround1 => "SMCCC_ARCH_WORKAROUND_1",
            Self::Workaround2 => "SMCCC_ARCH_WORKAROUND_2",
            Self::Workaround3 => "SMCCC_ARCH_WORKAROUND_3",
            Self::StdBmap => "STD_BMAP",
            Self::StdHypBmap => "STD_HYP_BMAP",
            Self::VendorHypBmap => "VENDOR_HYP_BMAP",
            Self::VendorHypBmap2 => "VENDOR_HYP_BMAP_2",
        }
    }

    /// Reads a value that userspace writes: returns what the VM has when it is accepted.
    ///
    /// `psci_0_2` is whether the vCPUs have the `KVM_ARM_VCPU_PSCI_0_2` feature.
    ///
    /// # Errors
    ///
    /// - [`Reason::Malformed`]: the value has no meaning in this register.
    /// - [`Reason::WrongFeature`]: no VM with these vCPUs has it.
    #[inline]
    pub fn parse(self, value: u64, psci_0_2: bool) -> Result<u64, Reason> {
        match self {
            Self::PsciVersion => PsciVersion::parse(value, psci_0_2).map(u64::from),
            Self::Workaround1 | Self::Workaround3 => Level::parse(value).map(u64::from),
            Self::Workaround2 => Ssbd::parse(value).map(u64::from),
            Self::StdBmap | Self::StdHypBmap | Self::VendorHypBmap | Self::VendorHypBmap2 => {
                Ok(value)
            }
        }
    }

    /// Whether a host that can keep `offer` can keep `value`, too.
    #[inline]
    pub fn fits(self, value: u64, offer: u64) -> bool {
        match self {
            Self::PsciVersion | Self::Workaround1 | Self::Workaround2 | Self::Workaround3 => {
                value <= offer
            }
            Self::StdBmap | Self::StdHypBmap | Self::VendorHypBmap | Self::VendorHypBmap2 => {
                value & !offer == 0
            }
        }
    }

    /// What becomes of a value that is accepted for a VM: all the difference between a strict VM
    /// and a default one.
    #[inline]
    pub const fn retention(self, is_strict: bool) -> Retention {
        match self {
            Self::PsciVersion if !is_strict => Retention::Kept,
            Self::Workaround1 | Self::Workaround2 | Self::Workaround3 if !is_strict => {
                Retention::Forgotten
            }
            Self::PsciVersion
            | Self::Workaround1
            | Self::Workaround2
            | Self::Workaround3
            | Self::StdBmap
            | Self::StdHypBmap
            | Self::VendorHypBmap
            | Self::VendorHypBmap2 => Retention::Frozen,
        }
    }

    /// What `SMCCC_ARCH_FEATURES` answers to a guest that asks for a workaround and has `promise`
    /// of it.
    #[inline]
    pub fn discovery(self, promise: u64) -> i32 {
        match self {
            Self::Workaround1 | Self::Workaround3 => {
                Level::try_from(promise).map_or(NOT_SUPPORTED, Level::discovery)
            }
            Self::Workaround2 => Ssbd::try_from(promise).map_or(NOT_SUPPORTED, Ssbd::discovery),
            Self::PsciVersion
            | Self::StdBmap
            | Self::StdHypBmap
            | Self::VendorHypBmap
            | Self::VendorHypBmap2 => NOT_SUPPORTED,
        }
    }
}

impl TryFrom<u64> for Register {
    /// The id that no register has.
    type Error = u64;

    #[inline]
    fn try_from(id: u64) -> Result<Self, u64> {
        match low(id).map(Self::try_from) {
            Some(Ok(register)) => Ok(register),
            Some(Err(_)) | None => Err(id),
        }
    }
}

impl From<Register> for u64 {
    #[inline]
    fn from(register: Register) -> Self {
        register.id()
    }
}

/// The lower half of an id whose upper half is that of all registers.
const fn low(id: u64) -> Option<u32> {
    if id >> 32 == U64 >> 32 {
        Some(id as u32)
    } else {
        None
    }
}

/// Whether `value` promises nothing in a register that this kernel does not know: a saved VM of a
/// newer kernel may hold one, and ignoring it keeps the promise.
///
/// In the class of the workarounds that is a level (bits 3:0, a signed number) of 0 (unknown) or
/// less (known to be worse) and nothing else; in the class of the bitmaps, no service at all.
pub fn promises_nothing(id: u64, value: u64) -> bool {
    match low(id).map(|id| id & CLASS_MASK) {
        Some(FW) => matches!(value, 0 | 0b1000..=0b1111),
        Some(FW_FEAT_BMAP) => value == 0,
        Some(_) | None => false,
    }
}
