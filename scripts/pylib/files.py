# SPDX-License-Identifier: GPL-2.0
"""Reading and writing results as JSON."""
import json
import os
import pathlib

from .errors import Problem


def save(path, data, indent=1):
    """Write data as JSON; whoever reads the file sees the old one or the new one, whole."""
    path = pathlib.Path(path)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        new.write_text(json.dumps(data, indent=indent) + "\n", encoding="utf-8")
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def load(path, hint=""):
    """The JSON of a file; hint: what to do when it cannot be read."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}{hint and ': ' + hint}") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path}: no JSON: no text in UTF-8{hint and ': ' + hint}") from error
    except ValueError as error:
        raise Problem(f"{path}: {error}{hint and ': ' + hint}") from error
