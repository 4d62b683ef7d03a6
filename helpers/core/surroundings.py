"""What torch takes from around a call, stated: grad mode, inference mode, autocast, default device and default dtype.

    with surroundings(grad=False):
        ...                       the same picture whatever `torch.set_default_dtype` and its like said outside

    with defaults():
        ...                       the same, but gradients are as they were: what differentiable functions compute in

Every public function and every check computes inside one of the two, so a tensor made without a word about it is a
float32 one on the CPU, in our code and in that of diffusers and transformers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

CPU = torch.device("cpu")
KINDS = ("cpu", "cuda", "mps")  # of devices; each has an autocast of its own


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


def are_usual() -> bool:
    """Whether a tensor that is made without a word about it is a float32 one on the CPU, and nothing is autocast."""
    return (torch.get_default_dtype() == torch.float32 and torch.get_default_device() == CPU
            and not any(torch.is_autocast_enabled(kind) for kind in KINDS))


@contextmanager
def defaults() -> Iterator[None]:
    """Inside the with-block the default is float32 on the CPU, and nothing is autocast."""
    with ExitStack() as stack:
        for kind in KINDS:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device() != CPU:
            stack.enter_context(CPU)
        stack.enter_context(float32())
        yield


@contextmanager
def surroundings(grad: bool) -> Iterator[None]:
    """Inside the with-block gradients are on or off as `grad` says, and the rest is as `defaults` has it."""
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.set_grad_enabled(grad))
        stack.enter_context(defaults())
        yield
