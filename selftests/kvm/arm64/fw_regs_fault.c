// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_fault - Accesses in which a user access or an allocation fails
 *
 * Each way to reach the pseudo-registers is taken again and again, in a default
 * VM and in a strict one: with a failure of the first access to user memory or
 * allocation in it, then of the second, and so on, until there is no further one.
 *
 * A failed access gets EFAULT or ENOMEM and changes nothing; one that succeeds
 * all the same has done all that it should. A set leaves one event, as soon as
 * KVM knows which register it is for. Without a failure, each access succeeds.
 *
 * get_user() and put_user(), by which a value goes, cannot be made to fail. So
 * the last failure of a get or a set is that there is no memory for the value.
 *
 * Needs CONFIG_FAULT_INJECTION_USERCOPY and debugfs.
 */
#include "fw_regs_trace.h"
#include "fw_regs_vm.h"

#define DEBUGFS		"/sys/kernel/debug"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

/* More than any access needs. */
#define MAX_FAULTS	32

static struct kvm_vcpu *vcpu;
/* A VM without vCPUs. */
static struct kvm_vm *empty;
static int fail_nth;

static int list(const struct fw_reg *reg, u64 *val)
{
	static struct {
		struct kvm_reg_list head;
		u64 ids[1024];
	} list;

	list.head.n = ARRAY_SIZE(list.ids);
	return __vcpu_ioctl(vcpu, KVM_GET_REG_LIST, &list.head) ? errno : 0;
}

static int get(const struct fw_reg *reg, u64 *val)
{
	return fw_get_at(vcpu, reg->id, val);
}

static int set(const struct fw_reg *reg, u64 *val)
{
	return fw_set_at(vcpu, reg->id, val);
}

static int enable(const struct fw_reg *reg, u64 *val)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_FW_REGS_STRICT,
		.args = { KVM_ARM_FW_REGS_STRICT },
	};

	return __vm_ioctl(empty, KVM_ENABLE_CAP, &cap) ? errno : 0;
}

struct access {
	const char *name;
	/* Returns 0 or the errno. */
	int (*make)(const struct fw_reg *reg, u64 *val);
	/* How many accesses to user memory can be made to fail, at least. */
	int copies;
};

static const struct access list_ids = { "list", list, 2 };
static const struct access get_reg = { "get", get, 1 };
static const struct access set_reg = { "set", set, 1 };
static const struct access enable_cap = { "enable", enable, 1 };

/*
 * Make an access of which the @n-th step that can fail does. Returns its errno or
 * 0, and whether there was such a step.
 */
static int make(const struct access *access, const struct fw_reg *reg, u64 *val, int n,
		bool *failed)
{
	char text[16] = "";
	int err, len;

	snprintf(text, sizeof(text), "%d", n);
	TEST_ASSERT(write(fail_nth, text, strlen(text)) > 0, "Cannot write " FAIL_NTH);
	err = access->make(reg, val);

	/* To tell how many steps are left is the next step. */
	len = pread(fail_nth, text, sizeof(text) - 1, 0);
	*failed = len > 0 && atoi(text) == 0;
	/* And to take them back is the next one. */
	if (!*failed && write(fail_nth, "0", 1) < 0)
		TEST_ASSERT_EQ(errno, EFAULT);

	return err;
}

/* Is this the event that the last set left? */
static bool event_is(const char *expected)
{
	return trace_lacking() || !strcmp(traced(), expected);
}

static void report(bool good, bool strict, const struct access *access, const struct fw_reg *reg,
		   int failures, const char *errors)
{
	const char *of = reg ? " of " : "", *name = reg ? reg->name : "";

	ksft_print_msg("%d injected:%s\n", failures, errors);
	ksft_test_result(good && failures >= access->copies, "%s: %s%s%s\n", fw_vm_name(strict),
			 access->name, of, name);
}

static void test(bool strict, const struct access *access, const struct fw_reg *reg, u64 offer)
{
	bool sets = access == &set_reg, failed = true, good = true;
	u64 before = reg ? fw_get(vcpu, reg) : 0;
	u64 wanted = sets ? fw_other(reg, offer, before) : ~before;
	struct fw_state state = fw_state(vcpu), now;
	char errors[256] = "";
	int n, err, used = 0;

	for (n = 1; failed && n <= MAX_FAULTS; n++) {
		u64 val = wanted;

		err = make(access, reg, &val, n, &failed);
		used += snprintf(errors + used, sizeof(errors) - used, " %s", fw_errno_name(err));
		/* It fails before KVM knows what is to be set. */
		if (sets)
			good &= event_is(err ? "" : event(0, reg->id, val, before, offer,
							  "accepted"));

		if (!err && sets) {
			good &= fw_get(vcpu, reg) == fw_shown(strict, reg, offer, wanted);
			good &= !fw_set(vcpu, reg, before);
			event_is("");
		} else if (!err && access == &get_reg) {
			good &= val == before;
		} else if (err) {
			good &= failed && (err == EFAULT || err == ENOMEM) && val == wanted;
		}
		now = fw_state(vcpu);
		good &= fw_state_equal(&now, &state);
	}

	if (reg) {
		err = access->make(reg, NULL);
		used += snprintf(errors + used, sizeof(errors) - used, ", without memory %s",
				 fw_errno_name(err));
		now = fw_state(vcpu);
		good &= err == EFAULT && fw_state_equal(&now, &state);
		if (sets)
			good &= event_is(event(0, reg->id, 0, 0, 0, "refused: bad address"));
	}

	report(good && !failed, strict, access, reg, n - 2, errors);
}

static void test_vm(bool strict)
{
	u64 offers[FW_NR_REGS];
	struct kvm_vm *vm;
	int i;

	vm = fw_vm_create(strict, &vcpu, 1);
	for (i = 0; i < FW_NR_REGS; i++)
		offers[i] = fw_offer(vcpu, &fw_regs[i]);

	if (!trace_lacking()) {
		trace_open();
		trace_enable(true);
	}
	test(strict, &list_ids, NULL, 0);
	for (i = 0; i < FW_NR_REGS; i++) {
		test(strict, &get_reg, &fw_regs[i], offers[i]);
		test(strict, &set_reg, &fw_regs[i], offers[i]);
	}
	if (strict) {
		empty = vm_create_barebones();
		test(strict, &enable_cap, NULL, 0);
		kvm_vm_free(empty);
	}
	if (!trace_lacking())
		trace_close();

	kvm_vm_free(vm);
}

/* Allocations of this kind fail, too, also those that may wait. */
static void make_fail(const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), DEBUGFS "/%s/verbose", kind);
	if (access(path, F_OK))
		return;
	write_file(path, "0");
	snprintf(path, sizeof(path), DEBUGFS "/%s/ignore-gfp-wait", kind);
	write_file(path, "N");
}

int main(void)
{
	bool has_default = !fw_vm_lacking(false), has_strict = !fw_vm_lacking(true);

	ksft_print_header();
	fail_nth = open(FAIL_NTH, O_RDWR);
	if (fail_nth < 0 || access(DEBUGFS "/fail_usercopy", F_OK))
		ksft_exit_skip("no CONFIG_FAULT_INJECTION_USERCOPY, or no debugfs\n");
	write_file(DEBUGFS "/fail_usercopy/verbose", "0");
	make_fail("failslab");
	make_fail("fail_page_alloc");

	ksft_set_plan((1 + 2 * FW_NR_REGS) * (has_default + has_strict) + has_strict);
	if (has_default)
		test_vm(false);
	if (has_strict)
		test_vm(true);

	ksft_finished();
}
