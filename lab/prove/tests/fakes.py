# SPDX-License-Identifier: GPL-2.0
"""What the tests have instead of a kernel's build: its numbers, and objects of a few bytes."""

import struct

WORD_SIZES = {"psci_version": 4, "workaround_1": 4, "workaround_2": 4, "workaround_3": 4, "is_protected": 1,
              "task_flags": 4}


class FakeLayout:
    """A kernel whose numbers are the specification's. `without` are fields that it lacks."""

    def __init__(self, spec, without=()):
        bits = {"has_ran_bit": 2, "psci_0_2_bit": 2, "KVM_ARCH_FLAG_FW_REGS_STRICT": 12,
                "KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE": 13, "ssbs_shift": 4, "ssbs_width": 4,
                "cap_booted": 0, "cap_protected": 1, "cap_lse": 5, "user_limit": 1 << 52,
                "has_tags": 1, "tagged_bit": 26, "kthread": 1 << 21}
        sizes = {"reg_size_mask": 0x00F0000000000000, "reg_size_u64": 0x0030000000000000,
                 "size_vm": 0x1000, "size_vcpu": 0x2000, "size_one_reg": 16, "size_args": 32, "size_task": 0x1000}
        host = {"unaffected": 0, "mitigated": 1, "vulnerable": 2}
        self.numbers = bits | sizes | host | {"offset_config_lock": 0x40}
        self.without = without
        for number, register in enumerate(spec.registers):
            self.numbers[f"KVM_REG_ARM_{register.name}"] = register.id
            self.numbers[register.offer.get("mask", "")] = 3
            if register.discovery:
                self.numbers[register.discovery["function"]] = 0x80008000 + number
        for number in range(len(spec.table["trace"]["verdicts"])):
            self.numbers[f"verdict_{number}"] = number
        for flag in spec.table["flag"]:
            self.numbers[flag["name"]] = flag["value"]
        # Each field has 16 bytes for itself, and offsets are given out as fields are asked for.
        self.offsets = {}

    def __getitem__(self, name):
        return self.numbers[name]

    def has(self, name):
        return name not in self.without

    def field(self, name):
        from fwprove.layout import Field

        offset = self.offsets.setdefault(name, 0x100 + 16 * len(self.offsets))
        return Field(name, offset, WORD_SIZES.get(name, 8))


def elf(path, sections, symbols=()):
    """Writes an object with such sections, `name: (address, bytes)`, and such symbols,
    `(name, section or None where it is undefined, value, size)`."""
    names = ["", *sections, ".symtab", ".strtab", ".shstrtab"]
    strings, symtab = b"\0", bytes(24)
    for name, section, value, size in symbols:
        index = names.index(section) if section else 0
        symtab += struct.pack("<IBBHQQ", len(strings), 0x10, 0, index, value, size)
        strings += name.encode() + b"\0"
    contents = [(0, 0, b"")] + [(1, address, data) for address, data in sections.values()]
    contents += [(2, 0, symtab), (3, 0, strings), (3, 0, b"\0".join(n.encode() for n in names) + b"\0")]

    body, headers, name_at = b"", b"", 0
    for number, (name, (kind, address, data)) in enumerate(zip(names, contents)):
        link, entry = (number + 1, 24) if kind == 2 else (0, 0)
        headers += struct.pack("<IIQQQQIIQQ", name_at, kind, 0, address, 64 + len(body), len(data), link, 1, 1,
                               entry)
        body += data
        name_at += len(name) + 1
    start = b"\x7fELF\x02\x01\x01" + bytes(9)
    numbers = struct.pack("<HHIQQQIHHHHHH", 1, 183, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, len(names),
                          len(names) - 1)
    with open(path, "wb") as file:
        file.write(start + numbers + body + headers)
    return path
