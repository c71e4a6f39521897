# SPDX-License-Identifier: GPL-2.0
"""The specification, read back, and asked about single inputs. The latter needs z3."""

import unittest
from importlib.util import find_spec

from fwprove.__main__ import SPEC
from fwprove.spec import Spec, errno_name, errno_of

WORD_SIZES = {"psci_version": 4, "workaround_1": 4, "workaround_2": 4, "workaround_3": 4, "is_protected": 1}


class FakeLayout:
    """A kernel whose numbers are the specification's."""

    def __init__(self, spec):
        bits = {"has_ran_bit": 2, "psci_0_2_bit": 2, "KVM_ARCH_FLAG_FW_REGS_STRICT": 12,
                "KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE": 13, "ssbs_shift": 4, "ssbs_width": 4,
                "cap_protected": 1, "user_limit": 1 << 52}
        sizes = {"reg_size_mask": 0x00F0000000000000, "reg_size_u64": 0x0030000000000000}
        host = {"unaffected": 0, "mitigated": 1, "vulnerable": 2}
        self.numbers = bits | sizes | host
        for register in spec.registers:
            self.numbers[f"KVM_REG_ARM_{register.name}"] = register.id
            self.numbers[register.offer.get("mask", "")] = 3
        for number in range(len(spec.table["trace"]["verdicts"])):
            self.numbers[f"verdict_{number}"] = number
        for flag in spec.table["flag"]:
            self.numbers[flag["name"]] = flag["value"]

    def __getitem__(self, name):
        return self.numbers[name]

    def has(self, _):
        return True

    def field(self, name):
        size = WORD_SIZES.get(name, 8)
        return type("Field", (), {"name": name, "offset": 0, "size": size, "bits": 8 * size})


class Reading(unittest.TestCase):
    def setUp(self):
        self.spec = Spec(SPEC)

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


@unittest.skipUnless(find_spec("z3"), "needs z3")
class Verdicts(unittest.TestCase):
    """What is expected of a set, for inputs that a person has judged."""

    def _set(self, name, value, strict=False, run=False, stored=0, state=1, ssbs=1):
        import z3

        from fwprove.expected import expect_set
        from fwprove.inputs import Inputs

        spec = Spec(SPEC)
        register, inputs = spec.register(name), Inputs(spec, FakeLayout(spec))
        outcome = expect_set(inputs, register)
        given = {inputs.id: register.id, inputs.address: 0, inputs.faults: 0, inputs.value: value,
                 inputs.words["flags"]: strict << 12 | run << 2, inputs.words["vcpu_features"]: 4,
                 inputs.words["id_aa64pfr1_el1"]: ssbs << 4, inputs.words[register.stored["word"]]: stored}
        given |= {number: state for number in inputs.states.values()}
        pairs = [(symbol, z3.BitVecVal(number, symbol.size())) for symbol, number in given.items()]

        def number(formula):
            return z3.simplify(z3.substitute(formula, *pairs)).as_signed_long()

        return errno_name(number(outcome.answer)), number(outcome.words[register.stored["word"]])

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
