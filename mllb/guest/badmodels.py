#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Write bad models for tests of the guard, as LiteFlow's JSON, into a folder.

 always-no    refuses every task
 always-yes   lets every task go
 contrary     the opposite of a given model
 random-N     random weights with N as the seed: answers that jump with the loads
              and queue lengths of ordinary balancing, about half of them yes
"""
import argparse
import json
import pathlib
import random
import sys

INPUTS = 15
HIDDEN = 10
# Inputs that vary in ordinary balancing, with the widths of what is seen.
WIDTHS = {"src_len": 16, "src_load": 16, "dst_load": 4, "dst_len": 4}
BINARY = ("delta_hot", "cpu_idle", "cpu_not_idle", "cpu_newly_idle", "same_node")
SAMPLES = 2000


def constant(base, migrate):
    return layers([[0.0] * INPUTS] * HIDDEN, [0.0] * HIDDEN, [0.0] * HIDDEN, float(migrate)), \
        f"always {'yes' if migrate else 'no'}"


def contrary(base):
    first, second = base["layers"]
    turned = dict(second, weights=[[-w for w in second["weights"][0]]],
                  bias=[1 - second["bias"][0]])
    return [first, turned], f"{base['name']} turned round"


def layers(hidden, bias, out, out_bias):
    return [{"activation": "relu", "weights": [[round(w, 6) for w in row] for row in hidden],
             "bias": [round(b, 6) for b in bias]},
            {"activation": "none", "weights": [[round(w, 6) for w in out]],
             "bias": [round(out_bias, 6)]}]


def observation(draw, names):
    """One vector of inputs as the balancer might see it."""
    x = [0.0] * INPUTS
    for name in ("delta_hot", "same_node"):
        x[names.index(name)] = draw.randrange(2)
    kind = draw.randrange(3)
    x[names.index("cpu_idle") + kind] = 1
    for name, width in WIDTHS.items():
        if kind == 1 or name.startswith("src"):
            x[names.index(name)] = draw.uniform(0, width)
    return x


def dot(a, b):
    return sum(p * q for p, q in zip(a, b))


def scattered(base, seed):
    names = [entry["name"] for entry in base["inputs"]]
    draw = random.Random(seed)
    seen = [observation(draw, names) for _ in range(SAMPLES)]
    hidden = [[0.0] * INPUTS for _ in range(HIDDEN)]
    for row in hidden:
        for name, width in WIDTHS.items():
            row[names.index(name)] = draw.gauss(0, 3) / width
        for name in BINARY:
            row[names.index(name)] = draw.gauss(0, 0.7)
    # Each unit bends at a point that is seen, so that the answer changes often.
    bias = [-dot(row, draw.choice(seen)) for row in hidden]
    out = [draw.gauss(0, 1) for _ in range(HIDDEN)]
    values = sorted(dot(out, [max(dot(row, x) + b, 0) for row, b in zip(hidden, bias)])
                    for x in seen)
    mean = sum(values) / len(values)
    scale = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
    return layers(hidden, bias, [w / scale for w in out],
                  0.5 - values[len(values) // 2] / scale), f"random weights, seed {seed}"


def build(base, name):
    if name in ("always-no", "always-yes"):
        net, text = constant(base, name == "always-yes")
    elif name == "contrary":
        net, text = contrary(base)
    else:
        net, text = scattered(base, int(name.removeprefix("random-")))
    model = {key: value for key, value in base.items() if key != "checksum"}
    model.update(name=name, provenance=f"{text}: bad on purpose, for tests of the guard",
                 layers=net)
    return model


def model_name(text):
    number = text.removeprefix("random-")
    if text in ("always-no", "always-yes", "contrary") or number != text and number.isdigit():
        return text
    raise argparse.ArgumentTypeError(f"'{text}' is not always-no, always-yes, contrary or random-N")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=pathlib.Path, required=True,
                        help="a model: its inputs and ranges are used, contrary turns it round")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write to")
    parser.add_argument("names", nargs="+", type=model_name, metavar="NAME",
                        help="always-no, always-yes, contrary, random-N")
    args = parser.parse_args()
    try:
        base = json.loads(args.base.read_text())
        for name in args.names:
            (args.out / f"{name}.json").write_text(json.dumps(build(base, name), indent=1) + "\n")
    except (OSError, ValueError, KeyError) as error:
        print(f"badmodels.py: {args.base}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
