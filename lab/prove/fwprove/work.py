# SPDX-License-Identifier: GPL-2.0
"""What one process does: a case, in both objects, or a mutant of one.

Formulas do not go from one process to another, therefore each job begins with names and ends with
text.
"""

import time
from dataclasses import dataclass, field

from . import checks, machine, race
from .compare import Comparison, summary
from .entries import Case, Problem
from .layout import Layout
from .spec import Spec


@dataclass
class Result:
    case: Case
    problems: list
    paths: int = 0
    c_paths: int = 0
    seconds: float = 0
    deviations: list = field(default_factory=list)
    executed: set = field(default_factory=set)
    stores: set = field(default_factory=set)


class Side:
    """An object that is linked and loaded."""

    def __init__(self, linked, layout):
        self.layout = Layout(layout)
        self.machine = machine.Machine(linked, self.layout)

    def run(self, problem):
        entry, racing = problem.entry, problem.case.racing
        return self.machine.run(entry.function, entry.arguments(), problem.assume(), racing)


def _problems(problem, checker, run, told):
    if problem.case.racing:
        yield from checker.broken(run)
        yield from race.problems(problem, checker, told)
    else:
        yield from checker.problems(run, told, problem.expected)


class Worker:
    def __init__(self, spec, rust, c):
        self.spec, self.rust, self.c = Spec(spec), Side(*rust), Side(*c)

    def _problem(self, case, side):
        problem = Problem(self.spec, side.layout, case)
        checker = checks.Checker(
            problem.inputs, problem.register, case.entry, problem.premise, side.layout, machine
        )
        return problem, checker

    def case(self, case):
        """Proves one case, and compares it where C has it too."""
        start = time.monotonic()
        problem, checker = self._problem(case, self.rust)
        run = self.rust.run(problem)
        told = checks.tell(run)
        result = Result(case, list(_problems(problem, checker, run, told)), len(told))
        result.executed, result.stores = run.executed, run.stores
        if case.entry in ("set", "get") and told and not case.racing:
            self._compare(case, checker, told, result)
        result.seconds = time.monotonic() - start
        return result

    def _compare(self, case, checker, rust, result):
        problem, own = self._problem(case, self.c)
        run = self.c.run(problem)
        told = checks.tell(run)
        result.c_paths = len(told)
        if not told:
            result.problems.append(f"C: {case.title}: no path ends")
            return
        comparison = Comparison(checker, case.which, rust, told)
        # No specification for C: what is asked is that it is sound by itself.
        itself = summary(told, comparison.kind)
        if case.entry == "set":
            itself.user = None
        found = own.problems(run, told, itself, strict_lock=False)
        result.problems += [f"C: {text}" for text in found]
        result.problems += comparison.problems()
        result.deviations = list(comparison.sets())

    def mutant(self, mutant, cases):
        """The first thing that is found wrong in the object with this mistake, if any."""
        side = self.rust.machine
        before = side.read(mutant.address)
        side.write(mutant.address, mutant.instruction)
        try:
            for case in cases:
                problem, checker = self._problem(case, self.rust)
                run = self.rust.run(problem)
                told = checks.tell(run)
                for text in _problems(problem, checker, run, told):
                    return mutant, text
        finally:
            side.write(mutant.address, before)
        return mutant, None


WORKER = None


def start(*arguments):
    global WORKER
    WORKER = Worker(*arguments)


def do_case(case):
    return WORKER.case(case)


def do_mutant(job):
    return WORKER.mutant(*job)
