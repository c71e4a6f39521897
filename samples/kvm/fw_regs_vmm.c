// SPDX-License-Identifier: GPL-2.0
/*
 * Saves the firmware pseudo-registers of an arm64 virtual machine and restores
 * them, as a VMM does around a migration, without knowing any of them.
 *
 *   fw_regs_vmm dump [-1as] [-g CALLS]
 *	prints one line "0x<id> 0x<value>" per register of a fresh VM, in the
 *	order of KVM_GET_REG_LIST.
 *
 *   fw_regs_vmm restore [-1adnrs] [-g CALLS] FILE...
 *	writes the lines of each FILE, in their order, to a fresh VM, and goes
 *	on after a refusal. Prints "refused FILE 0x<id> 0x<value> <errno>" for
 *	each refusal and "accepted FILE" or "rejected FILE <refusals>" for each
 *	FILE. With -d an accepted VM's registers follow, as dump prints them:
 *	what would go to the next host.
 *
 * With -a not only the firmware's registers are copied, but all of 64 bits.
 *
 * With -s VMs are strict (KVM_ARM_FW_REGS_STRICT): the kernel keeps what it
 * accepts. A kernel that has no strict VMs is trouble.
 *
 * With -n the kernel is asked to ignore registers that it does not know and that
 * promise nothing (KVM_ARM_FW_REGS_NULL_PROMISE), if it can. One that cannot
 * refuses them: there is no need to know beforehand.
 *
 * With -g the guest asks its firmware itself, before the VM is saved and after
 * it was restored: CALLS has one line "0x<function> 0x<argument>" per call, and
 * each is answered with "told 0x<function> 0x<argument> 0x<x0> ... 0x<x3>".
 *
 * The exit status is 0 if all was accepted, 1 if something was refused, and 2
 * for trouble, with a message on standard error.
 *
 * VMMs make mistakes, and this one can be told to make some:
 *
 *   -1		the vCPU lacks KVM_ARM_VCPU_PSCI_0_2, and has PSCI 0.1.
 *   -r		the VM has run before it is restored.
 *   "0x<id> -"	a line of this form in a FILE: the value's memory is gone, and
 *		the kernel is passed an address that it cannot read.
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

#include "reg_file.h"
#include "vm.h"

#define EXIT_REFUSED	1

/* Bits 31:16 of an id name its class. */
#define CLASS(id)		(((id) >> 16) & 0xffff)
#define CLASS_FW		0x0014
#define CLASS_FW_FEAT_BMAP	0x0016

struct options {
	bool psci_0_1;
	bool all;
	bool dump;
	bool null_promise;
	bool run;
	bool strict;
	const char *calls;
};

static bool is_copied(__u64 id, const struct options *options)
{
	if ((id & KVM_REG_SIZE_MASK) != KVM_REG_SIZE_U64)
		return false;

	return options->all || CLASS(id) == CLASS_FW || CLASS(id) == CLASS_FW_FEAT_BMAP;
}

static void print_regs(int vcpu_fd, const struct options *options)
{
	struct kvm_reg_list *list = get_reg_list(vcpu_fd);
	__u64 i;

	for (i = 0; i < list->n; i++) {
		struct reg reg = { .id = list->reg[i] };
		struct kvm_one_reg one_reg = {
			.id = reg.id,
			.addr = (unsigned long)&reg.value,
		};

		if (!is_copied(reg.id, options))
			continue;

		if (ioctl(vcpu_fd, KVM_GET_ONE_REG, &one_reg))
			err(EXIT_TROUBLE, "KVM_GET_ONE_REG 0x%016llx", reg.id);

		printf("0x%016llx 0x%llx\n", reg.id, reg.value);
	}

	free(list);
}

/* A VM that has never run. */
static struct vm fresh_vm(int kvm_fd, const struct options *options)
{
	struct vm vm = create_vm(kvm_fd);

	if (options->strict && !enable_flag(&vm, KVM_ARM_FW_REGS_STRICT))
		errx(EXIT_TROUBLE,
		     "this kernel has no strict VMs: no KVM_CAP_ARM_FW_REGS_STRICT");
	if (options->null_promise)
		enable_flag(&vm, KVM_ARM_FW_REGS_NULL_PROMISE);
	create_vcpu(&vm, options->psci_0_1);

	return vm;
}

static void ensure_started(int kvm_fd, struct vm *vm)
{
	if (!vm->run)
		start_guest(kvm_fd, vm);
}

/* The guest's own view of its firmware. */
static void print_calls(int kvm_fd, struct vm *vm, const char *path)
{
	struct reg_array calls = load_regs(path);
	size_t i;

	ensure_started(kvm_fd, vm);
	for (i = 0; i < calls.len; i++) {
		__u64 regs[NR_CALL_REGS] = { calls.regs[i].id, calls.regs[i].value };

		if (calls.regs[i].lost)
			errx(EXIT_TROUBLE, "%s:%zu: a call without its argument", path, i + 1);

		call_firmware(vm, regs);
		printf("told 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx\n",
		       calls.regs[i].id, calls.regs[i].value,
		       regs[0], regs[1], regs[2], regs[3]);
	}

	free(calls.regs);
}

static int dump(int kvm_fd, const struct options *options)
{
	struct vm vm = fresh_vm(kvm_fd, options);

	if (options->calls)
		print_calls(kvm_fd, &vm, options->calls);
	print_regs(vm.vcpu_fd, options);
	destroy_vm(&vm);
	return 0;
}

/* A file with foreign registers is found before any write. */
static struct reg_array load_dump(const char *path,
				  const struct options *options)
{
	struct reg_array array = load_regs(path);
	size_t i;

	for (i = 0; i < array.len; i++) {
		if (!is_copied(array.regs[i].id, options))
			errx(EXIT_TROUBLE, "%s:%zu: 0x%016llx is not a firmware pseudo-register",
			     path, i + 1, array.regs[i].id);
	}

	return array;
}

static void print_refusal(const char *path, const struct reg *reg, int error)
{
	printf("refused %s 0x%016llx ", path, reg->id);
	if (reg->lost)
		printf("- ");
	else
		printf("0x%llx ", reg->value);
	printf("%s\n", strerrorname_np(error));
}

/* Returns the number of refusals. */
static int restore(int kvm_fd, const struct options *options, const char *path)
{
	struct reg_array array = load_dump(path, options);
	struct vm vm = fresh_vm(kvm_fd, options);
	int refusals = 0;
	size_t i;

	if (options->run)
		ensure_started(kvm_fd, &vm);

	for (i = 0; i < array.len; i++) {
		struct reg *reg = &array.regs[i];
		struct kvm_one_reg one_reg = {
			.id = reg->id,
			.addr = reg->lost ? 0 : (unsigned long)&reg->value,
		};

		if (!ioctl(vm.vcpu_fd, KVM_SET_ONE_REG, &one_reg))
			continue;

		print_refusal(path, reg, errno);
		refusals++;
	}

	if (refusals)
		printf("rejected %s %d\n", path, refusals);
	else
		printf("accepted %s\n", path);

	if (!refusals && options->calls)
		print_calls(kvm_fd, &vm, options->calls);
	if (!refusals && options->dump)
		print_regs(vm.vcpu_fd, options);

	destroy_vm(&vm);
	free(array.regs);
	return refusals;
}

static int restore_all(int kvm_fd, const struct options *options, char **paths)
{
	int status = 0;

	for (; *paths; paths++) {
		if (restore(kvm_fd, options, *paths))
			status = EXIT_REFUSED;
	}

	return status;
}

static void exit_usage(void)
{
	errx(EXIT_TROUBLE,
	     "usage: fw_regs_vmm dump [-1as] [-g CALLS] | restore [-1adnrs] [-g CALLS] FILE...");
}

int main(int argc, char **argv)
{
	bool wants_dump = argc > 1 && !strcmp(argv[1], "dump");
	bool wants_restore = argc > 1 && !strcmp(argv[1], "restore");
	struct options options = {};
	int kvm_fd, option, status;

	if (!wants_dump && !wants_restore)
		exit_usage();

	/* The command stands where getopt() skips the program's name. */
	argc--;
	argv++;
	while ((option = getopt(argc, argv, wants_dump ? "1asg:" : "1adnrsg:")) != -1) {
		switch (option) {
		case '1':
			options.psci_0_1 = true;
			break;
		case 'a':
			options.all = true;
			break;
		case 'd':
			options.dump = true;
			break;
		case 'n':
			options.null_promise = true;
			break;
		case 'r':
			options.run = true;
			break;
		case 's':
			options.strict = true;
			break;
		case 'g':
			options.calls = optarg;
			break;
		default:
			exit_usage();
		}
	}

	if (wants_dump ? optind < argc : optind == argc)
		exit_usage();

	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		err(EXIT_TROUBLE, "/dev/kvm");

	status = wants_dump ? dump(kvm_fd, &options) :
			      restore_all(kvm_fd, &options, argv + optind);

	/* A dump cut short by a full disk must not pass for a small one. */
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_TROUBLE, "standard output");

	close(kvm_fd);
	return status;
}
