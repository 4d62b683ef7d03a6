"""The adversary of the autoencoder's last phase: a small network that tells crops of drawings from decoded ones.

It looks at patches (PatchGAN, Isola et al. 2017, arXiv 1611.07004) with the hinge loss; the decoder learns to fool it,
which costs blur and nothing else, since all other losses stay.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .loop import Trainee, fast

WIDTH = 48
RATE = 3e-4


def build_adversary() -> nn.Sequential:
    """Four layers, a patch of 46 pixels for each answer; spectral norm keeps its slope bounded."""
    torch.manual_seed(1)
    widths = (3, WIDTH, 2 * WIDTH, 2 * WIDTH, 1)
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        layers += [nn.Conv2d(before, after, 4 if i < 3 else 3, stride=2 if i < 3 else 1, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


class Adversary:
    """The network, trained a step each time it is asked; its checkpoint lies beside the autoencoder's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "adversary"
        self.network = build_adversary().to(memory_format=torch.channels_last)
        self.trainee = Trainee({"adversary": self.network}, betas=(0.5, 0.9), weight_decay=0.0)
        self.trainee.resume(self.folder)

    def judge(self, decoded: Tensor, drawn: Tensor) -> Tensor:
        """Learns from both, and gives the loss by which the decoder learns to fool it."""
        self.network.requires_grad_(True)
        real, fake = (self.network(t.detach().to(fast()).contiguous(memory_format=torch.channels_last))
                      for t in (drawn, decoded))
        (F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()).backward()
        self.trainee.step(RATE)
        self.network.requires_grad_(False)  # the decoder's step leaves it as it is
        return -self.network(decoded.to(fast()).contiguous(memory_format=torch.channels_last)).float().mean()

    def save(self) -> None:
        """A checkpoint, with that of the autoencoder."""
        self.trainee.save(self.folder)
