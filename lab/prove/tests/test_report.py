# SPDX-License-Identifier: GPL-2.0
"""What is printed and written. Needs angr, as the hooks that it lists do."""

import contextlib
import io
import json
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path

from fwprove.mutants import Mutant

DIFFERENCE = {"title": "it is frozen", "of": "set", "when": ["strict", "has run"], "default": "0",
              "strict": "EBUSY", "inputs": ["offer 0x1, promise 0x0: value 0x1"]}


def printed(call, *arguments):
    """What a function returns, and what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        result = call(*arguments)
    return result, text.getvalue()


def tried(found, same=0):
    texts = ["set: got 0"] * found + [None] * same
    return [(Mutant(4 * number, 0, f"mutant {number}"), text) for number, text in enumerate(texts)]


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Report(unittest.TestCase):
    def setUp(self):
        from fwprove import report
        from fwprove.entries import Case
        from fwprove.work import Result

        self.report = report
        self.good = Result(Case("set", "A"), [], 3, 2, 1.5, [DIFFERENCE | {"register": "A"}])
        self.bad = Result(Case("list"), [f"problem {number}" for number in range(7)], 4)

    def test_a_case_is_one_line(self):
        self.assertEqual(printed(self.report.case, self.good)[1], "PASS set A (3 paths, C 2, 1.5 s)\n")

    def test_of_many_problems_some_are_shown(self):
        lines = printed(self.report.case, self.bad)[1].splitlines()
        self.assertEqual(lines[0], "FAIL list (4 paths, 0.0 s)")
        self.assertEqual(lines[-2:], ["     problem 4", "     and 2 more"])

    def test_a_mutant_that_is_not_found_is_no_pass(self):
        (found,), (same,) = tried(1), tried(0, 1)
        self.assertTrue(printed(self.report.mutant, *found)[1].startswith("PASS "))
        self.assertTrue(printed(self.report.mutant, *same)[1].startswith("SAME "))

    def _finish(self, results, mutants=()):
        side = type("Side", (), {"externs": {1: "mutex_lock", 2: "another"}})
        return printed(self.report.finish, [side], results, mutants, 9)

    def test_all_is_well_only_if_all_is_proven(self):
        self.assertTrue(self._finish([self.good])[0])
        well, text = self._finish([self.good, self.bad])
        self.assertFalse(well)
        self.assertIn("\n1 of 2 cases proven, 9 paths; 0 of 0 mutants found; 9 s\n", text)

    def test_one_in_ten_mutants_may_make_no_difference(self):
        self.assertTrue(self._finish([self.good], tried(9, 1))[0])
        well, text = self._finish([self.good], tried(8, 2))
        self.assertFalse(well)
        self.assertIn("8 of 10 mutants found", text)
        self.assertIn("FAIL mutants", text)

    def test_registers_with_the_same_difference_are_told_together(self):
        from fwprove.entries import Case
        from fwprove.work import Result

        other = Result(Case("set", "B"), [], 1, 1, differences=[DIFFERENCE | {"register": "B"}])
        text = self._finish([other, self.good])[1]
        self.assertIn("  it is frozen: set A, B\n      default: 0; with the flag: EBUSY\n"
                      "      where: strict, has run\n        offer 0x1, promise 0x0: value 0x1\n", text)
        self.assertIn("for all inputs: 2 of 2 cases.", text)

    def test_only_the_hooks_that_are_called_are_told(self):
        text = self._finish([self.good])[1]
        self.assertIn("      mutex_lock: mutex_lock(): returns with the lock held.\n", text)
        self.assertNotIn("memcpy", text)
        self.assertNotIn("another:", text)

    def test_the_file_has_it_all(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "prove.json"
            self.report.write_json(str(path), [self.good, self.bad], tried(1, 1))
            self.assertEqual([entry.name for entry in path.parent.iterdir()], ["prove.json"])
            data = json.loads(path.read_text())
        self.assertEqual([case["case"] for case in data["cases"]], ["set A", "list"])
        self.assertEqual(len(data["cases"][1]["problems"]), 7)
        self.assertEqual(data["differences"], [DIFFERENCE | {"register": "A"}])
        self.assertEqual([entry["counterexample"] for entry in data["mutants"]], ["set: got 0", None])


if __name__ == "__main__":
    unittest.main()
