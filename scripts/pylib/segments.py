# SPDX-License-Identifier: GPL-2.0
"""One continuous load, the model off and on in turn under it: A B A B … within one boot."""
import os
import pathlib
import subprocess
import time

from . import guest
from . import loads
from .errors import Problem
from .paths import TOOLS

SETTLE = 0.3    # seconds after a switch that belong to neither side


def add_arguments(parser, load, pairs, segment):
    """Options that all measurements of this kind have."""
    parser.add_argument("--tools", type=pathlib.Path, default=TOOLS,
                        help="folder with jc_sched and the loads' programs (default %(default)s)")
    parser.add_argument("--load", default=load, help="see 'workloads list' (default %(default)s)")
    parser.add_argument("--pairs", type=int, default=pairs,
                        help="A B pairs (default %(default)s)")
    parser.add_argument("--segment", type=float, default=segment, metavar="SECONDS",
                        help="length of a segment (default %(default)s)")
    parser.add_argument("--model", type=pathlib.Path,
                        help="load this one first (jc_sched model load)")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file to write")


def check_arguments(parser, args):
    loads.check_arguments(parser, [args.load], args.segment, "--segment")
    if args.pairs < 2:
        parser.error("--pairs must be at least 2")


def prepare(args):
    """Checks the kernel, loads the model, and returns the kernel's facts."""
    mode = guest.jc_state().get("mode")
    if mode != "toggle":
        raise Problem(f"this kernel's mode is '{mode}': only toggle has the stock code as the "
                      "other side")
    if args.model:
        guest.load_model(args.tools, args.model)
    dice = guest.stop_dice()
    guest.reset_jc_stats()
    return {**guest.kernel_facts(), "ni_random": dice}


class Load:
    """The load, from its start to the end of the block."""

    def __init__(self, args, seconds):
        self.name = args.load
        self.command = [guest.WORKLOADS, "run", args.load, str(round(seconds))]
        self.environment = dict(os.environ, JC_TOOLS=str(args.tools))

    def __enter__(self):
        # The load is the leader of its own process group.
        self.process = subprocess.Popen(self.command, env=self.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        time.sleep(3)
        self.check()
        return self

    def check(self):
        if self.process.poll() is not None:
            raise Problem(f"the load {self.name} ended by itself, "
                          f"status {self.process.returncode}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            subprocess.run(["kill", "-TERM", "--", f"-{self.process.pid}"], check=False)
            self.process.wait()


def alternate(args, load, what):
    """Yields (pair, word) right after switching to word, SETTLE later; then off again."""
    begin = time.monotonic()
    try:
        for pair in range(args.pairs):
            print(f"[{pair + 1}/{args.pairs}] {what} … {time.monotonic() - begin:.0f} s elapsed",
                  flush=True)
            for word in ("off", "on"):
                guest.switch(args.tools, word)
                time.sleep(SETTLE)
                yield pair, word
                load.check()
    finally:
        guest.switch(args.tools, "off")
