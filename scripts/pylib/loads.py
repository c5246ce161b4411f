# SPDX-License-Identifier: GPL-2.0
"""The roles and pools of the named loads, as mllb/loads/split states them."""
import pathlib

from .errors import Problem
from .paths import ROOT

SPLIT = ROOT / "mllb" / "loads" / "split"
ROLES = ("training", "held-out")


class SplitError(Problem):
    """What is wrong with the file, and where."""


def parse_split(text, where="mllb/loads/split"):
    """Text of the file -> {load: (role, pool or None)}, in the file's order."""
    loads, pool_roles = {}, {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) not in (2, 3) or words[1] not in ROLES:
            raise SplitError(f"{where}:{number}: expected NAME training|held-out [POOL], "
                             f"found '{line.strip()}'")
        name, role, pool = (*words, None)[:3]
        if name in loads:
            raise SplitError(f"{where}:{number}: {name} stands there twice")
        if pool and pool_roles.setdefault(pool, role) != role:
            raise SplitError(f"{where}:{number}: pool {pool} holds loads of both roles")
        loads[name] = (role, pool)
    clash = set(loads) & set(pool_roles)
    if clash:
        raise SplitError(f"{where}: {min(clash)} is a load and a pool")
    if {role for role, _ in loads.values()} != set(ROLES):
        raise SplitError(f"{where}: needs loads of both roles")
    return loads


def read_split(path=SPLIT):
    return parse_split(pathlib.Path(path).read_text(encoding="utf-8"), path)


def names(role=None, split=None):
    split = read_split() if split is None else split
    return [name for name, (its, _) in split.items() if role in (None, its)]


def units(role, split=None):
    """What is judged together: {load or pool: [loads]} of a role."""
    split = read_split() if split is None else split
    out = {}
    for name, (its, pool) in split.items():
        if its == role:
            out.setdefault(pool or name, []).append(name)
    return out


def check_arguments(parser, wanted, seconds, option="--seconds"):
    """Ends the program if one of the wanted loads does not exist or the time is too short."""
    unknown = sorted(set(wanted) - set(read_split()))
    if unknown:
        parser.error(f"no load named {', '.join(unknown)}: see 'workloads list'")
    if seconds < 1:
        parser.error(f"{option} must be at least 1")
