#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A command in User Mode Linux: the kernel of the series as a process, root in
# it, the machine's own files below (read-only).

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: uml.sh [--debug | --lab] [--virtual-time] [--kunit] [--build-only | --no-build] [--timeout S]
	              [-- COMMAND...]
	  --debug       with KASAN, UBSAN, lockdep, kmemleak
	  --lab         with what emulates network links
	  --virtual-time  with --lab: computing takes no time, and waiting is skipped
	  --kunit       run LiteFlow's KUnit tests at boot; they count for the status
	  --build-only  build the kernel and its modules, run nothing
	  --no-build    use the kernel that is there
	The status is that of COMMAND, or 1 if the kernel complained. COMMAND finds
	modules below $UML_OUT; what it writes to /tmp is gone afterwards.
	UML_LINUX: another source tree. UML_MEM: memory of --debug and --lab (2G).
	END
}

NAME=plain BUILD_IT=y RUN=y KUNIT=0 TIMEOUT=3600 VIRTUAL=''
while [ $# -gt 0 ]; do
	case $1 in
	--debug) NAME=debug ;;
	--lab) NAME=lab ;;
	--virtual-time) VIRTUAL=time-travel=inf-cpu ;;
	--kunit) KUNIT=1 ;;
	--build-only) RUN=n ;;
	--no-build) BUILD_IT=n ;;
	--timeout) TIMEOUT=${2?--timeout needs seconds}; shift ;;
	-h | --help) show_help ;;
	--) shift; break ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

case $NAME${VIRTUAL:+-virtual} in
plain-virtual | debug-virtual) usage >&2; exit 2 ;;
esac

LINUX=${UML_LINUX:-$LINUX}
OUT=$BUILD/uml-$NAME
# Several may run at a time. The log of one that ends well loses its number.
DIR=$OUT/run-$$
LOG=$BUILD/logs/uml-$NAME-$$.log

build()
{
	local fragments=("$ROOT/kconfig/uml.config") line

	case $NAME in
	debug) fragments+=("$ROOT/kconfig/uml-debug.config" "$ROOT/kconfig/lemu.config") ;;
	lab)
		fragments+=("$ROOT/kconfig/cclab.config" "$ROOT/kconfig/lemu.config")
		export KBUILD_KCONFIG=$OUT/Kconfig
		;;
	esac
	lock "uml-$NAME"
	mkdir -p "$OUT"
	[ "$NAME" != lab ] || sed "/Kconfig.include/r $ROOT/kconfig/cclab.Kconfig" \
		"$LINUX/Kconfig" >"$OUT/Kconfig"
	cat "${fragments[@]}" >"$OUT/all.config.new"
	if [ ! -f "$OUT/.config" ] || ! cmp -s "$OUT/all.config.new" "$OUT/all.config"; then
		mv "$OUT/all.config.new" "$OUT/all.config"
		logged "uml-$NAME-config" kmake "$LINUX" "$OUT" ARCH=um \
			KCONFIG_ALLCONFIG="$OUT/all.config" allnoconfig
	fi
	logged "uml-$NAME-build" kmake "$LINUX" "$OUT" ARCH=um
	while IFS= read -r line; do
		grep -qxF "$line" "$OUT/.config" ||
			die "$line is not what came out of the configuration" "see $OUT/.config"
	done < <(grep -h '^CONFIG_.*=' "${fragments[@]}")
	unlock
}

# Process 1. Kernel messages go to the serial line, the command's output to the
# console.
write_init()
{
	local hidden=()

	# Where the tmpfs would hide what the command may need.
	case $ROOT/ in /tmp/*) hidden+=("$ROOT") ;; esac
	case $BUILD/ in "$ROOT"/*) ;; /tmp/*) hidden+=("$BUILD") ;; esac
	case $PWD/ in "$ROOT"/* | "$BUILD"/*) ;; /tmp/*) hidden+=("$PWD") ;; esac
	cat <<-END
	#!/bin/bash
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export HOME=/tmp LC_ALL=C UML_OUT=${OUT@Q} BUILD=${BUILD@Q}
	mount -n -t proc proc /proc
	mount -n -t sysfs sys /sys
	mount -n -t devtmpfs dev /dev
	mkdir -p /dev/pts && mount -n -t devpts devpts /dev/pts
	ln -s /proc/self/fd /dev/fd
	for name in 0:stdin 1:stdout 2:stderr; do
		ln -s "fd/\${name%:*}" "/dev/\${name#*:}"
	done
	mount -n -t debugfs debug /sys/kernel/debug
	mount -n -t tmpfs -o mode=1777 tmp /tmp
	for dir in ${hidden[@]@Q}; do
		mkdir -p "\$dir" && mount -n -t hostfs -o "\$dir,ro" none "\$dir"
	done
	command -v ip >/dev/null && ip link set lo up
	exec </dev/null >/dev/tty0 2>&1
	stty -F /dev/tty0 -opost
	cd ${PWD@Q} && (exec ${*@Q})
	status=\$?
	if [ -e /sys/kernel/debug/kmemleak ]; then
		# what is younger than five seconds is not looked at
		sleep 6
		echo scan >/sys/kernel/debug/kmemleak
		echo scan >/sys/kernel/debug/kmemleak
		while IFS= read -r line; do
			echo "\$line" >/dev/kmsg
		done </sys/kernel/debug/kmemleak
	fi
	echo "uml: status \$status" >/dev/kmsg
	poweroff -f >/dev/null 2>&1
	END
}

run()
{
	local status rc=0 mem=512M kunit

	[ -x "$OUT/linux" ] || die "there is no $OUT/linux" "leave out --no-build"
	[ "$NAME" = plain ] || mem=${UML_MEM:-2G}
	kunit=kunit.enable=$KUNIT
	[ "$KUNIT" = 0 ] || kunit+=' kunit.filter_glob=liteflow*'
	mkdir -p "$DIR" "$BUILD/logs"
	trap 'rm -rf "$DIR"' EXIT
	write_init "$@" >"$DIR/init"
	chmod +x "$DIR/init"
	# shellcheck disable=SC2086
	timeout "$TIMEOUT" "$OUT/linux" mem=$mem rootfstype=hostfs rootflags=/ ro \
		console=ttyS0 ssl=null ssl0=null,fd:3 con=null con0=null,fd:1 panic=-1 \
		quiet loglevel=8 $kunit $VIRTUAL init="$DIR/init" </dev/null 3>"$LOG" || rc=$?
	[ "$rc" != 124 ] || die "no end after $TIMEOUT s" "kernel messages: $LOG"
	"$ROOT/qemu/check-dmesg.sh" "$LOG" || die "the kernel complained" "all messages: $LOG"
	status=$(sed -nE 's/.*\] uml: status ([0-9]+)\r?$/\1/p' "$LOG")
	[ -n "$status" ] || die "the kernel died, status $rc" "its messages: $LOG"
	mv "$LOG" "$BUILD/logs/uml-$NAME.log"
	if [ "$KUNIT" = 1 ]; then
		cat "$BUILD/logs/uml-$NAME.log"
		"$ROOT/scripts/ktap.py" "$BUILD/logs/uml-$NAME.log"
	fi
	return "$status"
}

[ "$BUILD_IT" = n ] || build
[ "$RUN" = y ] || exit 0
if [ $# -eq 0 ]; then
	[ "$KUNIT" = 1 ] || die "no command" "uml.sh -- COMMAND, or --kunit, or --build-only"
	set -- true
fi
run "$@"
