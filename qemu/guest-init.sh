#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest's process 1, started by the kernel from the launcher's run
# directory, where "job" (written by start.sh) says what to do.
#
# Stage 1 finds the host's root mounted read-only over 9p and puts a tmpfs
# overlay above it. Stage 2 mounts what a system needs, runs the job, reports
# its status on a virtio-serial port and resets the machine. Each program that
# is started costs some 20 ms under emulation: hence one mount for everything.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
run=${0%/*}

say() {
	echo "jc-init: $*" > /dev/kmsg
}

# The launcher takes a missing status for a dead guest; the reason is the last
# such line in the log.
die() {
	say "fatal: $*"
	reset_machine
}

reset_machine() {
	echo b > /proc/sysrq-trigger
	# Not reached unless /proc is absent: the kernel panics, which ends it too.
	exit 1
}

# --- stage 1 ----------------------------------------------------------------

if [[ ${1-} != stage2 ]]; then
	mount -n -t proc proc /proc || exit 1
	mount -n -t devtmpfs dev /dev || exit 1
	# /tmp is only a place that every host has; the overlay's lower layer is
	# the 9p mount itself and still shows the host's /tmp.
	mount -n -t tmpfs -o size=75%,mode=755 upper /tmp || die "no tmpfs"
	mkdir /tmp/upper /tmp/work /tmp/root || die "cannot write to the tmpfs"
	mount -n -t overlay -o \
		lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work,index=off,metacopy=off,xino=off \
		overlay /tmp/root || die "no overlay file system"
	umount -n -l /dev /proc
	cd /tmp/root && pivot_root . . && umount -n -l . || exit 1
	# Unknown words of the kernel's command line arrive as environment
	# variables: start clean.
	cd / && exec env -i PATH="$PATH" /bin/bash "$run/init" stage2
	exit 1
fi

# --- stage 2 ----------------------------------------------------------------

# What the job sets; fstab and share_dirs are about the shares.
command=() cwd=/ interactive=0 rows=24 columns=80 term=linux net=0
hostname=guest home=/root fstab='' share_dirs=() stdin=/dev/null
# shellcheck source=/dev/null
. "$run/job" || exit 1

mount -n -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/user "$home" "${share_dirs[@]}"
cat > /run/fstab <<END
proc	/proc	proc	defaults	0 0
sys	/sys	sysfs	defaults	0 0
dev	/dev	devtmpfs	defaults	0 0
devpts	/dev/pts	devpts	mode=620,gid=5,ptmxmode=666,X-mount.mkdir	0 0
shm	/dev/shm	tmpfs	mode=1777,X-mount.mkdir	0 0
mqueue	/dev/mqueue	mqueue	X-mount.mkdir	0 0
cgroup2	/sys/fs/cgroup	cgroup2	nsdelegate	0 0
debugfs	/sys/kernel/debug	debugfs	defaults	0 0
tracefs	/sys/kernel/tracing	tracefs	defaults	0 0
securityfs	/sys/kernel/security	securityfs	defaults	0 0
bpf	/sys/fs/bpf	bpf	mode=700	0 0
$fstab
END
mounted=$(mount -n -a -T /run/fstab 2>&1) || say "some mounts failed: ${mounted//$'\n'/; }"
[[ -e /proc/self && -e /dev/null ]] || exit 1
for dir in "${share_dirs[@]}"; do
	mountpoint -q "$dir" || die "the share on $dir could not be mounted"
done
echo "$hostname" > /proc/sys/kernel/hostname
ln -sfn /proc/self/fd /dev/fd
ln -sfn fd/0 /dev/stdin
ln -sfn fd/1 /dev/stdout
ln -sfn fd/2 /dev/stderr
ip link set lo up || say "cannot bring lo up"
if [[ $net == 1 ]]; then
	# The addresses that QEMU's user network documents.
	if ! { ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 &&
		ip route add default via 10.0.2.2; }; then
		say "no network"
	fi
	rm -f /etc/resolv.conf
	echo nameserver 10.0.2.3 > /etc/resolv.conf
fi

# The ports appear a moment after the driver has found its device.
find_port() {
	local dir name try
	for ((try = 0; try < 200; try++)); do
		for dir in /sys/class/virtio-ports/*; do
			name=
			read -r name 2> /dev/null < "$dir/name"
			if [[ $name == "$1" && -c /dev/${dir##*/} ]]; then
				port=/dev/${dir##*/}
				return
			fi
		done
		sleep 0.05
	done
	die "no virtio-serial port $1"
}

find_port jc.status
exec 9> "$port"
echo ready >&9

ulimit -Hn 524288 2> /dev/null
export HOME="$home" USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM="$term"

enter() {
	cd "$cwd" || {
		echo "start.sh: the guest has no directory $cwd" >&2
		exit 126
	}
	unset OLDPWD
}

if [[ $interactive == 1 ]]; then
	tty=/dev/hvc0
	[[ -c $tty ]] || die "no $tty for the shell"
	(
		stty sane rows "$rows" cols "$columns"
		enter
		# The user's own startup files are written for a faster machine.
		export PS1='\u@\h:\w\$ '
		exec setsid --ctty --wait bash --norc -i
	) <> "$tty" >&0 2>&0 9>&-
	status=$?
else
	find_port jc.out
	out=$port
	find_port jc.err
	# A port can be opened once only, but scripts like to open /dev/stderr
	# again: so they get a pipe.
	exec 7> >(trap '' TERM; exec cat > "$out" 9>&-)
	out_pid=$!
	exec 8> >(trap '' TERM; exec cat > "$port" 7>&- 9>&-)
	err_pid=$!
	(
		exec < "$stdin" >&7 2>&8 7>&- 8>&- 9>&-
		enter
		exec -- "${command[@]}"
	)
	status=$?
	exec 7>&- 8>&-
	# What the command left running would keep the pipes open: it ends here.
	kill -TERM -1 2> /dev/null
	(sleep 2 && kill -KILL -1) 9>&- &
	wait "$out_pid" "$err_pid"
fi

for dir in "${share_dirs[@]}"; do
	umount -n "$dir" 2> /dev/null || umount -n -l "$dir"
done
[[ ${#share_dirs[@]} == 0 ]] || sync
echo "exit $status" >&9
# Closing the port waits until the host has seen what was written.
exec 9>&-
reset_machine
