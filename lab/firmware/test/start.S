/* SPDX-License-Identifier: GPL-2.0 */

/* Where CPUs come in, and the call to the firmware. */

#include "test.h"

	.section .text.start, "ax"

	.globl	_start
_start:
	ldr	x1, =bss_start
	ldr	x2, =bss_end
1:	cmp	x1, x2
	b.hs	2f
	str	xzr, [x1], #8
	b	1b
2:	ldr	x1, =stacks + STACK_SIZE
	mov	sp, x1
	b	first

	/* Two places to send a CPU to, with the end of its stack in x0. */
	.globl	entry_1, entry_2
entry_1:
	mov	sp, x0
	mov	x1, #1
	b	other
entry_2:
	mov	sp, x0
	mov	x1, #2
	b	other

	/* void smc(struct registers *): x0 to x3 are given, and all that come back. */
	.globl	smc
smc:	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	.irp	n, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	mov	x\n, #KEPT + \n
	.endr
	smc	#0
	stp	x0, x1, [sp, #-16]!
	ldr	x0, [sp, #112]
	stp	x2, x3, [x0, #16]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	.irp	n, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	str	x\n, [x0, #8 * \n]
	.endr
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret

	.section .bss, "aw", %nobits
	.balign	16
	.globl	stacks
stacks:	.skip	CPUS * STACK_SIZE
