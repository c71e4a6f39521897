# SPDX-License-Identifier: GPL-2.0
"""The thread that makes the call: what the kernel calls `current`, and has in SP_EL0."""

import angr
import claripy

from .memory import TASK

# MRS Xt, SP_EL0 (Arm ARM, C5.2).
READ = 0xD5384100


class Current(angr.SimProcedure):
    """Reads SP_EL0."""

    NO_RET = True

    def __init__(self, instruction, **options):
        super().__init__(**options)
        self.register = instruction & 0x1F

    def run(self):  # pylint: disable=arguments-differ
        after = self.state.copy()
        after.registers.store(f"x{self.register}", claripy.BVV(TASK, 64))
        self.successors.add_successor(after, self.state.addr + 4, claripy.true(), "Ijk_Boring")
        self.inhibit_autoret = True
