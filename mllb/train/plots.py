# SPDX-License-Identifier: GPL-2.0
"""Pictures of a trained model; matplotlib is needed only here."""
import os

import numpy as np

from pylib import features as ft
from pylib import plots
from pylib.model import THRESHOLD

plt = plots.pyplot()


def save(fig, directory, name):
    path = os.path.join(directory, name)
    plots.save(fig, path)
    print(f"train: {path}")


def confusion(want, got):
    """Counts [stock][model], refuse first."""
    return np.array([[int(((want == a) & (got == b)).sum()) for b in (0, 1)]
                     for a in (0, 1)])


def roc(want, score):
    """(false positive rates, true positive rates, area) over all thresholds."""
    order = np.argsort(-score, kind="stable")
    want, score = want[order], score[order]
    last = np.append(score[1:] != score[:-1], True)     # ties go together
    tp, fp = np.cumsum(want)[last], np.cumsum(1 - want)[last]
    tpr = np.append(0, tp / max(tp[-1], 1))
    fpr = np.append(0, fp / max(fp[-1], 1))
    return fpr, tpr, float(np.trapz(tpr, fpr))


def calibration(want, p, bins=10):
    """(mean probability, observed share, rows) of each bin that is not empty."""
    at = np.minimum((p * bins).astype(int), bins - 1)
    used = [b for b in range(bins) if (at == b).any()]
    return (np.array([p[at == b].mean() for b in used]),
            np.array([want[at == b].mean() for b in used]),
            np.array([int((at == b).sum()) for b in used]))


def write(directory, model, k, curves, name, bits, num, want):
    """All four PNG files; name says which rows they show."""
    os.makedirs(directory, exist_ok=True)
    rows = f"{name.replace('_', ' ')} rows, {len(want)}"
    out = model.blob.run(ft.vector(bits, num))[:, 0]

    counts = confusion(want, (out > THRESHOLD).astype(int))
    fig, ax = plt.subplots(figsize=(4.5, 4))
    ax.imshow(np.log1p(counts), cmap="Blues")
    for a in (0, 1):
        for b in (0, 1):
            dark = counts[a, b] > 0.1 * counts.max()
            ax.text(b, a, str(counts[a, b]), ha="center", va="center",
                    color="white" if dark else "black")
    ax.set_xticks([0, 1], ["refuse", "migrate"])
    ax.set_yticks([0, 1], ["refuse", "migrate"])
    ax.set_xlabel("model (integers)")
    ax.set_ylabel("stock code")
    ax.set_title(f"{model.name}: {rows}")
    save(fig, directory, "confusion.png")

    fpr, tpr, area = roc(want, out)
    fig, ax = plt.subplots(figsize=(4.5, 4))
    ax.plot(fpr, tpr, marker=".")
    ax.plot([0, 1], [0, 1], "--", color="grey")
    ax.set_xlabel("refusals called migrate")
    ax.set_ylabel("migrations called migrate")
    ax.set_title(f"ROC, area {area:.6f}: {rows}")
    save(fig, directory, "roc.png")

    p = 1 / (1 + np.exp(-k * (out / 65536 - 0.5)))
    mean, seen, n = calibration(want, p)
    fig, ax = plt.subplots(figsize=(4.5, 4))
    ax.plot([0, 1], [0, 1], "--", color="grey")
    ax.scatter(mean, seen, s=10 + 20 * np.log10(n))
    for x, y, count in zip(mean, seen, n):
        ax.annotate(str(count), (x, y), textcoords="offset points",
                    xytext=(6, -10 if y > 0.5 else 6), fontsize=8,
                    ha="right" if x > 0.5 else "left")
    ax.set_xlabel("probability of \"migrate\" by the model")
    ax.set_ylabel("share that the stock code lets migrate")
    ax.set_title(f"Calibration: {rows}")
    save(fig, directory, "calibration.png")

    loss, valid, agree, recall = (np.array(c) for c in zip(*curves))
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    epoch = np.arange(1, len(loss) + 1)
    left.semilogy(epoch, loss, label="training")
    left.semilogy(epoch, valid, label="validation")
    left.set_xlabel("epoch")
    left.set_ylabel("loss (BCE with logits)")
    left.legend()
    right.semilogy(epoch, 100 * np.maximum(1 - agree, 1e-6), label="disagreement")
    right.semilogy(epoch, 100 * np.maximum(1 - recall, 1e-6),
                   label="1 - lowest recall")
    right.set_xlabel("epoch")
    right.set_ylabel("validation, percent (1e-4 stands for none)")
    right.legend()
    fig.suptitle(f"{model.name}: training")
    save(fig, directory, "training.png")
