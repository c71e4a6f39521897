# SPDX-License-Identifier: GPL-2.0
"""Mistakes put into the object, one at a time: each must make the proof fail.

A condition is turned round, a store into the VM is left out, or a call of the lock is.
"""

from dataclasses import dataclass

NOP = 0xD503201F
LOCKS = ("mutex_lock", "mutex_unlock", "rust_helper_mutex_lock", "rust_helper_mutex_unlock")


@dataclass(frozen=True)
class Mutant:
    address: int
    instruction: int
    text: str


def _turned(instruction):
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


def _called(instruction, address):
    """Where a `bl` goes."""
    if instruction & 0xFC000000 != 0x94000000:
        return None
    offset = instruction & 0x3FFFFFF
    return address + 4 * (offset - (1 << 26) if offset >> 25 else offset)


def all_of(machine, executed, stores):
    """The mutants of what was executed."""
    for address in sorted(executed):
        instruction = machine.read(address)
        name = machine.linked.externs.get(_called(instruction, address))
        text = machine.disassemble(address)
        if (turned := _turned(instruction)) is not None:
            yield Mutant(address, turned, f"{text}: turned round")
        elif address in stores or name in LOCKS:
            yield Mutant(address, NOP, f"{text if name is None else 'bl ' + name}: left out")


def spread(mutants, count):
    """So many of them, from everywhere."""
    if count >= len(mutants):
        return mutants
    step = len(mutants) / count
    return [mutants[int(step * (number + 0.5))] for number in range(count)]
