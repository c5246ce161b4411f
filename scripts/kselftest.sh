#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the kselftests of the series and runs them: in a guest with a kernel
# image, or in User Mode Linux with its debug kernel.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: kselftest.sh [-c COLLECTION | -t COLLECTION:TEST]... [-o SECONDS]
	                    [--uml | IMAGE [options of qemu/start.sh]]
	  -c     jc_sched, liteflow, liteflow_cc or liteflow_lemu; default: all
	  -t     one test, as jc_sched:partition.sh
	  -o     a test may take so long; default: what its collection says
	  --uml  in UML's debug kernel, which 'uml.sh --debug --build-only' built:
	         native speed, one CPU, KASAN, lockdep and kmemleak; not for jc_sched
	  with neither: only build, into build/kselftest/install
	END
}

OUT=$BUILD/kselftest
ALL=(jc_sched liteflow liteflow_cc liteflow_lemu)
RUN=() TIMEOUT=() UML=n
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) show_help ;;
	-c) RUN+=(-c "${2?-c needs a collection}"); shift 2 ;;
	--uml) UML=y; shift ;;
	-t) RUN+=(-t "${2?-t needs a test}"); shift 2 ;;
	-o) TIMEOUT=(-o "${2?-o needs seconds}"); shift 2 ;;
	*) break ;;
	esac
done
[ ${#RUN[@]} -gt 0 ] || RUN=(-c jc_sched -c liteflow -c liteflow_cc -c liteflow_lemu)
RUN+=("${TIMEOUT[@]}")

build()
{
	local tests=$LINUX/tools/testing/selftests

	lock kselftest
	logged kselftest-headers kmake "$LINUX" "$OUT" headers
	# the tests' makefiles do not know what their programs include
	if [ ! -e "$OUT/built" ] || [ -n "$(find "$OUT/usr/include" -name '*.h' -newer "$OUT/built" -print -quit)" ]; then
		rm -rf "$OUT/kselftest"
	fi
	rm -rf "$OUT/install.new"
	logged kselftest-build env -u MODE -u PERF -u DEBUG make -C "$tests" O="$OUT" \
		TARGETS="${ALL[*]}" INSTALL_PATH="$OUT/install.new" FORCE_TARGETS=1 install
	touch "$OUT/built"
	# another guest may be running what is there
	if ! diff -rq "$OUT/install" "$OUT/install.new" >/dev/null 2>&1; then
		rm -rf "$OUT/install"
		mv "$OUT/install.new" "$OUT/install"
	fi
	unlock
}

# uml.sh leaves the modules where kbuild made them.
uml()
{
	local uml=$BUILD/uml-debug

	rm -rf "$uml/kselftest-modules"
	mkdir -p "$uml/kselftest-modules"
	find "$uml" -name '*.ko' -not -path "$uml/kselftest-modules/*" \
		-exec cp -t "$uml/kselftest-modules" {} +
	"$ROOT/scripts/uml.sh" --debug --no-build -- env KSFT_MACHINE_SLOW=yes \
		${LFCC_SHORT:+LFCC_SHORT="$LFCC_SHORT"} \
		${LEMU_NAMESPACES:+LEMU_NAMESPACES="$LEMU_NAMESPACES"} \
		${LEMU_SWITCHES:+LEMU_SWITCHES="$LEMU_SWITCHES"} \
		LFCTL="$BUILD/liteflow/lfctl" LF_MODULES="$uml/kselftest-modules" \
		TC_LIB_DIR="$BUILD/liteflow/tc" LEMU_MODELS="$ROOT/liteflow/lemu/models" \
		"$OUT/install/run_kselftest.sh" "${RUN[@]}"
}

build
if [ $UML = y ]; then
	uml
	exit
fi
[ $# -gt 0 ] || exit 0
image=$(realpath "$1")
shift
# Emulated, with two CPUs for eight: the tests allow themselves more time.
"$ROOT/qemu/start.sh" --accel "${ACCEL:-auto}" --kernel "$image" "$@" -- \
	env KSFT_MACHINE_SLOW="${KSFT_MACHINE_SLOW:-yes}" LFCTL="$BUILD/liteflow/lfctl" \
	TC_LIB_DIR="$BUILD/liteflow/tc" LEMU_MODELS="$ROOT/liteflow/lemu/models" \
	LF_MODULES="$image.modules" "$OUT/install/run_kselftest.sh" "${RUN[@]}"
