"""Pictures in any form to RGB pictures of one size, and pictures to tensors and back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from helpers.core.interface import Picture
from helpers.core.shapes import Array, ArrayOrTensor, Levels, Pixels
from helpers.core.values import Kind, OneOf, entrance, listed, path, plain, shown

FITS = ("cover", "contain", "stretch")
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # nothing else is ever opened: no EPS, which would start Ghostscript
ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp")
OTHER_PHOTOS = (".heic", ".heif", ".avif", ".tif", ".tiff", ".raw", ".dng", ".cr2", ".nef", ".arw", ".jxl", ".svg",
                ".psd")
ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]+:/|data:|www\.[^/\\]+\.)", re.IGNORECASE)  # "C:/a" is a file
SAVE_AS = "save it as PNG or JPEG"
MOST_PIXELS = 80_000_000  # of a picture; Pillow itself warns from 89 million on
LARGEST_SIDE = 16_384  # of a picture that is asked for
MOST_STRETCH = 50  # how many times one side may be as long as the other


@entrance
def as_picture(x: Picture, size: int | tuple[int, int] | None = None, fit: Annotated[str, OneOf(*FITS)] = "cover",
               ) -> Image.Image:
    """Any picture as an upright RGB picture.

    x: a path, a PIL picture of any mode (transparent parts become white), or an array or tensor (H, W), (H, W, 3) or
        (H, W, 4): whole numbers in 0 ... 255, floats in 0 ... 1 or booleans. Tensors may have their colours first.
    size: one number for a square, (width, height), or None to keep the size. A picture of another size is resized:
        "cover" fills the frame, keeps the proportions and cuts off what sticks out on two sides;
        "contain" keeps the whole picture, with white bars; "stretch" gives up the proportions.

    Raises FileNotFoundError for a missing file, TypeError for what is no picture or no size at all, and ValueError for
    a broken, closed or empty picture; each says what was expected.
    """
    picture = rgb(ImageOps.exif_transpose(opened(x)))
    return picture if size is None else resized(picture, as_size(size), fit)


Read = Annotated[Any, Kind(lambda name, value: as_picture(value))]  # for `entrance`: any picture, as RGB


def as_size(size: int | tuple[int, int], name: str = "size") -> tuple[int, int]:
    """(width, height) from one whole number or two; both must be at least 1."""
    if isinstance(size, np.ndarray) or (isinstance(size, Tensor) and not size.is_meta):
        size = size.tolist()
    sides = size if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2 or not all(isinstance(plain(side), Integral) and side is not True for side in sides):
        raise TypeError(f"{name} is {shown(size)}; expected a whole number or (width, height).")
    if min(sides) < 1 or max(sides) > LARGEST_SIDE:
        raise ValueError(f"{name} is {shown(size)}; expected a width and a height of at least 1 and at most "
                         f"{LARGEST_SIDE}.")
    return int(sides[0]), int(sides[1])


AS_SIZE = Kind(lambda name, value: as_size(value, name))
Size = Annotated[int | tuple[int, int], AS_SIZE]  # for `entrance`: what comes out is (width, height)


def opened(x: Any) -> Image.Image:
    """`x` as a PIL picture with its pixels read, in whatever mode it has."""
    if isinstance(x, (str, os.PathLike)):
        x = read(x)
    elif isinstance(x, (np.ndarray, Tensor)):
        x = from_array(x)
    if not isinstance(x, Image.Image):
        raise TypeError(f"Got a {type(x).__name__}; expected a picture: a path, a PIL picture or a numpy array.")
    return loaded(checked_size(x))


def checked_size(picture: Image.Image) -> Image.Image:
    """The picture, if its size is one that can be worked with."""
    if min(picture.size) == 0:
        raise ValueError(f"The picture is empty: {picture.width} x {picture.height} pixels.")
    if picture.width * picture.height > MOST_PIXELS:
        raise ValueError(f"The picture is too large, {picture.width} x {picture.height} pixels; expected at most "
                         f"{MOST_PIXELS:,} in all. Save a smaller copy.")
    return picture


def no_strip(picture: Image.Image) -> Image.Image:
    """The picture, if a page can show it."""
    if max(picture.size) > MOST_STRETCH * min(picture.size):
        raise ValueError(f"The picture is a strip of {picture.width} x {picture.height} pixels; expected one side to "
                         f"be at most {MOST_STRETCH} times the other. Cut out the part that matters.")
    return picture


def loaded(picture: Image.Image) -> Image.Image:
    """The picture with its pixels read; mode "La", of which Pillow makes nothing else, as "LA"."""
    if picture.format == "EPS":  # reading it would start another program on what stands in the file
        raise ValueError(f"The picture is an EPS file, which is a program; {SAVE_AS}.")
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, AttributeError, AssertionError) as error:  # the last two: a closed file
        told = str(error) or "its file is closed"
        raise ValueError(f"The picture is broken or closed ({told}); open it again.") from error
    return picture.convert("LA") if picture.mode == "La" else picture


def read(file: str | os.PathLike[str]) -> Image.Image:
    """The picture in a file."""
    file = in_a_file(file)
    try:
        with Image.open(file, formats=FORMATS) as picture:
            return loaded(checked_size(picture))
    except UnidentifiedImageError:
        raise ValueError(f"{str(file)!r} is not a picture that can be read; expected PNG, JPEG, WebP, GIF or BMP: "
                         f"{SAVE_AS}.") from None
    except PermissionError:
        raise PermissionError(f"{str(file)!r} may not be read: ask whoever owns it, or copy it.") from None
    except Exception as error:  # Pillow's readers raise what comes: OSError, SyntaxError, struct.error, bombs, ...
        raise ValueError(f"{str(file)!r} is broken or too large ({error}); {SAVE_AS} again.") from error


def in_a_file(file: str | os.PathLike[str]) -> Path:
    """The path of a file that is there."""
    told = os.fspath(file)
    if isinstance(told, str) and ADDRESS.match(told) and not os.path.exists(told):
        raise ValueError(f"{shown(told)} is an address: nothing is downloaded here. Save the picture to a file and "
                         "give the file's name.")
    file = path("The picture's path", file)
    if not os.path.exists(file):  # unlike Path.exists it takes any text
        raise FileNotFoundError(f"There is no file {str(file)!r} (looked from {str(Path.cwd())!r}).")
    if not file.is_file():
        raise ValueError(f"{str(file)!r} is {'a folder' if file.is_dir() else 'no file'}; expected a picture file.")
    return file


def listed_pictures(pictures: Picture | Sequence[Picture], tell: Callable[[str], None]) -> list[tuple[str, Picture]]:
    """(name, picture) of each, of a list or of a folder in alphabetical order; `tell` hears which files are left out.

    Of a folder those files are taken that are pictures by their ending.
    """
    if isinstance(pictures, (str, os.PathLike)):
        folder = path("The folder of pictures", pictures)
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {str(folder)!r} (looked from {str(Path.cwd())!r}).")
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (*ENDINGS, *OTHER_PHOTOS))
        taken = [file for file in files if file.suffix.lower() in ENDINGS and not file.name.startswith(".")]
        if left := [file.name for file in files if file not in taken]:
            tell(f"Left out of {str(folder)!r}, since they are in a format that is not read or hidden: "
                 f"{', '.join(left[:10])}{' and more' if len(left) > 10 else ''}. To use them, {SAVE_AS}.")
        return [(file.name, file) for file in taken]
    found = several("pictures", pictures, "a folder or a list of pictures")
    return [(str(p) if isinstance(p, (str, Path)) else f"picture {i}", p) for i, p in enumerate(found)]


def several(name: str, value: Any, expected: str = "a list of pictures") -> list[Any]:
    """The pictures in a list; a TypeError for one picture alone, and for what is no list."""
    one = isinstance(value, (str, os.PathLike, Image.Image))
    if isinstance(value, (np.ndarray, Tensor)) and value.ndim:
        one = value.ndim < 3 or (value.ndim == 3 and value.shape[2] in (1, 3, 4))
        if not one or value.dtype == object:  # (N, H, W), (N, H, W, 3) ...; the others are one picture
            return list(value)
    if one:
        raise TypeError(f"Got one picture; expected {expected}: [picture].")
    return listed(name, value, expected, empty=True)


Several = Annotated[Sequence[Any], Kind(several)]  # for `entrance`: pictures in a list, as they are


def as_array(x: ArrayOrTensor) -> Array:
    """An array with numbers in it, from an array or a tensor of any kind; TypeError for one that holds none."""
    if isinstance(x, Tensor):
        if x.is_meta or x.layout != torch.strided or x.is_quantized or x.is_complex():
            raise TypeError(f"Got {shown(x)} that holds no plain numbers ({x.dtype}, {x.layout}, on {x.device}); "
                            "expected a picture's values.")
        x = x.detach().cpu()
        x = (x.float() if x.is_floating_point() else x).numpy()
    if x.dtype.kind not in "biuf":
        raise TypeError(f"Got an array of {x.dtype}; expected numbers: booleans, 0 ... 255 or 0 ... 1.")
    return np.ma.filled(x, 0) if isinstance(x, np.ma.MaskedArray) else x


def from_array(x: ArrayOrTensor) -> Image.Image:
    """A picture from an array or tensor (H, W) or (H, W, C), C of 1, 3 or 4; a tensor's colours may come first."""
    array = as_array(x)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if isinstance(x, Tensor) and array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"The array has shape {array.shape}; expected (H, W), (H, W, 3) or (H, W, 4).")
    if array.size == 0:
        raise ValueError(f"The picture is empty: an array of shape {array.shape}.")
    return Image.fromarray(as_bytes(array))


def as_bytes(array: Shaped[np.ndarray, "*same"]) -> UInt8[np.ndarray, "*same"]:
    """Booleans, floats in 0 ... 1 or whole numbers in 0 ... 255 as bytes."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
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


def grey_bytes(grey: Levels) -> UInt8[np.ndarray, "H W"]:
    """Grey levels as bytes: above 255 they are taken for 16-bit levels, up to 1 for fractions."""
    if not np.isfinite(grey).all():
        raise ValueError("The picture holds values that are not finite (nan); expected levels of grey.")
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


def to_tensor(pictures: Sequence[Image.Image]) -> Pixels:
    """RGB pictures of one size as float32 in [-1, 1]."""
    arrays = np.stack([np.asarray(picture, dtype=np.float32) for picture in pictures])  # (B, H, W, 3)
    return torch.from_numpy(arrays).permute(0, 3, 1, 2) / 127.5 - 1


def to_pictures(pixels: Pixels) -> list[Image.Image]:
    """Pixels in [-1, 1] as RGB pictures; values outside are cut to the range."""
    levels = ((pixels.detach().float().cpu() + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return [Image.fromarray(level.permute(1, 2, 0).contiguous().numpy()) for level in levels]
