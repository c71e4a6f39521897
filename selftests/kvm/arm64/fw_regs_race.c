// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_race - Sets of pseudo-registers against the first run of the VM
 *
 * One thread sets all registers without pause, each to one value and then to
 * another; a second one preempts it, lets the guest run for the first time and
 * ask what it has. The guest, get and the last set that succeeded must tell the
 * same: nothing changes behind a guest that has asked.
 */
#include "fw_regs_race.h"
#include "fw_regs_vm.h"

struct setter {
	struct kvm_vcpu *vcpu;
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
static unsigned long race_first_run(int bad[FW_NR_REGS])
{
	u64 told[FW_NR_REGS], told_again[FW_NR_REGS];
	struct kvm_vcpu *vcpus[2];
	struct setter s = {};
	struct kvm_vm *vm;
	pthread_t thread;
	int i;

	vm = fw_vm_create(true, vcpus, 2);
	s.vcpu = vcpus[1];
	for (i = 0; i < FW_NR_REGS; i++) {
		s.values[i][0] = fw_offer(s.vcpu, &fw_regs[i]);
		s.values[i][1] = fw_regs[i].low;
		/* Without this service, the guest cannot ask for VENDOR_HYP_BMAP_2. */
		if (i == FW_VENDOR_HYP_BMAP)
			s.values[i][1] = BIT(KVM_REG_ARM_VENDOR_HYP_BIT_FUNC_FEAT);
		s.accepted[i] = fw_get(s.vcpu, &fw_regs[i]);
	}

	thread = start(set_until_stopped, &s);
	random_sleep(100 * 1000, 1000 * 1000);
	ask_all(vcpus[0], told);
	s.stop = true;
	pthread_join(thread, NULL);
	ask_all(vcpus[0], told_again);

	for (i = 0; i < FW_NR_REGS; i++) {
		const struct fw_reg *reg = &fw_regs[i];
		u64 shown = fw_get(vcpus[0], reg);

		if (shown == s.accepted[i] && shown == fw_get(vcpus[1], reg) &&
		    told[i] == fw_guest_answer(reg, shown) && told_again[i] == told[i])
			continue;
		if (!bad[i]++)
			ksft_print_msg("%s: accepted 0x%lx, get 0x%lx, guest 0x%lx, then 0x%lx\n",
				       reg->name, s.accepted[i], shown, told[i], told_again[i]);
	}

	kvm_vm_free(vm);
	return s.sets;
}

static void test_first_run(void)
{
	int i, rounds, bad[FW_NR_REGS] = {};
	struct timespec since;
	unsigned long sets = 0;

	clock_gettime(CLOCK_MONOTONIC, &since);
	for (rounds = 0; !time_is_up(&since, rounds); rounds++)
		sets += race_first_run(bad);

	ksft_print_msg("%d first runs against %lu sets\n", rounds, sets);
	for (i = 0; i < FW_NR_REGS; i++) {
		ksft_test_result(!bad[i], "%s never changes behind a guest that has asked\n",
				 fw_regs[i].name);
		if (bad[i])
			ksft_print_msg("%d of %d rounds\n", bad[i], rounds);
	}
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(FW_NR_REGS);

	go_first();
	test_first_run();

	ksft_finished();
}
