#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes build/pristine and build/linux, private copies of a 6.12.y tree, from
# the first of: KSRC= (a tree or a tarball, only read), Debian's
# linux-source-6.12, kernel.org's tarball with the sum in patches/BASE.
#
# The two share their files by hard links: whatever changes a file of
# build/linux has to replace it (scripts/series.py does).

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

KSRC=${KSRC:-}
MIRROR=${MIRROR:-https://cdn.kernel.org/pub/linux/kernel/v6.x}
STAMP=$BUILD/pristine.origin
TMP=

trap 'rm -rf "$TMP"' EXIT

check_version()
{
	local v

	v=$(tree_version "$1")
	case $v in
	"$SERIES".*) ;;
	"") die "$2 is no Linux source: it has no Makefile with VERSION and PATCHLEVEL" \
		"give a tree or tarball of $OLDEST to $NEWEST with KSRC=" ;;
	*) die "$2 is Linux $v, the series is for $OLDEST to $NEWEST (tested: $TESTED)" \
		"give a tree or tarball of that range with KSRC=" ;;
	esac
	[ "${v##*.}" -ge "${OLDEST##*.}" ] ||
		die "$2 is Linux $v, the series is for $OLDEST to $NEWEST (tested: $TESTED)" \
			"give a tree or tarball of that range with KSRC="
	[ "${v##*.}" -le "${NEWEST##*.}" ] ||
		say "source: note: Linux $v is newer than $NEWEST, the newest that is known to" \
			"take the series (scripts/check-applies.py $2 tells)"
}

unpack()
{
	say "source: unpacking $1"
	tar -xf "$1" -C "$TMP" --strip-components=1 ||
		die "$1 cannot be unpacked"
}

# The first Makefile in a tarball comes early: a wrong release is refused
# before 1.5 GB are unpacked.
check_tarball()
{
	local top=$TMP/.top

	mkdir "$top"
	tar -xf "$1" -C "$top" --strip-components=1 --occurrence=1 --wildcards \
		--no-wildcards-match-slash '*/Makefile' 2>/dev/null || true
	[ ! -f "$top/Makefile" ] || check_version "$top" "$1"
	rm -rf "$top"
}

copy_tree()
{
	say "source: copying $1"
	# The tree may be a git one and may have been built in.
	tar -C "$1" --exclude=./.git --exclude='*.o' --exclude='*.ko' \
		--exclude='*.a' --exclude='.*.cmd' --exclude='./vmlinux' -cf - . |
		tar -C "$TMP" -xf -
	logged source-mrproper make -C "$TMP" mrproper
}

download()
{
	local url=$MIRROR/linux-$KERNEL_ORG_VERSION.tar.xz
	local file=$BUILD/download/linux-$KERNEL_ORG_VERSION.tar.xz sum

	if [ -z "$KERNEL_ORG_VERSION" ] || [ -z "$KERNEL_ORG_SHA256" ]; then
		die "no release is pinned in patches/BASE, so nothing is downloaded" \
			"install $DEBIAN_PACKAGE or give KSRC=<tree or tarball>"
	fi
	mkdir -p "$BUILD/download"
	if [ ! -f "$file" ]; then
		say "source: downloading $url"
		if command -v curl >/dev/null; then
			curl -fL --retry 3 -o "$file.part" "$url"
		elif command -v wget >/dev/null; then
			wget -O "$file.part" "$url"
		else
			die "neither curl nor wget is here to download $url"
		fi || die "$url could not be downloaded" \
			"install $DEBIAN_PACKAGE or give KSRC=<tree or tarball>"
		mv "$file.part" "$file"
	fi
	sum=$(sha256sum <"$file")
	sum=${sum%% *}
	if [ "$sum" != "$KERNEL_ORG_SHA256" ]; then
		mv "$file" "$file.wrong"
		die "$url has the SHA-256 $sum" \
			"pinned in patches/BASE is  $KERNEL_ORG_SHA256" \
			"it is not used; the file is kept as $file.wrong"
	fi
	FOUND=$file
}

find_source()
{
	if [ -n "$KSRC" ]; then
		FOUND=$(realpath -e -- "$KSRC" 2>/dev/null) ||
			die "KSRC=$KSRC does not exist"
	elif [ -f "$DEBIAN_TARBALL" ]; then
		FOUND=$DEBIAN_TARBALL
	else
		download
	fi
}

main()
{
	local v origin

	lock source
	if [ -z "$KSRC" ] && [ -f "$STAMP" ] && [ -d "$LINUX" ]; then
		return
	fi
	find_source
	if [ -d "$FOUND" ]; then
		check_version "$FOUND" "$FOUND"
		origin="$FOUND ($(tree_version "$FOUND"))"
	else
		origin="$FOUND ($(stat -c '%s bytes, %y' "$FOUND"))"
	fi
	if [ -f "$STAMP" ] && [ -d "$LINUX" ] && [ "$(cat "$STAMP")" = "$origin" ]; then
		return
	fi

	TMP=$BUILD/source.tmp
	rm -rf "$TMP"
	mkdir -p "$TMP"
	if [ -d "$FOUND" ]; then
		copy_tree "$FOUND"
	else
		check_tarball "$FOUND"
		unpack "$FOUND"
		check_version "$TMP" "$FOUND"
	fi
	if grep -qs JC_SCHED "$TMP/init/Kconfig" "$TMP/kernel/sched/Makefile"; then
		die "$FOUND has the series applied already: give an untouched tree"
	fi
	v=$(tree_version "$TMP")
	rm -rf "$STAMP" "$PRISTINE" "$LINUX"
	mv "$TMP" "$PRISTINE"
	cp -al "$PRISTINE" "$LINUX"
	echo "$origin" >"$STAMP"
	say "source: Linux $v from $FOUND"
	if [ "$v" != "$TESTED" ]; then
		say "source: note: the series is tested on $TESTED"
	elif [ "$FOUND" = "$DEBIAN_TARBALL" ] &&
		! sha256sum -c --status <<<"$DEBIAN_SHA256  $FOUND"; then
		say "source: note: this is not the tarball of $DEBIAN_PACKAGE $DEBIAN_VERSION," \
			"with which the series is tested"
	fi
}

main
