/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the firmware pseudo-registers that are built on the KVM
 * test harness have in common.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_HARNESS_H
#define SELFTEST_KVM_ARM64_FW_REGS_HARNESS_H

#include "kvm_test_harness.h"

#include "fw_regs_vm.h"

/*
 * Set every candidate that is above the offer, or every malformed one: each gets
 * EINVAL and changes nothing. Returns how many there were.
 */
static inline int fw_expect_refused(struct __test_metadata *_metadata,
				    struct kvm_vcpu *vcpu, const struct fw_reg *reg,
				    u64 offer, bool well_formed)
{
	u64 before = fw_get(vcpu, reg);
	int i, tried = 0;

	for (i = 0; i < FW_NR_CANDIDATES; i++) {
		u64 val = fw_candidate(i);

		if (fw_well_formed(reg, val) != well_formed || fw_offered(reg, offer, val))
			continue;

		EXPECT_EQ(fw_set(vcpu, reg, val), EINVAL)
			TH_LOG("value 0x%lx", val);
		EXPECT_EQ(fw_get(vcpu, reg), before)
			TH_LOG("value 0x%lx", val);
		tried++;
	}

	return tried;
}

/*
 * The same for the values above the offer. Of versions and bitmaps there are
 * none: every host offers all that is well-formed.
 */
static inline int fw_expect_above_offer_refused(struct __test_metadata *_metadata,
						struct kvm_vcpu *vcpu,
						const struct fw_reg *reg, u64 offer)
{
	int tried = fw_expect_refused(_metadata, vcpu, reg, offer, true);

	if (reg->kind != FW_WORKAROUND)
		EXPECT_EQ(tried, 0);

	return tried;
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_HARNESS_H */
