// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_list - The firmware pseudo-registers in KVM_GET_REG_LIST
 *
 *  - Each register is listed exactly once, in the order of the ids, and no other
 *    id of the two classes is.
 *  - They come after the ID registers, on which depends what can be promised:
 *    whoever restores in the order of the list writes these first.
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
	int i, j, in_order = 0, others = 0;

	for (i = 0; i < FW_NR_REGS; i++) {
		int times = 0;

		for (j = 0; j < list->n; j++)
			times += list->reg[j] == fw_regs[i].id;

		ksft_test_result(times == 1, "%s listed once\n", fw_regs[i].name);
		in_order += !i || index_of(fw_regs[i - 1].id) < index_of(fw_regs[i].id);
	}
	ksft_test_result(in_order == FW_NR_REGS, "registers listed in the order of ids\n");

	for (j = 0; j < list->n; j++) {
		for (i = 0; i < FW_NR_REGS && list->reg[j] != fw_regs[i].id; i++)
			;
		if (i < FW_NR_REGS || !in_class(list->reg[j]))
			continue;
		ksft_print_msg("listed: 0x%llx\n", list->reg[j]);
		others++;
	}
	ksft_test_result(!others, "no other id of the classes listed\n");
}

/* Op0 = 3, Op1 = 0, CRn = 0: the ID registers and their like. */
static bool is_id_reg(u64 id)
{
	u64 mask = KVM_REG_ARM_COPROC_MASK | KVM_REG_ARM64_SYSREG_OP0_MASK |
		   KVM_REG_ARM64_SYSREG_OP1_MASK | KVM_REG_ARM64_SYSREG_CRN_MASK;

	return (id & mask) == (KVM_REG_ARM64_SYSREG | 3 << KVM_REG_ARM64_SYSREG_OP0_SHIFT);
}

static void test_after_id_regs(void)
{
	u64 i, last = 0;

	for (i = 0; i < list->n; i++) {
		if (is_id_reg(list->reg[i]))
			last = i;
	}

	ksft_test_result(last && index_of(fw_regs[0].id) > last,
			 "pseudo-registers listed after the ID registers\n");
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

	vm = fw_vm_create(true, &vcpu, 1);
	list = vcpu_get_reg_list(vcpu);
	create_wall();

	ksft_print_header();
	ksft_set_plan(FW_NR_REGS + 3 + 4 + 2 * FW_NR_REGS + 4);

	test_listed();
	test_after_id_regs();

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
