#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test qemu/start.sh and qemu/check-dmesg.sh: statuses, last lines, streams,
# arguments, what is left behind. Boots a kernel some fifteen times.
#
# The single quotes hold what the guest's shell is to expand:
# shellcheck disable=SC2016,SC1003

set -uo pipefail

usage() {
	cat <<'END'
Usage: scripts/test-launcher.sh [--kernel FILE] [PATTERN]
Runs the tests (those whose function name matches PATTERN), in lines "ok N - ..."
and "not ok N - ...", and ends with "N passed, N failed". Exit status 1 if one
failed. The default kernel is kernel/arch/x86/boot/bzImage below $BUILD.
END
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
kernel=${BUILD:-$top/build}/kernel/arch/x86/boot/bzImage
pattern=.
while (($#)); do
	case $1 in
	--kernel) kernel=${2?--kernel needs a file} && shift ;;
	-h | --help) usage && exit 0 ;;
	-*) echo "test-launcher.sh: unknown option $1" >&2 && exit 2 ;;
	*) pattern=$1 ;;
	esac
	shift
done
[[ -f $kernel ]] || {
	echo "test-launcher.sh: no kernel at $kernel: build it (make kernel)" >&2
	exit 2
}
kernel=$(realpath -- "$kernel")

tmp=$(mktemp -d) || exit 1
# The launcher's own files go here too, so that leftovers can be seen.
export TMPDIR=$tmp/run BUILD=$tmp/build
mkdir -p "$TMPDIR" "$BUILD"
trap 'rm -rf -- "$tmp"' EXIT

passed=0 failed=0

check() { # DESCRIPTION, after the tested condition: its status counts
	local good=$?
	if ((good == 0)); then
		((++passed))
		echo "ok $((passed + failed)) - $1"
	else
		((++failed))
		echo "not ok $((passed + failed)) - $1"
		echo "# status $status, stdout and stderr (last lines):"
		tail -n 5 "$tmp/out" | sed 's/^/#   out: /'
		tail -n 12 "$tmp/err" | sed 's/^/#   err: /'
	fi
}

# Runs the launcher; sets status and last (the last line on stderr).
start() {
	"$top/qemu/start.sh" "$@" > "$tmp/out" 2> "$tmp/err"
	status=$?
	last=$(tail -n 1 "$tmp/err")
}

guest() { # OPTION... -- COMMAND...
	start --accel tcg --kernel "$kernel" --timeout 120 "$@"
}

is() { # STATUS PATTERN-OF-LAST-LINE
	# shellcheck disable=SC2053 # it is a pattern
	[[ $status == "$1" && $last == $2 ]]
}

# --- without a guest ----------------------------------------------------------

test_usage() {
	start --no-such-option
	is 125 'start.sh: error: unknown option: --no-such-option*'
	check "an unknown option is refused: 125"
	start --kernel "$tmp/none" -- true
	is 125 "start.sh: error: no kernel at $tmp/none*"
	check "a missing kernel: 125"
	head -c 100000 /dev/zero > "$tmp/zero"
	start --kernel "$tmp/zero" -- true
	is 125 'start.sh: error: *is no x86 bzImage'
	check "a file that is no kernel: 125"
	local bad
	for bad in --smp=7 --smp=x --nodes=0 --mem=12 --mem=4Q --accel=xen --timeout=-1 \
		--gdb=0 --share=/nonexistent --share=/tmp:relative --net=1 --smp; do
		start --kernel "$kernel" "$bad"
		is 125 "start.sh: error: *"
		check "$bad is refused: 125"
	done
	start --kernel "$kernel" --
	is 125 'start.sh: error: no command after --'
	check "-- without a command: 125"
	start --kernel "$kernel" true
	is 125 "start.sh: error: unexpected 'true'*"
	check "a command without --: 125"
	start --kernel "$kernel" < /dev/null
	is 125 'start.sh: error: a shell needs a terminal*'
	check "a shell without a terminal: 125"
	QEMU=$tmp/no-qemu start --kernel "$kernel" -- true
	is 125 "start.sh: error: $tmp/no-qemu is missing*"
	check "no QEMU: 125"
	start --help
	[[ $status == 0 && ! -s $tmp/err ]] && grep -q '^Usage: ' "$tmp/out"
	check "--help: 0, on stdout"
}

test_qemu_fails() {
	guest --mem 4000000G -- true
	is 125 'start.sh: error: QEMU did not start*'
	check "QEMU that does not start: 125"
}

test_dry_run() {
	local before
	before=$(find "$TMPDIR" "$BUILD")
	start --kernel "$kernel" --accel tcg --nodes 4 --smp 8 --mem 1G --dry-run -- true
	is 0 'start.sh: dry run: nothing was started'
	check "--dry-run: 0"
	local -a words
	eval "words=($(cat "$tmp/out"))"
	[[ ${words[0]} == qemu-system-x86_64 &&
		" ${words[*]} " == *' -smp 8,sockets=4,cores=2,threads=1 '* &&
		" ${words[*]} " == *' dist,src=2,dst=3,val=20 '* &&
		" ${words[*]} " == *" -kernel $kernel -append "* ]]
	check "--dry-run prints the command, quoted for a shell"
	[[ $(find "$TMPDIR" "$BUILD") == "$before" ]]
	check "--dry-run leaves nothing behind"
}


# --- in a guest -----------------------------------------------------------------

test_success() {
	guest --log "$tmp/kernel log,1" -- true
	is 0 'start.sh: the command succeeded*'
	check "success: 0"
	grep -q 'Linux version' "$tmp/kernel log,1"
	check "the kernel log is where --log says"
	[[ -z $(ls -A "$TMPDIR") ]]
	check "nothing is left in TMPDIR"
}

# Status, streams, arguments, directory and share in one boot.
test_command() {
	local dir="$tmp/a b" args=('a  b' '' "it's" '$HOME' '"\' $'two\nlines' $'\xff\x01' '*' '-n')
	mkdir -p "$dir"
	# The script also fills stdout with more than any pipe or queue holds.
	(
		cd "$dir" || exit
		start --accel tcg --kernel "$kernel" --timeout 120 --share ".:/mnt/share" -- bash -c '
			printf "%s\0" "$PWD" "$@"
			echo to stderr >&2
			echo reopened > /dev/stderr
			cp /proc/sys/kernel/hostname /mnt/share/name
			touch "$PWD/in the overlay only"
			seq 300000
			cat
			exit 7' name "${args[@]}"
		printf '%s\n%s\n' "$status" "$last" > "$tmp/result"
	)
	{ read -r status && read -r last; } < "$tmp/result"
	is 7 'start.sh: the command ended with status 7*'
	check "a failing command: its status"
	{
		printf '%s\0' "$dir" "${args[@]}"
		seq 300000
	} > "$tmp/want"
	cmp "$tmp/want" "$tmp/out"
	check "directory and arguments arrive unchanged, stdout is complete and alone"
	[[ $(grep -v '^start.sh:' "$tmp/err") == $'to stderr\nreopened' ]]
	check "stderr is separate, and can be opened again"
	[[ $(cat "$dir/name") == jc-guest ]]
	check "--share is written through to the host"
	[[ ! -e "$dir/in the overlay only" ]]
	check "other writes are forgotten"
}

test_not_found() {
	guest -- no-such-command
	is 127 'start.sh: the command ended with status 127*'
	check "an unknown command: 127"
}

test_own_124() {
	guest -- bash -c 'exit 124'
	is 124 'start.sh: the command ended with status 124*'
	check "a command's own 124 says so in the last line"
}

test_timeout() {
	local begin=$SECONDS
	guest --timeout 7 -- bash -c 'echo started; sleep 1000'
	is 124 'start.sh: timeout: *after 7 s*'
	check "timeout: 124, and the last line says so"
	((SECONDS - begin < 15))
	check "the timeout is kept"
}

test_panic() {
	# what the guest has not handed over yet dies with it: give it a second
	guest -- bash -c 'echo before; sleep 1; echo c > /proc/sysrq-trigger; sleep 1000'
	is 255 'start.sh: the guest died: Kernel panic - not syncing: sysrq triggered crash*'
	check "a panic: 255, and the last line says so"
	[[ $(cat "$tmp/out") == before ]]
	check "output before a panic is not lost"
}

test_no_status() {
	guest -- bash -c 'echo b > /proc/sysrq-trigger; sleep 1000'
	is 255 'start.sh: the guest died: it ended without reporting a status*'
	check "a guest that resets itself: 255"
}

test_splat() {
	# However quiet the guest makes its console.
	guest --append quiet -- bash -c 'dmesg -n 1; echo "BUG: test" > /dev/kmsg'
	is 254 'start.sh: the command succeeded, but the kernel log has a splat*'
	check "success with a splat in the kernel log: 254"
	guest -- bash -c 'echo "WARNING: test" > /dev/kmsg; exit 3'
	is 3 'start.sh: the command ended with status 3*' && grep -q 'not clean' "$tmp/err"
	check "failure with a splat: the command's status, and a word about the log"
}

test_topology() {
	guest --nodes 2 --smp 4 --threads 2 --mem 1G -- bash -c '
		cat /sys/devices/system/node/node*/{cpulist,distance}
		cat /sys/devices/system/cpu/cpu0/topology/thread_siblings_list'
	[[ $status == 0 && $(cat "$tmp/out") == $'0-1\n2-3\n10 20\n20 10\n0-1' ]]
	check "nodes, processors, threads and distances are as asked"
}

test_background() {
	guest --timeout 40 -- bash -c '(trap "" TERM; while :; do sleep 1; done) & exit 0'
	is 0 'start.sh: the command succeeded*'
	check "a process left in the background does not hold the guest"
}

test_parallel() {
	local pids=() n bad=0 logs
	logs=$(find "$BUILD" -name '*.log' | wc -l)
	for n in 1 2; do
		"$top/qemu/start.sh" --accel tcg --kernel "$kernel" --timeout 120 \
			-- bash -c 'echo "$1"; exit "$1"' - "$n" > "$tmp/out$n" 2> "$tmp/err" &
		pids+=($!)
	done
	for n in 1 2; do
		wait "${pids[n - 1]}"
		[[ $? == "$n" && $(cat "$tmp/out$n") == "$n" ]] || bad=1
	done
	((bad == 0))
	check "two guests at once do not disturb each other"
	[[ $(find "$BUILD" -name '*.log' | wc -l) == $((logs + 2)) ]]
	check "each has a log of its own"
}

# Waits until QEMU, started through a wrapper that notes its process, is gone.
test_signals() {
	printf '#!/bin/sh\n[ "$1" = --version ] || echo $$ > %q\nexec qemu-system-x86_64 "$@"\n' \
		"$tmp/pid" > "$tmp/qemu"
	chmod +x "$tmp/qemu"
	local sig want pid launcher try
	for sig in TERM INT KILL; do
		case $sig in TERM) want=143 ;; INT) want=130 ;; KILL) want=137 ;; esac
		rm -f "$tmp/pid"
		# A shell starts background jobs with SIGINT ignored; env undoes it.
		QEMU=$tmp/qemu env --default-signal=INT "$top/qemu/start.sh" --accel tcg \
			--kernel "$kernel" -- sleep 1000 > "$tmp/out" 2> "$tmp/err" &
		launcher=$!
		for ((try = 0; try < 100; try++)); do
			[[ ! -s $tmp/pid ]] || break
			sleep 0.1
		done
		pid=$(cat "$tmp/pid")
		sleep 0.5
		kill -0 "$pid" && kill -"$sig" "$launcher"
		wait "$launcher" 2> /dev/null
		status=$?
		for ((try = 0; try < 80; try++)); do
			kill -0 "$pid" 2> /dev/null || break
			sleep 0.1
		done
		[[ $status == "$want" ]] && ! kill -0 "$pid" 2> /dev/null
		check "SIG$sig to the launcher: $want, no QEMU is left"
	done
	rm -rf -- "${TMPDIR:?}"/*
}

# KVM as a wrapper plays it: real hardware would make the test depend on the host.
test_accel() {
	: > "$tmp/kvm"
	export KVM_DEVICE=$tmp/kvm
	cat > "$tmp/qemu" <<-END
		#!/bin/bash
		[[ "\$*" != --version ]] || exec qemu-system-x86_64 --version
		echo boot >> $(printf %q "$tmp/boots")
		[[ -e $(printf %q "$tmp/kvm-works") ]] || exit 1
		args=("\$@")
		for i in "\${!args[@]}"; do
			case \${args[i]} in kvm) args[i]=tcg,thread=single ;; host) args[i]=max ;; esac
		done
		exec qemu-system-x86_64 "\${args[@]}"
	END
	chmod +x "$tmp/qemu"
	export QEMU=$tmp/qemu
	start --kernel "$kernel" -- true
	grep -q '^start.sh: tcg.*KVM does not boot this kernel here, shown by a boot' "$tmp/err"
	check "auto: TCG where this kernel does not boot under KVM"
	start --kernel "$kernel" -- true
	grep -q '^start.sh: tcg.*known from an earlier boot' "$tmp/err" &&
		[[ $(wc -l < "$tmp/boots") == 3 ]]
	check "auto: the verdict is kept"
	cp "$kernel" "$tmp/other" && echo >> "$tmp/other"
	start --kernel "$tmp/other" -- true
	grep -q '^start.sh: tcg.*known from an earlier boot' "$tmp/err" &&
		[[ $(wc -l < "$tmp/boots") == 4 ]]
	check "auto: a KVM that runs nothing is not asked again for another kernel"
	rm -f "$BUILD/qemu-accel.cache"
	touch "$tmp/kvm-works"
	start --kernel "$kernel" -- true
	grep -q '^start.sh: kvm (shown by a boot' "$tmp/err" && [[ $status == 0 ]]
	check "auto: KVM where this kernel boots under it"
	export KVM_DEVICE=$tmp/none
	start --kernel "$kernel" -- true
	grep -q "^start.sh: tcg.*no usable $tmp/none" "$tmp/err"
	check "auto: TCG where there is no KVM"
	unset QEMU KVM_DEVICE
}

test_shell() {
	cat > "$tmp/shell.py" <<-'END'
		import os, pty, select, struct, sys, fcntl, termios, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
		seen, steps = b"", [
		    (b"# ", b"stty size; tty; echo $((6*7))x\r"),
		    (b"42x", b"sleep 500\r"),
		    (b"sleep 500", b"\x03"),          # Ctrl-C reaches the guest's job
		    (b"^C", b"echo after $?\r"),
		    (b"after 130", b"exit 9\r"),
		]
		end = time.time() + 60
		while time.time() < end:
		    if not select.select([fd], [], [], 0.2)[0]:
		        continue
		    try:
		        data = os.read(fd, 65536)
		    except OSError:  # the other side is closed
		        break
		    sys.stdout.buffer.write(data)
		    seen += data
		    if steps and steps[0][0] in seen:
		        time.sleep(0.5)
		        os.write(fd, steps.pop(0)[1])
		        seen = b""
		sys.stdout.flush()
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	# Its run directory and log are the same as ever; only the terminal is new.
	timeout 90 /usr/bin/python3 "$tmp/shell.py" "$top/qemu/start.sh" --accel tcg \
		--kernel "$kernel" --timeout 60 > "$tmp/out" 2> "$tmp/err"
	status=$?
	[[ $status == 9 ]]
	check "the shell's status is passed on"
	grep -q '33 111' "$tmp/out" && grep -q hvc0 "$tmp/out" && grep -q 'after 130' "$tmp/out"
	check "the shell has the terminal's size, job control and Ctrl-C"
}

for t in $(declare -F | sed -n 's/^declare -f \(test_.*\)/\1/p'); do
	[[ ! $t =~ $pattern ]] || "$t"
done
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
