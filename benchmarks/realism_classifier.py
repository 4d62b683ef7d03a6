"""Can a network tell generated pictures from autoencoded drawings of the same captions?

A two-sample test (Lopez-Paz and Oquab, ICLR 2017, arXiv:1610.06545): a classifier is trained on some captions and asked
about others. 50 % is what guessing gives. Two of them, since each sees other things: a fresh one, which finds texture,
and one that starts from the second reader, which knows what heads, eyes and wheels look like and so finds shapes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.realism_reader import WIDTHS, Reader, pixels
from benchmarks.record import interval


class Classifier(nn.Module):
    """The reader's stages with one answer: above 0, a generated picture."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        self.answer = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * sum(WIDTHS[2:]), 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B,) logits."""
        return self.answer(self.reader.pooled(self.reader.levels(x))).squeeze(1)


def shifted(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirrored at times, moved by up to 6 pixels, contrast and colours a little changed."""
    out = []
    for picture in x:
        dy, dx = rng.integers(0, 13, 2)
        picture = F.pad(picture[None], (6, 6, 6, 6), mode="replicate")[0, :, dy:dy + 128, dx:dx + 128]
        picture = picture.flip(2) if rng.random() < 0.5 else picture
        tint = torch.from_numpy(rng.uniform(0.93, 1.07, (3, 1, 1)).astype(np.float32))
        out.append(picture * tint + float(rng.uniform(-0.04, 0.04)))
    return torch.stack(out)


def accuracy(real: np.ndarray, made: np.ndarray, reader: Reader | None, steps: int = 400, seed: int = 0,
             batch: int = 32) -> dict[str, object]:
    """The share told right; two thirds of the captions are for training, the last third is asked.

    real, made: (n, 128, 128, 3), row by row of the same caption. reader: to start from; None: a fresh network.
    """
    torch.manual_seed(seed)
    rng, split = np.random.default_rng(seed), len(real) * 2 // 3
    model = Classifier(Reader() if reader is None else reader).to(memory_format=torch.channels_last)
    model.requires_grad_(True)
    peak = 2e-3 if reader is None else 5e-4
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    for done in np.arange(steps) / steps:
        for group in optimizer.param_groups:
            group["lr"] = peak * min(1.0, 20 * done + 0.05, 1.5 * (1 - done))
        rows = rng.integers(split, size=batch // 2)  # both pictures of a caption: only realism tells them apart
        x = shifted(pixels(np.concatenate([real[rows], made[rows]])), rng).to(memory_format=torch.channels_last)
        answer = torch.cat([torch.zeros(len(rows)), torch.ones(len(rows))])
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.binary_cross_entropy_with_logits(model(x).float(), 0.9 * answer + 0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return asked(model.eval(), real[split:], made[split:])


@torch.no_grad()
def asked(model: Classifier, real: np.ndarray, made: np.ndarray) -> dict[str, object]:
    """The classifier's answers on pictures it has not seen, each as it is and mirrored."""
    def answers(pictures: np.ndarray) -> np.ndarray:
        x = pixels(pictures)
        return np.concatenate([(model(part) + model(part.flip(3))).numpy() for part in x.split(50)])

    real_answers, made_answers = answers(real), answers(made)
    right = int((real_answers < 0).sum() + (made_answers > 0).sum())
    of = 2 * len(real)
    return {"right": round(right / of, 4), "of": of, "interval": interval(right, of),
            "pairs told apart": round(float((made_answers > real_answers).mean()), 4)}
