# SPDX-License-Identifier: GPL-2.0
"""The specification, read back, and asked about single inputs. The latter needs z3."""

import unittest
from importlib.util import find_spec

from fwprove.spec import Spec, errno_name, errno_of
from tests.fakes import FakeLayout


class Reading(unittest.TestCase):
    def setUp(self):
        self.spec = Spec()

    def test_values_of_another_register(self):
        one, three = (self.spec.register(f"SMCCC_ARCH_WORKAROUND_{n}") for n in (1, 3))
        self.assertEqual(one.values, three.values)

    def test_narrowed_values_are_no_promises(self):
        self.assertEqual(self.spec.register("SMCCC_ARCH_WORKAROUND_2").promises, [0, 3])

    def test_errnos(self):
        for name in ("0", "ENOENT", "EINVAL", "EBUSY", "EFAULT"):
            self.assertEqual(errno_name(errno_of(name)), name)

    def test_each_trace_verdict_is_one_of_the_event(self):
        self.assertEqual({self.spec.verdict(step["trace"]) for step in self.spec.table["set"]}, set(range(8)))

    def test_other_numbers_in_a_kernel_are_told(self):
        layout = FakeLayout(self.spec)
        self.assertEqual(list(self.spec.disagreements(layout)), [])
        layout.numbers["verdict_7"] = 8
        layout.numbers["KVM_REG_ARM_STD_BMAP"] += 1
        layout.numbers["KVM_ARM_FW_REGS_STRICT"] = 4
        self.assertEqual(len(list(self.spec.disagreements(layout))), 3)


def _inputs(name=None):
    """Inputs, and the register of this name."""
    from fwprove.inputs import Inputs

    spec = Spec()
    return Inputs(spec, FakeLayout(spec)), name and spec.register(name)


def _numbers(inputs, given, state=1):
    """What makes a number of a formula, where the inputs are these and the others are 0."""
    import z3

    symbols = [inputs.id, inputs.address, inputs.value, inputs.faults, inputs.function, inputs.ssbs,
               inputs.thread_flags]
    symbols += [*inputs.words.values(), *inputs.args, *inputs.parameter.values(), z3.BitVec("cap_1", 1)]
    numbers = {symbol: 0 for symbol in symbols}
    numbers |= {inputs.words["vcpu_features"]: 4} | {symbol: state for symbol in inputs.states.values()}
    pairs = [(symbol, z3.BitVecVal(number, symbol.size())) for symbol, number in (numbers | given).items()]

    def number(formula):
        return z3.simplify(z3.substitute(formula, *pairs)).as_signed_long()

    return number


@unittest.skipUnless(find_spec("z3"), "needs z3")
class Verdicts(unittest.TestCase):
    """What is expected of a set, for inputs that a person has judged."""

    def _set(self, name, value, strict=False, run=False, stored=0, state=1, ssbs=1):
        from fwprove.expected import expect_set

        inputs, register = _inputs(name)
        word = register.stored["word"]
        outcome = expect_set(inputs, register)
        number = _numbers(inputs, {
            inputs.id: register.id, inputs.value: value, inputs.words["flags"]: strict << 12 | run << 2,
            inputs.words["id_aa64pfr1_el1"]: ssbs << 4, inputs.words[word]: stored,
        }, state)
        return errno_name(number(outcome.answer)), number(outcome.words[word])

    def test_a_strict_vm_stores_and_freezes_workarounds(self):
        name = "SMCCC_ARCH_WORKAROUND_1"
        self.assertEqual(self._set(name, 0, strict=True), ("0", 1))
        self.assertEqual(self._set(name, 0, strict=True, run=True), ("EBUSY", 0))
        self.assertEqual(self._set(name, 1, strict=True, run=True), ("0", 2))
        self.assertEqual(self._set(name, 0, strict=True, run=True, stored=1), ("0", 1))

    def test_a_default_vm_judges_and_forgets_them(self):
        name = "SMCCC_ARCH_WORKAROUND_1"
        self.assertEqual(self._set(name, 0, run=True), ("0", 0))
        self.assertEqual(self._set(name, 2, run=True), ("EINVAL", 0))
        self.assertEqual(self._set(name, 3), ("EINVAL", 0))

    def test_exceeding_the_offer_comes_before_frozen(self):
        self.assertEqual(self._set("STD_BMAP", 4, run=True), ("EINVAL", 0))
        self.assertEqual(self._set("STD_BMAP", 3, run=True), ("EBUSY", 0))

    def test_only_a_strict_vm_freezes_psci(self):
        self.assertEqual(self._set("PSCI_VERSION", 2, run=True), ("0", 2))
        self.assertEqual(self._set("PSCI_VERSION", 2, strict=True, run=True), ("EBUSY", 0))

    def test_workaround_2_is_narrowed_and_follows_ssbs(self):
        name = "SMCCC_ARCH_WORKAROUND_2"
        self.assertEqual(self._set(name, 0x12, strict=True, ssbs=0), ("0", 4))
        self.assertEqual(self._set(name, 0x12, strict=True, ssbs=1), ("EINVAL", 0))
        self.assertEqual(self._set(name, 1, strict=True), ("0", 1))
        self.assertEqual(self._set(name, 0x13, strict=True), ("EINVAL", 0))


@unittest.skipUnless(find_spec("z3"), "needs z3")
class Answers(unittest.TestCase):
    """What is expected of the other entry points, for inputs that a person has judged."""

    def test_get_returns_what_was_stored_or_the_offer(self):
        from fwprove.expected import expect_get

        inputs, register = _inputs("SMCCC_ARCH_WORKAROUND_1")
        outcome = expect_get(inputs, register)
        for stored, promise in ((0, 1), (1, 0), (2, 1)):
            number = _numbers(inputs, {inputs.id: register.id, inputs.words["workaround_1"]: stored})
            self.assertEqual((number(outcome.answer), number(outcome.user[0])), (0, promise))
        for symbol, value in ((inputs.faults, 1), (inputs.address, 1 << 52)):
            number = _numbers(inputs, {inputs.id: register.id, symbol: value})
            self.assertEqual(errno_name(number(outcome.answer)), "EFAULT")

    def test_the_event_has_promise_and_offer_where_the_value_was_judged(self):
        from fwprove.expected import expect_set

        inputs, register = _inputs("SMCCC_ARCH_WORKAROUND_1")
        _, _, value, promise, offer, verdict = expect_set(inputs, register).trace
        for given, seen in (({inputs.value: 1}, (1, 0, 1, 0)), ({inputs.value: 2}, (2, 0, 1, 5)),
                            ({inputs.value: 3}, (3, 0, 0, 3)), ({inputs.faults: 1}, (0, 0, 0, 2))):
            number = _numbers(inputs, {inputs.id: register.id, inputs.words["workaround_1"]: 1} | given)
            self.assertEqual(tuple(map(number, (value, promise, offer, verdict))), seen)

    def test_a_tag_does_not_count_where_the_thread_may_have_tags(self):
        import z3

        inputs, _ = _inputs("STD_BMAP")
        flag = 1 << inputs.layout["tagged_bit"]
        for address, flags, expected in ((8, 0, 1), (0x7F << 56 | 8, 0, 0), (0x7F << 56 | 8, flag, 1),
                                         (0x7F << 56 | 1 << 55, flag, 0), (1 << 52, flag, 0)):
            number = _numbers(inputs, {inputs.address: address, inputs.thread_flags: flags})
            told = z3.If(inputs.addressable(), z3.BitVecVal(1, 8), z3.BitVecVal(0, 8))
            self.assertEqual(number(told), expected)

    def test_what_is_always_true_of_a_vm(self):
        import z3

        from fwprove import invariant

        inputs, _ = _inputs()
        holds, words = invariant.holds(inputs), inputs.words
        one, psci, bitmap = words["workaround_1"], words["psci_version"], words["std_bmap"]
        strict = {words["flags"]: 1 << 12}
        for given, possible in (({}, True), ({one: 1}, False), ({one: 2} | strict, True), ({one: 3} | strict, False),
                                ({psci: 2}, True), ({psci: 1}, False), ({psci: 1, words["vcpu_features"]: 0}, True),
                                ({bitmap: 3}, True), ({bitmap: 4}, False), ({words["is_protected"]: 2}, False)):
            number = _numbers(inputs, given)
            self.assertEqual(number(z3.If(holds, z3.BitVecVal(1, 8), z3.BitVecVal(0, 8))), possible, given)

    def test_list_returns_all_ids_or_none(self):
        from fwprove.expected import expect_list

        inputs, _ = _inputs()
        outcome = expect_list(inputs, None)
        self.assertEqual([_numbers(inputs, {})(id_) & 0xFFFFFFFF for id_ in outcome.user],
                         [0x140000 + n for n in range(4)] + [0x160000 + n for n in range(4)])
        for faults, answer in ((0, "0"), (1, "EFAULT"), (1 << 7, "EFAULT")):
            self.assertEqual(errno_name(_numbers(inputs, {inputs.faults: faults})(outcome.answer)), answer)

    def test_an_unknown_register_can_be_promised_to_be_nothing(self):
        from fwprove.expected import expect_set

        inputs, _ = _inputs()
        answer = expect_set(inputs, None).answer
        for id_, value, flags, wanted in ((0x6030000000140004, 0xF, 1 << 13, "0"),
                                          (0x6030000000140004, 0xF, 1 << 12, "ENOENT"),
                                          (0x6030000000140004, 0x1, 1 << 13, "ENOENT"),
                                          (0x6030000000160004, 0x0, 1 << 13, "0"),
                                          (0x6030000000160004, 0x8, 1 << 13, "ENOENT"),
                                          (0x6020000000140004, 0x0, 1 << 13, "ENOENT")):
            given = {inputs.id: id_, inputs.value: value, inputs.words["flags"]: flags}
            self.assertEqual(errno_name(_numbers(inputs, given)(answer)), wanted, (hex(id_), value, flags))

    def test_guests_are_told_the_promise_in_their_own_numbers(self):
        from fwprove.expected import expect_discover

        inputs, register = _inputs("SMCCC_ARCH_WORKAROUND_2")
        outcome = expect_discover(inputs, register)
        for stored, answer in ((1, -1), (4, -2)):
            number = _numbers(inputs, {inputs.words["workaround_2"]: stored})
            self.assertEqual(number(outcome.answer), answer)
        self.assertEqual(_numbers(inputs, {})(expect_discover(inputs, None).answer), -1)

    def test_ssbs_is_refused_where_it_breaks_a_promise(self):
        from fwprove.expected import expect_allow_ssbs

        inputs, register = _inputs("SMCCC_ARCH_WORKAROUND_2")
        answer = expect_allow_ssbs(inputs, register).answer
        for ssbs, stored, visible, wanted in ((1, 4, 0, "EINVAL"), (0, 4, 0, "0"), (1, 0, 0, "0"), (1, 1, 0, "0"),
                                              (1, 4, 1, "0")):
            number = _numbers(inputs, {inputs.ssbs: ssbs, inputs.words["workaround_2"]: stored,
                                       inputs.words["id_aa64pfr1_el1"]: visible << 4})
            self.assertEqual(errno_name(number(answer)), wanted)

    def test_the_capability_sets_its_flags_only(self):
        from fwprove.expected import expect_enable, expect_flags

        inputs, _ = _inputs()
        outcome = expect_enable(inputs, None)
        for args, answer, flags in (((1, 0), "0", 1 << 12), ((2, 0), "0", 1 << 13), ((3, 0), "0", 3 << 12),
                                    ((0, 0), "0", 0), ((4, 0), "EINVAL", 0), ((1, 1), "EINVAL", 0)):
            number = _numbers(inputs, dict(zip(inputs.args, args)))
            self.assertEqual((errno_name(number(outcome.answer)), number(outcome.words["flags"])), (answer, flags))
        self.assertEqual(_numbers(inputs, {})(expect_flags(inputs, None).answer), 3)

    def test_the_command_line_makes_all_but_protected_vms_strict(self):
        import z3

        from fwprove.expected import expect_init_vm

        inputs, _ = _inputs()
        flags, protected = expect_init_vm(inputs, None).words["flags"], inputs.words["is_protected"]
        state, value, default = inputs.parameter.values()
        pkvm = z3.BitVec("cap_1", 1)
        for given, strict in (({}, False), ({default: 1}, True), ({state: 2, value: 1}, True),
                              ({state: 2, default: 1}, False), ({default: 1, protected: 1}, True),
                              ({default: 1, protected: 1, pkvm: 1}, False)):
            self.assertEqual(_numbers(inputs, given)(flags), strict << 12, given)


@unittest.skipUnless(find_spec("z3"), "needs z3")
class Sharing(unittest.TestCase):
    """Which paths see the VM at one moment."""

    def _wrong(self, *events, strict=True):
        import z3

        from fwprove.sharing import wrongs

        inputs = type("Inputs", (), {"strict": z3.BoolVal(strict)})
        return any(z3.is_true(z3.simplify(when)) for _, when in wrongs(inputs, events))

    def test_one_critical_section(self):
        reads = [("read", "workaround_2", 1), ("read", "id_aa64pfr1_el1", 1)]
        self.assertFalse(self._wrong(("lock", 0), *reads, ("unlock", 0)))
        self.assertTrue(self._wrong(("lock", 0), ("unlock", 0), ("lock", 0), ("unlock", 0)))
        self.assertTrue(self._wrong(("read", "std_bmap", 0), ("lock", 0), *reads, ("unlock", 0)))

    def test_one_word_without_the_lock(self):
        self.assertFalse(self._wrong(("read", "psci_version", 0)))
        self.assertTrue(self._wrong(("read", "psci_version", 0), ("read", "psci_version", 0)))

    def test_workarounds_of_a_default_vm_are_no_words_that_change(self):
        reads = [("read", "workaround_2", 0), ("read", "id_aa64pfr1_el1", 0)]
        self.assertTrue(self._wrong(*reads))
        self.assertFalse(self._wrong(*reads, strict=False))


if __name__ == "__main__":
    unittest.main()
