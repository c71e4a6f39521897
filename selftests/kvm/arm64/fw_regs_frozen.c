// SPDX-License-Identifier: GPL-2.0
/*
 * fw_regs_frozen - Sets of each firmware pseudo-register after the VM has run
 *
 * For each register, once some vCPU of the VM has run:
 *  - writing the current value succeeds, as VMMs do so on every reset;
 *  - writing another offered value changes nothing and gets EBUSY, if the
 *    register freezes: in a strict VM all do, in a default VM the bitmaps;
 *  - if not, it is accepted: PSCI_VERSION changes, a workaround does not;
 *  - that holds on a vCPU that never ran, and on one that is created then;
 *  - the guest is told what get shows, before and after.
 *
 * KVM_RUN with immediate_exit is a run. One that fails before the vCPU could run
 * is none.
 *
 * See fw_regs_atomic for the values that are refused with other errors.
 */
#include "kvm_test_harness.h"

#include "fw_regs_vm.h"
#include "vgic.h"

FIXTURE(frozen)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	u64 offer;
};

FIXTURE_VARIANT(frozen)
{
	const struct fw_reg *reg;
	bool strict;
};

FW_REG_VARIANTS(frozen);

FIXTURE_SETUP(frozen)
{
	if (fw_vm_lacking(variant->strict))
		SKIP(return, "%s", fw_vm_lacking(variant->strict));
	self->vm = fw_vm_create(variant->strict, self->vcpus, 2);
	self->offer = fw_offer(self->vcpus[0], variant->reg);
}

FIXTURE_TEARDOWN(frozen)
{
	kvm_vm_free(self->vm);
}

static void expect_value(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			 const struct fw_reg *reg, u64 val)
{
	EXPECT_EQ(fw_get(vcpu, reg), val);
	EXPECT_EQ(fw_guest_ask(vcpu, reg), fw_guest_answer(reg, val));
}

/* What becomes of writes to a VM that has run: @setter writes, @vcpu looks. */
static void expect_frozen(struct __test_metadata *_metadata, const FIXTURE_VARIANT(frozen) *variant,
			  struct kvm_vcpu *setter, struct kvm_vcpu *vcpu, u64 offer)
{
	const struct fw_reg *reg = variant->reg;
	u64 current = fw_get(vcpu, reg), other = fw_other(reg, offer, current);

	EXPECT_EQ(fw_set(setter, reg, current), 0);
	expect_value(_metadata, vcpu, reg, current);

	/* Does this host offer one value only? */
	if (other == current)
		return;

	if (fw_freezes(variant->strict, reg)) {
		EXPECT_EQ(fw_set(setter, reg, other), EBUSY);
		expect_value(_metadata, vcpu, reg, current);
	} else {
		EXPECT_EQ(fw_set(setter, reg, other), 0);
		expect_value(_metadata, vcpu, reg, fw_shown(false, reg, offer, other));
	}
	EXPECT_EQ(fw_get(setter, reg), fw_get(vcpu, reg));
}

TEST_F(frozen, fresh_value_after_run)
{
	expect_value(_metadata, self->vcpus[0], variant->reg,
		     fw_get(self->vcpus[0], variant->reg));
	expect_frozen(_metadata, variant, self->vcpus[0], self->vcpus[0], self->offer);
}

TEST_F(frozen, value_that_was_set_after_run)
{
	const struct fw_reg *reg = variant->reg;
	u64 other = fw_other(reg, self->offer, fw_get(self->vcpus[0], reg));

	EXPECT_EQ(fw_set(self->vcpus[0], reg, other), 0);
	expect_value(_metadata, self->vcpus[0], reg,
		     fw_shown(variant->strict, reg, self->offer, other));
	expect_frozen(_metadata, variant, self->vcpus[0], self->vcpus[0], self->offer);
}

TEST_F(frozen, set_on_vcpu_that_never_ran)
{
	fw_vm_run(self->vcpus[0]);
	expect_frozen(_metadata, variant, self->vcpus[1], self->vcpus[0], self->offer);
}

TEST_F(frozen, set_on_vcpu_that_is_created_after_run)
{
	struct kvm_vcpu *late;

	fw_vm_run(self->vcpus[0]);
	late = __vm_vcpu_add(self->vm, 2);
	fw_vcpu_init(late, FW_FEATURES);
	expect_frozen(_metadata, variant, late, self->vcpus[0], self->offer);
}

TEST_F(frozen, immediate_exit_is_a_run)
{
	struct kvm_vcpu *vcpu = self->vcpus[0];

	vcpu->run->immediate_exit = 1;
	EXPECT_EQ(__vcpu_run(vcpu), -1);
	EXPECT_EQ(errno, EINTR);
	vcpu->run->immediate_exit = 0;

	/* Before any vCPU runs, which it does when it asks. */
	if (fw_freezes(variant->strict, variant->reg) && self->offer != variant->reg->low) {
		u64 current = fw_get(vcpu, variant->reg);

		EXPECT_EQ(fw_set(self->vcpus[1], variant->reg,
				 fw_other(variant->reg, self->offer, current)), EBUSY);
	}
	expect_frozen(_metadata, variant, self->vcpus[1], vcpu, self->offer);
}

/* KVM_RUN on @vcpu gets @err, and registers can be set as before; then they freeze. */
static void expect_failed_run(struct __test_metadata *_metadata,
			      const FIXTURE_VARIANT(frozen) *variant, struct kvm_vcpu *vcpu,
			      int err, struct kvm_vcpu *setter, u64 offer)
{
	const struct fw_reg *reg = variant->reg;
	u64 other = fw_other(reg, offer, fw_get(setter, reg));

	EXPECT_EQ(__vcpu_run(vcpu), -1);
	EXPECT_EQ(errno, err);

	EXPECT_EQ(fw_set(setter, reg, other), 0);
	EXPECT_EQ(fw_get(setter, reg), fw_shown(variant->strict, reg, offer, other));
}

TEST_F(frozen, run_of_vcpu_that_is_not_initialised_is_none)
{
	struct kvm_vcpu *uninitialised = __vm_vcpu_add(self->vm, 2);

	expect_failed_run(_metadata, variant, uninitialised, ENOEXEC, self->vcpus[0], self->offer);
	fw_vm_run(self->vcpus[0]);
	expect_frozen(_metadata, variant, self->vcpus[0], self->vcpus[0], self->offer);
}

static int timer_irq(struct kvm_vcpu *vcpu, u64 timer)
{
	int irq;

	kvm_device_attr_get(vcpu->fd, KVM_ARM_VCPU_TIMER_CTRL, timer, &irq);
	return irq;
}

static void set_timer_irq(struct kvm_vcpu *vcpu, u64 timer, int irq)
{
	kvm_device_attr_set(vcpu->fd, KVM_ARM_VCPU_TIMER_CTRL, timer, &irq);
}

/* KVM finds that out late, when much of a first run is done. */
TEST_F(frozen, run_with_two_timers_on_one_interrupt_is_none)
{
	u64 dist = 0x8000000, redist = REDIST_REGION_ATTR_ADDR(2, 0x80a0000, 0, 0);
	int ptimer, vtimer, gic = __kvm_create_device(self->vm, KVM_DEV_TYPE_ARM_VGIC_V3);
	struct kvm_vcpu *vcpu = self->vcpus[0];

	if (gic < 0)
		SKIP(return, "the host has no GICv3 for guests");

	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION,
			    &redist);
	kvm_device_attr_set(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);

	ptimer = timer_irq(vcpu, KVM_ARM_VCPU_TIMER_IRQ_PTIMER);
	vtimer = timer_irq(vcpu, KVM_ARM_VCPU_TIMER_IRQ_VTIMER);
	set_timer_irq(vcpu, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, ptimer);
	expect_failed_run(_metadata, variant, vcpu, EINVAL, vcpu, self->offer);

	set_timer_irq(vcpu, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, vtimer);
	fw_vm_run(vcpu);
	expect_frozen(_metadata, variant, vcpu, vcpu, self->offer);
	close(gic);
}

TEST_HARNESS_MAIN
