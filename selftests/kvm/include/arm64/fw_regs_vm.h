/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machines whose guest asks the firmware what the pseudo-registers say.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_VM_H
#define SELFTEST_KVM_ARM64_FW_REGS_VM_H

#include <linux/arm-smccc.h>
#include <linux/sizes.h>

#include "fw_regs.h"

/*
 * The guest: one firmware call after the other, each followed by an exit. It
 * runs with its MMU off and without a copy of this program, which makes a VM so
 * cheap that every case can have its own, even on an emulated host.
 */
#define FW_GUEST_CODE	0x10000UL
#define FW_GUEST_EXIT	0x40000000UL	/* not backed: a store exits */

extern const char fw_guest_start[], fw_guest_end[];
asm("	.pushsection .rodata\n"
"fw_guest_start:\n"
"1:	hvc	#0\n"
"	str	xzr, [x9]\n"
"	b	1b\n"
"fw_guest_end:\n"
"	.popsection\n");

static inline void fw_vcpu_init(struct kvm_vcpu *vcpu, bool psci_0_2)
{
	struct kvm_vcpu_init init;

	kvm_get_default_vcpu_target(vcpu->vm, &init);
	if (psci_0_2)
		init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);

	vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), FW_GUEST_CODE);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[9]), FW_GUEST_EXIT);
}

static inline struct kvm_vm *fw_vm_create(bool psci_0_2, struct kvm_vcpu *vcpus[],
					  int nr_vcpus)
{
	struct kvm_vm *vm = vm_create_barebones();
	int i;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, FW_GUEST_CODE, 0,
				    vm_calc_num_guest_pages(vm->mode, SZ_4K), 0);
	memcpy(addr_gpa2hva(vm, FW_GUEST_CODE), fw_guest_start,
	       fw_guest_end - fw_guest_start);

	for (i = 0; i < nr_vcpus; i++) {
		vcpus[i] = __vm_vcpu_add(vm, i);
		fw_vcpu_init(vcpus[i], psci_0_2);
	}

	return vm;
}

/* Let the guest ask the firmware about @reg; the answer. */
static inline u64 fw_guest_ask(struct kvm_vcpu *vcpu, const struct fw_reg *reg)
{
	u64 func = ARM_SMCCC_ARCH_FEATURES_FUNC_ID, arg = 0;
	bool third = false;

	switch (reg->id) {
	case KVM_REG_ARM_PSCI_VERSION:
		func = PSCI_0_2_FN_PSCI_VERSION;
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
		arg = ARM_SMCCC_ARCH_WORKAROUND_1;
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2:
		arg = ARM_SMCCC_ARCH_WORKAROUND_2;
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3:
		arg = ARM_SMCCC_ARCH_WORKAROUND_3;
		break;
	case KVM_REG_ARM_STD_BMAP:
		func = ARM_SMCCC_TRNG_VERSION;
		break;
	case KVM_REG_ARM_STD_HYP_BMAP:
		arg = ARM_SMCCC_HV_PV_TIME_FEATURES;
		break;
	case KVM_REG_ARM_VENDOR_HYP_BMAP_2:
		third = true;
		fallthrough;
	case KVM_REG_ARM_VENDOR_HYP_BMAP:
		func = ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID;
		break;
	}

	vcpu_args_set(vcpu, 2, func, arg);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu->run->mmio.phys_addr, FW_GUEST_EXIT);

	return vcpu_get_reg(vcpu, third ? ARM64_CORE_REG(regs.regs[2]) :
					  ARM64_CORE_REG(regs.regs[0]));
}

/* What the guest is told where get shows @val. */
static inline u64 fw_guest_answer(const struct fw_reg *reg, u64 val)
{
	switch (reg->id) {
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3:
		return val - 1;		/* -1, 0 or 1 */
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2:
		return val == reg->max ? SMCCC_RET_NOT_REQUIRED : SMCCC_RET_NOT_SUPPORTED;
	case KVM_REG_ARM_STD_BMAP:
		return val ? 0x10000 : SMCCC_RET_NOT_SUPPORTED;
	case KVM_REG_ARM_STD_HYP_BMAP:
		return val ? SMCCC_RET_SUCCESS : SMCCC_RET_NOT_SUPPORTED;
	case KVM_REG_ARM_VENDOR_HYP_BMAP:
		return val & BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT) ?
		       val : SMCCC_RET_NOT_SUPPORTED;
	default:
		return val;
	}
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_VM_H */
