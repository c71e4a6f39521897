// SPDX-License-Identifier: GPL-2.0
/*
 * What the proof has to know of a kernel's build: where the words of a VM are,
 * and the numbers of the UAPI. Compiled by Kbuild with a kernel's own
 * configuration; lab/prove/fwprove/layout.py reads the symbols of the object.
 */

#include <linux/kvm_host.h>

#include <kvm/arm_hypercalls.h>
#include <kvm/arm_psci.h>

#include <asm/cpucaps.h>

#include <../arch/arm64/kvm/fw_regs/trace.h>

#define NUMBER(name, value) \
	extern const u64 number_##name; \
	const u64 number_##name = (value)

#define FIELD(name, type, member) \
	NUMBER(offset_##name, offsetof(type, member)); \
	NUMBER(size_##name, sizeof_field(type, member))

#define VM_FIELD(name, member) FIELD(name, struct kvm, arch.member)

/* Not through NUMBER(), which would get the macro's value for its name. */
#define SAME(macro) \
	extern const u64 number_##macro; \
	const u64 number_##macro = macro

NUMBER(size_vm, sizeof(struct kvm));
NUMBER(size_vcpu, sizeof(struct kvm_vcpu));
NUMBER(size_one_reg, sizeof(struct kvm_one_reg));
NUMBER(size_task, sizeof(struct task_struct));
NUMBER(size_args, sizeof_field(struct kvm_enable_cap, args));

FIELD(vcpu_kvm, struct kvm_vcpu, kvm);
FIELD(vcpu_id, struct kvm_vcpu, vcpu_id);
FIELD(reg_id, struct kvm_one_reg, id);
FIELD(reg_addr, struct kvm_one_reg, addr);

FIELD(thread_flags, struct task_struct, thread_info.flags);
FIELD(task_flags, struct task_struct, flags);

VM_FIELD(config_lock, config_lock);
VM_FIELD(flags, flags);
VM_FIELD(vcpu_features, vcpu_features);
VM_FIELD(psci_version, psci_version);
#ifdef CONFIG_KVM_ARM_FW_REGS_RUST
VM_FIELD(workaround_1, smccc_feat.workaround[0]);
VM_FIELD(workaround_2, smccc_feat.workaround[1]);
VM_FIELD(workaround_3, smccc_feat.workaround[2]);
#endif
VM_FIELD(std_bmap, smccc_feat.std_bmap);
VM_FIELD(std_hyp_bmap, smccc_feat.std_hyp_bmap);
VM_FIELD(vendor_hyp_bmap, smccc_feat.vendor_hyp_bmap);
VM_FIELD(vendor_hyp_bmap_2, smccc_feat.vendor_hyp_bmap_2);
VM_FIELD(id_aa64pfr1_el1, id_regs[IDREG_IDX(SYS_ID_AA64PFR1_EL1)]);
VM_FIELD(is_protected, pkvm.is_protected);

NUMBER(ssbs_shift, ID_AA64PFR1_EL1_SSBS_SHIFT);
NUMBER(ssbs_width, ID_AA64PFR1_EL1_SSBS_WIDTH);
NUMBER(has_ran_bit, KVM_ARCH_FLAG_HAS_RAN_ONCE);
NUMBER(psci_0_2_bit, KVM_ARM_VCPU_PSCI_0_2);
NUMBER(user_limit, TASK_SIZE_MAX);
NUMBER(has_tags, IS_ENABLED(CONFIG_ARM64_TAGGED_ADDR_ABI));
NUMBER(tagged_bit, TIF_TAGGED_ADDR);
NUMBER(kthread, PF_KTHREAD);
NUMBER(reg_size_mask, KVM_REG_SIZE_MASK);
NUMBER(reg_size_u64, KVM_REG_SIZE_U64);

NUMBER(cap_booted, ARM64_ALWAYS_SYSTEM);
NUMBER(cap_lse, ARM64_HAS_LSE_ATOMICS);
NUMBER(cap_protected, ARM64_KVM_PROTECTED_MODE);

NUMBER(verdict_0, KVM_ARM_FW_REG_ACCEPTED);
NUMBER(verdict_1, KVM_ARM_FW_REG_UNKNOWN_REGISTER);
NUMBER(verdict_2, KVM_ARM_FW_REG_BAD_ADDRESS);
NUMBER(verdict_3, KVM_ARM_FW_REG_MALFORMED);
NUMBER(verdict_4, KVM_ARM_FW_REG_WRONG_FEATURE);
NUMBER(verdict_5, KVM_ARM_FW_REG_EXCEEDS_OFFER);
NUMBER(verdict_6, KVM_ARM_FW_REG_FROZEN);
NUMBER(verdict_7, KVM_ARM_FW_REG_NULL_PROMISE);

NUMBER(unaffected, SPECTRE_UNAFFECTED);
NUMBER(mitigated, SPECTRE_MITIGATED);
NUMBER(vulnerable, SPECTRE_VULNERABLE);

SAME(KVM_REG_ARM_PSCI_VERSION);
SAME(KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1);
SAME(KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2);
SAME(KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3);
SAME(KVM_REG_ARM_STD_BMAP);
SAME(KVM_REG_ARM_STD_HYP_BMAP);
SAME(KVM_REG_ARM_VENDOR_HYP_BMAP);
SAME(KVM_REG_ARM_VENDOR_HYP_BMAP_2);
SAME(KVM_ARM_SMCCC_STD_FEATURES);
SAME(KVM_ARM_SMCCC_STD_HYP_FEATURES);
SAME(KVM_ARM_SMCCC_VENDOR_HYP_FEATURES);
SAME(KVM_ARM_SMCCC_VENDOR_HYP_FEATURES_2);
SAME(ARM_SMCCC_ARCH_WORKAROUND_1);
SAME(ARM_SMCCC_ARCH_WORKAROUND_2);
SAME(ARM_SMCCC_ARCH_WORKAROUND_3);
SAME(KVM_ARCH_FLAG_FW_REGS_STRICT);
SAME(KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE);
SAME(KVM_ARM_FW_REGS_STRICT);
SAME(KVM_ARM_FW_REGS_NULL_PROMISE);
