#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the congestion control's hook: what it sees of paths that the simulator makes, what
it makes of that, and its protocol.

Needs 'make ccsim lfctl'.
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sim")]

import numpy as np                          # noqa: E402

from pylib.errors import Problem            # noqa: E402
import network as nw                        # noqa: E402
import observe                              # noqa: E402
import records                              # noqa: E402
import refit                                # noqa: E402
import simlib as sl                         # noqa: E402

MODEL = HERE.parent / "models" / "cc.json"
PARAMS = nw.read(str(MODEL))[1]
LOSSES = (0, 0.005, 0.01, 0.02, 0.05, 0.08, 0.1)


def flow(number=1, sent=100000, again=0, rtt_ms=40, above=1.0, mbit=50, flags=()):
    """A connection as `lfctl --json flows` prints it, as far as that is looked at."""
    return {"flow": number, "segments-sent": sent, "segments-resent": again,
            "min-rtt-us": int(1e3 * rtt_ms), "rtt-us": int(1e3 * rtt_ms * above),
            "delivered-rate": int(mbit * 1e6 / 8 / observe.WIRE), "flags": list(flags)}


def played(loss, seed, mbit=50, rtt=0.04):
    """(connection, rows) of a minute in the simulator."""
    s = sl.scenario(1e6 * mbit, rtt, duration=60, loss=loss, seed=seed)
    r, _, rows = sl.run(s, PARAMS, rows=100000)
    return flow(sent=int(r.sent[0]), again=int(r.lost[0]), rtt_ms=1e3 * rtt, mbit=mbit), rows


class Observe(unittest.TestCase):
    def test_loss(self):
        """What TCP sends again is at most 0.75 points above the path's loss: the rest are packets
        that its own queue did not take, most of them in start-up."""
        for loss in LOSSES:
            for seed, (mbit, rtt) in enumerate(((50, 0.04), (10, 0.1), (200, 0.02)), 1):
                one, _ = played(loss, seed, mbit, rtt)
                seen = observe.see([one], {})
                noise = 3 * seen.deviation()
                self.assertGreater(seen.loss, loss - noise)
                self.assertLess(seen.loss, loss + 0.0075 + noise, (loss, mbit))
                self.assertAlmostEqual(seen.rate[1], 1e6 * mbit, delta=1e4 * mbit)

    def test_inputs_do_not_tell_it(self):
        """Mean of `send`, which told the loss to half a point before the law knew of it."""
        means = [float(played(loss, 4)[1][:, 29].mean()) - 1 for loss in (0, 0.02, 0.1)]
        self.assertLess(max(means) - min(means), 0.005, means)

    def test_between_looks(self):
        before = observe.counters([flow(1, 1000, 10), flow(2, 5000, 500)])
        now = [flow(1, 2000, 110), flow(2, 6000, 500), flow(3, 400, 40)]
        self.assertEqual(observe.since(now, before), (2400, 140))
        # a number that goes backwards is another kernel's
        self.assertEqual(observe.since([flow(1, 900, 9)], before), (900, 9))
        self.assertIsNone(observe.see([flow(1, 1400, 20)], before).loss)
        self.assertIsNone(observe.see([], before))

    def test_lateness(self):
        late = observe.see([flow(above=1.8)], {}, [1.0, 1.1, 1.0]).late
        self.assertAlmostEqual(late, 0.8, places=3)
        # a queue is none
        self.assertAlmostEqual(observe.see([flow(above=1.8)], {}, [1.8] * 9).late, 0, places=3)
        self.assertEqual(observe.see([flow(above=90)], {}).late, observe.LATE_MAX)

    def test_swings(self):
        fast = [flow(mbit=100 if (at // 2) % 2 else 20, sent=1000 * at) for at in range(60)]
        seen = observe.see(fast, {})
        self.assertAlmostEqual(seen.swing, 5, delta=0.1)
        self.assertAlmostEqual(seen.swing_s, 2, delta=0.2)
        self.assertEqual((seen.flows, seen.segments), (1, 59000))
        self.assertAlmostEqual(seen.rate[1], 100e6, delta=1e5)
        made = observe.ranges(seen)
        sl.Ranges(made)
        self.assertTrue(made["step_every"][0] < 2 / 0.04 < made["step_every"][1])
        # half a second between two looks
        self.assertAlmostEqual(observe.see(fast, {}, seconds=0.5).swing_s, 1, delta=0.1)
        steady = observe.see([flow(mbit=50 + at % 3) for at in range(60)], {})
        self.assertLess(steady.swing, 1.1)
        self.assertNotIn("step_every", observe.ranges(steady))
        self.assertEqual(observe.see(fast[:5], {}).swing, 1)
        # it fell, and did not swing
        self.assertEqual(observe.see([flow(mbit=50 if at < 30 else 1) for at in range(60)], {}).swing, 1)
        self.assertTrue(observe.has_moved(seen, steady) and observe.has_moved(steady, seen))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "flows"
            path.write_text("\n".join(map(json.dumps, fast)), encoding="utf-8")
            self.assertEqual(observe.read_flows(path), fast)

    def test_ranges(self):
        usual = sl.usual_ranges()
        for one in (flow(), flow(again=5000), flow(again=60000, rtt_ms=2000, mbit=0.02),
                    flow(above=3, rtt_ms=0.05, mbit=40000),
                    flow(flags=["competing"])):
            made = observe.ranges(observe.see([one] * 3, {}))
            sl.Ranges(made)
            self.assertTrue(set(made) <= set(usual))
        made = observe.ranges(observe.see([flow(again=5000)], {}))
        self.assertTrue(made["loss"][0] < 0.05 < made["loss"][1])
        self.assertNotIn("chance_window", made)
        self.assertIn("chance_window", observe.ranges(observe.see([flow(flags=["competing"])], {})))

    def test_moved(self):
        def moved(a, b):
            return observe.has_moved(observe.see([b], {}), observe.see([a], {}))

        base = flow(again=5000)
        self.assertFalse(moved(base, flow(again=5900)))
        for other in (flow(again=8000), flow(again=0), flow(again=5000, rtt_ms=60),
                      flow(again=5000, mbit=10), flow(again=5000, above=1.5),
                      flow(again=5000, flags=["competing"])):
            self.assertTrue(moved(base, other), other)
        # little that was sent tells little
        self.assertFalse(moved(flow(sent=600, again=6), flow(sent=600, again=15)))

    def test_a_fall(self):
        """What a network that yields made of its rate is not taken for the path's."""
        fast, slow = (observe.see([flow(again=5000, mbit=mbit)], {}) for mbit in (50, 1))
        self.assertTrue(observe.has_moved(slow, fast))
        fell = observe.after(slow, fast)
        self.assertAlmostEqual(fell.fell_from, 50e6, delta=1e5)
        made = observe.ranges(fell)["capacity"]
        step = observe.ranges(fell)["step"]
        # one that is down there has to find back
        self.assertTrue(made[0] * step[0] < 1e6 and 50e6 < made[1] * step[1] < 100e6, (made, step))
        for one in (fell, observe.after(observe.see([flow(mbit=1e-4)], {}), fast)):
            sl.Ranges(observe.ranges(one))
        # on its way back, and there: the ranges have it already
        for mbit in (1, 10, 50, 90):
            self.assertFalse(observe.has_moved(observe.see([flow(again=5000, mbit=mbit)], {}), fell))
        for mbit in (0.4, 110):
            self.assertTrue(observe.has_moved(observe.see([flow(again=5000, mbit=mbit)], {}), fell))
        # it stays known as long as it does not rise; another RTT is another path
        again = observe.after(observe.see([flow(again=9000, mbit=1)], {}), fell)
        self.assertEqual(again.fell_from, fell.fell_from)
        self.assertEqual(observe.after(fast, fell).fell_from, 0)
        self.assertEqual(observe.after(observe.see([flow(rtt_ms=90, mbit=1)], {}), fast).fell_from, 0)
        self.assertEqual(observe.after(slow, None), slow)

    def test_refuses(self):
        for bad in ({}, [1], [{"flow": 1}]):
            with self.assertRaises(Problem):
                observe.check_flows(bad)
        # no RTT yet
        self.assertEqual(observe.check_flows([{**flow(), "min-rtt-us": 0}]), [])


class Records(unittest.TestCase):
    HEAD = "batch,kind,flow,seq,version,time_ns,cpu,reward,inflation0,ratio0,send0,action"

    def test_ratios(self):
        lines = [self.HEAD, "1,query,1,1,1,5,0,0,0,65536,65536,3",
                 "1,reward,1,1,1,5,0,7,0,0,0,0", "2,query,1,2,1,6,0,0,0,98304,65536,3",
                 "2,query,1,3,1,7,0,0,0,65"]
        self.assertEqual(records.ratios_of(lines, "x"), [1, 1.5])
        self.assertEqual(records.ratios_of([], "x"), [])
        for bad in (["a,b", "1,2"], [self.HEAD, "1,query,1,1,1,5,0,0,0,x,65536,3"]):
            with self.assertRaises(Problem):
                records.ratios_of(bad, "x")


    def test_history(self):
        kept = mock.Mock(inputs=["inflation0", "ratio0"],
                         queries={"inputs": np.array([[0, 65536], [0, 98304]], dtype="i4")})
        with mock.patch.object(records.liteflow, "history", return_value=kept) as history:
            self.assertEqual(records.newest_ratios({"history": "where"}), [1, 1.5])
            history.assert_called_with("where", last=records.NEWEST)
            kept.inputs = ["a", "b"]
            with self.assertRaises(Problem):
                records.newest_ratios({"history": "where"})
        with tempfile.TemporaryDirectory() as empty, self.assertRaises(Problem):
            records.newest_ratios({"history": empty})


class Protocol(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder, self.out = (pathlib.Path(self.scratch.name) / name for name in ("work", "out"))
        self.folder.mkdir()
        self.out.mkdir()

    def call(self, verb, text, *options):
        return subprocess.run([HERE / "hook", verb, "--threads", "1", "--each", "1", "--plan", "2",
                               *options], input=text, capture_output=True, text=True, check=False,
                              cwd=self.folder)

    def ask(self, verb, **request):
        done = self.call(verb, json.dumps({"app": "cc", "active": {"file": str(MODEL)},
                                           "folder": str(self.out), **request}))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def look(self, *flows):
        path = self.folder / "flows.json"
        path.write_text(json.dumps(flows), encoding="utf-8")
        return self.ask("adapt", flows=str(path))

    def test_a_refit(self):
        # small: what is tested is the protocol
        small = [flow(1, 100000, 5000, rtt_ms=10, mbit=5)]
        self.assertIn("too few segments", self.look(flow(1, 10, 0))["note"])
        self.assertIn("a new path: generation 1 of 2", self.look(*small)["note"])
        # it goes on: what lfd knows of the refit before says nothing of this one
        self.assertIsNone(self.ask("evaluate")["stability"])
        first = refit.stability(refit.Folder(self.folder))
        self.assertTrue(0 < first < 1.5, first)
        again = self.look(flow(1, 200000, 10100, rtt_ms=10, mbit=5))
        self.assertIn("generation 2 of 2", again["note"])
        self.assertGreaterEqual(again["stability"], round(first, 6))
        # the plan is done
        after = self.look(flow(1, 300000, 15000, rtt_ms=10, mbit=5))
        self.assertNotIn("generation", after["note"])
        self.assertEqual(after["stability"], again["stability"])
        frozen = self.out / self.ask("freeze")["model"]
        self.assertEqual(nw.read(str(frozen))[0], "cc")
        # another path begins anew, from a packed model whose text is known
        packed = self.folder / "active.lfm"
        packed.write_bytes(refit.lfctl.pack(frozen.read_text(encoding="utf-8"))[0])
        path = self.folder / "flows.json"
        path.write_text(json.dumps([flow(1, 400000, 16000, rtt_ms=10, mbit=5)]), encoding="utf-8")
        self.assertIn("a new path: generation 1", self.ask("adapt", flows=str(path),
                                                           active={"file": str(packed)})["note"])

    def test_another_rule(self):
        """A network is for one rule: with another one, a refit begins anew, and trains for that."""
        flows = self.folder / "flows.json"
        flows.write_text(json.dumps([flow(1, 100000, 5000, rtt_ms=10, mbit=5)]), encoding="utf-8")
        request = json.dumps({"app": "cc", "active": {"file": str(MODEL)}, "flows": str(flows)})
        for rule, begins in (("pull", True), ("aurora", True), ("aurora", False)):
            done = self.call("adapt", request, "--rule", rule)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("a new path" in done.stdout, begins, done.stdout)
        # what an older version had begun is not gone on with
        (self.folder / "how.json").unlink()
        self.assertIn("a new path", self.call("adapt", request, "--rule", "aurora").stdout)
        text = (self.folder / "refit.json").read_text(encoding="utf-8")
        self.assertIn("For rule=1", json.loads(text)["provenance"])
        known = pathlib.Path(self.scratch.name) / "parameter"
        with mock.patch.object(refit, "OF_MODULE", known):
            self.assertEqual(refit.rule_of_module(), "pull")
            known.write_text("1\n", encoding="ascii")
            self.assertEqual(refit.rule_of_module(), "aurora")
            known.write_text("7\n", encoding="ascii")
            with self.assertRaises(Problem):
                refit.rule_of_module()

    def test_refuses(self):
        flows = self.folder / "flows.json"
        flows.write_text(json.dumps([flow()]), encoding="utf-8")
        ok = {"app": "cc", "flows": str(flows), "active": {"file": str(MODEL)}}
        for verb, text, says in (
                ("adapt", "{", "not JSON"), ("adapt", "[]", "object"),
                ("adapt", json.dumps({**ok, "app": "lb"}), "'lb'"),
                ("adapt", json.dumps({**ok, "verb": "freeze"}), "asked to freeze"),
                ("adapt", json.dumps({**ok, "flows": "nowhere"}), "nowhere"),
                ("adapt", json.dumps({**ok, "rows": "nowhere"}), "nowhere"),
                ("adapt", json.dumps({**ok, "active": {"file": str(flows)}}), "neither JSON"),
                ("adapt", json.dumps({**ok, "active": 5}), "active"),
                ("adapt", json.dumps({**ok, "active": {"digest": 5}}), "active"),
                ("adapt", json.dumps({**ok, "active": {"digest": "00"}}), "put its JSON"),
                ("adapt", json.dumps({"app": "cc", "flows": str(flows)}), "no digest of the active"),
                ("freeze", json.dumps(ok), "nothing to freeze")):
            done = self.call(verb, text)
            self.assertEqual((done.returncode, done.stdout), (1, ""), (text, done.stderr))
            self.assertIn(says, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(self.call("dance", "{}").returncode, 2)

    def test_no_refit_yet(self):
        """lfd calls it again when that is due; it is no failure."""
        self.assertEqual(self.ask("evaluate"), {"stability": None})
        said = self.look(flow(1, 10, 0))
        self.assertIsNone(said["stability"])
        self.assertIsNone(self.look()["stability"])

    def test_the_active_model_by_its_digest(self):
        """lfd has no file of a model that it did not install; what was handed over is known,
        even if training went on since."""
        folder = refit.Folder(self.folder)
        text = MODEL.read_text(encoding="utf-8")
        digest = refit.digest_of(text)
        self.assertEqual(refit.text_of({"digest": digest}, folder), text)
        made = self.folder / "refit.json"
        other = text.replace('"provenance": "', '"provenance": "another, ')
        for number in range(refit.KEPT + 3):
            made.write_text(other.replace("another", f"number {number}"), encoding="utf-8")
            refit.keep(made, folder)
            if not number:
                first = made.read_text(encoding="utf-8")
            # it stays as long as somebody asks for it
            self.assertEqual(refit.text_of({"digest": refit.digest_of(first)}, folder), first)
        made.unlink()
        self.assertEqual(len(list(folder.kept.iterdir())), refit.KEPT)
        packed = self.folder / "active.lfm"
        packed.write_bytes(refit.lfctl.pack(first)[0])
        self.assertEqual(refit.text_of({"file": str(packed), "digest": "x"}, folder), first)

    def test_a_torn_state(self):
        """What a kill left is said, or begun anew; nothing is installed of it."""
        self.look(flow(1, 100000, 5000, rtt_ms=10, mbit=5))
        (self.folder / "seen.json").write_text("{", encoding="utf-8")
        done = self.call("adapt", json.dumps({"app": "cc", "active": {"file": str(MODEL)}, "flows": str(
            self.folder / "flows.json")}))
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn("seen.json", done.stderr)

    def test_stability_is_a_part(self):
        folder = refit.Folder(self.folder)
        self.assertIsNone(refit.stability(folder))
        np.savez(folder.state.with_suffix(".npz"), log=np.array([[0, -0.5], [2, -0.25]]),
                 generation=2)
        folder.state.with_suffix(".npz").rename(folder.state)
        self.assertAlmostEqual(refit.stability(folder), math.exp(-0.25))


if __name__ == "__main__":
    unittest.main()
