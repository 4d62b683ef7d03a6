"""A mask from a word: where a picture's pixels look at it. No second prompt, no painting.

Hertz et al., "Prompt-to-Prompt", 2022, arXiv:2208.01626, section 3.2 (local editing) makes its mask so while it
samples; here the picture is given, and noised as DiffEdit does (arXiv:2210.11427, step 1).
Differs from the paper: the maps come from noised copies of the picture instead of the steps that made it.

    paper    here        what                                            shape or range
    M_t,w    attended    the word's attention map, averaged              (h, w) of latents, largest value 1
    k        threshold   above it is mask; the paper's code takes 0.3    (0, 1)
    -        word        a word or phrase of the prompt                  all its tokens count
    -        strength    how noisy the copies are                        (0, 1]
    -        maps        how many noises                                 1 ...
"""

from __future__ import annotations

import torch
from PIL import Image
from torch.nn.functional import interpolate

from helpers.attention.control import attention
from helpers.attention.maps import AttentionStore, finest_grid
from helpers.core.diffusion import encode_one, pairs
from helpers.core.interface import Model, Picture, Progress, Watch, ignore
from helpers.core.masks import from_latents
from helpers.core.randomness import noise
from helpers.core.shapes import Map
from helpers.core.values import Prompt, Seed, Steps
from helpers.methods.contract import OWN, method
from helpers.methods.diffedit import Maps, Noised, Threshold, time_at


@method
def attended(model: Model, image: Picture, prompt: Prompt, word: Prompt, *, strength: Noised = 0.3, maps: Maps = 10,
             seed: Seed = 0, steps: Steps = OWN, progress: Progress = True, watch: Watch = ignore) -> Map:
    """How much each latent of `image` looks at `word`, its largest value 1; one call of `maps` rows.

    Raises ValueError if the word is not in the prompt.
    """
    t = time_at(model, steps, strength)
    x0 = encode_one(model, image)
    x_t = model.add_noise(x0, noise(seed, (maps, *x0.shape[1:])), t)
    with attention(model, store=AttentionStore(word), prompts=[prompt] * maps) as seen:
        for _ in pairs([t, t], progress):
            eps = model.eps(x_t, t, model.embed(prompt))
            watch(x=x_t, t=t, eps=eps)
    # as in local blending, the finest grid that is not of textures
    grid = finest_grid(seen.seen_grids)
    mean = torch.stack([seen.map(word, grid, prompt=i, before=False) for i in range(maps)]).mean(0)
    found = interpolate(mean[None, None], x0.shape[-2:], mode="bilinear")[0, 0]
    return found / found.max()


@method
def word_mask(model: Model, image: Picture, prompt: Prompt, word: Prompt, *, threshold: Threshold = 0.4,
              strength: Noised = 0.3, maps: Maps = 10, seed: Seed = 0, steps: Steps = OWN,
              progress: Progress = True, watch: Watch = ignore) -> Image.Image:
    """Where `image` shows `word`: white there, mode "L", of the model's size, in blocks of one latent.

    prompt: what the picture shows; word: one of its words, or several in a row.
    """
    found = attended(model, image, prompt, word, strength=strength, maps=maps, seed=seed, steps=steps,
                     progress=progress, watch=watch)
    return from_latents(found > threshold, model.size)
