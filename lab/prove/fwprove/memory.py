# SPDX-License-Identifier: GPL-2.0
"""Where things are in memory, and what a handler may read and write there."""

import claripy

from . import hooks
from .inputs import ARGS, PARAMETER, SHARED, WORDS
from .layout import Field

# Nothing else is mapped, apart from the object.
VM = 0x10_0000_0000
VCPU = 0x20_0000_0000
REG = 0x30_0000_0000
ARGUMENTS = 0x38_0000_0000
TASK = 0x3c_0000_0000
STACK_TOP = 0x40_0001_0000
STACK_LOW = 0x40_0000_0000
RETURN = 0x50_0000_0000

# Of a symbolic address, so many values are followed; more is an error.
ADDRESSES = 64


def symbol(name, bits):
    return claripy.BVS(name, bits, explicit_name=True)


class Memory:
    """The memory of a run. `shared` is whether others may write to the VM meanwhile."""

    def __init__(self, layout, image, shared):
        self.layout, self.image, self.shared = layout, image, shared
        self.fields = [layout.field(word) for word in WORDS if layout.has(word)]
        self.arguments = [
            (base, layout.field(name))
            for name, base in (("vcpu_kvm", VCPU), ("vcpu_id", VCPU), ("reg_id", REG), ("reg_addr", REG))
        ]
        self.arguments += [(TASK, layout.field(name)) for name in ("thread_flags", "task_flags")]
        self.arguments += [(ARGUMENTS, Field(name, 8 * at, 8)) for at, name in enumerate(ARGS)]
        # The instructions that store into the VM.
        self.stores = set()

    def fill(self, state, parameter):
        """Puts a symbol into every place that has one; `parameter` is the address of the module's."""
        symbols = {"vcpu_kvm": claripy.BVV(VM, 64), "reg_id": symbol("id", 64),
                   "reg_addr": symbol("address", 64),
                   # A thread of userspace makes the call.
                   "task_flags": symbol("task_flags", 32) & ~self.layout["kthread"]}
        for base, field in self.arguments:
            value = symbols.get(field.name)
            put(state, base + field.offset, symbol(field.name, field.bits) if value is None else value)
        for word in self.fields:
            put(state, VM + word.offset, symbol(word.name, word.bits))
        for at, (name, bits) in enumerate(PARAMETER.items()):
            if parameter:
                put(state, parameter + 4 * at, symbol(name, bits))

    def words(self, state):
        """The words of the VM."""
        return {word.name: get(state, VM + word.offset, word.size) for word in self.fields}

    def watch(self, state):
        """Looks at every access."""
        state.inspect.b("mem_read", when="before", action=self._reads)
        if self.shared:
            state.inspect.b("mem_read", when="after", action=self._read)
        state.inspect.b("mem_write", when="before", action=self._writes)

    def _reads(self, state):
        for address in _addresses(state, state.inspect.mem_read_address):
            size = _size(state, state.inspect.mem_read_length)
            word = self._word_at(address, size)
            if word and word.name in SHARED:
                hooks.note(state, "read", word.name, state.globals["depth"])
            if not (word or self._is_plain(address, size) or self._is_argument(address, size)):
                hooks.fault(state, f"it reads {size} bytes at {self._place(address)}")

    def _read(self, state):
        """Whether the VM has run can change after a read without the lock: it is read as anything."""
        address = _addresses(state, state.inspect.mem_read_address)[0]
        word = self._word_at(address, _size(state, state.inspect.mem_read_length))
        if not word or word.name != "flags" or state.globals["depth"]:
            return
        bit = 1 << self.layout["has_ran_bit"] >> 8 * (address - VM - word.offset)
        seen = state.inspect.mem_read_expr
        stale = claripy.If(symbol("has_run_without_lock", 1) == 1, claripy.BVV(bit, seen.length),
                           claripy.BVV(0, seen.length))
        state.inspect.mem_read_expr = seen & ~bit | stale

    def _writes(self, state):
        for address in _addresses(state, state.inspect.mem_write_address):
            size = _size(state, state.inspect.mem_write_length)
            word = self._word_at(address, size)
            if word and size == word.size:
                self.stores.add(state.scratch.ins_addr)
                hooks.note(state, "write", word.name, state.globals["depth"])
            elif not (STACK_LOW <= address and address + size <= STACK_TOP):
                hooks.fault(state, f"it writes {size} bytes to {self._place(address)}")

    def _is_plain(self, address, size):
        low, high = self.image
        return (low <= address and address + size <= high + 1) or (
            STACK_LOW <= address and address + size <= STACK_TOP
        )

    def _word_at(self, address, size):
        """The word of the VM that an access is in."""
        for word in self.fields:
            start = VM + word.offset
            if start <= address and address + size <= start + word.size:
                return word
        return None

    def _is_argument(self, address, size):
        return any(
            base + field.offset <= address and address + size <= base + field.offset + field.size
            for base, field in self.arguments
        )

    def _place(self, address):
        for name, base, size in (
            ("struct kvm", VM, self.layout["size_vm"]),
            ("struct kvm_vcpu", VCPU, self.layout["size_vcpu"]),
            ("struct kvm_one_reg", REG, self.layout["size_one_reg"]),
            ("the arguments of KVM_ENABLE_CAP", ARGUMENTS, self.layout["size_args"]),
            ("struct task_struct", TASK, self.layout["size_task"]),
        ):
            if base <= address < base + size:
                return f"{name} + {address - base:#x}, of which the specification knows nothing"
        return f"{address:#x}, which is no memory of its own"


def put(state, address, data):
    state.memory.store(address, data, endness="Iend_LE", inspect=False)


def get(state, address, size):
    return state.memory.load(address, size, endness="Iend_LE", inspect=False)


def _addresses(state, address):
    if isinstance(address, int):
        return [address]
    return state.solver.eval_upto(address, ADDRESSES + 1)


def _size(state, length):
    return length if isinstance(length, int) else state.solver.eval_one(length)
