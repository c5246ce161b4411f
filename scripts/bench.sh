#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench: one line per figure on stdout, NAME VALUE UNIT; the rest on stderr.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

DATA=$BUILD/data/bench
BENCH=$ROOT/mllb/bench
# About 100 s of loads that the network was not trained on.
LOADS=(messaging-threads:30 burn-gather:30 burn-shared:20 burn-stagger:20 ng-switch:10)

note()
{
	say "# $*" >&2
}

# The kernel's own objects in a program: native, one core, the kernel's flags.
forward()
{
	local liteflow=$ROOT/liteflow
	local include=(-I"$liteflow/lib/compat" -I"$liteflow/lib/include"
		-I"$liteflow/linux/include" -I"$liteflow/linux/include/uapi"
		-I"$liteflow/linux/kernel/liteflow/tests"
		-I"$ROOT/mllb/linux/include" -I"$ROOT/mllb/linux/kernel/sched")
	local sched=$BUILD/kernel/kernel/sched

	note "forward pass, natively on $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
	kmake "$LINUX" "$BUILD/kernel" kernel/sched/jc_mlp.o kernel/sched/jc_mlp_float.o \
		>"$BUILD/logs/bench-objects.log" 2>&1 ||
		die "kernel/sched/jc_mlp.o does not compile" "see $BUILD/logs/bench-objects.log"
	gcc -O2 -Wall -Wextra -fno-pie "${include[@]}" -c -o "$DATA/forward.o" "$BENCH/forward.c"
	# what the kernel's Makefile gives objects like fair.o
	gcc -O2 -Wall -Wextra -Wno-parentheses -fno-pie -mno-sse -mno-mmx -mno-sse2 \
		-mno-3dnow -mno-avx -mno-80387 -fno-strict-aliasing -fno-strict-overflow \
		-ftrivial-auto-var-init=zero "${include[@]}" -c -o "$DATA/ask.o" "$BENCH/ask.c"
	make -s -C "$ROOT/liteflow/lib" BUILD="$BUILD" >&2
	gcc -static -no-pie -o "$DATA/forward" "$DATA/forward.o" "$DATA/ask.o" \
		"$sched/jc_mlp.o" "$sched/jc_mlp_float.o" "$BUILD/liteflow/libliteflow.a"
	"$DATA/forward"
}

# guest IMAGE TIMEOUT [--icount] COMMAND...
guest()
{
	local image=$1 timeout=$2 clock=()

	shift 2
	if [ "$1" = --icount ]; then
		clock=("$1")
		shift
	fi
	"$ROOT/qemu/start.sh" --kernel "$BUILD/images/$image" --timeout "$timeout" "${clock[@]}" \
		--log "$DATA/$image.log" --share "$DATA" -- "$@" >&2
}

# balance NAME [--icount]: data in NAME.raw and NAME.txt
balance()
{
	local name=$1 counted=''

	shift
	[ $# = 0 ] || counted=--counted
	note "time in sched_balance_rq(), model off and on in turn, in the guest${counted:+, in instructions}"
	guest bzImage-toggle-fixed-perf 900 "$@" bash -c \
		"'$ROOT/mllb/measure/balance' $counted --tools '$BUILD/tools' --raw '$DATA/$name.raw' >'$DATA/$name.txt'"
	grep -E '^jc_[a-z_]+ [-+0-9.]+ [a-z_]+$' "$DATA/$name.txt"
	grep '^# ' "$DATA/$name.txt" >&2
}

agreement()
{
	note "agreement with the stock code, TEST mode, in the guest"
	guest bzImage-test-fixed-perf 600 "$ROOT/mllb/measure/acc" --tools "$BUILD/tools" \
		--out "$DATA/agree.json" "${LOADS[@]}"
	"$ROOT/mllb/measure/acc" --figures "$DATA/agree.json"
}

# Here where the host lets root load BPF programs, else in the guest.
recorder()
{
	note "recorder: synthetic decisions, BPF program to CSV file"
	make -s -C "$ROOT" dump_lb >&2
	if ! "$BUILD/tools/dump_lb" -q --bench 5 -o "$DATA" >"$DATA/dump_lb.txt" 2>/dev/null; then
		note "not here, so in the guest"
		guest bzImage-toggle-fixed-perf 300 bash -c \
			"mount -t tmpfs none /mnt && '$BUILD/tools/dump_lb' -q --bench 5 -o /mnt >'$DATA/dump_lb.txt'"
	fi
	rm -f "$DATA"/raw_bench.*
	grep -E '^dump_lb_rate [0-9]+ per_s$' "$DATA/dump_lb.txt"
}

# Keys for all sets of fields, on one device and on two.
steering()
{
	note "solving for receive-side scaling, the longest of 1,800 cases"
	make -s -C "$ROOT/liteflow/flowmage" BUILD="$BUILD" tests >&2
	"$BUILD/liteflow/obj-flowmage/solve_bench"
	note "a policer on two CPUs at once, natively; skipped where BPF or root is missing"
	"$BUILD/liteflow/obj-flowmage/gain" || [ $? = 4 ]
}

mkdir -p "$DATA" "$BUILD/logs"
{
	"$ROOT/scripts/series.py" sync
	"$ROOT/scripts/kernel.sh" mode=test
	"$ROOT/scripts/kernel.sh" mode=toggle
	make -C "$ROOT" --no-print-directory tools
} >&2
"$ROOT/scripts/bench-liteflow.sh"
steering
forward
recorder
balance balance
balance instructions --icount
agreement
