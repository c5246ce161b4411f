# SPDX-License-Identifier: GPL-2.0
#
# Neural networks in Linux 6.12: 'make' alone says what there is.

MODE  ?= toggle
FXDPT ?= y
PERF  ?= y
DEBUG ?= n
BUILD ?= $(CURDIR)/build
DEPS  ?= yes
KSRC  ?=
SEED  ?= 1
APP   ?= cc
ACCEL ?= auto
GENERATIONS ?= 12

# Before abspath, which would split it.
ifneq ($(words $(subst :, ,$(CURDIR)) $(subst :, ,$(BUILD))),2)
$(error make and the kernel take no path with a blank or a colon: move "$(CURDIR)", or give another BUILD= than "$(BUILD)")
endif

override BUILD := $(abspath $(BUILD))
export BUILD KSRC DEPS ACCEL
MAKEFLAGS += --no-print-directory

CC_GUEST = $(if $(wildcard $(BUILD)/data/cclab-qemu/cell-*.json),--guest $(BUILD)/data/cclab-qemu)
CFLAGS_TOOLS := -O2 -Wall -Wextra -pthread
TOOLS := $(addprefix $(BUILD)/tools/,$(basename $(notdir $(wildcard mllb/jc_sched/*.c mllb/loads/*.c))))
vpath %.c mllb/jc_sched mllb/loads

.PHONY: help deps source sync kernel debug-kernel stock-kernel tools clean distclean \
	patches check-patches check-bisect check-off check-hook check-stack check-olddefconfig check-cross \
	check-ynl deb ccsim cc-train cclab cclab-build cclab-sealed cclab-ablation cclab-guest lfdlab cc-staleness kunit lfctl tc-lemu demo torture fuzz flowmage lemu lemu-demo lemu-report flowmage-demo flowmage-report dump_lb mllb mllb-report run test test-full bench

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: Neural networks in the hot paths of Linux 6.12. JC_SCHED: one decides task
#: migrations. LiteFlow: slots for networks of other code, switched while in use.
#:
#:   make run             build, boot two NUMA nodes in QEMU, compare with the stock code
#:   make test            build and test, after every change; ends with "N passed, N failed"
#:   make test-full       all combinations, debug kernels, torture, long fuzzing, bisection
#:   make bench           one line per figure: NAME VALUE UNIT
#:   make mllb            collect, train, load the model, evaluate it: 25 minutes, a quick cut
#:   make mllb-report     the full evaluation, some 2 hours: docs/mllb; goes on where it stopped
#:                        RETRAIN=y: record and train first (40 minutes more)
#:
#: Kernels (into build/images)
#:   make kernel          MODE=toggle|replace|test  FXDPT=y|n  PERF=y|n  DEBUG=n|y
#:   make debug-kernel    the same with KASAN, lockdep, PREEMPT
#:   make stock-kernel    with the options of the series off
#:   make kunit           the KUnit tests, under UML
#:   make tools           the programs of mllb/
#:   make dump_lb         the recorder of decisions, and that of run queues (after make kernel)
#:
#: LiteFlow
#:   make lfctl           the tool, and the service lfd, into build/liteflow
#:   make tc-lemu         tc's plugin for the qdisc lemu, and lemu-log, into build/liteflow
#:   liteflow/lfc/lfc     makes models of ONNX and TFLite files: man liteflow/lfc/lfc.1
#:   make lemu            links emulated by recurrent networks: trainer and traces, docs/lemu.md
#:   make lemu-demo       a link is recorded, learned and judged, then ping and iperf3 go through it
#:                        and through its network, in the guest: build/data/lemu-demo; 107 s of CPU,
#:                        8 minutes on a busy machine
#:   make lemu-report     TCP over the emulated link and over the queue it learned, in virtual
#:                        time: docs/lemu; 5 minutes
#:   make flowmage        steering of stateful network functions, into build/liteflow
#:   make flowmage-demo   four chains of functions in the guest: solved, applied, verified
#:   make flowmage-report all its figures, and the raw data: docs/flowmage; an hour or so
#:                        STEPS='chains gain': some of them: liteflow/flowmage/report --help
#:   make demo            snapshots made, switched under flows, records; in the guest
#:                        DEMO=snapshot-generation|snapshot-update|batched-delivery|userspace
#:   make torture         10,000 models come and go under queries, in the debug guest;
#:                        LONG=y: an hour of it
#:   make fuzz            a million damaged models and a million messages
#:
#: Congestion control
#:   make cc-train        train its network anew: build/data/cc/cc.json, 10 minutes
#:                        SEED=2: another one, cc-2.json; APP=cc_pref: that of preferences
#:   make cc-staleness    what a network in user space loses by hearing late, simulated:
#:                        docs/cc/staleness.md, 10 seconds
#:   make cclab           all scenarios in virtual time, and docs/cc; goes on where it stopped
#:                        QUICK=y: a cut of 3 minutes
#:   make cclab-sealed    ten paths that nobody chose, for one look at the very end
#:   make cclab-ablation  the same law with less of what was learned: docs/cc/ablation.md,
#:                        half an hour; goes on where it stopped. GENERATIONS=90: trained as
#:                        the shipped model, over an hour; ABLATION='--no-lab ...': its options
#:   make lfdlab          the network is refitted while a path changes, 20 minutes of virtual time
#:                        each, beside BBR and CUBIC: docs/lfd/report.md; an hour
#:   make cclab-guest     some of them in the QEMU guest as well, and both compared: 10 minutes
#:
#: Packages
#:   make deb             kernel and tools as Debian packages, into build/deb: docs/install.md
#:                        CONFIG=/boot/config-...: the kernel's configuration is based on that
#:
#: Series
#:   make patches         write patches/*.patch from overlay files, hunks and messages
#:   make check-patches   do they match their sources and apply (git am, quilt, patch -F0), checkpatch
#:   make check-off       JC_SCHED=n leaves fair.o's code as it was
#:   make check-hook      what the switched-off hook adds to can_migrate_task()
#:   make check-stack     stack that a query of LiteFlow takes
#:   make check-cross     arm64 and 32-bit arm compile, no 64-bit division helper
#:   make check-olddefconfig   patches and 'make olddefconfig' alone, as a user would
#:   make check-ynl       the generated netlink code matches its specification
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
#: make test ONLY=<regex> runs some steps; scripts/run-tests --list names them

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

stock-kernel: sync
	@scripts/kernel.sh mode=stock

tools: $(TOOLS)

$(BUILD)/tools/burn: mllb/loads/burn.h
$(TOOLS): $(wildcard liteflow/lib/tool/*.h) mllb/loads/measure.h

$(BUILD)/tools/%: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_TOOLS) -Iliteflow/lib/tool -o $@ $<

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

check-stack: sync
	@scripts/check-stack.sh

check-olddefconfig: source
	@scripts/check-olddefconfig.sh

check-cross: sync
	@scripts/check-cross.sh

check-ynl: sync
	@scripts/check-ynl.sh

kunit: sync
	@scripts/kunit.sh

lfctl:
	@scripts/deps.sh --notice lfctl
	@$(MAKE) -s -C liteflow/lfctl BUILD=$(BUILD)
	@$(MAKE) -s -C liteflow/lfd BUILD=$(BUILD)
	@echo "lfctl: $(BUILD)/liteflow/lfctl"

lemu: lfctl
	@scripts/deps.sh --notice train
	@$(MAKE) -s -C liteflow/lemu BUILD=$(BUILD)
	@echo "lemu: liteflow/lemu/train, lemu-run and lemu-trace"

lemu-demo: lemu tc-lemu kernel
	@scripts/deps.sh --notice run cc
	@liteflow/lemu/demo

lemu-report: cclab-build
	@liteflow/cc/lab/lemulab --report docs/lemu $(LEMULAB)

tc-lemu:
	@$(MAKE) -s -C liteflow/lemu/tc BUILD=$(BUILD)
	@$(MAKE) -s -C liteflow/lemu/log BUILD=$(BUILD)
	@echo "tc-lemu: TC_LIB_DIR=$(BUILD)/liteflow/tc"

flowmage:
	@scripts/deps.sh --notice lfctl mllb
	@$(MAKE) -s -C liteflow/flowmage BUILD=$(BUILD)
	@echo "flowmage: $(BUILD)/liteflow/flowmage"

FLOWMAGE_GUEST = liteflow/flowmage/guest/verify-chains --kernel "$$(scripts/kernel.sh --name)"

flowmage-demo: flowmage kernel
	@$(FLOWMAGE_GUEST) --only 'conntrack_sorted|nat|nftables|dst-of-both' --packets 20000

flowmage-report: flowmage kernel
	@$(MAKE) -s -C liteflow/flowmage BUILD=$(BUILD) tests
	@liteflow/flowmage/report --kernel "$$(scripts/kernel.sh --name)" $(STEPS)

dump_lb:
	@scripts/deps.sh --notice mllb
	@$(MAKE) -s -C mllb/record/dump_lb BUILD=$(BUILD)
	@$(MAKE) -s -C mllb/record/queues BUILD=$(BUILD)
	@echo "dump_lb: $(BUILD)/tools/dump_lb, $(BUILD)/tools/queues"

DEMO ?= snapshot-generation snapshot-update batched-delivery userspace

demo: lfctl kernel
	@set -e; for name in $(DEMO); do liteflow/demo/$$name; done

torture: lfctl
	@$(MAKE) debug-kernel
	@liteflow/tests/torture $(if $(filter y,$(LONG)),--long)

fuzz: sync lfctl
	@scripts/fuzz.sh

deb: sync
	@scripts/deps.sh --notice run lfctl mllb deb
	@scripts/deb.sh config=$(CONFIG) $(DEB_FLAGS)

run:
	@scripts/deps.sh --notice run
	@$(MAKE) kernel MODE=toggle FXDPT=y PERF=y
	@$(MAKE) kernel MODE=test FXDPT=y PERF=y
	@$(MAKE) tools
	@mllb/report/run --accel $(ACCEL)

mllb mllb-report:
	@scripts/deps.sh --notice run lfctl train mllb
	@$(MAKE) kernel MODE=toggle FXDPT=y PERF=y
	@$(MAKE) kernel MODE=test FXDPT=y PERF=y
	@$(MAKE) tools lfctl dump_lb
	@mllb/report/report $(if $(filter mllb,$@),--quick) --accel $(ACCEL) $(if $(filter y,$(RETRAIN)),--retrain)

ccsim:
	@scripts/deps.sh --notice lfctl
	@$(MAKE) -s -C liteflow/cc/sim BUILD=$(BUILD)

cc-train: ccsim
	@scripts/deps.sh --notice train
	@mkdir -p $(BUILD)/data/cc
	@liteflow/cc/sim/train --app $(APP) --seed $(SEED) \
		-o $(BUILD)/data/cc/$(APP)$(filter-out -1,-$(SEED)).json --date $$(date -u +%F)

cc-staleness: ccsim
	@liteflow/cc/sim/staleness -o docs/cc/staleness.md

cclab-build: sync lfctl
	@scripts/deps.sh --notice cc
	@scripts/uml.sh --lab --build-only
	@$(MAKE) -s -C liteflow/cc/lab/traffic BUILD=$(BUILD)

cclab: cclab-build
	@liteflow/cc/lab/cclab $(if $(filter y,$(QUICK)),--quick)
	@$(if $(filter y,$(QUICK)),,liteflow/cc/lab/cclab --scenarios liteflow/cc/lab/scenarios.external)
	@liteflow/cc/lab/analyse $(if $(filter y,$(QUICK)),--quick,--report docs/cc $(CC_GUEST))

cclab-sealed: cclab-build
	@liteflow/cc/lab/draw-sealed --seed $(SEED) -o $(BUILD)/scenarios.sealed
	@liteflow/cc/lab/cclab --scenarios $(BUILD)/scenarios.sealed
	@liteflow/cc/lab/analyse --scenarios $(BUILD)/scenarios.sealed

cclab-ablation: cclab-build ccsim
	@scripts/deps.sh --notice train
	@liteflow/cc/lab/ablation --generations $(GENERATIONS) --report docs/cc/ablation.md $(ABLATION)

lfdlab: cclab-build ccsim
	@liteflow/cc/lab/lfdlab --report docs/lfd $(LFDLAB)

# in the guest a run takes ten times as long, so some of them
cclab-guest: lfctl
	@scripts/deps.sh --notice run cc
	@$(MAKE) kernel
	@$(MAKE) -s -C liteflow/cc/lab/traffic BUILD=$(BUILD)
	@liteflow/cc/lab/cclab --qemu $(BUILD)/images/bzImage-toggle-fixed-perf --only \
		'^(cell-.*-mbit(10|50)-rtt(10|40)-bdp1|loss1-.*|step5-.*-rtt40|fair-flows[248]|beside-.*-bdp1)-s1$$'
	@liteflow/cc/lab/analyse --report docs/cc --guest $(BUILD)/data/cclab-qemu

test:
	@scripts/deps.sh --notice run lfctl mllb test cc
	@scripts/run-tests change

test-full:
	@scripts/deps.sh --notice run lfctl mllb test train cc deb
	@scripts/run-tests full

bench:
	@scripts/deps.sh --notice run lfctl mllb test cc
	@scripts/bench.sh

clean:
	rm -rf $(addprefix $(BUILD)/,kernel debug uml images tools logs \
		uml-plain uml-debug uml-lab liteflow deb bisect check-off check-patches olddefconfig cross \
		kselftest)

distclean: clean
	rm -rf $(addprefix $(BUILD)/,linux pristine pristine.origin source.tmp download)
