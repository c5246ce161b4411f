#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The trainer as a program: what it leaves, killed and resumed, bad options and bad data."""
import contextlib
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from linkrnn import modelrun, native
from linkrnn.pylib import programs
from linkrnn.pylib.paths import ROOT

HAVE_TORCH = importlib.util.find_spec("torch") is not None
if HAVE_TORCH:
    import torch

    from linkrnn import loop

TRAIN = ROOT / "liteflow" / "lemu" / "train"
SEEDS = TRAIN.with_name("seeds")
SMALL = ["--kilo_training_samples", "0.125", "--kilo_val_samples", "0.03125",
         "--kilo_test_samples", "0.03125", "--seq_len", "32", "-s", "4", "--no-pack"]


class Killed(Exception):
    """Stands for SIGKILL."""


@unittest.skipUnless(HAVE_TORCH, "python3-torch is not installed")
class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = programs.load(TRAIN)

    def setUp(self):
        # pictures take longer than all else; test_files has one
        real = loop.Training.plot
        self.addCleanup(setattr, loop.Training, "plot", real)
        self.plot, loop.Training.plot = real, lambda training: None
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def train(self, *words):
        """main() with these words: (status or what it raised, standard output)."""
        out = io.StringIO()
        before, sys.argv = sys.argv, ["train", *map(str, words)]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as err:
                try:
                    status = self.program.main()
                except (self.program.Problem, Killed) as problem:
                    status = problem
                except SystemExit as end:
                    status = f"{end.code}: {err.getvalue().splitlines()[-1]}"
        finally:
            sys.argv = before
        return status, out.getvalue()

    def refused(self, pattern, *words):
        self.assertRegex(str(self.train(*words)[0]), pattern)


class Training(Case):
    def test_files(self):
        """Everything the original leaves is there, and the model is one of lfctl's JSON."""
        loop.Training.plot = self.plot
        where = self.folder / "t"
        status, said = self.train("-e", 3, "-a", "-o", where, *SMALL)
        self.assertEqual(status, 0)
        self.assertRegex(said, r"epoch \d of 3, .* % of decisions right \(never dropping")
        names = {path.name for path in where.iterdir()}
        best = torch.load(where / loop.CHECKPOINT)["best"]["epoch"]
        if not importlib.util.find_spec("matplotlib"):
            names.add(f"BD_plot_test_sample0_epoch{best}.png")
        self.assertLessEqual({
            "model-properties.json", "dataset-properties.json", "link-properties.json",
            "training_history.json", "training_log.dat", "model.json",
            f"modelstate-{best}.json", f"modelstate-torchscript-{best}.pt",
            f"BD_plot_test_sample0_epoch{best}.png"}, names)
        lines = (where / "training_history.json").read_text().splitlines()
        self.assertEqual([json.loads(line)["epoch"] for line in lines], [1, 2, 3])
        self.assertIn("adropsim16", json.loads(lines[0])["val"])
        self.assertEqual(len((where / "training_log.dat").read_text().splitlines()), 4)
        model = json.loads((where / "model.json").read_text())
        self.assertEqual([io["name"] for io in model["inputs"]],
                         ["work", "size", "capacity", "queue"])
        self.assertEqual(model["units"], "bytes")
        whole = torch.jit.load(str(where / f"modelstate-torchscript-{best}.pt"))
        self.assertEqual(whole(torch.zeros(2, 5, 4)).shape, (2, 5, 3))

    def test_calibrated(self):
        """The validation set then loses as many packets as it should."""
        where = self.folder / "t"
        words = ["-e", 20, "-r", "0.01", "--tanh", "--calibrate", "--clip", 1, "-o", where, *SMALL]
        words[words.index("0.125")] = "0.5"
        kept, real = [], loop.Training.finish
        self.addCleanup(setattr, loop.Training, "finish", real)

        def finish(training):
            kept.append(training)
            return real(training)
        loop.Training.finish = finish
        self.assertEqual(self.train(*words)[0], 0)
        inputs, _, dropped = kept[0].sets["val"]
        with torch.no_grad():
            out = kept[0].net(inputs)[0]
        self.assertAlmostEqual(float((out[:, 2] > out[:, 1]).sum()), float(dropped.sum()), delta=2)

    def test_calibrated_near(self):
        """That of a network that began near the queue costs it no small packet: an idle link keeps
        what is smaller than any packet of the training."""
        where = self.folder / "t"
        words = ["-e", 1, "-r", "1e-5", "--start", 27, "--calibrate", "--link_properties",
                 "ethernet", "-o", where, *SMALL]
        for name, value in (("0.03125", "0.25"), ("32", "128")):
            words[words.index(name)] = value
        self.assertEqual(self.train(*words)[0], 0)
        sizes = np.array([28, 42, 60, 100, 1514])
        rows = np.zeros((len(sizes), 20, 4), int)
        rows[:, 1:, 0], rows[:, :, 1], rows[:, :, 2:] = 1 << 20, sizes[:, None], (625, 20480)
        model = json.loads((where / "model.json").read_text())
        self.assertFalse(modelrun.decided(modelrun.run_float(model, rows))[1].any())

    def test_every_option(self):
        """Each cell, queue, loss and traffic goes through an epoch."""
        for number, words in enumerate((
                ["--tanh", "--packetqueue"], ["--gru", "--codel", "--traffic", "tcp"],
                ["--lstm", "--lemurnn_codel", "-l", "2"], ["--relu_lstm", "--earthmover"],
                ["--energy", "--infinite_queue"], ["--multiloader", "--drop_masking", "--fresh"],
                ["--no-normalize", "--schedule", "plateau", "--clip", "1", "-d", "0.2"],
                ["--start", "16", "--spacing", "4", "--strayed", "0"],
                ["--schedule", "cosine", "--traffic", "mixed", "--limit", "3",
                 "--link_properties", "ethernet"])):
            with self.subTest(" ".join(words)):
                status, said = self.train("-e", 1, "-o", self.folder / str(number), *SMALL, *words)
                self.assertEqual(status, 0)
                self.assertIn("epoch 1 of 1", said)

    def test_deterministic_and_resumed(self):
        """A training that was killed twice ends as one that was not."""
        words = ["-e", 6, "--fresh", "--schedule", "cosine", "-d", "0.1", *SMALL]
        self.assertEqual(self.train(*words, "-o", self.folder / "whole")[0], 0)
        where, real = self.folder / "cut", loop.Training.checkpoint
        self.addCleanup(setattr, loop.Training, "checkpoint", real)

        def killer(after, kept):
            def checkpoint(self):
                if kept or self.epoch != after:
                    real(self)
                if self.epoch == after:
                    raise Killed
            return checkpoint
        loop.Training.checkpoint = killer(2, True)
        self.assertIsInstance(self.train(*words, "-o", where)[0], Killed)
        # this time the log is ahead of the checkpoint
        loop.Training.checkpoint = killer(4, False)
        self.assertIsInstance(self.train("--resume", where)[0], Killed)
        loop.Training.checkpoint = real
        self.assertEqual(self.train("--resume", where)[0], 0)
        both = [torch.load(self.folder / name / loop.CHECKPOINT) for name in ("whole", "cut")]
        self.assertEqual(both[0]["best"]["epoch"], both[1]["best"]["epoch"])
        for one, other in zip(both[0]["net"].values(), both[1]["net"].values()):
            self.assertTrue(torch.equal(one, other))
        for name in ("training_history.json", "training_log.dat", "model.json"):
            self.assertEqual((self.folder / "whole" / name).read_text(),
                             (where / name).read_text(), name)

    def test_without_pictures(self):
        """No matplotlib, or none that works: training goes on, and says so once."""
        def pyplot():
            raise self.program.Problem("no pictures: none")
        loop.Training.plot, real = self.plot, loop.plots.pyplot
        self.addCleanup(setattr, loop.plots, "pyplot", real)
        loop.plots.pyplot = pyplot
        self.assertEqual(self.train("-e", 3, "-o", self.folder / "t", *SMALL)[0], 0)
        self.assertTrue((self.folder / "t" / "model.json").exists())

    def test_more_epochs(self):
        where = self.folder / "t"
        self.train("-e", 2, "-o", where, *SMALL)
        status, said = self.train("--resume", where, "-e", 4)
        self.assertEqual(status, 0)
        self.assertIn("of 4,", said)

    def test_not_finite(self):
        """It stops with the last good model; nothing of it is overwritten."""
        where, real = self.folder / "t", loop.losses.training_loss
        self.addCleanup(setattr, loop.losses, "training_loss", real)
        calls = []

        def training_loss(*words):
            calls.append(1)
            return real(*words) * (float("nan") if len(calls) > 5 else 1)
        loop.losses.training_loss = training_loss
        problem, _ = self.train("-e", 50, "-o", where, *SMALL)
        self.assertRegex(str(problem), r"epoch 3 is not finite.*epoch [12] is kept")
        values = json.loads((where / "model.json").read_text())["layers"][0]["w_h"]
        self.assertTrue(all(abs(value) < 10 for row in values for value in row))

    def test_never_finite(self):
        """Weights that explode from the first packets: there is no model to keep."""
        real = loop.Training.begin
        self.addCleanup(setattr, loop.Training, "begin", real)

        def begin(training):
            real(training)
            with torch.no_grad():
                training.net.stack[0].wh.fill_(1e3)
                training.net.stack[0].bias.fill_(1)
        loop.Training.begin = begin
        problem, _ = self.train("-e", 5, "-o", self.folder / "t", *SMALL)
        self.assertRegex(str(problem), "epoch 1 is not finite.*stopped; Try a lower --learning")
        self.assertFalse((self.folder / "t" / "model.json").exists())


class Refusals(Case):
    def test_options(self):
        for words, pattern in (
                (["-l", "5"], "--num_layers is 5, must be from 1 to 4"),
                (["-s", "0"], "--hidden_size is 0"), (["--batch_size", "50"], "multiple of 16"),
                (["-r", "nan"], "--learning_rate is nan"),
                (["--kilo_val_samples", "0"], "--kilo_val_samples is 0, must be from 0.015625"),
                (["--seq_len", "1"], "--seq_len is 1"), (["--lstm", "--gru"], "not allowed with"),
                (["--packetqueue", "--infinite_queue"], "has a limit"),
                (["--dag_data", "x", "--traffic", "cbr"], "are of simulated links"),
                (["--link_properties", "nowhere"], "nowhere: .*default, ethernet, or a file"),
                (["--start", "9", "--tanh"], "4 ReLU units"),
                (["--start", "9", "-s", "3"], "least 4"),
                (["--start", "9", "--init", "x"], "begins once"),
                (["--start", "9", "--infinite_queue"], "which this link has not"),
                (["--strayed", "2"], "--strayed is 2"),
                (["--spacing", "1", "--no-normalize"], "count in packets"),
                (["--resume", "nowhere"], "nothing to go on with")):
            with self.subTest(" ".join(words)):
                self.refused(pattern, *SMALL, *words)

    def test_link_properties(self):
        path = self.folder / "links.json"
        for text, pattern in (('{"capacity": [0, 1]}', "capacity is"),
                              ('{"speed": 1}', "speed: what there is: "), ("[1]", "no object"),
                              ('{"queue_bytes": [100, 200]}', "less than the largest packet")):
            path.write_text(text)
            self.refused(pattern, "--link_properties", path, "-o", self.folder / "t", *SMALL)

    def test_folder_in_use(self):
        where = self.folder / "t"
        self.train("-e", 1, "-o", where, *SMALL)
        self.refused("a training is there: --resume", "-e", 1, "-o", where, *SMALL)

    def test_damaged_checkpoint(self):
        where = self.folder / "t"
        self.train("-e", 1, "-o", where, *SMALL)
        path = where / loop.CHECKPOINT
        path.write_bytes(path.read_bytes()[:500])
        self.refused("checkpoint.pt: cannot be read", "--resume", where)

    def test_no_library(self):
        """Without the library one line says what builds it."""
        done = subprocess.run([TRAIN, "-e", "1", "-o", self.folder / "t", *SMALL],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "BUILD": str(self.folder)}, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^train: .*liblemu.so: .*'make lemu' builds it\n$")


class Seeds(Case):
    def test_medians(self):
        """Medians over seeds; what is there is not trained again, unless it is something else."""
        words = [SEEDS, "-o", self.folder / "s", "--seeds", "2", "--simulated", "2"]
        many = ["-e", "1", *SMALL]

        def run(*more):
            return subprocess.run([*words, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, check=False)
        done = run(*many)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = dict(line.split()[:2] for line in done.stdout.splitlines())
        self.assertEqual(said["lemu_seeds"], "2")
        least, middle, most = (float(said[f"lemu_seeds_right{part}"])
                               for part in ("_least", "", "_most"))
        self.assertAlmostEqual(middle, (least + most) / 2, delta=0.011)
        (self.folder / "s" / "seed-2" / "checkpoint.pt").unlink()
        self.assertEqual(run(*many).stdout, done.stdout)
        done = run("-e", "2", *SMALL)
        self.assertEqual(done.returncode, 1)
        self.assertIn("seed-1.json: other options were given then", done.stderr)


if __name__ == "__main__":
    native.library()
    unittest.main()
