#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A thousand flows (fewer on a slow machine) while models are switched, replaced and
# removed below them.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lfcc_lib.sh
. "$DIR/lfcc_lib.sh"

lfcc_init
ktap_set_plan 2
FLOWS=$((1000 / $(ksft_slow)))

switches()
{
	local status

	"$DIR/lfcc_flows" "$1" "$2" > "$LF_TMP/flows" 2>&1
	status=$?
	sed 's/^/# /' "$LF_TMP/flows"
	return $status
}

ksft_check "one flow, switched all the time" switches 1 100
ksft_check "switches during $FLOWS flows" switches $FLOWS $((200 / $(ksft_slow)))
ktap_finished
