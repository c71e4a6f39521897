# SPDX-License-Identifier: GPL-2.0
"""Names and instructions of an object."""

import re

B, BL = 0x14000000, 0x94000000


def branch_target(address, instruction, kind=B):
    """Where a `b` or a `bl` goes, if the instruction is one."""
    if instruction & 0xFC000000 != kind:
        return None
    offset = instruction & 0x3FFFFFF
    return address + 4 * (offset - (1 << 26) if offset >> 25 else offset)


def plain(name):
    """The path of a plain Rust function, from its symbol (v0 mangling); any other name as it is."""
    match = re.fullmatch(r"_R(?:N[a-z])+C(?:s[0-9A-Za-z]*_)?(.+)", name)
    rest, parts = match[1] if match else "", []
    while length := re.match(r"\d+", rest):
        start = length.end()
        end = start + int(length[0])
        parts.append(rest[start:end])
        rest = rest[end:]
    return name if rest or not parts else "::".join(parts)
