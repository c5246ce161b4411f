# SPDX-License-Identifier: GPL-2.0
"""Tables in Markdown."""


def table(heads, rows):
    """Lines of a table, columns as wide as their widest entry: also to be read as it is."""
    rows = [[str(value) for value in row] for row in rows]
    width = [max(len(row[at]) for row in [list(heads), *rows]) for at in range(len(heads))]

    def line(row):
        return "| " + " | ".join(value.ljust(width[at]) for at, value in enumerate(row)) + " |"
    return [line(heads), "|" + "|".join("-" * (size + 2) for size in width) + "|",
            *(line(row) for row in rows)]
