/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two threads that race. Both share one CPU, and one has a realtime priority: it
 * sleeps for a random time, then preempts the other one at any instruction, as
 * far as the kernel is preemptible, and does what it has to do before the other
 * one goes on. So an ioctl that decides in one critical section and stores in
 * another, or decides before it takes the lock, is cut in two soon.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_RACE_H
#define SELFTEST_KVM_ARM64_FW_REGS_RACE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "kvm_util.h"
#include "test_util.h"

#define MAX_NS		(3 * NSEC_PER_SEC)
#define MIN_ROUNDS	20
#define MAX_ROUNDS	2000

static inline void random_sleep(long min_ns, long max_ns)
{
	static unsigned int seed = 1;
	struct timespec ts = { .tv_nsec = min_ns + rand_r(&seed) % (max_ns - min_ns) };

	TEST_ASSERT(!clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), "clock_nanosleep() failed");
}

/* This thread goes first on the one CPU that there is for all. */
static inline void go_first(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity() failed");
	TEST_ASSERT(!sched_setscheduler(0, SCHED_FIFO, &param), "sched_setscheduler() failed");
}

/* The other thread has what is left. */
static inline pthread_t start(void *(*fn)(void *), void *arg)
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

/* Slow machines make fewer rounds. */
static inline bool time_is_up(const struct timespec *since, int rounds)
{
	return rounds >= MAX_ROUNDS ||
	       (rounds >= MIN_ROUNDS && timespec_to_ns(timespec_elapsed(*since)) > MAX_NS);
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_RACE_H */
