# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the shell scripts share: where things are, how they speak, how the
# kernel's make is called.  Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
case $BUILD in
/*) ;;
*) BUILD=$ROOT/$BUILD ;;
esac
LINUX=$BUILD/linux              # the patched tree
PRISTINE=$BUILD/pristine        # the same tree untouched
JOBS=${JOBS:-$(nproc)}

# shellcheck source=patches/BASE
. "$ROOT/patches/BASE"
# shellcheck source=scripts/about.sh
. "$ROOT/scripts/about.sh"

# The variables of our own make must not reach the kernel's.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL O KBUILD_OUTPUT ARCH CROSS_COMPILE
export LC_ALL=C

# Fixed, so that images are reproducible and ccache hits.
export KBUILD_BUILD_TIMESTAMP=$AUTHOR_DATE
export KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=jc-sched KBUILD_BUILD_HOST=localhost
export CCACHE_NOHASHDIR=1

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	shift
	if [ $# -gt 0 ]; then
		printf '  %s\n' "$@" >&2
	fi
	exit 1
}

# "3m07s" since the moment $1 (in SECONDS)
elapsed()
{
	local s=$((SECONDS - $1))

	printf '%dm%02ds' $((s / 60)) $((s % 60))
}

# Only one at a time may work in a build directory.
lock()
{
	mkdir -p "$BUILD"
	exec {LOCK_FD}>"$BUILD/.lock-$1"
	if ! flock -n "$LOCK_FD"; then
		say "waiting: another make is at work in $BUILD ($1)"
		flock "$LOCK_FD"
	fi
}

unlock()
{
	exec {LOCK_FD}>&-
}

# "6.12.117" of the tree $1, or nothing
tree_version()
{
	[ -f "$1/Makefile" ] || return 0
	awk '/^VERSION = /	{ v = $3 }
	     /^PATCHLEVEL = /	{ p = $3 }
	     /^SUBLEVEL = /	{ s = $3; exit }
	     END		{ if (v != "" && p != "") print v "." p (s == "" ? "" : "." s) }' \
		"$1/Makefile"
}

compiler()
{
	if [ "${CCACHE:-y}" != n ] && command -v ccache >/dev/null; then
		echo "ccache ${1:-gcc}"
	else
		echo "${1:-gcc}"
	fi
}

# kmake SOURCE OUTPUT [arguments of the kernel's make]
#
# LLVM=1 in the environment: with clang and its linker.
#
# HOSTCC stays as it is: another one rebuilds objtool, and with it everything,
# whenever a bare "make CC='ccache gcc'" comes between. The cache serves other
# folders as well, for which it makes paths relative: also those in __FILE__.
kmake()
{
	local src=$1 out=$2 cc=${CROSS:-}gcc

	shift 2
	mkdir -p "$out"
	[ -z "${LLVM:-}" ] || cc=clang
	env -u MODE -u FXDPT -u PERF -u DEBUG CCACHE_NOHASHDIR=1 \
		CCACHE_BASEDIR="${CCACHE_BASEDIR-$BUILD}" \
		nice make -C "$src" O="$out" -j"$JOBS" \
		--no-print-directory ${LLVM:+LLVM="$LLVM"} \
		CC="$(compiler "$cc")" "$@"
}

# each_compiler COMMAND...: with CC_NAME=gcc, then, where it is there, with clang
each_compiler()
{
	CC_NAME=gcc "$@"
	if ! command -v clang >/dev/null || ! command -v ld.lld >/dev/null; then
		say "clang: not checked, as clang or ld.lld is missing"
		return
	fi
	LLVM=1 CC_NAME=clang "$@"
}

# kconfigure NAME SOURCE OUTPUT FRAGMENT...: allnoconfig and the fragments
kconfigure()
{
	local name=$1 src=$2 out=$3

	shift 3
	mkdir -p "$out" "$BUILD/logs"
	(cd "$out" && KCONFIG_CONFIG=merged.config \
		"$src/scripts/kconfig/merge_config.sh" -m -Q "$@") \
		>"$BUILD/logs/$name-merge.log" 2>&1 ||
		die "merge_config.sh failed, see $BUILD/logs/$name-merge.log"
	logged "$name-config" kmake "$src" "$out" KCONFIG_ALLCONFIG="$out/merged.config" \
		allnoconfig
}

# logged NAME COMMAND...: the output goes to build/logs/NAME.log, a line every
# now and then to the terminal; on failure the errors are shown.  V=1 shows all.
logged()
{
	local name=$1 log=$BUILD/logs/$1.log t0=$SECONDS last=$SECONDS n=0 line rc=0

	shift
	mkdir -p "$BUILD/logs"
	if [ "${V:-0}" = 1 ]; then
		"$@" 2>&1 | tee "$log" || rc=${PIPESTATUS[0]}
	else
		"$@" 2>&1 | tee "$log" | while IFS= read -r line; do
			n=$((n + 1))
			if [ $((SECONDS - last)) -ge 15 ]; then
				last=$SECONDS
				printf '  %s: %d lines, %s, now:%.60s\n' "$name" "$n" \
					"$(elapsed "$t0")" " ${line##+([[:space:]])}"
			fi
		done || rc=${PIPESTATUS[0]}
	fi
	[ "$rc" = 0 ] && return 0
	printf '%s failed after %s; from %s:\n' "$name" "$(elapsed "$t0")" "$log" >&2
	{ grep -nE -A3 '([Ee]rror|ERROR|FAILED|undefined reference)' "$log" || tail -n 20 "$log"; } |
		head -n 40 >&2
	return "$rc"
}
shopt -s extglob
