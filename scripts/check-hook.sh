#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the hook costs while the model is off: in can_migrate_task(), compiled
# with JC_SCHED=n and with TOGGLE, the instructions are counted that can run
# while every static key is as built.  TOGGLE may add one patched-out jump and
# at most LIMIT other instructions.  The stock judgement's two functions are
# counted with it, inlined or called.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

LIMIT=4
FUNCTION=can_migrate_task
# The stock judgement, which the compiler inlines or not.
PARTS=(migrate_degrades_locality task_hot)
OUT=$BUILD/check-off/patched
OBJECT=kernel/sched/fair.o
FLAGS=-D__LINE__=1

# count NAME FRAGMENT...: "instructions sites"
count()
{
	local name=$1

	shift
	kconfigure "check-hook-$name" "$LINUX" "$OUT" "$ROOT/kconfig/guest.config" "$@" >&2
	logged "check-hook-$name" kmake "$LINUX" "$OUT" KCFLAGS="$FLAGS" "$OBJECT" >&2
	"$ROOT/scripts/offpath.py" "$OUT/$OBJECT" "$FUNCTION" "${PARTS[@]}"
}

main()
{
	local off toggle code jumps k=$ROOT/kconfig

	lock check-off
	read -ra off < <(count off)
	read -ra toggle < <(count toggle "$k/mode-toggle.config" "$k/fxdpt.config" "$k/perf.config")
	[ "${#off[@]} ${#toggle[@]}" = "3 3" ] || die "$FUNCTION could not be counted"
	jumps=$((toggle[1] - off[1]))
	code=$((toggle[0] - off[0] - jumps))
	say "$FUNCTION: ${off[0]} instructions with JC_SCHED=n, ${toggle[0]} with TOGGLE, off:" \
		"$jumps static branch and $code others added"
	[ "$jumps" = 1 ] || die "the hook is to be one static branch, not $jumps"
	[ "$code" -le "$LIMIT" ] || die "the hook adds $code instructions to the off path," \
		"at most $LIMIT are allowed"
}

main
