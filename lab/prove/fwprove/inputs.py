# SPDX-License-Identifier: GPL-2.0
"""All that a handler's answer may depend on: named bit-vectors.

The names are shared by the symbolic execution (claripy) and the specification (z3), so that what one
finds is compared with what the other says.
"""

import copy

import z3

# What a VM has for the workarounds. The C handlers do not.
WORKAROUNDS = ("workaround_1", "workaround_2", "workaround_3")

# What other threads may write while a handler runs, besides the flag that says that the VM has run.
SHARED = (
    "psci_version",
    *WORKAROUNDS,
    "std_bmap",
    "std_hyp_bmap",
    "vendor_hyp_bmap",
    "vendor_hyp_bmap_2",
    "id_aa64pfr1_el1",
)

# The words of a VM that the handlers may look at, as layout.c names them.
WORDS = ("flags", "vcpu_features", "is_protected", *SHARED)

# Spectre states of the host, as the kernel's functions return them.
STATES = ("v2", "v4", "bhb")

# The arguments of KVM_ENABLE_CAP.
ARGS = tuple(f"arg{number}" for number in range(4))

# The module's parameter `strict`, as `ModuleParamAccess<u8>` is compiled: whether it was given (2), its
# value, and the one that it has otherwise.
PARAMETER = {"parameter_state": 32, "parameter_value": 8, "parameter_default": 8}


class Inputs:
    """One set of symbols."""

    def __init__(self, spec, layout):
        self.spec, self.layout = spec, layout
        self.words = {
            name: z3.BitVec(name, layout.field(name).bits) for name in WORDS if layout.has(name)
        }
        self.states = {name: z3.BitVec(f"state_{name}", 32) for name in STATES}
        self.id = z3.BitVec("id", 64)
        self.address = z3.BitVec("address", 64)
        self.thread_flags = z3.BitVec("thread_flags", 64)
        self.value = z3.BitVec("value", 64)
        # Bit n: the 8 bytes at address + 8 * n cannot be accessed.
        self.faults = z3.BitVec("faults", 8)
        self.vcpu_id = z3.BitVec("vcpu_id", 32)
        self.function = z3.BitVec("function", 32)
        self.ssbs = z3.BitVec("ssbs", 64)
        self.args = [z3.BitVec(name, 64) for name in ARGS]
        self.parameter = {name: z3.BitVec(name, bits) for name, bits in PARAMETER.items()}

    @property
    def keeps_workarounds(self):
        """Whether the handlers are those that strict VMs have."""
        return WORKAROUNDS[0] in self.words

    def after(self, words):
        """The same inputs with other words of the VM, such as those after a write."""
        later = copy.copy(self)
        later.words = words
        return later

    def bit(self, word, number):
        return z3.Extract(number, number, self.words[word]) == 1

    def with_flag(self, name):
        """The VM's flags once one is set."""
        return self.words["flags"] | 1 << self.layout[name]

    @property
    def without_flags(self):
        """The VM's flags without those of KVM_CAP_ARM_FW_REGS_STRICT."""
        mask = sum(1 << self.layout[flag["sets"]] for flag in self.spec.table["flag"])
        return self.words["flags"] & ~mask

    @property
    def has_run(self):
        return self.bit("flags", self.layout["has_ran_bit"])

    @property
    def strict(self):
        return self.bit("flags", self.layout["KVM_ARCH_FLAG_FW_REGS_STRICT"])

    @property
    def null_promises(self):
        return self.bit("flags", self.layout["KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE"])

    @property
    def psci_0_2(self):
        return self.bit("vcpu_features", self.layout["psci_0_2_bit"])

    @property
    def sees_ssbs(self):
        shift, width = self.layout["ssbs_shift"], self.layout["ssbs_width"]
        return z3.Extract(shift + width - 1, shift, self.words["id_aa64pfr1_el1"]) != 0

    @property
    def protected(self):
        return z3.And(z3.BitVec(f"cap_{self.layout['cap_protected']}", 1) == 1,
                      self.words["is_protected"] != 0)

    @property
    def parameter_on(self):
        state, value, default = self.parameter.values()
        return z3.If(state == 2, value, default) != 0

    def untagged(self, address):
        """A user address without its tag, if the thread may have tags (untagged_addr())."""
        if not self.layout["has_tags"]:
            return address
        bit = self.layout["tagged_bit"]
        tagged = z3.Extract(bit, bit, self.thread_flags) == 1
        return z3.If(tagged, address & (address << 8 >> 8), address)

    def addressable(self, size=8):
        """Whether so many bytes at the user address are below the end of user memory."""
        return z3.ULE(self.untagged(self.address), self.layout["user_limit"] - size)

    def accessible(self, size=8):
        """Whether so many bytes at the user address can be copied."""
        mask = (1 << size // 8) - 1
        return z3.And(self.addressable(size), self.faults & mask == 0)

    @property
    def well_sized(self):
        return self.id & self.layout["reg_size_mask"] == self.layout["reg_size_u64"]

    def state_is(self, which, word):
        number = self.spec.table["host"]["numbers"][self.spec.host_states.index(word)]
        return self.states[which] == self.layout[number]

    def fits(self, value):
        """Whether a value is for VMs with such vCPUs."""
        return z3.BoolVal(True) if value.feature is None else self.psci_0_2 == value.feature

    def mask(self, register):
        return z3.BitVecVal(self.layout[register.offer["mask"]], 64)
