// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_guest - What the guest is told is what get shows
 *
 * For each register, in a default VM and in a strict one, in a fresh one and in
 * one whose register was set to each value that means something: the guest's own
 * discovery (PSCI_VERSION, ARCH_FEATURES, TRNG_VERSION, the vendor features)
 * answers what follows from the value that get shows, before and after the run,
 * on three vCPUs:
 *  - the first one to run;
 *  - one that comes online later, and is not even created before the first has
 *    run, unless the hypervisor wants to know of all by then;
 *  - one of a second VM, into which the registers of the first were copied, as
 *    a migration does.
 * A value that was refused is told to nobody.
 *
 * An SMCCC filter comes before all of that: a call that it denies or forwards to
 * userspace is answered so, whatever the registers say. It cannot have calls of
 * the architecture's range, in which is the discovery of the workarounds.
 */
#include "fw_regs_vm.h"

#define MAX_VALUES	80

/* A value that no call answers. */
#define FORWARDED	0x1234

static u64 offers[FW_NR_REGS];

/* All that can be set somewhere, in a kernel with these offers. */
static int values(const struct fw_reg *reg, u64 vals[MAX_VALUES])
{
	u64 offer = offers[reg - fw_regs], val;
	int bit, n = 0;

	switch (reg->kind) {
	case FW_PSCI:
		vals[n++] = PSCI_VERSION(0, 2);
		for (val = PSCI_VERSION(1, 0); val <= offer; val++)
			vals[n++] = val;
		break;
	case FW_WORKAROUND:
		for (val = 0; val <= reg->max; val++)
			vals[n++] = val;
		if (fw_narrow(reg, FW_WORKAROUND_2_AVAIL_ENABLED) <= reg->max)
			vals[n++] = FW_WORKAROUND_2_AVAIL_ENABLED;
		break;
	case FW_BITMAP:
		vals[n++] = 0;
		vals[n++] = offer;
		for (bit = 0; bit < 64; bit++) {
			if (offer & BIT(bit) && offer != BIT(bit))
				vals[n++] = BIT(bit);
		}
		break;
	}
	return n;
}

static bool is_told(struct kvm_vcpu *vcpu, const struct fw_reg *reg, u64 val, const char *who)
{
	u64 before, after, answer;

	before = fw_get(vcpu, reg);
	answer = fw_guest_ask(vcpu, reg);
	after = fw_get(vcpu, reg);

	if (before == val && after == val && answer == fw_guest_answer(reg, val))
		return true;

	ksft_print_msg("%s vCPU: get 0x%lx, guest 0x%lx, get 0x%lx\n", who, before, answer,
		       after);
	return false;
}

static bool are_told(bool strict, struct kvm_vcpu *first, const struct fw_reg *reg, u64 val)
{
	bool early = fw_host_protects(), ok;
	struct kvm_vcpu *late, *moved;
	struct kvm_vm *vm;
	int err;

	if (early)
		late = __vm_vcpu_add(first->vm, 1);
	ok = is_told(first, reg, val, "first");
	if (!early)
		late = __vm_vcpu_add(first->vm, 1);
	fw_vcpu_init(late, FW_FEATURES);
	ok &= is_told(late, reg, val, "late");

	vm = fw_vm_create(strict, &moved, 1);
	err = fw_set(moved, reg, fw_get(first, reg));
	if (err)
		ksft_print_msg("the value that get shows gets %s\n", fw_errno_name(err));
	ok &= !err && is_told(moved, reg, val, "moved");
	kvm_vm_free(vm);

	return ok;
}

static void test_fresh(bool strict, const struct fw_reg *reg)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = fw_vm_create(strict, &vcpu, 1);
	ksft_test_result(are_told(strict, vcpu, reg, fw_get(vcpu, reg)), "%s, fresh %s\n",
			 fw_vm_name(strict), reg->name);
	kvm_vm_free(vm);
}

static void test_set(bool strict, const struct fw_reg *reg, u64 val)
{
	u64 offer = offers[reg - fw_regs], shown;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	bool offered;
	int err;

	vm = fw_vm_create(strict, &vcpu, 1);
	offered = fw_offered(reg, offer, val);
	shown = offered ? fw_shown(strict, reg, offer, val) : fw_get(vcpu, reg);

	err = fw_set(vcpu, reg, val);
	ksft_test_result(err == (offered ? 0 : EINVAL) && are_told(strict, vcpu, reg, shown),
			 "%s, %s set to 0x%lx\n", fw_vm_name(strict), reg->name, val);
	kvm_vm_free(vm);
}

/* Calls that tell of registers, and can be filtered. */
static const int filtered[] = { FW_PSCI_VERSION, FW_STD_BMAP, FW_VENDOR_HYP_BMAP };

static int set_filter(struct kvm_vm *vm, u32 func, u8 action)
{
	struct kvm_smccc_filter filter = { .base = func, .nr_functions = 1, .action = action };

	return __kvm_device_attr_set(vm->fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER,
				     &filter) ? errno : 0;
}

static void test_deny(bool strict, const struct fw_reg *reg)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 fresh, arg;
	int err;

	vm = fw_vm_create(strict, &vcpu, 1);
	fresh = fw_get(vcpu, reg);
	err = set_filter(vm, fw_guest_function(reg, &arg), KVM_SMCCC_FILTER_DENY);
	ksft_test_result(!err && fw_guest_ask(vcpu, reg) == SMCCC_RET_NOT_SUPPORTED &&
			 fw_get(vcpu, reg) == fresh,
			 "%s, %s: denied by filter\n", fw_vm_name(strict), reg->name);
	kvm_vm_free(vm);
}

/* Userspace answers, and the guest goes on to its exit. */
static void test_forward(bool strict, const struct fw_reg *reg)
{
	bool forwarded, answered;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 func, arg;
	int err;

	vm = fw_vm_create(strict, &vcpu, 1);
	func = fw_guest_function(reg, &arg);
	err = set_filter(vm, func, KVM_SMCCC_FILTER_FWD_TO_USER);

	vcpu_args_set(vcpu, 2, func, arg);
	vcpu_run(vcpu);
	forwarded = vcpu->run->exit_reason == KVM_EXIT_HYPERCALL &&
		    vcpu->run->hypercall.nr == func;
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[0]), FORWARDED);
	vcpu_run(vcpu);
	answered = vcpu->run->exit_reason == KVM_EXIT_MMIO &&
		   vcpu_get_reg(vcpu, ARM64_CORE_REG(regs.regs[0])) == FORWARDED;

	ksft_test_result(!err && forwarded && answered, "%s, %s: forwarded by filter\n",
			 fw_vm_name(strict), reg->name);
	kvm_vm_free(vm);
}

static void test_reserved(bool strict)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	bool ok = true;
	int i;

	vm = fw_vm_create(strict, &vcpu, 1);
	ok &= set_filter(vm, ARM_SMCCC_ARCH_FEATURES_FUNC_ID, KVM_SMCCC_FILTER_DENY) == EEXIST;
	ok &= set_filter(vm, ARM_SMCCC_ARCH_WORKAROUND_1, KVM_SMCCC_FILTER_DENY) == EEXIST;
	for (i = FW_WORKAROUND_1; i <= FW_WORKAROUND_3; i++)
		ok &= is_told(vcpu, &fw_regs[i], fw_get(vcpu, &fw_regs[i]), "only");
	ksft_test_result(ok, "%s, workarounds: not to be filtered\n", fw_vm_name(strict));
	kvm_vm_free(vm);
}

static void test_all(bool strict)
{
	u64 vals[MAX_VALUES];
	int i, j;

	for (i = 0; i < FW_NR_REGS; i++) {
		test_fresh(strict, &fw_regs[i]);
		for (j = 0; j < values(&fw_regs[i], vals); j++)
			test_set(strict, &fw_regs[i], vals[j]);
	}
	for (i = 0; i < ARRAY_SIZE(filtered); i++) {
		test_deny(strict, &fw_regs[filtered[i]]);
		test_forward(strict, &fw_regs[filtered[i]]);
	}
	test_reserved(strict);
}

int main(void)
{
	int i, strict, each = FW_NR_REGS + 2 * ARRAY_SIZE(filtered) + 1, plan = 0;
	u64 vals[MAX_VALUES];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = fw_vm_create(false, &vcpu, 1);
	for (i = 0; i < FW_NR_REGS; i++) {
		offers[i] = fw_offer(vcpu, &fw_regs[i]);
		each += values(&fw_regs[i], vals);
	}
	kvm_vm_free(vm);

	ksft_print_header();
	for (strict = 0; strict <= 1; strict++)
		plan += fw_vm_lacking(strict) ? 1 : each;
	ksft_set_plan(plan);

	for (strict = 0; strict <= 1; strict++) {
		const char *lacking = fw_vm_lacking(strict);

		if (lacking)
			ksft_test_result_skip("%s: %s\n", fw_vm_name(strict), lacking);
		else
			test_all(strict);
	}

	ksft_finished();
}
