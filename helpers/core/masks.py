"""Masks: white may change, black stays. From anything a reader hands in to the picture's frame and to the latents.

    mask = as_mask(drawing)                       mode "L", from a picture of any mode or an array of any kind
    mask = fitted(mask, picture, model.size)      cut and resized as the picture is
    m = to_latents(mask, x0)                      (1, 1, h, w) in [0, 1]

Grey is allowed everywhere: a soft mask stays soft, a hard one (black and white alone) stays hard. Where one pixel
stands for several, it may change if any of them may, so that nothing thin is lost.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, cast

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, max_pool2d

from helpers.core.interface import Made, Picture
from helpers.core.pictures import AS_SIZE, as_array, as_picture, opened, rgb
from helpers.core.tensors import LatentMask, Latents, fit_each_other
from helpers.core.values import Count, Kind, WrongKind, entrance, shown
from helpers.core.warn import MaskWarning, warn

GREY = 32  # levels by which the colours of a grey picture may differ (JPEG makes such differences)
SAME_SHAPE = 0.01  # by how much the aspect ratios of mask and picture may differ (rounding of small sizes)


# ------------------------------------------------------------------------------------------------- from what is given


def as_mask(mask: Picture) -> Image.Image:
    """Any mask as a picture of mode "L", 255 where the picture may change; of the size it has.

    mask: a path, a PIL picture, an array or a tensor of shape (H, W), (H, W, 1), (H, W, 3), (H, W, 4) or (1, H, W),
        with booleans, whole numbers in 0 ... 255 or floats in 0 ... 1. Whole numbers that are all 0 or 1 are booleans.
        A drawing with transparent parts, as paint programs save it: where there is paint, in any colour, is white.

    Raises TypeError for what is no mask at all, ValueError for a coloured picture without transparent parts and for
    values out of range.
    """
    mask = as_array(mask) if isinstance(mask, (Tensor, np.ndarray)) else mask
    if not isinstance(mask, (str, os.PathLike, Image.Image, np.ndarray)):
        raise TypeError(f"The mask is a {type(mask).__name__}; expected a path, a PIL picture or an array (H, W).")
    while isinstance(mask, np.ndarray) and mask.ndim > 2 and mask.shape[0] == 1:
        mask = mask[0]
    picture = ImageOps.exif_transpose(opened(mask))
    levels = np.asarray(alpha_of(picture) or grey_of(picture))
    return Image.fromarray(levels * 255 if levels.max() == 1 else levels)


ReadMask = Annotated[Any, Kind(lambda name, value: as_mask(value))]  # for `entrance`: any mask, as mode "L"


def alpha_of(picture: Image.Image) -> Image.Image | None:
    """How opaque a drawing is, mode "L"; None where everything is opaque, so that this tells nothing."""
    if not picture.has_transparency_data:
        return None
    alpha = picture.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def grey_of(picture: Image.Image) -> Image.Image:
    """The levels of a black, grey and white picture, mode "L"; an error for one in colour."""
    colors = np.asarray(rgb(picture), dtype=int)
    if np.ptp(colors, axis=-1).max() > GREY:
        raise ValueError("The mask is a coloured picture: paint white where the picture may change, black elsewhere, "
                         "or save the drawing with a transparent background; then all paint counts as white.")
    return rgb(picture).convert("L")


# ---------------------------------------------------------------------------------------------- to the picture's frame


@entrance
def fitted(mask: ReadMask, image: Picture, frame: Annotated[tuple[int, int], AS_SIZE]) -> Image.Image:
    """The mask at the size `frame` (width, height), cut and resized as `model.encode` does with the picture `image`.

    A mask of another size than the picture is resized to it, with a MaskWarning; one of exactly the frame's size
    (`find_mask` makes such) is taken as it is. Mode "L".

    Raises ValueError for another aspect ratio, for a mask that is all black, and for one that is white only where the
    picture is cut off.
    """
    white: Image.Image = mask
    size = size_of(image, frame)
    if not np.asarray(white).any():
        raise ValueError("The mask is all black: nothing may change. Paint white where the picture may change; "
                         "`helpers.core.masks.inverted(mask)` swaps black and white.")
    if white.size == frame:
        return white
    if white.size != size:
        white = resized_to(white, size)
    cut = hard_stays_hard(white, ImageOps.fit(white, frame, Image.Resampling.BOX))
    if not np.asarray(cut).any():
        raise ValueError(f"The mask is white only outside the picture: of {name(size)} the model sees the middle, "
                         f"brought to {name(frame)}. Crop picture and mask to what matters before you edit.")
    return cut


def size_of(image: Picture, frame: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of an upright picture in any form; `frame` for what is none (a point of the analytic model)."""
    if isinstance(image, (str, os.PathLike, Image.Image)) or getattr(image, "ndim", np.ndim(image)) > 1:
        return ImageOps.exif_transpose(opened(image)).size
    return frame


def resized_to(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The mask at the picture's size, with a notice; an error where the proportions differ."""
    if abs(mask.width * size[1] / (mask.height * size[0]) - 1) > SAME_SHAPE + 1 / min(*mask.size, *size):
        raise ValueError(f"The mask is {name(mask.size)} and the picture {name(size)}: they have other proportions. "
                         "Make the mask on this very picture, or crop one to the other.")
    warn(f"The mask is {name(mask.size)} and the picture {name(size)}: the mask is resized to the picture.",
         MaskWarning)
    return hard_stays_hard(mask, mask.resize(size, Image.Resampling.BOX))


def hard_stays_hard(before: Image.Image, after: Image.Image) -> Image.Image:
    """A resized mask, with white wherever a pixel holds some white if it was black and white alone before."""
    hard = set(np.unique(np.asarray(before)).tolist()) <= {0, 255}
    return after.point(lambda level: 255 if level else 0) if hard else after


def name(size: tuple[int, int]) -> str:
    """A size in words."""
    return f"{size[0]} x {size[1]} pixels"


# ----------------------------------------------------------------------------------------------------- what is done


def inverted(mask: Picture) -> Image.Image:
    """What may change stays, and what stays may change: 255 minus the mask, mode "L"."""
    return ImageOps.invert(as_mask(mask))


@entrance
def widened(mask: Picture, pixels: Count) -> Image.Image:
    """The mask grown by `pixels` to every side (squares); mode "L"."""
    mask, side = as_mask(mask), 2 * pixels + 1
    if pixels >= max(mask.size):  # every window holds the whole picture
        return Image.new("L", mask.size, mask.getextrema()[1])
    x = torch.from_numpy(np.asarray(mask, dtype=np.float32))[None, None]  # (1, 1, H, W)
    x = max_pool2d(x, (side, 1), stride=1, padding=(side // 2, 0))
    x = max_pool2d(x, (1, side), stride=1, padding=(0, side // 2))
    return Image.fromarray(x[0, 0].numpy().astype(np.uint8))


@entrance
def to_latents(mask: ReadMask, x0: Latents) -> Float[Tensor, "1 1 h w"]:
    """The mask, in any form, for latents `x0`: in [0, 1], each the largest of its pixels."""
    levels = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)
    return adaptive_max_pool2d(levels[None, None], x0.shape[-2:]).to(x0)


def levels_of(name: str, value: Any) -> Shaped[np.ndarray, "h w"]:
    """What stands for each latent: (h, w) in [0, 1]; before it there may be dimensions of length 1."""
    found = as_array(value) if isinstance(value, (np.ndarray, Tensor)) else np.zeros(0)
    found = found.reshape(found.shape[-2:]) if found.ndim > 2 and found.size == np.prod(found.shape[-2:]) else found
    if found.ndim != 2 or not found.size or not (found.min() >= 0 and found.max() <= 1):
        raise WrongKind(f"{name} is {shown(value)}; expected a mask of latents (h, w) with values in [0, 1].")
    return found


@entrance
def from_latents(m: Annotated[Any, Kind(levels_of)], frame: Annotated[tuple[int, int], AS_SIZE]) -> Image.Image:
    """A mask (h, w) in [0, 1] at the size `frame` (width, height), in blocks; mode "L"."""
    levels = (m.astype(np.float32) * 255).round().astype(np.uint8)
    return Image.fromarray(levels).resize(frame, Image.Resampling.BOX)


def dilated(m: Latents, side: int) -> Latents:
    """The largest value in a window of `side` x `side` (an odd number) around each pixel."""
    return max_pool2d(m, side, stride=1, padding=side // 2)


@entrance
def blend(inside: Latents, outside: Latents, m: LatentMask) -> Latents:
    """m inside + (1 - m) outside: two states at the same time; m is in [0, 1]."""
    fit_each_other(inside=inside, outside=outside, m=m)
    return m * inside + (1 - m) * outside


@entrance
def paste(result: Made, image: Picture, mask: ReadMask) -> Made:
    """`result` where the mask is white and the very pixels of `image` where it is black; between, a mix.

    The picture `image` is brought to the result's size; ValueError for a mask of another size. A point of the analytic
    model comes back as it is: its latent is the point itself, so that nothing was lost.
    """
    if not isinstance(result, Image.Image):
        return result
    if mask.size != result.size:
        raise ValueError(
            f"The mask is {name(mask.size)} and the result {name(result.size)}: bring the mask to the "
            "result's size with `fitted`."
        )
    return cast(Made, Image.composite(as_picture(result), as_picture(image, result.size), mask))
