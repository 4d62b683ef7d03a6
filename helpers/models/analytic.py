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
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.core.diffusion import VariancePreserving, alpha_bar_at, denoise, last_part
from helpers.core.interface import Picture, Progress, Text, Watch, ignore
from helpers.core.randomness import noise, seeds_of
from helpers.core.shapes import Point, Same
from helpers.core.surroundings import defaults, surroundings
from helpers.core.tensors import RowTimes, latents
from helpers.core.values import (
    Count,
    Guidance,
    Kind,
    Prompts,
    Seeds,
    Share,
    Steps,
    WrongKind,
    entrance,
    known,
    number,
    numbers,
    shown,
    text,
)
from helpers.models.inputs import check_finite, check_state, check_text

Points = Float[Tensor, "B 2 1 1"]  # as latents
Place = Float[Tensor, "2"]
EnteredPoints = Annotated[Points, Kind(latents)]
TRAINED_TIMES = 1000
THREE_PLACES = {"left": (-2.0, 0.0), "right": (2.0, 0.0), "top": (0.0, 2.0)}


@known("a model of points in the plane: AnalyticModel()")
class AnalyticModel(VariancePreserving):
    """The exact noise of a labelled mixture of Gaussians; implements `helpers.core.interface.Model` on the CPU."""

    def __init__(
        self,
        means: Mapping[str, Sequence[float]] | None = None,
        spreads: float | Sequence[float] = 0.3,
        weights: Sequence[float] | None = None,
    ) -> None:
        """A mixture with one component for each word of `means` (word to centre); equal weights unless given."""
        places = centres(THREE_PLACES if means is None else means)
        count = len(places)
        self.words = tuple(places)
        self.means = torch.stack(list(places.values()))  # (K, 2)
        self.spreads = positive("spreads", spreads, count)  # (K,)
        shares = positive("weights", [1.0] * count if weights is None else weights, count)
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

    @entrance
    def shape(self, count: Count, size: int | tuple[int, int] | None = None) -> tuple[int, int, int, int]:
        """(B, 2, 1, 1)."""
        return count, 2, 1, 1

    @entrance
    def times(self, steps: Steps, strength: Share = 1.0) -> list[int]:
        """Evenly spaced times, the first 999, then CLEAN; round(strength * steps) + 1 of them."""
        return last_part([round(TRAINED_TIMES * k / steps) - 1 for k in range(steps, 0, -1)], strength)

    @entrance
    def embed(self, prompts: Prompts) -> Text:
        """The weight each prompt gives to each component, (B, 1, K): one-hot for its word, pi for the empty prompt."""
        rows = torch.stack([self._shares(prompt) for prompt in prompts])
        return Text(rows[:, None], empty=Text(self.weights.expand(len(prompts), 1, -1)))

    def _shares(self, prompt: str) -> Float[Tensor, " K"]:
        if not prompt.strip():
            return self.weights
        if prompt.strip() not in self.words:
            raise ValueError(f"This model does not know {prompt!r}; its words are {', '.join(self.words)}.")
        return torch.eye(len(self.words), dtype=torch.float32, device=self.device)[self.words.index(prompt.strip())]

    @defaults()
    def encode(self, images: Picture | Sequence[Picture], size: int | tuple[int, int] | None = None) -> Points:
        """Points, (2,) or (B, 2), as latents; a point has one size only, whatever is asked for."""
        points = torch.as_tensor(numbers("The points", images), dtype=torch.float32)
        if points.ndim not in (1, 2) or points.shape[-1] != 2 or not points.numel():
            raise ValueError(f"The points have shape {tuple(points.shape)}; expected (2,) or (B, 2).")
        return points.reshape(-1, 2, 1, 1)

    @entrance
    def decode(self, latents: EnteredPoints) -> list[Point]:
        """Latents as points."""
        check_points("latents", latents)
        check_finite("latents", latents)
        return list(latents.detach()[:, :, 0, 0].numpy())

    @entrance
    def eps(self, x: EnteredPoints, t: RowTimes, text: Text) -> Points:
        """E[eps | x_t] = sqrt(1 - a) sum_k r_k (x - sqrt(a) mu_k) / var_k, r_k the posterior of component k."""
        check_points("x", x)
        check_state(x, t, self.device)
        check_text(text, len(self.words), pooled=False)
        a = torch.as_tensor(alpha_bar_at(self, t), dtype=torch.float32, device=self.device)
        a = a.reshape(-1, 1)  # (B, 1), or (1, 1) for one time
        offset = x[:, None, :, 0, 0] - a[..., None] ** 0.5 * self.means  # (B, K, 2)
        variance = a * self.spreads**2 + 1 - a  # (B, K)
        shares = text.rows(len(x)).embeddings[:, 0]  # (B, K)
        log_density = shares.log() - variance.log() - offset.square().sum(-1) / (2 * variance)
        posterior = log_density.softmax(-1)  # (B, K)
        return ((1 - a) ** 0.5 * (posterior / variance)[..., None].mul(offset).sum(1))[:, :, None, None]

    @surroundings(grad=False)
    @entrance
    def generate(
        self,
        prompts: Prompts,
        seed: Seeds = 0,
        steps: Steps | None = None,
        guidance: Guidance | None = None,
        progress: Progress = True,
        watch: Watch = ignore,
    ) -> list[Point]:
        """One point for each prompt, as `DiffusersModel.generate` makes pictures."""
        several = list(prompts) * (1 if isinstance(seed, int) or len(prompts) > 1 else len(seed))
        x = noise(seeds_of(seed, len(several)), (len(several), 2, 1, 1))
        guidance = self.guidance if guidance is None else guidance
        times = self.times(self.steps if steps is None else steps)
        return self.decode(denoise(self, x, self.embed(several), times, guidance, watch, progress))


def centres(means: Mapping[str, Sequence[float]]) -> dict[str, Place]:
    """The centre of each word's component."""
    if not isinstance(means, Mapping) or not means or not all(isinstance(word, str) for word in means):
        raise WrongKind(f"means is {shown(means)}; expected the centre of each word: {{'left': (-2, 0)}}.")
    named = {text("a word of means", word).strip(): place for word, place in means.items()}
    if "" in named or len(named) < len(means):
        raise ValueError(f"means is {shown(means)}; expected words that differ, and none without a letter: the "
                         "empty prompt is all of them.")
    return {word: torch.tensor([number(f"means[{word!r}][{i}]", x) for i, x in enumerate(two(word, place))],
                               dtype=torch.float32) for word, place in named.items()}


def two(word: str, place: Any) -> list[float]:
    """The coordinates of a place in the plane."""
    found: list[float] = numbers(f"means[{word!r}]", place).ravel().tolist()
    if len(found) != 2:
        raise ValueError(f"means[{word!r}] is {shown(place)}; expected two numbers.")
    return found


def positive(name: str, value: Any, count: int) -> Float[Tensor, " K"]:
    """One number above 0 for each component, from one for all or one for each."""
    given = numbers(name, value).ravel().tolist()
    if len(given) not in (1, count):
        raise ValueError(f"{name} has {len(given)} numbers for {count} words: give one, or one for each.")
    return torch.tensor([number(name, one, 0, above=True) for one in given], dtype=torch.float32).expand(count)


def check_points(name: str, x: Same) -> None:
    """A ValueError unless these are the latents of points."""
    if tuple(x.shape[1:]) != (2, 1, 1):
        raise ValueError(f"{name} has shape {tuple(x.shape)}; the latents of points have (B, 2, 1, 1).")
