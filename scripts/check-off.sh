#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# With JC_SCHED=n the scheduler's code is as it was: fair.o is compiled in the
# patched and in the untouched tree, with one configuration, and all executable
# sections are compared, bytes and relocations.  __LINE__ is made a constant in both:
# line numbers alone may differ (the compiler warns about it, harmlessly).  With gcc,
# and with clang where it is there.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

OUT=$BUILD/check-off
OBJECTS=(kernel/sched/fair.o)
FLAGS=-D__LINE__=1
# absolute paths, whose beginning the kernel strips from __FILE__: both trees' are equal
export CCACHE_BASEDIR=

# The executable sections of the object $1: bytes and relocations, as text.
code()
{
	local section sections

	mapfile -t sections < <(objdump -h -w "$1" | awk '/ CODE/ { print $2 }' | sort)
	for section in "${sections[@]}"; do
		printf 'section %s\n' "$section"
		objdump -s -j "$section" "$1" | tail -n +4
		objdump -r -j "$section" "$1" | tail -n +4
	done
}

size_of_code()
{
	local size sum=0

	while read -r size; do
		sum=$((sum + 16#$size))
	done < <(objdump -h -w "$1" | awk '/ CODE/ { print $3 }')
	echo "$sum"
}

build()
{
	local src=$1 out=$OUT/$2

	kconfigure "check-off-$2" "$src" "$out" "$ROOT/kconfig/guest.config"
	logged "check-off-$2" kmake "$src" "$out" KCFLAGS="$FLAGS" "${OBJECTS[@]}"
}

check()
{
	local object wrong=0 bytes stock=$OUT/$CC_NAME-stock patched=$OUT/$CC_NAME-patched

	build "$PRISTINE" "$CC_NAME-stock"
	build "$LINUX" "$CC_NAME-patched"
	if grep -q '^CONFIG_JC_SCHED' "$patched/.config"; then
		die "JC_SCHED is on by default:" "$(grep '^CONFIG_JC_SCHED' "$patched/.config")"
	fi
	if ! grep -q '^# CONFIG_JC_SCHED is not set' "$patched/.config"; then
		die "the patched tree has no option JC_SCHED to turn off"
	fi
	for object in "${OBJECTS[@]}"; do
		code "$stock/$object" >"$stock.code"
		code "$patched/$object" >"$patched.code"
		[ -s "$stock.code" ] || die "no code was found in $object"
		if cmp -s "$stock.code" "$patched.code"; then
			bytes=$(size_of_code "$patched/$object")
			say "same: $object, $bytes bytes of code ($CC_NAME)"
		else
			wrong=1
			say "DIFFERENT ($CC_NAME): $object with JC_SCHED=n; stock (<) and patched (>):"
			diff <(objdump -dr --no-show-raw-insn "$stock/$object") \
				<(objdump -dr --no-show-raw-insn "$patched/$object") |
				head -n 40 || true
		fi
	done
	return $wrong
}

lock check-off
each_compiler check
