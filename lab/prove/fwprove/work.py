# SPDX-License-Identifier: GPL-2.0
"""What one process does: a case, in both objects, or a mutant of one.

Formulas do not go from one process to another, therefore each job begins with names and ends with
text.
"""

import ctypes
import signal
import time
from dataclasses import dataclass, field

from .checks import Checker, tell
from .compare import Comparison
from .entries import ENTRIES, Case, Problem
from .layout import Layout
from .machine import Machine
from .spec import Spec

PR_SET_PDEATHSIG = 1

# The words that the C handlers write without config_lock.
UNLOCKED_IN_C = ("psci_version",)


@dataclass
class Result:
    case: Case
    problems: list
    paths: int = 0
    c_paths: int = 0
    seconds: float = 0
    differences: list = field(default_factory=list)
    executed: set = field(default_factory=set)
    stores: set = field(default_factory=set)


class Side:
    """An object that is linked and loaded."""

    def __init__(self, spec, linked, layout, unlocked=()):
        self.spec, self.layout, self.unlocked = spec, Layout(layout), unlocked
        self.machine = Machine(linked, self.layout)

    def prove(self, case):
        """A checker, the run, its paths, and what is wrong with them."""
        problem = Problem(self.spec, self.layout, case)
        checker = Checker(problem, self.unlocked)
        run = self.machine.run(problem.entry, problem.assume(), problem.parameter)
        paths = tell(run)
        return checker, run, paths, checker.problems(run, paths)


class Worker:
    def __init__(self, rust, c):
        spec = Spec()
        self.rust, self.c = Side(spec, *rust), Side(spec, *c, UNLOCKED_IN_C)

    def case(self, case):
        """Proves one case in both objects, where both have it, and compares them."""
        start = time.monotonic()
        checker, run, paths, problems = self.rust.prove(case)
        result = Result(case, list(problems), len(paths))
        result.executed, result.stores = run.executed, run.stores
        entry = ENTRIES[case.entry]
        if paths and (entry.in_c or case.entry == "allow_ssbs"):
            comparison = Comparison(checker, case.which, paths)
            result.problems += comparison.problems()
            result.differences = list(comparison.found())
            if entry.in_c:
                self._c(case, comparison, result)
        result.seconds = time.monotonic() - start
        return result

    def _c(self, case, comparison, result):
        _, _, paths, problems = self.c.prove(case)
        result.c_paths = len(paths)
        result.problems += [f"C: {text}" for text in problems]
        if paths:
            result.problems += comparison.with_c(paths)

    def mutant(self, mutant, cases):
        """The first thing that is found wrong in the object with this mistake, if any."""
        machine = self.rust.machine
        before = machine.read(mutant.address)
        machine.write(mutant.address, mutant.instruction)
        try:
            for case in cases:
                for text in self.rust.prove(case)[-1]:
                    return mutant, text
        finally:
            machine.write(mutant.address, before)
        return mutant, None


WORKER = None


def end_with_parent():
    """A process that computes does not see otherwise that the one that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(*arguments):
    global WORKER
    end_with_parent()
    WORKER = Worker(*arguments)


def do_case(case):
    return WORKER.case(case)


def do_mutant(job):
    return WORKER.mutant(*job)
