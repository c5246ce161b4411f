# SPDX-License-Identifier: GPL-2.0
"""Where things are."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD") or ROOT / "build").resolve()
TOOLS = BUILD / "tools"
