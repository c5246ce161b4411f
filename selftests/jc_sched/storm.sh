#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All at once: CPUs come and go, the switch, the guard and exploration are toggled, two
# models take turns in the slots, and a load is balanced. Afterwards nothing is
# lost: the counters add up, the CPUs are there, and tasks reach each of them.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

SECONDS_EACH=15

jc_init
jc_need_answers
[ "$JC_NR_CPUS" -gt 1 ] || ksft_skip_all "only one CPU"
ktap_set_plan 8

BEFORE=$(cat /sys/devices/system/cpu/online)
HOT=()
for file in /sys/devices/system/cpu/cpu[0-9]*/online; do
	case "$file" in
	*/cpu0/online | *\**) ;;
	*) [ "$(cat "$file")" != 1 ] || HOT+=("$file") ;;
	esac
done
# half of the CPUs go
HOT=("${HOT[@]:$((${#HOT[@]} / 2))}")

WORKERS=()
restore()
{
	stop_workers
	for file in "${HOT[@]}"; do
		[ "$(cat "$file")" = 1 ] || jc_write "$file" 1
	done
	jc_cleanup
}
trap restore EXIT

# worker NAME COMMAND...: again and again until the end; counts in $JC_TMP/NAME
worker()
{
	local name="$1"

	shift
	(
		trap - EXIT
		n=0
		while [ ! -e "$JC_TMP/end" ]; do
			"$@" && ((++n))
			echo $n > "$JC_TMP/$name.new" && mv "$JC_TMP/$name.new" "$JC_TMP/$name"
		done
	) &
	WORKERS+=($!)
}

stop_workers()
{
	local pid

	touch "$JC_TMP/end"
	for pid in "${WORKERS[@]}"; do
		wait "$pid" 2>/dev/null
	done
	WORKERS=()
}

# shellcheck disable=SC2317,SC2329
come_and_go()
{
	local file

	for file in "${HOT[@]}"; do
		jc_write "$file" 0
	done
	for file in "${HOT[@]}"; do
		jc_write "$file" 1
	done
}

# shellcheck disable=SC2317,SC2329
switch_both()
{
	if [ "$JC_MODE" = replace ]; then
		[ "$(cat $JC_SWITCH)" = 1 ]
	else
		jc_switch 1 && sleep 0.05 && jc_switch 0
	fi
}

# shellcheck disable=SC2317,SC2329
swap()
{
	jc_answer no && jc_answer yes
}

# shellcheck disable=SC2317,SC2329
guard_both()
{
	if [ -w $JC_GUARD ]; then
		jc_write $JC_GUARD 0 && jc_write $JC_GUARD 1
	elif [ -w $JC_EXPLORE ]; then
		jc_write $JC_EXPLORE 500 && jc_write $JC_EXPLORE 0
	fi
}

# shellcheck disable=SC2317,SC2329
look()
{
	cat $JC_STATE $JC_STATS > "$JC_TMP/look" && grep -q '^model: ' "$JC_TMP/look"
}

worked()
{
	local n

	n=$(cat "$JC_TMP/$1")
	ktap_print_msg "$1: $n times"
	((n > 0))
}

adds_up()
{
	jc_stats "$JC_TMP/stats"
	ktap_print_msg "$(tr '\n' ' ' < "$JC_TMP/stats")"
	(($(jc_get "$JC_TMP/stats" decisions) > 0 &&
	  $(jc_get "$JC_TMP/stats" decisions) ==
	  $(jc_get "$JC_TMP/stats" accepted) + $(jc_get "$JC_TMP/stats" refused)))
}

spreads_again()
{
	jc_answer none
	jc_burst -s 0 -g 50 -r "$(jc_ms 5000)" -e -b 3
	sed 's/^/# /' "$JC_TMP/load"
	read -r _ _ _ spread _ < "$JC_TMP/load"
	((spread > 0))
}

jc_write $JC_STATS 0
jc_load -n $((2 * JC_NR_CPUS)) -g 20 -r 100 -t 0
worker switched switch_both
worker models swap
worker guard guard_both
worker looked look
[ ${#HOT[@]} -eq 0 ] || worker hotplug come_and_go
sleep $((SECONDS_EACH * $(ksft_slow)))
stop_workers
if [ ${#HOT[@]} -gt 0 ]; then
	ksft_check "CPUs came and went" worked hotplug
else
	ktap_test_skip "CPUs came and went (none but cpu0 can be offlined)"
fi
ksft_check "the switch was toggled" worked switched
ksft_check "models took turns" worked models
ksft_check "guard or exploration was toggled" worked guard
ksft_check "state and counters were read" worked looked
jc_load_stop
for file in "${HOT[@]}"; do
	[ "$(cat "$file")" = 1 ] || jc_write "$file" 1
done
ksft_check "all CPUs are back" test "$(cat /sys/devices/system/cpu/online)" = "$BEFORE"
ksft_check "the counters add up" adds_up
ksft_check "tasks reach every CPU again" spreads_again
ktap_finished
