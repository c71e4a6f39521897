// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs - Get and set of each firmware pseudo-register before the VM runs
 *
 * For each register:
 *  - a fresh VM shows the documented value: everything that KVM implements, or
 *    a well-formed level, and nothing in VENDOR_HYP_BMAP_2;
 *  - every well-formed value up to the offer is accepted and reads back, no
 *    matter what the host would offer;
 *  - a well-formed value above the offer is refused with EINVAL;
 *  - any other value is refused with EINVAL;
 *  - a refused set changes nothing, a lowered register can be raised again, and
 *    all vCPUs share one value.
 */
#include "fw_regs_harness.h"

FIXTURE(fw_reg)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	u64 fresh;
	u64 offer;
};

FIXTURE_VARIANT(fw_reg)
{
	const struct fw_reg *reg;
};

FW_REG_VARIANTS(fw_reg);

FIXTURE_SETUP(fw_reg)
{
	self->vm = fw_vm_create(true, self->vcpus, 2);
	self->fresh = fw_get(self->vcpus[0], variant->reg);
	self->offer = fw_offer(self->vcpus[0], variant->reg);
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
		EXPECT_EQ(self->fresh, reg->max);
		break;
	case FW_WORKAROUND:
		EXPECT_TRUE(fw_well_formed(reg, self->fresh));
		EXPECT_EQ(self->fresh, fw_narrow(reg, self->fresh));
		break;
	case FW_BITMAP:
		EXPECT_EQ(self->fresh,
			  reg->id == KVM_REG_ARM_VENDOR_HYP_BMAP_2 ? 0 : reg->max);
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
			  fw_narrow(reg, val))
			TH_LOG("value 0x%lx", val);
		tried++;
	}
	EXPECT_GT(tried, 0);
}

/* Lowered first, so that a refused set has something to spoil. */
TEST_F(fw_reg, value_above_offer_EINVAL)
{
	const struct fw_reg *reg = variant->reg;

	EXPECT_EQ(fw_set(self->vcpus[0], reg, reg->low), 0);
	if (!fw_expect_above_offer_refused(_metadata, self->vcpus[0], reg, self->offer) &&
	    reg->kind == FW_WORKAROUND)
		SKIP(return, "this host offers every level");
}

TEST_F(fw_reg, malformed_value_EINVAL)
{
	const struct fw_reg *reg = variant->reg;

	EXPECT_EQ(fw_set(self->vcpus[0], reg, reg->low), 0);
	EXPECT_GT(fw_expect_refused(_metadata, self->vcpus[0], reg, self->offer, false), 0);
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
	EXPECT_EQ(fw_get(self->vcpus[1], reg), reg->low);

	EXPECT_EQ(fw_set(self->vcpus[1], reg, self->offer), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], reg), self->offer);
}

TEST_HARNESS_MAIN
