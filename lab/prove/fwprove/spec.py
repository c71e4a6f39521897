# SPDX-License-Identifier: GPL-2.0
"""The specification, as spec.toml has it, checked against the numbers of the kernel's headers."""

import errno
import pathlib
import tomllib
from dataclasses import dataclass, field

SPEC = pathlib.Path(__file__).resolve().parent.parent / "spec.toml"


@dataclass(frozen=True)
class Value:
    """A well-formed value of a register."""

    value: int
    means: str
    becomes: int | None = None
    feature: bool | None = None

    @property
    def narrowed(self):
        return self.value if self.becomes is None else self.becomes


@dataclass(frozen=True)
class Register:
    name: str
    id: int
    offer: dict
    stored: dict
    accepted: dict
    values: tuple = ()
    discovery: dict = field(default_factory=dict)
    like: str | None = None
    note: str | None = None

    @property
    def is_bitmap(self):
        return "mask" in self.offer

    @property
    def promises(self):
        """What the register can be, from the least promise to the greatest."""
        return [value.value for value in self.values if value.becomes is None]


class Spec:
    def __init__(self):
        with open(SPEC, "rb") as file:
            self.table = tomllib.load(file)
        self.registers = [self._register(table) for table in self.table["register"]]
        self.host_states = self.table["host"]["states"]

    def _register(self, table):
        table = dict(table)
        like = table.pop("as", None)
        if like:
            other = next(entry for entry in self.table["register"] if entry["name"] == like)
            table["values"] = other["values"]
        values = tuple(Value(**value) for value in table.pop("values", ()))
        return Register(values=values, like=like, **table)

    def register(self, name):
        return next(register for register in self.registers if register.name == name)

    def verdict(self, text):
        """The number of a verdict in the trace event."""
        return self.table["trace"]["verdicts"].index(text)

    def disagreements(self, layout):
        """Where the specification and the kernel's headers have different numbers."""
        for register in self.registers:
            if layout[f"KVM_REG_ARM_{register.name}"] != register.id:
                yield f"{register.name}: the UAPI has the id {layout[f'KVM_REG_ARM_{register.name}']:#x}"
        for number, text in enumerate(self.table["trace"]["verdicts"]):
            if layout.numbers.get(f"verdict_{number}") != number:
                yield f"the trace event's verdict {number} ({text}) has another number in trace.h"
        for flag in self.table["flag"]:
            if layout[flag["name"]] != flag["value"]:
                yield f"{flag['name']}: the UAPI has {layout[flag['name']]:#x}"


def errno_of(name):
    """What a handler returns for an errno's name, as the int of C."""
    return 0 if name == "0" else -getattr(errno, name)


def errno_name(number):
    """The other way round."""
    return errno.errorcode.get(-number, str(number)) if number < 0 else str(number)
