# SPDX-License-Identifier: GPL-2.0
"""Says in words what inputs a model has found."""

import z3

from .conditions import View


class Teller:
    def __init__(self, inputs, register):
        self.inputs, self.register = inputs, register
        self.view = View(inputs, register) if register else None

    def case(self, model, entry):
        """What is called, and in which state of the host and the VM."""
        return f"{self._call(model, entry)}: " + ", ".join(self._state(model, entry))

    def _number(self, model, formula):
        return model.eval(formula, model_completion=True).as_long()

    def _true(self, model, formula):
        return z3.is_true(model.eval(formula, model_completion=True))

    def _call(self, model, entry):
        inputs = self.inputs
        name = self.register.name if self.register else f"{self._number(model, inputs.id):#x}"
        if entry == "set":
            return f"set {name} = {self._number(model, inputs.value):#x}"
        if entry == "get":
            return f"get {name}"
        if entry == "discover":
            return f"discover {self._number(model, inputs.function):#x}"
        if entry == "allow_ssbs":
            return f"allow SSBS = {self._number(model, inputs.ssbs)}"
        if entry == "enable":
            return "enable " + ", ".join(f"{self._number(model, arg):#x}" for arg in inputs.args)
        return entry

    def _state(self, model, entry):
        inputs = self.inputs
        if entry in ("set", "get"):
            copied = self._true(model, inputs.accessible())
            yield "user memory " + ("can" if copied else "cannot") + " be accessed"
        if self.register and "host" in self.register.offer:
            which = self.register.offer["host"]
            for word in inputs.spec.host_states:
                if self._true(model, inputs.state_is(which, word)):
                    yield f"host {word} ({inputs.spec.table['host'][which]})"
            if "visible" in self.register.offer:
                yield "SSBS " + ("visible" if self._true(model, inputs.sees_ssbs) else "hidden")
        if self.register and self.register.name == "PSCI_VERSION":
            yield "vCPUs " + ("with" if self._true(model, inputs.psci_0_2) else "without") + " PSCI_0_2"
        yield "the VM is " + ("strict" if self._true(model, inputs.strict) else "a default one")
        yield "has " + ("" if self._true(model, inputs.has_run) else "not ") + "run"
        if self.register:
            stored = self._true(model, self.view.given)
            yield f"promise {self._number(model, self.view.kept):#x}" if stored else "nothing stored"
            yield f"offer {self._number(model, self.view.offer):#x}"
        elif entry == "set":
            yield "null promises " + ("on" if self._true(model, inputs.null_promises) else "off")

    def reason(self, model, reasons):
        for condition, text in reasons:
            if self._true(model, condition):
                return text
        return "nothing"
