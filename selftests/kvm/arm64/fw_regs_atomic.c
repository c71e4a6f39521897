// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_atomic - A refused write changes nothing
 *
 * For each register and each way to be refused: all eight registers, the ID
 * register on which an offer depends, and what the guest is told are the same
 * before and after, whether the VM has run or not. The registers were lowered
 * before where they could be, so that a refused write has something to spoil.
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

static const char * const names[NR_WAYS] = {
	[UNKNOWN_ID]	= "of unknown id",
	[WRONG_SIZE]	= "of wrong size",
	[BAD_ADDRESS]	= "at bad address",
	[IS_MALFORMED]	= "malformed",
	[WRONG_FEATURE]	= "for another vCPU feature",
	[ABOVE_OFFER]	= "above the offer",
	[FROZEN]	= "after the first run",
};

static const int errnos[NR_WAYS] = {
	[UNKNOWN_ID]	= ENOENT,
	[WRONG_SIZE]	= ENOENT,
	[BAD_ADDRESS]	= EFAULT,
	[IS_MALFORMED]	= EINVAL,
	[WRONG_FEATURE]	= EINVAL,
	[ABOVE_OFFER]	= EINVAL,
	[FROZEN]	= EBUSY,
};

/* Can there be such a write to @reg, at least on some host? */
static bool possible(const struct fw_reg *reg, enum how how)
{
	switch (how) {
	case IS_MALFORMED:
		return reg->kind != FW_BITMAP;
	case WRONG_FEATURE:
		return reg->kind == FW_PSCI;
	case ABOVE_OFFER:
		return reg->kind != FW_PSCI;
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
		return fw_set_at(vcpu, reg->id + FW_NR_REGS, vals);
	case WRONG_SIZE:
		return fw_set_at(vcpu, fw_resize(reg->id, FW_SIZE_U64 + 1), vals);
	case BAD_ADDRESS:
		return fw_set_at(vcpu, reg->id, NULL);
	case IS_MALFORMED:
		return fw_set(vcpu, reg, MALFORMED);
	case WRONG_FEATURE:
		return fw_set(vcpu, reg, PSCI_VERSION(0, 1));
	case ABOVE_OFFER:
		if (reg->kind == FW_BITMAP)
			return fw_set(vcpu, reg, reg->max + 1);
		return offer < reg->max ? fw_set(vcpu, reg, reg->max) : -1;
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

static void test(const struct fw_reg *reg, enum how how, bool ran)
{
	u64 told_before[FW_NR_REGS] = {}, told_after[FW_NR_REGS] = {}, offer;
	struct fw_state before, after;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	char name[128];
	int i, err;
	bool ok;

	snprintf(name, sizeof(name), "%s written %s, VM %s, nothing changes", reg->name,
		 names[how], ran ? "ran" : "is fresh");

	vm = fw_vm_create(true, &vcpu, 1);
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

	ok = err == errnos[how] && fw_state_equal(&before, &after) &&
	     !memcmp(told_before, told_after, sizeof(told_before));
	if (err < 0)
		ksft_test_result_skip("%s: no such value on this host\n", name);
	else
		ksft_test_result(ok, "%s\n", name);
	if (err >= 0 && err != errnos[how])
		ksft_print_msg("got %s\n", fw_errno_name(err));

	kvm_vm_free(vm);
}

int main(void)
{
	int i, how, plan = 0;

	for (i = 0; i < FW_NR_REGS; i++) {
		for (how = 0; how < NR_WAYS; how++) {
			if (possible(&fw_regs[i], how))
				plan += how == FROZEN ? 1 : 2;
		}
	}

	ksft_print_header();
	ksft_set_plan(plan);

	for (i = 0; i < FW_NR_REGS; i++) {
		for (how = 0; how < NR_WAYS; how++) {
			if (!possible(&fw_regs[i], how))
				continue;
			if (how != FROZEN)
				test(&fw_regs[i], how, false);
			test(&fw_regs[i], how, true);
		}
	}

	ksft_finished();
}
