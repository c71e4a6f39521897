// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_guest - What the guest is told is what get shows
 *
 * For each register, in a fresh VM and in one whose register was set to each
 * well-formed value: the guest's own discovery (PSCI_VERSION, ARCH_FEATURES,
 * TRNG_VERSION, the vendor features) answers what follows from the value that
 * get shows, before and after the run, on three vCPUs:
 *  - the first one to run;
 *  - one that comes online later, and is not even created before the first has
 *    run;
 *  - one of a second VM, into which the registers of the first were copied, as
 *    a migration does.
 */
#include "fw_regs_vm.h"

static const u64 values[] = {
	0, 1, 2, 3, FW_WORKAROUND_2_AVAIL_ENABLED,
	PSCI_VERSION(1, 0), PSCI_VERSION(1, 1), PSCI_VERSION(1, 2), PSCI_VERSION(1, 3),
};

static const char * const vcpus[] = { "first vCPU", "late vCPU", "moved vCPU" };

static void check(struct kvm_vcpu *vcpu, const struct fw_reg *reg, u64 val,
		  const char *condition, const char *who)
{
	u64 before, after, answer;
	bool ok;

	before = fw_get(vcpu, reg);
	answer = fw_guest_ask(vcpu, reg);
	after = fw_get(vcpu, reg);

	ok = before == val && after == val && answer == fw_guest_answer(reg, val);
	ksft_test_result(ok, "%s %s, %s is told\n", reg->name, condition, who);
	if (!ok)
		ksft_print_msg("get 0x%lx, guest 0x%lx, get 0x%lx\n", before, answer, after);
}

static void check_all(struct kvm_vcpu *first, const struct fw_reg *reg, u64 val,
		      const char *condition)
{
	struct kvm_vcpu *late, *moved;
	struct kvm_vm *vm;

	check(first, reg, val, condition, vcpus[0]);

	late = __vm_vcpu_add(first->vm, 1);
	fw_vcpu_init(late, true);
	check(late, reg, val, condition, vcpus[1]);

	vm = fw_vm_create(true, &moved, 1);
	if (fw_set(moved, reg, fw_get(first, reg)))
		ksft_print_msg("the value that get shows is refused\n");
	check(moved, reg, val, condition, vcpus[2]);
	kvm_vm_free(vm);
}

static void test_fresh(const struct fw_reg *reg)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = fw_vm_create(true, &vcpu, 1);
	check_all(vcpu, reg, fw_get(vcpu, reg), "fresh");
	kvm_vm_free(vm);
}

static void test_set(const struct fw_reg *reg, u64 val)
{
	struct kvm_vcpu *vcpu;
	char condition[32];
	struct kvm_vm *vm;
	int i, err;

	snprintf(condition, sizeof(condition), "set to 0x%lx", val);

	vm = fw_vm_create(true, &vcpu, 1);
	if (!fw_offered(reg, fw_offer(vcpu, reg), val)) {
		ksft_test_result_skip("%s %s, get shows it: not offered\n", reg->name, condition);
		for (i = 0; i < ARRAY_SIZE(vcpus); i++)
			ksft_test_result_skip("%s %s, %s is told: not offered\n", reg->name,
					      condition, vcpus[i]);
		goto out;
	}

	err = fw_set(vcpu, reg, val);
	val = fw_narrow(reg, val);
	ksft_test_result(!err && fw_get(vcpu, reg) == val,
			 "%s %s, get shows it\n", reg->name, condition);
	check_all(vcpu, reg, val, condition);
out:
	kvm_vm_free(vm);
}

int main(void)
{
	int i, j, plan = 3 * FW_NR_REGS;

	for (i = 0; i < FW_NR_REGS; i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++)
			plan += 4 * fw_well_formed(&fw_regs[i], values[j]);
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
