# SPDX-License-Identifier: GPL-2.0
"""Holds the paths of a run against what is expected of them.

Every check is a question to z3 whether there is an input for which it is otherwise; what it finds is
told in words.
"""

from dataclasses import dataclass

import claripy
import z3

from .inputs import WORDS
from .spec import errno_name
from .words import Teller


def to_z3(ast):
    return claripy.backends.z3.convert(ast)


@dataclass
class Told:
    """A path in the terms of z3."""

    condition: z3.ExprRef
    answer: z3.ExprRef
    words: dict
    path: object


def tell(run):
    paths = []
    for path in run.paths:
        condition = z3.And([to_z3(c) for c in path.conditions])
        words = {name: to_z3(word) for name, word in path.words.items()}
        paths.append(Told(condition, to_z3(path.answer), words, path))
    return paths


def discipline(path):
    """What a path does wrong with the lock, in words: whoever else is there."""
    depth = 0
    for kind, *arguments in path.events:
        if kind in ("lock", "unlock"):
            depth += 1 if kind == "lock" else -1
            if depth not in (0, 1):
                yield "config_lock is " + ("taken twice" if depth > 1 else "dropped twice")
        elif kind == "write" and arguments[1] != 1:
            yield f"{arguments[0]} is written without config_lock"
        elif kind in ("read user", "write user") and arguments[2]:
            yield "user memory is accessed while config_lock is held"
        elif kind == "trace" and arguments[0]:
            yield "the event is traced while config_lock is held"
    if depth != 0:
        yield "config_lock is held at the end"


class Checker:
    """Checks one entry point for one register, or for the ids that are none."""

    def __init__(self, inputs, register, entry, premise, layout, places):
        self.inputs, self.register, self.entry = inputs, register, entry
        self.premise, self.layout, self.places = premise, layout, places
        self.teller = Teller(inputs, register)
        self.solver = z3.Solver()
        self.solver.add(premise)
        self.questions = 0

    def counterexample(self, *formulas):
        """A model of the premise in which all of these hold, if there is one."""
        self.questions += 1
        self.solver.push()
        self.solver.add(*formulas)
        result = self.solver.check()
        model = self.solver.model() if result == z3.sat else None
        self.solver.pop()
        if result == z3.unknown:
            raise RuntimeError(f"z3 does not know: {self.solver.reason_unknown()}")
        return model

    def _problem(self, model, text):
        return f"{self.teller.case(model, self.entry)}: {text}"

    def _sign(self, model, formula):
        return errno_name(model.eval(formula, model_completion=True).as_signed_long())

    def problems(self, run, paths, expected, strict_lock=True):
        """All that is wrong, in words. Nothing, if it is proven."""
        yield from self.broken(run)
        lost = self.counterexample(z3.Not(z3.Or([told.condition for told in paths])))
        if lost is not None:
            yield self._problem(lost, "no path was followed for this")
        for told in paths:
            yield from self._path(told, expected, strict_lock)

    def broken(self, run):
        for text, conditions in run.broken:
            model = self.counterexample(*[to_z3(c) for c in conditions])
            if model is not None:
                yield self._problem(model, text)

    def _path(self, told, expected, strict_lock):
        """One question whether anything is wrong; and if so, what."""
        wrongs = list(self._wrongs(told, expected, strict_lock))
        if self.counterexample(told.condition, z3.Or([wrong for _, wrong in wrongs])) is None:
            return
        for text, wrong in wrongs:
            model = self.counterexample(told.condition, wrong)
            if model is not None:
                yield self._problem(model, text if isinstance(text, str) else text(model))

    def _wrongs(self, told, expected, strict_lock):
        """What can be wrong: a text, or what makes one of a model, and a formula that says when."""

        def answer(model):
            reason = self.teller.reason(model, expected.reasons)
            wanted, got = self._sign(model, expected.answer), self._sign(model, told.answer)
            return f"expected {wanted} ({reason}), got {got}"

        yield answer, told.answer != expected.answer
        changed = z3.Or([told.words[name] != expected.words[name] for name in WORDS])
        yield lambda model: self._changed(model, told, expected), changed
        after = self.inputs.possible(told.words)
        yield "the VM is left in a state that cannot be", z3.Not(after)
        yield from self._events(told, expected, strict_lock)

    def _changed(self, model, told, expected):
        def number(formula):
            return model.eval(formula, model_completion=True).as_long()

        parts = []
        for name in WORDS:
            got, wanted = number(told.words[name]), number(expected.words[name])
            if got != wanted:
                parts.append(f"expected the VM's {name} to become {wanted:#x}, got {got:#x}")
        return ", ".join(parts)

    def _events(self, told, expected, strict_lock):
        """Pairs of a text and a formula that holds where it applies."""
        always = z3.BoolVal(True)
        for fault in told.path.faults:
            yield fault, always
        depth, copies, traces = 0, 0, 0
        lock = claripy.BVV(self.places.VM + self.layout["offset_config_lock"], 64)
        for kind, *arguments in told.path.events:
            if kind in ("lock", "unlock"):
                depth += 1 if kind == "lock" else -1
                yield f"{kind} of something else than config_lock", to_z3(arguments[0] != lock)
                if depth not in (0, 1):
                    yield "config_lock is " + ("taken twice" if depth > 1 else "dropped twice"), always
            elif kind in ("read user", "write user"):
                copies += 1
                yield from self._copy(kind, arguments, expected)
            elif kind == "write" and arguments[1] != 1 and strict_lock:
                yield f"{arguments[0]} is written without config_lock", always
            elif kind == "trace":
                traces += 1
                yield from self._trace(arguments, expected)
        if depth != 0:
            yield "config_lock is held at the end", always
        if copies > 1:
            yield f"user memory is accessed {copies} times", always
        yield (
            "user memory is " + ("accessed" if copies else "not accessed"),
            expected.touches != z3.BoolVal(copies > 0),
        )
        if expected.trace is not None and strict_lock:
            tracing = z3.BitVec("tracing", 1) == 1
            yield f"{traces} trace events", tracing != z3.BoolVal(traces > 0)
            if traces > 1:
                yield f"{traces} trace events", always
        elif traces:
            yield "a trace event", always

    def _copy(self, kind, arguments, expected):
        address, size, depth, *data = arguments
        if depth:
            yield "user memory is accessed while config_lock is held", z3.BoolVal(True)
        wanted = "write user" if self.entry == "get" else "read user"
        if kind != wanted:
            yield f"{kind} memory instead of {wanted}", z3.BoolVal(True)
        yield f"{kind} memory at another address", to_z3(address) != self.inputs.address
        yield f"{kind} memory, but not 8 bytes", to_z3(size) != 8
        if data and expected.user is not None:
            yield "another value than the promise is written", to_z3(data[0]) != expected.user

    def _trace(self, arguments, expected):
        depth, *got = arguments
        if depth:
            yield "the event is traced while config_lock is held", z3.BoolVal(True)
        names = ("vcpu", "id", "value", "promise", "offer", "verdict")
        for name, mine, wanted in zip(names, got, expected.trace):
            mine = to_z3(mine)
            if wanted.size() < mine.size():
                mine = z3.Extract(wanted.size() - 1, 0, mine)
            yield f"the trace event has another {name}", mine != wanted
