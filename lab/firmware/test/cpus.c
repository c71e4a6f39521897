// SPDX-License-Identifier: GPL-2.0

/* The CPUs: they are switched on, call, sleep, go and come back. */

#include "test.h"

#define GICR_ISENABLER0(cpu)	(0x080b0100 + 0x20000ul * (cpu))
#define ICC_HPPIR1_EL1		S3_0_C12_C12_2
#define ICC_IGRPEN1_EL1		S3_0_C12_C12_7
#define ICC_PMR_EL1		S3_0_C4_C6_0
#define ICC_SRE_EL2		S3_4_C12_C9_5

#define TIMER		30	/* the non-secure physical timer's interrupt */

/* How often all CPUs call at the same time. */
#define ROUNDS		2000

#define SCTLR_M_C_I	0x1005
#define DAIF_MASKED	0x3c0

/* What a CPU that was switched on tells, and is told. */
static volatile struct {
	u64 entry, stack, number, el, sctlr, daif;
	u32 bad_calls;
	u32 slept;
	enum { BORN, CALL, CALLED, SLEEP, SLEPT, LEAVE, RESET } step;
} cpus[CPUS];

#define TEXT(name) #name
#define read(name) ({ u64 value; asm volatile("mrs %0, " TEXT(name) : "=r"(value)); value; })
#define write(name, value) asm volatile("msr " TEXT(name) ", %0\n\tisb" :: "r"((u64)(value)))

/* Sleeps until the timer's interrupt. Without it, for ever. Returns which one is pending then. */
static u32 sleep(u32 number)
{
	u32 pending;

	*(volatile u32 *)GICR_ISENABLER0(number) = 1u << TIMER;
	write(ICC_SRE_EL2, 7);
	write(ICC_PMR_EL1, 0xff);
	write(ICC_IGRPEN1_EL1, 1);
	write(cntp_tval_el0, read(cntfrq_el0) / 1000);
	write(cntp_ctl_el0, 1);
	if (psci(CPU_SUSPEND, 0, 0, 0) != 0)
		return 0;
	pending = read(ICC_HPPIR1_EL1);
	write(cntp_ctl_el0, 0);
	return pending;
}

static u32 bad_calls(void)
{
	struct registers registers;
	u32 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++)
		bad += call(0xc6000000, i, 0, 0, &registers) != NOT_SUPPORTED || !kept(&registers);
	return bad;
}

/* Waits until a CPU is on or off. It need not be so at once. */
static void await(u32 number, s64 state)
{
	while (psci(AFFINITY_INFO, number, 0, 0) != state)
		;
}

/* A CPU that was switched on. */
void other(u64 stack, u64 entry)
{
	u32 number = read(mpidr_el1) & 0xff;

	if (number >= CPUS)
		number = 0;
	cpus[number].entry = entry;
	cpus[number].stack = stack;
	cpus[number].number = number;
	cpus[number].el = read(CurrentEL) >> 2;
	cpus[number].sctlr = read(sctlr_el2);
	cpus[number].daif = read(daif);
	cpus[number].step = BORN;
	for (;;) {
		switch (cpus[number].step) {
		case CALL:
			cpus[number].bad_calls = bad_calls();
			cpus[number].step = CALLED;
			break;
		case SLEEP:
			cpus[number].slept = sleep(number);
			cpus[number].step = SLEPT;
			break;
		case LEAVE:
			psci(CPU_OFF, 0, 0, 0);
			break;
		case RESET:
			await(0, OFF);
			psci(SYSTEM_RESET, 0, 0, 0);
			cpus[number].step = BORN;
			break;
		default:
			break;
		}
	}
}

static s64 switch_on(u32 number, const char *entry)
{
	cpus[number].step = LEAVE;
	return psci(CPU_ON, number, (u64)entry, (u64)stacks[number + 1]);
}

static int is_born(u32 number, u64 entry)
{
	while (cpus[number].step != BORN)
		;
	return cpus[number].entry == entry && cpus[number].number == number &&
	       cpus[number].stack == (u64)stacks[number + 1];
}

/* One of the others comes, sleeps, goes, and comes again. */
static void test_cpu(u32 number)
{
	s64 again;

	cpu_result(switch_on(number, entry_1) == 0, number, "CPU_ON");
	again = psci(CPU_ON, number, (u64)entry_2, 0);
	cpu_result(again == ALREADY_ON || again == ON_PENDING, number, "CPU_ON at once again");
	cpu_result(is_born(number, 1), number, "begins at the entry, with the context");
	cpu_result(cpus[number].el == 2 && !(cpus[number].sctlr & SCTLR_M_C_I), number,
		   "begins at EL2, without MMU and caches");
	cpu_result(cpus[number].daif == DAIF_MASKED, number, "begins with exceptions masked");
	await(number, ON);
	cpu_result(psci(CPU_ON, number, (u64)entry_2, 0) == ALREADY_ON, number, "is on");

	cpus[number].step = SLEEP;
	while (cpus[number].step != SLEPT)
		;
	cpu_result(cpus[number].slept == TIMER, number, "CPU_SUSPEND until its timer's interrupt");

	cpus[number].step = LEAVE;
	await(number, OFF);
	cpu_result(switch_on(number, entry_2) == 0, number, "CPU_ON after CPU_OFF");
	cpu_result(is_born(number, 2), number, "begins at another entry");
}

static void test_together(void)
{
	u32 bad;

	for (u32 number = 1; number < CPUS; number++)
		cpus[number].step = CALL;
	bad = bad_calls();
	for (u32 number = 1; number < CPUS; number++) {
		while (cpus[number].step != CALLED)
			;
		bad += cpus[number].bad_calls;
	}
	result(!bad, "all CPUs call at the same time");
}

void test_cpus(void)
{
	result(sleep(0) == TIMER, "CPU_SUSPEND until the timer's interrupt");
	for (u32 number = 1; number < CPUS; number++)
		test_cpu(number);
	test_together();
}

/* CPUs 0 and 2 are off when CPU 3 resets the board, and CPU 1 is on. */
void reset(void)
{
	cpus[2].step = LEAVE;
	await(2, OFF);
	cpus[3].step = RESET;
	psci(CPU_OFF, 0, 0, 0);
}

void test_after_reset(void)
{
	int good = psci(AFFINITY_INFO, 0, 0, 0) == ON;

	for (u32 number = 1; number < CPUS; number++)
		good &= psci(AFFINITY_INFO, number, 0, 0) == OFF;
	result(good, "SYSTEM_RESET: only the first CPU is on");
	result(switch_on(1, entry_1) == 0 && is_born(1, 1), "SYSTEM_RESET: others can be on");
}
