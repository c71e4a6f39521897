/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machines, default and strict ones, whose guest asks the firmware what
 * the pseudo-registers say.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_VM_H
#define SELFTEST_KVM_ARM64_FW_REGS_VM_H

#include <linux/arm-smccc.h>
#include <linux/sizes.h>

#include "fw_regs.h"
#include "gic.h"
#include "vgic.h"

/*
 * The guest: one firmware call after the other, each followed by an exit. It
 * runs with its MMU off and without a copy of this program, which makes a VM so
 * cheap that every case can have its own, even on an emulated host.
 */
#define FW_GUEST_CODE	0x10000UL
#define FW_GUEST_EXIT	0x40000000UL	/* not backed: a store exits */

extern const char fw_guest_start[], fw_guest_smc[], fw_guest_a32[], fw_guest_end[];
asm("	.pushsection .rodata\n"
"	.balign	4\n"
"fw_guest_start:\n"
"1:	hvc	#0\n"
"	str	xzr, [x9]\n"
"	b	1b\n"
/* The same by SMC: the HVC of a guest at EL2 is its own. */
"fw_guest_smc:\n"
"1:	smc	#0\n"
"	str	xzr, [x9]\n"
"	b	1b\n"
/* The same in A32, but for the register that is stored: r8. */
"fw_guest_a32:\n"
"	.word	0xe1400070, 0xe5898000, 0xeafffffc\n"
"fw_guest_end:\n"
"	.popsection\n");

/* What most vCPUs here have. */
#define FW_FEATURES	BIT(KVM_ARM_VCPU_PSCI_0_2)

static inline int __fw_vcpu_init(struct kvm_vcpu *vcpu, u32 features)
{
	struct kvm_vcpu_init init;

	kvm_get_default_vcpu_target(vcpu->vm, &init);
	init.features[0] |= features;

	return __vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init) ? errno : 0;
}

static inline void fw_vcpu_init(struct kvm_vcpu *vcpu, u32 features)
{
	int err = __fw_vcpu_init(vcpu, features);
	const char *entry = fw_guest_start;

	TEST_ASSERT(!err, "KVM_ARM_VCPU_INIT gets %s", fw_errno_name(err));
	if (features & BIT(KVM_ARM_VCPU_EL1_32BIT))
		entry = fw_guest_a32;
	else if (features & BIT(KVM_ARM_VCPU_HAS_EL2))
		entry = fw_guest_smc;
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), FW_GUEST_CODE + (entry - fw_guest_start));
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[9]), FW_GUEST_EXIT);
}

/* An interrupt controller, without which no guest with EL2 runs. */
static inline void fw_vm_add_gic(struct kvm_vm *vm, int nr_vcpus)
{
	int gic = kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);
	u64 dist = GICD_BASE_GPA;
	u64 redist = REDIST_REGION_ATTR_ADDR(nr_vcpus, GICR_BASE_GPA, 0, 0);

	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
	__vgic_v3_init(gic);
	close(gic);
}

/* The guest, and vCPUs that are about to begin with it. */
static inline void fw_vm_fill(struct kvm_vm *vm, u32 features, struct kvm_vcpu *vcpus[],
			      int nr_vcpus)
{
	int i;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, FW_GUEST_CODE, 0,
				    vm_calc_num_guest_pages(vm->mode, SZ_4K), 0);
	memcpy(addr_gpa2hva(vm, FW_GUEST_CODE), fw_guest_start,
	       fw_guest_end - fw_guest_start);

	for (i = 0; i < nr_vcpus; i++) {
		vcpus[i] = __vm_vcpu_add(vm, i);
		fw_vcpu_init(vcpus[i], features);
	}

	if (features & BIT(KVM_ARM_VCPU_HAS_EL2))
		fw_vm_add_gic(vm, nr_vcpus);
}

/* A VM with these flags of KVM_CAP_ARM_FW_REGS_STRICT, none for a default VM. */
static inline struct kvm_vm *__fw_vm_create(u64 flags, u32 features, struct kvm_vcpu *vcpus[],
					    int nr_vcpus)
{
	struct kvm_vm *vm = vm_create_barebones();

	if (flags)
		vm_enable_cap(vm, KVM_CAP_ARM_FW_REGS_STRICT, flags);
	fw_vm_fill(vm, features, vcpus, nr_vcpus);

	return vm;
}

static inline struct kvm_vm *fw_vm_create(bool strict, struct kvm_vcpu *vcpus[], int nr_vcpus)
{
	return __fw_vm_create(strict ? KVM_ARM_FW_REGS_STRICT : 0, FW_FEATURES, vcpus, nr_vcpus);
}

static inline const char *fw_vm_name(bool strict)
{
	return strict ? "strict VM" : "default VM";
}

/* Why there are no VMs of that kind here, for a test that is skipped; NULL where there are. */
static inline const char *fw_vm_lacking(bool strict)
{
	char cmdline[4096] = "", *c;
	FILE *f;

	if (strict)
		return kvm_has_cap(KVM_CAP_ARM_FW_REGS_STRICT) ?
		       NULL : "no KVM_CAP_ARM_FW_REGS_STRICT";

	f = fopen("/proc/cmdline", "r");
	if (!f)
		return NULL;
	if (!fgets(cmdline, sizeof(cmdline), f))
		cmdline[0] = '\0';
	fclose(f);

	/* Both are the same in the name of a parameter. */
	for (c = cmdline; (c = strchr(c, '-')); c++)
		*c = '_';

	return strstr(cmdline, "kvm_arm_fw_regs.strict") ?
	       "the kernel's command line has kvm_arm_fw_regs.strict" : NULL;
}

/* Whether the hypervisor keeps the host out of VMs that ask for it. */
static inline bool fw_host_protects(void)
{
	int kvm = open_kvm_dev_path_or_exit();
	int vm = __kvm_ioctl(kvm, KVM_CREATE_VM, (void *)KVM_VM_TYPE_ARM_PROTECTED);

	close(kvm);
	if (vm >= 0)
		close(vm);
	return vm >= 0;
}

/* Such a VM. */
static inline struct kvm_vm *fw_protected_vm_create(void)
{
	struct kvm_vm *vm = vm_create_barebones();

	/* The library cannot be told a type. */
	kvm_vm_release(vm);
	vm->type |= KVM_VM_TYPE_ARM_PROTECTED;
	kvm_vm_restart(vm);

	return vm;
}

/* The function by which the guest finds out about @reg, and its argument. */
static inline u32 fw_guest_function(const struct fw_reg *reg, u64 *arg)
{
	*arg = 0;

	switch (reg->id) {
	case KVM_REG_ARM_PSCI_VERSION:
		return PSCI_0_2_FN_PSCI_VERSION;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
		*arg = ARM_SMCCC_ARCH_WORKAROUND_1;
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2:
		*arg = ARM_SMCCC_ARCH_WORKAROUND_2;
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3:
		*arg = ARM_SMCCC_ARCH_WORKAROUND_3;
		break;
	case KVM_REG_ARM_STD_BMAP:
		return ARM_SMCCC_TRNG_VERSION;
	case KVM_REG_ARM_STD_HYP_BMAP:
		*arg = ARM_SMCCC_HV_PV_TIME_FEATURES;
		break;
	case KVM_REG_ARM_VENDOR_HYP_BMAP:
	case KVM_REG_ARM_VENDOR_HYP_BMAP_2:
		return ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID;
	}
	return ARM_SMCCC_ARCH_FEATURES_FUNC_ID;
}

/* Let the guest ask the firmware about @reg; the answer. */
static inline u64 fw_guest_ask(struct kvm_vcpu *vcpu, const struct fw_reg *reg)
{
	bool third = reg->id == KVM_REG_ARM_VENDOR_HYP_BMAP_2;
	u64 func, arg;

	func = fw_guest_function(reg, &arg);
	vcpu_args_set(vcpu, 2, func, arg);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu->run->mmio.phys_addr, FW_GUEST_EXIT);

	return vcpu_get_reg(vcpu, third ? ARM64_CORE_REG(regs.regs[2]) :
					  ARM64_CORE_REG(regs.regs[0]));
}

/* What ARM_SMCCC_TRNG_VERSION answers. */
#define FW_TRNG_V1_0	0x10000

/* What the guest is told where get shows @val. */
static inline u64 fw_guest_answer(const struct fw_reg *reg, u64 val)
{
	switch (reg->id) {
	case KVM_REG_ARM_PSCI_VERSION:
		/* PSCI 0.1 has no call that tells the version. */
		return val == PSCI_VERSION(0, 1) ? SMCCC_RET_NOT_SUPPORTED : val;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3:
		return val - 1;		/* -1, 0 or 1 */
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2:
		return val == reg->max ? SMCCC_RET_NOT_REQUIRED : SMCCC_RET_NOT_SUPPORTED;
	case KVM_REG_ARM_STD_BMAP:
		return val & BIT(KVM_REG_ARM_STD_BIT_TRNG_V1_0) ?
		       FW_TRNG_V1_0 : SMCCC_RET_NOT_SUPPORTED;
	case KVM_REG_ARM_STD_HYP_BMAP:
		return val & BIT(KVM_REG_ARM_STD_HYP_BIT_PV_TIME) ?
		       SMCCC_RET_SUCCESS : SMCCC_RET_NOT_SUPPORTED;
	case KVM_REG_ARM_VENDOR_HYP_BMAP:
		return val & BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT) ?
		       val : SMCCC_RET_NOT_SUPPORTED;
	default:
		return val;
	}
}

/* Let the VM run, i.e. ask anything. */
static inline void fw_vm_run(struct kvm_vcpu *vcpu)
{
	fw_guest_ask(vcpu, &fw_regs[FW_PSCI_VERSION]);
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_VM_H */
