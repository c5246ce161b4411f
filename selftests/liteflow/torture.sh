#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The torture test, in short: its own verdicts. liteflow/tests/torture runs it longer.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lf_lib.sh
. "$DIR/lf_lib.sh"

lf_init
lf_need_module lf_torture CONFIG_LITEFLOW_TORTURE_TEST
ktap_set_plan 5

verdict()
{
	local state

	lf_load lf_torture "$@" || { sed 's/^/# /' "$LF_TMP/why"; return 1; }
	lf_wait 200 lf_ended || ktap_print_msg "no end after $((200 * $(ksft_slow))) s"
	lf_show_stats
	state=$(lf_stat state)
	rmmod lf_torture && [ "$state" = SUCCESS ]
}

# While it runs: it must take the rest along.
unloaded_early()
{
	local i

	for ((i = 0; i < 5; i++)); do
		lf_load lf_torture cycles=0 || return 1
		sleep 0.5
		rmmod lf_torture || return 1
	done
	lf_load lf_torture mode=consistency || return 1
	rmmod lf_torture
}

refused()
{
	! lf_load lf_torture mode=nonsense && ! lf_load lf_torture mode=flows flows=0 &&
		! lf_load lf_torture mode=consistency switches=0
}

# Ends early, and says so.
cut_short()
{
	lf_load lf_torture cycles=100000000 && return 1
	lf_load lf_torture cycles=10000000 && sleep 0.5 && [ "$(lf_stat state)" = running ] &&
		rmmod lf_torture || return 1
	dmesg | grep 'lf_torture: End of torture:' | tail -n 1 |
		grep -q 'FAILURE: .* because it ended before its last cycle'
}

ksft_check "1000 cycles" verdict cycles=$((1000 / $(ksft_slow)))
ksft_check "200 switches, pinned flows stay" verdict mode=consistency \
	switches=$((200 / $(ksft_slow))) queries=$((200000 / $(ksft_slow)))
ksft_check "it can be unloaded at any time" unloaded_early
ksft_check "what ends early is no success" cut_short
ksft_check "wrong parameters are refused" refused
ktap_finished
