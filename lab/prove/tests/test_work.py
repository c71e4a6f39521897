# SPDX-License-Identifier: GPL-2.0
"""The processes of the proof."""

import os
import select
import signal
import subprocess
import sys
import unittest
from importlib.util import find_spec

PARENT = """
import multiprocessing, signal, time
from fwprove import work

def child(ready):
    work.end_with_parent()
    ready.set()
    while True:
        pass

context = multiprocessing.get_context("fork")
ready = context.Event()
process = context.Process(target=child, args=(ready,))
process.start()
ready.wait()
print(process.pid, flush=True)
signal.pause()
"""


@unittest.skipUnless(find_spec("angr"), "needs angr")
class Processes(unittest.TestCase):
    def test_a_worker_ends_with_the_process_that_started_it(self):
        parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
        with parent:
            worker = os.pidfd_open(int(parent.stdout.readline()))
            parent.kill()
        # It can be read once the process has ended.
        ended, _, _ = select.select([worker], [], [], 10)
        if not ended:
            signal.pidfd_send_signal(worker, signal.SIGKILL)
        os.close(worker)
        self.assertTrue(ended)

    def test_a_mutant_is_taken_back_whatever_becomes_of_it(self):
        from fwprove.mutants import NOP, Mutant
        from fwprove.work import Worker

        class Machine(dict):
            read, write = dict.__getitem__, dict.__setitem__

        class Side:
            machine = Machine({0x1000: 1})
            seen = []

            def prove(self, case):
                self.seen.append((case, self.machine[0x1000]))
                if case == "broken":
                    raise RuntimeError("z3 does not know")
                return None, None, None, iter(["it is wrong"] if case == "wrong" else [])

        worker, mutant = Worker.__new__(Worker), Mutant(0x1000, NOP, "x: left out")
        worker.rust = side = Side()
        self.assertEqual(worker.mutant(mutant, ["fine", "wrong", "unused"]), (mutant, "it is wrong"))
        self.assertEqual(side.seen, [("fine", NOP), ("wrong", NOP)])
        self.assertEqual(worker.mutant(mutant, ["fine"]), (mutant, None))
        self.assertRaises(RuntimeError, worker.mutant, mutant, ["broken"])
        self.assertEqual(side.machine[0x1000], 1)


if __name__ == "__main__":
    unittest.main()
