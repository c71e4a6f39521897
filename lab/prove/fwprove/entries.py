# SPDX-License-Identifier: GPL-2.0
"""The entry points, what they are called with, and the cases that all inputs are divided into."""

from dataclasses import dataclass

import claripy
import z3

from . import expected, machine
from .inputs import Inputs


def _symbol(name, bits):
    return claripy.BVS(name, bits, explicit_name=True)


@dataclass(frozen=True)
class Entry:
    name: str
    function: str
    arguments: object
    expect: object


def _register_access():
    return [claripy.BVV(machine.VCPU, 64), claripy.BVV(machine.REG, 64)]


def _discovery():
    # Nothing is said of the upper half of a register that a u32 is in.
    return [claripy.BVV(machine.VCPU, 64), claripy.Concat(_symbol("high", 32), _symbol("function", 32))]


def _ssbs():
    return [claripy.BVV(machine.VM, 64), _symbol("ssbs", 64)]


def _vm():
    return [claripy.BVV(machine.VM, 64)]


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("set", "kvm_arm_set_fw_reg", _register_access, expected.expect_set),
        Entry("get", "kvm_arm_get_fw_reg", _register_access, expected.expect_get),
        Entry("discover", "kvm_arm_fw_reg_discover", _discovery, expected.expect_discover),
        Entry("allow_ssbs", "kvm_arm_fw_reg_allow_ssbs", _ssbs, expected.expect_allow_ssbs),
        Entry("accept_null", "kvm_arm_fw_reg_accept_null", _vm, expected.expect_accept_null),
    )
}

# The ids that are no register, by what the size in them says; other functions than the workarounds'.
UNKNOWN = "unknown"
WRONG_SIZE = "of another size"
OTHERS = "others"


@dataclass(frozen=True)
class Case:
    """An entry point, and some of its inputs."""

    entry: str
    which: str
    racing: bool = False

    @property
    def title(self):
        name = self.entry if self.which == "" else f"{self.entry} {self.which}"
        return name + (" while others write" if self.racing else "")


def cases(spec):
    names = [register.name for register in spec.registers]
    yield from (Case("set", name) for name in [*names, UNKNOWN, WRONG_SIZE])
    yield from (Case("get", name) for name in [*names, UNKNOWN])
    yield from (Case("set", name, racing=True) for name in [*names, UNKNOWN])
    yield from (Case("get", name, racing=True) for name in names)
    workarounds = [register.name for register in spec.registers if register.discovery]
    yield from (Case("discover", name) for name in [*workarounds, OTHERS])
    yield Case("allow_ssbs", "")
    yield Case("accept_null", "")


class Problem:
    """A case, with its inputs and what they are assumed to be."""

    def __init__(self, spec, layout, case):
        self.inputs = inputs = Inputs(spec, layout)
        self.entry = ENTRIES[case.entry]
        self.case = case
        self.register = next((r for r in spec.registers if r.name == case.which), None)
        if case.entry == "allow_ssbs":
            self.register = spec.register("SMCCC_ARCH_WORKAROUND_2")
        self.domain = self._domain(spec, layout)
        self.premise = z3.And(inputs.possible(), self.domain)
        self.expected = self.entry.expect(inputs, self.register)

    def _domain(self, spec, layout):
        """Which part of the inputs the case is."""
        inputs, which = self.inputs, self.case.which
        others = z3.And([inputs.id != register.id for register in spec.registers])
        if self.case.entry == "discover":
            numbers = {r.name: layout[r.discovery["function"]] for r in spec.registers if r.discovery}
            if which in numbers:
                return inputs.function == numbers[which]
            return z3.And([inputs.function != number for number in numbers.values()])
        if self.case.entry not in ("set", "get"):
            return z3.BoolVal(True)
        if which == UNKNOWN and self.case.entry == "set":
            return z3.And(others, inputs.well_sized)
        if which == UNKNOWN:
            return others
        if which == WRONG_SIZE:
            return z3.Not(inputs.well_sized)
        return inputs.id == self.register.id

    def assume(self):
        """The part of the premise that keeps impossible paths out of the run: what is said of the
        words that matter here. To leave the rest out makes more paths, and loses none."""
        rules = [self.domain]
        if self.register and not self.case.racing:
            rules.append(self.inputs.kept_rule(self.register, self.inputs.words))
        host = self.register and self.register.offer.get("host")
        if host:
            states = [self.inputs.state_is(host, word) for word in self.inputs.spec.host_states]
            rules.append(z3.Or(states))
        return [claripy.backends.z3._abstract(z3.simplify(rule)) for rule in rules]
