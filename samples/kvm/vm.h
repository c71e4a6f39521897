/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine with one vCPU. Its guest does nothing but call its firmware,
 * when it is told to and as it is told to.
 */
#ifndef SAMPLES_KVM_VM_H
#define SAMPLES_KVM_VM_H

#include <err.h>
#include <stdbool.h>
#include <stddef.h>
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

/* A VM that has never run. */
static struct vm create_vm(int kvm_fd, bool psci_0_1)
{
	struct kvm_vcpu_init init;
	struct vm vm = {};

	vm.fd = must_ioctl(kvm_fd, KVM_CREATE_VM, 0);
	vm.vcpu_fd = must_ioctl(vm.fd, KVM_CREATE_VCPU, 0);

	must_ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init);
	if (!psci_0_1)
		init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	must_ioctl(vm.vcpu_fd, KVM_ARM_VCPU_INIT, &init);

	return vm;
}

/* Has unknown registers ignored whose values promise nothing, if KVM can do that. */
static void accept_null_promises(const struct vm *vm)
{
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VM_SMCCC_CTRL,
		.attr = KVM_ARM_VM_SMCCC_NULL_PROMISE,
	};

	if (!ioctl(vm->fd, KVM_HAS_DEVICE_ATTR, &attr))
		must_ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr);
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
