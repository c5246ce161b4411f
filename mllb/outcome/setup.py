# SPDX-License-Identifier: GPL-2.0
"""Loads and policies of the outcome experiment, as their two text files state them."""
import dataclasses
import pathlib
import shlex

from pylib.errors import Problem

HERE = pathlib.Path(__file__).resolve().parent
ROLES = ("training", "held-out")
KINDS = ("baseline", "candidate")


class SetupError(Problem):
    """Something in a text file that cannot be used; the text says where and what."""


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    role: str
    per_cpu: float
    cpu_ms: int
    options: tuple

    def command(self, burn, cpus, remote, move_us, seed, scale=1.0):
        """burn's command line for this load at that cost of distance."""
        return [str(burn), "-n", str(max(round(self.per_cpu * cpus), 1)),
                "-c", str(max(round(self.cpu_ms * scale), 1)), *self.options,
                "-R", f"{remote:g}", "-C", f"{move_us:g}", "-r", str(seed),
                "--stats", "--histogram"]


@dataclasses.dataclass(frozen=True)
class Policy:
    name: str
    kind: str
    model: str = None
    migration_cost: float = 1.0


def _rows(path):
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        words = shlex.split(line, comments=True)
        if words:
            yield f"{path}:{number}", words


def read_loads(path=HERE / "loads"):
    """{name: Load}"""
    loads = {}
    for where, words in _rows(path):
        try:
            name, role, per_cpu, cpu_ms, *options = words
            loads[name] = Load(name, role, float(per_cpu), int(cpu_ms), tuple(options))
        except ValueError as error:
            raise SetupError(f"{where}: expected NAME ROLE TASKS_PER_CPU CPU_MS OPTIONS: "
                             f"{error}") from error
        if role not in ROLES:
            raise SetupError(f"{where}: the role is {' or '.join(ROLES)}, not '{role}'")
    return loads


def read_policies(path=HERE / "policies"):
    """{name: Policy}"""
    policies = {}
    for where, (name, *words) in _rows(path):
        kind = words.pop(0) if words else ""
        if kind not in KINDS:
            raise SetupError(f"{where}: the kind is {' or '.join(KINDS)}, not '{kind}'")
        values = {}
        for word in words:
            key, _, value = word.partition("=")
            if key not in ("model", "migration_cost"):
                raise SetupError(f"{where}: unknown '{word}'")
            values[key] = value
        try:
            values["migration_cost"] = float(values.get("migration_cost", 1))
        except ValueError as error:
            raise SetupError(f"{where}: {error}") from error
        policies[name] = Policy(name, kind, **values)
    return policies
