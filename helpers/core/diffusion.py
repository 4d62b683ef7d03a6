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

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import overload

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from helpers.core.interface import CLEAN, Model, Picture, Progress, Schedule, Text, Watch, ignore, join
from helpers.core.progress import Bar
from helpers.core.shapes import Latent
from helpers.core.tensors import Latents, OneState, RowTimes, Same, Time, Times, fit_each_other, time
from helpers.core.values import Guidance, Share, entrance, number


def encode_one(model: Model, image: Picture, size: int | tuple[int, int] | None = None) -> Latent:
    """The latent of one picture, of the model's own size unless given; ValueError for several pictures."""
    x0 = model.encode(image) if size is None else model.encode(image, size)
    if len(x0) != 1:
        raise ValueError(f"Got {len(x0)} pictures; expected one: call this once for each.")
    if not torch.isfinite(x0).all():
        raise ValueError("The picture's latent is not finite: the picture holds nan, or the autoencoder cannot work in "
                         "its dtype; load the model with dtype=torch.float32.")
    return x0


@overload
def alpha_bar_at(model: Schedule, t: int) -> float: ...
@overload
def alpha_bar_at(model: Schedule, t: Integer[Tensor, " B"]) -> Float[Tensor, "B 1 1 1"]: ...
@overload
def alpha_bar_at(model: Schedule, t: RowTimes) -> float | Float[Tensor, "B 1 1 1"]: ...
@entrance
def alpha_bar_at(model: Schedule, t: RowTimes) -> float | Float[Tensor, "B 1 1 1"]:
    """alpha_bar at time t, a number; at CLEAN the value the model's schedule ends with.

    For a time of its own for each latent, a tensor on the model's device.
    """
    if isinstance(t, Tensor) and t.ndim:
        return model.alpha_bar[in_the_table(model, t)].view(-1, 1, 1, 1).to(model.device)
    if type(t) is not int or not CLEAN <= t < len(model.alpha_bar):
        t = number("t", t, CLEAN, len(model.alpha_bar) - 1, whole=True, hint="a time of the model's schedule")
    return model.final_alpha_bar if t == CLEAN else float(model.alpha_bar[t])


def in_the_table(model: Schedule, t: Integer[Tensor, " B"]) -> Integer[Tensor, " B"]:
    """These times on the CPU; a ValueError for one that the model's schedule has not."""
    time("t", t)
    t, most = t.cpu(), len(model.alpha_bar) - 1
    if t.numel() and not 0 <= int(t.min()) <= int(t.max()) <= most:
        raise ValueError(f"t has times from {int(t.min())} to {int(t.max())}; expected times from 0 to {most}.")
    return t


@entrance
def add_noise(model: Schedule, x0: OneState, noise: Latents, t: RowTimes) -> Latents:
    """x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise; at CLEAN the picture comes back untouched."""
    if isinstance(t, int) and t == CLEAN:
        return x0
    noise = noise if noise.is_meta else noise.to(x0)
    fit_each_other(x0=x0, noise=noise)
    alpha_bar = alpha_bar_at(model, t)
    x_t: Tensor = alpha_bar**0.5 * x0 + (1 - alpha_bar) ** 0.5 * noise
    return x_t


@entrance
def predict_clean(model: Schedule, x: Latents, eps: Latents, t: Time) -> Latents:
    """x_0 = (x_t - sqrt(1 - alpha_bar) eps) / sqrt(alpha_bar): the picture the model has in mind at time t."""
    fit_each_other(x=x, eps=eps)
    alpha_bar = alpha_bar_at(model, t)
    x0: Tensor = (x - (1 - alpha_bar) ** 0.5 * eps) / alpha_bar**0.5
    return x0


@entrance
def ddim_step(model: Schedule, x: Latents, eps: Latents, t: Time, s: Time, eta: Share = 0.0) -> Latents:
    """From time t to time s along the predicted noise (equation 12); s may be after t, or before it where eta is 0.

    With eta above 0 it is the mean of the step; noise of deviation `ddim_sigma(model, t, s, eta)` is to be added.
    """
    alpha_bar = alpha_bar_at(model, s)
    left = max(1 - alpha_bar - ddim_sigma(model, t, s, eta) ** 2, 0.0)
    x_s: Tensor = alpha_bar**0.5 * predict_clean(model, x, eps, t) + left**0.5 * eps
    return x_s


@entrance
def ddim_sigma(model: Schedule, t: Time, s: Time, eta: Share) -> float:
    """sigma = eta sqrt((1 - a_s) / (1 - a_t)) sqrt(1 - a_t / a_s) (equation 16): eta 0 is DDIM, 1 is DDPM.

    Raises ValueError for a step that adds noise and does not go down, to a later time or from the clean picture.
    """
    if eta == 0:
        return 0.0
    a_t, a_s = alpha_bar_at(model, t), alpha_bar_at(model, s)
    if a_t == 1 or a_s < a_t:
        raise ValueError(f"eta is {eta} on the way from time {t} to {s}, which does not go down: noise is added on the "
                         "way from noise to the picture only. Give eta=0.")
    sigma: float = eta * ((1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) ** 0.5
    return sigma


class VariancePreserving:
    """What a model with an `alpha_bar` needs of diffusion: x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps.

    `DiffusersModel` and `AnalyticModel` are such. A flow model writes these three anew (tests/flow_model.py).
    """

    def add_noise(self: Schedule, x0: Float[Tensor, "#B C h w"], noise: Latents, t: RowTimes) -> Latents:
        """`x0` noised to time t, the picture itself at CLEAN."""
        return add_noise(self, x0, noise, t)

    def predict_clean(self: Schedule, x: Latents, eps: Latents, t: int) -> Latents:
        """The clean latent that a prediction `eps` in `x` at time t speaks of."""
        return predict_clean(self, x, eps, t)

    def step(self: Schedule, x: Latents, eps: Latents, t: int, s: int, eta: float = 0.0) -> Latents:
        """From time t to time s along the prediction: a DDIM step."""
        return ddim_step(self, x, eps, t, s, eta)


def noise_of(output: Latents, x: Latents, alpha_bar: float | Float[Tensor, "B 1 1 1"], prediction: str) -> Latents:
    """The noise in `x` when the network predicts "epsilon", "v_prediction" or "sample" (the clean latent)."""
    signal, sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    eps: Tensor = output
    if prediction == "v_prediction":  # v = signal eps - sigma x_0
        eps = signal * output + sigma * x
    elif prediction == "sample":
        eps = (x - signal * output) / sigma
    elif prediction != "epsilon":
        raise ValueError(f"The network predicts {prediction!r}; expected 'epsilon', 'v_prediction' or 'sample'.")
    return eps


@entrance
def guide(eps_u: Same, eps_c: Same, guidance: Guidance) -> Same:
    """From the unconditional prediction towards the conditional one and beyond: 0 is the first, 1 the second."""
    fit_each_other(eps_u=eps_u, eps_c=eps_c)
    eps: Tensor = eps_u + guidance * (eps_c - eps_u)
    return eps


@entrance
def cfg(model: Model, x: Latents, t: Time, text: Text, guidance: Guidance) -> Latents:
    """Noise predicted with classifier-free guidance; one call of the model, two rows a latent unless w is 0 or 1."""
    text = text.rows(len(x))
    if guidance == 1:
        return model.eps(x, t, text)
    if guidance == 0:
        return model.eps(x, t, text.unconditional())
    eps_u, eps_c = model.eps(torch.cat([x, x]), t, join(text.unconditional(), text)).chunk(2)
    return guide(eps_u, eps_c, guidance)


@entrance
def last_part(times: Sequence[int], strength: Share) -> list[int]:
    """The last round(strength * len(times)) of all times, then CLEAN: where to start and which way to go.

    diffusers truncates where we round: of 25 steps at strength 0.7 it runs 17, we 18.
    """
    return [*times[len(times) - round(strength * len(times)) :], CLEAN]


def pairs(times: Sequence[int], progress: Progress = True) -> Iterator[tuple[int, int]]:
    """(t, s) for each step of `times`, told to `progress`: a bar once the work takes over a second, unless given."""
    steps = list(pairwise(times))
    with Bar(len(steps), progress) as bar:
        for done, pair in enumerate(steps):
            bar.at(done)
            yield pair
        bar.at(len(steps))


@entrance
def denoise(
    model: Model,
    x: Latents,
    text: Text,
    times: Times,
    guidance: Guidance,
    watch: Watch = ignore,
    progress: Progress = True,
) -> Latents:
    """Walk `x` down the `times` and return the state at the last of them."""
    for t, s in pairs(times, progress):
        eps = cfg(model, x, t, text, guidance)
        x = model.step(x, eps, t, s)
        watch(x=x, t=s, eps=eps)
    return x
