// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_vmms - What the VMMs do with the pseudo-registers
 *
 * Models of four VMMs, which copy ids and values of all registers of a vCPU and
 * know none. Each has its order of writes and its reaction to a refusal:
 *
 *   QEMU		sorted by id (core registers apart); goes on after a
 *			refusal and fails in the end; writes all registers again
 *			on each reset and load, also after the VM has run
 *   Firecracker	in list order; stops
 *   cloud-hypervisor	core registers, then list order; stops
 *   crosvm		pseudo-registers last, and only those of class 0x14; stops
 *
 * Whatever the VM was given before, default or strict, on the same host each of
 * them restores it without a refusal, and the VM is as it was saved. Where a
 * stream cannot be kept, each of them learns it, and the order does not matter:
 * the same writes are refused, and the VM ends in the same state.
 */
#include "fw_regs_vm.h"

struct saved_reg {
	u64 id;
	u64 val[256 / sizeof(u64)];	/* as large as the largest */
};

struct saved {
	u64 nr;
	struct saved_reg regs[];
};

struct vmm {
	const char *name;
	bool sorted, core_first, fw_last, goes_on, rewrites;
};

static const struct vmm vmms[] = {
	{ "QEMU", .sorted = true, .core_first = true, .goes_on = true, .rewrites = true },
	{ "Firecracker" },
	{ "cloud-hypervisor", .core_first = true },
	{ "crosvm", .fw_last = true },
};

/* What the VM was given before it was saved. */
static const struct given {
	const char *name;
	bool lowered, hidden, set;
} givens[] = {
	{ "as it comes" },
	{ "lowered", .lowered = true },
	{ "without SSBS", .hidden = true },
	{ "without SSBS, which was set", .hidden = true, .set = true },
	{ "lowered, without SSBS", .lowered = true, .hidden = true },
};

static u64 class_of(u64 id)
{
	return id & KVM_REG_ARM_COPROC_MASK;
}

/* Which pass of the VMM writes the register; -1 for none. */
static int pass_of(const struct vmm *vmm, u64 id)
{
	if (vmm->core_first && class_of(id) == KVM_REG_ARM_CORE)
		return 0;
	if (vmm->fw_last && class_of(id) == KVM_REG_ARM_FW_FEAT_BMAP)
		return -1;
	return vmm->fw_last && class_of(id) == KVM_REG_ARM_FW ? 2 : 1;
}

static int compare_ids(const void *a, const void *b)
{
	const struct saved_reg *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct saved *save(const struct vmm *vmm, struct kvm_vcpu *vcpu)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(vcpu);
	struct saved *saved;
	u64 i;

	saved = calloc(1, sizeof(*saved) + list->n * sizeof(saved->regs[0]));
	TEST_ASSERT(saved, "Out of memory");

	saved->nr = list->n;
	for (i = 0; i < list->n; i++) {
		struct saved_reg *reg = &saved->regs[i];
		int err;

		TEST_ASSERT(KVM_REG_SIZE(list->reg[i]) <= sizeof(reg->val), "Too large");
		reg->id = list->reg[i];
		err = fw_get_at(vcpu, reg->id, reg->val);
		TEST_ASSERT(!err, "Cannot get 0x%lx: %s", reg->id, fw_errno_name(err));
	}
	free(list);

	if (vmm->sorted)
		qsort(saved->regs, saved->nr, sizeof(saved->regs[0]), compare_ids);
	return saved;
}

/* Returns the number of refusals that the VMM meets. */
static int load(const struct vmm *vmm, struct kvm_vcpu *vcpu, struct saved *saved)
{
	int pass, err, refusals = 0;
	u64 i;

	for (pass = 0; pass < 3; pass++) {
		for (i = 0; i < saved->nr; i++) {
			struct saved_reg *reg = &saved->regs[i];

			if (pass_of(vmm, reg->id) != pass)
				continue;

			err = fw_set_at(vcpu, reg->id, reg->val);
			if (!err)
				continue;

			ksft_print_msg("%s: 0x%lx = 0x%lx gets %s\n", vmm->name, reg->id,
				       reg->val[0], fw_errno_name(err));
			refusals++;
			if (!vmm->goes_on)
				return refusals;
		}
	}
	return refusals;
}

static void give(struct kvm_vcpu *vcpu, const struct given *given)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];
	int i, err = 0;

	if (given->hidden)
		err |= fw_set_ssbs(vcpu, 0);
	if (given->set)
		err |= fw_set(vcpu, wa2, fw_get(vcpu, wa2));
	for (i = 0; given->lowered && i < FW_NR_REGS; i++)
		err |= fw_set(vcpu, &fw_regs[i], fw_regs[i].low);
	TEST_ASSERT(!err, "Cannot make a VM %s", given->name);
}

/* Of what the VMM restores. */
static bool as_saved(const struct vmm *vmm, struct kvm_vcpu *vcpu, const struct fw_state *saved)
{
	struct fw_state now = fw_state(vcpu);
	bool same = now.pfr1 == saved->pfr1;
	int i;

	for (i = 0; i < FW_NR_REGS; i++) {
		if (pass_of(vmm, fw_regs[i].id) >= 0)
			same &= now.vals[i] == saved->vals[i];
	}
	return same;
}

/* The VM runs, is written anew as it is, is reset, and is written anew again. */
static void test_rewrites(const struct vmm *vmm, struct kvm_vcpu *vcpu, const char *what,
			  const struct fw_state *state)
{
	struct saved *saved;
	int refusals;

	fw_vm_run(vcpu);
	saved = save(vmm, vcpu);
	refusals = load(vmm, vcpu, saved);
	ksft_test_result(!refusals && as_saved(vmm, vcpu, state),
			 "%s writes all again to a %s that ran\n", vmm->name, what);

	fw_vcpu_init(vcpu, FW_FEATURES);
	refusals = load(vmm, vcpu, saved);
	ksft_test_result(!refusals && as_saved(vmm, vcpu, state),
			 "%s writes all again to a %s that was reset\n", vmm->name, what);
	free(saved);
}

static void test_same_host(bool strict, const struct vmm *vmm, const struct given *given)
{
	struct kvm_vcpu *source, *target;
	struct kvm_vm *from, *to;
	struct saved *saved;
	struct fw_state state;
	int refusals;
	char what[64];

	snprintf(what, sizeof(what), "%s, %s,", fw_vm_name(strict), given->name);
	from = fw_vm_create(strict, &source, 1);
	give(source, given);
	saved = save(vmm, source);
	state = fw_state(source);

	to = fw_vm_create(strict, &target, 1);
	refusals = load(vmm, target, saved);
	ksft_test_result(!refusals && as_saved(vmm, target, &state), "%s restores a %s as saved\n",
			 vmm->name, what);
	if (vmm->rewrites)
		test_rewrites(vmm, target, what, &state);

	free(saved);
	kvm_vm_free(to);
	kvm_vm_free(from);
}

/* A stream of a VM with less, in which three values come from nowhere; what of it is kept. */
static int load_bad(bool strict, const struct vmm *vmm, struct fw_state *state)
{
	struct kvm_vcpu *source, *target;
	struct kvm_vm *from, *to;
	struct saved *saved;
	int refusals;
	u64 i;

	from = fw_vm_create(strict, &source, 1);
	give(source, &givens[1]);
	saved = save(vmm, source);
	kvm_vm_free(from);

	for (i = 0; i < saved->nr; i++) {
		struct saved_reg *reg = &saved->regs[i];

		if (reg->id == fw_regs[FW_PSCI_VERSION].id ||
		    reg->id == fw_regs[FW_WORKAROUND_2].id ||
		    reg->id == fw_regs[FW_STD_HYP_BMAP].id)
			reg->val[0] = BIT(63);
	}

	to = fw_vm_create(strict, &target, 1);
	refusals = load(vmm, target, saved);
	*state = fw_state(target);
	kvm_vm_free(to);
	free(saved);

	return refusals;
}

/* STD_BMAP is good, and behind the first bad one in any order. */
static void test_refusal(bool strict, const struct vmm *vmm)
{
	int refusals, expected = !vmm->goes_on ? 1 : vmm->fw_last ? 2 : 3;
	struct fw_state state;
	bool reached;

	refusals = load_bad(strict, vmm, &state);
	reached = state.vals[FW_STD_BMAP] == fw_regs[FW_STD_BMAP].low;
	ksft_test_result(refusals == expected && reached == vmm->goes_on,
			 "%s %s a refusal, %s\n", vmm->name,
			 vmm->goes_on ? "goes on after" : "stops at", fw_vm_name(strict));
}

static void test_order(bool strict)
{
	const struct vmm in_list_order = { "in list order", .goes_on = true };
	const struct vmm sorted = { "sorted by id", .goes_on = true, .sorted = true };
	struct fw_state a, b;
	int in_list, in_ids;

	in_list = load_bad(strict, &in_list_order, &a);
	in_ids = load_bad(strict, &sorted, &b);
	ksft_test_result(in_list == 3 && in_ids == 3 && fw_state_equal(&a, &b),
			 "same state with refusals in any order, %s\n", fw_vm_name(strict));
}

static void test_all(bool strict)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(vmms); i++) {
		for (j = 0; j < ARRAY_SIZE(givens); j++)
			test_same_host(strict, &vmms[i], &givens[j]);
		test_refusal(strict, &vmms[i]);
	}
	test_order(strict);
}

int main(void)
{
	const char *no_strict = fw_vm_lacking(true);
	int i, each = 1;

	for (i = 0; i < ARRAY_SIZE(vmms); i++)
		each += ARRAY_SIZE(givens) * (vmms[i].rewrites ? 3 : 1) + 1;

	ksft_print_header();
	ksft_set_plan(each + (no_strict ? 1 : each));

	test_all(false);
	if (no_strict)
		ksft_test_result_skip("strict VM: %s\n", no_strict);
	else
		test_all(true);

	ksft_finished();
}
