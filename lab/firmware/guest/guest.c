// SPDX-License-Identifier: GPL-2.0

/*
 * The guest that `lab migrate` moves: writes numbered lines, each with what its firmware answers
 * just then. It knows only its registers and its memory, so a line that is lost, doubled or wrong
 * was lost, doubled or spoilt on the way.
 *
 *	line 17 psci 0x10003 wa1 1 wa2 -2 wa3 -1
 */

typedef unsigned int u32;
typedef unsigned long u64;

/* The board: QEMU, hw/arm/virt.c. */
#define UART_DATA	0x09000000
#define UART_CONTROL	0x09000030
#define UART_TRANSMIT	0x101

#define GICD_CTLR	0x08000000
#define CTLR_GROUP1	0x12			/* with affinity routing */
#define GICR_WAKER	0x080a0014
#define WAKER_SLEEP	0x2
#define WAKER_ASLEEP	0x4
#define GICR_IGROUPR0	0x080b0080
#define GICR_ISENABLER0	0x080b0100
#define TIMER		27			/* the virtual one's interrupt */

#define LINES_A_SECOND	10

/* DEN0022, DEN0028. */
#define PSCI_VERSION	0x84000000
#define ARCH_FEATURES	0x80000001
#define WORKAROUND_1	0x80008000
#define WORKAROUND_2	0x80007fff
#define WORKAROUND_3	0x80003fff

#define read(name) ({							\
	u64 read_value;							\
									\
	asm volatile("isb; mrs %0, " #name : "=r" (read_value));	\
	read_value;							\
})

#define write(name, value) \
	asm volatile("msr " #name ", %0; isb" : : "r" ((u64)(value)))

static volatile u32 *reg(u64 address)
{
	return (volatile u32 *)address;
}

static int call(u32 function, u32 argument)
{
	register u64 x0 asm("x0") = function;
	register u64 x1 asm("x1") = argument;

	asm volatile("hvc #0" : "+r" (x0), "+r" (x1) : : "x2", "x3", "memory");
	return x0;
}

static void say(const char *text)
{
	while (*text)
		*reg(UART_DATA) = *text++;
}

static void say_number(u64 number, u32 base)
{
	char digits[24];
	char *digit = &digits[sizeof(digits) - 1];

	*digit = 0;
	do {
		*--digit = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	say(digit);
}

static void say_answer(const char *name, int answer)
{
	say(name);
	if (answer < 0)
		say("-");
	say_number(answer < 0 ? -(long)answer : answer, 10);
}

/* The timer is to end WFI: its interrupt is never taken. */
static void wake_by_timer(void)
{
	*reg(GICD_CTLR) = CTLR_GROUP1;
	*reg(GICR_WAKER) &= ~WAKER_SLEEP;
	while (*reg(GICR_WAKER) & WAKER_ASLEEP)
		;
	*reg(GICR_IGROUPR0) = 1 << TIMER;
	*reg(GICR_ISENABLER0) = 1 << TIMER;
	write(S3_0_C4_C6_0, 0xff);		/* ICC_PMR_EL1: all priorities */
	write(S3_0_C12_C12_7, 1);		/* ICC_IGRPEN1_EL1 */
}

static void sleep(void)
{
	u64 end = read(cntvct_el0) + read(cntfrq_el0) / LINES_A_SECOND;

	write(cntv_cval_el0, end);
	write(cntv_ctl_el0, 1);
	while (read(cntvct_el0) < end)
		asm volatile("wfi" : : : "memory");
	write(cntv_ctl_el0, 0);
}

void guest(void)
{
	*reg(UART_CONTROL) = UART_TRANSMIT;
	wake_by_timer();
	for (u64 line = 1; ; line++) {
		say("line ");
		say_number(line, 10);
		say(" psci 0x");
		say_number(call(PSCI_VERSION, 0), 16);
		say_answer(" wa1 ", call(ARCH_FEATURES, WORKAROUND_1));
		say_answer(" wa2 ", call(ARCH_FEATURES, WORKAROUND_2));
		say_answer(" wa3 ", call(ARCH_FEATURES, WORKAROUND_3));
		say("\n");
		sleep();
	}
}
