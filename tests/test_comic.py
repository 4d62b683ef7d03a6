"""The comic: what a script says, nothing of a picture hidden by a caption, all words in the alt text."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from helpers.show.comic import SIDE, Panel, Speech, Story, _font, _wrapped, draw_comic, read_script

SCRIPT = """
    # Pim in Athens

    [a sks cat at the temple]
    One day in Athens.
    Pim: So many columns: five!

    [a sks cat getting a haircut]
    Pim (left): Not too short, please.
    Barber (right): Snip.
"""


def test_a_script_is_read_into_panels() -> None:
    assert read_script(SCRIPT) == Story("Pim in Athens", (
        Panel("a sks cat at the temple", ("One day in Athens.",), (Speech("Pim", "So many columns: five!"),)),
        Panel("a sks cat getting a haircut", (), (Speech("Pim", "Not too short, please.", "left"),
                                                  Speech("Barber", "Snip.", "right"))),
    ))


def test_every_word_of_the_script_is_in_the_alt_text() -> None:
    figure = draw_comic(read_script(SCRIPT), [Image.new("RGB", (9, 9))] * 2, notice="the horn")
    for words in ("Pim in Athens", "2 panels", "at the temple", "One day", "Pim says: So many columns: five!", "Snip",
                  "notice the horn"):
        assert words in figure.alt


@pytest.mark.parametrize(("script", "words"), [
    ("", "no panels"), ("# only a title", "no panels"), ("A caption alone.", "line 1 .*no picture"),
    ("[a cat]\n[a dog]", "Line 2 .*one picture"), ("[a cat", "Line 1 .*brackets"), ("[]", "Line 1"),
])
def test_a_script_that_is_wrong_is_an_error_that_names_the_line(script: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_script(script)


def test_numbers_that_do_not_fit_are_errors() -> None:
    story = read_script(SCRIPT)
    with pytest.raises(ValueError, match="3 pictures for 2 panels"):
        draw_comic(story, [Image.new("RGB", (9, 9))] * 3)
    with pytest.raises(ValueError, match="columns is 0"):
        draw_comic(story, [Image.new("RGB", (9, 9))] * 2, columns=0)


@pytest.mark.parametrize("columns", [1, 2])
def test_the_lower_part_of_every_picture_is_shown_whole(columns: int) -> None:
    colors = ((200, 30, 30), (30, 60, 200))
    figure = draw_comic(read_script(SCRIPT), [Image.new("RGB", (64, 64), c) for c in colors], columns=columns)
    pixels = np.asarray(figure.picture, dtype=int)
    for color in colors:
        share = (np.abs(pixels - color).max(-1) < 12).sum()
        assert share > 0.72 * SIDE * SIDE
    assert (figure.picture.width > figure.picture.height) == (columns == 2)


def test_text_of_any_length_stays_inside_its_panel() -> None:
    long = "word " * 60 + "w" * 200
    story = Story("", (Panel("a cat", (long,), (Speech("Pim", long, "left"),)), Panel("a dog")))
    figure = draw_comic(story, [Image.new("RGB", (64, 64), "white")] * 2)
    second = np.asarray(figure.picture.convert("L"))[:, figure.picture.width // 2 + 20 : -20]
    assert (second[20:-20] > 200).all()  # nothing of the first panel's text in the second
    assert all(_font(15).getlength(line) <= 300 for line in _wrapped(long, 300, _font(15)))
    assert "".join(_wrapped(long, 300, _font(15))).replace(" ", "") == long.replace(" ", "")
