# SPDX-License-Identifier: GPL-2.0
"""What the words of the specification mean, for one register or for ids that are none."""

import z3


class View:
    """A register of a VM: its offer, its promise, and the value that is to be written to it.

    `register` is None for an id that is no register.
    """

    def __init__(self, inputs, register):
        self.inputs, self.register = inputs, register
        zero = z3.BitVecVal(0, 64)
        self.offer = self._offer(inputs.sees_ssbs) if register else zero
        self.given = self._given() if register else z3.BoolVal(False)
        self.kept = self._kept() if register else zero
        self.promise = z3.If(self.given, self.kept, self.offer)
        self.wanted = self._wanted() if register else zero

    def _offer(self, sees_ssbs):
        inputs, register, offer = self.inputs, self.register, self.register.offer
        if register.is_bitmap:
            return inputs.mask(register)
        result = z3.BitVecVal(0, 64)
        if "newest" in offer:
            for value in register.values:  # the last that fits
                result = z3.If(inputs.fits(value), z3.BitVecVal(value.value, 64), result)
            return result
        visible, hidden = (offer.get(key, offer.get("any")) for key in ("visible", "hidden"))
        for index, state in enumerate(inputs.spec.host_states):
            best = z3.If(
                sees_ssbs, z3.BitVecVal(visible[index], 64), z3.BitVecVal(hidden[index], 64)
            )
            result = z3.If(inputs.state_is(offer["host"], state), best, result)
        return result

    @property
    def _word(self):
        """The register's word. The C handlers have none for some."""
        return self.inputs.words.get(self.register.stored["word"])

    def _given(self):
        if self._word is None:
            return z3.BoolVal(False)
        stored = self.register.stored
        return self._word != stored["none"] if "none" in stored else z3.BoolVal(True)

    def _kept(self):
        if self._word is None:
            return z3.BitVecVal(0, 64)
        word = self._word - self.register.stored.get("bias", 0)
        return z3.ZeroExt(64 - word.size(), word) if word.size() < 64 else word

    def _wanted(self):
        result = self.inputs.value
        for value in self.register.values:
            if value.becomes is not None:
                wanted = z3.BitVecVal(value.becomes, 64)
                result = z3.If(self.inputs.value == value.value, wanted, result)
        return result

    def stored(self):
        """The register's word after an accepted write."""
        wanted = z3.Extract(self._word.size() - 1, 0, self.wanted)
        wanted += self.register.stored.get("bias", 0)
        return z3.If(self.accepted_is("forgotten"), self._word, wanted)

    def accepted_is(self, what):
        """Whether this becomes of an accepted value."""
        default, strict = (self.register.accepted[kind] == what for kind in ("default", "strict"))
        return z3.If(self.inputs.strict, z3.BoolVal(strict), z3.BoolVal(default))

    def frozen(self):
        return z3.And(self.inputs.has_run, self.accepted_is("frozen"), z3.Not(self.is_promise()))

    def well_formed(self):
        if not self.register.values:
            return z3.BoolVal(True)
        return z3.Or([self.inputs.value == value.value for value in self.register.values])

    def right_feature(self):
        values = self.register.values
        return z3.And([z3.Implies(self.inputs.value == value.value, self.inputs.fits(value))
                       for value in values])

    def exceeds(self, promise, offer):
        """Whether one promise is more than the other, or neither more nor less."""
        if self.register.is_bitmap:
            return promise & ~offer != 0
        return z3.UGT(self._rank(promise), self._rank(offer))

    def _rank(self, promise):
        result = z3.BitVecVal(0, 8)
        for index, value in enumerate(self.register.promises):
            result = z3.If(promise == value, z3.BitVecVal(index, 8), result)
        return result

    def null_promise(self):
        inputs = self.inputs
        classes = [
            z3.And(inputs.id & ~0xFFFF == entry["class"],
                   z3.Or([inputs.value == value for value in entry["values"]]))
            for entry in inputs.spec.table["null"]
        ]
        return z3.And(self.unknown(), inputs.null_promises, z3.Or(classes))

    def unknown(self):
        return z3.And([self.inputs.id != other.id for other in self.inputs.spec.registers])

    def is_promise(self):
        return self.wanted == self.promise

    def exceeds_offer(self):
        return self.exceeds(self.wanted, self.offer)

    def readable(self):
        return z3.And(self.inputs.well_sized, self.inputs.accessible())

    def breaks_promise(self):
        inputs = self.inputs
        shown = z3.And(inputs.ssbs != 0, z3.Not(inputs.sees_ssbs))
        return z3.And(shown, self.given, self.exceeds(self.kept, self._offer(z3.BoolVal(True))))

    def answer_to_guest(self, promise):
        """What the guest is told of a workaround."""
        result = z3.BitVecVal(-1, 32)
        for value, answer in self.register.discovery["answers"].items():
            result = z3.If(promise == int(value), z3.BitVecVal(answer, 32), result)
        return result

    def unknown_flag(self):
        known = sum(flag["value"] for flag in self.inputs.spec.table["flag"])
        return self.inputs.args[0] & ~known != 0

    def holds(self, word):
        """A condition of the specification, as a formula."""
        return CONDITIONS[word](self)


CONDITIONS = {
    "otherwise": lambda view: z3.BoolVal(True),
    "wrong size": lambda view: z3.Not(view.inputs.well_sized),
    "unreadable": lambda view: z3.Not(view.inputs.accessible()),
    "unwritable": lambda view: z3.Not(view.inputs.accessible()),
    "readable": View.readable,
    "writable": View.readable,
    "null promise": View.null_promise,
    "unknown register": View.unknown,
    "well-formed": View.well_formed,
    "malformed": lambda view: z3.Not(view.well_formed()),
    "right vCPU feature": View.right_feature,
    "wrong vCPU feature": lambda view: z3.Not(view.right_feature()),
    "not the promise": lambda view: z3.Not(view.is_promise()),
    "exceeds the offer": View.exceeds_offer,
    "within the offer": lambda view: z3.Not(view.exceeds_offer()),
    "strict": lambda view: view.inputs.strict,
    "has run": lambda view: view.inputs.has_run,
    "frozen": View.frozen,
    "another value than the offer was stored": lambda view: z3.And(
        view.given, view.kept != view.offer
    ),
    "breaks the promise": View.breaks_promise,
    "unknown flag": View.unknown_flag,
    "another argument": lambda view: z3.Or([arg != 0 for arg in view.inputs.args[1:]]),
}
