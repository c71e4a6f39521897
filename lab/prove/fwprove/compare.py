# SPDX-License-Identifier: GPL-2.0
"""Where the C and the Rust object answer differently, and that it is exactly where the deviations say.

What is compared is what both kernels have: the answer, user memory, and the words of the VM apart from
those that only Rust keeps.
"""

import z3

from .checks import to_z3
from .conditions import View
from .expected import Outcome
from .inputs import WORDS
from .spec import errno_name, errno_of

# What the C kernel does not keep. That its get does not show them is a deviation of its own.
RUST_ONLY = ("workaround_1", "workaround_2", "workaround_3", "null_promise")


def chain(paths, value, default):
    """One formula of all paths."""
    result = default
    for told in paths:
        result = z3.If(told.condition, value(told), result)
    return result


def _user_accesses(told, kind):
    return [event for event in told.path.events if event[0] == kind]


def summary(paths, kind):
    """What a whole run does, as one outcome."""

    def written(told):
        events = [event for event in _user_accesses(told, kind) if len(event) > 4]
        return to_z3(events[0][4]) if events else z3.BitVecVal(0, 64)

    words = {
        name: chain(paths, lambda told, name=name: told.words[name], paths[0].words[name])
        for name in WORDS
    }
    return Outcome(
        answer=chain(paths, lambda told: told.answer, z3.BitVecVal(1, 32)),
        words=words,
        touches=chain(
            paths, lambda told: z3.BoolVal(bool(_user_accesses(told, kind))), z3.BoolVal(False)
        ),
        user=chain(paths, written, z3.BitVecVal(0, 64)),
    )


def unlocked(paths):
    """Whether a word of the VM is written without the lock."""
    bad = [t.condition for t in paths if any(e[0] == "write" and e[2] != 1 for e in t.path.events)]
    return z3.Or(bad)


class Comparison:
    """One entry point and register in both objects."""

    def __init__(self, checker, which, rust, c):
        self.checker, self.which = checker, which
        self.entry, self.register = checker.entry, checker.register
        self.kind = "write user" if self.entry == "get" else "read user"
        self.rust, self.c = rust, c
        self.r, self.s = summary(rust, self.kind), summary(c, self.kind)
        self.view = View(checker.inputs, self.register)

    def _differs(self):
        words = [
            self.r.words[name] != self.s.words[name] for name in WORDS if name not in RUST_ONLY
        ]
        # Of what a copy writes that fails half-way, nothing is said.
        whole = z3.And(self.r.touches, self.checker.inputs.uncopied == 0)
        user = z3.And(whole, self.r.user != self.s.user)
        return z3.Or(self.r.answer != self.s.answer, self.r.touches != self.s.touches, user, *words)

    def differences(self):
        """What is compared, and where it differs."""
        yield self.entry, self._differs()
        if self.entry == "set":
            yield "lock", unlocked(self.c) != unlocked(self.rust)

    def deviations(self, of):
        for deviation in self.checker.inputs.spec.table["deviation"]:
            if deviation["of"] == of and self.which in deviation["registers"]:
                condition = z3.And([self.view.holds(word) for word in deviation["when"]])
                yield deviation, condition

    def problems(self):
        """Where they differ and should not, or should and do not."""
        for of, differs in self.differences():
            known = list(self.deviations(of))
            named = z3.Or([condition for _, condition in known])
            yield from self._ask("the two objects differ, and no deviation says so", differs,
                                 z3.Not(named))
            for deviation, condition in known:
                name = f"{deviation['name']} ({deviation['title']})"
                yield from self._ask(f"{name} is not seen", condition, z3.Not(differs))
                never = self.checker.counterexample(condition) is None
                if never:
                    yield f"{name}: it cannot occur"
                for who, wanted, holds in self._answers(deviation):
                    yield from self._ask(f"{name}: {who} does not answer {wanted}", condition,
                                         z3.Not(holds))

    def _answers(self, deviation):
        """What each object answers in a deviation, and the formula that it does."""
        sides = (("C", "c", self.s, self.c), ("Rust", "rust", self.r, self.rust))
        for who, key, outcome, paths in sides:
            wanted = deviation[key]
            if deviation["of"] == "lock":
                yield who, wanted, unlocked(paths) == z3.BoolVal(wanted == "unlocked")
            elif deviation["of"] == "get":
                values = {"the offer": self.view.offer, "the promise": self.view.promise}
                yield who, wanted, z3.And(outcome.answer == 0, outcome.user == values[wanted])
            else:
                yield who, wanted, outcome.answer == errno_of(wanted)

    def _ask(self, text, *formulas):
        model = self.checker.counterexample(*formulas)
        if model is not None:
            case = self.checker.teller.case(model, self.entry)
            got = [errno_name(model.eval(o.answer, model_completion=True).as_signed_long())
                   for o in (self.s, self.r)]
            yield f"{case}: {text}: C {got[0]}, Rust {got[1]}"

    def sets(self):
        """Each deviation that applies here, in words, with its inputs."""
        for of, _ in self.differences():
            for deviation, condition in self.deviations(of):
                yield {
                    "name": deviation["name"],
                    "title": deviation["title"],
                    "of": of,
                    "register": self.which,
                    "when": deviation["when"],
                    "c": deviation["c"],
                    "rust": deviation["rust"],
                    "inputs": list(self._inputs(condition, of)),
                }

    def _inputs(self, condition, of):
        """The values, by promise and offer, as lines."""
        if self.register is None:
            for entry in self.checker.inputs.spec.table["null"]["class"]:
                known = max(r.id for r in self.checker.inputs.spec.registers
                            if r.id & ~0xFFFF == entry["class"])
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
                    key = "" if of == "get" else ": value " + _numbers(values)
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
