// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_trace - The trace event that each set leaves
 *
 * Each KVM_SET_ONE_REG of a pseudo-register leaves one event with the vCPU, the
 * id, the value, the promise before, the offer, and the verdict with its reason
 * as text: once for each reason there is, and for what is accepted. No other
 * access leaves one, and none is left when the event is off.
 *
 * All in a default VM and in a strict one. The kernels that have the event are
 * those that have strict VMs.
 */
#include "fw_regs_trace.h"
#include "fw_regs_vm.h"

/* Of each kind of VM. */
#define NR_TESTS	(FW_NR_REGS * 2 + 3 + 11)

static const char *kind;	/* of VM */

static void check(const char *name, const char *expected)
{
	const char *event = traced();
	bool ok = !strcmp(event, expected);

	ksft_test_result(ok, "%s: %s\n", kind, name);
	if (!ok)
		ksft_print_msg("expected: %s# traced:   %s\n", expected, event);
}

static void test_reg(bool strict, struct kvm_vcpu *vcpu, const struct fw_reg *reg, u64 offer)
{
	u64 fresh = fw_get(vcpu, reg), lowered = fw_shown(strict, reg, offer, reg->low);
	char name[64];

	snprintf(name, sizeof(name), "%s lowered", reg->name);
	fw_set(vcpu, reg, reg->low);
	check(name, event(0, reg->id, reg->low, fresh, offer, "accepted"));

	snprintf(name, sizeof(name), "%s raised", reg->name);
	fw_set(vcpu, reg, offer);
	check(name, event(0, reg->id, offer, lowered, offer, "accepted"));
}

/* @offers are those of the VM as it was fresh; SSBS is still as it was then. */
static void test_reasons(bool strict, struct kvm_vcpu *vcpu, const u64 offers[FW_NR_REGS])
{
	const struct fw_reg *psci = &fw_regs[FW_PSCI_VERSION], *std = &fw_regs[FW_STD_BMAP];
	u64 newest = offers[FW_PSCI_VERSION], services = offers[FW_STD_BMAP];
	u64 small = fw_resize(psci->id, FW_SIZE_U64 - 1);
	u64 unknown = psci->id | 0x8000, zero = 0;

	fw_set(vcpu, psci, PSCI_VERSION(1, 0));
	traced();

	fw_set_at(vcpu, unknown, &newest);
	check("unknown register", event(0, unknown, newest, 0, 0, "refused: unknown register"));

	fw_set_at(vcpu, small, &newest);
	check("wrong size", event(0, small, 0, 0, 0, "refused: unknown register"));

	fw_set_at(vcpu, psci->id, NULL);
	check("bad address", event(0, psci->id, 0, 0, 0, "refused: bad address"));

	fw_set(vcpu, psci, BIT(63));
	check("malformed", event(0, psci->id, BIT(63), 0, 0, "refused: malformed"));

	fw_set(vcpu, psci, PSCI_VERSION(0, 1));
	check("wrong vCPU feature",
	      event(0, psci->id, PSCI_VERSION(0, 1), 0, 0, "refused: wrong vCPU feature"));

	fw_set(vcpu, std, BIT(63));
	check("exceeds the offer",
	      event(0, std->id, BIT(63), services, services, "refused: exceeds the offer"));

	fw_set_at(vcpu, unknown, &zero);
	check("null promise", event(0, unknown, 0, 0, 0, "accepted: promises nothing"));

	fw_vm_run(vcpu);
	check("run: no event", "");

	fw_set(vcpu, std, 0);
	check("frozen", event(0, std->id, 0, services, services, "refused: frozen"));
	fw_set(vcpu, std, services);
	check("current value after the run",
	      event(0, std->id, services, services, services, "accepted"));
	fw_set(vcpu, psci, PSCI_VERSION(1, 1));
	check("version after the run",
	      event(0, psci->id, PSCI_VERSION(1, 1), PSCI_VERSION(1, 0), newest,
		    strict ? "refused: frozen" : "accepted"));
}

static void test_others(struct kvm_vcpu *vcpus[], const u64 offers[FW_NR_REGS])
{
	const struct fw_reg *reg = &fw_regs[FW_PSCI_VERSION];
	u64 newest = offers[FW_PSCI_VERSION];

	fw_set(vcpus[1], reg, newest);
	check("second vCPU", event(1, reg->id, newest, newest, newest, "accepted"));

	fw_get(vcpus[0], reg);
	free(vcpu_get_reg_list(vcpus[0]));
	fw_set_ssbs(vcpus[0], 0);
	check("get, list, ID register: no event", "");

	trace_enable(false);
	fw_set(vcpus[0], reg, reg->low);
	check("off: no event", "");
	trace_enable(true);
}

static void test_vm(bool strict)
{
	u64 flags = KVM_ARM_FW_REGS_NULL_PROMISE | (strict ? KVM_ARM_FW_REGS_STRICT : 0);
	struct kvm_vcpu *vcpus[2];
	u64 offers[FW_NR_REGS];
	struct kvm_vm *vm;
	int i;

	kind = fw_vm_name(strict);
	vm = __fw_vm_create(flags, FW_FEATURES, vcpus, 2);
	for (i = 0; i < FW_NR_REGS; i++)
		offers[i] = fw_offer(vcpus[0], &fw_regs[i]);

	trace_enable(true);
	for (i = 0; i < FW_NR_REGS; i++)
		test_reg(strict, vcpus[0], &fw_regs[i], offers[i]);
	test_others(vcpus, offers);
	test_reasons(strict, vcpus[0], offers);
	trace_enable(false);
	kvm_vm_free(vm);
}

int main(void)
{
	const char *lacking = fw_vm_lacking(false);
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_FW_REGS_STRICT));

	ksft_print_header();
	if (trace_lacking())
		ksft_exit_skip("%s\n", trace_lacking());
	trace_open();
	ksft_set_plan(2 * NR_TESTS);

	if (lacking) {
		for (i = 0; i < NR_TESTS; i++)
			ksft_test_result_skip("default VM: %s\n", lacking);
	} else {
		test_vm(false);
	}
	test_vm(true);

	trace_close();
	ksft_finished();
}
