# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell tests of JC_SCHED share. The including test sets DIR first.

# shellcheck source=../kselftest/ksft_lib.sh
. "$DIR/../kselftest/ksft_lib.sh"

JC_SWITCH=/proc/sys/kernel/sched_jc
JC_DEBUG=/sys/kernel/debug/jc_sched
JC_STATE=$JC_DEBUG/state
JC_STATS=$JC_DEBUG/stats
JC_GUARD=/proc/sys/kernel/sched_jc_guard
JC_EXPLORE=/proc/sys/kernel/sched_jc_explore
# Set by jc_trace_open: a trace instance of our own.
JC_TRACE=
# Set by jc_need_answers.
JC_CONSTANT=

JC_TMP=$(mktemp -d)
JC_MODE=
JC_SAVED=
JC_SAVED_GUARD=
JC_SAVED_EXPLORE=
JC_NR_CPUS=$(nproc)
JC_LOADS=()

jc_ms() {
	echo $(($1 * $(ksft_slow)))
}

# jc_state NAME: the value of a line of the state file, which must be there once
jc_state() {
	local name value found=

	while read -r name value; do
		if [ "$name" = "$1:" ]; then
			[ -z "$found" ] || return 1
			found=$value
		fi
	done < $JC_STATE
	[ -n "$found" ] && echo "$found"
}

jc_write() {
	echo "$2" 2>/dev/null > "$1"
}

jc_switch() {
	jc_write "$JC_SWITCH" "$1"
}

# jc_answer no|yes|idle|none: a network that always says so, or no to busy CPUs; the
# built-in one again
jc_answer() {
	"$DIR/jc_constant" "$1"
}

# Skips the whole test where jc_answer cannot work.
jc_need_answers() {
	[ "$(jc_state model_from)" = kernel ] ||
		ksft_skip_all "a model is loaded: remove it first"
	jc_answer none || ksft_skip_all "no slots: kernel without CONFIG_LITEFLOW_NETLINK"
	JC_CONSTANT=yes
}

# jc_guard_fresh ANSWER: the network that jc_answer has for it, on, with a guard that
# knows nothing of it
jc_guard_fresh() {
	jc_write $JC_GUARD 0
	jc_answer "$1"
	[ "$JC_MODE" = replace ] || jc_switch 1
	jc_write $JC_STATS 0
	jc_write $JC_GUARD 1
}

# jc_refuses VALUE FILE MESSAGE: writing VALUE gives that error
jc_refuses() {
	local err

	err=$({ echo "$1" > "$2"; } 2>&1) && return 1
	[[ $err == *"$3"* ]]
}

# jc_stats FILE: keep the counters in FILE, read while nobody counts: they are
# summed up over the CPUs one after the other, and counted one after the other.
jc_stats() {
	local i

	for ((i = 0; i < 100; i++)); do
		cat "$JC_STATS" > "$1"
		[ "$(cat "$1")" != "$(cat "$JC_STATS")" ] || break
	done
}

# jc_get FILE NAME: a value out of a file of "name value" lines
jc_get() {
	local name value

	while read -r name value; do
		if [ "$name" = "$2" ]; then
			echo "$value"
			return 0
		fi
	done < "$1"
	return 1
}

# jc_load ARGS: run the load in the background; jc_load_wait: until it ends
jc_load() {
	"$DIR/burners" "$@" > "$JC_TMP/load" &
	JC_LOADS+=($!)
}

jc_load_wait() {
	local pid ret=0

	for pid in "${JC_LOADS[@]}"; do
		wait "$pid" || ret=1
	done
	JC_LOADS=()
	return $ret
}

jc_load_stop() {
	local pid

	for pid in "${JC_LOADS[@]}"; do
		kill "$pid" 2>/dev/null
	done
	jc_load_wait
}

jc_burst() {
	jc_load "$@"
	jc_load_wait
}

jc_trace_open() {
	local root=/sys/kernel/tracing

	[ -d $root/events ] || mount -t tracefs nodev $root 2>/dev/null
	[ -d $root/events/jc_sched/jc_sched_decision ] || return 1
	JC_TRACE=$root/instances/jc_sched_test
	# One that an interrupted run left behind may hold anything.
	rmdir $JC_TRACE 2>/dev/null
	if ! mkdir $JC_TRACE 2>/dev/null; then
		JC_TRACE=
		return 1
	fi
	# Large enough that no phase of a test overwrites.
	jc_write $JC_TRACE/buffer_size_kb 8192
}

# jc_trace 0|1
jc_trace() {
	[ "$1" = 0 ] || jc_write "$JC_TRACE/trace" ""
	jc_write "$JC_TRACE/events/jc_sched/jc_sched_decision/enable" "$1"
}

# jc_trace_keep FILE: keep the events in FILE and say how many were lost
jc_trace_keep() {
	grep 'jc_sched_decision:' "$JC_TRACE/trace" > "$1"
	cat "$JC_TRACE"/per_cpu/cpu*/stats |
		awk '$1 ~ /overrun|dropped/ { n += $NF } END { print n + 0 }'
}

# jc_events FILE off|on LINES: what jc_events.awk says of kept events
jc_events() {
	local cost=/sys/kernel/debug/sched/migration_cost_ns

	head -n "$3" "$1" |
		awk -v mode="$JC_MODE" -v model="$2" \
			-v checksum="$(jc_state model_checksum)" \
			-v cost="$(cat $cost 2>/dev/null)" \
			-v explore="$(cat $JC_EXPLORE 2>/dev/null)" \
			-f "$DIR/jc_events.awk"
}

# shellcheck disable=SC2317,SC2329
jc_cleanup() {
	jc_load_stop
	if [ -n "$JC_TRACE" ]; then
		jc_trace 0
		rmdir "$JC_TRACE" 2>/dev/null
	fi
	[ -z "$JC_CONSTANT" ] || jc_answer none
	[ -z "$JC_SAVED_GUARD" ] || jc_write "$JC_GUARD" "$JC_SAVED_GUARD"
	[ -z "$JC_SAVED" ] || jc_switch "$JC_SAVED"
	[ -z "$JC_SAVED_EXPLORE" ] || jc_write $JC_EXPLORE "$JC_SAVED_EXPLORE"
	rm -rf "$JC_TMP"
}

# Whatever every test needs; skips the whole test, with the reason, if absent.
jc_init() {
	trap jc_cleanup EXIT
	trap 'exit 1' INT TERM
	ktap_print_header
	[ "$EUID" = 0 ] || ksft_skip_all "not root"
	[ -e $JC_SWITCH ] ||
		ksft_skip_all "no $JC_SWITCH: kernel without CONFIG_JC_SCHED"
	[ -d /sys/kernel/debug/sched ] || [ -d $JC_DEBUG ] ||
		mount -t debugfs nodev /sys/kernel/debug 2>/dev/null
	[ -r $JC_STATE ] || ksft_skip_all "no $JC_STATE: no debugfs"
	JC_MODE=$(jc_state mode)
	case "$JC_MODE" in
	toggle | test) JC_SAVED=$(cat $JC_SWITCH) ;;
	replace) ;;
	*) ktap_exit_fail_msg "$JC_STATE states no known mode: '$JC_MODE'" ;;
	esac
	if [ -e $JC_EXPLORE ]; then
		JC_SAVED_EXPLORE=$(cat $JC_EXPLORE)
		jc_write $JC_EXPLORE 0
	fi
	# The tests watch the network, a bad one, too; guard.sh puts it on again.
	if [ -w $JC_GUARD ]; then
		JC_SAVED_GUARD=$(cat $JC_GUARD)
		jc_write $JC_GUARD 0
	fi
	ktap_print_msg "mode $JC_MODE, $JC_NR_CPUS CPUs, durations x$(ksft_slow)"
}
