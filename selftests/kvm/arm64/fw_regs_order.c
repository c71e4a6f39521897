// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_order - Restoring in the order of the list and sorted by id
 *
 * A VM with its registers as they come, lowered, with SSBS hidden, or with SSBS
 * hidden and "not required" promised, is saved with all of its registers, and
 * restored into two fresh VMs: into one in the order of KVM_GET_REG_LIST, into
 * the other sorted by id. Each write gets the same verdict in both, none is
 * refused, and both VMs end in the state of the one that was saved.
 *
 * The same with a stream that promises more than the host can keep: the same
 * writes are refused in both orders, and both VMs end in the same state.
 */
#include "fw_regs_save.h"
#include "fw_regs_vm.h"

struct source {
	const char *name;
	bool lowered, hidden, promised;
};

static const struct source sources[] = {
	{ "fresh" },
	{ "lowered", .lowered = true },
	{ "without SSBS", .hidden = true },
	{ "without SSBS, as promised", .hidden = true, .promised = true },
	{ "lowered, without SSBS", .lowered = true, .hidden = true },
};

static struct fw_saved *save_source(const struct source *s, struct fw_state *state)
{
	const struct fw_reg *wa2 = &fw_regs[FW_WORKAROUND_2];
	struct fw_saved *saved;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i, err = 0;

	vm = fw_vm_create(true, &vcpu, 1);
	if (s->hidden)
		err |= fw_set_ssbs(vcpu, 0);
	if (s->promised)
		err |= fw_set(vcpu, wa2, fw_get(vcpu, wa2));
	for (i = 0; s->lowered && i < FW_NR_REGS; i++)
		err |= fw_set(vcpu, &fw_regs[i], fw_regs[i].low);
	TEST_ASSERT(!err, "Cannot make a VM %s", s->name);

	saved = fw_save(vcpu);
	*state = fw_state(vcpu);
	kvm_vm_free(vm);
	return saved;
}

/* Writes all, goes on after a refusal. Returns the verdicts in the order of ids. */
static int *restore(struct fw_saved *saved, bool sorted, struct fw_state *state, int *refusals)
{
	int *verdicts = calloc(saved->nr, sizeof(*verdicts));
	struct fw_saved *by_id;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 i;

	by_id = calloc(1, sizeof(*by_id) + saved->nr * sizeof(by_id->regs[0]));
	TEST_ASSERT(verdicts && by_id, "Out of memory");
	memcpy(by_id, saved, sizeof(*by_id) + saved->nr * sizeof(by_id->regs[0]));
	fw_sort_by_id(by_id);

	vm = fw_vm_create(true, &vcpu, 1);
	*refusals = 0;
	for (i = 0; i < saved->nr; i++) {
		struct fw_saved_reg *reg = sorted ? &by_id->regs[i] : &saved->regs[i];
		int err = fw_put(vcpu, reg);

		verdicts[fw_find(by_id, reg->id) - by_id->regs] = err;
		*refusals += !!err;
		if (err)
			ksft_print_msg("%s: 0x%lx gets %s\n", sorted ? "by id" : "list order",
				       reg->id, fw_errno_name(err));
	}
	*state = fw_state(vcpu);

	kvm_vm_free(vm);
	free(by_id);
	return verdicts;
}

static void compare(struct fw_saved *saved, const char *name, int expected,
		    const struct fw_state *source)
{
	struct fw_state by_list, by_id;
	int in_list, in_ids;
	int *a, *b;

	a = restore(saved, false, &by_list, &in_list);
	b = restore(saved, true, &by_id, &in_ids);

	ksft_test_result(!memcmp(a, b, saved->nr * sizeof(*a)),
			 "VM %s: same verdicts in both orders\n", name);
	ksft_test_result(in_list == expected && in_ids == expected,
			 "VM %s: %s\n", name, expected ? "the bad ones refused" : "all accepted");
	ksft_test_result(fw_state_equal(&by_list, &by_id), "VM %s: same state\n", name);
	if (source)
		ksft_test_result(fw_state_equal(&by_list, source) && fw_state_equal(&by_id, source),
				 "VM %s: state as saved\n", name);

	free(a);
	free(b);
}

/* One register of each kind asks for what no host has. */
static void spoil(struct fw_saved *saved)
{
	fw_find(saved, fw_regs[FW_PSCI_VERSION].id)->val[0] = PSCI_VERSION(2, 0);
	fw_find(saved, fw_regs[FW_WORKAROUND_2].id)->val[0] = 7;
	fw_find(saved, fw_regs[FW_STD_BMAP].id)->val[0] = BIT(63);
}

int main(void)
{
	struct fw_state state;
	struct fw_saved *saved;
	int i;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(sources) * 4 + 3);

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		saved = save_source(&sources[i], &state);
		compare(saved, sources[i].name, 0, &state);
		free(saved);
	}

	saved = save_source(&sources[1], &state);
	spoil(saved);
	compare(saved, "with bad values", 3, NULL);
	free(saved);

	ksft_finished();
}
