#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make test: every step with its log in build/logs, at the end one line
# "N passed, N failed, N skipped".

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: test.sh [--list] [--only REGEX]
	  --list        the names of the steps
	  --only REGEX  only steps whose name matches (also: make test ONLY=REGEX)
	END
}

ONLY=${ONLY:-} LIST=n
while [ $# -gt 0 ]; do
	case $1 in
	--list) LIST=y ;;
	--only) ONLY=${2?--only needs an expression}; shift ;;
	-h | --help) usage; exit ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

NAMES=() KINDS=() COMMANDS=()
HEARTBEAT=
trap '[ -z "$HEARTBEAT" ] || kill "$HEARTBEAT" 2>/dev/null' EXIT
PASSED=0 FAILED=0 SKIPPED=0 BROKEN=()

# step NAME COMMAND...: one result, by the status (4: skipped, with its reason
# in the last line).  ktap NAME COMMAND...: the results that the log holds.
# build NAME COMMAND...: no result of its own, unless it fails.
add()
{
	local kind=$1 name=$2

	shift 2
	if [ -n "$ONLY" ] && ! [[ $name =~ $ONLY ]]; then
		return
	fi
	NAMES+=("$name")
	KINDS+=("$kind")
	COMMANDS+=("${*@Q}")
}

step()
{
	add step "$@"
}

ktap()
{
	add ktap "$@"
}

build()
{
	add build "$@"
}

# As ktap, and as step, in a guest: beside the steps that follow, and beside one
# other guest, as an emulated one keeps one core busy.
guest()
{
	add guest "$@"
}

guest_step()
{
	add guest_step "$@"
}

image()
{
	"$ROOT/scripts/kernel.sh" --name "$@"
}

# combination MODE FXDPT [WORDS]: build that kernel and run the kselftest in it,
# booted with these words
combination()
{
	local mode=$1 fxdpt=$2 words=${3-} name=$1-fixed

	[ "$fxdpt" = y ] || name=$mode-float
	build "build-$name"	scripts/kernel.sh "mode=$mode" "fxdpt=$fxdpt" perf=y
	guest "kselftest-$name"	scripts/kselftest.sh -c jc_sched \
		"$(image "mode=$mode" "fxdpt=$fxdpt" perf=y)" --timeout 900 \
		${words:+--append "$words"}
}

# In this order the guests run beside what has to be built next, and each
# kernel differs from the one before by a few objects only.
plan()
{
	cd "$ROOT"
	build sources		make sync
	build tools		make tools lfctl
	combination toggle y	jc_sched_perf=sw
	build dump_lb		make dump_lb
	guest recorder		qemu/start.sh --kernel "$(image mode=toggle fxdpt=y perf=y)" \
		--timeout 900 -- mllb/record/dump_lb/test.sh
	guest kselftest-liteflow	scripts/kselftest.sh -c liteflow \
		"$(image mode=toggle fxdpt=y perf=y)" --timeout 900
	guest kselftest-cc	scripts/kselftest.sh -c liteflow_cc \
		"$(image mode=toggle fxdpt=y perf=y)" --timeout 900
	step scripts		scripts/check-scripts.sh
	ktap lfctl		liteflow/lfctl/test.sh
	ktap engine		make -s -C liteflow/tests BUILD="$BUILD" test
	step ynl		scripts/check-ynl.sh
	step ss			scripts/check-ss.sh
	step trainer		/usr/bin/python3 mllb/train/test_train.py
	step pylib		/usr/bin/python3 -m unittest discover -s scripts/pylib -t scripts
	step evaluation		/usr/bin/python3 mllb/report/test_report.py
	step lab-figures	liteflow/cc/lab/test_lab.py
	build ccsim		make -s ccsim
	step simulator		/usr/bin/python3 liteflow/cc/sim/test_sim.py
	step outcome		/usr/bin/python3 mllb/outcome/test_outcome.py
	step series		scripts/check-patches.sh
	step olddefconfig	scripts/check-olddefconfig.sh
	step off-identical	scripts/check-off.sh
	step hook		scripts/check-hook.sh
	step stack		scripts/check-stack.sh
	step cross		scripts/check-cross.sh
	ktap kunit		scripts/kunit.sh
	build build-uml		scripts/uml.sh --debug --build-only
	ktap kunit-debug	scripts/uml.sh --debug --no-build --kunit
	ktap lfctl-kernel	scripts/uml.sh --debug --no-build -- liteflow/lfctl/test-kernel.sh
	build build-lab		scripts/uml.sh --lab --build-only
	build traffic		make -s -C liteflow/cc/lab/traffic BUILD="$BUILD"
	step lab-path		liteflow/cc/lab/test_lab.py --uml
	build lab-quick		liteflow/cc/lab/cclab --quick
	step lab-limits		liteflow/cc/lab/analyse --quick --at-least cc_good_cells=75 \
		--at-least cc_jain_min=0.9 --at-least cc_loss1_utilisation=90 --at-least cc_prefer_delay=10
	step fuzz-models	scripts/fuzz.sh models
	step equal		scripts/fuzz.sh equal
	step records		scripts/fuzz.sh records
	combination toggle n
	guest_step fuzz-messages	scripts/fuzz.sh messages
	build build-debug	scripts/kernel.sh mode=toggle fxdpt=y perf=y debug=y
	guest_step torture		liteflow/tests/torture
	guest kselftest-debug	env KSFT_MACHINE_SLOW=8 scripts/kselftest.sh \
		"$(image mode=toggle fxdpt=y perf=y debug=y)" --smp 4 --timeout 2400 \
		--append jc_sched_perf=sw
	combination replace n
	combination replace y
	combination test y
	combination test n
	build build-stock	scripts/kernel.sh mode=stock
	guest recorder-stock	qemu/start.sh --kernel "$(image mode=stock)" --timeout 900 \
		-- mllb/record/dump_lb/test.sh
	guest launcher		scripts/test-launcher.sh --kernel \
		"$(image mode=toggle fxdpt=y perf=y)"
}

# The last line of a log that ktap.py made for it, added up.
add_up()
{
	local p f s

	read -r p f s < <(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' \
		<<<"$1")
	PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
	[ "$f" != 0 ]
}

sign_of_life()
{
	local log=$1 t0=$2

	printf '    %s … %.70s\n' "$(elapsed "$t0")" \
		"$(tail -n 1 "$log" | tr -cd '[:print:]')"
}

# A sign of life every minute; "read" from a pipe in which nothing comes waits
# without a process of its own that would be left behind.
heartbeat()
{
	local pipe

	exec {pipe}<> <(:)
	until read -rt 60 -u "$pipe"; do
		sign_of_life "$@"
	done
}

start_heartbeat()
{
	heartbeat "$@" &
	HEARTBEAT=$!
}

stop_heartbeat()
{
	kill "$HEARTBEAT"
	wait "$HEARTBEAT" 2>/dev/null || true
	HEARTBEAT=
}

# judge NAME KIND STATUS BEGIN: count what a step gave, and say so
judge()
{
	local name=$1 kind=$2 rc=$3 t0=$4 log=$BUILD/logs/test-$1.log
	local result counts

	case $kind:$rc in
	build:0) result=ok ;;
	step:0) PASSED=$((PASSED + 1)) result=ok ;;
	step:4) SKIPPED=$((SKIPPED + 1)) result="skipped: $(tail -n 1 "$log")" ;;
	ktap:*)
		counts=$("$ROOT/scripts/ktap.py" "$log" || true)
		result=$(tail -n 1 <<<"$counts")
		printf '%s\n' "$counts" | sed '$d; s/^/    /'
		if add_up "$counts"; then
			BROKEN+=("$name")
		elif [ "$rc" != 0 ]; then
			# All results are good, and yet: a splat, a panic, a timeout.
			FAILED=$((FAILED + 1))
			result+=", but status $rc: $(tail -n 1 "$log")"
			BROKEN+=("$name")
		fi
		;;
	*)
		FAILED=$((FAILED + 1)) result="FAILED, status $rc"
		BROKEN+=("$name")
		;;
	esac
	say "    $result ($(elapsed "$t0"))"
	if [[ $result == FAILED* ]]; then
		say "    the end of $log:"
		tail -n 15 "$log" | sed 's/^/    | /'
	fi
}

run_step()
{
	local name=$1 kind=$2 command=$3 log=$BUILD/logs/test-$1.log
	local t0=$SECONDS rc=0

	if [ "${V:-0}" = 1 ]; then
		bash -c "$command" 2>&1 </dev/null | tee "$log" || rc=${PIPESTATUS[0]}
	else
		: >"$log"
		start_heartbeat "$log" "$t0"
		bash -c "$command" >"$log" 2>&1 </dev/null || rc=$?
		stop_heartbeat
	fi
	judge "$name" "$kind" "$rc" "$t0"
}

# Of the guests that run, by their names: "KIND BEGIN". Each says through the pipe
# that it has ended, and with what status.
declare -A GUESTS=()
MAX_GUESTS=2
exec {ENDED}<> <(:)

start_guest()
{
	local name=$1 kind=$2 command=$3

	join_guests $((MAX_GUESTS - 1))
	GUESTS[$name]="$kind $SECONDS"
	{
		rc=0
		bash -c "$command" >"$BUILD/logs/test-$name.log" 2>&1 </dev/null || rc=$?
		echo "$name $rc" >&"$ENDED"
	} &
}

# join_guests N: judge those that end, until no more than N run
join_guests()
{
	local name names rc kind t0

	while [ ${#GUESTS[@]} -gt "$1" ]; do
		names=("${!GUESTS[@]}")
		read -r kind t0 <<<"${GUESTS[${names[0]}]}"
		until read -rt 60 -u "$ENDED" name rc; do
			sign_of_life "$BUILD/logs/test-${names[0]}.log" "$t0"
		done
		read -r kind t0 <<<"${GUESTS[$name]}"
		unset "GUESTS[$name]"
		say "  $name:"
		judge "$name" "$kind" "$rc" "$t0"
	done
}

main()
{
	local i start=$SECONDS

	plan
	if [ ${#NAMES[@]} -eq 0 ]; then
		die "no step matches '$ONLY'" "test.sh --list names them"
	fi
	if [ $LIST = y ]; then
		printf '%s\n' "${NAMES[@]}"
		return
	fi
	mkdir -p "$BUILD/logs"
	for i in "${!NAMES[@]}"; do
		say "step $((i + 1)) of ${#NAMES[@]}, $(elapsed "$start"): ${NAMES[i]}"
		case ${KINDS[i]} in
		guest) start_guest "${NAMES[i]}" ktap "${COMMANDS[i]}" ;;
		guest_step) start_guest "${NAMES[i]}" step "${COMMANDS[i]}" ;;
		*) run_step "${NAMES[i]}" "${KINDS[i]}" "${COMMANDS[i]}" ;;
		esac
	done
	join_guests 0
	say "all steps took $(elapsed "$start")"
	[ ${#BROKEN[@]} -eq 0 ] || say "failed: ${BROKEN[*]}; logs: $BUILD/logs/test-NAME.log"
	say "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	[ "$FAILED" = 0 ]
}

main
