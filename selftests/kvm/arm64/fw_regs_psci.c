// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_psci - Which PSCI versions a VM can be given
 *
 * A VM whose vCPUs have the PSCI_0_2 feature can be given 0.2 and every version
 * from 1.0 to the newest; one whose vCPUs lack it has 0.1, no matter what. All
 * other values are refused with EINVAL, among them versions that do not exist
 * and known ones with a stray bit in the upper half.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

#define NEWEST	PSCI_VERSION(1, 3)

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
	FIXTURE_VARIANT_ADD(psci_version, name##_with_feature_##with) {	\
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
VERSION(v1_2,		PSCI_VERSION(1, 2),			accepted,	EINVAL);
VERSION(v1_3,		PSCI_VERSION(1, 3),			accepted,	EINVAL);
VERSION(v1_4,		PSCI_VERSION(1, 4),			EINVAL,		EINVAL);
VERSION(v1_ffff,	PSCI_VERSION(1, 0xffff),		EINVAL,		EINVAL);
VERSION(v2_0,		PSCI_VERSION(2, 0),			EINVAL,		EINVAL);
VERSION(v0_1_bit_32,	PSCI_VERSION(0, 1) | BIT(32),		EINVAL,		EINVAL);
VERSION(v0_2_bit_32,	PSCI_VERSION(0, 2) | BIT(32),		EINVAL,		EINVAL);
VERSION(v1_1_bit_32,	PSCI_VERSION(1, 1) | BIT(32),		EINVAL,		EINVAL);
VERSION(v1_3_bit_31,	PSCI_VERSION(1, 3) | BIT(31),		EINVAL,		EINVAL);
VERSION(v1_3_bit_63,	PSCI_VERSION(1, 3) | BIT(63),		EINVAL,		EINVAL);
VERSION(all_ones,	-1UL,					EINVAL,		EINVAL);

FIXTURE_SETUP(psci_version)
{
	self->vm = fw_vm_create(variant->feature, &self->vcpu, 1);
}

FIXTURE_TEARDOWN(psci_version)
{
	kvm_vm_free(self->vm);
}

/* Also checks what a fresh VM shows, and that the guest is told the same. */
TEST_F(psci_version, set)
{
	u64 fresh = variant->feature ? NEWEST : PSCI_VERSION(0, 1);
	u64 after = variant->result ? fresh : variant->version;
	/* PSCI 0.1 has no call that tells the version. */
	u64 answer = variant->feature ? after : SMCCC_RET_NOT_SUPPORTED;

	EXPECT_EQ(fw_get(self->vcpu, psci_version), fresh);
	EXPECT_EQ(fw_set(self->vcpu, psci_version, variant->version), variant->result);
	EXPECT_EQ(fw_get(self->vcpu, psci_version), after);
	EXPECT_EQ(fw_guest_ask(self->vcpu, psci_version), answer);
}

TEST_HARNESS_MAIN
