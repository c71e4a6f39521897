# SPDX-License-Identifier: GPL-2.0
"""`lab prove` calls this: python -m fwprove --help."""

import argparse
import multiprocessing
import pathlib
import sys
import tempfile
import time

from . import mutants, objects, report, work
from .entries import cases
from .layout import Layout
from .machine import Machine
from .spec import Spec

HERE = pathlib.Path(__file__).resolve().parent.parent


def parse():
    parser = argparse.ArgumentParser(prog="fwprove", description=__doc__)
    parser.add_argument("--rust", required=True, help="the object of the Rust handlers")
    parser.add_argument("--c", required=True, help="the object of the C handlers")
    parser.add_argument("--rust-layout", required=True, help="layout.c, compiled for the Rust kernel")
    parser.add_argument("--c-layout", required=True, help="layout.c, compiled for the C kernel")
    parser.add_argument("--linker", default="ld.lld", help="a linker for arm64 (ld.lld)")
    parser.add_argument("--spec", default=str(HERE / "spec.toml"), help="the specification")
    parser.add_argument("--mutants", type=int, default=12, metavar="N",
                        help="how many mistakes to try (12); 0 for none, -1 for all")
    parser.add_argument("--json", help="write what was found to this file, too")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    return parser.parse_args()


def main():
    options = parse()
    start = time.monotonic()
    spec = Spec(options.spec)
    layouts = (options.rust_layout, options.c_layout)
    wrong = [text for path in layouts for text in spec.disagreements(Layout(path))]
    if wrong:
        sys.exit("\n".join(f"{options.spec}: {text}" for text in wrong))
    with tempfile.TemporaryDirectory() as directory:
        rust = objects.link(options.linker, options.rust, f"{directory}/rust")
        c = objects.link(options.linker, options.c, f"{directory}/c")
        sides = (options.spec, (rust, options.rust_layout), (c, options.c_layout))
        context = multiprocessing.get_context("fork")
        with context.Pool(options.jobs, work.start, sides) as pool:
            # The longest first.
            jobs = sorted(cases(spec), key=lambda case: case.entry != "set")
            results = []
            for result in pool.imap_unordered(work.do_case, jobs, 1):
                results.append(result)
                report.case(result)
            proven = not any(result.problems for result in results)
            tried = []
            if proven and options.mutants:
                tried = list(_try_mutants(pool, rust, options, results))
    good = report.finish(spec, (rust, c), results, tried, time.monotonic() - start)
    if options.json:
        report.write_json(options.json, results, tried)
    sys.exit(0 if good else 1)


def _try_mutants(pool, rust, options, results):
    executed = set().union(*(result.executed for result in results))
    stores = set().union(*(result.stores for result in results))
    loaded = Machine(rust, Layout(options.rust_layout))
    found = list(mutants.all_of(loaded, executed, stores))
    chosen = found if options.mutants < 0 else mutants.spread(found, options.mutants)
    quick_first = sorted(results, key=lambda result: result.paths)
    jobs = [
        (mutant, [result.case for result in quick_first if mutant.address in result.executed])
        for mutant in chosen
    ]
    for mutant, text in pool.imap_unordered(work.do_mutant, jobs, 1):
        report.mutant(mutant, text)
        yield mutant, text


if __name__ == "__main__":
    main()
