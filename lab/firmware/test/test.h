/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Tests the firmware from where a kernel would be: what it answers, that the other CPUs come, go
 * and come back, that it changes no register that it must not, and that the board resets and goes
 * off. Speaks KTAP on the console; `lab check` starts it and judges (see check/firmware.rs).
 *
 * It knows nothing of the firmware but the documents: SMCCC DEN0028, PSCI DEN0022.
 *
 * start.S  where CPUs come in, and the call to the firmware
 * test.c   the calls and their results
 * cpus.c   the CPUs that come and go
 * ktap.c   what is said
 */

#define CPUS		4
#define STACK_SIZE	4096

/* What x4 to x30 hold during a call, but for the register's number. */
#define KEPT		0x5a00

#ifndef __ASSEMBLER__

typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

#define PSCI_VERSION	0x84000000
#define CPU_SUSPEND	0xc4000001
#define CPU_OFF		0x84000002
#define CPU_ON		0xc4000003
#define CPU_ON_32	0x84000003
#define AFFINITY_INFO	0xc4000004
#define SYSTEM_OFF	0x84000008
#define SYSTEM_RESET	0x84000009
#define PSCI_FEATURES	0x8400000a
#define SMCCC_VERSION	0x80000000
#define ARCH_FEATURES	0x80000001
#define WORKAROUND_1	0x80008000
#define WORKAROUND_2	0x80007fff
#define WORKAROUND_3	0x80003fff

#define NOT_SUPPORTED		-1
#define INVALID_PARAMETERS	-2
#define ALREADY_ON		-4
#define ON_PENDING		-5
#define INVALID_ADDRESS		-9

#define ON	0
#define OFF	1

struct registers {
	u64 x[31];
};

/* start.S: calls with x0 to x3, and tells all that come back. */
void smc(struct registers *registers);
extern char entry_1[], entry_2[], stacks[CPUS][STACK_SIZE];

/* test.c: the result of a call, and whether x4 to x30 are what they were. */
s64 call(u64 id, u64 arg1, u64 arg2, u64 arg3, struct registers *registers);
int kept(const struct registers *registers);
s64 psci(u64 id, u64 arg1, u64 arg2, u64 arg3);

/* cpus.c: so many results. */
#define CPU_RESULTS	(2 + 9 * (CPUS - 1))
#define RESET_RESULTS	2
void test_cpus(void);
void reset(void);
void test_after_reset(void);

/* ktap.c */
void say(const char *text);
void say_hex(u64 value);
void say_plan(u32 count);
void result(int good, const char *name);
void cpu_result(int good, u32 cpu, const char *name);

#endif
