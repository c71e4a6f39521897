// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_perf_test - What an access to a firmware pseudo-register costs
 *
 * Prints nanoseconds per access, to default VMs or with -s to strict ones. On a
 * machine whose clock counts instructions, such as QEMU with -icount shift=0,
 * these are instructions, and the same in each run.
 *
 * Output, from the line "costs" to the line "end" (the selftest library may
 * print lines of its own before):
 *
 *   costs 1
 *   cost <access> <nanoseconds>
 *   end
 *
 * An access is one of
 *
 *   unknown-ioctl			what the way into KVM costs
 *   get/<register>			KVM_GET_ONE_REG
 *   set/<register>/<value>		KVM_SET_ONE_REG; a value is
 *     same				the one that the VM has
 *     other				another one that is accepted, each time
 *     malformed, above-offer		refused with EINVAL
 *   ran/...				the same after the VM has run, where "other"
 *					is refused with EBUSY if the register freezes
 *   guest/<register>			a guest's question about it, with the exit to
 *					KVM that it takes
 *
 * or, with -v,
 *
 *   list/<vCPUs>			KVM_GET_REG_LIST on each vCPU, by vCPU
 *   get-all/<vCPUs>, set-all/<vCPUs>	all registers on each vCPU, by vCPU
 *
 * or, with -t,
 *
 *   threads/<threads>			sets by so many threads at once, by set
 */
#include <pthread.h>

#include "fw_regs_vm.h"

/* Accesses by look at the clock, and how many of these there are. */
#define NR_ACCESSES	512
#define NR_ROUNDS	8

#define MAX_THREADS	4

static bool strict;

static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void report(const char *what, const char *reg, const char *how, u64 ns, u64 nr)
{
	printf("cost %s%s%s%s%s %.1f\n", what, *reg ? "/" : "", reg, *how ? "/" : "", how,
	       (double)ns / nr);
}

/*
 * The least time that @work takes in NR_ROUNDS rounds: in one of them, the
 * machine may have had a timer tick to see to, too.
 */
#define LEAST(work) ({						\
	u64 least = -1UL, begin, ns;				\
	int round;						\
								\
	for (round = 0; round < NR_ROUNDS; round++) {		\
		begin = now();					\
		work;						\
		ns = now() - begin;				\
		least = ns < least ? ns : least;		\
	}							\
	least;							\
})

/* NR_ACCESSES ioctls, with two arguments in turn. */
static void access_all(int fd, unsigned long cmd, const void *a, const void *b)
{
	int i;

	for (i = 0; i < NR_ACCESSES / 2; i++) {
		ioctl(fd, cmd, a);
		ioctl(fd, cmd, b);
	}
}

static void measure_floor(struct kvm_vcpu *vcpu)
{
	report("unknown-ioctl", "", "",
	       LEAST(access_all(vcpu->fd, _IO(KVMIO, 0xff), NULL, NULL)), NR_ACCESSES);
}

static void measure_get(struct kvm_vcpu *vcpu, const char *what, const struct fw_reg *reg)
{
	u64 val;
	struct kvm_one_reg one = { .id = reg->id, .addr = (u64)&val };

	report(what, reg->name, "",
	       LEAST(access_all(vcpu->fd, KVM_GET_ONE_REG, &one, &one)), NR_ACCESSES);
}

/* Set @a and @b in turn. */
static void measure_set(struct kvm_vcpu *vcpu, const char *what, const struct fw_reg *reg,
			const char *how, u64 a, u64 b)
{
	struct kvm_one_reg one_a = { .id = reg->id, .addr = (u64)&a };
	struct kvm_one_reg one_b = { .id = reg->id, .addr = (u64)&b };

	report(what, reg->name, how,
	       LEAST(access_all(vcpu->fd, KVM_SET_ONE_REG, &one_a, &one_b)), NR_ACCESSES);
}

static void measure_vm(bool ran)
{
	const char *get = ran ? "ran/get" : "get", *set = ran ? "ran/set" : "set";
	u64 offers[FW_NR_REGS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	vm = fw_vm_create(strict, &vcpu, 1);
	for (i = 0; i < FW_NR_REGS; i++)
		offers[i] = fw_offer(vcpu, &fw_regs[i]);
	if (ran)
		fw_vm_run(vcpu);

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 offer = offers[i], fresh = fw_get(vcpu, reg);
		u64 other = fw_other(reg, offer, fresh);

		measure_get(vcpu, get, reg);
		measure_set(vcpu, set, reg, "same", fresh, fresh);
		if (reg->kind == FW_BITMAP)
			measure_set(vcpu, set, reg, "above-offer", BIT(63), BIT(63));
		else
			measure_set(vcpu, set, reg, "malformed", BIT(8), BIT(8));
		if (reg->kind == FW_WORKAROUND && offer < reg->max)
			measure_set(vcpu, set, reg, "above-offer", reg->max, reg->max);
		if (other == fresh)
			continue;
		if (ran)
			measure_set(vcpu, set, reg, "other", other, other);
		else
			measure_set(vcpu, set, reg, "other", other, fresh);
	}
	kvm_vm_free(vm);
}

static void all_get(struct kvm_vcpu *vcpus[], int nr, u64 vals[])
{
	int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < FW_NR_REGS; j++)
			fw_get_at(vcpus[i], fw_regs[j].id, &vals[j]);
}

static void all_set(struct kvm_vcpu *vcpus[], int nr, const u64 vals[])
{
	int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < FW_NR_REGS; j++)
			fw_set_at(vcpus[i], fw_regs[j].id, &vals[j]);
}

static void all_list(struct kvm_vcpu *vcpus[], int nr, struct kvm_reg_list *list)
{
	u64 n = list->n;
	int i;

	for (i = 0; i < nr; i++) {
		list->n = n;
		__vcpu_ioctl(vcpus[i], KVM_GET_REG_LIST, list);
	}
}

static void measure_vcpus(int nr)
{
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	struct kvm_reg_list *list;
	u64 vals[FW_NR_REGS];
	struct kvm_vm *vm;
	char number[16];

	vm = fw_vm_create(strict, vcpus, nr);
	list = vcpu_get_reg_list(vcpus[0]);
	snprintf(number, sizeof(number), "%d", nr);

	report("list", number, "", LEAST(all_list(vcpus, nr, list)), nr);
	report("get-all", number, "", LEAST(all_get(vcpus, nr, vals)), nr);
	report("set-all", number, "", LEAST(all_set(vcpus, nr, vals)), nr);

	free(list);
	kvm_vm_free(vm);
}

static void *set_all_the_time(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	u64 a = PSCI_VERSION(1, 0), b = PSCI_VERSION(1, 1);
	struct kvm_one_reg one_a = { .id = KVM_REG_ARM_PSCI_VERSION, .addr = (u64)&a };
	struct kvm_one_reg one_b = { .id = KVM_REG_ARM_PSCI_VERSION, .addr = (u64)&b };

	access_all(vcpu->fd, KVM_SET_ONE_REG, &one_a, &one_b);
	return NULL;
}

static void run_threads(struct kvm_vcpu *vcpus[], int nr)
{
	pthread_t threads[MAX_THREADS];
	int i;

	for (i = 0; i < nr; i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, set_all_the_time, vcpus[i]),
			    "No thread");
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

/* Each thread has a vCPU of its own: an ioctl holds its vCPU. */
static void measure_threads(int nr)
{
	struct kvm_vcpu *vcpus[MAX_THREADS];
	struct kvm_vm *vm;
	char number[16];

	vm = fw_vm_create(strict, vcpus, nr);
	snprintf(number, sizeof(number), "%d", nr);
	report("threads", number, "", LEAST(run_threads(vcpus, nr)), nr * NR_ACCESSES);
	kvm_vm_free(vm);
}

/* The guest: one question many times, then an exit. */
extern const char loop_start[], loop_end[];
asm("	.pushsection .rodata\n"
"loop_start:\n"
"1:	mov	x0, x10\n"
"	mov	x1, x11\n"
"	hvc	#0\n"
"	sub	x12, x12, #1\n"
"	cbnz	x12, 1b\n"
"	str	xzr, [x9]\n"
"loop_end:\n"
"	.popsection\n");

static void run_guest(struct kvm_vcpu *vcpu, u64 func, u64 arg)
{
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), FW_GUEST_CODE);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[10]), func);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[11]), arg);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[12]), NR_ACCESSES);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
}

static void measure_guest(void)
{
	static const struct {
		const char *name;
		u64 arg;
	} questions[] = {
		{ "unknown", 0 },
		{ "WORKAROUND_1", ARM_SMCCC_ARCH_WORKAROUND_1 },
		{ "WORKAROUND_2", ARM_SMCCC_ARCH_WORKAROUND_2 },
		{ "WORKAROUND_3", ARM_SMCCC_ARCH_WORKAROUND_3 },
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	vm = fw_vm_create(strict, &vcpu, 1);
	memcpy(addr_gpa2hva(vm, FW_GUEST_CODE), loop_start, loop_end - loop_start);
	for (i = 0; i < ARRAY_SIZE(questions); i++)
		report("guest", questions[i].name, "",
		       LEAST(run_guest(vcpu, ARM_SMCCC_ARCH_FEATURES_FUNC_ID,
				       questions[i].arg)), NR_ACCESSES);
	kvm_vm_free(vm);
}

static void measure_accesses(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = fw_vm_create(strict, &vcpu, 1);
	measure_floor(vcpu);
	kvm_vm_free(vm);

	measure_vm(false);
	measure_vm(true);
	measure_guest();
}

static void measure_many_vcpus(void)
{
	int i, max = kvm_check_cap(KVM_CAP_MAX_VCPUS);

	/* Each vCPU is an open file. */
	kvm_set_files_rlimit(max);
	for (i = 1; i < max; i *= 8)
		measure_vcpus(i);
	measure_vcpus(max);
}

static void measure_many_threads(void)
{
	int i;

	for (i = 1; i <= MAX_THREADS; i *= 2)
		measure_threads(i);
}

int main(int argc, char *argv[])
{
	void (*measure)(void) = measure_accesses;
	int opt;

	while ((opt = getopt(argc, argv, "svt")) != -1) {
		switch (opt) {
		case 's':
			strict = true;
			break;
		case 'v':
			measure = measure_many_vcpus;
			break;
		case 't':
			measure = measure_many_threads;
			break;
		default:
			fprintf(stderr,
				"Usage: %s [-s] [-v | -t]\n"
				"  -s  of strict VMs\n", argv[0]);
			return 1;
		}
	}
	TEST_REQUIRE(!strict || kvm_has_cap(KVM_CAP_ARM_FW_REGS_STRICT));

	setvbuf(stdout, NULL, _IOFBF, BIT(16));
	printf("costs 1\n");
	measure();
	printf("end\n");
	return fflush(stdout) ? 1 : 0;
}
