"""Prompt-to-Prompt: denoise under a new prompt while attention looks where it looked for the old one.

Hertz et al., "Prompt-to-Prompt image editing with cross attention control", arXiv:2208.01626, Algorithm 1.
The edit of the maps is `helpers.attention.Edit`; here is the sampling loop.
Differs from the paper: a word's weight acts at every step, also after the injection has ended; and a source may be a
given picture's `Source`, whose states take the place of line 5.

    paper     here                 what                                               shape or range
    P         source               the prompt of the picture to edit, or its way      text, `Source` or `Recorded`
    P*        target               the prompt to follow, or an `Edit`; or several     text
    s         seed                 of the noise z_T that both start from              whole number
    z, z*     z, z_star            noisy latents of the source and of T targets       (1, C, h, w), (T, C, h, w)
    tau       cross_replace_steps  share of the steps with the source's maps          [0, 1], or one for each word
    -         self_replace_steps   share of the steps with its self-attention         [0, 1]
    c         weights              how strongly a word is attended to                 {word: c}; paper: c in [-2, 2]
    w, w*     blend                words where the picture may change                 words; none: everywhere
    alpha     alpha                the mask of local blending                         (T, 1, h, w), 0 or 1
    k         K_MASK               a pixel belongs to a word above this share         0.3 of the map's maximum
    N         steps                steps from pure noise to clean                     of a prompt; else the `Source`'s
    -         guidance             how strongly the prompt pulls                      1 is plain conditional
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

from helpers.attention.control import attention
from helpers.attention.edits import UP_TO, Edit, during, inject_self, mixed, model_tokens, reweight
from helpers.attention.maps import AttentionStore, finest_grid
from helpers.attention.recording import Recording
from helpers.core.diffusion import ddim_step, guide, pairs
from helpers.core.interface import Model, Text, Watch, ignore, join
from helpers.core.randomness import noise
from helpers.methods.source import Source, check_source, generated, step_at, text_at

K_MASK = 0.3
Share = float | Mapping[str, float]  # of the steps; for all words, or word by word: {"default": 0.8, "car": 0.4}
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Recorded:
    """A source whose attention was recorded: an edit of it runs the targets only."""

    source: Source
    recording: Recording


@torch.no_grad()
def prompt_to_prompt(
    model: Model,
    source: str | Source | Recorded,
    target: str | Edit | Sequence[str | Edit],
    *,
    cross_replace_steps: Share | Sequence[Share] = 0.8,
    self_replace_steps: float | Sequence[float] = 0.4,
    weights: Weights | Sequence[Weights] | None = None,
    blend: str | Sequence[str] = (),
    store: AttentionStore | None = None,
    seed: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    size: int | tuple[int, int] | None = None,
    progress: bool = True,
    watch: Watch = ignore,
) -> list[Any]:
    """The source's picture and, in the same batch, a picture for each target: [I, I*, ...].

    source: a prompt, whose picture is `model.generate(source, seed, ...)`; or a `Source` of a given picture; or a
        `Recorded` source, for edit after edit of one picture.
    target: a prompt or several. Words that differ from the source's are swapped, words that are new look for
        themselves. An `Edit` of helpers.attention is taken as it is, without the four knobs that follow.
    cross_replace_steps, self_replace_steps, weights: as in the table; a list gives one for each target. 0 and 0 are
        plain generation.
    blend: words; the picture changes only where one of them is seen, in the source or in the target.
    store: maps to watch: prompt 0 is the source, 1 the first target.
    seed, steps, size: of a source that is a prompt. guidance: the model's own, or the source's, unless given.
    watch: called after each step with x= (1 + T, C, h, w), t=, eps= (of the targets).

    Each step is one call of the model: with 2 + 2T rows for a prompt, 1 + 2T for a Source, 2T for a Recorded one.
    Raises ValueError for what `attention` refuses, and for a source of another model, other steps or another size.
    """
    way, recording = (source.source, source.recording) if isinstance(source, Recorded) else (source, None)
    known = way if isinstance(way, Source) else None
    if known:
        check_source(known, model, steps, size)
        steps, guidance = known.steps, known.guidance if guidance is None else guidance
    steps, guidance = model.steps if steps is None else steps, model.guidance if guidance is None else guidance
    P = known.prompt if known else way
    edits = edits_of(model, P, target, cross_replace_steps, self_replace_steps, weights)
    text = model.embed([P, *(edit.target.prompt for edit in edits)])
    seen = AttentionStore(blend)
    stores = [one for one in (store, seen) if one and one.words]

    times = known.times if known else model.times(steps)
    z = (known.trajectory[:1] if known else noise(seed, model.shape(1, size))).to(model.device)  # 2: z_T
    z_star = z.repeat(len(edits), 1, 1, 1)  # 3: z*_T <- z_T
    with attention(model, edits, store=stores, prompts=P, steps=steps, recording=recording):
        for i, (t, s) in enumerate(pairs(times, progress)):  # 4
            # 5 to 8: M_t of z and M*_t of z* are at hand in one call, and M^_t = Edit(M_t, M*_t, t) takes M*_t's place
            eps = predict(model, torch.cat([z, z_star]), t, text_now(known, text, i), guidance, known, recording)
            if known:
                z, z_star = known.trajectory[i + 1 : i + 2].to(z), step_at(known, model, z_star, eps, i)
            else:
                z, z_star = ddim_step(model, torch.cat([z, z_star]), eps, t, s).split([1, len(edits)])
            if blend:  # z* <- (1 - alpha) z + alpha z*
                alpha = blend_mask(seen, z.shape[-2:]).to(z)
                z_star = (1 - alpha) * z + alpha * z_star
            watch(x=torch.cat([z, z_star]), t=s, eps=eps)
    return model.decode(torch.cat([z, z_star]))  # 9


def predict(model: Model, x: Tensor, t: int, text: Text, guidance: float, known: Source | None,
            recording: Recording | None) -> Tensor:
    """The noise in x, (1 + T, C, h, w), with guidance, in one call of the model; of the T targets if the way is known.

    A source whose way is known needs no row without a prompt; one whose attention was recorded needs no row at all.
    """
    guided, seen = (slice(1 if has else 0, None) for has in (known, recording))
    count = len(x[guided])
    if guidance == 1:
        return model.eps(x[seen], t, text[seen])[-count:]
    eps = model.eps(torch.cat([x[guided], x[seen]]), t, join(text[guided].unconditional(), text[seen]))
    return guide(eps[:count], eps[-count:], guidance)


def text_now(known: Source | None, text: Text, i: int) -> Text:
    """The prompts with what stands for the empty prompt at step i."""
    return text if known is None else text_at(known, text, i)


def blend_mask(seen: AttentionStore, size: Sequence[int], up_to: int = UP_TO) -> Tensor:
    """alpha (T, 1, h, w): where a word is seen in the source or in the target, by the maps averaged so far.

    From the finest grid whose shorter side is at most `up_to`, or the coarsest there is.
    """
    grid = finest_grid(seen.seen_grids, up_to)
    seen.grids = [grid]  # from the next step on, only these are watched
    maps = torch.stack([sum(seen.map(word, grid, i, before=True) for word in seen.words)
                        for i in range(len(seen.prompts))])[:, None]  # M of the source, M* of the targets
    maps = interpolate(max_pool2d(maps, 3, stride=1, padding=1), size=tuple(size))
    mask = maps > K_MASK * maps.amax((1, 2, 3), keepdim=True)
    return (mask[:1] | mask[1:]).float()


def edits_of(
    model: Model,
    source: str,
    target: str | Edit | Sequence[str | Edit],
    cross_replace_steps: Share | Sequence[Share],
    self_replace_steps: float | Sequence[float],
    weights: Weights | Sequence[Weights] | None,
) -> list[Edit]:
    """The edit of each target: cross- and self-attention injected for their shares of the steps, then the weights."""
    targets = list(target) if isinstance(target, Sequence) and not isinstance(target, str) else [target]
    if not targets:
        raise ValueError("There is no target: give a prompt to follow.")
    edits = []
    for P_star, tau, tau_self, c in zip(
        targets,
        each(cross_replace_steps, targets, "cross_replace_steps"),
        each(self_replace_steps, targets, "self_replace_steps"),
        each(weights, targets, "weights"),
        strict=True,
    ):
        if isinstance(P_star, Edit):
            edits.append(P_star)
            continue
        edit = during(mixed(model, source, P_star), 0, tau) @ during(inject_self(model, source, P_star), 0, tau_self)
        for word, amount in (c or {}).items():
            edit = edit @ reweight(model, P_star, word, amount)
        edits.append(edit)
    return edits


def each(knob: Any, targets: Sequence[Any], name: str) -> list[Any]:
    """One value of a knob for each target."""
    if not isinstance(knob, (list, tuple)):
        return [knob] * len(targets)
    if len(knob) != len(targets):
        raise ValueError(f"{name} has {len(knob)} values for {len(targets)} targets: give one, or one for each target.")
    return list(knob)


def sweep(
    model: Model,
    source: str | Source | Recorded,
    target: str,
    *,
    cross_replace_steps: Sequence[Share],
    self_replace_steps: float | Sequence[float] = 0.4,
    **knobs: Any,
) -> list[Any]:
    """The same edit under growing injection, in one batch: [I, I* of the first share, I* of the second, ...]."""
    return prompt_to_prompt(
        model,
        source,
        [target] * len(cross_replace_steps),
        cross_replace_steps=list(cross_replace_steps),
        self_replace_steps=self_replace_steps,
        **knobs,
    )


@torch.no_grad()
def recorded(
    model: Model,
    source: str | Source,
    *,
    seed: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    size: int | tuple[int, int] | None = None,
    up_to: int = UP_TO,
    progress: bool = True,
) -> Recorded:
    """A source with its attention's queries and keys: each edit of it costs half, 100 rows at 50 steps instead of 200.

    source: a prompt, of which the picture is made (seed, steps, guidance, size as in `generate`), or a `Source`.
    up_to: shorter side of the largest grid whose self-attention is recorded. Memory: `recorded(...).recording.nbytes`.
    """
    prompt = source.prompt if isinstance(source, Source) else source
    if isinstance(source, Source):
        check_source(source, model, steps, size)
        steps = source.steps
    recording = Recording(model_tokens(model, prompt), up_to)
    with attention(model, prompts=prompt, steps=steps, record=recording):
        if not isinstance(source, Source):
            source = generated(model, prompt, seed=seed, steps=steps, guidance=guidance, size=size, progress=progress)
            return Recorded(source, recording)
        text = model.embed(prompt)
        for i, (t, _) in enumerate(pairs(list(source.times), progress)):
            model.eps(source.trajectory[i : i + 1].to(model.device), t, text)
    return Recorded(source, recording)
