# SPDX-License-Identifier: GPL-2.0
"""Starting the laboratory's kernel, in UML or in the QEMU guest."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from pylib.errors import Problem
from pylib.paths import BUILD, ROOT

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent / "models" / "cc.json"
PREFER_MODEL = HERE.parent / "models" / "cc_pref.json"
TRAFFIC = BUILD / "liteflow" / "traffic"
LFCTL = BUILD / "liteflow" / "lfctl"
LINUX = BUILD / "uml-lab" / "linux"


class LabError(Problem):
    """Something is missing; the text says what."""


def check():
    for path in (LINUX, TRAFFIC, LFCTL):
        if not path.exists():
            raise LabError(f"there is no {path}; make cclab builds it")


def built(qemu=None, linux=LINUX, programs=(TRAFFIC, LFCTL)):
    """{what: files} that decide a result, as they came out of the build.

    The kernel of the laboratory or the image for QEMU, its configuration, its modules, and
    the programs with all that is linked into them.
    """
    if qemu:
        folder, kernel = pathlib.Path(f"{qemu}.modules"), [qemu, pathlib.Path(f"{qemu}.config")]
    else:
        folder, kernel = linux.parent, [linux, linux.parent / ".config"]
    return {"kernel": [*kernel, *sorted(folder.rglob("*.ko"))], "lab": [HERE / "guest", *programs]}


def pack(models, folder):
    """Those of {app: model, JSON or packed} as the kernel takes them, where UML can see them."""
    return {app: pack_one(model, folder / f"{app}.lfm") for app, model in models.items()}


def pack_one(model, packed):
    if not model.exists():
        raise LabError(f"there is no model {model}")
    if model.suffix == ".lfm":
        shutil.copy(model, packed)
        return packed
    done = subprocess.run([LFCTL, "model", "pack", model, "-o", packed], capture_output=True,
                          text=True)
    if done.returncode:
        raise LabError(f"{model}: {done.stderr.strip()}")
    return packed


def main_process(process):
    """The process of User Mode Linux that all others below start()'s belong to, or None."""
    pid = process.pid
    while pathlib.Path(f"/proc/{pid}/exe").resolve() != LINUX.resolve():
        # one below the other: a shell, timeout, and UML
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            return None
        pid = int(children[0])
    return pid


@contextlib.contextmanager
def paused(process):
    """Let it wait without taking a core: in virtual time nothing in there can tell."""
    try:
        pid = main_process(process)
    except OSError:
        pid = None
    if pid:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if pid:
            os.kill(pid, signal.SIGCONT)


def start(core, listing, models, timeout, virtual=True, qemu=None, settings=(),
          module="net/ipv4/tcp_liteflow.ko", **options):
    """A kernel on a core, for the runs of a list -> subprocess.Popen.

    models: {app: packed model}, none of them: flows of liteflow are as Reno; None: without
    the module.
    settings: "NAME=VALUE" of lab/guest, as its header has them.
    module: what is loaded and brings the apps; "": they are built in.
    qemu: the guest's kernel; its clock counts instructions and skips idle time, but computing
    does take time there.
    """
    if qemu:
        module = pathlib.Path(f"{qemu}.modules") / pathlib.Path(module).name
        command = [ROOT / "qemu" / "start.sh", "--kernel", qemu, "--nodes", "1", "--smp", "1",
                   "--icount"]
    else:
        module = LINUX.parent / module
        command = [ROOT / "scripts" / "uml.sh", "--lab", "--no-build"]
        if virtual:
            command.append("--virtual-time")
    command += ["--timeout", str(timeout), "--", "env", *settings, HERE / "guest", TRAFFIC, listing]
    if models is not None:
        command += [LFCTL, module, *(f"{app}={model}" for app, model in models.items())]
    return subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.PIPE,
                            text=True, **options)
