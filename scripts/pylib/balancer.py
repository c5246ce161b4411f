# SPDX-License-Identifier: GPL-2.0
"""What balancing takes: every call of sched_balance_rq(), by the function graph tracer.

The tracer is set on that one function, so it takes the time at entry and at return
(clock: local, the TSC) and nothing lies between but the function itself.

With qemu/start.sh --icount the clock counts instructions, those of all the CPUs, which
take turns on one host thread. A call whose CPU had to give way has the others'
instructions in it: it is longer than any call, and counts as one of mean length.
"""
import re
import subprocess
import time

from . import guest
from .errors import Problem
from .guest import TRACING, write_text

FUNCTION = "sched_balance_rq"
CALL = re.compile(r"^\s*\d+\)\s+(?:[!+#@*$]\s*)?([\d.]+) us\s+\|\s+\S*sched_balance_rq\S*\(\);\s+"
                  r"/\* = 0x([0-9a-f]+) \*/", re.M)
NS_PER_INSTRUCTION = 4      # qemu/start.sh --icount
CUT_US = 300                # 75,000 instructions: two hundred decisions, and more


def parse(text):
    """[(us, tasks moved)] of the calls in a trace"""
    return [(float(us), int(moved, 16)) for us, moved in CALL.findall(text)]


def total(calls):
    """(us of all calls, calls that were cut), the cut ones as long as the others' mean"""
    whole = [us for us, _ in calls if us < CUT_US]
    cut = len(calls) - len(whole)
    return (sum(whole) * len(calls) / len(whole) if whole else None), cut


def metrics(calls, counted):
    """What balancing took during one part of a measurement, for its JSON."""
    us, cut = total(calls)
    out = {"balance_calls": len(calls), "balance_calls_cut": cut}
    if us is not None:
        out.update({"balance_instructions": round(us * 1000 / NS_PER_INSTRUCTION)} if counted
                   else {"balance_ms": us / 1000})
    return out


class Tracer:
    def __enter__(self):
        names = guest.read_text(TRACING / "available_filter_functions")
        names = [name for name in names.split() if re.fullmatch(FUNCTION + r"(\.\w+)*", name)]
        if len(names) != 1:
            raise Problem(f"{FUNCTION} is {len(names)} times in available_filter_functions, "
                          "not once: this is not a 6.12 kernel, or it was inlined")
        if "function_graph" not in guest.read_text(TRACING / "available_tracers").split():
            raise Problem("the kernel needs CONFIG_FUNCTION_GRAPH_TRACER")
        if not (TRACING / "options" / "funcgraph-retval").exists():
            raise Problem("the kernel needs CONFIG_FUNCTION_GRAPH_RETVAL")
        write_text(TRACING / "tracing_on", "0")
        write_text(TRACING / "current_tracer", "nop")
        write_text(TRACING / "trace_clock", "local")
        write_text(TRACING / "set_ftrace_filter", names[0])
        write_text(TRACING / "buffer_size_kb", "8192")
        write_text(TRACING / "current_tracer", "function_graph")
        for option in ("funcgraph-retval", "funcgraph-retval-hex"):
            write_text(TRACING / "options" / option, "1")
        enabled = guest.read_text(TRACING / "enabled_functions").split("\n")
        enabled = [line for line in enabled if line.strip()]
        if len(enabled) != 1:
            raise Problem(f"{len(enabled)} functions are traced instead of one: {enabled[:3]}")
        return self

    def __exit__(self, *_):
        write_text(TRACING / "tracing_on", "0")
        write_text(TRACING / "current_tracer", "nop")
        (TRACING / "set_ftrace_filter").write_text("")

    @staticmethod
    def start():
        (TRACING / "trace").write_text("")
        write_text(TRACING / "tracing_on", "1")

    @staticmethod
    def stop(empty=True):
        """The calls since start(): (us, tasks moved), those that moved none on demand."""
        write_text(TRACING / "tracing_on", "0")
        # grep is far faster at dropping the many empty-handed calls.
        grep = subprocess.run(["grep", "-v", "^#" if empty else "= 0x0 \\*/", TRACING / "trace"],
                              capture_output=True, text=True, check=False)
        if grep.returncode not in (0, 1):
            raise Problem(f"cannot read the trace: {grep.stderr.strip()}")
        for path in (TRACING / "per_cpu").glob("cpu*/stats"):
            words = guest.parse_words(path.read_text())
            if int(words["overrun"]):
                raise Problem("the trace buffer overflowed: measure for a shorter time")
        return parse(grep.stdout)

    def record(self, seconds):
        """Returns (us, tasks moved) of the calls that moved any within that time."""
        self.start()
        time.sleep(seconds)
        return [call for call in self.stop(empty=False) if 0 < call[1] < 1 << 20]
