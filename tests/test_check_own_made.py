"""The open exercises of lessons 4 and 7: a good edit passes, and each way to fail is told."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from helpers import check
from helpers.check import own_made
from helpers.picturebook.drawing import draw
from helpers.picturebook.judge import Judge
from helpers.picturebook.scene import Scene
from helpers.picturebook.subjects import SUBJECTS, Recognizer

SCENE = Scene(seed=5, thing="cat", color="orange", place="beach", doing="riding", ride="bicycle", ride_color="red")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


@pytest.fixture(scope="module")
def rides(judge: Judge) -> list[Image.Image]:
    """Drawn: a bicycle, and a car in the same scene."""
    return [draw(SCENE), draw(SCENE.but(ride="car"))]


def test_an_edit_that_obeys_and_keeps_enough_passes(judge: Judge, rides: list[Image.Image]) -> None:
    verdict = check.own_prompt_edit(rides, ("ride", "car"), judge)
    assert verdict and "'car' for 'bicycle'" in verdict.message
    assert check.own_prompt_edit(tuple(picture.resize((256, 256)) for picture in rides), ["ride", "car"], judge)


def test_each_way_to_fail_with_a_prompt_edit_is_told(judge: Judge, rides: list[Image.Image]) -> None:
    moved = rides[1].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    car = ("ride", "car")
    told: dict[str, tuple[Any, ...]] = {
        "three dots": (..., car, judge), "The two pictures are the same": ([rides[0]] * 2, car, judge),
        "in I already": (rides, ("ride", "bicycle"), judge), "not 'train'": (rides, ("ride", "train"), judge),
        "asked are 20": ([rides[0], moved], car, judge), "You give 1 pictures": (rides[:1], car, judge),
        "is an Image; expected [I, I": (rides[0], car, judge), "There is a text in it": (["a", "b"], car, judge),
        "an attribute and its value": (rides, "car", judge), "no attribute 'vehicle'": (rides, ("vehicle", "car"),
                                                                                      judge),
        "cannot be 'ufo'": (rides, ("ride", "ufo"), judge), "expected the judge": (rides, car, 3)}
    for words, given in told.items():
        verdict = check.own_prompt_edit(*given)
        assert not verdict and words in verdict.message, verdict
    assert "a number of decibels" in check.own_prompt_edit(rides, ("ride", "car"), judge, least="20").message
    assert "asked are 59" in check.own_prompt_edit(rides, ("ride", "car"), judge, least=59).message


@pytest.fixture(scope="module")
def recognizer(judge: Judge) -> Recognizer:
    return Recognizer(SUBJECTS["pim"], judge, count=20)


@pytest.fixture(scope="module")
def cats() -> tuple[list[Image.Image], list[Image.Image]]:
    """Four drawn cats that are not Pim, twice."""
    others = [draw(SUBJECTS["pim"].scene(None, seed, known=False).but(color=color, place=place))
              for seed, (color, place) in enumerate((("orange", "meadow"), ("black", "beach"), ("white", "street"),
                                                     ("brown", "forest")))]
    return others, list(others)


@pytest.fixture
def surely(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The recognizer, made to say what the test needs."""
    def saying(*sure: list[float]) -> Recognizer:
        answers = iter(sure)
        monkeypatch.setattr(recognizer, "of", lambda pictures: next(answers))
        return recognizer
    yield saying


def test_the_subject_in_a_scene_without_drift_passes(surely: Any, cats: Any) -> None:
    wanted = draw(SUBJECTS["pim"].scene("temple", seed=4))
    verdict = check.own_subject(wanted, "temple", cats, surely([0.9], [0.1] * 4))
    assert verdict and "Pim 'temple', no drift" in verdict.message


def test_each_way_to_fail_with_a_subject_is_told(surely: Any, cats: Any) -> None:
    wanted, sure = draw(SUBJECTS["pim"].scene("temple", seed=4)), [[0.9], [0.1] * 4]
    mirrored = (cats[0], [cat.transpose(Image.Transpose.FLIP_TOP_BOTTOM) for cat in cats[0]])
    small = (cats[0], [cat.resize((64, 64)) for cat in cats[0]])
    told: dict[str, tuple[Any, ...]] = {
        "three dots": (..., "temple", cats, surely()), "no context 'moon'": (wanted, "moon", cats, surely()),
        "the scene is not there": (draw(SUBJECTS["pim"].scene("temple", seed=4).but(place="beach")), "temple", cats,
                                   surely(*sure)),
        "not taken for Pim": (wanted, "temple", cats, surely([0.2], [0.1] * 4)),
        "2 of 4 pictures of the class show Pim": (wanted, "temple", cats, surely([0.9], [0.9, 0.1, 0.8, 0.1])),
        "the class is not what it was": (wanted, "temple", mirrored, surely(*sure)),
        "There is a text in it": ("temple", "temple", cats, surely()), "Give the class twice": (wanted, "temple",
                                                                                              cats[0], surely()),
        "four at least": (wanted, "temple", (cats[0][:2], cats[1][:2]), surely()),
        "must be pictures": (wanted, "temple", ([1] * 4, [2] * 4), surely()),
        "differ in size": (wanted, "temple", small, surely()),
        "expected the recognizer": (wanted, "temple", cats, SimpleNamespace())}
    for words, (picture, context, classes, knows) in told.items():
        if isinstance(knows, Recognizer):
            answers = {"not taken for Pim": [[0.2], [0.1] * 4], "2 of 4 pictures of the class show Pim": [
                [0.9], [0.9, 0.1, 0.8, 0.1]]}.get(words, sure)
            knows = surely(*answers)
        verdict = check.own_subject(picture, context, classes, knows)
        assert not verdict and words in verdict.message, verdict


def test_the_helpers_of_the_check_find_nothing_wrong_with_what_is_right(cats: Any) -> None:
    assert own_made.wrong_cats(cats) == own_made.wrong_change(("ride", "car")) == own_made.wrong_number(3) == ""
