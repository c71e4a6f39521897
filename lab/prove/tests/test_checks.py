# SPDX-License-Identifier: GPL-2.0
"""What is wrong with paths that are made up, and how it is told."""

import unittest
from importlib.util import find_spec

from fwprove.spec import Spec
from tests.fakes import FakeLayout


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Paths(unittest.TestCase):
    entry, which = "count", ""

    def setUp(self):
        from fwprove.checks import Checker
        from fwprove.entries import Case, Problem

        spec = Spec()
        self.problem = Problem(spec, FakeLayout(spec), Case(self.entry, self.which))
        self.inputs, self.checker = self.problem.inputs, Checker(self.problem)

    def _problems(self, answer=None, words=None, condition=True, events=(), faults=(), broken=()):
        """What is wrong with one path that does what is expected otherwise."""
        import z3

        from fwprove.checks import Told
        from fwprove.machine import Path, Run

        expected = self.problem.expected
        path = Path([], None, {}, events, list(faults))
        answer = expected.answer if answer is None else z3.BitVecVal(answer, 32)
        told = Told(z3.BoolVal(condition), answer, expected.words | (words or {}), path)
        return list(self.checker.problems(Run([path], list(broken), set(), set()), [told]))

    def _assert_told(self, problems, *texts):
        for text in texts:
            self.assertTrue(any(text in problem for problem in problems), f"{text}: {problems}")


class Count(Paths):
    def _lock(self, name, at=None):
        import claripy

        from fwprove.memory import VM

        return name, claripy.BVV(VM + self.inputs.layout["offset_config_lock"] if at is None else at, 64)

    def test_what_is_expected_is_proven(self):
        self.assertEqual(self._problems(), [])
        self.assertEqual(self._problems(events=(self._lock("lock"), ("write", "flags", 1), self._lock("unlock"))),
                         [])

    def test_another_answer(self):
        (problem,) = self._problems(answer=7)
        self.assertRegex(problem, r"^count: the VM is .*: expected 8 \(nothing\), got 7$")

    def test_a_word_that_changes(self):
        words = {"std_bmap": self.inputs.words["std_bmap"] & 1}
        self._assert_told(self._problems(words=words), "expected the VM's std_bmap to become 0x")

    def test_inputs_without_a_path(self):
        self._assert_told(self._problems(condition=False), "no path was followed for this")

    def test_paths_that_do_not_end(self):
        self._assert_told(self._problems(broken=[("it panics", [])]), "it panics")

    def test_faults_of_a_path(self):
        self._assert_told(self._problems(faults=["it reads 8 bytes"]), "it reads 8 bytes")

    def test_the_lock(self):
        lock, unlock = self._lock("lock"), self._lock("unlock")
        for events, text in (
            ((lock,), "config_lock is held at the end"),
            ((lock, lock, unlock, unlock), "config_lock is taken twice"),
            ((unlock, lock), "config_lock is dropped twice"),
            ((self._lock("lock", at=8), unlock), "lock of something else than config_lock"),
            ((("write", "flags", 0),), "flags is written without config_lock"),
        ):
            self._assert_told(self._problems(events=events), text)

    def test_user_memory_and_events_that_nobody_expects(self):
        import claripy

        address = claripy.BVS("address", 64, explicit_name=True)
        wrong = self._problems(events=(("write user", address, 8, 1, (claripy.BVV(0, 64),)),))
        self._assert_told(wrong, "user memory is accessed while config_lock is held", "user memory is accessed",
                          "8 bytes of user memory are accessed")
        self._assert_told(self._problems(events=(("trace", 0),)), "a trace event")


class Get(Paths):
    entry, which = "get", "STD_BMAP"

    def _written(self, value, offset=0, kind="write user", size=8):
        import claripy

        address = claripy.BVS("address", 64, explicit_name=True)
        words = [claripy.BVS("std_bmap", 64, explicit_name=True) + value] * (size // 8)
        return kind, address + offset, size, 0, tuple(words)

    def _access(self, *events):
        return [problem.rsplit(": ", 1)[1] for problem in self._problems(events=events)]

    def test_the_promise_at_the_address_is_right(self):
        # This one path stands for inputs too whose address is not the user's.
        always = ["memory is accessed that is not the user's", "user memory is accessed"]
        self.assertEqual(self._access(self._written(0)), always)

    def test_other_writes(self):
        for event, text in ((self._written(1), "another value is written"),
                            (self._written(0, offset=8), "write user memory at another address"),
                            (self._written(0, kind="read user"), "read user memory instead of write user"),
                            (self._written(0, size=16), "16 bytes of user memory are accessed")):
            self.assertIn(text, self._access(event))

    def test_nothing_written(self):
        self.assertEqual(self._access(), ["user memory is not accessed", "not all is written"])


class Set(Paths):
    entry, which = "set", "SMCCC_ARCH_WORKAROUND_2"

    def test_the_laws(self):
        words = {"workaround_2": self.inputs.words["workaround_2"] + 1}
        self._assert_told(self._problems(words=words), "the VM is left in a state that cannot be",
                          "a refused write changes the VM", "a promise changes after the run")

    def test_the_trace_event(self):
        import claripy

        names = "vcpu_id", "id", "value", "promise", "offer", "verdict"
        values = [claripy.BVS(name, 32 if name in ("vcpu_id", "verdict") else 64) for name in names]
        wrong = self._problems(events=(("trace", 1, *values),))
        self._assert_told(wrong, "the event is traced while config_lock is held", "1 trace events",
                          *(f"the trace event has another {name}" for name in ("vcpu", *names[1:])))

    def test_inputs_are_told_in_words(self):
        import z3

        inputs = self.inputs
        numbers = {inputs.value: 2, inputs.address: 0, inputs.faults: 0, inputs.states["v4"]: 1}
        words = {"id_aa64pfr1_el1": 0, "flags": 1 << 12 | 1 << 2, "workaround_2": 0}
        facts = [symbol == number for symbol, number in numbers.items()]
        facts += [inputs.words[name] == number for name, number in words.items()]
        model = self.checker.counterexample(*facts)
        self.assertEqual(
            self.checker.teller.case(model, "set"),
            "set SMCCC_ARCH_WORKAROUND_2 = 0x2: user memory can be accessed, host mitigated (Spectre-v4), "
            "SSBS hidden, the VM is strict, has run, nothing stored, offer 0x3")
        reasons = [(z3.BoolVal(False), "one"), (inputs.value == 2, "two"), (z3.BoolVal(True), "three")]
        self.assertEqual(self.checker.teller.reason(model, reasons), "two")


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Pairs(unittest.TestCase):
    def test_those_with_the_same_promises_are_told_together(self):
        from fwprove.compare import _pairs

        pairs = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 0)]
        self.assertEqual(list(_pairs(pairs)), ["offer 0x0, 0x1, promise 0x1, 0x2", "offer 0x2, promise 0x0"])


if __name__ == "__main__":
    unittest.main()
