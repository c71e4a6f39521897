# SPDX-License-Identifier: GPL-2.0
"""What a kernel's own build says: where the words of a VM are, and the numbers of the UAPI."""

from dataclasses import dataclass

from elftools.elf.elffile import ELFFile

PREFIX = "number_"


@dataclass(frozen=True)
class Field:
    """A member of a structure: where it is in it, and its size, in bytes."""

    name: str
    offset: int
    size: int

    @property
    def bits(self):
        return self.size * 8


class Layout:
    """The numbers in the object that layout/layout.c was compiled to."""

    def __init__(self, path):
        self.numbers = {}
        with open(path, "rb") as file:
            elf = ELFFile(file)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                if symbol.name.startswith(PREFIX):
                    data = elf.get_section(symbol["st_shndx"]).data()
                    start = symbol["st_value"]
                    number = int.from_bytes(data[start : start + symbol["st_size"]], "little")
                    self.numbers[symbol.name.removeprefix(PREFIX)] = number
        if not self.numbers:
            raise ValueError(f"{path}: no symbol {PREFIX}*: it is not what layout.c compiles to")

    def __getitem__(self, name):
        return self.numbers[name]

    def has(self, name):
        """Whether the structures of this kernel have a field."""
        return f"offset_{name}" in self.numbers

    def field(self, name):
        return Field(name, self[f"offset_{name}"], self[f"size_{name}"])
