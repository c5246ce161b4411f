#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks of the loads' split, of the evaluation's parsers and of the report; runs anywhere."""
import contextlib
import io
import pathlib
import subprocess
import tempfile
import unittest

from pylib import agreement
from pylib import balancer
from pylib import loads
from pylib import programs
from pylib import rates
from pylib.paths import ROOT
import render

MLLB = ROOT / "mllb"
eval_time, eval_queues, eval_latency = (programs.load(MLLB / "measure" / name)
                                        for name in ("time", "queues", "latency"))

NS_HIST = """# event histogram
#
# trigger info: hist:keys=ns:vals=hitcount:sort=hitcount:size=65536 if ns < 65536 [active]
#

{ ns:        500 } hitcount:          1
{ ns:        100 } hitcount:          2
{ ns:        200 } hitcount:          2

# trigger info: hist:keys=can_migrate:vals=hitcount:sort=hitcount:size=128 if ns >= 65536 [active]
{ can_migrate:          1 } hitcount:          7
"""

FUNCLATENCY = """
     nsecs               : count     distribution
         0 -> 1          : 0        |                                        |
      1024 -> 2047       : 30       |*******************                     |
      2048 -> 4095       : 10       |******                                  |

avg = 1500 nsecs, total: 60000 nsecs, count: 40
"""

RUNQLEN = """
     runqlen       : count     distribution
        0          : 6        |****************************************|
        1          : 2        |*************                           |
"""

class RunTableTest(unittest.TestCase):
    """What `make run` prints of pairs."""
    table = programs.load(MLLB / "report" / "run-table")

    def disagree(self, off, on):
        return self.table.disagree(self.table.differences(off, on))

    def test_disagreement(self):
        self.assertTrue(self.disagree([7.79, 8.67], [7.97, 8.69]))
        self.assertFalse(self.disagree([8.0, 8.1], [9.0, 9.05]))
        # The seeds of a pair are alike: what differs between pairs alone is no disagreement.
        self.assertFalse(self.disagree([8.0, 12.0], [9.0, 13.6]))
        self.assertTrue(self.disagree([8.0, 8.1], [8.0, 12.0]))
        self.assertTrue(self.disagree([8.0, 8.0], [8.4, 7.9]))
        self.assertFalse(self.disagree([8.0], [9.0]))
        self.assertFalse(self.disagree([], [9.0, 9.1]))
        self.assertFalse(self.disagree([8.0, 8.0], [8.0, 8.0]))
        self.assertEqual(self.table.differences([0, 4], [3, 5]), [0.25])

    def lines(self, makespans, **more):
        keys = ("rq_wait_ms", "lb_calls", "hot_gained", "numa_hint_faults",
                *(f"migrations_{name}{where}" for name in (
                    "total", "balance", "active", "wakeup", "numa", "exec_affinity")
                  for where in ("", "_across")))
        phases = [{"label": f"{'AB'[at % 2]}{at // 2 + 1}", "model": ("off", "on")[at % 2],
                   "jc": None, "parts": {"burn-mixed": {
                       **dict.fromkeys(keys, 0), "bogo_per_s": {}, "load_wait_ms": 1000,
                       "load_makespan_ms": value, **more}}}
                  for at, value in enumerate(makespans)]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.table.print_ab({"phases": phases})
        return out.getvalue().splitlines()

    def test_marks(self):
        def makespan(*values):
            return next(line for line in self.lines(values) if "makespan, burn-mixed" in line)
        self.assertTrue(makespan(7790, 7970, 8670, 8690).endswith("+2.3, +0.2 ~"))
        self.assertTrue(makespan(8000, 9000, 8100, 9050).endswith("+12.5, +11.7"))

    def test_what_balancing_took_stands_below_the_makespan(self):
        for key, value, text in (("balance_instructions", 12_300_000, "[million]"),
                                 ("balance_ms", 12.3, "[ms]")):
            lines = self.lines((8000, 9000), **{key: value})
            at = next(i for i, line in enumerate(lines) if "makespan, burn-mixed" in line)
            self.assertIn(text, lines[at + 1])
            self.assertIn("12.30", lines[at + 1])
            self.assertFalse(any("balancer" in line for line in lines[at + 2:]))

    def output(self, function, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            function(*arguments)
        return out.getvalue()

    def test_times_are_instructions_where_the_clock_counts_them(self):
        times = {"off": (10, 400.0), "on": (10, 800.0)}
        self.assertIn("400 ns (10)", self.output(self.table.print_times, times, False))
        text = self.output(self.table.print_times, times, True)
        self.assertIn("instructions per decision", text)
        self.assertIn(" 100 (10)", text)
        self.assertIn("+100 %", text)

    def test_the_method_is_said(self):
        data = {"phases": [{"parts": {"a": {"balance_calls": 7, "balance_calls_cut": 2},
                                      "absent": None}}],
                "ni_random": "off", "irq_time": "y", "clock": "counted"}
        text = self.output(self.table.print_method, data)
        for part in ("counts instructions", "7 calls, of which 2", "NI_RANDOM", "): off",
                     "IRQ_TIME_ACCOUNTING: y"):
            self.assertIn(part, text)
        self.assertNotIn("instructions", self.output(self.table.print_method,
                                                     {**data, "clock": "host"}))

    def test_the_mark_is_explained(self):
        self.assertTrue(any(line.startswith("~: ") for line in self.lines([1000, 2000])))


class BalancerTest(unittest.TestCase):
    """Calls of sched_balance_rq() as the function graph tracer prints them."""
    TRACE = """# tracer: function_graph
#
# CPU  DURATION                  FUNCTION CALLS
# |     |   |                     |   |   |   |
 1)   2.000 us    |  sched_balance_rq(); /* = 0x0 */
 1) + 12.000 us   |  sched_balance_rq.isra.0(); /* = 0x2 */
 0) ! 250.000 us  |  sched_balance_rq(); /* = 0x1 */
 0) # 4012.345 us |  sched_balance_rq(); /* = 0x1 */
 0)   9.000 us    |  something_else(); /* = 0x1 */
"""

    def test_calls(self):
        self.assertEqual(balancer.parse(self.TRACE),
                         [(2.0, 0), (12.0, 2), (250.0, 1), (4012.345, 1)])

    def test_interrupted_calls_count_as_others(self):
        calls = balancer.parse(self.TRACE)
        self.assertEqual(balancer.total(calls), (264.0 * 4 / 3, 1))
        self.assertEqual(balancer.metrics(calls, True), {
            "balance_calls": 4, "balance_calls_cut": 1, "balance_instructions": 88000})
        self.assertEqual(balancer.metrics(calls, False)["balance_ms"], 0.352)

    def test_no_call_is_no_figure(self):
        self.assertEqual(balancer.metrics([], True), {"balance_calls": 0, "balance_calls_cut": 0})
        self.assertNotIn("balance_ms", balancer.metrics([(4000.0, 1)], False))


class SplitTest(unittest.TestCase):
    def test_workloads_and_split_name_the_same_loads(self):
        done = subprocess.run([MLLB / "loads" / "workloads", "list"], capture_output=True, text=True,
                              check=True)
        listed = [line.split()[:3] for line in done.stdout.splitlines()]
        split = loads.read_split()
        self.assertEqual({name: (role, None if pool == "-" else pool)
                          for name, role, pool in listed}, split)
        self.assertEqual(len(listed), len(split))

    def test_every_load_is_in_one_unit_of_its_role(self):
        split = loads.read_split()
        for role in loads.ROLES:
            members = [name for unit in loads.units(role).values() for name in unit]
            self.assertEqual(sorted(members), sorted(loads.names(role)))
        self.assertFalse(set(loads.names("training")) & set(loads.names("held-out")))
        self.assertEqual(len(split),
                         len(loads.names("training")) + len(loads.names("held-out")))

    def test_bad_files_are_refused(self):
        good = "a training\nb held-out p\n"
        loads.parse_split(good)
        for bad in ("a training\n", good + "a held-out\n", good + "c both\n",
                    good + "c training p\n", good + "p training\n", good + "c training p q\n"):
            with self.assertRaises(loads.SplitError, msg=bad):
                loads.parse_split(bad)

    def test_unknown_load_is_wrong_usage(self):
        done = subprocess.run([MLLB / "loads" / "workloads", "run", "none", "1"], capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 2)


class AgreementTest(unittest.TestCase):
    stats = {"both_migrate": 900, "both_refuse": 95, "only_model": 5, "only_stock": 0}

    def test_figures(self):
        seen = agreement.figures(self.stats)
        self.assertEqual((seen["decisions"], seen["migrate"], seen["refuse"], seen["rarer"]),
                         (1000, 900, 100, 100))
        self.assertAlmostEqual(seen["agreement"], 99.5)
        self.assertAlmostEqual(seen["recall_refuse"], 95)
        self.assertAlmostEqual(seen["recall_migrate"], 100)
        self.assertAlmostEqual(seen["recall_min"], 95)
        self.assertAlmostEqual(seen["majority"], 90)
        self.assertLess(seen["agreement_low"], 99.5)

    def test_no_case_is_no_recall(self):
        seen = agreement.figures({"both_migrate": 10})
        self.assertIsNone(seen["recall_refuse"])
        self.assertEqual(seen["recall_min"], 100)
        self.assertIsNone(agreement.figures({})["agreement"])

    def test_wilson(self):
        self.assertEqual(agreement.wilson(0, 0), (0.0, 1.0))
        low, high = agreement.wilson(100, 100)
        self.assertAlmostEqual(low, 0.963, places=3)
        self.assertAlmostEqual(high, 1)
        low, high = agreement.wilson(50, 100)
        self.assertAlmostEqual((low + high) / 2, 0.5)

    def test_enough(self):
        self.assertTrue(agreement.enough(self.stats, 1000, 100))
        self.assertFalse(agreement.enough(self.stats, 1001, 100))
        self.assertFalse(agreement.enough(self.stats, 1000, 101))

    def test_worst(self):
        data = {"units": {"a": {"stats": self.stats, "thin": False},
                          "b": {"stats": {"both_migrate": 1}, "thin": True}}}
        worst, thin = agreement.worst(data)
        self.assertAlmostEqual(worst["agreement"], 99.5)
        self.assertAlmostEqual(worst["recall"], 95)
        self.assertEqual(thin, ["b"])


class ParserTest(unittest.TestCase):
    def test_times(self):
        counts, too_long = eval_time.parse_hist(NS_HIST)
        self.assertEqual((counts, too_long), ({500: 1, 100: 2, 200: 2}, 7))
        self.assertEqual(eval_time.median(counts), 200)
        self.assertAlmostEqual(eval_time.mean(counts), 220)
        with self.assertRaises(eval_time.Problem):
            eval_time.parse_hist(NS_HIST + "\nTotals:\n    Hits: 9\n    Dropped: 2\n")

    def test_few_decisions_are_refused(self):
        with self.assertRaises(eval_time.Problem):
            eval_time.summary([{"off": ({1: 1}, 0), "on": ({1: 1}, 0)}] * 3)

    def test_histograms(self):
        first = eval_latency.parse_histogram(FUNCLATENCY.splitlines())
        self.assertEqual(first["counts"][1:], [[1024, 2047, 30], [2048, 4095, 10]])
        self.assertEqual(eval_latency.mean_of(first), 1500)
        self.assertAlmostEqual(eval_latency.quantile(first["counts"], 0.5), 1024 + 1024 * 20 / 30)
        linear = eval_latency.parse_histogram(RUNQLEN.splitlines())
        self.assertEqual(linear["counts"], [[0, 0, 6], [1, 1, 2]])
        self.assertAlmostEqual(eval_latency.mean_of(linear), 0.25)
        self.assertEqual(eval_latency.total(eval_latency.merge([linear, linear])), 16)
        for text in (FUNCLATENCY, RUNQLEN):
            self.assertTrue(any(eval_latency.HEAD.match(line) for line in text.splitlines()))

    def test_samples_go_to_their_side(self):
        samples = eval_queues.read_samples(
            ["ns,cpu0,cpu1", *(f"{ns},{ns % 3},0" for ns in range(0, 100, 5))])
        pairs = eval_queues.cut(samples, [(0, "off", 0, 10), (0, "on", 20, 30),
                                          (1, "off", 50, 60), (1, "on", 95, 200)])
        self.assertEqual(pairs, [{"off": [(0, 0), (2, 0)], "on": [(2, 0), (1, 0)]},
                                 {"off": [(2, 0), (1, 0)], "on": [(2, 0)]}])

    def test_no_samples_is_a_problem(self):
        with self.assertRaises(eval_queues.Problem):
            eval_queues.read_samples([])

    def test_queue_figures(self):
        out = eval_queues.summary([{"off": [(0, 2)] * 20, "on": [(1, 1)] * 20}] * 2)
        self.assertEqual(out["figures"]["imbalance"]["off"]["value"], 2)
        self.assertEqual(out["figures"]["imbalance"]["on"]["value"], 0)
        self.assertEqual(out["figures"]["wasted"]["off"]["value"], 100)
        self.assertEqual(out["off"]["lengths"], {0: 40, 2: 40})


class ReportTest(unittest.TestCase):
    def write(self, results, experiments):
        with tempfile.TemporaryDirectory() as name:
            out = pathlib.Path(name)
            report = render.Report(results, False, experiments, out)
            figures, missing = report.write()
            return figures, missing, (out / "report.md").read_text()

    @staticmethod
    def part(data):
        kernel = {"release": "6.12", "cpus": 8, "nodes": 2, "migration_cost_us": 5000,
                  "state": {"mode": "test", "model": "m", "model_checksum": "0x1"}}
        return {**data, "kernel": kernel}, {"identity": {"command": ["mllb/x", "--y"]}}

    def acc(self, **stats):
        stats = {"both_migrate": 9000, "both_refuse": 1000, "only_model": 0, "only_stock": 0,
                 **stats}
        return {f"acc-{name}": self.part({
            "wanted": {"decisions": 5000, "rarer": 500},
            "units": {name: {"stats": stats, "thin": False, "loads": {
                member: stats for member in members}}}})
            for name, members in loads.units("held-out").items()}

    def test_nothing_measured_is_said(self):
        figures, missing, _ = self.write({}, {})
        self.assertEqual([line.split()[0] for line in figures], [
            "jc_agreement_heldout_min", "jc_recall_heldout_min", "jc_outcome_makespan",
            "jc_outcome_crossnode", "jc_guard_worst"])
        self.assertTrue(all("not-measured" in line for line in figures))
        self.assertTrue(missing)

    def test_figures(self):
        same = {"value": 1.0, "low": 0.9, "high": None, "n": 8}
        figures, _, text = self.write(self.acc(), {
            "outcome": {"makespan_percent_worst_upper": 0.5, "crossnode_fewer_percent_min": 30,
                        "candidate": "c", "comparisons": {"c": {"R 2 M 0": {"stock": {
                            "rounds": 8, "makespan": same, "each": {"l": same}, "cv": {"l": 0.1},
                            "crossings": None, "p99": same, "samples": 12345}}}}},
            "guard": {"guard_worst_percent": 4, "rows": [
                {"load": "l", "side": side, "guarded": True, "makespan": same, "text": "+1 %",
                 "trips_per_run": 2.5, "guarded_share": 0.5, "stock_cv": 0.01}
                for side in ("stock", "yes")]}})
        self.assertEqual(figures, [
            "jc_agreement_heldout_min 100.000 percent", "jc_recall_heldout_min 100.000 percent",
            "jc_outcome_makespan 0.50 percent", "jc_outcome_crossnode 30.00 percent",
            "jc_guard_worst 4.00 percent"])
        for part in ("mllb/x --y", "| R 2 M 0 | stock | 8 |", "12,345", "| l | yes | on | +1 % | 2.5 |"):
            self.assertIn(part, text)

    def test_one_load_that_was_not_measured_leaves_no_minimum(self):
        parts = self.acc()
        del parts["acc-burn-gather"]
        figures, missing, _ = self.write(parts, {})
        self.assertIn("not-measured", figures[0])
        self.assertTrue(any("burn-gather" in line for line in missing))

    def test_a_missed_goal_is_said(self):
        figures, missing, _ = self.write(self.acc(only_model=100), {})
        self.assertEqual(figures[0], "jc_agreement_heldout_min 99.010 percent")
        self.assertTrue(any("jc_agreement_heldout_min is below" in line for line in missing))

    def test_rates_table(self):
        lines = rates.table([{"kernel": {"migration_cost_us": 500}, "loads": {
            "messaging": {"seconds": 10, "decisions": 400, "refused": 4, "forced": 0}}}])
        self.assertEqual(len(lines), 2 + len(loads.read_split()))
        self.assertTrue(any("`messaging`" in line and "| 40 | 1.0 % |" in line
                            for line in lines))

    def test_parts_are_listed(self):
        for words, acc in (([], "acc-messaging-threads"), (["--quick"], "acc-all")):
            done = subprocess.run([MLLB / "report" / "report", "--list", *words], capture_output=True,
                                  text=True, check=True)
            for name in (acc, "ab", "latency"):
                self.assertIn(f"\n{name} ", "\n" + done.stdout)


if __name__ == "__main__":
    unittest.main()
