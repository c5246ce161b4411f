# SPDX-License-Identifier: GPL-2.0
"""The form of a history's segments, as liblf writes them (liteflow/liblf/histfile.h).

A header, then entries; each has a head with its length, and sums (CRC-32) of head and data.
Those of entries go on from the header's, so an entry of another segment is none.
"""
import re
import struct
import zlib

MAGIC = b"LFHIST\r\n"
VERSION = 1
NAME = 32                       # bytes of a name, with its zero byte
MOST_VALUES = 1024              # inputs, and outputs, of an app
MOST_DATA = 16 << 20            # bytes of an entry
ENTRY_MAGIC = 0x7948464c
BATCH, GAP, END = 1, 2, 3
WHY = {1: "lost", 2: "down", 3: "unwritten", 4: "damaged"}
FILE = re.compile(r"(\d{8,10})\.lfh")

# magic order version head bytes size n_in n_out number crc first realtime monotonic boot app
_HEADER, _HEADER_CRC = "8sIHHIIIIIIQqq40s32s", 36
# magic kind why length count sequence realtime monotonic lost from batch crc data_crc zero
_HEAD, _HEAD_CRC = "IHHIIQqqQqIIII", 60


class Unusable(Exception):
    """Why a file is no segment that can be used."""


def _without(data, at):
    """@data with 0 in place of the sum at @at"""
    return data[:at] + bytes(4) + data[at + 4:]


def _text(data):
    return data.split(b"\0")[0].decode("ascii", "backslashreplace")


class Entry:
    """An entry; records are the @length bytes from @data on in the segment."""

    def __init__(self, values, data):
        (_, self.kind, self.why, self.length, self.count, self.sequence, self.realtime,
         self.monotonic, self.lost, self.begin, self.batch, self.crc, self.data_crc, _) = values
        self.data = data


class Segment:
    """
    A file of a history in memory.

    order: "<" or ">", of all numbers in it
    app, names: of the app, and of inputs, then outputs
    n_in, n_out: their numbers
    size: bytes of a record
    realtime, monotonic: when it was begun, in ns; boot: id of the boot
    """

    def __init__(self, data, number):
        self.data = data
        if len(data) < struct.calcsize("<" + _HEADER):
            raise Unusable(f"{len(data)} bytes are no segment")
        if data[:8] != MAGIC:
            raise Unusable("this is no segment of a history")
        self.order = {1: ">", 4: "<"}.get(data[8])
        if not self.order or data[8:12] not in (b"\1\2\3\4", b"\4\3\2\1"):
            raise Unusable("its header is damaged")
        self._head = struct.Struct(self.order + _HEAD)
        (_, _, version, head, self.bytes, self.size, self.n_in, self.n_out, found, self.crc,
         self.first, self.realtime, self.monotonic, boot, app) = \
            struct.unpack_from(self.order + _HEADER, data)
        if version != VERSION:
            raise Unusable(f"its format is {version}, this program knows {VERSION}")
        self._check(head)
        if found != number:
            raise Unusable(f"it was segment {found}: was it renamed?")
        self.app, self.boot = _text(app), _text(boot)
        begin = struct.calcsize("<" + _HEADER)
        self.names = [_text(data[at:at + NAME]) for at in range(begin, self.bytes, NAME)]

    def _check(self, head):
        values = self.n_in + self.n_out
        begin = struct.calcsize("<" + _HEADER)
        if max(self.n_in, self.n_out) > MOST_VALUES or self.bytes != begin + values * NAME or \
                self.bytes > len(self.data) or \
                self.crc != zlib.crc32(_without(self.data[:self.bytes], _HEADER_CRC)):
            raise Unusable("its header is damaged")
        if head != self._head.size or self.size != (32 + 4 * values + 7) // 8 * 8:
            raise Unusable("its records are of another program")

    def shape(self):
        """What all segments of a history have in common"""
        return self.app, self.n_in, self.n_out

    def _head_at(self, at):
        """A head that is as it was written, or None"""
        raw = self.data[at:at + self._head.size]
        if len(raw) < self._head.size or \
                struct.unpack_from(self.order + "I", raw)[0] != ENTRY_MAGIC:
            return None
        entry = Entry(self._head.unpack(raw), at + self._head.size)
        good = entry.length <= MOST_DATA and entry.length == entry.count * self.size and \
            entry.crc == zlib.crc32(_without(raw, _HEAD_CRC), self.crc)
        return entry if good else None

    def _whole_at(self, at):
        entry = self._head_at(at)
        if entry is None or entry.data + entry.length > len(self.data):
            return None
        data = memoryview(self.data)[entry.data:entry.data + entry.length]
        return entry if entry.data_crc == zlib.crc32(data, self.crc) else None

    def _next_whole(self, at):
        """Place of the next entry from @at on, or the end"""
        magic = struct.pack(self.order + "I", ENTRY_MAGIC)
        while at < len(self.data):
            at = self.data.find(magic, at)
            if at < 0:
                break
            if at % 8 == 0 and self._whole_at(at):
                return at
            at += 1
        return len(self.data)

    def _torn_at(self, at):
        """Is it what a write left that did not come to its end, also if the power failed?"""
        if len(self.data) - at < self._head.size:
            return True
        entry = self._head_at(at)
        if entry:
            return entry.data + entry.length > len(self.data)
        return not any(self.data[at:])

    def entries(self):
        """
        (entry, 0) of each whole entry, in order; (None, bytes) of damage before the next.
        What is torn at the end is left out; self.torn is its bytes.
        """
        self.torn = 0
        at = self.bytes
        while at < len(self.data):
            entry = self._whole_at(at)
            if entry:
                yield entry, 0
                at = entry.data + entry.length
                continue
            following = self._next_whole(at + 1)
            if following == len(self.data) and self._torn_at(at):
                self.torn = following - at
                return
            yield None, following - at
            at = following
