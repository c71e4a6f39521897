// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_race_strict - Strict VMs against what they depend on
 *
 * Against ID_AA64PFR1_EL1: one thread sets WORKAROUND_2 to "not required" and
 * takes it back, the other one makes SSBS visible and hides it. Whichever
 * succeeds must find the other one undone, and undone it stays until the first
 * one takes its own back.
 *
 * Against KVM_CAP_ARM_FW_REGS_STRICT: one thread enables it, the other one creates
 * a vCPU. The VM is strict if the first one succeeded, and only then.
 *
 * With -s SECONDS each of these races takes that long.
 */
#include "fw_regs_race.h"
#include "fw_regs_vm.h"

/* The other thread may be about to take its own back. */
#define MAX_TRIES	8

static const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

/* What a thread does to one of the two, and what must hold until it takes it back. */
struct side {
	struct kvm_vcpu *vcpu;
	u64 ssbs;
	int (*make)(struct side *side);
	bool (*holds)(struct side *side);
	void (*take_back)(struct side *side);
	unsigned long made, refused, broken;
	atomic_bool stop;
};

static int set_level(struct side *side)
{
	return fw_set(side->vcpu, wa2, wa2->max);
}

static void lower_level(struct side *side)
{
	TEST_ASSERT(!fw_set(side->vcpu, wa2, wa2->low), "Cannot take a level back");
}

static bool is_set(struct side *side)
{
	return fw_get(side->vcpu, wa2) == wa2->max && !fw_get_ssbs(side->vcpu);
}

static int show(struct side *side)
{
	return fw_set_ssbs(side->vcpu, side->ssbs);
}

static void hide(struct side *side)
{
	TEST_ASSERT(!fw_set_ssbs(side->vcpu, 0), "SSBS is still shown");
}

static bool is_shown(struct side *side)
{
	return fw_get(side->vcpu, wa2) == wa2->low && fw_get_ssbs(side->vcpu);
}

static void *make_until_stopped(void *arg)
{
	struct side *side = arg;

	while (!side->stop) {
		if (side->make(side)) {
			side->refused++;
			continue;
		}
		side->made++;
		side->broken += !side->holds(side);
		side->take_back(side);
	}
	return NULL;
}

/* What is made at a random time must hold until it is taken back. */
static void make_once(struct side *side)
{
	int refused = 0;

	random_sleep(20 * 1000, 200 * 1000);
	while (side->make(side)) {
		side->refused++;
		if (++refused == MAX_TRIES)
			return;
	}
	side->made++;
	if (!side->holds(side)) {
		side->broken++;
	} else {
		random_sleep(20 * 1000, 200 * 1000);
		side->broken += !side->holds(side);
	}
	side->take_back(side);
}

static void race_ssbs(struct side *once, struct side *again, const char *name)
{
	struct timespec since;
	pthread_t thread;
	int rounds;

	thread = race_start(make_until_stopped, again);
	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++)
		make_once(once);
	again->stop = true;
	pthread_join(thread, NULL);
	/* What was made was looked at, and taken back: two calls each. */
	race_calls += once->refused + again->refused + 4 * (once->made + again->made);

	ksft_print_msg("%lu of %d made against %lu of %lu\n", once->made, rounds, again->made,
		       again->made + again->refused);
	ksft_test_result(!once->broken && !again->broken && once->made && again->made, "%s\n",
			 name);
	if (once->broken || again->broken)
		ksft_print_msg("%lu and %lu broken\n", once->broken, again->broken);
}

static void test_ssbs(enum race_mode mode, bool set_once, const char *lacking)
{
	struct side setter = { .make = set_level, .holds = is_set, .take_back = lower_level };
	struct side shower = { .make = show, .holds = is_shown, .take_back = hide };
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm;
	char name[80];

	snprintf(name, sizeof(name), "%s, strict VM, %s", race_mode_names[mode],
		 set_once ? "WORKAROUND_2 set amid writes of ID_AA64PFR1_EL1" :
			    "ID_AA64PFR1_EL1 written amid sets of WORKAROUND_2");
	if (lacking) {
		ksft_test_result_skip("%s: %s\n", name, lacking);
		return;
	}

	vm = fw_vm_create(true, vcpus, 2);
	setter.vcpu = vcpus[0];
	shower.vcpu = vcpus[1];
	shower.ssbs = fw_get_ssbs(vcpus[0]);
	hide(&shower);

	/* Before it was set, the level is what is offered without SSBS. */
	if (!shower.ssbs || fw_get(vcpus[0], wa2) != wa2->max) {
		ksft_test_result_skip("%s: the offer does not depend on it\n", name);
	} else {
		lower_level(&setter);
		race_ssbs(set_once ? &setter : &shower, set_once ? &shower : &setter, name);
	}

	kvm_vm_free(vm);
}

static void *enable_strict(void *arg)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_FW_REGS_STRICT,
		.args = { KVM_ARM_FW_REGS_STRICT },
	};
	struct kvm_vm *vm = arg;
	bool enabled;

	random_sleep(1000, 1000 * 1000);
	enabled = !__vm_ioctl(vm, KVM_ENABLE_CAP, &cap);
	if (!enabled)
		TEST_ASSERT_EQ(errno, EINVAL);

	return enabled ? vm : NULL;
}

/* Counts the VMs that became strict, and those that are not what they became. */
static void race_cap(int round, unsigned long *strict, unsigned long *broken)
{
	const struct fw_reg *psci = &fw_regs[FW_PSCI_VERSION];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pthread_t thread;
	void *enabled;
	int err;

	/* Memory for a guest, as in each VM here. */
	vm = fw_vm_create(false, NULL, 0);
	thread = race_start(enable_strict, vm);
	/* Slow or fast, the machine is too late half of the time. */
	random_sleep(1000, round % 2 ? 4000 * 1000 : 100 * 1000);
	vcpu = __vm_vcpu_add(vm, 0);
	pthread_join(thread, &enabled);
	fw_vcpu_init(vcpu, FW_FEATURES);
	fw_vm_run(vcpu);

	/* Frozen, or not. */
	err = fw_set(vcpu, psci, psci->low);
	*strict += !!enabled;
	*broken += err != (enabled ? EBUSY : 0);
	race_calls += 4;

	kvm_vm_free(vm);
}

static void test_cap(enum race_mode mode, const char *lacking)
{
	unsigned long strict = 0, broken = 0;
	struct timespec since;
	int rounds;

	if (lacking) {
		ksft_test_result_skip("%s, capability amid the first vCPU: %s\n",
				      race_mode_names[mode], lacking);
		return;
	}

	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++)
		race_cap(rounds, &strict, &broken);

	ksft_print_msg("%lu of %d VMs became strict\n", strict, rounds);
	ksft_test_result(!broken && strict && strict < rounds,
			 "%s, capability amid the first vCPU\n", race_mode_names[mode]);
	if (broken)
		ksft_print_msg("%lu are not what they became\n", broken);
}

int main(int argc, char *argv[])
{
	int mode;

	race_parse_args(argc, argv);
	ksft_print_header();
	if (fw_vm_lacking(true))
		ksft_exit_skip("%s\n", fw_vm_lacking(true));
	ksft_set_plan(NR_RACE_MODES * 3);

	for (mode = 0; mode < NR_RACE_MODES; mode++) {
		const char *lacking = race_begin(mode);

		test_ssbs(mode, true, lacking);
		test_ssbs(mode, false, lacking);
		test_cap(mode, lacking ?: fw_vm_lacking(false));
	}
	race_print_calls();

	ksft_finished();
}
