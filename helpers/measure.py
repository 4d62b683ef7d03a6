"""Is an edit any good? Obeyed, kept, and how far from the truth.

    obeyed     does the picture show what P* asks for?           share of the changed attributes, [0, 1]
    kept       is the rest as it was?                            PSNR in dB outside the true mask, higher is better
    distance   how far is it from the true I*?                   mean absolute difference of pixels, [0, 1]
    iou        is a found mask the true one?                     intersection over union of the white parts, [0, 1]
    seam       can the mask's border be seen in the picture?     extra step across it, [-1, 1]; 0 is no seam

The first three need a picture of the Picturebook world, where the true I* is known (`helpers.picturebook.edits.Edit`).
Pictures and masks come in any form `as_picture` and `as_mask` take. `kept`, `distance` and `seam` compare pixel by
pixel: pictures and masks of different sizes are a ValueError.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image, ImageFilter

from helpers.core.masks import ReadMask
from helpers.core.pictures import Read, as_picture
from helpers.core.shapes import Array
from helpers.core.values import Kind, entrance, numbers, shown
from helpers.picturebook.edits import Edit
from helpers.picturebook.judge import Judge

BEST_PSNR = 60.0  # dB; stands for "no difference at all"


class Score(NamedTuple):
    """One edited picture, scored against its edit."""

    obeyed: float  # share of the changed attributes the picture shows, [0, 1]
    kept: float  # dB outside the mask
    distance: float  # to the true I*, [0, 1]


@entrance
def score(result: Read, edit: Edit, judge: Judge) -> Score:
    """Obeyed, kept and distance of an edited picture.

    A result of another size is brought to the edit's. The attributes are read by the judge; an attribute that has no
    meaning in the changed scene does not count. Where the edit changes the whole picture (its style, say) there is
    nothing to keep, and `kept` is not a number (nan).
    """
    if result.size != edit.picture.size:
        result = result.resize(edit.picture.size)
    keeps = outside(edit.mask).any()
    return Score(obeyed(result, edit, judge), kept(result, edit.picture, edit.mask) if keeps else float("nan"),
                 distance(result, edit.target_picture))


@entrance
def obeyed(result: Read, edit: Edit, judge: Judge) -> float:
    """The share of the changed attributes that the picture shows as P* asks, in [0, 1]."""
    reading = judge.read([result])[0]
    asked = [name for name in edit.changed if edit.target.has(name)]
    return float(np.mean([reading.agrees(edit.target, name) for name in asked])) if asked else 1.0


@entrance
def kept(result: Read, picture: Read, mask: ReadMask) -> float:
    """How well the picture outside the mask is kept: PSNR in dB over those pixels alone.

    The mask is widened by 4 pixels, since an autoencoder blurs the rim of what changed. An image of one colour
    everywhere outside gives about 10 dB, the autoencoder alone gives what it can; 60 means no difference at all.
    """
    check_sizes(result=result, picture=picture, mask=mask)
    rest = outside(mask)
    if not rest.any():
        raise ValueError("The mask covers the whole picture: there is nothing to keep. Use `distance` instead.")
    return psnr(_array(result)[rest], _array(picture)[rest])


@entrance
def outside(mask: ReadMask) -> Bool[np.ndarray, "H W"]:
    """The pixels more than 4 pixels away from the mask."""
    return np.asarray(mask.convert("L").filter(ImageFilter.MaxFilter(9))) < 128


@entrance
def distance(result: Read, truth: Read) -> float:
    """The mean absolute difference to the true I*, in [0, 1]."""
    check_sizes(result=result, truth=truth)
    return float(np.abs(_array(result) - _array(truth)).mean())


@entrance
def iou(found: ReadMask, true: ReadMask) -> float:
    """How much of two masks is the same: their common white part over all that is white in one or both, in [0, 1].

    Both mode "L", white from 128 on; a mask of another size is brought to the true one's. Two black masks are the same.
    """
    a, b = (np.asarray(mask.convert("L").resize(true.size, Image.Resampling.BOX)) >= 128 for mask in (found, true))
    return float((a & b).sum() / (a | b).sum()) if (a | b).any() else 1.0


@entrance
def seam(picture: Read, mask: ReadMask) -> float:
    """How much larger the step across the mask's border is than the steps beside it, in [-1, 1]; 0 is no seam.

    A step is the mean absolute difference of two neighbouring pixels, levels in [0, 1]; "beside" is one pixel in
    or out. A picture has edges of its own: compare with the true picture's number. `mask` is of the picture's
    size, mode "L". ValueError where it has no border.
    """
    check_sizes(picture=picture, mask=mask)
    across, beside = [], []
    for turn in ((0, 1, 2), (1, 0, 2)):  # rows, then columns
        levels = _array(picture).transpose(turn)
        white = (np.asarray(mask.convert("L")) >= 128).transpose(turn[:2])
        steps, border = np.abs(np.diff(levels, axis=1)).mean(-1), white[:, 1:] != white[:, :-1]
        near = np.zeros_like(border)
        near[:, 1:] |= border[:, :-1]
        near[:, :-1] |= border[:, 1:]
        across.append(steps[border])
        beside.append(steps[near & ~border])
    at_border, nearby = np.concatenate(across), np.concatenate(beside)
    if not at_border.size:
        raise ValueError("The mask has no border: it is all white or all black.")
    return float(at_border.mean() - (nearby.mean() if nearby.size else 0.0))


def check_sizes(**pictures: Image.Image) -> None:
    """A ValueError that names the sizes, unless all pictures have one size."""
    if len({picture.size for picture in pictures.values()}) > 1:
        sizes = ", ".join(f"{name} {picture.width} x {picture.height}" for name, picture in pictures.items())
        raise ValueError(f"The sizes differ: {sizes}. Bring them to one size with as_picture(picture, size).")


def levels(name: str, value: Any) -> Array:
    """A picture's levels, or an array of them as float64, in [0, 1]."""
    if isinstance(value, (str, os.PathLike, Image.Image)):
        return _array(as_picture(value)).astype(np.float64)
    found = numbers(name, value)
    if not found.size or not np.isfinite(found).all():
        raise ValueError(f"{name} is {shown(value)}; expected a picture or an array of levels, all of them finite.")
    return found


Levels = Annotated[Any, Kind(levels)]


@entrance
def psnr(a: Levels, b: Levels) -> float:
    """Peak signal-to-noise ratio of two pictures, or arrays of levels in [0, 1], in dB, 60 at most."""
    if a.shape != b.shape:
        raise ValueError(f"The shapes differ: a has {a.shape} and b {b.shape}. Bring both to one size with "
                         "as_picture(picture, size).")
    error = float(np.square(a - b).mean())
    return BEST_PSNR if error == 0 else min(BEST_PSNR, -10 * np.log10(error))


def _array(picture: Image.Image) -> Float32[np.ndarray, "H W 3"]:
    return np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
