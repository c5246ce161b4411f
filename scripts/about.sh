# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced, with the arguments of the script that does so: what it says of itself,
# as liteflow/lib/tool/tool.h does for programs in C.

# about VERSION|BUGS
about()
{
	sed -n "s/^#define TOOL_$1[[:space:]]*\"\(.*\)\"/\1/p" \
		"$(dirname "${BASH_SOURCE[0]}")/../liteflow/lib/tool/tool.h"
}

# The script's usage(), and the last line of every --help.
show_help()
{
	usage
	printf '\nReport bugs to %s.\n' "$(about BUGS)"
	exit
}

# no_options "$@": for a script that takes none. Its help is what its head says.
no_options()
{
	[ $# -gt 0 ] || return 0
	usage()
	{
		printf 'usage: %s\n' "${0##*/}"
		sed -n '1,3d; /^$/q; s/^# \{0,1\}/  /p' "$0"
	}
	case $1 in
	-h | --help) show_help ;;
	esac
	printf '%s: takes no arguments, found "%s"\n' "${0##*/}" "$1" >&2
	usage >&2
	exit 2
}

if [ "${1-}" = --version ]; then
	printf '%s %s\n' "${0##*/}" "$(about VERSION)"
	exit
fi
