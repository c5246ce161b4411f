#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Source packages of Debian without a line in /etc/apt and without root's rights:
# apt with lists and a cache of its own in build/apt. It checks the signatures.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: apt-source.sh versions|binaries PACKAGE
	       apt-source.sh download|binary PACKAGE=VERSION DIRECTORY
	  versions  the versions of a source package in bookworm and trixie, sorted
	  download  its files, not unpacked, into DIRECTORY
	  binaries, binary  the same of a binary package, for those that hold a source
	DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR: other archives than deb.debian.org.
	Status 4: there is no apt, or the archive cannot be reached.
	END
}

MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
SECURITY=${DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
DIR=$BUILD/apt

skip()
{
	say "$*"
	exit 4
}

# aptly TOOL [ARGUMENTS]
aptly()
{
	local tool=$1

	shift
	"$tool" -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$DIR/sources" \
		-o Dir::State::lists="$DIR/lists" -o Dir::Cache="$DIR/cache" \
		-o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"
}

update()
{
	local log=$BUILD/logs/apt-source.log

	command -v apt-get >/dev/null || skip "no apt here"
	[ -r "$KEYS" ] || skip "no keys of Debian's archive: install debian-archive-keyring"
	mkdir -p "$DIR/sources" "$DIR/lists/partial" "$DIR/cache/archives/partial" "$BUILD/logs"
	cat >"$DIR/sources/debian.sources" <<-END
	Types: deb deb-src
	URIs: $MIRROR
	Suites: bookworm bookworm-updates bookworm-backports trixie trixie-updates
	Components: main
	Signed-By: $KEYS

	Types: deb deb-src
	URIs: $SECURITY
	Suites: bookworm-security trixie-security
	Components: main
	Signed-By: $KEYS
	END
	# once a day is enough
	[ -z "$(find "$DIR/updated" -mmin -1440 2>/dev/null)" ] || return 0
	aptly apt-get --error-on=any update >"$log" 2>&1 ||
		skip "no source packages: $MIRROR cannot be reached, see $log"
	touch "$DIR/updated"
}

# get DIRECTORY COMMAND...
get()
{
	local dir=$1 log=$BUILD/logs/apt-source.log

	shift
	mkdir -p "$dir"
	(cd "$dir" && aptly apt-get "$@" >"$log" 2>&1) || skip "${*: -1} cannot be had, see $log"
}

case $#:${1:-} in
2:versions | 2:binaries | 3:download | 3:binary)
	lock apt
	update
	unlock
	;;
1:-h | 1:--help) show_help ;;
*) usage >&2; exit 2 ;;
esac
case $1 in
versions) aptly apt-cache showsrc --only-source "$2" | sed -n 's/^Version: //p' | sort -uV ;;
binaries) aptly apt-cache show "$2" | sed -n 's/^Version: //p' | sort -uV ;;
download) get "$3" source --download-only "$2" ;;
binary) get "$3" download "$2" ;;
esac
