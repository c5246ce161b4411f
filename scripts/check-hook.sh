#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the hook costs while the model is off: in can_migrate_task(), compiled
# with JC_SCHED=n and with TOGGLE, the instructions are counted that can run
# while every static key is as built.  TOGGLE may add one patched-out jump and
# at most LIMIT other instructions.  The stock rule's two functions are
# counted with it, inlined or called.  With gcc, and with clang where it is there.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

LIMIT=4
FUNCTION=can_migrate_task
# The stock rule, which the compiler inlines or not.
PARTS=(migrate_degrades_locality task_hot)
OBJECT=kernel/sched/fair.o
FLAGS=-D__LINE__=1

# count NAME FRAGMENT...: "instructions sites calls"
count()
{
	local name=check-hook-$CC_NAME-$1 out=$BUILD/check-off/$CC_NAME-patched

	shift
	kconfigure "$name" "$LINUX" "$out" "$ROOT/kconfig/guest.config" "$@" >&2
	logged "$name" kmake "$LINUX" "$out" KCFLAGS="$FLAGS" "$OBJECT" >&2
	"$ROOT/scripts/offpath.py" "$out/$OBJECT" "$FUNCTION" "${PARTS[@]}"
}

check()
{
	local off toggle code jumps k=$ROOT/kconfig

	read -ra off < <(count off)
	read -ra toggle < <(count toggle "$k/mode-toggle.config" "$k/fxdpt.config" "$k/perf.config")
	[ "${#off[@]} ${#toggle[@]}" = "3 3" ] || die "$FUNCTION could not be counted ($CC_NAME)"
	jumps=$((toggle[1] - off[1]))
	code=$((toggle[0] - off[0] - jumps))
	say "$FUNCTION, $CC_NAME: ${off[0]} instructions with JC_SCHED=n, ${toggle[0]} with TOGGLE," \
		"off: $jumps static branch and $code others added"
	[ "$jumps" = 1 ] || die "the hook is to be one static branch, not $jumps ($CC_NAME)"
	[ "$code" -le "$LIMIT" ] || die "the hook adds $code instructions to the off path," \
		"at most $LIMIT are allowed ($CC_NAME)"
}

lock check-off
each_compiler check
