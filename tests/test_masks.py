"""Masks from anything, in the picture's frame, in latents; each bad mask has its own message."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from helpers.core.masks import (
    MaskWarning,
    as_mask,
    blend,
    dilated,
    fitted,
    from_latents,
    inverted,
    paste,
    to_latents,
    widened,
)

FRAME = (32, 32)


def box(size: tuple[int, int] = FRAME, corners: tuple[int, ...] = (8, 8, 15, 15)) -> Image.Image:
    """A black mask with a white box."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rectangle(corners, fill=255)
    return mask


def picture(size: tuple[int, int] = FRAME) -> Image.Image:
    """A picture with another colour in every pixel."""
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def drawing(color: str = "red") -> Image.Image:
    """A box of paint on a transparent sheet."""
    sheet = Image.new("RGBA", FRAME, (0, 0, 0, 0))
    ImageDraw.Draw(sheet).rectangle((8, 8, 15, 15), fill=color)
    return sheet


LEVELS = np.asarray(box())
FORMS = {
    "L": box(),
    "1": box().convert("1"),
    "RGB": box().convert("RGB"),
    "RGBA, opaque": box().convert("RGBA"),
    "a red drawing": drawing("red"),
    "a black drawing": drawing("black"),
    "an LA drawing": drawing("black").convert("LA"),
    "I;16": Image.fromarray(LEVELS.astype(np.uint16) * 257),
    "F": Image.fromarray(LEVELS.astype(np.float32) / 255),
    "palette": box().convert("P"),
    "bool": LEVELS > 0,
    "uint8": LEVELS,
    "uint8 of 0 and 1": LEVELS // 255,
    "int64 of 0 and 1": (LEVELS // 255).astype(np.int64),
    "float": LEVELS / 255,
    "(H, W, 1)": LEVELS[:, :, None],
    "(1, 1, H, W)": (LEVELS > 0)[None, None],
    "RGBA array": np.asarray(drawing()),
    "a tensor": torch.from_numpy(LEVELS > 0)[None],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_mask_is_the_same_mask(form: str) -> None:
    mask = as_mask(FORMS[form])
    assert mask.mode == "L" and (np.asarray(mask) == LEVELS).all()


def test_a_mask_can_be_a_file(tmp_path: Path) -> None:
    drawing().save(tmp_path / "mask.png")
    assert (np.asarray(as_mask(tmp_path / "mask.png")) == LEVELS).all()
    assert (np.asarray(as_mask(str(tmp_path / "mask.png"))) == LEVELS).all()


@pytest.mark.parametrize("soft", [np.linspace(0, 1, 1024).reshape(32, 32), Image.linear_gradient("L").resize(FRAME)])
def test_soft_masks_stay_soft(soft: object) -> None:
    levels = np.asarray(fitted(soft, picture(), FRAME))
    assert len(np.unique(levels)) > 20
    m = to_latents(as_mask(soft), torch.zeros(1, 4, 8, 8))
    assert ((m > 0.1) & (m < 0.9)).sum() > 20


@pytest.mark.parametrize(
    ("mask", "error", "words"),
    [
        (None, TypeError, "The mask is a NoneType; expected a path, a PIL picture or an array"),
        ([[0, 1]], TypeError, "The mask is a list"),
        (np.zeros((2, 8, 8)), ValueError, r"shape \(2, 8, 8\)"),
        (np.zeros((0, 8)), ValueError, "empty"),
        (np.full((8, 8), 2.0), ValueError, "expected 0 to 1"),
        (np.full((8, 8), -1), ValueError, "expected 0 to 255"),
        (np.full((8, 8), np.nan), ValueError, "nan"),
        ("no such mask.png", FileNotFoundError, "no such mask.png"),
        (picture(), ValueError, "coloured picture: paint white"),
    ],
)
def test_what_is_no_mask_is_an_error_that_says_what_was_expected(mask: object, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        as_mask(mask)


def test_an_all_black_mask_is_an_error_with_its_remedy() -> None:
    for black in (Image.new("L", FRAME), np.zeros((32, 32), bool), Image.new("RGBA", FRAME, (0, 0, 0, 0))):
        with pytest.raises(ValueError, match="all black: nothing may change. Paint white .*inverted"):
            fitted(black, picture(), FRAME)


def test_an_all_white_mask_is_allowed() -> None:
    assert fitted(Image.new("L", FRAME, 255), picture(), FRAME).getextrema() == (255, 255)


def test_a_mask_of_the_pictures_size_is_cut_as_the_picture_is() -> None:
    """The middle of a 128 x 64 picture is what a square model sees, half as large."""
    wide = box((128, 64), (32, 0, 63, 63))
    mask = fitted(wide, picture((128, 64)), FRAME)
    assert (np.asarray(mask) == np.asarray(box(FRAME, (0, 0, 15, 31)))).all()


def test_a_mask_of_another_size_is_resized_with_a_notice_at_the_readers_line() -> None:
    with pytest.warns(MaskWarning, match="16 x 16 pixels and the picture 64 x 64 pixels: the mask is resized") as told:
        mask = fitted(box((16, 16), (4, 4, 7, 7)), picture((64, 64)), FRAME)
    assert told[0].filename == __file__
    assert (np.asarray(mask) == LEVELS).all()


@pytest.mark.parametrize("size", [(64, 64), FRAME])
def test_a_mask_of_the_pictures_or_the_frames_size_is_taken_without_a_notice(size: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(box(size), picture((64, 64)), FRAME)


def test_a_mask_of_another_aspect_ratio_is_an_error() -> None:
    with pytest.raises(ValueError, match="64 x 32 pixels and the picture 64 x 64 pixels: they have other proportions"):
        fitted(box((64, 32)), picture((64, 64)), FRAME)


def test_rounding_of_a_size_is_no_other_aspect_ratio() -> None:
    with pytest.warns(MaskWarning):
        fitted(box((128, 85), (60, 40, 70, 50)), picture((512, 341)), FRAME)


def test_a_mask_outside_the_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="white only outside the picture: of 128 x 64 pixels the model sees"):
        fitted(box((128, 64), (0, 0, 20, 63)), picture((128, 64)), FRAME)


def test_a_thin_hard_mask_stays_hard_and_is_not_lost_when_it_shrinks() -> None:
    line = Image.new("L", (256, 256))
    ImageDraw.Draw(line).line((100, 0, 100, 255), fill=255)
    mask = fitted(line, picture((256, 256)), FRAME)
    assert set(np.unique(np.asarray(mask))) == {0, 255} and np.asarray(mask)[:, 12].all()
    m = to_latents(mask, torch.zeros(1, 4, 8, 8))
    assert m.unique().tolist() == [0, 1] and m[0, 0].sum(0).tolist() == [0, 0, 0, 8, 0, 0, 0, 0]


def test_in_latents_a_place_may_change_if_any_of_its_pixels_may() -> None:
    m = to_latents(box(FRAME, (7, 8, 8, 8)), torch.zeros(1, 4, 8, 8))
    assert m.shape == (1, 1, 8, 8) and m.nonzero()[:, 2:].tolist() == [[2, 1], [2, 2]]


def test_latents_need_not_be_square() -> None:
    mask = box((48, 32), (0, 0, 7, 3))
    m = to_latents(mask, torch.zeros(2, 4, 8, 12))
    assert m.shape == (1, 1, 8, 12) and m.sum() == 2
    assert (np.asarray(from_latents(m[0, 0], (48, 32))) == np.asarray(mask)).all()


def test_inverting_swaps_black_and_white_and_twice_is_nothing() -> None:
    soft = as_mask(np.linspace(0, 1, 1024).reshape(32, 32))
    assert (np.asarray(inverted(soft)) == 255 - np.asarray(soft)).all()
    assert (np.asarray(inverted(inverted(FORMS["bool"]))) == LEVELS).all()


@pytest.mark.parametrize("side", [1, 3, 5, 7])
def test_dilating_grows_by_half_the_window_to_every_side(side: int) -> None:
    point = torch.zeros(1, 1, 9, 11)
    point[..., 4, 5] = 0.5
    grown = dilated(point, side)
    assert grown.shape == point.shape and (grown > 0).sum() == side**2 and grown.max() == 0.5


def test_widening_grows_by_pixels() -> None:
    assert (np.asarray(widened(box(), 3)) == np.asarray(box(FRAME, (5, 5, 18, 18)))).all()
    assert (np.asarray(widened(box(), 0)) == LEVELS).all()


@pytest.mark.parametrize("pixels", [1, 3, 7])
def test_widening_takes_the_largest_of_each_window(pixels: int) -> None:
    soft = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 40), dtype=np.uint8))
    wide = widened(soft, pixels)
    assert wide.mode == "L"
    assert (np.asarray(wide) == np.asarray(soft.filter(ImageFilter.MaxFilter(2 * pixels + 1)))).all()


def test_widening_by_more_than_the_height_still_stops_at_the_sides() -> None:
    assert widened(box((40, 24), (0, 0, 0, 0)), 30).getbbox() == (0, 0, 31, 24)


def test_widening_by_more_than_the_picture_gives_its_largest_level_at_once() -> None:
    grey = box().point(lambda level: level // 2)
    assert widened(grey, 10**9).getextrema() == widened(grey, 31).getextrema() == (127, 127)


def test_widening_a_large_mask_takes_no_minutes() -> None:
    large = box((1024, 1024), (500, 500, 520, 520))
    start = time.perf_counter()
    assert widened(large, 64).getbbox() == (436, 436, 585, 585)
    assert time.perf_counter() - start < 10  # 0.5 s; with a square window it was 31 s


@pytest.mark.parametrize("pixels", [-1, 1.5, "2", None])
def test_widening_needs_a_whole_number(pixels: object) -> None:
    with pytest.raises(ValueError, match=f"pixels is {pixels!r}; expected a whole number from 0 on"):
        widened(box(), pixels)


def test_a_blend_is_one_side_where_the_mask_is_1_and_the_other_where_it_is_0_bit_for_bit() -> None:
    inside, outside = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    m = (torch.arange(8.0) > 3).expand(1, 1, 8, 8).float()
    blended = blend(inside, outside, m)
    assert torch.equal(blended[..., 4:], inside[..., 4:]) and torch.equal(blended[..., :4], outside[..., :4])
    quarter = torch.full_like(m, 0.25)
    assert torch.allclose(blend(inside, outside, quarter), 0.25 * inside + 0.75 * outside)


def test_pasting_gives_the_pictures_own_pixels_where_the_mask_is_black() -> None:
    result = Image.new("RGB", FRAME, "red")
    pasted = np.asarray(paste(result, picture(), box()))
    assert (pasted[LEVELS == 0] == np.asarray(picture())[LEVELS == 0]).all()
    assert (pasted[LEVELS == 255] == [255, 0, 0]).all()


def test_a_mask_is_not_changed_by_what_is_done_with_it() -> None:
    array, mask = LEVELS / 255, box()
    before = array.copy()
    for given in (array, mask):
        fitted(given, picture(), FRAME), inverted(given), widened(given, 2)
    assert (array == before).all() and (np.asarray(mask) == LEVELS).all()
