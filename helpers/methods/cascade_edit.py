"""Prompt-to-Prompt in a cascade: attention edited in the base, in the super-resolution, in both, or in none.

Hertz et al., "Prompt-to-Prompt image editing with cross attention control", arXiv:2208.01626: in Imagen they edit the
attention of the base alone, since it decides what is where, and let the super-resolution run as it is under P*.

    paper     here      what                                                  shape or range
    P, P*     source    the prompt of the picture to edit; `target` to follow texts
    z, z*     x0        small pictures of the source and of T targets         (1 + T, 3, h, w)
    -         edited    the parts whose attention is edited                   "base", "super_resolution"
    -         stage     a stage that was told the small pictures: a model     of (1 + T, 3, H, W)

Each part runs Algorithm 1 of `helpers.methods.prompt_to_prompt`, from one noise for the source and its targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from helpers.attention.edits import Edit
from helpers.attention.maps import AttentionStore
from helpers.core.interface import Model, Progress, Watch, ignore
from helpers.core.pictures import to_pictures
from helpers.core.randomness import noise
from helpers.core.shapes import Latent, Latents
from helpers.core.values import Guidance, Prompt, Seed, Share, Steps, WrongKind, choice, shown
from helpers.methods.contract import OWN, method
from helpers.methods.prompt_to_prompt import algorithm_1
from helpers.methods.target_edits import Portion, Targets, Weights, edits_of
from helpers.models.cascade import CascadeModel
from helpers.models.pixels import COLORS

PARTS = ("base", "super_resolution")


@method
def cascade_edit(model: CascadeModel, source: Prompt, target: Targets, *, edited: str | Sequence[str] = "base",
                 cross_replace_steps: Portion | Sequence[Portion] = 0.8,
                 self_replace_steps: float | Sequence[float] = 0.4,
                 weights: Weights | Sequence[Weights] | None = None, augmentation: Share | None = None, seed: Seed = 0,
                 steps: Steps = OWN, guidance: Guidance = OWN, progress: Progress = True,
                 watch: Watch = ignore) -> list[Image.Image]:
    """The source's picture and a picture for each target, [I, I*, ...], made by the whole cascade.

    edited: the parts whose attention is edited: "base", "super_resolution", both, or () for plain generation.
    target, cross_replace_steps, self_replace_steps, weights: as in `prompt_to_prompt`, for each edited part.
    augmentation: how far the stages' small pictures are noised; the stages' own unless given.
    steps, guidance: the base's; the stages have their own. progress and watch hear of the base, then of each stage.
    """
    parts = parts_of(edited)
    knobs = (cross_replace_steps, self_replace_steps, weights)
    edits = [edits_for(one, source, target, knobs, part in parts)
             for part, one in (("base", model), *(("super_resolution", stage) for stage in model.stages))]
    z = noise(seed, model.shape(1)).to(model.device)
    x0 = walked(model, source, edits[0], z, steps, guidance, progress, watch)
    for stage, its in zip(model.stages, edits[1:], strict=True):
        z = stage.noise(seed, x0[:1])[:, :COLORS]
        told = stage.of(x0, [seed] * len(x0), augmentation)
        x0 = walked(told, source, its, z, stage.steps, stage.guidance, progress, watch)
    return to_pictures(x0)


def parts_of(edited: str | Sequence[str]) -> list[str]:
    """The parts as a list."""
    if not isinstance(edited, str | list | tuple):
        raise WrongKind(f"edited is {shown(edited)}; expected 'base', 'super_resolution', or a list of them.")
    return [choice("edited", part, PARTS) for part in ([edited] if isinstance(edited, str) else edited)]


def edits_for(model: Model, P: str, target: Targets, knobs: tuple[Any, Any, Any], wanted: bool) -> list[Edit]:
    """The edits of one part of the cascade; those that change nothing where it is not edited."""
    if wanted:
        return edits_of(model, P, target, *knobs)
    several: Any = target if isinstance(target, list | tuple) else [target]
    return edits_of(model, P, [one.target.prompt if isinstance(one, Edit) else one for one in several], 0.0, 0.0, None)


def walked(model: Model, P: str, edits: list[Edit], z: Latent, steps: int, guidance: float, progress: Progress,
           watch: Watch) -> Latents:
    """Algorithm 1 on one part of the cascade: the source's and the targets' pixels."""
    return algorithm_1(model, P, edits, z, model.times(steps), guidance, [], AttentionStore([]), progress, watch)
