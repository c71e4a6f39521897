# SPDX-License-Identifier: GPL-2.0
"""Holds the paths of a run against what is expected of them.

Every check is a question to z3 whether there is an input for which it is otherwise; what it finds is
told in words.
"""

from dataclasses import dataclass

import claripy
import z3

from . import invariant, sharing
from .conditions import View
from .memory import VM
from .spec import errno_name
from .words import Teller

ALWAYS = z3.BoolVal(True)


def to_z3(ast):
    return claripy.backends.z3.convert(ast)


@dataclass
class Told:
    """A path in the terms of z3."""

    condition: z3.ExprRef
    answer: z3.ExprRef
    words: dict
    path: object

    def user(self):
        """All accesses to user memory: kind, address, size, lock depth, and data by 8 bytes."""
        for kind, *event in self.path.events:
            if kind in ("read user", "write user"):
                address, size, depth, data = event
                yield kind, to_z3(address), size, depth, [to_z3(part) for part in data]


def tell(run):
    paths = []
    for path in run.paths:
        condition = z3.And([to_z3(c) for c in path.conditions])
        words = {name: to_z3(word) for name, word in path.words.items()}
        paths.append(Told(condition, to_z3(path.answer), words, path))
    return paths


class Checker:
    """Checks one entry point for one register, or for the ids that are none.

    `unlocked` are the words that are written without `config_lock`.
    """

    def __init__(self, problem, unlocked=()):
        self.inputs, self.register = problem.inputs, problem.register
        self.entry, self.expected = problem.entry, problem.expected
        self.unlocked = (*unlocked, *self.entry.unlocked)
        self.teller = Teller(self.inputs, self.register)
        self.solver = z3.Solver()
        self.solver.add(problem.premise)

    def counterexample(self, *formulas):
        """A model of the premise in which all of these hold, if there is one."""
        self.solver.push()
        self.solver.add(*formulas)
        result = self.solver.check()
        model = self.solver.model() if result == z3.sat else None
        self.solver.pop()
        if result == z3.unknown:
            raise RuntimeError(f"z3 does not know: {self.solver.reason_unknown()}")
        return model

    def sign(self, model, answer):
        """An answer to userspace by its name, one to the guest as a number."""
        number = model.eval(answer, model_completion=True).as_signed_long()
        return str(number) if self.entry.name == "discover" else errno_name(number)

    def _problem(self, model, text):
        return f"{self.teller.case(model, self.entry.name)}: {text}"

    def problems(self, run, paths):
        """All that is wrong, in words. Nothing, if it is proven."""
        for text, conditions in run.broken:
            model = self.counterexample(*[to_z3(c) for c in conditions])
            if model is not None:
                yield self._problem(model, text)
        lost = self.counterexample(z3.Not(z3.Or([told.condition for told in paths])))
        if lost is not None:
            yield self._problem(lost, "no path was followed for this")
        for told in paths:
            yield from self._path(told)

    def _path(self, told):
        """One question whether anything is wrong; and if so, what."""
        wrongs = list(self._wrongs(told))
        if self.counterexample(told.condition, z3.Or([wrong for _, wrong in wrongs])) is None:
            return
        for text, wrong in wrongs:
            model = self.counterexample(told.condition, wrong)
            if model is not None:
                yield self._problem(model, text if isinstance(text, str) else text(model))

    def _wrongs(self, told):
        """What can be wrong: a text, or what makes one of a model, and a formula that says when."""
        if self.expected.answer is not None:
            yield lambda model: self._answer(model, told), told.answer != self.expected.answer
        changed = [told.words[name] != word for name, word in self.expected.words.items()]
        yield lambda model: self._changed(model, told), z3.Or(changed)
        yield from self._laws(told)
        for text in told.path.faults:
            yield text, ALWAYS
        yield from self._lock(told)
        yield from self._user(told)
        yield from self._traces(told)
        if self.entry.shared:
            yield from sharing.wrongs(self.inputs, told.path.events)

    def _laws(self, told):
        """What follows from the specification, but not from one line of it."""
        after = self.inputs.after(told.words)
        yield "the VM is left in a state that cannot be", z3.Not(invariant.holds(after))
        if self.entry.name == "set":
            differs = z3.Or([told.words[name] != word for name, word in self.inputs.words.items()])
            yield "a refused write changes the VM", z3.And(told.answer != 0, differs)
            before, later = View(self.inputs, self.register), View(after, self.register)
            frozen = z3.And(self.inputs.strict, self.inputs.has_run)
            yield "a promise changes after the run", z3.And(frozen, before.promise != later.promise)
        if self.entry.name == "allow_ssbs":
            register = z3.If(self.inputs.ssbs == 0, z3.BitVecVal(0, 64),
                             z3.BitVecVal(1 << self.inputs.layout["ssbs_shift"], 64))
            written = self.inputs.after({**told.words, "id_aa64pfr1_el1": register})
            yield "a promise can be broken", z3.And(told.answer == 0, z3.Not(invariant.holds(written)))

    def _answer(self, model, told):
        wanted, got = (self.sign(model, answer) for answer in (self.expected.answer, told.answer))
        return f"expected {wanted} ({self.teller.reason(model, self.expected.reasons)}), got {got}"

    def _changed(self, model, told):
        def number(formula):
            return model.eval(formula, model_completion=True).as_long()

        parts = []
        for name, word in self.expected.words.items():
            got, wanted = number(told.words[name]), number(word)
            if got != wanted:
                parts.append(f"expected the VM's {name} to become {wanted:#x}, got {got:#x}")
        return ", ".join(parts)

    def _lock(self, told):
        depth, lock = 0, VM + self.inputs.layout["offset_config_lock"]
        for kind, *arguments in told.path.events:
            if kind in ("lock", "unlock"):
                depth += 1 if kind == "lock" else -1
                yield f"{kind} of something else than config_lock", to_z3(arguments[0]) != lock
                if depth not in (0, 1):
                    yield "config_lock is " + ("taken twice" if depth > 1 else "dropped twice"), ALWAYS
            elif kind == "write" and arguments[1] != 1 and arguments[0] not in self.unlocked:
                yield f"{arguments[0]} is written without config_lock", ALWAYS
        if depth != 0:
            yield "config_lock is held at the end", ALWAYS

    def _user(self, told):
        expected, base = self.expected, self.inputs.address
        wanted = "read user" if self.entry.name == "set" else "write user"
        seen = []
        for kind, address, size, depth, data in told.user():
            if depth:
                yield "user memory is accessed while config_lock is held", ALWAYS
            if kind != wanted:
                yield f"{kind} memory instead of {wanted}", ALWAYS
            limit = self.inputs.layout["user_limit"]
            yield "memory is accessed that is not the user's", z3.UGT(self.inputs.untagged(address), limit - size)
            # The accesses are one after the other, and each byte is accessed once.
            yield f"{kind} memory at another address", address != base + 8 * len(seen)
            seen += data if kind == "write user" else [None] * (size // 8)
        if expected.touches is not None:
            text = "user memory is " + ("accessed" if seen else "not accessed")
            yield text, expected.touches != z3.BoolVal(bool(seen))
        count = 1 if wanted == "read user" else len(expected.user)
        if len(seen) > count:
            yield f"{8 * len(seen)} bytes of user memory are accessed", ALWAYS
        elif expected.user and len(seen) < count:
            yield "not all is written", told.answer == 0
        for got, value in zip(seen, expected.user):
            yield "another value is written", got != value

    def _traces(self, told):
        traces = [event for kind, *event in told.path.events if kind == "trace"]
        if self.expected.trace is None:
            if traces:
                yield "a trace event", ALWAYS
            return
        tracing = z3.BitVec("tracing", 1) == 1
        yield f"{len(traces)} trace events", tracing != z3.BoolVal(len(traces) == 1)
        for depth, *got in traces:
            if depth:
                yield "the event is traced while config_lock is held", ALWAYS
            names = ("vcpu", "id", "value", "promise", "offer", "verdict")
            for name, mine, wanted in zip(names, got, self.expected.trace):
                yield f"the trace event has another {name}", to_z3(mine) != wanted
