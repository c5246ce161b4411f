# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell tests of the collections share. The including test sets DIR first.

export LC_ALL=C

# shellcheck disable=SC1091
. "$DIR/../kselftest/ktap_helpers.sh"

ksft_skip_all() {
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

# Durations are written for a plain machine; a slow one says "yes" or a factor.
ksft_slow() {
	case "${KSFT_MACHINE_SLOW:-}" in
	"" | no | 0) echo 1 ;;
	[1-9] | 1[0-6]) echo "$KSFT_MACHINE_SLOW" ;;
	*) echo 2 ;;
	esac
}

# ksft_check NAME COMMAND...: pass or fail by the status of the command
ksft_check() {
	local name="$1"

	shift
	if "$@"; then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name"
	fi
}
