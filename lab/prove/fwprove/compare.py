# SPDX-License-Identifier: GPL-2.0
"""That a VM without flags does the same in both objects, and what flags make of it, exactly.

What is compared is what all VMs have: the answer, user memory, and the words of the VM apart from the
workarounds'.
"""

import z3

from .conditions import View
from .expected import Outcome
from .inputs import WORKAROUNDS
from .spec import errno_of


def chain(paths, value, default):
    """One formula of all paths."""
    result = default
    for told in paths:
        result = z3.If(told.condition, value(told), result)
    return result


def _written(told, number):
    """What a path has written to the 8 bytes with this number."""
    data = [part for kind, _, _, _, parts in told.user() if kind == "write user" for part in parts]
    return data[number] if number < len(data) else z3.BitVecVal(0, 64)


def summary(paths, expected):
    """What a whole run does, as one outcome that has the parts of the expected one."""
    words = {
        name: chain(paths, lambda told, name=name: told.words[name], paths[0].words[name])
        for name in expected.words
        if name not in WORKAROUNDS
    }
    touches = None
    if expected.touches is not None:
        touches = chain(paths, lambda told: z3.BoolVal(any(told.user())), z3.BoolVal(False))
    return Outcome(
        answer=chain(paths, lambda told: told.answer, z3.BitVecVal(1, 32)),
        words=words,
        touches=touches,
        user=tuple(
            chain(paths, lambda told, number=number: _written(told, number), z3.BitVecVal(0, 64))
            for number in range(len(expected.user))
        ),
    )


class Comparison:
    """One entry point and register: the Rust object's paths as they are, and without flags."""

    def __init__(self, checker, which, paths):
        self.checker, self.which, self.view = checker, which, View(checker.inputs, checker.register)
        self.entry, self.register = checker.entry.name, checker.register
        self.flagged = summary(paths, checker.expected)
        self.plain = self._without_flags(self.flagged)

    def _without_flags(self, outcome):
        """The outcome for the same VM, had it no flags."""
        inputs = self.checker.inputs
        pairs = [(inputs.words["flags"], inputs.without_flags)]
        pairs += [(inputs.words[name], z3.BitVecVal(0, 32)) for name in WORKAROUNDS]

        def put(formula):
            return z3.substitute(formula, *pairs)

        words = {name: put(word) for name, word in outcome.words.items()}
        # The flags themselves are no difference.
        words["flags"] = words["flags"] | inputs.words["flags"]
        touches = None if outcome.touches is None else put(outcome.touches)
        return Outcome(put(outcome.answer), words, touches, tuple(map(put, outcome.user)))

    def _differ(self, one, other):
        parts = [one.answer != other.answer]
        parts += [word != other.words[name] for name, word in one.words.items()]
        if one.touches is not None:
            parts.append(one.touches != other.touches)
        # Of what an access writes that fails half-way, nothing is said.
        users = [mine != theirs for mine, theirs in zip(one.user, other.user)]
        if users:
            parts.append(z3.And(one.answer == 0, z3.Or(users)))
        return z3.Or(parts)

    def with_c(self, paths):
        """Where the two objects differ, in words; nothing, if they do not."""
        c = summary(paths, self.checker.expected)
        c.words["flags"] = c.words["flags"] | self.checker.inputs.words["flags"]
        text = "a default VM is not what it is under the C handlers"
        yield from self._ask(text, ("C", c), ("Rust", self.plain), self._differ(c, self.plain))

    def known(self):
        """The differences that flags make here, by the specification, and where."""
        name = self.which or (self.register and self.register.name)
        for difference in self.checker.inputs.spec.table["difference"]:
            if difference["of"] == self.entry and name in difference["registers"]:
                condition = z3.And([self.view.holds(word) for word in difference["when"]])
                yield difference, condition

    def problems(self):
        """Where flags make a difference and should not, or should and do not."""
        sides = ("without flags", self.plain), ("with flags", self.flagged)
        differs = self._differ(self.plain, self.flagged)
        known = list(self.known())
        unnamed = z3.Not(z3.Or([condition for _, condition in known]))
        yield from self._ask("flags make a difference that is not specified", *sides, differs, unnamed)
        for difference, condition in known:
            title = difference["title"]
            yield from self._ask(f"`{title}` is not seen", *sides, condition, z3.Not(differs))
            if self.checker.counterexample(condition) is None:
                yield f"`{title}` cannot occur"
            for key, outcome in (("default", self.plain), ("strict", self.flagged)):
                text = f"`{title}`: it is not {difference[key]}"
                answers = self._answers(outcome, difference[key])
                yield from self._ask(text, *sides, condition, z3.Not(answers))

    def _answers(self, outcome, wanted):
        """Whether this is what the specification calls so."""
        values = {"the offer": self.view.offer, "the promise": self.view.promise}
        if wanted in values:
            return z3.And(outcome.answer == 0, outcome.user[0] == values[wanted])
        promise = values.get(wanted.replace("of ", ""))
        if promise is not None:
            return outcome.answer == self.view.answer_to_guest(promise)
        return outcome.answer == errno_of(wanted)

    def _ask(self, text, one, other, *formulas):
        model = self.checker.counterexample(*formulas)
        if model is not None:
            case = self.checker.teller.case(model, self.entry)
            got = [f"{who} {self.checker.sign(model, side.answer)}" for who, side in (one, other)]
            yield f"{case}: {text}: {', '.join(got)}"

    def found(self):
        """Each difference that flags make here, in words, with its inputs."""
        for difference, condition in self.known():
            yield difference | {"register": self.which, "inputs": list(self._inputs(condition))}

    def _inputs(self, condition):
        """The values, by promise and offer, as lines."""
        if self.register is None:
            spec = self.checker.inputs.spec
            for entry in spec.table["null"]:
                known = max(r.id for r in spec.registers if r.id & ~0xFFFF == entry["class"])
                last = entry["class"] | 0xFFFF
                yield f"id {known + 1:#x} to {last:#x}: value {_numbers(entry['values'])}"
            return
        lines = {}
        for offer in self.register.promises:
            for promise in self.register.promises:
                here = [condition, self.view.offer == offer, self.view.promise == promise]
                values = [value.value for value in self.register.values
                          if self._possible(*here, self.checker.inputs.value == value.value)]
                if values:
                    key = ": value " + _numbers(values) if self.entry == "set" else ""
                    lines.setdefault(key, []).append((offer, promise))
        for key, pairs in lines.items():
            for text in _pairs(pairs):
                yield text + key

    def _possible(self, *formulas):
        return self.checker.counterexample(*formulas) is not None


def _numbers(numbers):
    return ", ".join(f"{number:#x}" for number in numbers)


def _pairs(pairs):
    """Pairs of an offer and a promise, those with the same promises together."""
    by_offer = {}
    for offer, promise in pairs:
        by_offer.setdefault(offer, []).append(promise)
    by_promises = {}
    for offer, promises in by_offer.items():
        by_promises.setdefault(tuple(promises), []).append(offer)
    for promises, offers in by_promises.items():
        yield f"offer {_numbers(offers)}, promise {_numbers(promises)}"
