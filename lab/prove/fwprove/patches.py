# SPDX-License-Identifier: GPL-2.0
"""Places in an object that the running kernel patches: a branch or nothing, by a static key or by what
the CPUs are capable of.
"""

import struct
from dataclasses import dataclass

import angr
import claripy

from .code import branch_target
from .hooks import NoHook
from .objects import table

# arch/arm64/include/asm/alternative.h: struct alt_instr.
ENTRY = struct.Struct("<iiHBB")
CALLBACK = 1 << 15
TRACEPOINT = "__tracepoint_kvm_arm_fw_reg_set"
PATCH_NOPS = "alt_cb_patch_nops"


@dataclass(frozen=True)
class Place:
    code: int
    target: int
    # The bit that decides, or its value where it is always the same; None if it is not known.
    bit: str | int | None
    # Whether the place branches if the bit is 0; else it does if the bit is 1.
    likely: bool
    what: str


def places(linked, layout, read):
    """All such places of a linked object. `read` reads an instruction."""
    for branch in linked.branches:
        bit = "tracing" if branch.key == TRACEPOINT else None
        yield Place(branch.code, branch.target, bit, branch.likely, f"the static key {branch.key}")
    for _, code, other, (capability, *_) in table(linked.path, ".altinstructions", ENTRY):
        if capability & CALLBACK:
            likely = linked.externs.get(other) == PATCH_NOPS
            target = branch_target(code, read(code)) if likely else None
        else:
            likely, target = False, branch_target(other, read(other))
        capability &= ~CALLBACK
        known = {
            layout["cap_booted"]: 1,  # no VM before the CPUs are known
            layout["cap_lse"]: 0,
            layout["cap_protected"]: f"cap_{layout['cap_protected']}",
        }
        bit = known.get(capability) if target else None
        yield Place(code, target, bit, likely, f"the CPU capability {capability}")



class Patched(angr.SimProcedure):
    """Follows both ways, or the one that is always taken."""

    NO_RET = True

    def __init__(self, place, **options):
        super().__init__(**options)
        self.place = place

    def run(self):  # pylint: disable=arguments-differ
        place = self.place
        if place.bit is None:
            raise NoHook(f"it depends on {place.what}, which lab/prove/fwprove/patches.py does not know")
        if isinstance(place.bit, int):
            bit = claripy.BVV(place.bit, 1)
        else:
            bit = claripy.BVS(place.bit, 1, explicit_name=True)
        jumps = bit == (0 if place.likely else 1)
        after = place.code + 4
        for target, guard in ((place.target, jumps), (after, claripy.Not(jumps))):
            if not guard.is_false():
                self.successors.add_successor(self.state.copy(), target, guard, "Ijk_Boring")
        self.inhibit_autoret = True
