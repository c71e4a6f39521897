// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_trace - The trace event that each set leaves
 *
 * Each KVM_SET_ONE_REG of a pseudo-register leaves one event with the vCPU, the
 * id, the value, the promise before, the offer, and the verdict with its reason
 * as text: once for each reason there is, and for what is accepted. No other
 * access leaves one, and none is left when the event is off.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "fw_regs_vm.h"

#define TRACEFS		"/sys/kernel/tracing"
#define EVENT		"events/kvm/kvm_arm_fw_reg_set"
#define INSTANCE	TRACEFS "/instances/fw_regs_trace"

static int pipe_fd = -1;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	TEST_ASSERT(fd >= 0, "Cannot open %s", path);
	TEST_ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* An instance: no other user of the tracer is disturbed, and none disturbs. */
static void open_trace(void)
{
	if (access(TRACEFS "/events", F_OK))
		ksft_exit_skip("no tracefs at " TRACEFS "\n");
	if (access(TRACEFS "/" EVENT, F_OK))
		ksft_exit_skip("the kernel has no such event\n");

	rmdir(INSTANCE);
	TEST_ASSERT(!mkdir(INSTANCE, 0700), "Cannot make " INSTANCE);
	pipe_fd = open(INSTANCE "/trace_pipe", O_RDONLY | O_NONBLOCK);
	TEST_ASSERT(pipe_fd >= 0, "Cannot open the trace");
}

static void close_trace(void)
{
	close(pipe_fd);
	rmdir(INSTANCE);
}

static void enable(bool on)
{
	write_file(INSTANCE "/" EVENT "/enable", on ? "1" : "0");
}

/* What was traced since the last call, without what comes before the event's name. */
static const char *traced(void)
{
	static char text[4096];
	ssize_t len, used = 0;
	char *event;

	while ((len = read(pipe_fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += len;
	text[used] = '\0';

	event = strstr(text, "kvm_arm_fw_reg_set: ");
	return event ? event + strlen("kvm_arm_fw_reg_set: ") : text;
}

static void check(const char *name, const char *expected)
{
	const char *event = traced();
	bool ok = !strcmp(event, expected);

	ksft_test_result(ok, "%s\n", name);
	if (!ok)
		ksft_print_msg("expected: %s# traced:   %s\n", expected, event);
}

/* The event of a set with these fields. */
static const char *event(int vcpu, u64 id, u64 val, u64 promise, u64 offer, const char *verdict)
{
	static char text[256];

	snprintf(text, sizeof(text),
		 "vcpu=%d id=0x%016lx value=0x%lx promise=0x%lx offer=0x%lx verdict=%s\n",
		 vcpu, id, val, promise, offer, verdict);
	return text;
}

static void test_reg(struct kvm_vcpu *vcpu, const struct fw_reg *reg)
{
	u64 offer = fw_offer(vcpu, reg), fresh = fw_get(vcpu, reg);
	char name[64];

	snprintf(name, sizeof(name), "%s lowered: accepted", reg->name);
	fw_set(vcpu, reg, reg->low);
	check(name, event(0, reg->id, reg->low, fresh, offer, "accepted"));

	snprintf(name, sizeof(name), "%s raised: accepted", reg->name);
	fw_set(vcpu, reg, offer);
	check(name, event(0, reg->id, offer, reg->low, offer, "accepted"));
}

static void test_reasons(struct kvm_vcpu *vcpu)
{
	const struct fw_reg *psci = &fw_regs[FW_PSCI_VERSION], *std = &fw_regs[FW_STD_BMAP];
	u64 offer = psci->max, unknown = psci->id + FW_NR_REGS, zero = 0;

	fw_set(vcpu, psci, PSCI_VERSION(1, 0));
	traced();

	fw_set_at(vcpu, unknown, &offer);
	check("unknown register",
	      event(0, unknown, offer, 0, 0, "refused: unknown register"));

	fw_set_at(vcpu, fw_resize(psci->id, FW_SIZE_U64 - 1), &offer);
	check("wrong size",
	      event(0, fw_resize(psci->id, FW_SIZE_U64 - 1), 0, 0, 0,
		    "refused: unknown register"));

	fw_set_at(vcpu, psci->id, NULL);
	check("bad address", event(0, psci->id, 0, 0, 0, "refused: bad address"));

	fw_set(vcpu, psci, PSCI_VERSION(2, 0));
	check("malformed",
	      event(0, psci->id, PSCI_VERSION(2, 0), 0, 0, "refused: malformed"));

	fw_set(vcpu, psci, PSCI_VERSION(0, 1));
	check("wrong vCPU feature",
	      event(0, psci->id, PSCI_VERSION(0, 1), 0, 0, "refused: wrong vCPU feature"));

	fw_set(vcpu, std, BIT(63));
	check("exceeds the offer",
	      event(0, std->id, BIT(63), std->max, std->max, "refused: exceeds the offer"));

	__kvm_device_attr_set(vcpu->vm->fd, KVM_ARM_VM_SMCCC_CTRL,
			      KVM_ARM_VM_SMCCC_NULL_PROMISE, NULL);
	fw_set_at(vcpu, unknown, &zero);
	check("null promise", event(0, unknown, 0, 0, 0, "accepted: promises nothing"));

	fw_guest_ask(vcpu, psci);
	check("run: no event", "");

	fw_set(vcpu, psci, PSCI_VERSION(1, 1));
	check("frozen", event(0, psci->id, PSCI_VERSION(1, 1), PSCI_VERSION(1, 0), offer,
			      "refused: frozen"));
	fw_set(vcpu, psci, PSCI_VERSION(1, 0));
	check("current value after the run",
	      event(0, psci->id, PSCI_VERSION(1, 0), PSCI_VERSION(1, 0), offer, "accepted"));
}

static void test_others(struct kvm_vcpu *vcpus[])
{
	const struct fw_reg *reg = &fw_regs[FW_PSCI_VERSION];

	fw_set(vcpus[1], reg, reg->max);
	check("second vCPU", event(1, reg->id, reg->max, reg->max, reg->max, "accepted"));

	fw_get(vcpus[0], reg);
	free(vcpu_get_reg_list(vcpus[0]));
	fw_set_ssbs(vcpus[0], 0);
	check("get, list, ID register: no event", "");

	enable(false);
	fw_set(vcpus[0], reg, reg->low);
	check("off: no event", "");
	enable(true);
}

int main(void)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm;
	int i;

	ksft_print_header();
	open_trace();
	ksft_set_plan(FW_NR_REGS * 2 + 10 + 3);
	enable(true);

	vm = fw_vm_create(true, vcpus, 2);
	for (i = 0; i < FW_NR_REGS; i++)
		test_reg(vcpus[0], &fw_regs[i]);
	test_others(vcpus);
	test_reasons(vcpus[0]);
	kvm_vm_free(vm);

	close_trace();
	ksft_finished();
}
