# SPDX-License-Identifier: GPL-2.0
"""What the handlers call outside of their object, and what is assumed of it.

A call of anything that is not in TABLE is an error.
"""

import angr
import claripy

from .code import plain

PANICS = ("panick", "rust_begin_unwind", "usercopy_abort", "__copy_overflow", "fortify", "__bug")


class NoHook(Exception):
    """Something that the proof does not know."""


def note(state, *event):
    """Keeps an event of the path."""
    state.globals["events"] = state.globals["events"] + (event,)


def fault(state, text):
    """Keeps what a path does that it must not do, in words."""
    state.globals["faults"] = state.globals["faults"] + (text,)


def user_word(state, address):
    """Which of the 8 bytes that the inputs tell of an access to user memory begins with."""
    offset = address - claripy.BVS("address", 64, explicit_name=True)
    offsets = state.solver.eval_upto(offset, 2)
    if len(offsets) != 1 or offsets[0] % 8 or offsets[0] >= 64:
        raise NoHook("it accesses user memory at another address")
    return offsets[0] // 8


def faulting(state, address, size):
    """Whether an access to user memory fails: a bit each for 8 bytes."""
    mask = (1 << size // 8) - 1 << user_word(state, address)
    return claripy.BVS("faults", 8, explicit_name=True) & mask != 0


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


class Unlock(Hook):
    """mutex_unlock(): drops it."""

    def call(self, state):
        note(state, "unlock", _arguments(state, 1)[0])
        state.globals["depth"] -= 1


class Copy(Hook):
    """Copies, and returns how many bytes it could not."""

    @staticmethod
    def rest(state, address, size):
        uncopied = claripy.BVS("uncopied", 64) & size - 1
        return claripy.If(faulting(state, address, size), uncopied + 1, 0)


class FromUser(Copy):
    """Copies from user memory; returns how many bytes it could not. What is at the destination then
    is anything."""

    def call(self, state):
        to, source, size = _arguments(state, 3)
        size = state.solver.eval_one(size)
        note(state, "read user", source, size, state.globals["depth"], ())
        rest = self.rest(state, source, size)
        value = claripy.BVS("value", 64, explicit_name=True)
        if size != 8:
            raise NoHook(f"it reads {size} bytes of user memory")
        data = claripy.If(rest == 0, value, claripy.BVS("garbage", 64))
        state.memory.store(to, data, 8, endness="Iend_LE")
        return rest


class ToUser(Copy):
    """Copies to user memory; returns how many bytes it could not."""

    def call(self, state):
        to, source, size = _arguments(state, 3)
        size = state.solver.eval_one(size)
        data = tuple(state.memory.load(source + at, 8, endness="Iend_LE") for at in range(0, size, 8))
        note(state, "write user", to, size, state.globals["depth"], data)
        return self.rest(state, to, size)


class MemCopy(Hook):
    """Copies memory of the kernel."""

    def call(self, state):
        to, source, size = _arguments(state, 3)
        size = state.solver.eval_one(size)
        state.memory.store(to, state.memory.load(source, size), size)
        return to


class MemCompare(Hook):
    """Compares memory of the kernel: 0 if it is equal, else anything else."""

    def call(self, state):
        one, other, size = _arguments(state, 3)
        size = state.solver.eval_one(size)
        same = state.memory.load(one, size) == state.memory.load(other, size)
        return claripy.If(same, claripy.BVV(0, 64), claripy.BVS("unequal", 64) | 1)


class ToResult(Hook):
    """kernel::error::to_result(): a negative errno becomes an error, anything else success."""

    def call(self, state):
        errno = _arguments(state, 1)[0][31:0]
        return claripy.If(claripy.SLT(errno, 0), errno, 0).zero_extend(32)


class Spectre(Hook):
    """The state of a vulnerability, which does not change after boot."""

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
    """Leaves the trace event: vCPU, id, value, promise, offer, verdict."""

    def call(self, state):
        vcpu, *values, verdict = _arguments(state, 6)
        note(state, "trace", state.globals["depth"], vcpu[31:0], *values, verdict[31:0])


TABLE = {
    "mutex_lock": Lock,
    "mutex_unlock": Unlock,
    "__arch_copy_from_user": FromUser,
    "__arch_copy_to_user": ToUser,
    "memcpy": MemCopy,
    "bcmp": MemCompare,
    "memcmp": MemCompare,
    "kernel::error::to_result": ToResult,
    "arm64_get_spectre_v2_state": SpectreV2,
    "arm64_get_spectre_v4_state": SpectreV4,
    "arm64_get_spectre_bhb_state": SpectreBhb,
    "rust_do_trace_kvm_arm_fw_reg_set": Trace,
}


def find(name):
    """The hook of a symbol."""
    known = TABLE.get(plain(name))
    return known() if known else Unknown(name)


class Unknown(Hook):
    """Not in the table."""

    NO_RET = True

    def __init__(self, name, **options):
        super().__init__(**options)
        self.name = name

    def call(self, state):
        if any(word in self.name for word in PANICS):
            raise NoHook(f"it panics: it calls {self.name}()")
        if self.name.startswith("rust_helper_"):
            raise NoHook(f"it calls {self.name}(): the proof needs CONFIG_RUST_INLINE_HELPERS=y")
        raise NoHook(f"it calls {self.name}(), which has no hook in lab/prove/fwprove/hooks.py")
