#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the simulator against theory, of the network's forms, and of training.

Needs 'make -C liteflow/cc/sim' and 'make lfctl'. SHARED_DATA: where aurora-liteflow/
is; without it that test is skipped.
"""
import glob
import itertools
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from pylib import files
import network as nw
import simlib as sl

LFCTL = os.path.join(sl.BUILD, "liteflow", "lfctl")
CCSIM = os.path.join(sl.BUILD, "liteflow", "ccsim", "ccsim")
MODELS = os.path.join(sl.HERE, "..", "models")
SHARED = os.environ.get("SHARED_DATA") or os.path.join(sl.TOP, "..", "shared", "data")
AURORA = os.path.join(SHARED, "aurora-liteflow", "variables.data-00000-of-00001")
N_IN = sl.HISTORY * sl.FEATURES
NOTHING = np.zeros(sl.n_params(N_IN), dtype=np.float32)     # always answers 0


def some_network(n_in=N_IN, seed=1):
    rng = np.random.default_rng(seed)
    theta = []
    for a, b in zip((n_in, *sl.HIDDEN), (*sl.HIDDEN, 1)):
        theta += [rng.normal(0, 1 / math.sqrt(a), a * b), rng.normal(0, 0.1, b)]
    return np.concatenate(theta).astype(np.float32)


def fixed(rate, capacity, **more):
    """A sender that does not listen, for 20 s."""
    s = sl.scenario(capacity, 0.02, duration=20, flows=[sl.FIXED], **more)
    s.flow[0].rate = rate
    return s

NEEDS_TORCH = unittest.skipUnless(importlib.util.find_spec("torch"),
                                  "python3-torch is not installed")


class Link(unittest.TestCase):
    def test_below_capacity(self):
        r = sl.run(fixed(6e6, 10e6), NOTHING)[0]
        self.assertAlmostEqual(r.utilisation, 0.6, delta=0.01)
        self.assertEqual(r.lost[0], 0)
        self.assertAlmostEqual(r.goodput[0], 6e6 * sl.MSS / sl.WIRE, delta=1e5)

    def test_above_capacity(self):
        r = sl.run(fixed(15e6, 10e6), NOTHING)[0]
        self.assertAlmostEqual(r.utilisation, 1, delta=0.002)
        self.assertAlmostEqual(r.lost[0] / r.sent[0], 1 / 3, delta=0.01)

    def test_random_loss(self):
        r = sl.run(fixed(50e6, 100e6, loss=0.01), NOTHING)[0]
        n = r.sent[0]
        self.assertGreater(n, 80000)
        self.assertAlmostEqual(r.lost[0] / n, 0.01, delta=4 * math.sqrt(0.01 * 0.99 / n))
        self.assertAlmostEqual(r.utilisation, 0.495, delta=0.01)

    def test_capacity_steps(self):
        # all of 10 s at 10 Mbit/s, half of what comes in 10 s at 5
        r = sl.run(fixed(10e6, 10e6, steps=[(10, 5e6)]), NOTHING)[0]
        self.assertAlmostEqual(r.utilisation, 1, delta=0.01)
        self.assertAlmostEqual(r.lost[0] / r.sent[0], 0.25, delta=0.01)

    def test_full_buffer_is_waited_for(self):
        # beside one that sends more than the link takes, and does not listen
        s = sl.scenario(10e6, 0.02, bdps=2, duration=60, flows=[sl.LITEFLOW, sl.FIXED])
        s.flow[1].rate, s.flow[1].start = 11e6, 1
        r, samples, _ = sl.run(s, NOTHING, samples=100000)
        self.assertAlmostEqual(r.queue_p50, 0.04, delta=0.005)
        self.assertAlmostEqual(r.queue_p95, 0.04, delta=0.003)
        self.assertLess(max(x.queue for x in samples), 0.0401)
        self.assertAlmostEqual(r.utilisation, 1, delta=0.02)

    def test_nonsense_is_refused(self):
        for name, value in (("duration", 0), ("n_flows", sl.MAX_FLOWS + 1), ("loss", 1), ("buffer", 0)):
            s = sl.scenario(1e6, 0.1)
            setattr(s, name, value)
            with self.assertRaises(sl.SimError, msg=name):
                sl.run(s, NOTHING)


class Path(unittest.TestCase):
    """What disturbs ACKs, and what loses packets beside the buffer."""

    def samples(self, **noise):
        """The intervals of a flow that leaves most of the link unused."""
        s = sl.scenario(1e9, 0.04, duration=10, **noise)
        return sl.run(s, NOTHING, samples=100000)[1]

    def test_bursts_of_loss(self):
        r = sl.run(fixed(50e6, 100e6, loss=0.01, loss_burst=8), NOTHING)[0]
        # the number of bursts is what varies
        self.assertAlmostEqual(r.lost[0] / r.sent[0], 0.01, delta=4 * math.sqrt(
            0.01 * 16 / r.sent[0]))
        # fewer losses to answer
        single, bursts = (sl.run(sl.scenario(1e9, 0.05, duration=200, flows=[sl.RENO],
                                             loss=0.002, loss_burst=b), NOTHING)[0].late[0]
                          for b in (0, 8))
        self.assertGreater(bursts, 2 * single)

    def test_policer(self):
        police = {"police_rate": 5e6, "police_bucket": 20e3}
        r = sl.run(fixed(15e6, 100e6, **police), NOTHING)[0]
        self.assertAlmostEqual(r.lost[0] / r.sent[0], 2 / 3, delta=0.01)
        self.assertAlmostEqual(r.utilisation, 1, delta=0.01)
        self.assertEqual(sl.run(fixed(4.9e6, 100e6, **police), NOTHING)[0].lost[0], 0)

    def test_batches(self):
        for x in self.samples(stall=0.03, stall_every=0.03):
            self.assertAlmostEqual(x.time / 0.03, round(x.time / 0.03), places=6)

    def test_stalls(self):
        times = np.array([x.time for x in self.samples(stall=0.15, stall_every=1)])
        self.assertTrue(((times + 1e-9) % 1 >= 0.15).all())
        self.assertTrue((np.abs(times % 1 - 0.15) < 1e-6).any())

    def test_jitter(self):
        # Aurora's rule, as its ratio is that of the mean
        ratio = [np.mean([x.feature[1] for x in self.samples(jitter=j, rule=1) if x.time > 2])
                 for j in (0, 0.002, 0.008)]
        self.assertAlmostEqual(ratio[0], 1, delta=0.01)
        # who must not overtake comes later still
        self.assertTrue(1 + 0.002 / 0.04 < ratio[1] < 1 + 2 * 0.002 / 0.04, ratio)
        self.assertTrue(1 + 0.008 / 0.04 < ratio[2] < 1 + 2 * 0.008 / 0.04, ratio)

    def test_jitter_is_no_queue(self):
        """The law's ratio hardly knows of it."""
        # without any, trials lead to all that the path takes, and nobody wants less
        for jitter, most in ((0, 1.05), (0.002, 1.02), (0.008, 1.2)):
            ratio = np.mean([x.feature[1] for x in self.samples(jitter=jitter) if x.time > 2])
            self.assertLess(ratio, most)

    def test_thinning(self):
        s = sl.scenario(50e6, 0.04, bdps=2, flows=[sl.CUBIC])
        each = sl.run(s, NOTHING)[0]
        s.thin = 8
        some = sl.run(s, NOTHING)[0]
        self.assertAlmostEqual(some.utilisation, each.utilisation, delta=0.01)
        self.assertNotEqual(some.events, each.events)

    def test_nonsense_is_refused(self):
        for noise in ({"jitter": -1}, {"stall": 2, "stall_every": 1}, {"police_rate": 1e6},
                      {"jitter": math.nan}):
            with self.assertRaises(sl.SimError, msg=noise):
                sl.run(sl.scenario(1e6, 0.1, **noise), NOTHING)


class Windows(unittest.TestCase):
    def test_reno_with_little_buffer(self):
        # 1,650 packets fit, 66 wait: from half of 1,716 to all of it and back; the rate is
        # that of the link for 1 part in 13, on average 0.76 of it else
        s = sl.scenario(100e6, 0.2, bdps=0.04, duration=1500, flows=[sl.RENO])
        self.assertAlmostEqual(sl.run(s, NOTHING)[0].late[0] / (100e6 * sl.MSS / sl.WIRE), 0.78,
                               delta=0.03)

    def test_reno_with_buffer(self):
        s = sl.scenario(100e6, 0.05, duration=300, flows=[sl.RENO])
        self.assertGreater(sl.run(s, NOTHING)[0].late[0], 0.98 * 100e6 * sl.MSS / sl.WIRE)

    def test_reno_with_loss(self):
        # sqrt(3 / (2 p)) packets in a round trip
        for p in (0.0005, 0.002):
            s = sl.scenario(1e9, 0.05, duration=500, flows=[sl.RENO], loss=p)
            want = math.sqrt(1.5 / p) * sl.MSS * 8 / 0.05
            self.assertAlmostEqual(sl.run(s, NOTHING)[0].late[0] / want, 1, delta=0.12)

    def test_cubic_recovers_faster(self):
        late = [sl.run(sl.scenario(200e6, 0.1, bdps=0.1, duration=200, flows=[kind]),
                       NOTHING)[0].late[0] for kind in (sl.RENO, sl.CUBIC)]
        self.assertGreater(late[1], 1.1 * late[0])

    def test_cubic_starts_without_a_loss(self):
        # HyStart ends slow start at some 190 packets; 5 % more each round trip are 820, which
        # is all that fits, after 30 round trips of 40 to 200 ms
        for duration, loses in ((2, False), (6, True)):
            s = sl.scenario(50e6, 0.04, bdps=4, duration=duration, flows=[sl.CUBIC])
            self.assertEqual(sl.run(s, NOTHING)[0].lost[0] > 0, loses, duration)


class Law(unittest.TestCase):
    """The kernel's source, as far as the simulator can tell."""

    def test_pull_leads_to_the_reference(self):
        # TLF_RATE_REF, if all answers are 0; where delays vary, no trial finds more
        s = sl.scenario(1e9, 0.04, duration=60, jitter=0.002)
        samples = sl.run(s, NOTHING, samples=100000)[1]
        self.assertAlmostEqual(samples[-1].rate / 128e6, 1, delta=0.05)

    def test_trials_find_more(self):
        # nobody wants more, and the path takes four times as much from second 5 on
        s = sl.scenario(20e6, 0.1, duration=6.5, steps=[(5, 80e6)])
        samples = sl.run(s, NOTHING, samples=100000)[1]
        before = [x.rate for x in samples if 3 < x.time < 5]
        self.assertLess(max(before), 30e6)
        self.assertGreater(samples[-1].rate, 0.8 * 80e6)
        self.assertLess(samples[-1].rate, 80e6)

    def test_start_up_finds_the_capacity(self):
        s = sl.scenario(100e6, 0.05, duration=3)
        samples = sl.run(s, NOTHING, samples=100000)[1]
        cruise = [x for x in samples if x.mode == 2]
        self.assertLess(cruise[0].time, 1)
        self.assertAlmostEqual(cruise[0].rate / (100e6 * sl.MSS / sl.WIRE), 1, delta=0.1)

    def test_expert_shares(self):
        s = sl.scenario(50e6, 0.04, duration=60, flows=[sl.LITEFLOW] * 3, stagger=5)
        r = sl.run(s, gains=sl.GAINS)[0]
        self.assertGreater(r.jain, 0.95)
        self.assertGreater(r.utilisation, 0.95)
        self.assertLess(r.queue_p95_rtt, 0.5)


class Rules(unittest.TestCase):
    """What an answer means is the scenario's, and the expert knows it."""

    def test_draw(self):
        self.assertEqual([sl.draw(3, rule=rule).rule for rule in sl.RULES], [0, 1])

    def test_expert(self):
        for rule in range(len(sl.RULES)):
            for loss in (0, 0.05):
                s = sl.scenario(50e6, 0.04, duration=30, loss=loss, rule=rule)
                r, *_ = sl.run(s, gains=sl.GAINS)
                self.assertGreater(r.utilisation, 0.97, (rule, loss))
                self.assertLess(r.queue_p95_rtt, 0.3, (rule, loss))


class Agents(unittest.TestCase):
    """The policy in user space, which hears late."""

    def one(self, agent, report, **more):
        s = sl.scenario(100e6, 0.005, duration=3, agent=agent, report=report,
                        steps=[(0.3 * i, 1e6 * (100, 20)[i % 2]) for i in range(1, 10)], **more)
        return sl.run(s, nw.read(os.path.join(MODELS, "cc.json"))[1], samples=20000)[:2]

    def test_early_reports_cost_nothing(self):
        """After each interval, all agents do about as well as the kernel."""
        kernel = self.one(sl.AGENT_NONE, 0)[0]
        for agent in (sl.AGENT_NEWEST, sl.AGENT_EACH, sl.AGENT_OWNS):
            agents = self.one(agent, 0)[0]
            self.assertAlmostEqual(agents.goodput[0] / kernel.goodput[0], 1, delta=0.2)

    def test_late_reports_cost(self):
        kernel, owns = (self.one(agent, 0.1)[0] for agent in (sl.AGENT_NONE, sl.AGENT_OWNS))
        self.assertLess(owns.goodput[0], 0.9 * kernel.goodput[0])
        self.assertGreater(owns.lost[0] / owns.sent[0], 2 * kernel.lost[0] / kernel.sent[0])

    def test_questions(self):
        """Each is answered; or one a report, the newest."""
        each, newest = (self.one(agent, 0.1)[0] for agent in (sl.AGENT_EACH, sl.AGENT_NEWEST))
        self.assertLessEqual(newest.decisions, 30)
        self.assertGreater(each.decisions, 5 * newest.decisions)

    def test_rate_stays_between_reports(self):
        """Whoever owns the rate changes it with a report only."""
        report = 0.1
        rows = self.one(sl.AGENT_OWNS, report, loss=0.01)[1]
        start = rows[0].time
        times = {round((row.time - start) / report, 6) % 1 for row in rows}
        self.assertGreater(len(rows), 100)
        self.assertEqual(times, {0.0})

    def test_timeout_is_reported_at_once(self):
        """A path that delivers nothing for a while: the flow goes on before the next report."""
        s = sl.scenario(10e6, 0.02, duration=20, loss=0.5, agent=sl.AGENT_OWNS, report=5)
        self.assertGreater(sl.run(s, NOTHING)[0].sent[0], 100)

    def test_nonsense_is_refused(self):
        for agent, report in ((4, 0), (-1, 0), (1, -1), (1, math.nan)):
            with self.assertRaises(sl.SimError):
                self.one(agent, report)


class Sameness(unittest.TestCase):
    def test_threads_make_no_difference(self):
        scenarios = [sl.draw(i) for i in range(40)]
        policies = [some_network(seed=1), some_network(seed=2)]
        one, two = (sl.batch(scenarios, policies, threads=n) for n in (1, 2))
        self.assertEqual(one.tobytes(), two.tobytes())
        self.assertNotEqual(one[0].tobytes(), one[1].tobytes())

    def test_seed_decides(self):
        a, b, c = (bytes(sl.draw(seed)) for seed in (7, 7, 8))
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_draws_stay_in_range(self):
        kinds, noises = set(), set()
        for seed in range(500):
            s = sl.draw(seed, True)
            n = int(s.n_flows)
            for rate in s.step_rate[:int(s.n_steps)]:
                self.assertTrue(0.999e6 <= rate <= 1.001e9)
            self.assertTrue(0.15e-3 <= min(f.rtt for f in s.flow[:n]))
            self.assertTrue(max(f.rtt for f in s.flow[:n]) <= 1.2)
            self.assertTrue(0 <= s.loss <= 0.1)
            for name, most in (("jitter", 0.02), ("stall", 0.3), ("stall_every", 5), ("thin", 8)):
                value = getattr(s, name)
                self.assertTrue(0 <= value <= most, name)
                if value:
                    noises.add(name)
            self.assertAlmostEqual(sum(s.preferences), 1)
            kinds.add((sum(f.kind == sl.LITEFLOW for f in s.flow[:n])))
        self.assertTrue(set(range(1, 9)) < kinds)
        self.assertLessEqual(max(kinds), 32)
        self.assertEqual(noises, {"jitter", "stall", "stall_every", "thin"})

    def test_preferences_of_flows(self):
        """Drawn for all or for each, for those that have any; what a flow has of its own, counts."""
        own = [any(sum(f.preferences) for f in s.flow[:int(s.n_flows)])
               for s in (sl.draw(seed, True) for seed in range(200))]
        self.assertTrue(20 < sum(own) < 80, sum(own))
        self.assertFalse(any(sum(f.preferences) for seed in range(50)
                             for f in sl.draw(seed).flow))
        params = nw.read(os.path.join(MODELS, "cc_pref.json"))[1]

        def goodput(first, second, **more):
            s = sl.scenario(50e6, 0.02, bdps=2, duration=20, flows=[sl.LITEFLOW] * 2, **more)
            for f, weights in zip(s.flow, (first, second)):
                f.preferences[:] = weights
            return list(sl.run(s, params, preferences=True)[0].goodput[:2])

        fast, slow = (0.8, 0.1, 0.1), (0.1, 0.8, 0.1)
        self.assertEqual(goodput(fast, fast), goodput(fast, fast))
        self.assertGreater(goodput(fast, slow)[0], goodput(slow, fast)[0])
        # more extreme ones count as these
        self.assertEqual(goodput((1, 0, 0), (0, 1, 0)), goodput(fast, slow))
        # nothing of its own: the scenario's
        third = (1 / 3,) * 3
        self.assertEqual(goodput((0, 0, 0), (0, 0, 0)), goodput(third, third))

    def test_preferences_leave_others_their_share(self):
        """Two flows that want different things: each has at least half of its fair share."""
        params = nw.read(os.path.join(MODELS, "cc_pref.json"))[1]
        wants = (0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8), (1 / 3,) * 3
        links = (50e6, 0.04, 1), (20e6, 0.03, 2)
        starts = 4, 5, 6        # who comes later, and when, is chance
        for pair in itertools.permutations(wants, 2):
            for rate, rtt, bdps in links:
                runs = [sl.scenario(rate, rtt, bdps, duration=60, flows=[sl.LITEFLOW] * 2,
                                    stagger=stagger) for stagger in starts]
                for s in runs:
                    for f, weights in zip(s.flow, pair):
                        f.preferences[:] = weights
                late = sl.batch(runs, [params])["late"][0][:, :2]
                share = 2 * min(late.mean(0)) / (rate * sl.MSS / sl.WIRE)
                self.assertGreater(share, 0.5, (pair, rate))

    def test_score_of_others(self):
        """Where no flow is liteflow's, the score is that of the first one's kind."""
        s = sl.scenario(50e6, 0.04, bdps=4, duration=60, flows=[sl.RENO, sl.RENO], stagger=5)
        reno = sl.run(s, NOTHING)[0]
        self.assertTrue(-1.5 < reno.score < -0.05, reno.score)
        self.assertGreater(reno.queue_p95_rtt, 1)
        self.assertEqual(sl.run(fixed(6e6, 10e6), NOTHING)[0].utility, 0)

    def test_command_and_library(self):
        out = subprocess.run([CCSIM, "--draw", "11"], check=True, capture_output=True).stdout
        r = sl.run(sl.draw(11), gains=sl.GAINS)[0]
        self.assertAlmostEqual(json.loads(out)["score"], r.score, places=6)

    def test_command_refuses(self):
        for args in (["--flows", "bbr"], ["--loss", "-1"], ["--step", "5"], ["--nothing"]):
            run = subprocess.run([CCSIM, *args], capture_output=True, check=False)
            self.assertEqual(run.returncode, 2, args)
            self.assertTrue(run.stderr)


class Network(unittest.TestCase):
    @NEEDS_TORCH
    def test_forward_as_torch(self):
        import torch
        for n_in, linear in itertools.product((N_IN, N_IN + sl.PREFERENCES), (False, True)):
            torch.manual_seed(n_in)
            net = nw.torch_network(n_in, linear)
            rng = np.random.default_rng(1)
            rows = rng.normal(1, 0.3, (200, n_in)).astype(np.float32)
            with torch.no_grad():
                want = net(torch.from_numpy(nw.normalised(rows)))[:, 0].clamp(-4, 4).numpy()
            got = sl.forward(nw.to_raw(nw.from_torch(net)), rows)
            self.assertLess(np.abs(got - want).max(), 5e-4)
            self.assertGreater(want.std(), 0.05)

    def test_text_and_back(self):
        with tempfile.TemporaryDirectory() as d:
            for app, a in nw.APPS.items():
                path, network = os.path.join(d, app), some_network(a.n_in)
                for params in (network, network[:a.n_in + 1]):
                    nw.write(path, app, params, "made up")
                    self.assertEqual(nw.read(path)[0], app)
                    self.assertLess(np.abs(nw.read(path)[1] - params).max(), 1e-6)
            with open(path, "w", encoding="utf-8") as f:
                f.write("{}")
            with self.assertRaises(sl.SimError):
                nw.read(path)

    def test_offsets_and_scales(self):
        """What a file does to inputs and outputs is no other network, to both readers."""
        for n in (N_IN, None):
            params = np.round(some_network()[:n and n + 1] * 1024) / 1024
            net = nw.model("cc", params, "made up")
            for i in net["inputs"]:
                i.pop("offset", None)
            first, last = net["layers"][0], net["layers"][-1]
            for layer, (w, b) in zip(net["layers"], nw.layers(params)):
                # all digits, so that both are equal to the bit
                layer |= {"weights": w.T.tolist(), "bias": b.tolist()}
            with tempfile.TemporaryDirectory() as d:
                paths = [os.path.join(d, name) for name in ("plain", "other")]
                files.save(paths[0], net)
                last["weights"] = (np.array(last["weights"]) * -8).tolist()
                last["bias"] = ((np.array(last["bias"]) - 0.25) * -8).tolist()
                net["outputs"][0] |= {"scale": -8, "offset": 0.25}
                # what is added to an input is taken off before its weight
                first["bias"] = (np.array(first["bias"]) +
                                 0.5 * np.array(first["weights"])[:, 3]).tolist()
                first["weights"] = (np.array(first["weights"]) / 4).tolist()
                for at, i in enumerate(net["inputs"]):
                    i |= {"scale": 4, "offset": 0.5 if at == 3 else 0}
                files.save(paths[1], net)
                for path in paths:
                    self.assertLess(np.abs(nw.read(path)[1] - params).max(), 1e-6)
                one, two = (subprocess.run([CCSIM, "--model", path], check=True,
                                           capture_output=True).stdout for path in paths)
                self.assertEqual(one, two)
                net["outputs"][0]["scale"] = 0
                files.save(paths[1], net)
                with self.assertRaises(sl.SimError):
                    nw.read(paths[1])
                done = subprocess.run([CCSIM, "--model", paths[1]], capture_output=True,
                                      text=True, check=False)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))

    def test_clipped(self):
        for a in nw.APPS.values():
            params = some_network(a.n_in)
            nw.layers(params)[0][0][3, 5] = -3 * nw.WEIGHT_MAX
            clipped = nw.clipped(params)
            w, b = nw.layers(clipped)[0]
            self.assertEqual(w[3, 5], -nw.WEIGHT_MAX)
            self.assertEqual(np.abs(w).max(), nw.WEIGHT_MAX)
            rest = np.ones(len(params), bool)
            rest[3 * 32 + 5] = rest[a.n_in * 32 + 5] = False
            np.testing.assert_array_equal(clipped[rest], params[rest])
            usual = np.array([[1 / 3] * (a.n_in % 10) + [0, 1, 1] * 10], dtype=np.float32)
            np.testing.assert_allclose(sl.forward(clipped, usual), sl.forward(params, usual),
                                       atol=1e-4)

    def engine(self, path, rows):
        """What the kernel's engine answers to rows."""
        blob = os.path.join(self.dir.name, "model.lfm")
        subprocess.run([LFCTL, "model", "pack", path, "-o", blob], check=True,
                       capture_output=True)
        text = "\n".join(" ".join(str(v) for v in r)
                         for r in np.rint(rows * 65536).astype(np.int64))
        out = subprocess.run([LFCTL, "model", "run", blob, "-"], input=text.encode(),
                             check=True, capture_output=True).stdout.decode()
        return np.array([int(line.split()[-1]) for line in out.strip().split("\n")]) / 65536

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def compare(self, path, most, mean):
        app, params = nw.read(path)
        rows = np.concatenate([
            sl.run(sl.draw(seed, app == "cc_pref"), params=params, rows=300)[2]
            for seed in range(900, 920)])[:, :-1]
        self.assertGreater(len(rows), 1000)
        error = np.abs(self.engine(path, rows) - sl.forward(params, rows))
        self.assertLess(error.max(), most)
        self.assertLess(error.mean(), mean)

    def test_engine_as_float(self):
        path = os.path.join(self.dir.name, "some.json")
        nw.write(path, "cc", some_network(), "made up")
        self.compare(path, 0.01, 0.002)

    def test_shipped_models(self):
        paths = sorted(glob.glob(os.path.join(MODELS, "*.json")))
        self.assertIn("cc.json", [os.path.basename(p) for p in paths])
        for path in paths:
            app, params = nw.read(path)
            with open(path, encoding="utf-8") as f:
                net = json.load(f)
            want = nw.model(app, params, "")
            for key in ("units", "inputs", "outputs"):
                self.assertEqual(net[key], want[key], key)
            self.assertIn("seed", net["provenance"])
            self.compare(path, 0.15, 0.01)

    def test_shipped_model_controls(self):
        params = nw.read(os.path.join(MODELS, "cc.json"))[1]
        scenarios = [sl.draw((1 << 42) + i) for i in range(150)]
        constant = np.zeros_like(params)
        model, nothing, expert = sl.batch(scenarios, [params, constant], gains=[sl.GAINS])
        # more than half of the way from who does nothing to who knows the answer
        self.assertGreater(model["score"].mean(),
                           (nothing["score"].mean() + expert["score"].mean()) / 2)
        alone = [i for i, s in enumerate(scenarios) if s.n_flows == 1 and s.n_steps == 1]
        self.assertGreater(np.median(model["utilisation"][alone]), 0.94)
        self.assertLess(np.median(model["queue_p95_rtt"][alone]), 1)
        many = [i for i, s in enumerate(scenarios) if s.n_flows > 2 and not s.flow[1].kind]
        self.assertGreater(np.median(model["jain"][many]), 0.9)


class Aurora(unittest.TestCase):
    """The public weights: the float actions that are known of them."""

    STATES = (((0, 1, 1), 0.588), ((0, 1, 1.1), 0.201), ((0, 1.1, 1.1), -0.043),
              ((0, 1.5, 1), -0.604), ((0, 2, 1), -1.344), ((0, 3, 1.5), -2.756),
              ((-0.05, 1, 1), 1.738), ((0.05, 1, 1), -0.593))

    def test_actions(self):
        if not os.path.exists(AURORA):
            self.skipTest(f"no {AURORA}")
        tool = os.path.join(sl.TOP, "liteflow", "tests", "aurora-json")
        net = json.loads(subprocess.run(["/usr/bin/python3", tool, AURORA], check=True,
                                        capture_output=True).stdout)
        params = []
        for la in net["layers"]:
            params += [np.array(la["weights"]).T.ravel(), np.array(la["bias"])]
        params = np.concatenate(params).astype(np.float32)
        for state, want in self.STATES:
            row = np.array([state * sl.HISTORY], dtype=np.float32)
            x = row[0].astype(float)
            for i, (w, b) in enumerate(nw.layers(params)):
                x = x @ w + b
                x = np.tanh(x) if i < 2 else x
            self.assertAlmostEqual(x[0], want, delta=0.002, msg=state)
            got = sl.forward(params, row)[0]
            self.assertAlmostEqual(got, max(want, -4), delta=0.002, msg=state)


class Training(unittest.TestCase):
    SHORT = ["--imitate", "12", "--rounds", "1", "--pairs", "8", "--scenarios", "12",
             "--validate", "60", "--every", "4", "--date", "today"]

    def train(self, d, name, generations, *more):
        path = os.path.join(d, name + ".json")
        subprocess.run([sys.executable, os.path.join(sl.HERE, "train"), "-o", path,
                        "--generations", str(generations), *self.SHORT, *more], check=True,
                       capture_output=True)
        return path

    @NEEDS_TORCH
    def test_improves_repeats_and_goes_on(self):
        with tempfile.TemporaryDirectory() as d:
            a, b = (self.train(d, name, 12) for name in "ab")
            with open(a, "rb") as f, open(b, "rb") as g:
                self.assertEqual(f.read(), g.read())
            scenarios = [sl.draw((1 << 42) + i) for i in range(200)]
            imitation = self.train(d, "c", 0)
            first, trained = sl.batch(scenarios, [nw.read(p)[1] for p in (imitation, a)])[
                "score"].mean(1)
            self.assertGreater(trained, first + 0.02)
            # ended after four, and started again with the state that they left
            self.train(d, "f", 4)
            resumed = nw.read(self.train(d, "f", 20))[1]
            self.assertGreater(sl.batch(scenarios, [resumed])["score"].mean(), first + 0.02)
            same = self.train(d, "e", 0, "--start", a)
            self.assertLess(np.abs(nw.read(same)[1] - nw.read(a)[1]).max(), 1e-5)
            other = self.train(d, "d", 0, "--seed", "2")
            self.assertFalse((nw.read(imitation)[1] == nw.read(other)[1]).all())

    def test_refuses(self):
        for args in ([], ["-o", "/nowhere/x.json"], ["-o", "x", "--pairs", "0"]):
            run = subprocess.run([sys.executable, os.path.join(sl.HERE, "train"), *args],
                                 capture_output=True, check=False)
            self.assertEqual(run.returncode, 2, args)

    def answers_changed(self, params, names):
        """Whether it makes a difference what the inputs @names (of nw.MASKS) are."""
        rng = np.random.default_rng(1)
        rows = np.array([0, 1, 1] * sl.HISTORY, dtype=np.float32) + rng.normal(
            0, 0.2, (50, N_IN)).astype(np.float32)
        other = rows + (1 - nw.mask(N_IN, names)) * rng.normal(0, 0.2, (50, N_IN))
        return (sl.forward(params, rows) != sl.forward(params, other)).any()

    @NEEDS_TORCH
    def test_without_some_inputs(self):
        with tempfile.TemporaryDirectory() as d:
            for names, more in ((["send"], []), (["history", "ratio"], ["--linear"])):
                path = self.train(d, names[0], 4, *more, *(f"--without={n}" for n in names))
                params = nw.read(path)[1]
                self.assertEqual(sl.shape(params), (N_IN, bool(more)))
                self.assertFalse(self.answers_changed(params, names), names)
                self.assertTrue(self.answers_changed(params, ["inflation"]), names)
                with open(path, encoding="utf-8") as f:
                    self.assertIn(f"Without {', '.join(names)}", json.load(f)["provenance"])
                subprocess.run([LFCTL, "model", "pack", path, "-o", os.path.join(d, "x.lfm")],
                               check=True, capture_output=True)
            # what a run left is not another one's beginning
            run = subprocess.run([sys.executable, os.path.join(sl.HERE, "train"), "-o",
                                  os.path.join(d, "send.json"), *self.SHORT],
                                 capture_output=True, check=False)
            self.assertEqual((run.returncode, run.stderr.count(b"\n")), (1, 1))
            self.assertIn(b"--without send", run.stderr)

    def test_masks(self):
        for n_in in (N_IN, N_IN + sl.PREFERENCES):
            first = n_in - N_IN
            for name in nw.MASKS:
                left_out = np.flatnonzero(nw.mask(n_in, [name]) == 0) - first
                want = range(N_IN - sl.FEATURES) if name == "history" else \
                    range(nw.NAMES.index(name), N_IN, sl.FEATURES)
                self.assertEqual(list(left_out), list(want), name)
        self.assertEqual(nw.mask(N_IN, nw.NAMES).sum(), 0)

    def test_unknown_input(self):
        run = subprocess.run([sys.executable, os.path.join(sl.HERE, "train"), "-o", "x",
                              "--without", "nothing"], capture_output=True, check=False)
        self.assertEqual(run.returncode, 2)
        said = [line for line in run.stderr.decode().split("\n") if "error" in line]
        self.assertEqual(len(said), 1)
        self.assertIn("nothing", said[0])

    def untrained(self, path, *args):
        return subprocess.run([sys.executable, os.path.join(sl.HERE, "untrained"), "-o", path,
                               *args], capture_output=True, check=False)

    def test_untrained(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "x.json")
            rows = np.random.default_rng(1).normal(1, 0.5, (20, N_IN))
            made = []
            for args in (["--constant", "-0.5"], ["--best-constant", "--validate", "20"],
                         ["--random", "1"], ["--random", "2"], ["--random", "1"]):
                self.assertEqual(self.untrained(path, *args).returncode, 0, args)
                params = nw.read(path)[1]
                self.assertEqual(sl.shape(params), (N_IN, False))
                subprocess.run([LFCTL, "model", "pack", path, "-o", os.path.join(d, "x.lfm")],
                               check=True, capture_output=True)
                made.append(sl.forward(params, rows))
            self.assertTrue((made[0] == -0.5).all())
            self.assertEqual(made[1].std(), 0)
            self.assertGreater(made[2].std(), 0.05)
            self.assertFalse((made[2] == made[3]).all())
            self.assertTrue((made[2] == made[4]).all())
            for args in ([], ["--constant", "5"], ["--constant", "nan"], ["--random", "-1"],
                         ["--constant", "0", "--random", "1"]):
                self.assertEqual(self.untrained(path, *args).returncode, 2, args)

    def test_evaluate(self):
        with tempfile.TemporaryDirectory() as d:
            out = os.path.join(d, "out.json")
            run = subprocess.run([sys.executable, os.path.join(sl.HERE, "evaluate"), "-n", "3",
                                  "--json", out], capture_output=True, check=True)
            self.assertIn("several flows", run.stdout.decode())
            with open(out, encoding="utf-8") as f:
                figures = json.load(f)["figures"]
            self.assertTrue(0 < figures["one flow"]["utilisation"][0] <= 100)


if __name__ == "__main__":
    unittest.main()
