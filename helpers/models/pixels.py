"""A diffusion model of pixels: its state is the picture itself, (B, 3, h, w) in [-1, 1]; there is no autoencoder.

The base of a cascade is one (`helpers.models.cascade`), and so is each of its super-resolution stages.

Saharia et al., "Photorealistic text-to-image diffusion models with deep language understanding" (Imagen),
arXiv:2205.11487, section 2.3: guidance drives pixels out of [-1, 1], where no picture of the training was; dynamic
thresholding brings the predicted picture back at each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from helpers.core.diffusion import alpha_bar_at, denoise, dynamic_threshold, noise_of
from helpers.core.interface import CLEAN, Picture, Progress, Text, Watch, ignore
from helpers.core.pictures import Size, as_picture, as_size, to_pictures, to_tensor
from helpers.core.randomness import noise, seeds_of
from helpers.core.shapes import Embeddings
from helpers.core.surroundings import defaults, surroundings
from helpers.core.tensors import Latents, RowTimes, Time
from helpers.core.values import Count, Guidance, Prompt, Prompts, Seeds, Share, Steps, entrance
from helpers.core.words import Tokens
from helpers.models import catalogue
from helpers.models.as_it_is import check_in_place
from helpers.models.cascade_folder import text_width
from helpers.models.denoiser import Denoiser
from helpers.models.exclusive import exclusive, one_at_a_time
from helpers.models.inputs import check_finite, check_latents, check_state, check_text
from helpers.models.text_encoder import TextEncoder

COLORS = 3
PIXELS_AT_ONCE = 65536  # in one batch: 64 pictures of 32 px, 4 of 128 px


class PixelModel(Denoiser):
    """A pipeline in the layout of diffusers' IFPipeline as a `helpers.core.interface.Model`.

    size: (width, height) of its pictures. side: that of its states, in pixels.
    dynamic_thresholding: whether steps towards the picture threshold the picture they predict. The scheduler says at
        which quantile, and how far at most.
    """

    def __init__(self, pipeline: Any, steps: int = 50, guidance: float = 7.0,
                 known_words: frozenset[str] | None = None, dynamic_thresholding: bool = True,
                 text: TextEncoder | None = None) -> None:
        """Wrap a loaded pipeline; text: the text encoder, where the pipeline has none of its own."""
        super().__init__(pipeline, steps, guidance, known_words)
        own = getattr(pipeline, "text_encoder", None)
        read = text if own is None else TextEncoder(pipeline.tokenizer, own)
        if read is None:
            raise ValueError("This pipeline has no text encoder: give it the base's, text=base.text.")
        self.text = read
        if self.text.width != (width := text_width(pipeline.unet.config)):
            raise ValueError(f"The network reads text {width} numbers wide, the text encoder writes {self.text.width}: "
                             "take the stages of one cascade.")
        self.dynamic_thresholding = dynamic_thresholding
        self.side: int = pipeline.unet.config.sample_size
        self.size = (self.side, self.side)
        self.locked = pipeline.unet

    def __repr__(self) -> str:
        """What it is and where."""
        width, height = self.size
        return f"{type(self).__name__}({width} x {height}, {self.unet.dtype} on {self.device})"

    def exclusive(self) -> AbstractContextManager[None]:
        """Nobody else uses the model inside the with-block; the stages of one cascade have one lock."""
        check_in_place(self.pipeline)
        return exclusive(self.locked)

    @property
    def fingerprint(self) -> str:
        """As a `Denoiser`'s; another one without dynamic thresholding, with which it walks other ways."""
        return super().fingerprint + ("" if self.dynamic_thresholding else "-unthresholded")

    @property
    def factor(self) -> int:
        """How many times larger its pictures are than its states."""
        factor: int = self.size[0] // self.side
        return factor

    # ------------------------------------------------------------------------------------------------ text and pixels

    @one_at_a_time
    @defaults()
    def embed(self, prompts: str | Sequence[str]) -> Text:
        """Prompts as (B, n, d) embeddings, with their empty prompts; see `TextEncoder.embed`."""
        return self.text.embed(prompts, self.known_words)

    @one_at_a_time
    @entrance
    def tokens(self, prompt: Prompt) -> Tokens:
        """The prompt as the tokenizer cuts it."""
        return self.text.tokens(prompt)

    @one_at_a_time
    @entrance
    def token_rows(self, word: Prompt) -> list[tuple[str, list[int]]]:
        """The rows of the text encoder's token table that make up a word: (name of the table, its rows)."""
        return self.text.token_rows(word)

    @entrance
    def shape(self, count: Count, size: Size | None = None) -> tuple[int, int, int, int]:
        """(B, 3, h, w) of the states of `count` pictures."""
        width, height = self._frame(size)
        return count, COLORS, height // self.factor, width // self.factor

    def _frame(self, size: int | tuple[int, int] | None) -> tuple[int, int]:
        """(width, height) of the pictures; both must be multiples of what the stages and the network's levels ask."""
        width, height = self.size if size is None else as_size(size)
        unit = self.factor * 2 ** (len(self.unet.config.block_out_channels) - 1)
        if (width % unit or height % unit) and (width, height) != self.size:
            raise ValueError(f"size is {width} x {height}; this model needs multiples of {unit}.")
        return width, height

    @surroundings(grad=False)
    def encode(self, images: Picture | Sequence[Picture], size: int | tuple[int, int] | None = None) -> Latents:
        """One picture or a list of them as states: of each square of `factor` x `factor` pixels the mean; float32.

        Pictures come in any form and size `as_picture` takes; they are resized to cover `size` (the model's own unless
        given) and what sticks out is cut off.
        """
        several: list[Any] = [*images] if isinstance(images, (list, tuple)) else [images]
        if not several:
            raise ValueError("There is no picture: the list is empty.")
        pixels = to_tensor([as_picture(image, self._frame(size)) for image in several]).to(self.device)
        averaged: Latents = torch.nn.functional.avg_pool2d(pixels, self.factor)
        return averaged

    @surroundings(grad=False)
    @entrance
    def decode(self, latents: Latents) -> list[Image.Image]:
        """States as pictures; pixels outside of [-1, 1] are cut off."""
        check_latents("latents", latents, COLORS)
        check_finite("latents", latents)
        return to_pictures(latents)

    # ------------------------------------------------------------------------------------------------------ diffusion

    @one_at_a_time
    @entrance
    def eps(self, x: Latents, t: RowTimes, text: Text) -> Latents:
        """Noise predicted in `x` at time t (CLEAN is taken for 0), whatever the network predicts.

        t: one time, or one for each row. A variance that the network predicts besides, as IF's do, is not used.
        """
        t = t if isinstance(t, Tensor) else max(t, 0)
        text, alpha_bar = text.rows(len(x)), alpha_bar_at(self, t)
        check_state(x, t, self.device)
        check_latents("x", x, COLORS)
        check_text(text, self.text.width, pooled=False)
        with catalogue.explained_memory(self):
            output = self._network(x.to(self.unet.dtype), t.to(self.device) if isinstance(t, Tensor) else t,
                                   text.embeddings.to(self.unet.dtype))
        return noise_of(output[:, :COLORS].float(), x, alpha_bar, self.prediction)

    def _network(self, x: Latents, t: RowTimes, embeddings: Embeddings) -> Float[Tensor, "B _ h w"]:
        """What the network says, with the variance if it predicts one."""
        output: Tensor = self.unet(x, t, encoder_hidden_states=embeddings, return_dict=False)[0]
        return output

    @entrance
    def predict_clean(self, x: Latents, eps: Latents, t: Time) -> Latents:
        """The picture that a prediction `eps` in `x` at time t speaks of, thresholded."""
        x0 = super().predict_clean(x, eps, t)
        if not self.dynamic_thresholding or t == CLEAN:
            return x0
        config = self.scheduler.config
        most = config.sample_max_value if config.thresholding else 1e6
        return dynamic_threshold(x0, config.dynamic_thresholding_ratio, most)

    @entrance
    def step(self, x: Latents, eps: Latents, t: Time, s: Time, eta: Share = 0.0) -> Latents:
        """From time t to time s along the prediction: a DDIM step. Towards the picture it is thresholded first."""
        return super().step(x, self._within(x, eps, t) if s < t else eps, t, s, eta)

    def _within(self, x: Latents, eps: Latents, t: int) -> Latents:
        """The noise in `x` beside the thresholded picture; of rows that thresholding leaves alone, `eps` itself."""
        x0, plain = self.predict_clean(x, eps, t), super().predict_clean(x, eps, t)
        changed = (x0 != plain).flatten(1).any(1).view(-1, 1, 1, 1)
        return torch.where(changed, noise_of(x0, x, alpha_bar_at(self, t), "sample"), eps)

    @one_at_a_time
    @surroundings(grad=False)
    @entrance
    def generate(self, prompts: Prompts, seed: Seeds = 0, steps: Steps | None = None, guidance: Guidance | None = None,
                 size: Size | None = None, progress: Progress = True, watch: Watch = ignore) -> list[Image.Image]:
        """A picture for each prompt, the same ones every time; see `DiffusersModel.generate`."""
        several, seeds = each_with_a_seed(prompts, seed)
        return self.decode(self.sample(several, seeds, steps, guidance, size, progress, watch))

    def sample(self, prompts: list[str], seeds: list[int], steps: int | None = None, guidance: float | None = None,
               size: int | tuple[int, int] | None = None, progress: Progress = True, watch: Watch = ignore) -> Latents:
        """The states of new pictures, in batches: one for each prompt and seed."""
        text, (_, channels, h, w) = self.embed(prompts), self.shape(1, size)
        times = self.times(self.steps if steps is None else steps)
        guidance, most = self.guidance if guidance is None else guidance, max(1, PIXELS_AT_ONCE // (h * w))
        made = [denoise(self, noise(seeds[i : i + most], (len(seeds[i : i + most]), channels, h, w)).to(self.device),
                        text[i : i + most], times, guidance, watch, progress) for i in range(0, len(seeds), most)]
        return torch.cat(made)


def each_with_a_seed(prompts: Sequence[str], seed: int | Sequence[int]) -> tuple[list[str], list[int]]:
    """A prompt and a seed for each picture: one prompt with a list of seeds is that prompt once for each."""
    several = list(prompts) * (1 if isinstance(seed, int) or len(prompts) > 1 else len(seed))
    return several, seeds_of(seed, len(several))
