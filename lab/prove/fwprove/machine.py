# SPDX-License-Identifier: GPL-2.0
"""Runs a handler of an object on all inputs at once, and returns what each path through it does."""

from dataclasses import dataclass, field

import angr
from angr.concretization_strategies import SimConcretizationStrategyRange

from . import current, hooks, objects, patches, uaccess
from .memory import ADDRESSES, RETURN, STACK_TOP, Memory

# How many basic blocks a path may have. There is no loop that the inputs can prolong.
BLOCKS = 300

# The module's parameter, a static variable of the component.
PARAMETER = "17module_parameters6strict"


@dataclass
class Path:
    """What one path does, in terms of the inputs."""

    conditions: list
    answer: object
    words: dict
    events: tuple
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
            self.project.hook(address, hooks.find(name))
        for place in patches.places(linked, layout, self.read):
            self.project.hook(place.code, patches.Patched(place), length=4)
        for fixup in uaccess.fixups(linked.path):
            access = uaccess.Access(fixup, self.read(fixup.code))
            self.project.hook(fixup.code, access, length=4)
        image = self.project.loader.main_object
        self.image = (image.min_addr, image.max_addr)
        for section in (section for section in image.sections if section.is_executable):
            for address in range(section.min_addr, section.max_addr, 4):
                if current.reads(self.read(address)):
                    self.project.hook(address, current.hook(self.read(address)), length=4)
        names = [name for name in image.symbols_by_name if name.endswith(PARAMETER)]
        self.parameter = self.symbol(names[0]) if len(names) == 1 else None

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

    def _state(self, entry, assume, memory, parameter):
        state = self.project.factory.call_state(
            self.symbol(entry.function),
            *entry.arguments(),
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
        memory.fill(state, self.parameter if parameter else None)
        state.add_constraints(*assume)
        memory.watch(state)
        return state

    def run(self, entry, assume, parameter=False):
        """All paths through an entry point under these assumptions; with `parameter`, the module's may
        have been given."""
        memory = Memory(self.layout, self.image, entry.shared)
        manager = self.project.factory.simgr(self._state(entry, assume, memory, parameter))
        broken, executed, blocks = [], set(), 0
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
        done = [_path(state, memory) for state in manager.stashes.get("done", [])]
        for record in manager.errored:
            broken.append((_error(record), record.state.solver.constraints))
        for stash in ("unconstrained", "deadended"):
            for state in manager.stashes.get(stash, []):
                broken.append((f"it gets lost at {state.addr}", state.solver.constraints))
        return Run(done, broken, executed, memory.stores)

    def _instructions(self, address):
        return self.project.factory.block(address).instruction_addrs


def _error(record):
    if isinstance(record.error, hooks.NoHook):
        return str(record.error)
    return f"it stops at {record.state.addr:#x}: {record.error}"


def _path(state, memory):
    return Path(
        conditions=list(state.solver.constraints),
        answer=state.registers.load("x0")[31:0],
        words=memory.words(state),
        events=state.globals["events"],
        faults=list(state.globals["faults"]),
    )
