# SPDX-License-Identifier: GPL-2.0
"""Get does not hold config_lock: others may write to the VM between any two of its reads.

Each read of a word sees a VM of its own, which KVM's rules allow after the one before: what was given
is given from then on, and all else is free. What get returns must be the promise of one of them.
"""

import copy

import z3

from .checks import to_z3
from .conditions import View
from .machine import RACING
from .spec import errno_name


def _moment(inputs, register, number):
    """The VM at a read."""
    later = copy.copy(inputs)
    later.words = dict(inputs.words)
    for name in RACING:
        later.words[name] = z3.BitVec(f"{name}@{number}", inputs.words[name].size())
    return later, View(later, register)


def _rules(moments):
    """What KVM guarantees of VMs that follow each other."""
    rules = [inputs.possible() for inputs, _ in moments]
    views = [view for _, view in moments]
    rules += [z3.Implies(one.given, next_.given) for one, next_ in zip(views, views[1:])]
    return z3.And(rules)


def _reads(told):
    return sum(event[0] == "moment" for event in told.path.events)


def problems(checker, paths, expected):
    """All that is wrong, in words."""
    inputs, register = checker.inputs, checker.register
    most = max(map(_reads, paths), default=0)
    moments = [_moment(inputs, register, number) for number in range(most)]
    lost = checker.counterexample(
        _rules(moments), z3.Not(z3.Or([told.condition for told in paths]))
    )
    if lost is not None:
        yield "while others write, no path was followed for some input"
    for told in paths:
        seen = moments[: _reads(told)]
        wrong = [told.answer != expected.answer]
        for event in told.path.events:
            if event[0] == "write user":
                wrong.append(z3.And([to_z3(event[4]) != view.promise for _, view in seen]))
            elif event[0] == "write":
                wrong.append(z3.BoolVal(True))
        model = checker.counterexample(_rules(seen), told.condition, z3.Or(wrong))
        if model is not None:
            yield _tell(checker, model, told, seen)


def _tell(checker, model, told, seen):
    def number(formula):
        return model.eval(formula, model_completion=True).as_long()

    promises = ", ".join(f"{number(view.promise):#x}" for _, view in seen)
    answer = errno_name(model.eval(told.answer, model_completion=True).as_signed_long())
    written = [number(to_z3(e[4])) for e in told.path.events if e[0] == "write user"]
    got = f"{written[0]:#x}" if written else "nothing"
    name = checker.register.name
    return f"get {name} while others write: promises one after another {promises}: got {answer}, {got}"
