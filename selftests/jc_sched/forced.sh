#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A network that always says no must not stop balancing: after cache_nice_tries
# failures a task is moved all the same. If it were not, nr_balance_failed would
# go on growing, and two failures later the balancer would take to the stopper
# thread and push the running task (active balance).
#
# So, with a network that always answers "no" in a slot, the same load is run in
# turn as the stock code has it and with that network, and active balances are
# counted. In replace there is no stock code to compare with; there
# the other side is the network that always says yes, which never has a balance
# fail for being hot, and so is a stricter measure than the stock code.
#
# What is allowed: active balances also come by chance, in clusters, and more of them
# while the load is uneven for longer, as it is on the always-no side: 5 against 20
# has been seen. So the excess is held against the tasks that the balancer moved
# there in the meantime, 220 to 340 of them: it must stay below a quarter. Without
# forcing most tasks would get away by active balance only: with the comparison
# patched out of can_migrate_task(), 8 CPUs had 55 in 12 bursts against one of the
# stock code, and nothing forced.
#
# Spreading takes longer if each move has to fail first, the more so as any
# balance that finds nothing to do in between clears nr_balance_failed; the stock
# rule is as slow when it takes every task for hot (migration_cost_ns of
# 4294967295). So the last CPU need not be reached in time in each burst; but a
# balancer that had come to a standstill would reach one CPU, and here it must be
# half of them, over all bursts.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

PHASES=2
BURSTS=6
SCHEDSTATS=/proc/sys/kernel/sched_schedstats

jc_init
jc_need_answers
[ -r /proc/schedstat ] || ksft_skip_all "no /proc/schedstat: kernel without CONFIG_SCHEDSTATS"
[ -w $SCHEDSTATS ] || ksft_skip_all "no $SCHEDSTATS"
[ "$(awk '$1 == "version" { print $2 }' /proc/schedstat)" = 16 ] ||
	ksft_skip_all "/proc/schedstat is not of version 16"
[ "$JC_NR_CPUS" -gt 1 ] || ksft_skip_all "only one CPU"
ktap_set_plan 7
jc_trace_open

SAVED_SCHEDSTATS=$(cat $SCHEDSTATS)
jc_write $SCHEDSTATS 1

restore()
{
	jc_write $SCHEDSTATS "$SAVED_SCHEDSTATS"
	jc_cleanup
}
trap restore EXIT

# active: how many active balances there were. In version 16 a domain line has
# its name, its CPUs, three times eight fields, then alb_count, _failed, _pushed.
active()
{
	awk '$1 ~ /^domain[0-9]/ { n += $27 } END { print n + 0 }' /proc/schedstat
}

# As many tasks as CPUs: each that is released has an idle CPU waiting for it.
# That is the case in which the balancer counts tasks (migrate_task), the only one
# in which failures lead to active balance on a symmetric machine.
phase()
{
	local before

	before=$(active)
	jc_burst -n "$JC_NR_CPUS" -s 0 -g 50 -r "$(jc_ms 1500)" -e \
		-b $BURSTS -t 0
	read -r _ _ _ _ _ reached _ < "$JC_TMP/load"
	count=$(($(active) - before))
	ktap_print_msg "$1: $count active balances, $(cat "$JC_TMP/load")"
}

stock()
{
	case "$JC_MODE" in
	replace) jc_answer yes ;;
	*) jc_switch 0 ;;
	esac
}

always_no()
{
	jc_answer no
	[ "$JC_MODE" = replace ] || jc_switch 1
}

# In test the stock code moves them, otherwise failures do.
few_more_active_than_stock()
{
	local moved=$((n[forced] + n[fallback]))

	[ "$JC_MODE" != test ] || moved=${n[only_stock]}
	[ $((4 * (no_active - stock_active))) -le "$moved" ]
}

# What the tracepoint says of the always-no side; none of it may be lawless.
keep_events()
{
	jc_trace 0
	jc_trace_keep "$JC_TMP/events" > "$JC_TMP/lost"
	jc_events "$JC_TMP/events" on 3000 >> "$JC_TMP/awk"
}

never_refused_after_failures()
{
	grep '^reasons: ' "$JC_TMP/awk" | sed 's/^/# /'
	grep -q '^events [1-9]' "$JC_TMP/awk" && ! grep -q '^reasons: ' "$JC_TMP/awk"
}

stock_active=0 stock_reached=0
no_active=0 no_reached=0
declare -A n=([decisions]=0 [accepted]=0 [forced]=0 [fallback]=0
	      [both_migrate]=0 [only_model]=0 [only_stock]=0)

for ((i = 0; i < PHASES; i++)); do
	stock
	phase stock
	stock_active=$((stock_active + count))
	stock_reached=$((stock_reached + reached))

	always_no
	jc_write $JC_STATS 0
	[ -z "$JC_TRACE" ] || jc_trace 1
	phase always-no
	[ -z "$JC_TRACE" ] || keep_events
	no_active=$((no_active + count))
	no_reached=$((no_reached + reached))
	jc_stats "$JC_TMP/stats"
	for name in "${!n[@]}"; do
		n[$name]=$((n[$name] + $(jc_get "$JC_TMP/stats" "$name")))
	done
done
for name in "${!n[@]}"; do
	ktap_print_msg "always no: $name ${n[$name]}"
done
ktap_print_msg "active balances: $stock_active, always no: $no_active"

ksft_check "always no: decisions were made" test "${n[decisions]}" -gt 0
if [ "$JC_MODE" = test ]; then
	# Here the stock code decides, whatever the network says.
	ksft_check "always no: the network never said yes" \
		test $((n[both_migrate] + n[only_model])) -eq 0
	ksft_check "always no: the stock code still did" test "${n[only_stock]}" -gt 0
else
	ksft_check "always no: tasks were forced to move" test "${n[forced]}" -gt 0
	ksft_check "always no: nothing moved otherwise" \
		test "${n[accepted]}" -le $((n[forced] + n[fallback]))
fi
if [ -n "$JC_TRACE" ]; then
	ksft_check "always no: nobody stays after too many failures" \
		never_refused_after_failures
else
	ktap_test_skip "always no: nobody stays after too many failures (no tracepoint)"
fi
ksft_check "the load spreads" test $((stock_reached / PHASES)) -ge 50
ksft_check "always no: the load spreads" test $((no_reached / PHASES)) -ge 50
ksft_check "always no: few tasks get away by active balance" \
	few_more_active_than_stock
ktap_finished
