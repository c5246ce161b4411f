#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Short connections, every second one reset, while models come and go: nothing of them
# stays behind. LFCC_SHORT: how many; 200000 are a long test.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lfcc_lib.sh
. "$DIR/lfcc_lib.sh"

SLAB=/sys/kernel/slab/tlf_state
N=${LFCC_SHORT:-$((4000 / $(ksft_slow)))}

lfcc_init
type -P ip > /dev/null || ksft_skip_all "no ip"
ktap_set_plan 4

# states: how many flows have a state now. What the CPUs keep for themselves is not
# counted as free, so they give it back first.
states()
{
	echo 1 > $SLAB/shrink
	awk '$1 == "tlf_state" { print $2 }' /proc/slabinfo
}

users()
{
	awk '$1 == "tcp_liteflow" { print $3 }' /proc/modules
}

# stat NAME: of the app's statistics
stat()
{
	"$LFCTL" --json stats cc > "$LF_TMP/stats" && python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))[0][sys.argv[2]])' "$LF_TMP/stats" "$1"
}

connections()
{
	local status

	"$DIR/lfcc_short" "$N" > "$LF_TMP/out" 2>&1
	status=$?
	sed 's/^/# /' "$LF_TMP/out"
	return $status
}

# They are freed after a grace period, and in batches.
none_left()
{
	[ "$(states)" -le "$before" ]
}

no_states()
{
	lf_wait 30 none_left && return
	ktap_print_msg "$(states) states, $before before"
	return 1
}

unused()
{
	[ "$(users)" = "$before" ]
}

no_users()
{
	before=$USERS
	lf_wait 30 unused && return
	ktap_print_msg "$(users) users of the module, $before before"
	return 1
}

no_pins()
{
	lf_json "not [s for s in d if s.get('pins')]" model show cc &&
		[ "$(stat retired-bytes)" = 0 ]
}

# shared with another cache, the slab tells nothing
if [ -w $SLAB/shrink ] && grep -q '^tlf_state ' /proc/slabinfo; then
	before=$(states)
fi
USERS=$(users)
ksft_check "$N connections, every second one reset" connections
if [ -n "${before:-}" ]; then
	ksft_check "their states are freed" no_states
else
	ktap_test_skip "their states are freed (kernel without CONFIG_SLUB_DEBUG, or merged slabs)"
fi
if [ -n "$USERS" ]; then
	ksft_check "they do not hold the module" no_users
else
	ktap_test_skip "they do not hold the module (it is built in)"
fi
ksft_check "they do not hold a model" no_pins
ktap_finished
