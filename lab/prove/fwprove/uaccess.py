# SPDX-License-Identifier: GPL-2.0
"""Loads and stores of user memory that are in the object itself: get_user() and put_user().

The exception table tells where they are, and where the kernel goes on if one faults.
"""

import errno
import struct
from dataclasses import dataclass

import angr
import claripy

from .hooks import NoHook, faulting, note
from .objects import table

# arch/arm64/include/asm/extable.h: struct exception_table_entry; asm-extable.h: type and data.
ENTRY = struct.Struct("<iihh")
ERR_ZERO = 2
# The number that stands for no register.
NONE = 31

# LDTR and STTR of a 64-bit register (Arm ARM, C6.2): the bits that tell them, and which of the two.
MASK, STORE, LOAD = 0xFFE00C00, 0xF8000800, 0xF8400800


@dataclass(frozen=True)
class Fixup:
    """An instruction that may fault, and what happens then."""

    code: int
    target: int
    kind: int
    error: int  # the register that becomes -EFAULT
    zero: int  # the register that becomes 0


def fixups(path):
    """The exception table of a linked object: two places, a type and its data."""
    for _, code, target, (kind, registers) in table(path, "__ex_table", ENTRY):
        yield Fixup(code, target, kind, registers & 0x1F, registers >> 5 & 0x1F)


class Access(angr.SimProcedure):
    """Loads or stores 8 bytes of user memory, or faults: both are followed."""

    NO_RET = True

    def __init__(self, fixup, instruction, **options):
        super().__init__(**options)
        self.fixup, self.instruction = fixup, instruction

    def run(self):  # pylint: disable=arguments-differ
        what = self.instruction & MASK
        if what not in (LOAD, STORE) or self.fixup.kind != ERR_ZERO:
            raise NoHook(f"it may fault at {self.fixup.code:#x}, in a way that has no hook")
        state, fixup = self.state, self.fixup
        register, base = self.instruction & 0x1F, self.instruction >> 5 & 0x1F
        offset = self.instruction >> 12 & 0x1FF
        offset -= (offset & 0x100) << 1
        address = _load(state, base) + offset
        failed = faulting(state, address, 8)
        data = () if what == LOAD else (_load(state, register),)
        kind = "read user" if what == LOAD else "write user"
        note(state, kind, address, 8, state.globals["depth"], data)
        done, faulted = state.copy(), state.copy()
        if what == LOAD:
            _store(done, register, claripy.BVS("value", 64, explicit_name=True))
        _store(faulted, fixup.error, claripy.BVV(-errno.EFAULT, 64))
        _store(faulted, fixup.zero, claripy.BVV(0, 64))
        after = fixup.code + 4
        self.successors.add_successor(done, after, claripy.Not(failed), "Ijk_Boring")
        self.successors.add_successor(faulted, fixup.target, failed, "Ijk_Boring")
        self.inhibit_autoret = True


def _load(state, number):
    return claripy.BVV(0, 64) if number == NONE else state.registers.load(f"x{number}")


def _store(state, number, value):
    if number != NONE:
        state.registers.store(f"x{number}", value)
