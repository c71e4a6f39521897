// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_features - Pseudo-registers and the features of vCPUs
 *
 *  - vCPUs with the PSCI_0_2 feature can be given PSCI 0.2 and every version from
 *    1.0 to the newest; those without it have 0.1, and nothing else is accepted.
 *    Versions that do not exist and ones with a stray bit get EINVAL.
 *  - In a VM with PSCI 0.1, in one whose guest is AArch32, and in one whose guest
 *    has EL2, the registers are judged, shown, told to the guest and frozen as in
 *    any other. So they are in a protected VM, but that the hypervisor tells the
 *    guest itself which vendor services there are.
 *  - KVM_ARM_VCPU_INIT again, with the same features, leaves the registers alone
 *    and does not thaw them. With other features it is refused.
 *
 * All in a default VM and in a strict one; a protected one cannot be strict.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

/* PSCI versions, each without a model: what is accepted is in the name. */

static const struct fw_reg *psci_version = &fw_regs[FW_PSCI_VERSION];

FIXTURE(psci_version)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(psci_version)
{
	u64 version;
	bool feature;
	int result;
};

#define VERSION(name, val, with, without)					\
	FIXTURE_VARIANT_ADD(psci_version, name##_with_feature_##with) {		\
		.version = val, .feature = true, .result = with,		\
	};									\
	FIXTURE_VARIANT_ADD(psci_version, name##_without_feature_##without) {	\
		.version = val, .feature = false, .result = without,		\
	}

/* Part of the cases' names. */
enum { accepted };

VERSION(v0_0,		PSCI_VERSION(0, 0),			EINVAL,		EINVAL);
VERSION(v0_1,		PSCI_VERSION(0, 1),			EINVAL,		accepted);
VERSION(v0_2,		PSCI_VERSION(0, 2),			accepted,	EINVAL);
VERSION(v0_3,		PSCI_VERSION(0, 3),			EINVAL,		EINVAL);
VERSION(v0_ffff,	PSCI_VERSION(0, 0xffff),		EINVAL,		EINVAL);
VERSION(v1_0,		PSCI_VERSION(1, 0),			accepted,	EINVAL);
VERSION(v1_1,		PSCI_VERSION(1, 1),			accepted,	EINVAL);
VERSION(v1_ffff,	PSCI_VERSION(1, 0xffff),		EINVAL,		EINVAL);
VERSION(v0_1_bit_32,	PSCI_VERSION(0, 1) | BIT(32),		EINVAL,		EINVAL);
VERSION(v0_2_bit_32,	PSCI_VERSION(0, 2) | BIT(32),		EINVAL,		EINVAL);
VERSION(v1_1_bit_31,	PSCI_VERSION(1, 1) | BIT(31),		EINVAL,		EINVAL);
VERSION(v1_1_bit_32,	PSCI_VERSION(1, 1) | BIT(32),		EINVAL,		EINVAL);
VERSION(v1_1_bit_63,	PSCI_VERSION(1, 1) | BIT(63),		EINVAL,		EINVAL);
VERSION(all_ones,	-1UL,					EINVAL,		EINVAL);

FIXTURE_SETUP(psci_version)
{
	self->vm = __fw_vm_create(0, variant->feature ? FW_FEATURES : 0, &self->vcpu, 1);
}

FIXTURE_TEARDOWN(psci_version)
{
	kvm_vm_free(self->vm);
}

TEST_F(psci_version, set)
{
	u64 fresh = fw_get(self->vcpu, psci_version);
	u64 after = variant->result ? fresh : variant->version;

	EXPECT_EQ(fw_set(self->vcpu, psci_version, variant->version), variant->result);
	EXPECT_EQ(fw_get(self->vcpu, psci_version), after);
	EXPECT_EQ(fw_guest_ask(self->vcpu, psci_version),
		  fw_guest_answer(psci_version, after));
}

TEST_F(psci_version, version_after_the_newest_EINVAL)
{
	u64 fresh = fw_get(self->vcpu, psci_version);

	EXPECT_EQ(fw_set(self->vcpu, psci_version, fresh + 1), EINVAL);
	EXPECT_EQ(fw_set(self->vcpu, psci_version, fresh), 0);
}

/* All registers of VMs with all kinds of vCPUs. */

FIXTURE(vcpus)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct fw_state fresh;
	u64 offers[FW_NR_REGS];
};

FIXTURE_VARIANT(vcpus)
{
	u32 features;
	bool strict;
	bool protected;
};

#define VCPUS(name, val)						\
	FIXTURE_VARIANT_ADD(vcpus, name##_default) {			\
		.features = val, .strict = false			\
	};								\
	FIXTURE_VARIANT_ADD(vcpus, name##_strict) {			\
		.features = val, .strict = true				\
	}

VCPUS(psci_0_2,		FW_FEATURES);
VCPUS(psci_0_1,		0);
VCPUS(aarch32,		FW_FEATURES | BIT(KVM_ARM_VCPU_EL1_32BIT));
VCPUS(aarch32_psci_0_1,	BIT(KVM_ARM_VCPU_EL1_32BIT));
VCPUS(el2,		FW_FEATURES | BIT(KVM_ARM_VCPU_HAS_EL2));
VCPUS(el2_e2h0,		FW_FEATURES | BIT(KVM_ARM_VCPU_HAS_EL2) |
			BIT(KVM_ARM_VCPU_HAS_EL2_E2H0));

FIXTURE_VARIANT_ADD(vcpus, protected)
{
	.features = FW_FEATURES, .strict = false, .protected = true,
};

FIXTURE_SETUP(vcpus)
{
	int i;

	if (fw_vm_lacking(variant->strict))
		SKIP(return, "%s", fw_vm_lacking(variant->strict));
	if (variant->features & BIT(KVM_ARM_VCPU_EL1_32BIT) &&
	    !kvm_has_cap(KVM_CAP_ARM_EL1_32BIT))
		SKIP(return, "the host has no AArch32 guests");
	if (variant->features & BIT(KVM_ARM_VCPU_HAS_EL2) && !kvm_has_cap(KVM_CAP_ARM_EL2))
		SKIP(return, "the host has no guests with EL2");
	if (variant->features & BIT(KVM_ARM_VCPU_HAS_EL2_E2H0) &&
	    !kvm_has_cap(KVM_CAP_ARM_EL2_E2H0))
		SKIP(return, "the host has no guests with EL2 and without VHE");

	if (variant->protected && !fw_host_protects())
		SKIP(return, "the host has no protected VMs");

	if (variant->protected) {
		self->vm = fw_protected_vm_create();
		fw_vm_fill(self->vm, variant->features, &self->vcpu, 1);
	} else {
		self->vm = __fw_vm_create(variant->strict ? KVM_ARM_FW_REGS_STRICT : 0,
					  variant->features, &self->vcpu, 1);
	}
	self->fresh = fw_state(self->vcpu);
	for (i = 0; i < FW_NR_REGS; i++)
		self->offers[i] = fw_offer(self->vcpu, &fw_regs[i]);
}

FIXTURE_TEARDOWN(vcpus)
{
	kvm_vm_free(self->vm);
}

/* Another value than the fresh one for each register that has one. */
static void set_others(struct __test_metadata *_metadata, FIXTURE_DATA(vcpus) *self,
		       bool strict)
{
	int i;

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 other = fw_other(reg, self->offers[i], self->fresh.vals[i]);

		EXPECT_EQ(fw_set(self->vcpu, reg, other), 0)
			TH_LOG("%s", reg->name);
		EXPECT_EQ(fw_get(self->vcpu, reg),
			  fw_shown(strict, reg, self->offers[i], other))
			TH_LOG("%s", reg->name);
	}
}

/* What the hypervisor answers to a guest of a protected VM, see linux/arm-smccc.h. */
#define HYP_MEMINFO		2
#define MEM_SHARE		3
#define MEM_UNSHARE		4
#define PROTECTED_SERVICES	(BIT(ARM_SMCCC_KVM_FUNC_FEATURES) | BIT(HYP_MEMINFO) | \
				 BIT(MEM_SHARE) | BIT(MEM_UNSHARE))

/* An AArch32 guest has the low half of an answer. */
static void expect_told(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, bool protected)
{
	u64 services = fw_get(vcpu, &fw_regs[FW_VENDOR_HYP_BMAP]);
	int i;

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 expected = fw_guest_answer(reg, fw_get(vcpu, reg));

		/* Without that service the guest cannot ask. */
		if (i == FW_VENDOR_HYP_BMAP_2 &&
		    !(services & BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT)))
			expected = 0;
		if (protected && i == FW_VENDOR_HYP_BMAP)
			expected = PROTECTED_SERVICES;
		if (protected && i == FW_VENDOR_HYP_BMAP_2)
			expected = 0;
		EXPECT_EQ((u32)fw_guest_ask(vcpu, reg), (u32)expected)
			TH_LOG("%s", reg->name);
	}
}

TEST_F(vcpus, values_judged_as_ever)
{
	int i, j;

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];

		for (j = 0; j < FW_NR_CANDIDATES; j++) {
			u64 val = fw_candidate(j);
			bool offered = fw_offered(reg, self->offers[i], val);
			u64 shown = fw_get(self->vcpu, reg);

			if (offered)
				shown = fw_shown(variant->strict, reg, self->offers[i], val);
			EXPECT_EQ(fw_set(self->vcpu, reg, val), offered ? 0 : EINVAL)
				TH_LOG("%s 0x%lx", reg->name, val);
			EXPECT_EQ(fw_get(self->vcpu, reg), shown)
				TH_LOG("%s 0x%lx", reg->name, val);
		}
	}
}

TEST_F(vcpus, guest_is_told_what_get_shows)
{
	expect_told(_metadata, self->vcpu, variant->protected);
}

TEST_F(vcpus, guest_is_told_what_was_set)
{
	set_others(_metadata, self, variant->strict);
	expect_told(_metadata, self->vcpu, variant->protected);
}

TEST_F(vcpus, frozen_as_ever_after_run)
{
	int i;

	fw_vm_run(self->vcpu);
	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 fresh = self->fresh.vals[i];
		u64 other = fw_other(reg, self->offers[i], fresh);
		bool frozen = other != fresh && fw_freezes(variant->strict, reg);

		EXPECT_EQ(fw_set(self->vcpu, reg, fresh), 0)
			TH_LOG("%s", reg->name);
		EXPECT_EQ(fw_set(self->vcpu, reg, other), frozen ? EBUSY : 0)
			TH_LOG("%s", reg->name);
	}
	expect_told(_metadata, self->vcpu, variant->protected);
}

TEST_F(vcpus, init_again_changes_nothing)
{
	struct fw_state before, after;

	set_others(_metadata, self, variant->strict);
	before = fw_state(self->vcpu);
	fw_vcpu_init(self->vcpu, variant->features);
	after = fw_state(self->vcpu);
	EXPECT_TRUE(fw_state_equal(&before, &after));

	/* The guest begins anew, in a VM that has run. */
	fw_vm_run(self->vcpu);
	vcpu_run_complete_io(self->vcpu);
	fw_vcpu_init(self->vcpu, variant->features);
	after = fw_state(self->vcpu);
	EXPECT_TRUE(fw_state_equal(&before, &after));
	EXPECT_EQ(fw_set(self->vcpu, &fw_regs[FW_STD_BMAP], self->offers[FW_STD_BMAP]), EBUSY);
	if (variant->strict && variant->features & FW_FEATURES)
		EXPECT_EQ(fw_set(self->vcpu, psci_version, self->offers[FW_PSCI_VERSION]), EBUSY);
	expect_told(_metadata, self->vcpu, variant->protected);
}

TEST_F(vcpus, init_with_other_features_EINVAL)
{
	struct fw_state before, after;

	set_others(_metadata, self, variant->strict);
	before = fw_state(self->vcpu);
	EXPECT_EQ(__fw_vcpu_init(self->vcpu, variant->features ^ FW_FEATURES), EINVAL);
	fw_vm_run(self->vcpu);
	EXPECT_EQ(__fw_vcpu_init(self->vcpu, variant->features ^ FW_FEATURES), EINVAL);
	after = fw_state(self->vcpu);
	EXPECT_TRUE(fw_state_equal(&before, &after));
}

TEST_HARNESS_MAIN
