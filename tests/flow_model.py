"""A flow model of points in the plane, exact: x_t = (1 - sigma) x_0 + sigma n, and the network predicts n - x_0.

Each prompt names a Gaussian. Nothing here has an `alpha_bar`: the model supplies add_noise, step and predict_clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.core.diffusion import last_part
from helpers.core.interface import CLEAN, Text

PLACES = {"": (0.0, 0.0, 2.0), "left": (-2.0, 0.0, 0.3), "right": (2.0, 0.0, 0.3)}  # centre and standard deviation


class FlowModel:
    """A `helpers.core.interface.Model` whose x_t is a straight line between the picture and the noise."""

    steps, guidance, size, fingerprint, device = 20, 1.0, (1, 1), "flow", torch.device("cpu")

    def sigma(self, t: int) -> float:
        return 0.0 if t == CLEAN else (t + 1) / 1000

    def add_noise(self, x0: Tensor, noise: Tensor, t: int) -> Tensor:
        return (1 - self.sigma(t)) * x0 + self.sigma(t) * noise

    def step(self, x: Tensor, eps: Tensor, t: int, s: int, eta: float = 0.0) -> Tensor:
        return x + (self.sigma(s) - self.sigma(t)) * eps

    def predict_clean(self, x: Tensor, eps: Tensor, t: int) -> Tensor:
        return x - self.sigma(t) * eps

    def eps(self, x: Tensor, t: int, text: Text) -> Tensor:
        """E[n - x_0 | x_t] of one Gaussian."""
        place = text.rows(len(x)).embeddings[:, 0]
        mean, spread, sigma = place[:, :2, None, None], place[:, 2, None, None, None], self.sigma(t)
        variance = ((1 - sigma) * spread) ** 2 + sigma**2
        return (sigma - (1 - sigma) * spread**2) / variance * (x - (1 - sigma) * mean) - mean

    def shape(self, count: int, size: None = None) -> tuple[int, int, int, int]:
        return count, 2, 1, 1

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        return last_part([round(1000 * k / steps) - 1 for k in range(steps, 0, -1)], strength)

    def embed(self, prompts: str | Sequence[str]) -> Text:
        rows = [PLACES[p] for p in ([prompts] if isinstance(prompts, str) else prompts)]
        return Text(torch.tensor(rows)[:, None], empty=Text(torch.tensor([PLACES[""]] * len(rows))[:, None]))

    def encode(self, images: Any) -> Tensor:
        return torch.as_tensor(np.asarray(images), dtype=torch.float32).reshape(-1, 2, 1, 1)

    def decode(self, latents: Tensor) -> list[np.ndarray]:
        return list(latents[:, :, 0, 0].numpy())
