#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dump_lb on the running kernel, as root: a kernel with JC_SCHED, whose model it
# switches off, or a stock one. KTAP.
#
#	qemu/start.sh --kernel IMAGE -- mllb/record/dump_lb/test.sh

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$here/../../../build}
DUMP_LB=${DUMP_LB:-$BUILD/tools/dump_lb}
TRACING=/sys/kernel/tracing
EVENT=$TRACING/events/jc_sched/jc_sched_decision
STATS=/sys/kernel/debug/jc_sched/stats
LOAD=(perf bench -f simple sched messaging -g 2 -l 200)
n=0 failed=0 faked=n
work=$(mktemp -d)

clean_up()
{
	[ "$faked" = n ] || umount /proc/kallsyms
	! mountpoint -q "$work/small" || umount "$work/small"
	! [ -d "$TRACING/instances/dump_lb_test" ] || rmdir "$TRACING/instances/dump_lb_test"
	rm -rf "$work"
}
trap clean_up EXIT

bail()
{
	echo "1..0 # SKIP $1"
	exit 4
}

result()
{
	n=$((n + 1))
	cat "$work/err" "$work/out" 2>/dev/null | tr '\r' '\n' | sed 's/^/# /'
	if [ "$1" = 0 ]; then
		printf 'ok %d %s\n' "$n" "$2"
	else
		failed=$((failed + 1))
		printf 'not ok %d %s\n' "$n" "$2"
	fi
	: >"$work/err"
	: >"$work/out"
}

# try NAME STATUS PATTERN OPTIONS...: the status, and in what it says the pattern
try()
{
	local name=$1 status=$2 pattern=$3 rc=0

	shift 3
	"$DUMP_LB" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
	echo "status $rc" >>"$work/err"
	[ "$rc" = "$status" ] &&
		{ [ -z "$pattern" ] || grep -qE -- "$pattern" "$work/out" "$work/err"; }
	result $? "$name"
}

# check NAME COMMAND FILE...: one of check_rows
check()
{
	local name=$1

	shift
	/usr/bin/python3 "$here/check_rows" "$@" >"$work/out" 2>&1
	result $? "$name"
}

decisions()
{
	awk '$1 == "decisions" { print $2 }' "$STATS"
}

# tasks that balancing moved, but for active balance, which judges nothing
gained()
{
	# shellcheck disable=SC2016
	awk '/^domain/ { for (i = 0; i < 3; i++) sum += $(7 + 8 * i); sum -= $(29) }
	     END { print sum + 0 }' /proc/schedstat
}

rows()
{
	echo $(($(wc -l <"$1") - 1))
}

# start OPTIONS...: dump_lb in the background, as process "recorder", until it records
start()
{
	local i

	"$DUMP_LB" -o "$work" "$@" >"$work/out" 2>"$work/err" &
	recorder=$!
	for ((i = 0; i < 600; i++)); do
		! grep -q recording "$work/err" || return 0
		kill -0 "$recorder" 2>/dev/null || return
		sleep 0.1
	done
}

signals()
{
	local name=$1 signo=$2 rc=0

	start -t "$signo" "${from[@]}"
	"${LOAD[@]}" >/dev/null
	kill "-$signo" "$recorder"
	wait "$recorder" || rc=$?
	echo "status $rc" >>"$work/err"
	[ "$rc" = 0 ] && [ "$(rows "$work/raw_$signo.csv")" -gt 0 ] &&
		[ -s "$work/raw_$signo.json" ] && ! [ -e "$work/.raw_$signo.spool" ]
	result $? "$name"
}

# A reader that sleeps: what finds the buffer full is counted.
losses()
{
	local before i

	before=$(decisions)
	start -t lost --buffer 64K
	kill -STOP "$recorder"
	for i in 1 2; do
		echo "load $i" >>"$work/err"
		"${LOAD[@]}" >/dev/null
	done
	kill -CONT "$recorder"
	kill -INT "$recorder"
	wait "$recorder"
	grep -q '"lost":[1-9]' "$work/raw_lost.json" && grep -q 'decisions were lost' "$work/err"
	result $? "what is lost is said"
	check "rows and lost ones are all decisions" count "$work/raw_lost.csv" \
		$(($(decisions) - before))
}

# A disk that fills: what was counted is in the spool, whole.
full_disk()
{
	local rc=0 counted spool=$work/small/.raw_bench.spool

	mkdir "$work/small"
	mount -t tmpfs -o size=4m none "$work/small"
	try "no room at all is said at once" 1 'no room for the' --bench 1 --buffer 1 \
		-o "$work/small"
	mount -o remount,size=40m "$work/small"
	"$DUMP_LB" --bench 60 --buffer 1 -o "$work/small" >"$work/out" 2>"$work/err" || rc=$?
	echo "status $rc" >>"$work/err"
	counted=$(sed -n 's/.*stopped after \([0-9]*\) decisions.*/\1/p' "$work/err")
	[ "$rc" = 1 ] && [ "${counted:-0}" -gt 10000 ] && [ -s "$spool" ] &&
		! [ -e "$work/small/raw_bench.csv" ] && grep -q -- '--convert' "$work/err"
	result $? "a full disk: the spool is kept, its name said"
	"$DUMP_LB" -t later -o "$work" --convert "$spool" >"$work/out" 2>"$work/err"
	echo "$(rows "$work/raw_later.csv") rows, $counted counted" >>"$work/err"
	[ "$(rows "$work/raw_later.csv")" = "$counted" ] &&
		grep -q '"lost":0' "$work/raw_later.json"
	result $? "a full disk: every decision that was counted is in the file"
	truncate -s -10 "$spool"
	"$DUMP_LB" -t cut -o "$work" --convert "$spool" >"$work/out" 2>"$work/err"
	[ "$(rows "$work/raw_cut.csv")" = "$counted" ] &&
		grep -q '"cut_off":true' "$work/raw_cut.json"
	result $? "a spool without its end is converted, and marked so"
	umount "$work/small"
}

usage()
{
	try "a tag is needed" 2 'TAG is missing'
	try "a tag is a plain name" 2 'letters, digits' -t a/b
	try "a horizon above 0" 2 'must be a number above 0' -t x --horizon 0
	try "a buffer of a power of two" 2 'power of two' -t x --buffer 3
	try "a buffer that is a number" 2 'must be a number of MiB' -t x --buffer 64M
	try "a command that is not there" 1 'cannot run /no/such' -t x -o "$work" "${from[@]}" \
		-- /no/such
	try "a folder that is not there" 1 'cannot create' -t x -o /no/such/x.csv "${from[@]}"
	try "something that is no spool" 1 'no spool of dump_lb' -t x -o "$work" \
		--convert /etc/passwd
	echo "ts,pid" >"$work/raw_other.csv"
	try "no rows into a file with other columns" 1 'has other columns' -t other -a -o "$work" \
		"${from[@]}" -- "${LOAD[@]}"
	[ "$(cat "$work/raw_other.csv")" = "ts,pid" ]
	result $? "that file is as it was"
	cp "$DUMP_LB" "$work/dump_lb"
	chmod 755 "$work"
	setpriv --reuid=65534 --clear-groups "$work/dump_lb" -t x -o /tmp >"$work/out" 2>&1
	grep -q 'needs root' "$work/out"
	result $? "only root"
	locked_down_is_said
}

# The refusal of a kernel under lockdown, whose own words are the verifier's: as if,
# by root without the capabilities.
locked_down_is_said()
{
	# shellcheck disable=SC2016 # those are the inner shell's
	unshare --mount --propagation private sh -c '
		mount -t tmpfs lockdown /sys/kernel/security &&
			echo "none integrity [confidentiality]" >/sys/kernel/security/lockdown &&
			exec setpriv --bounding-set=-sys_admin,-bpf,-perfmon "$0" "$@"
	' "$DUMP_LB" -t x -o "$work" "${from[@]}" -d 1 >"$work/out" 2>&1
	grep -q 'kernel lockdown (confidentiality)' "$work/out"
	result $? "lockdown is named when the kernel refuses"
}

# A function that the compiler has done away with: as if, by another kallsyms.
renamed()
{
	local name=$1 pattern=$2 edit=$3

	sed "$edit" /proc/kallsyms >"$work/kallsyms"
	mount --bind "$work/kallsyms" /proc/kallsyms
	faked=y
	try "$name" 1 "$pattern" -t x -o "$work" --old -d 1
	umount /proc/kallsyms
	faked=n
}

# What both kinds of kernel can do, from the source in "from".
either()
{
	usage
	signals "Ctrl-C keeps what was recorded" INT
	signals "SIGTERM, too" TERM
	full_disk
	try "a second recording" 0 'wrote' -t INT -o "$work" -a -w second "${from[@]}" -- "${LOAD[@]}"
	/usr/bin/python3 - "$work/raw_INT" >"$work/out" 2>&1 <<-'END'
	import csv, json, sys
	about = json.load(open(sys.argv[1] + ".json"))
	rows = list(csv.DictReader(open(sys.argv[1] + ".csv")))
	loads = about["workloads"]
	print({name: load["rows"] for name, load in loads.items()}, len(rows))
	sys.exit(not (about["rows"] == len(rows) == sum(w["rows"] for w in loads.values())
	              and {r["workload"] for r in rows} == {"none", "second"} == set(loads)))
	END
	result $? "is appended, in the JSON as well"
	try "a command that fails is said" 4 'status 7' -t x -o "$work" "${from[@]}" \
		-- bash -c "${LOAD[*]} >/dev/null; exit 7"
	try "synthetic decisions through all of it" 0 '^dump_lb_rate [0-9]+ per_s$' --bench 3 -o "$work"
	"$DUMP_LB" --bench 1 -o "$work" >"$work/out" 2>"$work/err"
	grep -q '^dump_lb_bench_lost 0 rows$' "$work/out"
	result $? "none of them lost"
	renamed "a function that is not there" 'no function can_migrate_task' \
		's/\bcan_migrate_task$/some_task/'
	renamed "a function of which there is a copy" 'made can_migrate_task.isra.0 of' \
		's/\bcan_migrate_task$/&\n0 t can_migrate_task.isra.0/'
}

# The same decisions as text, at the same time.
with_text()
{
	local instance=$TRACING/instances/dump_lb_test

	mkdir "$instance"
	echo 8192 >"$instance/buffer_size_kb"
	echo 1 >"$instance/events/jc_sched/jc_sched_decision/enable"
	"$DUMP_LB" -t text -o "$work" -- "${LOAD[@]}" >"$work/out" 2>"$work/err"
	echo 0 >"$instance/events/jc_sched/jc_sched_decision/enable"
	cat "$instance/trace" >"$work/trace"
	rmdir "$instance"
	check "the rows are those of the tracepoint's text" text "$work/raw_text.csv" "$work/trace"
}

with_jc()
{
	local before

	echo 0 >/proc/sys/kernel/sched_jc
	from=()
	before=$(decisions)
	try "a recording" 0 'wrote .* 0 lost' -t plain -o "$work" -w messaging -- "${LOAD[@]}"
	check "as many rows as decisions" count "$work/raw_plain.csv" $(($(decisions) - before))
	check "the columns of the tracepoint, in order" header "$work/raw_plain.csv" "$EVENT/format"
	check "no row that a hard filter refused" all-are "$work/raw_plain.csv" test_aggressive 1
	check "all of the workload" all-are "$work/raw_plain.csv" workload messaging
	check "both answers" occur "$work/raw_plain.csv" stock 0 1
	with_text
	"$DUMP_LB" -q -t new -o "$work" -- "$DUMP_LB" -q -t old -o "$work" --old -- "${LOAD[@]}" \
		>"$work/out" 2>"$work/err"
	check "--old sees the same decisions" agree "$work/raw_new.csv" "$work/raw_old.csv"
	losses
	with_outcomes
	either
}

# What moves while dump_lb gets ready is none of the recording's, so schedstats are read
# inside; and in the horizon tasks get to run on a slow machine, too.
with_outcomes()
{
	[ -w /proc/sys/kernel/sched_schedstats ] || return
	echo 1 >/proc/sys/kernel/sched_schedstats
	# shellcheck disable=SC2016 # those are the inner shell's
	try "a recording with outcomes" 0 'wrote .* 0 lost' -t out -o "$work" --outcomes \
		--horizon 500 "${from[@]}" -- bash -c \
		"$(declare -f gained)"'; gained >"$0/before"; "$@"; gained >"$0/after"' \
		"$work" "${LOAD[@]}"
	check "as many moves as schedstats say" outcomes "$work/raw_out.csv" \
		$(($(cat "$work/after") - $(cat "$work/before")))
	echo 0 >/proc/sys/kernel/sched_schedstats
}

with_stock()
{
	from=(--old)
	try "a kernel without the tracepoint" 1 'no tracepoint .*or use --old' -t x -o "$work"
	try "a recording" 0 'wrote .* 0 lost' -t plain -o "$work" --old -w messaging -- "${LOAD[@]}"
	check "no row that a hard filter refused" all-are "$work/raw_plain.csv" test_aggressive 1
	check "both answers" occur "$work/raw_plain.csv" stock 0 1
	grep -q '"hard_refusals":[1-9]' "$work/raw_plain.json"
	result $? "hard refusals were seen, and left out"
	echo 1 >/proc/sys/kernel/sched_schedstats
	try "a recording with schedstats on" 0 'wrote .* 0 lost' -t stats -o "$work" --old \
		-- "${LOAD[@]}"
	grep -o '"contradicted_by_schedstats":.*' "$work/raw_stats.json" >"$work/out"
	grep -q '"contradicted_by_schedstats":0' "$work/raw_stats.json"
	result $? "schedstats call the same refusals hot"
	echo 0 >/proc/sys/kernel/sched_schedstats
	with_outcomes
	either
}

[ "$(id -u)" = 0 ] || bail "needs root"
command -v perf >/dev/null || bail "perf is not installed"
[ -x "$DUMP_LB" ] || bail "no $DUMP_LB: make -C mllb/record/dump_lb"
echo "TAP version 13"
if [ -d "$EVENT" ]; then
	with_jc
else
	with_stock
fi
echo "1..$n"
[ "$failed" = 0 ]
