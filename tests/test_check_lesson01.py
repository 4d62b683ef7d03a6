"""The checks of lesson 1: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from check_cases import (  # noqa: F401
    pytest_generate_tests,
    test_a_right_answer_passes,
    test_a_wrong_answer_is_told_its_slip,
    test_an_answer_that_works_in_place_spoils_nothing_for_the_next,
    test_each_slip_has_a_message_of_its_own,
    test_the_notebook_folds_a_solution_for_every_check,
    test_the_notebook_s_solution_passes_its_check,
    test_the_three_dots_are_told_apart_from_a_wrong_answer,
)

from helpers import check
from helpers.check.lesson01 import EDITORS, START
from helpers.picturebook.edits import Edit
from helpers.picturebook.scene import Scene

SOURCE = Path(__file__).parent.parent / "notebooks" / "src" / "01_what_is_editing.py"


def db(result: Any, picture: Any, where: Any) -> Any:
    return -10 * np.log10(np.square(result - picture)[where].mean())


def add_in_place(result: Any, picture: Any, mask: Any) -> Any:
    picture[mask] = result[mask]
    return picture


RIGHT: dict[str, list[Any]] = {
    "changed_scene": [START.but(wearing="hat", wearing_color="red", sky="night"),
                      START.but(sky="night").but(wearing="hat")],
    "true_mask": [lambda a, b: (abs(a.astype(int) - b.astype(int)) > 12).any(-1),
                  lambda a, b: np.abs(a.astype(float) - b.astype(float)).max(axis=2) > 12],
    "kept_db": [lambda result, picture, mask: db(result, picture, ~mask),
                lambda result, picture, mask: 10 * np.log10(1 / ((result - picture)[~mask] ** 2).mean())],
    "unbeaten": [{"A", "B", "C", "E"}, ["E", "C", "B", "A"], "ABCE"],
    "paste": [lambda result, picture, mask: np.where(mask[..., None], result, picture),
              lambda result, picture, mask: mask[..., None] * result + (1 - mask[..., None]) * picture],
}

WRONG: dict[str, dict[str, Any]] = {
    "changed_scene": {
        "another seed": Scene(seed=7, wearing="hat", sky="night"),
        "wearing='hat'": START.but(sky="night"),
        "sky='night'": START.but(wearing="hat"),
        "wearing_color='red'": START.but(wearing="hat", wearing_color="blue", sky="night"),
        "nothing about color": START.but(wearing="hat", sky="night", color="red"),
        "the whole edit": Edit(START, START.but(wearing="hat", sky="night")),
        "is a str": "a cat wearing a red hat at night",
    },
    "true_mask": {
        "every colour channel": lambda a, b: abs(a.astype(int) - b.astype(int)) > 12,
        "where the pictures agree": lambda a, b: (abs(a.astype(int) - b.astype(int)) <= 12).all(-1),
        "difference of 5": lambda a, b: (a != b).any(-1),
        "became darker, or brighter": lambda a, b: (b.astype(int) - a > 12).any(-1),
        "one channel alone": lambda a, b: abs(a.astype(int) - b).mean(-1) > 20,
        "holds int64": lambda a, b: abs(a.astype(int) - b).max(-1),
        "has the shape \\(\\)": lambda a, b: (a != b).any(),
        "bytes wrap around": lambda a, b: (b - a > 12).any(-1),
        "threshold is another": lambda a, b: (abs(a.astype(int) - b) > 20).any(-1),
        "where nothing changed": lambda a, b: (abs(a.astype(int) - b) > 12).any(-1) | (np.arange(5) == 1),
        "returns None": lambda a, b: None,
        "stopped with TypeError": lambda a: a,
    },
    "kept_db": {
        "inside the mask": lambda result, picture, mask: db(result, picture, mask),
        "the whole picture": lambda result, picture, mask: db(result, picture, ...),
        "sign is turned": lambda result, picture, mask: -db(result, picture, ~mask),
        "natural logarithm": lambda result, picture, mask: -10 * np.log(np.square(result - picture)[~mask].mean()),
        "20 belongs": lambda result, picture, mask: 2 * db(result, picture, ~mask),
        "That is the mean squared error": lambda result, picture, mask: np.square(result - picture)[~mask].mean(),
        "not squared": lambda result, picture, mask: -10 * np.log10(abs(result - picture)[~mask].mean()),
        "mean absolute error": lambda result, picture, mask: abs(result - picture)[~mask].mean(),
        "an array of the shape": lambda result, picture, mask: (result - picture)[~mask] ** 2,
        "It gives 1.00": lambda result, picture, mask: 1.0,
        "function itself": 3.0,
    },
    "unbeaten": {
        "E keeps more": {"A", "B", "C", "E", "F"},
        "C keeps|keeps more than D": set("ABCDE"),
        "A does nothing": {"B", "C", "E"},
        "What about B and C": {"A", "E"},
        "Expected a set": {"sdedit"},
    },
    "paste": {
        "swapped": lambda result, picture, mask: np.where(mask[..., None], picture, result),
        "black": lambda result, picture, mask: result * mask[..., None],
        "the mean": lambda result, picture, mask: 0.5 * (result + picture),
        "are added": lambda result, picture, mask: mask[..., None] * result + picture,
        "changes the picture": add_in_place,
        "returns the shape": lambda result, picture, mask: result[mask],
        "neither": lambda result, picture, mask: result,
    },
}


TEMPLATES = {"changed_scene": [...], "unbeaten": [..., {...}]}
NAMES = {"np": np, "scene": START}


def test_the_unbeaten_editors_are_those_by_definition() -> None:
    def beaten(name: str) -> bool:
        obeyed, kept = EDITORS[name]
        return any(o >= obeyed and k >= kept and (o, k) != (obeyed, kept) for o, k in EDITORS.values())

    assert check.unbeaten({name for name in EDITORS if not beaten(name)})
