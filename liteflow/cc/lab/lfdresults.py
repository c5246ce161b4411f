# SPDX-License-Identifier: GPL-2.0
"""What came of the runs of `lfdlab`: figures, tables, pictures, and data to keep."""
import csv

from pylib import files, markdown
from pylib.plots import pyplot, save
import lfdcases
from lfdhost import fields

SAMPLES_PER_S = 10
SMOOTH_S = 10
RECOVERED = 0.95
COLOURS = {"refit": "tab:red", "fixed": "tab:orange", "reference": "tab:purple",
           "bbr": "tab:green", "cubic": "tab:blue"}
# of lfd's log, what a page tells
TOLD = {"install", "trial", "rollback", "hook-refused", "activated-by-others", "down", "held"}


class Result:
    """A run's file."""

    def __init__(self, path):
        data = files.load(path)
        self.case = lfdcases.CASES[data["case"]]
        self.variant, self.seconds = data["variant"], data["seconds"]
        self.log, self.costs = data["log"], data["costs"]
        self.queue_us = data["result"]["queue"]["us"]
        own = self.variant if self.variant in ("bbr", "cubic") else "liteflow"
        flows = data["result"]["flows"]
        rivals = sum(1 for kind in self.case.rivals if kind)
        self.mbit = self.sum_of([f for f in flows[:len(flows) - rivals] if f["cc"] == own])

    def sum_of(self, flows):
        """Mbit/s of all of them in each sample."""
        out = [0.0] * int(self.seconds * SAMPLES_PER_S)
        for flow in flows:
            first = round(flow["start"] * SAMPLES_PER_S)
            for at, kbit in enumerate(flow["kbit"], first):
                if at < len(out):
                    out[at] += kbit / 1e3
        return out

    def span(self, phase, first=0.0):
        """Samples of a phase from this part of it on"""
        third = len(self.mbit) // 3
        return slice(phase * third + int(first * third), (phase + 1) * third)

    def goodput(self, phase, first=0.0):
        """Mbit/s"""
        part = self.mbit[self.span(phase, first)]
        return sum(part) / len(part)

    def queue_ms(self, phase):
        """p95, second half of the phase"""
        part = sorted(self.queue_us[self.span(phase, 0.5)])
        return part[len(part) * 95 // 100] / 1e3

    def recovered_s(self, phase, wanted):
        """Seconds of the phase until the mean of SMOOTH_S reaches that, or None."""
        part, width = self.mbit[self.span(phase)], SMOOTH_S * SAMPLES_PER_S
        for at in range(len(part) - width):
            if sum(part[at:at + width]) / width >= wanted:
                return at / SAMPLES_PER_S
        return None

    def times(self, event, verdict):
        """Seconds at which lfd logged that."""
        return [at for at, line in self.log
                if (words := fields(line)).get("event") == event and
                words.get("verdict") == verdict]

    def installs(self, phase=None):
        """Seconds"""
        return [at for at in self.times("install", "active")
                if phase is None or int(3 * at / self.seconds) == phase]

    def means(self, values, every_s=SMOOTH_S):
        """Of each so many seconds"""
        width = every_s * SAMPLES_PER_S
        return [sum(values[at:at + width]) / width
                for at in range(0, len(values) - width + 1, width)]


def load(folder, cases, variants):
    """{case: {variant: Result}} of the runs that there are"""
    out = {}
    for name in cases:
        case = lfdcases.CASES[name]
        paths = {v: folder / f"{case.name if v in case.variants else case.like}-{v}.json"
                 for v in variants if v in case.variants or case.like}
        known = {v: Result(path) for v, path in paths.items() if path.exists()}
        # those of a case like it are there to compare with
        out[name] = known if known.keys() & set(case.variants) else {}
    return out


# -- figures -----------------------------------------------------------------------------

def ratio(results, other, worst=min):
    """Goodput with refits over that of another, in the second half of the worst phase after a
    change; None without both."""
    if not {"refit", other} <= results.keys():
        return None
    return worst(results["refit"].goodput(phase, 0.5) / results[other].goodput(phase, 0.5)
                 for phase in (1, 2))


def figures(known):
    """[(name, value, unit)]"""
    lines, recovered = [], []
    for case, results in known.items():
        if "refit" not in results:
            continue
        refit = results["refit"]
        if case == "idle":
            lines.append(("lfd_idle_installs", str(len(refit.installs())), "installs"))
            continue
        part, gain = ratio(results, "reference"), ratio(results, "fixed")
        if part is not None:
            recovered.append(part)
            lines.append((f"lfd_recovered_{case}", f"{100 * part:.1f}", "percent"))
        if gain is not None:
            lines.append((f"lfd_gain_{case}", f"{gain:.2f}", "x"))
        lines.append((f"lfd_installs_{case}", str(len(refit.installs())), "installs"))
        lines.append((f"lfd_rollbacks_{case}", str(len(refit.times("rollback", "done"))),
                      "rollbacks"))
    if recovered:
        lines.append(("lfd_recovered", f"{100 * min(recovered):.1f}", "percent"))
    return lines


# -- the page ----------------------------------------------------------------------------

def table(case, results):
    rows = []
    for variant, result in results.items():
        row = [variant]
        for phase in range(3):
            cell = f"{result.goodput(phase, 0.5):.1f}, {result.queue_ms(phase):.0f}"
            if phase and variant == "refit" and "reference" in results:
                after = result.recovered_s(
                    phase, RECOVERED * results["reference"].goodput(phase, 0.5))
                cell += ", never" if after is None else f", {after:.0f}"
            row.append(cell)
        rows.append(row)
    return markdown.table(["who", *(f"{name}: Mbit/s, p95 ms" for name in case.phases)], rows)


def story(refit):
    """Lines of Markdown: what lfd did."""
    lines = []
    for at, line in refit.log:
        words = fields(line)
        if words.get("event") in TOLD:
            text = " ".join(f"{key}={value}" for key, value in words.items()
                            if key not in ("app", "kernel_ns"))
            lines.append(f"    {at:7.1f} s: {text}")
    costs = [cost for cost in refit.costs.values() if cost > 5]
    events = [fields(line) for _, line in refit.log]
    adaptations = sum(w.get("event") == "hook-done" and w.get("verb") == "adapt" for w in events)
    differences = [float(w["difference_percent"]) for w in events
                   if w.get("event") == "necessity" and "difference_percent" in w]
    text = f"{adaptations} adaptations, {len(differences)} comparisons with the active model"
    if differences:
        text += (f" (answers differ by {min(differences):.1f} to {max(differences):.1f} % of the "
                 "span)")
    text += (f", {len(refit.installs())} installs, {len(refit.times('rollback', 'done'))} "
             "rollbacks")
    if costs:
        text += (f"; {len(costs)} of the calls trained, {min(costs):.0f} to {max(costs):.0f} s "
                 "of CPU each")
    return [f"lfd: {text}.", "", *lines] if lines else [f"lfd: {text}."]


def picture(case, results, path):
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(10, 4))
    for variant, result in results.items():
        points = result.means(result.mbit, SMOOTH_S // 2)
        axes.plot([(at + 0.5) * SMOOTH_S / 2 / 60 for at in range(len(points))], points,
                  label=variant, color=COLOURS[variant], lw=1)
        for style, times in ((":", result.installs()), ("--", result.times("rollback", "done"))):
            for at in times:
                axes.axvline(at / 60, color=COLOURS[variant], lw=0.8, ls=style)
    axes.set_xlabel("minutes; dotted: a network is installed, dashed: taken back")
    axes.set_ylabel("goodput, Mbit/s")
    axes.set_title(case.what)
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left", ncol=len(results))
    save(figure, path, 90)


def keep_data(results, path):
    """Means of SMOOTH_S of goodput, Mbit/s, and of the queueing delay, ms, as CSV."""
    columns = {}
    for variant, result in results.items():
        columns[f"{variant}_mbit"] = [f"{v:.2f}" for v in result.means(result.mbit)]
        columns[f"{variant}_queue_ms"] = [f"{v / 1e3:.2f}" for v in result.means(result.queue_us)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["seconds", *columns])
        for at, row in enumerate(zip(*columns.values())):
            writer.writerow([at * SMOOTH_S, *row])


def page(known, what):
    """The report's Markdown. what: of the runs, in words."""
    parts = ["# Refits when a path changes", "", "Written by `make lfdlab`.", "", what, ""]
    lines = figures(known)
    if lines:
        parts += markdown.table(["figure", "value"], [[f"`{name}`", f"{value} {unit}"]
                                                      for name, value, unit in lines])
    for name, results in known.items():
        if not results:
            continue
        case = lfdcases.CASES[name]
        parts += ["", f"## {case.name}: {case.what}", ""]
        parts += [case.more, ""] if case.more else []
        parts += table(case, results)
        if "refit" in results:
            parts += ["", *story(results["refit"])]
        parts += ["", f"![goodput over time]({name}.png)"]
    return "\n".join(parts) + "\n"


def write(folder, known, what):
    """Page, pictures and data."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(page(known, what), encoding="utf-8")
    for name, results in known.items():
        if results:
            picture(lfdcases.CASES[name], results, folder / f"{name}.png")
            keep_data(results, folder / f"{name}.csv")
        if "refit" in results:
            text = "".join(f"{at:.2f} {line}\n" for at, line in results["refit"].log)
            (folder / f"{name}.log").write_text(text, encoding="utf-8")
