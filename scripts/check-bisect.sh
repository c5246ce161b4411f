#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every step of the series compiles: with the options off, and, from where
# they exist, on, in fixed point and float.  Compiled is what the series
# touches: kernel/sched/, sys_ni.o, the system call table, init/, LiteFlow, TCP.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: check-bisect.sh [FROM [TO]]
	       check-bisect.sh --list
	  FROM, TO  numbers of the first and the last step (default: all, an hour)
	  --list    name the steps
	END
}

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
	[ ! -f "$TREE/net/sched/sch_lemu_main.c" ] || targets+=(net/sched/)
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

steps()
{
	"$ROOT/scripts/series.py" list
}

# number WORD: of a step, without leading zeros
number()
{
	[[ $1 =~ ^[0-9]{1,4}$ ]] ||
		die "'$1' is no number of a step" "check-bisect.sh --list names the steps"
	echo $((10#$1))
}

main()
{
	local from to step slugs slug kconfig=$ROOT/kconfig start=$SECONDS

	[ $# -le 2 ] || { usage >&2; exit 2; }
	from=$(number "${1:-1}")
	to=$(number "${2:-9999}")
	mapfile -t slugs < <(steps | awk -v from="$from" -v to="$to" \
		'$1 + 0 >= from && $1 + 0 <= to { print $1 }')
	[ ${#slugs[@]} -gt 0 ] ||
		die "no step is from $from to $to" "check-bisect.sh --list names the steps"
	[ -f "$BUILD/pristine.origin" ] ||
		die "$PRISTINE is not there" "run 'make source'"
	lock bisect
	mkdir -p "$WORK" "$BUILD/logs"
	if [ ! -d "$TREE" ] || ! cmp -s "$BUILD/pristine.origin" "$WORK/origin"; then
		rm -rf "$TREE"
		cp -al "$PRISTINE" "$TREE"
		cp "$BUILD/pristine.origin" "$WORK/origin"
	fi
	for slug in "${slugs[@]}"; do
		step=${slug%%-*}
		say "bisect: $slug, $(elapsed "$start")"
		"$ROOT/scripts/series.py" sync --target "$TREE" --upto "$step" >/dev/null
		compile "$step" off
		if grep -rqs 'config LITEFLOW$' "$TREE/kernel"; then
			compile "$step" fixed "$kconfig/mode-toggle.config" \
				"$kconfig/fxdpt.config" "$kconfig/perf.config" \
				"$kconfig/liteflow.config" "$kconfig/kunit.config"
		fi
		if grep -rqs 'config JC_SCHED$' "$TREE/kernel"; then
			compile "$step" float "$kconfig/mode-test.config" \
				"$kconfig/float.config" "$kconfig/noperf.config"
		fi
	done
	say "bisect: ${#slugs[@]} steps compile, $(elapsed "$start")"
}

case ${1-} in
-h | --help) show_help ;;
--list) steps ;;
-*) usage >&2; exit 2 ;;
*) main "$@" ;;
esac
