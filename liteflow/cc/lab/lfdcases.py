# SPDX-License-Identifier: GPL-2.0
"""The cases of `lfdlab`: a path that changes twice, and who runs on it."""
import dataclasses

BDP = 1
MINUTES = 20
# Of the scenarios that the reference is trained on: the path as it is.
PATH = {"capacity": [45e6, 55e6], "rtt": [0.036, 0.044], "buffer": [0.8, 1.2],
        "chance_bursts": 0, "chance_jitter": 0, "chance_batches": 0, "chance_slots": 0,
        "chance_stalls": 0, "chance_thin": 0, "chance_policer": 0, "chance_steps": 0,
        "chance_many": 0.2, "flows": [2, 4], "chance_fixed": 0, "chance_window": 0}
LOSSY = PATH | {"chance_loss": 0.8, "loss": [0.01, 0.1]}


@dataclasses.dataclass(frozen=True)
class Case:
    """what: in words. phases: what each third is called. loss: percent in each. rivals: kinds
    of flows that join at the begin of the second and third. swing: seconds in each third after
    which the capacity goes to `low` and back, 0: never. churn: seconds that a flow of its own
    lives, 0: one flow all the time. ranges: of the reference's training. begin: ranges of the
    training of the network that it begins with, none: the shipped one. like: case that has the
    other variants. rule: what answers mean, the module's parameter. minutes: at least so long.
    generations: of a refit, half of them a call, 0: as the options say. more: than `what`, for
    the page."""
    name: str
    what: str
    phases: tuple
    ranges: dict
    policy: str = "follow"
    loss: tuple = (0, 0, 0)
    rivals: tuple = ("", "")
    mbit: float = 50
    rtt_ms: float = 40
    swing: tuple = (0, 0, 0)
    low: float = 0
    variants: tuple = ("refit", "fixed", "reference", "bbr", "cubic")
    churn: int = 0
    begin: dict = None
    like: str = ""
    rule: str = "pull"
    minutes: float = 0
    generations: int = 0
    more: str = ""

    def arguments(self, cc, seconds, seed=1):
        """Of the program `traffic`."""
        third = seconds / 3
        buffer = int(self.mbit * 1e3 * self.rtt_ms / 8 * BDP)
        args = ["--capacity", str(self.mbit), "--rtt", str(self.rtt_ms), "--buffer", str(buffer),
                "--loss", str(self.loss[0]), "--seed", str(seed), "--time", f"{seconds:g}"]
        for at, loss in enumerate(self.loss[1:], 1):
            if loss != self.loss[at - 1]:
                args += ["--noise", f"{at * third:g}:{loss}:0"]
        for at, mbit in self.changes(seconds):
            args += ["--change", f"{at:g}:{mbit:g}:{self.rtt_ms:g}"]
        args += self.flows(cc, seconds)
        args += [f"{kind}:{at * third:.4f}" for at, kind in enumerate(self.rivals, 1) if kind]
        return args

    def flows(self, cc, seconds):
        if not self.churn:
            return [f"{cc}:0.05"]
        # two at a time
        starts = range(0, int(seconds), self.churn // 2)
        return [f"{cc}:{at + 0.05:.2f}:{min(at + self.churn, seconds):.2f}" for at in starts
                if at + 1 < seconds]

    def changes(self, seconds):
        """[(second, Mbit/s)]"""
        out, third = [], seconds / 3
        for phase, every in enumerate(self.swing):
            n = int(third / every) if every else 0
            out += [(phase * third + at * every, self.mbit if at % 2 else self.low)
                    for at in range(n)]
            if n and phase < 2:
                out.append(((phase + 1) * third, self.mbit))
        return out


CASES = {case.name: case for case in (
    Case("loss", "packets are lost at random: 0, 5, 8 %", ("0 %", "5 %", "8 %"),
         LOSSY, loss=(0, 5, 8)),
    Case("unknown", "the same, and the first network was trained for this path with 0 to 2 %",
         ("0 %", "5 %", "8 %"), LOSSY,
         loss=(0, 5, 8), variants=("refit", "fixed"), like="loss",
         begin={**PATH, "chance_loss": 0.8, "loss": [1e-4, 0.02]}),
    Case("rival", "a flow of CUBIC joins, then a second one", ("alone", "1 CUBIC", "2 CUBIC"),
         {**PATH, "chance_window": 0.8, "chance_loss": 0}, rivals=("cubic", "cubic")),
    Case("swing", "the capacity goes to 20 Mbit/s and back, each 4 s, then each 2 s",
         ("100", "100:20 each 4 s", "100:20 each 2 s"),
         {**PATH, "capacity": [40e6, 50e6], "rtt": [0.09, 0.11], "chance_steps": 0.8,
          "step": [0.45, 2.24], "step_every": [15, 50]},
         mbit=100, rtt_ms=100, swing=(0, 4, 2), low=20),
    Case("churn", "as loss, with pins, and flows that come and go each 20 s",
         ("0 %", "5 %", "8 %"), LOSSY,
         policy="pin", loss=(0, 5, 8), churn=40),
    # what the paper adapts: there, nothing but the network knows of loss
    Case("aurora", "as loss, with Aurora's rule, and the first network knew no loss",
         ("0 %", "5 %", "8 %"), LOSSY, loss=(0, 5, 8), rule="aurora",
         variants=("refit", "fixed"), like="loss", begin=PATH | {"chance_loss": 0},
         generations=20,
         more="The module's `rule` is 1: an answer is a fortieth, without a pull, and the inputs "
              "count every loss. The first network is the shipped one after 40 generations with "
              "this rule, on this path without loss. A refit takes 20 generations, 10 a call. "
              "*fixed* and *refit* have that rule; *reference* is that of *loss*, with the usual "
              "rule."),
    Case("idle", "nothing changes for an hour", ("first", "second", "third"), {}, variants=("refit",),
         minutes=60),
)}
