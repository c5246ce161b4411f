#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do both judges of a kernel's log find every kind of splat, and nothing else?

They are check-dmesg.sh, for a guest's log, and the kselftests' dmesg_clean.sh,
for the log of the machine that they run on.  Both read one list of patterns.
"""

import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
CHECK = HERE / "check-dmesg.sh"
KSELFTEST = HERE.parent / "selftests" / "kselftest"
LIST = KSELFTEST / "dmesg_splats"
BOOT = "[    0.000000] Linux version 6.12.117 (x@y) #1 SMP PREEMPT"
MARKER = "kselftest: Running tests in liteflow"

# The headline that each kind prints: it has to be found, whatever follows it.
SPLATS = r"""
BUG: kernel NULL pointer dereference, address: 0000000000000000
BUG: unable to handle page fault for address: ffffc90000a4f000
kernel BUG at kernel/sched/fair.c:1!
WARNING: CPU: 1 PID: 22 at kernel/sched/core.c:1 f+0x1/0x2
------------[ cut here ]------------
Oops: 0002 [#1] PREEMPT SMP NOPTI
Oops: int3: 0000 [#1] SMP
Oops: general protection fault, probably for non-canonical address 0xdffffc00: 0000 [#1] SMP
general protection fault, probably for non-canonical address 0xdffffc00: 0000 [#1] SMP
Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010
PANIC: double fault, error_code: 0x0
Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100
Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: f+0x1/0x2
CFI failure at f+0x1/0x2 (target: g+0x0/0x8; expected type: 0x1d2b3c4d)
Call Trace:
Call trace:
BUG: KASAN: slab-use-after-free in f+0x1/0x2
BUG: KASAN: slab-out-of-bounds in f+0x1/0x2
BUG: KFENCE: use-after-free read in f+0x1/0x2
BUG: KMSAN: uninit-value in f+0x1/0x2
BUG: KCSAN: data-race in f / g
UBSAN: array-index-out-of-bounds in kernel/sched/fair.c:1:2
UBSAN: shift-out-of-bounds in ./include/linux/cpumask.h:1:2
ODEBUG: free active (active state 0) object: 00000000f00 object type: timer_list hint: f+0x0/0x8
BUG kmalloc-64 (Not tainted): Right Redzone overwritten
BUG kmalloc-64 (Tainted: G    B             ): Poison overwritten
BUG: Bad page state in process x  pfn:12345
BUG: Bad rss-counter state mm:00000000f00 type:MM_ANONPAGES val:1
list_add corruption. next->prev should be prev (ffff8), but was ffff9. (next=ffffa).
list_add double add: new=ffff8, prev=ffff9, next=ffffa.
list_del corruption, ffff8->next is LIST_POISON1 (dead000000000100)
refcount_t: underflow; use-after-free.
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
kmemleak: Kernel memory leak detector disabled
unreferenced object 0xffff888003a4e000 (size 192):
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585
BUG: scheduling while atomic: swapper/0/0/0x00000002
BUG: using smp_processor_id() in preemptible [00000000] code: x/1
[ BUG: Invalid wait context ]
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: possible irq lock inversion dependency detected
WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
WARNING: inconsistent lock state
WARNING: suspicious RCU usage
WARNING: bad unlock balance detected!
WARNING: lock held when returning to user space!
WARNING: held lock freed!
 *** DEADLOCK ***
INFO: trying to register non-static key.
INFO: lockdep is turned off.
DEBUG_LOCKS_WARN_ON(lock->magic != lock)
BUG: MAX_LOCKDEP_CHAINS too low!
BUG: MAX_STACK_TRACE_ENTRIES too low!
turning off the locking correctness validator.
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu: INFO: rcu_sched detected stalls on CPUs/tasks:
rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... } 21 jiffies s: 53
INFO: rcu_tasks detected stalls on tasks:
rcu: rcu_preempt kthread starved for 5252 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5)
Voluntary context switch within RCU read-side critical section!
INFO: task kworker/0:1:9 blocked for more than 122 seconds.
watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [x:1]
watchdog: Watchdog detected hard LOCKUP on cpu 1
BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 30s!
irq 16: nobody cared (try booting with the "irqpoll" option)
unregister_netdevice: waiting for lo to become free. Usage count = 2
** 512 printk messages dropped **
"""

# What a healthy kernel says, or what is no fault of it.
INNOCENT = r"""
kasan: KernelAddressSanitizer initialized (generic)
kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)
kmemleak: Automatic memory scanning thread started
kmemleak: 0 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
... MAX_LOCK_DEPTH:          48
... MAX_LOCKDEP_CHAINS:      262144
rcu: Preemptible hierarchical RCU implementation.
rcu: 	RCU lockdep checking is enabled.
rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.
Warning: Processor Platform Limit event detected, but not handled.
ACPI BIOS Warning (bug): Optional FADT field Pm2ControlBlock has valid Length but zero Address
debug: DEBUG: nothing
systemd[1]: DEBUG: nothing
traps: python3[123] general protection fault ip:55d0 sp:7ffd error:0 in python3.11[55d0+1000]
x[12]: segfault at 0 ip 0000000000000000 sp 00007ffd error 14 likely on CPU 1
smpboot: CPU 1 is now offline
IRQ 24: no longer affine to CPU1
INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.204 msecs
perf: interrupt took too long (2501 > 2500), lowering kernel.perf_event_max_sample_rate to 79000
clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable
hrtimer: interrupt took 1234567 ns
sched: DL replenish lagged too much
NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.
kselftest: list_test: lists are not corrupted
liteflow: model 3 is active, an overlong list of refusals
virtio_net virtio0: unable to handle offload settings
KTAP version 1
    # Subtest: oops_counter
"""


def lines(text):
    """The samples of a block."""
    return [line for line in text.splitlines() if line]


def portions(some):
    """As many lines at a time as the judges show."""
    return [some[i:i + 20] for i in range(0, len(some), 20)]


def bash(script, *args):
    """Run a script; its status and output."""
    done = subprocess.run(["bash", "-c", script, *map(str, args)], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


class Guest(unittest.TestCase):
    """check-dmesg.sh"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()      # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.tmp = pathlib.Path(folder.name)

    def judge(self, text, *args):
        """The verdict on a log of these lines."""
        log = self.tmp / "log"
        log.write_text("\r\n".join(text) + "\r\n")
        return bash('"$0" "$@"', CHECK, *args, log)

    def file(self, name, text):
        """A file with this text."""
        (self.tmp / name).write_text(text)
        return self.tmp / name

    def test_finds_every_splat(self):
        """One line is enough, alone or behind the number of the caller."""
        self.assertEqual(self.judge([BOOT, lines(SPLATS)[0], "fine"])[0], 1)
        for stamp in "[    2.000000] ", "[    2.000000][   C1] ", "":
            for some in portions(lines(SPLATS)):
                status, said = self.judge([BOOT, *(stamp + line for line in some)])
                self.assertEqual(status, 1)
                for line in some:
                    with self.subTest(line=stamp + line):
                        self.assertIn(":" + stamp + line + "\n", said)

    def test_passes_the_rest(self):
        """All the innocent lines in one log."""
        self.assertEqual(self.judge([BOOT, *("[    1.0] " + line for line in lines(INNOCENT))]),
                         (0, ""))

    def test_allowed(self):
        """A line with a reason is passed, and excuses no other."""
        allow = self.file("allow", "# because: it is a test\nharmless one\n")
        log = [BOOT, "WARNING: a harmless one"]
        self.assertEqual(self.judge(log, "--allow", allow), (0, ""))
        status, said = self.judge([*log, "WARNING: another"], "--allow", allow)
        self.assertEqual(status, 1)
        self.assertNotIn("harmless", said)

    def test_broken_check(self):
        """A check that does not work is not a clean log."""
        log = [BOOT]
        for args in (["--allow", self.file("allow", "\nharmless\n")],
                     ["--deny", self.tmp / "none"],
                     ["--deny", self.file("empty", "# nothing\n")],
                     ["--deny", self.file("bad", "(\n")]):
            with self.subTest(args=args):
                self.assertEqual(self.judge(log, *args)[0], 2)
        self.assertEqual(self.judge(["all is well"])[0], 2, "a log without its beginning")


class Kselftest(unittest.TestCase):
    """dmesg_clean.sh"""

    # DIR, what dmesg says, and what ksft_lib.sh would bring.
    RUN = """
        DIR=$1/x LOG=$2 TMP=$3
        dmesg() { cat "$LOG"; }
        ktap_set_plan() { echo "1..$1"; }
        ktap_print_msg() { echo "# $*"; }
        ktap_test_skip() { echo "ok # SKIP $*"; }
        ksft_check() { local name=$1; shift; "$@" && echo "ok $name" || echo "not ok $name"; }
        . "$0"
        dmesg_clean liteflow "$TMP"
    """

    def judge(self, text, splats=LIST):
        """What it says on this log."""
        with tempfile.TemporaryDirectory() as tmp:
            base = pathlib.Path(tmp)
            (base / "x").mkdir()
            (base / "kselftest").mkdir()
            (base / "work").mkdir()
            if splats:
                (base / "kselftest" / "dmesg_splats").write_text(
                    splats if isinstance(splats, str) else splats.read_text())
            (base / "log").write_text("\n".join(text) + "\n")
            return bash(self.RUN, KSELFTEST / "dmesg_clean.sh", base, base / "log",
                        base / "work")[1]

    def test_finds_every_splat(self):
        """Behind the marker."""
        for some in portions(lines(SPLATS)):
            said = self.judge([BOOT, f"[    1.0] {MARKER}", *("[    2.0] " + line for line in some)])
            self.assertIn("\nnot ok the log is clean", said)
            for line in some:
                with self.subTest(line=line):
                    self.assertIn("[    2.0] " + line + "\n", said)

    def test_passes_the_rest(self):
        """Innocent lines, and splats from before the tests."""
        said = self.judge([BOOT, "[    0.5] " + lines(SPLATS)[0], f"[    1.0] {MARKER}",
                           *("[    1.0] " + line for line in lines(INNOCENT))])
        self.assertIn("\nok the log is clean", said)
        self.assertNotIn("not ok", said)

    def test_broken_check(self):
        """A missing or empty list is not a clean log."""
        for splats in None, "# nothing\n":
            with self.subTest(splats=splats):
                self.assertIn("\nnot ok the log is clean",
                              self.judge([f"[    1.0] {MARKER}"], splats))


class List(unittest.TestCase):
    """The list itself."""

    def test_every_pattern_is_used(self):
        """Each pattern finds at least one of the samples."""
        patterns = [p for p in LIST.read_text().splitlines() if p and not p.startswith("#")]
        self.assertGreater(len(patterns), 30)
        _, unused = bash('for p; do grep -E -q -e "$p" <<< "$0" || echo "unused: $p"; done',
                         SPLATS, *patterns)
        self.assertEqual(unused, "")


if __name__ == "__main__":
    unittest.main()
