# SPDX-License-Identifier: GPL-2.0
"""The training itself: epochs, the best model so far, what is left behind, going on after a kill.

Everything that is random in an epoch follows from the seeds and the epoch's number, so that
a training that was killed goes on as if it had not been.
"""
import dataclasses
import json
import math
import os
import pathlib
import time

import numpy as np
import torch

from . import cells, export, losses, modelrun, native
from .data import SETS
from .progress import Progress
from .pylib import files, plots
from .pylib.errors import Problem

CHECKPOINT = "checkpoint.pt"
LOG_COLUMNS = ("l1", "spacing", "cross_entropy", "droprate", "earthmover", "energy", "right")
PLOT_EVERY_S = 20
# of the weights, with --start
NOISE = 0.002


@dataclasses.dataclass
class Plan:
    """What was asked for; names are those of the options of train."""
    kind: str = "rnn_relu"
    num_layers: int = 1
    hidden_size: int = 8
    num_epochs: int = 100
    training_samples: int = 2048
    val_samples: int = 1024
    test_samples: int = 1024
    seq_len: int = 128
    batch_size: int = 64
    torch_seed: int = 1
    learning_rate: float = 1e-3
    dropout_rate: float = 0.0
    loss: str = "bx"
    drop_masking: bool = False
    spacing: float = 0.0
    strayed: float = 1.0
    start: float = 0.0
    normalize: bool = True
    multiloader: bool = False
    fresh: bool = False
    schedule: str = "none"
    clip: float = 0.0
    limit: float = 0.0
    compute_ads_loss: bool = False
    calibrate: bool = False


def save_atomically(path, data):
    """torch.save(), so that a kill leaves the old file or the new one."""
    new = path.with_name(f"{path.name}.new")
    torch.save(data, new)
    os.replace(new, path)


def learning_rate(plan, epoch):
    """Of --schedule cosine: up for a fiftieth of the epochs, then down to nothing."""
    share = epoch / plan.num_epochs
    return plan.learning_rate * min(1, 50 * share + 0.02) * \
        max(0.5 * (1 + math.cos(math.pi * share)), 1e-3)


class Training:
    """A training in its folder."""

    def __init__(self, plan, data, folder, note):
        self.plan, self.data, self.folder, self.note = plan, data, pathlib.Path(folder), note
        torch.manual_seed(plan.torch_seed)
        self.scaling = export.Scaling(data.ranges(), plan.normalize)
        self.net = cells.Net(plan.kind, plan.num_layers, plan.hidden_size, plan.dropout_rate,
                             plan.limit)
        if plan.start:
            cells.begin_near_queue(self.net, plan.start, NOISE)
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=plan.learning_rate)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimiser, factor=0.5, patience=15, min_lr=1e-6)
        self.epoch, self.best, self.spent = 0, None, 0.0
        self.plotted, self.no_pictures = -math.inf, False
        self.sets = {name: self._set(name, getattr(plan, f"{name}_samples"))
                     for name in ("val", "test")}
        self.training_set = self.long = None

    def _set(self, name, count, fresh=0):
        """(inputs, backlog, dropped) of the count sequences of a set, normalised."""
        return self.scaling.tensors(self.data.draw(name, count, self.plan.seq_len, fresh))

    # -- what is left behind --------------------------------------------------

    def begin(self):
        """The files that say what was trained on what."""
        self.folder.mkdir(parents=True, exist_ok=True)
        plan = dataclasses.asdict(self.plan)
        files.save(self.folder / "model-properties.json", {
            **plan, "inputs": cells.INPUTS, "outputs": cells.OUTPUTS, "units": export.UNITS,
            "scaling": self.scaling.about(),
            "parameters": sum(p.numel() for p in self.net.parameters())})
        files.save(self.folder / "dataset-properties.json", {
            **self.data.about(), "seq_len": self.plan.seq_len,
            **{f"{name}_samples": plan["training_samples" if name == "train" else
                                       f"{name}_samples"] for name in SETS}})
        files.save(self.folder / "link-properties.json",
                   dataclasses.asdict(self.data.links) if hasattr(self.data, "links") else
                   {"ranges": self.data.ranges()})
        for name in ("training_history.json", "training_log.dat"):
            (self.folder / name).unlink(missing_ok=True)
        with open(self.folder / "training_log.dat", "w", encoding="utf-8") as file:
            print("epoch", "learning_rate", *(f"{name}_{column}" for name in SETS
                                              for column in LOG_COLUMNS), sep=",", file=file)

    def _log(self, found):
        rate = self.optimiser.param_groups[0]["lr"]
        with open(self.folder / "training_history.json", "a", encoding="utf-8") as file:
            print(json.dumps({"epoch": self.epoch, "learning_rate": rate, **found}), file=file)
        with open(self.folder / "training_log.dat", "a", encoding="utf-8") as file:
            print(self.epoch, f"{rate:.6g}", *(f"{found[name][column]:.6g}" for name in SETS
                                               for column in LOG_COLUMNS), sep=",", file=file)

    def checkpoint(self):
        save_atomically(self.folder / CHECKPOINT, {
            "plan": dataclasses.asdict(self.plan), "data": self.data.about(),
            "net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(),
            "plateau": self.plateau.state_dict(), "epoch": self.epoch, "best": self.best,
            "spent": self.spent})

    def resume(self):
        """Go on from the folder's checkpoint; Problem if it is one of another training."""
        path = self.folder / CHECKPOINT
        try:
            kept = torch.load(path)
        except OSError as error:
            raise Problem(f"{path}: {error.strerror}: nothing to go on with") from error
        except Exception as error:      # damaged files raise whatever pickle hits upon
            raise Problem(f"{path}: cannot be read: {str(error)[:60]}") from error
        plan = dataclasses.asdict(self.plan)
        for name, value in kept["plan"].items():
            if plan[name] != value and name != "num_epochs":
                raise Problem(f"{path}: it was trained with --{name} {value}, not {plan[name]}")
        # as JSON: a tuple is a list there
        if json.dumps(kept["data"]) != json.dumps(self.data.about()):
            raise Problem(f"{path}: it was trained on other data")
        self.net.load_state_dict(kept["net"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.plateau.load_state_dict(kept["plateau"])
        self.epoch, self.best, self.spent = kept["epoch"], kept["best"], kept["spent"]
        self._forget_later("training_history.json", lambda line: json.loads(line)["epoch"])
        self._forget_later("training_log.dat", lambda line: int(line.split(",")[0])
                           if line[0].isdigit() else 0)

    def _forget_later(self, name, epoch_of):
        """Of a log, the lines behind the checkpoint: those epochs are trained again."""
        path = self.folder / name
        kept = [line for line in path.read_text(encoding="utf-8").splitlines(True)
                if line.endswith("\n") and epoch_of(line) <= self.epoch]
        path.write_text("".join(kept), encoding="utf-8")

    def _keep_best(self, loss, found):
        self.best = {"loss": loss, "epoch": self.epoch, "figures": found["val"],
                     "net": {name: value.clone() for name, value in
                             self.net.state_dict().items()}}
        self.save_model(f"modelstate-{self.epoch}.json")
        export.torchscript(self.net, self.scaling,
                           self.folder / f"modelstate-torchscript-{self.epoch}.pt")
        if time.monotonic() - self.plotted > PLOT_EVERY_S:
            self.plotted = time.monotonic()
            self.plot()

    def save_model(self, name):
        """The network as a model's JSON; relu-LSTMs have none."""
        if self.plan.kind == "lstm_relu":
            return
        self.net.eval()
        if self.long is None:
            self.long = self.data.draw("val", native.LANES, min(
                export.STATE_STEPS, self.data.longest("val")))
        maxima = export.state_maxima(self.net, self.scaling.tensors(self.long)[0])
        export.save(self.folder / name, export.model(self.net, self.scaling, self.name(),
                                                     self.provenance(), maxima))

    def plot(self):
        """Backlog and drops of the first test sequence, predicted and true."""
        try:
            plt = plots.pyplot()
        except Problem as problem:
            # a training is worth more than its pictures
            if not self.no_pictures:
                self.note(problem)
            self.no_pictures = True
            return
        inputs, backlog, dropped = self.sets["test"]
        with torch.no_grad():
            out = self.net.eval()(inputs[:, :, :native.LANES])[0][:, :, 0].numpy()
        figure, (above, below) = plt.subplots(2, sharex=True, figsize=(9, 5))
        scale = self.scaling.bytes
        above.plot(backlog[:, 0] * scale, label="true")
        above.plot(out[:, 0] * scale, label="predicted")
        above.set_ylabel("backlog, bytes")
        above.legend()
        below.plot(dropped[:, 0], label="true")
        below.plot(modelrun.sigmoid(out[:, 2] - out[:, 1]), label="predicted")
        below.set_ylabel("chance of a drop")
        below.set_xlabel("packet")
        plots.save(figure, self.folder / f"BD_plot_test_sample0_epoch{self.epoch}.png")

    def name(self):
        kinds = {kind: name for name, kind in cells.KINDS.items()}
        return f"{kinds[self.plan.kind]}-l{self.plan.num_layers}-h{self.plan.hidden_size}"

    def provenance(self):
        best = self.best or {"epoch": 0, "figures": {}}
        figures = ", ".join(f"{name} {value:.4g}" for name, value in best["figures"].items()
                            if name in ("l1", "right"))
        options = ", ".join(f"{name} {value}" for name, value in
                            dataclasses.asdict(self.plan).items())
        return f"Trained on {self.data.kind} by liteflow/lemu/train: {options}. " \
               f"Data: {json.dumps(self.data.about())[:1500]}. " \
               f"Epoch {best['epoch']}; validation: {figures}."

    # -- epochs ---------------------------------------------------------------

    def _batches(self):
        """Of an epoch: (inputs, backlog, dropped), in a random order of its own."""
        plan, fresh = self.plan, self.epoch if self.plan.fresh else 0
        if self.training_set is None or plan.fresh:
            self.training_set = self._set("train", plan.training_samples, fresh)
        dice = np.random.default_rng((plan.torch_seed, self.epoch))
        lengths = [plan.seq_len]
        if plan.multiloader:
            lengths = [4 << at for at in range(20) if 4 << at <= plan.seq_len] or lengths
        order = torch.from_numpy(dice.permutation(plan.training_samples))
        whole = plan.training_samples - plan.training_samples % native.LANES
        turns = [(length, begin) for length in lengths
                 for begin in range(0, whole, plan.batch_size)]
        for turn in dice.permutation(len(turns)):
            length, begin = turns[turn]
            lanes = order[begin:min(begin + plan.batch_size, whole)]
            yield tuple(values[:length].index_select(-1, lanes) for values in self.training_set)

    def _train(self):
        """One epoch; its mean metrics. FloatingPointError: a loss was not finite."""
        plan = self.plan
        torch.manual_seed(plan.torch_seed * 1000003 + self.epoch)
        if plan.schedule == "cosine":
            for group in self.optimiser.param_groups:
                group["lr"] = learning_rate(plan, self.epoch)
        self.net.train()
        sums, weight = {}, 0
        for inputs, backlog, dropped in self._batches():
            out = self.net(inputs)[0]
            loss = losses.training_loss(out, backlog, dropped, plan)
            if not torch.isfinite(loss):
                raise FloatingPointError
            self.optimiser.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), plan.clip or math.inf)
            if not torch.isfinite(norm):
                # the loss is fine, its slope is not: a step less
                if not plan.clip:
                    raise FloatingPointError
                continue
            self.optimiser.step()
            if not weight % 8:
                for name, value in losses.metrics(out, backlog, dropped).items():
                    sums[name] = sums.get(name, 0.0) + value
            weight += 1
        return {name: value / math.ceil(weight / 8) for name, value in sums.items()}

    def evaluate(self, name):
        self.net.eval()
        with torch.no_grad():
            inputs, backlog, dropped = self.sets[name]
            out = self.net(inputs)[0]
        return losses.metrics(out, backlog, dropped, self.plan.compute_ads_loss)

    def _loss(self, figures):
        """What decides which epoch is the best: of the validation set."""
        if self.plan.loss == "energy":
            return figures["l1"] + figures["droprate"] + figures["energy"]
        return figures["l1"] + figures["cross_entropy"] + \
            self.plan.spacing * figures["spacing"] + \
            (figures["earthmover"] if self.plan.loss == "bxe1" else 0)

    def run(self):
        """All epochs that are left. Problem: a loss was not finite; the best model is kept."""
        progress = Progress(self.plan.num_epochs, self.epoch)
        while self.epoch < self.plan.num_epochs:
            begin = time.process_time()
            try:
                found = {"train": self._train()}
                found.update((name, self.evaluate(name)) for name in ("val", "test"))
                loss = self._loss(found["val"])
                if not math.isfinite(loss):
                    raise FloatingPointError
            except FloatingPointError:
                progress.end()
                self.finish()
                raise Problem(
                    f"the loss of epoch {self.epoch + 1} is not finite: the training stopped; " +
                    (f"the model of epoch {self.best['epoch']} is kept. " if self.best else "") +
                    "Try a lower --learning_rate, or --clip 1") from None
            self.epoch += 1
            if self.plan.schedule == "plateau":
                self.plateau.step(loss)
            self._log(found)
            if self.best is None or loss < self.best["loss"]:
                self._keep_best(loss, found)
            self.spent += time.process_time() - begin
            self.checkpoint()
            progress.show(self.epoch, f"validation loss {loss:.4f}, best "
                          f"{self.best['loss']:.4f} of epoch {self.best['epoch']}, "
                          f"{100 * found['val']['right']:.2f} % of decisions right")
        progress.end()
        return self.finish()

    def _calibrate(self):
        """Move the logits so that as many packets of the validation set are dropped as should be.

        Cross-entropy leaves a network that is unsure of the exact packet with too few decisions
        to drop. The backlog does not depend on them.

        With --start, keep and drop are how much of a packet is kept and dropped, so it is their
        ratio that decides: a constant would drop all packets that are smaller than that.
        """
        inputs, _, dropped = self.sets["val"]
        head, wanted = self.net.head, int(dropped.sum())
        with torch.no_grad():
            out = self.net.eval()(inputs)[0]
            keep, drop = out[:, 1].flatten(), out[:, 2].flatten()
            ahead = drop / keep.clamp(min=1e-6) if self.plan.start else drop - keep
            ahead = ahead.sort(descending=True).values
            if not 0 < wanted < len(ahead):
                return
            between = float(ahead[wanted - 1] + ahead[wanted]) / 2
            if not self.plan.start:
                head.bias[2] -= between
            elif between > 0:
                head.weight[1] *= between
                head.bias[1] *= between

    def finish(self):
        """The best model as model.json; its figures of the test set, or None without one."""
        if not self.best:
            return None
        self.net.load_state_dict(self.best["net"])
        if self.plan.calibrate:
            self._calibrate()
        self.save_model("model.json")
        self.plot()
        return self.evaluate("test")
