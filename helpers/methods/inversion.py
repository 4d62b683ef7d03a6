"""Inversion: from a given picture to the noise that leads to it, so that it can be edited like a generated one.

    ddim              Song et al., ICLR 2021, arXiv:2010.02502, section 4.3: the steps backwards, at guidance 1
    null_text         Mokady et al., CVPR 2023, arXiv:2211.09794, Algorithm 1: the empty prompt is fitted to the picture
    negative_prompt   Miyake et al., arXiv:2305.16807: the picture's own prompt stands for the empty one
    direct            Ju et al., ICLR 2024, arXiv:2310.01506: the picture's row is put back on its way after each step
    edit_friendly     Huberman-Spiegelglas et al., CVPR 2024, arXiv:2304.06140: what each DDPM step must add

    paper         here        what                                                   shape or range
    I             image       the picture to invert                                  any picture; latent (1, C, h, w)
    P             prompt      what the picture shows                                 a text
    T             steps       steps from pure noise to clean                         1 ... 1000
    w             guidance    with which the way is walked down again, and edited    1 is plain conditional
    z*_t          pivots      the states of DDIM inversion, noisy first              (T + 1, C, h, w)
    zbar_t, x_t   x           the state                                              (1, C, h, w)
    C             text        the prompt as the model understands it                 1 row
    null_t        null        what stands for the empty prompt at time t             (1, tokens, d), float32
    N             inner       most updates of null_t at one step                     0, 1, ...; 0 leaves it as it is
    lr            rate        learning rate of Adam at the first step; falls to half  above 0
    epsilon       tolerance   loss that is good enough at the first step; rises to    0 never stops early
                              about 100 times that, both as in the authors' code
    T_skip / T    skip        share of the steps left out at the noisy end           [0, 1)
    eta           eta         how much noise a step adds; 0 is DDIM, 1 is DDPM       [0, 1]
    sigma_t z_t   noises      what each step must add to lead to the picture         (T - T_skip, C, h, w)

Each returns a `Source`; `reconstruct` walks it again. Upwards the network is told the time it goes to, as in
the authors' code: the round trip's error is smaller so, on the exact model and on Picturebook.
Differs from the papers: null-text stops before an update that is not needed, calls only the unconditional half again,
and keeps the best embedding of a step; edit-friendly noise is kept for the last step too (there it is a correction), so
that the picture comes back to the last bit, and its variance is eta^2 sigma^2 (the authors' code: eta sigma^2).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from math import isfinite
from typing import Annotated

import torch

from helpers.core.diffusion import cfg, encode_one, guide, pairs
from helpers.core.interface import Made, Model, Picture, Progress, Text, Watch, ignore
from helpers.core.randomness import noise
from helpers.core.shapes import Latent, States
from helpers.core.values import Guidance, Number, Prompt, Rate, Seed, Share, Steps
from helpers.methods.contract import OWN, method
from helpers.methods.source import Source, check_source, step_at, text_at

Size = int | tuple[int, int] | None
Skip = Annotated[float, Number(0, 1, below=True, hint="0 walks every step")]
Updates = Annotated[int, Number(0, 1000, whole=True)]
Tolerance = Annotated[float, Number(0)]

# ------------------------------------------------------------------------------------------- DDIM inversion and direct


@method
def ddim(model: Model, image: Picture, prompt: Prompt, *, steps: Steps = OWN, guidance: Guidance = OWN,
         size: Size = None, progress: Progress = True, watch: Watch = ignore) -> Source:
    """DDIM inversion: up at guidance 1, then down again at `guidance`, wherever that leads.

    Good at guidance 1; above it the way down leaves the pivots, and its end is not the picture any more.
    2 T calls of the model: T rows up, and down T rows at guidance 1, else 2 T.
    """
    source, text = inverted(model, image, prompt, steps, guidance, size, progress, watch)
    return replace(source, trajectory=ddim_sample(model, source, text, guidance, progress, watch))


@method
def direct(model: Model, image: Picture, prompt: Prompt, *, steps: Steps = OWN,
           guidance: Guidance = OWN, size: Size = None, progress: Progress = True,
           watch: Watch = ignore) -> Source:
    """Direct (PnP) inversion: the trajectory is the pivots themselves, so an edit's source row never leaves them.

    No offsets are computed in a pass of their own: whoever edits puts the source row on trajectory[i], which is the
    same. T calls of one row; the rows of an edit come on top. `guidance` is the edit's.
    """
    source, _ = inverted(model, image, prompt, steps, guidance, size, progress, watch)
    return replace(source, pinned=True)


def inverted(model: Model, image: Picture, prompt: str, steps: int, guidance: float, size: Size, progress: Progress,
             watch: Watch) -> tuple[Source, Text]:
    """The pivots of a picture as a Source, and its prompt as the model understands it; T calls of one row."""
    times = model.times(steps)
    text, x0 = model.embed(prompt), encode_one(model, image, size)
    pivots = ddim_invert(model, x0, text, times, progress, watch)
    return Source(prompt, steps, guidance, tuple(times), pivots.cpu(), model.fingerprint), text


def ddim_invert(model: Model, x0: Latent, text: Text, times: list[int], progress: Progress = True,
                watch: Watch = ignore) -> States:
    """DDIM inversion: z*_T ... z*_0 from the latent `x0` up the `times`."""
    pivots = [x0]
    for s, t in pairs(times[::-1], progress):  # from s up to t
        eps = model.eps(pivots[-1], t, text)
        pivots.append(model.step(pivots[-1], eps, s, t))
        watch(x=pivots[-1], t=t, eps=eps)
    return torch.cat(pivots[::-1])


# ------------------------------------------------------------------------------- the empty prompt: negative, null-text


@method
def negative_prompt(model: Model, image: Picture, prompt: Prompt, *, steps: Steps = OWN,
                    guidance: Guidance = OWN, size: Size = None, progress: Progress = True,
                    watch: Watch = ignore) -> Source:
    """Negative-prompt inversion: the empty prompt is `prompt` itself, so guidance has nothing to amplify.

    Under its own prompt every guidance gives what guidance 1 gives. 2 T calls of one row. `guidance` is the edit's.
    """
    source, text = inverted(model, image, prompt, steps, guidance, size, progress, watch)
    pooled = None if text.pooled is None else text.pooled.cpu()
    source = replace(source, uncond_embeddings=text.embeddings.cpu(), pooled=pooled)
    return replace(source, trajectory=ddim_sample(model, source, text, 1.0, progress, watch))


@method
def null_text(model: Model, image: Picture, prompt: Prompt, *, inner: Updates = 10, rate: Rate = 1e-2,
              tolerance: Tolerance = 1e-5, steps: Steps = OWN, guidance: Guidance = OWN,
              size: Size = None, progress: Progress = True, watch: Watch = ignore) -> Source:
    """Null-text inversion: at each step the empty prompt is fitted so that the step ends on the next pivot.

    T rows up; down T conditional rows, and at each step at most N + 1 unconditional ones, N of them with a backward
    pass through the unconditional half alone. In little memory: weights in half precision are enough, and on a
    GPU activations are computed again instead of kept.
    watch: on the way down it is told losses=, too: before the first update of the step, and after each.
    Raises ValueError at guidance 1, where the empty prompt has no say.
    """
    if guidance == 1:
        raise ValueError("guidance is 1, where the empty prompt has no say: there is nothing to fit. Give another "
                         "guidance, or use `ddim`, which is good at 1.")
    source, text = inverted(model, image, prompt, steps, guidance, size, progress, ignore)
    null, x, nulls, states = text.unconditional(), source.trajectory[:1].to(model.device), [], []
    with few_activations(model):
        for i, (t, s) in enumerate(pairs(source.times, progress)):
            pivot, eps_c = source.trajectory[i + 1 : i + 2].to(x), model.eps(x, t, text)
            done = i / (len(source.times) - 1)
            null, eps_u, losses = fit_null(model, x, t, s, eps_c, null, pivot, guidance, inner, rate * (1 - done / 2),
                                           tolerance * (1 + 100 * done))
            eps = guide(eps_u, eps_c, guidance)
            x = model.step(x, eps, t, s)
            watch(x=x, t=s, eps=eps, losses=losses)
            nulls.append(null.embeddings.cpu())
            states.append(x.cpu())
    return replace(source, trajectory=torch.cat([source.trajectory[:1], *states]), uncond_embeddings=torch.cat(nulls))


def few_activations(model: Model) -> AbstractContextManager[object]:
    """The model keeping few activations (gradient checkpointing) where memory is scarcer than time: not on a CPU."""
    changed: Callable[..., AbstractContextManager[object]] | None = getattr(model, "changed", None)
    return nullcontext() if changed is None or model.device.type == "cpu" else changed({}, gradient_checkpointing=True)


def fit_null(model: Model, x: Latent, t: int, s: int, eps_c: Latent, null: Text, pivot: Latent, guidance: float,
             inner: int, rate: float, tolerance: float) -> tuple[Text, Latent, list[float]]:
    """The embedding that leads the step from t to s nearest to the pivot, its prediction, and every loss seen.

    The gradient is scaled before it enters the network, where float16 would lose it; Adam does not see the scale.
    """
    words, best = null.embeddings.detach().clone().requires_grad_(), (null, eps_c)
    losses: list[float] = []
    adam = torch.optim.Adam([words], lr=rate)
    for j in range(inner + 1):
        with torch.set_grad_enabled(j < inner):
            eps_u = model.eps(x, t, Text(words, null.pooled))
            loss = (model.step(x, guide(eps_u, eps_c, guidance), t, s) - pivot).square().mean()
        if not isfinite(loss) and not losses:
            raise FloatingPointError(
                f"The loss at time {t} is {loss.item()} before any update: load the model with dtype=torch.float32."
            )
        if not isfinite(loss):  # the last update went too far: what was best before it stays
            break
        losses.append(loss.item())
        if losses[-1] <= min(losses):
            best = Text(words.detach().clone(), null.pooled), eps_u.detach()
        if j == inner or losses[-1] <= tolerance:
            break
        (words.grad,) = torch.autograd.grad(loss, words, loss.new_tensor(x.numel() / losses[0] ** 0.5))
        adam.step()
    return *best, losses


# ------------------------------------------------------------------------------------------------------ edit-friendly


@method
def edit_friendly(model: Model, image: Picture, prompt: Prompt, *, skip: Skip = 0.36, eta: Share = 1.0, seed: Seed = 0,
                  steps: Steps = OWN, guidance: Guidance = OWN, size: Size = None,
                  progress: Progress = True, watch: Watch = ignore) -> Source:
    """Edit-friendly DDPM inversion: independent states on the way, and what each step must add to join them.

    T - T_skip calls of the model, one for each step that is walked. The noises hold the picture's layout (they are not
    white), so the same noises under another prompt keep it. The paper, on Stable Diffusion: T = 100, guidance 3.5 here
    and 15 in the edit, skip 0.36.
    seed: of the noise; every state has its own.
    """
    times = model.times(steps, 1 - skip)
    if len(times) == 1:
        raise ValueError(f"skip is {skip}: of {steps} steps none is left. Give a smaller one, or more steps.")
    text, x0 = model.embed(prompt), encode_one(model, image, size)
    drawn = noise(seed, (1, len(times) - 1, *x0.shape[1:]))[0].split(1)  # independent, one for each time
    x = [*(model.add_noise(x0, z, t) for z, t in zip(drawn, times, strict=False)), x0]
    variance_noise = []
    for i, (t, s) in enumerate(pairs(times, progress)):
        eps = cfg(model, x[i], t, text, guidance)
        mean = model.step(x[i], eps, t, s, eta)
        variance_noise.append(x[i + 1] - mean)
        x[i + 1] = mean + variance_noise[i]  # what walking it again will give, to the last bit
        watch(x=x[i + 1], t=s, eps=eps)
    return Source(prompt, steps, guidance, tuple(times), torch.cat(x).cpu(), model.fingerprint,
                  variance_noise=torch.cat(variance_noise).cpu(), eta=eta)


# ----------------------------------------------------------------------------------------------------- walk it again


@method
def reconstruct(model: Model[Made], source: Source, prompt: Prompt | None = None, *, guidance: Guidance = OWN,
                progress: Progress = True, watch: Watch = ignore) -> Made:
    """The source's noise walked again: under its own prompt the reconstruction, under another the simplest edit.

    prompt, guidance: the source's unless given.
    One call of the model for each step; none where the source is pinned and keeps its own prompt, for then it is the
    trajectory that counts. Raises ValueError if the source was made with another model.
    """
    check_source(source, model)
    if prompt is None and source.pinned:
        return model.decode(source.trajectory[-1:])[0]
    text = model.embed(source.prompt if prompt is None else prompt)
    return model.decode(ddim_sample(model, source, text, guidance, progress, watch)[-1:])[0]


def ddim_sample(model: Model, source: Source, text: Text, guidance: float, progress: Progress = True,
                watch: Watch = ignore) -> States:
    """The states from the source's noise down under `text`, with its empty prompts and added noise."""
    x = [source.trajectory[:1].to(model.device)]
    for i, (t, s) in enumerate(pairs(source.times, progress)):
        eps = cfg(model, x[i], t, text_at(source, text, i), guidance)
        x.append(step_at(source, model, x[i], eps, i))
        watch(x=x[-1], t=s, eps=eps)
    return torch.cat(x).cpu()
