// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_list - The firmware pseudo-registers in KVM_GET_REG_LIST
 *
 *  - Each register is listed exactly once, in the order of the ids, and whatever
 *    else is listed of the two classes can be read.
 *  - They come last, after the ID registers, on which depends what can be
 *    accepted: whoever restores in the order of the list writes these first.
 *  - A list that is too short gets E2BIG and the length that is needed, and no
 *    id is written.
 *  - A list that ends in memory that cannot be written gets EFAULT, wherever
 *    that memory begins: before, amid or after the pseudo-registers.
 */
#include <sys/mman.h>

#include "fw_regs_vm.h"

#define UNTOUCHED	0x5a5a5a5a5a5a5a5aUL

static struct kvm_vcpu *vcpu;
static struct kvm_reg_list *list;	/* the complete list */

/* Writable memory, directly followed by memory that is not. */
static char *wall;
static size_t room;

static int get_list(struct kvm_reg_list *to)
{
	return __vcpu_ioctl(vcpu, KVM_GET_REG_LIST, to) ? errno : 0;
}

/* A list whose writable part ends @bytes after the ids' begin. */
static struct kvm_reg_list *list_at_wall(size_t bytes)
{
	TEST_ASSERT(sizeof(*list) + bytes <= room, "No room for %zu bytes", bytes);
	memset(wall - room, UNTOUCHED & 0xff, room);

	return (void *)(wall - bytes - sizeof(*list));
}

static u64 index_of(u64 id)
{
	u64 i;

	for (i = 0; i < list->n && list->reg[i] != id; i++)
		;

	return i;
}

static bool in_class(u64 id)
{
	return (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_FW ||
	       (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_FW_FEAT_BMAP;
}

static void test_listed(void)
{
	int i, j, in_order = 0, unreadable = 0;
	u64 val;

	for (i = 0; i < FW_NR_REGS; i++) {
		int times = 0;

		for (j = 0; j < list->n; j++)
			times += list->reg[j] == fw_regs[i].id;

		ksft_test_result(times == 1, "%s listed once\n", fw_regs[i].name);
		in_order += !i || index_of(fw_regs[i - 1].id) < index_of(fw_regs[i].id);
	}
	ksft_test_result(in_order == FW_NR_REGS, "registers listed in the order of ids\n");

	for (j = 0; j < list->n; j++) {
		if (!in_class(list->reg[j]) || !fw_get_at(vcpu, list->reg[j], &val))
			continue;
		ksft_print_msg("listed: 0x%llx\n", list->reg[j]);
		unreadable++;
	}
	ksft_test_result(!unreadable, "each id of the classes that is listed can be read\n");
}

static void test_last(void)
{
	u64 i, first = index_of(fw_regs[0].id), others = 0;

	for (i = first; i < list->n; i++)
		others += !in_class(list->reg[i]);
	ksft_test_result(!others, "pseudo-registers listed last\n");

	ksft_test_result(index_of(FW_PFR1) < first,
			 "pseudo-registers listed after the ID register that they depend on\n");
}

/* Offer room for @n ids, and a few more that must stay untouched. */
static void test_length(u64 n, int expected)
{
	struct kvm_reg_list *l = list_at_wall((list->n + 2) * sizeof(u64));
	u64 written = expected ? 0 : list->n;
	int err;

	l->n = n;
	err = get_list(l);
	ksft_test_result(err == expected && l->n == list->n &&
			 !memcmp(l->reg, list->reg, written * sizeof(u64)) &&
			 l->reg[written] == UNTOUCHED,
			 "list %s: %s, n updated\n",
			 !n ? "of length 0" : n < list->n ? "one too short" :
			 n == list->n ? "of exact length" : "one too long",
			 fw_errno_name(expected));
}

/* Let the writable memory end @bytes after the ids' begin. */
static void test_wall(size_t bytes, const char *where, const char *name)
{
	int expected = bytes < list->n * sizeof(u64) ? EFAULT : 0;
	struct kvm_reg_list *l = list_at_wall(bytes);
	int err;

	l->n = list->n;
	err = get_list(l);
	ksft_test_result(err == expected, "list unwritable %s %s: %s\n", where, name,
			 fw_errno_name(expected));
	if (err != expected)
		ksft_print_msg("got %s\n", fw_errno_name(err));
}

static void create_wall(void)
{
	room = align_up((list->n + 4) * sizeof(u64), getpagesize());
	wall = mmap(NULL, room + getpagesize(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(wall != MAP_FAILED, "mmap() failed");
	wall += room;
	TEST_ASSERT(!mprotect(wall, getpagesize(), PROT_NONE), "mprotect() failed");
}

int main(void)
{
	size_t id = sizeof(u64);
	struct kvm_vm *vm;
	int i;

	vm = fw_vm_create(false, &vcpu, 1);
	list = vcpu_get_reg_list(vcpu);
	create_wall();

	ksft_print_header();
	ksft_set_plan(FW_NR_REGS + 2 + 2 + 4 + 2 * FW_NR_REGS + 4);

	test_listed();
	test_last();

	test_length(0, E2BIG);
	test_length(list->n - 1, E2BIG);
	test_length(list->n, 0);
	test_length(list->n + 1, 0);

	test_wall(0, "from", "the first id on");
	for (i = 0; i < FW_NR_REGS; i++) {
		u64 before = index_of(fw_regs[i].id) * id;

		test_wall(before, "from", fw_regs[i].name);
		test_wall(before + id / 2, "amid", fw_regs[i].name);
	}
	test_wall((index_of(fw_regs[FW_NR_REGS - 1].id) + 1) * id, "after",
		  fw_regs[FW_NR_REGS - 1].name);
	test_wall((list->n - 1) * id, "from", "the last id on");
	test_wall(list->n * id, "after", "the last id");

	kvm_vm_free(vm);
	ksft_finished();
}
