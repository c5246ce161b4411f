#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every step of the series compiles: with the options off, and, from where
# they exist, on, in fixed point and float.  Compiled is what the series
# touches: kernel/sched/, sys_ni.o, the system call table, init/, LiteFlow, TCP.
#
# usage: check-bisect.sh [FROM [TO]]     numbers of steps, default: all

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

WORK=$BUILD/bisect
TREE=$WORK/linux
TARGETS=(kernel/sched/ kernel/sys_ni.o arch/x86/entry/ init/ net/ipv4/)

# compile STEP NAME FRAGMENT...
compile()
{
	local step=$1 name=$2 out=$WORK/$2 fragment targets=("${TARGETS[@]}") folder

	shift 2
	for folder in kernel/liteflow samples/liteflow; do
		[ ! -f "$TREE/$folder/Makefile" ] || targets+=("$folder/")
	done
	kconfigure "bisect-$step-$name" "$TREE" "$out" "$ROOT/kconfig/guest.config" "$@"
	logged "bisect-$step-$name" kmake "$TREE" "$out" "${targets[@]}" ||
		die "step $step does not compile ($name)"
	if grep -n 'warning:' "$BUILD/logs/bisect-$step-$name.log"; then
		die "step $step compiles with warnings ($name)"
	fi
	# What was asked for and exists at this step must be on.
	for fragment; do
		sed -n 's/=[ym]$//p' "$fragment" | while IFS= read -r option; do
			grep -rqw "config ${option#CONFIG_}" "$TREE/init/Kconfig" "$TREE/kernel" \
				"$TREE/samples" "$TREE/net" --include='Kconfig*' || continue
			grep -qx "$option=[ym]" "$out/.config" ||
				die "step $step: $option is not on though it exists ($name)"
		done
	done
}

main()
{
	local from=${1:-1} to=${2:-99} step slugs slug kconfig=$ROOT/kconfig start=$SECONDS

	lock bisect
	mkdir -p "$WORK" "$BUILD/logs"
	if [ ! -d "$TREE" ] || ! cmp -s "$BUILD/pristine.origin" "$WORK/origin"; then
		rm -rf "$TREE"
		cp -al "$PRISTINE" "$TREE"
		cp "$BUILD/pristine.origin" "$WORK/origin"
	fi
	mapfile -t slugs < <("$ROOT/scripts/series.py" list | awk '{ print $1 }')
	for slug in "${slugs[@]}"; do
		step=${slug%%-*}
		if [ $((10#$step)) -lt "$from" ] || [ $((10#$step)) -gt "$to" ]; then
			continue
		fi
		say "bisect: $slug, $(elapsed "$start")"
		"$ROOT/scripts/series.py" sync --target "$TREE" --upto "$step" >/dev/null
		compile "$step" off
		if grep -rqs 'config LITEFLOW$' "$TREE/kernel"; then
			compile "$step" fixed "$kconfig/mode-toggle.config" \
				"$kconfig/fxdpt.config" "$kconfig/perf.config" \
				"$kconfig/liteflow.config"
		fi
		if grep -rqs 'config JC_SCHED$' "$TREE/kernel"; then
			compile "$step" float "$kconfig/mode-test.config" \
				"$kconfig/float.config" "$kconfig/noperf.config"
		fi
	done
	say "bisect: every step compiles, $(elapsed "$start")"
}

main "$@"
