# SPDX-License-Identifier: GPL-2.0
"""Proves the compiled handlers of the firmware pseudo-registers against lab/prove/spec.toml."""
