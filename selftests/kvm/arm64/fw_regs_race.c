// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_race - Sets of pseudo-registers against what else changes a VM
 *
 * Against the first run: one thread sets all registers without pause, each to
 * one value and then to another; a second one lets the guest run for the first
 * time and ask what it has. The guest, get and the last set that succeeded must
 * tell the same: nothing changes behind a guest that has asked.
 *
 * Against ID_AA64PFR1_EL1: one thread promises "not required" in WORKAROUND_2
 * and takes it back, without pause; a second one makes SSBS visible. Where that
 * succeeds there is no such promise, and none can be made.
 *
 * Both threads share one CPU, and the second one has a realtime priority. It
 * sleeps for a random time, then preempts the first one at any instruction, as
 * far as the kernel is preemptible, and does all it has to do before the first
 * one goes on. So a set that decides in one critical section and stores in
 * another, or decides before it takes the lock, is cut in two soon.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "fw_regs_vm.h"

#define MAX_NS		(3 * NSEC_PER_SEC)
#define MIN_ROUNDS	20
#define MAX_ROUNDS	2000

struct setter {
	struct kvm_vcpu *vcpu;
	u64 values[FW_NR_REGS][2];
	/* The last value that was accepted. */
	u64 accepted[FW_NR_REGS];
	unsigned long sets;
	atomic_bool stop;
};

static unsigned int seed = 1;

static void random_sleep(long min_ns, long max_ns)
{
	struct timespec ts = { .tv_nsec = min_ns + rand_r(&seed) % (max_ns - min_ns) };

	TEST_ASSERT(!clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), "clock_nanosleep() failed");
}

/* This thread goes first on the one CPU that there is for all. */
static void go_first(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity() failed");
	TEST_ASSERT(!sched_setscheduler(0, SCHED_FIFO, &param), "sched_setscheduler() failed");
}

/* The other thread has what is left. */
static pthread_t start(void *(*fn)(void *), void *arg)
{
	struct sched_param param = {};
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	TEST_ASSERT(!pthread_create(&thread, &attr, fn, arg), "pthread_create() failed");
	pthread_attr_destroy(&attr);

	return thread;
}

static void set_all(struct setter *s, int which)
{
	int i;

	for (i = 0; i < FW_NR_REGS; i++) {
		if (!fw_set(s->vcpu, &fw_regs[i], s->values[i][which]))
			s->accepted[i] = s->values[i][which];
		s->sets++;
	}
}

static void *set_until_stopped(void *arg)
{
	struct setter *s = arg;
	unsigned int i;

	for (i = 0; !s->stop; i++)
		set_all(s, i % 2);
	/* Each value comes once more when there is no doubt. */
	set_all(s, 0);
	set_all(s, 1);

	return NULL;
}

static void ask_all(struct kvm_vcpu *vcpu, u64 answers[FW_NR_REGS])
{
	int i;

	for (i = 0; i < FW_NR_REGS; i++)
		answers[i] = fw_guest_ask(vcpu, &fw_regs[i]);
}

/* One first run; counts the registers about which the stories differ. */
static unsigned long race_first_run(int bad[FW_NR_REGS])
{
	u64 told[FW_NR_REGS], told_again[FW_NR_REGS];
	struct kvm_vcpu *vcpus[2];
	struct setter s = {};
	struct kvm_vm *vm;
	pthread_t thread;
	int i;

	vm = fw_vm_create(true, vcpus, 2);
	s.vcpu = vcpus[1];
	for (i = 0; i < FW_NR_REGS; i++) {
		s.values[i][0] = fw_offer(s.vcpu, &fw_regs[i]);
		s.values[i][1] = fw_regs[i].low;
		/* Without this service, the guest cannot ask for VENDOR_HYP_BMAP_2. */
		if (i == FW_VENDOR_HYP_BMAP)
			s.values[i][1] = BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT);
		s.accepted[i] = fw_get(s.vcpu, &fw_regs[i]);
	}

	thread = start(set_until_stopped, &s);
	random_sleep(100 * 1000, 1000 * 1000);
	ask_all(vcpus[0], told);
	s.stop = true;
	pthread_join(thread, NULL);
	ask_all(vcpus[0], told_again);

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 shown = fw_get(vcpus[0], reg);

		if (shown == s.accepted[i] && shown == fw_get(vcpus[1], reg) &&
		    told[i] == fw_guest_answer(reg, shown) && told_again[i] == told[i])
			continue;
		if (!bad[i]++)
			ksft_print_msg("%s: accepted 0x%lx, get 0x%lx, guest 0x%lx, then 0x%lx\n",
				       reg->name, s.accepted[i], shown, told[i], told_again[i]);
	}

	kvm_vm_free(vm);
	return s.sets;
}

static bool time_is_up(const struct timespec *since, int rounds)
{
	return rounds >= MAX_ROUNDS ||
	       (rounds >= MIN_ROUNDS && timespec_to_ns(timespec_elapsed(*since)) > MAX_NS);
}

static void test_first_run(void)
{
	int i, rounds, bad[FW_NR_REGS] = {};
	struct timespec since;
	unsigned long sets = 0;

	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++)
		sets += race_first_run(bad);

	ksft_print_msg("%d first runs against %lu sets\n", rounds, sets);
	for (i = 0; i < FW_NR_REGS; i++) {
		ksft_test_result(!bad[i], "%s never changes behind a guest that has asked\n",
				 fw_regs[i].name);
		if (bad[i])
			ksft_print_msg("%d of %d rounds\n", bad[i], rounds);
	}
}

struct promiser {
	struct kvm_vcpu *vcpu;
	unsigned long kept, refused;
	atomic_bool stop;
};

static void *promise_until_stopped(void *arg)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];
	struct promiser *p = arg;

	while (!p->stop) {
		if (fw_set(p->vcpu, wa2, wa2->max))
			p->refused++;
		else
			p->kept++;
		fw_set(p->vcpu, wa2, wa2->low);
	}
	return NULL;
}

/* Show SSBS, look for a promise then and later, hide it again. */
static bool race_ssbs(struct kvm_vcpu *vcpu, u64 ssbs, int *shown)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];
	u64 at_once, later;
	int err;

	random_sleep(20 * 1000, 200 * 1000);
	err = fw_set_ssbs(vcpu, ssbs);
	if (err)
		return err == EINVAL;

	(*shown)++;
	at_once = fw_get(vcpu, wa2);
	random_sleep(20 * 1000, 200 * 1000);
	later = fw_get(vcpu, wa2);
	err = fw_set_ssbs(vcpu, 0);

	return !err && at_once == wa2->low && later == wa2->low;
}

static void test_ssbs(void)
{
	const char *name = "WORKAROUND_2 is never broken by ID_AA64PFR1_EL1";
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];
	int rounds, shown = 0, bad = 0;
	struct promiser p = {};
	struct kvm_vcpu *vcpus[2];
	struct timespec since;
	pthread_t thread;
	struct kvm_vm *vm;
	u64 ssbs;

	vm = fw_vm_create(true, vcpus, 2);
	ssbs = fw_get_ssbs(vcpus[0]);
	TEST_ASSERT(!fw_set_ssbs(vcpus[0], 0), "Cannot hide SSBS");
	if (!ssbs || fw_get(vcpus[0], wa2) != wa2->max) {
		ksft_test_result_skip("%s: the offer does not depend on it\n", name);
		goto out;
	}

	p.vcpu = vcpus[1];
	thread = start(promise_until_stopped, &p);
	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++)
		bad += !race_ssbs(vcpus[0], ssbs, &shown);
	p.stop = true;
	pthread_join(thread, NULL);

	ksft_print_msg("SSBS shown in %d of %d rounds; %lu promises made, %lu refused\n", shown,
		       rounds, p.kept, p.refused);
	ksft_test_result(!bad && shown && p.kept && p.refused, "%s\n", name);
	if (bad)
		ksft_print_msg("%d rounds are bad\n", bad);
out:
	kvm_vm_free(vm);
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(FW_NR_REGS + 1);

	go_first();
	test_first_run();
	test_ssbs();

	ksft_finished();
}
