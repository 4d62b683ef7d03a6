"""An exact model in the plane: the noise prediction of a mixture of 2-D Gaussians, in closed form.

A "picture" is a point, its latent has shape (1, 2, 1, 1), and a prompt names one component of the mixture; the empty
prompt is the whole mixture. Methods run on it as they do on pictures, trajectories can be drawn in the plane, and
many statements about methods become equalities.

    symbol    here                what                                 shape
    pi_k      weights             share of component k                 (K,)
    mu_k      means               its centre                           (K, 2)
    s_k       spreads             its standard deviation               (K,)
    x_t       x                   noisy point                          (B, 2, 1, 1)

With x_t = sqrt(a) x_0 + sqrt(1 - a) eps (a is alpha_bar), each component stays a Gaussian:
x_t ~ N(sqrt(a) mu_k, (a s_k^2 + 1 - a) I), and the expected noise is -sqrt(1 - a) times the score of the mixture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from helpers.core.diffusion import VariancePreserving, alpha_bar_at, denoise, last_part
from helpers.core.interface import Picture, Text, Watch, ignore
from helpers.core.randomness import as_seeds, noise, seeds_of
from helpers.core.shapes import Point, Times
from helpers.core.surroundings import surroundings
from helpers.core.values import check_steps

Points = Float[Tensor, "B 2 1 1"]  # as latents
TRAINED_TIMES = 1000
THREE_PLACES = {"left": (-2.0, 0.0), "right": (2.0, 0.0), "top": (0.0, 2.0)}


class AnalyticModel(VariancePreserving):
    """The exact noise of a labelled mixture of Gaussians; implements `helpers.core.interface.Model` on the CPU."""

    def __init__(
        self,
        means: Mapping[str, Sequence[float]] | None = None,
        spreads: float | Sequence[float] = 0.3,
        weights: Sequence[float] | None = None,
    ) -> None:
        """A mixture with one component for each word of `means` (word to centre); equal weights unless given."""
        means = THREE_PLACES if means is None else means
        count = len(means)
        self.words = tuple(means)
        self.means = torch.tensor([list(means[word]) for word in self.words], dtype=torch.float32)  # (K, 2)
        self.spreads = torch.as_tensor(spreads, dtype=torch.float32).expand(count)  # (K,)
        shares = torch.as_tensor(weights or [1.0] * count, dtype=torch.float32)
        self.weights = shares / shares.sum()  # (K,)
        betas = torch.linspace(1e-4, 0.02, TRAINED_TIMES, dtype=torch.float64)
        self.alpha_bar = (1 - betas).cumprod(0).float()  # (1000,)
        self.final_alpha_bar = 1.0
        self.steps = 50
        self.guidance = 1.0

    size = (1, 1)  # a point is a picture of one pixel
    device = torch.device("cpu")

    @property
    def fingerprint(self) -> str:
        """The mixture, in words."""
        return f"{self.words} {self.means.tolist()} {self.spreads.tolist()} {self.weights.tolist()}"

    def exclusive(self) -> AbstractContextManager[None]:
        """Nothing ever changes in this model, so nobody has to wait."""
        return nullcontext()

    def shape(self, count: int, size: int | tuple[int, int] | None = None) -> tuple[int, int, int, int]:
        """(B, 2, 1, 1)."""
        return count, 2, 1, 1

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        """Evenly spaced times, the first 999, then CLEAN; round(strength * steps) + 1 of them."""
        check_steps(steps, TRAINED_TIMES)
        return last_part([round(TRAINED_TIMES * k / steps) - 1 for k in range(steps, 0, -1)], strength)

    def embed(self, prompts: str | Sequence[str]) -> Text:
        """The weight each prompt gives to each component, (B, 1, K): one-hot for its word, pi for the empty prompt."""
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        rows = torch.stack([self._shares(prompt) for prompt in prompts])
        return Text(rows[:, None], empty=Text(self.weights.expand(len(prompts), 1, -1)))

    def _shares(self, prompt: str) -> Float[Tensor, " K"]:
        if not prompt.strip():
            return self.weights
        if prompt.strip() not in self.words:
            raise ValueError(f"This model does not know {prompt!r}; its words are {', '.join(self.words)}.")
        return torch.eye(len(self.words), dtype=torch.float32, device=self.device)[self.words.index(prompt.strip())]

    def encode(self, images: Picture | Sequence[Picture], size: int | tuple[int, int] | None = None) -> Points:
        """Points, (2,) or (B, 2), as latents; a point has one size only, whatever is asked for."""
        points = torch.as_tensor(np.asarray(images), dtype=torch.float32)
        if points.ndim not in (1, 2) or points.shape[-1] != 2:
            raise ValueError(f"The points have shape {tuple(points.shape)}; expected (2,) or (B, 2).")
        return points.reshape(-1, 2, 1, 1)

    def decode(self, latents: Points) -> list[Point]:
        """Latents as points."""
        return list(latents.detach()[:, :, 0, 0].numpy())

    def eps(self, x: Points, t: int | Times, text: Text) -> Points:
        """E[eps | x_t] = sqrt(1 - a) sum_k r_k (x - sqrt(a) mu_k) / var_k, r_k the posterior of component k."""
        a = torch.as_tensor(alpha_bar_at(self, t), dtype=torch.float32, device=self.device)
        a = a.reshape(-1, 1)  # (B, 1), or (1, 1) for one time
        offset = x[:, None, :, 0, 0] - a[..., None] ** 0.5 * self.means  # (B, K, 2)
        variance = a * self.spreads**2 + 1 - a  # (B, K)
        shares = text.rows(len(x)).embeddings[:, 0]  # (B, K)
        log_density = shares.log() - variance.log() - offset.square().sum(-1) / (2 * variance)
        posterior = log_density.softmax(-1)  # (B, K)
        return ((1 - a) ** 0.5 * (posterior / variance)[..., None].mul(offset).sum(1))[:, :, None, None]

    @surroundings(grad=False)
    def generate(
        self,
        prompts: str | Sequence[str],
        seed: int | Sequence[int] = 0,
        steps: int | None = None,
        guidance: float | None = None,
        progress: bool = True,
        watch: Watch = ignore,
    ) -> list[Point]:
        """One point for each prompt, as `DiffusersModel.generate` makes pictures."""
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        seed = as_seeds(seed)
        if len(prompts) == 1 and not isinstance(seed, int):
            prompts = prompts * len(seed)
        x = noise(seeds_of(seed, len(prompts)), (len(prompts), 2, 1, 1))
        guidance = self.guidance if guidance is None else guidance
        times = self.times(self.steps if steps is None else steps)
        return self.decode(denoise(self, x, self.embed(prompts), times, guidance, watch, progress))
