# SPDX-License-Identifier: GPL-2.0

import unittest

from fwprove import mutants
from fwprove.mutants import NOP, Mutant

BRANCH, STORE, LOCK, OTHER_CALL, MOVE = 0x54000048, 0xB9000109, 0x9400003F, 0x9400007E, 0xAA0003E1


class FakeMachine:
    """A few instructions from 0x1000 on, of which the calls go to 0x1108 and 0x1208."""

    code = {0x1000: BRANCH, 0x1004: STORE, 0x1008: STORE, 0x100C: LOCK, 0x1010: OTHER_CALL, 0x1014: MOVE}
    linked = type("Linked", (), {"externs": {0x1108: "mutex_unlock", 0x1208: "memcpy"}})

    def read(self, address):
        return self.code[address]

    def disassemble(self, address):
        return f"{address:#x}"


class Turned(unittest.TestCase):
    def test_conditions_are_turned_round(self):
        cases = {
            0x54000048: 0x54000049,  # b.hi, b.ls
            0x34000068: 0x35000068,  # cbz, cbnz
            0x36600D36: 0x37600D36,  # tbz, tbnz
            0x1A9F0260: 0x1A9F1260,  # csel eq, ne
            0xFA400824: 0xFA401824,  # ccmp eq, ne
        }
        for instruction, other in cases.items():
            self.assertEqual(mutants.turned(instruction), other)
            self.assertEqual(mutants.turned(other), instruction)

    def test_what_has_no_condition_is_not(self):
        for instruction in (NOP, OTHER_CALL, STORE, MOVE, 0xD65F03C0, 0xB9400109):
            self.assertIsNone(mutants.turned(instruction))


class All(unittest.TestCase):
    def _all(self, executed, stores=()):
        return list(mutants.all_of(FakeMachine(), executed, set(stores)))

    def test_conditions_stores_into_the_vm_and_lock_calls_are_mistaken(self):
        self.assertEqual(self._all(FakeMachine.code, [0x1004]), [
            Mutant(0x1000, BRANCH ^ 1, "0x1000: turned round"),
            Mutant(0x1004, NOP, "0x1004: left out"),
            Mutant(0x100C, NOP, "bl mutex_unlock: left out"),
        ])

    def test_only_what_was_executed_is(self):
        self.assertEqual([mutant.address for mutant in self._all({0x100C, 0x1014}, [0x1004])], [0x100C])


class Spread(unittest.TestCase):
    def test_some_come_from_everywhere(self):
        self.assertEqual(mutants.spread(list(range(10)), 2), [2, 7])
        self.assertEqual(mutants.spread(list(range(100)), 4), [12, 37, 62, 87])

    def test_no_more_than_there_are(self):
        self.assertEqual(mutants.spread([1, 2], 5), [1, 2])


if __name__ == "__main__":
    unittest.main()
