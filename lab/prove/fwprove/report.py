# SPDX-License-Identifier: GPL-2.0
"""What is printed, and out/prove.json."""

import json
import os

from .code import plain
from .hooks import TABLE

# How many of the mutants may make no difference, such as one that only takes a slower way.
EQUIVALENT = 0.1

ASSUMPTIONS = (
    "A VM's words hold what invariant.py says: psci_version nothing, or a version that goes with the vCPU "
    "features; a workaround's word nothing, or a value of the register plus one that fits the offer, and "
    "nothing in a default VM; a bitmap bits that KVM implements. That the handlers keep it is proven, and so "
    "is that a write of SSBS keeps it if KVM was allowed it.",
    "The state of the host is one of three, and does not change after boot. The ID registers change under "
    "config_lock only, and not once the VM has run.",
    "Nobody else writes to the VM while config_lock is held, while the guest asks (discover), or before a "
    "vCPU is created (enable, init_vm). The vCPU features and the flags of the capability do not change once "
    "there is a vCPU. Memory is sequential: that threads see each other's stores late changes nothing is what "
    "`make check ONLY=loom` finds, with the same source.",
    "vCPU, VM, kvm_one_reg and the arguments of KVM_ENABLE_CAP are valid, do not overlap, and are not on the "
    "stack.",
    "A thread of userspace makes the call, whose addresses may have tags or may not; both are followed.",
    "A copy from or to user memory succeeds, or fails and tells so; what a failed one leaves behind is "
    "anything. A load or store of 8 bytes that faults does what its entry in the exception table says.",
    "The static key of the tracepoint and protected mode (pKVM) are on or off; both are followed. The CPUs' "
    "capabilities are known, and the LL/SC variant of an atomic operation does what the LSE one does.",
    "`strict` of the kernel's command line is kept as inputs.py says.",
)


def case(result):
    """One line as a case ends."""
    word = "FAIL" if result.problems else "PASS"
    paths = f"{result.paths} paths" + (f", C {result.c_paths}" if result.c_paths else "")
    print(f"{word} {result.case.title} ({paths}, {result.seconds:.1f} s)", flush=True)
    for text in result.problems[:5]:
        print(f"     {text}")
    if len(result.problems) > 5:
        print(f"     and {len(result.problems) - 5} more")


def mutant(tried, text):
    if text is None:
        print(f"SAME mutant {tried.text}: the specification holds with it, too", flush=True)
    else:
        print(f"PASS mutant {tried.text}\n     {text}", flush=True)


def finish(sides, results, tried, seconds):
    """The differences, the assumptions and the sum. Whether all is well."""
    bad = sum(bool(result.problems) for result in results)
    both = [result for result in results if result.c_paths]
    alike = sum(not result.problems for result in both)
    print(f"\nA default VM does the same under C and Rust, for all inputs: {alike} of {len(both)} cases.")
    print("\nWhat a VM with flags does otherwise than the same VM without, exactly:\n")
    for difference in sorted(_merged(results), key=lambda entry: entry["of"], reverse=True):
        _difference(difference)
    print("Assumed:\n")
    for text in ASSUMPTIONS:
        print("  - " + text)
    print("  - What is called outside of the objects does what lab/prove/fwprove/hooks.py says:")
    names = {plain(name) for side in sides for name in side.externs.values()}
    for name in sorted(names & set(TABLE)):
        print(f"      {name}: {' '.join((TABLE[name].__doc__ or '').split())}")
    same = sum(text is None for _, text in tried)
    paths = sum(result.paths + result.c_paths for result in results)
    print(f"\n{len(results) - bad} of {len(results)} cases proven, {paths} paths; "
          f"{len(tried) - same} of {len(tried)} mutants found; {seconds:.0f} s")
    few = same > len(tried) * EQUIVALENT
    if few:
        print("FAIL mutants: so many cannot be without effect; the proof overlooks something")
    return not bad and not few


def _merged(results):
    """Registers with the same difference and the same inputs together."""
    merged = {}
    for result in results:
        for entry in result.differences:
            key = (entry["title"], tuple(entry["inputs"]))
            if key in merged:
                merged[key]["registers"].append(entry["register"])
            else:
                merged[key] = entry | {"registers": [entry["register"]]}
    return merged.values()


def _difference(entry):
    where = " ".join([entry["of"], ", ".join(sorted(entry["registers"]))]).strip()
    print(f"  {entry['title']}: {where}")
    print(f"      default: {entry['default']}; with the flag: {entry['strict']}")
    print(f"      where: {', '.join(entry['when'])}")
    for line in entry["inputs"]:
        print(f"        {line}")
    print()


def write_json(path, results, tried):
    data = {
        "cases": [
            {"case": r.case.title, "paths": r.paths, "c_paths": r.c_paths, "problems": r.problems,
             "seconds": round(r.seconds, 2)}
            for r in results
        ],
        "differences": [entry for r in results for entry in r.differences],
        "mutants": [{"mutant": m.text, "counterexample": text} for m, text in tried],
    }
    part = f"{path}.part"
    with open(part, "w") as file:
        json.dump(data, file, indent=1)
    os.replace(part, path)
