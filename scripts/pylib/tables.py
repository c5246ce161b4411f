# SPDX-License-Identifier: GPL-2.0
"""The rows that are shown of guest/ab.py's JSON, for run-table and the report."""
import statistics

BURN_LOADS = ("burn-mixed", "burn-mem")
MORE_LOADS = ("hackbench", "fibo", "wakebench", "compile")
# A percentage of a handful of events would be noise with a sign.
FEW = 20


def phase_sum(key):
    """Sum of one metric over all parts of a phase."""
    return lambda phase: sum(part[key] for part in phase["parts"].values() if part)


def part_value(name, key, scale=1.0):
    def get(phase):
        part = phase["parts"].get(name)
        return part[key] * scale if part and key in part else None
    return get


def jc_value(key):
    return lambda phase: phase["jc"][key] if phase["jc"] else None


def bogo_total(phase):
    """Geometric mean of the stress-ng rates, so that no stressor outweighs the others."""
    rates = [rate for part in phase["parts"].values() if part
             for rate in part["bogo_per_s"].values() if rate > 0]
    return statistics.geometric_mean(rates) if rates else None


def rows():
    """(label, unit, function of a phase)"""
    for name in (*BURN_LOADS, "messaging", *MORE_LOADS):
        yield f"makespan, {name}", "s", part_value(name, "load_makespan_ms", 1e-3)
        # One of the two, by the clock: see pylib/balancer.py.
        yield f"  balancer's instructions, {name}", "million", \
            part_value(name, "balance_instructions", 1e-6)
        yield f"  time in the balancer, {name}", "ms", part_value(name, "balance_ms")
    yield "wakeup latency, 99 %, wakebench", "us", part_value("wakebench", "load_wakeup_p99_us")
    for name in BURN_LOADS:
        yield f"run-queue wait of its tasks, {name}", "s", part_value(name, "load_wait_ms", 1e-3)
    yield "run-queue wait, whole guest, all loads", "s", \
        lambda phase: phase_sum("rq_wait_ms")(phase) / 1e3
    yield "stress-ng operations, geometric mean", "/s", bogo_total
    for suffix, where in (("", ""), ("_across", ", across nodes")):
        yield f"migrations{where}", "", phase_sum("migrations_total" + suffix)
        for cause, text in (("balance", "balance"), ("active", "active balance"),
                            ("wakeup", "wakeup"), ("numa", "NUMA placement"),
                            ("exec_affinity", "exec, affinity")):
            yield f"  by {text}{where}", "", phase_sum(f"migrations_{cause}{suffix}")
    yield "moved although cache-hot (forced)", "", phase_sum("hot_gained")
    yield "sched_balance_rq calls", "", phase_sum("lb_calls")
    yield "NUMA hinting faults", "", phase_sum("numa_hint_faults")
    yield "decisions by the model", "", jc_value("model_asked")
    yield "  accepted", "", jc_value("accepted")
    yield "  refused", "", jc_value("refused")
    yield "  forced after failures", "", jc_value("forced")
    yield "  stock code as fallback", "", jc_value("fallback")


def pairs(data):
    """[(phase with the model off, phase with it on)], as they were run in turn"""
    sides = {word: [phase for phase in data["phases"] if phase["model"] == word]
             for word in ("off", "on")}
    return list(zip(sides["off"], sides["on"]))
