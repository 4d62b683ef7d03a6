"""Three pictures of every held-out caption: drawn, through the autoencoder, generated; and other drawings beside them.

Everything is compared at 128 x 128: a model with larger pictures has drawings of its own size, and all are averaged
down. Generated pictures are kept in runs/realism/ under the name of the weights, so that a run that is killed goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.record import ROOT
from helpers import load
from helpers.core.interface import Model
from helpers.finetuning.fit import fast_dtype
from helpers.picturebook.caption import describe
from helpers.picturebook.drawing import draw
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.scene import Scene

SIDE = 128
STEPS = 25
FIRST_OTHER = 6_000_000  # the scenes of the drawings that everything is compared with
BATCH = 20
RUNS = ROOT / "runs" / "realism"


def scenes(count: int, first: int = 0) -> list[Scene]:
    """Held-out scenes, in turn of combinations that training has seen and of those it has not."""
    pairs = zip(held_out_scenes(False, first), held_out_scenes(True, first), strict=True)
    return list(islice(chain.from_iterable(pairs), count))


def reduced(picture: Image.Image) -> Image.Image:
    """A picture at 128 x 128, its pixels averaged."""
    return picture if picture.size == (SIDE, SIDE) else picture.resize((SIDE, SIDE), Image.Resampling.BOX)


def as_array(pictures: Sequence[Image.Image]) -> np.ndarray:
    """(n, 128, 128, 3) uint8."""
    return np.stack([np.asarray(reduced(p.convert("RGB"))) for p in pictures])


def drawn(of: Sequence[Scene], size: int) -> np.ndarray:
    """Drawings made at the model's size."""
    return as_array([draw(s, size) for s in of])


def autoencoded(of: Sequence[Scene], model: Model) -> np.ndarray:
    """The same drawings, there and back through the model's autoencoder."""
    out = []
    for i in range(0, len(of), BATCH):
        out += model.decode(model.encode([draw(s, model.size[0]) for s in of[i:i + BATCH]]))
    return as_array(out)


def weights_of(folder: Path | None) -> str:
    """Eight hexadecimal digits of a pipeline's weights; None: the shipped ones."""
    digest = hashlib.sha256()
    for file in sorted((folder or ROOT / "helpers" / "picturebook" / "weights" / "pipeline").rglob("*.safetensors")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def generated(of: Sequence[Scene], folder: Path | None) -> np.ndarray:
    """One picture per scene's caption, seeded by its batch; what is in the cache is taken from there."""
    cache = RUNS / f"generated-{weights_of(folder)}.npy"
    cache.parent.mkdir(parents=True, exist_ok=True)
    done = np.load(cache) if cache.exists() else np.empty((0, SIDE, SIDE, 3), np.uint8)
    if len(done) >= len(of):
        return done[:len(of)]
    model = load(folder or "picturebook", dtype=fast_dtype(load(folder or "picturebook").device))
    done = done[:len(done) // BATCH * BATCH]
    for i in range(len(done), len(of), BATCH):
        captions = [describe(s, s.seed).text for s in of[i:i + BATCH]]
        new = as_array(model.generate(captions, seed=i, steps=STEPS, progress=False))
        done = np.concatenate([done, new])
        np.save(cache, done)
        print(f"{len(done)} generated", flush=True)
    return done
