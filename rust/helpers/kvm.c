// SPDX-License-Identifier: GPL-2.0

#if defined(CONFIG_KVM) && defined(CONFIG_ARM64)

#include <linux/kvm_host.h>

__rust_helper bool rust_helper_kvm_vcpu_has_feature(struct kvm *kvm, int feature)
{
	return kvm_vcpu_has_feature(kvm, feature);
}

__rust_helper bool rust_helper_kvm_vm_has_ran_once(struct kvm *kvm)
{
	return kvm_vm_has_ran_once(kvm);
}

__rust_helper bool rust_helper_kvm_vm_has_ran_once_acquire(struct kvm *kvm)
{
	return test_bit_acquire(KVM_ARCH_FLAG_HAS_RAN_ONCE, &kvm->arch.flags);
}

__rust_helper bool rust_helper_kvm_has_ssbs(struct kvm *kvm)
{
	bool ssbs = kvm_has_feat(kvm, ID_AA64PFR1_EL1, SSBS, IMP);

	/* Pairs with the writers, which write in turn: they hold config_lock. */
	smp_rmb();
	return ssbs;
}

#endif
