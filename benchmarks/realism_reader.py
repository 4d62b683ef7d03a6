"""The second reader: a small network that only measures; nothing is trained to please it.

    python -m benchmarks.realism_reader      trains it on drawings and writes benchmarks/reader2.safetensors

It sees drawings of scene numbers that no other training uses, blurred and noisy at times but never through an
autoencoder, so it is of no model's making. From one picture it reads every attribute (its inner maps are the features
of the distances) and marks the middle of every detail on a 64 x 64 map (the detector of the counts).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.realism_details import CLEAR, DETAILS, HIDDEN, Detail, details
from helpers.picturebook.drawing import draw
from helpers.picturebook.sampling import random_scene
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CLASSES

WEIGHTS = Path(__file__).parent / "reader2.safetensors"
FIRST_SCENE = 8_000_000  # the judge's pool begins at 5,000,000, the denoiser's at 0
WIDTHS = (20, 40, 80, 128)  # of the maps at 64 x 64, 32 x 32, 16 x 16 and 8 x 8
GRID = 64
SPREAD = {"main": 2.0, "lamp": 1.5, "eye": 0.8, "wheel": 1.2}  # of the bump on a detail's middle, in cells
APART = {"main": 6, "lamp": 4, "eye": 1, "wheel": 2}  # two peaks of one detail are farther apart than this, in cells
THRESHOLD = 0.4


def conv(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """A 3 x 3 convolution with normalisation and non-linearity."""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions added to what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False),
                                  nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """The same size and width."""
        return torch.relu(x + self.body(x))


class Reader(nn.Module):
    """(B, 3, 128, 128) in [-1, 1] -> logits of every attribute's values, and of the details' middles."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(conv(before, after, 2), *(Residual(after) for _ in range(blocks)))
            for before, after, blocks in zip((3, *WIDTHS[:-1]), WIDTHS, (0, 1, 2, 2), strict=True))
        self.down = nn.ModuleList(nn.Conv2d(before, after, 1) for before, after in
                                  ((WIDTHS[3], 48), (WIDTHS[2], 48), (WIDTHS[1], 32), (WIDTHS[0], 24)))
        self.up = nn.ModuleList((conv(48, 48), conv(48, 32), conv(32, 24)))
        self.middles = nn.Conv2d(24, len(DETAILS), 1)
        nn.init.constant_(self.middles.bias, -4.0)
        self.heads = nn.ModuleDict({name: nn.Linear(2 * (WIDTHS[2] + WIDTHS[3]), len(values))
                                    for name, values in CLASSES.items()})

    def levels(self, x: Tensor) -> list[Tensor]:
        """The maps at 64 x 64, 32 x 32, 16 x 16 and 8 x 8."""
        out = []
        for stage in self.stages:
            x = stage(x)
            out.append(x)
        return out

    def pooled(self, levels: list[Tensor]) -> Tensor:
        """(B, 416): mean and maximum of the two coarse maps."""
        return torch.cat([f for m in levels[2:] for f in (m.mean((2, 3)), m.amax((2, 3)))], dim=1)

    def forward(self, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Logits (B, number of values) per attribute; logits (B, details, 64, 64) of their middles."""
        levels = self.levels(x)
        finest, fine, middle, coarse = levels
        y = self.down[0](coarse)
        y = self.up[0](F.interpolate(y, scale_factor=2.0) + self.down[1](middle))
        y = self.up[1](F.interpolate(y, scale_factor=2.0)) + self.down[2](fine)
        y = self.up[2](F.interpolate(torch.relu(y), scale_factor=2.0)) + self.down[3](finest)
        pooled = self.pooled(levels)
        return {n: head(pooled) for n, head in self.heads.items()}, self.middles(torch.relu(y))

    @classmethod
    def load(cls, file: Path = WEIGHTS) -> Reader:
        """The trained reader."""
        reader = cls()
        reader.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(file).items()})
        return reader.eval().requires_grad_(False)

    @torch.no_grad()
    def describe(self, pictures: np.ndarray) -> np.ndarray:
        """(n, 416) features of (n, 128, 128, 3) pictures."""
        return torch.cat([self.pooled(self.levels(pixels(pictures[i:i + 50])))
                          for i in range(0, len(pictures), 50)]).numpy()

    @torch.no_grad()
    def find(self, pictures: np.ndarray) -> list[list[Detail]]:
        """The details of each picture, with the detector's confidence as `visible`; mirror image averaged in."""
        out: list[list[Detail]] = []
        for i in range(0, len(pictures), 50):
            x = pixels(pictures[i:i + 50])
            out += peaks((self(x)[1].sigmoid() + self(x.flip(3))[1].sigmoid().flip(3)) / 2)
        return out


def pixels(pictures: np.ndarray) -> Tensor:
    """(B, 3, 128, 128) in [-1, 1] from uint8."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def peaks(maps: Tensor, threshold: float = THRESHOLD) -> list[list[Detail]]:
    """Local maxima of (B, details, 64, 64) probabilities."""
    found: list[list[Detail]] = [[] for _ in maps]
    tilt = torch.arange(GRID * GRID).reshape(GRID, GRID) * 1e-9  # of two equal neighbours one is the peak
    for k, name in enumerate(DETAILS):
        one = maps[:, k:k + 1].double() + tilt
        reach = 2 * APART[name] + 1
        top = (one == F.max_pool2d(one, reach, 1, APART[name])) & (one > threshold)
        for b, _, y, x in top.nonzero().tolist():
            found[b].append(Detail(name, 2.0 * x + 1, 2.0 * y + 1, float(one[b, 0, y, x])))
    return found


def number(found: Sequence[Detail]) -> dict[str, int]:
    """How many of each detail."""
    return {name: sum(d.name == name for d in found) for name in DETAILS}


def target(of: Sequence[Detail]) -> tuple[np.ndarray, np.ndarray]:
    """(details, 64, 64): a bump on every middle; and how much each cell counts: nothing around what is half hidden."""
    bumps, counts = np.zeros((2, len(DETAILS), GRID, GRID), np.float32)
    y, x = np.mgrid[:GRID, :GRID] + 0.5
    for d in of:
        k = DETAILS.index(d.name)
        bump = np.exp(-((x - d.x / 2) ** 2 + (y - d.y / 2) ** 2) / (2 * SPREAD[d.name] ** 2))
        if d.visible >= CLEAR:
            bumps[k] = np.maximum(bumps[k], bump)
        elif d.visible > HIDDEN:
            counts[k] = np.maximum(counts[k], bump > 0.1)
    return bumps, 1 - counts


class Drawings:
    """Training pictures, each drawn when it is asked for first and then kept."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[np.ndarray, Scene, np.ndarray, np.ndarray]] = {}

    def __getitem__(self, number: int) -> tuple[np.ndarray, Scene, np.ndarray, np.ndarray]:
        """Picture, scene, target map and how much its cells count."""
        if number not in self.kept:
            scene = random_scene(FIRST_SCENE + number)
            bumps, counted = (a.astype(np.float16) for a in target(details(scene)))
            self.kept[number] = np.asarray(draw(scene)), scene, bumps, counted
        return self.kept[number]

    def batch(self, step: int, size: int, most: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Scene],
                                                                                       np.ndarray, np.ndarray]:
        """Half of a batch is new until there are `most`; the rest comes from those seen before."""
        there = min(most, size + step * size // 2)
        chosen = rng.integers(there, size=size)
        if there < most:
            chosen[:size // 2] = np.arange(there - size // 2, there)
        pictures, of, bumps, counted = zip(*(self[i] for i in chosen.tolist()), strict=True)
        return np.stack(pictures), list(of), np.stack(bumps).astype(np.float32), np.stack(counted).astype(np.float32)


def spoil(x: Tensor, rng: np.random.Generator) -> Tensor:
    """What cameras and autoencoders do: some pictures blurred, some shrunk and enlarged, some noisy or pale."""
    n = len(x)
    for i in rng.permutation(n)[:n // 2]:
        if rng.random() < 0.5:
            side = int(rng.integers(56, 112))
            x[i:i + 1] = F.interpolate(F.interpolate(x[i:i + 1], size=side, mode="bilinear", antialias=True), size=128,
                                       mode="bicubic")
        else:
            x[i:i + 1] = F.avg_pool2d(F.pad(x[i:i + 1], (1, 1, 1, 1), mode="replicate"), 3, 1)
        if rng.random() < 0.5:
            x[i] += float(rng.uniform(0, 0.08)) * torch.from_numpy(rng.standard_normal((3, 128, 128), np.float32))
        x[i] = x[i] * float(rng.uniform(0.85, 1.1)) + float(rng.uniform(-0.06, 0.06))
    return x.clamp(-1, 1)


def loss_of(reader: Reader, x: Tensor, of: Sequence[Scene], bumps: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the attributes; and of the details' middles, cells on them counting more."""
    with torch.autocast("cpu", torch.bfloat16):
        logits, middles = reader(x)
    read = torch.zeros(())
    for name, values in CLASSES.items():
        answer = torch.tensor([values.index(getattr(s, name)) if s.has(name) else -100 for s in of])
        if (answer >= 0).any():
            read = read + F.cross_entropy(logits[name].float(), answer, label_smoothing=0.02)
    cells = F.binary_cross_entropy_with_logits(middles.float(), bumps, reduction="none")
    cells = cells - F.binary_cross_entropy(bumps, bumps, reduction="none")  # zero where the map is as it should be
    return read / len(CLASSES), (cells * counted * (1 + 8 * bumps)).sum((1, 2, 3)).mean() / 20


def train(steps: int, seed: int, file: Path, batch: int = 32, peak: float = 2e-3, most: int = 10_000) -> None:
    """Trains for so many steps, the rate rising at first and falling to nothing; goes on from its checkpoint.

    Step k draws its random numbers from (seed, k) alone, so a run that was killed comes to the same weights.
    """
    torch.manual_seed(seed)
    reader, drawings, checkpoint = Reader(), Drawings(), file.with_suffix(".checkpoint")
    averaged = torch.optim.swa_utils.AveragedModel(reader, use_buffers=True,
                                                   multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    optimizer, first = torch.optim.AdamW(reader.parameters(), weight_decay=0.02), 0
    if checkpoint.exists():
        kept = torch.load(checkpoint)
        first = kept.pop("steps")
        for name, part in (("reader", reader), ("averaged", averaged), ("optimizer", optimizer)):
            part.load_state_dict(kept[name])
    reader.to(memory_format=torch.channels_last)
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = peak * min(1.0, (step + 1) / 100, 1.6 * (1 - step / steps))
        read, found = loss_of(reader, *training_batch(drawings, step, batch, most, np.random.default_rng((seed, step))))
        optimizer.zero_grad()
        (read + found).backward()
        optimizer.step()
        averaged.update_parameters(reader)
        if (step + 1) % 50 == 0:
            print(f"{step + 1} steps: attributes {read:.3f}, details {found:.3f}", flush=True)
            torch.save({"steps": step + 1, "reader": reader.state_dict(), "averaged": averaged.state_dict(),
                        "optimizer": optimizer.state_dict()}, checkpoint)
    save(averaged.module, file)
    checkpoint.unlink(missing_ok=True)


def training_batch(drawings: Drawings, step: int, size: int, most: int, rng: np.random.Generator) -> tuple[
        Tensor, list[Scene], Tensor, Tensor]:
    """Spoilt pictures, half of the batches mirrored, with their scenes, target maps and what counts of them."""
    pictures, of, bumps, counted = drawings.batch(step, size, most, rng)
    x = spoil(pixels(pictures), rng).to(memory_format=torch.channels_last)
    if rng.random() < 0.5:
        x, bumps, counted = x.flip(3), bumps[..., ::-1].copy(), counted[..., ::-1].copy()
    return x, of, torch.from_numpy(bumps), torch.from_numpy(counted)


def save(reader: Reader, file: Path) -> None:
    """In half precision."""
    save_file({k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in reader.state_dict().items()},
              file)


def main() -> None:
    """Trains and writes the reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train(args.steps, args.seed, args.file)


if __name__ == "__main__":
    main()
