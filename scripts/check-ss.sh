#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does the patch for iproute2's ss apply, has it the kernel's header, does it build?
# The source comes from Debian's archive, or from the tree that IPROUTE2 names;
# skipped, with status 4, where there is none.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

PATCH=$ROOT/patches/iproute2/0001-ss-Show-what-liteflow-tells.patch
HEADER=include/uapi/linux/tcp_liteflow.h
OUT=$BUILD/iproute2

find_source()
{
	local dir

	for dir in ${IPROUTE2:+"$IPROUTE2"} "$BUILD"/iproute2-6.1* /usr/src/iproute2-6.1*; do
		if [ -f "$dir/misc/ss.c" ]; then
			echo "$dir"
			return
		fi
	done
}

# The newest 6.1 that Debian has, unpacked where find_source() looks.
get_source()
{
	local version dir tarball

	version=$("$ROOT/scripts/apt-source.sh" versions iproute2 | grep '^6\.1\.' | tail -n 1) ||
		return 0
	"$ROOT/scripts/apt-source.sh" download "iproute2=$version" "$BUILD/download" >&2 || return 0
	tarball=$BUILD/download/iproute2_${version%-*}.orig.tar.xz
	dir=$BUILD/iproute2-${version%-*}
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	tar -xf "$tarball" -C "$dir.new" --strip-components=1
	mv "$dir.new" "$dir"
}

lock ss
source=$(find_source)
if [ -z "$source" ]; then
	[ -z "${IPROUTE2:-}" ] || die "IPROUTE2=$IPROUTE2 has no misc/ss.c"
	get_source
	source=$(find_source)
fi
if [ -z "$source" ]; then
	echo "no source of iproute2 6.1: Debian's archive cannot be reached, and no IPROUTE2=<folder>"
	exit 4
fi
rm -rf "$OUT"
mkdir -p "$OUT"
tar -C "$source" --exclude=.git --exclude='*.o' -c . | tar -C "$OUT" -x
cd "$OUT"
patch -s -p1 -F0 -i "$PATCH" || die "the patch does not apply to $source"
cmp -s "$HEADER" "$ROOT/liteflow/linux/$HEADER" ||
	die "the patch has another $HEADER than the kernel" "copy liteflow/linux/$HEADER into it"
./configure >/dev/null
logged ss-build nice make SUBDIRS='lib misc' TARGETS=ss
misc/ss -tin >/dev/null || die "$OUT/misc/ss does not run"
say "ss: $OUT/misc/ss"
