# SPDX-License-Identifier: GPL-2.0
"""lfctl and its JSON for programs in Python; needs nothing but Python."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from .errors import Problem
from .paths import BUILD


def program():
    """Path of lfctl: LFCTL, else the one that was built here, else the installed one."""
    if os.environ.get("LFCTL"):
        return os.environ["LFCTL"]
    built = BUILD / "liteflow" / "lfctl"
    if built.exists():
        return str(built)
    # Debian's users have no sbin on their PATH
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return shutil.which("lfctl", path=path) or "lfctl"


def run(*args):
    """A finished lfctl with its texts; a Problem where there is none."""
    try:
        return subprocess.run([program(), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace", check=False)
    except OSError as error:
        raise Problem(f"{program()}: {error.strerror}: run \"make lfctl\", install "
                      "liteflow-tools, or name it with LFCTL") from error


def pack(text, *options):
    """The JSON text of a model -> (bytes of its blob, what lfctl said)."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = (pathlib.Path(folder) / name for name in ("model.json", "model.lfm"))
        source.write_text(text, encoding="utf-8")
        done = run("model", "pack", str(source), "-o", str(target), *options)
        said = "\n".join(line.replace("lfctl: ", "", 1).replace(f"{source}: ", "", 1)
                         for line in (done.stdout + done.stderr).splitlines())
        if done.returncode or not target.exists():
            # a usage error's advice follows it, a report of -v comes before a refusal
            lines = said.splitlines() or [f"{program()} failed with status {done.returncode}"]
            raise Problem(lines[0 if done.returncode == 2 else -1])
        return target.read_bytes(), said


def row(values):
    """Numbers as they stand in the JSON: 9 digits hold a float32."""
    return [float(f"{value:.9g}") for value in values]


def text(model):
    """The JSON of lfctl(8), with a line per input, output and row of weights."""
    line = json.dumps
    keys = [f"  {line(k)}: {line(v)}" for k, v in model.items()
            if k not in ("inputs", "outputs", "layers")]
    keys[0] = "{" + keys[0][1:]
    for k in ("inputs", "outputs"):
        keys.append(f"  {line(k)}: [\n    " + ",\n    ".join(map(line, model[k])) + "]")
    parts = []
    for layer in model["layers"]:
        # words on one line, then a line for each vector, and for each row of a matrix
        words, rows = [], []
        for k, v in layer.items():
            if isinstance(v, list) and v and isinstance(v[0], list):
                rows.append(f"{line(k)}: [\n      " + ",\n      ".join(map(line, v)) + "]")
            else:
                (rows if isinstance(v, list) else words).append(f"{line(k)}: {line(v)}")
        parts.append("  { " + ",\n    ".join([", ".join(words), *rows]) + " }")
    keys.append("  \"layers\": [\n" + ",\n".join(parts) + "]")
    return ",\n".join(keys) + " }\n"
