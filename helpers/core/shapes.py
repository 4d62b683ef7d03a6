"""The shapes of what goes through the package, by name: what an annotation says of a tensor.

    def blend(inside: Latents, outside: Latents, m: LatentMask) -> Latents: ...

    letter      what
    B           rows of a batch: one for each picture
    C h w       channels, height and width of a latent
    H W         height and width in pixels
    n d         tokens of a prompt, or pixels, and the numbers of each
    T           targets of an edit
    1, 3        that many; #B may be 1, too
    ...         any number of dimensions, *same the same ones wherever it stands

A letter is one number in all of a signature: `inside` and `outside` above have the same B, C, h and w. Shapes that only
one function has are written there, Float[Tensor, "T n n"]. Nothing is checked where the package is used; tests check
every call (tests/shape_checks.py).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, Shaped
from torch import Tensor

Latents = Float[Tensor, "B C h w"]
Latent = Float[Tensor, "1 C h w"]  # of one picture
LatentMask = Float[Tensor, "#B 1 h w"]  # in [0, 1]: 1 may change
States = Float[Tensor, "times C h w"]  # one latent at each time of a trajectory
Times = Integer[Tensor, " B"]  # one for each latent
OfLatents = Float[Tensor, " B"]  # one number for each latent
Loss = Float[Tensor, ""]
Map = Float[Tensor, "h w"]  # one number for each pixel of a latent
Embeddings = Float[Tensor, "B n d"]
Pooled = Float[Tensor, "B p"]
Heads = Float[Tensor, "B heads n d"]  # of attention: queries, keys, values
Hidden = Float[Tensor, "B n width"]  # what a layer of the network hands to the next
Pixels = Float[Tensor, "B 3 H W"]  # of pictures, in [-1, 1]
Weight = Shaped[Tensor, "..."]  # of a network, or what is fitted: of any shape
Same = Float[Tensor, "*same"]  # of any shape, and all of one
Noise = Float[Tensor, "B ..."]

Point = Float[np.ndarray, "2"]  # the analytic model's picture
MapArray = Float[np.ndarray, "h w"]
Levels = Shaped[np.ndarray, "H W"]  # one number, or truth, for each pixel
Array = Shaped[np.ndarray, "..."]  # of any shape
ArrayOrTensor = Array | Shaped[Tensor, "..."]
