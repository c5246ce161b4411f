#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Named loads for the balancer, scaled to the CPUs and nodes of the machine
# that runs them (normally the guest).  The eight first ng-* loads follow the
# recipes of a published MLLB reproduction, which were made for 56 CPUs on two
# nodes; stress-ng 0.15 lacks some options that those used, so each keeps the
# intent in options that exist.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
tools=${JC_TOOLS:-${BUILD:-$here/../build}/tools}
cpus=$(nproc)

usage() {
	cat <<'EOF'
Usage: workloads.sh list [ROLE]           names with role and description
       workloads.sh run NAME SECONDS      run a load for about SECONDS
       workloads.sh fixed NAME AMOUNT     a fixed amount of work instead of a time, as
                                          `name value' lines; burn-*: AMOUNT ms of CPU
                                          time per task, messaging*: AMOUNT loops
Roles (training, held-out) stand in workloads.split.
JC_TOOLS=DIR names the folder with the binary `burn', JC_SEED=N its seed.
Exit status: 0 done, 1 the load failed, 2 wrong usage, 4 a tool it needs is absent.
EOF
}

die() {
	echo "workloads.sh: $2" >&2
	exit "$1"
}

# share PARTS: that many 56ths of the CPUs, at least one
share() {
	local n=$((cpus * $1 / 56))
	echo $((n > 0 ? n : 1))
}

# CPUs of a node as a list; of all CPUs when there is no such node
node_cpus() {
	cat "/sys/devices/system/node/node$1/cpulist" 2>/dev/null ||
		cat /sys/devices/system/cpu/online
}

last_node() {
	local online
	online=$(cat /sys/devices/system/node/online 2>/dev/null || echo 0)
	echo "${online##*[-,]}"
}

descriptions() {
	cat <<'EOF'
burn-mixed 3 tasks per CPU, bursts and sleeps, two nice values, start together on node 0
burn-mem 2 processes per CPU with 8 MiB each, first touched on node 0
burn-bursts 5 threads per CPU, bursts of 2 ms, sleeps of 3 ms
burn-nice 3 threads per CPU, every second one at nice 15, no sleeps
burn-gather 2 processes per CPU, gathered on CPU 0 again and again
burn-shared 2 threads per CPU sharing 32 MiB, start together on the last node
burn-stagger 3 processes per two CPUs that arrive one after the other, no sleeps
ng-numa-remote CPUs of node 0 on memory of the last node (stress-ng --numa and --vm)
ng-node-full one node full of matrix products, the others idle
ng-cache one cache thrasher per CPU
ng-oversubscribed two CPU stressors per CPU
ng-hdd one worker of random file access per CPU
ng-matrix CPU stressors on 4 of 7 CPUs and matrix operations
ng-fft CPU stressors with fast Fourier transforms on 6 of 7 CPUs
ng-mix CPU, memory and file stressors together
ng-fork processes that fork and exit
ng-switch pairs of tasks that switch by messages
messaging perf bench sched messaging, processes over sockets
messaging-threads perf bench sched messaging, threads over pipes
EOF
}

role_of() {
	awk -v name="$1" '$1 == name { print $2 }' "$here/workloads.split"
}

list() {
	local name text role
	while read -r name text; do
		role=$(role_of "$name")
		[[ -n $role ]] || die 1 "$name has no role in workloads.split"
		[[ -n ${1:-} && $role != "$1" ]] || printf '%-18s %-9s %s\n' "$name" "$role" "$text"
	done < <(descriptions)
}

# Options of a burn load, in the array burn_options.
burn_load() {
	case $1 in
	burn-mixed)
		burn_options=(-n $((cpus * 3)) -b 12 -z 4 -s 40 -N 5 -m 512 -P 4 -a node:0) ;;
	burn-mem)
		burn_options=(-n $((cpus * 2)) -p -b 60 -z 3 -s 50 -m 8192 -P 2 -a node:0) ;;
	burn-bursts)
		burn_options=(-n $((cpus * 5)) -b 2 -z 3 -s 60) ;;
	burn-nice)
		burn_options=(-n $((cpus * 3)) -s 30 -N 15 -P 6 -a cpu:0) ;;
	burn-gather)
		burn_options=(-n $((cpus * 2)) -p -b 25 -z 2 -s 30 -m 256 -P 24 -a cpu:0) ;;
	burn-shared)
		burn_options=(-n $((cpus * 2)) -b 40 -z 5 -s 40 -M 32768 -P 3
			-a "node:$(last_node)") ;;
	burn-stagger)
		burn_options=(-n $((cpus * 3 / 2)) -p -s 20 -g 2000 -m 1024 -P 3 -a node:0) ;;
	*)
		return 1 ;;
	esac
	[[ -x $tools/burn ]] || die 4 "no $tools/burn: run 'make tools', or set JC_TOOLS"
}

run_burn() { # NAME MS TIMEOUT
	local rc=0
	burn_load "$1"
	"$tools/burn" "${burn_options[@]}" -c "$2" -t "$3" -r "${JC_SEED:-1}" --stats || rc=$?
	return $rc
}

# Phases gather all tasks between the parts, so the amount has to fit the time:
# rounds of about four seconds of wall time until the time is over.
run_burn_for() { # NAME SECONDS
	local name=$1 end=$((SECONDS + $2)) rc round=0 per_task tasks left
	burn_load "$name"
	tasks=${burn_options[1]}
	per_task=$((4000 * cpus / tasks))
	while ((SECONDS < end)); do
		round=$((round + 1)) rc=0 left=$((end - SECONDS))
		JC_SEED=$((${JC_SEED:-1} * 1000 + round)) \
			run_burn "$name" "$per_task" "$left" || rc=$?
		((rc == 0 || rc == 3)) || die 1 "$name: burn ended with status $rc"
	done
}

run_stress() { # SECONDS OPTIONS…
	local seconds=$1 rc=0 dir
	shift
	command -v stress-ng >/dev/null || die 4 "no stress-ng: install the package stress-ng"
	dir=$(mktemp -d)
	timeout -k 5 $((seconds + 30)) stress-ng --timeout "${seconds}s" --metrics-brief \
		--temp-path "$dir" "$@" 2>&1 | sed 's/^stress-ng: //' || rc=$?
	rm -rf "$dir"
	((rc == 0)) || die 1 "stress-ng ended with status $rc"
}

# Options of a messaging load, in the array messaging_options.
messaging_load() {
	case $1 in
	messaging) messaging_options=(-g 2) ;;
	messaging-threads) messaging_options=(-g 2 -t -p) ;;
	esac
	command -v perf >/dev/null || die 4 "no perf: install the package linux-perf"
}

fixed_messaging() { # NAME LOOPS
	local seconds
	messaging_load "$1"
	seconds=$(timeout 300 perf bench -f simple sched messaging "${messaging_options[@]}" -l "$2") ||
		die 1 "perf bench failed"
	echo "makespan_ms $(awk -v s="$seconds" 'BEGIN { print s * 1000 }')"
}

run_messaging() { # NAME SECONDS
	local end=$((SECONDS + $2))
	messaging_load "$1"
	while ((SECONDS < end)); do
		timeout $((end - SECONDS + 1)) perf bench -f simple sched messaging \
			"${messaging_options[@]}" -l 100 || (($? == 124)) || die 1 "perf bench failed"
	done
}

run() { # NAME SECONDS
	local name=$1 seconds=$2
	case $name in
	burn-*) run_burn_for "$name" "$seconds" ;;
	ng-numa-remote)
		run_stress "$seconds" --mbind "$(last_node)" --taskset "$(node_cpus 0)" \
			--numa 1 --vm "$(share 14)" --vm-bytes 32m --vm-keep ;;
	ng-node-full)
		run_stress "$seconds" --cpu "$(share 28)" --cpu-method matrixprod \
			--taskset "$(node_cpus 0)" ;;
	ng-cache) run_stress "$seconds" --cache "$cpus" --cache-level 3 ;;
	ng-oversubscribed) run_stress "$seconds" --cpu $((cpus * 2)) ;;
	ng-hdd)
		run_stress "$seconds" --hdd "$cpus" --hdd-opts wr-rnd,rd-rnd --hdd-bytes 8m ;;
	ng-matrix)
		run_stress "$seconds" --cpu "$(share 32)" --cpu-method matrixprod \
			--matrix "$(share 32)" --matrix-size 128 ;;
	ng-fft) run_stress "$seconds" --cpu "$(share 48)" --cpu-method fft ;;
	ng-mix)
		run_stress "$seconds" --cpu "$(share 14)" --vm "$(share 14)" --vm-bytes 64m \
			--hdd 1 --hdd-bytes 16m ;;
	ng-fork) run_stress "$seconds" --fork $((cpus * 2)) ;;
	ng-switch) run_stress "$seconds" --switch $((cpus * 2)) ;;
	messaging*) run_messaging "$name" "$seconds" ;;
	esac
}

check_number() {
	[[ $1 =~ ^[1-9][0-9]{0,6}$ ]] || die 2 "'$1' is not a positive whole number"
}

case ${1:-} in
list)
	[[ -z ${2:-} || $2 == training || $2 == held-out ]] ||
		die 2 "unknown role '$2': training or held-out"
	list "${2:-}" ;;
run | fixed)
	[[ $# == 3 ]] || { usage >&2; exit 2; }
	[[ -n $(role_of "$2") ]] || die 2 "no load named '$2': see 'workloads.sh list'"
	check_number "$3"
	if [[ $1 == run ]]; then
		run "$2" "$3"
	else
		case $2 in
		burn-*) run_burn "$2" "$3" 300 ;;
		messaging*) fixed_messaging "$2" "$3" ;;
		*) die 2 "'$2' has no fixed amount: only burn-* and messaging* have" ;;
		esac
	fi ;;
-h | --help) usage ;;
*)
	usage >&2
	exit 2 ;;
esac
