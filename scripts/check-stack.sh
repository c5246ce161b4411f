#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A query of LiteFlow takes at most 512 bytes of stack, return addresses included:
# apps may ask with a run queue locked.  Sampled queries, one in 1024, are timed
# and traced after the model has run; what a tracer takes then is its own.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

LIMIT=512
OUT=$BUILD/kernel/kernel/liteflow

# frame OBJECT FUNCTION: pushes, locals and the return address, bytes
frame()
{
	local sum=8 found=n op args

	while read -r _ op args; do
		found=y
		case $op in
		push) sum=$((sum + 8)) ;;
		sub) [[ $args =~ ^\$(0x[0-9a-f]+),%rsp ]] && sum=$((sum + BASH_REMATCH[1])) ;;
		# what gcc writes for 128, as it needs a byte only
		add) [[ $args == "\$0xffffffffffffff80,%rsp"* ]] && sum=$((sum + 128)) ;;
		esac
	done < <(objdump -d --no-show-raw-insn --disassemble="$2" "$OUT/$1" | grep -P '^ +[0-9a-f]+:\t')
	[ $found = y ] || die "$1 has no $2"
	echo $sum
}

"$ROOT/scripts/kernel.sh" --make kernel/liteflow/query.o kernel/liteflow/engine.o
deepest=0
for function in lf_run_hidden lf_run_last lf_run_argmax; do
	size=$(frame engine.o $function)
	[ "$size" -le "$deepest" ] || deepest=$size
done
sum=$(($(frame query.o lf_query) + $(frame engine.o lf_model_run) + deepest))
say "stack: lf_query $(frame query.o lf_query), lf_model_run $(frame engine.o lf_model_run)," \
	"a layer $deepest: $sum bytes of $LIMIT"
[ "$sum" -le "$LIMIT" ] || die "a query takes $sum bytes of stack, $LIMIT are promised"
