#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guard blames the network only for CPUs that could have helped: not for isolated
# ones, nor for those of another cpuset partition, and a task that may not move does
# not wait for any. The network is one that always says no, so every mistake would show.
#
# Booted with isolcpus=LIST the first tests are about those CPUs; the others make
# a cpuset partition under load, and a group that is throttled.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

CGROUP=/sys/fs/cgroup
OURS=$CGROUP/jc_sched_test
ISOLATED=$(tr ' ' '\n' < /proc/cmdline |
	sed -n 's/^isolcpus=\(.*,\)\{0,1\}\([0-9]*-[0-9]*\)$/\2/p')

jc_init
[ "$(jc_state guard)" != "not built" ] ||
	ksft_skip_all "kernel without CONFIG_JC_SCHED_GUARD"
jc_need_answers
for tool in taskset chrt; do
	command -v $tool > /dev/null || ksft_skip_all "no $tool"
done
((JC_NR_CPUS >= 4)) || ksft_skip_all "less than 4 CPUs"
ktap_set_plan 11
jc_trace_open || ksft_skip_all "no tracepoint jc_sched:jc_sched_decision"

HOGS=() PARENT=
# The upper half, but for the last CPU: its node is in two partitions then.
LOW=$((JC_NR_CPUS / 2)) HIGH=$((JC_NR_CPUS - 2))

restore()
{
	stop_hogs
	if [ -d $OURS ]; then
		jc_write $OURS/cpuset.cpus.partition member
		rmdir $OURS
	fi
	jc_cleanup
}
trap restore EXIT

# hogs N CPUS [COMMAND...]: so many tasks that do not sleep, on these CPUs, begun by COMMAND
hogs()
{
	local i

	for ((i = 0; i < $1; i++)); do
		"${@:3}" taskset -c "$2" sh -c 'while :; do :; done' &
		HOGS+=($!)
	done
}

# family N CPUS: the same, of one parent, which stays on one of these CPUs: only then
# they begin on the same one, as a change of affinity chooses a CPU for each task
# shellcheck disable=SC2016
family()
{
	taskset -c "$2" sh -c 'for i in $(seq '"$1"'); do
			sh -c "while :; do :; done" &
			echo $!
		done > "$0/pids.new"
		mv "$0/pids.new" "$0/pids"
		wait' "$JC_TMP" &
	PARENT=$!
	while [ ! -e "$JC_TMP/pids" ]; do
		sleep 0.1
	done
	mapfile -t HOGS < "$JC_TMP/pids"
}

stop_hogs()
{
	local pid

	for pid in "${HOGS[@]}" ${PARENT:+"$PARENT"}; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	HOGS=() PARENT=
}

# where: the CPU of each hog
where()
{
	local pid

	for pid in "${HOGS[@]}"; do
		ps -o psr= -p "$pid" | tr -d ' \n'
		echo -n ' '
	done
}

# watch MS: the CPUs from and to which decisions were made, with a clean slate
watch()
{
	jc_write $JC_GUARD 1
	jc_trace 1
	sleep "$(($1 / 1000))"
	jc_trace 0
	jc_trace_keep "$JC_TMP/events" > "$JC_TMP/lost"
	ktap_print_msg "$(wc -l < "$JC_TMP/events") decisions," \
		"$(grep ^guard $JC_STATE | tr '\n' ' ')"
}

no_trips()
{
	[ "$(jc_state guard)" = on ] && [ "$(jc_state guard_trips)" = 0 ]
}

# spared MS: the same, within that time. On a slow machine the kernel's own tasks wait for
# each other, and long enough for a trip now and then; tasks that are wrongly blamed wait
# all the time, so that it trips each time.
spared()
{
	local i

	for ((i = 1; i < 2 * $(ksft_slow); i++)); do
		watch "$1"
		no_trips && return
	done
	return 1
}

# rest_at_most: the same; on a slow machine, the kernel's own tasks on the other CPUs
# may wait for each other long enough to trip the guard there, and only there
rest_at_most()
{
	no_trips && return
	(($(ksft_slow) > 1)) || return 1
	! jc_state guard_cpus | tr ',' '\n' | awk -F- -v low="$LOW" -v high="$HIGH" \
		'$1 <= high && $NF >= low { n++ } END { exit !n }'
}

# untouched LOW HIGH: no decision from or to these CPUs
untouched()
{
	! sed -n 's/.* src_cpu=\([0-9]*\) dst_cpu=\([0-9]*\) .*/\1\n\2/p' "$JC_TMP/events" |
		awk -v low="$1" -v high="$2" '$1 >= low && $1 <= high { n++ } END { exit !n }'
}

same_place()
{
	local now

	now=$(where)
	ktap_print_msg "on CPUs $before, now $now"
	[ "$now" = "$before" ]
}

# one_cpu: S-02 of the isolated: nobody spreads them, so all are on one CPU
one_cpu()
{
	ktap_print_msg "on CPUs $(where)"
	[ "$(where | tr ' ' '\n' | grep -c .)" = ${#HOGS[@]} ] &&
		[ "$(where | tr ' ' '\n' | sort -u | grep -c .)" = 1 ]
}

# most_starved: the largest number of starved CPUs in the guard's events
most_starved()
{
	sed -n 's/.*jc_sched_guard: event=trips .* starved=\([0-9]*\) .*/\1/p' \
		"$JC_TRACE/trace" | sort -n | tail -n 1
}

if [ -n "$ISOLATED" ]; then
	jc_guard_fresh no
	family 8 "$ISOLATED"
	sleep 2
	watch "$(jc_ms 10000)"
	ksft_check "isolcpus: tasks stay on one CPU, as stock has it" one_cpu
	ksft_check "isolcpus: nothing is decided about them" \
		untouched "${ISOLATED%-*}" "${ISOLATED#*-}"
	ksft_check "isolcpus: the network is not blamed" no_trips
	stop_hogs
else
	for what in "tasks stay on one CPU, as stock has it" \
		    "nothing is decided about them" "the network is not blamed"; do
		ktap_test_skip "isolcpus: $what (booted without isolcpus=N-M)"
	done
fi

# Each CPU of the lower half has two tasks that may not leave it. They are of the idle
# policy: what else runs there and may move does not wait for long, but is refused now
# and then, and the one of the two that waits must not be taken for it afterwards.
jc_guard_fresh no
for ((cpu = 0; cpu < LOW; cpu++)); do
	hogs 2 $cpu chrt -i 0
done
sleep 1
ksft_check "pinned tasks do not wait for idle CPUs" spared "$(jc_ms 6000)"
stop_hogs

if jc_write $CGROUP/cgroup.subtree_control "+cpuset +cpu" && mkdir $OURS &&
   [ -e $OURS/cpuset.cpus.partition ] && [ -z "$ISOLATED" ]; then
	# Two tasks on each CPU; then there is no balancing any more, and all
	# but those of the first CPU end.
	jc_guard_fresh none
	for ((cpu = LOW; cpu <= HIGH; cpu++)); do
		hogs 2 $cpu
	done
	sleep 1
	for pid in "${HOGS[@]}"; do
		taskset -pc "$LOW-$HIGH" "$pid" > /dev/null
	done
	jc_write $OURS/cpuset.cpus "$LOW-$HIGH"
	jc_write $OURS/cpuset.cpus.partition isolated
	ktap_print_msg "partition of $LOW-$HIGH: $(cat $OURS/cpuset.cpus.partition)"
	ksft_check "the partition is made under load" \
		grep -qx isolated $OURS/cpuset.cpus.partition
	for pid in "${HOGS[@]}"; do
		jc_write $OURS/cgroup.procs "$pid"
	done
	sleep 1
	first=$(where)
	first=${first%% *}
	keep=()
	for pid in "${HOGS[@]}"; do
		if [ "$(ps -o psr= -p "$pid" | tr -d ' ')" = "$first" ]; then
			keep+=("$pid")
		else
			kill "$pid"
			wait "$pid" 2>/dev/null
		fi
	done
	HOGS=("${keep[@]}")
	before=$(where)
	jc_guard_fresh no
	watch "$(jc_ms 6000)"
	ksft_check "isolated partition: tasks stay where they are" same_place
	ksft_check "isolated partition: nothing is decided about them" untouched $LOW $HIGH
	ksft_check "isolated partition: the network is not blamed" rest_at_most

	# Tasks of the others do wait, but not for these CPUs: of the idle ones, the
	# guard may name the rest of the machine at most.
	jc_write $JC_TRACE/trace ""
	jc_write $JC_TRACE/events/jc_sched/jc_sched_guard/enable 1
	for ((i = 0; i < 40; i++)); do
		jc_burst -n "$JC_NR_CPUS" -s 0 -g 20 -r 150 -c 0 -t "$(jc_ms 350)"
		[ -z "$(most_starved)" ] || break
	done
	jc_write $JC_TRACE/events/jc_sched/jc_sched_guard/enable 0
	most=$(most_starved)
	ktap_print_msg "at most ${most:-no} CPUs starved, $(jc_state guard_cpus)"
	ksft_check "the rest of the machine is guarded" test -n "$most"
	ksft_check "CPUs of the partition do not starve" \
		test "${most:-99}" -lt $((JC_NR_CPUS - (HIGH - LOW + 1)))
	stop_hogs
	jc_write $OURS/cpuset.cpus.partition member
	jc_write $OURS/cpuset.cpus ""
else
	for what in "the partition is made under load" \
		    "isolated partition: tasks stay where they are" \
		    "isolated partition: nothing is decided about them" \
		    "isolated partition: the network is not blamed" \
		    "the rest of the machine is guarded" \
		    "CPUs of the partition do not starve"; do
		ktap_test_skip "$what (no cpuset partitions, or booted with isolcpus)"
	done
fi

# Throttled for most of the time: nobody runs, nobody waits.
if [ -e $OURS/cpu.max ]; then
	jc_guard_fresh none
	jc_write $OURS/cpu.max "20000 100000"
	for ((i = 0; i < 2 * JC_NR_CPUS; i++)); do
		hogs 1 "0-$((JC_NR_CPUS - 1))"
	done
	for pid in "${HOGS[@]}"; do
		jc_write $OURS/cgroup.procs "$pid"
	done
	ksft_check "throttled groups: the network is not blamed" spared "$(jc_ms 6000)"
	stop_hogs
	jc_write $OURS/cpu.max max
else
	ktap_test_skip "throttled groups: the network is not blamed (no cpu controller)"
fi
ktap_finished
