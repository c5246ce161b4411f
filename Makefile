# SPDX-License-Identifier: GPL-2.0
#
# JC_SCHED on Linux 6.12: 'make' alone says what there is.

MODE  ?= toggle
FXDPT ?= y
PERF  ?= y
DEBUG ?= n
BUILD ?= $(CURDIR)/build
DEPS  ?= yes
KSRC  ?=
ACCEL ?= auto

override BUILD := $(abspath $(BUILD))
export BUILD KSRC DEPS ACCEL
MAKEFLAGS += --no-print-directory

CFLAGS_TOOLS := -O2 -Wall -Wextra -pthread
TOOLS := $(patsubst mllb/%.c,$(BUILD)/tools/%,$(wildcard mllb/*.c))

.PHONY: help deps source sync kernel debug-kernel stock-kernel tools clean distclean \
	patches check-patches check-bisect check-off check-hook check-olddefconfig check-cross \
	kunit run test bench

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: JC_SCHED: a small neural network decides task migrations in Linux 6.12.
#:
#:   make run             build, boot two NUMA nodes in QEMU, compare with the stock code
#:   make test            build and test everything; ends with "N passed, N failed"
#:   make bench           one line per figure: NAME VALUE UNIT
#:
#: Kernels (into build/images)
#:   make kernel          MODE=toggle|replace|test  FXDPT=y|n  PERF=y|n  DEBUG=n|y
#:   make debug-kernel    the same with KASAN, lockdep, PREEMPT
#:   make stock-kernel    without the series
#:   make kunit           the KUnit tests, under UML
#:   make tools           the programs of mllb/
#:
#: Series
#:   make patches         write patches/*.patch from overlay files, hunks and messages
#:   make check-patches   are they so, do they apply (git am, quilt, patch -F0), checkpatch
#:   make check-off       JC_SCHED=n leaves fair.o's code as it was
#:   make check-hook      what the switched-off hook adds to can_migrate_task()
#:   make check-cross     arm64 and 32-bit arm compile, no 64-bit division helper
#:   make check-olddefconfig   patches and 'make olddefconfig' alone, as a user would
#:   make check-bisect    every step compiles, options off and on (long)
#:   scripts/series.py checkout|record   edit the hunks of a patch
#:
#: Preparation
#:   make deps            install what is missing (DEPS=no: never)
#:   make source          unpack the kernel: KSRC=<6.12.y tree or tarball>, else Debian's
#:                        linux-source-6.12, else kernel.org's
#:   make clean           remove what was built; distclean: the unpacked source, too
#:
#: Everywhere: BUILD=<folder> JOBS=<n> V=1 CCACHE=n ACCEL=auto|kvm|tcg
#: make test ONLY=<regex> runs some steps; scripts/test.sh --list names them

source:
	@scripts/source.sh

sync: source
	@scripts/series.py sync

deps:
	@scripts/deps.sh

kernel: sync
	@scripts/kernel.sh mode=$(MODE) fxdpt=$(FXDPT) perf=$(PERF) debug=$(DEBUG)

debug-kernel: sync
	@scripts/kernel.sh mode=$(MODE) fxdpt=$(FXDPT) perf=$(PERF) debug=y

stock-kernel: source
	@scripts/kernel.sh mode=stock

tools: $(TOOLS)

$(BUILD)/tools/%: mllb/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_TOOLS) -o $@ $<

patches: source
	@scripts/series.py patches

check-patches: sync
	@scripts/check-patches.sh

check-bisect: source
	@scripts/check-bisect.sh

check-off: sync
	@scripts/check-off.sh

check-hook: sync
	@scripts/check-hook.sh

check-olddefconfig: source
	@scripts/check-olddefconfig.sh

check-cross: sync
	@scripts/check-cross.sh

kunit: sync
	@scripts/kunit.sh

run:
	@scripts/deps.sh --notice run
	@$(MAKE) kernel MODE=toggle FXDPT=y PERF=y
	@$(MAKE) kernel MODE=test FXDPT=y PERF=y
	@$(MAKE) tools
	@mllb/run --accel $(ACCEL)

test:
	@scripts/deps.sh --notice run test
	@scripts/test.sh

bench:
	@scripts/deps.sh --notice run test
	@scripts/bench.sh

clean:
	rm -rf $(addprefix $(BUILD)/,kernel debug stock stock-debug uml images tools logs \
		bisect check-off check-patches olddefconfig cross kselftest)

distclean: clean
	rm -rf $(addprefix $(BUILD)/,linux pristine pristine.origin source.tmp download)
