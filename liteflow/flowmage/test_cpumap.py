#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The XDP program that solve writes: over a veth pair packets of one state come to one CPU. Sockets
in a group by CPU tell which it was. Needs root, bpftool, clang and two CPUs.
"""
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import unittest

import fmcase
from fmcase import TUPLE4, TUPLE6, a_map, device, function, key

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
PACKET_FANOUT, PACKET_FANOUT_CPU, ETH_P_ALL = 18, 2, 3


def frame(packet, number):
    ports = packet.fields["src_port"] + packet.fields["dst_port"]
    if packet.six:
        ip = struct.pack(">IHBB", 6 << 28, 40, packet.protocol, 64)
        ip += packet.fields["src_addr6"] + packet.fields["dst_addr6"]
    else:
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 60, 0, 0x2000 * packet.fragment, 64,
                         packet.protocol, 0)
        ip += packet.fields["src_addr4"] + packet.fields["dst_addr4"]
    # the number tells the receiver which packet it is
    return b"\x02" + bytes(10) + b"\x01" + (b"\x86\xdd" if packet.six else b"\x08\0") + ip + \
        ports + bytes(28) + b"FLOWMAGE" + struct.pack(">I", number)


def run(*words):
    subprocess.run(words, check=True, env={**os.environ, "PATH": PATH},
                   stdout=subprocess.DEVNULL)


def listen(cpus):
    """A socket for each CPU number modulo how many there are."""
    sockets = []
    for _ in range(cpus):
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        one.bind(("fm1", ETH_P_ALL))
        one.setsockopt(263, PACKET_FANOUT, 7 | PACKET_FANOUT_CPU << 16)
        one.settimeout(1)
        sockets.append(one)
    return sockets


def inside(cpus):
    """In namespaces of its own: which socket got which packet, as JSON."""
    run("mount", "-t", "bpf", "none", "/mnt")
    run("ip", "link", "add", "fm0", "type", "veth", "peer", "name", "fm1")
    for name in ("fm0", "fm1"):
        run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
        run("ip", "link", "set", name, "up")
    run("bpftool", "prog", "load", "steer.o", "/mnt/prog", "pinmaps", "/mnt")
    for cpu in range(cpus):
        run("bpftool", "map", "update", "pinned", "/mnt/cpus", "key", *map(str, (cpu, 0, 0, 0)),
            "value", "0", "2", *["0"] * 6)
    run("bpftool", "net", "attach", "xdp", "pinned", "/mnt/prog", "dev", "fm1")
    sockets = listen(cpus)
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(("fm0", 0))
    got, frames = {}, [bytes.fromhex(line) for line in sys.stdin.read().split()]
    for i in range(0, len(frames), 50):
        for data in frames[i:i + 50]:
            out.send(data)
        for number, one in enumerate(sockets):
            one.settimeout(0.05)
            try:
                while True:
                    data = one.recv(2048)
                    at = data.find(b"FLOWMAGE")
                    if at >= 0:
                        got[struct.unpack_from(">I", data, at + 8)[0]] = number
            except socket.timeout:
                pass
    print(json.dumps(got))


@unittest.skipUnless(shutil.which("clang"), "no clang")
class Program(fmcase.Flowmage):
    def steer(self, maps, keys):
        cpus = os.cpu_count()
        if os.geteuid() or cpus < 2 or not shutil.which("bpftool", path=PATH):
            self.skipTest("needs root, bpftool and two CPUs")
        plan = self.solve([function("f", *maps)], {"eth0": device(queues=cpus)},
                          "--program=steer.c")
        self.assertEqual(plan["way"], "cpumap")
        multi = subprocess.run(["gcc", "-print-multiarch"], stdout=subprocess.PIPE, text=True,
                               check=False).stdout.strip()
        subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3", "-idirafter",
                        "/usr/include/" + multi, "-c", "steer.c", "-o", "steer.o"], cwd=self.dir,
                       check=True)
        rng = random.Random(4)
        packets = [*fmcase.packets(rng, 300, pool=8), *fmcase.packets(rng, 300, six=True, pool=8)]
        done = subprocess.run(["unshare", "-nm", sys.executable, os.path.abspath(__file__),
                               "inside", str(cpus)], cwd=self.dir, check=False, text=True,
                              input="\n".join(frame(p, i).hex() for i, p in enumerate(packets)),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if "Operation not permitted" in done.stderr or "not supported" in done.stderr:
            self.skipTest("no BPF here: " + done.stderr.splitlines()[-1])
        self.assertEqual(done.returncode, 0, done.stderr)
        got = {int(k): v for k, v in json.loads(done.stdout).items()}
        self.assertGreater(len(got), 0.9 * len(packets))
        owner, used = {}, {}
        for i, socket_number in got.items():
            states = {packets[i].state(k) for k in keys} - {None}
            used[socket_number] = used.get(socket_number, 0) + 1
            if states and not packets[i].fragment:
                state = min(states)
                self.assertEqual(owner.setdefault(state, socket_number), socket_number)
        self.assertEqual(len(used), cpus)

    def test_destination(self):
        self.steer([a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6"))],
                   [("dst_addr4",), ("dst_addr6",)])

    def test_flows(self):
        """The destination is what a finer key beside it has, too."""
        self.steer([a_map("four", key("dst_addr4")), a_map("six", key("dst_addr6")),
                    a_map("flows", key(*TUPLE4)), a_map("flows6", key(*TUPLE6))],
                   [("dst_addr4",), ("dst_addr6",)])


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        inside(int(sys.argv[2]))
    else:
        unittest.main()
