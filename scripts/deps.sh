#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the Debian packages of scripts/deps.list that are missing.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: deps.sh [--notice] [run|lfctl|mllb|test|train|cc|deb]...   (default: all)
	  --notice  called by another target: DEPS=no skips it
	END
}

LIST=$ROOT/scripts/deps.list
notice=n groups=()
for arg; do
	case $arg in
	--notice) notice=y ;;
	run | lfctl | mllb | test | train | cc | deb) groups+=("$arg") ;;
	-h | --help) show_help ;;
	*) die "'$arg' is no group of packages: there are run, lfctl, mllb, test, train, cc and deb" ;;
	esac
done
[ ${#groups[@]} -gt 0 ] || groups=(run lfctl mllb test train cc deb)

if [ "$notice" = y ] && [ "${DEPS:-yes}" = no ]; then
	exit
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	say "deps: no dpkg and apt-get here; what is needed stands in scripts/deps.list"
	exit
fi

present()
{
	[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ?i* ]]
}

available()
{
	[ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

missing=() optional=()
while read -r group package _; do
	[[ " ${groups[*]} " == *" $group "* ]] || continue
	case $package in
	linux-source-*)
		# A source that is here already needs no package.
		if [ -n "${KSRC:-}" ] || [ -f "$BUILD/pristine.origin" ]; then
			continue
		fi ;;
	esac
	present "${package%\?}" && continue
	case $package in
	*\?) optional+=("${package%\?}") ;;
	*) missing+=("$package") ;;
	esac
done < <(grep -v '^#' "$LIST")

if [ ${#missing[@]} -eq 0 ] && [ ${#optional[@]} -eq 0 ]; then
	[ "$notice" = y ] || say "deps: nothing is missing"
	exit
fi

if [ "$(id -u)" != 0 ]; then
	if [ ${#missing[@]} -eq 0 ]; then
		say "deps: these would help: ${optional[*]}"
		exit
	fi
	die "packages are missing, and only root can install them:" \
		"apt-get update && apt-get install -y --no-install-recommends ${missing[*]} ${optional[*]}" \
		"(DEPS=no goes on without)"
fi

say "deps: missing: ${missing[*]} ${optional[*]}"
say "deps: installing them with apt-get; DEPS=no opts out"
mkdir -p "$BUILD/logs"
logged apt-update apt-get update || say "deps: apt-get update failed; trying what apt knows"
for package in "${optional[@]}"; do
	if available "$package"; then
		missing+=("$package")
	else
		say "deps: apt has no $package; going on without"
	fi
done
for package in "${missing[@]}"; do
	available "$package" ||
		die "apt has no package $package" \
			"the list is made for Debian 12; scripts/deps.list says what each is for"
done
if [ ${#missing[@]} -gt 0 ]; then
	DEBIAN_FRONTEND=noninteractive logged apt-install \
		apt-get install -y --no-install-recommends "${missing[@]}" ||
		die "apt-get failed, see $BUILD/logs/apt-install.log"
fi
say "deps: done"
