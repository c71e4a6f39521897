/* SPDX-License-Identifier: GPL-2.0 */

/* Where CPUs and SMCs come in. */

#include "firmware.h"

/*
 * EL2 and below may use everything, as Documentation/arch/arm64/booting.rst wants it. QEMU ignores
 * bits of features that a CPU does not have. SCR_EL3: NS, RES1, HCE, RW, APK and API, EnSCXT, ATA,
 * FGTEn, ECVEn, AMVOFFEN, HXEn, GCSEn, EnTP2, TCR2En, SCTLR2En, PIEn, FGTEn2. CPTR_EL3: EZ, ESM.
 * SMCR_EL3: LEN, EZT0, FA64.
 */
#define SCR		(1 << 0 | 3 << 4 | 1 << 8 | 1 << 10 | 3 << 16 | 1 << 25 | 1 << 26 | \
			 1 << 27 | 1 << 28 | 1 << 35 | 1 << 38 | 1 << 39 | 1 << 41 | 1 << 43 | \
			 1 << 44 | 1 << 45 | 1 << 59)
#define CPTR		(1 << 8 | 1 << 12)
#define SMCR		(15 | 1 << 30 | 1 << 31)
#define SCTLR_EL2_OFF	0x30c50830	/* RES1 bits: no MMU, no caches, little endian */
#define SPSR_EL2H	0x3c9		/* all exceptions masked */
#define EC_SMC64	0x17

#define SMCR_EL3	S3_6_C1_C2_6
#define ZCR_EL3		S3_6_C1_C2_0
#define ICC_SRE_EL3	S3_6_C12_C12_5

	.section .text.start, "ax"

	/* All CPUs begin here, at the same time. */
	.globl	_start
_start:
	adr	x0, vectors
	msr	vbar_el3, x0
	ldr	x0, =SCR
	msr	scr_el3, x0
	mov	x0, #CPTR
	msr	cptr_el3, x0
	msr	mdcr_el3, xzr
	mov	x0, #15				/* the GIC's system registers */
	msr	ICC_SRE_EL3, x0
	isb
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #32, #4			/* SVE: the longest vectors */
	cbz	x0, 1f
	mov	x0, #15
	msr	ZCR_EL3, x0
1:	mrs	x0, id_aa64pfr1_el1
	ubfx	x0, x0, #24, #4			/* SME: the same */
	cbz	x0, 1f
	ldr	x0, =SMCR
	msr	SMCR_EL3, x0

1:	bl	own_stack
	cbz	x0, first
	/* Not before the first CPU is ready. Other than RAM, this is new after each reset. */
	ldr	x1, =GICD
1:	ldr	w2, [x1]
	cbz	w2, 1b
	b	other

first:	bl	start_first
	b	leave

	/* Who comes from CPU_OFF has a stack to forget. */
	.globl	park
park:	bl	own_stack
other:	bl	start_other

	/* To EL2, by a struct start in x0 and x1. */
leave:	msr	elr_el3, x0
	mov	x0, x1
	ldr	x1, =SCTLR_EL2_OFF
	msr	sctlr_el2, x1
	msr	hcr_el2, xzr
	mov	x1, #SPSR_EL2H
	msr	spsr_el3, x1
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	eret

	/* Returns the CPU's number. */
own_stack:
	mrs	x0, mpidr_el1
	and	x0, x0, #0xff
	cmp	x0, #MAX_CPUS
	b.hs	.				/* nobody can send it anywhere */
	ldr	x1, =stacks + STACK_SIZE
	mov	x2, #STACK_SIZE
	madd	x1, x0, x2, x1
	mov	sp, x1
	ret

	/* A result in x0; x4 to x30 must be as they were, and x1 to x3 may. DEN0028, 2.6. */
smc:	sub	sp, sp, #160
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18
	str	x\n, [sp, #8 * \n]
	.endr
	str	x30, [sp]
	mrs	x4, esr_el3
	lsr	x4, x4, #26
	cmp	x4, #EC_SMC64
	b.ne	unexpected
	bl	serve
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18
	ldr	x\n, [sp, #8 * \n]
	.endr
	ldr	x30, [sp]
	add	sp, sp, #160
	eret

unexpected:
	adr	x0, 1f
	b	die
1:	.asciz	"unexpected exception"
	.balign	4
	.ltorg

	.macro	vector to
	.balign	128
	b	\to
	.endm

	.balign	2048
vectors:
	.rept	8
	vector	unexpected
	.endr
	vector	smc				/* synchronous, from a lower level in AArch64 */
	.rept	7
	vector	unexpected
	.endr

	.section .stacks, "aw", %nobits
	.skip	MAX_CPUS * STACK_SIZE
