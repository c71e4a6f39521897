// SPDX-License-Identifier: GPL-2.0
/*
 * Saves the firmware pseudo-registers of an arm64 virtual machine and restores
 * them, as a VMM does around a migration, without knowing any of them.
 *
 *   fw_regs_vmm dump
 *	prints one line "0x<id> 0x<value>" per register of a fresh VM, in the
 *	order of KVM_GET_REG_LIST.
 *
 *   fw_regs_vmm restore FILE...
 *	writes the lines of each FILE, in their order, to a fresh VM, and goes
 *	on after a refusal. Prints "refused FILE 0x<id> 0x<value> <errno>" for
 *	each refusal and "accepted FILE" or "rejected FILE <refusals>" for each
 *	FILE.
 *
 * The exit status is 0 if all was accepted, 1 if something was refused, and 2
 * for trouble, with a message on standard error.
 *
 * The point: which promises can be kept is the receiving kernel's decision. A
 * VMM copies ids and values and obeys the answer. All that it has to know are
 * the two classes of ids that hold such promises, and it needs not even those
 * if it copies every register.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#define EXIT_REFUSED	1
#define EXIT_TROUBLE	2

/* Bits 31:16 of an id name its class. */
#define CLASS(id)		(((id) >> 16) & 0xffff)
#define CLASS_FW		0x0014
#define CLASS_FW_FEAT_BMAP	0x0016

struct reg {
	__u64 id;
	__u64 value;
};

struct reg_array {
	struct reg *regs;
	size_t len;
};

struct vm {
	int fd;
	int vcpu_fd;
};

static bool is_fw_reg(__u64 id)
{
	if ((id & KVM_REG_SIZE_MASK) != KVM_REG_SIZE_U64)
		return false;

	return CLASS(id) == CLASS_FW || CLASS(id) == CLASS_FW_FEAT_BMAP;
}

static void append(struct reg_array *array, struct reg reg)
{
	struct reg *regs;

	regs = reallocarray(array->regs, array->len + 1, sizeof(*regs));
	if (!regs)
		err(EXIT_TROUBLE, "out of memory");

	regs[array->len++] = reg;
	array->regs = regs;
}

/* A VM with one vCPU that has never run. */
static struct vm create_vm(int kvm_fd)
{
	struct kvm_vcpu_init init;
	struct vm vm;

	vm.fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (vm.fd < 0)
		err(EXIT_TROUBLE, "KVM_CREATE_VM");

	vm.vcpu_fd = ioctl(vm.fd, KVM_CREATE_VCPU, 0);
	if (vm.vcpu_fd < 0)
		err(EXIT_TROUBLE, "KVM_CREATE_VCPU");

	if (ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init))
		err(EXIT_TROUBLE, "KVM_ARM_PREFERRED_TARGET");

	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	if (ioctl(vm.vcpu_fd, KVM_ARM_VCPU_INIT, &init))
		err(EXIT_TROUBLE, "KVM_ARM_VCPU_INIT");

	return vm;
}

static void destroy_vm(struct vm vm)
{
	close(vm.vcpu_fd);
	close(vm.fd);
}

static struct kvm_reg_list *get_reg_list(int vcpu_fd)
{
	struct kvm_reg_list probe = { .n = 0 };
	struct kvm_reg_list *list;

	/* With no room for the ids the kernel only says how many there are. */
	if (!ioctl(vcpu_fd, KVM_GET_REG_LIST, &probe) || errno != E2BIG)
		err(EXIT_TROUBLE, "KVM_GET_REG_LIST");

	list = calloc(1, sizeof(*list) + probe.n * sizeof(list->reg[0]));
	if (!list)
		err(EXIT_TROUBLE, "out of memory");

	list->n = probe.n;
	if (ioctl(vcpu_fd, KVM_GET_REG_LIST, list))
		err(EXIT_TROUBLE, "KVM_GET_REG_LIST");

	return list;
}

static int dump(int kvm_fd)
{
	struct vm vm = create_vm(kvm_fd);
	struct kvm_reg_list *list = get_reg_list(vm.vcpu_fd);
	__u64 i;

	for (i = 0; i < list->n; i++) {
		struct reg reg = { .id = list->reg[i] };
		struct kvm_one_reg one_reg = {
			.id = reg.id,
			.addr = (unsigned long)&reg.value,
		};

		if (!is_fw_reg(reg.id))
			continue;

		if (ioctl(vm.vcpu_fd, KVM_GET_ONE_REG, &one_reg))
			err(EXIT_TROUBLE, "KVM_GET_ONE_REG 0x%016llx", reg.id);

		printf("0x%016llx 0x%llx\n", reg.id, reg.value);
	}

	free(list);
	destroy_vm(vm);
	return 0;
}

/* Takes one "0x..." word from the front of the line. */
static bool take_hex(char **line, __u64 *value)
{
	char *digits = *line + 2;
	size_t len;

	if (strncmp(*line, "0x", 2))
		return false;

	len = strspn(digits, "0123456789abcdefABCDEF");
	if (!len || len > 16)
		return false;

	*value = strtoull(digits, NULL, 16);
	*line = digits + len;
	return true;
}

/* A last line without its newline has been cut short. */
static bool parse_line(char *line, struct reg *reg)
{
	return take_hex(&line, &reg->id) && *line++ == ' ' &&
	       take_hex(&line, &reg->value) && !strcmp(line, "\n");
}

/* Reads all of the file, so that a bad one is found before any write. */
static struct reg_array load(const char *path)
{
	struct reg_array array = {};
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		err(EXIT_TROUBLE, "%s", path);

	while (getline(&line, &size, file) != -1) {
		struct reg reg;

		if (!parse_line(line, &reg))
			errx(EXIT_TROUBLE, "%s:%zu: not of the form \"0x<id> 0x<value>\"",
			     path, array.len + 1);

		if (!is_fw_reg(reg.id))
			errx(EXIT_TROUBLE, "%s:%zu: 0x%016llx is not a firmware pseudo-register",
			     path, array.len + 1, reg.id);

		append(&array, reg);
	}

	if (ferror(file))
		err(EXIT_TROUBLE, "%s", path);
	if (!array.len)
		errx(EXIT_TROUBLE, "%s:1: no registers", path);

	free(line);
	fclose(file);
	return array;
}

/* Returns the number of refusals. */
static int restore(int kvm_fd, const char *path)
{
	struct reg_array array = load(path);
	struct vm vm = create_vm(kvm_fd);
	int refusals = 0;
	size_t i;

	for (i = 0; i < array.len; i++) {
		struct reg *reg = &array.regs[i];
		struct kvm_one_reg one_reg = {
			.id = reg->id,
			.addr = (unsigned long)&reg->value,
		};

		if (!ioctl(vm.vcpu_fd, KVM_SET_ONE_REG, &one_reg))
			continue;

		printf("refused %s 0x%016llx 0x%llx %s\n", path, reg->id,
		       reg->value, strerrorname_np(errno));
		refusals++;
	}

	if (refusals)
		printf("rejected %s %d\n", path, refusals);
	else
		printf("accepted %s\n", path);

	destroy_vm(vm);
	free(array.regs);
	return refusals;
}

static int restore_all(int kvm_fd, char **paths)
{
	int status = 0;

	for (; *paths; paths++) {
		if (restore(kvm_fd, *paths))
			status = EXIT_REFUSED;
	}

	return status;
}

int main(int argc, char **argv)
{
	bool wants_dump = argc == 2 && !strcmp(argv[1], "dump");
	bool wants_restore = argc > 2 && !strcmp(argv[1], "restore");
	int kvm_fd, status;

	if (!wants_dump && !wants_restore)
		errx(EXIT_TROUBLE, "usage: fw_regs_vmm dump | restore FILE...");

	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		err(EXIT_TROUBLE, "/dev/kvm");

	status = wants_dump ? dump(kvm_fd) : restore_all(kvm_fd, argv + 2);

	/* A dump cut short by a full disk must not pass for a small one. */
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_TROUBLE, "standard output");

	close(kvm_fd);
	return status;
}
