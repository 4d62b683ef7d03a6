"""Local blending: the edited picture may differ from the source only where chosen words are seen.

Hertz et al., "Prompt-to-Prompt image editing with cross attention control", arXiv:2208.01626, section 3.

    paper     here     what                                              shape or range
    w, w*     seen     the maps of the words, averaged over the steps    an `AttentionStore`
    alpha     alpha    the mask                                          (T, 1, h, w), 0 or 1
    k         K_MASK   a pixel belongs to a word above this share        0.3 of the map's maximum
    z, z*     z, ...   noisy latents of the source and of T targets      (1, C, h, w), (T, C, h, w)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

from helpers.attention.edits import UP_TO
from helpers.attention.maps import AttentionStore, finest_grid
from helpers.core.shapes import Latent

Targets = Float[Tensor, "T C h w"]

K_MASK = 0.3


def local_blend(seen: AttentionStore, z: Latent, z_star: Targets) -> Targets:
    """z* <- (1 - alpha) z + alpha z*; z* as it is where no words are chosen."""
    if not seen.words:
        return z_star
    alpha = blend_mask(seen, z.shape[-2:]).to(z)
    return (1 - alpha) * z + alpha * z_star


def blend_mask(seen: AttentionStore, size: Sequence[int], up_to: int = UP_TO) -> Float[Tensor, "T 1 h w"]:
    """alpha: where a word is seen in the source or in the target, by the maps averaged so far.

    From the finest grid whose shorter side is at most `up_to`, or the coarsest there is.
    """
    grid = finest_grid(seen.seen_grids, up_to)
    seen.grids = [grid]  # from the next step on, only these are watched
    of_words = [torch.stack([seen.map(word, grid, i, before=True) for word in seen.words]).sum(0)
                for i in range(len(seen.prompts))]  # M of the source, M* of the targets
    maps = torch.stack(of_words)[:, None]
    maps = interpolate(max_pool2d(maps, 3, stride=1, padding=1), size=tuple(size))
    mask = maps > K_MASK * maps.amax((1, 2, 3), keepdim=True)
    return (mask[:1] | mask[1:]).float()
