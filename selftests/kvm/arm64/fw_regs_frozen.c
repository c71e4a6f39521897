// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_frozen - Sets of each firmware pseudo-register after the VM has run
 *
 * For each register, once some vCPU of the VM has run:
 *  - writing the current value succeeds, as VMMs do so on every reset;
 *  - writing another offered value changes nothing and gets EBUSY;
 *  - that holds on a vCPU that never ran, too;
 *  - the other errors come first: ENOENT, EFAULT, EINVAL;
 *  - the guest is told what get shows, before and after.
 */
#include "fw_regs_harness.h"

FIXTURE(frozen)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	u64 offer;
	u64 current;	/* what get shows when the VM runs first */
	u64 other;	/* another offered value, if there is one */
};

FIXTURE_VARIANT(frozen)
{
	const struct fw_reg *reg;
	bool lowered;	/* set to another value than the offer before the run */
};

#define VARIANT(name)								\
	FIXTURE_VARIANT_ADD(frozen, name##_fresh) { .reg = &fw_regs[FW_##name] }; \
	FIXTURE_VARIANT_ADD(frozen, name##_lowered) {				\
		.reg = &fw_regs[FW_##name], .lowered = true			\
	}

VARIANT(PSCI_VERSION);
VARIANT(WORKAROUND_1);
VARIANT(WORKAROUND_2);
VARIANT(WORKAROUND_3);
VARIANT(STD_BMAP);
VARIANT(STD_HYP_BMAP);
VARIANT(VENDOR_HYP_BMAP);
VARIANT(VENDOR_HYP_BMAP_2);

FIXTURE_SETUP(frozen)
{
	const struct fw_reg *reg = variant->reg;

	self->vm = fw_vm_create(true, self->vcpus, 2);
	self->offer = fw_offer(self->vcpus[0], reg);
	EXPECT_EQ(variant->lowered ? fw_set(self->vcpus[0], reg, reg->low) : 0, 0);
	self->current = fw_get(self->vcpus[0], reg);
	self->other = fw_other(reg, self->offer, self->current);

	EXPECT_EQ(fw_guest_ask(self->vcpus[0], reg), fw_guest_answer(reg, self->current));
}

FIXTURE_TEARDOWN(frozen)
{
	kvm_vm_free(self->vm);
}

TEST_F(frozen, current_value_accepted)
{
	EXPECT_EQ(fw_set(self->vcpus[0], variant->reg, self->current), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], variant->reg), self->current);
	EXPECT_EQ(fw_set(self->vcpus[1], variant->reg, self->current), 0);
	EXPECT_EQ(fw_get(self->vcpus[1], variant->reg), self->current);
}

static void set_other(struct __test_metadata *_metadata, FIXTURE_DATA(frozen) *self,
		      const struct fw_reg *reg, struct kvm_vcpu *setter)
{
	if (self->other == self->current)
		SKIP(return, "this host offers one value only");

	EXPECT_EQ(fw_set(setter, reg, self->other), EBUSY);
	EXPECT_EQ(fw_get(self->vcpus[0], reg), self->current);
	EXPECT_EQ(fw_get(self->vcpus[1], reg), self->current);
	EXPECT_EQ(fw_guest_ask(self->vcpus[0], reg), fw_guest_answer(reg, self->current));
}

TEST_F(frozen, other_value_EBUSY)
{
	set_other(_metadata, self, variant->reg, self->vcpus[0]);
}

TEST_F(frozen, other_value_on_vcpu_that_never_ran_EBUSY)
{
	set_other(_metadata, self, variant->reg, self->vcpus[1]);
}

TEST_F(frozen, malformed_value_EINVAL)
{
	EXPECT_GT(fw_expect_refused(_metadata, self->vcpus[0], variant->reg, self->offer,
				    false), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], variant->reg), self->current);
}

TEST_F(frozen, value_above_offer_EINVAL)
{
	const struct fw_reg *reg = variant->reg;

	if (!fw_expect_above_offer_refused(_metadata, self->vcpus[0], reg, self->offer) &&
	    reg->kind == FW_WORKAROUND)
		SKIP(return, "this host offers every level");
	EXPECT_EQ(fw_get(self->vcpus[0], reg), self->current);
}

TEST_F(frozen, unreadable_value_EFAULT)
{
	EXPECT_EQ(fw_set_at(self->vcpus[0], variant->reg->id, NULL), EFAULT);
	EXPECT_EQ(fw_get(self->vcpus[0], variant->reg), self->current);
}

TEST_F(frozen, wrong_size_ENOENT)
{
	u64 values[2] = { self->other };

	EXPECT_EQ(fw_set_at(self->vcpus[0], fw_resize(variant->reg->id, FW_SIZE_U64 - 1),
			    values), ENOENT);
	EXPECT_EQ(fw_set_at(self->vcpus[0], fw_resize(variant->reg->id, FW_SIZE_U64 + 1),
			    values), ENOENT);
	EXPECT_EQ(fw_get(self->vcpus[0], variant->reg), self->current);
}

TEST_HARNESS_MAIN
