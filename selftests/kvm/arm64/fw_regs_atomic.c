// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_atomic - A refused write gets its error and changes nothing
 *
 * For each register and each way to be refused, in a default VM and in a strict
 * one, whether the VM has run or not: the error is the documented one, and all
 * registers, the ID register on which an offer depends, and what the guest is
 * told are the same before and after. The registers were lowered before where
 * they could be, so that a refused write has something to spoil.
 *
 * Once the VM has run, a value that is refused in any case does not get EBUSY.
 */
#include "fw_regs_vm.h"

#define MALFORMED	0xa5a5a5a5a5a5a5a5UL

enum how {
	UNKNOWN_ID,
	WRONG_SIZE,
	BAD_ADDRESS,
	IS_MALFORMED,
	WRONG_FEATURE,
	ABOVE_OFFER,
	FROZEN,
	NR_WAYS,
};

static const struct {
	const char *name;
	int err;
} ways[NR_WAYS] = {
	[UNKNOWN_ID]	= { "of unknown id", ENOENT },
	[WRONG_SIZE]	= { "of wrong size", ENOENT },
	[BAD_ADDRESS]	= { "at bad address", EFAULT },
	[IS_MALFORMED]	= { "malformed", EINVAL },
	[WRONG_FEATURE]	= { "for another vCPU feature", EINVAL },
	[ABOVE_OFFER]	= { "above the offer", EINVAL },
	[FROZEN]	= { "after the first run", EBUSY },
};

/* Can there be such a write to @reg, at least on some host? */
static bool possible(bool strict, const struct fw_reg *reg, enum how how)
{
	switch (how) {
	case IS_MALFORMED:
		return reg->kind != FW_BITMAP;
	case WRONG_FEATURE:
		return reg->kind == FW_PSCI;
	case FROZEN:
		return fw_freezes(strict, reg);
	default:
		return true;
	}
}

/* Write to @reg so that it is refused; the errno, or -1 if this host offers too much. */
static int refused_set(struct kvm_vcpu *vcpu, const struct fw_reg *reg, enum how how, u64 offer)
{
	u64 vals[2] = { offer };

	switch (how) {
	case UNKNOWN_ID:
		return fw_set_at(vcpu, reg->id | 0x8000, vals);
	case WRONG_SIZE:
		return fw_set_at(vcpu, fw_resize(reg->id, FW_SIZE_U64 + 1), vals);
	case BAD_ADDRESS:
		return fw_set_at(vcpu, reg->id, NULL);
	case IS_MALFORMED:
		return fw_set(vcpu, reg, MALFORMED);
	case WRONG_FEATURE:
		return fw_set(vcpu, reg, PSCI_VERSION(0, 1));
	case ABOVE_OFFER:
		if (reg->kind == FW_WORKAROUND)
			return offer < reg->max ? fw_set(vcpu, reg, reg->max) : -1;
		/* The next version, or the lowest service that there is not. */
		return fw_set(vcpu, reg, (offer + 1) & ~offer);
	case FROZEN:
		return offer != reg->low ? fw_set(vcpu, reg, offer) : -1;
	case NR_WAYS:
		break;
	}
	return -1;
}

static void ask_all(struct kvm_vcpu *vcpu, u64 answers[FW_NR_REGS])
{
	int i;

	for (i = 0; i < FW_NR_REGS; i++)
		answers[i] = fw_guest_ask(vcpu, &fw_regs[i]);
}

static void test(bool strict, const struct fw_reg *reg, enum how how, bool ran)
{
	u64 told_before[FW_NR_REGS] = {}, told_after[FW_NR_REGS] = {}, offer;
	const char *lacking = fw_vm_lacking(strict);
	struct fw_state before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	char name[128];
	int i, err;
	bool ok;

	snprintf(name, sizeof(name), "%s written %s, %s %s, nothing changes", reg->name,
		 ways[how].name, fw_vm_name(strict), ran ? "ran" : "is fresh");
	if (lacking) {
		ksft_test_result_skip("%s: %s\n", name, lacking);
		return;
	}

	vm = fw_vm_create(strict, &vcpu, 1);
	offer = fw_offer(vcpu, reg);
	for (i = 0; i < FW_NR_REGS; i++)
		TEST_ASSERT(!fw_set(vcpu, &fw_regs[i], fw_regs[i].low), "Cannot lower %s",
			    fw_regs[i].name);
	if (ran)
		ask_all(vcpu, told_before);

	before = fw_state(vcpu);
	err = refused_set(vcpu, reg, how, offer);
	after = fw_state(vcpu);

	if (ran)
		ask_all(vcpu, told_after);

	ok = err == ways[how].err && fw_state_equal(&before, &after) &&
	     !memcmp(told_before, told_after, sizeof(told_before));
	if (err < 0)
		ksft_test_result_skip("%s: no such value on this host\n", name);
	else
		ksft_test_result(ok, "%s\n", name);
	if (err >= 0 && err != ways[how].err)
		ksft_print_msg("got %s\n", fw_errno_name(err));

	kvm_vm_free(vm);
}

/* Test all, or only count. */
static int for_all(bool count)
{
	int i, how, strict, tests = 0;

	for (strict = 0; strict <= 1; strict++) {
		for (i = 0; i < FW_NR_REGS; i++) {
			for (how = 0; how < NR_WAYS; how++) {
				if (!possible(strict, &fw_regs[i], how))
					continue;
				tests += how == FROZEN ? 1 : 2;
				if (count)
					continue;
				if (how != FROZEN)
					test(strict, &fw_regs[i], how, false);
				test(strict, &fw_regs[i], how, true);
			}
		}
	}
	return tests;
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(for_all(true));
	for_all(false);
	ksft_finished();
}
