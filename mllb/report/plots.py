# SPDX-License-Identifier: GPL-2.0
"""The report's plots, as PNG."""
import math

from pylib import agreement, plots

plt = plots.pyplot()

SIDES = (("off", "stock code", "tab:blue"), ("on", "model", "tab:orange"))


class Plots:
    def __init__(self, out):
        self.out = out

    def save(self, figure, name):
        plots.save(figure, self.out / f"{name}.png", dpi=110)

    def agreement(self, data):
        names = list(data["units"])
        seen = [agreement.figures(data["units"][name]["stats"]) for name in names]
        figure, axes = plt.subplots(figsize=(8, 0.5 * len(names) + 1.5))
        for offset, key, color in ((-0.27, "agreement", "tab:green"),
                                   (0, "recall_migrate", "tab:blue"),
                                   (0.27, "recall_refuse", "tab:red")):
            axes.barh([at + offset for at in range(len(names))],
                      [100 - (100 if figures[key] is None else figures[key]) for figures in seen],
                      0.25, color=color, label=key.replace("_", " of "))
        axes.axvline(0.5, color="gray", linestyle="--", linewidth=1, label="goal of agreement")
        axes.axvline(1, color="gray", linestyle=":", linewidth=1, label="goal of recall")
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("missing to 100 %, in percent")
        axes.legend(fontsize=8)
        self.save(figure, "agreement")

    def time(self, parts):
        figure, all_axes = plt.subplots(1, len(parts), figsize=(5.5 * len(parts), 3.6),
                                        squeeze=False)
        for axes, data in zip(all_axes[0], parts.values()):
            for side, text, color in (("stock", *SIDES[0][1:]), ("model", *SIDES[1][1:])):
                counts = data[side]["counts"]
                total, at, xs, ys = sum(count for _, count in counts), 0, [], []
                for ns, count in counts:
                    at += count
                    xs.append(max(ns, 1))
                    ys.append(100 * at / total)
                axes.step(xs, ys, where="post", color=color, label=text)
            axes.set(xscale="log", xlabel="ns of a decision", ylabel="percent of them",
                     title=data["load"])
            axes.legend()
        self.save(figure, "time")

    def latency(self, data):
        tools = data["tools"]
        figure, all_axes = plt.subplots(len(tools), 1, figsize=(8, 2.4 * len(tools)),
                                        squeeze=False)
        for axes, (name, tool) in zip(all_axes[:, 0], tools.items()):
            for offset, (word, text, color) in zip((-0.2, 0.2), SIDES):
                rows = tool[word]["histogram"]
                total = sum(row[2] for row in rows)
                axes.bar([(math.log2(max(low, 1)) if low != high or name != "runqlen" else low)
                          + offset for low, high, _ in rows],
                         [100 * count / total for *_, count in rows], 0.4, color=color,
                         label=text)
            lows = [row[0] for row in max(tool["off"]["histogram"], tool["on"]["histogram"],
                                          key=len)]
            if name != "runqlen":
                axes.set_xticks([math.log2(max(low, 1)) for low in lows],
                                [str(low) for low in lows], rotation=60, fontsize=7)
            axes.set(ylabel="percent", title=f"{name} [{tool['unit']}]")
            axes.legend(fontsize=8)
        self.save(figure, "latency")

    def queues(self, parts):
        figure, all_axes = plt.subplots(1, len(parts), figsize=(4.2 * len(parts), 3.4),
                                        squeeze=False)
        for axes, data in zip(all_axes[0], parts.values()):
            for offset, (word, text, color) in zip((-0.2, 0.2), SIDES):
                counts = {int(key): value for key, value in data[word]["lengths"].items()}
                total = sum(counts.values())
                axes.bar([key + offset for key in counts],
                         [100 * value / total for value in counts.values()], 0.4, color=color,
                         label=text)
            axes.set(xlabel="tasks on a CPU", ylabel="percent of samples", yscale="log",
                     title=data["load"])
            axes.legend(fontsize=8)
        self.save(figure, "queues")

    def imbalance(self, parts):
        figure, all_axes = plt.subplots(len(parts), 1, figsize=(9, 2.2 * len(parts)),
                                        squeeze=False)
        for axes, data in zip(all_axes[:, 0], parts.values()):
            for word, text, color in SIDES:
                rows = [row for row in data["series"] if row[2] == word]
                axes.plot([row[0] for row in rows], [row[1] for row in rows], ".", markersize=2,
                          color=color, label=text)
            axes.set(xlabel="seconds", ylabel="max - min", title=data["load"])
            axes.legend(fontsize=8, markerscale=4)
        self.save(figure, "imbalance")

    def runtimes(self, ratios):
        names = list(ratios)
        figure, axes = plt.subplots(figsize=(7, 0.45 * len(names) + 1.3))
        for at, name in enumerate(names):
            value, low, high = ((100 * (part - 1)) for part in
                                (ratios[name].value, ratios[name].low, ratios[name].high))
            axes.errorbar(value, at, xerr=[[value - low], [high - value]], fmt="o",
                          color="tab:orange", capsize=4)
        axes.axvline(0, color="gray", linewidth=1)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("change of the makespan with the model on, percent, 95 % interval")
        self.save(figure, "runtimes")
