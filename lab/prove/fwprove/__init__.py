# SPDX-License-Identifier: GPL-2.0
"""Proves the compiled handlers of the firmware pseudo-registers against lab/prove/spec.toml."""

import logging

# angr says things that are of no use here, such as that it has no unicorn.
for name in ("angr", "cle", "pyvex", "claripy"):
    logging.getLogger(name).setLevel(logging.CRITICAL)
