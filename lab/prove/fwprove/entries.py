# SPDX-License-Identifier: GPL-2.0
"""The entry points, what they are called with, and the cases that all inputs are divided into."""

from dataclasses import dataclass

import claripy
import z3

from . import expected, invariant
from .inputs import Inputs
from .memory import ARGUMENTS, REG, VCPU, VM, symbol


@dataclass(frozen=True)
class Entry:
    name: str
    function: str
    arguments: object
    expect: object
    # Whether the C object has it, too.
    in_c: bool = True
    # Whether other threads may write to the VM meanwhile. Else a caller prevents it: the VM runs and its
    # promises are frozen, `config_lock` is held, or no vCPU has been created.
    shared: bool = False
    # The words that are written without `config_lock`.
    unlocked: tuple = ()


def _register_access():
    return [claripy.BVV(VCPU, 64), claripy.BVV(REG, 64)]


def _discovery():
    # Nothing is said of the upper half of a register that a u32 is in.
    return [claripy.BVV(VCPU, 64), claripy.Concat(symbol("high", 32), symbol("function", 32))]


def _list():
    return [claripy.BVV(VCPU, 64), symbol("address", 64)]


def _vcpu():
    return [claripy.BVV(VCPU, 64)]


def _ssbs():
    return [claripy.BVV(VM, 64), symbol("ssbs", 64)]


def _vm():
    return [claripy.BVV(VM, 64)]


def _capability():
    return [claripy.BVV(VM, 64), claripy.BVV(ARGUMENTS, 64)]


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("set", "kvm_arm_set_fw_reg", _register_access, expected.expect_set, shared=True),
        Entry("get", "kvm_arm_get_fw_reg", _register_access, expected.expect_get, shared=True),
        Entry("count", "kvm_arm_get_fw_num_regs", _vcpu, expected.expect_count),
        Entry("list", "kvm_arm_copy_fw_reg_indices", _list, expected.expect_list),
        Entry("discover", "kvm_arm_fw_reg_discover", _discovery, expected.expect_discover),
        Entry("allow_ssbs", "kvm_arm_fw_reg_allow_ssbs", _ssbs, expected.expect_allow_ssbs, in_c=False),
        Entry("flags", "kvm_arm_fw_regs_flags", list, expected.expect_flags, in_c=False),
        Entry("enable", "kvm_arm_fw_regs_enable", _capability, expected.expect_enable, in_c=False,
              unlocked=("flags",)),
        Entry("init_vm", "kvm_arm_fw_regs_init_vm", _vm, expected.expect_init_vm, in_c=False,
              unlocked=("flags",)),
    )
}

# The ids that are no register, by what the size in them says; other functions than the workarounds'.
UNKNOWN = "unknown"
WRONG_SIZE = "of another size"
OTHERS = "others"
WITHOUT = "without the parameter"


@dataclass(frozen=True)
class Case:
    """An entry point, and some of its inputs."""

    entry: str
    which: str = ""

    @property
    def title(self):
        return f"{self.entry} {self.which}".strip()


def cases(spec):
    names = [register.name for register in spec.registers]
    yield from (Case("set", name) for name in [*names, UNKNOWN, WRONG_SIZE])
    yield from (Case("get", name) for name in [*names, UNKNOWN])
    workarounds = [register.name for register in spec.registers if register.discovery]
    yield from (Case("discover", name) for name in [*workarounds, OTHERS])
    yield from (Case(name) for name in ("count", "list", "allow_ssbs", "flags", "enable", "init_vm"))
    yield Case("init_vm", WITHOUT)


class Problem:
    """A case, with its inputs and what they are assumed to be."""

    def __init__(self, spec, layout, case):
        self.inputs = inputs = Inputs(spec, layout)
        self.entry, self.case = ENTRIES[case.entry], case
        name = "SMCCC_ARCH_WORKAROUND_2" if case.entry == "allow_ssbs" else case.which
        self.register = next((r for r in spec.registers if r.name == name), None)
        self.domain = self._domain(spec, layout)
        self.premise = z3.And(invariant.holds(inputs), self.domain)
        self.expected = self.entry.expect(inputs, self.register)
        # Whether the module's parameter may have been given.
        self.parameter = case.entry == "init_vm" and case.which != WITHOUT

    def _domain(self, spec, layout):
        """Which part of the inputs the case is."""
        inputs, which = self.inputs, self.case.which
        others = z3.And([inputs.id != register.id for register in spec.registers])
        if self.case.entry == "discover":
            numbers = {r.name: layout[r.discovery["function"]] for r in spec.registers if r.discovery}
            if which in numbers:
                return inputs.function == numbers[which]
            return z3.And([inputs.function != number for number in numbers.values()])
        if which == WITHOUT:
            return z3.And([number == 0 for number in inputs.parameter.values()])
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
        if self.register:
            rules.append(invariant.word(self.inputs, self.register))
        which = self.register and self.register.offer.get("host")
        if which:
            rules.append(invariant.host(self.inputs, which))
        return [claripy.backends.z3._abstract(z3.simplify(rule)) for rule in rules]
