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
	race_calls += s.sets + 5 * FW_NR_REGS;

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

static void *set_until_closed(void *arg)
{
	const struct fw_reg *reg = &fw_regs[FW_STD_BMAP];
	u64 val = reg->low;
	struct kvm_one_reg one = { .id = reg->id, .addr = (u64)&val };
	int fd = *(int *)arg;

	while (!ioctl(fd, KVM_SET_ONE_REG, &one))
		race_calls++;

	return errno == EBADF ? arg : NULL;
}

static void test_close(enum race_mode mode, const char *lacking)
{
	unsigned long rounds, bad = 0, before = race_calls;
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

	ksft_print_msg("%lu VMs ended amid %lu sets\n", rounds, race_calls - before);
	ksft_test_result(!bad && race_calls > before, "%s, set amid the end of the VM\n",
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
	race_calls += asked + s.sets;

	ksft_print_msg("asked %lu times amid %lu sets\n", asked, s.sets);
	ksft_test_result(!bad && s.sets, "%s, PSCI_VERSION amid the guest's discovery\n",
			 race_mode_names[mode]);
	if (bad)
		ksft_print_msg("another version was told %lu times\n", bad);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	int i, mode, plan = 2;

	race_parse_args(argc, argv);
	for (i = 0; i < FW_NR_REGS; i++)
		plan += fw_freezes(false, &fw_regs[i]) + fw_freezes(true, &fw_regs[i]);

	ksft_print_header();
	ksft_set_plan(NR_RACE_MODES * plan);

	for (mode = 0; mode < NR_RACE_MODES; mode++) {
		const char *lacking = race_begin(mode);

		test_first_run(mode, false, lacking);
		test_first_run(mode, true, lacking ?: fw_vm_lacking(true));
		test_close(mode, lacking);
		test_discovery(mode, lacking ?: fw_vm_lacking(false));
	}
	race_print_calls();

	ksft_finished();
}
