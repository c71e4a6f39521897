// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_errno - Which error an access to a pseudo-register gets first
 *
 * A set fails with ENOENT if the size in the id is not 8 bytes, then with EFAULT
 * if the value cannot be read, then with ENOENT if the id is unknown, and only
 * then is the value judged. A get fails with ENOENT if the id is unknown, its
 * size included, then with EFAULT if the value cannot be written.
 *
 * So each kind of memory is combined with each register, each register with
 * each wrong size in good and in bad memory, and unknown ids with both. Neither
 * may a failed get write, nor a failed set change the register.
 *
 * All of that comes after ENOEXEC, for a vCPU that is not initialised: it has no
 * registers to get, to set or to list.
 *
 * See fw_regs_atomic for the values that are refused, and for VMs that have run.
 */
#include <sys/mman.h>

#include "fw_regs_vm.h"

/* Malformed for every register. */
#define MALFORMED	0xa5a5a5a5a5a5a5a5UL

/* Large enough for every size that an id can name. */
static char big[BIT(FW_NR_SIZES - 1)];

struct place {
	const char *name;
	void *addr;
	int set, get;
};

enum {
	P_ALIGNED, P_UNALIGNED, P_TWO_PAGES, P_READ_ONLY, P_NO_ACCESS, P_UNMAPPED,
	P_END_UNMAPPED, P_NULL, P_KERNEL, P_NON_CANONICAL, P_NR,
};

static struct place places[P_NR] = {
	[P_ALIGNED]	 = { "in aligned memory" },
	[P_UNALIGNED]	 = { "in unaligned memory" },
	[P_TWO_PAGES]	 = { "across two pages" },
	[P_READ_ONLY]	 = { "in read-only memory", .get = EFAULT },
	[P_NO_ACCESS]	 = { "in PROT_NONE memory", .set = EFAULT, .get = EFAULT },
	[P_UNMAPPED]	 = { "in unmapped memory", .set = EFAULT, .get = EFAULT },
	[P_END_UNMAPPED] = { "with unmapped second half", .set = EFAULT, .get = EFAULT },
	[P_NULL]	 = { "at NULL", .set = EFAULT, .get = EFAULT },
	[P_KERNEL]	 = { "in kernel memory", (void *)GENMASK(63, 47), EFAULT, EFAULT },
	[P_NON_CANONICAL] = { "at non-canonical address", (void *)BIT(54), EFAULT, EFAULT },
};

static struct kvm_vcpu *vcpu;

/* Pages: writable, writable, unmapped, read-only, PROT_NONE. */
static void create_places(void)
{
	size_t page = getpagesize();
	char *mem;

	mem = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(mem != MAP_FAILED, "mmap() failed");
	memset(mem, MALFORMED & 0xff, 5 * page);
	TEST_ASSERT(!munmap(mem + 2 * page, page), "munmap() failed");
	TEST_ASSERT(!mprotect(mem + 3 * page, page, PROT_READ), "mprotect() failed");
	TEST_ASSERT(!mprotect(mem + 4 * page, page, PROT_NONE), "mprotect() failed");

	places[P_ALIGNED].addr = mem;
	places[P_UNALIGNED].addr = mem + 17;
	places[P_TWO_PAGES].addr = mem + page - 4;
	places[P_END_UNMAPPED].addr = mem + 2 * page - 4;
	places[P_UNMAPPED].addr = mem + 2 * page;
	places[P_READ_ONLY].addr = mem + 3 * page;
	places[P_NO_ACCESS].addr = mem + 4 * page;
}

/* Store @val at @place, as far as it can be stored. */
static void fill(const struct place *place, u64 val)
{
	size_t page = getpagesize();
	char *ro = places[P_READ_ONLY].addr;

	if (place->addr == ro)
		TEST_ASSERT(!mprotect(ro, page, PROT_READ | PROT_WRITE), "mprotect() failed");
	if (!place->set)
		memcpy(place->addr, &val, sizeof(val));
	if (place->addr == ro)
		TEST_ASSERT(!mprotect(ro, page, PROT_READ), "mprotect() failed");
}

static void result(int err, int expected, bool intact, const char *name, const char *cond)
{
	ksft_test_result(err == expected && intact, "%s %s: %s\n", name, cond,
			 fw_errno_name(expected));
	if (err != expected)
		ksft_print_msg("got %s\n", fw_errno_name(err));
	if (!intact)
		ksft_print_msg("register or memory has a wrong value\n");
}

static void test_set(const struct fw_reg *reg, const struct place *place)
{
	u64 before = fw_get(vcpu, reg);
	char name[64];
	int err;

	snprintf(name, sizeof(name), "set %s, value", reg->name);
	fill(place, before);
	err = fw_set_at(vcpu, reg->id, place->addr);
	result(err, place->set, fw_get(vcpu, reg) == before, name, place->name);
}

static void test_get(const struct fw_reg *reg, const struct place *place)
{
	u64 val, expected = fw_get(vcpu, reg);
	char name[64];
	int err;

	snprintf(name, sizeof(name), "get %s, value", reg->name);
	fill(place, MALFORMED);
	err = fw_get_at(vcpu, reg->id, place->addr);

	if (!place->set)
		memcpy(&val, place->addr, sizeof(val));
	result(err, place->get, place->set || val == (place->get ? MALFORMED : expected),
	       name, place->name);
}

static bool is_untouched(void)
{
	int i;

	for (i = 0; i < sizeof(big) && big[i] == (char)MALFORMED; i++)
		;

	return i == sizeof(big);
}

static void test_id(u64 id, const char *name, int set_unreadable)
{
	const char *good = "in good memory", *bad = places[P_UNMAPPED].name;
	void *unmapped = places[P_UNMAPPED].addr;
	char set[64], get[64];
	int err;

	snprintf(set, sizeof(set), "set %s, value", name);
	snprintf(get, sizeof(get), "get %s, value", name);

	result(fw_set_at(vcpu, id, big), ENOENT, true, set, good);
	result(fw_set_at(vcpu, id, unmapped), set_unreadable, true, set, bad);
	err = fw_get_at(vcpu, id, big);
	result(err, ENOENT, is_untouched(), get, good);
	result(fw_get_at(vcpu, id, unmapped), ENOENT, true, get, bad);
}

static void test_uninitialised(struct kvm_vcpu *uninitialised)
{
	void *unmapped = places[P_UNMAPPED].addr;
	struct kvm_reg_list list = {};
	int i, err;

	for (i = 0; i < FW_NR_REGS; i++) {
		u64 id = fw_regs[i].id;

		result(fw_set_at(uninitialised, id, big), ENOEXEC, true,
		       "vCPU not initialised, set", fw_regs[i].name);
		result(fw_get_at(uninitialised, id, unmapped), ENOEXEC, true,
		       "vCPU not initialised, get", fw_regs[i].name);
	}
	err = __vcpu_ioctl(uninitialised, KVM_GET_REG_LIST, &list) ? errno : 0;
	result(err, ENOEXEC, !list.n, "vCPU not initialised,", "list");
}

static bool is_listed(u64 id)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(vcpu);
	bool listed = false;
	u64 i;

	for (i = 0; i < list->n; i++)
		listed |= list->reg[i] == id;
	free(list);

	return listed;
}

int main(void)
{
	u64 before[FW_NR_REGS];
	struct kvm_vm *vm;
	char name[48];
	int i, j;

	vm = fw_vm_create(false, &vcpu, 1);
	create_places();
	memset(big, MALFORMED & 0xff, sizeof(big));

	ksft_print_header();
	ksft_set_plan(FW_NR_REGS * (P_NR * 2 + (FW_NR_SIZES - 1) * 4 + 1) +
		      ARRAY_SIZE(fw_unknown_ids) * 4 + FW_NR_REGS * 2 + 1);

	for (i = 0; i < FW_NR_REGS; i++) {
		before[i] = fw_get(vcpu, &fw_regs[i]);

		for (j = 0; j < P_NR; j++) {
			test_set(&fw_regs[i], &places[j]);
			test_get(&fw_regs[i], &places[j]);
		}
		for (j = 0; j < FW_NR_SIZES; j++) {
			if (j == FW_SIZE_U64)
				continue;
			snprintf(name, sizeof(name), "%s with size %lu", fw_regs[i].name,
				 BIT(j));
			test_id(fw_resize(fw_regs[i].id, j), name, ENOENT);
		}
	}

	for (i = 0; i < ARRAY_SIZE(fw_unknown_ids); i++) {
		snprintf(name, sizeof(name), "unknown id 0x%08x", fw_unknown_ids[i]);
		if (!is_listed(FW_UNKNOWN_ID(i))) {
			test_id(FW_UNKNOWN_ID(i), name, EFAULT);
			continue;
		}
		for (j = 0; j < 4; j++)
			ksft_test_result_skip("%s: this kernel knows it\n", name);
	}

	test_uninitialised(__vm_vcpu_add(vm, 1));

	for (i = 0; i < FW_NR_REGS; i++)
		ksft_test_result(fw_get(vcpu, &fw_regs[i]) == before[i],
				 "%s unchanged after all errors\n", fw_regs[i].name);

	kvm_vm_free(vm);
	ksft_finished();
}
