# SPDX-License-Identifier: GPL-2.0
"""What the results of runs say: a figure of each, and of sets of them."""
import collections
import json
import statistics

from pylib import statistics as paired
import scenarios

PAYLOAD, PACKET = 1448, 1514
TOLERANCE = 0.02
LEAST_GOODPUT = 0.9
FAIR_SECONDS = 20
BESIDE_SECONDS = 40
OTHERS = ("cubic", "bbr")
EVERY_OTHER = tuple(cc for cc in scenarios.EVERY if cc != "liteflow")
BESIDE_BDP = 2
LINK = ("mbit", "rtt", "bdp")
NOISY_LINK = (*LINK, "loss", *scenarios.NOISE)
PATH = (*LINK, *scenarios.ELEMENTS, *scenarios.CHANGES)
SAMPLES_PER_S = 10


class Result:
    """A run's JSON."""

    def __init__(self, data):
        self.data = data
        self.params = data["params"]
        self.cc = self.params["cc"]
        # what is only there to fill the way back is not asked for
        self.flows = [flow for flow in data["flows"] if not flow.get("back")]

    @property
    def key(self):
        """What seeds, and congestion controls, have in common."""
        return tuple(self.params[name] for name in ("mbit", "rtt", "bdp", "loss", "flows"))

    @property
    def mbit(self):
        return scenarios.capacity(self.params["mbit"])

    def goodput(self, flow=0, last=None):
        """Mbit/s that reached the receiver, over the run or its last seconds."""
        series = self.flows[flow]["kbit"]
        if last:
            return statistics.fmean(series[-last * SAMPLES_PER_S:]) / 1000
        return self.flows[flow]["bytes"] * 8e-6 / self.data["seconds"]

    def delay(self, part="p95"):
        """ms that the bottleneck's queue would have taken to drain, of samples each 5 ms."""
        return self.data["queue"][f"{part}_us"] / 1000

    def loss(self):
        """Percent of the packets sent that were sent again."""
        return 100 * sum(flow["retrans"] for flow in self.flows) / \
            max(1, sum(flow["packets"] for flow in self.flows))

    def drops(self):
        """Percent of the packets that came to the bottleneck and found no room."""
        queue = self.data["queue"]
        return 100 * queue["drops"] / max(1, queue["drops"] + queue["packets"])

    def jain(self):
        rates = [self.goodput(at, FAIR_SECONDS) for at in range(len(self.flows))]
        return sum(rates) ** 2 / (len(rates) * sum(rate ** 2 for rate in rates))

    @property
    def place(self):
        """What the path is called: the run's name without who ran there, and the seed."""
        words = self.data["name"].rpartition("-s")[0].rpartition(f"-{self.cc}")
        return words[0] + words[2]

    def total(self):
        """Mbit/s that reached the receivers."""
        return sum(self.goodput(at) for at in range(len(self.flows)))

    def utilisation(self):
        """Percent of the payload that the link could have carried."""
        loss = float(self.params["loss"]) / 100
        return 100 * self.total() / (self.data["mbit"] * (1 - loss) * PAYLOAD / PACKET)

    def shares(self):
        """{cc: percent of half of the link} over the last 40 s"""
        return {flow["cc"]: share for flow, share in zip(self.flows, self.fair_shares())}

    def fair_shares(self):
        """Percent of its fair share that each flow gets over the last 40 s"""
        fair = self.mbit[0] * PAYLOAD / PACKET / len(self.flows)
        return [100 * self.goodput(at, BESIDE_SECONDS) / fair for at in range(len(self.flows))]

    def competing(self):
        """Percent of the time in which liteflow's flow competed."""
        own = next(flow for flow in self.flows if flow["cc"] == "liteflow")
        return 100 * own["competing"] / max(1, len(own["kbit"]))

    def classic(self):
        """Percent of the time in which flows of liteflow had no model: 0 as it should be."""
        return 100 * sum(flow["classic"] for flow in self.flows) / \
            max(1, sum(len(flow["kbit"]) for flow in self.flows))

    def fct(self):
        """ms of each short flow that arrived whole"""
        return [value / 1000 for value in self.data["short_us"] if value >= 0]


def load(folder, part, file=scenarios.FILE):
    """{set: [Result]} of the runs that the scenarios name now, and the names that are missing."""
    sets, missing = collections.defaultdict(list), []
    for run in scenarios.load(file):
        if run.part != part:
            continue
        path = folder / f"{run.name}.json"
        try:
            result = Result(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError):
            missing.append(run.name)
            continue
        if result.params != run.params:
            missing.append(run.name)
            continue
        sets[run.figure].append(result)
    return sets, missing


def mixed(sets):
    """What the runs of liteflow differ in, of what they hang on: [] as it should be."""
    seen = collections.defaultdict(set)
    for results in sets.values():
        for run in results:
            if run.cc not in OTHERS:
                for what, version in run.data["versions"].items():
                    seen[what].add(version)
    return sorted(what for what, versions in seen.items() if len(versions) > 1)


def group(results, *names):
    """{values of the parameters: [Result]}, in their order"""
    out = collections.defaultdict(list)
    for result in results:
        out[tuple(result.params[name] for name in names)].append(result)
    return dict(out)


def median(values):
    return paired.median(values).value


# -- cells ---------------------------------------------------------------------

def cells(results, names=LINK):
    """[{parameter: its value..., cc: (goodput, p95 delay, loss)...}]: medians over seeds"""
    out = [{**dict(zip(names, values)), **contest(runs)}
           for values, runs in group(results, *names).items()]
    return sorted(out, key=lambda cell: [[float(part) for part in cell[name].split(":") if part]
                                         for name in LINK])


def contest(runs):
    """{cc: (goodput of all flows, p95 delay, loss)} of one path: medians over seeds"""
    return {cc: (median(run.total() for run in same), median(run.delay() for run in same),
                 median(run.loss() for run in same))
            for (cc,), same in group(runs, "cc").items()}


def places(results):
    """As cells(), of paths that differ in all kinds of things; in the order of the scenarios"""
    seen = collections.defaultdict(list)
    for run in results:
        seen[run.place].append(run)
    return [{"place": place, "changes": changes(runs[0]),
             "mbit": runs[0].params["mbit"], "rtt": runs[0].params["rtt"],
             "packets": str(runs[0].data["buffer"] // PACKET), **contest(runs)}
            for place, runs in seen.items()]


def changes(run):
    """Does the capacity take steps?"""
    return ":" in run.params["mbit"] or bool(run.params["redraw"])


def dominates(one, other, mbit):
    """No worse in goodput and delay, and better in one; what is within 2 % is equal, and so is
    a delay that differs by no more than one packet."""
    packet = PACKET * 8e-3 / mbit
    room = max(TOLERANCE * other[1], packet)
    if one[0] < other[0] * (1 - TOLERANCE) or one[1] > other[1] + room:
        return False
    return one[0] > other[0] * (1 + TOLERANCE) or one[1] < other[1] - room


def goodput_share(cell, others=OTHERS):
    """Percent of the goodput of the better one of the others, or None where one did not run"""
    if any(cc not in cell for cc in ("liteflow", *others)):
        return None
    return 100 * cell["liteflow"][0] / max(cell[cc][0] for cc in others)


def least_share(table):
    """The least of goodput_share(), or None"""
    return min((share for share in map(goodput_share, table) if share is not None), default=None)


def noise(cell, names=scenarios.NOISE):
    """What the path does beside its bottleneck: 'jitter 2, loss 1'"""
    words = [f"{name} {cell[name]}" for name in names if cell[name]]
    loss = cell.get("loss", "0")
    return ", ".join(words + [f"loss {loss}"] * (float(loss) > 0))


def judge(cell, others=OTHERS):
    """(why the cell is lost or "", whom liteflow dominates) where all ran; else None"""
    share = goodput_share(cell, others)
    if share is None:
        return None
    own, why = cell["liteflow"], []
    slowest = min(scenarios.capacity(cell["mbit"])[:2])
    for cc in others:
        if dominates(cell[cc], own, slowest):
            why.append(f"{cc} dominates")
    if share < 100 * LEAST_GOODPUT:
        why.append(f"{share:.0f} % of the better goodput")
    return ", ".join(why), [cc for cc in others if dominates(own, cell[cc], slowest)]


def good_cells(table, others=OTHERS):
    """(percent that are good, [(cell, why)] of the others, {cc: percent dominated}, of how many
    cells)"""
    judged = [(cell, judge(cell, others)) for cell in table]
    judged = [(cell, verdict) for cell, verdict in judged if verdict]
    if not judged:
        return None
    lost = [(cell, why) for cell, (why, _) in judged if why]
    share = {cc: 100 * sum(cc in won for _, (_, won) in judged) / len(judged) for cc in others}
    return 100 * (1 - len(lost) / len(judged)), lost, share, len(judged)


# -- the same net in user space ----------------------------------------------------

def against_user(results):
    """[(mbit, rtt, interval, better form, kernel Mbit/s, user Mbit/s, pairs)]"""
    kernel = {key: {run.data["seed"]: run.goodput() for run in runs}
              for key, runs in group((run for run in results if run.cc == "liteflow"),
                                     "mbit", "rtt").items()}
    rows = []
    agents = [run for run in results if run.cc != "liteflow"]
    for (mbit, rtt, interval), runs in group(agents, "mbit", "rtt", "interval").items():
        own = kernel.get((mbit, rtt))
        forms = {cc: {run.data["seed"]: run.goodput() for run in same}
                 for (cc,), same in group(runs, "cc").items()}
        if not own or not forms:
            continue
        better = max(forms, key=lambda cc: median(forms[cc].values()))
        seeds = sorted(set(own) & set(forms[better]))
        if seeds:
            rows.append((mbit, rtt, interval, better, median(own.values()),
                         median(forms[better].values()),
                         ([forms[better][seed] for seed in seeds], [own[seed] for seed in seeds])))
    return rows


def user_figure(rows, interval):
    """Ratio kernel to user space on links with steps, their geometric mean, or None"""
    groups = [row[6] for row in rows if row[2] == interval and ":" in row[0]]
    return paired.combine(groups) if groups else None


# -- preferences ------------------------------------------------------------------

THROUGHPUT, LATENCY = "8:1:1", "1:8:1"


def preferences(results):
    """{(mbit, rtt, bdp): {preferences: (goodput, p95 delay, loss)}}: medians over seeds"""
    return {link: {weights: (median(run.goodput() for run in same),
                             median(run.delay() for run in same),
                             median(run.loss() for run in same))
                   for (weights,), same in group(runs, "prefer").items()}
            for link, runs in group(results, "mbit", "rtt", "bdp").items()}


def delay_saved(table):
    """Percent by which the 95th percentile of the queueing delay is less where flows prefer
    latency than where they prefer throughput, the median over links; or None"""
    saved = [100 * (1 - link[LATENCY][1] / link[THROUGHPUT][1]) for link in table.values()
             if LATENCY in link and THROUGHPUT in link]
    return median(saved) if saved else None


# -- the same runs elsewhere --------------------------------------------------------

def elsewhere(sets, others):
    """[(figure, cc, runs, median and largest change of a flow's goodput in percent, of the
    95th percentile of the delay in ms)] of the runs that are in both, of one law and model"""
    def what(run):
        versions = run.data["versions"]
        return run.data["name"], versions.get("liteflow"), versions.get("model")

    there = {what(run): run for results in others.values() for run in results}
    rows = []
    for figure, results in sets.items():
        for (cc,), runs in group(results, "cc").items():
            pairs = [(run, there[what(run)]) for run in runs if what(run) in there]
            if not pairs:
                continue
            goodput = [100 * (other.goodput(at) / run.goodput(at) - 1) for run, other in pairs
                       for at in range(len(run.flows))]
            delay = [other.delay() - run.delay() for run, other in pairs]
            rows.append((figure, cc, len(pairs), median(goodput), max(goodput, key=abs),
                         median(delay), max(delay, key=abs)))
    return rows
