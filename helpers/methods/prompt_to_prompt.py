"""Prompt-to-Prompt: denoise under a new prompt while attention looks where it looked for the old one.

Hertz et al., "Prompt-to-Prompt image editing with cross attention control", arXiv:2208.01626, Algorithm 1.
The edit of the maps is `helpers.attention.Edit`; here is the sampling loop.
Differs from the paper: a word's weight acts at every step, also after the injection has ended; and a source may be a
given picture's `Source` (see `helpers.methods.edit_source`).

    paper     here                 what                                               shape or range
    P         source               the prompt of the picture to edit, or its source   text, `Source` or `Recorded`
    P*        target               the prompt to follow, or an `Edit`; or several     text
    s         seed                 of the noise z_T that both start from              whole number
    z, z*     z, z_star            noisy latents of the source and of T targets       (1, C, h, w), (T, C, h, w)
    tau       cross_replace_steps  share of the steps with the source's maps          [0, 1], or one for each word
    -         self_replace_steps   share of the steps with its self-attention         [0, 1]
    c         weights              how strongly a word is attended to                 {word: c}; paper: c in [-2, 2]
    w, w*     blend                words where the picture may change                 words; none: everywhere
    N         steps                steps from pure noise to clean                     of a prompt; else the `Source`'s
    -         guidance             how strongly the prompt pulls                      1 is plain conditional
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from helpers.attention.control import attention
from helpers.attention.edits import Edit
from helpers.attention.maps import AttentionStore
from helpers.core.diffusion import guide, pairs
from helpers.core.interface import Made, Model, Progress, Text, Watch, ignore, join
from helpers.core.randomness import noise
from helpers.core.shapes import Latent, Latents
from helpers.core.values import Guidance, Seed, Steps, WrongKind, listed, shown, text
from helpers.methods.contract import OWN, method
from helpers.methods.edit_source import Recorded, edit_source, recorded
from helpers.methods.local_blend import local_blend
from helpers.methods.source import Source, check_source
from helpers.methods.target_edits import Portion, Targets, Weights, edits_of

__all__ = ["Recorded", "algorithm_1", "prompt_to_prompt", "recorded", "sweep"]


def algorithm_1(model: Model, P: str, edits: Sequence[Edit], z: Latent, times: Sequence[int], guidance: float,
                stores: Sequence[AttentionStore], seen: AttentionStore, progress: Progress, watch: Watch) -> Latents:
    """Algorithm 1, line by line: (z_0, z*_0) from z = z_T of the seed, for T edits in one batch.

    Each step is one call of the model with 2 + 2T rows: M_t and M*_t are at hand in it together.
    """
    prompts = model.embed([P, *(edit.target.prompt for edit in edits)])
    z_star = z.repeat(len(edits), 1, 1, 1)  # 4: z*_T <- z_T
    with attention(model, edits, store=stores, prompts=P, steps=len(times) - 1):  # 8: M^_t = Edit(M_t, M*_t, t)
        for t, s in pairs(times, progress):  # 5
            eps = predict(model, torch.cat([z, z_star]), t, prompts, guidance)  # 6, 7 and 9: DM with M*_t <- M^_t
            z, z_star = model.step(torch.cat([z, z_star]), eps, t, s).split([1, len(edits)])
            z_star = local_blend(seen, z, z_star)
            watch(x=torch.cat([z, z_star]), t=s, eps=eps)
    return torch.cat([z, z_star])  # 11


@method
def prompt_to_prompt(model: Model[Made], source: str | Source | Recorded, target: Targets, *,
                     cross_replace_steps: Portion | Sequence[Portion] = 0.8,
                     self_replace_steps: float | Sequence[float] = 0.4,
                     weights: Weights | Sequence[Weights] | None = None, blend: str | Sequence[str] = (),
                     store: AttentionStore | None = None, seed: Seed = 0, steps: Steps = OWN,
                     guidance: Guidance = OWN, size: int | tuple[int, int] | None = None,
                     progress: Progress = True, watch: Watch = ignore) -> list[Made]:
    """The source's picture and, in the same batch, a picture for each target: [I, I*, ...].

    source: a prompt, whose picture is `model.generate(source, seed, ...)`; or a `Source` of a given picture; or a
        `Recorded` source, for edit after edit of one picture.
    target: a prompt or several. Words that differ from the source's are swapped, words that are new look for
        themselves. An `Edit` of helpers.attention is taken as it is, without the three knobs that follow.
    cross_replace_steps, self_replace_steps, weights: as in the table; a list gives one for each target. 0 and 0 are
        plain generation.
    blend: words; the picture changes only where one of them is seen, in the source or in the target.
    store: maps to watch: prompt 0 is the source, 1 the first target.
    seed, steps, size: of a source that is a prompt. guidance: the model's own, or the source's, unless given.
    watch: x= are the rows whose noise is predicted, eps=: of a prompt the source's and the targets', else the targets'.
    Raises ValueError for what `attention` refuses, and for a source of another model, other steps or another size.
    """
    P, seen = prompt_of(model, source, steps, size), AttentionStore(blend)
    stores = [one for one in (store, seen) if one is not None and one.words]
    edits = edits_of(model, P, target, cross_replace_steps, self_replace_steps, weights)
    if not isinstance(source, str):
        return model.decode(edit_source(model, source, edits, stores, seen, guidance, progress, watch))
    z = noise(seed, model.shape(1, size)).to(model.device)  # 3: z_T ~ N(0, I) of seed s
    times = model.times(steps)
    return model.decode(algorithm_1(model, P, edits, z, times, guidance, stores, seen, progress, watch))


def prompt_of(model: Model, source: str | Source | Recorded, steps: int, size: int | tuple[int, int] | None) -> str:
    """P; an error for a source that was made in another way than is asked for, or that is none."""
    if isinstance(source, str):
        return text("source", source)
    known = source.source if isinstance(source, Recorded) else source
    if not isinstance(known, Source):
        raise WrongKind(f"source is {shown(known)}; expected a prompt or a Source. A picture that is given becomes a "
                        "Source with helpers.inversion.direct(model, picture, prompt).")
    check_source(known, model, steps, size)
    return known.prompt


def predict(model: Model, x: Latents, t: int, text: Text, guidance: float) -> Latents:
    """The noise in x with guidance; unlike `cfg`, with the prompts' rows at every guidance."""
    if guidance == 1:
        return model.eps(x, t, text)
    eps_u, eps_c = model.eps(torch.cat([x, x]), t, join(text.unconditional(), text)).chunk(2)
    return guide(eps_u, eps_c, guidance)


def sweep(model: Model[Made], source: str | Source | Recorded, target: str, *, cross_replace_steps: Sequence[Portion],
          self_replace_steps: float | Sequence[float] = 0.4, **knobs: Any) -> list[Made]:
    """The same edit under growing injection, in one batch: [I, I* of the first share, I* of the second, ...]."""
    shares = listed("cross_replace_steps", cross_replace_steps, "a list of shares of the steps")
    return prompt_to_prompt(model, source, [target] * len(shares), cross_replace_steps=shares,
                            self_replace_steps=self_replace_steps, **knobs)
