# SPDX-License-Identifier: GPL-2.0
"""What a model's file and a model's JSON say, by the formulas of
include/uapi/linux/liteflow_model.h and of lfctl(8).  Nothing here is shared with the
programs that are tested.
"""
import math
import struct
import zlib

ACTIVATIONS = ["none", "relu", "tanh", "sigmoid", "argmax"]


# -- the format, by its description ------------------------------------------

def rshift(v, s):
    return (v + (1 << (s - 1))) >> s if s else v


def clamp(v, lo, hi):
    return min(max(v, lo), hi)


class Model:
    """A model's file."""

    def __init__(self, blob):
        (magic, version, header_len, total, crc, n_in, n_out, n_layers, state, prov_len,
         reserved, name, units) = struct.unpack_from("<IHHIIHHHHII32s32s", blob)
        assert magic == 0x4E4E464C and version == 1 and header_len == 96
        assert total == len(blob) and state == 0 and reserved == 0
        assert zlib.crc32(blob[:12] + bytes(4) + blob[16:]) == crc
        self.name = name.rstrip(b"\0").decode()
        self.units = units.rstrip(b"\0").decode()
        at = 96
        self.scales = []
        for _ in range(n_in + n_out):
            field = struct.unpack_from("<32siiiiB3s", blob, at)
            assert field[6] == bytes(3)
            self.scales.append((field[0].rstrip(b"\0").decode(),) + field[1:6])
            at += 52
        self.inputs, self.outputs = self.scales[:n_in], self.scales[n_in:]
        shapes = []
        for _ in range(n_layers):
            shapes.append(struct.unpack_from("<BBBBHH", blob, at))
            at += 8
        self.layers = []
        for kind, act, shift, zero, width, rows in shapes:
            assert kind == 1 and zero == 0
            bias = struct.unpack_from("<%dq" % rows, blob, at)
            weights = struct.unpack_from("<%dh" % (rows * width), blob, at + 8 * rows)
            self.layers.append((ACTIVATIONS[act], shift, bias,
                                [weights[r * width:(r + 1) * width] for r in range(rows)]))
            size = 8 * rows + 2 * rows * width
            assert not any(blob[at + size:at + (size + 7) // 8 * 8])
            at += (size + 7) // 8 * 8
        self.provenance = blob[at:at + prov_len].decode()
        assert at + (prov_len + 7) // 8 * 8 == len(blob)

    def tanh(self, t):
        # the table's interpolation is tested elsewhere: exact here, so the two
        # may differ by two units of the last place
        return clamp(round(32768 * math.tanh(t / 16384)), -32767, 32767)

    def run(self, values):
        x = []
        for (_, lo, hi, offset, mult, shift), v in zip(self.inputs, values):
            q = rshift((clamp(v, lo, hi) - offset) * mult, shift)
            assert -32768 <= q <= 32767
            x.append(q)
        for nth, (act, shift, bias, weights) in enumerate(self.layers):
            last = nth + 1 == len(self.layers)
            sums = [b + sum(w * v for w, v in zip(row, x)) for b, row in zip(bias, weights)]
            assert all(abs(a) < 1 << 62 for a in sums)
            if act == "tanh":
                x = [self.tanh(rshift(a, shift)) for a in sums]
            elif act == "sigmoid":
                x = [(32768 + self.tanh(rshift(a, shift))) >> 1 for a in sums]
            elif act == "argmax":
                x = [sums.index(max(sums))]
            else:
                if act == "relu":
                    sums = [max(a, 0) for a in sums]
                x = sums if last else [clamp(rshift(a, shift), -32768, 32767) for a in sums]
                assert not last or shift == 0
        return [clamp(rshift(v * mult, shift) + offset, lo, hi)
                for (_, lo, hi, offset, mult, shift), v in zip(self.outputs, x)]


# -- JSON, by its description -------------------------------------------------

def run_float(net, values):
    x = []
    for io, v in zip(net["inputs"], values):
        unit = io.get("unit", 1)
        v = clamp(v, round(io["lo"] / unit), round(io["hi"] / unit)) * unit
        x.append((v - io.get("offset", 0)) * io.get("scale", 1))
    for layer in net["layers"]:
        x = [b + sum(w * v for w, v in zip(row, x))
             for b, row in zip(layer["bias"], layer["weights"])]
        act = layer["activation"]
        if act == "relu":
            x = [max(v, 0) for v in x]
        elif act == "tanh":
            x = [math.tanh(v) for v in x]
        elif act == "sigmoid":
            x = [1 / (1 + math.exp(-clamp(v, -700, 700))) for v in x]
        elif act == "argmax":
            x = [x.index(max(x))]
    return [clamp(v / io.get("scale", 1) + io.get("offset", 0), io["lo"], io["hi"])
            for v, io in zip(x, net["outputs"])]


def make_net(rng, shape, acts, ranges, out, wmax, unit=0.001, **keys):
    layers = []
    for act, n, m in zip(acts, shape, shape[1:]):
        sigma = wmax / 3
        layers.append({
            "activation": act,
            "weights": [[clamp(rng.gauss(0, sigma), -wmax, wmax) for _ in range(n)]
                        for _ in range(m)],
            "bias": [rng.gauss(0, 0.2) for _ in range(m)],
        })
    n_out = 1 if acts[-1] == "argmax" else shape[-1]
    return {
        "format": "liteflow-model", "version": 1, "name": "test", "units": "u",
        "provenance": "made by\ntest_pack.py",
        "inputs": [dict(name="in%d" % i, unit=unit, lo=ranges[i % len(ranges)][0],
                        hi=ranges[i % len(ranges)][1], **keys) for i in range(shape[0])],
        "outputs": [{"name": "out%d" % i, "unit": out[2], "lo": out[0], "hi": out[1]}
                    for i in range(n_out)],
        "layers": layers,
    }
