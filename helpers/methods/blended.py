"""Blended diffusion: at every step, the text draws inside the mask and the noised picture stands outside it.

Avrahami et al., "Blended Diffusion for text-driven editing of natural images", CVPR 2022, arXiv:2111.14818, Algorithm 2
and section 5 (scribbles). Avrahami et al., "Blended Latent Diffusion", SIGGRAPH 2023, arXiv:2206.02779: the same in
latents, and the mask of a thin region dilated at first (section 4.3).
Differs from the papers: classifier-free guidance instead of CLIP's gradient; deterministic DDIM steps and one noise
for all times; outside the mask the original pixels are put back, where the second paper tunes the decoder; one result,
where the papers make many and rank them.

    paper        here      what                                               shape or range
    x            image     the picture                                        any picture; latent (1, C, h, w)
    m            mask      white where the picture may change                 any mask; (1, 1, h, w) in [0, 1]
    d            prompt    what to draw there; empty removes                  a text
    k            strength  how far to noise the picture                       [0, 1]; the paper's 75 of 100 steps
    -            thin      start with a wider mask and let it shrink          7, 5, 3, 1 latents wide
    -            exact     outside the mask the original pixels               else what the autoencoder makes of them
    z            z         the noise, drawn from `seed`                       (1, C, h, w)
    x_fg         x_fg      denoised under the prompt, at time s               (1, C, h, w)
    x_bg         x_bg      the picture noised to the same time s              (1, C, h, w)
    T            steps     steps from pure noise to clean                     strength * steps of them are run
    w            guidance  how strongly the prompt pulls                      1 is plain conditional

Both sides of a blend are at the same time s. A published script blends the picture noised to t, one step too noisy,
into a state at s; after the last step that noise stays in the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from helpers.core.diffusion import cfg, encode_one, pairs
from helpers.core.interface import Made, Model, Picture, Progress, Watch, ignore
from helpers.core.masks import alpha_of, blend, dilated, fitted, paste, to_latents, widened
from helpers.core.pictures import as_picture, opened
from helpers.core.randomness import noise
from helpers.core.shapes import Latents
from helpers.core.values import Flag, Guidance, Prompt, Seed, Share, Steps
from helpers.methods.contract import OWN, method

SIDES = (7, 5, 3, 1)  # of the window a thin mask is dilated with, each for a quarter of the steps


def shrinking(m: Latents, count: int) -> list[Latents]:
    """The mask for each of `count` steps: dilated with 7 x 7, 5 x 5, 3 x 3, and as it is, a quarter of the steps each.

    The last step has the mask as it is, however few steps there are.
    """
    return [dilated(m, SIDES[len(SIDES) * i // count if i < count - 1 else -1]) for i in range(count)]


@method
def blended_diffusion(model: Model[Made], image: Picture, prompt: Prompt, mask: Picture, *, strength: Share = 0.75,
                      thin: Flag = False, exact: Flag = True, seed: Seed = 0, steps: Steps = OWN,
                      guidance: Guidance = OWN, progress: Progress = True, watch: Watch = ignore) -> Made:
    """The picture `image` with what `prompt` says drawn where `mask` is white, as a picture of the model's size.

    prompt: what the masked part shall show. The empty prompt, or the background's, removes what is there.
    mask: white may change (`helpers.core.as_mask` takes every form). Use `inverted(mask)` to replace the background.
    strength: in [0, 1]. 0 gives the picture back, 1 starts from noise alone inside the mask.
    thin: for masks a few latents wide, which are easily overlooked: blend with a wider mask at first.
    exact: outside the mask every pixel is the original's, bit for bit. Otherwise only the latents are, so that the
        autoencoder changes what it cannot keep; the seam is softer.
    seed, steps, guidance, progress, watch: see helpers.methods.contract. round(strength * steps) calls of the model.
    Raises ValueError for a mask that is all black, lies outside the picture or has another aspect ratio.
    """
    times = model.times(steps, strength)  # k > ... > CLEAN
    mask = fitted(mask, image, model.size)
    text = model.embed(prompt)
    x0 = encode_one(model, image)
    m = to_latents(mask, x0)
    masks = shrinking(m, len(times) - 1) if thin else [m] * (len(times) - 1)
    z = noise(seed, x0.shape)
    x = model.add_noise(x0, z, times[0])
    for (t, s), m_s in zip(pairs(times, progress), masks, strict=True):  # from t down to s
        eps = cfg(model, x, t, text, guidance)
        x_fg = model.step(x, eps, t, s)
        x_bg = model.add_noise(x0, z, s)
        x = blend(x_fg, x_bg, m_s)
        watch(x=x, t=s, eps=eps, mask=mask)
    result = model.decode(x)[0]
    return paste(result, image, mask) if exact else result


@method
def scribble(model: Model[Made], image: Picture, prompt: Prompt, drawing: Picture, *, mask: Picture | None = None,
             strength: Share = 0.6, exact: Flag = True, seed: Seed = 0, steps: Steps = OWN,
             guidance: Guidance = OWN, progress: Progress = True, watch: Watch = ignore) -> Made:
    """The scribble `drawing` on the picture `image` turned into what `prompt` says: painted on it, then blended.

    drawing: the paint alone (RGBA, transparent where nothing is painted), or the picture with the paint on it (RGB).
    mask: where the thing may be; where there is paint and a sixteenth of the picture around it unless given. Paint
        outside it is left out.
    strength: below blended diffusion's (the paper takes 60 of 100 steps), so that the scribble's colours last.
    exact and the others: as in `blended_diffusion`.
    Raises ValueError when nothing is painted or the drawing is not of the picture's size, and as `blended_diffusion`.
    """
    painted, paint = painted_on(as_picture(image), drawing)
    mask = widened(paint, max(1, min(paint.size) // 16)) if mask is None else mask
    mask = fitted(mask, image, model.size)
    painted = paste(as_picture(painted, model.size), image, mask)
    return blended_diffusion(model, painted, prompt, mask, strength=strength, exact=exact, seed=seed, steps=steps,
                             guidance=guidance, progress=progress, watch=watch)


def painted_on(picture: Image.Image, drawing: Picture) -> tuple[Image.Image, Image.Image]:
    """The RGB picture with the drawing on it, and where there is paint (mode "L")."""
    drawing = ImageOps.exif_transpose(opened(drawing))
    if drawing.size != picture.size:
        raise ValueError(
            f"The drawing is {drawing.width} x {drawing.height} pixels and the picture {picture.width} x "
            f"{picture.height}: draw on this very picture."
        )
    alpha = alpha_of(drawing)
    if alpha is None:
        differs = (np.asarray(as_picture(drawing)) != np.asarray(picture)).any(-1)
        painted, paint = as_picture(drawing), Image.fromarray(np.where(differs, 255, 0).astype(np.uint8))
    else:
        painted, paint = Image.composite(drawing.convert("RGB"), picture, alpha), alpha
    if paint.getbbox() is None:
        raise ValueError("Nothing is painted on the picture: the drawing is the picture itself, or empty.")
    return painted, paint
