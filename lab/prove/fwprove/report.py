# SPDX-License-Identifier: GPL-2.0
"""What is printed, and out/prove.json."""

import json
import os

# How many of the mutants may make no difference, such as one that only takes a slower way.
EQUIVALENT = 0.1

ASSUMPTIONS = (
    "Nobody else writes to the VM while config_lock is held. Memory is sequential: a read without the "
    "lock sees all that was written before (barriers are not looked at).",
    "While others write, the VM was given nothing that exceeds the offer: the host has not become worse "
    "since. Once it has run, its ID registers stay what they are.",
    "The state of the host is one of three, and does not change during a call.",
    "A VM's words hold what the invariant in inputs.py allows: nothing, or a promise of the register, "
    "and bits that KVM implements. That set keeps it is proven.",
    "vCPU, VM and kvm_one_reg are valid, do not overlap, and are not on the stack.",
    "A copy from or to user memory succeeds or fails as a whole; what a failed one leaves behind is "
    "anything. Addresses above TASK_SIZE_MAX - 8 are never copied. A load or store of 8 bytes that "
    "faults does what its entry in the exception table says.",
    "The static key of the tracepoint is on or off; both are followed.",
    "The object's code is what runs: {alternatives} places in it are patched at boot.",
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


def finish(spec, sides, results, tried, seconds):
    """The deviations, the assumptions and the sum. Whether all is well."""
    print("\nWhere C and Rust answer differently, exactly:\n")
    for deviation in sorted(_merged(results), key=lambda entry: (entry["name"], entry["of"])):
        _deviation(deviation)
    for entry in spec.table["elsewhere"]:
        print(f"  {entry['name']}  not in these objects: {entry['why']}")
    print("\nAssumed:\n")
    alternatives = sum(side.alternatives for side in sides)
    for text in ASSUMPTIONS:
        print("  - " + text.format(alternatives=alternatives))
    print("  - What is called outside of the objects does what lab/prove/fwprove/hooks.py says:")
    for name in sorted(_hooked(sides)):
        print(f"      {name}")
    bad = sum(bool(result.problems) for result in results)
    same = sum(text is None for _, text in tried)
    paths = sum(result.paths + result.c_paths for result in results)
    print(f"\n{len(results) - bad} of {len(results)} cases proven, {paths} paths; "
          f"{len(tried) - same} of {len(tried)} mutants found; {seconds:.0f} s")
    few = same > len(tried) * EQUIVALENT
    if few:
        print("FAIL mutants: so many cannot be without effect; the proof overlooks something")
    return not bad and not few


def _hooked(sides):
    from .hooks import TABLE

    names = {name for side in sides for name in side.externs.values()}
    for name in names & set(TABLE):
        yield f"{name}: {' '.join((TABLE[name].__doc__ or '').split())}"


def _merged(results):
    """Registers with the same deviation and the same inputs together."""
    merged = {}
    for result in results:
        for entry in result.deviations:
            key = (entry["name"], entry["title"], entry["of"], tuple(entry["inputs"]))
            if key in merged:
                merged[key]["registers"].append(entry["register"])
            else:
                merged[key] = entry | {"registers": [entry["register"]]}
    return merged.values()


def _deviation(entry):
    print(f"  {entry['name']}  {entry['title']}: {entry['of']} {', '.join(sorted(entry['registers']))}")
    print(f"      C: {entry['c']}; Rust: {entry['rust']}")
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
        "deviations": [entry for r in results for entry in r.deviations],
        "mutants": [{"mutant": m.text, "counterexample": text} for m, text in tried],
    }
    part = f"{path}.part"
    with open(part, "w") as file:
        json.dump(data, file, indent=1)
    os.replace(part, path)
