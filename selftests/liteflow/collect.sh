#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Records of queries: complete, in order, and with what the model answered.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=lf_lib.sh
. "$DIR/lf_lib.sh"

APP=kselftest-collect

lf_init
lf_need_module lf_torture CONFIG_LITEFLOW_TORTURE_TEST
ktap_set_plan 7

# load PARAMETER...: the generator, with a model, on one CPU: records of different
# CPUs come in no order
load()
{
	! lf_loaded lf_torture || rmmod lf_torture
	lf_load lf_torture mode=flows app=$APP flows=4 flow_ms=2000 hz=1000 "$@" &&
		taskset -pc 0 "$(pgrep -x "lf_torture_flows?")" > "$LF_TMP/why" 2>&1 &&
		lf model install $APP 0 "$(lf_blob 5000 30 demo)" --activate
}

# collect FILE OPTION...: records as CSV in FILE
collect()
{
	local file="$1"

	shift
	timeout $((60 * $(ksft_slow))) "$LFCTL" collect $APP "$@" \
		> "$file" 2> "$LF_TMP/why" && return
	sed 's/^/# /' "$LF_TMP/why"
	return 1
}

# lost: how many records the last collection says it has lost
lost()
{
	sed -n 's/.* records, \([0-9]*\) lost.*/\1/p' "$LF_TMP/why" | tail -n 1
}

# CSV: batch,kind,flow,seq,version,time_ns,cpu,reward,in0...in29,out0
# What a machine too busy to read in time has lost is told, and nothing else lacks.
all_there()
{
	local lost

	collect "$LF_TMP/csv" --count 2000 || return 1
	lost=$(lost)
	awk -F , -v lost="${lost:?}" '
	NR == 1 { next }
	$2 == "query" {
		sum = 0
		for (i = 9; i < 39; i++)
			sum += $i > 1000 ? 1000 : $i < 0 ? 0 : $i
		if ($39 != 5000 + sum) bad++
		if ($3 in seq) gaps += $4 - seq[$3] - 1
		seq[$3] = $4
		version[$3] = version[$3] "" ? version[$3] : $5
		if (version[$3] != $5) moved++
		if (($7 in time) && $6 < time[$7]) back++
		time[$7] = $6
		n++
	}
	$2 == "reward" {
		if (!($3 in seq) || $4 != seq[$3]) alone++
		rewards++
	}
	END {
		printf "# %d queries, %d rewards; %d wrong, %d moved, %d back\n",
			n, rewards, bad, moved, back
		printf "# %d missing, %d alone, %d lost\n", gaps, alone, lost
		# one may be alone: its query was before the collection
		exit !(n > 500 && rewards > 500 && !bad && !moved && !back &&
			gaps >= 0 && gaps <= lost && alone <= 1 + lost)
	}' "$LF_TMP/csv"
}

# One in eight: each eighth of a flow's queries, whenever they came.
sampled()
{
	local lost

	collect "$LF_TMP/csv" --count 200 --every 8 || return 1
	lost=$(lost)
	awk -F , -v lost="${lost:?}" '
	$2 == "query" {
		n++
		if ($3 in seq) {
			pairs++
			step = $4 - seq[$3]
			if (step < 8 || step % 8) bad++
			missing += step / 8 - 1
		}
		seq[$3] = $4
	}
	END {
		printf "# %d queries, %d are not the eighth, %d missing, %d lost\n",
			n, bad, missing, lost
		exit !(n >= 50 && pairs >= 25 && !bad && missing <= lost)
	}' "$LF_TMP/csv"
}

json()
{
	collect "$LF_TMP/json" --count 10 --json || return 1
	python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
queries = [l for l in lines if l["kind"] == "query"]
assert len(lines) >= 10 and queries
for q in queries:
    assert len(q["inputs"]) == 30 and len(q["outputs"]) == 1' "$LF_TMP/json"
}

# Somebody reads.
taken()
{
	! "$LFCTL" collect $APP --count 1 > "$LF_TMP/out" 2>&1
}

# Bursts that no ring can hold: the reader is told how much is missing, and it is
# missing in the numbers of the flows' queries.
loss()
{
	load hz=100000 || return 1
	collect "$LF_TMP/csv" --count 2000 --bytes $((4096 * $(nproc))) || return 1
	sed 's/^/# /' "$LF_TMP/why"
	awk -F , '
	$2 == "query" {
		if ($3 in seq) gaps += $4 - seq[$3] - 1
		seq[$3] = $4
	}
	END {
		printf "# %d queries are missing\n", gaps
		exit !(gaps > 0)
	}' "$LF_TMP/csv" && grep -q 'records, [1-9][0-9]* lost' "$LF_TMP/why"
}

one_reader()
{
	load || return 1
	rm -f "$LF_TMP/first"
	"$LFCTL" collect $APP -o "$LF_TMP/first" > /dev/null 2>&1 &
	LF_TASKS=($!)
	# only when it reads may another one try: the first to come is served
	lf_wait 20 test -s "$LF_TMP/first" || return 1
	taken || return 1
	grep -q 'has a reader' "$LF_TMP/out" || return 1
	kill "${LF_TASKS[0]}"
	wait "${LF_TASKS[0]}" 2> /dev/null
	LF_TASKS=()
	lf_wait 20 collect "$LF_TMP/csv" --count 1
}

# Queries go on after the last reader, and the module goes while one reads.
goes()
{
	"$LFCTL" collect $APP > /dev/null 2>&1 &
	LF_TASKS=($!)
	sleep 1
	rmmod lf_torture || return 1
	kill "${LF_TASKS[0]}" 2> /dev/null
	wait "${LF_TASKS[0]}" 2> /dev/null
	LF_TASKS=()
	lf_refuses "no such app" collect $APP
}

load || ktap_exit_fail_msg "$(cat "$LF_TMP/why")"
if ! "$LFCTL" collect $APP --count 1 > "$LF_TMP/out" 2>&1 &&
	grep -q CONFIG_LITEFLOW_COLLECT "$LF_TMP/out"; then
	ksft_skip_all "kernel without CONFIG_LITEFLOW_COLLECT"
fi
ksft_check "a record per query, each what the model answered" all_there
ksft_check "one in eight" sampled
ksft_check "as JSON" json
ksft_check "losses are told" loss
ksft_check "one reader per app" one_reader
ksft_check "an odd sampling is refused" lf_refuses "power of two" collect $APP --every 3 --count 1
ksft_check "the app goes while it is read" goes
ktap_finished
