/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware pseudo-registers of KVM/arm64 as their tests see them: which
 * there are, which values are well-formed, and what each access should answer.
 *
 * This is a model of the documented ABI, see Documentation/virt/kvm/arm/
 * fw-pseudo-registers.rst. It knows nothing of the host but the offer, i.e. the
 * best value that the host can keep for a VM.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_H
#define SELFTEST_KVM_ARM64_FW_REGS_H

#include <errno.h>
#include <linux/arm-smccc.h>
#include <linux/bits.h>
#include <linux/psci.h>
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"

enum fw_kind {
	FW_PSCI,
	FW_WORKAROUND,
	FW_BITMAP,
};

struct fw_reg {
	const char *name;
	u64 id;
	enum fw_kind kind;
	u64 max;	/* newest version, best level, or all services */
	u64 low;	/* offered by every host */
};

enum {
	FW_PSCI_VERSION,
	FW_WORKAROUND_1,
	FW_WORKAROUND_2,
	FW_WORKAROUND_3,
	FW_STD_BMAP,
	FW_STD_HYP_BMAP,
	FW_VENDOR_HYP_BMAP,
	FW_VENDOR_HYP_BMAP_2,
	FW_NR_REGS,
};

#define FW_REG(_name, _id, ...) \
	[FW_##_name] = { .name = #_name, .id = KVM_REG_ARM_##_id, __VA_ARGS__ }
#define FW_LEVELS(_name, _id) \
	FW_REG(_name, _id, .kind = FW_WORKAROUND, .max = KVM_REG_ARM_##_id##_NOT_REQUIRED)
#define FW_SERVICES(_name, _max) \
	FW_REG(_name, _name, .kind = FW_BITMAP, .max = _max)

static const struct fw_reg fw_regs[FW_NR_REGS] = {
	FW_REG(PSCI_VERSION, PSCI_VERSION, .kind = FW_PSCI,
	       .max = PSCI_VERSION(1, 3), .low = PSCI_VERSION(0, 2)),
	FW_LEVELS(WORKAROUND_1, SMCCC_ARCH_WORKAROUND_1),
	FW_LEVELS(WORKAROUND_2, SMCCC_ARCH_WORKAROUND_2),
	FW_LEVELS(WORKAROUND_3, SMCCC_ARCH_WORKAROUND_3),
	FW_SERVICES(STD_BMAP, BIT(KVM_REG_ARM_STD_BIT_TRNG_V1_0)),
	FW_SERVICES(STD_HYP_BMAP, BIT(KVM_REG_ARM_STD_HYP_BIT_PV_TIME)),
	FW_SERVICES(VENDOR_HYP_BMAP, BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT) |
				     BIT(KVM_REG_ARM_VENDOR_HYP_BIT_PTP)),
	FW_SERVICES(VENDOR_HYP_BMAP_2, BIT(KVM_REG_ARM_VENDOR_HYP_BIT_DISCOVER_IMPL_VER) |
				       BIT(KVM_REG_ARM_VENDOR_HYP_BIT_DISCOVER_IMPL_CPUS)),
};

/* Run each test of @fixture, whose variant has a member reg, for each register. */
#define FW_REG_VARIANT(fixture, name) \
	FIXTURE_VARIANT_ADD(fixture, name) { .reg = &fw_regs[FW_##name] }
#define FW_REG_VARIANTS(fixture)				\
	FW_REG_VARIANT(fixture, PSCI_VERSION);			\
	FW_REG_VARIANT(fixture, WORKAROUND_1);			\
	FW_REG_VARIANT(fixture, WORKAROUND_2);			\
	FW_REG_VARIANT(fixture, WORKAROUND_3);			\
	FW_REG_VARIANT(fixture, STD_BMAP);			\
	FW_REG_VARIANT(fixture, STD_HYP_BMAP);			\
	FW_REG_VARIANT(fixture, VENDOR_HYP_BMAP);		\
	FW_REG_VARIANT(fixture, VENDOR_HYP_BMAP_2)

/*
 * Two properties that KVM does not have yet. Should it freeze all registers, or
 * show what was accepted instead of the host's level, change it here only.
 */

/* What a set to another offered value answers once the VM has run. */
static inline int fw_change_after_run(const struct fw_reg *reg)
{
	return reg->kind == FW_BITMAP ? EBUSY : 0;
}

/* What get shows after @val has been accepted. */
static inline u64 fw_readback(const struct fw_reg *reg, u64 offer, u64 val)
{
	return reg->kind == FW_WORKAROUND ? offer : val;
}

/* The level that @val stands for: WORKAROUND_2 has names for levels long gone. */
static inline u64 fw_narrow(const struct fw_reg *reg, u64 val)
{
	if (reg->id != KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2)
		return val;

	switch (val) {
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN:
		return KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL:
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL |
	     KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED:
		return KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED;
	default:
		return val;
	}
}

/* Could some host offer @val to a VM whose vCPUs have the PSCI_0_2 feature? */
static inline bool fw_well_formed(const struct fw_reg *reg, u64 val)
{
	switch (reg->kind) {
	case FW_PSCI:
		return val == PSCI_VERSION(0, 2) ||
		       (val >= PSCI_VERSION(1, 0) && val <= PSCI_VERSION(1, 3));
	case FW_WORKAROUND:
		return fw_narrow(reg, val) <= reg->max;
	case FW_BITMAP:
		return !(val & ~reg->max);
	}
	return false;
}

static inline bool fw_offered(const struct fw_reg *reg, u64 offer, u64 val)
{
	if (!fw_well_formed(reg, val))
		return false;

	return reg->kind != FW_WORKAROUND || fw_narrow(reg, val) <= offer;
}

/* Values near every edge of every register, and all small ones. */
#define FW_SMALL	1024
#define FW_VERSIONS	36

static const u64 fw_edges[] = {
	BIT(16) - 2, BIT(16) + 2, BIT(31) - 1, BIT(31) + 1,
	BIT(32) - 1, BIT(32) + 1, BIT(32) + 2, BIT(32) + 3,
	BIT(32) + PSCI_VERSION(0, 2), BIT(32) + PSCI_VERSION(1, 0),
	BIT(32) + PSCI_VERSION(1, 1), BIT(32) + PSCI_VERSION(1, 3),
	BIT(63) - 1, BIT(63) + 1, BIT(63) + 2, BIT(63) + 3,
	-3UL, -4UL, -16UL, GENMASK(63, 32), GENMASK(31, 0), GENMASK(63, 0),
};

#define FW_NR_CANDIDATES	(FW_SMALL + 64 + 64 + FW_VERSIONS + ARRAY_SIZE(fw_edges))

static inline u64 fw_candidate(unsigned int i)
{
	if (i < FW_SMALL)
		return i;
	i -= FW_SMALL;
	if (i < 64)
		return BIT(i);
	i -= 64;
	if (i < 64)
		return ~BIT(i);
	i -= 64;
	/* Versions 0.0 to 2.9, with a neighbour on either side. */
	if (i < FW_VERSIONS)
		return PSCI_VERSION(i / 12UL, 0) + i % 12 - 1;

	return fw_edges[i - FW_VERSIONS];
}

/* Low 32 bits of ids that name no register, in both classes and around them. */
static const u32 fw_unknown_ids[] = {
	0x00140004, 0x00140005, 0x00140010, 0x001400ff, 0x00140100, 0x0014ffff,
	0x00160004, 0x00160005, 0x00160010, 0x001600ff, 0x00160100, 0x0016ffff,
	0x10140000, 0xf0140003, 0x10160000, 0xf0160003,
};

#define FW_UNKNOWN_ID(i)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | fw_unknown_ids[i])

/* The size field of an id: 2^code bytes. */
#define FW_NR_SIZES	16
#define FW_SIZE_U64	3

static inline u64 fw_resize(u64 id, u64 code)
{
	return (id & ~KVM_REG_SIZE_MASK) | code << KVM_REG_SIZE_SHIFT;
}

static inline const char *fw_errno_name(int err)
{
	static char number[16];

	switch (err) {
	case 0:		return "0";
	case E2BIG:	return "E2BIG";
	case EBUSY:	return "EBUSY";
	case EFAULT:	return "EFAULT";
	case EINVAL:	return "EINVAL";
	case ENOENT:	return "ENOENT";
	case EPERM:	return "EPERM";
	}
	snprintf(number, sizeof(number), "E%d", err);
	return number;
}

/* Accesses to a register: 0 or the errno. */
static inline int fw_set_at(struct kvm_vcpu *vcpu, u64 id, const void *addr)
{
	struct kvm_one_reg one = { .id = id, .addr = (u64)addr };

	return __vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &one) ? errno : 0;
}

static inline int fw_get_at(struct kvm_vcpu *vcpu, u64 id, void *addr)
{
	return __vcpu_get_reg(vcpu, id, addr) ? errno : 0;
}

static inline int fw_set(struct kvm_vcpu *vcpu, const struct fw_reg *reg, u64 val)
{
	return fw_set_at(vcpu, reg->id, &val);
}

static inline u64 fw_get(struct kvm_vcpu *vcpu, const struct fw_reg *reg)
{
	return vcpu_get_reg(vcpu, reg->id);
}

/* The best value for @reg in a VM that has not been written to. */
static inline u64 fw_offer(struct kvm_vcpu *vcpu, const struct fw_reg *reg)
{
	return reg->kind == FW_WORKAROUND ? fw_get(vcpu, reg) : reg->max;
}

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

static inline struct kvm_vm *fw_vm_create(bool psci_0_2, struct kvm_vcpu *vcpus[],
					  int nr_vcpus)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu_init init;
	int i;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, FW_GUEST_CODE, 0,
				    vm_calc_num_guest_pages(vm->mode, SZ_4K), 0);
	memcpy(addr_gpa2hva(vm, FW_GUEST_CODE), fw_guest_start,
	       fw_guest_end - fw_guest_start);

	kvm_get_default_vcpu_target(vm, &init);
	if (psci_0_2)
		init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);

	for (i = 0; i < nr_vcpus; i++) {
		vcpus[i] = __vm_vcpu_add(vm, i);
		vcpu_ioctl(vcpus[i], KVM_ARM_VCPU_INIT, &init);
		vcpu_set_reg(vcpus[i], ARM64_CORE_REG(regs.pc), FW_GUEST_CODE);
		vcpu_set_reg(vcpus[i], ARM64_CORE_REG(regs.regs[9]), FW_GUEST_EXIT);
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

#endif /* SELFTEST_KVM_ARM64_FW_REGS_H */
