# SPDX-License-Identifier: GPL-2.0
"""PyTorch modules to models, in one call; through ONNX, as lfc reads it."""
import copy
import inspect
import io
import pathlib
import warnings

from . import importer, naming
from .pylib.errors import Problem


def _rows_width(rows):
    """Number of inputs of a file of rows, where nothing else says it."""
    if rows is None:
        return None
    try:
        return naming.rows_module.read(rows).width
    except Problem:
        return None         # a table whose columns need names first


def _onnx(torch, module, example):
    """Bytes of the module's ONNX file; the module is left as it was."""
    options = {}
    if next((part.dtype for part in module.parameters()), None) in (torch.float16, torch.bfloat16):
        # not every processor computes with those
        module = copy.deepcopy(module).float()
        example = torch.as_tensor(example[0] if isinstance(example, tuple) else example).float()
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False       # newer PyTorch; that one needs more packages
    training = {part: part.training for part in module.modules()}
    file = io.BytesIO()
    try:
        module.eval()
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, example, file, **options)
    except Exception as error:          # whatever the module's code and the exporter raise
        text = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        raise Problem(f"PyTorch cannot export the module: {text[:200]}") from error
    finally:
        for part, was in training.items():
            part.training = was
    return file.getvalue()


def export(module, path, like=None, app=None, data=None, percentile=0, output=None, name=None,
           unit=None, normalised=False, example=None, pack=()):
    """
    A torch.nn.Module to the model @path: .lfm, packed by lfctl, or .json. The arguments are
    lfc's options; @like may also be a dict.
    example: inputs that the module takes, a tensor or a tuple of one; by default a row of zeros
    pack: options of lfctl model pack, as ("--check", "1000")
    Returns Imported; raises Problem, one line that says what to do.
    """
    try:
        import torch
    except ImportError as error:
        raise Problem(f"exporting needs PyTorch ({error}): apt-get install python3-torch") \
            from error
    if not isinstance(module, torch.nn.Module):
        raise Problem(f"a torch.nn.Module is wanted, not {type(module).__name__}")
    if example is None:
        sources = ([naming.like(like)] if like is not None else []) + \
            ([naming.app(app)] if app is not None else [])
        width = naming.Naming(sources).count() or _rows_width(data)
        if width is None:
            raise Problem("how many inputs has the module? Give like=, app= or example=")
        some = next(module.parameters(), torch.zeros(1))
        example = torch.zeros(1, width, dtype=some.dtype, device=some.device)
    made = importer.convert(_onnx(torch, module, example), None, like, app, data, percentile,
                            output, name or pathlib.Path(path).stem[:naming.MAX_NAME]
                            if like is None else name, unit, normalised)
    said = importer.write(made, path, pack)
    if said:
        made.notes.append(said)
    return made
