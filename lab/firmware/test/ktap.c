// SPDX-License-Identifier: GPL-2.0

/* What is said: KTAP, Documentation/dev-tools/ktap.rst, on the board's PL011. */

#include "test.h"

#define UART_DATA	0x09000000
#define UART_CONTROL	0x09000030
#define UART_TRANSMIT	0x101

/* Goes on after a reset. */
static u32 results __attribute__((section(".kept")));

void say(const char *text)
{
	*(volatile u32 *)UART_CONTROL = UART_TRANSMIT;
	while (*text)
		*(volatile u32 *)UART_DATA = *text++;
}

static void say_number(u64 value, u32 base)
{
	char digits[24], *digit = digits + sizeof(digits);

	*--digit = 0;
	do {
		*--digit = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	say(digit);
}

void say_hex(u64 value)
{
	say("0x");
	say_number(value, 16);
}

void say_plan(u32 count)
{
	say("KTAP version 1\n1..");
	say_number(count, 10);
	say("\n");
	results = 0;
}

static void say_verdict(int good)
{
	say(good ? "ok " : "not ok ");
	say_number(++results, 10);
	say(" ");
}

void result(int good, const char *name)
{
	say_verdict(good);
	say(name);
	say("\n");
}

void cpu_result(int good, u32 cpu, const char *name)
{
	say_verdict(good);
	say("CPU ");
	say_number(cpu, 10);
	say(": ");
	say(name);
	say("\n");
}
