#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Exploration: some answers of the rule are turned round, as many as were asked
# for, never a forced one, and each is told with its probability.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

MIN_UNFORCED=200

jc_init
[ "$JC_MODE" = test ] || ksft_skip_all "mode is $JC_MODE: only TEST kernels explore"
[ -e $JC_EXPLORE ] || ktap_exit_fail_msg "no $JC_EXPLORE"
jc_trace_open || ksft_skip_all "no tracepoint jc_sched:jc_sched_decision"
ktap_set_plan 8

burst()
{
	jc_burst -g 20 -r 150 -t "$(jc_ms 4000)"
}

takes()
{
	local val

	for val in 1 100 500 100 0; do
		jc_write $JC_EXPLORE $val || return 1
		[ "$(cat $JC_EXPLORE)" = $val ] || return 1
	done
}

refuses()
{
	jc_refuses 501 $JC_EXPLORE "Invalid argument" &&
		jc_refuses -1 $JC_EXPLORE "Invalid argument" &&
		[ "$(cat $JC_EXPLORE)" = 0 ]
}

# In a user namespace one is root, but not of the machine.
needs_privilege()
{
	! setpriv --reuid 65534 --clear-groups bash -c "echo 1 2>/dev/null > $JC_EXPLORE" &&
		! unshare -Ur bash -c "echo 1 2>/dev/null > $JC_EXPLORE" &&
		[ "$(cat $JC_EXPLORE)" = 0 ]
}

decisions()
{
	jc_get $JC_STATS decisions
}

# Nothing but exploration keeps the hook alive here.
sleeps_at_0()
{
	local before

	jc_switch 0
	before=$(decisions)
	burst
	[ "$(decisions)" = "$before" ]
}

wakes_above()
{
	local before

	jc_write $JC_STATS 0
	jc_write $JC_EXPLORE 200 || return 1
	before=$(decisions)
	burst
	jc_write $JC_EXPLORE 0
	ktap_print_msg "$(tr '\n' ' ' < $JC_STATS)"
	(($(decisions) > before && $(jc_get $JC_STATS flipped) > 0 &&
	  $(decisions) == $(jc_get $JC_STATS accepted) + $(jc_get $JC_STATS refused)))
}

# observe PERMILLE: events in $JC_TMP/PERMILLE.awk
observe()
{
	jc_write $JC_EXPLORE "$1" || return 1
	jc_trace 1
	burst
	jc_trace 0
	jc_trace_keep "$JC_TMP/$1" > /dev/null
	jc_events "$JC_TMP/$1" off 4000 > "$JC_TMP/$1.awk"
	jc_write $JC_EXPLORE 0
	sed 's/^/# /' "$JC_TMP/$1.awk"
	(($(jc_get "$JC_TMP/$1.awk" events) >= MIN_UNFORCED)) &&
		! grep -q '^[a-z]*: ' "$JC_TMP/$1.awk"
}

# share PERMILLE: within five standard deviations
share()
{
	local unforced flipped

	unforced=$(jc_get "$JC_TMP/$1.awk" unforced)
	flipped=$(jc_get "$JC_TMP/$1.awk" flipped)
	((unforced >= MIN_UNFORCED)) || return 1
	awk -v p="$1" -v n="$unforced" -v k="$flipped" 'BEGIN {
		p /= 1000
		d = k - n * p
		exit !(d * d <= 25 * n * p * (1 - p))
	}'
}

half()
{
	observe 500 && share 500
}

ksft_check "values" takes
ksft_check "values that make no sense" refuses
ksft_check "privilege" needs_privilege
ksft_check "at 0 nobody is asked" sleeps_at_0
ksft_check "above 0 answers are turned round, and counted" wakes_above
ksft_check "every event is consistent" observe 100
ksft_check "as many as asked for" share 100
ksft_check "one half" half
ktap_finished
