#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What flowmage solve finds keeps state together: random packets, hashed by another program."""
import itertools
import json
import os
import random
import shutil
import struct
import subprocess
import unittest

import fmcase
from fmcase import TUPLE4, TUPLE6, a_map, device, function, key, mirror, packets

DEFAULT_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c"
                            "6a42b73bbeac01fa")


def subsets(fields):
    for n in range(1, len(fields) + 1):
        yield from itertools.combinations(fields, n)


def spread(queues, n=4):
    return max(queues.values()) * n / sum(queues.values())


class Solve(fmcase.Flowmage):
    def stream(self, plan, count, **how):
        """Packets of all devices in turn."""
        names = [d["name"] for d in plan["devices"]]
        for i, packet in enumerate(packets(self.rng, count, **how)):
            name = names[i % len(names)]
            yield name, self.rss(plan, name), packet

    def together(self, plan, keys, count=600, **how):
        foreign, seen, queues = self.foreign(keys, self.stream(plan, count, **how))
        self.assertEqual(foreign, 0)
        self.assertGreater(seen, count / 4)
        return queues

    def compile(self, source, target):
        if not shutil.which("clang"):
            self.skipTest("no clang")
        multi = subprocess.run(["gcc", "-print-multiarch"], stdout=subprocess.PIPE, text=True,
                               check=False).stdout.strip()
        done = subprocess.run(["clang", "-O2", "-g", "-Wall", "-Werror", "-target", "bpf",
                               "-mcpu=v3", "-idirafter", "/usr/include/" + multi, "-c", source,
                               "-o", target], cwd=self.dir, stderr=subprocess.PIPE, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_all_sets(self):
        """Each set of fields, plain, on one device and on two that see both directions."""
        for six, names in ((False, TUPLE4), (True, TUPLE6)):
            for n, fields in enumerate(subsets(names[:4])):
                key_len, table = ((40, 128), (52, 512), (40, 2048))[n % 3]
                apart = []
                if not {names[0], names[1]} & set(fields):
                    # SCTP has ports that most devices do not hash
                    fields, apart = fields + ("protocol",), ["--fragments=apart"]
                fn = function("f", a_map("m", key(*fields, ethertype=0x86dd if six else 0x800)))
                with self.subTest(fields):
                    plan = self.solve([fn], {"eth0": device(key_len, table)}, *apart)
                    self.assertEqual(plan["way"], "key")
                    self.together(plan, {"eth0": [fields]}, six=six, fragments=not apart)
                back = function("b", a_map("m", key(*mirror(fields),
                                                    ethertype=0x86dd if six else 0x800)))
                with self.subTest(fields, devices=2):
                    plan = self.solve([(fn, "@eth0"), (back, "@eth1")],
                                      {"eth0": device(key_len, table), "eth1": device(52, 128)},
                                      "--same-map=m", *apart)
                    self.assertEqual(plan["way"], "key")
                    self.together(plan, {"eth0": [fields], "eth1": [mirror(fields)]}, six=six,
                                  fragments=not apart)

    def test_symmetric(self):
        for six, names in ((False, TUPLE4), (True, TUPLE6)):
            for fields in (names[:2], names[:4], names, names[2:]):
                apart = [] if fields == names[:2] else ["--fragments=apart"]
                fn = function("f", a_map("m", *(key(*k, ethertype=0x86dd if six else 0x800)
                                                for k in (fields, mirror(fields)))))
                with self.subTest(fields):
                    plan = self.solve([fn], {"eth0": device(), "eth1": device(52, 1024)}, *apart)
                    self.assertEqual(plan["way"], "key")
                    both = [fields, mirror(fields)]
                    self.together(plan, {"eth0": both, "eth1": both}, six=six,
                                  fragments=not apart)

    def test_fragments(self):
        """A tuple of five, but fragments have no ports: addresses alone may count."""
        fn = function("f", a_map("m", key(*TUPLE4)))
        plan = self.solve([fn], {"eth0": device()})
        queues = self.together(plan, {"eth0": [TUPLE4]}, 3000)
        self.assertEqual(len(queues), 4)
        one = a_map("m", key("dst_port", ethertype=0x800, protocol=6))
        plan = self.solve([function("f", one)], {"eth0": device()})
        self.assertEqual(plan["way"], "shared")
        plan = self.solve([function("f", one)], {"eth0": device()}, "--fragments=apart")
        self.assertEqual(plan["way"], "key")
        one = a_map("m", key("dst_port", ethertype=0x800, protocol=6, fragments=False))
        plan = self.solve([function("f", one)], {"eth0": device()})
        self.assertEqual(plan["way"], "key")

    def test_default_is_foreign(self):
        """So many packets come to another queue than their state's with a usual key."""
        rss = {"key": DEFAULT_KEY.hex(), "table": [i % 4 for i in range(128)],
               "fields": {f: "sd" if f[:2] in ("ip", "sc") else "sdfn" for f in fmcase.FLOWS}}
        for keys in (("dst_addr4",), ("src_addr4",), (TUPLE4[:2], mirror(TUPLE4[:2]))):
            keys = [keys] if isinstance(keys[0], str) else list(keys)
            foreign, seen, _ = self.foreign({"eth0": keys}, (
                ("eth0", rss, p) for p in packets(self.rng, 1500, pool=8)))
            self.assertGreater(foreign / seen, 0.5)

    def test_nat(self):
        """Ports are given out on the way: only the server is in both tables' keys."""
        out = function("out", a_map("outward", key(*TUPLE4)), a_map(
            "inward", key("dst_addr4", bytes([192, 0, 2, 1]), "dst_port", 2, "protocol")),
                       rewrites=("src_addr4", "src_port"))
        back = function("in", a_map("inward", key(*TUPLE4), kind="read-only"),
                        rewrites=("dst_addr4", "dst_port"))
        plan = self.solve([(out, "@inner"), (back, "@outer")],
                          {"inner": device(), "outer": device(52, 512)}, "--same-map=inward")
        self.assertEqual(plan["way"], "key")
        inner, outer = self.rss(plan, "inner"), self.rss(plan, "outer")
        gateway = bytes([192, 0, 2, 1])
        queues = {}
        for packet in packets(self.rng, 800, pool=60):
            there = packet.queue(inner)
            given = self.rng.getrandbits(16).to_bytes(2, "big")
            reply = fmcase.Packet({"src_addr4": packet.fields["dst_addr4"],
                                   "dst_addr4": gateway, "src_port": packet.fields["dst_port"],
                                   "dst_port": given}, packet.protocol, packet.fragment)
            self.assertEqual(reply.queue(outer), there)
            queues[there] = queues.get(there, 0) + 1
        self.assertEqual(len(queues), 4)

    def test_nat_programs(self):
        """The same, from the programs themselves."""
        for name in ("nat_out", "nat_in"):
            self.compile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "nf",
                                      name + ".bpf.c"), name + ".o")
        for name in ("in", "out"):
            self.write(name + ".json", device())
        done = self.flowmage("solve", "--json", "-d", "in=in.json", "-d", "out=out.json",
                             "bpf:nat_out.o@in", "bpf:nat_in.o:nat_in@out", "--same-map=inward")
        plan = json.loads(done.stdout)
        self.assertEqual(plan["way"], "key")
        self.assertEqual([s["private"] for s in plan["state"]], [True, True, False])
        self.assertEqual([f["path"] for f in plan["files"]], ["nat_out.o", "nat_in.o"])
        self.refusal(self.flowmage("solve", "-d", "in=in.json", "bpf:none.o"), "none.o")

    def test_chain(self):
        """The coarsest key of a chain counts; a mask, too."""
        chain = [function("a", a_map("m", key(*TUPLE4))),
                 function("b", a_map("m", key(("src_addr4", "ffffff00"))))]
        plan = self.solve(chain, {"eth0": device()})
        self.together(plan, {"eth0": [TUPLE4, (("src_addr4", "ffffff00"),)]}, 2000)
        self.assertTrue(all(s["private"] for s in plan["state"]))

    def test_rewritten(self):
        """What a function before has rewritten the device did not see."""
        chain = [function("nat", a_map("m", key("src_addr4")), rewrites=("dst_addr4",)),
                 function("b", a_map("m", key("dst_addr4")))]
        plan = self.solve(chain, {"eth0": device()})
        private = {s["name"]: s["private"] for s in plan["state"]}
        self.assertEqual(private, {"nat: map m, IPv4": True, "b: map m, IPv4": False})

    def test_conflict(self):
        """One key cannot serve the destination of both families: that is what is named."""
        both = function("policer", a_map("four", key("dst_addr4")),
                        a_map("six", key("dst_addr6"), per_packet=False))
        counter = function("counter", a_map("flows", key(*TUPLE4)))
        plan = self.solve([counter, both], {"eth0": device()})
        self.assertEqual(plan["way"], "shared")
        named = {s["name"] for s in plan["state"] if s["in_conflict"]}
        # its bits of the key are all those that IPv4 has
        self.assertEqual(named, {"policer: map six, IPv6"})
        shared = {s["name"] for s in plan["state"] if not s["private"]}
        self.assertEqual(shared, {"policer: map six, IPv6"})
        self.together(plan, {"eth0": [TUPLE4, ("dst_addr4",)]})
        self.assertIn("every key sends TCP over IPv4 of eth0 to 1 of 4", plan["obstacle"])

    def test_disjoint(self):
        chain = [function("a", a_map("m", key("src_addr4"))),
                 function("b", a_map("m", key("dst_addr4"), per_packet=False)),
                 function("c", a_map("m", key("src_addr4", "src_port", protocol=6)))]
        plan = self.solve(chain, {"eth0": device()})
        named = {s["name"] for s in plan["state"] if s["in_conflict"]}
        self.assertEqual(named, {"a: map m, IPv4", "b: map m, IPv4"})
        self.assertEqual([s["private"] for s in plan["state"]], [True, False, True])
        self.together(plan, {"eth0": [("src_addr4",)]})

    def test_contexts(self):
        both = function("policer", a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6")))
        plan = self.solve([both], {"eth0": device(contexts=4)})
        self.assertEqual(plan["way"], "contexts")
        self.together(plan, {"eth0": [("dst_addr4",)]})
        plan["devices"][0]["set"] = plan["devices"][0]["contexts"][0]
        self.assertEqual(len(self.together(plan, {"eth0": [("dst_addr6",)]}, 3000, six=True)), 4)

    def test_program(self):
        """Where locks cost more than handing packets on, a program for just these fields."""
        both = function("policer", a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6")))
        plan = self.solve([both], {"eth0": device(queues=8)}, "--program=steer.bpf.c")
        self.assertEqual((plan["way"], plan["program"]), ("cpumap", "steer.bpf.c"))
        with open(self.path("steer.bpf.c"), encoding="utf-8") as f:
            text = f.read()
        for line in ("#define FIELDS4\t\t2\n", "#define FIELDS6\t\t2\n", "#define CPUS\t\t8\n"):
            self.assertIn(line, text)
        self.compile("steer.bpf.c", "steer.o")

    def test_program_symmetric(self):
        """Both directions of two devices, source and destination exchanged between them."""
        chain = [function("a", a_map("four", key("src_addr4")), a_map("six", key("src_addr6"))),
                 function("b", a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6")))]
        plan = self.solve([(chain[0], "@eth0"), (chain[1], "@eth1")],
                          {"eth0": device(), "eth1": device()}, "--same-map=four",
                          "--same-map=six", "--program=steer.bpf.c")
        self.assertEqual(plan["way"], "cpumap")
        with open(self.path("steer.bpf.c"), encoding="utf-8") as f:
            self.assertIn(" * eth0: swapped = 0\n * eth1: swapped = 1\n", f.read())

    def test_hardware_fields(self):
        """A device that can hash the one field alone does it for both families."""
        both = function("policer", a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6")))
        sets = {f: ["sd", "sdfn", "s", "d"] for f in fmcase.FLOWS}
        plan = self.solve([both], {"eth0": device(sets=sets)})
        self.assertEqual(plan["way"], "fields")
        self.assertEqual(set(self.rss(plan, "eth0")["fields"].values()), {"d"})
        self.together(plan, {"eth0": [("dst_addr4",), ("dst_addr6",)]})

    def test_transform(self):
        """Fields that are hashed after a transform are known to be symmetric, no more."""
        fn = function("f", a_map("m", key(*TUPLE4[:2]), key(*mirror(TUPLE4[:2]))))
        plan = self.solve([fn], {"eth0": device(xfrms=["symmetric-xor"], xfrm="symmetric-xor",
                                                fields={f: "sd" for f in fmcase.FLOWS})})
        self.assertEqual((plan["way"], self.rss(plan, "eth0")["xfrm"]), ("key", "symmetric-xor"))
        fn = function("f", a_map("m", key("src_addr4")))
        plan = self.solve([fn], {"eth0": device(xfrms=["symmetric-xor"], xfrm="symmetric-xor")})
        self.assertEqual((plan["way"], self.rss(plan, "eth0")["xfrm"]), ("fields", "none"))

    def test_kinds_of_state(self):
        """What needs no steering, and what none can help, with the reason."""
        maps = [a_map("cpu", key("src_addr4"), kind="per-cpu"),
                a_map("rules", key("dst_addr4"), kind="read-only"),
                a_map("total", key(b"\0\0\0\0"), kind="const-key"),
                a_map("hash", key(4), kind="shared", reasons=["a hash, not injective"])]
        plan = self.solve([function("f", *maps)], {"eth0": device()})
        self.assertEqual(plan["way"], "none")
        self.assertEqual([(s["map"], s["private"], s["reason"]) for s in plan["state"]],
                         [("total", False, "its key does not depend on the packet"),
                          ("hash", False, "a hash, not injective")])
        part = function("f", a_map("m", key("src_addr4")), complete=False, reasons=["a jump"])
        plan = self.solve([part], {"eth0": device()})
        self.assertEqual([(s["private"], s["reason"]) for s in plan["state"]],
                         [(False, "a jump")])

    def test_read_elsewhere(self):
        """A map that one function writes and another reads under another field."""
        chain = [function("a", a_map("m", key("src_addr4")), source="bpf:x.o:a"),
                 function("b", a_map("m", key("dst_addr4"), kind="read-only"), source="bpf:x.o:b")]
        plan = self.solve(chain, {"eth0": device()})
        self.assertEqual((plan["way"], plan["state"][0]["private"]), ("shared", False))
        chain[1]["source"] = "bpf:y.o:b"
        self.assertEqual(self.solve(chain, {"eth0": device()})["way"], "key")
        # both of one file
        self.write("both.json", chain)
        done = self.flowmage("solve", "--json", "-d", "eth0=eth0.json", "both.json")
        self.assertEqual(json.loads(done.stdout)["way"], "key")

    def test_both_families(self):
        """An entry that packets of both families share, and no key can serve: not in contexts."""
        fn = function("f", a_map("m", key("src_port", "dst_port", "protocol", ethertype=None,
                                          fragments=False)))
        del fn["maps"][0]["keys"][0]["fragments"]
        plan = self.solve([fn], {"eth0": device(contexts=4)}, "--program=p.c")
        self.assertEqual([s["name"] for s in plan["state"]], ["f: map m, IPv4 and IPv6"])
        self.assertEqual(plan["way"], "cpumap")
        with open(self.path("p.c"), encoding="utf-8") as f:
            text = f.read()
        for line in ("#define FIELDS4\t\t12\n", "#define FIELDS6\t\t12\n"):
            self.assertIn(line, text)
        # IPv4 addresses at the beginning of the bytes that hold those of IPv6
        fn = function("f", a_map("m", key("src_addr4", bytes(12)), key("src_addr6")))
        plan = self.solve([fn], {"eth0": device()})
        self.assertEqual((plan["way"], plan["state"][0]["family"]), ("key", "IPv4 and IPv6"))
        rss = self.rss(plan, "eth0")
        for packet in packets(self.rng, 200):
            other = fmcase.Packet({"src_addr6": packet.fields["src_addr4"] + bytes(12),
                                   "dst_addr6": bytes(16), "src_port": b"ab", "dst_port": b"cd"},
                                  fmcase.TCP)
            self.assertEqual(packet.queue(rss), other.queue(rss))

    def test_orders(self):
        """Bytes reversed in the key are the same fields."""
        keys = [key(*TUPLE4[:2]), key(*mirror(TUPLE4[:2]))]
        for k in keys:
            for part in k["parts"]:
                part["order"] = 1
        plan = self.solve([function("f", a_map("m", *keys))], {"eth0": device()})
        self.together(plan, {"eth0": [TUPLE4[:2], mirror(TUPLE4[:2])]})
        keys[1]["parts"][0]["order"] = 77
        plan = self.solve([function("f", a_map("m", *keys))], {"eth0": device()})
        self.assertEqual(plan["way"], "shared")

    def test_balance(self):
        """Neighbouring addresses fill all queues, too."""
        for net, fields in (("10.1.2.0/24", ("dst_addr4",)), ("10.0.0.0/8", ("dst_addr4",)),
                            ("192.0.2.0/26", ("src_addr4",))):
            name, length = fields[0], int(net.split("/")[1])
            plan = self.solve([function("f", a_map("m", key(*fields)))],
                              {"eth0": device(table_len=256)},
                              "--addresses=%s=%s" % (name[:3], net))
            rss, base = self.rss(plan, "eth0"), int.from_bytes(fmcase.address(net.split("/")[0]),
                                                               "big")
            queues = {}
            for _ in range(4000):
                fields4 = {n: self.rng.getrandbits(32).to_bytes(4, "big")
                           for n in ("src_addr4", "dst_addr4")}
                fields4[name] = (base + self.rng.getrandbits(32 - length)).to_bytes(4, "big")
                queue = fmcase.Packet({**fields4, "src_port": b"ab", "dst_port": b"cd"},
                                      fmcase.TCP).queue(rss)
                queues[queue] = queues.get(queue, 0) + 1
            self.assertLess(spread(queues), 1.2)

    def pcap(self, stream):
        """The packets as a capture."""
        with open(self.path("packets.pcap"), "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for p in stream:
                ports = p.fields["src_port"] + p.fields["dst_port"] + bytes(8)
                ip = struct.pack(">BBHHHBBH", 0x45, 0, 32, 0, 0x2000 * p.fragment, 64, p.protocol,
                                 0) + p.fields["src_addr4"] + p.fields["dst_addr4"]
                frame = bytes(12) + b"\x08\0" + ip + ports
                f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
        return self.path("packets.pcap")

    def test_capture(self):
        """Eleven hosts of unequal weight: the table, too, is made for them."""
        rng = random.Random(9)
        stream = [p for p in packets(rng, 6000, pool=11) if rng.random() < 0.9 or
                  p.fields["src_addr4"][0] < 128]
        capture = self.pcap(stream)
        plan = self.solve([function("f", a_map("m", key("src_addr4")))], {"eth0": device()},
                          "--capture", capture)
        queues = self.together_of(plan, stream)
        self.assertLess(abs(spread(queues) - plan["fullest"]), 0.001)
        self.assertLess(plan["fullest"], 1.2)

    def together_of(self, plan, stream):
        foreign, _, queues = self.foreign({"eth0": [("src_addr4",)]}, (
            ("eth0", self.rss(plan, "eth0"), p) for p in stream))
        self.assertEqual(foreign, 0)
        return queues

    def test_again(self):
        """Equal input, equal plan; another seed, another key."""
        fn = function("f", a_map("m", key("src_addr4")))
        plans = [self.solve([fn], {"eth0": device()}, "--seed", s) for s in ("1", "1", "2")]
        self.assertEqual(plans[0], plans[1])
        self.assertNotEqual(self.rss(plans[0], "eth0")["key"], self.rss(plans[2], "eth0")["key"])

    def test_queues(self):
        """Any number of queues; one needs nothing."""
        fn = function("f", a_map("m", key("src_addr4")))
        for n in (1, 2, 3, 6, 13, 64):
            plan = self.solve([fn], {"eth0": device(queues=n)})
            self.assertEqual(plan["way"], "key")
            self.assertEqual(set(self.rss(plan, "eth0")["table"]), set(range(n)))

    def test_rps(self):
        """A warning where the whole hash is used."""
        self.write("f.json", function("f", a_map("m", key("src_addr4"))))
        self.write("eth0.json", device())
        done = self.flowmage("solve", "-d", "eth0=eth0.json", "f.json", "--sysfs", self.dir)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Refused(fmcase.Flowmage):
    def setUp(self):
        super().setUp()
        self.write("f.json", function("f", a_map("m", key("src_addr4"))))
        self.write("d.json", device())

    def no_device(self, described, *reasons):
        self.write("d.json", described)
        self.refusal(self.flowmage("solve", "-d", "eth0=d.json", "f.json"), *reasons)

    def test_devices(self):
        self.refusal(self.flowmage("solve", "-d", "none0", "f.json"), "none0", "No such device")
        self.refusal(self.flowmage("solve", "-d", "lo", "f.json"), "lo")
        self.refusal(self.flowmage("solve", "-d", "eth0=x.json", "f.json"), "x.json",
                     "No such file")
        self.refusal(self.flowmage("solve", "-d", "a_name_too_long_for_it=d.json", "f.json"),
                     "1 to 15 letters")
        self.no_device(device(table_len=96), "a table of 96 entries")
        self.no_device(device(key_len=4), "key_len", "8 to 128")
        self.no_device(device(queues=0), "queues")
        self.no_device(device(key="00"), "the key has 1 bytes, the device takes 40")
        self.no_device(device(key="zz" * 40), "no hex digits")
        self.no_device(device(table=[0] * 127 + [4]), "table[127] is 4: queues are 0 to 3")
        self.no_device(device(table=[0]), "the table has 1 entries")
        self.no_device(device(fields={"tcp4": "sx"}), "fields.tcp4")
        self.no_device(device(fields={"tcp": "s"}), 'no flow type "tcp"')
        self.no_device(device(hash="xor"), "not Toeplitz's")
        self.no_device(device(xfrm="mirror"), 'no transform "mirror"')
        self.no_device(device(sets={"tcp4": ["q"]}), "sets.tcp4[0]")
        self.no_device("{", "line 1, column 2")
        self.no_device("[]", "no JSON object")

    def test_functions(self):
        for name, text, reasons in (("bad.json", "{}", ["name"]),
                                    ("cut.json", '{"name"', ["cut.json"]),
                                    ("empty.json", "[]", ["no function in it"]),
                                    ("number.json", "[7]", ["[0]"])):
            self.write(name, text)
            self.refusal(self.flowmage("solve", "-d", "eth0=d.json", name), name, *reasons)
        self.refusal(self.flowmage("solve", "-d", "eth0=d.json", "f.json:g"), 'no function "g"')
        self.refusal(self.flowmage("solve", "-d", "eth0=d.json", "f.json@eth7"), "@eth7")

    def test_traffic(self):
        for arg, reason in (("src=10.0.0.0/33", "0 to 32 bits"), ("src=ten", "no address"),
                            ("from=10.0.0.0", "src=PREFIX")):
            self.refusal(self.flowmage("solve", "-d", "eth0=d.json", "f.json", "-a", arg), reason)
        for name, data, reason in (("short", b"\xd4\xc3", "ends in the header"),
                                   ("none", b"x" * 40, "no capture"),
                                   ("cut", struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 9, 1) +
                                    b"\0" * 10, "packet 1, at byte 24"),
                                   ("new", b"\x0a\x0d\x0d\x0a" + bytes(40), "pcapng"),
                                   ("no-ip", struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 9, 1),
                                    "no IP packet")):
            with open(self.path(name), "wb") as f:
                f.write(data)
            self.refusal(self.flowmage("solve", "-d", "eth0=d.json", "f.json", "-c", name), name,
                         reason)

    def test_usage(self):
        for args in (("solve",), ("solve", "f.json"), ("solve", "-d", "eth0=d.json"),
                     ("solve", "-d", "eth0=d.json", "f.json", "--fragments=no"), ("slve",)):
            done = self.flowmage(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
