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

if [ "${1-}" = --version ]; then
	printf '%s %s\n' "${0##*/}" "$(about VERSION)"
	exit
fi
