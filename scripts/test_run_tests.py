#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of scripts/run-tests, with plans of their own."""
import contextlib
import io
import os
import pathlib
import tempfile
import time
import unittest

from pylib import programs

HERE = pathlib.Path(__file__).resolve().parent
rt = programs.load(HERE / "run-tests")


class PlanTest(unittest.TestCase):
    PLAN = """
# a comment
change a build 1 : true
change b step 1 a : echo \\
	two lines
full   c ktap 2 b : true
full   d step 1 : true
"""

    def test_reads(self):
        steps = rt.parse_plan(self.PLAN)
        self.assertEqual(list(steps), ["a", "b", "c", "d"])
        self.assertEqual(steps["b"].command, "echo two lines")
        self.assertEqual((steps["c"].kind, steps["c"].cores, steps["c"].needs), ("ktap", 2, ["b"]))

    def test_choice_pulls_in_what_is_needed(self):
        steps = rt.parse_plan(self.PLAN)
        self.assertEqual(list(rt.choose(steps, "change", None)), ["a", "b"])
        self.assertEqual(list(rt.choose(steps, "full", None)), ["a", "b", "c", "d"])
        self.assertEqual(list(rt.choose(steps, "change", "^c$")), ["a", "b", "c"])

    def test_refuses(self):
        for plan, why in (("change a build 1 true", "expected"),
                          ("later a build 1 : true", "tier"),
                          ("change a build many : true", "number"),
                          ("change a build 1 b : true", "must come before"),
                          ("change a build 1 : true\nfull a build 1 : true", "twice")):
            with self.assertRaisesRegex(rt.PlanError, why):
                rt.parse_plan(plan)
        with self.assertRaisesRegex(rt.PlanError, "no step matches"):
            rt.choose(rt.parse_plan(self.PLAN), "change", "nothing")
        with self.assertRaisesRegex(rt.PlanError, "not a regular"):
            rt.choose(rt.parse_plan(self.PLAN), "change", "(")

    def test_the_plan_of_the_repository(self):
        steps = rt.parse_plan(rt.PLAN.read_text(encoding="utf-8"))
        for step in rt.choose(steps, "change", None).values():
            self.assertEqual(step.tier, "change", f"{step.name} is needed by a change")


class RunTest(unittest.TestCase):
    def run_plan(self, plan, deadline=0, cores=2):
        """(status, output, steps) of a plan."""
        with tempfile.TemporaryDirectory() as tmp:
            rt.LOGS, said = pathlib.Path(tmp), io.StringIO()
            steps = rt.parse_plan(plan)
            with contextlib.redirect_stdout(said):
                status = rt.Runner(steps, cores, deadline).run()
        return status, said.getvalue(), steps

    def last(self, plan, **options):
        return self.run_plan(plan, **options)[1].splitlines()[-1]

    def test_counts(self):
        self.assertEqual(self.last("""
change a build 1 : true
change b step 1 : true
change c step 1 : echo not here; exit 4
change d ktap 1 : printf 'TAP version 13\\n1..3\\nok 1 x\\nok 2 y # SKIP no\\nok 3 z\\n'
"""), "3 passed, 0 failed, 2 skipped")

    def test_fails(self):
        plan = """
change a step 1 : echo the reason; exit 3
change b step 1 a : true
change c step 1 b : true
change d ktap 1 : true
change e ktap 1 : printf '1..1\\nok 1 x\\n'; echo a splat; exit 1
change f ktap 1 : printf '1..2\\nok 1 x\\n'
change g build 1 : false
"""
        status, text, steps = self.run_plan(plan)
        self.assertEqual(status, 1)
        self.assertIn("| the reason", text)
        self.assertIn("| a splat", text)
        self.assertIn("not run: c: needs b", text)
        self.assertEqual(steps["e"].state, "failed")
        self.assertEqual(text.splitlines()[-1], "2 passed, 7 failed, 0 skipped")

    def test_deadline_names_what_was_not_run(self):
        begin = time.monotonic()
        status, text, _ = self.run_plan("""
change a step 1 : sleep 60
change b step 1 a : true
""", deadline=1)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(status, 1)
        self.assertIn("not run: b: the deadline", text)
        self.assertEqual(text.splitlines()[-1], "0 passed, 2 failed, 0 skipped")

    def test_cores(self):
        """Two of two cores never run beside another; a step that needs more runs alone."""
        with tempfile.TemporaryDirectory() as folder:
            # each of the two ends when the other one has begun
            meet = "touch {0}/{1}; timeout 60 bash -c 'until [ -e {0}/{2} ]; do sleep 0.1; done'"
            status, _, steps = self.run_plan(f"""
change a step 2 : sleep 0.5
change b step 1 : {meet.format(folder, "b", "c")}
change c step 1 : {meet.format(folder, "c", "b")}
change d step 9 : sleep 0.5
""")
        self.assertEqual(status, 0)
        begin = {name: step.begin for name, step in steps.items()}
        end = {name: step.begin + step.wall for name, step in steps.items()}
        self.assertGreaterEqual(begin["b"], end["a"])
        self.assertGreaterEqual(begin["d"], max(end["b"], end["c"]))

    def test_processor_time(self):
        """That of a grandchild counts, and waiting does not."""
        _, _, steps = self.run_plan("""
change a step 1 : bash -c 'for i in {1..300000}; do :; done'
change b step 1 : bash -c 'sleep 1'
""")
        self.assertGreater(steps["a"].cpu, steps["b"].cpu)

    def test_environment(self):
        self.assertEqual(self.last('change a step 1 : test -d "$BUILD" -o -n "$BUILD"'),
                         "1 passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    os.environ.pop("ONLY", None)
    unittest.main()
