#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rewards that a real flow leaves beside its queries: of those queries, of the models that
# answered them, after the round trip that it takes to know them.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lfcc_lib.sh
. "$DIR/lfcc_lib.sh"

PORT=5203
RTT_MS=20
MBIT=10

lfcc_init
for tool in ip tc nsenter unshare; do
	type -P $tool > /dev/null || ksft_skip_all "no $tool"
done

# flow: endless, over a link of its own in the namespace of $LFCC_NETNS
flow()
{
	lfcc_netns && lfcc_in "$LFCC_NETNS" ip link set lo mtu 1500 &&
		lfcc_in "$LFCC_NETNS" tc qdisc add dev lo root netem \
			delay $((RTT_MS / 2))ms rate ${MBIT}mbit limit 100 || return 1
	nsenter -t "$LFCC_NETNS" -n "$DIR/lfcc_send" -l $PORT > /dev/null 2>&1 &
	LF_TASKS+=($!)
	nsenter -t "$LFCC_NETNS" -n "$DIR/lfcc_send" 127.0.0.1 $PORT 100000000 > /dev/null 2>&1 &
	LF_TASKS+=($!)
}

# collect FILE OPTION...: records as CSV in FILE
collect()
{
	local file="$1"

	shift
	timeout $((60 * $(ksft_slow))) "$LFCTL" collect cc "$@" > "$file" 2> "$LF_TMP/why" && return
	sed 's/^/# /' "$LF_TMP/why"
	return 1
}

# judge FILE: what is said of rewards holds; sets nothing, prints figures. CPUs deliver one
# after the other, so records are put into the order of time, and at the end a query may
# be missing whose reward came from another CPU.
# CSV: batch,kind,flow,seq,version,time_ns,cpu,reward,in0...in29,out0
judge()
{
	sort -s -t , -k 6,6n "$1" | awk -F , -v rtt=$((RTT_MS * 1000000)) \
		-v end="$(tail -n +2 "$1" | cut -d , -f 6 | sort -n | tail -n 1)" '
	$2 == "query" {
		version[$3, $4] = $5
		time[$3, $4] = $6
		versions[$5]
		queries++
	}
	$2 == "reward" {
		rewards++
		if (!(($3, $4) in version)) {
			alone += end - $6 > 5e8
			late += end - $6 <= 5e8
			next
		}
		if (($3, $4) in paid) twice++
		paid[$3, $4]
		if (version[$3, $4] != $5) foreign++
		# all of its packets were sent later, and came back
		if ($6 - time[$3, $4] < rtt) early++
		if ($4 < last[$3]) back++
		last[$3] = $4
		sum += $8
	}
	END {
		for (v in versions) n++
		mean = rewards ? sum / rewards / 65536 : 0
		printf "# %d queries, %d rewards of %d models, mean %.3f\n", queries, rewards, n,
			mean
		printf "# %d alone, %d twice, %d foreign, %d early, %d back\n",
			alone, twice, foreign, early, back
		# the first ones may be of queries before the collection
		exit !(queries > 100 && rewards > queries / 4 &&
			rewards <= queries + alone + late &&
			alone <= 8 && !twice && !foreign && !early && !back &&
			n >= '"${2:-1}"' && mean > -12 && mean < 0)
	}'
}

one_model()
{
	collect "$LF_TMP/csv" --count 600 && judge "$LF_TMP/csv"
}

# Of one query in four, and of these only
sampled()
{
	collect "$LF_TMP/csv" --count 200 --every 4 && judge "$LF_TMP/csv"
}

# Switched while rewards are due
switched()
{
	local i

	lf app set cc --policy follow || return 1
	collect "$LF_TMP/csv" --count 800 &
	LF_TASKS+=($!)
	for ((i = 0; i < 8; i++)); do
		sleep 0.3
		lfcc_install auto steady || return 1
	done
	wait "${LF_TASKS[-1]}" || return 1
	unset 'LF_TASKS[-1]'
	judge "$LF_TMP/csv" 3
}

# A slower link is worth less: by ln 2 for half of the rate.
worth()
{
	local before after

	before=$(mean "$LF_TMP/csv")
	lfcc_in "$LFCC_NETNS" tc qdisc change dev lo root netem delay $((RTT_MS / 2))ms \
		rate $((MBIT / 4))mbit limit 100 || return 1
	sleep 3
	collect "$LF_TMP/csv" --count 300 || return 1
	after=$(mean "$LF_TMP/csv")
	ktap_print_msg "mean reward $before, of a quarter of the link $after"
	awk "BEGIN { exit !($after < $before - 0.4) }"
}

mean()
{
	awk -F , '$2 == "reward" { sum += $8; n++ } END { print n ? sum / n / 65536 : 0 }' "$1"
}

lfcc_install 0 steady || ktap_exit_fail_msg "no model"
if ! "$LFCTL" collect cc --bytes 1 --count 1 > "$LF_TMP/out" 2>&1 &&
	grep -q CONFIG_LITEFLOW_COLLECT "$LF_TMP/out"; then
	ksft_skip_all "kernel without CONFIG_LITEFLOW_COLLECT"
fi
ktap_set_plan 4
flow || ktap_exit_fail_msg "no flow"
ksft_check "each reward is of a query, and of its model" one_model
ksft_check "of one query in four" sampled
ksft_check "models are switched while rewards are due" switched
ksft_check "less of a rate is worth less" worth
lfcc_clear
lf app set cc --policy pin
ktap_finished
