// SPDX-License-Identifier: GPL-2.0

#if defined(CONFIG_KVM) && defined(CONFIG_ARM64)

#include <linux/kvm_host.h>

__rust_helper bool rust_helper_kvm_vm_is_protected(struct kvm *kvm)
{
	return kvm_vm_is_protected(kvm);
}

__rust_helper bool rust_helper_kvm_vcpu_has_feature(struct kvm *kvm, int feature)
{
	return kvm_vcpu_has_feature(kvm, feature);
}

__rust_helper bool rust_helper_kvm_vm_has_ran_once(struct kvm *kvm)
{
	return kvm_vm_has_ran_once(kvm);
}

__rust_helper bool rust_helper_kvm_has_ssbs(struct kvm *kvm)
{
	return kvm_has_feat(kvm, ID_AA64PFR1_EL1, SSBS, IMP);
}

#endif
