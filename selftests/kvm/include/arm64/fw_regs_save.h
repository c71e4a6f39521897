/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saves all registers of a vCPU and restores them, as a VMM does around a
 * migration: ids and values are copied, and nothing is known of any of them.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_SAVE_H
#define SELFTEST_KVM_ARM64_FW_REGS_SAVE_H

#include "fw_regs.h"

struct fw_saved_reg {
	u64 id;
	u64 val[256 / sizeof(u64)];	/* as large as the largest */
};

struct fw_saved {
	u64 nr;
	struct fw_saved_reg regs[];
};

/* In the order of KVM_GET_REG_LIST. */
static inline struct fw_saved *fw_save(struct kvm_vcpu *vcpu)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(vcpu);
	struct fw_saved *saved;
	u64 i;

	saved = calloc(1, sizeof(*saved) + list->n * sizeof(saved->regs[0]));
	TEST_ASSERT(saved, "Out of memory");

	saved->nr = list->n;
	for (i = 0; i < list->n; i++) {
		struct fw_saved_reg *reg = &saved->regs[i];
		int err;

		TEST_ASSERT(KVM_REG_SIZE(list->reg[i]) <= sizeof(reg->val), "Too large");
		reg->id = list->reg[i];
		err = fw_get_at(vcpu, reg->id, reg->val);
		TEST_ASSERT(!err, "Cannot get 0x%lx: %s", reg->id, fw_errno_name(err));
	}

	free(list);
	return saved;
}

static inline int fw_compare_ids(const void *a, const void *b)
{
	const struct fw_saved_reg *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static inline void fw_sort_by_id(struct fw_saved *saved)
{
	qsort(saved->regs, saved->nr, sizeof(saved->regs[0]), fw_compare_ids);
}

static inline struct fw_saved_reg *fw_find(struct fw_saved *saved, u64 id)
{
	u64 i;

	for (i = 0; i < saved->nr; i++) {
		if (saved->regs[i].id == id)
			return &saved->regs[i];
	}
	return NULL;
}

static inline int fw_put(struct kvm_vcpu *vcpu, const struct fw_saved_reg *reg)
{
	return fw_set_at(vcpu, reg->id, reg->val);
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_SAVE_H */
