#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Decisions as the tracepoint and the counters show them: real ones, in every
# mode, with the network off and on; each event is checked by jc_events.awk.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

MIN_EVENTS=20
# awk takes its time; enough to see every kind of decision.
MAX_LINES=4000

jc_init
jc_trace_open || ksft_skip_all "no tracepoint jc_sched:jc_sched_decision"
[ -w $JC_STATS ] || ksft_skip_all "no $JC_STATS"
ktap_set_plan 19

# observe off|on: a load, its events and what jc_events.awk says of them
observe()
{
	jc_trace 1
	jc_write $JC_STATS 0
	jc_burst -g 20 -r 150 -t "$(jc_ms 4000)"
	jc_trace 0
	jc_stats "$JC_TMP/$1.stats"
	jc_trace_keep "$JC_TMP/$1" > "$JC_TMP/$1.lost"
	jc_events "$JC_TMP/$1" "$1" $MAX_LINES > "$JC_TMP/$1.awk"
	sed 's/^/# /' "$JC_TMP/$1.awk"
}

# group NAME GROUP: nothing was wrong with it, and there was something to check
group()
{
	[ "$(jc_get "$JC_TMP/$1.awk" events)" -ge $MIN_EVENTS ] || return 1
	! grep -q "^$2: " "$JC_TMP/$1.awk"
}

seen()
{
	[ "$(wc -l < "$JC_TMP/$1")" -ge $MIN_EVENTS ]
}

# Tracepoint and counters do not start and stop at the same moment.
counted_as_logged()
{
	local logged lost counted slack

	logged=$(wc -l < "$JC_TMP/$1")
	lost=$(cat "$JC_TMP/$1.lost")
	counted=$(jc_get "$JC_TMP/$1.stats" decisions) || return 1
	slack=$((logged / 50 + JC_NR_CPUS * 4))
	ktap_print_msg "$1: counted $counted, logged $logged, lost $lost"
	((counted >= logged + lost - slack &&
	  counted <= logged + lost + slack))
}

# sums FILE: relations between the counters
sums()
{
	local f="$1" c
	declare -A n

	for c in decisions accepted refused forced fallback model_asked \
		 stock_asked both_migrate both_refuse only_model only_stock \
		 model_timed model_ns stock_timed stock_ns; do
		n[$c]=$(jc_get "$f" "$c")
		if ! [[ ${n[$c]} =~ ^[0-9]+$ ]]; then
			ktap_print_msg "counter $c is not there or no number"
			return 1
		fi
	done
	ktap_print_msg "$(tr '\n' ' ' < "$f")"
	((n[decisions] > 0 &&
	  n[decisions] == n[accepted] + n[refused] &&
	  n[forced] <= n[accepted] &&
	  n[fallback] <= n[decisions] &&
	  n[model_asked] <= n[decisions] &&
	  n[stock_asked] <= n[decisions] &&
	  n[model_asked] + n[stock_asked] >= n[decisions] &&
	  n[both_migrate] + n[both_refuse] + n[only_model] + n[only_stock] <=
		n[model_asked] + n[stock_asked] - n[decisions] &&
	  n[model_timed] <= n[model_asked] &&
	  n[stock_timed] <= n[stock_asked]))
}

# The network is asked for each decision while on, and for none while off.
asked()
{
	local f="$1" decisions model stock fallback

	decisions=$(jc_get "$f" decisions)
	model=$(jc_get "$f" model_asked)
	stock=$(jc_get "$f" stock_asked)
	fallback=$(jc_get "$f" fallback)
	case "$JC_MODE.$2" in
	*.off) ((model == 0 && fallback == 0 && stock == decisions)) ;;
	test.on) ((model + fallback == decisions && stock == decisions)) ;;
	*.on) ((model + fallback == decisions && stock == fallback)) ;;
	esac
}

# A decision that began before the last change of the switch may still count.
settle()
{
	sleep 0.3
}

moved_by_load()
{
	local before after

	settle
	before=$(jc_get $JC_STATS decisions)
	jc_burst -t "$(jc_ms 1500)"
	settle
	after=$(jc_get $JC_STATS decisions)
	ktap_print_msg "decisions from $before to $after"
	echo $((after - before)) > "$JC_TMP/moved"
}

counters_move()
{
	moved_by_load
	[ "$(cat "$JC_TMP/moved")" -gt 0 ]
}

counters_stand()
{
	moved_by_load
	[ "$(cat "$JC_TMP/moved")" -eq 0 ]
}

both_answers()
{
	[ "$(jc_get "$JC_TMP/on.awk" both)" -gt 0 ] &&
		[ "$(jc_get "$JC_TMP/on.stats" both_migrate)" -gt 0 ]
}

# In replace the counters go on at once: it must be less than it was.
reset()
{
	local before after

	before=$(awk '{ n += $2 } END { print n + 0 }' $JC_STATS)
	jc_write $JC_STATS 0 || return 1
	after=$(awk '{ n += $2 } END { print n + 0 }' $JC_STATS)
	ktap_print_msg "sum of the counters: $before before, $after after"
	if [ "$JC_MODE" = replace ]; then
		((before > 0 && after < before))
	else
		((before > 0 && after == 0))
	fi
}

refuses_other_values()
{
	local before value

	before=$(jc_get $JC_STATS decisions)
	for value in 1 -1 x 00x 0x1; do
		if ! jc_refuses "$value" $JC_STATS "Invalid argument"; then
			ktap_print_msg "'$value' was not refused with EINVAL"
			return 1
		fi
	done
	((before > 0 && $(jc_get $JC_STATS decisions) >= before))
}

if [ "$JC_MODE" = replace ]; then
	for what in "events are seen" "fields" "reasons" "features" \
		    "counted as logged" "counters add up" "only the rule asked"; do
		ktap_test_skip "model off: $what (mode is replace)"
	done
else
	jc_switch 0
	observe off
	ksft_check "model off: events are seen" seen off
	ksft_check "model off: fields" group off fields
	ksft_check "model off: reasons" group off reasons
	ksft_check "model off: features" group off features
	ksft_check "model off: counted as logged" counted_as_logged off
	ksft_check "model off: counters add up" sums "$JC_TMP/off.stats"
	ksft_check "model off: only the rule asked" asked "$JC_TMP/off.stats" off
	jc_switch 1
fi

observe on
ksft_check "model on: events are seen" seen on
ksft_check "model on: fields" group on fields
ksft_check "model on: reasons" group on reasons
ksft_check "model on: features" group on features
ksft_check "model on: counted as logged" counted_as_logged on
ksft_check "model on: counters add up" sums "$JC_TMP/on.stats"
ksft_check "model on: the right ones asked" asked "$JC_TMP/on.stats" on
if [ "$JC_MODE" = test ]; then
	ksft_check "both verdicts of one decision are seen" both_answers
else
	ktap_test_skip "both verdicts of one decision are seen (mode is $JC_MODE)"
fi

ksft_check "tracepoint off, model on: counters move" counters_move
ksft_check "stats refuses all but 0" refuses_other_values
if [ "$JC_MODE" = replace ]; then
	ktap_test_skip "tracepoint off, model off: counters stand still (mode is replace)"
else
	jc_switch 0
	ksft_check "tracepoint off, model off: counters stand still" counters_stand
fi
ksft_check "writing 0 resets stats" reset
ktap_finished
