// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_workaround_2 - The values of WORKAROUND_2, with and without SSBS
 *
 * WORKAROUND_2 has names for more levels than KVM still knows: unknown is
 * narrowed to not available, and available, enabled or not, to not required.
 * The enabled bit goes with available only. Everything else is EINVAL.
 *
 * Whether a host with a mitigation offers not required depends on the VM: if it
 * can see SSBS in ID_AA64PFR1_EL1, it is up to the guest.
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

FIXTURE(workaround_2)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	u64 offer;
};

FIXTURE_VARIANT(workaround_2)
{
	bool ssbs;
};

FIXTURE_VARIANT_ADD(workaround_2, ssbs_visible) { .ssbs = true };
FIXTURE_VARIANT_ADD(workaround_2, ssbs_hidden) { .ssbs = false };

FIXTURE_SETUP(workaround_2)
{
	self->vm = fw_vm_create(true, &self->vcpu, 1);

	if (variant->ssbs && !fw_get_ssbs(self->vcpu))
		SKIP(return, "the host does not have SSBS");
	if (!variant->ssbs)
		ASSERT_EQ(fw_set_ssbs(self->vcpu, 0), 0);

	self->offer = fw_get(self->vcpu, wa2);
}

FIXTURE_TEARDOWN(workaround_2)
{
	kvm_vm_free(self->vm);
}

/* Set @val; where it is accepted, @level is what it stands for. */
static void check_set(struct __test_metadata *_metadata, FIXTURE_DATA(workaround_2) *self,
		      u64 val, int expected, u64 level)
{
	u64 after = expected ? self->offer : level;

	ASSERT_EQ(fw_set(self->vcpu, wa2, self->offer), 0);
	EXPECT_EQ(fw_set(self->vcpu, wa2, val), expected)
		TH_LOG("value 0x%lx", val);
	EXPECT_EQ(fw_get(self->vcpu, wa2), after)
		TH_LOG("value 0x%lx", val);
}

TEST_F(workaround_2, offer_follows_from_host_and_ssbs)
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

TEST_F(workaround_2, not_available_accepted)
{
	check_set(_metadata, self, NOT_AVAIL, 0, NOT_AVAIL);
}

TEST_F(workaround_2, unknown_accepted_as_not_available)
{
	check_set(_metadata, self, UNKNOWN, 0, NOT_AVAIL);
}

/* Accepted where the offer is not required, else above the offer. */
TEST_F(workaround_2, available_judged_as_not_required)
{
	int expected = self->offer == NOT_REQUIRED ? 0 : EINVAL;

	check_set(_metadata, self, AVAIL, expected, NOT_REQUIRED);
}

TEST_F(workaround_2, available_and_enabled_judged_as_not_required)
{
	int expected = self->offer == NOT_REQUIRED ? 0 : EINVAL;

	check_set(_metadata, self, AVAIL | ENABLED, expected, NOT_REQUIRED);
}

TEST_F(workaround_2, not_required_accepted_if_offered_else_EINVAL)
{
	int expected = self->offer == NOT_REQUIRED ? 0 : EINVAL;

	check_set(_metadata, self, NOT_REQUIRED, expected, NOT_REQUIRED);
}

TEST_F(workaround_2, enabled_without_available_EINVAL)
{
	u64 level;

	for (level = 0; level <= 0xf; level++) {
		if (level != AVAIL)
			check_set(_metadata, self, level | ENABLED, EINVAL, 0);
	}
}

TEST_F(workaround_2, level_above_not_required_EINVAL)
{
	u64 level;

	for (level = NOT_REQUIRED + 1; level <= 0xf; level++)
		check_set(_metadata, self, level, EINVAL, 0);
}

TEST_F(workaround_2, bit_outside_level_and_enabled_EINVAL)
{
	int bit;

	for (bit = 5; bit < 64; bit++) {
		check_set(_metadata, self, BIT(bit), EINVAL, 0);
		check_set(_metadata, self, BIT(bit) | AVAIL | ENABLED, EINVAL, 0);
		check_set(_metadata, self, BIT(bit) | self->offer, EINVAL, 0);
	}
}

/* Another name for the current level is no change. */
TEST_F(workaround_2, other_name_of_current_level_after_run_accepted)
{
	u64 name = self->offer == NOT_REQUIRED ? AVAIL | ENABLED : UNKNOWN;

	EXPECT_EQ(fw_guest_ask(self->vcpu, wa2), fw_guest_answer(wa2, self->offer));
	check_set(_metadata, self, name, 0, self->offer);
}

TEST_HARNESS_MAIN
