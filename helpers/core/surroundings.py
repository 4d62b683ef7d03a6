"""What torch takes from around a call, stated: grad mode, inference mode, autocast, default device and default dtype.

    with surroundings(grad=False):
        ...                       the same picture whatever `torch.set_default_dtype` and its like said outside

Every tensor made in this package has its dtype and device written where it is made; this is for the code of others
(diffusers, transformers), and costs nothing where the defaults are torch's own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

CPU = torch.device("cpu")


class _Float32:
    """The default dtype belongs to the whole process: the first block in sets it, the last one out brings it back."""

    def __init__(self) -> None:
        self.lock, self.users, self.before = threading.RLock(), 0, torch.float32

    def enter(self) -> None:
        """One more block."""
        with self.lock:
            self.users += 1
            if self.users == 1:
                self.before = torch.get_default_dtype()
            if torch.get_default_dtype() != torch.float32:
                torch.set_default_dtype(torch.float32)

    def leave(self) -> None:
        """One block less."""
        with self.lock:
            self.users -= 1
            if not self.users and self.before != torch.float32:
                torch.set_default_dtype(self.before)


_shared = _Float32()


@contextmanager
def float32() -> Iterator[None]:
    """float32 is the default dtype; the one before comes back when no thread is in such a block any more."""
    _shared.enter()
    try:
        yield
    finally:
        _shared.leave()


@contextmanager
def surroundings(grad: bool) -> Iterator[None]:
    """Inside the with-block gradients are on or off as `grad` says; the default is float32 on the CPU."""
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.set_grad_enabled(grad))
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device() != CPU:
            stack.enter_context(CPU)
        stack.enter_context(float32())
        yield
