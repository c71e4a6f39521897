# SPDX-License-Identifier: GPL-2.0
"""What is read out of objects. Needs pyelftools, and angr for the places that the kernel patches."""

import struct
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path

from fwprove.spec import Spec
from tests.fakes import FakeLayout, elf

CALLBACK = 1 << 15


@unittest.skipUnless(find_spec("elftools"), "needs pyelftools")
class Object(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = str(Path(directory.name) / "object.o")


class Layouts(Object):
    def test_numbers_are_read_by_their_symbols(self):
        from fwprove.layout import Field, Layout

        data = struct.pack("<QQQ", 7, 24, 1 << 52)
        symbols = [("number_size_flags", ".rodata", 0, 8), ("number_offset_flags", ".rodata", 8, 8),
                   ("number_user_limit", ".rodata", 16, 8), ("another", ".rodata", 0, 8)]
        layout = Layout(elf(self.path, {".rodata": (0, data)}, symbols))
        self.assertEqual(layout.numbers, {"size_flags": 7, "offset_flags": 24, "user_limit": 1 << 52})
        self.assertEqual(layout["user_limit"], 1 << 52)
        self.assertEqual(layout.field("flags"), Field("flags", 24, 7))
        self.assertEqual(layout.field("flags").bits, 56)
        self.assertTrue(layout.has("flags"))
        self.assertFalse(layout.has("workaround_1"))

    def test_another_object_is_refused(self):
        from fwprove.layout import Layout

        elf(self.path, {".rodata": (0, bytes(8))}, [("x", ".rodata", 0, 8)])
        with self.assertRaisesRegex(ValueError, "no symbol number_"):
            Layout(self.path)


class Tables(Object):
    def test_undefined_symbols(self):
        from fwprove.objects import undefined

        elf(self.path, {".text": (0, b"")}, [("b", None, 0, 0), ("here", ".text", 0, 4), ("a", None, 0, 0)])
        self.assertEqual(undefined(self.path), ["a", "b"])

    def test_offsets_are_from_where_they_stand(self):
        from fwprove.objects import table

        entries = struct.pack("<iih", -0x900, 0x10, 1) + struct.pack("<iih", 0x20, -4, 2)
        elf(self.path, {"t": (0x1000, entries)})
        found = list(table(self.path, "t", struct.Struct("<iih")))
        self.assertEqual(found, [(0x1000, 0x700, 0x1014, [1]), (0x100A, 0x102A, 0x100A, [2])])
        self.assertEqual(list(table(self.path, "none", struct.Struct("<iih"))), [])

    def test_static_branches_have_their_key_and_kind(self):
        from fwprove.objects import EXTERN_SIZE, EXTERNS, StaticBranch, _branches

        def entry(at, key, flags):
            return struct.pack("<iiq", 0x100, 0x200, key - (at + 8) | flags)

        second = EXTERNS + EXTERN_SIZE
        # The key is inside of the tracepoint; the low bits of the offset are flags.
        data = entry(0x1000, second + 8, 1) + entry(0x1010, 0x2000, 2)
        elf(self.path, {"__jump_table": (0x1000, data)})
        branches = list(_branches(self.path, {EXTERNS: "one", second: "two"}))
        self.assertEqual(branches, [StaticBranch(0x1100, 0x1204, "two", True),
                                    StaticBranch(0x1110, 0x1214, "0x2000", False)])


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Patched(Object):
    def _alternative(self, capability, instructions=None, externs=None):
        """The place of one alternative: code at 0x400, its replacement at 0x800."""
        from fwprove import objects, patches

        entry = patches.ENTRY.pack(0x400 - 0x1000, 0x800 - 0x1004, capability, 4, 4)
        elf(self.path, {".altinstructions": (0x1000, entry)})
        linked = objects.Linked(self.path, externs or {}, ())
        layout = FakeLayout(Spec())
        (place,) = patches.places(linked, layout, lambda at: (instructions or {}).get(at, 0xD503201F))
        self.assertEqual(place.code, 0x400)
        return place

    def test_a_capability_branches_where_its_replacement_does(self):
        branch = {0x800: 0x14000004}
        for capability, bit in ((0, 1), (5, 0), (1, "cap_1"), (9, None)):
            place = self._alternative(capability, branch)
            self.assertEqual((place.bit, place.target, place.likely), (bit, 0x810, False))
        self.assertIn("the CPU capability 9", place.what)

    def test_a_replacement_that_is_no_branch_is_unknown(self):
        self.assertIsNone(self._alternative(0).bit)

    def test_a_callback_that_takes_branches_out_is_known(self):
        branch = {0x400: 0x14000004}
        place = self._alternative(CALLBACK, branch, {0x800: "alt_cb_patch_nops"})
        self.assertEqual((place.bit, place.target, place.likely), (1, 0x410, True))
        self.assertIsNone(self._alternative(CALLBACK, branch, {0x800: "another"}).bit)

    def test_the_tracepoint_is_the_only_static_key_known(self):
        from fwprove import objects, patches

        elf(self.path, {})
        branches = [objects.StaticBranch(4, 8, key, False) for key in (patches.TRACEPOINT, "another")]
        linked = objects.Linked(self.path, {}, tuple(branches))
        found = patches.places(linked, FakeLayout(Spec()), lambda at: 0)
        self.assertEqual([place.bit for place in found], ["tracing", None])

    def test_registers_of_the_exception_table(self):
        from fwprove import uaccess

        entry = uaccess.ENTRY.pack(0x10, 0x20, uaccess.ERR_ZERO, 3 | 31 << 5)
        elf(self.path, {"__ex_table": (0x1000, entry)})
        (fixup,) = uaccess.fixups(self.path)
        self.assertEqual(fixup, uaccess.Fixup(0x1010, 0x1024, uaccess.ERR_ZERO, error=3, zero=31))


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Hooks(unittest.TestCase):
    def test_functions_are_found_by_their_plain_names(self):
        from fwprove import hooks

        self.assertIsInstance(hooks.find("mutex_lock"), hooks.Lock)
        self.assertIsInstance(hooks.find("_RNvNtCs1EKtwoKEMO2_6kernel5error9to_result"), hooks.ToResult)

    def test_all_else_is_told(self):
        from fwprove import hooks

        for name, text in (("_RNvNtC4core9panicking5panic", "it panics"),
                           ("rust_helper_mutex_lock", "CONFIG_RUST_INLINE_HELPERS"),
                           ("kmalloc", "no hook")):
            with self.assertRaisesRegex(hooks.NoHook, text):
                hooks.find(name).call(None)

    def test_each_tells_what_is_assumed(self):
        from fwprove import hooks

        for name, hook in hooks.TABLE.items():
            self.assertTrue(hook.__dict__.get("__doc__"), name)


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Places(unittest.TestCase):
    """Which memory is whose."""

    def setUp(self):
        from fwprove.memory import Memory

        layout = FakeLayout(Spec(), without=("workaround_1", "workaround_2", "workaround_3"))
        self.memory = Memory(layout, (0x400000, 0x400FFF), shared=True)

    def test_a_word_of_the_vm_is_one_whole_field_or_a_part(self):
        from fwprove.memory import VM

        flags = VM + self.memory.layout.field("flags").offset
        for address, size, name in ((flags, 8, "flags"), (flags + 7, 1, "flags"), (flags + 7, 2, None),
                                    (flags - 1, 2, None), (flags + 8, 1, None)):
            word = self.memory._word_at(address, size)
            self.assertEqual(word and word.name, name)

    def test_fields_that_the_kernel_lacks_are_no_words(self):
        self.assertNotIn("workaround_1", [word.name for word in self.memory.fields])

    def test_stack_and_object_are_plain_memory(self):
        from fwprove.memory import STACK_LOW, STACK_TOP

        for address, plain in ((0x400FF8, True), (0x400FF9, False), (0x3FFFFF, False),
                               (STACK_TOP - 8, True), (STACK_TOP - 7, False), (STACK_LOW - 1, False)):
            self.assertIs(self.memory._is_plain(address, 8), plain, hex(address))

    def test_arguments(self):
        from fwprove.memory import ARGUMENTS

        for address, argument in ((ARGUMENTS, True), (ARGUMENTS + 24, True), (ARGUMENTS + 25, False)):
            self.assertIs(self.memory._is_argument(address, 8), argument)

    def test_other_places_are_named(self):
        from fwprove.memory import REG, VM

        self.assertIn("struct kvm + 0x8,", self.memory._place(VM + 8))
        self.assertIn("struct kvm_one_reg + 0xf,", self.memory._place(REG + 15))
        self.assertEqual(self.memory._place(REG + 16), f"{REG + 16:#x}, which is no memory of its own")


if __name__ == "__main__":
    unittest.main()
