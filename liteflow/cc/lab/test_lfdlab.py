#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of lfdlab: its cases, the host's side of lfd, and what it makes of results."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pylib import programs                  # noqa: E402
from pylib.errors import Problem            # noqa: E402
from pylib.paths import BUILD               # noqa: E402
import lfdcases                             # noqa: E402
import lfdhost                              # noqa: E402
import lfdresults                           # noqa: E402
import uml                                  # noqa: E402

lfdlab = programs.load(HERE / "lfdlab")
TRAFFIC = BUILD / "liteflow" / "traffic"


def result(folder, case, variant, levels, installs=(), seconds=120):
    """A run's file: goodput as a level in each third."""
    n = seconds * lfdresults.SAMPLES_PER_S // 3
    kbit = [int(1e3 * level) for level in levels for _ in range(n)]
    cc = variant if variant in ("bbr", "cubic") else "liteflow"
    log = [[when, f"app=cc event=install verdict={verdict} slot=1"]
           for when in installs for verdict in ("failed", "active")]
    log += [[1, f"app=cc event=necessity verdict=unneeded difference_percent={percent}"]
            for percent in (1.25, 0.5)]
    path = folder / f"{case}-{variant}.json"
    path.write_text(json.dumps({
        "case": case, "variant": variant, "seconds": seconds, "log": log, "costs": {},
        "result": {"queue": {"us": [2000] * len(kbit)},
                   "flows": [{"cc": cc, "start": 0, "kbit": kbit}]}}), encoding="utf-8")
    return lfdresults.Result(path)


class Cases(unittest.TestCase):
    def test_traffic_takes_them(self):
        if not TRAFFIC.exists():
            self.skipTest("traffic is not built")
        for case in lfdcases.CASES.values():
            for seconds in (90, 1200):
                args = case.arguments("liteflow", seconds)
                done = subprocess.run([TRAFFIC, *args, "--no-such-option"], capture_output=True,
                                      text=True, check=False)
                # all before it was taken
                self.assertIn("no-such-option", done.stderr, case.name)

    def test_changes(self):
        changes = lfdcases.CASES["swing"].changes(60)
        self.assertEqual(changes[0], (20, 20))
        self.assertIn((40, 100), changes)
        self.assertEqual([at for at, _ in changes], sorted(at for at, _ in changes))
        self.assertEqual(lfdcases.CASES["loss"].changes(60), [])

    def test_flows_come_and_go(self):
        flows = lfdcases.CASES["churn"].flows("liteflow", 120)
        starts = [float(f.split(":")[1]) for f in flows]
        ends = [float(f.split(":")[2]) for f in flows]
        self.assertEqual(max(ends), 120)
        for at in (25.5, 40.5, 60.5, 77.5, 100.5, 119):
            self.assertEqual(sum(a <= at < b for a, b in zip(starts, ends)), 2, at)


HOOK = """#!/bin/sh
read -r request
echo "$request" >request.seen
case $1 in
adapt) echo '{ "stability": 0.5, "note": "x" }' ;;
freeze) echo model >"$(echo "$request" | sed 's/.*"folder": "\\([^"]*\\)".*/\\1/')/best"
	echo '{ "model": "best" }' ;;
*) echo "it will not" >&2; exit 1 ;;
esac
"""


class Host(unittest.TestCase):
    """What crosses the border between User Mode Linux and here."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        hook = self.folder / "hook"
        hook.write_text(HOOK, encoding="utf-8")
        hook.chmod(0o755)
        patched = mock.patch.object(lfdhost, "HOOK", hook)
        patched.start()
        self.addCleanup(patched.stop)
        self.host = lfdhost.Host(self.folder / "talk", self.folder / "work", 4, 2)
        model = self.folder / "model.json"
        model.write_text("{}", encoding="utf-8")
        self.host.begin(model, 60)

    def ask(self, n, verb, active=None):
        request = {"serial": n, "verb": verb, "folder": "/tmp/lfd/out", "history": "/tmp/lfd/history",
                   "active": {"digest": "ab", **(active or {})}}
        (self.host.talk / f"request-{n}").write_text(json.dumps(request), encoding="utf-8")
        return self.host.answer(n)

    def seen(self):
        return json.loads((self.host.work / "request.seen").read_text(encoding="utf-8"))

    def test_adapt(self):
        history = self.folder / "history"
        history.mkdir()
        (history / "00000001.lfh").write_text("x", encoding="utf-8")
        with tarfile.open(self.host.talk / "history-1.tar", "w") as tar:
            tar.add(history, "history")
        (self.host.talk / "flows-1.json").write_text("", encoding="utf-8")
        (self.host.talk / "active-1.lfm").write_text("", encoding="utf-8")
        said = self.ask(1, "adapt", {"file": "/tmp/lfd/state/cc/models/x.lfm"})
        self.assertEqual(said["answer"], {"stability": 0.5, "note": "x"})
        self.assertGreaterEqual(said["cpu_s"], 0)
        seen = self.seen()
        for path in (seen["flows"], seen["active"]["file"],
                     pathlib.Path(seen["history"]) / "00000001.lfh"):
            self.assertTrue(pathlib.Path(path).exists(), path)

    def test_freeze(self):
        said = self.ask(2, "freeze", {"file": "/tmp/lfd/gone"})
        self.assertEqual(said["answer"], {"model": "model.json"})
        self.assertEqual((self.host.talk / "model-2").read_text(encoding="utf-8"), "model\n")
        # nothing of what is only there in User Mode Linux
        self.assertFalse({"history", "flows"} & self.seen().keys())
        self.assertEqual(self.seen()["active"], {"digest": "ab"})

    def test_the_hook_fails(self):
        said = self.ask(3, "evaluate")
        self.assertEqual(said["error"], "it will not")
        self.assertNotIn("answer", said)

    def test_log(self):
        with self.assertRaises(Problem):
            self.host.log()
        (self.host.talk / "log").write_text(
            '0.05 app=cc event=start config="x y"\n61.10 event=install verdict=active note="cut of',
            encoding="utf-8")
        (first, start), (second, install) = self.host.log()
        self.assertEqual((first, second), (0.05, 61.1))
        self.assertEqual(lfdhost.fields(start), {"app": "cc", "event": "start", "config": "x y"})
        self.assertEqual(lfdhost.fields(install)["note"], "cut of")

    def test_lfd_takes_the_configuration(self):
        lfd = BUILD / "liteflow" / "lfd"
        if not lfd.exists():
            self.skipTest("lfd is not built")
        # all but the hook, which is only there in User Mode Linux
        path = self.folder / "cc.json"
        path.write_text(json.dumps(lfdhost.config(30) | {"hook": "/bin/true"}), encoding="utf-8")
        done = subprocess.run([lfd, "--check", path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Pause(unittest.TestCase):
    def test_the_innermost_process_stops(self):
        """As User Mode Linux below a shell and timeout: sleep takes its place."""
        def state(pid):
            text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
            return text.rsplit(")", 1)[1].split()[0]

        def comes(pid, wanted):
            while state(pid) not in wanted:
                time.sleep(0.01)

        sleep = pathlib.Path(shutil.which("sleep"))
        with mock.patch.object(uml, "LINUX", sleep), \
                subprocess.Popen(["bash", "-c", f"timeout 600 {sleep} 600; :"],
                                 stderr=subprocess.DEVNULL) as process:
            pid = None
            while not pid:
                try:
                    pid = uml.main_process(process)
                except OSError:
                    pass
                time.sleep(0.01)
            self.assertNotEqual(pid, process.pid)
            with uml.paused(process):
                comes(pid, "T")
            comes(pid, "SR")
            os.kill(pid, signal.SIGKILL)
        # nothing to stop: that is no error
        with mock.patch.object(uml, "LINUX", sleep), uml.paused(process):
            pass


class Results(unittest.TestCase):
    def test_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            known = {"loss": {
                "refit": result(folder, "loss", "refit", (50, 40, 30), installs=(55, 100)),
                "fixed": result(folder, "loss", "fixed", (50, 20, 20)),
                "reference": result(folder, "loss", "reference", (50, 44, 40))}}
            lines = {name: value for name, value, _ in lfdresults.figures(known)}
            self.assertEqual(lines, {"lfd_recovered_loss": "75.0", "lfd_installs_loss": "2",
                                     "lfd_rollbacks_loss": "0", "lfd_gain_loss": "1.50",
                                     "lfd_recovered": "75.0"})
            one = known["loss"]["refit"]
            self.assertEqual((one.installs(0), one.installs(1), one.installs(2)),
                             ([], [55], [100]))
            self.assertEqual(one.queue_ms(1), 2)
            # the level of the phase is there after what is averaged over
            self.assertEqual(one.recovered_s(1, 39), 0)
            self.assertIsNone(one.recovered_s(1, 41))
            lfdresults.write(folder / "docs", known, "words")
            rows = (folder / "docs" / "loss.csv").read_text(encoding="utf-8").splitlines()
            self.assertEqual((len(rows), rows[0].split(",")[:2], rows[1].split(",")[:2]),
                             (13, ["seconds", "refit_mbit"], ["0", "50.00"]))
            self.assertIn("75.0 percent", (folder / "docs" / "report.md").read_text(encoding="utf-8"))
            self.assertTrue((folder / "docs" / "loss.png").exists())
            self.assertEqual(len((folder / "docs" / "loss.log").read_text(
                encoding="utf-8").splitlines()), 6)
            self.assertIn("0 adaptations, 2 comparisons with the active model (answers differ by "
                          "0.5 to 1.2 % of the span), 2 installs, 0 rollbacks",
                          "\n".join(lfdresults.story(one)))

    def test_an_hour_unchanged(self):
        with tempfile.TemporaryDirectory() as folder:
            known = {"idle": {"refit": result(pathlib.Path(folder), "idle", "refit", (1, 1, 1))}}
            self.assertEqual(lfdresults.figures(known), [("lfd_idle_installs", "0", "installs")])

    def test_others_of_a_case_like_it(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for case, variant in (("loss", "bbr"), ("loss", "fixed"), ("unknown", "refit")):
                result(folder, case, variant, (1, 1, 1))
            known = lfdresults.load(folder, ["unknown"], lfdlab.VARIANTS)
            self.assertEqual(sorted(known["unknown"]), ["bbr", "refit"])
            (folder / "unknown-refit.json").unlink()
            self.assertEqual(lfdresults.load(folder, ["unknown"], lfdlab.VARIANTS), {"unknown": {}})


if __name__ == "__main__":
    unittest.main()
