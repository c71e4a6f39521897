# SPDX-License-Identifier: GPL-2.0
#
# Everything is done by the tool in lab/, which is built on first use.

# A variable of make's command line is an option of the command, which refuses one that it does not
# have. A variable of the environment, such as csh's HOST, is none.
is_given = $(filter command,$(origin $1))
option = $(if $(call is_given,$1),--$2 "$($1)")
flag = $(if $(call is_given,$1),$(if $(filter 1,$($1)),--$2))
operand = $(if $(call is_given,$1),$($1))

OPTIONS = $(call option,KDIR,kdir) $(call option,KERNEL,kernel) $(call option,HOSTS,hosts) \
	$(call option,ONLY,only) $(call flag,JSON,json) $(call option,SECONDS,seconds) \
	$(call option,HOST,host) $(call option,CPU,cpu) $(call option,FIRMWARE,firmware) \
	$(call option,HANDLERS,handlers) $(call option,CMDLINE,cmdline) \
	$(call option,FROM,from) $(call option,TO,to) $(call option,QEMU,qemu) \
	$(call option,CPU_TO,cpu-to) $(call flag,STRICT,strict) \
	$(call option,PART,part) $(call option,BASE,base) $(call option,TRAILER,trailer) \
	$(call flag,SIGNOFF,sign-off) $(call flag,B4,b4) \
	$(call option,URL,url) $(call option,BOARD_KERNEL,board-kernel) \
	$(call option,INPUT,input) $(call flag,KEEP,keep) $(call flag,RECORD,record) \
	$(call option,MUTANTS,mutants) $(call option,VARIANT,variant) $(call operand,FILE)

COMMANDS = run matrix migrate check bench sanitize prove fuzz mutants series series-check jobs \
	results shell setup tree kernel

.PHONY: help $(COMMANDS)

help:
	@echo 'make run        boot emulated hosts, move pseudo-registers between all of them'
	@echo 'make matrix     the same as a report: out/matrix.html, out/matrix.json'
	@echo 'make migrate    move a running VM of QEMU from host to host and back: ONLY=strict,frozen for'
	@echo '                some journeys, FROM=a57 TO=fw-101 QEMU=11 STRICT=1 for one of your own,'
	@echo '                CPU=host,kvm-psci-version=1.1 and CPU_TO= for its -cpu'
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
	@echo '                SIGNOFF=1 to sign off, TRAILER=line for the end of each message,'
	@echo '                B4=1 for branches as b4 keeps them,'
	@echo '                KDIR=path BASE=commit for a tree of yours'
	@echo 'make series-check  take them into a pristine tree, build each, boot and test each part'
	@echo 'make jobs       make jobs for a test engine, LAVA or tuxrun: out/jobs, URL=where they are served,'
	@echo '                BOARD_KERNEL=URL for boards, too'
	@echo 'make results    read what an engine has recorded: FILE=log'
	@echo 'make shell      boot a host for you: CPU=cortex-a76, FIRMWARE=0,-2,-1, HANDLERS=c,'
	@echo '                CMDLINE=mitigations=off, or HOST=n1 of lab/data/hosts.toml'
	@echo
	@echo 'make setup      get the tools that all commands need'
	@echo 'make tree       get a kernel source and put the component into it: out/linux'
	@echo 'make kernel     build both kernels: out/kernel/rust/Image, out/kernel/c/Image;'
	@echo '                VARIANT=kasan for one of lab/data/variants'
	@echo
	@echo 'HOSTS=a57,n1    of run, matrix and check: boot these hosts of lab/data/hosts.toml alone, where'
	@echo '                all are booted'
	@echo 'KERNEL=7.2      work on that series of Debian'\''s sources instead of the newest'
	@echo 'KDIR=path       work on a copy of that kernel tree instead'

$(COMMANDS):
	@lab/bootstrap $@ $(OPTIONS)
