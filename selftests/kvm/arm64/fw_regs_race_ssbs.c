// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_race_ssbs - Promises of WORKAROUND_2 against ID_AA64PFR1_EL1
 *
 * One thread promises "not required" in WORKAROUND_2 and takes it back, the
 * other one makes SSBS visible and hides it. Whichever succeeds must find the
 * other one undone, and undone it stays until the first one takes its own back.
 * Each is done once amid many of the other, which it preempts.
 */
#include "fw_regs_race.h"
#include "fw_regs_vm.h"

/* What a thread does to one of the two, and what must hold until it takes it back. */
struct side {
	struct kvm_vcpu *vcpu;
	u64 ssbs;
	int (*make)(struct side *side);
	bool (*holds)(struct side *side);
	void (*take_back)(struct side *side);
	unsigned long made, refused, broken;
	atomic_bool stop;
};

static int promise(struct side *side)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

	return fw_set(side->vcpu, wa2, wa2->max);
}

static void break_word(struct side *side)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

	TEST_ASSERT(!fw_set(side->vcpu, wa2, wa2->low), "Cannot take a promise back");
}

static bool is_promised(struct side *side)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

	return fw_get(side->vcpu, wa2) == wa2->max && !fw_get_ssbs(side->vcpu);
}

static int show(struct side *side)
{
	return fw_set_ssbs(side->vcpu, side->ssbs);
}

static void hide(struct side *side)
{
	TEST_ASSERT(!fw_set_ssbs(side->vcpu, 0), "SSBS is still shown");
}

static bool is_shown(struct side *side)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

	return fw_get(side->vcpu, wa2) == wa2->low && fw_get_ssbs(side->vcpu);
}

static void *make_until_stopped(void *arg)
{
	struct side *side = arg;

	while (!side->stop) {
		if (side->make(side)) {
			side->refused++;
			continue;
		}
		side->made++;
		side->broken += !side->holds(side);
		side->take_back(side);
	}
	return NULL;
}

/* Preempts the other thread; what it makes then must hold until it takes it back. */
static void make_once(struct side *side)
{
	random_sleep(20 * 1000, 200 * 1000);
	if (side->make(side)) {
		side->refused++;
		return;
	}
	side->made++;
	if (!side->holds(side)) {
		side->broken++;
	} else {
		random_sleep(20 * 1000, 200 * 1000);
		side->broken += !side->holds(side);
	}
	side->take_back(side);
}

static void race_ssbs(struct side *once, struct side *again, const char *name)
{
	struct timespec since;
	pthread_t thread;
	int rounds;

	thread = start(make_until_stopped, again);
	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++)
		make_once(once);
	again->stop = true;
	pthread_join(thread, NULL);

	ksft_print_msg("%lu of %d made against %lu of %lu\n", once->made, rounds, again->made,
		       again->made + again->refused);
	ksft_test_result(!once->broken && !again->broken && once->made && again->made, "%s\n",
			 name);
	if (once->broken || again->broken)
		ksft_print_msg("%lu and %lu broken\n", once->broken, again->broken);
}

static void test_ssbs(bool set_once)
{
	const char *name = set_once ? "WORKAROUND_2 set amid writes of ID_AA64PFR1_EL1" :
				      "ID_AA64PFR1_EL1 written amid sets of WORKAROUND_2";
	struct side setter = { .make = promise, .holds = is_promised, .take_back = break_word };
	struct side shower = { .make = show, .holds = is_shown, .take_back = hide };
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm;
	u64 offer;

	vm = fw_vm_create(true, vcpus, 2);
	setter.vcpu = vcpus[0];
	shower.vcpu = vcpus[1];
	shower.ssbs = fw_get_ssbs(vcpus[0]);
	offer = fw_get(vcpus[0], &fw_regs[FW_WORKAROUND_2]);
	hide(&shower);

	if (fw_get(vcpus[0], &fw_regs[FW_WORKAROUND_2]) == offer) {
		ksft_test_result_skip("%s: the offer does not depend on it\n", name);
	} else {
		break_word(&setter);
		race_ssbs(set_once ? &setter : &shower, set_once ? &shower : &setter, name);
	}

	kvm_vm_free(vm);
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(2);

	go_first();
	test_ssbs(true);
	test_ssbs(false);

	ksft_finished();
}
