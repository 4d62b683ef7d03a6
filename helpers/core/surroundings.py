"""What torch takes from around a call, stated: grad mode, inference mode, autocast, default device and default dtype.

    with surroundings(grad=False):
        ...                       the same picture whatever `torch.set_default_dtype` and its like said outside

Every tensor made in this package has its dtype and device written where it is made; this is for the code of others
(diffusers, transformers), and costs nothing where the defaults are torch's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

CPU = torch.device("cpu")


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
        if torch.get_default_dtype() != torch.float32:
            stack.enter_context(_float32())
        yield


@contextmanager
def _float32() -> Iterator[None]:
    """float32 as the default; the one before comes back."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
