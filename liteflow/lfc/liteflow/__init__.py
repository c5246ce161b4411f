# SPDX-License-Identifier: GPL-2.0
"""LiteFlow's user space for Python: networks of ONNX, TFLite and PyTorch become models.

    liteflow.export(module, "net.lfm", like="model.json")

The command lfc does the same for files; lfc(1) describes both.

    kept = liteflow.history("/var/lib/liteflow/lfd/cc/history")

is what lfd(8) collected, as NumPy arrays.
"""
from .importer import Imported, convert, write
from .kept import History, history
from .pylib.errors import Problem

__all__ = ["History", "Imported", "Problem", "convert", "export", "history", "write"]


def export(*args, **options):
    """Makes a model of a PyTorch module; see liteflow.torch_export.export()."""
    from .torch_export import export as torch_export    # only this needs PyTorch
    return torch_export(*args, **options)
