# SPDX-License-Identifier: GPL-2.0
"""What the guest's scripts share: counters of the scheduler, the switch, progress.

Migrations by cause, on 6.12, from counters that cost next to nothing:

 total           hist trigger on sched:sched_migrate_task, keys orig_cpu,dest_cpu
                 (fair tasks: prio >= 100), pairs of different CPUs; the event is
                 in set_task_cpu(), which every move of an existing task passes
 balance         /proc/schedstat, sum of lb_gained over domains and idle types, less
                 alb_pushed, for detach_one_task() counts an active balance in both
 active balance  /proc/schedstat, sum of alb_pushed
 stopper         the same hist for events whose current task is migration/N: active
                 balance, NUMA, and moves of a running task by exec or affinity
 numa            sched:sched_move_numa + 2 x sched:sched_swap_numa, less those that
                 sched:sched_stick_numa says have failed; never more than what the
                 stopper did beside active balance (a swapped task that slept
                 meanwhile is moved by its next wakeup)
 exec, affinity  stopper less active balance and numa
 wakeup          total less stopper and balance: it is all that is left, and includes
                 the rare affinity call on a task that was waiting

The placement of a new task by fork is no migration (it uses __set_task_cpu()).
A move by balancing goes across nodes when the domain's span covers more than one
node, as the source is then a group outside the local one.
"""
import errno
import gzip
import os
import pathlib
import re
import subprocess
import time

from .errors import Problem
from .paths import ROOT

WORKLOADS = ROOT / "mllb" / "loads" / "workloads"
TRACING = pathlib.Path("/sys/kernel/tracing")
DEBUG = pathlib.Path("/sys/kernel/debug")
INSTANCE = TRACING / "instances" / "jc_run"
STATS = DEBUG / "jc_sched" / "stats"
STATE = DEBUG / "jc_sched" / "state"
SYSCTL = pathlib.Path("/proc/sys/kernel")
GUARD = SYSCTL / "sched_jc_guard"
MIGRATION_COST = DEBUG / "sched" / "migration_cost_ns"
FEATURES = DEBUG / "sched" / "features"
DECISION = "events/jc_sched/jc_sched_decision"

PAIR_EVENTS = {
    # event: (keys, filters of its tables)
    "sched_migrate_task": ("orig_cpu,dest_cpu",
                           ("prio >= 100", 'prio >= 100 && COMM ~ "migration/*"')),
    "sched_move_numa": ("src_cpu,dst_cpu", ("",)),
    "sched_swap_numa": ("src_cpu,dst_cpu", ("",)),
    "sched_stick_numa": ("src_cpu,dst_cpu", ("dst_cpu >= 0",)),
}


def reason(error, lockdown=pathlib.Path("/sys/kernel/security/lockdown")):
    """Why a file of the kernel's cannot be used; root gets EPERM under lockdown only."""
    if error.errno == errno.EPERM:
        try:
            mode = re.search(r"\[(\w+)\]", lockdown.read_text())
        except OSError:
            mode = None
        if mode and mode.group(1) != "none":
            return f"{error.strerror} (kernel lockdown: {mode.group(1)})"
    return error.strerror


def read_text(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError as error:
        raise Problem(f"cannot read {path}: {reason(error)}") from error


def write_text(path, text):
    try:
        # One write(2): sysctl and tracefs files take their value whole.
        fd = os.open(path, os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise Problem(f"cannot write '{text}' to {path}: {reason(error)}") from error


class Progress:
    """[step/steps] what … done in t s (elapsed t s)"""

    def __init__(self, steps, prefix=""):
        self.steps, self.step, self.prefix = steps, 0, prefix
        self.start = time.monotonic()

    def say(self, what):
        self.step += 1
        elapsed = time.monotonic() - self.start
        print(f"{self.prefix}[{self.step}/{self.steps}] {what} … {elapsed:.0f} s elapsed",
              flush=True)


def parse_list(text):
    """'0-2,5' -> {0, 1, 2, 5}"""
    cpus = set()
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def node_of_cpus():
    nodes = {}
    for path in pathlib.Path("/sys/devices/system/node").glob("node[0-9]*/cpulist"):
        for cpu in parse_list(path.read_text()):
            nodes[cpu] = int(path.parent.name[4:])
    if not nodes:
        nodes = dict.fromkeys(parse_list(read_text("/sys/devices/system/cpu/online")), 0)
    return nodes


def mask_cpus(mask):
    bits = int(mask.replace(",", ""), 16)
    return {bit for bit in range(bits.bit_length()) if bits >> bit & 1}


def parse_schedstat(text, nodes):
    """Sums over all CPUs and domains of /proc/schedstat, version 16."""
    lines = text.splitlines()
    if lines[0] != "version 16":
        raise Problem(f"/proc/schedstat is '{lines[0]}': only version 16 (Linux 6.12) is known")
    total = dict.fromkeys(("rq_wait_ns", "lb_calls", "lb_failed", "gained", "gained_across",
                           "hot_gained", "pushed", "pushed_across"), 0)
    for line in lines[1:]:
        words = line.split()
        if words[0].startswith("cpu"):
            total["rq_wait_ns"] += int(words[8])
        elif words[0].startswith("domain"):
            across = len({nodes[cpu] for cpu in mask_cpus(words[1]) if cpu in nodes}) > 1
            values = [int(word) for word in words[2:]]
            for idle in range(3):
                block = values[idle * 8:idle * 8 + 8]
                total["lb_calls"] += block[0]
                total["lb_failed"] += block[2]
                total["gained"] += block[4]
                total["gained_across"] += block[4] if across else 0
                total["hot_gained"] += block[5]
            total["pushed"] += values[26]
            total["pushed_across"] += values[26] if across else 0
    return total


HIST_ROW = re.compile(r"\{\s*\w+:\s*(-?\d+),\s*\w+:\s*(-?\d+)\s*\}\s*hitcount:\s*(\d+)")


def parse_hist(text, nodes):
    """A hist file of cpu,cpu keys -> {filter: (moves, moves across nodes, dropped)}"""
    tables, current = {}, None
    for line in text.splitlines():
        if line.startswith("# trigger info:"):
            current = line.partition(" if ")[2].rpartition(" [")[0]
            tables[current] = [0, 0, 0]
        row = HIST_ROW.match(line)
        if row:
            source, target, count = (int(word) for word in row.groups())
            if source != target:
                tables[current][0] += count
                if nodes.get(source) != nodes.get(target):
                    tables[current][1] += count
        elif line.strip().startswith("Dropped:"):
            tables[current][2] = int(line.split()[1])
    return tables


def parse_words(text):
    """'name value' or 'name: value' lines -> dict of texts"""
    values = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        values[name.rstrip(":")] = value.strip()
    return values


class Counters:
    """Takes snapshots; the difference of two is the metrics of what ran between."""

    def __init__(self):
        self.nodes = node_of_cpus()
        write_text(SYSCTL / "sched_schedstats", "1")
        self.close()
        try:
            INSTANCE.mkdir()
        except OSError as error:
            raise Problem(f"cannot make {INSTANCE}: {error.strerror} (tracefs, root?)") from error
        for event, (keys, filters) in PAIR_EVENTS.items():
            trigger = INSTANCE / "events" / "sched" / event / "trigger"
            if not trigger.with_name("hist").exists():
                raise Problem(f"no {trigger.with_name('hist')}: "
                              "the kernel needs CONFIG_HIST_TRIGGERS and CONFIG_NUMA_BALANCING")
            for text in filters:
                write_text(trigger, f"hist:keys={keys}:size=4096" + (f" if {text}" if text else ""))

    @staticmethod
    def close():
        if INSTANCE.exists():
            for event in PAIR_EVENTS:
                trigger = INSTANCE / "events" / "sched" / event / "trigger"
                if trigger.exists():
                    for line in trigger.read_text().splitlines():
                        if line.startswith("hist:"):
                            write_text(trigger, "!" + line.rpartition(" [")[0])
            INSTANCE.rmdir()

    def snapshot(self):
        snap = {"schedstat": parse_schedstat(read_text("/proc/schedstat"), self.nodes),
                "time": time.monotonic()}
        for event, (_, filters) in PAIR_EVENTS.items():
            tables = parse_hist(
                read_text(INSTANCE / "events" / "sched" / event / "hist"), self.nodes)
            if len(tables) != len(filters):
                raise Problem(f"{event}: {len(tables)} hist tables instead of {len(filters)}")
            if any(dropped for _, _, dropped in tables.values()):
                raise Problem(f"{event}: the hist table overflowed, counts would be too small")
            for name, (moves, across, _) in tables.items():
                key = event + (" stopper" if "COMM" in name else "")
                snap[key], snap[key + " across"] = moves, across
        vmstat = parse_words(read_text("/proc/vmstat"))
        snap["numa_hint_faults"] = int(vmstat.get("numa_hint_faults", 0))
        snap["numa_pages_migrated"] = int(vmstat.get("numa_pages_migrated", 0))
        return snap


def by_cause(total, gained, pushed, stopper, moved, swapped, stuck):
    balance = gained - pushed
    rest = max(stopper - pushed, 0)
    numa = min(max(moved + 2 * swapped - stuck, 0), rest)
    return {"total": total, "balance": balance, "active": pushed, "numa": numa,
            "exec_affinity": rest - numa, "wakeup": max(total - stopper - balance, 0)}


def difference(before, after):
    """Metrics between two snapshots, as a flat dict of numbers."""
    delta = {key: after[key] - before[key] for key in after if key != "schedstat"}
    stat = {key: after["schedstat"][key] - before["schedstat"][key] for key in after["schedstat"]}
    out = {"seconds": delta["time"], "rq_wait_ms": stat["rq_wait_ns"] / 1e6,
           "lb_calls": stat["lb_calls"], "lb_failed": stat["lb_failed"],
           "hot_gained": stat["hot_gained"], "numa_hint_faults": delta["numa_hint_faults"],
           "numa_pages_migrated": delta["numa_pages_migrated"]}
    for suffix in ("", " across"):
        stat_suffix = suffix.replace(" ", "_")
        causes = by_cause(delta["sched_migrate_task" + suffix], stat["gained" + stat_suffix],
                          stat["pushed" + stat_suffix],
                          delta["sched_migrate_task stopper" + suffix],
                          delta["sched_move_numa" + suffix], delta["sched_swap_numa" + suffix],
                          delta["sched_stick_numa" + suffix])
        out.update({f"migrations_{name}{stat_suffix}": value for name, value in causes.items()})
    return out


def jc_state():
    return parse_words(read_text(STATE))


def jc_stats():
    return {name: int(value) for name, value in parse_words(read_text(STATS)).items()}


def reset_jc_stats():
    write_text(STATS, "0")


def switch(tools, word):
    """Uses the project's own tool, so that each run tries it too."""
    done = subprocess.run([tools / "jc_sched", word], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(done.stderr.strip() or f"jc_sched {word}: status {done.returncode}")


def set_migration_cost(us):
    """In us; 0 leaves it. Returns what holds, in us."""
    if us:
        write_text(MIGRATION_COST, str(us * 1000))
    return int(read_text(MIGRATION_COST)) // 1000


def stop_dice(path=FEATURES):
    """Switch NI_RANDOM off: 6.12.117 throws a die before each new-idle balancing.

    Two runs of a pair would throw differently, whoever decides. Returns 'off', or 'absent'
    in a kernel without it. The guest forgets it at its end.
    """
    words = read_text(path).split()
    if "NI_RANDOM" in words:
        write_text(path, "NO_NI_RANDOM")
        if "NO_NI_RANDOM" not in read_text(path).split():
            raise Problem(f"{path} still says NI_RANDOM")
        return "off"
    return "off" if "NO_NI_RANDOM" in words else "absent"


def built_with(option, path="/proc/config.gz"):
    """'y', 'm' or 'n', or '?' when the kernel does not tell."""
    try:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                if line.startswith(option + "="):
                    return line.strip().partition("=")[2]
    except OSError:
        return "?"
    return "n"


def kernel_facts():
    """What the figures were taken on."""
    state = jc_state()
    return {"release": os.uname().release, "cpus": os.cpu_count(),
            "nodes": len(set(node_of_cpus().values())), "state": state,
            "migration_cost_us": set_migration_cost(0)}


class Decisions:
    """While it is open, every decision passes the hook and is counted, whoever decides:
    a hist trigger on the tracepoint keeps it enabled and costs no buffer."""

    command = "hist:keys=can_migrate:size=128"

    def __enter__(self):
        try:
            INSTANCE.mkdir(exist_ok=True)
        except OSError as error:
            raise Problem(f"cannot make {INSTANCE}: {error.strerror} (tracefs, root?)") from error
        self.trigger = INSTANCE / DECISION / "trigger"
        if not self.trigger.exists():
            raise Problem("this kernel has no tracepoint jc_sched:jc_sched_decision: "
                          "boot one with CONFIG_JC_SCHED")
        write_text(self.trigger, self.command)
        return self

    def __exit__(self, *_):
        write_text(self.trigger, "!" + self.command)
        INSTANCE.rmdir()


def _model(tools, *words):
    """By the project's own tool, which knows the slots of the running kernel."""
    done = subprocess.run([tools / "jc_sched", "model", *words], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise Problem(f"jc_sched model {' '.join(map(str, words))}: status {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()}")


def load_model(tools, path):
    _model(tools, "load", path)


def reset_model(tools):
    """The built-in one answers again."""
    _model(tools, "reset")


BUCKET = re.compile(r"\{\s*ns:\s*~?\s*(\d+)-(\d+)\s*\}\s*hitcount:\s*(\d+)")
NS_LIMIT = 65536  # above it the host took the virtual CPU away meanwhile


def parse_ns_hist(text):
    """Hist of ns in buckets -> (number of samples, median), or (0, None)."""
    buckets = sorted((int(low), int(high), int(count)) for low, high, count in BUCKET.findall(text))
    number = sum(count for _, _, count in buckets)
    seen = 0
    for low, high, count in buckets:
        if 2 * (seen + count) >= number:
            return number, low + (number / 2 - seen) / count * (high + 1 - low)
        seen += count
    return 0, None


def time_decisions(run):
    """Calls run() and returns (samples, median ns) of the decisions that it caused.

    The tracepoint times every decision: of the model when it is on, of the stock
    rule when it is off. The kernel's own sums would give the mean only, and under
    TCG that is the mean of the few decisions that lost their virtual CPU.
    """
    trigger = INSTANCE / DECISION / "trigger"
    command = f"hist:keys=ns.buckets=16:size=4096 if ns < {NS_LIMIT}"
    write_text(trigger, command)
    try:
        run()
        return parse_ns_hist(read_text(trigger.with_name("hist")))
    finally:
        write_text(trigger, "!" + command)


def run_load(tools, command, timeout, seed=1):
    """Runs `workloads'; returns its output, or None when a tool of the load is absent."""
    env = dict(os.environ, JC_TOOLS=str(tools), JC_SEED=str(seed))
    try:
        done = subprocess.run([WORKLOADS, *command], env=env, capture_output=True, text=True,
                              timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"workloads {' '.join(command)}: not done after {timeout} s") from error
    if done.returncode == 4:
        print(f"  skipped: {done.stderr.strip()}", flush=True)
        return None
    if done.returncode:
        raise Problem(f"workloads {' '.join(command)}: status {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
