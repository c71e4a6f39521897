/* SPDX-License-Identifier: GPL-2.0 */

/*
 * An EL3 firmware for QEMU's "virt" board with secure=on. It starts the kernel that QEMU has put
 * into RAM, serves PSCI, and answers the discovery of the SMCCC workarounds as it was told.
 *
 * start.S  where CPUs and SMCs come in
 * board.c  the GIC, the power switch, and a word on the console
 * smc.c    the calls, and the CPUs that wait for CPU_ON
 *
 * The lab makes the device tree (see qemu.rs): this firmware has no need to read it.
 */

#define MAX_CPUS	8
#define STACK_SIZE	1024

/* RAM, and what QEMU puts where (see qemu.rs). At its start is a device tree without PSCI. */
#define RAM		0x40000000
#define DEVICE_TREE	0x40200000
#define ANSWERS		0x40300000	/* to ARCH_FEATURES for WORKAROUND_1, _2, _3: s32 each */
#define KERNEL		0x40400000

/* The board's GIC: CPUs wait until its distributor is set up. */
#define GICD		0x08000000

#ifndef __ASSEMBLER__

typedef unsigned int u32;
typedef int s32;
typedef unsigned long u64;
typedef long s64;

enum pin { POWER_OFF, RESET };

void gic_init_distributor(void);
void gic_init_cpu(u32 cpu);
u32 gic_cpus(void);
[[noreturn]] void pull(enum pin pin);
[[noreturn]] void die(const char *why);

/* Of start.S: waits for CPU_ON. */
[[noreturn]] void park(void);

#endif
