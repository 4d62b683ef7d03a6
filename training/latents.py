"""The training pictures as latents, encoded once: `runs/latents/`, one file for each shard of the pool.

    python -m training.latents
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from helpers.picturebook.drawing import PARTS

from .judge import load_autoencoder
from .loop import device, fast
from .pool import POOL, Pool, coarse_parts

LATENTS = Path("runs/latents")
#: small parts, learned last, in a third of all pictures: how many times more often a picture comes for each it has
RARE = {"wearing": 1.0, "holding": 3.0, "beside": 0.5}


@torch.no_grad()
def encode_shard(name: str) -> None:
    """Writes (n, 16, 16, 16) float16 latents and (n, 16, 16) uint8 parts; what is there already is left alone."""
    target = LATENTS / f"{name}.latents.npy"
    if target.exists():
        return
    vae = load_autoencoder()
    if vae is None:
        raise FileNotFoundError("No trained autoencoder: run python -m training.autoencoder first.")
    vae = vae.to(memory_format=torch.channels_last)
    pictures = np.load(POOL / f"{name}.pictures.npy", mmap_mode="r")
    out = []
    for batch in np.array_split(pictures, len(pictures) // 64):
        x = torch.from_numpy(np.array(batch)).to(device()).permute(0, 3, 1, 2).to(fast()) / 127.5 - 1
        out.append(vae.encode(x).latents.half().cpu().numpy())
    np.save(LATENTS / f"{name}.parts.npy", coarse_parts(np.load(POOL / f"{name}.parts.npy")))
    np.save(target, np.concatenate(out))


class LatentPool:
    """All latents in memory, with the scenes they show."""

    def __init__(self) -> None:
        names = sorted(p.name.split(".")[0] for p in LATENTS.glob("*.latents.npy"))
        if not names:
            raise FileNotFoundError(f"No latents in {LATENTS}: run python -m {__package__}.latents first.")
        self.latents = torch.from_numpy(np.concatenate([np.load(LATENTS / f"{n}.latents.npy") for n in names]))
        self.parts = torch.from_numpy(np.concatenate([np.load(LATENTS / f"{n}.parts.npy") for n in names]))
        self.scene = Pool().scene
        rare = sum(more * (self.parts == PARTS.index(part)).flatten(1).any(1).double() for part, more in RARE.items())
        self.odds = np.cumsum(1 + rare.numpy())

    def __len__(self) -> int:
        return len(self.latents)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(count,) indices; a picture with `RARE` parts comes more often."""
        return np.searchsorted(self.odds, rng.random(count) * self.odds[-1], side="right")


def main() -> None:
    """Encodes the shards that are not encoded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    LATENTS.mkdir(parents=True, exist_ok=True)
    for file in sorted(POOL.glob("*.seeds.npy")):
        name = file.name.split(".")[0]
        encode_shard(name)
        print(f"shard {name} encoded", flush=True)


if __name__ == "__main__":
    main()
