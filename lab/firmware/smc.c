// SPDX-License-Identifier: GPL-2.0

/*
 * The calls, SMCCC 1.1 (DEN0028, DEN0070) and PSCI 1.1 (DEN0022), and the CPUs that wait for
 * CPU_ON.
 */

#include "firmware.h"

#define SMCCC_VERSION		0x80000000
#define ARCH_FEATURES		0x80000001
#define ARCH_WORKAROUND_3	0x80003fff
#define ARCH_WORKAROUND_2	0x80007fff
#define ARCH_WORKAROUND_1	0x80008000
#define PSCI_VERSION		0x84000000
#define CPU_SUSPEND		0x84000001
#define CPU_OFF			0x84000002
#define CPU_ON			0x84000003
#define AFFINITY_INFO		0x84000004
#define SYSTEM_OFF		0x84000008
#define SYSTEM_RESET		0x84000009
#define PSCI_FEATURES		0x8400000a

#define SMC64			0x40000000
#define IS_ARCH(id)		((id) >> 16 == 0x8000)
#define IS_PSCI(id)		(((id) & ~SMC64) >> 16 == 0x8400)

#define VERSION_1_1		0x10001

enum {
	SUCCESS = 0,
	NOT_SUPPORTED = -1,
	INVALID_PARAMETERS = -2,
	ALREADY_ON = -4,
	ON_PENDING = -5,
	INVALID_ADDRESS = -9,
};

/* What AFFINITY_INFO tells. */
enum state { ON, OFF, PENDING };

/* Where a CPU begins, and with what in x0. */
struct start {
	u64 entry;
	u64 context;
};

/*
 * Whoever turns OFF into PENDING owns the start, until it sets an entry, which is never 0. Then the
 * CPU does, until it is ON. The exclusives behind this work without an MMU because it is QEMU that
 * runs them.
 */
static struct cpu {
	enum state state;
	struct start start;
} cpus[MAX_CPUS];

static u32 cpu_count;

/* To ARCH_FEATURES for WORKAROUND_1, _2, _3. */
static s32 answers[3];

static struct cpu *this_cpu(void)
{
	u64 mpidr;

	asm("mrs %0, mpidr_el1" : "=r"(mpidr));
	return &cpus[mpidr & 0xff];
}

/* The first CPU goes to the kernel. */
struct start start_first(void)
{
	for (u32 i = 0; i < 3; i++)
		answers[i] = ((volatile s32 *)ANSWERS)[i];
	cpu_count = gic_cpus();
	if (cpu_count > MAX_CPUS)
		die("more than 8 CPUs");
	for (u32 i = 0; i < cpu_count; i++)
		cpus[i] = (struct cpu){ i ? OFF : ON, { 0, 0 } };
	gic_init_cpu(0);
	gic_init_distributor();		/* lets the others go */
	return (struct start){ KERNEL, DEVICE_TREE };
}

/* Each other one goes where CPU_ON sends it. */
struct start start_other(void)
{
	struct cpu *cpu = this_cpu();
	struct start start;

	gic_init_cpu(cpu - cpus);
	while (!(start.entry = __atomic_load_n(&cpu->start.entry, __ATOMIC_ACQUIRE)))
		asm volatile("wfe");
	start.context = cpu->start.context;
	cpu->start.entry = 0;
	__atomic_store_n(&cpu->state, ON, __ATOMIC_RELEASE);
	return start;
}

typedef s64 service(u64 arg1, u64 arg2, u64 arg3);

static service *find(u32 id);

static s64 version(u64, u64, u64)
{
	return VERSION_1_1;
}

static s64 arch_features(u64 id, u64, u64)
{
	switch ((u32)id) {
	case ARCH_WORKAROUND_1:
		return answers[0];
	case ARCH_WORKAROUND_2:
		return answers[1];
	case ARCH_WORKAROUND_3:
		return answers[2];
	}
	return IS_ARCH((u32)id) && find(id) ? SUCCESS : NOT_SUPPORTED;
}

/* Nothing to do: QEMU's CPUs do not speculate. */
static s64 workaround(u64, u64, u64)
{
	return SUCCESS;
}

static s64 psci_features(u64 id, u64, u64)
{
	int in_scope = IS_PSCI((u32)id) || (u32)id == SMCCC_VERSION;

	return in_scope && find(id) ? SUCCESS : NOT_SUPPORTED;
}

/* The only state is a standby of the CPU, which an interrupt ends and which loses nothing. */
static s64 cpu_suspend(u64 power_state, u64, u64)
{
	if (power_state >> 16)
		return INVALID_PARAMETERS;
	asm volatile("dsb sy\n\twfi");
	return SUCCESS;
}

static s64 cpu_off(u64, u64, u64)
{
	__atomic_store_n(&this_cpu()->state, OFF, __ATOMIC_RELEASE);
	park();
}

static s64 cpu_on(u64 target, u64 entry, u64 context)
{
	enum state state = OFF;
	struct cpu *cpu = &cpus[target];

	if (target >= cpu_count)
		return INVALID_PARAMETERS;
	if (entry < RAM || entry & 3)
		return INVALID_ADDRESS;
	if (!__atomic_compare_exchange_n(&cpu->state, &state, PENDING, 0,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return state == ON ? ALREADY_ON : ON_PENDING;
	cpu->start.context = context;
	__atomic_store_n(&cpu->start.entry, entry, __ATOMIC_RELEASE);
	asm volatile("dsb sy\n\tsev");
	return SUCCESS;
}

static s64 affinity_info(u64 target, u64 level, u64)
{
	if (target >= cpu_count || level)
		return INVALID_PARAMETERS;
	return __atomic_load_n(&cpus[target].state, __ATOMIC_ACQUIRE);
}

static s64 system_off(u64, u64, u64)
{
	pull(POWER_OFF);
}

static s64 system_reset(u64, u64, u64)
{
	pull(RESET);
}

static const struct {
	u32 id;
	service *service;
} services[] = {
	{ SMCCC_VERSION, version },
	{ ARCH_FEATURES, arch_features },
	{ ARCH_WORKAROUND_1, workaround },
	{ ARCH_WORKAROUND_2, workaround },
	{ ARCH_WORKAROUND_3, workaround },
	{ PSCI_VERSION, version },
	{ PSCI_FEATURES, psci_features },
	{ CPU_SUSPEND, cpu_suspend },
	{ CPU_SUSPEND | SMC64, cpu_suspend },
	{ CPU_OFF, cpu_off },
	{ CPU_ON, cpu_on },
	{ CPU_ON | SMC64, cpu_on },
	{ AFFINITY_INFO, affinity_info },
	{ AFFINITY_INFO | SMC64, affinity_info },
	{ SYSTEM_OFF, system_off },
	{ SYSTEM_RESET, system_reset },
};

static service *find(u32 id)
{
	for (u32 i = 0; i < sizeof(services) / sizeof(*services); i++)
		if (services[i].id == id)
			return services[i].service;
	return 0;
}

/* An SMC, with the caller's x0 to x3. */
s64 serve(u64 id, u64 arg1, u64 arg2, u64 arg3)
{
	service *service = find(id);

	if (!service)
		return NOT_SUPPORTED;
	if (id & SMC64)
		return service(arg1, arg2, arg3);
	return service((u32)arg1, (u32)arg2, (u32)arg3);
}
