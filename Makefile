# SPDX-License-Identifier: GPL-2.0
#
# Everything is done by the tool in lab/, which is built on first use.

LAB = lab/bootstrap $(if $(KDIR),--kdir "$(KDIR)") $(call option,KERNEL,kernel) $(call option,HOSTS,hosts)

# Options of `make shell`. A variable of the environment, such as csh's HOST, is none.
option = $(if $(filter command,$(origin $1)),--$2 "$($1)")
SHELL_OPTIONS = $(call option,HOST,host) $(call option,CPU,cpu) \
	$(call option,FIRMWARE,firmware) $(call option,HANDLERS,handlers) $(call option,CMDLINE,cmdline)

# Options of `make check`.
CHECK_OPTIONS = $(call option,ONLY,only) $(if $(filter 1,$(JSON)),--json)

# Options of `make migrate`.
MIGRATE_OPTIONS = $(call option,ONLY,only) $(call option,FROM,from) $(call option,TO,to) \
	$(call option,QEMU,qemu) $(call option,CPU,cpu) $(call option,CPU_TO,cpu-to) \
	$(if $(filter 1,$(STRICT)),--strict)

# Options of `make sanitize`.
SANITIZE_OPTIONS = $(call option,ONLY,only) $(call option,SECONDS,seconds) \
	$(if $(filter 1,$(JSON)),--json)

# Options of `make prove`.
PROVE_OPTIONS = $(call option,MUTANTS,mutants)

# Options of `make series`.
SERIES_OPTIONS = $(call option,PART,part) $(call option,BASE,base) \
	$(call option,TRAILER,trailer) $(if $(filter 1,$(SIGNOFF)),--sign-off) \
	$(if $(filter 1,$(B4)),--b4)

# Options of `make jobs`.
JOBS_OPTIONS = $(call option,URL,url) $(call option,BOARD_KERNEL,board-kernel)

# Options of `make bench`.
BENCH_OPTIONS = $(if $(filter 1,$(RECORD)),--record)

# Options of `make fuzz`.
FUZZ_OPTIONS = $(call option,SECONDS,seconds) $(call option,INPUT,input) \
	$(if $(filter 1,$(KEEP)),--keep)

.PHONY: help run matrix migrate bench check sanitize prove fuzz mutants series series-check jobs results shell setup tree kernel

help:
	@echo 'make run        boot emulated hosts, move pseudo-registers between all of them'
	@echo 'make matrix     the same as a report: out/matrix.html, out/matrix.json'
	@echo 'make migrate    move a running VM of QEMU from host to host and back: ONLY=strict,frozen for'
	@echo '                some journeys, FROM=a57 TO=fw-101 QEMU=11 STRICT=1 for one of your own'
	@echo 'make check      run every test: ONLY=unit,kunit for some steps, JSON=1 for one object a case'
	@echo 'make bench      count the instructions of each access, in C and in Rust: out/bench.json;'
	@echo '                RECORD=1 for the figures that check compares with'
	@echo 'make sanitize   run the selftests, and move VMs, in kernels with KASAN, KCSAN, PREEMPT_RT and'
	@echo '                other pages: ONLY=kasan for some, SECONDS=3600 for races of that length'
	@echo 'make prove      prove the compiled handlers against lab/prove/spec.toml, for all inputs:'
	@echo '                MUTANTS=-1 to try every mistake'
	@echo 'make fuzz       run the component beside a model of the laws, with inputs from a fuzzer:'
	@echo '                SECONDS=60, KEEP=1 to keep what it has found, INPUT=file to run one again'
	@echo 'make mutants    change the source in small ways, and see whether the tests notice'
	@echo 'make series     make patches for the mailing lists: out/series, PART=prepare for one part,'
	@echo '                SIGNOFF=1 to sign off, B4=1 for branches as b4 keeps them,'
	@echo '                KDIR=path BASE=commit for a tree of yours'
	@echo 'make series-check  take them into a pristine tree, build each, boot and test each part'
	@echo 'make jobs       make jobs for a test engine, LAVA or tuxrun: out/jobs, URL=where they are served,'
	@echo '                BOARD_KERNEL=URL for boards, too'
	@echo 'make results    read what an engine has recorded: FILE=log'
	@echo 'make shell      boot a host for you: CPU=cortex-a76, FIRMWARE=0,-2,-1, HANDLERS=c,'
	@echo '                CMDLINE=mitigations=off, or HOST=n1 of lab/data/hosts.toml'
	@echo
	@echo 'make setup      get the tools that building and booting need'
	@echo 'make tree       get a kernel source and put the component into it: out/linux'
	@echo 'make kernel     build both kernels: out/kernel/rust/Image, out/kernel/c/Image;'
	@echo '                VARIANT=kasan for one of lab/data/variants'
	@echo
	@echo 'HOSTS=a57,n1    boot these hosts of lab/data/hosts.toml alone: run, matrix and check'
	@echo 'KERNEL=7.2      work on that series of Debian'\''s sources instead of the newest'
	@echo 'KDIR=path       work on a copy of that kernel tree instead'

run matrix mutants series-check setup tree:
	@$(LAB) $@

kernel:
	@$(LAB) $@ $(call option,VARIANT,variant)

check:
	@$(LAB) $@ $(CHECK_OPTIONS)

migrate:
	@$(LAB) $@ $(MIGRATE_OPTIONS)

sanitize:
	@$(LAB) $@ $(SANITIZE_OPTIONS)

series:
	@$(LAB) $@ $(SERIES_OPTIONS)

jobs:
	@$(LAB) $@ $(JOBS_OPTIONS)

results:
	@$(LAB) $@ $(FILE)

bench:
	@$(LAB) $@ $(BENCH_OPTIONS)

prove:
	@$(LAB) $@ $(PROVE_OPTIONS)

fuzz:
	@$(LAB) $@ $(FUZZ_OPTIONS)

shell:
	@$(LAB) $@ $(SHELL_OPTIONS)
