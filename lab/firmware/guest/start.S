/* SPDX-License-Identifier: GPL-2.0 */

/* Where the guest begins, in EL1, without MMU. */

	.section .text.start, "ax"
	.globl	_start
_start:
	adr	x0, vectors
	msr	vbar_el1, x0
	ldr	x0, =stack
	mov	sp, x0
	b	guest

	/* Nothing of this is expected: the lines end, and the lab tells so. */
	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	.
	.endr

	.section .stack, "aw", %nobits
	.balign	16
	.skip	4096
stack:
