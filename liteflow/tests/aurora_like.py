#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
usage: aurora_like.py [SEED] > MODEL.json

A random net of Aurora's shape, with weights and biases as large as those of the
trained one.
"""

import random
import sys

import aurora

# of each layer: greatest weight, greatest bias
RANGES = [(1.3, 0.35), (0.95, 0.2), (0.5, 0.05)]
SIGMA = 0.3

if len(sys.argv) > 2 or (len(sys.argv) == 2 and not sys.argv[1].isdigit()):
    sys.exit(__doc__.strip())
seed = int(sys.argv[1]) if len(sys.argv) == 2 else 1
rnd = random.Random(seed)


def bounded(most):
    return max(-most, min(most, rnd.gauss(0, SIGMA)))


layers = []
for i, (weight, bias) in enumerate(RANGES):
    n_in, n_out = aurora.SHAPE[i:i + 2]
    layers.append(([[bounded(weight) for _ in range(n_in)] for _ in range(n_out)],
                   [rnd.uniform(-bias, bias) for _ in range(n_out)]))
aurora.write(aurora.model(f"aurora-like-{seed}", f"random, seed {seed}", layers), sys.stdout)
