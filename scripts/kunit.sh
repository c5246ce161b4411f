#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# KUnit, natively under UML: the arithmetic and the features need no SMP.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: kunit.sh [SUITES] [options of kunit.py exec]
	  SUITES  only those, as 'tcp_liteflow*' (default: all of the series)
	END
}

case ${1-} in
-h | --help) show_help ;;
esac
mkdir -p "$BUILD/uml" "$BUILD/logs"
CONFIG=$BUILD/uml/kunitconfig
cat "$LINUX/kernel/sched/tests/.kunitconfig" "$LINUX/kernel/liteflow/tests/.kunitconfig" \
	"$LINUX/net/ipv4/.kunitconfig" "$LINUX/net/sched/.kunitconfig" | sort -u >"$CONFIG"
lock uml
cd "$LINUX"
tool=(tools/testing/kunit/kunit.py)
args=(--build_dir="$BUILD/uml" --kunitconfig="$CONFIG"
	--make_options="CC=$(compiler gcc)")
logged kunit-config "${tool[@]}" config "${args[@]}"
logged kunit-build nice "${tool[@]}" build --jobs="$JOBS" "${args[@]}"
# The kernel's own lines, nested KTAP, are what is judged.
"${tool[@]}" exec --timeout=300 --raw_output=all --build_dir="$BUILD/uml" "$@" |
	tee "$BUILD/logs/kunit.log"
"$ROOT/scripts/ktap.py" "$BUILD/logs/kunit.log"
