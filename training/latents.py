"""The training pictures as latents, encoded once: `runs/latents/`, one file for each shard of the pool.

    python -m training.latents --shards 24

A shard whose pictures are not in the pool is drawn for this and forgotten: 0.8 GB of pictures make 40 MB of latents.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.picturebook.drawing import PARTS
from helpers.picturebook.sampling import random_scene
from helpers.picturebook.scene import Scene

from .autoencoder import load_autoencoder, to_tensor
from .loop import fast
from .pool import POOL, coarse_parts, drawn, scenes_of

LATENTS = Path("runs/latents")
#: small parts, learned last, in a third of all pictures: how many times more often a picture comes for each it has
RARE = {"wearing": 1.0, "holding": 3.0, "beside": 0.5}


def pictures_of(index: int, workers: ProcessPoolExecutor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A shard's pictures and parts, 64 at a time, from the pool or drawn now."""
    file = POOL / f"{index:03d}.pictures.npy"
    if (POOL / f"{index:03d}.seeds.npy").exists():
        pictures, parts = np.load(file, mmap_mode="r"), np.load(POOL / f"{index:03d}.parts.npy")
        for i in range(0, len(pictures), 64):
            yield np.array(pictures[i:i + 64]), parts[i:i + 64]
        return
    scenes = scenes_of(index)
    for i in range(0, len(scenes), 64):  # drawing and encoding take turns: each has all cores
        pictures, parts = zip(*workers.map(drawn, scenes[i:i + 64], chunksize=8), strict=True)
        yield np.stack(pictures), np.stack(parts)


@torch.no_grad()
def encode_shard(index: int, vae: nn.Module, workers: ProcessPoolExecutor) -> None:
    """Writes (n, 16, 16, 16) float16 latents and (n, 16, 16) uint8 parts; what is there already is left alone."""
    target = LATENTS / f"{index:03d}.latents.npy"
    if target.exists():
        return
    latents, cells = [], []
    for pictures, parts in pictures_of(index, workers):
        x = (to_tensor(pictures)).to(fast()).contiguous(memory_format=torch.channels_last)
        latents.append(vae.encode(x).latents.half().cpu().numpy())
        cells.append(coarse_parts(parts))
    np.save(LATENTS / f"{index:03d}.parts.npy", np.concatenate(cells))
    np.save(LATENTS / f"{index:03d}.seeds.npy", np.array([s.seed for s in scenes_of(index)]))
    np.save(target, np.concatenate(latents))  # last: it says that the shard is whole


class LatentPool:
    """All latents in memory, with the scenes they show."""

    def __init__(self) -> None:
        names = sorted(p.name.split(".")[0] for p in LATENTS.glob("*.latents.npy"))
        if not names:
            raise FileNotFoundError(f"No latents in {LATENTS}: run python -m {__package__}.latents first.")
        self.latents = torch.from_numpy(np.concatenate([np.load(LATENTS / f"{n}.latents.npy") for n in names]))
        self.parts = torch.from_numpy(np.concatenate([np.load(LATENTS / f"{n}.parts.npy") for n in names]))
        self.seeds = np.concatenate([np.load(LATENTS / f"{n}.seeds.npy") for n in names])
        rare = sum(more * (self.parts == PARTS.index(part)).flatten(1).any(1).double() for part, more in RARE.items())
        self.odds = np.cumsum(1 + rare.numpy())

    def __len__(self) -> int:
        return len(self.latents)

    def scene(self, index: int) -> Scene:
        """The scene of one picture."""
        return random_scene(int(self.seeds[index]))

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(count,) indices; a picture with `RARE` parts comes more often."""
        return np.searchsorted(self.odds, rng.random(count) * self.odds[-1], side="right")


def main() -> None:
    """Encodes the shards that are not encoded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--shards", type=int, default=24)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    LATENTS.mkdir(parents=True, exist_ok=True)
    vae = load_autoencoder()
    if vae is None:
        raise FileNotFoundError("No trained autoencoder: run python -m training.autoencoder first.")
    vae = vae.to(memory_format=torch.channels_last)
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as workers:
        for index in range(args.shards):
            encode_shard(index, vae, workers)
            print(f"shard {index} encoded", flush=True)


if __name__ == "__main__":
    main()
