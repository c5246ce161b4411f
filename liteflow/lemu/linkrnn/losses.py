# SPDX-License-Identifier: GPL-2.0
"""What training minimises. Outputs are [steps][3][lanes], targets [steps][lanes]."""
import torch

RADII = (0, 1, 2, 4, 8, 16)
# packets between the two backlogs of spacing()
LAGS = (1, 8, 32)
# packets; from here on an error is one of a decision
DECIDED = 0.1


def drop_chance(out):
    """The probability of a drop that the two logits mean."""
    return torch.sigmoid(out[:, 2] - out[:, 1])


def strays(out, backlog):
    """Where the packet before left a backlog that is off by DECIDED or more: 1, elsewhere 0."""
    found = torch.zeros_like(backlog)
    found[1:] = (out[:-1, 0].detach() - backlog[:-1]).abs() >= DECIDED
    return found


def l1(out, backlog, dropped, masking=False, weight=None):
    """Mean error of the backlog, normalised. masking: packets that are dropped count as right.
    weight: of packets, [steps][lanes]"""
    error = (out[:, 0] - backlog).abs()
    if weight is not None:
        error = weight * error
    return ((1 - dropped) * error).mean() if masking else error.mean()


def spacing(out, backlog):
    """Mean error of the backlog's change over 1, 8 and 32 packets, normalised.

    The change says when a packet leaves after another one, so what rate a receiver sees. An error
    of a few bytes per packet hardly shows in the backlog, but adds up in a queue that does not
    become empty, as if the link had another capacity. Larger errors are those of a packet that
    should have been dropped, or not; other parts of the loss have them, they do not count here.
    """
    error, lags = out[:, 0] - backlog, [lag for lag in LAGS if lag < len(out)]
    total = 0
    for lag in lags:
        change = (error[lag:] - error[:-lag]).abs()
        total = total + (change * (change.detach() < DECIDED)).mean()
    return total / max(len(lags), 1)


def cross_entropy(out, dropped, weight=None):
    """Of the softmax of both logits; that of two is the logistic one of their difference."""
    return torch.nn.functional.binary_cross_entropy_with_logits(out[:, 2] - out[:, 1], dropped,
                                                                weight)


def droprate(chance, dropped):
    """Mean difference of the drop rates of sequences."""
    return (chance.mean(0) - dropped.mean(0)).abs().mean()


def earthmover(chance, dropped):
    """How far drops would have to be moved, both ways, for each sequence by its own number."""
    number = 2 / (dropped.sum(0) + chance.sum(0)).clamp(min=1)
    a, p = dropped * number, chance * number
    ahead = (a.cumsum(0) - p.cumsum(0)).abs().sum(0)
    back = (a.flip(0).cumsum(0) - p.flip(0).cumsum(0)).abs().sum(0)
    return ((ahead + back) / len(dropped)).mean()


def energy(chance, dropped):
    """L2 distance of the distributions of the drops' places."""
    a = dropped.cumsum(0) / dropped.sum(0).clamp(min=1)
    p = chance.cumsum(0) / chance.sum(0).clamp(min=1e-6)
    return ((a - p) ** 2).mean(0).sqrt().mean()


def adropsim(predicted, dropped, radius):
    """The seed's: each drop becomes a box of mass 1 from -radius to +radius; mean over sequences
    of the sum of differences."""
    width = 2 * radius + 1
    spread = torch.nn.functional.avg_pool1d(
        (predicted - dropped).T[:, None], width, stride=1, padding=radius)
    return spread.abs().sum((1, 2)).mean()


def training_loss(out, backlog, dropped, plan):
    """The loss of the seed's trainers: bx L1 and cross-entropy, bxe1 with the earthmover distance
    besides, energy L1, drop rate and energy distance. Of the plan, a loop.Plan, spacing is the
    weight of spacing(), and strayed that of packets behind one whose backlog is wrong already:
    one wrong decision makes many, whose errors say nothing about the weights.
    """
    weight = None
    if plan.strayed != 1:
        weight = 1 - (1 - plan.strayed) * strays(out, backlog)
    total = l1(out, backlog, dropped, plan.drop_masking, weight)
    if plan.spacing:
        total = total + plan.spacing * spacing(out, backlog)
    if plan.loss == "energy":
        chance = drop_chance(out)
        return total + droprate(chance, dropped) + energy(chance, dropped)
    total = total + cross_entropy(out, dropped, weight)
    if plan.loss == "bxe1":
        total = total + earthmover(drop_chance(out), dropped)
    return total


def metrics(out, backlog, dropped, boxes=False):
    """All losses as numbers, with the drops that the network decides on. boxes: adropsim, too."""
    with torch.no_grad():
        decided = (out[:, 2] > out[:, 1]).float()
        found = {"l1": l1(out, backlog, dropped), "spacing": spacing(out, backlog),
                 "cross_entropy": cross_entropy(out, dropped),
                 "droprate": droprate(decided, dropped),
                 "earthmover": earthmover(decided, dropped),
                 "energy": energy(decided, dropped),
                 "right": (decided == dropped).float().mean()}
        if boxes:
            found.update((f"adropsim{radius}", adropsim(decided, dropped, radius))
                         for radius in RADII)
        return {name: float(value) for name, value in found.items()}
