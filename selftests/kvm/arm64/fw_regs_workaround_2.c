// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_workaround_2 - WORKAROUND_2 and ID_AA64PFR1_EL1.SSBS
 *
 * WORKAROUND_2 has names for more levels than KVM still knows: unknown is
 * narrowed to not available, and available, enabled or not, to not required.
 * The enabled bit goes with available only. Everything else is EINVAL.
 *
 * Whether a host with a mitigation offers not required depends on the VM: if it
 * can see SSBS in ID_AA64PFR1_EL1, it is up to the guest. A default VM keeps no
 * level and follows the ID register. A strict VM keeps what was set:
 *  - once that is not required, making SSBS visible is refused with EINVAL, and
 *    changes nothing, not even another field of the same write;
 *  - writing the ID register without SSBS still succeeds;
 *  - giving the level up makes way for SSBS, and SSBS for no new one.
 *
 * A host that is not affected offers not required in any case, and accepts both.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

#define NOT_AVAIL	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL
#define UNKNOWN		KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN
#define AVAIL		KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL
#define NOT_REQUIRED	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED
#define ENABLED		KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED

#define VULNERABILITY	"/sys/devices/system/cpu/vulnerabilities/spec_store_bypass"

static const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

static void expect_level(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, u64 level)
{
	EXPECT_EQ(fw_get(vcpu, wa2), level);
	EXPECT_EQ(fw_guest_ask(vcpu, wa2), fw_guest_answer(wa2, level));
}

/* The values that there are. */

FIXTURE(value)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	u64 ssbs, fresh;	/* as a fresh VM has them */
	u64 offer;
};

FIXTURE_VARIANT(value)
{
	bool ssbs;
	bool strict;
};

FIXTURE_VARIANT_ADD(value, ssbs_visible_default) { .ssbs = true, .strict = false };
FIXTURE_VARIANT_ADD(value, ssbs_hidden_default) { .ssbs = false, .strict = false };
FIXTURE_VARIANT_ADD(value, ssbs_visible_strict) { .ssbs = true, .strict = true };
FIXTURE_VARIANT_ADD(value, ssbs_hidden_strict) { .ssbs = false, .strict = true };

FIXTURE_SETUP(value)
{
	if (fw_vm_lacking(variant->strict))
		SKIP(return, "%s", fw_vm_lacking(variant->strict));
	self->vm = fw_vm_create(variant->strict, &self->vcpu, 1);
	self->ssbs = fw_get_ssbs(self->vcpu);
	self->fresh = fw_get(self->vcpu, wa2);

	if (variant->ssbs && !self->ssbs)
		SKIP(return, "the host does not have SSBS");
	if (!variant->ssbs)
		ASSERT_EQ(fw_set_ssbs(self->vcpu, 0), 0);

	self->offer = fw_get(self->vcpu, wa2);
}

FIXTURE_TEARDOWN(value)
{
	kvm_vm_free(self->vm);
}

/* Set @val, which stands for @level, or for none if that is -1. */
static void check_set(struct __test_metadata *_metadata, FIXTURE_DATA(value) *self, bool strict,
		      u64 val, u64 level)
{
	bool accepted = level <= self->offer;
	u64 after = accepted && strict ? level : self->offer;

	ASSERT_EQ(fw_set(self->vcpu, wa2, self->offer), 0);
	EXPECT_EQ(fw_set(self->vcpu, wa2, val), accepted ? 0 : EINVAL)
		TH_LOG("value 0x%lx", val);
	EXPECT_EQ(fw_get(self->vcpu, wa2), after)
		TH_LOG("value 0x%lx", val);
}

TEST_F(value, offer_follows_from_host_and_ssbs)
{
	u64 expected = NOT_AVAIL;
	char state[80] = "";
	FILE *f;

	f = fopen(VULNERABILITY, "r");
	if (!f)
		SKIP(return, "no " VULNERABILITY);
	ASSERT_NE(fgets(state, sizeof(state), f), NULL);
	fclose(f);

	if (!strncmp(state, "Not affected", 12) ||
	    (!strncmp(state, "Mitigation", 10) && !variant->ssbs))
		expected = NOT_REQUIRED;

	EXPECT_EQ(self->offer, expected)
		TH_LOG("the host says: %s", state);
}

/* Refused where it stands for more than the offer. */
TEST_F(value, each_name_stands_for_a_level)
{
	check_set(_metadata, self, variant->strict, NOT_AVAIL, NOT_AVAIL);
	check_set(_metadata, self, variant->strict, UNKNOWN, NOT_AVAIL);
	check_set(_metadata, self, variant->strict, AVAIL, NOT_REQUIRED);
	check_set(_metadata, self, variant->strict, AVAIL | ENABLED, NOT_REQUIRED);
	check_set(_metadata, self, variant->strict, NOT_REQUIRED, NOT_REQUIRED);
}

TEST_F(value, enabled_without_available_EINVAL)
{
	u64 level;

	for (level = 0; level <= 0xf; level++) {
		if (level != AVAIL)
			check_set(_metadata, self, variant->strict, level | ENABLED, -1UL);
	}
}

TEST_F(value, any_other_value_EINVAL)
{
	u64 level;
	int bit;

	for (level = NOT_REQUIRED + 1; level <= 0xf; level++)
		check_set(_metadata, self, variant->strict, level, -1UL);

	for (bit = 5; bit < 64; bit++) {
		check_set(_metadata, self, variant->strict, BIT(bit), -1UL);
		check_set(_metadata, self, variant->strict, BIT(bit) | AVAIL | ENABLED, -1UL);
		check_set(_metadata, self, variant->strict, BIT(bit) | self->offer, -1UL);
	}
}

/* Another name for the current level is no change. */
TEST_F(value, other_name_of_current_level_after_run_accepted)
{
	u64 name = self->offer == NOT_REQUIRED ? AVAIL | ENABLED : UNKNOWN;

	EXPECT_EQ(fw_guest_ask(self->vcpu, wa2), fw_guest_answer(wa2, self->offer));
	check_set(_metadata, self, variant->strict, name, self->offer);
}

/* What nobody set follows the ID register, in a strict VM, too. */
TEST_F(value, level_that_was_not_set_follows_ssbs)
{
	EXPECT_EQ(fw_set_ssbs(self->vcpu, self->ssbs), 0);
	expect_level(_metadata, self->vcpu, self->fresh);
}

TEST_F(value, ssbs_shown_again_accepted_unless_it_breaks_a_level)
{
	bool breaks = variant->strict && self->offer > self->fresh;

	EXPECT_EQ(fw_set(self->vcpu, wa2, self->offer), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpu, self->ssbs), breaks ? EINVAL : 0);
	EXPECT_EQ(fw_get(self->vcpu, wa2), breaks ? self->offer : self->fresh);
}

/* On a host whose offer depends on SSBS. */

FIXTURE(ssbs)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	u64 ssbs;	/* what the host shows */
};

FIXTURE_VARIANT(ssbs)
{
	bool strict;
};

FIXTURE_VARIANT_ADD(ssbs, in_default_vm) { .strict = false };
FIXTURE_VARIANT_ADD(ssbs, in_strict_vm) { .strict = true };

/* SSBS is hidden, and "not required" was set. */
FIXTURE_SETUP(ssbs)
{
	if (fw_vm_lacking(variant->strict))
		SKIP(return, "%s", fw_vm_lacking(variant->strict));
	self->vm = fw_vm_create(variant->strict, self->vcpus, 2);

	self->ssbs = fw_get_ssbs(self->vcpus[0]);
	if (!self->ssbs)
		SKIP(return, "the host does not have SSBS");

	ASSERT_EQ(fw_get(self->vcpus[0], wa2), NOT_AVAIL);
	ASSERT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	if (fw_get(self->vcpus[0], wa2) == NOT_AVAIL)
		SKIP(return, "the offer does not depend on SSBS");

	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
}

FIXTURE_TEARDOWN(ssbs)
{
	kvm_vm_free(self->vm);
}

TEST_F(ssbs, shown_after_set_EINVAL_if_kept)
{
	int expected = variant->strict ? EINVAL : 0;
	struct fw_state before, after;

	before = fw_state(self->vcpus[0]);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), expected);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[1], self->ssbs), expected);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], ID_AA64PFR1_EL1_SSBS_IMP), expected);

	after = fw_state(self->vcpus[0]);
	EXPECT_EQ(fw_state_equal(&before, &after), variant->strict);
	expect_level(_metadata, self->vcpus[0], variant->strict ? NOT_REQUIRED : NOT_AVAIL);
}

TEST_F(ssbs, other_field_in_refused_write_unchanged)
{
	u64 before = vcpu_get_reg(self->vcpus[0], FW_PFR1), other;

	/* With BTI hidden alone, the write is a good one. */
	other = before & ~ID_AA64PFR1_EL1_BT_MASK;
	if (other == before)
		SKIP(return, "the host does not have BTI");
	other |= SYS_FIELD_PREP(ID_AA64PFR1_EL1, SSBS, self->ssbs);

	EXPECT_EQ(fw_set_at(self->vcpus[0], FW_PFR1, &other), variant->strict ? EINVAL : 0);
	EXPECT_EQ(vcpu_get_reg(self->vcpus[0], FW_PFR1), variant->strict ? before : other);

	other &= ~ID_AA64PFR1_EL1_SSBS_MASK;
	EXPECT_EQ(fw_set_at(self->vcpus[0], FW_PFR1, &other), 0);
	EXPECT_EQ(fw_get(self->vcpus[0], wa2), NOT_REQUIRED);
}

TEST_F(ssbs, hidden_again_accepted)
{
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	expect_level(_metadata, self->vcpus[0], NOT_REQUIRED);
}

TEST_F(ssbs, shown_after_level_was_given_up_accepted)
{
	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_AVAIL), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), EINVAL);
	expect_level(_metadata, self->vcpus[0], NOT_AVAIL);
}

/* The guest of a strict VM is told less than the host could give, never more. */
TEST_F(ssbs, stale_value_written_after_hiding_kept_if_strict)
{
	ASSERT_EQ(fw_set(self->vcpus[0], wa2, NOT_AVAIL), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], wa2, fw_get(self->vcpus[0], wa2)), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	expect_level(_metadata, self->vcpus[0], variant->strict ? NOT_AVAIL : NOT_REQUIRED);
}

TEST_F(ssbs, any_write_of_the_same_value_after_run_accepted)
{
	expect_level(_metadata, self->vcpus[0], NOT_REQUIRED);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], 0), 0);
	EXPECT_EQ(fw_set(self->vcpus[0], wa2, NOT_REQUIRED), 0);
	EXPECT_EQ(fw_set_ssbs(self->vcpus[0], self->ssbs), EBUSY);
	expect_level(_metadata, self->vcpus[0], NOT_REQUIRED);
}

TEST_HARNESS_MAIN
