# SPDX-License-Identifier: GPL-2.0
#
# Everything is done by the tool in lab/, which is built on first use.

LAB := lab/bootstrap $(if $(KDIR),--kdir "$(KDIR)")

.PHONY: help run check setup tree kernel

help:
	@echo 'make run        boot emulated hosts, move pseudo-registers between all of them'
	@echo 'make check      run every test'
	@echo
	@echo 'make setup      get the tools that building and booting need'
	@echo 'make tree       get a kernel source and put the component into it: out/linux'
	@echo 'make kernel     build both kernels: out/kernel/rust/Image, out/kernel/c/Image'
	@echo
	@echo 'KDIR=path       work on a copy of that kernel tree instead of Debian'\''s source'

run check setup tree kernel:
	@$(LAB) $@
