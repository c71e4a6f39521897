// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_vmms - What the VMMs do with the pseudo-registers
 *
 * Models of four VMMs, each with its order of writes and its reaction to a
 * refusal:
 *
 *   QEMU		sorted by id (core registers apart); goes on after a
 *			refusal and fails in the end; writes all registers again
 *			on each reset and load, also after the VM has run
 *   Firecracker	in list order; stops
 *   cloud-hypervisor	core registers, then list order; stops
 *   crosvm		pseudo-registers last, and only those of class 0x14; stops
 *
 * Whatever the VM was given before, on the same host each of them restores it
 * without a refusal, and the VM is as it was saved. Where a stream cannot be
 * kept, each of them learns it.
 */
#include "fw_regs_save.h"
#include "fw_regs_vm.h"

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

enum given { AS_IT_COMES, LOWERED, WITHOUT_SSBS, NR_GIVEN };

static const char * const given_names[] = { "as it comes", "lowered", "without SSBS" };

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

/* Returns the number of refusals that the VMM meets. */
static int load(const struct vmm *vmm, struct kvm_vcpu *vcpu, struct fw_saved *saved)
{
	int pass, err, refusals = 0;
	u64 i;

	for (pass = 0; pass < 3; pass++) {
		for (i = 0; i < saved->nr; i++) {
			if (pass_of(vmm, saved->regs[i].id) != pass)
				continue;

			err = fw_put(vcpu, &saved->regs[i]);
			if (!err)
				continue;

			ksft_print_msg("%s: 0x%lx = 0x%lx gets %s\n", vmm->name, saved->regs[i].id,
				       saved->regs[i].val[0], fw_errno_name(err));
			refusals++;
			if (!vmm->goes_on)
				return refusals;
		}
	}
	return refusals;
}

static struct fw_saved *save(const struct vmm *vmm, struct kvm_vcpu *vcpu)
{
	struct fw_saved *saved = fw_save(vcpu);

	if (vmm->sorted)
		fw_sort_by_id(saved);
	return saved;
}

static void give(struct kvm_vcpu *vcpu, enum given given)
{
	int i, err = 0;

	for (i = 0; given == LOWERED && i < FW_NR_REGS; i++)
		err |= fw_set(vcpu, &fw_regs[i], fw_regs[i].low);
	if (given == WITHOUT_SSBS) {
		err |= fw_set_ssbs(vcpu, 0);
		err |= fw_set(vcpu, &fw_regs[FW_WORKAROUND_2],
			      fw_get(vcpu, &fw_regs[FW_WORKAROUND_2]));
	}
	TEST_ASSERT(!err, "Cannot make a VM %s", given_names[given]);
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
static void test_rewrites(const struct vmm *vmm, struct kvm_vcpu *vcpu, const char *given,
			  const struct fw_state *state)
{
	struct fw_saved *saved;
	int refusals;

	fw_guest_ask(vcpu, &fw_regs[FW_PSCI_VERSION]);
	saved = save(vmm, vcpu);
	refusals = load(vmm, vcpu, saved);
	ksft_test_result(!refusals && as_saved(vmm, vcpu, state),
			 "%s writes all again to a VM %s that ran\n", vmm->name, given);

	fw_vcpu_init(vcpu, true);
	refusals = load(vmm, vcpu, saved);
	ksft_test_result(!refusals && as_saved(vmm, vcpu, state),
			 "%s writes all again to a VM %s that was reset\n", vmm->name, given);
	free(saved);
}

static void test_same_host(const struct vmm *vmm, enum given given)
{
	const char *name = given_names[given];
	struct kvm_vcpu *source, *target;
	struct kvm_vm *from, *to;
	struct fw_saved *saved;
	struct fw_state state;
	int refusals;

	from = fw_vm_create(true, &source, 1);
	give(source, given);
	saved = save(vmm, source);
	state = fw_state(source);

	to = fw_vm_create(true, &target, 1);
	refusals = load(vmm, target, saved);
	ksft_test_result(!refusals, "%s restores a VM %s\n", vmm->name, name);
	ksft_test_result(as_saved(vmm, target, &state), "%s restores a VM %s as it was saved\n",
			 vmm->name, name);
	if (vmm->rewrites)
		test_rewrites(vmm, target, name, &state);

	free(saved);
	kvm_vm_free(to);
	kvm_vm_free(from);
}

/* PSCI 2.0 and a level 7 come from nowhere; the bitmap behind them is good. */
static void test_refusal(const struct vmm *vmm)
{
	const struct fw_reg *bitmap = &fw_regs[FW_STD_BMAP];
	int refusals, expected = vmm->goes_on ? 2 : 1;
	struct fw_saved *saved;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	bool reached;

	vm = fw_vm_create(true, &vcpu, 1);
	saved = save(vmm, vcpu);
	fw_find(saved, fw_regs[FW_PSCI_VERSION].id)->val[0] = PSCI_VERSION(2, 0);
	fw_find(saved, fw_regs[FW_WORKAROUND_1].id)->val[0] = 7;
	fw_find(saved, bitmap->id)->val[0] = bitmap->low;

	refusals = load(vmm, vcpu, saved);
	reached = fw_get(vcpu, bitmap) == bitmap->low;
	ksft_test_result(refusals == expected && reached == vmm->goes_on,
			 "%s %s a refusal\n", vmm->name,
			 vmm->goes_on ? "goes on after" : "stops at");
	free(saved);
	kvm_vm_free(vm);
}

int main(void)
{
	int i, given;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(vmms) * (NR_GIVEN * 2 + 1) + NR_GIVEN * 2);

	for (i = 0; i < ARRAY_SIZE(vmms); i++) {
		for (given = 0; given < NR_GIVEN; given++)
			test_same_host(&vmms[i], given);
		test_refusal(&vmms[i]);
	}

	ksft_finished();
}
