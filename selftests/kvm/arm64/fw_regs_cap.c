// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_cap - KVM_CAP_ARM_FW_REGS_STRICT, and the null promise
 *
 * KVM_CHECK_EXTENSION tells which flags there are; KVM_ENABLE_CAP takes them, in
 * any combination, until a vCPU is created, and gets EINVAL for any other flag or
 * argument, and for a protected VM. A kernel without the capability has no
 * flags. See the other tests for what KVM_ARM_FW_REGS_STRICT is.
 *
 * A stream from a newer kernel may hold a pseudo-register that this one does not
 * know. With KVM_ARM_FW_REGS_NULL_PROMISE, one whose value promises nothing is
 * accepted and ignored:
 *  - class 0x14: bits 3:0, read as a signed number, are 0 or negative, and all
 *    other bits are 0;
 *  - class 0x16: the value is 0.
 *
 * All else stays ENOENT: other values, other ids, get, and everything in VMs
 * without the flag.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

#define STRICT		KVM_ARM_FW_REGS_STRICT
#define NULL_PROMISE	KVM_ARM_FW_REGS_NULL_PROMISE

/* In both classes, a number that names no register. */
#define UNKNOWN	0x8000
#define LEVEL	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_FW | UNKNOWN)
#define BITMAP	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_FW_FEAT_BMAP | UNKNOWN)

static int enable(struct kvm_vm *vm, const struct kvm_enable_cap *cap)
{
	return __vm_ioctl(vm, KVM_ENABLE_CAP, cap) ? errno : 0;
}

static int enable_flags(struct kvm_vm *vm, u64 flags)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_FW_REGS_STRICT, .args = { flags } };

	return enable(vm, &cap);
}

FIXTURE(cap)
{
	struct kvm_vm *vm;
	u64 flags;
};

FIXTURE_SETUP(cap)
{
	self->vm = vm_create_barebones();
	self->flags = kvm_check_cap(KVM_CAP_ARM_FW_REGS_STRICT);
}

FIXTURE_TEARDOWN(cap)
{
	kvm_vm_free(self->vm);
}

TEST_F(cap, each_bit_accepted_if_it_is_a_flag_else_EINVAL)
{
	int bit;

	EXPECT_EQ(vm_check_cap(self->vm, KVM_CAP_ARM_FW_REGS_STRICT), self->flags);
	for (bit = 0; bit < 64; bit++) {
		EXPECT_EQ(enable_flags(self->vm, BIT(bit)), self->flags & BIT(bit) ? 0 : EINVAL)
			TH_LOG("bit %d", bit);
		EXPECT_EQ(enable_flags(self->vm, BIT(bit) | STRICT),
			  self->flags & STRICT && self->flags & BIT(bit) ? 0 : EINVAL)
			TH_LOG("bit %d and KVM_ARM_FW_REGS_STRICT", bit);
	}
}

TEST_F(cap, both_flags_are_there)
{
	if (fw_vm_lacking(true))
		SKIP(return, "%s", fw_vm_lacking(true));
	EXPECT_EQ(self->flags & STRICT, STRICT);
	EXPECT_EQ(self->flags & NULL_PROMISE, NULL_PROMISE);
	EXPECT_EQ(enable_flags(self->vm, STRICT | NULL_PROMISE), 0);
	EXPECT_EQ(enable_flags(self->vm, 0), 0);
}

TEST_F(cap, flags_of_struct_EINVAL)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_FW_REGS_STRICT,
		.args = { STRICT },
	};
	int bit;

	for (bit = 0; bit < 32; bit++) {
		cap.flags = BIT(bit);
		EXPECT_EQ(enable(self->vm, &cap), EINVAL)
			TH_LOG("bit %d", bit);
	}
}

TEST_F(cap, other_argument_EINVAL)
{
	int i, bit;

	for (i = 1; i < 4; i++) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_ARM_FW_REGS_STRICT,
			.args = { STRICT },
		};

		for (bit = 0; bit < 64; bit++) {
			cap.args[i] = BIT(bit);
			EXPECT_EQ(enable(self->vm, &cap), EINVAL)
				TH_LOG("argument %d, bit %d", i, bit);
		}
	}
}

TEST_F(cap, after_vcpu_was_created_EINVAL)
{
	__vm_vcpu_add(self->vm, 0);
	EXPECT_EQ(enable_flags(self->vm, STRICT), EINVAL);
	EXPECT_EQ(enable_flags(self->vm, NULL_PROMISE), EINVAL);
	EXPECT_EQ(enable_flags(self->vm, STRICT | NULL_PROMISE), EINVAL);
	EXPECT_EQ(enable_flags(self->vm, 0), EINVAL);
}

TEST_F(cap, protected_vm_EINVAL)
{
	struct kvm_vm *vm;

	if (!fw_host_protects())
		SKIP(return, "the host has no protected VMs");
	vm = fw_protected_vm_create();
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_ARM_FW_REGS_STRICT), 0);
	EXPECT_EQ(enable_flags(vm, STRICT), EINVAL);
	EXPECT_EQ(enable_flags(vm, 0), EINVAL);
	kvm_vm_free(vm);
}

/* Does PSCI_VERSION freeze? A fresh VM does not have the lowest version. */
static bool is_strict(struct kvm_vm *vm)
{
	const struct fw_reg *psci = &fw_regs[FW_PSCI_VERSION];
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);

	fw_vcpu_init(vcpu, FW_FEATURES);
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN does not exit");

	return fw_set(vcpu, psci, psci->low) == EBUSY;
}

TEST_F(cap, refused_flags_leave_vm_as_it_is)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_FW_REGS_STRICT,
		.args = { STRICT | NULL_PROMISE, 1 },
	};
	u64 zero = 0;

	if (fw_vm_lacking(false))
		SKIP(return, "%s", fw_vm_lacking(false));
	EXPECT_EQ(enable_flags(self->vm, STRICT | NULL_PROMISE | BIT(63)), EINVAL);
	EXPECT_EQ(enable(self->vm, &cap), EINVAL);
	EXPECT_FALSE(is_strict(self->vm));
	EXPECT_EQ(fw_set_at(list_first_entry(&self->vm->vcpus, struct kvm_vcpu, list), LEVEL,
			    &zero), ENOENT);
}

TEST_F(cap, null_promise_alone_does_not_make_vm_strict)
{
	if (fw_vm_lacking(true))
		SKIP(return, "%s", fw_vm_lacking(true));
	if (fw_vm_lacking(false))
		SKIP(return, "%s", fw_vm_lacking(false));
	EXPECT_EQ(enable_flags(self->vm, NULL_PROMISE), 0);
	EXPECT_FALSE(is_strict(self->vm));
}

TEST_F(cap, flags_cannot_be_taken_back)
{
	u64 zero = 0;

	if (fw_vm_lacking(true))
		SKIP(return, "%s", fw_vm_lacking(true));
	EXPECT_EQ(enable_flags(self->vm, STRICT), 0);
	EXPECT_EQ(enable_flags(self->vm, NULL_PROMISE), 0);
	EXPECT_EQ(enable_flags(self->vm, 0), 0);
	EXPECT_TRUE(is_strict(self->vm));
	EXPECT_EQ(fw_set_at(list_first_entry(&self->vm->vcpus, struct kvm_vcpu, list), LEVEL,
			    &zero), 0);
}

/* Registers that are not known, with the flag and without. */

FIXTURE(null)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	struct fw_state before;
};

FIXTURE_VARIANT(null)
{
	u64 flags;
};

FIXTURE_VARIANT_ADD(null, default_vm) { .flags = 0 };
FIXTURE_VARIANT_ADD(null, strict_vm) { .flags = STRICT };
FIXTURE_VARIANT_ADD(null, with_flag) { .flags = NULL_PROMISE };
FIXTURE_VARIANT_ADD(null, strict_with_flag) { .flags = STRICT | NULL_PROMISE };

FIXTURE_SETUP(null)
{
	if (variant->flags && fw_vm_lacking(true))
		SKIP(return, "%s", fw_vm_lacking(true));
	self->vm = __fw_vm_create(variant->flags, FW_FEATURES, self->vcpus, 2);
	self->before = fw_state(self->vcpus[0]);
}

/* Whatever is accepted of an unknown register changes none that is known. */
FIXTURE_TEARDOWN(null)
{
	struct fw_state after = fw_state(self->vcpus[0]);

	EXPECT_TRUE(fw_state_equal(&self->before, &after));
	kvm_vm_free(self->vm);
}

static void expect_set(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, u64 id, u64 val,
		       bool accepted)
{
	EXPECT_EQ(fw_set_at(vcpu, id, &val), accepted ? 0 : ENOENT)
		TH_LOG("id 0x%lx, value 0x%lx", id, val);
}

TEST_F(null, level_accepted_if_zero_or_negative)
{
	bool flag = variant->flags & NULL_PROMISE;
	u64 val;
	int bit;

	for (val = 0; val <= 0xf; val++)
		expect_set(_metadata, self->vcpus[0], LEVEL, val, flag && (!val || val & 8));

	for (bit = 4; bit < 64; bit++) {
		expect_set(_metadata, self->vcpus[0], LEVEL, BIT(bit), false);
		expect_set(_metadata, self->vcpus[0], LEVEL, BIT(bit) | 0xf, false);
	}
	expect_set(_metadata, self->vcpus[0], LEVEL, -1UL, false);
}

TEST_F(null, bitmap_accepted_if_zero)
{
	int bit;

	expect_set(_metadata, self->vcpus[0], BITMAP, 0, variant->flags & NULL_PROMISE);
	for (bit = 0; bit < 64; bit++)
		expect_set(_metadata, self->vcpus[0], BITMAP, BIT(bit), false);
	expect_set(_metadata, self->vcpus[0], BITMAP, 0xf, false);
	expect_set(_metadata, self->vcpus[0], BITMAP, -1UL, false);
}

TEST_F(null, every_number_of_both_classes_and_no_other)
{
	bool flag = variant->flags & NULL_PROMISE;
	u64 number, size, val;
	int i;

	for (number = UNKNOWN; number <= 0xffff; number += 251) {
		expect_set(_metadata, self->vcpus[0], LEVEL - UNKNOWN + number, 0xf, flag);
		expect_set(_metadata, self->vcpus[0], BITMAP - UNKNOWN + number, 0, flag);
	}

	/* The first ones, but for those that this kernel knows. */
	for (i = 0; i < ARRAY_SIZE(fw_unknown_ids); i++) {
		if (fw_get_at(self->vcpus[0], FW_UNKNOWN_ID(i), &val) == ENOENT)
			expect_set(_metadata, self->vcpus[0], FW_UNKNOWN_ID(i), 0,
				   flag && !(fw_unknown_ids[i] >> 28));
	}

	for (size = 0; size < FW_NR_SIZES; size++) {
		static u64 zeros[BIT(FW_NR_SIZES - 1) / sizeof(u64)];

		if (size == FW_SIZE_U64)
			continue;
		EXPECT_EQ(fw_set_at(self->vcpus[0], fw_resize(LEVEL, size), zeros), ENOENT);
		EXPECT_EQ(fw_set_at(self->vcpus[0], fw_resize(BITMAP, size), zeros), ENOENT);
	}
}

TEST_F(null, on_every_vcpu_and_after_run)
{
	bool flag = variant->flags & NULL_PROMISE;

	expect_set(_metadata, self->vcpus[1], LEVEL, 0, flag);
	fw_vm_run(self->vcpus[0]);
	expect_set(_metadata, self->vcpus[0], LEVEL, 0, flag);
	expect_set(_metadata, self->vcpus[1], BITMAP, 0, flag);
	expect_set(_metadata, self->vcpus[0], LEVEL, 1, false);
}

TEST_F(null, get_ENOENT_and_unreadable_value_EFAULT)
{
	u64 val = 0;

	fw_set_at(self->vcpus[0], LEVEL, &val);
	EXPECT_EQ(fw_get_at(self->vcpus[0], LEVEL, &val), ENOENT);
	EXPECT_EQ(fw_get_at(self->vcpus[0], BITMAP, &val), ENOENT);
	EXPECT_EQ(fw_set_at(self->vcpus[0], LEVEL, NULL), EFAULT);
	EXPECT_EQ(fw_set_at(self->vcpus[0], BITMAP, NULL), EFAULT);
}

TEST_F(null, known_register_judged_as_ever)
{
	EXPECT_EQ(fw_set(self->vcpus[0], &fw_regs[FW_WORKAROUND_1], 0xf), EINVAL);
	EXPECT_EQ(fw_set(self->vcpus[0], &fw_regs[FW_WORKAROUND_3], 0x8), EINVAL);
	EXPECT_EQ(fw_set(self->vcpus[0], &fw_regs[FW_PSCI_VERSION], 0), EINVAL);
}

TEST_HARNESS_MAIN
