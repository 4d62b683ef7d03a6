"""A model whose pictures are Gaussian: small arrays of grey levels, exact noise in closed form, for tests of masks.

A picture is (H, W) with levels in [0, 1]; a latent is the picture itself, (B, 1, H, W). A prompt names a mean picture;
all prompts share one covariance of the pixels, so that they can depend on each other (a seam can be told from none).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.core.diffusion import VariancePreserving, alpha_bar_at, last_part
from helpers.core.interface import Text
from helpers.core.tensors import check_steps


class GaussianPictures(VariancePreserving):
    """x0 ~ N(mean of the prompt, covariance); implements `helpers.core.interface.Model`."""

    device = torch.device("cpu")
    final_alpha_bar, steps, guidance, fingerprint = 1.0, 50, 1.0, "gaussian pictures"

    def __init__(self, means: dict[str, Any], covariance: Any = 0.01) -> None:
        """Means (H, W) by prompt, "" among them; the covariance (H W, H W), or the variance of independent pixels."""
        self.means = {word: torch.as_tensor(mean, dtype=torch.float32) for word, mean in means.items()}
        self.words = list(means)
        height, width = self.means[""].shape
        self.size, pixels = (width, height), height * width
        covariance = torch.as_tensor(covariance, dtype=torch.float32)
        self.covariance = covariance * torch.eye(pixels) if covariance.ndim == 0 else covariance
        self.alpha_bar = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0).float()
        self.seen: list[tuple[Tensor, int, list[str]]] = []  # (x, t, the prompt of each row) of every call

    def shape(self, count: int, size: None = None) -> tuple[int, int, int, int]:
        return count, 1, self.size[1], self.size[0]

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        check_steps(steps, 1000)
        return last_part([round(1000 * k / steps) - 1 for k in range(steps, 0, -1)], strength)

    def embed(self, prompts: str | list[str]) -> Text:
        """Each prompt's number, (B, 1, 1)."""
        prompts = [prompts] if isinstance(prompts, str) else prompts
        numbers = torch.tensor([[[float(self.words.index(prompt))]] for prompt in prompts])
        return Text(numbers, empty=Text(torch.full_like(numbers, self.words.index(""))))

    def encode(self, picture: Any) -> Tensor:
        return torch.as_tensor(np.asarray(picture), dtype=torch.float32)[None, None]

    def decode(self, latents: Tensor) -> list[np.ndarray]:
        return list(latents[:, 0].numpy())

    def eps(self, x: Tensor, t: int, text: Text) -> Tensor:
        """sqrt(1 - a) (a C + (1 - a) I)^-1 (x - sqrt(a) mu)."""
        a, count = alpha_bar_at(self, t), self.covariance.shape[0]
        words = [self.words[int(number)] for number in text.rows(len(x)).embeddings[:, 0, 0]]
        self.seen.append((x.clone(), t, words))
        offset = x[:, 0] - a**0.5 * torch.stack([self.means[word] for word in words])
        whole = a * self.covariance + (1 - a) * torch.eye(count)
        return (1 - a) ** 0.5 * torch.linalg.solve(whole, offset.flatten(1).T).T.reshape(x.shape)
