# SPDX-License-Identifier: GPL-2.0
"""Runs a handler of an object on all inputs at once, and returns what each path through it does."""

from dataclasses import dataclass, field

import angr
import claripy
from angr.concretization_strategies import SimConcretizationStrategyRange

from . import hooks, objects, uaccess
from .inputs import WORDS

# Where things are put. Nothing else is mapped.
VM = 0x10_0000_0000
VCPU = 0x20_0000_0000
REG = 0x30_0000_0000
STACK_TOP = 0x40_0001_0000
STACK_LOW = 0x40_0000_0000
RETURN = 0x50_0000_0000

# The words that others may write while a handler runs that does not hold the lock. Features and the
# state of the host do not change once there is a vCPU to ask through.
RACING = (
    "flags",
    "psci_version",
    "workaround_1",
    "workaround_2",
    "workaround_3",
    "std_bmap",
    "std_hyp_bmap",
    "vendor_hyp_bmap",
    "vendor_hyp_bmap_2",
    "null_promise",
    "id_aa64pfr1_el1",
)

# Of a symbolic address, so many values are followed; more is an error.
ADDRESSES = 64

# How many basic blocks a path may have. There is no loop that the inputs can prolong.
BLOCKS = 300


@dataclass
class Path:
    """What one path does, in terms of the inputs."""

    conditions: list
    answer: object
    words: dict
    events: tuple
    depth: int
    faults: list = field(default_factory=list)


@dataclass
class Run:
    paths: list
    # What happened on paths that did not come to an end, in words, each with its conditions.
    broken: list
    # The addresses of all instructions that were executed, and of those that store into the VM.
    executed: set
    stores: set


class Machine:
    """A linked object with the hooks in place."""

    def __init__(self, linked, layout):
        self.linked, self.layout = linked, layout
        self.project = angr.Project(linked.path, auto_load_libs=False, use_sim_procedures=False)
        for address, name in linked.externs.items():
            known = hooks.TABLE.get(name)
            hook = known() if known else hooks.Unknown(name)
            self.project.hook(address, hook)
        for branch in linked.branches:
            self.project.hook(branch.code, hooks.StaticKey(branch), length=4)
        for fixup in uaccess.fixups(linked.path):
            access = uaccess.Access(fixup, self.read(fixup.code))
            self.project.hook(fixup.code, access, length=4)
        self.fields = {layout.field(word).offset: layout.field(word) for word in WORDS}
        image = self.project.loader.main_object
        self.image = (image.min_addr, image.max_addr)

    def symbol(self, name):
        found = self.project.loader.find_symbol(name)
        return found and found.rebased_addr

    def read(self, address):
        return self.project.loader.memory.unpack_word(address, size=4)

    def write(self, address, instruction):
        """Puts another instruction into the loaded object."""
        self.project.loader.memory.pack_word(address, instruction, size=4)
        self.project.factory.default_engine.clear_cache()

    def disassemble(self, address):
        instruction = self.project.factory.block(address, size=4, num_inst=1).capstone.insns[0]
        return f"{address - objects.TEXT:#x} {instruction.mnemonic} {instruction.op_str}"

    def _state(self, function, arguments, assume, racing):
        state = self.project.factory.call_state(
            self.symbol(function),
            *arguments,
            ret_addr=RETURN,
            stack_base=STACK_TOP,
            add_options={
                angr.options.SYMBOL_FILL_UNCONSTRAINED_MEMORY,
                angr.options.SYMBOL_FILL_UNCONSTRAINED_REGISTERS,
            },
        )
        state.regs.sp = STACK_TOP
        state.memory.read_strategies = [SimConcretizationStrategyRange(ADDRESSES)]
        state.memory.write_strategies = [SimConcretizationStrategyRange(ADDRESSES)]
        state.globals["events"], state.globals["depth"], state.globals["faults"] = (), 0, ()
        layout = state.globals["layout"] = self.layout
        pointer = layout.field("vcpu_kvm")
        self._put(state, VCPU + pointer.offset, claripy.BVV(VM, 64))
        self._put(state, VCPU + layout["offset_vcpu_id"], _symbol("vcpu_id", 32))
        self._put(state, REG + layout["offset_reg_id"], _symbol("id", 64))
        self._put(state, REG + layout["offset_reg_addr"], _symbol("address", 64))
        for word in self.fields.values():
            self._put(state, VM + word.offset, _symbol(word.name, word.bits))
        state.add_constraints(*assume)
        state.inspect.b("mem_read", when=angr.BP_BEFORE, action=self._reads)
        state.globals["moments"] = 0
        if racing:
            state.inspect.b("mem_read", when=angr.BP_AFTER, action=self._race)
        state.inspect.b("mem_write", when=angr.BP_BEFORE, action=self._writes)
        return state

    @staticmethod
    def _put(state, address, data):
        state.memory.store(address, data, endness="Iend_LE", inspect=False)

    def _reads(self, state):
        for address in _addresses(state, state.inspect.mem_read_address):
            size = _size(state, state.inspect.mem_read_length)
            if not (self._is_plain(address, size) or self._word_at(address, size)
                    or self._is_argument(address, size)):
                self._fault(state, f"it reads {size} bytes at {self._place(address)}")

    def _race(self, state):
        """Lets a read see what others may have written since the last one."""
        size = _size(state, state.inspect.mem_read_length)
        places = [
            (address, word)
            for address in _addresses(state, state.inspect.mem_read_address)
            if (word := self._word_at(address, size)) and word.name in RACING
        ]
        if not places:
            return
        if len(places) > 1:
            self._fault(state, "it reads one of several words, which this proof cannot follow")
        if any(event[0] == "write" for event in state.globals["events"]):
            self._fault(state, "it reads after its own write, which this proof cannot follow")
        if state.globals["depth"] == 0:
            hooks.moment(state, "read")
        now = state.globals["moments"] - 1
        address, word = places[0]
        low = 8 * (address - VM - word.offset)
        seen = _symbol(f"{word.name}@{now}", word.bits)
        state.inspect.mem_read_expr = seen[low + 8 * size - 1 : low]

    def _writes(self, state):
        for address in _addresses(state, state.inspect.mem_write_address):
            size = _size(state, state.inspect.mem_write_length)
            word = self._word_at(address, size)
            if word and size == word.size:
                self.stores.add(state.scratch.ins_addr)
                hooks.note(state, "write", word.name, state.globals["depth"])
            elif not (STACK_LOW <= address and address + size <= STACK_TOP):
                self._fault(state, f"it writes {size} bytes to {self._place(address)}")

    def _is_plain(self, address, size):
        low, high = self.image
        return (low <= address and address + size <= high + 1) or (
            STACK_LOW <= address and address + size <= STACK_TOP
        )

    def _word_at(self, address, size):
        """The word of the VM that an access is in."""
        for word in self.fields.values():
            start = VM + word.offset
            if start <= address and address + size <= start + word.size:
                return word
        return None

    def _is_argument(self, address, size):
        bases = {"vcpu_kvm": VCPU, "vcpu_id": VCPU, "reg_id": REG, "reg_addr": REG}
        for name, base in bases.items():
            member = self.layout.field(name)
            start = base + member.offset
            if start <= address and address + size <= start + member.size:
                return True
        return False

    def _place(self, address):
        for name, base, size in (
            ("struct kvm", VM, self.layout["size_vm"]),
            ("struct kvm_vcpu", VCPU, self.layout["size_vcpu"]),
            ("struct kvm_one_reg", REG, self.layout["size_one_reg"]),
        ):
            if base <= address < base + size:
                return f"{name} + {address - base:#x}, of which the specification knows nothing"
        return f"{address:#x}, which is no memory of its own"

    @staticmethod
    def _fault(state, text):
        state.globals["faults"] = state.globals["faults"] + (text,)

    def run(self, function, arguments, assume, racing=False):
        """All paths through a function with these arguments, under these assumptions; if it is
        racing, while others write to the VM."""
        state = self._state(function, arguments, assume, racing)
        manager = self.project.factory.simgr(state)
        broken, executed, blocks, self.stores = [], set(), 0, set()
        while manager.active:
            for state in manager.active:
                if not self.project.is_hooked(state.addr):
                    executed.update(self._instructions(state.addr))
            try:
                manager.step()
            except hooks.NoHook as error:
                broken.append((str(error), manager.active[0].solver.constraints))
                break
            manager.move("active", "done", lambda state: state.addr == RETURN)
            blocks += 1
            if blocks > BLOCKS:
                broken.append(("it does not come to an end", manager.active[0].solver.constraints))
                break
        done = [self._path(state) for state in manager.stashes.get("done", [])]
        for record in manager.errored:
            broken.append((self._error(record), record.state.solver.constraints))
        for stash in ("unconstrained", "deadended"):
            for state in manager.stashes.get(stash, []):
                broken.append((f"it gets lost at {state.addr}", state.solver.constraints))
        return Run(done, broken, executed, self.stores)

    def _instructions(self, address):
        return self.project.factory.block(address).instruction_addrs

    def _error(self, record):
        if isinstance(record.error, hooks.NoHook):
            return str(record.error)
        address = record.state.addr
        return f"it stops at {address:#x}: {record.error}"

    def _path(self, state):
        words = {
            word.name: state.memory.load(
                VM + word.offset, word.size, endness="Iend_LE", inspect=False
            )
            for word in self.fields.values()
        }
        return Path(
            conditions=list(state.solver.constraints),
            answer=state.registers.load("x0")[31:0],
            words=words,
            events=state.globals["events"],
            depth=state.globals["depth"],
            faults=list(state.globals["faults"]),
        )


def _symbol(name, bits):
    return claripy.BVS(name, bits, explicit_name=True)


def _addresses(state, address):
    if isinstance(address, int):
        return [address]
    return state.solver.eval_upto(address, ADDRESSES + 1)


def _size(state, length):
    return length if isinstance(length, int) else state.solver.eval_one(length)
