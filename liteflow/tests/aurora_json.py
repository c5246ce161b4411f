#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
usage: aurora_json.py [VARIABLES] > MODEL.json

Reads the policy from the variables of a TensorFlow checkpoint of Aurora
(variables.data-00000-of-00001); without an argument from
$SHARED_DATA/aurora-liteflow/. Needs no TensorFlow: the policy is the first 6,152
bytes, float32 at fixed places.
"""

import os
import struct
import sys

import aurora

FILE = "variables.data-00000-of-00001"
# name: place of bias, of weights, inputs, outputs
TENSORS = [(72, 200, 30, 32), (4040, 4104, 32, 16), (0, 8, 16, 1)]
LENGTH = 6152


def floats(data, at, n):
    return list(struct.unpack_from(f"<{n}f", data, at))


def read(path):
    with open(path, "rb") as f:
        data = f.read(LENGTH)
    if len(data) < LENGTH:
        sys.exit(f"{path}: {len(data)} bytes, but the policy has {LENGTH}: not Aurora's variables?")
    layers = []
    for bias, weights, n_in, n_out in TENSORS:
        w = floats(data, weights, n_in * n_out)
        # [in][out] in the file
        layers.append(([w[o::n_out] for o in range(n_out)], floats(data, bias, n_out)))
    return layers


if len(sys.argv) > 2 or (len(sys.argv) == 2 and sys.argv[1].startswith("-")):
    sys.exit(__doc__.strip())
if len(sys.argv) == 2:
    path = sys.argv[1]
elif "SHARED_DATA" in os.environ:
    path = os.path.join(os.environ["SHARED_DATA"], "aurora-liteflow", FILE)
else:
    sys.exit("which file? Give its path, or set SHARED_DATA")
try:
    net = aurora.model("aurora", "variables of an Aurora checkpoint, for tests only", read(path))
except OSError as e:
    sys.exit(f"{path}: {e.strerror}")
aurora.write(net, sys.stdout)
