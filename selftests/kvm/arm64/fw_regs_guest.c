// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_guest - What the guest is told is what get shows
 *
 * For each register, in a fresh VM and in one whose register was set to each
 * well-formed value: the guest's own discovery (PSCI_VERSION, ARCH_FEATURES,
 * TRNG_VERSION, the vendor features) answers what follows from the value that
 * get shows, before and after the run.
 */
#include "fw_regs_vm.h"

static const u64 values[] = {
	0, 1, 2, 3, FW_WORKAROUND_2_AVAIL_ENABLED,
	PSCI_VERSION(1, 0), PSCI_VERSION(1, 1), PSCI_VERSION(1, 2), PSCI_VERSION(1, 3),
};

static void report(struct kvm_vcpu *vcpu, const struct fw_reg *reg, const char *condition)
{
	u64 before, after, answer;

	before = fw_get(vcpu, reg);
	answer = fw_guest_ask(vcpu, reg);
	after = fw_get(vcpu, reg);

	ksft_test_result(before == after && answer == fw_guest_answer(reg, after),
			 "%s %s: guest is told what get shows\n", reg->name, condition);
	if (before != after || answer != fw_guest_answer(reg, after))
		ksft_print_msg("get 0x%lx, guest 0x%lx, get 0x%lx\n", before, answer, after);
}

static void test_fresh(const struct fw_reg *reg)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = fw_vm_create(true, &vcpu, 1);
	report(vcpu, reg, "fresh");
	kvm_vm_free(vm);
}

static void test_set(const struct fw_reg *reg, u64 val)
{
	struct kvm_vcpu *vcpu;
	char condition[32];
	struct kvm_vm *vm;
	int err;

	snprintf(condition, sizeof(condition), "set to 0x%lx", val);

	vm = fw_vm_create(true, &vcpu, 1);
	if (!fw_offered(reg, fw_offer(vcpu, reg), val)) {
		ksft_test_result_skip("%s %s: this host does not offer it\n", reg->name,
				      condition);
		goto out;
	}

	err = fw_set(vcpu, reg, val);
	if (err) {
		ksft_print_msg("set got %s\n", fw_errno_name(err));
		ksft_test_result_fail("%s %s\n", reg->name, condition);
		goto out;
	}
	report(vcpu, reg, condition);
out:
	kvm_vm_free(vm);
}

int main(void)
{
	int i, j, plan = FW_NR_REGS;

	for (i = 0; i < FW_NR_REGS; i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++)
			plan += fw_well_formed(&fw_regs[i], values[j]);
	}

	ksft_print_header();
	ksft_set_plan(plan);

	for (i = 0; i < FW_NR_REGS; i++) {
		test_fresh(&fw_regs[i]);
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			if (fw_well_formed(&fw_regs[i], values[j]))
				test_set(&fw_regs[i], values[j]);
		}
	}

	ksft_finished();
}
