"""Trains the judge on drawings, on what the autoencoder makes of them, and on slightly spoilt ones.

    python -m training.judge --minutes 30
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from helpers.picturebook.drawing import draw
from helpers.picturebook.judge import Judge
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CLASSES, GRADED

from .autoencoder import RUN as AUTOENCODER_RUN
from .autoencoder import build as build_autoencoder
from .autoencoder import to_pixels, to_tensor
from .loop import Log, Trainee, batches, device, fast, one_cycle, save_half, started
from .pool import JUDGE_POOL, Pool, coarse_parts

RUN = Path("runs/judge")


class Labels:
    """The right answers of scenes, as tensors; an attribute that means nothing in a scene is -100 (left out)."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.classes = {name: torch.tensor([values.index(getattr(s, name)) if s.has(name) else -100 for s in scenes])
                        for name, values in CLASSES.items()}
        self.amounts = torch.tensor([[getattr(s, g) for g in GRADED] for s in scenes])

    def loss(self, logits: dict[str, Tensor], amounts: Tensor, parts: Tensor, cells: Tensor) -> Tensor:
        """Cross-entropy of every attribute and of the part of every cell, squared error of the amounts."""
        total = 20 * F.mse_loss(amounts.float(), self.amounts.to(amounts.device))
        total = total + 4 * F.cross_entropy(parts.float(), cells.to(parts.device))
        for name, answer in self.classes.items():
            if (answer >= 0).any():
                total = total + F.cross_entropy(logits[name].float(), answer.to(amounts.device), label_smoothing=0.02)
        return total


def load_autoencoder() -> torch.nn.Module | None:
    """The autoencoder as it is trained by now, if there is one."""
    from safetensors.torch import load_file
    file = AUTOENCODER_RUN / "vae.safetensors"
    if not file.exists():
        return None
    vae = build_autoencoder()
    vae.load_state_dict({k: v.float() for k, v in load_file(file).items()})
    return vae.to(device(), fast()).requires_grad_(False)


def spoil(x: Tensor, rng: np.random.Generator, vae: torch.nn.Module | None) -> Tensor:
    """Half of the pictures go through the autoencoder, and a third gets a little noise, blur or other contrast."""
    n = len(x)
    if vae is not None:
        some = torch.from_numpy(rng.permutation(n)[:n // 2]).to(x.device)
        z = vae.encode(x[some].to(fast())).latents
        z = z + 0.15 * float(rng.random()) * torch.from_numpy(rng.standard_normal(z.shape, np.float32)).to(z)
        x[some] = vae.decode(z).sample.float().clamp(-1, 1)
    noisy, blurred, faded = (torch.from_numpy(rng.permutation(n)[:n // 8]).to(x.device) for _ in range(3))
    x[noisy] += 0.06 * torch.from_numpy(rng.standard_normal(x[noisy].shape, np.float32)).to(x)
    x[blurred] = F.avg_pool2d(F.pad(x[blurred], (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    x[faded] *= float(rng.uniform(0.85, 1.1))
    return x


def score(judge: Judge, scenes: Sequence[Scene], pictures: Sequence[Image.Image]) -> dict[str, float]:
    """Per attribute the share read right; per graded word the mean error of the amount."""
    readings = judge.read(pictures)
    pairs = list(zip(readings, scenes, strict=True))
    right = {name: [r.agrees(s, name) for r, s in pairs if s.has(name)] for name in CLASSES}
    scores = {name: float(np.mean(r)) for name, r in right.items()}
    for g in GRADED:
        scores[f"{g} error"] = float(np.mean([abs(r.amounts[g] - getattr(s, g)) for r, s in pairs]))
    return scores


def through_autoencoder(pictures: Sequence[Image.Image], vae: torch.nn.Module) -> list[Image.Image]:
    """The pictures as the autoencoder gives them back."""
    out = []
    for i in range(0, len(pictures), 16):
        x = to_tensor(np.stack([np.asarray(p) for p in pictures[i:i + 16]]))
        with torch.no_grad():
            out += [Image.fromarray(a) for a in to_pixels(vae.decode(vae.encode(x.to(fast())).latents).sample)]
    return out


def main() -> None:
    """Trains for `--minutes` in all, or goes on until then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--start", type=Path, help="weights to start from where there is no checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    pool, log, vae = Pool(JUDGE_POOL), Log(RUN), load_autoencoder()
    judge = started(Judge(), args.start).to(memory_format=torch.channels_last)
    trainee = Trainee({"judge": judge}, ema=0.998, weight_decay=0.02)
    trainee.start_from(args.start)
    scenes = [s for s, _ in zip(held_out_scenes(False), range(600), strict=False)]
    drawings = [draw(s) for s in scenes]

    def look() -> None:
        nonlocal vae
        vae = load_autoencoder()
        averaged = Judge().to(device())
        averaged.load_state_dict(trainee.averaged()["judge"])
        averaged.eval()
        scores = {"drawn": score(averaged, scenes, drawings)}
        if vae is not None:
            scores["through the autoencoder"] = score(averaged, scenes, through_autoencoder(drawings, vae))
        (RUN / "scores.json").write_text(json.dumps(scores, indent=1))
        for name, s in scores.items():
            print(name, {k: round(v, 3) for k, v in s.items()}, flush=True)
        save_half(averaged.state_dict(), RUN / "judge.safetensors", trainee.clock)

    for rng in batches(trainee, RUN, args.minutes, seed=2, every=900, on_pause=look):
        indices = rng.integers(len(pool), size=args.batch)
        labels = Labels([pool.scene(i) for i in indices])
        x = spoil(to_tensor(pool.pictures(indices)), rng, vae)
        judge.train()
        cells = torch.from_numpy(coarse_parts(pool.parts(indices))).long()
        loss = labels.loss(*judge(x.to(fast()).contiguous(memory_format=torch.channels_last)), cells)
        loss.backward()
        lr = one_cycle(trainee, args.minutes, args.peak, decay=0.5)
        log.add(trainee, loss=loss, norm=trainee.step(lr), lr=lr)


if __name__ == "__main__":
    main()
