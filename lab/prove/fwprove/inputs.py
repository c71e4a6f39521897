# SPDX-License-Identifier: GPL-2.0
"""All that a handler's answer may depend on: named bit-vectors, and what KVM guarantees of them.

The names are shared by the symbolic execution (claripy) and the specification (z3), so that what one
finds is compared with what the other says.
"""

import z3

# The words of a VM that the handlers may look at, as layout.c names them.
WORDS = (
    "flags",
    "vcpu_features",
    "psci_version",
    "workaround_1",
    "workaround_2",
    "workaround_3",
    "null_promise",
    "std_bmap",
    "std_hyp_bmap",
    "vendor_hyp_bmap",
    "vendor_hyp_bmap_2",
    "id_aa64pfr1_el1",
)

# Spectre states of the host, as the kernel's functions return them.
STATES = ("v2", "v4", "bhb")


class Inputs:
    """One set of symbols. `id` may be a number, for what is about one register."""

    def __init__(self, spec, layout):
        self.spec, self.layout = spec, layout
        self.words = {name: z3.BitVec(name, layout.field(name).bits) for name in WORDS}
        self.states = {name: z3.BitVec(f"state_{name}", 32) for name in STATES}
        self.id = z3.BitVec("id", 64)
        self.address = z3.BitVec("address", 64)
        self.value = z3.BitVec("value", 64)
        self.uncopied = z3.BitVec("uncopied", 64)
        self.vcpu_id = z3.BitVec("vcpu_id", 32)
        self.function = z3.BitVec("function", 32)
        self.ssbs = z3.BitVec("ssbs", 64)

    def bit(self, word, number):
        return z3.Extract(number, number, self.words[word]) == 1

    @property
    def has_run(self):
        return self.bit("flags", self.layout["has_ran_bit"])

    @property
    def psci_0_2(self):
        return self.bit("vcpu_features", self.layout["psci_0_2_bit"])

    @property
    def sees_ssbs(self):
        shift, width = self.layout["ssbs_shift"], self.layout["ssbs_width"]
        return z3.Extract(shift + width - 1, shift, self.words["id_aa64pfr1_el1"]) != 0

    @property
    def null_promises(self):
        return self.words[self.spec.table["null"]["word"]] != 0

    @property
    def addressable(self):
        """Whether 8 bytes at the user address are below the end of user memory."""
        return z3.ULE(self.address, self.layout["user_limit"] - 8)

    @property
    def accessible(self):
        """Whether the user's 8 bytes can be copied."""
        return z3.And(self.addressable, self.uncopied == 0)

    @property
    def well_sized(self):
        return self.id & self.layout["reg_size_mask"] == self.layout["reg_size_u64"]

    def state_is(self, which, word):
        number = self.spec.table["host"]["numbers"][self.spec.host_states.index(word)]
        return self.states[which] == self.layout[number]

    def possible(self, words=None):
        """What KVM guarantees: the invariant of the stored words, and what functions can return.

        `words` are other values of them, such as those after a write.
        """
        words = self.words if words is None else words
        rules = [
            z3.Or([self.state_is(which, word) for word in self.spec.host_states])
            for which in STATES
        ]
        rules.append(z3.ULE(self.uncopied, 8))
        rules.append(z3.ULE(words[self.spec.table["null"]["word"]], 1))
        rules += [self.kept_rule(register, words) for register in self.spec.registers]
        return z3.And(rules)

    def kept_rule(self, register, words):
        """What a register's word can hold."""
        word = words[register.keeps["word"]]
        if register.is_bitmap:
            return word & ~self.mask(register) == 0
        bias = register.keeps["bias"]
        fits = [z3.And(word == value.value + bias, self.fits(value))
                for value in register.values if value.becomes is None]
        return z3.Or(word == register.keeps["none"], *fits)

    def fits(self, value):
        """Whether a value is for VMs with such vCPUs."""
        return z3.BoolVal(True) if value.feature is None else self.psci_0_2 == value.feature

    def mask(self, register):
        return z3.BitVecVal(self.layout[register.offer["mask"]], 64)
