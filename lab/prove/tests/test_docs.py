# SPDX-License-Identifier: GPL-2.0

import argparse
import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from fwprove import __main__ as main
from fwprove import docs
from fwprove.spec import Spec

VERDICTS = ["verdict | 0 old", "        | 1 old"]


def empty_page(spec):
    """A page with a table of no rows in the place of each."""
    lines = ["Title", ""]
    for made in docs.tables(spec):
        end = made.index(made[0], 1)
        lines += [*made[: end + 1], made[0], "", "text", ""]
    return "\n".join(lines + VERDICTS)


class Tables(unittest.TestCase):
    def test_a_cell_is_wrapped_or_a_list_of_lines(self):
        made = docs.table(["A", "B"], [["one two", ["x", "y", "z"]]], [3, 2])
        self.assertEqual(made, ["=== ==", "A   B", "=== ==", "one x", "two y", "    z", "=== =="])

    def test_neighbours_are_told_as_a_range(self):
        for values, told in (([0, 8, 9, 10], "0, 8 to 10"), ([1, 2], "1, 2"), ([7], "7")):
            self.assertEqual(docs._series(values, str), told)


class Page(unittest.TestCase):
    def setUp(self):
        self.spec = Spec()

    def test_tables_are_put_into_their_places(self):
        page = docs.rewritten(empty_page(self.spec), self.spec)
        self.assertIn("0x0014_0001 SMCCC_ARCH_WORKAROUND_1", page)
        self.assertIn("verdict | 0 accepted\n        | 1 refused: unknown register\n", page)
        self.assertNotIn("old", page)
        self.assertEqual(page.count("\ntext\n"), 5)
        self.assertEqual(docs.rewritten(page, self.spec), page)

    def test_a_page_without_a_table_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no table with the head"):
            docs.rewritten("\n".join(VERDICTS), self.spec)

    def test_a_page_without_verdicts_is_refused(self):
        page = empty_page(self.spec).replace("\n".join(VERDICTS), "")
        with self.assertRaisesRegex(ValueError, "no list of verdicts"):
            docs.rewritten(page, self.spec)


class Command(unittest.TestCase):
    """`fwprove docs`."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.page = Path(directory.name) / "page.rst"
        self.page.write_text(empty_page(Spec()))

    def _run(self, option):
        with contextlib.redirect_stdout(io.StringIO()):
            main.docs(argparse.Namespace(**{"check": None, "write": None, option: str(self.page)}))

    def test_other_tables_are_told_and_left_alone(self):
        before = self.page.read_text()
        with self.assertRaisesRegex(SystemExit, "has other tables than .*: run `lab prove --docs`"):
            self._run("check")
        self.assertEqual(self.page.read_text(), before)

    def test_tables_are_written_into_the_page(self):
        self._run("write")
        self._run("check")
        self.assertEqual([entry.name for entry in self.page.parent.iterdir()], ["page.rst"])


if __name__ == "__main__":
    unittest.main()
