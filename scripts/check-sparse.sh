#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# sparse has nothing to say about the files of the series, KUnit tests included.
# What it says about others is theirs. Skipped, with status 4, without sparse.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

OURS='(kernel/liteflow/.*|/(jc|tcp_liteflow|liteflow|sch_lemu)[a-z_]*)\.[ch]:[0-9:]+ (warning|error):'

# check NAME COMMAND...: sparse reads the sources, whether they are compiled or not
check()
{
	local log=$BUILD/logs/sparse-$1.log sources

	logged "sparse-$1" "${@:2}"
	sources=$(grep -cE '^ +CHECK .*(liteflow|kernel/sched/)' "$log") ||
		die "$1: sparse read none of the sources" "see $log"
	! grep -E "$OURS" "$log" ||
		die "$1: sparse found the above" "see $log"
	say "sparse: $1: silent about the series, $sources sources"
}

command -v sparse >/dev/null || {
	echo "sparse is missing"
	exit 4
}
targets=(kernel/liteflow/ kernel/sched/ net/ipv4/tcp_liteflow_{main,law,path,compete}.o \
	net/sched/sch_lemu_{main,model,options,queue}.o)
check guest kmake "$LINUX" "$BUILD/kernel" C=2 "${targets[@]}"
check kunit kmake "$LINUX" "$BUILD/uml-debug" ARCH=um C=2 "${targets[@]}" \
	net/ipv4/tcp_liteflow_test.o net/ipv4/tcp_liteflow_{modes,path,compete}_test.o \
	net/sched/sch_lemu_{test,test_link,model_test}.o
