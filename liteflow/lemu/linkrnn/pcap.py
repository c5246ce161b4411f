# SPDX-License-Identifier: GPL-2.0
"""Captures in the pcap format: IP packets with times, read and written."""
import dataclasses
import os
import pathlib
import struct

from .pylib import kinds
from .pylib.errors import Problem

MAGIC_US, MAGIC_NS = 0xa1b2c3d4, 0xa1b23c4d
MAGIC_PCAPNG = 0x0a0d0d0a
# link type -> (bytes before the IP header, where the EtherType is, or None)
LINKS = {1: (14, 12), 12: (0, None), 101: (0, None), 113: (16, 14), 276: (20, 0)}
VLAN = (0x8100, 0x88a8)
IPV4, IPV6 = 0x0800, 0x86dd


@dataclasses.dataclass
class Packet:
    """at: ns since the epoch. size: bytes on the link. key: what is alike at both ends."""
    at: int
    size: int
    key: bytes


def _ip_at(frame, kind):
    """Where the IP packet begins in a frame, or None."""
    begin, ether = LINKS[kind]
    if ether is None:
        return begin
    if len(frame) < ether + 2:
        return None
    value = int.from_bytes(frame[ether:ether + 2], "big")
    while value in VLAN and len(frame) >= begin + 4:
        value = int.from_bytes(frame[begin + 2:begin + 4], "big")
        begin += 4
    return begin if value in (IPV4, IPV6) else None


def key_of(packet):
    """The bytes of an IP packet that a router does not change: without TTL or hop limit, class
    and ECN, and the header's checksum. None: it is no IP packet that can be told from others."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        return b"4" + packet[2:8] + packet[9:10] + packet[12:]
    if version == 6 and len(packet) >= 40:
        return b"6" + packet[4:7] + packet[8:]
    return None


def read(path, most=256):
    """([Packet], number of frames that were not IP). most: bytes of a packet that count for
    its key. Problem: it is no such file, or it ends within a packet."""
    kinds.check_file(path, "a capture of packets", kinds.PCAP, "pcapng")
    data = pathlib.Path(path).read_bytes()
    magic = data[:4]
    for order in "<>":
        number = struct.unpack(f"{order}I", magic)[0] if len(magic) == 4 else 0
        if number in (MAGIC_US, MAGIC_NS):
            break
        if number == MAGIC_PCAPNG:
            raise Problem(f"{path}: pcapng; 'editcap -F nsecpcap {path} OUT' makes pcap of it")
    else:
        raise Problem(f"{path}: no pcap file")
    if len(data) < 24:
        raise Problem(f"{path}: the file ends within its header")
    kind = struct.unpack_from(f"{order}I", data, 20)[0] & 0xffff
    if kind not in LINKS:
        raise Problem(f"{path}: link type {kind} is not known, only "
                      f"{', '.join(map(str, LINKS))}")
    scale = 1000 if number == MAGIC_US else 1
    packets, others, at = [], 0, 24
    while at < len(data):
        if at + 16 > len(data):
            raise Problem(f"{path}: the file ends within packet {len(packets) + others + 1}")
        seconds, part, kept, size = struct.unpack_from(f"{order}IIII", data, at)
        frame = data[at + 16:at + 16 + kept]
        if len(frame) < kept:
            raise Problem(f"{path}: the file ends within packet {len(packets) + others + 1}")
        at += 16 + kept
        begin = _ip_at(frame, kind)
        key = None if begin is None else key_of(frame[begin:begin + most])
        if key is None:
            others += 1
        else:
            packets.append(Packet(seconds * 1_000_000_000 + part * scale, size, key))
    return packets, others


class Writer:
    """A pcap file of Ethernet frames with ns; it is there, whole, when close() has returned."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.new = self.path.with_name(f"{self.path.name}.new-{os.getpid()}")
        self.file = open(self.new, "wb")
        self.file.write(struct.pack("<IHHiIII", MAGIC_NS, 2, 4, 0, 0, 65535, 1))

    def add(self, at, frame, size):
        self.file.write(struct.pack("<IIII", *divmod(at, 1_000_000_000), len(frame), size))
        self.file.write(frame)

    def close(self):
        self.file.close()
        self.new.replace(self.path)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.file.close()
            self.new.unlink(missing_ok=True)
        else:
            self.close()
