#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guard sees each kind of harm: "idle" is in guard.sh, here are "wait" and "back".
#
# wait: a network that says no to busy CPUs only. Every CPU has a task of its own,
# pinned, and one of them many more that may run anywhere; no CPU is idle.
#
# back: a network that always says yes, where the rule always says no, as a migration
# cost of -1 has it. CPUs that go idle again and again pull tasks from each other.
#
# How much harm comes together depends on the machine: where time is lost to other
# guests, the guard looks too seldom to trip by these two. So here the harm has to be
# counted; that enough of it trips is KUnit's part, and that a trip helps guard.sh's.
#
# Permissions are not moves: with a network that says yes to tasks that then stay where
# they are, nothing is counted. The same load shows no harm if the rule says yes, too.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

COST=/sys/kernel/debug/sched/migration_cost_ns
NEVER=4294967295

jc_init
[ "$(jc_state guard)" != "not built" ] ||
	ksft_skip_all "kernel without CONFIG_JC_SCHED_GUARD"
jc_need_answers
[ "$JC_NR_CPUS" -gt 1 ] || ksft_skip_all "only one CPU"
[ -w $COST ] || ksft_skip_all "no $COST"
ktap_set_plan 6

SAVED_COST=$(cat $COST)
PINNED=()

restore()
{
	stop_pinned
	jc_write $COST "$SAVED_COST"
	jc_cleanup
}
trap restore EXIT

stop_pinned()
{
	local pid

	for pid in "${PINNED[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	PINNED=()
}

pin_everywhere()
{
	local cpu

	for ((cpu = 0; cpu < JC_NR_CPUS; cpu++)); do
		taskset -c "$cpu" sh -c 'while :; do :; done' &
		PINNED+=($!)
	done
}

waiting_load()
{
	jc_burst -n $((3 * JC_NR_CPUS)) -s 0 -g 20 -r 400 -t "$1"
}

# Many short naps: CPUs go idle all the time, and ask for tasks when they do.
napping_load()
{
	jc_burst -n $((2 * JC_NR_CPUS)) -s $((2 * JC_NR_CPUS)) -g 1 -r 2000 -t "$1"
}

# harm NAME: ms of this kind since the reset
harm()
{
	jc_state "guard_$1" | sed 's/.*, \([0-9]*\) in all/\1/'
}

# counts NAME LOAD MS: is harm of this kind counted within so long? It comes by chance, and
# on an emulated machine seldom: after ten seconds of load or so.
counts()
{
	local left=$3

	while ((left > 0)) && [ "$(harm "$1")" = 0 ]; do
		"$2" 1000
		((left -= 1000))
	done
	ktap_print_msg "$1: $(jc_state "guard_$1"), trips $(jc_state guard_trips)," \
		"after $(($3 - left)) ms"
	[ "$(harm "$1")" -gt 0 ]
}

no_harm()
{
	ktap_print_msg "$1: $(jc_state "guard_$1"), trips $(jc_state guard_trips)"
	[ "$(jc_state guard_trips)" = 0 ] && [ "$(harm "$1")" = 0 ]
}

pin_everywhere
jc_guard_fresh idle
ksft_check "no to busy CPUs makes tasks wait" counts wait waiting_load "$(jc_ms 100000)"
jc_guard_fresh none
waiting_load "$(jc_ms 2000)"
ksft_check "the built-in network does not wait" no_harm wait
stop_pinned

jc_write $COST $NEVER
jc_guard_fresh yes
ksft_check "always yes sends tasks back" counts back napping_load "$(jc_ms 100000)"
jc_guard_fresh no
jc_write $JC_GUARD 1
napping_load "$(jc_ms 1000)"
ktap_print_msg "always no: back $(jc_state guard_back)"
ksft_check "what is refused does not go back" test "$(harm back)" = 0
jc_write $COST 0
jc_guard_fresh yes
napping_load "$(jc_ms 2000)"
ksft_check "where the rule says yes as well, nothing goes back" no_harm back
jc_write $COST "$SAVED_COST"
jc_guard_fresh none
napping_load "$(jc_ms 2000)"
ksft_check "the built-in network sends nothing back" no_harm back
ktap_finished
