"""What a method may know of a text-to-image model: `Model`, prompts as it understands them (`Text`), and `Watch`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from typing_extensions import TypeVar

from helpers.core.shapes import ArrayOrTensor, Embeddings, Latents, Point, Pooled
from helpers.core.values import CLASSES, Kind, WrongKind, flag, known, shown

CLEAN = -1  # the time after the last step: the picture itself


def watching(name: str, value: Any) -> Any:
    """A function that is told what happens."""
    if not callable(value):
        raise WrongKind(f"{name} is {shown(value)}; expected a function that is called with x=, t= and eps=.")
    return value


def progress(name: str, value: Any) -> Any:
    """True, False, or a function that is told how far it is."""
    return value if callable(value) and not isinstance(value, type) else flag(name, value)


# called once a step with x=, t=, eps= (x is the state after it, at time t); may raise
Watch = Annotated[Callable[..., None], Kind(watching)]
# a bar, no bar, or what is called with (steps done, steps in all)
Progress = Annotated[bool | Callable[[int, int], None], Kind(progress)]
# what `as_picture` takes: a path, a PIL picture, an array or tensor; a point of the analytic model
Picture = str | os.PathLike[str] | Image.Image | ArrayOrTensor | Sequence[float]
# what a model makes, and so what a method returns: a PIL picture; of the analytic model a point
Made = TypeVar("Made", bound=Image.Image | Point, default=Any)


def ignore(**_: object) -> None:
    """Watch nothing."""


@known("an embedded prompt, as model.embed gives it")
@dataclass(frozen=True, eq=False)
class Text:
    """B prompts as a model understands them.

    embeddings: n token vectors for each prompt. pooled: one vector for each; only models like SDXL have it.
    empty: the same number of empty prompts, for guidance; None if these prompts are themselves the empty ones.
    """

    embeddings: Embeddings
    pooled: Pooled | None = None
    empty: Text | None = None

    def __post_init__(self) -> None:
        for name, value in (("embeddings", self.embeddings), ("pooled", self.pooled)):
            if not isinstance(value, Tensor | None) or (value is None and name == "embeddings"):
                raise WrongKind(f"{name} is {shown(value)}; expected a tensor with a row for each prompt.")

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
    embeddings = torch.cat([first.embeddings, second.embeddings])
    if first.pooled is None or second.pooled is None:
        return Text(embeddings)
    return Text(embeddings, torch.cat([first.pooled, second.pooled]))


class Schedule(Protocol):
    """What the formulas of diffusion ask for: how much signal is left at each time, and where the network is.

    alpha_bar: the share of signal at each time, float32 on the CPU.
    final_alpha_bar: the share of signal after the last step. 1 if the model's schedule ends in the clean picture;
        Stable Diffusion's ends at alpha_bar[0] = 0.99915 (`set_alpha_to_one=False`).
    """

    alpha_bar: Float[Tensor, " times"]
    final_alpha_bar: float

    @property
    def device(self) -> torch.device:
        """Where the network is."""


class Model(Schedule, Protocol[Made]):
    """What a method may know of a text-to-image model.

    How pictures are noised is the model's own: `add_noise`, `step` and `predict_clean`. Those with an `alpha_bar` take
    them from `helpers.core.diffusion.VariancePreserving`, and only fine-tuning and formulas of papers ask for it.

    steps, guidance: what to use where the reader does not say.
    size: (width, height) of its pictures in pixels.
    """

    steps: int
    guidance: float
    size: tuple[int, int]

    @property
    def fingerprint(self) -> str:
        """A short text that two models share only if they predict the same."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Nobody else uses the model inside the with-block: a second thread waits, the same one does not."""

    def shape(self, count: int, size: int | tuple[int, int] | None = None) -> tuple[int, int, int, int]:
        """(B, C, h, w) of the latents of `count` pictures, of the model's own size unless given."""

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        """Times from noisy to CLEAN, round(strength * steps) + 1 of them."""

    def embed(self, prompts: str | Sequence[str]) -> Text:
        """Prompts as the model understands them."""

    def encode(self, images: Picture | Sequence[Picture], size: int | tuple[int, int] | None = None) -> Latents:
        """Pictures to latents, of the model's own size unless given."""

    def decode(self, latents: Latents) -> list[Made]:
        """Latents to pictures."""

    def eps(self, x: Latents, t: int, text: Text) -> Latents:
        """Noise predicted in `x` at time t, float32; a flow model predicts its velocity instead."""

    def add_noise(self, x0: Float[Tensor, "#B C h w"], noise: Latents, t: int) -> Latents:
        """`x0` noised to time t; `x0` itself at CLEAN."""

    def step(self, x: Latents, eps: Latents, t: int, s: int, eta: float = 0.0) -> Latents:
        """The state at time s, from `x` at time t along what `eps` returned; the mean of it where eta adds noise."""

    def predict_clean(self, x: Latents, eps: Latents, t: int) -> Latents:
        """The clean latent that the prediction `eps` in `x` at time t speaks of."""


class Generator(Model[Made], Protocol[Made]):
    """A model that also makes pictures by itself, as both of ours do."""

    def generate(self, *prompts: Any, **knobs: Any) -> list[Made]:
        """A picture for each prompt."""


def as_model(name: str, value: Any) -> Any:
    """`value` if it offers what a model must."""
    offered = any(hasattr(value, one) for one in ("eps", "decode", "generate", "tokens", "token_rows"))
    if not offered or isinstance(value, (type, bytes)):
        raise WrongKind(f"{name} is {shown(value)}; expected a model: load(), or DiffusersModel(pipeline) of "
                        "diffusers' pipeline.")
    return value


def as_schedule(name: str, value: Any) -> Any:
    """`value` if it knows how noisy each time is."""
    if isinstance(value, type) or not hasattr(value, "alpha_bar"):
        raise WrongKind(f"{name} is {shown(value)}; expected a model with a table alpha_bar: load().")
    return value


CLASSES |= {Model: Kind(as_model), Generator: Kind(as_model), Schedule: Kind(as_schedule)}
