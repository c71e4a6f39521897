// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_race - A set of a pseudo-register against the first run of the VM
 *
 * One thread runs a vCPU for the first time while another sets a register
 * through a second vCPU. Either the set comes first: then it succeeds, and get
 * and the guest see the new value; or it comes second: then it gets EBUSY, and
 * get and the guest see the old one. Nothing in between, and nothing changes
 * afterwards.
 *
 * Each round takes a new VM and moves the set a little towards the other side
 * of the run, so that it keeps crossing the moment that matters. Slow machines
 * make fewer rounds.
 */
#include <pthread.h>
#include <time.h>

#include "fw_regs_vm.h"

/* Per register, and for all registers together. */
#define MAX_ROUNDS	100
#define MIN_ROUNDS	10
#define MAX_NS		(3 * NSEC_PER_SEC)

/* In turns of the delay loop. */
#define MIN_STEP	16L
#define MAX_STEP	100000L
#define MAX_DELAY	1000000L

struct round {
	const struct fw_reg *reg;
	struct kvm_vcpu *vcpu;
	pthread_barrier_t start;
	u64 before;
	u64 val;
	int err;
};

/* The lead of the run over the set; the set's if negative. */
static long lead;

static void aim(bool set_came_first)
{
	static long step = MIN_STEP;
	static bool last;

	step = set_came_first == last ? min(step * 2, MAX_STEP) :
					max(step / 4, MIN_STEP);
	last = set_came_first;

	lead += set_came_first ? step : -step;
	lead = min(max(lead, -MAX_DELAY), MAX_DELAY);
}

static void delay(long turns)
{
	while (turns-- > 0)
		barrier();
}

static void *setter(void *arg)
{
	struct round *r = arg;

	pthread_barrier_wait(&r->start);
	delay(lead);
	r->err = fw_set(r->vcpu, r->reg, r->val);

	return NULL;
}

/* One round; is every observer's story the same? */
static bool race(struct round *r)
{
	const struct fw_reg *reg = r->reg;
	u64 after, told, told_again, shown[2];
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm;
	pthread_t thread;
	bool ok;

	vm = fw_vm_create(true, vcpus, 2);
	r->vcpu = vcpus[1];

	pthread_barrier_init(&r->start, NULL, 2);
	pthread_create(&thread, NULL, setter, r);
	pthread_barrier_wait(&r->start);
	delay(-lead);
	told = fw_guest_ask(vcpus[0], reg);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&r->start);

	told_again = fw_guest_ask(vcpus[0], reg);
	shown[0] = fw_get(vcpus[0], reg);
	shown[1] = fw_get(vcpus[1], reg);

	after = r->err ? r->before : r->val;
	ok = (!r->err || r->err == EBUSY) &&
	     shown[0] == after && shown[1] == after &&
	     told == fw_guest_answer(reg, after) && told_again == told;
	if (!ok)
		ksft_print_msg("set %s, get 0x%lx 0x%lx, guest 0x%lx 0x%lx\n",
			       fw_errno_name(r->err), shown[0], shown[1], told, told_again);

	kvm_vm_free(vm);
	return ok;
}

static void test_reg(const struct fw_reg *reg, long max_ns)
{
	struct round r = { .reg = reg };
	int rounds, won = 0, bad = 0;
	struct timespec start;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (!fw_change_after_run(reg)) {
		ksft_test_result_skip("%s: does not freeze when the VM runs\n", reg->name);
		return;
	}

	vm = fw_vm_create(true, &vcpu, 1);
	r.before = fw_get(vcpu, reg);
	r.val = fw_other(reg, fw_offer(vcpu, reg), r.before);
	kvm_vm_free(vm);
	if (r.val == r.before) {
		ksft_test_result_skip("%s: this host offers one value only\n", reg->name);
		return;
	}

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (rounds = 0; rounds < MAX_ROUNDS; rounds++) {
		if (rounds >= MIN_ROUNDS &&
		    timespec_to_ns(timespec_elapsed(start)) > max_ns)
			break;

		bad += !race(&r);
		won += !r.err;
		aim(!r.err);
	}

	ksft_print_msg("%s: set came first in %d of %d rounds\n", reg->name, won, rounds);
	ksft_test_result(!bad, "%s set against first run: before or EBUSY, never in between\n",
			 reg->name);
}

int main(void)
{
	int i, nr_freezing = 0;

	for (i = 0; i < FW_NR_REGS; i++)
		nr_freezing += !!fw_change_after_run(&fw_regs[i]);

	ksft_print_header();
	ksft_set_plan(FW_NR_REGS);

	for (i = 0; i < FW_NR_REGS; i++)
		test_reg(&fw_regs[i], MAX_NS / max(nr_freezing, 1));

	ksft_finished();
}
