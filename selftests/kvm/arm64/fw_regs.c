// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs - Get and set of each firmware pseudo-register before the VM runs
 *
 * For each register, in a default VM and in a strict one:
 *  - a fresh VM shows the documented value: everything that KVM implements, or
 *    a level, and nothing in VENDOR_HYP_BMAP_2;
 *  - every value up to the offer is accepted and reads back; a default VM shows
 *    the offer again where the value is the level of a workaround;
 *  - any other value is refused with EINVAL and changes nothing;
 *  - a lowered register can be raised again, and all vCPUs share one value.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

FIXTURE(fw_reg)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	u64 fresh;
	u64 offer;
	u64 lowered;	/* what get shows once the lowest value was set */
};

FIXTURE_VARIANT(fw_reg)
{
	const struct fw_reg *reg;
	bool strict;
};

FW_REG_VARIANTS(fw_reg);

FIXTURE_SETUP(fw_reg)
{
	const struct fw_reg *reg = variant->reg;

	if (fw_vm_lacking(variant->strict))
		SKIP(return, "%s", fw_vm_lacking(variant->strict));
	self->vm = fw_vm_create(variant->strict, self->vcpus, 2);
	self->fresh = fw_get(self->vcpus[0], reg);
	self->offer = fw_offer(self->vcpus[0], reg);
	self->lowered = fw_shown(variant->strict, reg, self->offer, reg->low);
}

FIXTURE_TEARDOWN(fw_reg)
{
	kvm_vm_free(self->vm);
}

TEST_F(fw_reg, fresh_value_is_documented_one)
{
	const struct fw_reg *reg = variant->reg;

	switch (reg->kind) {
	case FW_PSCI:
		EXPECT_GE(self->fresh, PSCI_VERSION(1, 0));
		break;
	case FW_WORKAROUND:
		EXPECT_LE(self->fresh, reg->max);
		EXPECT_EQ(self->fresh, fw_narrow(reg, self->fresh));
		break;
	case FW_BITMAP:
		EXPECT_NE(self->offer, 0);
		EXPECT_EQ(self->fresh,
			  reg->id == KVM_REG_ARM_VENDOR_HYP_BMAP_2 ? 0 : self->offer);
		break;
	}
}

TEST_F(fw_reg, offered_value_accepted_and_reads_back)
{
	const struct fw_reg *reg = variant->reg;
	int i, tried = 0;

	for (i = 0; i < FW_NR_CANDIDATES; i++) {
		u64 val = fw_candidate(i);

		if (!fw_offered(reg, self->offer, val))
			continue;

		EXPECT_EQ(fw_set(self->vcpus[0], reg, val), 0)
			TH_LOG("value 0x%lx", val);
		EXPECT_EQ(fw_get(self->vcpus[0], reg),
			  fw_shown(variant->strict, reg, self->offer, val))
			TH_LOG("value 0x%lx", val);
		tried++;
	}
	EXPECT_GT(tried, 0);
}

/* Lowered first, so that a refused set has something to spoil. */
TEST_F(fw_reg, other_value_EINVAL)
{
	const struct fw_reg *reg = variant->reg;
	int i, tried = 0;

	EXPECT_EQ(fw_set(self->vcpus[0], reg, reg->low), 0);
	for (i = 0; i < FW_NR_CANDIDATES; i++) {
		u64 val = fw_candidate(i);

		if (fw_offered(reg, self->offer, val))
			continue;

		EXPECT_EQ(fw_set(self->vcpus[0], reg, val), EINVAL)
			TH_LOG("value 0x%lx", val);
		EXPECT_EQ(fw_get(self->vcpus[0], reg), self->lowered)
			TH_LOG("value 0x%lx", val);
		tried++;
	}
	EXPECT_GT(tried, 0);
}

TEST_F(fw_reg, lowered_value_can_be_raised_to_offer)
{
	const struct fw_reg *reg = variant->reg;

	EXPECT_EQ(fw_set(self->vcpus[0], reg, reg->low), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], reg, self->offer), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], reg), self->offer);
}

TEST_F(fw_reg, fresh_value_can_be_written_back)
{
	const struct fw_reg *reg = variant->reg;

	EXPECT_EQ(fw_set(self->vcpus[0], reg, self->fresh), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], reg), self->fresh);
}

TEST_F(fw_reg, set_on_one_vcpu_shows_on_the_other)
{
	const struct fw_reg *reg = variant->reg;

	EXPECT_EQ(fw_get(self->vcpus[1], reg), self->fresh);

	EXPECT_EQ(fw_set(self->vcpus[0], reg, reg->low), 0);
	EXPECT_EQ(fw_get(self->vcpus[1], reg), self->lowered);

	EXPECT_EQ(fw_set(self->vcpus[1], reg, self->offer), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], reg), self->offer);
}

TEST_HARNESS_MAIN
