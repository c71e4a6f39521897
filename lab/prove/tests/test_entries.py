# SPDX-License-Identifier: GPL-2.0
"""The cases that all inputs are divided into."""

import unittest
from importlib.util import find_spec
from itertools import combinations

from fwprove.spec import Spec
from tests.fakes import FakeLayout


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Cases(unittest.TestCase):
    def setUp(self):
        from fwprove.entries import cases

        self.spec = Spec()
        self.layout = FakeLayout(self.spec)
        self.cases = list(cases(self.spec))

    def test_each_register_is_set_and_got(self):
        titles = [case.title for case in self.cases]
        self.assertEqual(len(titles), len(set(titles)))
        for register in self.spec.registers:
            self.assertIn(f"set {register.name}", titles)
            self.assertIn(f"get {register.name}", titles)
            self.assertEqual(f"discover {register.name}" in titles, bool(register.discovery))

    def test_each_entry_point_has_a_case(self):
        from fwprove.entries import ENTRIES

        self.assertEqual({case.entry for case in self.cases}, set(ENTRIES))

    def test_no_input_is_in_no_case_or_in_two_registers(self):
        import z3

        from fwprove.entries import UNKNOWN, Problem

        for entry in ("set", "get", "discover"):
            domains = {case.which: Problem(self.spec, self.layout, case).domain
                       for case in self.cases if case.entry == entry}
            solver = z3.Solver()
            solver.add(z3.Not(z3.Or(list(domains.values()))))
            self.assertEqual(solver.check(), z3.unsat, entry)
            for one, other in combinations([which for which in domains if which != UNKNOWN], 2):
                solver = z3.Solver()
                solver.add(domains[one], domains[other])
                self.assertEqual(solver.check(), z3.unsat, f"{entry} {one} {other}")

    def test_each_case_can_occur(self):
        import z3

        from fwprove.entries import Problem

        for case in self.cases:
            solver = z3.Solver()
            solver.add(Problem(self.spec, self.layout, case).premise)
            self.assertEqual(solver.check(), z3.sat, case.title)

    def test_the_run_assumes_no_more_than_the_premise(self):
        import z3

        from fwprove.checks import to_z3
        from fwprove.entries import Problem

        for case in self.cases:
            problem = Problem(self.spec, self.layout, case)
            solver = z3.Solver()
            solver.add(problem.premise, z3.Not(z3.And([to_z3(rule) for rule in problem.assume()])))
            self.assertEqual(solver.check(), z3.unsat, case.title)

    def test_each_condition_of_the_specification_has_a_meaning(self):
        from fwprove.conditions import CONDITIONS

        table = self.spec.table
        steps = [step["when"] for name in ("set", "get", "allow_ssbs", "enable") for step in table[name]]
        used = steps + [word for difference in table["difference"] for word in difference["when"]]
        self.assertEqual(set(used), set(CONDITIONS))


if __name__ == "__main__":
    unittest.main()
