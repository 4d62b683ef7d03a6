"""The checks of lesson 7: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from toy_network import ToyModel

from helpers import check
from helpers.check.lesson07 import SHEETS, best_steps, distances, lora_size, with_prior
from helpers.core.diffusion import add_noise
from helpers.finetuning.loss import draw
from helpers.finetuning.weights import LORA_A, lora, parameters, trained
from helpers.methods.dreambooth import fit_dreambooth
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.subjects import SUBJECTS

(SOURCE,) = (Path(__file__).parent.parent / "notebooks").glob("*/07_dreambooth.py")


def means(e: Tensor, z: Tensor, e_pr: Tensor, z_pr: Tensor, w: float) -> Tensor:
    """The loss with torch's own squared error."""
    mse = torch.nn.functional.mse_loss
    return mse(e, z) + w * mse(e_pr, z_pr)


def told(**changes: str) -> dict[str, str]:
    """The right sheets, some of them exchanged."""
    return SHEETS | changes


def swapped(one: str, other: str) -> dict[str, str]:
    """The right sheets, but for two ways that are taken for each other."""
    return {sheet: {one: other, other: one}.get(way, way) for sheet, way in SHEETS.items()}


def in_a_loop(f: Tensor) -> Tensor:
    """The mean distance, pair by pair."""
    pairs = [(i, j) for i in range(len(f)) for j in range(i)]
    return torch.stack([(f[i] - f[j]).norm() for i, j in pairs]).mean()


def allowed(curve: Any, most: float) -> dict[int, float]:
    """Steps whose drift is small enough -> how often the subject is seen."""
    return {steps: subject for steps, (subject, drift) in curve.items() if drift <= most}


def first_of_the_best(curve: Any, most: float) -> int:
    """A loop that keeps the first best."""
    best, seen = 0, -1.0
    for steps in sorted(curve):
        subject, drift = curve[steps]
        if drift <= most and subject > seen:
            best, seen = steps, subject
    return best


RIGHT = {
    "prior_loss": [with_prior, means, lambda *given: means(*given).item(),
                   lambda e, z, e_pr, z_pr, w: np.mean((e - z).numpy() ** 2) + w * np.mean((e_pr - z_pr).numpy() ** 2)],
    "prior_prompt": ["a dog", "A dog."],
    "mean_distance": [distances, in_a_loop, lambda f: torch.cdist(f, f).sum() / (len(f) * (len(f) - 1)),
                      lambda f: np.linalg.norm((f[:, None] - f).numpy(), axis=-1)[np.triu_indices(len(f), 1)].mean()],
    "which_sheet": [told(), {sheet: way.upper() for sheet, way in SHEETS.items()}],
    "choice_of_steps": [best_steps, first_of_the_best],
    "lora_numbers": [lora_size, lambda layers, rank: rank * sum(map(sum, layers)),
                     lambda layers, rank: np.sum(layers) * rank,
                     lambda layers, rank: sum(torch.zeros(a, rank).numel() + torch.zeros(rank, b).numel()
                                              for a, b in layers)],
    "rows_of_a_fit": [2400, 32 * 25 * 2 + 100 * (4 + 4)],
}

WRONG = {
    "prior_loss": {
        "naive fine-tuning": lambda e, z, e_pr, z_pr, w: (e - z).square().mean(),
        "The subject is missing": lambda e, z, e_pr, z_pr, w: w * (e_pr - z_pr).square().mean(),
        "weight is missing": lambda e, z, e_pr, z_pr, w: (e - z).square().mean() + (e_pr - z_pr).square().mean(),
        "stands at the subject's error": lambda e, z, e_pr, z_pr, w: means(e_pr, z_pr, e, z, w),
        "not by 1 - weight": lambda e, z, e_pr, z_pr, w: (1 - w) * means(e, z, e, z, 0) + w * means(e_pr, z_pr, e, z,
                                                                                                   0),
        "squares are missing": lambda e, z, e_pr, z_pr, w: (e - z).abs().mean() + w * (e_pr - z_pr).abs().mean(),
        "You add everything up": lambda e, z, e_pr, z_pr, w: ((e - z) ** 2).sum() + w * ((e_pr - z_pr) ** 2).sum(),
        "a noise of its own": lambda e, z, e_pr, z_pr, w: means(e, z_pr, e_pr, z, w),
        "with each other": lambda e, z, e_pr, z_pr, w: means(e, z, e_pr, e, w),
        "subtracted": lambda e, z, e_pr, z_pr, w: means(e, z, e_pr, z_pr, -w),
        "an array of the shape": lambda e, z, e_pr, z_pr, w: (e - z) ** 2 + w * (e_pr - z_pr) ** 2,
        "square the mean": lambda e, z, e_pr, z_pr, w: (e - z).mean() ** 2 + w * (e_pr - z_pr).mean() ** 2,
        "not its root": lambda e, z, e_pr, z_pr, w: means(e, z, e, z, 0) ** 0.5 + w * means(e_pr, z_pr, e, z, 0) ** 0.5,
        "weight is squared": lambda e, z, e_pr, z_pr, w: means(e, z, e_pr, z_pr, w * w),
        "sum of the weights": lambda e, z, e_pr, z_pr, w: means(e, z, e_pr, z_pr, w) / (1 + w),
        "changes `e`": lambda e, z, e_pr, z_pr, w: e.sub_(z).square().mean() + w * (e_pr - z_pr).square().mean(),
        "stopped with TypeError": lambda e, z: e - z,
    },
    "prior_prompt": {"any dog": "a vuk dog", "protects cats": "a cat", "Which word of the prompt": "a vuk",
                     "The empty prompt": "", "Too wide": "an animal", "leave out": "a photo", "not a list": ["a dog"]},
    "mean_distance": {
        "distance to itself": lambda f: torch.cdist(f, f).mean(),
        "squared": lambda f: torch.pdist(f).square().mean(),
        "the sum over the pairs": lambda f: torch.pdist(f).sum(),
        "neighbours": lambda f: (f[1:] - f[:-1]).norm(dim=1).mean(),
        "around the middle": lambda f: (f - f.mean(0)).norm(dim=1).mean(),
        "single features .std over the pictures.": lambda f: f.std(0).mean(),
        "divided by N": lambda f: f.numpy().std(0).mean(),
        "That is the std of all numbers": lambda f: f.std(),
        "numpy's std of all numbers": lambda f: f.numpy().std(),
        "the spread within": lambda f: f.std(1).mean(),
        "numpy's spread within": lambda f: f.numpy().std(1).mean(),
        "std of the distances": lambda f: torch.pdist(f).std(),
        "the variance": lambda f: f.var(0).sum(),
        "whole columns": lambda f: torch.pdist(f.T).mean(),
        "city blocks": lambda f: torch.pdist(f, p=1).mean(),
        ".std., added up": lambda f: f.std(0).sum(),
        "length of the features' std": lambda f: f.std(0).norm(),
        "N x N entries": lambda f: torch.cdist(f, f).triu(1).mean(),
        "first picture alone": lambda f: (f[0] - f[1:]).norm(dim=1).mean(),
        "directions": lambda f: 1 - torch.cosine_similarity(f[:, None], f[None], dim=-1).mean(),
        "differences of single features": lambda f: torch.pdist(f, p=1).mean() / f.shape[1],
        "median": lambda f: torch.pdist(f).median(),
        "nearest": lambda f: torch.pdist(f).min(),
        "divide by N": lambda f: torch.pdist(f).sum() / len(f),
        "as if it were counted once": lambda f: torch.cdist(f, f).sum() / (len(f) * (len(f) - 1) / 2),
        "changes `f`": lambda f: torch.pdist(f.mul_(2)).mean() / 2,
        "differ most": lambda f: torch.pdist(f).max(),
        "expected a number": lambda f: torch.pdist(f),
        "values differ": lambda f: torch.pdist(f).mean() + 0.1,
    },
    "which_sheet": {
        "on which sheet has it slid": swapped("naive", "with prior"),
        "nobody has": swapped("before", "word alone"),
        "at least a little": told(C="with prior", D="word alone"),
        "both rows of the sheet": swapped("before", "with prior"),
        "there twice": told(A="before"),
        "none of the four": told(A="overfit"),
        "Expected a dictionary": {"A": "naive"},
    },
    "choice_of_steps": {
        "what of drift": lambda curve, most: max(curve, key=lambda steps: curve[steps][0]),
        "exactly `most` is enough": lambda curve, most: first_of_the_best(curve, most - 1e-9),
        "equally good": lambda curve, most: max(allowed(curve, most), key=lambda s: (allowed(curve, most)[s], s)),
        "fewest steps that are allowed": lambda curve, most: min(allowed(curve, most)),
        "most steps that are allowed": lambda curve, most: max(allowed(curve, most)),
        "least drift": lambda curve, most: min(sorted(curve), key=lambda steps: curve[steps][1]),
        "are swapped": lambda curve, most: max((s for s in sorted(curve) if curve[s][0] <= most),
                                               key=lambda s: curve[s][1], default=0),
        "`most` is not used": lambda curve, most: best_steps(curve, 0.1),
        "how often the subject is seen: return": lambda curve, most: max(allowed(curve, most).values()),
        "where none does": lambda curve, most: 0,
        "same for every input": lambda curve, most: 50,
        "every step drifts too much it fails": lambda curve, most: min(
            s for s in allowed(curve, most) if allowed(curve, most)[s] == max(allowed(curve, most).values())) if min(
            d for _, d in curve.values()) <= most else min([]),
        "first of the dictionary": lambda curve, most: max(allowed(curve, most), key=allowed(curve, most).get),
        "return 0, do not fit": lambda curve, most: first_of_the_best(curve, most) or min(curve),
        "For some curves": lambda curve, most: len(curve),
        "expected a number of steps": lambda curve, most: (50, 0.7),
        "changes `curve`": lambda curve, most: [best_steps(curve, most), curve.popitem()][0],
    },
    "lora_numbers": {
        "the full weights": lambda layers, rank: sum(a * b for a, b in layers),
        "never kept": lambda layers, rank: rank * sum(a * b for a, b in layers),
        "A alone": lambda layers, rank: rank * sum(b for _, b in layers),
        "B alone": lambda layers, rank: rank * sum(a for a, _ in layers),
        "rank is missing": lambda layers, rank: sum(a + b for a, b in layers),
        "no square": lambda layers, rank: rank**2 * sum(a + b for a, b in layers),
        "first layer alone": lambda layers, rank: rank * sum(layers[0]),
        "same for every input": lambda layers, rank: 7,
        "of each layer": lambda layers, rank: len(layers) * rank,
        "last layer alone": lambda layers, rank: rank * sum(layers[-1]),
        "each side of a layer counts": lambda layers, rank: sum(rank + a + b for a, b in layers),
        "mean of the layers": lambda layers, rank: lora_size(layers, rank) / len(layers),
        "expected a whole number": lambda layers, rank: [rank * (a + b) for a, b in layers],
    },
    "rows_of_a_fit": {"4 \\+ 4": 2000, "prior's pictures alone": 1600, "fit alone": 800, "two rows: for": 1200,
                      "subject's rows alone": 400, "sampling only": 3200, "Two parts": 7, "not a text": "2400"},
}

TEMPLATES = {"prior_prompt": [...], "rows_of_a_fit": [...],
             "which_sheet": [..., {"A": ..., "B": ..., "C": ..., "D": ...}]}
NAMES = {"torch": torch}


def test_the_loss_that_is_asked_for_is_the_one_of_the_package() -> None:
    """A step of fit_dreambooth, for a model that predicts the noise, has this loss."""
    model, losses = ToyModel(), []
    pictures, prior = SUBJECTS["pim"].pictures(2), SUBJECTS["bo"].pictures(2)
    fit_dreambooth(model, pictures, "a sks cat", "a cat", prior, prior_weight=0.7, steps=1, batch=2,
                   watch=lambda loss, **_: losses.append(loss), progress=False)
    told = []
    for some, prompt, stream in ((pictures, "a sks cat", 0), (prior, "a cat", "0, prior")):
        x0 = model.encode(some)
        t, z = draw(model, stream, 0, x0.shape)
        told += [model.eps(add_noise(model, x0, z, t), t, model.embed(prompt)), z]
    assert model.prediction == "epsilon"
    assert losses[0] == pytest.approx(with_prior(*told, 0.7).item(), rel=0.02)  # fitted in bfloat16


def test_the_size_that_is_asked_for_is_that_of_a_lora(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]
    small, own = lora(model, 3), parameters(model, ["unet"])
    layers = [tuple(own[name.replace(LORA_A, ".weight")].shape) for name in small.tensors if name.endswith(LORA_A)]
    assert layers and lora_size(layers, 3) == sum(value.numel() for value in trained(small.tensors).values())


def test_the_prompt_that_is_asked_for_is_the_subject_s_without_its_word() -> None:
    subject = SUBJECTS["bo"]
    assert subject.prompt("vuk") == "a vuk dog" and check.prior_prompt(subject.prompt())


def test_every_sheet_of_the_notebook_is_one_of_the_check_s() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    assert all(f'"{way}"' in text for way in SHEETS.values()) and len(set(SHEETS.values())) == len(SHEETS) == 4


def test_the_names_are_imported_when_asked_for() -> None:
    assert {*RIGHT} <= set(dir(check))
    with pytest.raises(AttributeError, match="prior_loss"):
        check.prior_los  # noqa: B018
