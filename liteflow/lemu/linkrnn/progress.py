# SPDX-License-Identifier: GPL-2.0
"""How far a training is, on standard error."""
import sys
import time


def clock(seconds):
    """'1:02:03', or '2:03'."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Progress:
    """A line that is written over on a terminal, a line every 30 s elsewhere."""

    def __init__(self, epochs, done):
        self.epochs, self.begun_with = epochs, done
        self.begin = self.last = time.monotonic()
        self.live = sys.stderr.isatty()

    def show(self, epoch, text):
        """epoch: number of those that are done."""
        now = time.monotonic()
        if not self.live and now - self.last < 30:
            return
        self.last = now
        left = (now - self.begin) / (epoch - self.begun_with) * (self.epochs - epoch)
        line = f"train: epoch {epoch}/{self.epochs}, {clock(left)} left, {text}"
        print(("\r" + line + "\033[K") if self.live else line, end="" if self.live else "\n",
              file=sys.stderr, flush=True)

    def end(self):
        if self.live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
