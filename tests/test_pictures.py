"""Pictures in any form become RGB pictures of the wanted size, or an error that helps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.core.pictures import as_picture, to_pictures, to_tensor

RED = (255, 0, 0)


def levels(picture: Image.Image) -> np.ndarray:
    """Pixels as numbers."""
    return np.asarray(picture, dtype=int)


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "LA", "La", "P", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"],
)
def test_every_mode_becomes_rgb(mode: str) -> None:
    picture = as_picture(Image.new(mode, (5, 4)))
    assert picture.mode == "RGB" and picture.size == (5, 4)


def test_transparent_parts_become_white() -> None:
    assert as_picture(Image.new("RGBA", (1, 1), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)
    assert as_picture(Image.new("RGBA", (1, 1), (255, 0, 0, 128))).getpixel((0, 0)) == (255, 127, 127)
    palette = Image.new("P", (1, 1), 0)
    palette.info["transparency"] = 0
    assert as_picture(palette).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_sixteen_bit_greys_keep_their_brightness(mode: str) -> None:
    grey = Image.new(mode, (3, 1))
    for x, level in enumerate((0, 32768, 65535)):
        grey.putpixel((x, 0), level)
    assert levels(as_picture(grey))[0, :, 0].tolist() == [0, 128, 255]


def test_sixteen_bit_files_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "grey.png")
    assert levels(as_picture(tmp_path / "grey.png"))[0, :, 0].tolist() == [0, 128, 255]


def test_a_photo_lying_on_its_side_is_put_upright(tmp_path: Path) -> None:
    photo, exif = Image.new("RGB", (40, 20), RED), Image.Exif()
    exif[0x0112] = 6
    photo.save(tmp_path / "photo.jpg", exif=exif)
    assert as_picture(tmp_path / "photo.jpg").size == (20, 40)


@pytest.mark.parametrize("path", [str, Path])
def test_paths_are_opened_and_the_file_is_closed_again(path: type, tmp_path: Path) -> None:
    Image.new("RGB", (3, 3), RED).save(tmp_path / "red.png")
    picture = as_picture(path(tmp_path / "red.png"))
    (tmp_path / "red.png").unlink()
    assert picture.getpixel((1, 1)) == RED


@pytest.mark.parametrize(
    "array",
    [
        np.full((2, 3, 3), 255, np.uint8),
        np.ones((2, 3), bool),
        np.ones((2, 3, 3)),
        np.ones((2, 3, 1), np.float32),
        np.full((2, 3, 4), 255, np.int64),
    ],
)
def test_arrays_become_pictures(array: np.ndarray) -> None:
    picture = as_picture(array)
    assert picture.size == (3, 2) and picture.mode == "RGB" and (levels(picture) == 255).all()


def test_a_picture_given_is_not_changed() -> None:
    picture = Image.new("RGBA", (4, 4), RED)
    as_picture(picture, 8)
    assert picture.mode == "RGBA" and picture.size == (4, 4)


def test_cover_fills_the_frame_and_cuts_two_sides() -> None:
    wide = Image.new("RGB", (40, 20), "white")
    wide.paste(RED, (10, 0, 30, 20))
    assert (levels(as_picture(wide, 20)) == RED).all()


def test_contain_keeps_everything_between_white_bars() -> None:
    framed = as_picture(Image.new("RGB", (40, 20), RED), 40, fit="contain")
    assert framed.getpixel((20, 2)) == (255, 255, 255) and framed.getpixel((20, 20)) == RED


def test_stretch_gives_up_the_proportions() -> None:
    assert (levels(as_picture(Image.new("RGB", (40, 20), RED), (7, 9), fit="stretch")) == RED).all()


def test_a_size_may_be_a_numpy_number() -> None:
    red = Image.new("RGB", (2, 4), RED)
    assert as_picture(red, np.int64(64)).size == as_picture(red, (np.int32(64), 64)).size == (64, 64)


@pytest.mark.parametrize("size", [64.0, "128", (64,), (64.5, 64), (64, "64"), (1, 2, 3), {64: 64}])
def test_a_size_that_is_no_whole_number_and_no_pair_is_refused(size: object) -> None:
    with pytest.raises(TypeError, match=re.escape(f"size is {size!r}; expected a whole number or (width, height).")):
        as_picture(Image.new("RGB", (2, 4)), size)


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (128, 128), (17, 23)])
def test_any_size_becomes_the_wanted_size(size: tuple[int, int], fit: str) -> None:
    assert as_picture(Image.new("RGB", size), (128, 96), fit=fit).size == (128, 96)


def test_a_picture_of_the_right_size_keeps_its_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (levels(as_picture(pixels, 8)) == pixels).all()


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file .*none.png"):
        as_picture(tmp_path / "none.png")


@pytest.mark.parametrize("text", ["a cat " * 100, "a\0cat", "~nobody-has-this-name/cat.png"])
def test_text_that_can_be_no_file_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError, match="no file can be called|no such user"):
        as_picture(text)


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture", encoding="utf-8")
    (tmp_path / "empty.png").touch()
    for name in ("text.png", "empty.png"):
        with pytest.raises(ValueError, match="not a picture"):
            as_picture(tmp_path / name)
    with pytest.raises(ValueError, match="folder"):
        as_picture(tmp_path)


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg"])
def test_a_file_cut_short_is_said_to_be_broken(name: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="broken"):
        as_picture(tmp_path / name)


def cut_short(path: Path) -> Image.Image:
    """A picture whose file ends in its middle, opened and not read yet."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    return Image.open(path)


def closed_file(path: Path) -> Image.Image:
    """A picture that left its `with` block unread."""
    Image.new("RGB", (4, 4)).save(path)
    with Image.open(path) as picture:
        return picture


def closed(path: Path) -> Image.Image:
    """A closed picture."""
    picture = Image.new("RGB", (4, 4))
    picture.close()
    return picture


@pytest.mark.parametrize("given", [cut_short, closed_file, closed])
def test_a_picture_handed_over_broken_or_closed_is_told(given: Callable[[Path], Image.Image], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"The picture is broken or closed \(.+\); open it again"):
        as_picture(given(tmp_path / "picture.png"))


@pytest.mark.parametrize("nothing", [np.zeros((0, 5, 3), np.uint8), Image.new("RGB", (0, 5))])
def test_a_picture_without_pixels_is_refused(nothing: object) -> None:
    with pytest.raises(ValueError, match="empty"):
        as_picture(nothing)


@pytest.mark.parametrize("thing", [None, 3, [1, 2], b"bytes"])
def test_other_things_are_refused_by_type(thing: object) -> None:
    with pytest.raises(TypeError, match="expected a picture"):
        as_picture(thing)


@pytest.mark.parametrize("array", [np.zeros((2, 3, 2)), np.zeros((2,)), np.full((2, 2), 1.5), np.full((2, 2), np.nan)])
def test_arrays_of_other_shapes_or_ranges_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        as_picture(array)


def test_an_unknown_fit_and_an_impossible_size_are_refused() -> None:
    with pytest.raises(ValueError, match="cover"):
        as_picture(Image.new("RGB", (2, 2)), 4, fit="squash")
    with pytest.raises(ValueError, match="size"):
        as_picture(Image.new("RGB", (2, 2)), 0)


def test_pixels_survive_the_way_to_a_tensor_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)
    tensor = to_tensor([Image.fromarray(p) for p in pixels])
    assert tensor.shape == (2, 3, 4, 6) and tensor.dtype == torch.float32 and tensor.abs().max() <= 1
    assert all((levels(picture) == p).all() for picture, p in zip(to_pictures(tensor), pixels, strict=True))
    assert levels(to_pictures(torch.full((1, 3, 1, 1), 1.7))[0]).flatten().tolist() == [255] * 3
