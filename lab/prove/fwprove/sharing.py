# SPDX-License-Identifier: GPL-2.0
"""Why a handler may be proven as if it were alone, although others write to the VM meanwhile.

What others may write, a path accesses in one critical section, or it accesses one word of it, once.
Either is one moment, at which the call could have been done as a whole. (Whether the VM has run is a
bit of a word whose other bits do not change: without the lock it is read as anything, see memory.py.)
"""

import z3

from .inputs import WORKAROUNDS


def accesses(events):
    """The words that a path accesses without the lock, and how often it does with it."""
    outside, inside = [], 0
    for kind, *arguments in events:
        if kind in ("read", "write"):
            name, depth = arguments
            if depth == 0:
                outside.append(name)
            else:
                inside += 1
    return outside, inside


def wrongs(inputs, events):
    """What a path does wrong: a text, and a formula that says when."""
    if sum(kind == "lock" for kind, *_ in events) > 1:
        yield "there is more than one critical section", z3.BoolVal(True)
    outside, inside = accesses(events)
    # Nobody writes the workarounds of a default VM.
    counts = [
        z3.If(inputs.strict, 1, 0) if name in WORKAROUNDS else z3.IntVal(1) for name in outside
    ]
    allowed = 0 if inside else 1
    if len(counts) > allowed:
        text = f"{', '.join(outside)}: accessed without config_lock, and not at one moment"
        yield text, z3.Sum(counts) > allowed
