# SPDX-License-Identifier: GPL-2.0
"""The thread that makes the call: what the kernel calls `current`, and has in SP_EL0."""

import claripy

from .memory import TASK

# MRS Xt, SP_EL0 (Arm ARM, C5.2).
READ = 0xD5384100


def reads(instruction):
    """Whether an instruction reads SP_EL0."""
    return instruction & ~0x1F == READ


def hook(instruction):
    """What to do in its place."""
    register = f"x{instruction & 0x1F}"

    def run(state):
        state.registers.store(register, claripy.BVV(TASK, 64))

    return run
