# SPDX-License-Identifier: GPL-2.0
"""The whole proof: every case, then some mutants, in as many processes as there are CPUs."""

import multiprocessing
import os
import tempfile
import time

from . import mutants, objects, report, work
from .entries import cases
from .layout import Layout
from .machine import Machine
from .spec import Spec


def prove(options):
    """Whether all is as the specification says."""
    start = time.monotonic()
    spec = Spec()
    layouts = (options.rust_layout, options.c_layout)
    wrong = [text for path in layouts for text in spec.disagreements(Layout(path))]
    if wrong:
        raise ValueError("; ".join(wrong))
    with tempfile.TemporaryDirectory() as directory:
        rust = objects.link(options.linker, options.rust, f"{directory}/rust")
        c = objects.link(options.linker, options.c, f"{directory}/c")
        sides = ((rust, options.rust_layout), (c, options.c_layout))
        processes = len(os.sched_getaffinity(0))
        with multiprocessing.get_context("fork").Pool(processes, work.start, sides) as pool:
            results = list(_prove_cases(pool, spec))
            tried = []
            if options.mutants and not any(result.problems for result in results):
                tried = list(_try_mutants(pool, rust, options, results))
    good = report.finish((rust, c), results, tried, time.monotonic() - start)
    if options.json:
        report.write_json(options.json, results, tried)
    return good


def _prove_cases(pool, spec):
    # Those that take long first.
    jobs = sorted(cases(spec), key=lambda case: case.entry != "set")
    for result in pool.imap_unordered(work.do_case, jobs, 1):
        report.case(result)
        yield result


def _try_mutants(pool, rust, options, results):
    """All mutants, or so many of those in the set handler."""
    loaded = Machine(rust, Layout(options.rust_layout))
    every = options.mutants < 0
    of = [result for result in results if every or result.case.entry == "set"]
    found = list(mutants.all_of(
        loaded,
        set().union(*(result.executed for result in of)),
        set().union(*(result.stores for result in of)),
    ))
    quick_first = sorted(results, key=lambda result: result.paths)
    jobs = [
        (mutant, [result.case for result in quick_first if mutant.address in result.executed])
        for mutant in (found if every else mutants.spread(found, options.mutants))
    ]
    for mutant, text in pool.imap_unordered(work.do_mutant, jobs, 1):
        report.mutant(mutant, text)
        yield mutant, text
