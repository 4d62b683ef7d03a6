"""What Imagic, DreamBooth and textual inversion share: the loss. `weights` has what is fitted, `fit` the fit itself.

    weights = fit_dreambooth(model, pictures, "a sks cat", ...)      a small value
    with weights.on(model):                                          the model's own weights come back afterwards
        model.generate("a sks cat at the temple", seed=0)
    weights.save("sks.safetensors")

Ho et al., "Denoising Diffusion Probabilistic Models", arXiv:2006.11239, equation 14 (the loss).
Hu et al., "LoRA", arXiv:2106.09685 (W + alpha / r B A).

    paper     here       what                                        shape or range
    x_0       x0         clean latents                               (B, C, h, w)
    eps       noise      the noise that is added                     (B, C, h, w)
    t         t          the time of each latent                     (B,), 0 ... 999
    c         text       the prompts                                 B rows, or one for all
    r         rank       of a LoRA                                   1 ... the layer's width
    alpha     alpha      how much a LoRA counts: alpha / r           r unless given

A fit draws the random numbers of step k from (seed, k) alone. So a fit that is killed and goes on from its checkpoint
gives the same weights, bit for bit on a CPU, as one that was never interrupted.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from helpers.core.diffusion import add_noise, alpha_bar_at
from helpers.core.interface import Made, Model, Text, as_model
from helpers.core.shapes import Noise, OfLatents, Times, Weight
from helpers.core.tensors import Latents, RowTimes, Shape
from helpers.core.values import CLASSES, Count, Kind, entrance
from helpers.core.values import seed as as_seed
from helpers.core.values import text as text_of


class Trainable(Model[Made], Protocol[Made]):
    """A model with weights: what fine-tuning must know besides `Model`. `helpers.DiffusersModel` is one."""

    @property
    def prediction(self) -> str:
        """What the network predicts: "epsilon", "v_prediction" or "sample"."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        """What fine-tuning may change, by diffusers' names."""

    def eps(self, x: Latents, t: int | Times, text: Text) -> Latents:
        """As `Model.eps`, also with a time of its own for each row."""

    def changed(
        self, weights: Mapping[str, Weight], words: Collection[str] = (), gradient_checkpointing: bool = False
    ) -> AbstractContextManager[None]:
        """The model with other weights inside the with-block."""

    def token_rows(self, word: str) -> list[tuple[str, list[int]]]:
        """The rows of the text encoders' token tables that make up a word."""


CLASSES[Trainable] = Kind(as_model)


@entrance
def denoising_loss(model: Trainable, x0: Latents, text: Text, t: RowTimes, noise: Latents) -> OfLatents:
    """E || eps - eps_theta(x_t, t, c) ||^2 of each latent, on the scale the network was trained on.

    t: one time for all latents, or one for each. Gradients flow to the text, the weights and x0.
    """
    x_t = add_noise(model, x0, noise, t)
    error = model.eps(x_t, t, text) - noise.to(x_t)
    loss: OfLatents = (scale_of(model, t) * error.square()).flatten(1).mean(1)
    return loss


def scale_of(model: Model, t: int | Times) -> Any:
    """What turns the noise's squared error into that of the network's own output (see `diffusion.noise_of`).

    1 where it predicts the noise; 1 / alpha_bar where it predicts v, (1 - alpha_bar) / alpha_bar for the clean latent.
    """
    prediction, alpha_bar = getattr(model, "prediction", "epsilon"), alpha_bar_at(model, t)
    if prediction == "v_prediction":
        return 1 / alpha_bar
    return (1 - alpha_bar) / alpha_bar if prediction == "sample" else 1.0


def rows(model: Model, x0: Float[Tensor, "pictures C h w"], batch: int, seed: int | str, step: int
         ) -> tuple[Latents, Times, Latents]:
    """What one step sees: latents, all of `x0` in turn, their times and noise.

    B is `batch`, or this process' share of it where several fit together.
    """
    mine = share(batch)
    t, noise = draw(model, seed, step, (batch, *x0.shape[1:]))
    return x0[in_turn(step, batch, len(x0))[mine]], t[mine], noise[mine]


def in_turn(step: int, batch: int, count: int) -> list[int]:
    """Which of `count` pictures a step sees: all of them in turn."""
    return [(step * batch + i) % count for i in range(batch)]


def stream(name: str, value: Any) -> int | str:
    """What names a random stream: a seed, or a text."""
    return text_of(name, value) if isinstance(value, str) else as_seed(name, value)


@entrance
def draw(model: Model, seed: Annotated[int | str, Kind(stream)], step: Count, shape: Shape) -> tuple[Times, Noise]:
    """Times and noise of one step, on the CPU; the same for the same seed and step.

    Each time is uniform. Together they are spread over the whole range, one in each B-th of it, in random order.
    """
    generator = torch.Generator().manual_seed(random.Random(f"{seed}/{step}").getrandbits(63))
    count, most = shape[0], len(model.alpha_bar)
    one: dict[str, Any] = {"generator": generator, "dtype": torch.float32, "device": "cpu"}
    spread = (torch.randperm(count, generator=generator, device="cpu") + torch.rand(count, **one)) / count
    return (spread * most).long().clamp(max=most - 1), torch.randn(*shape, **one)


def share(count: int) -> slice:
    """The rows of a batch of `count` that this process computes: all of them unless several processes fit together."""
    rank, world = processes()
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"batch is {count!r}; expected a whole number from 1 on.")
    if count % world:
        raise ValueError(f"The batch of {count} cannot be shared by {world} processes: make it a multiple of {world}.")
    return slice(rank, None, world)


def processes() -> tuple[int, int]:
    """(number of this process, how many fit together); (0, 1) unless `torch.distributed` was started."""
    distributed = torch.distributed
    on = distributed.is_available() and distributed.is_initialized()
    return (distributed.get_rank(), distributed.get_world_size()) if on else (0, 1)
