#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds kselftest jc_sched and, given a kernel image, runs it in that guest.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: kselftest.sh [IMAGE [options of qemu/start.sh]]
	  without IMAGE: only build, into build/kselftest/install
	END
}

case ${1-} in -h | --help) usage; exit ;; esac

OUT=$BUILD/kselftest

build()
{
	local tests=$LINUX/tools/testing/selftests

	lock kselftest
	logged kselftest-headers kmake "$LINUX" "$OUT" headers
	rm -rf "$OUT/install"
	logged kselftest-build env -u MODE -u PERF -u DEBUG make -C "$tests" O="$OUT" \
		TARGETS=jc_sched INSTALL_PATH="$OUT/install" FORCE_TARGETS=1 install
	unlock
}

build
[ $# -gt 0 ] || exit 0
image=$1
shift
# Emulated, with two CPUs for eight: the tests allow themselves more time.
"$ROOT/qemu/start.sh" --accel "${ACCEL:-auto}" --kernel "$image" "$@" -- \
	env KSFT_MACHINE_SLOW="${KSFT_MACHINE_SLOW:-yes}" "$OUT/install/run_kselftest.sh" -c jc_sched
