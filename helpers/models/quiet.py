"""Keeping diffusers and transformers from talking, and the global random state as it was."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def untouched_random_state() -> Iterator[None]:
    """The global random state as before: building a network may draw from it."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


@contextmanager
def quiet(bars: bool = False) -> Iterator[None]:
    """Keep diffusers and transformers from talking (warnings, log lines, progress bars unless `bars`).

    The reader's own settings come back afterwards, also where the libraries are imported here for the first time.
    """
    libraries = [silently_imported("transformers"), silently_imported("diffusers")]
    before = [(library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        if not bars:
            library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for library, (level, shown) in zip(libraries, before, strict=True):
            library.set_verbosity(level)
            if shown:
                library.enable_progress_bar()


def silently_imported(name: str) -> Any:
    """The library's logging module; a first import prints nothing and leaves the usual level."""
    switch = f"{name.upper()}_VERBOSITY"
    if name in sys.modules or switch in os.environ:
        return importlib.import_module(f"{name}.utils.logging")
    os.environ[switch] = "error"
    try:
        module = importlib.import_module(f"{name}.utils.logging")
    finally:
        del os.environ[switch]
    module.set_verbosity_warning()
    return module
