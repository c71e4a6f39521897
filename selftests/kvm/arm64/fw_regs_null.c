// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_null - Registers of a newer kernel that promise nothing
 *
 * A stream from a newer kernel may hold a pseudo-register that this one does
 * not know. With KVM_ARM_VM_SMCCC_NULL_PROMISE set, one whose value promises
 * nothing is accepted and ignored:
 *  - class 0x14: bits 3:0, read as a signed number, are 0 or negative, and all
 *    other bits are 0;
 *  - class 0x16: the value is 0.
 *
 * All else stays ENOENT: other values, other ids, get, and everything where the
 * attribute was not set. It is off by default, is set for the whole VM, and
 * can be set until the VM has run.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

#define GROUP	KVM_ARM_VM_SMCCC_CTRL
#define ATTR	KVM_ARM_VM_SMCCC_NULL_PROMISE

/* The first number that names no register in either class. */
#define UNKNOWN	4
#define LEVEL	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_FW | UNKNOWN)
#define BITMAP	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_FW_FEAT_BMAP | UNKNOWN)

FIXTURE(null)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	struct fw_state before;
};

FIXTURE_SETUP(null)
{
	self->vm = fw_vm_create(true, self->vcpus, 2);
	self->before = fw_state(self->vcpus[0]);
}

FIXTURE_TEARDOWN(null)
{
	struct fw_state after = fw_state(self->vcpus[0]);

	EXPECT_TRUE(fw_state_equal(&self->before, &after));
	kvm_vm_free(self->vm);
}

static int opt_in(FIXTURE_DATA(null) *self)
{
	return __kvm_device_attr_set(self->vm->fd, GROUP, ATTR, NULL) ? errno : 0;
}

static int set(FIXTURE_DATA(null) *self, u64 id, u64 val)
{
	return fw_set_at(self->vcpus[0], id, &val);
}

static int get(FIXTURE_DATA(null) *self, u64 id)
{
	u64 val;

	return fw_get_at(self->vcpus[0], id, &val);
}

TEST_F(null, attribute_can_be_discovered_and_set)
{
	EXPECT_EQ(__kvm_has_device_attr(self->vm->fd, GROUP, ATTR), 0);
	EXPECT_EQ(opt_in(self), 0);
	EXPECT_EQ(opt_in(self), 0);
}

TEST_F(null, next_attribute_ENXIO)
{
	EXPECT_EQ(__kvm_has_device_attr(self->vm->fd, GROUP, ATTR + 1), -1);
	EXPECT_EQ(errno, ENXIO);
	EXPECT_EQ(__kvm_device_attr_set(self->vm->fd, GROUP, ATTR + 1, NULL), -1);
	EXPECT_EQ(errno, ENXIO);
}

TEST_F(null, off_by_default)
{
	EXPECT_EQ(set(self, LEVEL, 0), ENOENT);
	EXPECT_EQ(set(self, LEVEL, 0xf), ENOENT);
	EXPECT_EQ(set(self, BITMAP, 0), ENOENT);
}

TEST_F(null, attribute_after_run_EBUSY)
{
	fw_guest_ask(self->vcpus[0], &fw_regs[FW_PSCI_VERSION]);
	EXPECT_EQ(opt_in(self), EBUSY);
	EXPECT_EQ(set(self, LEVEL, 0), ENOENT);
	EXPECT_EQ(set(self, BITMAP, 0), ENOENT);
}

TEST_F(null, level_accepted_if_signed_level_is_zero_or_negative)
{
	u64 val;

	ASSERT_EQ(opt_in(self), 0);
	for (val = 0; val <= 0xf; val++) {
		EXPECT_EQ(set(self, LEVEL, val), !val || val & 8 ? 0 : ENOENT)
			TH_LOG("value 0x%lx", val);
	}
}

TEST_F(null, level_with_any_other_bit_ENOENT)
{
	int bit;

	ASSERT_EQ(opt_in(self), 0);
	for (bit = 4; bit < 64; bit++) {
		EXPECT_EQ(set(self, LEVEL, BIT(bit)), ENOENT)
			TH_LOG("bit %d", bit);
		EXPECT_EQ(set(self, LEVEL, BIT(bit) | 0xf), ENOENT)
			TH_LOG("bit %d and level -1", bit);
	}
	EXPECT_EQ(set(self, LEVEL, -1UL), ENOENT);
}

TEST_F(null, bitmap_accepted_if_zero)
{
	int bit;

	ASSERT_EQ(opt_in(self), 0);
	EXPECT_EQ(set(self, BITMAP, 0), 0);
	for (bit = 0; bit < 64; bit++) {
		EXPECT_EQ(set(self, BITMAP, BIT(bit)), ENOENT)
			TH_LOG("bit %d", bit);
	}
	EXPECT_EQ(set(self, BITMAP, 0xf), ENOENT);
	EXPECT_EQ(set(self, BITMAP, -1UL), ENOENT);
}

TEST_F(null, every_unknown_number_of_both_classes_accepted)
{
	u64 number;

	ASSERT_EQ(opt_in(self), 0);
	for (number = UNKNOWN; number <= 0xffff; number += number < 32 ? 1 : 251) {
		EXPECT_EQ(set(self, LEVEL - UNKNOWN + number, 0xf), 0)
			TH_LOG("number 0x%lx", number);
		EXPECT_EQ(set(self, BITMAP - UNKNOWN + number, 0), 0)
			TH_LOG("number 0x%lx", number);
	}
}

TEST_F(null, accepted_on_every_vcpu_and_after_run)
{
	u64 zero = 0;

	ASSERT_EQ(opt_in(self), 0);
	EXPECT_EQ(fw_set_at(self->vcpus[1], LEVEL, &zero), 0);
	fw_guest_ask(self->vcpus[0], &fw_regs[FW_PSCI_VERSION]);
	EXPECT_EQ(set(self, LEVEL, 0), 0);
	EXPECT_EQ(fw_set_at(self->vcpus[1], BITMAP, &zero), 0);
	EXPECT_EQ(set(self, LEVEL, 1), ENOENT);
}

TEST_F(null, get_ENOENT)
{
	EXPECT_EQ(opt_in(self), 0);
	EXPECT_EQ(set(self, LEVEL, 0), 0);
	EXPECT_EQ(get(self, LEVEL), ENOENT);
	EXPECT_EQ(get(self, BITMAP), ENOENT);
}

TEST_F(null, id_outside_the_classes_ENOENT)
{
	u64 size;

	opt_in(self);
	/* Ids that reach the handlers, but are of no class. */
	EXPECT_EQ(set(self, LEVEL | 1UL << 28, 0), ENOENT);
	EXPECT_EQ(set(self, BITMAP | 0xfUL << 28, 0), ENOENT);

	for (size = 0; size < FW_NR_SIZES; size++) {
		static u64 zeros[BIT(FW_NR_SIZES - 1) / sizeof(u64)];

		if (size == FW_SIZE_U64)
			continue;
		EXPECT_EQ(fw_set_at(self->vcpus[0], fw_resize(LEVEL, size), zeros), ENOENT);
		EXPECT_EQ(fw_set_at(self->vcpus[0], fw_resize(BITMAP, size), zeros), ENOENT);
	}
}

TEST_F(null, unreadable_value_EFAULT)
{
	opt_in(self);
	EXPECT_EQ(fw_set_at(self->vcpus[0], LEVEL, NULL), EFAULT);
	EXPECT_EQ(fw_set_at(self->vcpus[0], BITMAP, NULL), EFAULT);
}

TEST_F(null, known_register_judged_as_ever)
{
	opt_in(self);
	EXPECT_EQ(set(self, fw_regs[FW_WORKAROUND_1].id, 0xf), EINVAL);
	EXPECT_EQ(set(self, fw_regs[FW_WORKAROUND_3].id, 0x8), EINVAL);
	EXPECT_EQ(set(self, fw_regs[FW_PSCI_VERSION].id, 0), EINVAL);
}

TEST_HARNESS_MAIN
