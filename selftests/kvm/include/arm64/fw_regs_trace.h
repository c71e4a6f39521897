/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace event that each set of a pseudo-register leaves.
 */
#ifndef SELFTEST_KVM_ARM64_FW_REGS_TRACE_H
#define SELFTEST_KVM_ARM64_FW_REGS_TRACE_H

#include <fcntl.h>
#include <sys/stat.h>

#include "kvm_util.h"
#include "test_util.h"

#define TRACEFS		"/sys/kernel/tracing"
#define EVENT		"events/kvm/kvm_arm_fw_reg_set"
#define INSTANCE	TRACEFS "/instances/fw_regs_test"

static int pipe_fd = -1;

/* Why there are no events, for a test that is skipped; NULL where there are. */
static inline const char *trace_lacking(void)
{
	if (access(TRACEFS "/events", F_OK))
		return "no tracefs at " TRACEFS;
	if (access(TRACEFS "/" EVENT, F_OK))
		return "the kernel has no such event";
	return NULL;
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	TEST_ASSERT(fd >= 0, "Cannot open %s", path);
	TEST_ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* An instance disturbs no other user of the tracer. Only sets of this thread leave events. */
static inline void trace_open(void)
{
	char pid[16];

	rmdir(INSTANCE);
	TEST_ASSERT(!mkdir(INSTANCE, 0700), "Cannot make " INSTANCE);
	pipe_fd = open(INSTANCE "/trace_pipe", O_RDONLY | O_NONBLOCK);
	TEST_ASSERT(pipe_fd >= 0, "Cannot open the trace");
	snprintf(pid, sizeof(pid), "%d", gettid());
	write_file(INSTANCE "/set_event_pid", pid);
}

static inline void trace_close(void)
{
	close(pipe_fd);
	rmdir(INSTANCE);
}

static inline void trace_enable(bool on)
{
	write_file(INSTANCE "/" EVENT "/enable", on ? "1" : "0");
}

/* What was traced since the last call, without what comes before the event's name. */
static inline const char *traced(void)
{
	static char text[4096];
	ssize_t len, used = 0;
	char *event;

	while ((len = read(pipe_fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += len;
	text[used] = '\0';

	event = strstr(text, "kvm_arm_fw_reg_set: ");
	return event ? event + strlen("kvm_arm_fw_reg_set: ") : text;
}

/* The event of a set with these fields. */
static inline const char *event(int vcpu, u64 id, u64 val, u64 promise, u64 offer,
				const char *verdict)
{
	static char text[256];

	snprintf(text, sizeof(text),
		 "vcpu=%d id=0x%016lx value=0x%lx promise=0x%lx offer=0x%lx verdict=%s\n",
		 vcpu, id, val, promise, offer, verdict);
	return text;
}

#endif /* SELFTEST_KVM_ARM64_FW_REGS_TRACE_H */
