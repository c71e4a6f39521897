// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_vectors - What KVM answers to a fixed stream of register accesses
 *
 * This is not a test but one half of a comparison: it applies a deterministic
 * stream of vectors to the firmware pseudo-registers and prints each answer.
 * Two kernels behave alike if and only if the outputs are equal.
 *
 * A setup is a fresh VM, default or with -s strict: it has run or not, its vCPU
 * has the PSCI_0_2 feature or not, its ID_AA64PFR1_EL1 shows SSBS or not. In each
 * setup, each register sees every value in fw_candidate(), then random ones; ids
 * that name no register follow. A vector is one KVM_SET_ONE_REG, then one
 * KVM_GET_ONE_REG of the same id. State carries over from vector to vector.
 *
 * More setups look at what a stream of sets cannot show:
 *
 *   asked-*	each vector is a fresh VM, and what is read is what the guest is
 *		told
 *   promised	WORKAROUND_2 was set to "not required" with SSBS hidden; the
 *		vectors write ID_AA64PFR1_EL1 with SSBS visible
 *   listed	what is read is the place of an id in KVM_GET_REG_LIST
 *
 * Output, from the line "vectors" to the line "end" (the selftest library may
 * print lines of its own before):
 *
 *   vectors 1 seed <seed> count <random vectors per setup>
 *   skip <setup> <reason>
 *   run <setup> <id> <index> <count> <value> <set> <get> <read>
 *   end <number of vectors>
 *
 * A run is a maximal row of vectors of one setup and id with equal answers: the
 * index (per setup and id) and the value of its first vector, the result of set
 * and get (0 or the errno's name), and what was read: "same" if that is the
 * value just written, else the value, or "-" if get failed. As the values
 * follow from the seed, which starts each setup anew, nothing is lost.
 */
#include "fw_regs_vm.h"

#define NR_RANDOM	100000

struct answer {
	int set;
	int get;
	bool same;
	u64 read;	/* 0 if same, or if get failed */
};

struct setup {
	const char *name;
	bool ran, psci, ssbs;
};

static const struct setup setups[] = {
	{ "fresh-psci-ssbs",	false,	true,	true },
	{ "fresh-psci-nossbs",	false,	true,	false },
	{ "fresh-nopsci-ssbs",	false,	false,	true },
	{ "fresh-nopsci-nossbs", false,	false,	false },
	{ "ran-psci-ssbs",	true,	true,	true },
	{ "ran-psci-nossbs",	true,	true,	false },
	{ "ran-nopsci-ssbs",	true,	false,	true },
	{ "ran-nopsci-nossbs",	true,	false,	false },
};

static const struct setup asked[] = {
	{ "asked-ssbs",		false,	true,	true },
	{ "asked-nossbs",	false,	true,	false },
};

/* Values for ids that are not expected to hold any. */
static const u64 few_values[] = { 0, 1, 2, 3, 0x10000, 0x10001, BIT(63), -1UL };

/* The largest size that an id can name. */
static u64 buffer[BIT(FW_NR_SIZES - 1) / sizeof(u64)];

static u64 rng_state;
static u64 nr_vectors;
static bool strict;

/* The run being gathered. */
static struct {
	const char *setup;
	u64 id, index, count, first;
	struct answer answer;
} run;

/* splitmix64: small, and every seed is a good one. */
static u64 rng(void)
{
	u64 z = (rng_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* One to four bits among the low 32: often well-formed, seldom enough to group. */
static u64 few_low_bits(void)
{
	int bits = 1 + rng() % 4;
	u64 val = 0;

	while (bits--)
		val |= BIT(rng() % 32);

	return val;
}

static void flush_run(void)
{
	const struct answer *a = &run.answer;

	if (!run.count)
		return;

	/* One fw_errno_name() a call: it may return its static buffer. */
	printf("run %s 0x%016lx %lu %lu 0x%lx", run.setup, run.id, run.index, run.count,
	       run.first);
	printf(" %s", fw_errno_name(a->set));
	printf(" %s", fw_errno_name(a->get));
	if (a->get)
		printf(" -\n");
	else if (a->same)
		printf(" same\n");
	else
		printf(" 0x%lx\n", a->read);
}

static void start_id(const char *setup, u64 id)
{
	flush_run();
	run.setup = setup;
	run.id = id;
	run.index = 0;
	run.count = 0;
}

/* The answer to one vector, which set @val and read @read. */
static void note(u64 val, int set, int get, u64 read)
{
	struct answer a = { .set = set, .get = get };

	if (!get) {
		a.same = read == val;
		a.read = a.same ? 0 : read;
	}
	nr_vectors++;

	if (run.count && a.set == run.answer.set && a.get == run.answer.get &&
	    a.same == run.answer.same && a.read == run.answer.read) {
		run.count++;
		return;
	}

	flush_run();
	run.index += run.count;
	run.count = 1;
	run.first = val;
	run.answer = a;
}

static void apply(struct kvm_vcpu *vcpu, u64 val)
{
	int set, get;

	buffer[0] = val;
	set = fw_set_at(vcpu, run.id, buffer);
	buffer[0] = ~val;
	get = fw_get_at(vcpu, run.id, buffer);
	note(val, set, get, buffer[0]);
}

static void apply_few(struct kvm_vcpu *vcpu, const char *setup, u64 id)
{
	int i;

	start_id(setup, id);
	for (i = 0; i < ARRAY_SIZE(few_values); i++)
		apply(vcpu, few_values[i]);
}

static void apply_all(struct kvm_vcpu *vcpu, const char *setup, unsigned long nr_random)
{
	unsigned long j, each = nr_random / FW_NR_REGS;
	int i, size;

	for (i = 0; i < FW_NR_REGS; i++) {
		start_id(setup, fw_regs[i].id);
		for (j = 0; j < FW_NR_CANDIDATES; j++)
			apply(vcpu, fw_candidate(j));
		for (j = 0; j < each; j++)
			apply(vcpu, j < each / 2 ? rng() : few_low_bits());
	}

	for (i = 0; i < ARRAY_SIZE(fw_unknown_ids); i++)
		apply_few(vcpu, setup, FW_UNKNOWN_ID(i));

	for (i = 0; i < FW_NR_REGS; i++) {
		for (size = 0; size < FW_NR_SIZES; size++) {
			if (size != FW_SIZE_U64)
				apply_few(vcpu, setup, fw_resize(fw_regs[i].id, size));
		}
	}
}

/* A VM of that setup, or NULL where the host cannot provide it. */
static struct kvm_vm *create(const struct setup *s, struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = __fw_vm_create(strict ? KVM_ARM_FW_REGS_STRICT : 0,
					   s->psci ? FW_FEATURES : 0, vcpu, 1);

	if (s->ssbs && !fw_get_ssbs(*vcpu)) {
		printf("skip %s the host does not have SSBS\n", s->name);
		kvm_vm_free(vm);
		return NULL;
	}
	if (!s->ssbs)
		TEST_ASSERT(!fw_set_ssbs(*vcpu, 0), "Cannot hide SSBS");
	if (s->ran)
		fw_vm_run(*vcpu);

	return vm;
}

static void end_setup(struct kvm_vm *vm)
{
	flush_run();
	run.count = 0;
	if (vm)
		kvm_vm_free(vm);
}

static void run_setup(const struct setup *s, unsigned long nr_random)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = create(s, &vcpu);
	if (!vm)
		return;
	apply_all(vcpu, s->name, nr_random);
	end_setup(vm);
}

static void run_asked(const struct setup *s)
{
	static const u64 values[] = { 0, 1, 2, 3, FW_WORKAROUND_2_AVAIL_ENABLED, 4 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i, j, err;

	for (i = 0; i < FW_NR_REGS; i++) {
		start_id(s->name, fw_regs[i].id);
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			vm = create(s, &vcpu);
			if (!vm)
				return;
			err = fw_set(vcpu, &fw_regs[i], values[j]);
			note(values[j], err, 0, fw_guest_ask(vcpu, &fw_regs[i]));
			kvm_vm_free(vm);
		}
	}
	end_setup(NULL);
}

static void run_promised(void)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];
	const struct setup s = { "promised", .psci = true, .ssbs = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 pfr1;

	vm = create(&s, &vcpu);
	if (!vm)
		return;
	pfr1 = vcpu_get_reg(vcpu, FW_PFR1);
	TEST_ASSERT(!fw_set_ssbs(vcpu, 0), "Cannot hide SSBS");
	fw_set(vcpu, wa2, wa2->max);

	start_id(s.name, FW_PFR1);
	apply(vcpu, pfr1);
	apply(vcpu, pfr1 & ~ID_AA64PFR1_EL1_SSBS_MASK);
	end_setup(vm);
}

static void run_listed(void)
{
	struct kvm_reg_list *list;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 i;

	vm = fw_vm_create(strict, &vcpu, 1);
	list = vcpu_get_reg_list(vcpu);

	for (i = 0; i < list->n; i++) {
		start_id("listed", list->reg[i]);
		note(0, 0, 0, i);
	}
	free(list);
	end_setup(vm);
}

int main(int argc, char *argv[])
{
	unsigned long seed = 1, nr_random = NR_RANDOM;
	int opt, i;

	while ((opt = getopt(argc, argv, "sr:n:")) != -1) {
		switch (opt) {
		case 's':
			strict = true;
			break;
		case 'r':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			nr_random = strtoul(optarg, NULL, 0);
			break;
		default:
			fprintf(stderr,
				"Usage: %s [-s] [-r seed] [-n random vectors per setup]\n"
				"  -s  of strict VMs\n", argv[0]);
			return 1;
		}
	}
	TEST_REQUIRE(!strict || kvm_has_cap(KVM_CAP_ARM_FW_REGS_STRICT));

	/* The output is long, and a console slow. */
	setvbuf(stdout, NULL, _IOFBF, BIT(16));

	printf("vectors 1 seed %lu count %lu\n", seed, nr_random);
	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		rng_state = seed;
		run_setup(&setups[i], nr_random);
	}
	for (i = 0; i < ARRAY_SIZE(asked); i++)
		run_asked(&asked[i]);
	run_promised();
	run_listed();
	printf("end %lu\n", nr_vectors);

	return fflush(stdout) ? 1 : 0;
}
