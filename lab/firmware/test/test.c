// SPDX-License-Identifier: GPL-2.0

/* The calls and their results. */

#include "test.h"

/* Where the first start leaves word for the second. */
#define IS_RESET	0x52455345
static volatile u32 word __attribute__((section(".kept")));

static const struct {
	const char *name;
	u64 id, arg1, arg2;
	s64 result;
} calls[] = {
	{ "PSCI_VERSION: 1.1", PSCI_VERSION, 0, 0, 0x10001 },
	{ "SMCCC_VERSION: 1.1", SMCCC_VERSION, 0, 0, 0x10001 },
	{ "the upper half of x0 is no part of the number", 0xbad00000000 | PSCI_VERSION, 0, 0,
	  0x10001 },

	{ "PSCI_FEATURES: CPU_SUSPEND", PSCI_FEATURES, CPU_SUSPEND, 0, 0 },
	{ "PSCI_FEATURES: CPU_OFF", PSCI_FEATURES, CPU_OFF, 0, 0 },
	{ "PSCI_FEATURES: CPU_ON", PSCI_FEATURES, CPU_ON, 0, 0 },
	{ "PSCI_FEATURES: CPU_ON, SMC32", PSCI_FEATURES, CPU_ON_32, 0, 0 },
	{ "PSCI_FEATURES: AFFINITY_INFO", PSCI_FEATURES, AFFINITY_INFO, 0, 0 },
	{ "PSCI_FEATURES: SYSTEM_OFF", PSCI_FEATURES, SYSTEM_OFF, 0, 0 },
	{ "PSCI_FEATURES: SYSTEM_RESET", PSCI_FEATURES, SYSTEM_RESET, 0, 0 },
	{ "PSCI_FEATURES: SMCCC_VERSION", PSCI_FEATURES, SMCCC_VERSION, 0, 0 },
	{ "PSCI_FEATURES: no MIGRATE", PSCI_FEATURES, 0x84000005, 0, NOT_SUPPORTED },
	{ "PSCI_FEATURES: none of another service", PSCI_FEATURES, ARCH_FEATURES, 0,
	  NOT_SUPPORTED },

	{ "ARCH_FEATURES: SMCCC_VERSION", ARCH_FEATURES, SMCCC_VERSION, 0, 0 },
	{ "ARCH_FEATURES: ARCH_FEATURES", ARCH_FEATURES, ARCH_FEATURES, 0, 0 },
	{ "ARCH_FEATURES: no SOC_ID", ARCH_FEATURES, 0x80000002, 0, NOT_SUPPORTED },
	{ "ARCH_FEATURES: no WORKAROUND_4", ARCH_FEATURES, 0x80000004, 0, NOT_SUPPORTED },
	{ "ARCH_FEATURES: none of another service", ARCH_FEATURES, CPU_ON, 0, NOT_SUPPORTED },
	{ "WORKAROUND_1 can be called", WORKAROUND_1, 0, 0, 0 },
	{ "WORKAROUND_2 can be called", WORKAROUND_2, 1, 0, 0 },
	{ "WORKAROUND_3 can be called", WORKAROUND_3, 0, 0, 0 },

	{ "unknown: of the architecture", 0x80000005, 0, 0, NOT_SUPPORTED },
	{ "unknown: of PSCI", 0x84000006, 0, 0, NOT_SUPPORTED },
	{ "unknown: SYSTEM_RESET, SMC64", SYSTEM_RESET | 0x40000000, 0, 0, NOT_SUPPORTED },
	{ "unknown: PSCI_VERSION, yielding", PSCI_VERSION & 0x7fffffff, 0, 0, NOT_SUPPORTED },
	{ "unknown: of a vendor", 0xc6000000, 0, 0, NOT_SUPPORTED },
	{ "unknown: the lowest", 0, 0, 0, NOT_SUPPORTED },
	{ "unknown: the highest", 0xffffffff, 0, 0, NOT_SUPPORTED },

	{ "CPU_ON: oneself", CPU_ON, 0, (u64)entry_1, ALREADY_ON },
	{ "CPU_ON: no such CPU", CPU_ON, CPUS, (u64)entry_1, INVALID_PARAMETERS },
	{ "CPU_ON: no such cluster", CPU_ON, 0x101, (u64)entry_1, INVALID_PARAMETERS },
	{ "CPU_ON: no such affinity 3", CPU_ON, 0x100000001, (u64)entry_1, INVALID_PARAMETERS },
	{ "CPU_ON: the upper halves do not count in SMC32", CPU_ON_32, 0xbad00000000,
	  0xbad00000000 + (u64)entry_1, ALREADY_ON },
	{ "CPU_ON: no RAM", CPU_ON, 1, 0x1000, INVALID_ADDRESS },
	{ "CPU_ON: no instruction", CPU_ON, 1, (u64)entry_1 + 2, INVALID_ADDRESS },
	{ "AFFINITY_INFO: oneself is on", AFFINITY_INFO, 0, 0, ON },
	{ "AFFINITY_INFO: another is off", AFFINITY_INFO, 1, 0, OFF },
	{ "AFFINITY_INFO: no such CPU", AFFINITY_INFO, CPUS, 0, INVALID_PARAMETERS },
	{ "AFFINITY_INFO: no such level", AFFINITY_INFO, 0, 1, INVALID_PARAMETERS },
	{ "CPU_SUSPEND: no power down", CPU_SUSPEND, 0x10000, (u64)entry_1, INVALID_PARAMETERS },
};

#define CALLS	(sizeof(calls) / sizeof(*calls))

/* The result of a call. What else came back is in `registers`. */
s64 call(u64 id, u64 arg1, u64 arg2, u64 arg3, struct registers *registers)
{
	registers->x[0] = id;
	registers->x[1] = arg1;
	registers->x[2] = arg2;
	registers->x[3] = arg3;
	smc(registers);
	return registers->x[0];
}

s64 psci(u64 id, u64 arg1, u64 arg2, u64 arg3)
{
	struct registers registers;

	return call(id, arg1, arg2, arg3, &registers);
}

int kept(const struct registers *registers)
{
	for (u32 n = 4; n <= 30; n++)
		if (registers->x[n] != KEPT + n)
			return 0;
	return 1;
}

/* Registers are judged with every call: it needs no case of its own. */
static void test_call(u32 index)
{
	struct registers registers;
	s64 got = call(calls[index].id, calls[index].arg1, calls[index].arg2, 0, &registers);
	int good = got == calls[index].result && kept(&registers);

	if (!good) {
		say("# x0 = ");
		say_hex(got);
		say(kept(&registers) ? "\n" : ", and x4 to x30 have changed\n");
	}
	result(good, calls[index].name);
}

/* What `lab check` compares with what it has configured. */
static void tell_answer(u64 workaround)
{
	say("# ARCH_FEATURES ");
	say_hex(workaround);
	say(" = ");
	say_hex(psci(ARCH_FEATURES, workaround, 0, 0));
	say("\n");
}

void first(void)
{
	if (word != IS_RESET) {
		say_plan(CALLS + CPU_RESULTS + RESET_RESULTS);
		tell_answer(WORKAROUND_1);
		tell_answer(WORKAROUND_2);
		tell_answer(WORKAROUND_3);
		for (u32 index = 0; index < CALLS; index++)
			test_call(index);
		test_cpus();
		word = IS_RESET;
		reset();
		result(0, "CPU_OFF came back");
	}
	test_after_reset();
	psci(SYSTEM_OFF, 0, 0, 0);
	result(0, "SYSTEM_OFF came back");
}
