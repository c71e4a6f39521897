/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two threads that race, in one of two ways.
 *
 * On one CPU, one of them has a realtime priority: it sleeps for a random time,
 * then preempts the other one at any instruction, as far as the kernel is
 * preemptible, and does what it has to do before the other one goes on. So an
 * ioctl that decides in one critical section and stores in another, or decides
 * before it takes the lock, is cut in two soon.
 *
 * On two CPUs, both run at the same time.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_RACE_H
#define SELFTEST_KVM_ARM64_FW_REGS_RACE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "kvm_util.h"
#include "test_util.h"

#define MAX_NS		(2 * NSEC_PER_SEC)
#define MIN_ROUNDS	30
#define MAX_ROUNDS	2000

enum race_mode {
	ONE_CPU,
	TWO_CPUS,
	NR_RACE_MODES,
};

static const char * const race_mode_names[NR_RACE_MODES] = {
	[ONE_CPU]	= "one CPU",
	[TWO_CPUS]	= "two CPUs",
};

/* How long each race takes instead, in seconds. */
static long race_seconds;

/* How many calls all races have made. */
static atomic_ulong race_calls;

/* Where the threads run. */
static int race_cpus[2];

static inline void race_parse_args(int argc, char *argv[])
{
	int opt;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		TEST_ASSERT(opt == 's', "Usage: %s [-s seconds]", argv[0]);
		race_seconds = atoi_positive("Seconds", optarg);
	}
}

static inline void race_print_calls(void)
{
	ksft_print_msg("%lu calls in all\n", race_calls);
}

static inline void random_sleep(long min_ns, long max_ns)
{
	static unsigned int seed = 1;
	struct timespec ts = { .tv_nsec = min_ns + rand_r(&seed) % (max_ns - min_ns) };

	TEST_ASSERT(!clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), "clock_nanosleep() failed");
}

/* This thread goes to its CPU. Returns why there is no such race here, or NULL. */
static inline const char *race_begin(enum race_mode mode)
{
	static cpu_set_t allowed;
	struct sched_param param = { .sched_priority = mode == ONE_CPU };
	int policy = mode == ONE_CPU ? SCHED_FIFO : SCHED_OTHER;
	cpu_set_t cpus;
	int cpu, nr = 0;

	if (!CPU_COUNT(&allowed))
		TEST_ASSERT(!sched_getaffinity(0, sizeof(allowed), &allowed),
			    "sched_getaffinity() failed");
	for (cpu = 0; cpu < CPU_SETSIZE && nr < 2; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			race_cpus[nr++] = cpu;
	}
	if (mode == ONE_CPU)
		race_cpus[1] = race_cpus[0];
	else if (nr < 2)
		return "there is one CPU only";

	if (sched_setscheduler(0, policy, &param)) {
		TEST_ASSERT(errno == EPERM, "sched_setscheduler() failed");
		return "no right to SCHED_FIFO";
	}

	CPU_ZERO(&cpus);
	CPU_SET(race_cpus[0], &cpus);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity() failed");
	return NULL;
}

/* The other thread, on its CPU, without a realtime priority. */
static inline pthread_t race_start(void *(*fn)(void *), void *arg)
{
	struct sched_param param = {};
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(race_cpus[1], &cpus);

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	TEST_ASSERT(!pthread_create(&thread, &attr, fn, arg), "pthread_create() failed");
	pthread_attr_destroy(&attr);

	return thread;
}

/* Slow machines make fewer rounds. */
static inline bool time_is_up(const struct timespec *since, int rounds)
{
	s64 elapsed = timespec_to_ns(timespec_elapsed(*since));

	if (race_seconds)
		return elapsed > race_seconds * NSEC_PER_SEC;
	return rounds >= MAX_ROUNDS || (rounds >= MIN_ROUNDS && elapsed > MAX_NS);
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_RACE_H */
