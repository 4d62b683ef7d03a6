"""The checks of lesson 5: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
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
from torch import Tensor

from helpers import check
from helpers.check.lesson05 import mean, missing, order, step
from helpers.core.diffusion import alpha_bar_at, ddim_sigma, ddim_step
from helpers.core.randomness import noise
from helpers.methods.inversion import ddim, edit_friendly
from helpers.models.analytic import AnalyticModel

(SOURCE,) = (Path(__file__).parent.parent / "notebooks").glob("*/05_real_pictures.py")
PLANE = AnalyticModel()


def clean(x: Tensor, eps: Tensor, a: float) -> Tensor:
    """The clean picture in mind."""
    return (x - (1 - a) ** 0.5 * eps) / a**0.5


def in_place(x: Tensor, pivot: Tensor) -> Tensor:
    """Puts the source back where it lies."""
    x[:1] = pivot
    return x


def offset(x: Tensor, pivot: Tensor) -> Tensor:
    """As the paper writes it: an offset for the source, none for the others."""
    return x + torch.cat([pivot - x[:1], torch.zeros_like(x[1:])])


RIGHT = {
    "inversion_step": [step, lambda x, eps, a_s, a_t: (a_t / a_s) ** 0.5 * x
                       + ((1 / a_t - 1) ** 0.5 - (1 / a_s - 1) ** 0.5) * a_t**0.5 * eps,
                       lambda x, eps, a_s, a_t: step(x.numpy(), eps.numpy(), a_s, a_t)],
    "order_of_error": [order, lambda n1, e1, n2, e2: torch.tensor(e1 / e2).log() / math.log(n2 / n1),
                       lambda n1, e1, n2, e2: np.log(e1 / e2) / np.log(n2 / n1),
                       lambda n1, e1, n2, e2: -np.polyfit(np.log([n1, n2]), np.log([e1, e2]), 1)[0]],
    "which_guidance": [1, 1.0],
    "calls_of_null_text": [140, np.int16(140), 20 + 20 + 20 * (4 + 1)],
    "put_back": [lambda x, pivot: torch.cat([pivot, x[1:]]), lambda x, pivot: in_place(x.clone(), pivot), offset,
                 lambda x, pivot: np.concatenate([pivot.numpy(), x[1:].numpy()])],
    "missing_noise": [missing, lambda x_s, x_t, eps, a_s, a_t, sigma: (
        (x_s.numpy() - a_s**0.5 * clean(x_t, eps, a_t).numpy()) - (1 - a_s - sigma**2) ** 0.5 * eps.numpy()) / sigma],
}

WRONG = {
    "inversion_step": {
        "swapped": lambda x, eps, a_s, a_t: step(x, eps, a_t, a_s),
        "not clean yet": lambda x, eps, a_s, a_t: a_t**0.5 * x + (1 - a_t) ** 0.5 * eps,
        "it stays clean": lambda x, eps, a_s, a_t: clean(x, eps, a_s),
        "noise of time t is missing": lambda x, eps, a_s, a_t: a_t**0.5 * clean(x, eps, a_s),
        "divide by sqrt": lambda x, eps, a_s, a_t: step(x, eps, a_s, a_t) - a_t**0.5 * clean(x, eps, a_s)
        * (1 - a_s**0.5),
        "scaled by sqrt\\(a_t\\)": lambda x, eps, a_s, a_t: clean(x, eps, a_s) + (1 - a_t) ** 0.5 * eps,
        "only scales x": lambda x, eps, a_s, a_t: (a_t / a_s) ** 0.5 * x,
        "time s again": lambda x, eps, a_s, a_t: a_t**0.5 * clean(x, eps, a_s) + (1 - a_s) ** 0.5 * eps,
        "must be taken out": lambda x, eps, a_s, a_t: a_t**0.5 * clean(x, -eps, a_s) + (1 - a_t) ** 0.5 * eps,
        "roots are missing": lambda x, eps, a_s, a_t: a_t * (x - (1 - a_s) * eps) / a_s + (1 - a_t) * eps,
        "stopped with TypeError": lambda x, eps: x,
        "values differ": lambda x, eps, a_s, a_t: 3 * x,
    },
    "order_of_error": {
        "sign is turned": lambda n1, e1, n2, e2: math.log(e2 / e1) / math.log(n2 / n1),
        "how many times smaller": lambda n1, e1, n2, e2: e1 / e2,
        "Dividing the two ratios": lambda n1, e1, n2, e2: e1 / e2 * n1 / n2,
        "error's ratio alone": lambda n1, e1, n2, e2: math.log(e1 / e2),
        "only where the steps double": lambda n1, e1, n2, e2: math.log2(e1 / e2),
        "upside down": lambda n1, e1, n2, e2: math.log(n2 / n1) / math.log(e1 / e2),
        "plain axes": lambda n1, e1, n2, e2: (e1 - e2) / (n2 - n1),
        "same for every input": lambda n1, e1, n2, e2: 1,
        "solve for p": lambda n1, e1, n2, e2: math.log(e1 / e2) + math.log(n2 / n1),
        "inside one log": lambda n1, e1, n2, e2: math.log((e1 / e2) / (n2 / n1)),
        "a whole number": lambda n1, e1, n2, e2: round(order(n1, e1, n2, e2)),
        "whole numbers: is there": lambda n1, e1, n2, e2: int(order(n1, e1, n2, e2)),
        "logs of the errors": lambda n1, e1, n2, e2: math.log(e1) / math.log(e2),
        "expected a number": lambda n1, e1, n2, e2: "1",
        "stopped with ZeroDivisionError": lambda n1, e1, n2, e2: 1 / 0,
    },
    "which_guidance": {"under the empty prompt": 0, "what it multiplies": 4, "What is left": 2, "not a text": "1"},
    "calls_of_null_text": {
        "looked at once more": 120,
        "unconditional calls alone": 100,
        "updates alone": 80,
        "The fit calls": 40,
        "once a step, not again": 220,
        "and DDIM has to climb": 200,
        "only the unconditional half": 180,
        "Count three things": 7,
        "not a list": [140],
    },
    "put_back": {
        "nothing is edited": lambda x, pivot: pivot.expand_as(x),
        "offset to every row": lambda x, pivot: x + (pivot - x[:1]),
        "edited rows are gone": lambda x, pivot: pivot,
        "put back the last": lambda x, pivot: torch.cat([x[:-1], pivot]),
        "must be replaced": lambda x, pivot: x,
        "out of order": lambda x, pivot: torch.cat([x[1:], pivot]),
        "before all rows": lambda x, pivot: torch.cat([pivot, x]),
        "returns a list; expected a tensor": lambda x, pivot: [pivot, x[1:]],
        "expected a tensor of shape": lambda x, pivot: x[:2],
        "changes `x`": in_place,
        "are mixed": lambda x, pivot: torch.cat([(x[:1] + pivot) / 2, x[1:]]),
        "as many rows": lambda x, pivot: torch.cat([pivot, 2 * x[1:] + 1]),
        "stopped with RuntimeError": lambda x, pivot: torch.cat([pivot, x[1:, :1]]),
        "returns None": lambda x, pivot: None,
    },
    "missing_noise": {
        "sigma z": lambda x_s, x_t, eps, a_s, a_t, sigma: sigma * missing(x_s, x_t, eps, a_s, a_t, sigma),
        "sign is turned": lambda *given: -missing(*given),
        "that of DDIM": lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - step(x_t, eps, a_t, a_s)) / sigma,
        "not by its square": lambda x_s, x_t, eps, a_s, a_t, sigma: missing(x_s, x_t, eps, a_s, a_t, sigma) / sigma,
        "holds no eps": lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - a_s**0.5 * clean(x_t, eps, a_t)) / sigma,
        "from one state to the next": lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - x_t) / sigma,
        "subtract sigma\\^2": lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - a_s**0.5 * clean(x_t, eps, a_t)
                                                                     - (1 - a_s - sigma) ** 0.5 * eps) / sigma,
        "values differ": lambda x_s, x_t, *_: x_s + x_t,
        "as it was given": lambda x_s, *_: x_s,
        "changes `x_s`": lambda x_s, x_t, eps, a_s, a_t, sigma: x_s.sub_(
            mean(x_t, eps, a_t, a_s, 1 - a_s - sigma**2)) / sigma,
    },
}

TEMPLATES = {"which_guidance": [...], "calls_of_null_text": [...]}
NAMES = {"math": math, "torch": torch}


def test_the_step_that_is_asked_for_is_the_one_of_the_package() -> None:
    x, eps = noise([1, 2], (2, 2, 1, 1)).split(1)
    s, t = 299, 699
    assert torch.allclose(
        step(x, eps, alpha_bar_at(PLANE, s), alpha_bar_at(PLANE, t)), ddim_step(PLANE, x, eps, s, t), atol=1e-6
    )
    assert torch.allclose(
        step(x, eps, alpha_bar_at(PLANE, t), alpha_bar_at(PLANE, s)), ddim_step(PLANE, x, eps, t, s), atol=1e-6
    )


def test_the_mean_that_is_asked_for_is_the_one_of_the_package() -> None:
    x, eps = noise([1, 2], (2, 2, 1, 1)).split(1)
    a_t, a_s, sigma = alpha_bar_at(PLANE, 699), alpha_bar_at(PLANE, 299), ddim_sigma(PLANE, 699, 299, 1.0)
    asked = mean(x, eps, a_t, a_s, 1 - a_s - sigma**2)
    assert torch.allclose(asked, ddim_step(PLANE, x, eps, 699, 299, 1.0), atol=1e-6)


def test_the_noise_that_is_asked_for_is_what_edit_friendly_inversion_keeps() -> None:
    source = edit_friendly(PLANE, [-1.6, 0.4], "left", steps=6, guidance=1, skip=0, progress=False)
    x_t, x_s = source.trajectory[2:4].split(1)
    t, s = source.times[2:4]
    eps, sigma = PLANE.eps(x_t, t, PLANE.embed("left")), ddim_sigma(PLANE, t, s, 1.0)
    found = missing(x_s, x_t, eps, alpha_bar_at(PLANE, s), alpha_bar_at(PLANE, t), sigma)
    assert torch.allclose(sigma * found[0], source.variance_noise[2], atol=1e-4)


def test_the_order_that_is_asked_for_is_that_of_ddim_s_round_trip() -> None:
    start = torch.tensor([-1.6, 0.4])
    errors = [
        float((ddim(PLANE, start, "left", steps=n, guidance=1, progress=False).trajectory[-1].flatten() - start).norm())
        for n in (100, 200)
    ]
    assert order(100, errors[0], 200, errors[1]) == pytest.approx(1, abs=0.1)


def test_the_names_are_imported_when_asked_for() -> None:
    assert {*RIGHT} <= set(dir(check))
    with pytest.raises(AttributeError, match="put_back"):
        check.put_bak  # noqa: B018
