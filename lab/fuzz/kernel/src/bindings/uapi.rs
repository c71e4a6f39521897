// SPDX-License-Identifier: GPL-2.0

//! Constants. The component compares those of the UAPI with its own at compile time.

pub const KVM_REG_ARM64: u64 = 0x6000_0000_0000_0000;
pub const KVM_REG_SIZE_MASK: u64 = 0x00f0_0000_0000_0000;
pub const KVM_REG_SIZE_U64: u64 = 0x0030_0000_0000_0000;
pub const KVM_ARM_VCPU_PSCI_0_2: u32 = 2;
pub const KVM_ARM_FW_REGS_STRICT: u32 = 1;
pub const KVM_ARM_FW_REGS_NULL_PROMISE: u32 = 2;

// Flags of a VM, which only the kernel sees.
pub const KVM_ARCH_FLAG_HAS_RAN_ONCE: u32 = 2;
pub const KVM_ARCH_FLAG_FW_REGS_STRICT: u32 = 12;
pub const KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE: u32 = 13;

pub const KVM_REG_ARM_PSCI_VERSION: u64 = 0x6030_0000_0014_0000;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1: u64 = 0x6030_0000_0014_0001;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2: u64 = 0x6030_0000_0014_0002;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3: u64 = 0x6030_0000_0014_0003;
pub const KVM_REG_ARM_STD_BMAP: u64 = 0x6030_0000_0016_0000;
pub const KVM_REG_ARM_STD_HYP_BMAP: u64 = 0x6030_0000_0016_0001;
pub const KVM_REG_ARM_VENDOR_HYP_BMAP: u64 = 0x6030_0000_0016_0002;
pub const KVM_REG_ARM_VENDOR_HYP_BMAP_2: u64 = 0x6030_0000_0016_0003;

pub const KVM_ARM_PSCI_0_1: u64 = 0x0_0001;
pub const KVM_ARM_PSCI_0_2: u64 = 0x0_0002;
pub const KVM_ARM_PSCI_1_0: u64 = 0x1_0000;
pub const KVM_ARM_PSCI_1_1: u64 = 0x1_0001;
pub const KVM_ARM_PSCI_1_2: u64 = 0x1_0002;
pub const KVM_ARM_PSCI_1_3: u64 = 0x1_0003;
pub const KVM_ARM_PSCI_LATEST: u64 = KVM_ARM_PSCI_1_3;

pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_AVAIL: u32 = 0;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_AVAIL: u32 = 1;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED: u32 = 2;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL: u32 = 0;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN: u32 = 1;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL: u32 = 2;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED: u32 = 3;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED: u32 = 1 << 4;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_AVAIL: u32 = 0;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_AVAIL: u32 = 1;
pub const KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_REQUIRED: u32 = 2;

pub const ARM_SMCCC_ARCH_WORKAROUND_1: u32 = 0x8000_8000;
pub const ARM_SMCCC_ARCH_WORKAROUND_2: u32 = 0x8000_7fff;
pub const ARM_SMCCC_ARCH_WORKAROUND_3: u32 = 0x8000_3fff;
pub const SMCCC_RET_SUCCESS: i32 = 0;
pub const SMCCC_RET_NOT_SUPPORTED: i32 = -1;
pub const SMCCC_RET_NOT_REQUIRED: i32 = -2;
pub const SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED: i32 = 1;

// The services of a KVM that has other ones in each register, so that a mix-up is seen.
pub const KVM_ARM_SMCCC_STD_FEATURES: u64 = 0b0001;
pub const KVM_ARM_SMCCC_STD_HYP_FEATURES: u64 = 0b0101;
pub const KVM_ARM_SMCCC_VENDOR_HYP_FEATURES: u64 = 0b0011;
pub const KVM_ARM_SMCCC_VENDOR_HYP_FEATURES_2: u64 = 0b0111;

pub type kvm_arm_fw_reg_verdict = u32;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_ACCEPTED: u32 = 0;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_UNKNOWN_REGISTER: u32 = 1;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_BAD_ADDRESS: u32 = 2;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_MALFORMED: u32 = 3;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_WRONG_FEATURE: u32 = 4;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_EXCEEDS_OFFER: u32 = 5;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_FROZEN: u32 = 6;
pub const kvm_arm_fw_reg_verdict_KVM_ARM_FW_REG_NULL_PROMISE: u32 = 7;
