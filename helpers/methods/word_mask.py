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

from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from helpers.attention.control import attention
from helpers.attention.edits import UP_TO
from helpers.attention.maps import AttentionStore
from helpers.core.diffusion import add_noise, encode_one
from helpers.core.interface import CLEAN, Model
from helpers.core.masks import from_latents
from helpers.core.randomness import noise


@torch.no_grad()
def attended(model: Model, image: Any, prompt: str, word: str, *, strength: float = 0.3, maps: int = 10,
             seed: int = 0) -> Tensor:
    """How much each latent of `image` looks at `word`, (h, w), its largest value 1; one call of `maps` rows.

    Raises ValueError if the word is not in the prompt, or a number is out of range.
    """
    if not 0 < strength <= 1 or maps < 1:
        raise ValueError(f"strength is {strength}, maps is {maps}; expected a strength above 0, up to 1, and 1 map "
                         "or more.")
    t = model.times(model.steps, strength)[0]
    if t == CLEAN:
        raise ValueError(f"{model.steps} steps at strength {strength} round to none: take a larger strength.")
    x0 = encode_one(model, image)
    x_t = add_noise(model, x0, noise(seed, (maps, *x0.shape[1:])), t)
    with attention(model, look=AttentionStore(word), prompts=[prompt] * maps) as seen:
        model.eps(x_t, t, model.embed(prompt))
    # as in local blending, the finest grid that is not of textures
    grid = next((grid for grid in seen.seen_grids if min(grid) <= UP_TO), seen.seen_grids[-1])
    mean = torch.stack([seen.map(word, grid, prompt=i, before=False) for i in range(maps)]).mean(0)
    found = interpolate(mean[None, None], x0.shape[-2:], mode="bilinear")[0, 0]
    return found / found.max()


def word_mask(model: Model, image: Any, prompt: str, word: str, *, threshold: float = 0.4, strength: float = 0.3,
              maps: int = 10, seed: int = 0) -> Image.Image:
    """Where `image` shows `word`: white there, mode "L", of the model's size, in blocks of one latent.

    prompt: what the picture shows; word: one of its words, or several in a row.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold is {threshold}; expected a number between 0 (all) and 1 (nothing).")
    found = attended(model, image, prompt, word, strength=strength, maps=maps, seed=seed)
    return from_latents(found > threshold, model.size)
