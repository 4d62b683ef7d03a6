"""A short text that two models share only if they predict the same, in whatever precision they compute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

from helpers.core.shapes import Same

Numbers = dict[str, float | int]


def numbers_of(networks: Mapping[str, Any]) -> Numbers:
    """One number of every tensor: of the denoiser its first, of the text encoders the sum of all bits.

    A fitted word changes a few rows of a text encoder's table, which its first number would miss. Sums of bits are the
    same on every machine; sums of floats are not. Weights are rounded to half precision before, so that float16 and
    float32 agree.
    """
    numbers: Numbers = {}
    firsts = [(name, as_half(part.flatten()[:1])) for name, part in networks["unet"].named_parameters()]
    numbers.update(zip((f"unet.{name}" for name, _ in firsts), torch.cat([first for _, first in firsts]).tolist(),
                       strict=True))
    for network in (name for name in networks if name != "unet"):
        for name, part in networks[network].named_parameters():
            numbers[f"{network}.{name}"] = int(as_half(part).view(torch.int32).sum(dtype=torch.int64))
    return numbers


def as_half(weight: Same) -> Same:
    """float32 with the digits of float16."""
    return weight.detach().half().float()


def fingerprint_of(networks: Mapping[str, Any], read: Numbers, stored: Numbers) -> str:
    """Eight hexadecimal digits.

    read, stored: the numbers after and before the weights were cast to less than half precision. Those that have not
    changed since count as they were stored.
    """
    numbers = {name: stored[name] if name in stored and read[name] == value else value
               for name, value in numbers_of(networks).items()}
    firsts = torch.tensor([value for name, value in numbers.items() if name.startswith("unet.")],
                          dtype=torch.float32, device="cpu")
    sums = [value for name, value in numbers.items() if not name.startswith("unet.")]
    adapted = "".join(f"{name}{scaling(part)}" for name, part in networks.items() if getattr(part, "peft_config", None))
    adapted += "".join(map(str, free_u(networks["unet"])))
    return hashlib.sha256(firsts.numpy().tobytes() + (repr(sums) + adapted).encode()).hexdigest()[:8]


def scaling(network: Any) -> list[Any]:
    """How much of each adapter is in use."""
    return [(name, sorted(part.scaling.items()), part.active_adapters, part.disable_adapters)
            for name, part in network.named_modules() if isinstance(getattr(part, "scaling", None), dict)]


def free_u(unet: Any) -> list[tuple[int, str, float]]:
    """What FreeU (`pipeline.enable_freeu`) scales of each block on the way up; nothing where it is off."""
    blocks = enumerate(getattr(unet, "up_blocks", None) or ())
    return [(i, name, getattr(block, name)) for i, block in blocks for name in ("s1", "s2", "b1", "b2")
            if getattr(block, name, None) is not None]
