"""The training pictures, drawn once: `runs/pool/` holds shards of pictures and of which part each pixel shows.

    python -m training.pool --shards 20
    python -m training.pool --shards 8 --all-combinations      (for the judge: runs/pool-judge/)

The judge measures held-out combinations, so it learns on all of them; on other scene numbers, as everything here.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from helpers.picturebook.canvas import labels
from helpers.picturebook.drawing import PARTS, compose, styles
from helpers.picturebook.sampling import FIRST_HELD_OUT_SEED, random_scene, training_scenes
from helpers.picturebook.scene import Scene

POOL = Path("runs/pool")
JUDGE_POOL = Path("runs/pool-judge")
SHARD = 4096  #: pictures in a shard
SIZE = 128
LABEL_SIZE = 64
GRID = 16  #: cells of the latents
SEEDS_PER_SHARD = 2 * SHARD  # more than one shard's scenes need, held-out ones left out


#: small things first: what decides whose cell it is when several parts share one
_WEIGHT = np.array([{"place": 1, "sky": 1, "clouds": 1.5, "snow": 0.2}.get(p, 3) for p in PARTS], np.float32)


def draw_shard(index: int, folder: Path = POOL) -> str:
    """Draws one shard; one that is there already is left alone, so a killed run goes on where it was."""
    done = folder / f"{index:03d}.seeds.npy"
    if done.exists():
        return f"shard {index}: there already"
    first = index * SEEDS_PER_SHARD
    if folder == JUDGE_POOL:
        first += FIRST_HELD_OUT_SEED // 2
        scenes = [random_scene(seed) for seed in range(first, first + SHARD)]
    else:
        scenes = list(islice(training_scenes(first), SHARD))
    pictures = np.empty((SHARD, SIZE, SIZE, 3), np.uint8)
    parts = np.empty((SHARD, LABEL_SIZE, LABEL_SIZE), np.uint8)
    for i, scene in enumerate(scenes):
        canvas = compose(scene)
        pictures[i] = np.asarray(styles.apply(scene, canvas, SIZE))
        parts[i] = labels(canvas, PARTS, LABEL_SIZE)
    np.save(folder / f"{index:03d}.pictures.npy", pictures)
    np.save(folder / f"{index:03d}.parts.npy", parts)
    np.save(done, np.array([scene.seed for scene in scenes]))  # last: it says that the shard is whole
    return f"shard {index}: {SHARD} pictures"


def coarse_parts(parts: np.ndarray) -> np.ndarray:
    """(n, 64, 64) part of each pixel -> (n, 16, 16) part of each cell: what covers most of it, things favoured."""
    cells = torch.from_numpy(parts.astype(np.int64))
    k = LABEL_SIZE // GRID
    out = []
    for chunk in cells.split(256):
        covered = F.one_hot(chunk, len(PARTS)).float().reshape(len(chunk), GRID, k, GRID, k, -1).mean((2, 4))
        out.append((covered * torch.from_numpy(_WEIGHT)).argmax(-1).to(torch.uint8))
    return torch.cat(out).numpy()


class Pool:
    """The drawn shards as one array-like; pictures stay on disk."""

    def __init__(self, folder: Path = POOL) -> None:
        names = sorted(p.name.split(".")[0] for p in folder.glob("*.seeds.npy"))
        if not names:
            raise FileNotFoundError(f"No training pictures in {folder}: run python -m {__package__}.pool first.")
        self.folder = folder
        self.seeds = np.concatenate([np.load(folder / f"{n}.seeds.npy") for n in names])
        self._pictures = [np.load(folder / f"{n}.pictures.npy", mmap_mode="r") for n in names]
        self._parts = [np.load(folder / f"{n}.parts.npy", mmap_mode="r") for n in names]

    def __len__(self) -> int:
        return len(self.seeds)

    def pictures(self, indices: np.ndarray) -> np.ndarray:
        """(n, 128, 128, 3) uint8."""
        return np.stack([self._pictures[i // SHARD][i % SHARD] for i in indices])

    def parts(self, indices: np.ndarray) -> np.ndarray:
        """(n, 64, 64) uint8, indices into drawing.PARTS."""
        return np.stack([self._parts[i // SHARD][i % SHARD] for i in indices])

    def scene(self, index: int) -> Scene:
        """The scene of one picture."""
        return random_scene(int(self.seeds[index]))


def main() -> None:
    """Draws what is missing of the asked number of shards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--all-combinations", action="store_true")
    args = parser.parse_args()
    folder = JUDGE_POOL if args.all_combinations else POOL
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(args.workers) as workers:
        for line in workers.map(draw_shard, range(args.first, args.first + args.shards), repeat(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
