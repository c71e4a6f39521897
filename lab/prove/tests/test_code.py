# SPDX-License-Identifier: GPL-2.0

import unittest

from fwprove import mutants
from fwprove.code import BL, branch_target, plain


class Names(unittest.TestCase):
    def test_a_plain_rust_function_is_found_whatever_the_compiler(self):
        for mangled in ("_RNvNtCs1EKtwoKEMO2_6kernel5error9to_result", "_RNvNtC6kernel5error9to_result"):
            self.assertEqual(plain(mangled), "kernel::error::to_result")

    def test_other_names_stay(self):
        for name in ("mutex_lock", "_RNvXs6_NtCs1EKtwoKEMO2_6kernel3strNtNtNt", "_R", ""):
            self.assertEqual(plain(name), name)


class Branches(unittest.TestCase):
    def test_target(self):
        cases = [(0x14000002, 0x1008), (0x17FFFFFF, 0xFFC), (0x94000002, None), (0xD503201F, None)]
        for instruction, target in cases:
            self.assertEqual(branch_target(0x1000, instruction), target)
        self.assertEqual(branch_target(0x1000, 0x94000002, BL), 0x1008)


class Turned(unittest.TestCase):
    def test_conditions_are_turned_round(self):
        cases = {
            0x54000048: 0x54000049,  # b.hi, b.ls
            0x34000068: 0x35000068,  # cbz, cbnz
            0x36600D36: 0x37600D36,  # tbz, tbnz
            0x1A9F0260: 0x1A9F1260,  # csel eq, ne
        }
        for instruction, other in cases.items():
            self.assertEqual(mutants.turned(instruction), other)
            self.assertEqual(mutants.turned(other), instruction)

    def test_what_has_no_condition_is_not(self):
        for instruction in (mutants.NOP, 0x94000002, 0xB9400109, 0xD65F03C0):
            self.assertIsNone(mutants.turned(instruction))

    def test_spread(self):
        self.assertEqual(mutants.spread(list(range(10)), 2), [2, 7])
        self.assertEqual(mutants.spread([1, 2], 5), [1, 2])


if __name__ == "__main__":
    unittest.main()
