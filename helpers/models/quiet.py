"""Keeping diffusers and transformers from talking, and the global state of torch as it was.

Silence is the calling thread's own: other threads hear what they would hear without it, and nothing that others can
set (levels of the libraries, filters of Python's warnings) is changed for good.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from helpers.core.silence import silent
from helpers.core.surroundings import float32

LIBRARIES = ("transformers", "diffusers")


class _Here(threading.local):
    """How many `quiet` blocks this thread is inside of."""

    depth = 0


_here = _Here()


class _Unheard(logging.Filter):
    """Drops the log lines of a thread that is quiet, errors excepted."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be seen."""
        return not _here.depth or record.levelno >= logging.ERROR


_UNHEARD = _Unheard()


class _Shared:
    """What threads share while any of them is quiet: the first one in sets it up, the last one out takes it away."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users = self.hiding = 0
        self.hidden: list[Any] = []  # libraries whose bars come back
        self.handlers: list[logging.Handler] = []

    def enter(self) -> None:
        """One more block."""
        with self.lock:
            self.users += 1
            for name in LIBRARIES:  # the handlers may be other ones each time
                for handler in logging.getLogger(name).handlers:
                    if _UNHEARD not in handler.filters:
                        handler.addFilter(_UNHEARD)
                        self.handlers.append(handler)

    def leave(self) -> None:
        """One block less."""
        with self.lock:
            self.users -= 1
            while self.handlers and not self.users:
                self.handlers.pop().removeFilter(_UNHEARD)

    def hide_bars(self) -> None:
        """No progress bars, until as many have asked for them back."""
        with self.lock:
            self.hiding += 1
            for name in LIBRARIES if self.hiding == 1 else ():
                library = silently_imported(name)
                if library.is_progress_bar_enabled():
                    library._tqdm_active = False  # not disable_progress_bar(): that hides huggingface_hub's bars, too
                    self.hidden.append(library)

    def show_bars(self) -> None:
        """The bars come back with the last who hid them."""
        with self.lock:
            self.hiding -= 1
            while self.hidden and not self.hiding:
                self.hidden.pop()._tqdm_active = True


_shared = _Shared()


@contextmanager
def quiet(bars: bool = False) -> Iterator[None]:
    """Keep diffusers and transformers from talking in this thread (warnings, log lines; progress bars unless `bars`).

    The libraries may be imported here for the first time: that is silent, too.
    """
    for name in LIBRARIES:
        silently_imported(name)
    _here.depth += 1
    _shared.enter()
    if not bars:
        _shared.hide_bars()
    try:
        with silent():
            yield
    finally:
        if not bars:
            _shared.show_bars()
        _shared.leave()
        _here.depth -= 1


def silently_imported(name: str) -> Any:
    """The library's logging module; a first import prints nothing and leaves the usual level."""
    switch = f"{name.upper()}_VERBOSITY"
    if name in sys.modules or switch in os.environ:
        return importlib.import_module(f"{name}.utils.logging")
    os.environ[switch] = "error"
    try:
        module = importlib.import_module(f"{name}.utils.logging")
    finally:
        os.environ.pop(switch, None)
    module.set_verbosity_warning()
    return module


@contextmanager
def untouched_random_state() -> Iterator[None]:
    """The global random state of every device as before: building a network may draw from it."""
    on_mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            if on_mps is not None:
                torch.mps.set_rng_state(on_mps)


@contextmanager
def usual_torch() -> Iterator[None]:
    """New tensors are float32 on the CPU where nothing else is said, whatever the reader has set as default."""
    with float32(), torch.device("cpu"):
        yield
