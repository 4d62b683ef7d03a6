"""The check of an edit of one's own: the judge reads the picture, kept is measured, and what was handed in is named."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from helpers import check
from helpers.core.masks import paste
from helpers.picturebook.edits import Edit
from helpers.picturebook.judge import Judge, Reading
from helpers.picturebook.scene import Scene

SCENE = Scene(seed=4, thing="cat", color="orange", place="beach")
BLUE = Edit(SCENE, SCENE.but(color="blue"))
TWO = Edit(SCENE, SCENE.but(color="blue", beside="ball"))


class Colours(Judge):
    """A judge that reads the cat as blue where the picture is near the blue one, and all else as it is in SCENE."""

    def __init__(self) -> None:
        pass

    def read(self, pictures: list[Image.Image]) -> list[Reading]:
        return [self.of(np.asarray(picture, dtype=float)) for picture in pictures]

    def of(self, pixels: Any) -> Reading:
        blue, orange = (abs(pixels - np.asarray(p, dtype=float))[np.asarray(BLUE.mask) > 0].mean()
                        for p in (BLUE.target_picture, BLUE.picture))
        read = vars(SCENE) | {"color": "blue" if blue < orange else "orange"}
        return Reading({name: value for name, value in read.items() if isinstance(value, str)}, {}, {})


JUDGE = Colours()


def noisy(picture: Image.Image, amount: float) -> Image.Image:
    """The picture with grain."""
    grain = amount * 255 * np.random.default_rng(0).standard_normal((128, 128, 3))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))


def test_a_picture_that_obeys_and_keeps_is_right_and_its_numbers_are_told() -> None:
    told = check.own_edit(noisy(BLUE.target_picture, 0.03), BLUE, JUDGE, least=25)
    assert told and re.search(r"kept 3\d\.\d dB", told.message) and "realistic" in told.message


def test_another_way_to_make_it_and_another_size_count_as_well() -> None:
    soft = BLUE.target_picture.filter(ImageFilter.GaussianBlur(1))
    assert check.own_edit(paste(soft, BLUE.picture, BLUE.mask), BLUE, JUDGE, least=40)
    assert check.own_edit(noisy(BLUE.target_picture, 0.03).resize((256, 256)), BLUE, JUDGE, least=20)


@pytest.mark.parametrize(("words", "picture", "edit", "knobs"), [
    ("reads 'orange' for color, not 'blue'", noisy(BLUE.picture, 0.05), BLUE, {}),
    ("keeps 1\\d.\\d dB; asked are 18", noisy(BLUE.target_picture, 0.3), BLUE, {}),
    ("keeps 2\\d.\\d dB; asked are 40", noisy(BLUE.target_picture, 0.05), BLUE, {"least": 40}),
    ("That is the true I", BLUE.target_picture, BLUE, {}),
    ("That is I itself", BLUE.picture, BLUE, {}),
    ("reads 'none' for beside, not 'ball'", noisy(BLUE.target_picture, 0.03), TWO, {}),
    ("changes only color; asked are 2", noisy(BLUE.target_picture, 0.03), BLUE, {"changes": 2}),
    ("nothing that can be seen", noisy(BLUE.picture, 0.03), Edit(SCENE, SCENE), {}),
    ("first argument is the edit", BLUE, BLUE, {}),
    ("Take one picture out", [BLUE.picture], BLUE, {}),
    ("second argument is an? Scene", BLUE.target_picture, SCENE, {}),
    ("three dots", ..., BLUE, {}),
    ("three dots", BLUE.picture, ..., {}),
    ("least is a text", noisy(BLUE.picture, 0.03), BLUE, {"least": "18"}),
])
def test_what_is_missing_is_named(words: str, picture: Any, edit: Any, knobs: dict[str, Any]) -> None:
    told = check.own_edit(picture, edit, JUDGE, **knobs)
    assert not told and re.search(words, told.message), told


def test_without_the_judge_it_says_so() -> None:
    assert "expected the judge" in check.own_edit(noisy(BLUE.picture, 0.03), BLUE, None).message
