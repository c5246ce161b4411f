#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of qemu/start.sh: arguments, streams, statuses, last lines, leftovers.

Without a kernel only what needs no guest runs, against a program that plays
QEMU.  With one (--kernel, or the default image) some fifteen guests are booted.
The status is 0, 1 when a test failed, 4 when the guests were left out.
"""

import argparse
import fcntl
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from pylib.paths import BUILD, ROOT

START = ROOT / "qemu" / "start.sh"
ODD = ["a  b", "", '"; uname -n; "', "it's", "$HOME `id`", '"\\', "tab\there", "new\nline",
       "--", "*", "-n", "é€", b"\xff\x01", "x" * 3000, "trailing\n"]

# Plays QEMU: finds the files of the character devices in its arguments, and does there what FAKE
# tells.  Notes its process.
FAKE_QEMU = r"""#!/usr/bin/python3
import os, signal, sys, time
if sys.argv[1:] == ["--version"]:
    print("QEMU emulator version 7.2.0")
    sys.exit()
here = os.path.dirname(os.path.abspath(sys.argv[0]))
files = {}
for arg in sys.argv:
    if arg.startswith("file,id="):
        name, path = arg[len("file,id="):].split(",path=", 1)
        files[name] = path.replace(",,", ",")
def put(name, text):
    with open(files[name], "a") as out:
        out.write(text)
with open(os.path.join(here, "pid"), "w") as out:
    out.write(str(os.getpid()))
with open(os.path.join(here, "argv"), "w") as out:
    out.write("\0".join(sys.argv))
put("log", "Linux version 6.12.117 (x@y)\r\n[    1.0] the last\x1b[0m word\r\n")
exec(os.environ.get("FAKE", ""))
"""
SUCCEED = "put('status', 'ready\\nexit 0\\n')"


class Launcher(unittest.TestCase):
    """A folder for each test, and runs of the launcher in it."""

    kernel = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()      # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.tmp = pathlib.Path(folder.name).resolve()
        self.env = {**os.environ, "TMPDIR": str(self.tmp / "run"), "BUILD": str(self.tmp / "build")}
        for name in "QEMU", "KVM_DEVICE", "FAKE":
            self.env.pop(name, None)
        (self.tmp / "run").mkdir()
        (self.tmp / "build").mkdir()

    def fake(self, code=SUCCEED):
        """QEMU is played by this code; the kernel is a head with the boot protocol's mark."""
        qemu = self.tmp / "qemu"
        qemu.write_text(FAKE_QEMU)
        qemu.chmod(0o755)
        head = bytearray(1024)
        head[0x202:0x206] = b"HdrS"
        head[0x238:0x23c] = struct.pack("<I", 2047)
        self.kernel = self.tmp / "kernel"
        self.kernel.write_bytes(head)
        self.env.update(QEMU=str(qemu), FAKE=code)

    def command(self, *args):
        """The launcher's command line."""
        return [START, "--accel", "tcg", "--kernel", self.kernel, *args]

    def start(self, *args, **options):
        """Runs it: status, stdout and stderr, both bytes, and the last line."""
        options = {"stdin": subprocess.DEVNULL, "cwd": self.tmp, "env": self.env, **options}
        begin = time.monotonic()
        done = subprocess.run(self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, timeout=300, **options)
        self.seconds = time.monotonic() - begin     # pylint: disable=attribute-defined-outside-init
        done.last = done.stderr.decode(errors="replace").rstrip("\n").split("\n")[-1]
        return done

    def check(self, done, status, last):
        """This status, this last line, nothing left in the temporary folder."""
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace")[-3000:])
        self.assertRegex(done.last, "^start.sh: " + last)
        self.assertEqual(self.left(), [])

    def left(self):
        """What the launcher left behind, after a moment for those who tidy up."""
        for _ in range(600):
            if not os.listdir(self.tmp / "run"):
                break
            time.sleep(0.1)
        return os.listdir(self.tmp / "run")

    def popen(self, *args, **options):
        """In the background; waits until the played QEMU is there."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "cwd": self.tmp, "env": self.env, **options}
        # a test may have been started with these ignored, as by nohup
        proc = subprocess.Popen(["env", "--default-signal=INT,HUP", *self.command(*args)],
                                **options)
        for _ in range(600):
            if (self.tmp / "pid").exists() and (self.tmp / "pid").read_text():
                break
            time.sleep(0.1)
        return proc, int((self.tmp / "pid").read_text())

    def gone(self, pid):
        """The process ends before long."""
        for _ in range(600):
            if not os.path.exists(f"/proc/{pid}"):
                return True
            time.sleep(0.1)
        return False


class Usage(Launcher):
    """What is refused, and what is only printed."""

    def setUp(self):
        super().setUp()
        self.fake()

    def test_relative_build(self):
        """It counts from the repository, not from the current folder."""
        self.env["BUILD"] = "none"
        self.check(self.start("--kernel", "", "--", "true"), 125,
                   f"error: no kernel at {ROOT}/none/kernel/")

    def test_refused(self):
        """Each with 125 and a reason."""
        for args, reason in (
                (["--no-such-option"], "unknown option: --no-such-option"),
                (["--kernel", self.tmp / "none", "--", "true"], "no kernel at "),
                (["--kernel", "/dev/null/x", "--", "true"], "no kernel at "),
                (["--kernel", START, "--", "true"], ".* is no x86 bzImage"),
                (["--"], "no command after --"), (["true"], "unexpected 'true'"),
                ([], "a shell needs a terminal"), (["--smp=7"], "--smp 7"), (["--smp=x"], "--smp"),
                (["--nodes=0"], "--nodes"), (["--mem=12"], "--mem"), (["--mem=4Q"], "--mem"),
                (["--accel=xen"], "--accel"), (["--timeout=-1"], "--timeout"),
                (["--gdb=0"], "--gdb"), (["--share=/nonexistent"], "--share"),
                (["--share=/tmp:relative"], "--share"), (["--tap=a,b"], "--tap takes"),
                (["--tap=" + "x" * 16], "--tap takes"), (["--tap=t"] * 9, "--tap: at most 8"), (["--net=1"], "unknown option"),
                (["--smp"], "--smp needs a value"), (["--stdin"], "--stdin is for a command"),
                (["--append", "x" * 2048, "--", "true"], "the kernel's command line has 2[0-9]{3} "
                                                         "bytes, this kernel takes 2047"),
                (["--", "echo", *["x" * 100000] * 20], "the command has 20[0-9]* bytes")):
            with self.subTest(args=[str(arg)[:40] for arg in args]):
                self.check(self.start(*args), 125, "error: " + reason)

    def test_no_qemu(self):
        """QEMU is not there, or does not start."""
        self.env["QEMU"] = str(self.tmp / "no-qemu")
        self.check(self.start("--", "true"), 125, "error: .*/no-qemu is missing")
        self.fake("os.truncate(files['log'], 0); print('bad option', file=sys.stderr); sys.exit(1)")
        done = self.start("--", "true")
        self.check(done, 125, "error: QEMU did not start the guest")
        self.assertIn(b"bad option", done.stderr)

    def test_longest_command_line(self):
        """One byte less than too long goes through whole."""
        done = self.start("--append", "x" * 2048, "--", "true")
        over = int(re.search(r"has (\d+) bytes", done.last)[1]) - 2047
        self.check(self.start("--append", "x" * (2048 - over), "--", "true"), 0, "the command succ")
        argv = (self.tmp / "argv").read_text().split("\0")
        self.assertEqual(len(argv[argv.index("-append") + 1]), 2047)

    def test_help(self):
        """On stdout, and nothing else."""
        done = self.start("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout.startswith(b"Usage: "))

    def test_dry_run(self):
        """Prints the command for a shell, and leaves nothing."""
        done = self.start("--nodes", "4", "--smp", "8", "--mem", "1G", "--dry-run", "--", "true")
        self.check(done, 0, "dry run: nothing was started")
        words = shlex.split(done.stdout.decode())
        self.assertEqual(words[0], self.env["QEMU"])
        self.assertIn("8,sockets=4,cores=2,threads=1", words)
        self.assertIn("dist,src=2,dst=3,val=20", words)
        self.assertEqual(words[words.index("-kernel") + 1], str(self.kernel))
        self.assertEqual(os.listdir(self.tmp / "build"), [])

    def test_tap(self):
        """A card with queues and a hash for each."""
        done = self.start("--tap", "t0", "--tap", "t1", "--dry-run", "--", "true")
        self.check(done, 0, "dry run: nothing was started")
        words = shlex.split(done.stdout.decode())
        for i in range(2):
            self.assertIn(f"tap,id=tap{i},ifname=t{i},script=no,downscript=no,queues=4,vhost=off",
                          words)
            card = [w for w in words if w.startswith(f"virtio-net-pci,netdev=tap{i},")]
            self.assertRegex(card[0], f"mac=52:54:00:00:01:0{i},.*,rss=on,hash=on,")


class Played(Launcher):
    """What the launcher makes of the guest's end, with QEMU played."""

    def test_streams(self):
        """No terminal; stdin, stdout or stderr closed, alone or together."""
        self.fake("put('out', 'out\\n'); put('err', 'err\\n');" + SUCCEED)
        for closed in "<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", "</dev/null", "|cat":
            with self.subTest(closed=closed):
                script = f"setsid --wait {shlex.join(map(str, self.command('--', 'true')))} {closed}"
                done = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=self.env,
                                      cwd=self.tmp, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      timeout=60, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, b"" if " >&-" in " " + closed else b"out\n")
                self.assertEqual("2>&-" not in closed, b"\nerr\n" in done.stderr)
                self.assertEqual(self.left(), [])

    def test_nobody_reads(self):
        """A reader that goes away ends the guest."""
        self.fake("put('status', 'ready\\n')\n"
                  "while True:\n put('out', 'line\\n' * 5000); time.sleep(0.1)")
        script = shlex.join(map(str, self.command("--", "true"))) + ' | head -n 1; echo "${PIPESTATUS[0]}"'
        done = subprocess.run(["bash", "-c", script], env=self.env, cwd=self.tmp, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        self.assertEqual(done.stdout, "line\n125\n")
        self.assertIn("start.sh: error: nobody reads the output any more", done.stderr)
        self.assertTrue(self.gone((self.tmp / "pid").read_text()))
        self.assertEqual(self.left(), [])

    def test_stdin(self):
        """It is left alone, or it is what COMMAND will read."""
        # self.fake's code keeps what the job file says of it
        self.fake("run = os.path.dirname(files['status'])\n"
                  "job = open(run + '/job').read()\n"
                  "put('out', open(run + '/stdin').read() if '/stdin' in job else 'empty')\n"
                  + SUCCEED)
        script = shlex.join(map(str, self.command("--", "true"))) + "; cat"
        done = subprocess.run(["bash", "-c", script], env=self.env, cwd=self.tmp, input=b"hello\n",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.stdout, b"emptyhello\n")
        done = self.start("--stdin", "--", "true", stdin=None, input=b"hello\0\n")
        self.check(done, 0, "the command succeeded")
        self.assertEqual(done.stdout, b"hello\0\n")

    def test_halted_panic(self):
        """A panic that does not restart, as one before "panic=" is read."""
        self.fake("put('log', '[    2.0] Kernel panic - not syncing: early\\r\\n')\ntime.sleep(1000)")
        done = self.start("--", "true")
        self.check(done, 255, "the guest died: Kernel panic - not syncing: early .before the comm")
        self.assertLess(self.seconds, 60)
        self.assertIn(b"\n  [    2.0] Kernel panic", done.stderr)
        self.assertTrue(self.gone((self.tmp / "pid").read_text()))

    def test_reset(self):
        """A guest that ends without a word: its last ones are shown, without escapes."""
        self.fake("put('status', 'ready\\n')")
        done = self.start("--", "true")
        self.check(done, 255, "the guest died: it ended without reporting a status")
        self.assertIn(b"\n  [    1.0] the last[0m word\n", done.stderr)

    def test_killed_qemu(self):
        """kill -9 from outside."""
        self.fake("time.sleep(1000)")
        proc, pid = self.popen("--timeout", "60", "--", "true")
        os.kill(pid, signal.SIGKILL)
        _, err = proc.communicate(timeout=60)
        self.assertEqual(proc.returncode, 255)
        self.assertIn(b"start.sh: the guest died: QEMU was killed by SIGKILL", err)
        self.assertEqual(self.left(), [])

    def test_signals(self):
        """To the launcher: no QEMU and no folder is left."""
        self.fake("time.sleep(1000)")
        for sig, status, last in ((signal.SIGTERM, 143, "interrupted by SIGTERM"),
                                  (signal.SIGINT, 130, "interrupted by SIGINT"),
                                  (signal.SIGHUP, 129, "interrupted by SIGHUP"),
                                  (signal.SIGKILL, -9, "")):
            with self.subTest(sig=sig):
                (self.tmp / "pid").unlink(missing_ok=True)
                proc, pid = self.popen("--", "true")
                proc.send_signal(sig)
                _, err = proc.communicate(timeout=60)
                self.assertEqual(proc.returncode, status)
                self.assertIn(last, err.decode())
                self.assertTrue(self.gone(pid))
                self.assertEqual(self.left(), [])

    def test_timeout(self):
        """124, in time, also where QEMU does not listen."""
        self.fake("signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)")
        self.check(self.start("--timeout", "2", "--", "true"), 124, "timeout: .*after 2 s")
        self.assertLess(self.seconds, 60)

    def test_statuses(self):
        """COMMAND's own, 254 for a splat, and the last line tells them from the launcher's."""
        for status, log, want, last in (
                (0, "fine", 0, "the command succeeded"),
                (124, "fine", 124, "the command ended with status 124"),
                (0, "BUG: test", 254, "the command succeeded, but the kernel log has a splat"),
                (3, "WARNING: test", 3, "the command ended with status 3")):
            with self.subTest(status=status, log=log):
                self.fake(f"put('log', '[    2.0] {log}\\r\\n');"
                          f"put('status', 'ready\\nexit {status}\\n')")
                done = self.start("--", "true")
                self.check(done, want, last)
                self.assertEqual(b"not clean" in done.stderr, (status, log[:4]) == (3, "WARN"))
        done = self.start("--no-dmesg-check", "--", "true")
        self.check(done, 3, "the command ended with status 3")

    def test_odd_places(self):
        """Working directory, log and share with spaces, quotes, commas, newlines."""
        self.fake()
        odd = self.tmp / "a b'\"\n,c"
        odd.mkdir()
        self.check(self.start("--log", odd / "k,l", "--share", f"{odd}:/mnt/x", "--", "true",
                              cwd=odd), 0, "the command succeeded")
        self.assertIn("Linux version", (odd / "k,l").read_text())
        self.check(self.start("--share", odd, "--", "true"), 125, "error: --share: the guest's path")


class Accelerator(Launcher):
    """Which accelerator is taken, with KVM played: a real one would depend on the host."""

    def taken(self):
        """What the launcher says of it."""
        done = self.start("--accel", "auto", "--", "true")
        return done.stderr.decode().split("\n", maxsplit=1)[0]

    def test_auto(self):
        """Asked once for a kernel, and once for all where nothing runs."""
        works, boots = self.tmp / "kvm-works", self.tmp / "boots"
        self.fake(f"open({str(boots)!r}, 'a').write('x')\n"
                  f"kvm = 'kvm' in sys.argv\n"
                  f"if kvm and not os.path.exists({str(works)!r}):\n"
                  "  os.truncate(files['log'], 0); sys.exit(1)\n" + SUCCEED)
        (self.tmp / "kvm").touch()
        self.env["KVM_DEVICE"] = str(self.tmp / "kvm")
        self.assertRegex(self.taken(), "^start.sh: tcg.*does not boot this kernel here, shown by a")
        self.assertRegex(self.taken(), "^start.sh: tcg.*known from an earlier boot")
        self.assertEqual(boots.read_text(), "xxx")
        self.kernel.write_bytes(self.kernel.read_bytes() + b"\n")
        self.assertRegex(self.taken(), "^start.sh: tcg.*known from an earlier boot")
        self.assertEqual(boots.read_text(), "xxxx")
        (self.tmp / "build" / "qemu-accel.cache").unlink()
        works.touch()
        self.assertRegex(self.taken(), r"^start.sh: kvm \(shown by a boot")
        self.env["KVM_DEVICE"] = str(self.tmp / "none")
        self.assertRegex(self.taken(), "^start.sh: tcg.*no usable ")


class Guest(Launcher):
    """In a real guest."""

    def setUp(self):
        super().setUp()
        if not self.kernel:
            self.skipTest("no kernel")

    def guest(self, *args, **options):
        """A run with a limit, and no more CPUs than it needs."""
        return self.start("--smp", "2", "--timeout", "240", *args, **options)

    def test_bytes(self):
        """Arguments, directory, streams, share and status in one boot."""
        odd = self.tmp / "a b'\"\n$c"
        odd.mkdir()
        tool = odd / "the tool"
        tool.write_text("""#!/bin/bash
            printf '%s\\0' "$PWD" "$@"
            cat
            echo to stderr >&2
            echo reopened > /dev/stderr
            cp /proc/sys/kernel/hostname /mnt/share/name
            touch "$PWD/in the overlay only"
            seq 300000
            exit 22
        """)
        tool.chmod(0o755)
        done = self.guest("--share", f"{odd}:/mnt/share", "--stdin", "--", tool, *ODD, cwd=odd,
                          stdin=None, input=b"hello\0\n")
        self.check(done, 22, "the command ended with status 22")
        want = b"".join(os.fsencode(word) + b"\0" for word in [odd, *ODD]) + b"hello\0\n"
        want += b"".join(b"%d\n" % i for i in range(1, 300001))
        self.assertTrue(done.stdout == want, done.stdout[:4000])
        err = [line for line in done.stderr.decode().split("\n") if not line.startswith("start.sh")]
        self.assertEqual(err, ["to stderr", "reopened", ""])
        self.assertEqual((odd / "name").read_text(), "jc-guest\n")
        self.assertFalse((odd / "in the overlay only").exists())

    def test_no_program(self):
        """127 for what is not there, and nothing of it runs on the host."""
        self.check(self.guest("--", f"/nonexistent; touch {self.tmp}/host"), 127,
                   "the command ended with status 127")
        self.assertFalse((self.tmp / "host").exists())

    def test_both_at_once(self):
        """Two from one directory: 137 of a killed command, and one left in the background."""
        scripts = ["echo 1; kill -9 $$", "(trap '' TERM; while :; do sleep 1; done) & echo 2"]
        procs = [subprocess.Popen(self.command("--smp", "2", "--timeout", "240", "--", "bash",
                                               "-c", script),
                                  cwd=self.tmp, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                 for script in scripts]
        said = [proc.communicate(timeout=300)[0] for proc in procs]
        self.assertEqual([proc.returncode for proc in procs], [137, 0])
        self.assertEqual(said, [b"1\n", b"2\n"])
        self.assertEqual(len(os.listdir(self.tmp / "build" / "logs")), 2)
        self.assertEqual(self.left(), [])

    def test_panics(self):
        """Before init and after it: the cause in the last line, in time."""
        for args, cause in (
                (["--append", "init=/nope", "--", "true"], "Kernel panic - not syncing: "),
                (["--append", "root=nowhere rootfstype=ext4", "--", "true"],
                 "Kernel panic - not syncing: VFS: Unable to mount root fs"),
                (["--append", "panic_on_oops=1", "--", "sh", "-c",
                  "echo before; sleep 1; echo c > /proc/sysrq-trigger; sleep 1000"],
                 "Kernel panic - not syncing: sysrq triggered crash")):
            with self.subTest(cause=cause):
                done = self.guest(*args)
                self.check(done, 255, "the guest died: " + cause)
                self.assertIn(b"\nstart.sh: the guest's last messages:\n", done.stderr)
        self.assertEqual(done.stdout, b"before\n")      # pylint: disable=undefined-loop-variable

    def test_little_memory(self):
        """64 CPUs with 256M: it runs, or says why it does not."""
        done = self.guest("--smp", "64", "--mem", "256M", "--", "true")
        self.assertIn(done.returncode, (0, 255))
        self.check(done, done.returncode, "the command succeeded|the guest died: ")

    def test_splat(self):
        """However quiet the guest makes its console."""
        done = self.guest("--append", "quiet", "--", "bash", "-c",
                          'dmesg -n 1; echo "BUG: test" > /dev/kmsg')
        self.check(done, 254, "the command succeeded, but the kernel log has a splat")

    def test_topology(self):
        """Nodes, processors, threads and distances are as asked."""
        done = self.guest("--nodes", "2", "--smp", "4", "--threads", "2", "--mem", "1G", "--",
                          "bash", "-c", "cat /sys/devices/system/node/node*/{cpulist,distance} "
                          "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
        self.check(done, 0, "the command succeeded")
        self.assertEqual(done.stdout, b"0-1\n2-3\n10 20\n20 10\n0-1\n")

    def test_shell(self):
        """The terminal's size, job control, Ctrl-C, the shell's status."""
        steps = [(b"# ", b"stty size; tty; echo $((6*7))x\r"), (b"42x", b"sleep 500\r"),
                 (b"sleep 500", b"\x03"), (b"^C", b"echo after $?\r"), (b"after 130", b"exit 9\r")]
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.tmp)
            os.execve(START, list(map(str, self.command("--smp", "2", "--timeout", "240"))), self.env)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
        said, seen, end = b"", b"", time.monotonic() + 240
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:                 # the other side is closed
                break
            said, seen = said + data, seen + data
            if steps and steps[0][0] in seen:
                time.sleep(0.5)
                os.write(terminal, steps.pop(0)[1])
                seen = b""
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        self.assertEqual(status, 9, said)
        for part in b"33 111", b"hvc0", b"after 130":
            self.assertIn(part, said)


def main():
    """Command line: --kernel, and what unittest knows."""
    top = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--kernel", type=pathlib.Path, help="default: kernel/arch/x86/boot/bzImage "
                     "below $BUILD, if it is there")
    args, rest = top.parse_known_args()
    kernel = args.kernel or BUILD / "kernel" / "arch" / "x86" / "boot" / "bzImage"
    if args.kernel and not kernel.is_file():
        sys.exit(f"test_launcher.py: no kernel at {kernel}")
    Guest.kernel = kernel.resolve() if kernel.is_file() else None
    run = unittest.main(argv=[sys.argv[0], *rest], exit=False, verbosity=2)
    if not run.result.wasSuccessful():
        sys.exit(1)
    if run.result.skipped:
        print(f"no kernel at {kernel}: the tests in a guest were left out", flush=True)
        sys.exit(4)


if __name__ == "__main__":
    main()
