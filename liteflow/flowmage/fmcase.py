# SPDX-License-Identifier: GPL-2.0
"""What the tests of flowmage share: functions, devices, packets and an independent hash."""
import ipaddress
import json
import os
import random
import subprocess
import tempfile
import unittest

from pylib.paths import BUILD

SIZES = {"src_addr4": 4, "dst_addr4": 4, "src_addr6": 16, "dst_addr6": 16, "src_port": 2,
         "dst_port": 2, "protocol": 1, "ifindex": 4, "rx_queue": 4, "src_mac": 6}
SWAP = {"src_addr4": "dst_addr4", "dst_addr4": "src_addr4", "src_addr6": "dst_addr6",
        "dst_addr6": "src_addr6", "src_port": "dst_port", "dst_port": "src_port"}
TUPLE4 = ("src_addr4", "dst_addr4", "src_port", "dst_port", "protocol")
TUPLE6 = ("src_addr6", "dst_addr6", "src_port", "dst_port", "protocol")
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FLOWS = ("tcp4", "udp4", "sctp4", "ip4", "tcp6", "udp6", "sctp6", "ip6")


def mirror(fields):
    return tuple(SWAP.get(f, f) for f in fields)


def slice_of(field, mask=None):
    return {"field": field, "mask": mask or "ff" * SIZES[field]}


def part(at, field):
    """A part of a key: a field's name, (name, mask), an int of unknown bytes, or constant bytes."""
    if isinstance(field, int):
        return {"kind": "unknown", "at": at, "size": field}
    if isinstance(field, bytes):
        return {"kind": "const", "at": at, "size": len(field), "bytes": field.hex()}
    name, mask = field if isinstance(field, tuple) else (field, None)
    return {"kind": "field", "at": at, "size": SIZES[name], "order": 0,
            "slices": [slice_of(name, mask)]}


def key(*fields, protocol=None, ethertype=None, per_packet=True, fragments=True):
    parts, at = [], 0
    for field in fields:
        parts.append(part(at, field))
        at += parts[-1]["size"]
    names = [f[0] if isinstance(f, tuple) else f for f in fields]
    if ethertype is None and any(str(n).endswith("4") for n in names):
        ethertype = 0x800
    if ethertype is None and any(str(n).endswith("6") for n in names):
        ethertype = 0x86dd
    made = {"parts": parts, "read": True, "written": True, "per_packet": per_packet, "sites": [],
            "fragments": fragments}
    if ethertype is not None:
        made["ethertype"] = ethertype
    if protocol is not None:
        made["protocol"] = protocol
    return made


def a_map(name, *keys, kind="packet-key", per_packet=True, **more):
    size = max((sum(p["size"] for p in k["parts"]) for k in keys), default=0)
    return {"name": name, "type": "hash", "key_size": size, "value_size": 8, "max_entries": 1024,
            "class": kind, "per_cpu": False, "written": kind != "read-only",
            "written_elsewhere": False, "per_packet": per_packet, "symmetric": False,
            "spin_lock": False, "timer": False, "pinned": False, "inner": False,
            "keys": list(keys), "reasons": [], **more}


def function(name, *maps, rewrites=(), **more):
    return {"name": name, "source": "bpf:%s.o:%s" % (name, name), "hook": "xdp",
            "class": "packet-key", "complete": True, "maps": list(maps),
            "rewrites": [slice_of(f) for f in rewrites], "rewrites_unknown": False,
            "reasons": [], "steps": 1, **more}


def device(key_len=40, table_len=128, queues=4, fields=None, **more):
    return {"driver": "test", "queues": queues, "key_len": key_len, "table_len": table_len,
            "fields": fields or {}, **more}


def toeplitz(secret, data):
    """Bit by bit, as the specification has it: not as the program does it."""
    window, result = int.from_bytes(secret, "big"), 0
    length = len(secret) * 8
    for i, bit in enumerate("".join("{:08b}".format(b) for b in data)):
        if bit == "1":
            result ^= window >> (length - 32 - i) & 0xffffffff
    return result


class Packet:
    """Its fields by the names of functions' descriptions, and what a device hashes."""

    def __init__(self, fields, protocol, fragment=False):
        self.fields, self.fragment = dict(fields, protocol=bytes([protocol])), fragment
        self.six = "src_addr6" in fields
        self.protocol = protocol

    def flow(self):
        name = {TCP: "tcp", UDP: "udp", 132: "sctp"}.get(self.protocol, "ip")
        return ("ip" if self.fragment else name) + ("6" if self.six else "4")

    def has_ports(self):
        return self.protocol in (TCP, UDP, 132)

    def hashed(self, letters):
        family = "6" if self.six else "4"
        names = {"s": "src_addr" + family, "d": "dst_addr" + family, "f": "src_port",
                 "n": "dst_port"}
        if self.flow().startswith("ip"):
            letters = [c for c in letters if c in "sd"]
        return b"".join(self.fields[names[c]] for c in "sdfn" if c in letters)

    def queue(self, rss):
        letters = rss["fields"][self.flow()]
        if letters == "-":
            return rss["table"][0]
        value = toeplitz(bytes.fromhex(rss["key"]), self.hashed(letters))
        return rss["table"][value % len(rss["table"])]

    def state(self, fields):
        """The key of these fields; None: the packet does not come to it."""
        out = b""
        for field in fields:
            if isinstance(field, bytes):
                out += field
                continue
            name, mask = field if isinstance(field, tuple) else (field, None)
            if name not in self.fields or (name.endswith("_port") and not self.has_ports()):
                return None
            value = self.fields[name]
            if mask:
                value = bytes(a & b for a, b in zip(value, bytes.fromhex(mask)))
            out += value
        return out


def packets(rng, count, six=False, pool=12, fragments=True):
    """Of few addresses and ports, so that keys meet again; fragments and ICMP among them."""
    size = 16 if six else 4
    name = "6" if six else "4"
    hosts = [bytes(rng.getrandbits(8) for _ in range(size)) for _ in range(pool)]
    ports = [bytes(rng.getrandbits(8) for _ in range(2)) for _ in range(pool)]
    for _ in range(count):
        fields = {"src_addr" + name: rng.choice(hosts), "dst_addr" + name: rng.choice(hosts),
                  "src_port": rng.choice(ports), "dst_port": rng.choice(ports)}
        protocol = rng.choice((TCP, TCP, UDP, UDP, 132, ICMP6 if six else ICMP))
        yield Packet(fields, protocol, fragments and not six and rng.random() < 0.2)


class Flowmage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.rng = random.Random(5)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, value):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(value if isinstance(value, str) else json.dumps(value))
        return self.path(name)

    def flowmage(self, *args):
        return subprocess.run([BUILD / "liteflow/flowmage", *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, cwd=self.dir)

    def solve(self, functions, devices, *args):
        """@functions: descriptions, or (description, "@eth0"); @devices: by name."""
        words = []
        for name, described in devices.items():
            words += ["-d", "%s=%s" % (name, self.write(name + ".json", described))]
        for i, fn in enumerate(functions):
            fn, where = fn if isinstance(fn, tuple) else (fn, "")
            words.append(self.write("f%d.json" % i, fn) + where)
        done = self.flowmage("solve", "--json", *words, *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def refusal(self, done, *reasons):
        """One line that says what and where; nothing else."""
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("flowmage: "), done.stderr)
        for reason in reasons:
            self.assertIn(reason, done.stderr)
        self.assertEqual(done.stdout, "")

    @staticmethod
    def rss(plan, name):
        return [d["set"] for d in plan["devices"] if d["name"] == name][0]

    @staticmethod
    def foreign(keys, stream):
        """
        Packets whose state another queue has. @keys: fields of each key, by device name;
        @stream: (device's name, its settings, packet).
        """
        owner, count, foreign, queues = {}, 0, 0, {}
        for name, rss, packet in stream:
            queue = packet.queue(rss)
            queues[queue] = queues.get(queue, 0) + 1
            states = {packet.state(k) for k in keys[name]} - {None}
            for state in states:
                count += 1
                foreign += owner.setdefault(state, queue) != queue
        return foreign, count, queues


def address(text):
    return ipaddress.ip_address(text).packed
