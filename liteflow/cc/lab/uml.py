# SPDX-License-Identifier: GPL-2.0
"""Starting the laboratory's kernel."""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
MODEL = HERE.parent / "models" / "cc.json"
TRAFFIC = BUILD / "liteflow" / "traffic"
LFCTL = BUILD / "liteflow" / "lfctl"
LINUX = BUILD / "uml-lab" / "linux"


class LabError(RuntimeError):
    """Something is missing; the text says what."""


def check():
    for path in (LINUX, TRAFFIC, LFCTL):
        if not path.exists():
            raise LabError(f"there is no {path}; make cclab builds it")


def pack(model, folder):
    """The model, JSON or packed, as the kernel takes it and where UML can see it."""
    if not model.exists():
        raise LabError(f"there is no model {model}")
    packed = folder / "cc.lfm"
    if model.suffix == ".lfm":
        shutil.copy(model, packed)
        return packed
    done = subprocess.run([LFCTL, "model", "pack", model, "-o", packed], capture_output=True,
                          text=True)
    if done.returncode:
        raise LabError(f"{model}: {done.stderr.strip()}")
    return packed


def start(core, listing, model, timeout, virtual=True, **options):
    """UML on a core, for the runs of a list -> subprocess.Popen."""
    command = ["taskset", "-c", str(core), ROOT / "scripts" / "uml.sh", "--lab", "--no-build",
               "--timeout", str(timeout), *(["--virtual-time"] if virtual else []), "--",
               HERE / "guest", TRAFFIC, listing]
    if model:
        command += [LFCTL, model]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
