"""The measurement of lesson 1: the trivial editors get the scores that follow from their definition."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks import lesson01
from helpers.measure import score
from helpers.picturebook.edits import Edit, random_edit
from helpers.picturebook.judge import Judge
from helpers.picturebook.scene import Scene


class Knowing(Judge):
    """A judge that knows one scene and reads it from its picture, and the other from any other picture."""

    def __init__(self, edit: Edit) -> None:
        self.edit = edit

    def read(self, pictures: list[Image.Image]) -> list[Knowing]:
        self.seen = self.edit.target if pictures[0] == self.edit.target_picture else self.edit.source
        return [self]

    def agrees(self, scene: Scene, attribute: str) -> bool:
        return getattr(self.seen, attribute) == getattr(scene, attribute)


@pytest.mark.parametrize("kind", lesson01.MEASURED_KINDS)
def test_doing_nothing_keeps_all_and_obeys_nothing_and_the_truth_does_both(kind):
    edit = random_edit(kind, 0)
    nothing, truth = (score(picture, edit, Knowing(edit)) for picture in (edit.picture, edit.target_picture))
    assert nothing[:2] == (0, 60) and nothing[2] > 0
    assert truth[0] == 1 and truth[1] > 40 and truth[2] == 0


def test_a_summary_holds_means_and_their_intervals():
    found = lesson01.summary(np.array([[0, 20, 0.1], [1, np.nan, 0.3], [1, 30, 0.2], [0, 25, 0.2]]))
    assert found["n"] == 4 and found["obeyed"] == 0.5 and found["kept"] == 25 and found["distance"] == 0.2
    assert found["kept_pm"] == pytest.approx(1.96 * 5 / 3**0.5, abs=1e-4)


def test_a_methods_knob_is_a_level_of_its_own():
    flat = {"anew": {"kept": 1.0}, "sdedit 0.2": {"kept": 2.0}, "sdedit 0.4": {"kept": 3.0}}
    assert lesson01.nested(flat) == {"anew": {"kept": 1.0}, "sdedit": {"0.2": {"kept": 2.0}, "0.4": {"kept": 3.0}}}
