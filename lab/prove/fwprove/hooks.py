# SPDX-License-Identifier: GPL-2.0
"""What the handlers call outside of their object, and what is assumed of it.

A call of anything that is not in TABLE is an error.
"""

import angr
import claripy

PANICS = ("panick", "rust_begin_unwind", "usercopy_abort", "__copy_overflow", "fortify", "__bug")


class NoHook(Exception):
    """A call that the table does not know."""


def note(state, *event):
    """Keeps an event of the path."""
    state.globals["events"] = state.globals["events"] + (event,)


def moment(state, kind):
    """Others may have written to the VM until now."""
    note(state, "moment", kind)
    state.globals["moments"] += 1


def _arguments(state, count):
    return [state.registers.load(f"x{number}") for number in range(count)]


class Hook(angr.SimProcedure):
    """A hook by the calling convention of C."""

    NO_RET = False

    def run(self):  # pylint: disable=arguments-differ
        result = self.call(self.state)
        return claripy.BVV(0, 64) if result is None else result


class Lock(Hook):
    """mutex_lock(): returns with the lock held."""

    def call(self, state):
        note(state, "lock", _arguments(state, 1)[0])
        state.globals["depth"] += 1
        moment(state, "lock")


class Unlock(Hook):
    """mutex_unlock(): drops it."""

    def call(self, state):
        note(state, "unlock", _arguments(state, 1)[0])
        state.globals["depth"] -= 1


class FromUser(Hook):
    """Copies from user memory; returns how many bytes it could not. What is at the destination then
    is anything."""

    def call(self, state):
        to, source, size = _arguments(state, 3)
        note(state, "read user", source, size, state.globals["depth"])
        uncopied = claripy.BVS("uncopied", 64, explicit_name=True)
        value = claripy.BVS("value", 64, explicit_name=True)
        garbage = claripy.BVS("garbage", 64)
        data = claripy.If(uncopied == 0, value, garbage)
        state.memory.store(to, data, endness="Iend_LE", inspect=False)
        return uncopied


class ToUser(Hook):
    """Copies to user memory; returns how many bytes it could not."""

    def call(self, state):
        to, source, size = _arguments(state, 3)
        data = state.memory.load(source, 8, endness="Iend_LE", inspect=False)
        note(state, "write user", to, size, state.globals["depth"], data)
        return claripy.BVS("uncopied", 64, explicit_name=True)


class Spectre(Hook):
    """The state of a vulnerability, the same throughout one call of a handler."""

    which = None

    def call(self, state):
        return claripy.ZeroExt(32, claripy.BVS(f"state_{self.which}", 32, explicit_name=True))


class SpectreV2(Spectre):
    __doc__ = Spectre.__doc__
    which = "v2"


class SpectreV4(Spectre):
    __doc__ = Spectre.__doc__
    which = "v4"


class SpectreBhb(Spectre):
    __doc__ = Spectre.__doc__
    which = "bhb"


class Trace(Hook):
    """Leaves the trace event: reads the write (struct kvm_arm_fw_reg_write) and what it points to."""

    def call(self, state):
        write, verdict = _arguments(state, 2)
        layout = state.globals["layout"]

        def member(base, name):
            field = layout.field(name)
            place = base + field.offset
            return state.memory.load(place, field.size, endness="Iend_LE", inspect=False)

        values = [
            member(member(write, "write_vcpu"), "vcpu_id"),
            member(member(write, "write_reg"), "reg_id"),
            *(member(write, f"write_{name}") for name in ("value", "promise", "offer")),
        ]
        note(state, "trace", state.globals["depth"], *values, verdict)


class StaticKey(angr.SimProcedure):
    """A place that the kernel patches when tracing is switched on or off: both are followed."""

    NO_RET = True

    def __init__(self, branch, **options):
        super().__init__(**options)
        self.branch = branch

    def run(self):  # pylint: disable=arguments-differ
        if self.branch.key != TRACEPOINT:
            raise NoHook(f"it depends on the static key {self.branch.key}, which has no hook")
        tracing = claripy.BVS("tracing", 1, explicit_name=True)
        jumps = tracing == (0 if self.branch.likely else 1)
        after = self.branch.code + 4
        for target, guard in ((self.branch.target, jumps), (after, claripy.Not(jumps))):
            self.successors.add_successor(self.state.copy(), target, guard, "Ijk_Boring")
        self.inhibit_autoret = True


TRACEPOINT = "__tracepoint_kvm_arm_fw_reg_set"

TABLE = {
    "mutex_lock": Lock,
    "mutex_unlock": Unlock,
    "__arch_copy_from_user": FromUser,
    "_copy_from_user": FromUser,
    "__arch_copy_to_user": ToUser,
    "_copy_to_user": ToUser,
    "arm64_get_spectre_v2_state": SpectreV2,
    "arm64_get_spectre_v4_state": SpectreV4,
    "arm64_get_spectre_bhb_state": SpectreBhb,
    "rust_do_trace_kvm_arm_fw_reg_set": Trace,
}

# Where Rust calls C helpers instead of inlining them (CONFIG_RUST_INLINE_HELPERS=n).
HELPERS = {
    "rust_helper_mutex_lock": Lock,
    "rust_helper_mutex_unlock": Unlock,
    "rust_helper_copy_from_user": FromUser,
    "rust_helper_copy_to_user": ToUser,
}
TABLE |= HELPERS


class Unknown(Hook):
    """Not in the table."""

    NO_RET = True

    def __init__(self, name, **options):
        super().__init__(**options)
        self.name = name

    def call(self, state):
        if any(word in self.name for word in PANICS):
            raise NoHook(f"it panics: it calls {self.name}()")
        raise NoHook(f"it calls {self.name}(), which has no hook in lab/prove/fwprove/hooks.py")
