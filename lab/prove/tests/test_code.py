# SPDX-License-Identifier: GPL-2.0

import unittest

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


if __name__ == "__main__":
    unittest.main()
