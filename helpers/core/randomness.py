"""Noise that is the same on every machine: each picture has a seed of its own; no global random state is touched."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from helpers.core import values
from helpers.core.shapes import Noise
from helpers.core.tensors import Shape
from helpers.core.values import Seeds, entrance

CPU = torch.device("cpu")


@entrance
def noise(seed: Seeds, shape: Shape) -> Noise:
    """Standard normal noise of `shape` (B, C, h, w), float32 on the CPU, the same on every machine.

    Each picture has a generator of its own, so its noise does not depend on its neighbours: picture i is drawn from
    seed + i, or from the i-th seed of a list. `[7, 7]` gives two pictures the same noise.
    """
    drawn = [torch.randn(shape[1:], generator=generator(s), dtype=torch.float32, device=CPU)
             for s in seeds_of(seed, shape[0])]
    return torch.stack(drawn)


def generator(seed: int) -> torch.Generator:
    """A random stream of its own, on the CPU."""
    return torch.Generator(CPU).manual_seed(seed)


def seeds_of(seed: int | Sequence[int], count: int) -> list[int]:
    """The seed of each of `count` pictures: seed, seed + 1, ... or the list as it is."""
    given = as_seeds(seed)
    seeds = values.seed_list("seed", [given + i for i in range(count)]) if isinstance(given, int) else given
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds for {count} pictures: give one seed, or one for each picture.")
    return seeds


def as_seeds(seed: int | Sequence[int]) -> int | list[int]:
    """One seed or a list of them as Python's whole numbers; an error for anything else, a text or a generator say."""
    return values.seeds("seed", seed)
