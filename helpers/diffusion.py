"""Diffusion in latent space: noise in, noise out, one DDIM step, guidance.

Song et al., "Denoising Diffusion Implicit Models", ICLR 2021, arXiv:2010.02502 (steps, eta = 0).
Ho and Salimans, "Classifier-free diffusion guidance", arXiv:2207.12598 (guidance).

    paper        here         what                               shape or range
    x_t          x            noisy latent                       (B, C, h, w)
    x_0          x0           clean latent                       (B, C, h, w)
    eps          eps          predicted noise                    (B, C, h, w)
    alpha_bar    alpha_bar    share of signal at time t          (0, 1], large when t is small
    t, s         t, s         time now and after the step        0 ... 999, or CLEAN
    w            guidance     eps_u + w (eps_c - eps_u)          0 unconditional, 1 conditional

Each formula is written once, here. Nothing here touches the global random state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from numbers import Integral, Real
from operator import index
from typing import Any, Protocol

import torch
from torch import Tensor

CLEAN = -1  # the time after the last step: the picture itself

Watch = Callable[..., None]  # called once a step with x=, t=, eps= (x is the state after the step, at time t)


def ignore(**_: object) -> None:
    """Watch nothing."""


@dataclass(frozen=True)
class Text:
    """B prompts as a model understands them.

    embeddings: (B, n, d), one row of n token vectors for each prompt.
    pooled: (B, p), one vector for each prompt; only models like SDXL have it.
    empty: the same number of empty prompts, for guidance; None if these prompts are themselves the empty ones.
    """

    embeddings: Tensor
    pooled: Tensor | None = None
    empty: Text | None = None

    def __len__(self) -> int:
        """Number of prompts B."""
        return len(self.embeddings)

    def __getitem__(self, rows: slice | list[int]) -> Text:
        """The prompts of these rows."""
        pooled = None if self.pooled is None else self.pooled[rows]
        return Text(self.embeddings[rows], pooled, None if self.empty is None else self.empty[rows])

    def rows(self, count: int) -> Text:
        """As many rows as there are latents: one prompt serves all of them, otherwise the numbers must agree."""
        if len(self) not in (1, count):
            raise ValueError(f"{len(self)} prompts for {count} latents: give one prompt, or one for each latent.")
        return self if len(self) == count else self[[0] * count]

    def unconditional(self) -> Text:
        """The empty prompts, or itself where this already is an empty prompt."""
        return self if self.empty is None else self.empty


def join(first: Text, second: Text) -> Text:
    """The rows of `first`, then those of `second` (without their empty prompts)."""
    pooled = None if first.pooled is None else torch.cat([first.pooled, second.pooled])
    return Text(torch.cat([first.embeddings, second.embeddings]), pooled)


class Model(Protocol):
    """What a method may know of a text-to-image model.

    alpha_bar: (1000,) float32 on the CPU, the share of signal at each time.
    final_alpha_bar: the share of signal after the last step. 1 if the model's schedule ends in the clean picture;
        Stable Diffusion's ends at alpha_bar[0] = 0.99915 (`set_alpha_to_one=False`).
    steps, guidance: what to use where the reader does not say.
    size: (width, height) of its pictures in pixels.
    fingerprint: a short text that two models share only if they predict the same.
    device: where the network is.
    """

    alpha_bar: Tensor
    final_alpha_bar: float
    steps: int
    guidance: float
    size: tuple[int, int]
    fingerprint: str
    device: torch.device

    def shape(self, count: int, size: int | tuple[int, int] | None = None) -> tuple[int, int, int, int]:
        """(B, C, h, w) of the latents of `count` pictures, of the model's own size unless given."""

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        """Times from noisy to CLEAN, round(strength * steps) + 1 of them."""

    def embed(self, prompts: str | Sequence[str]) -> Text:
        """Prompts as the model understands them."""

    def encode(self, images: Any) -> Tensor:
        """Pictures to latents (B, C, h, w)."""

    def decode(self, latents: Tensor) -> list[Any]:
        """Latents (B, C, h, w) to B pictures."""

    def eps(self, x: Tensor, t: int, text: Text) -> Tensor:
        """Noise predicted in `x` (B, C, h, w) at time t; float32."""


def noise(seed: int | Sequence[int], shape: Sequence[int]) -> Tensor:
    """Standard normal noise of `shape` (B, C, h, w), float32 on the CPU, the same on every machine.

    Each picture has a generator of its own, so its noise does not depend on its neighbours: picture i is drawn from
    seed + i, or from the i-th seed of a list. `[7, 7]` gives two pictures the same noise.
    """
    seeds = seeds_of(seed, shape[0])
    return torch.stack([torch.randn(*shape[1:], generator=torch.Generator().manual_seed(s)) for s in seeds])


def seeds_of(seed: int | Sequence[int], count: int) -> list[int]:
    """The seed of each of `count` pictures: seed, seed + 1, ... or the list as it is."""
    seed = as_seeds(seed)
    seeds = [seed + i for i in range(count)] if isinstance(seed, int) else seed
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds for {count} pictures: give one seed, or one for each picture.")
    return seeds


def as_seeds(seed: int | Sequence[int]) -> int | list[int]:
    """One seed or a list of them as Python's whole numbers; an error for anything else, a text or a generator say."""
    try:
        seeds = index(seed) if isinstance(seed, Integral) else [index(each) for each in seed]
    except TypeError:
        raise TypeError(f"seed is {seed!r}; expected a whole number, or a list of them.") from None
    if not all(-(2**63) <= each < 2**64 for each in ([seeds] if isinstance(seeds, int) else seeds)):
        raise ValueError(f"seed is {seed!r}; expected numbers from -2**63 up to 2**64 - 1.")
    return seeds


def encode_one(model: Model, image: Any, size: int | tuple[int, int] | None = None) -> Tensor:
    """The latent (1, C, h, w) of one picture, of the model's own size unless given; ValueError for several pictures."""
    x0 = model.encode(image) if size is None else model.encode(image, size)
    if len(x0) != 1:
        raise ValueError(f"Got {len(x0)} pictures; expected one: call this once for each.")
    return x0


def signal(model: Model, t: int | Tensor) -> Any:
    """alpha_bar at time t, a number; at CLEAN the value the model's schedule ends with.

    For a time of its own for each of B latents, t (B,), a tensor (B, 1, 1, 1) on the model's device.
    """
    if isinstance(t, Tensor):
        return model.alpha_bar[t.cpu()].view(-1, 1, 1, 1).to(model.device)
    return model.final_alpha_bar if t == CLEAN else float(model.alpha_bar[t])


def add_noise(model: Model, x0: Tensor, noise: Tensor, t: int | Tensor) -> Tensor:
    """x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise; at CLEAN the picture comes back untouched."""
    if isinstance(t, int) and t == CLEAN:
        return x0
    alpha_bar = signal(model, t)
    return alpha_bar**0.5 * x0 + (1 - alpha_bar) ** 0.5 * noise.to(x0)


def predict_clean(model: Model, x: Tensor, eps: Tensor, t: int) -> Tensor:
    """x_0 = (x_t - sqrt(1 - alpha_bar) eps) / sqrt(alpha_bar): the picture the model has in mind at time t."""
    alpha_bar = signal(model, t)
    return (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5


def ddim_step(model: Model, x: Tensor, eps: Tensor, t: int, s: int, eta: float = 0.0) -> Tensor:
    """From time t to time s along the predicted noise (equation 12); s may be after t, or before it where eta is 0.

    With eta above 0 it is the mean of the step; noise of standard deviation `spread(model, t, s, eta)` is to be added.
    """
    alpha_bar = signal(model, s)
    left = max(1 - alpha_bar - spread(model, t, s, eta) ** 2, 0.0)
    return alpha_bar**0.5 * predict_clean(model, x, eps, t) + left**0.5 * eps


def spread(model: Model, t: int, s: int, eta: float) -> float:
    """sigma = eta sqrt((1 - a_s) / (1 - a_t)) sqrt(1 - a_t / a_s) (equation 16): eta 0 is DDIM, 1 is DDPM."""
    if eta == 0:
        return 0.0
    a_t, a_s = signal(model, t), signal(model, s)
    return eta * ((1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) ** 0.5


def noise_of(output: Tensor, x: Tensor, alpha_bar: float, prediction: str) -> Tensor:
    """The noise in `x` when the network predicts "epsilon", "v_prediction" or "sample" (the clean latent)."""
    signal, sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    if prediction == "epsilon":
        return output
    if prediction == "v_prediction":  # v = signal eps - sigma x_0
        return signal * output + sigma * x
    if prediction == "sample":
        return (x - signal * output) / sigma
    raise ValueError(f"The network predicts {prediction!r}; expected 'epsilon', 'v_prediction' or 'sample'.")


def guide(eps_u: Tensor, eps_c: Tensor, guidance: float) -> Tensor:
    """From the unconditional prediction towards the conditional one and beyond: 0 is the first, 1 the second."""
    check_finite("guidance", guidance)
    return eps_u + guidance * (eps_c - eps_u)


def cfg(model: Model, x: Tensor, t: int, text: Text, guidance: float) -> Tensor:
    """Noise predicted with classifier-free guidance; one call of the model, two rows a latent unless w is 0 or 1."""
    text = text.rows(len(x))
    if guidance == 1:
        return model.eps(x, t, text)
    if guidance == 0:
        return model.eps(x, t, text.unconditional())
    eps_u, eps_c = model.eps(torch.cat([x, x]), t, join(text.unconditional(), text)).chunk(2)
    return guide(eps_u, eps_c, guidance)


def last_part(times: Sequence[int], strength: float) -> list[int]:
    """The last round(strength * len(times)) of all times, then CLEAN: where to start and which way to go."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; expected a number from 0 (keep the picture) to 1 (forget it).")
    return [*times[len(times) - round(strength * len(times)) :], CLEAN]


def check_prompt(prompt: str) -> None:
    """An error unless `prompt` is one text."""
    if not isinstance(prompt, str):
        raise TypeError(f"The prompt is {prompt!r}; expected one text.")


def check_finite(name: str, value: float) -> None:
    """An error unless `value` is a finite number: not a text, and none of the values that make black pictures."""
    if not isinstance(value, Real) or not isfinite(value):
        raise ValueError(f"{name} is {value!r}; expected a finite number.")


def check_steps(steps: int, most: int) -> int:
    """`steps` if it is a whole number from 1 to `most`, else an error."""
    if not isinstance(steps, Integral) or not 1 <= steps <= most:
        raise ValueError(f"steps is {steps!r}; expected a whole number from 1 to {most}.")
    return int(steps)


def pairs(times: Sequence[int], progress: bool = True) -> Iterable[tuple[int, int]]:
    """(t, s) for each step of `times`, with a progress bar once the work takes over a second."""
    from tqdm.auto import tqdm

    silent = not progress or bool(os.environ.get("TQDM_DISABLE"))  # the notebook bar does not read it by itself
    return tqdm(list(pairwise(times)), delay=1, disable=silent, leave=False, unit="step")


def denoise(
    model: Model,
    x: Tensor,
    text: Text,
    times: Sequence[int],
    guidance: float,
    watch: Watch = ignore,
    progress: bool = True,
) -> Tensor:
    """Walk `x` (B, C, h, w) down the `times` and return the state at the last of them."""
    for t, s in pairs(times, progress):
        eps = cfg(model, x, t, text, guidance)
        x = ddim_step(model, x, eps, t, s)
        watch(x=x, t=s, eps=eps)
    return x
