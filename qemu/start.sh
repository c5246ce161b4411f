#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boot a kernel on two NUMA nodes under QEMU with the host's root file system,
# run a command in it and pass its status on.
#
# Commas belong to QEMU's option lists; the handlers are called by traps:
# shellcheck disable=SC2054,SC2317

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 125
build=${BUILD:-build}
[[ $build == /* ]] || build=${here%/*}/$build
qemu=${QEMU:-qemu-system-x86_64}

# A closed standard stream would become the next file that is opened.
{ : 9<&0; } 2> /dev/null || exec < /dev/null
{ : 9>&1; } 2> /dev/null || exec > /dev/null
[[ -e /dev/fd/2 ]] || exec 2> /dev/null

# shellcheck source=scripts/about.sh
. "$here/../scripts/about.sh"

usage() {
	cat <<'END'
Usage: qemu/start.sh [OPTION]... [-- COMMAND [ARG]...]

Boot the built kernel in QEMU on two NUMA nodes. The guest sees the host's root
file system; what it writes goes to memory and is forgotten. Runs COMMAND there
as root in the current directory, streams its output and exits with its status;
without COMMAND, gives a shell on this terminal (Ctrl-] x ends QEMU). No shell
sees COMMAND: each ARG arrives byte for byte. COMMAND's standard input is empty,
and the launcher's is left alone, unless --stdin is given.

  --kernel FILE       bzImage (default: kernel/arch/x86/boot/bzImage below $BUILD,
                      which is build/ of this repository by default)
  --nodes N           NUMA nodes, one socket each (default 2)
  --smp N             CPUs over all nodes (default 8)
  --threads N         hardware threads per core (default 1)
  --mem SIZE          memory over all nodes, as 4G or 512M (default 4G)
  --accel auto|kvm|tcg
                      auto (default): KVM if a short boot has shown that this
                      kernel runs under it (asked once, kept in $BUILD), else TCG
  --tcg-threads auto|single|multi
                      emulate on one host thread or on one per CPU (default auto:
                      multi from QEMU 8.1 on, where self-modifying code is safe)
  --icount            TCG with a clock that counts instructions, 4 ns each, and skips
                      idle time: other work on the host changes no measurement, but
                      times say nothing about hardware
  --append WORDS      more words for the kernel's command line (repeatable)
  --share HOST[:GUEST]
                      give the guest a host directory read-write, on the same
                      path or on GUEST (repeatable)
  --share-build       the same for $BUILD
  --stdin             COMMAND reads the launcher's standard input, which is read to
                      its end before the guest starts
  --net               a network card with QEMU's user network
  --tap NAME          a network card of 4 queues with receive-side scaling, behind the
                      host's TAP device NAME, which QEMU makes if it may: works in
                      "unshare -Urn" (repeatable). Raise NAME's link when the guest's is
                      up, and send no more than 10,000 packets a second
  --timeout SECONDS   end the guest after that time (default: never)
  --log FILE          kernel log (default: a new file in $BUILD/logs)
  --no-dmesg-check    do not check the kernel log
  --gdb[=PORT]        wait for gdb on this port of localhost (default 1234)
  --dry-run           print the QEMU command, start nothing
  --help, --version

Exit status: COMMAND's own, or
  124  timeout
  125  the launcher failed: bad option, no kernel, too long a command line, QEMU
       did not start, nobody reads the output any more
  254  COMMAND succeeded, but the kernel log has a splat (see qemu/check-dmesg.sh)
  255  the guest died: panic, no message for 2 minutes while it booted, QEMU was
       killed, or it ended without reporting a status; its last messages are shown
  130, 143, 129       interrupted by SIGINT, SIGTERM, SIGHUP
The last line on stderr begins with "start.sh:" and names the cause.
END
}

say() {
	local text=$*
	# names may hold anything, and the last line is one line
	printf 'start.sh: %s\n' "${text//[[:cntrl:]]/?}" >&2
}

# The launcher's own failures.
fail() {
	say "error: $*"
	exit 125
}

# In QEMU's option lists a comma is written twice.
q() {
	printf '%s' "${1//,/,,}"
}

number() { # NAME VALUE MIN MAX
	[[ $2 =~ ^(0|[1-9][0-9]{0,8})$ && $2 -ge $3 && $2 -le $4 ]] ||
		fail "$1 takes a whole number from $3 to $4, not '$2'"
}

# --- options ----------------------------------------------------------------

kernel=
nodes=2 smp=8 threads=1 mem=4G accel=auto tcg_threads=auto icount=0
append=() shares=() taps=() net=0 timeout=0 log='' check=1 gdb='' dry=0 stdin=0
command=()

while (($#)); do
	case $1 in
	--*=*)
		set -- "${1%%=*}" "${1#*=}" "${@:2}"
		inline=1
		;;
	*)
		inline=0
		;;
	esac
	case $1 in
	--kernel | --nodes | --smp | --threads | --mem | --accel | --tcg-threads | --append | \
		--share | --tap | --timeout | --log)
		(($# >= 2)) || fail "$1 needs a value (see --help)"
		[[ $inline == 1 || $2 != -- ]] || fail "$1 needs a value (see --help)"
		;;
	--gdb) ;;
	*)
		[[ $inline == 0 ]] || fail "unknown option or needless value: $1=$2 (see --help)"
		;;
	esac
	case $1 in
	--kernel) kernel=$2 && shift ;;
	--nodes) nodes=$2 && shift ;;
	--smp) smp=$2 && shift ;;
	--threads) threads=$2 && shift ;;
	--mem) mem=$2 && shift ;;
	--accel) accel=$2 && shift ;;
	--tcg-threads) tcg_threads=$2 && shift ;;
	--append) append+=("$2") && shift ;;
	--share) shares+=("$2") && shift ;;
	--share-build) shares+=("$build") ;;
	--net) net=1 ;;
	--tap) taps+=("$2") && shift ;;
	--stdin) stdin=1 ;;
	--timeout) timeout=$2 && shift ;;
	--log) log=$2 && shift ;;
	--no-dmesg-check) check=0 ;;
	--gdb)
		gdb=1234
		if [[ $inline == 1 ]]; then
			gdb=$2
			shift
		fi
		;;
	--icount) icount=1 ;;
	--dry-run) dry=1 ;;
	-h | --help) show_help ;;
	--)
		shift
		(($#)) || fail "no command after --"
		command=("$@")
		break
		;;
	-*) fail "unknown option: $1 (see --help)" ;;
	*) fail "unexpected '$1': the command goes after -- (see --help)" ;;
	esac
	shift
done

number --nodes "$nodes" 1 8
number --smp "$smp" 1 64
number --threads "$threads" 1 8
number --timeout "$timeout" 0 999999
[[ -z $gdb ]] || number --gdb "$gdb" 1 65535
((smp % (nodes * threads) == 0)) ||
	fail "--smp $smp cannot be divided into $nodes nodes of whole cores with $threads thread(s)"
case $mem in
*[gG]) mem_mib=${mem%?} unit=1024 ;;
*[mM]) mem_mib=${mem%?} unit=1 ;;
*) mem_mib=$mem unit=1 ;;
esac
[[ $mem_mib =~ ^[0-9]{1,7}$ ]] || fail "--mem takes a size such as 4G or 512M, not '$mem'"
mem_mib=$((10#$mem_mib * unit))
node_mib=$((mem_mib / nodes))
((mem_mib >= 256 && node_mib * nodes == mem_mib)) ||
	fail "--mem $mem is below 256M or not a multiple of $nodes MiB (one part per node)"
case $accel in
auto | kvm | tcg) ;;
*) fail "--accel takes auto, kvm or tcg, not '$accel'" ;;
esac
case $tcg_threads in
auto | single | multi) ;;
*) fail "--tcg-threads takes auto, single or multi, not '$tcg_threads'" ;;
esac

((${#taps[@]} <= 8)) || fail "--tap: at most 8, not ${#taps[@]}"
for tap in ${taps[0]+"${taps[@]}"}; do
	[[ $tap =~ ^[A-Za-z0-9_.-]{1,15}$ ]] || fail "--tap takes the name of an interface, not '$tap'"
done

if ((icount)); then
	[[ $accel != kvm ]] || fail "--icount counts what TCG emulates: not with --accel kvm"
	[[ $tcg_threads != multi ]] || fail "--icount needs one host thread: not with --tcg-threads multi"
	accel=tcg tcg_threads=single
fi

command -v "$qemu" > /dev/null || fail "$qemu is missing: install qemu-system-x86 (make deps)"
: "${kernel:=$build/kernel/arch/x86/boot/bzImage}"
[[ -f $kernel ]] || fail "no kernel at $kernel: build one (make kernel) or name one with --kernel"
[[ -r $kernel ]] || fail "cannot read the kernel $kernel"
# "HdrS" at 0x202 is the x86 boot protocol's mark.
[[ $(dd if="$kernel" bs=1 skip=514 count=4 2> /dev/null | tr -d '\0') == HdrS ]] ||
	fail "$kernel is no x86 bzImage"

share_dirs=() share_hosts=()
for share in ${shares[0]+"${shares[@]}"}; do
	host=${share%%:*}
	host=$(cd -- "$host" 2> /dev/null && pwd -P) ||
		fail "--share: $(printf %q "${share%%:*}") is no directory that can be entered"
	guest=$host
	[[ $share != *:* ]] || guest=${share#*:}
	[[ $guest == /?* ]] || fail "--share: the guest's path must be absolute, not '$guest'"
	[[ $guest != *[[:space:]\\]* ]] ||
		fail "--share: the guest's path must have no white space: '$guest' (use HOST:GUEST)"
	share_hosts+=("$host")
	share_dirs+=("$guest")
done

interactive=0
if ((${#command[@]} == 0)); then
	interactive=1
	[[ $stdin == 0 ]] || fail "--stdin is for a command: put it after --"
	[[ $dry == 1 || (-t 0 && -t 1) ]] ||
		fail "a shell needs a terminal; to run a command, put it after --"
fi
# A quarter of 8 MiB of stack, the environment included, is what exec() takes.
arguments=$(printf '%s........' ${command[0]+"${command[@]}"} | LC_ALL=C wc -c)
((arguments <= 2000000)) ||
	fail "the command has $arguments bytes of arguments, the guest takes 2000000"

# --- life and death of what this script starts --------------------------------

run='' qemu_pid='' tail_out='' tail_err='' watcher='' stty_saved=''

# QEMU runs under timeout(1), which passes the signal on.
kill_qemu() {
	[[ -n $qemu_pid ]] || return 0
	kill -TERM "$qemu_pid" 2> /dev/null
	wait "$qemu_pid" 2> /dev/null
	qemu_pid=
}

cleanup() {
	trap '' INT TERM HUP
	kill_qemu
	# The readers end with QEMU, having read everything.
	[[ -z $tail_out ]] || wait "$tail_out" "$tail_err" 2> /dev/null
	[[ -z $watcher ]] || kill "$watcher" 2> /dev/null
	[[ -z $stty_saved ]] || stty "$stty_saved"
	[[ -z $run ]] || rm -rf -- "$run"
}

interrupted() { # SIGNAL STATUS
	trap '' INT TERM HUP
	kill_qemu
	say "interrupted by SIG$1; the guest was ended"
	exit "$2"
}

trap cleanup EXIT
trap 'interrupted INT 130' INT
trap 'interrupted TERM 143' TERM
trap 'interrupted HUP 129' HUP

# --- accelerator --------------------------------------------------------------

# That /dev/kvm opens, and even that KVM_CREATE_VM succeeds, proves nothing: a
# nested KVM may abort, or hang with the first instruction. Only a boot is a
# proof. Its verdict holds for this QEMU, processor and host kernel, and for this
# guest kernel; for any kernel if not even the first message came.
probe_kvm() {
	local cache=$build/qemu-accel.cache host_key kernel_key verdict probe_log
	: "${KVM_DEVICE:=/dev/kvm}"
	accel=tcg
	if [[ ! -r $KVM_DEVICE || ! -w $KVM_DEVICE ]]; then
		why="no usable $KVM_DEVICE"
		return
	fi
	host_key=$({
		command -v "$qemu"
		"$qemu" --version
		grep -m1 '^model name' /proc/cpuinfo
		uname -r
	} | sha256sum | cut -c 1-32)
	kernel_key=$(sha256sum < "$kernel" | cut -c 1-32)
	mkdir -p -- "$build" || fail "cannot create $build"
	# Runs that start together ask once.
	exec 9>> "$cache" || fail "cannot write $cache"
	flock 9
	verdict=$(sed -n "s/^$host_key \($kernel_key\|any\) //p" "$cache" | tail -n 1)
	why="known from an earlier boot"
	if [[ -z $verdict ]]; then
		why="shown by a boot just now"
		probe_log=$(mktemp) || fail "cannot create a temporary file"
		# The group keeps quiet what bash says of a probe that had to be killed.
		if {
			timeout -k 5 20 "$0" --accel kvm --kernel "$kernel" --nodes "$nodes" \
				--smp "$smp" --mem "$mem" --no-dmesg-check --log "$probe_log" \
				-- /bin/true > /dev/null 9>&-
		} 2> /dev/null; then
			verdict=kvm
		else
			verdict=tcg
			grep -a -q 'Linux version' "$probe_log" || kernel_key=any
		fi
		rm -f -- "$probe_log"
		echo "$host_key $kernel_key $verdict" >&9
	fi
	exec 9>&-
	accel=$verdict
	[[ $accel == kvm ]] || why="KVM does not boot this kernel here, $why"
}

why="as asked"
if [[ $accel == auto ]]; then
	if [[ $dry == 1 ]]; then
		accel=tcg why="a dry run does not probe KVM"
	else
		probe_kvm
	fi
fi

# --- the machine --------------------------------------------------------------

if [[ -z $log ]]; then
	log=$build/logs/guest-$(date +%Y%m%d-%H%M%S)-$$.log
	[[ $dry == 1 ]] || mkdir -p -- "$build/logs" || fail "cannot create $build/logs"
fi
log=$(realpath -m -- "$log")

tmp=${TMPDIR:-/tmp}
# The path stands on the kernel's command line.
[[ $tmp == /* && $tmp =~ ^[A-Za-z0-9/._+-]+$ && ${#tmp} -lt 200 ]] || tmp=/tmp
if [[ $dry == 1 ]]; then
	run_dir=$tmp/jc-guest.XXXXXXXX
else
	run=$(mktemp -d "$tmp/jc-guest.XXXXXXXX") || fail "cannot create a directory in $tmp"
	run_dir=$run
	# Ends with this script, even if that is killed, and then tidies up.
	exec 8> >(
		exec > /dev/null 2>&1
		trap '' INT TERM HUP
		cat
		rm -rf -- "$run"
	)
fi

words=(
	root=jcroot rootfstype=9p
	rootflags=trans=virtio,version=9p2000.L,msize=512000,cache=loose
	ro "init=$run_dir/init" devtmpfs.mount=0
	# Everything into the log, whatever "quiet" or dmesg -n say: it is checked.
	console=ttyS0 ignore_loglevel
	panic=-1 mitigations=off
)

# Before 8.1 a thread of QEMU may translate code while another one writes to it,
# and keeps the outdated translation: flipping a static key (jump label) under
# load then leaves a breakpoint behind, and the kernel dies of "Oops: int3".
qemu_patches_safely() {
	local version
	version=$("$qemu" --version | sed -n 's/^QEMU emulator version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
	[[ -n $version ]] && ((${version% *} * 100 + ${version#* } >= 801))
}

clock=()
case $accel in
kvm)
	cpu=host
	accel_option=kvm
	;;
tcg)
	cpu=max
	[[ $tcg_threads != auto ]] || {
		tcg_threads=single
		! qemu_patches_safely || tcg_threads=multi
	}
	accel_option=tcg,thread=$tcg_threads
	((!icount)) || clock=(-icount "shift=2,sleep=off")
	# Emulated CPUs all read the host's counter, but the kernel cannot know and
	# would fall back to the hpet, which costs microseconds per reading.
	# And a CPU that waits for its turn on the host is slow, not stuck, and no
	# reason to panic while the timer is tried out at boot.
	words+=(tsc=reliable watchdog_thresh=30 no_timer_check)
	# On a busy host the guest may measure the counter wrongly by a factor. The
	# host knows: its bogomips are twice the counter's MHz. With --icount it
	# counts nanoseconds.
	if ((icount)); then
		words+=(tsc_early_khz=1000000)
	elif grep -q '^flags.* constant_tsc ' /proc/cpuinfo; then
		tsc_khz=$(awk '/^bogomips/ { printf "%d", $3 * 500; exit }' /proc/cpuinfo)
		((tsc_khz < 100000 || tsc_khz > 10000000)) || words+=("tsc_early_khz=$tsc_khz")
	fi
	;;
esac
[[ -z $gdb ]] || words+=(nokaslr)

argv=(
	"$qemu" "${clock[@]}" -nodefaults -no-user-config -no-reboot -display none
	-machine q35 -accel "$accel_option" -cpu "$cpu" -m "$mem_mib"
	-smp "$smp,sockets=$nodes,cores=$((smp / nodes / threads)),threads=$threads"
)
per_node=$((smp / nodes))
for ((i = 0; i < nodes; i++)); do
	argv+=(
		-object "memory-backend-ram,id=mem$i,size=${node_mib}M"
		-numa "node,nodeid=$i,cpus=$((i * per_node))-$(((i + 1) * per_node - 1)),memdev=mem$i"
	)
done
for ((i = 0; i < nodes; i++)); do
	for ((j = i + 1; j < nodes; j++)); do
		argv+=(-numa "dist,src=$i,dst=$j,val=20")
	done
done
fstab='' i=0
argv+=(
	-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
	-device virtio-9p-pci,fsdev=root,mount_tag=jcroot
)
for host in ${share_hosts[0]+"${share_hosts[@]}"}; do
	argv+=(
		-fsdev "local,id=share$i,path=$(q "$host"),security_model=none,multidevs=remap"
		-device "virtio-9p-pci,fsdev=share$i,mount_tag=jcshare$i"
	)
	# Written through, so that the host has everything when the guest dies.
	fstab+="jcshare$i	${share_dirs[i]}	9p	trans=virtio,version=9p2000.L,msize=512000,cache=mmap	0 0"$'\n'
	i=$((i + 1))
done
argv+=(
	-chardev "file,id=log,path=$(q "$log")" -serial chardev:log
	-device virtio-serial-pci
	-chardev "file,id=status,path=$run_dir/status"
	-device virtserialport,chardev=status,name=jc.status,nr=1
)
if [[ $interactive == 1 ]]; then
	argv+=(
		-echr 0x1d -chardev stdio,id=con,mux=on,signal=off
		-device virtconsole,chardev=con,nr=2
	)
else
	# Plain files, which never make the guest wait; the launcher follows them.
	argv+=(
		-chardev "file,id=out,path=$run_dir/out"
		-device virtserialport,chardev=out,name=jc.out,nr=2
		-chardev "file,id=err,path=$run_dir/err"
		-device virtserialport,chardev=err,name=jc.err,nr=3
	)
fi
[[ $net == 0 ]] || argv+=(-netdev user,id=net -device virtio-net-pci,netdev=net,romfile=)
i=0
for tap in ${taps[0]+"${taps[@]}"}; do
	# QEMU itself hashes, and with offloads on the guest's driver takes no XDP program.
	argv+=(
		-netdev "tap,id=tap$i,ifname=$tap,script=no,downscript=no,queues=4,vhost=off"
		-device "virtio-net-pci,netdev=tap$i,mac=52:54:00:00:01:0$i,mq=on,vectors=10,rss=on,hash=on,rx_queue_size=1024,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,romfile="
	)
	i=$((i + 1))
done
[[ -z $gdb ]] || argv+=(-gdb "tcp:127.0.0.1:$gdb" -S)
cmdline="${words[*]} ${append[*]-}"
# The boot protocol's cmdline_size; the kernel would cut what is longer.
limit=$(od -An -tu4 -j 568 -N 4 -- "$kernel" | tr -d ' ')
length=$(printf %s "$cmdline" | LC_ALL=C wc -c)
((length <= limit)) ||
	fail "the kernel's command line has $length bytes, this kernel takes $limit: shorten --append"
argv+=(-kernel "$kernel" -append "$cmdline")

if [[ $dry == 1 ]]; then
	printf '%q ' "${argv[@]}"
	echo
	say "dry run: nothing was started"
	exit 0
fi

# --- run ------------------------------------------------------------------------

install -m 755 -- "$here/guest-init.sh" "$run/init" ||
	fail "cannot copy $here/guest-init.sh to $run"
# QEMU truncates or creates the log only once it runs: a stale one must not be judged.
: > "$log" || fail "cannot write the log $log"
: > "$run/status"
: > "$run/out"
: > "$run/err"
if [[ $stdin == 1 ]]; then
	cat > "$run/stdin" || fail "cannot keep the standard input in $run"
fi
# Without root's rights QEMU cannot give the guest the host's /root.
home=/root
((EUID == 0)) || home=/run/home
rows=24 columns=80
if [[ $interactive == 1 ]]; then
	stty_saved=$(stty -g)
	read -r rows columns < <(stty size)
fi
{
	# printf %q is read back by bash, any byte included.
	printf 'cwd=%q interactive=%q rows=%q columns=%q net=%q term=%q hostname=%q home=%q\n' \
		"$PWD" "$interactive" "$rows" "$columns" "$net" "${TERM:-linux}" jc-guest "$home"
	[[ $stdin == 0 ]] || echo "stdin=$run/stdin"
	printf 'fstab=%q\n' "$fstab"
	echo "share_dirs=(${share_dirs[*]@Q})"
	echo "command=(${command[*]@Q})"
} > "$run/job" || fail "cannot write $run/job"

say "$accel_option ($why), $nodes node(s), $smp CPUs, kernel log: $log"
if [[ -n $gdb ]]; then
	vmlinux=${kernel%/arch/x86/boot/bzImage}/vmlinux
	[[ -f $vmlinux ]] || vmlinux=vmlinux
	say "waiting for gdb: gdb $vmlinux -ex 'target remote :$gdb'"
fi

start=$SECONDS
# If this script is killed, QEMU goes too (pdeathsig); timeout(1) with 0 only
# passes signals on. --foreground leaves the terminal to QEMU.
guest() {
	exec setpriv --pdeathsig TERM timeout --foreground -k 5 "$timeout" \
		setpriv --pdeathsig KILL "${argv[@]}" 8>&-
}

# A kernel that panics before it has read "panic=" halts for ever; another one
# may hang without a word. Ends QEMU and writes down why.
watch_boot() {
	local size=0 now quiet=0 pipe
	# No sleep(1) that would outlive this script: nothing ever comes here.
	exec 8>&- < /dev/null > /dev/null 2>&1 {pipe}<> <(:)
	while ! read -rt 1 -u "$pipe"; do
		kill -0 "$qemu_pid" 2> /dev/null || return
		now=$(stat -c %s -- "$log")
		if [[ $now != "$size" ]]; then
			# and the line that the last look may have cut
			if tail -c +"$((size > 200 ? size - 200 : 1))" -- "$log" |
				grep -a 'Kernel panic - not syncing'; then
				read -rt 5 -u "$pipe"
				echo "it did not restart after the panic" > "$run/why"
				break
			fi
			size=$now quiet=0
		elif [[ $(< "$run/status") == *ready* ]]; then
			quiet=0
		elif ((++quiet >= 120)); then
			echo "no message for $quiet s while it booted" > "$run/why"
			break
		fi
	done
	kill -TERM "$qemu_pid" 2> /dev/null
}
start_watcher() {
	[[ -z $gdb && " ${append[*]-}" != *' panic='* ]] || return 0
	watch_boot &
	watcher=$!
}
if [[ $interactive == 1 ]]; then
	exec 3<&0
	guest <&3 2> "$run/qemu.err" &
	qemu_pid=$!
	start_watcher
	wait "$qemu_pid"
	qemu_status=$?
else
	guest < /dev/null > /dev/null 2> "$run/qemu.err" &
	qemu_pid=$!
	tail -n +1 -f -s 0.1 --pid="$qemu_pid" "$run/out" 8>&- &
	tail_out=$!
	tail -n +1 -f -s 0.1 --pid="$qemu_pid" "$run/err" >&2 8>&- &
	tail_err=$!
	start_watcher
	wait -n -p first "$qemu_pid" "$tail_out"
	qemu_status=$?
	if [[ $first == "$tail_out" ]] && kill -0 "$qemu_pid" 2> /dev/null; then
		kill_qemu
		say "error: nobody reads the output any more; the guest was ended"
		exit 125
	fi
	[[ $first == "$qemu_pid" ]] || {
		wait "$qemu_pid"
		qemu_status=$?
	}
	wait "$tail_out" "$tail_err"
	tail_out='' tail_err=''
fi
qemu_pid=
[[ -z $watcher ]] || kill "$watcher" 2> /dev/null
watcher=
seconds=$((SECONDS - start))
if [[ -n $stty_saved ]]; then
	stty "$stty_saved"
	stty_saved=
fi

# --- verdict --------------------------------------------------------------------

status=$(sed -n 's/^exit \([0-9]\{1,3\}\)$/\1/p' "$run/status")
grep -q '^ready$' "$run/status" && ready=1 || ready=0

if [[ -z $status ]]; then
	if ((timeout > 0 && (qemu_status == 124 || (qemu_status == 137 && seconds >= timeout)))); then
		say "timeout: the guest was ended after $timeout s (kernel log: $log)"
		exit 124
	fi
	if [[ $qemu_status != 0 && ! -s $log ]]; then
		cat "$run/qemu.err" >&2
		fail "QEMU did not start the guest (status $qemu_status)"
	fi
	cat "$run/qemu.err" >&2
	echo "start.sh: the guest's last messages:" >&2
	tail -n 15 -- "$log" | LC_ALL=C tr -cd '[:print:]\n\t' | sed 's/^/  /' >&2
	cause=$(grep -a -m1 -o 'Kernel panic - .*' "$log" | tr -d '\r') ||
		cause=$(grep -a -o 'jc-init: fatal: .*' "$log" | tail -n 1 | tr -d '\r')
	if [[ -z $cause ]] && ((qemu_status > 128)) && [[ ! -s $run/why ]]; then
		cause="QEMU was killed by SIG$(kill -l "$((qemu_status - 128))")"
	fi
	: "${cause:=$(cat "$run/why" 2> /dev/null)}"
	: "${cause:=it ended without reporting a status}"
	[[ $ready == 1 ]] || cause+=" (before the command began)"
	say "the guest died: $cause (QEMU status $qemu_status, kernel log: $log)"
	exit 255
fi

splat=0
if [[ $check == 1 ]]; then
	"$here/check-dmesg.sh" "$log" || splat=$?
fi
if [[ $status != 0 ]]; then
	[[ $splat == 0 ]] || say "the kernel log is not clean either"
	say "the command ended with status $status (after $seconds s)"
	exit "$status"
fi
case $splat in
0) say "the command succeeded (after $seconds s)" ;;
1)
	say "the command succeeded, but the kernel log has a splat: $log"
	exit 254
	;;
*)
	say "the command succeeded, but the kernel log could not be checked: $log"
	exit 254
	;;
esac
exit 0
