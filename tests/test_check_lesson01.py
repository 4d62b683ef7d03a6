"""The checks of lesson 1: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from check_cases import (  # noqa: F401
    pytest_generate_tests,
    test_a_check_has_two_right_answers_and_three_slips_at_least,
    test_a_function_is_run_at_three_inputs_at_least,
    test_a_number_counts_in_whatever_form_it_comes,
    test_a_right_answer_passes,
    test_a_right_answer_with_a_slip_at_its_end_is_refused_with_a_sentence,
    test_a_tensor_counts_in_another_library_precision_or_layout,
    test_a_wrong_answer_is_told_its_slip,
    test_an_answer_that_changes_what_it_was_given_is_told_so_and_spoils_nothing_for_the_next,
    test_each_slip_has_a_message_of_its_own,
    test_the_notebook_folds_a_solution_for_every_check,
    test_the_notebook_s_solution_passes_its_check,
    test_the_three_dots_are_told_apart_from_a_wrong_answer,
    test_what_a_function_must_not_return_is_told_by_its_kind,
    test_what_is_no_number_is_refused_kindly,
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
                  lambda a, b: np.abs(a.astype(float) - b.astype(float)).max(axis=2) > 12,
                  lambda a, b: ((torch.from_numpy(a).int() - torch.from_numpy(b).int()).abs() > 12).any(-1),
                  lambda a, b: np.array([[any(abs(int(p) - int(q)) > 12 for p, q in zip(x, y, strict=True))
                                          for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)])],
    "kept_db": [lambda result, picture, mask: db(result, picture, ~mask),
                lambda result, picture, mask: 10 * np.log10(1 / ((result - picture)[~mask] ** 2).mean()),
                lambda r, p, m: -10 * torch.log10(torch.nn.functional.mse_loss(*(torch.from_numpy(x[~m]) for x in
                                                                                 (r, p)))),
                lambda r, p, m: float(db(r.astype(np.float32), p.astype(np.float32), m == 0))],
    "unbeaten": [{"A", "B", "C", "E"}, ["E", "C", "B", "A"], "ABCE"],
    "paste": [lambda result, picture, mask: np.where(mask[..., None], result, picture),
              lambda result, picture, mask: mask[..., None] * result + (1 - mask[..., None]) * picture,
              lambda result, picture, mask: add_in_place(result, picture.copy(), mask),
              lambda result, picture, mask: torch.where(torch.from_numpy(mask)[..., None], torch.from_numpy(result),
                                                        torch.from_numpy(picture))],
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
        "where nothing changed": lambda a, b: (abs(a.astype(int) - b) > 12).any(-1) | (np.arange(a.shape[1]) == 1),
        "int8 holds": lambda a, b: (abs(a.astype(np.int8) - b.astype(np.int8)) > 12).any(-1),
        "another axis was joined": lambda a, b: (abs(a.astype(int) - b) > 12).any(0),
        "For some pictures it is True elsewhere": lambda a, b: (abs(a.astype(int) - b) > 12).any(-1) | (len(a) == 7),
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
        "same for every input": lambda result, picture, mask: 1.0,
        "not 255: nothing is divided": lambda r, p, m: 20 * np.log10(255 / np.sqrt(np.square(r - p)[~m].mean())),
        "255 too much": lambda r, p, m: db(255 * r, 255 * p, ~m),
        "without its square": lambda r, p, m: 10 * np.log10(255 / np.square(r - p)[~m].mean()),
        "inside is set to 0": lambda r, p, m: db(r * ~m[..., None], p * ~m[..., None], ...),
        "squared errors are summed": lambda r, p, m: -10 * np.log10(np.square(r - p)[~m].sum()),
        "root is taken": lambda r, p, m: -10 * np.log10(np.sqrt(np.square(r - p)[~m].mean())),
        "factor 10 is missing": lambda r, p, m: -np.log10(np.square(r - p)[~m].mean()),
        "square the mean": lambda r, p, m: -10 * np.log10((r - p)[~m].mean() ** 2),
        "Pixels outside the mask": lambda r, p, m: -10 * np.log10(np.square(r - p)[~m].mean() + 1e-3),
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
        "changes what it was given": add_in_place,
        "result alone": lambda result, picture, mask: result,
        "picture alone": lambda result, picture, mask: picture,
        "Inside the mask it is black": lambda result, picture, mask: picture * ~mask[..., None],
        "Outside the mask the two": lambda result, picture, mask: result + picture * ~mask[..., None],
        "returns the shape": lambda result, picture, mask: result[mask],
        "neither": lambda result, picture, mask: 0.7 * result + 0.3 * picture,
    },
}


TEMPLATES = {"changed_scene": [...], "unbeaten": [..., {...}]}
NAMES = {"np": np, "scene": START}


def test_the_unbeaten_editors_are_those_by_definition() -> None:
    def beaten(name: str) -> bool:
        obeyed, kept = EDITORS[name]
        return any(o >= obeyed and k >= kept and (o, k) != (obeyed, kept) for o, k in EDITORS.values())

    assert check.unbeaten({name for name in EDITORS if not beaten(name)})
