# SPDX-License-Identifier: GPL-2.0
"""Writes the report of mllb/report/report from the parts' JSON files."""
import math
import shlex
import statistics

from pylib import tables as abrows
from pylib import files
from pylib import statistics as st
from pylib.errors import Problem
from pylib.numbers import share_text
from pylib import agreement
from pylib import loads
from pylib import rates

GOAL_AGREEMENT, GOAL_RECALL = 99.5, 99.0
FEW_PAIRS = 5           # fewer give an interval, but no verdict


def table(head, rows, left=1):
    """Markdown; the first `left` columns are text."""
    lines = ["| " + " | ".join(head) + " |",
             "|" + " --- |" * left + " ---: |" * (len(head) - left)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def estimate(data):
    """as_dict() of an Estimate, back again."""
    return st.Estimate(**{key: (-math.inf if key == "low" else math.inf) if value is None
                          else value for key, value in data.items()})


def number(value):
    if value is None or not math.isfinite(value):
        return "-"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def interval(data):
    return f"{number(data['value'])} [{number(data['low'])} … {number(data['high'])}]"


def change(ratio):
    """(text, verdict) of an Estimate of a ratio"""
    if ratio is None:
        return "-", "-"
    return ratio.percent(), st.verdict(ratio) if ratio.n >= FEW_PAIRS else "too few pairs"


class Report:
    def __init__(self, results, quick, experiments, out):
        self.results, self.quick, self.experiments = results, quick, experiments
        self.out, self.lines, self.missing = out, [], []
        try:
            import plots
            self.plots = plots.Plots(out)
        except Problem as error:
            self.plots = None
            self.missing.append(str(error))

    def named(self, prefix):
        return {name: data for name, (data, _) in self.results.items() if name.startswith(prefix)}

    def say(self, *lines):
        self.lines += [*lines, ""]

    def plot(self, name, text, *arguments):
        if self.plots:
            getattr(self.plots, name)(*arguments)
            self.say(f"![{text}]({name}.png)")

    def command(self, *prefixes):
        """The commands that made the parts, as a reader would give them."""
        seen = []
        for name, (_, meta) in self.results.items():
            if name.startswith(prefixes):
                words = meta["identity"]["command"]
                seen.append(shlex.join(words))
        if seen:
            self.say("Made by (in the guest, see `qemu/start.sh`):", "",
                     *(f"    {line}" for line in seen[:8]),
                     *([f"    … and {len(seen) - 8} more of the kind"] if len(seen) > 8 else []))

    # sections

    def head(self):
        kernels = [data["kernel"] for data, _ in self.results.values() if "kernel" in data]
        if self.quick:
            self.say("# JC_SCHED in the guest: a quick cut", "", "**A quick cut: few runs of each, "
                     "short ones. Its figures show that the loop works; they are no results.** "
                     "`make mllb-report` makes the full report.")
        else:
            self.say("# JC_SCHED in the guest")
        self.say("Each section names its commands; the raw figures are in [raw](raw). Where two "
                 "sides are compared, the model was off and on in turn within one boot, a pair "
                 "being one run of each. Intervals are 95 % bootstrap ones over pairs; a "
                 "difference whose interval holds 0 is inside the noise, and called that; of some "
                 "twenty rows that differ in nothing one will look as if it did. "
                 "Where the guest is emulated, times compare with each other, not with "
                 "hardware.")
        if kernels:
            state = next((kernel["state"] for kernel in kernels
                          if kernel["state"].get("mode") == "test"), kernels[0]["state"])
            self.say(*table(("", ""), [
                ("kernel", f"Linux {kernels[0]['release']} with JC_SCHED, "
                           f"{state.get('arithmetic', '?')} point"),
                ("machine", f"{kernels[0]['cpus']} CPUs on {kernels[0]['nodes']} NUMA nodes, "
                            "QEMU"),
                ("model", f"{state.get('model', '?')} ({state.get('model_checksum', '?')})"
                          + (f", loaded from {state['model_from']}" if "model_from" in state
                             else "")),
            ], left=2))

    def training(self):
        if "train" not in self.results:
            return
        self.say("## Training")
        rows = []
        for name, data in self.named("collect-").items():
            rows.append((name, data.get("rows", "-"), data.get("lost", "-")))
        if rows:
            self.say(*table(("recording", "decisions", "lost"), rows))
        self.command("collect-", "train")
        self.say(*(f"    {line}" for line in self.results["train"][0].get("figures", ())))
        for image in sorted((self.out / "training").glob("*.png")):
            self.say(f"![{image.stem}](training/{image.name})")

    def acc(self):
        self.say("## Agreement with the stock code")
        units = loads.units("held-out")
        data = {"units": {}}
        measured = {name: unit for part in self.named("acc-").values()
                    for name, unit in part["units"].items()}
        for name in units:
            if name in measured:
                data["units"][name] = measured[name]
            else:
                self.missing.append(f"agreement of {name} was not measured")
        if not data["units"]:
            self.say("Not measured.")
            return None
        first = next(iter(self.named("acc-").values()))
        wanted = first["wanted"]
        self.say("Unforced decisions of held-out loads that the stock code and the network both "
                 "answered, counted by the TEST kernel. The migration cost was "
                 f"{first['kernel']['migration_cost_us']} us: the scheduler's 500, scaled to a "
                 "slow guest, or hardly a task would be cache-hot. *Majority* is what always "
                 "giving the more frequent answer would reach; *95 % low* the lower end of the "
                 "agreement's interval (Wilson; decisions taken as independent). *Thin*: fewer "
                 f"than {wanted['decisions']:,} decisions or {wanted['rarer']:,} of the rarer "
                 "answer in the time that it had.")
        self.say(*table((*agreement.HEAD, ""), [(*cells, "thin" if thin else "")
                                                for cells, thin in agreement.rows(data)]))
        pools = [name for name, members in units.items() if members != [name]]
        for pool in pools:
            if pool not in data["units"]:
                continue
            self.say(f"Of which, in `{pool}`:")
            self.say(*table(agreement.HEAD, [
                agreement.cells(name, stats)
                for name, stats in data["units"][pool]["loads"].items()]))
        self.plot("agreement", "disagreement by load", data)
        self.command("acc-")
        worst, thin = agreement.worst(data)
        if thin:
            self.missing.append(f"thin: {', '.join(thin)}: too few decisions")
        return worst if len(data["units"]) == len(units) else None

    def times(self):
        parts = self.named("time-")
        self.say("## Time of a decision")
        if not parts:
            self.say("Not measured.")
            self.missing.append("the time of a decision was not measured")
            return
        self.say("Stock: the rule alone. Model: gathering the features and the forward pass. "
                 "Medians over segments of each segment's median and mean.")
        rows = []
        for data in parts.values():
            for name in ("median", "mean"):
                text, verdict = change(estimate(data[name]["ratio"]))
                rows.append((f"`{data['load']}`, {name}", interval(data[name]["stock"]),
                             interval(data[name]["model"]), text, verdict, data["pairs"],
                             f"{share_text(data[name]['cv_stock'])}, "
                             f"{share_text(data[name]['cv_model'])}",
                             f"{data['stock']['judgements']:,}, {data['model']['judgements']:,}"))
        self.say(*table(("load", "stock, ns", "model, ns", "difference", "", "pairs",
                         "coefficients of variation", "decisions"), rows))
        self.plot("time", "time of a decision", parts)
        self.command("time-")

    def latency(self):
        self.say("## Latency")
        data = self.results.get("latency", [None])[0]
        if not data:
            self.say("Not measured.")
            self.missing.append("no latency histograms")
            return
        self.say("By bcc's `funclatency`, `runqlat`, `runqlen` and `cpudist` under "
                 f"`{data['load']}`; the probes' own time is in, on both sides. Medians and "
                 "percentiles are interpolated within the tools' powers of two.")
        rows = []
        for name, tool in data["tools"].items():
            text, verdict = change(tool["ratio"] and estimate(tool["ratio"]))
            rows.append((f"`{name}`, {tool['unit']}",
                         *(f"{number(tool[word]['p50'])}, {number(tool[word]['p99'])}"
                           for word in ("off", "on")),
                         *(number(tool[word]["mean"]["value"]) for word in ("off", "on")),
                         text, verdict, tool["pairs"],
                         f"{share_text(tool['off']['cv'])}, {share_text(tool['on']['cv'])}",
                         f"{tool['off']['events']:,}, {tool['on']['events']:,}"))
        self.say(*table(("what", "off: median, 99 %", "on: median, 99 %", "off: mean",
                         "on: mean", "difference of means", "", "pairs",
                         "coefficients of variation", "events"), rows))
        self.plot("latency", "latency histograms", data)
        self.command("latency")

    def queues(self):
        parts = self.named("queues-")
        self.say("## Run queues and imbalance")
        if not parts:
            self.say("Not measured.")
            self.missing.append("run-queue lengths were not measured")
            return
        hz = next(iter(parts.values()))["hz"]
        self.say("Fair tasks that run or wait on each CPU, all CPUs sampled at the same moment "
                 f"from a timer, {hz} times a second (`build/tools/queues`).")
        rows = []
        for data in parts.values():
            for figure in data["figures"].values():
                text, verdict = change(figure["ratio"] and estimate(figure["ratio"]))
                rows.append((f"`{data['load']}`: {figure['text']}", interval(figure["off"]),
                             interval(figure["on"]), text, verdict, data["pairs"],
                             f"{share_text(figure['cv_off'])}, {share_text(figure['cv_on'])}"))
        self.say(*table(("", "off", "on", "difference", "", "pairs",
                         "coefficients of variation"), rows))
        self.plot("queues", "distribution of run-queue lengths", parts)
        self.plot("imbalance", "largest imbalance over time", parts)
        self.command("queues-")

    def runtimes(self):
        data = self.results.get("ab", [None])[0]
        self.say("## Runtimes, waits and moves by cause")
        if not data:
            self.say("Not measured.")
            self.missing.append("runtimes were not measured")
            return
        pairs = abrows.pairs(data)
        self.say("Medians over the phases of each side. A move by *balance* is what the model "
                 "decides; *wakeup*, *NUMA placement* and *exec, affinity* never ask it.")
        rows, ratios = [], {}
        for label, unit, get in abrows.rows():
            if label.strip() == "decisions by the model":
                break
            both = [(get(off), get(on)) for off, on in pairs]
            both = [pair for pair in both if None not in pair]
            if not both:
                continue
            sides = list(zip(*both))
            ratio = None
            if unit or max(statistics.median(side) for side in sides) >= abrows.FEW:
                ratio = st.compare(*sides) if min(*sides[0], *sides[1]) > 0 else \
                    st.total_ratio(*sides) if sum(sides[0]) else None
            text, verdict = change(ratio)
            name = label.replace("  by", "… by")
            rows.append((name + (f" [{unit}]" if unit else ""),
                         *(number(statistics.median(side)) for side in sides), text, verdict,
                         len(both), ", ".join(share_text(st.cv(side)) for side in sides)))
            if ratio and unit and "makespan" in label:
                ratios[label.partition(", ")[2]] = ratio
        self.say(*table(("", "off", "on", "difference", "", "pairs",
                         "coefficients of variation"), rows))
        total = {}
        for _, on in pairs:
            agreement.add(total, on["jc"] or {})
        self.say(f"With the model on: {total.get('model_asked', 0):,} decisions by it, "
                 f"{total.get('accepted', 0):,} accepted, {total.get('refused', 0):,} refused, "
                 f"{total.get('forced', 0):,} forced after failures, "
                 f"{total.get('fallback', 0):,} by the stock code as fallback.")
        self.plot("runtimes", "makespans with the model against without", ratios)
        self.command("ab")

    def decision_rates(self):
        parts = self.named("rates-")
        if not parts:
            return
        self.say("## Decisions per second of each load", "",
                 "The stock rule decides; counted by the kernel. Loads of some one decision per "
                 "second are too few alone: they count as the pool that "
                 "[split](../../mllb/loads/split) names.")
        self.say(*rates.table(list(parts.values())))
        self.command("rates-")

    def outcome_table(self):
        outcome = self.experiments.get("outcome", {})
        rows = []
        for cost, bases in outcome.get("comparisons", {}).get(outcome.get("candidate"),
                                                              {}).items():
            for base, seen in bases.items():
                cells = [cost, base, seen["rounds"]]
                each = {load: estimate(data) for load, data in seen["each"].items()}
                worst = max(each, key=lambda load: each[load].high)
                for data in (seen["makespan"], seen["each"][worst], seen["crossings"],
                             seen["p99"]):
                    text, verdict = change(data and estimate(data))
                    cells.append(f"{text}, {verdict}")
                cells[4] = f"`{worst}`: {cells[4]}"
                spread = [value for value in seen["cv"].values() if value is not None]
                rows.append((*cells, share_text(max(spread)) if spread else "-",
                             f"{seen['samples']:,}"))
        if rows:
            self.say(f"`{outcome['candidate']}` against each baseline, in turn within one boot. "
                     "**Simulated**: the guest has no distance, so the load charges R times the "
                     "CPU time away from a task's home memory and M us for each move across "
                     "nodes. Crossings: moves across nodes that the balancer made; p99: of the "
                     "tasks' waits.")
            self.say(*table(("cost", "baseline", "rounds", "makespan, geometric mean",
                             "makespan, worst load", "crossings", "p99", "largest CV",
                             "samples of p99"), rows, left=2))
            self.say("Made by:", "", "    mllb/outcome/run")

    def guard_table(self, found):
        """What bad models cost, with the guard and without."""
        rows = [(row["load"], row["side"], "on" if row["guarded"] else "off", row["text"],
                 f"{row['trips_per_run']:.1f}", f"{100 * row['guarded_share']:.1f} %",
                 f"{100 * row['stock_cv']:.1f} %", row["makespan"]["n"])
                for row in found if row["side"] != "stock"]
        if rows:
            self.say("Bad models with the guard off and on, against the stock code, in turn within "
                     "one boot; the guest's clock counts instructions.")
            self.say(*table(("load", "model", "guard", "makespan against stock", "trips a run",
                             "decided by the rule", "CV of stock", "rounds"), rows, left=3))
            self.say("Made by:", "", "    mllb/measure/guard")

    def outcome_lines(self):
        """Figures of the experiments that run by themselves."""
        self.say("## Outcome model and guard")
        self.outcome_table()
        guard = self.experiments.get("guard", {})
        self.guard_table(guard.get("rows", ()))
        found = {**self.experiments.get("outcome", {}), **guard}
        out = []
        for line, key, text in (
                ("jc_outcome_makespan", "makespan_percent_worst_upper",
                 "upper 95 % bound of the change of makespan, worst comparison"),
                ("jc_outcome_crossnode", "crossnode_fewer_percent_min",
                 "fewer balancer-made moves across nodes, at least"),
                ("jc_guard_worst", "guard_worst_percent",
                 "makespan of the worst bad model with the guard on, against stock")):
            value = found.get(key)
            if value is None:
                self.missing.append(f"{line} was not measured: its experiment has left no {key} "
                                    "in build/data/{outcome,guard}/result.json")
                out.append(f"{line} not-measured percent")
            else:
                out.append(f"{line} {value:.2f} percent")
            self.say(f"- {text}: " + ("not measured" if value is None else f"{value:.2f} %"))
        return out

    def write(self):
        """Returns (the last lines, what is missing)."""
        self.head()
        self.training()
        worst = self.acc()
        self.times()
        self.latency()
        self.queues()
        self.runtimes()
        self.decision_rates()
        figures = []
        for line, key, goal in (("jc_agreement_heldout_min", "agreement", GOAL_AGREEMENT),
                                ("jc_recall_heldout_min", "recall", GOAL_RECALL)):
            value = worst and worst[key]
            figures.append(f"{line} {'not-measured' if value is None else f'{value:.3f}'} percent")
            if value is not None and value < goal:
                self.missing.append(f"{line} is below its goal of {goal} percent")
        figures += self.outcome_lines()
        if self.quick:
            # The quick loop is for one model; the other experiments are the report's.
            self.missing = [line for line in self.missing if "result.json" not in line
                            and not line.startswith("thin:")]
        self.say("## Summary", "", *(f"    {line}" for line in figures))
        for line in self.missing:
            self.say(f"Missing: {line}")
        self.out.mkdir(parents=True, exist_ok=True)
        raw = self.out / "raw"
        raw.mkdir(exist_ok=True)
        for name, (data, _) in self.results.items():
            files.save(raw / f"{name}.json", data, indent=None)
        for name, data in self.experiments.items():
            files.save(raw / f"{name}.json", data)
        (self.out / "report.md").write_text("\n".join(self.lines).rstrip() + "\n",
                                            encoding="utf-8")
        return figures, self.missing
