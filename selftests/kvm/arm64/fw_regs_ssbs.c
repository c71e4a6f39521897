// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_ssbs - No ID register breaks a promise about WORKAROUND_2
 *
 * A host that mitigates Spectre-v4 offers "not required" to a VM that does not
 * see SSBS in ID_AA64PFR1_EL1, and nothing to one that does. So once userspace
 * has set "not required":
 *  - making SSBS visible is refused with EINVAL, and changes nothing, not even
 *    another field of the same write;
 *  - writing the ID register without SSBS still succeeds;
 *  - giving the promise up makes way for SSBS, and SSBS for no new promise.
 *
 * What userspace has not set follows the ID register. A host that is not
 * affected offers "not required" in any case, and accepts both.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

#define NOT_AVAIL	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL
#define NOT_REQUIRED	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED

static const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

FIXTURE(ssbs)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	u64 ssbs;	/* what the host shows */
	u64 visible;	/* the offers */
	u64 hidden;
};

FIXTURE_SETUP(ssbs)
{
	self->vm = fw_vm_create(true, self->vcpus, 2);

	self->ssbs = fw_get_ssbs(self->vcpus[0]);
	if (!self->ssbs)
		SKIP(return, "the host does not have SSBS");

	self->visible = fw_get(self->vcpus[0], wa2);
	ASSERT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	self->hidden = fw_get(self->vcpus[0], wa2);
	if (self->hidden == self->visible)
		SKIP(return, "the offer does not depend on SSBS");

	ASSERT_EQ(self->visible, NOT_AVAIL);
	ASSERT_EQ(self->hidden, NOT_REQUIRED);
}

FIXTURE_TEARDOWN(ssbs)
{
	kvm_vm_free(self->vm);
}

TEST_F(ssbs, shown_after_promise_EINVAL)
{
	struct fw_state before, after;

	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	before = fw_state(self->vcpus[0]);

	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), EINVAL);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[1], self->ssbs), EINVAL);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], ID_AA64PFR1_EL1_SSBS_IMP), EINVAL);

	after = fw_state(self->vcpus[0]);
	EXPECT_TRUE(fw_state_equal(&before, &after));
	EXPECT_EQ(fw_guest_ask(self->vcpus[0], wa2), fw_guest_answer(wa2, NOT_REQUIRED));
}

TEST_F(ssbs, other_field_in_refused_write_unchanged)
{
	u64 before, other;

	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	before = vcpu_get_reg(self->vcpus[0], FW_PFR1);

	/* With BTI hidden alone, the write is a good one. */
	other = before & ~ID_AA64PFR1_EL1_BT_MASK;
	if (other == before)
		SKIP(return, "the host does not have BTI");
	other |= SYS_FIELD_PREP(ID_AA64PFR1_EL1, SSBS, self->ssbs);

	EXPECT_EQ(fw_set_at(self->vcpus[0], FW_PFR1, &other), EINVAL);
	EXPECT_EQ(vcpu_get_reg(self->vcpus[0], FW_PFR1), before);

	other &= ~ID_AA64PFR1_EL1_SSBS_MASK;
	EXPECT_EQ(fw_set_at(self->vcpus[0], FW_PFR1, &other), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], wa2), NOT_REQUIRED);
}

TEST_F(ssbs, hidden_again_after_promise_accepted)
{
	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], wa2), NOT_REQUIRED);
}

TEST_F(ssbs, shown_after_promise_was_given_up_accepted)
{
	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_AVAIL), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), EINVAL);
	EXPECT_EQ(fw_guest_ask(self->vcpus[0], wa2), fw_guest_answer(wa2, NOT_AVAIL));
}

TEST_F(ssbs, shown_without_promise_accepted)
{
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], wa2), NOT_AVAIL);
	EXPECT_EQ(fw_guest_ask(self->vcpus[0], wa2), fw_guest_answer(wa2, NOT_AVAIL));
}

/* The guest is told less than the host could give, never more. */
TEST_F(ssbs, stale_value_written_after_hiding_kept)
{
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], wa2, self->visible), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], wa2), NOT_AVAIL);
	EXPECT_EQ(fw_guest_ask(self->vcpus[0], wa2), fw_guest_answer(wa2, NOT_AVAIL));
}

TEST_F(ssbs, any_write_of_the_same_value_after_run_accepted)
{
	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	EXPECT_EQ(fw_guest_ask(self->vcpus[0], wa2), fw_guest_answer(wa2, NOT_REQUIRED));

	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), EBUSY);
	EXPECT_EQ(fw_get(self->vcpus[0], wa2), NOT_REQUIRED);
}

FIXTURE(unaffected)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(unaffected)
{
	self->vm = fw_vm_create(true, &self->vcpu, 1);
	if (fw_get(self->vcpu, wa2) != NOT_REQUIRED)
		SKIP(return, "the host is affected");
}

FIXTURE_TEARDOWN(unaffected)
{
	kvm_vm_free(self->vm);
}

TEST_F(unaffected, id_register_written_back_after_promise_accepted)
{
	u64 ssbs = fw_get_ssbs(self->vcpu);

	EXPECT_EQ(fw_set_ssbs(self->vcpu, 0), 0);
	EXPECT_EQ(fw_set(self->vcpu, wa2, NOT_REQUIRED), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpu, ssbs), 0);
	EXPECT_EQ(fw_get(self->vcpu, wa2), NOT_REQUIRED);
}

TEST_HARNESS_MAIN
