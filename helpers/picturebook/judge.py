"""The judge: a small network that reads from a picture what is in it.

    reading = Judge.load().read([picture])[0]
    reading.attributes["color"]     "red"
    reading.amounts["fluffy"]       0.6

It is trained on drawings, also as they come out of the autoencoder (training/judge.py), and scores pictures for which
there is no drawing to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from .scene import Scene
from .vocabulary import CLASSES, GRADED

WEIGHTS = Path(__file__).parent / "weights" / "judge.safetensors"
SIZE = 128
WIDTHS = (32, 64, 128, 256)


class Reading(NamedTuple):
    """What the judge reads from one picture."""

    attributes: dict[str, str]  # every attribute of vocabulary.CLASSES
    amounts: dict[str, float]  # every graded word, in [0, 1]
    confidence: dict[str, float]  # the probability of each attribute's value, in [0, 1]

    def agrees(self, scene: Scene, attribute: str) -> bool:
        """Whether the picture shows this attribute of `scene`; a graded word counts as shown from 0.1 on."""
        if attribute in GRADED:
            return (self.amounts[attribute] > 0.1) == (getattr(scene, attribute) > 0)
        return self.attributes[attribute] == getattr(scene, attribute)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                                  nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class Judge(nn.Module):
    """(B, 3, 128, 128) in [-1, 1] -> logits of every attribute's values, and the graded amounts."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, blocks in zip((3, *WIDTHS), WIDTHS, (0, 1, 2, 2), strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [_Residual(after) for _ in range(blocks)]
        self.body = nn.Sequential(*layers)
        self.heads = nn.Linear(2 * WIDTHS[-1], sum(len(v) for v in CLASSES.values()) + len(GRADED))

    def features(self, x: Tensor) -> Tensor:
        """(B, 512): the mean and the maximum of the last maps."""
        maps = self.body(x)
        return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)

    def forward(self, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Logits (B, number of values) per attribute; amounts (B, 4) in [0, 1]."""
        out = self.heads(self.features(x))
        sizes = [len(v) for v in CLASSES.values()] + [len(GRADED)]
        *logits, amounts = out.split(sizes, dim=1)
        return dict(zip(CLASSES, logits, strict=True)), amounts.sigmoid()

    @classmethod
    def load(cls, file: Path = WEIGHTS) -> Judge:
        """The trained judge, from the package."""
        judge = cls()
        judge.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(file).items()})
        return judge.eval().requires_grad_(False)

    @torch.no_grad()
    def read(self, pictures: Sequence[Image.Image]) -> list[Reading]:
        """What is in each picture; pictures of other sizes are resized to 128 x 128."""
        readings = []
        for start in range(0, len(pictures), 64):
            logits, amounts = self(pixels(pictures[start:start + 64]))
            best = {name: x.softmax(1).max(1) for name, x in logits.items()}
            for i in range(len(amounts)):
                readings.append(Reading({n: CLASSES[n][int(b.indices[i])] for n, b in best.items()},
                                        dict(zip(GRADED, amounts[i].tolist(), strict=True)),
                                        {n: float(b.values[i]) for n, b in best.items()}))
        return readings

    @torch.no_grad()
    def describe(self, pictures: Sequence[Image.Image]) -> Tensor:
        """(number of pictures, 512): features whose distance says how different two pictures are."""
        return torch.cat([self.features(pixels(pictures[i:i + 64])) for i in range(0, len(pictures), 64)])


def pixels(pictures: Sequence[Image.Image]) -> Tensor:
    """(B, 3, 128, 128) in [-1, 1]."""
    arrays = [np.asarray(p.convert("RGB").resize((SIZE, SIZE)) if p.size != (SIZE, SIZE) else p.convert("RGB"))
              for p in pictures]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1
