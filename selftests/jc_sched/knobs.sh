#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The migration cost and NUMA balancing are changed while tasks are balanced. In test
# mode both the rule and the network are asked: the features determine the rule's
# decision at every setting, so the built-in network never disagrees.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=jc_lib.sh
. "$DIR/jc_lib.sh"

COST=/sys/kernel/debug/sched/migration_cost_ns
NUMA=/proc/sys/kernel/numa_balancing
COSTS=(0 1 500000 5000000 4294967295)
NUMAS=(0 1 2 3)

jc_init
[ "$JC_MODE" = test ] || ksft_skip_all "mode is $JC_MODE: only test asks both"
[ "$(jc_state model_from)" = kernel ] ||
	ksft_skip_all "a model is loaded: remove it first"
[ -w $COST ] || ksft_skip_all "no $COST"
ktap_set_plan $((${#COSTS[@]} + ${#NUMAS[@]}))

SAVED_COST=$(cat $COST)
SAVED_NUMA=$(cat $NUMA 2>/dev/null)

restore()
{
	jc_write $COST "$SAVED_COST"
	[ -z "$SAVED_NUMA" ] || jc_write $NUMA "$SAVED_NUMA"
	jc_cleanup
}
trap restore EXIT

# agree FILE VALUE: 0 disagreements with this setting, and something to agree on
agree()
{
	local decisions

	jc_write "$1" "$2" || return 1
	jc_write $JC_STATS 0
	jc_burst -g 20 -r 150 -t "$(jc_ms 2500)"
	jc_stats "$JC_TMP/stats"
	decisions=$(jc_get "$JC_TMP/stats" decisions)
	ktap_print_msg "$2: $decisions decisions," \
		"both refuse $(jc_get "$JC_TMP/stats" both_refuse)," \
		"both migrate $(jc_get "$JC_TMP/stats" both_migrate)"
	((decisions > 0 && $(jc_get "$JC_TMP/stats" only_model) == 0 &&
	  $(jc_get "$JC_TMP/stats" only_stock) == 0))
}

jc_switch 1
for cost in "${COSTS[@]}"; do
	ksft_check "migration cost $cost: no disagreement" agree $COST "$cost"
done
jc_write $COST "$SAVED_COST"
for numa in "${NUMAS[@]}"; do
	if [ -z "$SAVED_NUMA" ]; then
		ktap_test_skip "NUMA balancing $numa: no disagreement (no $NUMA)"
	else
		ksft_check "NUMA balancing $numa: no disagreement" agree $NUMA "$numa"
	fi
done
ktap_finished
