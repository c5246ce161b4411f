#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the laboratory.

Without options: scenarios, figures and the cache of results. --uml: is the emulated path
what the theory says (scripts/uml.sh --lab must have been built)?
"""
import argparse
import collections
import contextlib
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import numpy as np

from pylib import paths, programs
from pylib.errors import Problem
import figures
import lines as last_lines
import scenarios
import tables
import uml

HERE = pathlib.Path(__file__).resolve().parent
WIRE = 1448 / 1514
UML = False
cclab = programs.load(HERE / "cclab")
draw_sealed = programs.load(HERE / "draw-sealed")
ablation = programs.load(HERE / "ablation")
sockets = programs.load(HERE / "sockets")


class LabTest(unittest.TestCase):
    """A test goes on after a check that failed, so that a run of minutes shows all."""

    def check(self, what, ok, seen=""):
        with self.subTest(what):
            self.assertTrue(ok, f"{what}{f' ({seen})' if seen != '' else ''}")

    def close(self, what, seen, wanted, room):
        self.check(what, abs(seen - wanted) <= room, f"{seen:.5g}, theory {wanted:.5g}")


# -- scenarios -------------------------------------------------------------------

def refused(text):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        try:
            scenarios.load(pathlib.Path(file.name))
        except scenarios.ScenarioError as error:
            return str(error)
    return ""


class Scenarios(LabTest):
    def test_scenarios(self):
        runs = scenarios.load()
        names = [run.name for run in runs]
        self.check("names are unique", len(set(names)) == len(names))
        by_name = {run.name: run for run in runs}
        cell = by_name["cell-bbr-mbit50-rtt40-bdp0.5-s2"]
        self.check("a buffer is a part of the BDP", cell.buffer == 125000, cell.buffer)
        self.check("a buffer has 8 packets", by_name["cell-bbr-mbit2-rtt10-bdp0.5-s1"].buffer == 12112)
        self.check("the same buffer runs once", "cell-bbr-mbit2-rtt10-bdp1-s1" not in by_name)
        step = by_name["step5-cubic-rtt40-s1"]
        self.check("a step's buffer is of the higher capacity", step.buffer == 500000, step.buffer)
        fair = by_name["fair-flows3-s1"]
        self.check("flows start 5 s apart", [round(at) for _, at in fair.starts()] == [0, 5, 10])
        self.check("and run on after the last one's start", fair.seconds() == 50, fair.seconds())
        self.check("a seed moves starts", fair.starts() != by_name["fair-flows3-s2"].starts())
        beside = by_name["beside-cubic-rival-bdp1-s1"]
        self.check("who starts first", [cc for cc, _ in beside.starts()] == ["cubic", "liteflow"])
        agent = by_name["user-agent-interval10-mbit50-rtt40-remote-each-s1"] \
            if "user-agent-interval10-mbit50-rtt40-remote-each-s1" in by_name else None
        agent = agent or next(run for run in runs if run["cc"] == "remote-each")
        self.check("an agent's flow is liteflow's", agent.cc == "liteflow" and
              f"each:{agent['interval']}" in agent.arguments())
        prefers = by_name["prefer-prefer1_8_1-mbit50-rtt20-bdp2-s1"].arguments()
        self.check("preferences are the flows'", prefers[prefers.index("--prefer") + 1] == "1:8:1")
        noisy = by_name["noise-jitter-jitter2-liteflow-s1"].arguments()
        self.check("noise is the path's", noisy[noisy.index("--jitter") + 1] == "2", noisy)
        self.check("and only where there is some", not any(
            f"--{name}" in step.arguments() for name in scenarios.NOISE))
        prefers = by_name["prefers-prefer8_1_1+1_8_1-s1"].arguments()
        self.check("or one's each", prefers[prefers.index("--prefer") + 1] == "8:1:1/1:8:1")
        self.check("a set before a part is refused", "before" in refused("a figure=cells\n"))
        self.check("a word without = is refused", "KEY=VALUE" in refused("[full]\na figure\n"))
        self.check("an incomplete set is refused", "lacks" in refused("[full]\na figure=cells\n"))
        self.check("a capacity of two parts is refused", "mbit=1:2" in refused(
            "[full]\na figure=cells cc=bbr mbit=1:2 rtt=1 bdp=1 seconds=1 seeds=1\n"))


SET = "[full]\na figure=external cc=bbr mbit=50 rtt=40 seconds=30 seeds=1 "


def one_run(words):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(SET + words)
        file.flush()
        return scenarios.load(pathlib.Path(file.name))[0]


class Elements(LabTest):
    """What a path has beside capacity, round trip and buffer."""

    def test_buffer(self):
        self.check("in packets", one_run("packets=14").buffer == 14 * 1514)
        self.check("fewer than 8 as well", one_run("packets=2").buffer == 2 * 1514)
        for words in ("", "bdp=1 packets=14"):
            self.check(f"'{words}' is refused", "bdp or packets" in refused(SET + words))

    def test_options(self):
        for words in ("arrivals=poisson", "stall=100:5", "rtts=40:80", "back=0.5",
                      "reverse=cubic"):
            name, _, value = words.partition("=")
            args = one_run(f"bdp=1 {words}").arguments()
            self.check(words, args[args.index(f"--{name}") + 1] == value, args)
        self.check("a flow on the way back is of the run",
                   one_run("bdp=1 reverse=cubic").ccs == {"bbr", "cubic"})
        self.check("cc=every", set(scenarios.EVERY) == {
            run["cc"] for run in scenarios.load(scenarios.EXTERNAL) if run.set == "pantheon-1"})

    def test_another_way(self):
        run = one_run("bdp=1 reroute=80:10")
        self.check("to and fro", run.changes() == [(0, 50, 40), (10, 50, 80), (20, 50, 40)],
                   run.changes())
        args = run.arguments()
        self.check("what changes later", args.count("--change") == 2 and
                   "10.000:50.000:80.000" in args, args)
        for words in ("reroute=80", "reroute=80:x", "redraw=10:50-100:100-5", "redraw=10:50:5",
                      "reroute=80:0"):
            self.check(f"{words} is refused", f"{words} is not" in refused(f"{SET}bdp=1 {words}\n"),
                       refused(f"{SET}bdp=1 {words}\n"))
        self.check("beside steps it is refused", "beside" in refused(
            f"{SET}bdp=1 reroute=80:10\n".replace("mbit=50", "mbit=50:10:5")))

    def test_redraw(self):
        runs = [run for run in scenarios.load(scenarios.EXTERNAL) if run.set == "redraw"]
        drawn = {(run["cc"], run.seed): run.changes() for run in runs}
        self.check("one each 10 s", [at for at, _, _ in drawn["bbr", 1]] == [0, 10, 20, 30, 40, 50])
        self.check("in their ranges", all(50 <= mbit <= 100 and 5 <= rtt <= 100 for changes in
                                          drawn.values() for _, mbit, rtt in changes))
        self.check("the same for all", drawn["bbr", 1] == drawn["liteflow", 1])
        self.check("another seed, other ones", drawn["bbr", 1] != drawn["bbr", 2])

    def test_traces(self):
        run = one_run("packets=50 trace=none.down")
        self.check("where it is makes no other run", "none.down" in run.arguments())
        self.check("but it has to be found", "/there/none.down" in
                   run.arguments(pathlib.Path("/there")))
        self.check("what is not there is left out", not list(cclab.drop_absent([run])))
        self.check("and nothing else", list(cclab.drop_absent([one_run("bdp=1")])))
        known = {"kernel": "k", "lab": "l", "trace none.down": "1", "trace other": "2"}
        key = cclab.key_of(run, known)
        self.check("what is in it counts", key != cclab.key_of(run, {**known, "trace none.down": "3"}))
        self.check("another does not", key == cclab.key_of(run, {**known, "trace other": "3"}))

    def test_sealed(self):
        text = draw_sealed.text(1, 10)
        self.check("a seed draws the same", text == draw_sealed.text(1, 10))
        self.check("another one does not", text != draw_sealed.text(2, 10))
        for seed in range(20):
            self.check(f"seed {seed} can be run", not refused(draw_sealed.text(seed, 10)),
                       refused(draw_sealed.text(seed, 10)))


class Options(unittest.TestCase):
    """What `traffic` refuses, before it touches any network."""

    @unittest.skipUnless(uml.TRAFFIC.exists(), "traffic is not built")
    def test_refused(self):
        base = ["--capacity", "50", "--rtt", "40", "--buffer", "100000", "--time", "1"]
        for words, said in (("--stall 100", "MS:S"), ("--stall 6000:5", "MS:S"),
                            ("--arrivals odd", "poisson"), ("--change 1:50", "S:MBIT:MS"),
                            ("--change 2:50:40 --change 1:50:40", "order"),
                            ("--rtts 10:40", "least"), ("--rtts 40:x", "x"),
                            ("--trace x --arrivals poisson", "trace"),
                            ("--stall 1:1 --change 1:50:40", "change"),
                            ("--prefer 8:1", "three"), ("--prefer 8:1:1/1", "three"),
                            ("--capacity 50:10", "MBIT")):
            with self.subTest(words):
                done = subprocess.run([uml.TRAFFIC, *base, *words.split(), "bbr:0"],
                                      capture_output=True, text=True)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr.splitlines()[0])


# -- the cache of results -----------------------------------------------------------

class Cache(unittest.TestCase):
    """Whatever a result depends on changes its key, and nothing else does."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.write("uml/linux", "uml/.config", "uml/net/ipv4/tcp_liteflow.ko", "traffic", "lfctl",
                   "cc.json", "cc_pref.json", "bzImage", "bzImage.config",
                   "bzImage.modules/tcp_liteflow.ko")
        self.runs = {run.name: run for run in scenarios.load()}
        self.cubic = self.runs["step5-cubic-rtt40-s1"]
        self.own = self.runs["step5-liteflow-rtt40-s1"]
        self.prefer = next(run for run in self.runs.values() if run["prefer"])

    def write(self, *names, text="as built"):
        for name in names:
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def keys(self, qemu=None):
        built = uml.built(qemu, self.top / "uml" / "linux",
                          (self.top / "traffic", self.top / "lfctl"))
        known = cclab.versions(built, {"cc": self.top / "cc.json",
                                       "cc_pref": self.top / "cc_pref.json"})
        return [cclab.key_of(run, known) for run in (self.cubic, self.own, self.prefer)]

    def changed(self, name, text="another", qemu=None):
        """Which of the keys changed with that file."""
        before = self.keys(qemu)
        self.write(name, text=text)
        return [old != new for old, new in zip(before, self.keys(qemu))]

    def test_what_was_built_is_in_every_key(self):
        for name in ("uml/linux", "uml/.config", "uml/net/ipv4/tcp_liteflow.ko", "traffic",
                     "lfctl"):
            self.assertEqual(self.changed(name), [True] * 3, name)

    def test_another_module_is_in_every_key(self):
        self.assertEqual(self.changed("uml/net/sched/sch_fq.ko"), [True] * 3)

    def test_models_are_in_the_keys_of_who_asks_them(self):
        self.assertEqual(self.changed("cc.json"), [False, True, True])
        self.assertEqual(self.changed("cc_pref.json"), [False, False, True])

    def test_the_guest_script_counts(self):
        self.assertIn(HERE / "guest", uml.built()["lab"])

    def test_the_scenario_counts(self):
        known = {"kernel": "k", "lab": "l", "liteflow": "s", "model": "m"}
        self.assertNotEqual(*(cclab.key_of(self.runs[f"step5-cubic-rtt40-s{seed}"], known)
                              for seed in (1, 2)))

    def test_sources_alone_make_no_other_run(self):
        known = {"kernel": "k", "lab": "l", "liteflow": "s", "model": "m"}
        self.assertEqual(cclab.key_of(self.own, known),
                         cclab.key_of(self.own, {**known, "liteflow": "t"}))

    def test_qemu_has_keys_of_its_own(self):
        image = self.top / "bzImage"
        self.assertFalse(set(self.keys()) & set(self.keys(image)))
        for name in ("bzImage", "bzImage.config", "bzImage.modules/tcp_liteflow.ko"):
            self.assertEqual(self.changed(name, qemu=image), [True] * 3, name)
        self.assertEqual(self.changed("uml/linux", qemu=image), [False] * 3)

    def test_where_one_file_ends_counts(self):
        self.write("uml/linux", text="ab")
        self.write("uml/.config", text="c")
        before = self.keys()
        self.write("uml/linux", text="a")
        self.write("uml/.config", text="bc")
        self.assertNotEqual(before, self.keys())


class NoModel(unittest.TestCase):
    """liteflow in classic mode."""

    def command(self, models):
        with unittest.mock.patch.object(uml.subprocess, "Popen") as popen:
            uml.start(0, "list", models, 10)
        return [str(word) for word in popen.call_args[0][0]]

    def test_the_module_is_there_without_a_model(self):
        self.assertEqual(self.command({})[-1].rpartition("/")[2], "tcp_liteflow.ko")
        self.assertEqual(self.command({"cc": "x.lfm"})[-1], "cc=x.lfm")
        self.assertEqual(self.command(None)[-1], "list")

    def test_agents_are_left_out(self):
        args = argparse.Namespace(scenarios=scenarios.FILE, quick=True, cc=None, list=True, no_model=False,
                                  only=re.compile("^quick-(agent|kernel)"))
        self.assertEqual(len(cclab.choose(args)), 5)
        args.no_model = True
        self.assertEqual([run["cc"] for run in cclab.choose(args)], ["liteflow"])

    def test_not_among_the_results_of_the_report(self):
        run = subprocess.run([HERE / "cclab", "--no-model"], capture_output=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"--out", run.stderr)


# -- figures ---------------------------------------------------------------------

def result(cc, rates, seconds=30, p95=10000, seed=1, mean=50, name="", **params):
    """As if flows had kept to their rates, in Mbit/s; the link had so many on average."""
    flows = [{"cc": cc, "bytes": rate * seconds * 125000, "retrans": 1, "packets": 100, "classic": 0, "competing": 0,
              "kbit": [rate * 1000] * (seconds * 10)} for rate in rates]
    return figures.Result({
        "params": {**scenarios.DEFAULTS, "cc": cc, "mbit": "50", "rtt": "40", "bdp": "1", **params},
        "flows": flows, "seconds": seconds, "seed": seed, "mbit": mean, "buffer": 250000,
        "queue": {"p50_us": p95, "p95_us": p95, "drops": 1, "packets": 99}, "name": f"{name}-{cc}-s{seed}",
        "set": "fair", "short_us": [-1, 2000]})


class Figures(LabTest):
    def test_figures(self):
        self.check("goodput", result("bbr", [10]).goodput() == 10)
        self.check("Jain of equals is 1", math.isclose(result("bbr", [5, 5, 5]).jain(), 1))
        self.check("Jain of one that has all is 1/n", math.isclose(result("bbr", [9, 0, 0]).jain(), 1 / 3))
        self.close("utilisation with loss", result("bbr", [45], loss="1").utilisation(),
              100 * 45 / (50 * 0.99 * WIRE), 1e-6)
        self.close("utilisation of a link with steps, by its mean",
                   result("bbr", [30], mbit="50:10:2", mean=30).utilisation(), 100 / WIRE, 1e-6)
        self.close("shares", result("bbr", [25 * WIRE] * 2, seconds=40).shares()["bbr"], 100, 1e-6)
        self.check("a flow that did not arrive has no time", result("bbr", [1]).fct() == [2])

        dominates = figures.dominates
        self.check("better in both dominates", dominates((10, 5), (9, 6), 50))
        self.check("better in one, worse in the other does not", not dominates((10, 7), (9, 6), 50))
        self.check("equal is not dominated", not dominates((10, 5), (10, 5), 50))
        self.check("within 2 % is equal", not dominates((10.1, 50), (10, 50.5), 50))
        self.check("equal goodput with more delay is dominated", dominates((10, 5), (10.1, 6), 50))
        self.check("a packet's time is no difference", not dominates((10, 0), (10, 0.2), 50))

        def table(own, cubic=(10, 40, 0), bbr=(9, 10, 0)):
            return [{"mbit": "50", "rtt": "40", "bdp": "1", "liteflow": own, "cubic": cubic,
                     "bbr": bbr}]

        self.check("a good cell", figures.good_cells(table((9.5, 5, 0)))[0] == 100)
        self.check("it dominates whom it beats",
              figures.good_cells(table((9.5, 5, 0)))[2] == {"cubic": 0, "bbr": 100})
        self.check("dominated: lost", "bbr dominates" in figures.good_cells(table((8.9, 20, 0)))[1][0][1])
        self.check("too little goodput: lost",
              "80 % of" in figures.good_cells(table((8, 1, 0)))[1][0][1])
        self.check("a cell that one did not run does not count",
              figures.good_cells([{"mbit": "5", "liteflow": (1, 1, 1)}]) is None)

        rest = {cc: (1, 50, 0) for cc in scenarios.FURTHER}
        others = figures.EVERY_OTHER
        full = [{**table((9.5, 5, 0))[0], **rest}]
        self.check("good against all", figures.good_cells(full, others)[0] == 100)
        self.check("not where one of them is better", figures.good_cells(
            [{**full[0], "vegas": (9.6, 1, 0)}], others)[1][0][1] == "vegas dominates")
        self.check("not judged where one did not run", figures.good_cells(
            table((9.5, 5, 0)), others) is None)

        noisy = figures.cells([
            result("liteflow", [20], jitter="2"), result("cubic", [40], jitter="2"),
            result("bbr", [30], jitter="2"), result("liteflow", [44], jitter="2", loss="1", seed=2),
            result("liteflow", [24], jitter="2", seed=2)], figures.NOISY_LINK)
        self.check("noise, by what it is", [figures.noise(cell) for cell in noisy] ==
                   ["jitter 2", "jitter 2, loss 1"], noisy)
        self.close("percent of the better one, median over seeds",
                   figures.goodput_share(noisy[0]), 55, 1e-9)
        self.check("nothing to compare with", figures.goodput_share(noisy[1]) is None)

        users = [result("liteflow", [30], mbit="100:20:2", interval="0"),
                 result("remote-newest", [20], mbit="100:20:2", interval="100"),
                 result("remote-each", [25], mbit="100:20:2", interval="100"),
                 result("liteflow", [30], interval="0"),
                 result("remote-each", [10], interval="100")]
        rows = figures.against_user(users)
        self.check("the better form in user space counts", rows[0][3] == "remote-each", rows[0][3])
        self.close("the figure is that of links with steps",
              figures.user_figure(rows, "100").value, 1.2, 1e-9)
        self.check("no figure without runs", figures.user_figure(rows, "10") is None)

        table = figures.preferences([
            result("liteflow", [40], p95=delay, prefer=weights, bdp=bdp)
            for weights, delay, bdp in (("8:1:1", 10000, "1"), ("1:8:1", 5000, "1"),
                                        ("8:1:1", 10000, "2"), ("1:8:1", 9000, "2"),
                                        ("1:8:1", 1, "4"))])
        self.close("delay that a preference saves, percent", figures.delay_saved(table), 30, 1e-9)
        self.check("none without both preferences", figures.delay_saved({}) is None)

        self.check_places()
        self.check_many_flows()

        here, there, alone = result("bbr", [40, 8]), result("bbr", [44, 6]), result("bbr", [1])
        other = result("bbr", [1, 1])
        for run, name, delay, model in ((here, "a", 5000, "x"), (there, "a", 7000, "x"),
                                        (alone, "b", 1, "x"), (other, "a", 1, "y")):
            run.data["name"], run.data["queue"]["p95_us"] = name, delay
            run.data["versions"] = {"model": model}
        rows = figures.elsewhere({"fair": [here, alone]}, {"fair": [there, other]})
        self.check("the same runs elsewhere", len(rows) == 1 and rows[0][:3] == ("fair", "bbr", 1), rows)
        self.close("goodput there, median", rows[0][3], (10 - 25) / 2, 1e-9)
        self.close("and the largest change", rows[0][4], -25, 1e-9)
        self.close("delay there, ms", rows[0][5], 2, 1e-9)


    def check_places(self):
        places = figures.places([
            result("liteflow", [10, 20], name="a-b", mbit="100:50:7"),
            result("bbr", [40], name="a-b", mbit="100:50:7"),
            result("cubic", [20], name="a-b", mbit="100:50:7"),
            result("liteflow", [20], name="c")])
        self.check("paths have names", [cell["place"] for cell in places] == ["a-b", "c"], places)
        self.close("all flows count", figures.goodput_share(places[0]), 75, 1e-9)
        self.close("the least of those that can be told", figures.least_share(places), 75, 1e-9)
        self.check("none of none", figures.least_share(places[1:]) is None)
        self.check("what steps is told", [cell["changes"] for cell in places] == [True, False])
        (_, text, _), = tables.external([result(cc, [9 if cc == "liteflow" else 20], name="far")
                                         for cc in scenarios.EVERY])
        self.check("a lost path is named", "Lost: far (" in text, text)

    def test_tables(self):
        """Each can be made, of what there is."""
        runs = [result(cc, [9, 8], name="a", rtts="10:40", stall="1:2", prefer="8:1:1/1:1:1",
                       rival="cubic", order="own", interval="10") for cc in scenarios.EVERY]
        for run in runs:
            run.flows[1]["cc"] = "cubic"
        for what, make in tables.MAKERS.items():
            with self.subTest(what):
                (_, text, lines), = make(runs[:1] if "beside" in what else runs)
                self.assertTrue(text and len(lines) >= 2)

    def check_many_flows(self):
        two = result("liteflow", [10, 20], seconds=50, mbit="20", rtts="80:40")
        self.close("of its half of the link", two.fair_shares()[0], 100 / WIRE, 1e-6)
        self.close("percent dropped", two.drops(), 1, 1e-9)
        behind = figures.Result({**two.data, "flows": [*two.data["flows"][:1],
                                                       {**two.data["flows"][1], "back": True}]})
        self.check("who fills the way back has no figure", behind.total() == 10)

    def test_lines(self):
        def values(**sets):
            return dict((name, float(value)) for name, value, _ in last_lines.last(
                collections.defaultdict(list, sets)))

        self.check("nothing is said of nothing", not values())
        self.check("loss of 5 %, of BBR's", values(loss=[
            result("liteflow", [9], loss="5"), result("bbr", [10], loss="5"),
            result("bbr", [1], loss="2")]) == {"cc_loss5": 90})
        steps = [result(cc, [rate], mbit="50:10:2", name="a")
                 for cc, rate in (("liteflow", 9), ("bbr", 10), ("cubic", 2))]
        self.check("steps of both files", values(step=steps, external=[
            result("liteflow", [8], name="a", mbit="12:24:7"),
            result("bbr", [10], name="a", mbit="12:24:7"),
            result("cubic", [10], name="a", mbit="12:24:7"),
            result("liteflow", [1], name="b"), result("bbr", [9], name="b"),
            result("cubic", [9], name="b")]) == {"cc_step_min": 80})
        self.check("many flows", values(many=[
            result("liteflow", [9]), result("liteflow", [9, 9]), result("bbr", [9, 1])]) ==
            {"cc_many_jain": 1, "cc_many_drops": 1})
        self.check("round trips", values(rtts=[
            result("liteflow", [40 * WIRE, 10 * WIRE], seconds=50, rtts="10:40"),
            result("liteflow", [20 * WIRE, 30 * WIRE], seconds=50, rtts="10:40"),
            result("bbr", [49, 1], seconds=50, rtts="10:40")]) == {"cc_rtt_share": 40})
        self.check("preferences", values(prefers=[
            result("liteflow", [30 * WIRE, 20 * WIRE], seconds=50)]) == {"cc_prefer_fair": 80})
        self.check("short round trips", values(near=[
            result("liteflow", [45 * WIRE]), result("bbr", [5])]) == {"cc_near": 90})


# -- what the learned part is good for ------------------------------------------------

class Ablation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.args = ablation.parse_args(["--folder", folder.name, "--generations", "3", "-n", "4"])
        # worse and better by the scenario, as a pair it is always 0.1
        linear = np.array([-0.9, -0.1, -0.6, -0.4])
        self.scores = {v.name: linear for v in ablation.VARIANTS}
        self.scores.update({"model": linear + 0.1, "constant-0": linear - 0.5})

    def test_scores(self):
        lines = ablation.score_table(ablation.VARIANTS, self.scores, {"linear": [-0.6, -0.4],
                                                                      "constant-0": [-1.0]})
        self.assertEqual(len(lines), 2 + len(ablation.VARIANTS))
        row = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
               for line in lines}
        self.assertEqual(row["the shipped model"], ["-0.400", "", "+0.100 [+0.100 … +0.100]",
                                                    "+0.100 [+0.100 … +0.100]"])
        self.assertEqual(row["a linear policy trained alike"][:3],
                         ["-0.500", "-0.600 to -0.400", ""])
        self.assertEqual(row["constant 0"][:2], ["-1.000", ""])
        gain = ablation.learned_gain(self.scores)
        self.assertAlmostEqual(gain.value, 0.2)
        self.assertTrue(gain.low < 0.2 < gain.high)
        self.assertIn("is better than the linear", ablation.verdict(gain))
        self.scores["model"] = self.scores["linear"] + np.array([0.1, -0.1, 0.1, -0.1])
        self.assertIn("not be shipped", ablation.verdict(ablation.learned_gain(self.scores)))
        del self.scores["model"]
        self.assertIsNone(ablation.learned_gain(self.scores))

    def test_laboratory(self):
        known = {"model": [("cc_good_cells", "97.1", "percent"), ("cc_jain_min", "0.99", "ratio")],
                 "classic": [("cc_good_cells", "20.0", "percent")]}
        shown = [v for v in ablation.VARIANTS if v.name in known]
        cells = [[cell.strip() for cell in line.split("|")[1:-1]]
                 for line in ablation.lab_table(shown, known)]
        self.assertEqual(cells[0], ["the law with", "good_cells, percent", "jain_min, ratio"])
        self.assertEqual([row[1:] for row in cells[2:]], [["97.1", "0.99"], ["20.0", "-"]])
        rest = (self.scores, {}, [-0.9, -0.7, -0.5], {"scenarios": known}, {"scenarios": 7})
        text = ablation.report(self.args, "checksum", {"checksum": ["linear"]},
                               *rest).replace("\n", " ")
        self.assertNotIn("other states", text)
        for part in ("/ |score of the linear policy|", "+20.0 %", "Figures of 7 runs", "checksum",
                     "3 generations", "| 97.1", "-0.900 to -0.500, median -0.700"):
            self.assertIn(part, text)
        self.assertIn("another seed of training is not", text)
        self.args.seeds = [4, 7]
        text = ablation.report(self.args, "checksum", {"older": ["linear", "network-s7"]},
                               *rest).replace("\n", " ")
        self.assertIn("the mean of its seeds, 4, 7;", text)
        self.assertIn("judged with this one as they are: linear, network-s7 (older).", text)

    def test_seeds(self):
        args = ablation.parse_args(["--folder", str(self.top), "--seeds", "3,5"])
        trained, shipped = (next(v for v in ablation.VARIANTS if v.name == name)
                            for name in ("linear", "model"))
        models = {seed: ablation.model_of(args, trained, seed).name
                  for seed in ablation.seeds_of(args, trained)}
        self.assertEqual(models, {3: "linear.json", 5: "linear-s5.json"})
        self.assertEqual(ablation.model_of(args, trained).name, "linear.json")
        words = ablation.command(args, trained, 5)
        self.assertEqual(words[words.index("--seed") + 1], "5")
        self.assertEqual(len(ablation.seeds_of(args, shipped)), 1)
        for wrong in ("", "1,1", "-1", "x"):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                ablation.parse_args([f"--seeds={wrong}"])

    def test_only_the_chosen_runs_count(self):
        own, rivals = ablation.chosen(scenarios.FILE, re.compile("^(fair-flows[23]|user)"), "full")
        self.assertEqual((len(own), rivals), (6, []))
        with self.assertRaises(Problem):
            ablation.chosen(scenarios.FILE, re.compile("^(user|prefer)"), "full")
        # the default has a run for each figure of the report that a model decides
        self.assertEqual({run.figure for run in ablation.chosen(*self.args.lab[0], "full")[0]},
                         {"cells", "noise", "loss", "step", "fair", "beside"})
        for run, rates in zip(own, ([20, 20], [20, 20], [40, 1], [9] * 3, [9] * 3, [9] * 3)):
            data = {**result("liteflow", rates).data, "name": run.name, "params": run.params,
                    "versions": {}}
            (self.top / f"{run.name}.json").write_text(json.dumps(data))
        names = {run.name for run in own}
        for left_out, jain in ((set(), "0.525"), ({own[2].name}, "1.000")):
            self.assertEqual(ablation.lab_figures(self.top, scenarios.FILE, "full",
                                                  names - left_out),
                             [("cc_jain_min", jain, "ratio")])

    def test_models_are_made_once(self):
        models = self.top / "models"
        models.mkdir()
        variant = next(v for v in ablation.VARIANTS if v.name == "linear")
        self.assertEqual(ablation.command(self.args, variant, 1)[1], "--linear")
        with unittest.mock.patch.object(ablation, "command", lambda args, *_: [
                "cp", "/dev/null", str(models / "linear.json"), f"--backup={args.backup}"]):
            self.args.backup = "none"
            self.assertTrue(ablation.make(self.args, variant, 1, "a"))
            self.assertFalse(ablation.make(self.args, variant, 1, "a"))
            # other sources, but asked for: the key still tells which
            self.args.keep_models, self.args.variants = True, [variant]
            self.assertFalse(ablation.make(self.args, variant, 1, "b"))
            self.assertEqual(ablation.trained_with(self.args), {"a": ["linear"]})
            self.args.backup = "t"
            self.assertTrue(ablation.make(self.args, variant, 1, "a"))
            self.args.backup, self.args.keep_models = "none", False
            # other sources: nor is what an interrupted run left gone on with
            (models / "linear.state").write_text("")
            self.assertTrue(ablation.make(self.args, variant, 1, "b"))
            self.assertFalse((models / "linear.state").exists())
            # other options
            self.args.backup = "off"
            self.assertTrue(ablation.make(self.args, variant, 1, "b"))
            self.args.backup = "nonsense"
            with self.assertRaises(Problem):
                ablation.make(self.args, variant, 1, "b")
            self.assertFalse((models / "linear.json").exists())


# -- the emulated path -----------------------------------------------------------

RUNS = {
    "plain": "--capacity 50 --rtt 40 --buffer 250000 --time 15 cubic:0",
    "slow": "--capacity 2 --rtt 150 --buffer 20000 --time 30 cubic:0",
    "loss-1": "--capacity 50 --rtt 20 --buffer 125000 --loss 1 --seed 1 --time 30 bbr:0",
    "loss-2": "--capacity 50 --rtt 20 --buffer 125000 --loss 1 --seed 1 --time 30 reno:0",
    "loss-3": "--capacity 50 --rtt 20 --buffer 125000 --loss 1 --seed 1 --time 30 reno:0",
    "loss-4": "--capacity 50 --rtt 20 --buffer 125000 --loss 1 --seed 2 --time 30 reno:0",
    "jitter": "--capacity 50 --rtt 40 --buffer 250000 --jitter 5 --time 15 reno:0",
    "reorder": "--capacity 50 --rtt 40 --buffer 250000 --reorder 5 --time 15 reno:0",
    "slots": "--capacity 50 --rtt 40 --buffer 250000 --slots 30 --time 15 reno:0",
    "thin": "--capacity 50 --rtt 40 --buffer 250000 --thin 8 --time 15 cubic:0",
    "bursts": "--capacity 50 --rtt 20 --buffer 125000 --loss 2 --bursts 10 --time 60 bbr:0",
    "police": "--capacity 20 --rtt 40 --buffer 100000 --police 50000 --time 15 cubic:0",
    "trace": "--capacity 6 --rtt 40 --buffer 250000 --trace {trace} --time 20 cubic:0",
    "no-trace": "--capacity 6 --rtt 40 --buffer 250000 --trace {trace}.none --time 20 cubic:0",
    "random": "--capacity 20 --rtt 40 --buffer 250000 --arrivals poisson --time 20 cubic:0",
    "even": "--capacity 20 --rtt 40 --buffer 100000 --stall 1:1000 --time 20 cubic:0",
    "as-tbf": "--capacity 20 --rtt 40 --buffer 100000 --time 20 cubic:0",
    "stall": "--capacity 20 --rtt 40 --buffer 1000000 --stall 500:5 --time 20 cubic:0",
    "rtts": "--capacity 50 --rtt 40 --rtts 40:90 --buffer 250000 --time 10 reno:0 reno:0",
    "change": "--capacity 50 --rtt 40 --buffer 125000 --change 8:20:80 --time 20 cubic:0",
    "back": "--capacity 50 --rtt 40 --buffer 250000 --back 0.5 --time 10 cubic:0",
    "reverse": "--capacity 50 --rtt 40 --buffer 250000 --back 20 --reverse cubic --time 20 cubic:0",
    "many": "--capacity 100 --rtt 40 --buffer 500000 --time 5 " + "reno:0 " * 128,
    **{cc: f"--capacity 10 --rtt 20 --buffer 25000 --time 10 {cc}:0" for cc in scenarios.FURTHER},
    "step": "--capacity 50:10:5 --rtt 40 --buffer 250000 --time 20 cubic:0",
    "short": "--capacity 50 --rtt 40 --buffer 250000 --time 10 --short cubic:10 reno:9",
    "nobody": "--capacity 50 --rtt 40 --buffer 250000 --time 1 nobody:0",
    "iperf": f"--capacity 50 --rtt 40 --buffer 250000 --exec {HERE}/iperf",
}


def emulate():
    with tempfile.NamedTemporaryFile("w", dir=paths.BUILD) as listing, \
            tempfile.NamedTemporaryFile("w", dir=paths.BUILD) as trace:
        # a packet each ms, half a second long, then nothing for as long
        trace.writelines(f"{at}\n" for at in (*range(1, 501), 1000))
        trace.flush()
        listing.writelines(f"{name} {args.format(trace=trace.name)}\n"
                           for name, args in RUNS.items())
        listing.flush()
        core = max(os.sched_getaffinity(0))
        with uml.start(core, listing.name, None, 300) as process:
            lines = process.stdout.readlines()
    if process.returncode:
        raise AssertionError(f"UML ended with status {process.returncode}")
    words = [line.strip().split(" ", 3) for line in lines if line.startswith("run ")]
    return {name: (int(status), text) for _, name, status, text in words}


class Path(LabTest):
    def test_path(self):
        got = emulate()
        runs = {name: json.loads(text) for name, (status, text) in got.items()
                if not status and text.startswith("{")}
        plain = runs["plain"]
        self.close("base RTT, ms", plain["flows"][0]["min_rtt_us"] / 1000, 40, 0.1)
        settled = sum(plain["flows"][0]["kbit"][-100:]) / 100
        self.close("capacity, kbit/s of payload", settled, 50000 * WIRE, 100)
        self.close("buffer, ms", plain["queue"]["p100_us"] / 1000, 40, 2 * 0.243)
        self.check("nothing lost but at the bottleneck", plain["lost"] == 0 and plain["queue"]["drops"] > 0)
        slow = runs["slow"]
        self.close("base RTT of a slow link, ms", slow["flows"][0]["min_rtt_us"] / 1000, 150, 0.5)
        self.close("its buffer, ms", slow["queue"]["p100_us"] / 1000, 80, 2 * 6.06)
        one = runs["loss-1"]
        sent = one["queue"]["packets"]
        self.close("random loss, percent", 100 * one["lost"] / sent, 1, 400 * math.sqrt(0.0099 / sent))
        first, again, other = (runs[f"loss-{at}"]["flows"][0] for at in (2, 3, 4))
        self.close("the same seed gives the same, bytes", again["bytes"], first["bytes"],
              0.01 * first["bytes"])
        # sampling may see a packet more or less
        self.check("from the first second on", all(abs(one - two) <= 2 * 8 * 1448 / 100 for one, two in
                                              zip(first["kbit"][:10], again["kbit"][:10])))
        self.check("another seed does not", any(abs(one - two) > 2 * 8 * 1448 / 100 for one, two in
                                           zip(first["kbit"][:10], other["kbit"][:10])))
        self.check_noise(runs)
        self.check_deliveries(runs)
        self.check_ways(runs)
        for cc in scenarios.FURTHER:
            self.check(f"{cc} is what runs", runs[cc]["flows"][0]["bytes"] > 5e6 and
                       runs[cc]["flows"][0]["cc"] == cc)
        self.check("128 flows", len(runs["many"]["flows"]) == 128 and
                   all(flow["bytes"] for flow in runs["many"]["flows"]))
        self.check("a trace that is not there", got["no-trace"][0] == 1 and
                   "No such file" in got["no-trace"][1], got["no-trace"][1])
        kbit = runs["step"]["flows"][0]["kbit"]
        self.close("capacity after a step down, kbit/s", sum(kbit[60:98]) / 38, 10000 * WIRE, 300)
        self.close("and after one up", sum(kbit[140:150]) / 10, 50000 * WIRE, 2500)
        # the handshake, and 7 packets in one window: only the way back takes time
        times = [value / 1000 for value in runs["short"]["short_us"]]
        self.close("10 kB over an empty path, ms", times[0], 40 + 7 * 0.242, 0.5)
        self.check("an unknown congestion control is refused",
              got["nobody"][0] == 1 and "does not have it" in got["nobody"][1], got["nobody"][1])
        status, text = got["iperf"]
        self.check("iperf3 ran", status == 0 and text.isdigit(), text)
        if text.isdigit():
            self.close("iperf3 measures the same, kbit/s", int(text) / 1000, settled, 0.01 * settled)


    def check_deliveries(self, runs):
        """What deliver.c does in the bottleneck's place."""
        def rate(run, last):
            return sum(run["flows"][0]["kbit"][-last:]) / last

        trace = runs["trace"]
        self.close("mean of a trace, Mbit/s", trace["mbit"], 501 * 1514 * 8e-6, 0.01)
        self.close("CUBIC fills it, kbit/s", rate(trace, 100), 501 * 1448 * 8e-3, 60)
        self.close("but not while nothing leaves, kbit/s", rate(trace, 2), 0, 60)
        # the queue is full when what the last ACKs let go has come, a round trip later at most
        worst = trace["queue"]["p100_us"] / 1000 - 500 - 250000 / 1514
        self.check("then what waits has to wait on, ms", -41 < worst < 2, worst)
        random = runs["random"]
        self.close("random deliveries, Mbit/s", random["mbit"], 20, 20 * 4 / math.sqrt(20 * 1651))
        self.close("CUBIC fills them, kbit/s", rate(random, 100), 20000 * WIRE, 600)
        even, tbf = runs["even"], runs["as-tbf"]
        self.close("even ones are as tbf's, bytes", even["flows"][0]["bytes"],
                   tbf["flows"][0]["bytes"], 0.01 * tbf["flows"][0]["bytes"])
        self.close("with the same queue, ms", even["queue"]["p100_us"] / 1000,
                   tbf["queue"]["p100_us"] / 1000, 1.3)
        self.close("and the same base RTT, ms", even["flows"][0]["min_rtt_us"] / 1000, 40, 0.7)
        stall = runs["stall"]
        self.close("mean of a link that stops, Mbit/s", stall["mbit"], 20 * (1 - 1.5 / 20), 0.02)
        for at in (5, 10, 15):
            kbit = stall["flows"][0]["kbit"]
            self.close(f"it stops at {at} s, kbit/s", sum(kbit[at * 10 + 1:at * 10 + 5]) / 4, 0, 50)
            self.check(f"and goes on after {at} s", kbit[at * 10 + 6] > 15000, kbit[at * 10 + 6])

    def check_ways(self, runs):
        """Round trips of the flows, of a time, and what the way back has of its own."""
        for flow, rtt in zip(runs["rtts"]["flows"], (40, 90)):
            self.close("a flow's own round trip, ms", flow["min_rtt_us"] / 1000, rtt, 0.5)
        flow, queue = runs["change"]["flows"][0], runs["change"]["queue"]["us"]
        for when, rtt, mbit in ((slice(20, 79), 40, 50), (slice(110, 199), 80, 20)):
            samples = flow["rtt_us"][when]
            self.close(f"round trip of {rtt} ms", (sum(samples) - sum(queue[when])) / len(samples)
                       / 1000, rtt, 2)
            self.close(f"capacity of {mbit} Mbit/s, kbit/s", sum(flow["kbit"][when]) / len(samples),
                       mbit * 1000 * WIRE, 30 * mbit)
        back = runs["back"]
        late = (back["flows"][0]["rtt_us"][-1] - back["queue"]["us"][-1]) / 1000 - 40
        # 8 packets' room for ACKs of 66 bytes
        self.check("ACKs queue on a narrow way back, ms", 50 < late < 8 * 1514 * 8 / 500 + 10, late)
        there, here = runs["reverse"]["flows"]
        self.check("one of them is the reverse one", here.get("back") and not there.get("back"))
        self.check("it fills its way but for ACKs, kbit/s", 14000 < here["bytes"] * 8 / 20000 < 20000 * WIRE,
                   here["bytes"] * 8 / 20000)

    def check_noise(self, runs):
        """Of ACKs that come late the kernel's smoothed RTT tells, less the queue."""
        def late(name):
            flow, queue = runs[name]["flows"][0], runs[name]["queue"]
            rtt = sum(flow["rtt_us"][-100:]) / 100
            return (rtt - sum(queue["us"][-100:]) / 100) / 1000 - 40

        self.close("no noise, ms", late("plain"), 0, 1.5)
        # the last ACKs of a batch are hardly late, and are what the smoothed RTT is of
        self.check("jitter of 5 ms", 2 < late("jitter") < 10, late("jitter"))
        self.check("but a batch may come at once", runs["jitter"]["flows"][0]["min_rtt_us"] < 42000,
                   runs["jitter"]["flows"][0]["min_rtt_us"])
        self.check("batches each 30 ms", 4 < late("slots") < 30, late("slots"))
        self.check("reordered ACKs: the earliest counts", -1 < late("reorder") < 5, late("reorder"))
        self.close("thinned ACKs, kbit/s", sum(runs["thin"]["flows"][0]["kbit"][-100:]) / 100,
                   50000 * WIRE, 500)
        bursts = runs["bursts"]
        sent = bursts["queue"]["packets"]
        self.close("loss in bursts, percent", 100 * bursts["lost"] / sent, 2,
                   400 * math.sqrt(0.02 * 20 / sent))
        police = runs["police"]
        self.check("a policer makes no queue", police["queue"]["p100_us"] <= 1000,
                   police["queue"]["p100_us"])
        self.check("and passes no more than its rate",
                   max(police["flows"][0]["kbit"][-50:]) < 20000 * WIRE + 5000)


class Sockets(LabTest):
    COUNT = 100

    def test_what_is_printed(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out.json"
            done = subprocess.run(
                [HERE / "sockets", "--connections", str(self.COUNT), "--short", "50", "--rounds",
                 "2", "--out", out], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            values = dict(line.split()[:2] for line in done.stdout.splitlines())
            kept = json.loads(out.read_text())
        for cc in ("cubic", "liteflow"):
            for part in ("short", "open", "ss", "memory"):
                self.check(f"{cc}, {part}", float(values[f"cc_sockets_{part}_{cc}"]) > 0)
            self.check(f"{cc}: ss shows each", kept[f"{cc} shown"] == [2 * self.COUNT],
                       kept[f"{cc} shown"])
            self.check(f"{cc}: each round", len(kept[f"{cc} short"]) == 2)


class SocketsOptions(unittest.TestCase):
    def test_nonsense_is_refused(self):
        for args in (["--connections", "0"], ["--short", "-1"], ["--rounds", "x"],
                     ["--connections", str(sockets.LISTENERS * 60000 + 1)]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                sockets.parse_args(args)


def load_tests(loader, _tests, _pattern):
    """The path is what --uml asks for, and nothing else: it takes minutes and a kernel."""
    cases = (Path, Sockets) if UML else (Scenarios, Elements, Options, Cache, NoModel, Figures,
                                         Ablation, SocketsOptions)
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    UML = "--uml" in sys.argv
    if UML:
        sys.argv.remove("--uml")
    unittest.main(verbosity=2)
