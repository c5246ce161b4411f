#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# LiteFlow's figures: lines of NAME VALUE UNIT on stdout, the rest on stderr.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

DATA=$BUILD/data/bench
LOGS=$BUILD/logs
UML=$ROOT/scripts/uml.sh
TESTS=$BUILD/liteflow/tests
LINE='^lf_[a-z0-9_]+ [0-9.]+ [a-z_%]+$'

note()
{
	say "# $*" >&2
}

# figure NAME UNIT EXPRESSION FILE: what the expression's group finds in the file
figure()
{
	local value

	value=$(sed -nE "s/.*$3.*/\1/p" "$4" | tail -n 1)
	[ -n "$value" ] || die "$4 does not say $1"
	say "$1 $value $2"
}

# The same models as modules of the kernel that measures, and one as the original has it.
compiled_models()
{
	local dir=$DATA/compiled name

	rm -rf "$dir"
	mkdir -p "$dir"
	for name in aurora small; do
		"$BUILD/liteflow/lfctl" model c "$DATA/$name.lfm" -o "$dir/$name" --for module \
			--name "lf_bench_$name" --app bench >&2
	done
	"$ROOT/liteflow/bench/original" "$1" "$dir/original"
	printf 'obj-y += aurora/ small/ original/\n' >"$dir/Kbuild"
	kmake "$LINUX" "$BUILD/uml-plain" ARCH=um M="$dir" modules >"$LOGS/bench-compiled.log" 2>&1 ||
		die "the compiled models do not compile" "see $LOGS/bench-compiled.log"
	mv "$dir"/*/*.ko "$dir"
}

# The whole query as the kernel runs it: natively in User Mode Linux, one core, no
# SSE. With Aurora's own weights where they are, else a random net of that shape.
query()
{
	local json=$DATA/aurora.json
	local variables=${SHARED_DATA:-$ROOT/../shared/data}/aurora-liteflow/variables.data-00000-of-00001

	if [ -f "$variables" ]; then
		note "a query, Aurora's weights, natively in User Mode Linux," \
			"$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
		"$ROOT/liteflow/tests/aurora-json" "$variables" >"$json"
	else
		note "a query, random weights (no $variables), natively in User Mode Linux," \
			"$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
		"$ROOT/liteflow/tests/aurora-like" 1 >"$json"
	fi
	"$BUILD/liteflow/lfctl" model pack "$json" -o "$DATA/aurora.lfm" >&2
	"$ROOT/liteflow/bench/relu-net" 10-5-5-1 >"$DATA/small.json"
	"$BUILD/liteflow/lfctl" model pack "$DATA/small.json" -o "$DATA/small.lfm" >&2
	compiled_models "$json"
	taskset -c 0 "$UML" --no-build -- "$ROOT/liteflow/bench/in-kernel" "$DATA/aurora.lfm" \
		"$DATA/small.lfm" "$DATA/compiled" | tr -d '\r' | grep -E "$LINE"
	note "the forward pass alone, as data and as C, in user space with the kernel's flags"
	make -s -C "$ROOT/liteflow/bench" BUILD="$BUILD" >&2
	taskset -c 0 "$BUILD/liteflow/bench/forward" "$BUILD/liteflow/bench/aurora.lfm" \
		"$BUILD/liteflow/bench/small.lfm"
	note "a query of models that remember, in the same way; the last one beside a plain loop"
	(cd "$BUILD/liteflow/bench" && taskset -c 0 ./sequence lemu_rnn_1x8 rnn-1x8.lfm ns \
		lemu_lstm_1x8 lstm-1x8.lfm ns lemu_gru_2x32 gru-2x32.lfm us \
		lemu_lstm_4x64 lstm-4x64.lfm us)
	note "the same model against floating point, 10,000 inputs"
	"$TESTS/accuracy" "$json" | tee "$DATA/accuracy.txt" >&2
	figure lf_accuracy_max percent 'of that ([0-9.]+) %' "$DATA/accuracy.txt"
}

# What ranges from data are worth to deep networks, on rows that nobody showed.
ranges()
{
	note "20 random ReLU networks of 5-50x6-5, packed without data and with 2,000 rows"
	"$ROOT/liteflow/bench/deep-relu"
}

# Queries on one core while models are switched on the other, in user space.
switching()
{
	note "queries beside a switch, the engine in user space, both cores"
	make -s -C "$ROOT/liteflow/bench" BUILD="$BUILD" >&2
	"$BUILD/liteflow/bench/switching"
}

# A decision of the congestion control in the kernel, and in an agent in user space.
deciding()
{
	note "a decision in the kernel and in user space, natively, CPU time"
	"$BUILD/liteflow/bench/deciding"
}

# Pinned flows in the guest, below the limit and at it; the module compares the
# kernel's counters with what it saw, and fails on any difference.
consistency()
{
	local log=$DATA/consistency.txt

	note "a thousand switches under pinned flows, in the guest"
	"$ROOT/liteflow/tests/torture" --cycles 0 --modules 0 \
		"$BUILD/images/bzImage-toggle-fixed-perf" >"$log" 2>&1 ||
		die "the torture test failed" "see $log"
	figure lf_consistency_queries queries 'below the limit: SUCCESS.* answers ([0-9]+)' "$log"
	figure lf_consistency_switches switches 'below the limit: SUCCESS.* cycles ([0-9]+)' "$log"
	figure lf_consistency_moved queries 'below the limit: SUCCESS.* moves ([0-9]+)' "$log"
	figure lf_consistency_refused queries 'below the limit: SUCCESS.* queries_refused ([0-9]+)' "$log"
	figure lf_repins_seen flows 'at the limit: SUCCESS.* moves ([0-9]+)' "$log"
	figure lf_repins_counted flows 'at the limit: SUCCESS.* repins ([0-9]+)' "$log"
}

# Eight clients without privileges dump all the time. In the guest's own time; its
# CPUs take turns on one of the host's.
storm()
{
	note "activations beside clients that dump, in the guest"
	"$ROOT/qemu/start.sh" --kernel "$BUILD/images/bzImage-toggle-fixed-perf" --timeout 300 \
		--share "$BUILD/liteflow" -- "$BUILD/liteflow/bench/storm" |
		tr -d '\r' | grep -E "$LINE"
}

flows()
{
	local log=$DATA/kunit.txt

	note "a million flows, natively in User Mode Linux"
	"$UML" --no-build --kunit >"$log"
	figure lf_flow_bytes bytes 'bytes per flow: ([0-9]+)' "$log"
	figure lf_flow_first_1e3 ns 'release: ([0-9]+) \/ [0-9]+ \/ [0-9]+ among 1e3' "$log"
	figure lf_flow_first_1e6 ns 'release: ([0-9]+) \/ [0-9]+ \/ [0-9]+ among 1e6' "$log"
	figure lf_flow_query_1e3 ns 'release: [0-9]+ \/ ([0-9]+) \/ [0-9]+ among 1e3' "$log"
	figure lf_flow_query_1e6 ns 'release: [0-9]+ \/ ([0-9]+) \/ [0-9]+ among 1e6' "$log"
}

# About six minutes.
proof()
{
	note "kernel and library on the same models; damaged models; damaged messages"
	"$ROOT/scripts/fuzz.sh" equal >"$DATA/equal.txt"
	figure lf_equal_pairs pairs ' ([0-9]+) model x input pairs' "$DATA/equal.txt"
	figure lf_equal_differ pairs 'pairs, ([0-9]+) differ' "$DATA/equal.txt"
	"$ROOT/scripts/fuzz.sh" models >"$DATA/models.txt" 2>&1
	figure lf_fuzz_models models 'Done ([0-9]+) runs' "$DATA/models.txt"
	"$ROOT/scripts/fuzz.sh" messages >"$DATA/messages.txt"
	figure lf_fuzz_messages messages ', ([0-9]+) messages' "$DATA/messages.txt"
	figure lf_fuzz_wrong messages 'lf_nlfuzz: ([0-9]+) wrong' "$DATA/messages.txt"
}

congestion_control()
{
	note "CPU for each byte sent, liteflow and BBR in turn, 20 pairs"
	"$ROOT/liteflow/cc/lab/cpu"
}

mkdir -p "$DATA" "$LOGS"
{
	make -C "$ROOT" --no-print-directory sync lfctl
	make -s -C "$ROOT/liteflow/tests" BUILD="$BUILD"
	"$ROOT/scripts/kernel.sh" mode=toggle
	"$UML" --build-only
	"$UML" --debug --build-only
	"$UML" --lab --build-only
	make -s -C "$ROOT/liteflow/cc/lab/traffic" BUILD="$BUILD"
} >&2
query
ranges
switching
deciding
storm
flows
consistency
proof
congestion_control
