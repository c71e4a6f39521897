/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine with one vCPU. Its guest does nothing but call its firmware,
 * when it is told to and as it is told to.
 */
#ifndef SAMPLES_KVM_VM_H
#define SAMPLES_KVM_VM_H

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "reg_file.h"

/* Where the guest stores to when it waits for a call; there is no memory. */
#define GUEST_WAITS_ADDR	0x40000000

/* A vCPU starts at address 0, with its MMU off. */
static const __u32 guest_code[] = {
	0xd2a80009,	/*    mov x9, #GUEST_WAITS_ADDR */
	0xf900013f,	/* 1: str xzr, [x9] */
	0xd4000002,	/*    hvc #0 */
	0x17fffffe,	/*    b 1b */
};

/* What a call is made with, and what it is answered with: x0 to x3. */
#define NR_CALL_REGS	4

struct vm {
	int fd;
	int vcpu_fd;
	size_t run_size;
	struct kvm_run *run;	/* NULL until the guest has started */
	size_t memory_size;
	void *memory;
};

/* An ioctl that works, or there is no point in going on. */
#define must_ioctl(fd, request, arg) \
	check(ioctl(fd, request, arg), #request)

static int check(int result, const char *what)
{
	if (result < 0)
		err(EXIT_TROUBLE, "%s", what);

	return result;
}

static struct vm create_vm(int kvm_fd)
{
	struct vm vm = {};

	vm.fd = must_ioctl(kvm_fd, KVM_CREATE_VM, 0);
	return vm;
}

/*
 * Enables a flag of KVM_CAP_ARM_FW_REGS_STRICT, if the kernel has it. This can be
 * done until the VM has a vCPU.
 */
static bool enable_flag(const struct vm *vm, __u64 flag)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_FW_REGS_STRICT,
		.args[0] = flag,
	};

	if (!(must_ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_FW_REGS_STRICT) & flag))
		return false;

	must_ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
	return true;
}

static void create_vcpu(struct vm *vm, bool psci_0_1)
{
	struct kvm_vcpu_init init;

	vm->vcpu_fd = must_ioctl(vm->fd, KVM_CREATE_VCPU, 0);

	must_ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	if (!psci_0_1)
		init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	must_ioctl(vm->vcpu_fd, KVM_ARM_VCPU_INIT, &init);
}

/* The ids of all registers. The caller frees them. */
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
	must_ioctl(vcpu_fd, KVM_GET_REG_LIST, list);
	return list;
}

static void destroy_vm(struct vm *vm)
{
	if (vm->run) {
		munmap(vm->run, vm->run_size);
		munmap(vm->memory, vm->memory_size);
	}
	close(vm->vcpu_fd);
	close(vm->fd);
}

static void *map(size_t size, int flags, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		err(EXIT_TROUBLE, "mmap");

	return memory;
}

/* Lets the guest run until it waits for the next call. */
static void run_guest(struct vm *vm)
{
	must_ioctl(vm->vcpu_fd, KVM_RUN, 0);

	if (vm->run->exit_reason != KVM_EXIT_MMIO ||
	    vm->run->mmio.phys_addr != GUEST_WAITS_ADDR)
		errx(EXIT_TROUBLE, "KVM_RUN: exit reason %u", vm->run->exit_reason);
}

static void start_guest(int kvm_fd, struct vm *vm)
{
	struct kvm_userspace_memory_region region = {};

	vm->run_size = must_ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->run = map(vm->run_size, MAP_SHARED, vm->vcpu_fd);
	vm->memory_size = sysconf(_SC_PAGESIZE);
	vm->memory = map(vm->memory_size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memcpy(vm->memory, guest_code, sizeof(guest_code));

	region.memory_size = vm->memory_size;
	region.userspace_addr = (unsigned long)vm->memory;
	must_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);

	run_guest(vm);
}

/* One of the vCPU's general purpose registers. */
static struct kvm_one_reg call_reg(unsigned int index, __u64 *value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      (KVM_REG_ARM_CORE_REG(regs.regs) +
		       index * sizeof(__u64) / sizeof(__u32)),
		.addr = (unsigned long)value,
	};

	return reg;
}

/* Has the guest make a call; the answer takes the arguments' place. */
static void call_firmware(struct vm *vm, __u64 regs[NR_CALL_REGS])
{
	struct kvm_one_reg reg;
	unsigned int i;

	for (i = 0; i < NR_CALL_REGS; i++) {
		reg = call_reg(i, &regs[i]);
		must_ioctl(vm->vcpu_fd, KVM_SET_ONE_REG, &reg);
	}

	run_guest(vm);

	for (i = 0; i < NR_CALL_REGS; i++) {
		reg = call_reg(i, &regs[i]);
		must_ioctl(vm->vcpu_fd, KVM_GET_ONE_REG, &reg);
	}
}

#endif /* SAMPLES_KVM_VM_H */
