"""Noise that is the same on every machine: each picture has a seed of its own; no global random state is touched."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from operator import index

import torch
from torch import Tensor


def noise(seed: int | Sequence[int], shape: Sequence[int]) -> Tensor:
    """Standard normal noise of `shape` (B, C, h, w), float32 on the CPU, the same on every machine.

    Each picture has a generator of its own, so its noise does not depend on its neighbours: picture i is drawn from
    seed + i, or from the i-th seed of a list. `[7, 7]` gives two pictures the same noise.
    """
    seeds = seeds_of(seed, shape[0])
    return torch.stack([torch.randn(*shape[1:], generator=torch.Generator().manual_seed(s)) for s in seeds])


def seeds_of(seed: int | Sequence[int], count: int) -> list[int]:
    """The seed of each of `count` pictures: seed, seed + 1, ... or the list as it is."""
    seed = as_seeds(seed)
    seeds = [seed + i for i in range(count)] if isinstance(seed, int) else seed
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds for {count} pictures: give one seed, or one for each picture.")
    return seeds


def as_seeds(seed: int | Sequence[int]) -> int | list[int]:
    """One seed or a list of them as Python's whole numbers; an error for anything else, a text or a generator say."""
    try:
        seeds = index(seed) if isinstance(seed, Integral) else [index(each) for each in seed]
    except TypeError:
        raise TypeError(f"seed is {seed!r}; expected a whole number, or a list of them.") from None
    if not all(-(2**63) <= each < 2**64 for each in ([seeds] if isinstance(seeds, int) else seeds)):
        raise ValueError(f"seed is {seed!r}; expected numbers from -2**63 up to 2**64 - 1.")
    return seeds
