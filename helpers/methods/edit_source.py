"""Prompt-to-Prompt on a source whose trajectory is known: a `Source`, or one whose attention was recorded, too.

The source's states take the place of line 6 of Algorithm 1 (see `prompt_to_prompt`), so that its row needs no guidance;
where its queries and keys were recorded, too, it needs no row at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.attention.control import attention
from helpers.attention.edits import UP_TO, Edit, model_tokens
from helpers.attention.maps import AttentionStore
from helpers.attention.recording import Recording
from helpers.core.diffusion import guide, pairs
from helpers.core.interface import Model, Progress, Text, Watch, join
from helpers.core.shapes import Latent, Latents
from helpers.core.values import AtLeastOne, Guidance, Seed, Steps, text
from helpers.methods.contract import OWN, method
from helpers.methods.local_blend import local_blend
from helpers.methods.source import Source, check_source, generated, step_at, text_at


@dataclass(frozen=True, eq=False)
class Recorded:
    """A source whose attention was recorded: an edit of it runs the targets only."""

    source: Source
    recording: Recording

    @property
    def steps(self) -> int:
        """N, of the source."""
        return self.source.steps

    @property
    def guidance(self) -> float:
        """With which an edit of it is made unless told otherwise."""
        return self.source.guidance


def edit_source(model: Model, source: Source | Recorded, edits: list[Edit], stores: list[AttentionStore],
                seen: AttentionStore, guidance: float, progress: Progress, watch: Watch) -> Latents:
    """The states of the source and of its T targets after the last step; no gradients.

    Each step is one call of the model: with 1 + 2T rows for a Source, 2T for a Recorded one.
    """
    recording = source.recording if isinstance(source, Recorded) else None
    known = source.source if isinstance(source, Recorded) else source
    text = model.embed([known.prompt, *(edit.target.prompt for edit in edits)])
    z = known.trajectory[:1].to(model.device)
    z_star = z.repeat(len(edits), 1, 1, 1)
    with attention(model, edits, store=stores, prompts=known.prompt, steps=known.steps, recording=recording):
        for i, (t, s) in enumerate(pairs(known.times, progress)):
            eps = predict_targets(model, z, z_star, t, text_at(known, text, i), guidance, recording)
            z, z_star = known.trajectory[i + 1 : i + 2].to(z), step_at(known, model, z_star, eps, i)
            z_star = local_blend(seen, z, z_star)
            watch(x=z_star, t=s, eps=eps, source=z)
    return torch.cat([z, z_star])


def predict_targets(model: Model, z: Latent, z_star: Float[Tensor, "T C h w"], t: int, text: Text, guidance: float,
                    recording: Recording | None) -> Float[Tensor, "T C h w"]:
    """The noise in z* with guidance, in one call of the model.

    text: of the source and the targets. The source's row is there for its attention alone: without a prompt of its own
    for guidance, and not at all where its attention was recorded.
    """
    x, seen = (z_star, text[1:]) if recording else (torch.cat([z, z_star]), text)
    if guidance == 1:
        return model.eps(x, t, seen)[-len(z_star):]
    eps = model.eps(torch.cat([z_star, x]), t, join(text[1:].unconditional(), seen))
    return guide(eps[: len(z_star)], eps[-len(z_star):], guidance)


@method
def recorded(model: Model, source: str | Source, *, up_to: AtLeastOne = UP_TO, seed: Seed = 0,
             steps: Steps = OWN, guidance: Guidance = OWN, size: int | tuple[int, int] | None = None,
             progress: Progress = True) -> Recorded:
    """A source with its attention's queries and keys: each edit of it costs half, 100 rows at 50 steps instead of 200.

    source: a prompt, of which the picture is made (seed, steps, guidance, size as in `generate`), or a `Source`.
    up_to: shorter side of the largest grid whose self-attention is recorded. Memory: `recorded(...).recording.nbytes`.
    """
    if isinstance(source, Source):
        check_source(source, model, steps, size)
        return Recorded(source, replayed(model, source, up_to, progress))
    prompt = text("source", source)
    recording = Recording(model_tokens(model, prompt), up_to)
    with attention(model, prompts=prompt, steps=steps, record=recording):
        made: dict[str, Any] = {"seed": seed, "steps": steps, "guidance": guidance, "size": size}
        return Recorded(generated(model, prompt, **made, progress=progress), recording)


def replayed(model: Model, source: Source, up_to: int, progress: Progress) -> Recording:
    """The attention of a known trajectory: one row a step."""
    recording = Recording(model_tokens(model, source.prompt), up_to)
    prompt = model.embed(source.prompt)
    with attention(model, prompts=source.prompt, steps=source.steps, record=recording):
        for i, (t, _) in enumerate(pairs(list(source.times), progress)):
            model.eps(source.trajectory[i : i + 1].to(model.device), t, prompt)
    return recording
