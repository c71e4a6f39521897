# SPDX-License-Identifier: GPL-2.0
"""Mistakes put into the object, one at a time: each must make the proof fail.

A condition is turned round, a store into the VM is left out, or a call of the lock is.
"""

from dataclasses import dataclass

from .code import BL, branch_target

NOP = 0xD503201F
LOCKS = ("mutex_lock", "mutex_unlock")


@dataclass(frozen=True)
class Mutant:
    address: int
    instruction: int
    text: str


def turned(instruction):
    """The instruction with its condition turned round, if it has one."""
    if instruction & 0xFF000010 == 0x54000000:  # b.cond
        return instruction ^ 1
    if instruction & 0x7C000000 == 0x34000000:  # cbz, cbnz, tbz, tbnz
        return instruction ^ 1 << 24
    if instruction & 0x1FE00000 == 0x1A800000:  # csel, csinc, csinv, csneg
        return instruction ^ 1 << 12
    if instruction & 0x3FE00410 == 0x3A400000:  # ccmp, ccmn
        return instruction ^ 1 << 12
    return None


def all_of(machine, executed, stores):
    """The mutants of what was executed."""
    for address in sorted(executed):
        instruction = machine.read(address)
        name = machine.linked.externs.get(branch_target(address, instruction, BL))
        text = machine.disassemble(address)
        if (other := turned(instruction)) is not None:
            yield Mutant(address, other, f"{text}: turned round")
        elif address in stores or name in LOCKS:
            yield Mutant(address, NOP, f"{text if name is None else 'bl ' + name}: left out")


def spread(mutants, count):
    """So many of them, from everywhere."""
    if count >= len(mutants):
        return mutants
    step = len(mutants) / count
    return [mutants[int(step * (number + 0.5))] for number in range(count)]
