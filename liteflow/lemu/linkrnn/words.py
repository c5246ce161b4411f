# SPDX-License-Identifier: GPL-2.0
"""Rates and sizes in tc's words."""
import re

RATE = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)bit")
SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)b?")


def rate(text):
    """Bytes per ms of a rate in tc's words."""
    found = RATE.fullmatch(text.lower())
    value = found and float(found[1]) * {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[found[2]] / 8000
    if not value:
        raise ValueError
    return value


def size(text):
    """Bytes of a size in tc's words: k is 1024."""
    found = SIZE.fullmatch(text.lower())
    if not found:
        raise ValueError
    return round(float(found[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[found[2]])
