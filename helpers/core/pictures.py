"""Pictures in any form to RGB pictures of one size, and pictures to tensors and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

FITS = ("cover", "contain", "stretch")


def as_picture(x: Any, size: int | tuple[int, int] | None = None, fit: str = "cover") -> Image.Image:
    """Any picture as an upright RGB picture.

    x: a path, a PIL picture of any mode (transparent parts become white), or an array (H, W), (H, W, 3) or (H, W, 4):
        whole numbers in 0 ... 255, floats in 0 ... 1 or booleans.
    size: one number for a square, (width, height), or None to keep the size. A picture of another size is resized:
        "cover" fills the frame, keeps the proportions and cuts off what sticks out on two sides;
        "contain" keeps the whole picture, with white bars; "stretch" gives up the proportions.

    Raises FileNotFoundError for a missing file, TypeError for what is no picture or no size at all, and ValueError for
    a broken, closed or empty picture; each says what was expected.
    """
    if fit not in FITS:
        raise ValueError(f"fit is {fit!r}; expected one of {', '.join(FITS)}.")
    picture = rgb(ImageOps.exif_transpose(opened(x)))
    return picture if size is None else resized(picture, as_size(size), fit)


def as_size(size: int | tuple[int, int]) -> tuple[int, int]:
    """(width, height) from one whole number or two; both must be at least 1."""
    sides = (size, size) if isinstance(size, Integral) else size
    listed = isinstance(sides, (tuple, list, np.ndarray)) and len(sides) == 2
    if not (listed and all(isinstance(side, Integral) for side in sides)):
        raise TypeError(f"size is {size!r}; expected a whole number or (width, height).")
    if min(sides) < 1:
        raise ValueError(f"size is {size}; expected a width and a height of at least 1.")
    return int(sides[0]), int(sides[1])


def opened(x: Any) -> Image.Image:
    """`x` as a PIL picture with its pixels read, in whatever mode it has."""
    if isinstance(x, (str, os.PathLike)):
        x = read(Path(os.path.expanduser(x)))
    elif isinstance(x, np.ndarray):
        x = from_array(x)
    if not isinstance(x, Image.Image):
        raise TypeError(f"Got a {type(x).__name__}; expected a picture: a path, a PIL picture or a numpy array.")
    if min(x.size) == 0:
        raise ValueError(f"The picture is empty: {x.width} x {x.height} pixels.")
    return loaded(x)


def loaded(picture: Image.Image) -> Image.Image:
    """The picture with its pixels read; mode "La", of which Pillow makes nothing else, as "LA"."""
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, AttributeError, AssertionError) as error:  # the last two: a closed file
        told = str(error) or "its file is closed"
        raise ValueError(f"The picture is broken or closed ({told}); open it again.") from error
    return picture.convert("LA") if picture.mode == "La" else picture


def read(path: Path) -> Image.Image:
    """The picture in a file."""
    if not os.path.exists(path):  # unlike Path.exists it takes any text, also one that is too long for a name
        raise FileNotFoundError(f"There is no file {str(path)!r} (looked from {str(Path.cwd())!r}).")
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder; expected a picture file.")
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture
    except UnidentifiedImageError:
        raise ValueError(f"{str(path)!r} is not a picture that can be read; expected PNG, JPEG, WebP or GIF.") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{str(path)!r} is broken or too large ({error}); save the picture again.") from error


def from_array(array: np.ndarray) -> Image.Image:
    """A picture from an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"The array has shape {array.shape}; expected (H, W), (H, W, 3) or (H, W, 4).")
    if array.size == 0:
        raise ValueError(f"The picture is empty: an array of shape {array.shape}.")
    return Image.fromarray(as_bytes(array))


def as_bytes(array: np.ndarray) -> np.ndarray:
    """Booleans, floats in 0 ... 1 or whole numbers in 0 ... 255 as bytes."""
    if array.dtype == np.uint8:
        return array
    top = 255 if np.issubdtype(array.dtype, np.integer) else 1
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= top):
        raise ValueError(f"The array's values go from {array.min()} to {array.max()}; expected 0 to {top}.")
    return (array.astype(np.float64) * (255 / top)).round().astype(np.uint8)


def rgb(picture: Image.Image) -> Image.Image:
    """The same picture in mode RGB: transparent parts white, 16-bit and float greys brought to 0 ... 255."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = Image.fromarray(grey_bytes(np.asarray(picture, dtype=np.float64)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def grey_bytes(grey: np.ndarray) -> np.ndarray:
    """Grey levels (H, W) as bytes: above 255 they are taken for 16-bit levels, up to 1 for fractions."""
    top = grey.max()
    scale = 255 / 65535 if top > 255 else 255 if top <= 1 and (grey % 1).any() else 1
    return (grey * scale).clip(0, 255).round().astype(np.uint8)


def resized(picture: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    """The picture at `size` (width, height); unchanged where it already has that size."""
    if picture.size == size:
        return picture
    if fit == "cover":
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    if fit == "contain":
        return ImageOps.pad(picture, size, Image.Resampling.LANCZOS, color="white")
    return picture.resize(size, Image.Resampling.LANCZOS)


def to_tensor(pictures: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of one size as float32 (B, 3, H, W) in [-1, 1]."""
    arrays = np.stack([np.asarray(picture, dtype=np.float32) for picture in pictures])  # (B, H, W, 3)
    return torch.from_numpy(arrays).permute(0, 3, 1, 2) / 127.5 - 1


def to_pictures(pixels: Tensor) -> list[Image.Image]:
    """Pixels (B, 3, H, W) in [-1, 1] as RGB pictures; values outside are cut to the range."""
    levels = ((pixels.detach().float().cpu() + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return [Image.fromarray(level.permute(1, 2, 0).contiguous().numpy()) for level in levels]
