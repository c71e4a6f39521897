# SPDX-License-Identifier: GPL-2.0

import unittest

from fwprove import docs
from fwprove.__main__ import SPEC
from fwprove.spec import Spec

VERDICTS = ["verdict | 0 old", "        | 1 old"]


class Tables(unittest.TestCase):
    def test_a_cell_is_wrapped_or_a_list_of_lines(self):
        made = docs.table(["A", "B"], [["one two", ["x", "y", "z"]]], [3, 2])
        self.assertEqual(made, ["=== ==", "A   B", "=== ==", "one x", "two y", "    z", "=== =="])

    def test_neighbours_are_told_as_a_range(self):
        for values, told in (([0, 8, 9, 10], "0, 8 to 10"), ([1, 2], "1, 2"), ([7], "7")):
            self.assertEqual(docs._series(values, str), told)


class Page(unittest.TestCase):
    def setUp(self):
        self.spec = Spec(SPEC)

    def _page(self):
        """A page with a table of no rows in the place of each."""
        lines = ["Title", ""]
        for made in docs.tables(self.spec):
            end = made.index(made[0], 1)
            lines += [*made[: end + 1], made[0], "", "text", ""]
        return "\n".join(lines + VERDICTS)

    def test_tables_are_put_into_their_places(self):
        page = docs.rewritten(self._page(), self.spec)
        self.assertIn("0x0014_0001 SMCCC_ARCH_WORKAROUND_1", page)
        self.assertIn("verdict | 0 accepted\n        | 1 accepted: promises nothing\n", page)
        self.assertNotIn("old", page)
        self.assertEqual(page.count("\ntext\n"), 5)
        self.assertEqual(docs.rewritten(page, self.spec), page)

    def test_a_page_without_a_table_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no table with the head"):
            docs.rewritten("\n".join(VERDICTS), self.spec)

    def test_a_page_without_verdicts_is_refused(self):
        page = self._page().replace("\n".join(VERDICTS), "")
        with self.assertRaisesRegex(ValueError, "no list of verdicts"):
            docs.rewritten(page, self.spec)


if __name__ == "__main__":
    unittest.main()
