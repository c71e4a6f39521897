// SPDX-License-Identifier: GPL-2.0

/* The board (QEMU, hw/arm/virt.c): a GICv3 (IHI 0069), a power switch, and a console. */

#include "firmware.h"

#define GICD_CTLR		GICD
#define GICD_TYPER		(GICD + 0x4)
#define GICD_IGROUPR(n)		(GICD + 0x80 + 4 * (n))
#define CTLR_ARE		0x30	/* affinity routing, secure and non-secure */
#define CTLR_GROUP1_NS		0x2

#define GICR(cpu)		(0x080a0000 + 0x20000 * (u64)(cpu))
#define GICR_TYPER(cpu)		(GICR(cpu) + 0x8)
#define GICR_WAKER(cpu)		(GICR(cpu) + 0x14)
#define GICR_IGROUPR0(cpu)	(GICR(cpu) + 0x10080)
#define TYPER_LAST		0x10
#define WAKER_SLEEP		0x2
#define WAKER_ASLEEP		0x4

/* PL061, the secure one: pin 0 switches the board off, pin 1 resets it. */
#define GPIO_DATA(pins)		(0x090b0000 + 4 * (pins))
#define GPIO_DIRECTION		0x090b0400

#define UART_DATA		0x09000000
#define UART_CONTROL		0x09000030
#define UART_TRANSMIT		0x101

static volatile u32 *reg(u64 address)
{
	return (volatile u32 *)address;
}

/* All interrupts are for the non-secure side. */
void gic_init_distributor(void)
{
	*reg(GICD_CTLR) = CTLR_ARE;
	for (u32 n = *reg(GICD_TYPER) & 31; n > 0; n--)
		*reg(GICD_IGROUPR(n)) = ~0u;
	*reg(GICD_CTLR) = CTLR_ARE | CTLR_GROUP1_NS;
}

void gic_init_cpu(u32 cpu)
{
	*reg(GICR_WAKER(cpu)) &= ~WAKER_SLEEP;
	while (*reg(GICR_WAKER(cpu)) & WAKER_ASLEEP)
		;
	*reg(GICR_IGROUPR0(cpu)) = ~0u;
}

/* As many CPUs as there are redistributors. */
u32 gic_cpus(void)
{
	u32 cpus = 1;

	while (!(*reg(GICR_TYPER(cpus - 1)) & TYPER_LAST))
		cpus++;
	return cpus;
}

void pull(enum pin pin)
{
	*reg(GPIO_DIRECTION) = 1 << pin;
	*reg(GPIO_DATA(1 << pin)) = 1 << pin;
	for (;;)
		asm volatile("wfi");
}

static void say(const char *text)
{
	*reg(UART_CONTROL) = UART_TRANSMIT;
	while (*text)
		*reg(UART_DATA) = *text++;
}

void die(const char *why)
{
	say("\r\nEL3 firmware: ");
	say(why);
	say("\r\n");
	pull(POWER_OFF);
}
