# SPDX-License-Identifier: GPL-2.0
"""The tables of the acceptance page, made from the specification.

A table of the page is found by its head, so that the page needs no marks.
"""

import re
import textwrap


def table(head, rows, widths):
    """A simple table of reStructuredText. A cell is a text, which is wrapped, or a list of lines."""
    rule = " ".join("=" * width for width in widths)
    lines = [rule, *_row(head, widths), rule]
    for row in rows:
        lines += _row(row, widths)
    return [*lines, rule]


def _row(cells, widths):
    wrapped = [
        textwrap.wrap(cell, width, break_on_hyphens=False) if isinstance(cell, str) else cell
        for cell, width in zip(cells, widths)
    ]
    for number in range(max(map(len, wrapped))):
        parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
        yield " ".join(part.ljust(width) for part, width in zip(parts, widths)).rstrip()


def _number(value):
    return str(value) if value < 10 else f"{value:#x}"


def _runs(values):
    """Neighbours together."""
    runs = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs


def _series(values, show, last=", "):
    """Values with `to` between the ends of a run."""
    parts = [f"{show(run[0])} to {show(run[-1])}" if len(run) > 2 else ", ".join(map(show, run))
             for run in _runs(values)]
    return last.join([", ".join(parts[:-1]), parts[-1]]) if parts[1:] else parts[0]


def _short(id_):
    low = id_ & 0xFFFFFFFF
    return f"{low >> 16:#06x}_{low & 0xFFFF:04x}"


def _well_formed(register):
    if register.is_bitmap:
        return "Any."
    if register.like:
        return f"As for {register.like.removeprefix('SMCCC_ARCH_')}."
    if "newest" in register.offer:
        means = {value.value: f"{value.value:#x} ({value.means})" for value in register.values}
        without, with_it = (
            _series([v.value for v in register.values if v.feature is feature], means.get)
            for feature in (False, True)
        )
        return (f"Without the vCPU feature KVM_ARM_VCPU_PSCI_0_2: {without}. "
                f"With it: {with_it}.")
    lines = [f"{_number(value.value)} {value.means}" for value in register.values]
    return [line + "," for line in lines[:-1]] + [lines[-1] + "."]


def _offer(register, spec, first_bitmap):
    offer = register.offer
    if "newest" in offer:
        return "The newest of the well-formed ones."
    if "host" in offer:
        ssbs = ", and SSBS" if "visible" in offer else ""
        return f"From the state of {spec.table['host'][offer['host']]}{ssbs}."
    text = "All services that KVM implements" if first_bitmap else "The same"
    return text + (f", {register.note}." if register.note else ".")


def _registers(spec):
    first = next(register for register in spec.registers if register.is_bitmap)
    rows = [
        [_short(r.id), r.name, _well_formed(r), _offer(r, spec, r is first)]
        for r in spec.registers
    ]
    head = ["Id", "Register", "Well-formed values", "Offer"]
    return table(head, rows, [11, 23, 24, 18])


def _offers(spec):
    plain = [r for r in spec.registers if "any" in r.offer]
    special = next(r for r in spec.registers if "visible" in r.offer)
    if any(r.offer["any"] != plain[0].offer["any"] for r in plain):
        raise ValueError("these registers have different offers, and one column")
    name = special.name.removeprefix("SMCCC_ARCH_")
    rows = [
        [state, str(plain[0].offer["any"][i]), str(special.offer["visible"][i]),
         str(special.offer["hidden"][i])]
        for i, state in enumerate(spec.host_states)
    ]
    head = [
        "State of the host",
        [r.name.removeprefix("SMCCC_ARCH_") + "," * (r is not plain[-1]) for r in plain],
        [f"{name}, SSBS", "visible"],
        [f"{name},", "SSBS hidden"],
    ]
    return table(head, rows, [19, 15, 18, 17])


def _verdicts(spec, entry, title):
    pages = [step["page"] for step in spec.table[entry] if "page" in step]
    rows = [[str(number), text, answer] for number, (text, answer) in enumerate(pages, 1)]
    return table(["Step", title, "Answer"], rows, [4, 53, 20])


def _null(spec):
    rows = [
        [f"{entry['class'] >> 16 & 0xFFFF:#06x}",
         entry["page"].format(values=_series(entry["values"], "{:#x}".format, " and "))]
        for entry in spec.table["null"]
    ]
    return table(["Class", "Accepted values"], rows, [8, 68])


def tables(spec):
    return (
        _registers(spec),
        _offers(spec),
        _verdicts(spec, "set", "KVM_SET_ONE_REG"),
        _verdicts(spec, "get", "KVM_GET_ONE_REG"),
        _null(spec),
    )


def _replace(lines, made):
    """Puts a table into the place of the one with the same head."""
    heads = [line.split() for line in made[1 : made.index(made[0], 1)]]
    for start, line in enumerate(lines):
        if not re.fullmatch(r"=+( =+)+", line):
            continue
        if [text.split() for text in lines[start + 1 : start + 1 + len(heads)]] != heads:
            continue
        rules = [n for n in range(start, len(lines)) if lines[n] == line]
        if len(rules) < 3:
            break
        return lines[:start] + made + lines[rules[2] + 1 :]
    raise ValueError(f"the page has no table with the head `{' '.join(heads[0])}`")


def _replace_verdicts(lines, verdicts):
    """Puts the numbers of the verdicts into their place, a block of lines."""
    place = [n for n, line in enumerate(lines) if re.search(r"(^verdict|^ +) \| \d+ ", line)]
    if not place or place != list(range(place[0], place[-1] + 1)):
        raise ValueError("the page has no list of verdicts, `| 0 accepted` and so on")
    before = lines[place[0]].index("|")
    made = [f"{'' if n else 'verdict':{before}}| {n} {text}" for n, text in enumerate(verdicts)]
    return lines[: place[0]] + made + lines[place[-1] + 1 :]


def rewritten(page, spec):
    """The page with tables that say what the specification says."""
    lines = page.split("\n")
    for made in tables(spec):
        lines = _replace(lines, made)
    return "\n".join(_replace_verdicts(lines, spec.table["trace"]["verdicts"]))
