"""A cascade like Imagen's: a base makes a small picture from the text, super-resolution stages enlarge it.

Saharia et al., "Photorealistic text-to-image diffusion models with deep language understanding" (Imagen),
arXiv:2205.11487. Ho et al., "Cascaded diffusion models for high fidelity image generation", arXiv:2106.15282
(noise conditioning augmentation). Parts and layout are those of diffusers' DeepFloyd IF pipelines.

    paper           here            what                                                  shape or range
    x_t             x               noisy pixels of the base, or of a stage               (B, 3, h, w)
    z_0, low        x0              the small picture that a stage enlarges               (B, 3, h, w) in [-1, 1]
    aug_level       augmentation    how far `low` is noised before the stage sees it      [0, 1] of the noising schedule
    q(x_s | x_0)    augmented       sqrt(alpha_bar_s) x_0 + sqrt(1 - alpha_bar_s) n       (B, 3, H, W), x_0 enlarged

The model's state is the base's pixels, so every method edits the small picture, and `decode` enlarges what it made. A
stage that was told what to enlarge, `model.stages[0].of(x0)`, is a model, too: methods and attention's edits work on it
as they do on the base.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from helpers.core.diffusion import add_noise, denoise
from helpers.core.interface import Progress, Watch, ignore
from helpers.core.pictures import Size, to_pictures
from helpers.core.randomness import generator, noise, seeds_of
from helpers.core.shapes import Embeddings
from helpers.core.surroundings import surroundings
from helpers.core.tensors import Latents, RowTimes
from helpers.core.values import File, Guidance, Prompts, Seeds, Share, Steps, entrance, known, number
from helpers.models.cascade_folder import read_cascade
from helpers.models.devices import place
from helpers.models.exclusive import one_at_a_time
from helpers.models.inputs import check_finite, check_latents
from helpers.models.pixels import COLORS, PIXELS_AT_ONCE, PixelModel, each_with_a_seed
from helpers.models.quiet import usual_torch
from helpers.models.text_encoder import TextEncoder

AUGMENTATION = 0.25  # DeepFloyd IF's: noise level 250 of 1000
GUIDANCE = 4.0  # of a stage, DeepFloyd IF's; the small picture says most of it


class SuperResolution(PixelModel):
    """A stage: a pipeline in the layout of diffusers' IFSuperResolutionPipeline.

    augmentation: how far the small picture is noised unless told otherwise.
    low: what it enlarges, at its own size and noised, one for all rows or one for each; None before it is told.
    level: how far `low` was noised, a time of `noising`, the schedule for that.
    order: which stage it is, from 1 on; each draws other noise of the same seed.
    enlarges: how many times larger its pictures are.
    """

    def __init__(self, pipeline: Any, steps: int = 50, guidance: float = GUIDANCE, augmentation: float = AUGMENTATION,
                 dynamic_thresholding: bool = True, text: TextEncoder | None = None) -> None:
        """Wrap a loaded pipeline; text: the base's text encoder, where the pipeline has none of its own."""
        from diffusers import DDIMScheduler

        super().__init__(pipeline, steps, guidance, None, dynamic_thresholding, text)
        self.augmentation = number("augmentation", augmentation, 0, 1)
        self.low: Latents | None = None
        self.level, self.order, self.enlarges = 0, 1, 4
        with usual_torch():
            self.noising = Noising(DDIMScheduler.from_config(pipeline.image_noising_scheduler.config),
                                   self.device)

    @entrance
    def of(self, x0: Latents, seed: Seeds = 0, augmentation: Share | None = None) -> SuperResolution:
        """The stage that enlarges these small pictures, as a model of the large ones.

        One picture is that of all rows; several are those of as many rows, over and over again. seed: of the noise on
        picture i, seed + i or the i-th of a list.
        """
        check_latents("x0", x0, COLORS)
        check_finite("x0", x0)
        told = copy(self)
        told.level = self.level_of(augmentation)
        told.low = self.augmented(x0, self.noise(seed, x0)[:, COLORS:], told.level)
        return told

    @entrance
    def level_of(self, augmentation: Share | None = None) -> int:
        """The time of the noising schedule at this share of it."""
        share = self.augmentation if augmentation is None else augmentation
        return min(round(share * len(self.noising.alpha_bar)), len(self.noising.alpha_bar) - 1)

    @entrance
    def augmented(self, x0: Latents, noise: Float[Tensor, "B C H W"], level: int) -> Float[Tensor, "B C H W"]:
        """q(x_s | x_0) of the enlarged small pictures, at time s = level."""
        large = torch.nn.functional.interpolate(x0, self.sides(x0), mode="bilinear", align_corners=True)
        return add_noise(self.noising, large, noise, level)

    def sides(self, x0: Latents) -> tuple[int, int]:
        """(h, w) of the large pictures."""
        return x0.shape[-2] * self.enlarges, x0.shape[-1] * self.enlarges

    def noise(self, seed: int | Sequence[int], x0: Latents) -> Float[Tensor, "B 6 H W"]:
        """Noise for these small pictures: where the large ones start from, then what is added to the small ones."""
        drawn = [int(torch.randint(2**62, (self.order,), generator=generator(one), device="cpu")[-1])
                 for one in seeds_of(seed, len(x0))]
        return noise(drawn, (len(x0), 2 * COLORS, *self.sides(x0))).to(x0.device)

    def _network(self, x: Latents, t: RowTimes, embeddings: Embeddings) -> Float[Tensor, "B _ h w"]:
        """The same, of the state beside what is enlarged."""
        if self.low is None:
            raise ValueError("This stage does not know what to enlarge: ask stage.of(x0), which does.")
        if len(x) % len(self.low) or x.shape[-2:] != self.low.shape[-2:]:
            raise ValueError(f"x has the shape {tuple(x.shape)}, and what the stage enlarges {tuple(self.low.shape)}: "
                             "give as many rows of this size, or give stage.of(x0) one picture for all of them.")
        low = self.low.to(x).repeat(len(x) // len(self.low), 1, 1, 1)
        output: Tensor = self.unet(torch.cat([x, low], 1), t, encoder_hidden_states=embeddings, return_dict=False,
                                    class_labels=torch.full((len(x),), self.level, device=x.device))[0]
        return output

    @one_at_a_time
    def enlarged(self, x0: Latents, prompts: list[str], seeds: list[int], steps: int | None, guidance: float | None,
                 augmentation: float | None, progress: Progress, watch: Watch) -> Float[Tensor, "B C H W"]:
        """The large pictures' pixels, in batches."""
        most, made = max(1, PIXELS_AT_ONCE // math.prod(self.sides(x0))), []
        times, text = self.times(self.steps if steps is None else steps), self.embed(prompts)
        guidance = self.guidance if guidance is None else guidance
        for i in range(0, len(x0), most):
            rows = slice(i, i + most)
            told = self.of(x0[rows], seeds[rows], augmentation)
            x = self.noise(seeds[rows], x0[rows])[:, :COLORS]
            made.append(denoise(told, x, text[rows], times, guidance, watch, progress))
        return torch.cat(made)


class Noising:
    """The schedule of noise on small pictures: a `helpers.core.interface.Schedule`."""

    def __init__(self, scheduler: Any, device: torch.device) -> None:
        """Of diffusers' scheduler."""
        self.alpha_bar = scheduler.alphas_cumprod.float()
        self.final_alpha_bar, self.device = 1.0, device


@known("a cascade of pixels: load('a/cascades/folder'), or CascadeModel(base, stages)")
class CascadeModel(PixelModel):
    """A base and its super-resolution stages; as a model it is the base, whose pictures `decode` enlarges.

    stages: the super-resolution stages, smallest first; steps, guidance and augmentation of each are its own.
    size: (width, height) of the enlarged pictures. side: that of the base's.
    """

    def __init__(self, base: Any, stages: Sequence[SuperResolution], **knobs: Any) -> None:
        """Of a base's pipeline and stages; `knobs` as in `PixelModel(...)`.

        Raises ValueError without a stage, and where the sizes do not follow from each other.
        """
        super().__init__(base, **knobs)
        if not stages:
            raise ValueError("There is no super-resolution stage: give at least one, SuperResolution(pipeline).")
        self.stages = [copy(stage) for stage in stages]
        side = self.side
        for order, stage in enumerate(self.stages, 1):
            if stage.side % side or stage.side == side:
                raise ValueError(f"Stage {order} makes pictures of {stage.side} px from {side} px; expected a "
                                 "multiple: order the stages from small to large, and take those of one cascade.")
            stage.enlarges, side = stage.side // side, stage.side
            stage.order, stage.locked = order, self.unet
        self.size = (side, side)

    @classmethod
    @entrance
    def from_folder(cls, folder: File, device: str | torch.device | None = None, dtype: torch.dtype | None = None,
                    **knobs: Any) -> CascadeModel:
        """The cascade in a folder: base/, super_resolution/, super_resolution_2/ ...; `knobs` as in `PixelModel(...)`.

        base: in the layout of diffusers' IFPipeline; the others in that of IFSuperResolutionPipeline, where the text
        encoder may be missing: then the base's is used.
        """
        device, dtype = place(device, dtype)
        base, stages, words = read_cascade(Path(folder), device, dtype)
        text = TextEncoder(base.tokenizer, base.text_encoder)
        return cls(base, [SuperResolution(stage, text=text) for stage in stages], **{"known_words": words, **knobs})

    @one_at_a_time
    @surroundings(grad=False)
    @entrance
    def super_resolve(self, x0: Latents, text: Prompts, *, seed: Seeds = 0, steps: Steps | None = None,
                      guidance: Guidance | None = None, augmentation: Share | None = None, progress: Progress = True,
                      watch: Watch = ignore) -> list[Image.Image]:
        """The base's pictures `x0` enlarged by every stage, under one prompt or one for each.

        seed: of picture i, seed + i or the i-th of a list. steps, guidance, augmentation: of every stage, its own
        unless given. progress and watch hear of each stage in turn, from its first step to its last.
        """
        check_latents("x0", x0, COLORS)
        if len(text) not in (1, len(x0)):
            raise ValueError(f"{len(text)} prompts for {len(x0)} pictures: give one prompt, or one for each picture.")
        prompts, seeds, x = [*text] * (len(x0) // len(text)), seeds_of(seed, len(x0)), x0.to(self.device)
        guidance = guidance if any(prompts) else 1  # towards the empty prompt there is nothing to guide: half the rows
        for stage in self.stages:
            x = stage.enlarged(x, prompts, seeds, steps, guidance, augmentation, progress, watch)
        return to_pictures(x)

    @surroundings(grad=False)
    @entrance
    def decode(self, latents: Latents) -> list[Image.Image]:
        """The base's pictures enlarged under the empty prompt, each with the noise of seed 0."""
        return self.super_resolve(latents, "", seed=[0] * len(latents), progress=False)

    @surroundings(grad=False)
    @entrance
    def small(self, latents: Latents) -> list[Image.Image]:
        """The base's pictures as they are."""
        return super().decode(latents)

    @one_at_a_time
    @surroundings(grad=False)
    @entrance
    def generate(self, prompts: Prompts, seed: Seeds = 0, steps: Steps | None = None, guidance: Guidance | None = None,
                 size: Size | None = None, progress: Progress = True, watch: Watch = ignore,
                 augmentation: Share | None = None) -> list[Image.Image]:
        """A picture for each prompt, the same ones every time: the base's, enlarged under the same prompt.

        seed: picture i is made from seed + i, or from the i-th seed of a list. steps, guidance: the base's; the stages
        have their own. progress and watch hear of the base, then of each stage.
        """
        several, seeds = each_with_a_seed(prompts, seed)
        x0 = self.sample(several, seeds, steps, guidance, size, progress, watch)
        return self.super_resolve(x0, several, seed=seeds, augmentation=augmentation, progress=progress, watch=watch)
