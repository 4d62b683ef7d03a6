"""DreamBooth's subjects: the same in every picture, in contexts whose true answer is known."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from PIL import ImageFilter

from helpers.picturebook import draw, part_mask
from helpers.picturebook.judge import Judge
from helpers.picturebook.subjects import CONTEXTS, SUBJECTS, TAKEN, Recognizer, check_context, obeyed


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_its_pictures_differ_from_each_other_and_from_others_of_its_class(subject) -> None:
    pictures = subject.pictures(6)
    assert len({p.tobytes() for p in pictures}) == 6
    assert [p.tobytes() for p in pictures[:4]] == [p.tobytes() for p in subject.pictures(4)]
    own, other = (draw(subject.scene("temple", 3, known)) for known in (True, False))
    mask = np.asarray(part_mask(subject.scene("temple", 3), "thing")) > 0
    changed = np.abs(np.asarray(own, int) - np.asarray(other, int)).max(-1) > 40
    assert changed[mask].mean() > 0.5


def test_no_context_is_among_the_pictures_it_is_learnt_from() -> None:
    assert all(context not in TAKEN for context in CONTEXTS.values())
    assert all(set(place) <= {"place", "sky"} for place in TAKEN)


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_context_can_be_said_drawn_and_read(context: str) -> None:
    for subject in SUBJECTS.values():
        scene = subject.scene(context, seed=4)
        assert scene.character == subject.name and draw(scene).size == (128, 128)
        assert all(scene.has(name) for name in obeyed(context)) and obeyed(context)
    assert SUBJECTS["pim"].prompt("sks", context).startswith("a sks cat ")


def test_prompts_are_those_a_reader_would_type() -> None:
    pim = SUBJECTS["pim"]
    assert pim.prompt() == "a cat" and pim.prompt("sks") == "a sks cat"
    assert pim.prompt("sks", "temple") == "a sks cat at the temple"
    assert pim.prompt("", "train") == "a cat riding a green train"
    assert pim.prompt("sks", "haircut") == "a sks cat getting a haircut"


def test_what_there_is_not_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(ValueError, match="context is 'moon'; expected 'temple'"):
        check_context("moon")
    with pytest.raises(ValueError, match="count is 7; expected a whole number from 1 to 6"):
        SUBJECTS["bo"].pictures(7)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_recognizer_tells_each_subject_from_others_in_drawings_it_did_not_learn_from(subject) -> None:
    assert Recognizer(subject, Judge.load(), 50).accuracy(25) >= 0.9


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_recognizer_does_not_take_the_hand_of_a_model_for_a_mark_of_the_subject(subject) -> None:
    """The hand of this model is a blur. Both recognizers know the drawings, one has seen what the model makes."""
    judge = Judge.load()
    blurred = [picture.filter(ImageFilter.BoxBlur(4)) for picture in islice(subject.seen(False, 300_000), 80)]
    naive, warned = Recognizer(subject, judge, 40), Recognizer(subject, judge, 40, made=blurred[:40])
    sure = [np.mean(recognizer.of(blurred[40:])) for recognizer in (naive, warned)]
    assert sure[1] < 0.5 * sure[0] and warned.accuracy(25) >= 0.9, sure
