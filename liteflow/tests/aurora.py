# SPDX-License-Identifier: GPL-2.0
"""
Nets of Aurora's shape (Jay et al., ICML 2019) in the JSON that lfctl packs.

30 inputs: latency inflation, latency ratio and send ratio of 10 monitor
intervals, the oldest first; layers of 32, 16 and 1, tanh between them.

The ranges. Inflation is declared as -1 to 10 by Aurora's own code, the ratios
up to 10^4 and 10^3. Nothing near these numbers means anything: a latency ratio
of 10 is a queue nine times as long as the path, a send ratio of 10 means that
nine of ten packets are lost. Beyond, the inputs are clamped. In units of 1/1000,
as in LiteFlow's own INPUT_SCALE and OUTPUT_SCALE.
"""

import json
import math

INTERVALS = 10
FEATURES = [("inflation", -1, 10), ("latency-ratio", 1, 10), ("send-ratio", 0, 10)]
SHAPE = [INTERVALS * len(FEATURES), 32, 16, 1]
UNIT = 0.001


def model(name, provenance, layers):
    """layers: (weights [out][in], bias [out]) of each."""
    weights, bias = layers[-1]
    # tanh is at most 1: the outputs cannot be beyond this
    most = max(abs(b) + sum(map(abs, w)) for w, b in zip(weights, bias))
    most = math.ceil(most * 2) / 2
    inputs = [{"name": f"{feature}-{age}", "unit": UNIT, "lo": lo, "hi": hi}
              for age in reversed(range(INTERVALS)) for feature, lo, hi in FEATURES]
    return {
        "format": "liteflow-model",
        "version": 1,
        "name": name,
        "units": "milli",
        "provenance": provenance,
        "inputs": inputs,
        "outputs": [{"name": "action", "unit": UNIT, "lo": -most, "hi": most}],
        "layers": [{"activation": "none" if i == len(layers) - 1 else "tanh",
                    "weights": w, "bias": b} for i, (w, b) in enumerate(layers)],
    }


def write(net, file):
    json.dump(net, file, indent="\t")
    file.write("\n")
