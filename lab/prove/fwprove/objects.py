# SPDX-License-Identifier: GPL-2.0
"""Links an object by itself, so that a real linker applies its relocations.

Each undefined symbol gets an address of its own, where nothing is: a call that gets there is found in
the table of hooks, or is an error.
"""

import struct
import subprocess
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile

TEXT = 0x400000
EXTERNS = 0x1000000
EXTERN_SIZE = 0x100

# arch/arm64/include/asm/jump_label.h: struct jump_entry.
JUMP_ENTRY = struct.Struct("<iiq")


@dataclass(frozen=True)
class StaticBranch:
    """A place that the kernel turns into a branch, and back, as a static key says."""

    code: int
    target: int
    key: str
    likely: bool  # a branch while the key is off


@dataclass(frozen=True)
class Linked:
    path: str
    externs: dict  # address -> name
    branches: tuple


def undefined(path):
    with open(path, "rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        return sorted({s.name for s in symbols if s.name and s["st_shndx"] == "SHN_UNDEF"})


def link(linker, path, output):
    """Links the object at `path` to `output`."""
    externs = {EXTERNS + i * EXTERN_SIZE: name for i, name in enumerate(undefined(path))}
    defines = [f"--defsym={name}={address:#x}" for address, name in externs.items()]
    command = [linker, "-m", "aarch64elf", f"-Ttext={TEXT:#x}", "-e", "0", "-o", output, path]
    subprocess.run(command + defines, check=True)
    return Linked(output, externs, tuple(_branches(output, externs)))


def table(path, name, entry):
    """The entries of a table of a linked object, each of which begins with two offsets from
    themselves: its address, the two places, and the rest."""
    with open(path, "rb") as file:
        section = ELFFile(file).get_section_by_name(name)
        if section is None:
            return
        at, data = section["sh_addr"], section.data()
    for code, other, *rest in entry.iter_unpack(data):
        yield at, at + code, at + 4 + other, rest
        at += entry.size


def _branches(path, externs):
    """The kernel's struct jump_entry, which ends with an offset from itself to the key."""
    for at, code, target, (key,) in table(path, "__jump_table", JUMP_ENTRY):
        where = at + 8 + key & ~3  # the low bits are flags
        name = externs.get(where & ~(EXTERN_SIZE - 1), f"{where:#x}")
        yield StaticBranch(code, target, name, bool(key & 1))
