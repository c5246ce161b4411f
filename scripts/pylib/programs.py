# SPDX-License-Identifier: GPL-2.0
"""Programs as modules, for their tests: their file names have no ending."""
import importlib.machinery
import importlib.util
import sys


def load(path):
    """The module that the program @path is; its main() does not run."""
    name = "program_" + path.name.replace("-", "_")
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    # dataclasses look their module up
    sys.modules[name] = module
    loader.exec_module(module)
    return module
