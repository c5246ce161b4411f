# SPDX-License-Identifier: GPL-2.0
"""ping and iperf3 over a link between network namespaces: a queue of this kernel, or lemu.

The path is that of record.py. The delay is on the way back, so that it is no matter of the queue.
Needs root and nothing but Python's own modules.
"""
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import time

from . import record
from .pylib import lfctl
from .pylib.errors import Problem

QUEUE = "queue"             # lemu without a model
LEMU = "lemu {app}capacity {{bits}}bit queue {{queue}}b"
APP = "lemu"
IDLE_PINGS = 40
PING_S = 0.05
UDP_SIZE = 1200
OVERLOAD = 1.5              # of UDP, times the capacity
SETTLE_S = 1                # what is on the way arrives
REPLY = re.compile(r"^\[(\d+\.\d+)\] .*icmp_seq=(\d+) .*time=([\d.]+) ms")
COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) received")


def say(text):
    print(text, flush=True)


def run(text):
    """A command that the user might type: shown, then run; what it printed."""
    say(f"$ {text}")
    return record.command(text)


def need(links):
    """Problem if this kernel or this system lacks something, in words that say what."""
    for tool, package in (("ping", "iputils-ping"), ("iperf3", "iperf3"), ("tc", "iproute2")):
        if not shutil.which(tool):
            raise Problem(f"no {tool}: apt-get install {package}")
    if all(link in record.QDISCS for link in links):
        return
    done = subprocess.run("tc qdisc add dev lo root lemu help".split(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if "lemu capacity" not in done.stdout:
        raise Problem("tc does not know lemu: run \"make tc-lemu\", and set TC_LIB_DIR to "
                      "build/liteflow/tc")
    if lfctl.run("app", "show", APP).returncode:
        raise Problem(f"this kernel has no app \"{APP}\": modprobe sch_lemu")


def qdisc_lines(link):
    """For record.attaching(): link is one of record.QDISCS, QUEUE, or a model's file."""
    if link in record.QDISCS:
        return record.QDISCS[link]
    return [LEMU.format(app="" if link == QUEUE else f"app {APP} ")]


def label_of(link):
    return link if link in record.QDISCS else "byte queue" if link == QUEUE else "lemu"


class Pings:
    """A ping that is running, or was: its replies are [(seconds since start, ms)]."""

    def __init__(self, count):
        self.started = time.time()
        self.process = subprocess.Popen(
            ["ping", "-n", "-D", "-i", str(PING_S), "-c", str(count), "-W", "2", record.RECEIVER],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "LC_ALL": "C"})

    def result(self):
        text = self.process.communicate()[0]
        counts = COUNTS.search(text)
        if not counts:
            raise Problem(f"ping: {text.strip().splitlines()[-1] if text.strip() else 'no output'}")
        replies = []
        for line in text.splitlines():
            found = REPLY.match(line)
            if found:
                rtt = float(found[3])
                replies.append((round(float(found[1]) - rtt / 1e3 - self.started, 4), rtt))
        sent, received = map(int, counts.groups())
        return {"replies": replies, "sent": sent, "lost_percent": 100 * (1 - received / sent)}


def iperf(*words):
    """What iperf3 found, as JSON has it."""
    text = f"iperf3 -c {record.RECEIVER} {' '.join(words)}"
    say(f"$ {text}")
    done = subprocess.run([*text.split(), "-J"], stdout=subprocess.PIPE, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise Problem(f"{text}: no JSON came, status {done.returncode}") from None
    if "error" in found:
        raise Problem(f"{text}: {found['error']}")
    return found


def tcp(seconds):
    """One flow, and pings beside it."""
    pings = Pings(int(seconds / PING_S))
    found = iperf("-t", str(seconds))
    end = found["end"]
    return {"mbit": end["sum_received"]["bits_per_second"] / 1e6,
            "retransmits": end["sum_sent"]["retransmits"],
            "series": [round(one["sum"]["bits_per_second"] / 1e6, 4)
                       for one in found["intervals"]],
            "ping": pings.result()}


def udp(seconds, capacity):
    """More than the link can carry."""
    bits = round(OVERLOAD * capacity * 8000)
    end = iperf("-u", "-b", str(bits), "-l", str(UDP_SIZE), "-t", str(seconds))["end"]["sum"]
    lost = end["lost_percent"]
    return {"offered_mbit": end["bits_per_second"] / 1e6, "jitter_ms": end["jitter_ms"],
            "mbit": end["bits_per_second"] / 1e6 * (1 - lost / 100), "lost_percent": lost}


def attach(spaces, link, capacity, queue):
    """Install a model, if the link is one, and put the qdisc into the router's namespace."""
    if link not in record.QDISCS and link != QUEUE:
        # models are the whole machine's
        spaces.enter(spaces.home)
        say(f"$ lfctl model install {APP} auto {link} --activate")
        done = lfctl.run("model", "install", APP, "auto", link, "--activate")
        if done.returncode:
            raise Problem(done.stderr.strip().splitlines()[-1] if done.stderr else
                          f"{link}: lfctl does not install it")
        say(done.stdout.rstrip())
    spaces.enter(spaces.router)
    for text in record.attaching(qdisc_lines(link), capacity, queue):
        run(text)


@contextlib.contextmanager
def serving(spaces):
    """iperf3 waits at the receiver; what is run meanwhile is run at the sender."""
    spaces.enter(spaces.receiver)
    with subprocess.Popen(["iperf3", "-s"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            spaces.enter(spaces.sender)
            time.sleep(SETTLE_S)
            yield
        finally:
            server.terminate()


def measure(spaces, link, capacity, queue, seconds):
    """All figures of one link."""
    attach(spaces, link, capacity, queue)
    with serving(spaces):
        say(f"$ ping -i {PING_S} {record.RECEIVER}")
        found = {"link": link, "label": label_of(link), "idle": Pings(IDLE_PINGS).result()}
        found["tcp"] = tcp(seconds)
        time.sleep(SETTLE_S)
        found["udp"] = udp(seconds, capacity)
    time.sleep(SETTLE_S)
    spaces.enter(spaces.router)
    shown = run(f"tc -s qdisc show dev {record.BOTTLENECK}")
    say(shown.rstrip())
    found["shown"] = shown
    found["qdiscs"] = json.loads(record.command(
        f"tc -s -j qdisc show dev {record.BOTTLENECK}"))
    record.command(f"tc qdisc del dev {record.BOTTLENECK} root")
    return found


def warm_up(spaces):
    """Read the programs from the disk, so that no measurement waits for it."""
    with serving(spaces):
        Pings(2).result()
        for words in ("-n 10K", "-u -n 10K"):
            subprocess.run(f"iperf3 -J -c {record.RECEIVER} {words}".split(),
                           stdout=subprocess.DEVNULL, check=False)


def compare(links, capacity, queue, rtt_ms, seconds):
    """{"capacity": bytes per ms, "queue": bytes, "rtt_ms", "seconds", "links": [figures]}"""
    need(links)
    spaces = record.Namespaces()
    try:
        record.build(spaces)
        warm_up(spaces)
        spaces.enter(spaces.router)
        if rtt_ms:
            run(f"tc qdisc add dev {record.TOWARDS_SENDER} root netem delay {rtt_ms}ms limit 10000")
        found = [measure(spaces, link, capacity, queue, seconds) for link in links]
    finally:
        spaces.close()
    return {"capacity": capacity, "queue": queue, "rtt_ms": rtt_ms, "seconds": seconds,
            "links": found}


def _rtts(ping):
    return [rtt for _, rtt in ping["replies"]]


def _quantile(values, percent):
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")


def drops_of(found):
    """Packets that the qdisc dropped, whatever sits below it."""
    return max(one.get("drops", 0) for one in found["qdiscs"])


# label, digits, value of one link's figures
ROWS = (
    ("RTT of ping, idle, p50, ms", 2, lambda f: _quantile(_rtts(f["idle"]), 50)),
    ("RTT of ping beside TCP, p50, ms", 1, lambda f: _quantile(_rtts(f["tcp"]["ping"]), 50)),
    ("RTT of ping beside TCP, p95, ms", 1, lambda f: _quantile(_rtts(f["tcp"]["ping"]), 95)),
    ("pings lost beside TCP, %", 1, lambda f: f["tcp"]["ping"]["lost_percent"]),
    ("TCP goodput, Mbit/s", 3, lambda f: f["tcp"]["mbit"]),
    ("TCP segments sent again", 0, lambda f: f["tcp"]["retransmits"]),
    ("UDP goodput, Mbit/s", 3, lambda f: f["udp"]["mbit"]),
    ("UDP lost, %", 2, lambda f: f["udp"]["lost_percent"]),
    ("UDP jitter, ms", 2, lambda f: f["udp"]["jitter_ms"]),
    ("packets dropped by the qdisc", 0, drops_of),
)


COMPARED = [row for row in ROWS if row[0].endswith((" p50, ms", "goodput, Mbit/s"))]


def furthest(data):
    """(percent, label): by how much the second link is off the first in goodputs and median RTTs,
    where it is worst. Not a number is infinitely far."""
    first, second = data["links"][:2]
    found = []
    for label, _, value in COMPARED:
        off = abs(value(second) / value(first) - 1) * 100 if value(first) else float("nan")
        found.append((off if off == off else float("inf"), label))
    return max(found)


def rows(data):
    """Of the table: a label, then each link's value as text."""
    for label, digits, value in ROWS:
        yield [label, *(f"{value(found):.{digits}f}" for found in data["links"])]
