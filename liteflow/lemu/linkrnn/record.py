# SPDX-License-Identifier: GPL-2.0
"""Ground truth from the kernel's own queues: three network namespaces, UDP through a qdisc.

sender -- veth -- router with the qdisc -- veth -- receiver. The namespaces have no names: they
are gone with this process, however it ends. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
"""
import ctypes
import os
import pathlib
import select
import socket
import struct
import subprocess
import time

import numpy as np

from . import pcap
from .pylib.errors import Problem

CLONE_NEWNET = 0x40000000
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETH_P_ALL = 3
HEADERS = 14 + 20 + 8       # Ethernet, IPv4, UDP
MTU = 1500
PORT = 9
BOTTLENECK = "out0"         # the router's device towards the receiver
TOWARDS_SENDER = "in0"      # the other one
RECEIVER = "10.0.1.2"
SNAP = 128
DRAIN_S = 2.0

QDISCS = {
    "tbf": ["tbf rate {bits}bit burst {burst} limit {queue}"],
    "netem": ["netem rate {bits}bit limit {packets}"],
    "codel": ["handle 1: tbf rate {bits}bit burst {burst} limit {queue}",
              "parent 1: codel limit {packets}"],
    "fq_codel": ["handle 1: tbf rate {bits}bit burst {burst} limit {queue}",
                 "parent 1: fq_codel limit {packets}"],
}


def command(text):
    """Run ip or tc in the namespace of this thread; what it printed."""
    done = subprocess.run(text.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode:
        raise Problem(f"{text}: {done.stdout.strip().splitlines()[0] if done.stdout else 'failed'}")
    return done.stdout


def _set(name, value):
    """A sysctl of this thread's namespace, if the kernel has it."""
    path = pathlib.Path("/proc/sys") / name
    if path.exists():
        path.write_text(str(value), encoding="ascii")


class Namespaces:
    """The three namespaces; only this thread moves between them."""

    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.fds = []
        for _ in range(3):
            if self.libc.unshare(CLONE_NEWNET):
                code = ctypes.get_errno()
                raise Problem(f"no network namespace: {os.strerror(code)}: be root")
            self.fds.append(os.open("/proc/self/ns/net", os.O_RDONLY))
            # its own packets would be in the captures
            _set("net/ipv6/conf/default/disable_ipv6", 1)
        self.sender, self.router, self.receiver = self.fds

    def enter(self, fd):
        if self.libc.setns(fd, CLONE_NEWNET):
            raise Problem(f"setns: {os.strerror(ctypes.get_errno())}")

    def close(self):
        self.enter(self.home)
        for fd in (self.home, *self.fds):
            os.close(fd)

    def path(self, fd):
        return f"/proc/{os.getpid()}/fd/{fd}"


def build(spaces):
    """Devices, addresses and routes; nothing is resolved while packets fly."""
    spaces.enter(spaces.router)
    for near, far, where in ((TOWARDS_SENDER, "veth-s", spaces.sender),
                             (BOTTLENECK, "veth-r", spaces.receiver)):
        command(f"ip link add name {near} type veth peer name {far}")
        command(f"ip link set {far} netns {spaces.path(where)}")
    command(f"ip addr add 10.0.0.1/24 dev {TOWARDS_SENDER}")
    command(f"ip addr add 10.0.1.1/24 dev {BOTTLENECK}")
    for name in (TOWARDS_SENDER, BOTTLENECK):
        command(f"ip link set {name} up mtu {MTU}")
    _set("net/ipv4/ip_forward", 1)
    macs = {name: _mac(name) for name in (TOWARDS_SENDER, BOTTLENECK)}
    for where, name, address, gateway, mac in (
            (spaces.sender, "veth-s", "10.0.0.2", "10.0.0.1", macs[TOWARDS_SENDER]),
            (spaces.receiver, "veth-r", RECEIVER, "10.0.1.1", macs[BOTTLENECK])):
        spaces.enter(where)
        command(f"ip addr add {address}/24 dev {name}")
        command(f"ip link set {name} up mtu {MTU}")
        command(f"ip neigh replace {gateway} lladdr {mac} dev {name}")
        command(f"ip route add default via {gateway}")
    receiver_mac = _mac("veth-r")
    spaces.enter(spaces.router)
    command(f"ip neigh replace {RECEIVER} lladdr {receiver_mac} dev {BOTTLENECK}")


def attaching(lines, capacity, queue):
    """Commands that put a qdisc of QDISCS, or such lines, in front of the receiver: capacity in
    bytes per ms, queue in bytes."""
    values = {"bits": round(capacity * 8000), "queue": round(queue), "burst": MTU + 100,
              "packets": max(1, int(queue // MTU))}
    for words in lines:
        place = "" if words.startswith("parent") else "root "
        yield f"tc qdisc add dev {BOTTLENECK} {place}" + words.format(**values)


def _mac(name):
    done = subprocess.run(["ip", "-o", "link", "show", name], stdout=subprocess.PIPE, text=True,
                          check=True)
    return done.stdout.split("link/ether ")[1].split()[0]


def _tap(name):
    """A socket that sees a device's frames, with their times."""
    try:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    except OSError as error:
        raise Problem(f"no packet socket: {error.strerror}: the kernel needs CONFIG_PACKET") \
            from error
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    tap.bind((name, ETH_P_ALL))
    tap.setblocking(False)
    return tap


def _take(tap, writer, outgoing):
    """All frames of a direction that wait in a tap."""
    while True:
        try:
            frame, about, _, address = tap.recvmsg(65536, 128)
        except BlockingIOError:
            return
        # not what comes back
        if (address[2] == socket.PACKET_OUTGOING) != outgoing:
            continue
        for level, kind, value in about:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, part = struct.unpack("qq", value[:16])
                writer.add(seconds * 1_000_000_000 + part, frame[:SNAP], len(frame))


def _whole(tap):
    """Problem if a tap had no room for a frame: it would count as dropped by the link."""
    lost = struct.unpack("II", tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
    if lost:
        raise Problem(f"the capture lost {lost} packets: the machine is too busy, try again")


def record(qdisc, capacity, queue, gaps, sizes, sent_path, received_path):
    """Send packets after gaps (s) of sizes (bytes, as the qdisc counts them) through a qdisc of
    capacity (bytes per ms) and queue (bytes), and leave both captures."""
    spaces = Namespaces()
    try:
        build(spaces)
        for text in attaching(QDISCS[qdisc], capacity, queue):
            command(text)
        spaces.enter(spaces.sender)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        taps = [_tap("veth-s")]
        spaces.enter(spaces.receiver)
        taps.append(_tap("veth-r"))
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        spaces.enter(spaces.home)
        # nobody reads it, but an unbound port would be answered
        sink.bind(("0.0.0.0", PORT))
        with pcap.Writer(sent_path) as sent, pcap.Writer(received_path) as received:
            _send(sender, gaps, sizes, taps, (sent, received))
            for tap in taps:
                _whole(tap)
        for one in (sender, sink, *taps):
            one.close()
    finally:
        spaces.close()


def _send(sender, gaps, sizes, taps, writers):
    due = time.monotonic() + np.cumsum(gaps)
    number = 0
    end = due[-1] + DRAIN_S
    while True:
        now = time.monotonic()
        while number < len(due) and due[number] <= now:
            # the number makes each packet unique
            payload = struct.pack("!Q", number).ljust(int(sizes[number]) - HEADERS, b"\0")
            sender.sendto(payload, (RECEIVER, PORT))
            number += 1
            now = time.monotonic()
            if not number % 32:
                break
        if now >= end:
            return
        select.select(taps, [], [], max(0, (due[number] if number < len(due) else end) - now))
        for tap, writer, outgoing in zip(taps, writers, (True, False)):
            _take(tap, writer, outgoing)
