"""The checks of lesson 0: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
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

SOURCE = Path(__file__).parent.parent / "notebooks" / "src" / "00_start_here.py"


def apart(first: Any, second: Any) -> Any:
    """The signed differences, in [-1, 1]."""
    return (first.astype(float) - second) / 255


def by_loops(first: Any, second: Any) -> float:
    """The mean difference, value by value."""
    pairs = list(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))
    return sum(abs(a - b) for a, b in pairs) / (255 * len(pairs))


RIGHT: dict[str, list[Any]] = {
    "steps_run": [lambda strength, steps: round(strength * steps), lambda strength, steps: int(strength * steps + 0.5),
                  lambda strength, steps: np.rint(strength * steps),
                  lambda strength, steps: Decimal(strength * steps).quantize(Decimal(1), ROUND_HALF_EVEN)],
    "mean_change": [lambda a, b: abs(a.astype(float) - b.astype(float)).mean() / 255, by_loops,
                    lambda a, b: (torch.from_numpy(a) / 255 - torch.from_numpy(b) / 255).abs().mean(),
                    lambda a, b: np.abs(a.astype(int) - b.astype(int)).mean(axis=(0, 1)).mean() / 255],
}

WRONG: dict[str, dict[str, Any]] = {
    "steps_run": {
        "cut the share off": lambda strength, steps: int(strength * steps),
        "round up": lambda strength, steps: math.ceil(strength * steps),
        "left out": lambda strength, steps: steps - round(strength * steps),
        "return a whole number": lambda strength, steps: strength * steps,
        "rounded first": lambda strength, steps: round(strength) * steps,
        "all the steps": lambda strength, steps: steps,
        "One step more": lambda strength, steps: round(strength * steps) + 1,
        "the share of `steps`": lambda strength, steps: round(strength * (steps - 3)),
        "`strength` as it was given": lambda strength, steps: strength,
        "stopped with TypeError": lambda strength: 1,
        "expected a number of steps": lambda strength, steps: [strength * steps],
    },
    "mean_change": {
        "Bytes wrap around": lambda a, b: abs(a - b).mean() / 255,
        "in levels of 255": lambda a, b: abs(a.astype(float) - b).mean(),
        "sizes of the differences are missing": lambda a, b: apart(a, b).mean(),
        "take the size after the mean": lambda a, b: abs(apart(a, b).mean()),
        "are squared": lambda a, b: (apart(a, b) ** 2).mean(),
        "root of the mean square": lambda a, b: (apart(a, b) ** 2).mean() ** 0.5,
        "are summed": lambda a, b: abs(apart(a, b)).sum(),
        "largest difference": lambda a, b: abs(apart(a, b)).max(),
        "share of the values": lambda a, b: (a != b).mean(),
        "Only one colour channel": lambda a, b: abs(apart(a, b))[..., 0].mean(),
        "divide by 256": lambda a, b: abs(a.astype(float) - b).mean() / 256,
        "expected one number": lambda a, b: abs(apart(a, b)).mean(axis=-1),
        "compare step by step": lambda a, b: abs(apart(a, b)).mean() + 0.3 * a.mean(),
    },
}

NAMES = {"np": np}


def test_a_strength_that_falls_between_two_steps_counts_either_way() -> None:
    """round and int(... + 0.5) differ where a half follows an even number: no input of the check is such."""
    from helpers.check.lesson00 import STRENGTHS

    assert all(round(strength * steps) == int(strength * steps + 0.5) for strength, steps in STRENGTHS)
