"""The checks of lesson 6: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from collections.abc import Callable
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
from toy_network import ToyModel

from helpers import check
from helpers.check.lesson06 import FROZEN, away, descended, loss
from helpers.check.lesson06_choice import SHARE, SWEEP, Choice, Measured, chosen, other
from helpers.core.diffusion import alpha_bar_at
from helpers.core.interface import Text
from helpers.core.randomness import noise
from helpers.finetuning.fit import fit
from helpers.finetuning.loss import denoising_loss
from helpers.methods.imagic import interpolate

(SOURCE,) = (Path(__file__).parent.parent / "notebooks").glob("*/06_imagic.py")


def x_t(x0: Tensor, eps: Tensor, a: float) -> Tensor:
    """The noised latent."""
    return a**0.5 * x0 + (1 - a) ** 0.5 * eps


def moved(e: Tensor, loss: Callable[[Tensor], Tensor], steps: int, lr: float) -> Tensor:
    """A right fit, but of the tensor that was given."""
    return e.copy_(descended(e, loss, steps, lr))


def in_turn(measured: Measured, enough: float) -> Choice | None:
    """The first eta as the dictionary has them."""
    for eta, points in measured.items():
        good = [i for i, (obeyed, _) in enumerate(points) if obeyed == 1]
        if len(good) >= enough * len(points):
            return eta, max(good, key=lambda i: points[i][1])
    return None


def more_than_enough(measured: Measured, enough: float) -> Choice | None:
    """More than `enough` instead of at least."""
    return chosen(measured, enough + 1e-6)


def never_none(measured: Measured, enough: float) -> Choice | None:
    """Falls back to the largest eta."""
    return chosen(measured, enough) or (max(measured), 0)


def smallest(measured: Measured, enough: float) -> Choice | None:
    """Stops with an error where no eta is good enough."""
    eta = min(
        eta
        for eta, points in measured.items()
        if sum(o == 1 for o, _ in points) >= enough * len(points)
    )
    return chosen({eta: measured[eta]}, enough)


def with_names(*steps: object) -> dict:
    """An answer about what is frozen."""
    return dict(enumerate(steps, 1))


def by_hand(e: Tensor, loss: Callable[[Tensor], Tensor], steps: int, lr: float) -> Tensor:
    """Adam written out."""
    e, m, v = e.double(), 0.0, 0.0
    for i in range(1, steps + 1):
        e = e.detach().requires_grad_()
        (g,) = torch.autograd.grad(loss(e), e)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        e = e - lr * m / (1 - 0.9**i) / ((v / (1 - 0.999**i)) ** 0.5 + 1e-8)
    return e.detach()


RIGHT = {
    "loss_of_picture": [loss, lambda predict, x0, eps, a: torch.nn.functional.mse_loss(predict(x_t(x0, eps, a)), eps),
                        lambda predict, x0, eps, a: loss(predict, x0, eps, a).item(),
                        lambda predict, x0, eps, a: np.mean((predict(x_t(x0, eps, a)) - eps).numpy() ** 2)],
    "frozen": [dict(FROZEN), with_names(["text encoder", "unet"], ("e", "text encoder"), [*FROZEN[3]])],
    "embedding_fit": [descended, by_hand, lambda *given: descended(*given).numpy()],
    "interpolation": [
        lambda e_tgt, e_opt, eta: e_opt + eta * (e_tgt - e_opt),
        lambda e_tgt, e_opt, eta: torch.lerp(e_opt, e_tgt, eta),
        lambda e_tgt, e_opt, eta: eta * e_tgt.numpy() + (1 - eta) * e_opt.numpy(),
    ],
    "choice_of_eta": [chosen, lambda measured, enough: (found := chosen(measured, enough)) and list(found),
                      lambda measured, enough: (found := chosen(measured, enough)) and np.array(found)],
    "cost_of_imagic": [40, 40.0, (100 * 4 * 2 + 100 * 4 * 3) / 50],
}

WRONG = {
    "loss_of_picture": {
        "asked about the clean latent": lambda predict, x0, eps, a: (predict(x0) - eps).square().mean(),
        "compared with the clean latent": lambda predict, x0, eps, a: (predict(x_t(x0, eps, a)) - x0).square().mean(),
        "factors are swapped": lambda predict, x0, eps, a: (predict(x_t(x0, eps, 1 - a)) - eps).square().mean(),
        "roots are missing": lambda predict, x0, eps, a: (predict(a * x0 + (1 - a) * eps) - eps).square().mean(),
        "noise must be scaled too": lambda predict, x0, eps, a: (predict(x0 + eps) - eps).square().mean(),
        "is summed": lambda predict, x0, eps, a: (predict(x_t(x0, eps, a)) - eps).square().sum(),
        "not squared": lambda predict, x0, eps, a: (predict(x_t(x0, eps, a)) - eps).mean(),
        "absolute value": lambda predict, x0, eps, a: (predict(x_t(x0, eps, a)) - eps).abs().mean(),
        "square the mean": lambda predict, x0, eps, a: (predict(x_t(x0, eps, a)) - eps).mean() ** 2,
        "for every number of the latent": lambda predict, x0, eps, a: (predict(x_t(x0, eps, a)) - eps) ** 2,
        "2 times": lambda predict, x0, eps, a: 2 * loss(predict, x0, eps, a),
        "is halved": lambda predict, x0, eps, a: loss(predict, x0, eps, a) / 2,
        "root of the mean": lambda predict, x0, eps, a: loss(predict, x0, eps, a) ** 0.5,
        "noise is subtracted": lambda predict, x0, eps, a: (predict(x_t(x0, -eps, a)) - eps).square().mean(),
        "values differ": lambda predict, x0, eps, a: loss(predict, x0, eps, a) + x0.mean(),
        "same for every input": lambda predict, x0, eps, a: torch.tensor(1.5),
        "changes `x0`": lambda predict, x0, eps, a: (
            predict(x0.mul_(a**0.5) + (1 - a) ** 0.5 * eps) - eps).square().mean(),
        "returns None": lambda predict, x0, eps, a: None,
    },
    "frozen": {
        "only the embedding moves": with_names({"text encoder"}, FROZEN[2], FROZEN[3]),
        "made e_tgt once": with_names({"unet"}, FROZEN[2], FROZEN[3]),
        "step 1 moves the embedding": with_names({"e", "unet", "text encoder"}, FROZEN[2], FROZEN[3]),
        "held at e_opt": with_names(FROZEN[1], {"text encoder"}, FROZEN[3]),
        "not asked again": with_names(FROZEN[1], {"e"}, FROZEN[3]),
        "step 2 moves its weights": with_names(FROZEN[1], {"e", "unet", "text encoder"}, FROZEN[3]),
        "fits neither": with_names(FROZEN[1], FROZEN[2], {"unet", "text encoder"}),
        "plain sampling": with_names(FROZEN[1], FROZEN[2], {"e", "text encoder"}),
        "Nothing is fitted in step 3": with_names(FROZEN[1], FROZEN[2], {"e", "unet"}),
        "not a text": with_names("unet", "e", "e"),
        "'theta' is none": with_names({"theta"}, {"e"}, {"e"}),
        "each of the steps": {1: {"unet"}},
    },
    "embedding_fit": {
        "e_tgt as it was": lambda e, loss, steps, lr: e,
        "never set to zero": lambda *given: descended(*given, clear=False),
        "one step alone": lambda e, loss, steps, lr: descended(e, loss, 1, lr),
        "plain gradient descent": lambda *given: descended(*given, kind="SGD"),
        "AdamW": lambda *given: descended(*given, kind="AdamW"),
        "You climb": lambda *given: descended(*given, sign=-1),
        "`lr` is not used": lambda e, loss, steps, lr: descended(e, loss, steps, 0.001),
        "one step too few": lambda e, loss, steps, lr: descended(e, loss, steps - 1, lr),
        "one step too many": lambda e, loss, steps, lr: descended(e, loss, steps + 1, lr),
        "start at zero": lambda e, loss, steps, lr: descended(torch.zeros_like(e), loss, steps, lr),
        "moves e_tgt itself": moved,
        "stopped with RuntimeError": lambda e, loss, steps, lr: loss(e).backward(),
        "not where Adam gets": lambda e, loss, steps, lr: descended(e, loss, steps, 3 * lr),
        "`steps` is not used": lambda e, loss, steps, lr: descended(e, loss, 100, lr),
        "the step itself": lambda e, loss, steps, lr: descended(e, loss, steps, lr) - e,
        "expected the embedding": lambda e, loss, steps, lr: loss(e),
        "returns a list": lambda e, loss, steps, lr: [1.0],
    },
    "interpolation": {
        "ends are swapped": lambda e_tgt, e_opt, eta: torch.lerp(e_tgt, e_opt, eta),
        "must fade": lambda e_tgt, e_opt, eta: eta * e_tgt + e_opt,
        "must come in with eta": lambda e_tgt, e_opt, eta: e_tgt + (1 - eta) * e_opt,
        "starts at e_opt: add it": lambda e_tgt, e_opt, eta: eta * (e_tgt - e_opt),
        "not the other way around": lambda e_tgt, e_opt, eta: e_opt + eta * (e_opt - e_tgt),
        "the middle": lambda e_tgt, e_opt, eta: 0.5 * (e_tgt + e_opt),
        "cut it off": lambda e_tgt, e_opt, eta: torch.lerp(e_opt, e_tgt, min(1.0, eta)),
        "values differ": lambda e_tgt, e_opt, eta: e_opt - eta * e_tgt,
        "the wish alone": lambda e_tgt, e_opt, eta: e_tgt,
        "the picture alone": lambda e_tgt, e_opt, eta: e_opt,
        "below 0 is allowed": lambda e_tgt, e_opt, eta: torch.lerp(e_opt, e_tgt, max(0, min(1.0, eta))),
        "changes `e_opt`": lambda e_tgt, e_opt, eta: e_opt.lerp_(e_tgt, eta),
    },
    "choice_of_eta": {
        "may be luck": other(share=1e-9),
        "does not obey": other(among=lambda obeyed: True),
        "half an edit": other(lambda obeyed: obeyed > 0, among=lambda obeyed: obeyed > 0),
        "mean of obeyed": other(mean=True),
        "in the whole list": other(place=False),
        "keeps least": other(best=min),
        "means >=, not >": more_than_enough,
        "in the dictionary's order": in_turn,
        "largest eta": other(last=True),
        "`enough` is not used": other(share=0.5),
        "place of the noise too": lambda measured, enough: chosen(measured, enough)[0],
        "what the noise keeps": lambda measured, enough: (
            (found := chosen(measured, enough))[0], measured[found[0]][found[1]][1]),
        "the noise's numbers": lambda measured, enough: (
            (found := chosen(measured, enough))[0], measured[found[0]][found[1]]),
        "although at some eta": lambda measured, enough: None,
        "return None there\\.$": never_none,
        "stopped with ValueError": smallest,
        "Return two numbers": lambda measured, enough: (0.6, 3, 1),
        "not a text": lambda measured, enough: (0.6, "3"),
        "same for every input": lambda measured, enough: (0.6, 3),
        "Go through the etas": lambda measured, enough: (max(measured) / 3, 2),
        "changes `measured`": lambda measured, enough: [chosen(measured, enough), measured.clear()][0],
        "stopped with TypeError": lambda measured: 0,
    },
    "cost_of_imagic": {
        "costs 1, not 2": 48,
        "costs 2, not 1": 32,
        "forward passes alone": 16,
        "second fit alone": 24,
        "4 latents": 10,
        "two rows": 80,
        "Divide by those": 2000,
        "edited picture too": 41,
        "Rows of the first fit": 7,
        "not a text": "40",
    },
}

TEMPLATES = {"frozen": [..., {1: ..., 2: ..., 3: ...}], "cost_of_imagic": [...]}
NAMES = {"torch": torch}


def test_the_loss_that_is_asked_for_is_the_one_of_the_package() -> None:
    model, (x0, eps) = ToyModel("epsilon"), noise([1, 2], (2, 2, 1, 1)).split(1)
    text, t = model.embed("a cat"), 40
    with torch.no_grad():
        asked = loss(lambda x: model.eps(x, t, text), x0, eps, alpha_bar_at(model, t))
        assert torch.allclose(asked, denoising_loss(model, x0, text, t, eps).mean(), atol=1e-5)


def test_the_fit_that_is_asked_for_is_the_one_of_the_package() -> None:
    start = noise(4, (1, 4, 2))
    variable = start.clone()
    fit({"e": variable}, lambda step: away(variable) / 1e3, steps=6, lr=0.1, progress=False)  # gradients below 1
    assert torch.allclose(variable.detach(), descended(start, lambda e: away(e) / 1e3, 6, 0.1), atol=1e-4)


def test_the_interpolation_that_is_asked_for_is_the_one_of_the_package() -> None:
    e_tgt, e_opt = (Text(e) for e in noise([1, 2], (2, 4, 3)).split(1))
    asked = 0.3 * e_tgt.embeddings + (1 - 0.3) * e_opt.embeddings
    assert torch.allclose(interpolate(e_tgt, e_opt, 0.3).embeddings, asked)


def test_of_the_sweep_in_the_check_every_share_of_noises_gives_another_choice() -> None:
    assert chosen(SWEEP, SHARE) == (0.6, 3)
    assert chosen(SWEEP, 0.2) == (0.4, 1) and chosen(SWEEP, 1.0) == (1.0, 1)
    assert chosen({0.5: [(0.9, 20.0)]}, 0.0) is None


def test_the_names_are_imported_when_asked_for() -> None:
    assert {*RIGHT} <= set(dir(check)) & set(check.__all__)
    with pytest.raises(AttributeError, match="interpolation"):
        check.interpolations  # noqa: B018
