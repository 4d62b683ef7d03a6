"""A model's weights swapped for others for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from helpers.core.shapes import Weight


@contextmanager
def swapped(networks: Mapping[str, Any], weights: Mapping[str, Weight]) -> Iterator[None]:
    """Other tensors in the places of these weights, "unet.conv_in.weight" say; the own ones are back afterwards."""
    before = []
    try:
        for name, value in weights.items():
            network, _, path = name.partition(".")
            module = networks[network].get_submodule(path.rpartition(".")[0])._parameters
            key = path.rpartition(".")[2]
            before.append((module, key, module[key]))
            module[key] = value
        yield
    finally:
        for module, key, value in reversed(before):
            module[key] = value


@contextmanager
def checkpointed(unet: Any, wanted: bool) -> Iterator[None]:
    """With gradient checkpointing, if it is `wanted`; as before afterwards."""
    wanted = wanted and not unet.is_gradient_checkpointing
    try:
        if wanted:
            unet.enable_gradient_checkpointing()
        yield
    finally:
        if wanted:
            unet.disable_gradient_checkpointing()
