#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# CPUs go and come back while tasks are balanced, the network is on and, where
# it is built, samples are taken on every CPU.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

ROUNDS=1
CPUS=(/sys/devices/system/cpu/cpu[0-9]*/online)

jc_init
online()
{
	cat /sys/devices/system/cpu/online
}

# The first CPU may have the file too; it is left alone everywhere.
HOT=()
for file in "${CPUS[@]}"; do
	case "$file" in
	*/cpu0/online | *\**) ;;
	*) [ "$(cat "$file")" != 1 ] || HOT+=("$file") ;;
	esac
done
[ ${#HOT[@]} -gt 0 ] || ksft_skip_all "no CPU but cpu0 that can be offlined"
ktap_set_plan $((${#HOT[@]} + 4))

BEFORE=$(online)
[ "$JC_MODE" = replace ] || jc_switch 1

bring_back()
{
	local file

	for file in "${HOT[@]}"; do
		[ "$(cat "$file")" = 1 ] || jc_write "$file" 1
	done
	jc_cleanup
}
trap bring_back EXIT

# The kernel may say EBUSY for a moment: try again before it counts.
set_online()
{
	local i

	for ((i = 0; i < 5; i++)); do
		jc_write "$1" "$2" && return 0
		sleep 0.2
	done
	return 1
}

down_and_up()
{
	local file="$1" i

	for ((i = 0; i < ROUNDS; i++)); do
		set_online "$file" 0 || return 1
		[ "$(cat "$file")" = 0 ] || return 1
		sleep 0.1
		set_online "$file" 1 || return 1
		[ "$(cat "$file")" = 1 ] || return 1
	done
}

counts_go_on()
{
	local before after i

	before=$(jc_get $JC_STATS decisions)
	for ((i = 0; i < 100 * $(ksft_slow); i++)); do
		sleep 0.1
		after=$(jc_get $JC_STATS decisions)
		((after == before)) || break
	done
	ktap_print_msg "decisions from $before to $after"
	((after > before))
}

# Each CPU that came back is balanced to again.
spreads_again()
{
	jc_burst -s 0 -g 50 -r "$(jc_ms 5000)" -e -b 3
	sed 's/^/# /' "$JC_TMP/load"
	read -r _ _ _ spread _ < "$JC_TMP/load"
	((spread > 0))
}

# perf_cycles and perf_branches are not worse off than before
PERF=$(grep '^perf' $JC_STATE)
perf_as_before()
{
	[ "$(grep '^perf' $JC_STATE)" = "$PERF" ] && return 0
	diff <(echo "$PERF") <(grep '^perf' $JC_STATE) | sed 's/^/# /'
	return 1
}

jc_load -n "$JC_NR_CPUS" -t 0 -g 20 -r 100
for file in "${HOT[@]}"; do
	cpu=${file%/online}
	ksft_check "${cpu##*/} goes and comes back" down_and_up "$file"
done
ksft_check "decisions go on" counts_go_on
jc_load_stop
ksft_check "all CPUs are back" test "$(online)" = "$BEFORE"
ksft_check "tasks reach every CPU again" spreads_again
ksft_check "perf events are as before" perf_as_before
ktap_finished
