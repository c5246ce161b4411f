# SPDX-License-Identifier: GPL-2.0
"""Where things are; a relative BUILD counts from ROOT, as in scripts/lib.sh."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = (ROOT / (os.environ.get("BUILD") or "build")).resolve()
TOOLS = BUILD / "tools"
