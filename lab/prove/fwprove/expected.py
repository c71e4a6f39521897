# SPDX-License-Identifier: GPL-2.0
"""What a handler must do, as formulas over the inputs."""

from dataclasses import dataclass, field

import z3

from .conditions import View
from .spec import errno_of

NONE = z3.BoolVal(False)


@dataclass
class Outcome:
    """What a call does, whoever says so.

    `words` are those of the VM afterwards. `user` is what is written to user memory, by 8 bytes, where the
    call succeeds; `touches` is whether user memory is accessed at all, where that is asked. `trace` are
    the arguments of the trace event.
    """

    answer: z3.ExprRef
    words: dict
    touches: z3.ExprRef | None = NONE
    user: tuple = ()
    trace: tuple | None = None
    # What decided, in words, for people: a list of (formula, text), the first that holds.
    reasons: list = field(default_factory=list)


def _first(steps, default):
    """The value of the first step whose condition holds."""
    result = default
    for condition, value in reversed(steps):
        result = z3.If(condition, value, result)
    return result


def _number(number, bits=32):
    return z3.BitVecVal(number, bits)


class Steps:
    """The checks of an entry point that can apply to this register, in their order."""

    def __init__(self, view, name):
        self.steps = []
        for step in view.inputs.spec.table[name]:
            self.steps.append((view.holds(step["when"]), step))
            if view.register is None and step["when"] == "unknown register":
                break

    def first(self, value, default):
        """What the step that decides has: `value` makes it of the step."""
        return _first([(when, value(step)) for when, step in self.steps], default)

    @property
    def answer(self):
        return self.first(lambda step: _number(errno_of(step["answer"])), _number(0))

    def reasons(self, key="when"):
        return [(when, step[key]) for when, step in self.steps]


def expect_set(inputs, register):
    view = View(inputs, register)
    steps = Steps(view, "set")
    words = dict(inputs.words)
    if register and register.stored["word"] in words:
        name = register.stored["word"]
        before = words[name]
        after = view.stored()
        words[name] = steps.first(lambda step: after if step.get("stores") else before, before)
    trace = None
    if inputs.keeps_workarounds:
        zero = _number(0, 64)

        def judged(value):
            return steps.first(lambda step: value if step.get("judged") else zero, zero)

        trace = (
            inputs.vcpu_id,
            inputs.id,
            z3.If(view.readable(), inputs.value, zero),
            judged(view.promise),
            judged(view.offer),
            steps.first(lambda step: _number(inputs.spec.verdict(step["trace"])), _number(0)),
        )
    touches = z3.And(inputs.well_sized, inputs.addressable())
    return Outcome(steps.answer, words, touches, (), trace, steps.reasons("trace"))


def expect_get(inputs, register):
    view = View(inputs, register)
    steps = Steps(view, "get")
    touches = inputs.addressable() if register else NONE
    user = (view.promise,) if register else ()
    return Outcome(steps.answer, dict(inputs.words), touches, user, None, steps.reasons())


def expect_count(inputs, _):
    return Outcome(_number(len(inputs.spec.registers)), dict(inputs.words))


def expect_list(inputs, _):
    """All ids, or EFAULT. What is written before a fault is not told."""
    ids = tuple(_number(register.id, 64) for register in inputs.spec.registers)
    fits = inputs.accessible(8 * len(ids))
    answer = z3.If(fits, _number(0), _number(errno_of("EFAULT")))
    reasons = [(fits, "writable"), (z3.BoolVal(True), "unwritable")]
    return Outcome(answer, dict(inputs.words), None, ids, None, reasons)


def expect_discover(inputs, register):
    """What the guest is told of a workaround; `register` is None for functions that are none."""
    answer, reasons = _number(-1), [(z3.BoolVal(True), "not a workaround")]
    if register:
        view = View(inputs, register)
        answer = view.answer_to_guest(view.promise)
        reasons = [(view.promise == int(promise), f"promise {promise}")
                   for promise in register.discovery["answers"]]
    return Outcome(answer, dict(inputs.words), reasons=reasons)


def expect_allow_ssbs(inputs, register):
    steps = Steps(View(inputs, register), "allow_ssbs")
    return Outcome(steps.answer, dict(inputs.words), reasons=steps.reasons())


def expect_flags(inputs, _):
    """All flags of the capability."""
    return Outcome(_number(sum(flag["value"] for flag in inputs.spec.table["flag"])), dict(inputs.words))


def expect_enable(inputs, _):
    steps = Steps(View(inputs, None), "enable")
    words = dict(inputs.words)
    for flag in inputs.spec.table["flag"]:
        asked = z3.And(steps.answer == 0, inputs.args[0] & flag["value"] != 0)
        bit = z3.If(asked, inputs.with_flag(flag["sets"]) & ~inputs.words["flags"], 0)
        words["flags"] |= bit
    return Outcome(steps.answer, words, reasons=steps.reasons())


def expect_init_vm(inputs, _):
    """The kernel's command line makes all but protected VMs strict. There is no answer."""
    words = dict(inputs.words)
    makes = z3.And(inputs.parameter_on, z3.Not(inputs.protected))
    words["flags"] = z3.If(makes, inputs.with_flag("KVM_ARCH_FLAG_FW_REGS_STRICT"), words["flags"])
    return Outcome(None, words)
