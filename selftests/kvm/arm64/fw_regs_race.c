// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_race - Sets of pseudo-registers against what they depend on
 *
 * Against the first run: one thread sets registers without pause, each to one
 * value and then to another; a second one lets the guest run for the first time
 * and ask what it has. The guest, get and the last set that succeeded must tell
 * the same: no register that freezes changes behind a guest that has asked. In a
 * default VM these are the bitmaps, in a strict VM all.
 *
 * Against ID_AA64PFR1_EL1, in a strict VM: one thread sets WORKAROUND_2 to "not
 * required" and takes it back, the other one makes SSBS visible and hides it.
 * Whichever succeeds must find the other one undone, and undone it stays until
 * the first one takes its own back.
 *
 * Against KVM_CAP_ARM_FW_REGS_STRICT: one thread enables it, the other one creates
 * a vCPU. The VM is strict if the first one succeeded, and only then.
 *
 * Against the end of the VM: one thread sets a register, the other one closes all
 * files of the VM. Sets succeed until they get EBADF.
 *
 * Against the guest's discovery, in a default VM: one thread sets PSCI_VERSION,
 * which does not freeze, to one value and then to another; the guest is told one
 * of the two.
 *
 * With -s SECONDS each of these races takes that long.
 */
#include "fw_regs_race.h"
#include "fw_regs_vm.h"

/* How many calls all races have made. */
static atomic_ulong calls;

/* The other thread may be about to take its own back. */
#define MAX_TRIES	8

static const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];

struct setter {
	struct kvm_vcpu *vcpu;
	bool strict;
	u64 values[FW_NR_REGS][2];
	/* The last value that was accepted. */
	u64 accepted[FW_NR_REGS];
	unsigned long sets;
	atomic_bool stop;
};

static void set_all(struct setter *s, int which)
{
	int i;

	for (i = 0; i < FW_NR_REGS; i++) {
		if (!fw_freezes(s->strict, &fw_regs[i]))
			continue;
		if (!fw_set(s->vcpu, &fw_regs[i], s->values[i][which]))
			s->accepted[i] = s->values[i][which];
		s->sets++;
	}
}

static void *set_until_stopped(void *arg)
{
	struct setter *s = arg;
	unsigned int i;

	for (i = 0; !s->stop; i++)
		set_all(s, i % 2);
	/* Each value comes once more when there is no doubt. */
	set_all(s, 0);
	set_all(s, 1);

	return NULL;
}

static void ask_all(struct kvm_vcpu *vcpu, u64 answers[FW_NR_REGS])
{
	int i;

	for (i = 0; i < FW_NR_REGS; i++)
		answers[i] = fw_guest_ask(vcpu, &fw_regs[i]);
}

/* One first run; counts the registers about which the stories differ. */
static unsigned long race_first_run(bool strict, int bad[FW_NR_REGS])
{
	u64 told[FW_NR_REGS], told_amid[FW_NR_REGS], told_again[FW_NR_REGS];
	struct setter s = { .strict = strict };
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm;
	pthread_t thread;
	int i;

	vm = fw_vm_create(strict, vcpus, 2);
	s.vcpu = vcpus[1];
	for (i = 0; i < FW_NR_REGS; i++) {
		s.values[i][0] = fw_offer(s.vcpu, &fw_regs[i]);
		s.values[i][1] = fw_regs[i].low;
		/* Without this service, the guest cannot ask for VENDOR_HYP_BMAP_2. */
		if (i == FW_VENDOR_HYP_BMAP)
			s.values[i][1] = BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT);
		s.accepted[i] = fw_get(s.vcpu, &fw_regs[i]);
	}

	thread = race_start(set_until_stopped, &s);
	random_sleep(100 * 1000, 1000 * 1000);
	ask_all(vcpus[0], told);
	ask_all(vcpus[0], told_amid);
	s.stop = true;
	pthread_join(thread, NULL);
	ask_all(vcpus[0], told_again);
	/* Each register is also asked for three times, and got twice. */
	calls += s.sets + 5 * FW_NR_REGS;

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 shown = fw_get(vcpus[0], reg);

		if (shown == s.accepted[i] && shown == fw_get(vcpus[1], reg) &&
		    told[i] == fw_guest_answer(reg, shown) && told_amid[i] == told[i] &&
		    told_again[i] == told[i])
			continue;
		if (!bad[i]++)
			ksft_print_msg("%s: accepted 0x%lx, get 0x%lx, guest 0x%lx, 0x%lx, 0x%lx\n",
				       reg->name, s.accepted[i], shown, told[i], told_amid[i],
				       told_again[i]);
	}

	kvm_vm_free(vm);
	return s.sets;
}

static void test_first_run(enum race_mode mode, bool strict, const char *lacking)
{
	int i, rounds, bad[FW_NR_REGS] = {};
	struct timespec since;
	unsigned long sets = 0;

	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !lacking && !time_is_up(&since, rounds); rounds++)
		sets += race_first_run(strict, bad);

	if (!lacking)
		ksft_print_msg("%d first runs against %lu sets\n", rounds, sets);
	for (i = 0; i < FW_NR_REGS; i++) {
		const char *name = fw_regs[i].name;

		if (!fw_freezes(strict, &fw_regs[i]))
			continue;
		if (lacking)
			ksft_test_result_skip("%s, %s, first run against %s: %s\n",
					      race_mode_names[mode], fw_vm_name(strict), name,
					      lacking);
		else
			ksft_test_result(!bad[i], "%s, %s, first run against %s\n",
					 race_mode_names[mode], fw_vm_name(strict), name);
		if (bad[i])
			ksft_print_msg("changed in %d of %d rounds\n", bad[i], rounds);
	}
}

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
	calls += once->refused + again->refused + 4 * (once->made + again->made);

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
	calls += 4;

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

static void *set_until_closed(void *arg)
{
	const struct fw_reg *reg = &fw_regs[FW_STD_BMAP];
	u64 val = reg->low;
	struct kvm_one_reg one = { .id = reg->id, .addr = (u64)&val };
	int fd = *(int *)arg;

	while (!ioctl(fd, KVM_SET_ONE_REG, &one))
		calls++;

	return errno == EBADF ? arg : NULL;
}

static void test_close(enum race_mode mode, const char *lacking)
{
	unsigned long rounds, bad = 0, before = calls;
	struct timespec since;

	if (lacking) {
		ksft_test_result_skip("%s, set amid the end of the VM: %s\n",
				      race_mode_names[mode], lacking);
		return;
	}

	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++) {
		struct kvm_vcpu *vcpu;
		struct kvm_vm *vm;
		pthread_t thread;
		void *good;
		int fd;

		vm = fw_vm_create(false, &vcpu, 1);
		fd = vcpu->fd;
		thread = race_start(set_until_closed, &fd);
		random_sleep(100 * 1000, 1000 * 1000);
		kvm_vm_free(vm);
		pthread_join(thread, &good);
		bad += !good;
	}

	ksft_print_msg("%lu VMs ended amid %lu sets\n", rounds, calls - before);
	ksft_test_result(!bad && calls > before, "%s, set amid the end of the VM\n",
			 race_mode_names[mode]);
	if (bad)
		ksft_print_msg("%lu sets got another error\n", bad);
}

static void *set_version_until_stopped(void *arg)
{
	struct setter *s = arg;

	for (; !s->stop; s->sets++)
		TEST_ASSERT(!fw_set(s->vcpu, &fw_regs[FW_PSCI_VERSION],
				    s->values[FW_PSCI_VERSION][s->sets % 2]),
			    "A version is refused");

	return NULL;
}

static void test_discovery(enum race_mode mode, const char *lacking)
{
	const struct fw_reg *psci = &fw_regs[FW_PSCI_VERSION];
	unsigned long asked, bad = 0;
	struct kvm_vcpu *vcpus[2];
	struct setter s = {};
	struct timespec since;
	struct kvm_vm *vm;
	pthread_t thread;
	u64 *vals;

	if (lacking) {
		ksft_test_result_skip("%s, PSCI_VERSION amid the guest's discovery: %s\n",
				      race_mode_names[mode], lacking);
		return;
	}

	vm = fw_vm_create(false, vcpus, 2);
	s.vcpu = vcpus[1];
	vals = s.values[FW_PSCI_VERSION];
	vals[0] = fw_get(s.vcpu, psci);
	vals[1] = psci->low;
	fw_vm_run(vcpus[0]);

	thread = race_start(set_version_until_stopped, &s);
	clock_gettime(CLOCK_MONOTONIC, &since);
	for (asked = 0; !time_is_up(&since, asked); asked++) {
		u64 told;

		/* On one CPU, the other thread works meanwhile. */
		if (mode == ONE_CPU)
			random_sleep(1000, 1000 * 1000);
		told = fw_guest_ask(vcpus[0], psci);
		bad += told != vals[0] && told != vals[1];
	}
	s.stop = true;
	pthread_join(thread, NULL);
	calls += asked + s.sets;

	ksft_print_msg("asked %lu times amid %lu sets\n", asked, s.sets);
	ksft_test_result(!bad && s.sets, "%s, PSCI_VERSION amid the guest's discovery\n",
			 race_mode_names[mode]);
	if (bad)
		ksft_print_msg("another version was told %lu times\n", bad);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	int i, mode, opt, plan = 5;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		TEST_ASSERT(opt == 's', "Usage: %s [-s seconds]", argv[0]);
		race_seconds = atoi_positive("Seconds", optarg);
	}

	for (i = 0; i < FW_NR_REGS; i++)
		plan += fw_freezes(false, &fw_regs[i]) + fw_freezes(true, &fw_regs[i]);

	ksft_print_header();
	ksft_set_plan(NR_RACE_MODES * plan);

	for (mode = 0; mode < NR_RACE_MODES; mode++) {
		const char *no_race = race_begin(mode);
		const char *no_strict = no_race ?: fw_vm_lacking(true);

		test_first_run(mode, false, no_race);
		test_first_run(mode, true, no_strict);
		test_ssbs(mode, true, no_strict);
		test_ssbs(mode, false, no_strict);
		test_cap(mode, no_strict ?: fw_vm_lacking(false));
		test_close(mode, no_race);
		test_discovery(mode, no_race ?: fw_vm_lacking(false));
	}
	ksft_print_msg("%lu calls in all\n", calls);

	ksft_finished();
}
