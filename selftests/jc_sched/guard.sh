#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guard lets the rule decide in place of a network that always says no, and gives
# that one another chance: by itself after a while, by hand, and to another network. It does nothing
# to the network that is built in.
#
# The load gathers as many tasks as there are CPUs on one of them and lets them
# go: with a network that says no, most CPUs stay idle until enough balances have
# failed.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

# Of the first back-off and the longest one, see jc_harm.h.
BACKOFF_MS=2000
LONGEST_MS=128000

jc_init
[ "$(jc_state guard)" != "not built" ] ||
	ksft_skip_all "kernel without CONFIG_JC_SCHED_GUARD"
jc_need_answers
[ "$JC_NR_CPUS" -gt 1 ] || ksft_skip_all "only one CPU"
ktap_set_plan 15
jc_trace_open

gather()
{
	jc_burst -n "$JC_NR_CPUS" -s 0 -g 20 -r 150 -t "$1"
}

is()
{
	local value

	value=$(jc_state "$1")
	[ "$value" = "$2" ] || {
		ktap_print_msg "$1 is '$value', not '$2'"
		return 1
	}
}

stat()
{
	jc_get $JC_STATS "$1"
}

# trips MS: does it trip within so long?
trips()
{
	local left=$1

	while ((left > 0)); do
		gather 350
		if [ "$(jc_state guard)" = tripped ]; then
			ktap_print_msg "by $(jc_state guard_last), $(jc_state guard_watched_ms) ms"
			return 0
		fi
		((left -= 350))
	done
	ktap_print_msg "not tripped: $(grep ^guard $JC_STATE | tr '\n' ' ')"
	return 1
}

refuses_other_values()
{
	jc_refuses 2 $JC_GUARD "Invalid argument" && jc_refuses -1 $JC_GUARD "Invalid argument"
}

refuses_others()
{
	! setpriv --reuid 65534 --clear-groups sh -c "echo 0 > $JC_GUARD" 2>/dev/null &&
		[ "$(cat $JC_GUARD)" = 1 ]
}

builtin_stays()
{
	jc_guard_fresh none
	gather "$(jc_ms 5000)"
	ktap_print_msg "$(grep ^guard $JC_STATE | tr '\n' ' ')"
	is guard on && [ "$(stat model_asked)" -gt 0 ] && [ "$(stat guard_trips)" = 0 ]
}

off_never_trips()
{
	jc_guard_fresh no
	jc_write $JC_GUARD 0
	gather "$(jc_ms 2000)"
	is guard off && [ "$(stat guarded)" = 0 ] && [ "$(stat guard_trips)" = 0 ] &&
		[ "$(stat model_asked)" -gt 0 ]
}

# Decisions meanwhile are the rule's. On a slow machine the chance may come before the
# load has ended: then once more.
rule_decides()
{
	local asked guarded n i

	for i in {1..10}; do
		asked=$(stat model_asked) guarded=$(stat guarded) n=$(jc_state guard_trips)
		gather 350
		if [ "$(jc_state guard)" = tripped ] && [ "$(jc_state guard_trips)" = "$n" ]; then
			ktap_print_msg "guarded $guarded, then $(stat guarded)"
			[ "$(stat guarded)" -gt "$guarded" ] &&
				[ "$(stat model_asked)" = "$asked" ] &&
				[ "$(stat stock_asked)" -gt 0 ]
			return
		fi
		ktap_print_msg "it had its chance meanwhile ($i)"
		trips "$(jc_ms 10000)" || return 1
	done
	return 1
}

network_decides()
{
	local asked

	asked=$(stat model_asked)
	gather 300
	[ "$(stat model_asked)" -gt "$asked" ]
}

# On a slow machine the kernel's own tasks wait for each other, and the network that says
# no may trip again before anybody looks: then it has had its chance as well.
chance_comes()
{
	local n next end

	n=$(jc_state guard_trips)
	next=$(jc_state guard_next_ms)
	ktap_print_msg "$n trips, next chance in $next ms"
	((next <= BACKOFF_MS << (n - 1))) || return 1
	end=$((SECONDS + next / 1000 + 2 + $(ksft_slow)))
	until [ "$(jc_state guard)" = on ] || (($(jc_state guard_trips) > n)); do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
	ktap_print_msg "guard $(jc_state guard), $(jc_state guard_trips) trips"
}

# another_trip MS: beyond those so far, within so long after the next chance
another_trip()
{
	local n left

	n=$(jc_state guard_trips)
	left=$(($1 + $(jc_state guard_next_ms)))
	while ((left > 0)); do
		gather 350
		(($(jc_state guard_trips) == n)) || return 0
		((left -= 350))
	done
	return 1
}

# trusted: how often the past was forgotten
trusted()
{
	[ -z "$JC_TRACE" ] || grep -c 'jc_sched_guard: event=trusted' "$JC_TRACE/trace"
}

# Each trip doubles the back-off, up to a longest one. If it takes long to trip, as it may
# on a slow machine, the past is forgotten first: then once more.
longer_next_time()
{
	local n before after forgot i

	for i in 1 2 3 4 5; do
		forgot=$(trusted)
		n=$(jc_state guard_trips)
		before=$(jc_state guard_backoff_ms)
		another_trip "$(jc_ms 10000)" || return 1
		after=$(jc_state guard_backoff_ms)
		ktap_print_msg "back-off $before, then $after ms ($i)"
		((after == 2 * before || after == LONGEST_MS)) && return 0
		[ "$(trusted)" != "$forgot" ] || (($(jc_state guard_trips) > n + 1)) || return 1
	done
	return 1
}

event_of_trip()
{
	grep 'jc_sched_guard: event=trips harm=idle' "$JC_TRACE/trace" | head -n 1 | sed 's/^/# /'
	grep -q 'jc_sched_guard: event=trips harm=idle' "$JC_TRACE/trace" &&
		grep -q 'jc_sched_guard: event=chance' "$JC_TRACE/trace"
}

ksft_check "other values are refused" refuses_other_values
jc_write $JC_GUARD 1
if command -v setpriv > /dev/null; then
	ksft_check "only root may write" refuses_others
else
	ktap_test_skip "only root may write (no setpriv)"
fi

ksft_check "off: always no does not trip" off_never_trips
ksft_check "the built-in network does not trip" builtin_stays

[ -z "$JC_TRACE" ] || jc_write $JC_TRACE/events/jc_sched/jc_sched_guard/enable 1
jc_guard_fresh no
ksft_check "always no trips" trips "$(jc_ms 10000)"
ksft_check "the counter moves" test "$(stat guard_trips)" -ge 1
ksft_check "the rule decides meanwhile" rule_decides
ksft_check "the network gets another chance" chance_comes
ksft_check "it trips again, for longer" longer_next_time
if [ -n "$JC_TRACE" ]; then
	ksft_check "both leave events" event_of_trip
	jc_write $JC_TRACE/events/jc_sched/jc_sched_guard/enable 0
else
	ktap_test_skip "both leave events (no tracepoint)"
fi

jc_write $JC_GUARD 1
ksft_check "a 1 to the sysctl gives it back by hand" is guard on
ksft_check "the network decides again" network_decides

ksft_check "it trips once more" trips "$(jc_ms 10000)"
jc_answer none
ksft_check "another network has a clean slate" is guard_trips 0
ksft_check "it decides" network_decides
ktap_finished
