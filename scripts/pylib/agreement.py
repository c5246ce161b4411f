# SPDX-License-Identifier: GPL-2.0
"""Agreement of the model with the stock code, from the kernel's counters of a TEST kernel.

Counted are unforced decisions that both answered: where too many balances have
failed, the task moves whatever either of them says.
"""
import math

from .numbers import percent

KEYS = ("both_migrate", "both_refuse", "only_model", "only_stock")
Z975 = 1.960


def add(total, stats):
    """Adds the counters of one run to those so far."""
    for key, value in stats.items():
        total[key] = total.get(key, 0) + value
    return total


def wilson(hits, cases):
    """95 % interval of a share, as fractions; it stays honest where nothing ever failed."""
    if not cases:
        return 0.0, 1.0
    share, z2 = hits / cases, Z975 ** 2
    middle = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = Z975 / (1 + z2 / cases) * math.sqrt(share * (1 - share) / cases +
                                               z2 / (4 * cases ** 2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def figures(stats):
    """Counters -> decisions, rarer and, in percent (None without a case), the rates.

    *_low are the lower ends of their 95 % intervals, decisions taken as independent;
    those of one balancing pass are not quite.
    """
    both_migrate, both_refuse, only_model, only_stock = (stats.get(key, 0) for key in KEYS)
    migrate, refuse = both_migrate + only_stock, both_refuse + only_model
    total, agreed = migrate + refuse, both_migrate + both_refuse
    recalls = {"recall_migrate": percent(both_migrate, migrate),
               "recall_refuse": percent(both_refuse, refuse)}
    known = [value for value in recalls.values() if value is not None]
    return {"decisions": total, "migrate": migrate, "refuse": refuse,
            "rarer": min(migrate, refuse),
            "agreement": percent(agreed, total),
            "agreement_low": 100 * wilson(agreed, total)[0] if total else None,
            **recalls, "recall_min": min(known) if known else None,
            "majority": percent(max(migrate, refuse), total)}


def enough(stats, decisions, rarer):
    seen = figures(stats)
    return seen["decisions"] >= decisions and seen["rarer"] >= rarer


def text(value, unit=" %"):
    return "-" if value is None else f"{value:.2f}{unit}"


def cells(name, stats):
    seen = figures(stats)
    return (name, str(seen["decisions"]), str(seen["rarer"]), text(seen["agreement"]),
            text(seen["agreement_low"]), text(seen["recall_migrate"]),
            text(seen["recall_refuse"]), text(seen["majority"]))


HEAD = ("load", "decisions", "rarer", "agreement", "95 % low", "recall move", "recall refuse",
        "majority")


def rows(data):
    """(cells, thin) of each unit of eval_acc's JSON and of all together."""
    total = {}
    for name, unit in data["units"].items():
        add(total, unit["stats"])
        yield cells(name, unit["stats"]), unit["thin"]
    if len(data["units"]) > 1:
        yield cells("all", total), False


def print_table(data):
    """As `make run` shows it."""
    widths = (20, 10, 7, 10, 9, 12, 14, 9)
    print("  " + " ".join(f"{cell:{'<' if not i else '>'}{width}}"
                          for i, (cell, width) in enumerate(zip(HEAD, widths))))
    for row, thin in rows(data):
        print("  " + " ".join(f"{cell:{'<' if not i else '>'}{width}}"
                              for i, (cell, width) in enumerate(zip(row, widths)))
              + ("  thin" if thin else ""))


def all_stats(data):
    total = {}
    for unit in data["units"].values():
        add(total, unit["stats"])
    return total


def worst(data):
    """{agreement, recall} of the worst unit, in percent, or None; and the names of thin ones."""
    seen = {name: figures(unit["stats"]) for name, unit in data["units"].items()}
    thin = [name for name, unit in data["units"].items() if unit["thin"]]
    values = {}
    for out, key in (("agreement", "agreement"), ("recall", "recall_min")):
        known = [figure[key] for figure in seen.values() if figure[key] is not None]
        values[out] = min(known) if known else None
    return values, thin
