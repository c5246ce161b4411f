# SPDX-License-Identifier: GPL-2.0
"""
Chains for the guest: their functions, and packets whose state is known beforehand. Which packets
share an entry is said here, by the functions' keys; the program under test has no part in it.
"""
import json
import random
import struct
import subprocess

from fmcase import (ICMP, ICMP6, SWAP, TCP, TUPLE4, TUPLE6, UDP, Packet, a_map, function,
                    key, mirror)
from test_analyze import FLOWMAGE, OBJECTS, compile_all, functions

PROBE_AT, PROBE_MAPS, MAGIC = 96, 6, b"FLOWMAGE"
GATEWAY = bytes([192, 0, 2, 1])


def frame(packet, device, entries):
    """A frame of fixed length, with the mark of probe.h."""
    ports = packet.fields["src_port"] + packet.fields["dst_port"]
    if packet.protocol == TCP:
        above = ports + bytes(8) + b"\x50\x10\x04\0" + bytes(4)
    elif packet.protocol == UDP:
        above = ports + struct.pack(">HH", 74, 0)
    else:
        above = b"\x08\0" if not packet.six else b"\x80\0"
    if packet.six:
        ip = struct.pack(">IHBB", 6 << 28, 74, packet.protocol, 64)
        ip += packet.fields["src_addr6"] + packet.fields["dst_addr6"]
    else:
        # the first fragment, which has ports, or a later one
        offset = (0x2000 if packet.fields["src_port"][0] & 1 else 64) if packet.fragment else 0
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 114, 7, offset, 64, packet.protocol, 0)
        ip += packet.fields["src_addr4"] + packet.fields["dst_addr4"]
        total = sum(struct.unpack(">10H", ip))
        total = (total & 0xffff) + (total >> 16)
        ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + ip[12:]
    head = bytes([0x52, 0x54, 0, 0, 1, device]) + b"\x02\0\0\0\0\x01"
    head += b"\x86\xdd" if packet.six else b"\x08\0"
    data = (head + ip + above).ljust(PROBE_AT, b"\0")
    return data + MAGIC + struct.pack(">%dI" % PROBE_MAPS, *entries,
                                      *[0] * (PROBE_MAPS - len(entries)))


class Chain:
    """
    @functions: (description, devices) in order; a description is as analyze writes it, the name of
    a test function, or rules of nftables; @maps: for each map of the chain, the keys that
    reach one entry, by device's number; @args: more words for solve; @whole: the functions let
    fragments pass.
    """

    def __init__(self, name, functions, maps, args=(), six=False, devices=1, solvable=True,
                 whole=False):
        self.name, self.functions, self.maps, self.args = name, functions, maps, list(args)
        self.six, self.devices, self.solvable, self.whole = six, devices, solvable, whole

    def write(self, folder):
        """Descriptions into the folder; the words that name them."""
        for i, (made, where) in enumerate(self.functions):
            name = "f%d.json" % i
            if isinstance(made, str):
                compile_all()
                made = functions(OBJECTS / (made + ".o"))
            elif "nftables" in made:
                (folder / "rules.json").write_text(json.dumps(made), encoding="utf-8")
                made = json.loads(subprocess.run(
                    [FLOWMAGE, "analyze", "--json", "nft:%s" % (folder / "rules.json")],
                    stdout=subprocess.PIPE, check=True).stdout)
            (folder / name).write_text(json.dumps(made), encoding="utf-8")
            yield name + where

    def flows(self, rng, hosts):
        """So few that each is met many times."""
        family = "6" if self.six else "4"
        ports = [bytes(rng.getrandbits(8) for _ in range(2)) for _ in range(64)]
        return [({"src_addr" + family: rng.choice(hosts[0]),
                  "dst_addr" + family: rng.choice(hosts[1]),
                  "src_port": rng.choice(ports), "dst_port": rng.choice(ports)},
                 rng.choice((TCP, TCP, TCP, UDP, UDP, UDP, ICMP6 if self.six else ICMP)))
                for _ in range(2000)]

    def packet(self, rng, flow, reverse=False):
        fields, protocol = flow
        if reverse:
            fields = {SWAP[name]: value for name, value in fields.items()}
        return Packet(fields, protocol, not self.six and rng.random() < 0.15)

    def hosts(self, rng):
        """So many that no CPU is full by chance: with 400 of them one had 1.2 times the mean."""
        size, net = (16, bytes.fromhex("20010db8")) if self.six else (4, b"\x0a")
        return [[net + bytes(rng.getrandbits(8) for _ in range(size - len(net)))
                 for _ in range(1000)] for _ in range(2)]

    def stream(self, seed, count):
        """Device's number, packet and its entries, one for each map; 0: none."""
        rng = random.Random(seed)
        flows = self.flows(rng, self.hosts(rng))
        numbers = [{} for _ in self.maps]
        for i in range(count):
            device = i % self.devices
            reverse = bool(device) if self.devices > 1 else rng.random() < 0.5
            packet = self.packet(rng, rng.choice(flows), reverse)
            entries = []
            for keys, known in zip(self.maps, numbers):
                states = [packet.state(k) for k in keys[device]]
                if None in states or (packet.fragment and self.whole):
                    entries.append(0)
                else:
                    entries.append(known.setdefault(min(states), len(known) + 1))
            yield device, packet, entries


class Nat(Chain):
    """Each flow from inside has a reply to a port that was given out on the way."""

    def stream(self, seed, count):
        rng = random.Random(seed)
        flows = self.flows(rng, self.hosts(rng))
        given = [rng.getrandbits(16).to_bytes(2, "big") for _ in flows]
        for _ in range(count // 2):
            i = rng.randrange(len(flows))
            packet = self.packet(rng, flows[i])
            yield 0, packet, [i + 1]
            yield 1, Packet({"src_addr4": packet.fields["dst_addr4"], "dst_addr4": GATEWAY,
                             "src_port": packet.fields["dst_port"], "dst_port": given[i]},
                            packet.protocol, packet.fragment), [i + 1]


class Balancer(Chain):
    """Each flow to the service has an answer of a server that only the balancer knows."""

    def stream(self, seed, count):
        rng = random.Random(seed)
        hosts = self.hosts(rng)
        flows = self.flows(rng, (hosts[0], [GATEWAY]))
        servers = [rng.choice(hosts[1]) for _ in flows]
        for _ in range(count // 2):
            i = rng.randrange(len(flows))
            packet = self.packet(rng, flows[i])
            yield 0, packet, [i + 1]
            yield 1, Packet({"src_addr4": servers[i], "dst_addr4": packet.fields["src_addr4"],
                             "src_port": packet.fields["dst_port"],
                             "dst_port": packet.fields["src_port"]},
                            packet.protocol, packet.fragment), [i + 1]


def by_name(name, *keys, **more):
    """A chain of one test function with one map, on one device."""
    six = any("6" in f for k in keys for f in k if isinstance(f, str))
    return Chain(name, [(name, "")], [{0: list(keys)}], six=six, **more)


def rules(*statements):
    """A table of nftables, as nft lists it."""
    head = [{"table": {"family": "inet", "name": "fw", "handle": 1}}]
    return {"nftables": head + [{"rule": {"family": "inet", "table": "fw", "chain": "in",
                                          "handle": i, "expr": [s]}}
                                for i, s in enumerate(statements)]}


def update(name, *fields):
    """A statement: the packet's fields go into a set."""
    payload = [{"payload": {"protocol": p, "field": f}} for p, f in fields]
    return {"set": {"op": "update", "set": "@" + name,
                    "elem": payload[0] if len(payload) == 1 else {"concat": payload}}}


def chains():
    pair4, net = TUPLE4[:2], (("src_addr4", "ffffff00"),)
    yield by_name("policer_dest", ("dst_addr4",))
    yield by_name("port_scan", ("src_addr4",))
    yield by_name("host_pairs", pair4, mirror(pair4))
    yield by_name("conntrack_sorted", TUPLE4, mirror(TUPLE4), whole=True)
    yield by_name("count_source6", ("src_addr6",))
    yield Chain("conntrack6", [(function("conntrack6", a_map(
        "m", key(*TUPLE6), key(*mirror(TUPLE6)))), "")], [{0: [TUPLE6, mirror(TUPLE6)]}], six=True)
    yield Chain("three", [("policer_flow", ""), ("subnet", ""), ("count_source", "")],
                [{0: [TUPLE4]}, {0: [net]}, {0: [("src_addr4",)]}])
    yield Nat("nat", [("nat_out", "@eth0"), ("nat_in", "@eth1")], [], ["--same-map=inward"],
              devices=2)
    to = function("lb-to", a_map("flows", key(*TUPLE4)), a_map(
        "back", key(4, "src_addr4", "dst_port", "src_port", "protocol")), rewrites=("dst_addr4",))
    away = function("lb-from", a_map("back", key(*TUPLE4), kind="read-only"),
                    rewrites=("src_addr4",))
    yield Balancer("balancer", [(to, "@eth0"), (away, "@eth1")], [], ["--same-map=back"],
                   devices=2)
    yield Chain("firewall", [("conntrack_both", "@eth0,eth1")],
                [{i: [TUPLE4, mirror(TUPLE4)] for i in range(2)}], devices=2, whole=True)
    down = function("quota-down", a_map("m", key("dst_addr4")))
    up = function("quota-up", a_map("m", key("src_addr4")))
    yield Chain("quota", [(down, "@eth0"), (up, "@eth1")],
                [{0: [("dst_addr4",)], 1: [("src_addr4",)]}], ["--same-map=m"], devices=2)
    yield Chain("nftables", [(rules(update("hosts", ("ip", "daddr")),
                                    update("pairs", ("ip", "saddr"), ("ip", "daddr"))), "")],
                [{0: [("dst_addr4",)]}, {0: [pair4]}])
    both = function("policer-both", a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6")))
    yield Chain("dst-of-both", [(both, "")], [], solvable=False)
    yield Chain("src-and-dst", [("count_source", ""), ("policer_dest", "")], [], solvable=False)
