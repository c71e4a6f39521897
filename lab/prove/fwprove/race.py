# SPDX-License-Identifier: GPL-2.0
"""What a handler does without config_lock: others may write to the VM between any two of its reads.

Each such read sees the VM at a moment of its own, which KVM's rules allow after the one before: what
was given is given from then on, a VM that has run has run and keeps its promises and ID registers,
what was given is within the offer, and all else is free. While the lock is held there is one moment.
There must be one of them at which the call could have been done as a whole: at which the
specification has the same answer, and the same effect.
"""

import copy

import z3

from .checks import discipline, to_z3
from .conditions import View
from .machine import RACING
from .spec import errno_name


class Moment:
    """The VM at a read, and what is expected of a call that is done there."""

    def __init__(self, problem, number):
        self.inputs = copy.copy(problem.inputs)
        self.inputs.words = dict(problem.inputs.words)
        for name in RACING:
            bits = problem.inputs.words[name].size()
            self.inputs.words[name] = z3.BitVec(f"{name}@{number}", bits)
        self.view = View(self.inputs, problem.register)
        self.expected = problem.entry.expect(self.inputs, problem.register)

    def is_kept(self):
        """Whether the host can keep what the VM was given."""
        view = self.view
        if view.register is None:
            return z3.BoolVal(True)
        return z3.Not(z3.And(view.given, view.exceeds(view.kept, view.offer)))

    def before(self, later):
        """Whether the other one can come after this one."""
        if self.view.register is None:
            return z3.Implies(self.inputs.has_run, later.inputs.has_run)
        kept = z3.And(
            later.inputs.has_run,
            self.view.promise == later.view.promise,
            self.view.offer == later.view.offer,
        )
        return z3.And(
            z3.Implies(self.view.given, later.view.given), z3.Implies(self.inputs.has_run, kept)
        )

    def is_it(self, told, writes):
        """Whether a path does what is expected here; `writes` if it is here that it writes."""
        same = [told.answer == self.expected.answer]
        written = {event[1] for event in told.path.events if event[0] == "write"}
        for name, before in self.inputs.words.items():
            after = told.words[name] if name in written else before
            same.append(after == self.expected.words[name])
        if written and not writes:
            return z3.BoolVal(False)
        for kind, *arguments in told.path.events:
            if kind == "write user":
                same.append(to_z3(arguments[3]) == self.expected.user)
            elif kind == "trace":
                verdict = z3.Extract(31, 0, to_z3(arguments[6]))
                same.append(verdict == self.expected.trace[5])
        return z3.And(same)


def _rules(moments):
    possible = [z3.And(moment.inputs.possible(), moment.is_kept()) for moment in moments]
    return z3.And(*possible, *(one.before(other) for one, other in zip(moments, moments[1:])))


def _kinds(told):
    """What the moments of a path are: `read` or `lock`."""
    return [event[1] for event in told.path.events if event[0] == "moment"] or ["read"]


def _writing(told):
    """The number of the moment at which a path writes: under the lock, and all of it at once."""
    numbers, number = set(), -1
    for event in told.path.events:
        if event[0] == "moment":
            number += 1
        elif event[0] == "write":
            numbers.add(number if _kinds(told)[number] == "lock" else None)
    return numbers.pop() if len(numbers) == 1 else None


def problems(problem, checker, paths):
    """All that is wrong, in words."""
    most = max((len(_kinds(told)) for told in paths), default=1)
    moments = [Moment(problem, number) for number in range(most)]
    always = z3.Or([told.condition for told in paths])
    if checker.counterexample(_rules(moments), z3.Not(always)) is not None:
        yield f"{problem.case.title}: no path was followed for some input"
    for told in paths:
        kinds = _kinds(told)
        seen = moments[: len(kinds)]
        for fault in (*told.path.faults, *discipline(told.path)):
            if checker.counterexample(_rules(seen), told.condition) is not None:
                yield f"{problem.case.title}: {fault}"
        writing = _writing(told)
        one = [moment.is_it(told, number == writing) for number, moment in enumerate(seen)]
        model = checker.counterexample(_rules(seen), told.condition, z3.Not(z3.Or(one)))
        if model is not None:
            yield _tell(problem, checker, model, told, seen)


def _tell(problem, checker, model, told, seen):
    def errno(formula):
        return errno_name(model.eval(formula, model_completion=True).as_signed_long())

    value = model.eval(problem.inputs.value, model_completion=True).as_long()
    states = [
        f"{checker.teller.at(model, moment)} (expected {errno(moment.expected.answer)})"
        for moment in seen
    ]
    what = f" = {value:#x}" if problem.case.entry == "set" else ""
    return f"{problem.case.title}{what}: {', then '.join(states)}: got {errno(told.answer)}"
