# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2317,SC2329
#
# Was the kernel's log clean while the tests of a collection ran? Looked at is
# what came since they began, or since boot if they were not started by
# run_kselftest.sh. Sourced behind ksft_lib.sh, by the last test to run, which
# has set DIR to its own folder.

# The patterns; comments and empty lines are none.
SPLATS="$DIR/../kselftest/dmesg_splats"

# since_marker: from the last marker on; all there is if there is none
since_marker()
{
	awk -v marker="$MARKER" '
		index($0, marker) { n = 0 }
		{ line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }'
}

splats()
{
	since_marker | grep -E -f "$DMESG_TMP/patterns"
}

# A check that does not work must not look like a clean log.
finds_splats()
{
	cat > "$DMESG_TMP/bad" <<-END
	[    1.0] WARNING: CPU: 3 PID: 1 at kernel/sched/core.c:1 x+0x1/0x2
	[    1.0] BUG: kernel NULL pointer dereference, address: 0000
	[    1.0] BUG: KASAN: slab-out-of-bounds in x+0x1/0x2
	[    1.0] kernel BUG at kernel/sched/fair.c:1!
	[    1.0] Oops: 0000 [#1] PREEMPT SMP
	[    1.0] WARNING: possible circular locking dependency detected
	[    1.0] BUG: scheduling while atomic: swapper/0/0/0x00000002
	[    1.0] rcu: INFO: rcu_preempt self-detected stall on CPU
	[    1.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s!
	[    1.0] INFO: task x:1 blocked for more than 122 seconds.
	[    1.0] UBSAN: shift-out-of-bounds in kernel/sched/x.c:1:1
	END
	[ "$(splats < "$DMESG_TMP/bad" | wc -l)" -eq "$(wc -l < "$DMESG_TMP/bad")" ]
}

passes_the_rest()
{
	! printf '%s\n' \
		"[    1.0] WARNING: CPU: 3 PID: 1 at before/the/marker.c:1" \
		"[    1.1] $MARKER" \
		"[    1.2] smpboot: CPU 1 is now offline" \
		"[    1.3] systemd[1]: DEBUG: nothing" \
		"[    1.4] IRQ 24: no longer affine to CPU1" | splats
}

clean()
{
	if ! [ -s "$DMESG_TMP/patterns" ]; then
		ktap_print_msg "no patterns in $SPLATS"
		return 1
	fi
	if ! dmesg > "$DMESG_TMP/log" || ! [ -s "$DMESG_TMP/log" ]; then
		ktap_print_msg "the log cannot be read"
		return 1
	fi
	if ! grep -qF "$MARKER" "$DMESG_TMP/log"; then
		ktap_print_msg "no marker: looking at the whole log"
	fi
	if splats < "$DMESG_TMP/log" > "$DMESG_TMP/splats"; then
		head -n 20 "$DMESG_TMP/splats" | sed 's/^/# /'
		return 1
	fi
	ktap_print_msg "$(since_marker < "$DMESG_TMP/log" | wc -l) lines, all clean"
}

# After its first report lockdep is off, and whatever came later went unseen.
lockdep_watches()
{
	grep -q '^ *debug_locks: *1$' /proc/lockdep_stats
}

# dmesg_clean COLLECTION TMP: four results. TMP is a folder.
dmesg_clean()
{
	MARKER="kselftest: Running tests in $1"
	DMESG_TMP="$2"
	grep -vE '^[[:space:]]*(#|$)' "$SPLATS" > "$DMESG_TMP/patterns"
	ktap_set_plan 4
	ksft_check "the check finds splats" finds_splats
	ksft_check "the check passes the rest" passes_the_rest
	ksft_check "the log is clean" clean
	if [ -r /proc/lockdep_stats ]; then
		ksft_check "lockdep is still watching" lockdep_watches
	else
		ktap_test_skip "lockdep is still watching (kernel without CONFIG_PROVE_LOCKING)"
	fi
}
