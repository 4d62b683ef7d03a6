"""DiffEdit: find the mask by asking twice, encode the picture, decode it under the new prompt inside the mask.

Couairon et al., "DiffEdit: Diffusion-based semantic image editing with mask guidance", ICLR 2023, arXiv:2210.11427,
section 3.2, steps 1 to 3.
Differs from the paper: the extremes of the difference are clipped at three times its mean (the paper does not say
how); outside the mask the original pixels are put back unless `exact` is False.

    paper    here           what                                              shape or range
    x_0      image          the picture                                       any picture; latent (1, C, h, w)
    R        source_prompt  what it shows, or nothing                         a text
    Q        prompt         what it shall show                                a text
    n        maps           noises the difference is averaged over            1, 2, ...; the paper's 10
    tau      threshold      above it the picture may change                   (0, 1); the paper's 0.5
    M        mask           white where the picture may change                (1, 1, h, w) in [0, 1]
    r        strength       encoding ratio: how far up to encode              [0, 1]; 0 gives the picture back
    x_t      z              the picture encoded up to time t                  (1, C, h, w)
    y_t      y              the edited state                                  (1, C, h, w)
    T        steps          steps from pure noise to clean                    strength * steps are run, up and down
    w        guidance       how strongly the prompt pulls                     1 is plain conditional
    -        exact          outside the mask the original pixels              else what the autoencoder makes of them

Guidance multiplies the difference of step 1 by w, which the rescaling takes out again. So the mask needs no empty
prompt: two estimates for each noise, not four. The encoding is unconditional: a step up takes the noise that is
predicted one step too early, and guidance would multiply that mistake. Both sides of a masked step are at the same time
s: outside the mask the clean latent is the picture's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from PIL import Image

from helpers.core.diffusion import cfg, encode_one, pairs
from helpers.core.interface import CLEAN, Made, Model, Picture, Progress, Watch, ignore, join
from helpers.core.masks import blend, fitted, from_latents, paste, to_latents
from helpers.core.randomness import noise
from helpers.core.shapes import Latents, Map, Same
from helpers.core.values import MAPS, Flag, Guidance, Number, Prompt, Seed, Share, Steps
from helpers.methods.contract import OWN, method

CLIP = 3.0  # extremes of the difference are clipped at this many times its mean
LATENTS_AT_ONCE = 16384  # latent pixels in one batch: 32 maps of Picturebook, 2 of 512 px, 1 of 1024 px
Noised = Annotated[float, Number(0, 1, above=True, hint="at 0 there would be no noise to predict")]
Threshold = Annotated[float, Number(0, 1, above=True, below=True, hint="0 would be all, 1 nothing")]
Maps = Annotated[int, Number(1, MAPS, whole=True, hint="10 are usual")]


def time_at(model: Model, steps: int, strength: float) -> int:
    """The time of that strength; ValueError where so few steps round it to none."""
    if (t := model.times(steps, strength)[0]) == CLEAN:
        raise ValueError(f"{steps} steps at strength {strength} round to none: take more steps or a larger strength.")
    return t


@method
def difference(model: Model, image: Picture, source_prompt: Prompt, prompt: Prompt, *, strength: Noised = 0.5,
               maps: Maps = 10, seed: Seed = 0, steps: Steps = OWN, progress: Progress = True,
               watch: Watch = ignore) -> Map:
    """How much the two prompts disagree about the noise at each place of the picture, in [0, 1].

    |eps(x_t, Q) - eps(x_t, R)|, mean over the channels and over `maps` noises (seed, seed + 1, ...), the extremes
    clipped, brought to [0, 1]. 2 * maps estimates, in batches. strength: how far to noise the picture, in (0, 1].
    Raises ValueError when the prompts are the same to the model.
    """
    t = time_at(model, steps, strength)
    q, r = model.embed(prompt), model.embed(source_prompt)
    if torch.equal(q.embeddings, r.embeddings):
        raise ValueError(f"There is nothing to edit: {source_prompt!r} and {prompt!r} are the same to the model. "
                         "Say in the second prompt what shall differ, or give a mask.")
    x0 = encode_one(model, image)
    z = noise(seed, (maps, *x0.shape[1:]))  # another noise for each map
    d = torch.zeros(x0.shape[-2:], dtype=torch.float32, device=x0.device)
    at_once = max(1, LATENTS_AT_ONCE // (2 * d.numel()))
    for i, j in pairs([*range(0, maps, at_once), maps], progress):
        x_t = model.add_noise(x0, z[i:j], t)
        eps = model.eps(torch.cat([x_t, x_t]), t, join(q.rows(j - i), r.rows(j - i)))
        eps_q, eps_r = eps.chunk(2)
        d += (eps_q - eps_r).abs().mean(1).sum(0) / maps
        watch(x=x_t, t=t, eps=eps)
    return rescaled(d)


def rescaled(d: Same) -> Same:
    """The difference d with its extremes clipped, then brought to [0, 1]; 1 if it is the same everywhere.

    To divide by the clipping value instead of the largest one, as a widely used port does, finds nothing where the edit
    covers more than two thirds of the picture: there no difference is near three times the mean.
    """
    d = d.clamp(max=CLIP * d.mean())
    low, high = d.min(), d.max()
    return (d - low) / (high - low) if high > low else torch.full_like(d, float(high > 0))


@method
def find_mask(model: Model, image: Picture, source_prompt: Prompt, prompt: Prompt, *, strength: Noised = 0.5,
              maps: Maps = 10, threshold: Threshold = 0.5, seed: Seed = 0, steps: Steps = OWN,
              progress: Progress = True, watch: Watch = ignore) -> Image.Image:
    """Where the picture must change for `source_prompt` to become `prompt`: white there, mode "L", of the model's size.

    The `difference` above the threshold, in blocks of one latent. source_prompt: what the picture shows, or "".
    Raises ValueError when the prompts are the same to the model.
    """
    d = difference(model, image, source_prompt, prompt, strength=strength, maps=maps, seed=seed, steps=steps,
                   progress=progress, watch=watch)
    return from_latents(d > threshold, model.size)


def encoded(model: Model, x0: Latents, times: Sequence[int], progress: Progress = True,
            watch: Watch = ignore) -> dict[int, Latents]:
    """The latent x0 at each of `times` (noisy first, CLEAN last): DDIM steps upwards, unconditionally."""
    nothing = model.embed("")
    z = {times[-1]: x0}
    for s, t in pairs(times[::-1], progress):  # from s up to t
        eps = cfg(model, z[s], s, nothing, 0)
        z[t] = model.step(z[s], eps, s, t)
        watch(x=z[t], t=t, eps=eps)
    return z


@method
def diffedit(model: Model[Made], image: Picture, source_prompt: Prompt, prompt: Prompt, *, strength: Share = 0.8,
             mask: Picture | None = None, maps: Maps = 10, threshold: Threshold = 0.5, exact: Flag = True,
             seed: Seed = 0, steps: Steps = OWN, guidance: Guidance = OWN, progress: Progress = True,
             watch: Watch = ignore) -> Made:
    """The picture `image` changed from `source_prompt` to `prompt` where the model itself sees the difference.

    strength: in [0, 1], how far the picture is encoded (the paper's r). The mask is sought at 0.5, as in the paper;
        `find_mask` has that knob, and shows the mask.
    mask: where to edit, if it is known: painted, from `find_mask`, or from attention. Then `source_prompt`, `maps` and
        `threshold` are not used.
    exact: outside the mask every pixel is the original's, bit for bit. Otherwise only the latents are.
    seed: of the noises the mask is found with; the encoding needs none. The others: see helpers.methods.contract.
        With n = round(strength * steps): 2 * maps estimates for the mask, n to encode, n to decode (2 n with guidance).
    Raises ValueError when there is nothing to edit (the prompts are the same) and for a mask that does not fit.
    """
    times = model.times(steps, strength)  # r > ... > CLEAN
    if mask is None:  # step 1
        mask = find_mask(model, image, source_prompt, prompt, maps=maps, threshold=threshold, seed=seed, steps=steps,
                         progress=progress, watch=watch)
    mask = fitted(mask, image, model.size)
    text = model.embed(prompt)
    x0 = encode_one(model, image)
    m = to_latents(mask, x0)
    z = encoded(model, x0, times, progress, watch)  # step 2
    y = z[times[0]]
    for t, s in pairs(times, progress):  # step 3
        eps = cfg(model, y, t, text, guidance)
        y = blend(model.step(y, eps, t, s), z[s], m)
        watch(x=y, t=s, eps=eps, mask=mask)
    result = model.decode(y)[0]
    return paste(result, image, mask) if exact else result
