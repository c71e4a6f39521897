# SPDX-License-Identifier: GPL-2.0
"""What is always true of a VM and its host. That the handlers keep it is proven; the rest is assumed."""

import z3

from .conditions import View
from .inputs import STATES


def host(inputs, which):
    """A vulnerability is in one of the states that the kernel names."""
    return z3.Or([inputs.state_is(which, word) for word in inputs.spec.host_states])


def word(inputs, register):
    """A register's word holds nothing, or a promise that goes with the vCPUs and fits the offer. A
    default VM has no workaround stored."""
    name = register.stored["word"]
    if name not in inputs.words:
        return z3.BoolVal(True)
    stored = inputs.words[name]
    if register.is_bitmap:
        return stored & ~inputs.mask(register) == 0
    view = View(inputs, register)
    bias = register.stored["bias"]
    values = [z3.And(stored == value.value + bias, inputs.fits(value))
              for value in register.values if value.becomes is None]
    some = z3.And(z3.Or(values), z3.Not(view.exceeds(view.kept, view.offer)))
    if register.accepted["default"] == "forgotten":
        some = z3.And(inputs.strict, some)
    return z3.Or(stored == register.stored["none"], some)


def holds(inputs):
    """All of it."""
    rules = [host(inputs, which) for which in STATES]
    rules += [word(inputs, register) for register in inputs.spec.registers]
    rules += [z3.ULE(inputs.parameter[f"parameter_{name}"], 1) for name in ("value", "default")]
    rules.append(z3.ULE(inputs.words["is_protected"], 1))
    if not inputs.keeps_workarounds:
        # Nobody sets the flags where the component is off.
        rules.append(inputs.words["flags"] == inputs.without_flags)
    return z3.And(rules)
