// SPDX-License-Identifier: GPL-2.0

//! The pseudo-registers and their ids.

/// A firmware pseudo-register, in the order of the UAPI.
// With a tag beside the bitmap's, instead of one in its unused values, a match needs no arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Register {
    /// `KVM_REG_ARM_PSCI_VERSION`: the PSCI version that the guest sees (DEN0022).
    PsciVersion,
    /// `KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1`: mitigation of Spectre-v2 by firmware (DEN0070).
    Workaround1,
    /// `KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2`: mitigation of Spectre-v4 by firmware (DEN0070).
    Workaround2,
    /// `KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3`: mitigation of Spectre-BHB by firmware (DEN0070).
    Workaround3,
    /// A bitmap of hypercall services.
    Bitmap(Bitmap),
}

/// A pseudo-register whose bits are hypercall services.
///
/// Each is its number in the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bitmap {
    /// `KVM_REG_ARM_STD_BMAP`: standard secure services, such as the TRNG (DEN0098).
    Std,
    /// `KVM_REG_ARM_STD_HYP_BMAP`: standard hypervisor services, such as stolen time (DEN0057).
    StdHyp,
    /// `KVM_REG_ARM_VENDOR_HYP_BMAP`: KVM's own services, function numbers 0 to 63.
    VendorHyp,
    /// `KVM_REG_ARM_VENDOR_HYP_BMAP_2`: KVM's own services, function numbers 64 to 127.
    VendorHyp2,
}

/// `KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_FW`.
pub(super) const FW: u64 = 0x6030_0000_0014_0000;
/// `KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_FW_FEAT_BMAP`.
pub(super) const FW_FEAT_BMAP: u64 = 0x6030_0000_0016_0000;
/// All of an id but the number of the register in its class.
pub(super) const CLASS_MASK: u64 = 0xffff_ffff_ffff_0000;

/// No class has a register with a number as large as this, which is a power of two.
// As small as can be, for speed: then the rest of an id tells whether there is such a register.
const CLASS_SIZE: u64 = 4;

impl Register {
    /// Every register, in the order in which `KVM_GET_REG_LIST` tells them.
    pub const ALL: [Self; 8] = [
        Self::PsciVersion,
        Self::Workaround1,
        Self::Workaround2,
        Self::Workaround3,
        Self::Bitmap(Bitmap::Std),
        Self::Bitmap(Bitmap::StdHyp),
        Self::Bitmap(Bitmap::VendorHyp),
        Self::Bitmap(Bitmap::VendorHyp2),
    ];

    /// The register with this id.
    ///
    /// The size is a part of the id: there is no register of another size than 8 bytes.
    #[inline]
    pub const fn from_id(id: u64) -> Option<Self> {
        // The number in its class.
        let number = id % CLASS_SIZE;
        Some(match (id - number, number) {
            (FW, 0) => Self::PsciVersion,
            (FW, 1) => Self::Workaround1,
            (FW, 2) => Self::Workaround2,
            (FW, 3) => Self::Workaround3,
            (FW_FEAT_BMAP, 0) => Self::Bitmap(Bitmap::Std),
            (FW_FEAT_BMAP, 1) => Self::Bitmap(Bitmap::StdHyp),
            (FW_FEAT_BMAP, 2) => Self::Bitmap(Bitmap::VendorHyp),
            (FW_FEAT_BMAP, 3) => Self::Bitmap(Bitmap::VendorHyp2),
            _ => return None,
        })
    }

    /// The id by which userspace names the register.
    #[inline]
    pub const fn id(self) -> u64 {
        match self {
            Self::PsciVersion => FW,
            Self::Workaround1 => FW | 1,
            Self::Workaround2 => FW | 2,
            Self::Workaround3 => FW | 3,
            Self::Bitmap(bitmap) => FW_FEAT_BMAP | bitmap as u64,
        }
    }

    /// The name that the UAPI gives it, without the common prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PsciVersion => "PSCI_VERSION",
            Self::Workaround1 => "SMCCC_ARCH_WORKAROUND_1",
            Self::Workaround2 => "SMCCC_ARCH_WORKAROUND_2",
            Self::Workaround3 => "SMCCC_ARCH_WORKAROUND_3",
            Self::Bitmap(Bitmap::Std) => "STD_BMAP",
            Self::Bitmap(Bitmap::StdHyp) => "STD_HYP_BMAP",
            Self::Bitmap(Bitmap::VendorHyp) => "VENDOR_HYP_BMAP",
            Self::Bitmap(Bitmap::VendorHyp2) => "VENDOR_HYP_BMAP_2",
        }
    }
}
