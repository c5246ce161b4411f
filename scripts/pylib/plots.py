# SPDX-License-Identifier: GPL-2.0
"""Pictures as PNG files. matplotlib is loaded at the first use only."""
from .errors import Problem


def pyplot():
    """matplotlib.pyplot, drawing into files."""
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise Problem(f"no pictures: {error}: apt-get install python3-matplotlib") from error
    return plt


def save(figure, path, dpi=100):
    """The same data gives the same bytes: no date and no version is in them."""
    figure.tight_layout()
    figure.savefig(path, dpi=dpi, metadata={"Software": None})
    pyplot().close(figure)
