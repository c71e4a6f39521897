# SPDX-License-Identifier: GPL-2.0
"""What a handler must do, as formulas over the inputs."""

from dataclasses import dataclass, field

import z3

from .conditions import View
from .spec import errno_of


@dataclass
class Outcome:
    """What a call does, whoever says so.

    `words` are those of the VM afterwards, `user` is what is written to user memory where `touches`
    user memory at all, `trace` are the arguments of the trace event.
    """

    answer: z3.ExprRef
    words: dict
    touches: z3.ExprRef
    user: z3.ExprRef | None = None
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


def _steps(inputs, view, name):
    """The checks of an entry point that can apply to this register."""
    for step in inputs.spec.table[name]:
        yield view.holds(step["when"]), step
        if view.register is None and step["when"] == "unknown register":
            return


def expect_set(inputs, register):
    view = View(inputs, register)
    steps = list(_steps(inputs, view, "set"))
    answer = _first([(when, _number(errno_of(step["answer"]))) for when, step in steps], _number(0))
    words = dict(inputs.words)
    if register:
        name = register.keeps["word"]
        words[name] = _first(
            [(when, view.stored() if step.get("stores") else words[name]) for when, step in steps],
            words[name],
        )
    zero = _number(0, 64)
    judged = {"is the promise", "exceeds the offer", "has run", "otherwise"}

    def shown(values):
        promise = [(when, values if step["when"] in judged else zero) for when, step in steps]
        return _first(promise, zero)

    verdict = [(when, _number(inputs.spec.verdict(step["trace"]))) for when, step in steps]
    trace = (
        inputs.vcpu_id,
        inputs.id,
        z3.If(view.readable(), inputs.value, zero),
        shown(view.promise),
        shown(view.offer),
        _first(verdict, _number(0)),
    )
    touches = z3.And(inputs.well_sized, inputs.addressable)
    reasons = [(when, step["trace"]) for when, step in steps]
    return Outcome(answer, words, touches, None, trace, reasons)


def expect_get(inputs, register):
    view = View(inputs, register)
    steps = list(_steps(inputs, view, "get"))
    answer = _first([(when, _number(errno_of(step["answer"]))) for when, step in steps], _number(0))
    touches = inputs.addressable if register else z3.BoolVal(False)
    reasons = [(when, step["when"]) for when, step in steps]
    return Outcome(answer, dict(inputs.words), touches, view.promise, None, reasons)


def expect_discover(inputs, register):
    """What the guest is told of a workaround; `register` is None for functions that are none."""
    not_supported = _number(-1)
    answer, reasons = not_supported, [(z3.BoolVal(True), "not a workaround")]
    if register:
        view = View(inputs, register)
        answers = register.discovery["answers"].items()
        steps = [(view.promise == int(promise), _number(number)) for promise, number in answers]
        answer = _first(steps, not_supported)
        reasons = [(view.promise == int(promise), f"promise {promise}") for promise, _ in answers]
    return Outcome(answer, dict(inputs.words), z3.BoolVal(False), reasons=reasons)


def expect_allow_ssbs(inputs, register):
    view = View(inputs, register)
    steps = list(_steps(inputs, view, "allow_ssbs"))
    answer = _first([(when, _number(errno_of(step["answer"]))) for when, step in steps], _number(0))
    reasons = [(when, step["when"]) for when, step in steps]
    return Outcome(answer, dict(inputs.words), z3.BoolVal(False), reasons=reasons)


def expect_accept_null(inputs, register):
    view = View(inputs, register)
    steps = list(_steps(inputs, view, "accept_null"))
    answer = _first([(when, _number(errno_of(step["answer"]))) for when, step in steps], _number(0))
    words = dict(inputs.words)
    name = inputs.spec.table["null"]["word"]
    words[name] = z3.If(answer == 0, _number(1, words[name].size()), words[name])
    reasons = [(when, step["when"]) for when, step in steps]
    return Outcome(answer, words, z3.BoolVal(False), reasons=reasons)
