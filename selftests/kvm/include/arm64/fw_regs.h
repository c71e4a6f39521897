/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware pseudo-registers of KVM/arm64 as their tests see them: which
 * there are, which values are accepted, and what becomes of these.
 *
 * This is a model of the documented ABI, see Documentation/virt/kvm/arm/
 * fw-pseudo-registers.rst. It knows nothing of the kernel and the host but the
 * offer, i.e. the best value that can be kept for a VM.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_H
#define SELFTEST_KVM_ARM64_FW_REGS_H

#include <errno.h>
#include <linux/bits.h>
#include <linux/psci.h>

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
	u64 low;	/* offered by every host */
	u64 max;	/* of a workaround: the best level that there is */
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
#define FW_SERVICES(_name) \
	FW_REG(_name, _name, .kind = FW_BITMAP)

static const struct fw_reg fw_regs[FW_NR_REGS] = {
	FW_REG(PSCI_VERSION, PSCI_VERSION, .kind = FW_PSCI, .low = PSCI_VERSION(0, 2)),
	FW_LEVELS(WORKAROUND_1, SMCCC_ARCH_WORKAROUND_1),
	FW_LEVELS(WORKAROUND_2, SMCCC_ARCH_WORKAROUND_2),
	FW_LEVELS(WORKAROUND_3, SMCCC_ARCH_WORKAROUND_3),
	FW_SERVICES(STD_BMAP),
	FW_SERVICES(STD_HYP_BMAP),
	FW_SERVICES(VENDOR_HYP_BMAP),
	FW_SERVICES(VENDOR_HYP_BMAP_2),
};

/*
 * Run each test of @fixture for each register of both kinds of VM. Its variant
 * has the members reg and strict.
 */
#define FW_REG_VARIANT(fixture, name)				\
	FIXTURE_VARIANT_ADD(fixture, name##_default) {		\
		.reg = &fw_regs[FW_##name], .strict = false	\
	};							\
	FIXTURE_VARIANT_ADD(fixture, name##_strict) {		\
		.reg = &fw_regs[FW_##name], .strict = true	\
	}
#define FW_REG_VARIANTS(fixture)				\
	FW_REG_VARIANT(fixture, PSCI_VERSION);			\
	FW_REG_VARIANT(fixture, WORKAROUND_1);			\
	FW_REG_VARIANT(fixture, WORKAROUND_2);			\
	FW_REG_VARIANT(fixture, WORKAROUND_3);			\
	FW_REG_VARIANT(fixture, STD_BMAP);			\
	FW_REG_VARIANT(fixture, STD_HYP_BMAP);			\
	FW_REG_VARIANT(fixture, VENDOR_HYP_BMAP);		\
	FW_REG_VARIANT(fixture, VENDOR_HYP_BMAP_2)

#define FW_WORKAROUND_2_AVAIL_ENABLED			\
	(KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL |	\
	 KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED)

/* The level that @val stands for: WORKAROUND_2 has names for levels long gone. */
static inline u64 fw_narrow(const struct fw_reg *reg, u64 val)
{
	if (reg->id != KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2)
		return val;

	switch (val) {
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN:
		return KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL:
	case FW_WORKAROUND_2_AVAIL_ENABLED:
		return KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED;
	default:
		return val;
	}
}

/* Is @val accepted before the VM has run? If not, it gets EINVAL. */
static inline bool fw_offered(const struct fw_reg *reg, u64 offer, u64 val)
{
	switch (reg->kind) {
	case FW_PSCI:
		/* vCPUs without the PSCI_0_2 feature have 0.1 and nothing else. */
		if (offer == PSCI_VERSION(0, 1))
			return val == offer;
		return val == PSCI_VERSION(0, 2) ||
		       (val >= PSCI_VERSION(1, 0) && val <= offer);
	case FW_WORKAROUND:
		return fw_narrow(reg, val) <= offer;
	case FW_BITMAP:
		return !(val & ~offer);
	}
	return false;
}

/* What get shows once @val was accepted: a default VM forgets levels. */
static inline u64 fw_shown(bool strict, const struct fw_reg *reg, u64 offer, u64 val)
{
	return strict || reg->kind != FW_WORKAROUND ? fw_narrow(reg, val) : offer;
}

/* Does another value than the current one get EBUSY once the VM has run? */
static inline bool fw_freezes(bool strict, const struct fw_reg *reg)
{
	return strict || reg->kind == FW_BITMAP;
}

/* An offered value other than @current, or @current if there is none. */
static inline u64 fw_other(const struct fw_reg *reg, u64 offer, u64 current)
{
	return current != reg->low && fw_offered(reg, offer, reg->low) ? reg->low : offer;
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

/*
 * Low 32 bits of ids that name no register, in both classes and around them. A
 * kernel that knows one of them lists it.
 */
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
	case ENOEXEC:	return "ENOEXEC";
	case ENXIO:	return "ENXIO";
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

/*
 * The best value for @reg in a VM that has not been written to, and has not run.
 * A fresh VM shows it, but for a bitmap, of which not all may be given at first.
 */
static inline u64 fw_offer(struct kvm_vcpu *vcpu, const struct fw_reg *reg)
{
	u64 fresh = fw_get(vcpu, reg), offer = 0;
	int bit;

	if (reg->kind != FW_BITMAP)
		return fresh;

	for (bit = 0; bit < 64; bit++) {
		if (!fw_set(vcpu, reg, BIT(bit)))
			offer |= BIT(bit);
	}
	TEST_ASSERT(!fw_set(vcpu, reg, fresh), "Cannot write %s back", reg->name);

	return offer;
}

/* What a VM has, and the ID register on which an offer depends; see fw_set_ssbs(). */
struct fw_state {
	u64 vals[FW_NR_REGS];
	u64 pfr1;
};

#define FW_PFR1	KVM_ARM64_SYS_REG(SYS_ID_AA64PFR1_EL1)

static inline struct fw_state fw_state(struct kvm_vcpu *vcpu)
{
	struct fw_state state = { .pfr1 = vcpu_get_reg(vcpu, FW_PFR1) };
	int i;

	for (i = 0; i < FW_NR_REGS; i++)
		state.vals[i] = fw_get(vcpu, &fw_regs[i]);

	return state;
}

static inline bool fw_state_equal(const struct fw_state *a, const struct fw_state *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Show @ssbs in ID_AA64PFR1_EL1: 0 hides it. Returns 0 or the errno. */
static inline int fw_set_ssbs(struct kvm_vcpu *vcpu, u64 ssbs)
{
	u64 pfr1 = vcpu_get_reg(vcpu, FW_PFR1);

	pfr1 &= ~ID_AA64PFR1_EL1_SSBS_MASK;
	pfr1 |= SYS_FIELD_PREP(ID_AA64PFR1_EL1, SSBS, ssbs);

	return fw_set_at(vcpu, FW_PFR1, &pfr1);
}

static inline u64 fw_get_ssbs(struct kvm_vcpu *vcpu)
{
	return SYS_FIELD_GET(ID_AA64PFR1_EL1, SSBS, vcpu_get_reg(vcpu, FW_PFR1));
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_H */
