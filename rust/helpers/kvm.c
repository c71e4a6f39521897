// SPDX-License-Identifier: GPL-2.0

#if defined(CONFIG_KVM) && defined(CONFIG_ARM64)

#include <linux/kvm_host.h>
#include <linux/uaccess.h>

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
	if (!kvm_vm_has_ran_once(kvm))
		return false;

	/* Pairs with the writers of what is frozen then: they hold config_lock. */
	smp_rmb();
	return true;
}

__rust_helper bool rust_helper_kvm_has_ssbs(struct kvm *kvm)
{
	return kvm_has_feat(kvm, ID_AA64PFR1_EL1, SSBS, IMP);
}

__rust_helper bool rust_helper_kvm_has_ssbs_acquire(struct kvm *kvm)
{
	bool ssbs = kvm_has_feat(kvm, ID_AA64PFR1_EL1, SSBS, IMP);

	/* Pairs with the writers, which write in turn: they hold config_lock. */
	smp_rmb();
	return ssbs;
}

__rust_helper int rust_helper_kvm_get_user_u64(u64 *value, const u64 __user *uaddr)
{
	return get_user(*value, uaddr);
}

__rust_helper int rust_helper_kvm_put_user_u64(u64 value, u64 __user *uaddr)
{
	return put_user(value, uaddr);
}

#endif
