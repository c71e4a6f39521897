/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm

#if !defined(_KVM_ARM_FW_REGS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KVM_ARM_FW_REGS_TRACE_H

#include <linux/tracepoint.h>

#ifndef _KVM_ARM_FW_REGS_VERDICTS
#define _KVM_ARM_FW_REGS_VERDICTS

enum kvm_arm_fw_reg_verdict {
	KVM_ARM_FW_REG_ACCEPTED,
	KVM_ARM_FW_REG_UNKNOWN_REGISTER,
	KVM_ARM_FW_REG_BAD_ADDRESS,
	KVM_ARM_FW_REG_MALFORMED,
	KVM_ARM_FW_REG_WRONG_FEATURE,
	KVM_ARM_FW_REG_EXCEEDS_OFFER,
	KVM_ARM_FW_REG_FROZEN,
	KVM_ARM_FW_REG_NULL_PROMISE,
};

#endif

TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_ACCEPTED);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_UNKNOWN_REGISTER);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_BAD_ADDRESS);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_MALFORMED);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_WRONG_FEATURE);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_EXCEEDS_OFFER);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_FROZEN);
TRACE_DEFINE_ENUM(KVM_ARM_FW_REG_NULL_PROMISE);

#define show_kvm_arm_fw_reg_verdict(verdict)				\
	__print_symbolic(verdict,					\
		{ KVM_ARM_FW_REG_ACCEPTED,	   "accepted" },	\
		{ KVM_ARM_FW_REG_UNKNOWN_REGISTER, "refused: unknown register" }, \
		{ KVM_ARM_FW_REG_BAD_ADDRESS,	   "refused: bad address" }, \
		{ KVM_ARM_FW_REG_MALFORMED,	   "refused: malformed" }, \
		{ KVM_ARM_FW_REG_WRONG_FEATURE,	   "refused: wrong vCPU feature" }, \
		{ KVM_ARM_FW_REG_EXCEEDS_OFFER,	   "refused: exceeds the offer" }, \
		{ KVM_ARM_FW_REG_FROZEN,	   "refused: frozen" },	\
		{ KVM_ARM_FW_REG_NULL_PROMISE,	   "accepted: promises nothing" })

/*
 * A write to a firmware pseudo-register: the promise is the register's value
 * before, the offer the best that the host can keep. Fields that were not
 * evaluated are 0.
 */
TRACE_EVENT(kvm_arm_fw_reg_set,
	TP_PROTO(int vcpu_id, u64 id, u64 value, u64 promise, u64 offer, u32 verdict),
	TP_ARGS(vcpu_id, id, value, promise, offer, verdict),

	TP_STRUCT__entry(
		__field(int, vcpu_id)
		__field(u64, id)
		__field(u64, value)
		__field(u64, promise)
		__field(u64, offer)
		__field(u32, verdict)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->id = id;
		__entry->value = value;
		__entry->promise = promise;
		__entry->offer = offer;
		__entry->verdict = verdict;
	),

	TP_printk("vcpu=%d id=0x%016llx value=0x%llx promise=0x%llx offer=0x%llx verdict=%s",
		  __entry->vcpu_id, __entry->id, __entry->value, __entry->promise,
		  __entry->offer, show_kvm_arm_fw_reg_verdict(__entry->verdict))
);

#endif /* _KVM_ARM_FW_REGS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../arch/arm64/kvm/fw_regs
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

/* This part must be outside protection */
#include <trace/define_trace.h>
