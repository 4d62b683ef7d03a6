"""The checks of lesson 6, Imagic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from helpers.check.trial import Slips, agree, of_formula, run, what_is_wrong
from helpers.check.values import kind_of, number, shape_of
from helpers.check.verdict import UNANSWERED, Answers, Verdict, is_unanswered, of_number
from helpers.core import shapes
from helpers.core.randomness import noise
from helpers.core.shapes import Embeddings, Same

SHAPE = (2, 3, 3)
A, B, C = noise([1, 2, 3], (3, *SHAPE)).split(1)  # any three tensors
WIDE = noise([7, 8], (2, 2, 2, 5)).split(1)  # two of another shape

# ------------------------------------------------------------------------------------------------------------ the loss

Predict = Callable[[Tensor], Tensor]
Loss = Callable[[Predict, Tensor, Tensor, float], Tensor]


def noised(x0: Same, eps: Same, a: float) -> Same:
    """x_t: the clean latent with noise, a = alpha_bar."""
    x_t: Tensor = a**0.5 * x0 + (1 - a) ** 0.5 * eps
    return x_t


def loss(predict: Predict, x0: Same, eps: Same, a: float) -> shapes.Loss:
    """The mean squared error of the noise that is predicted."""
    return (predict(noised(x0, eps, a)) - eps).square().mean()


LOSS_SLIPS: Slips = {
    "The network is asked about the clean latent. Noise it first: x_t = sqrt(a) x0 + sqrt(1 - a) eps.":
        lambda predict, x0, eps, a: (predict(x0) - eps).square().mean(),
    "The prediction is compared with the clean latent. The network predicts the noise: subtract eps.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - x0).square().mean(),
    "The two factors are swapped: sqrt(a) belongs to the latent, sqrt(1 - a) to the noise.":
        lambda predict, x0, eps, a: (predict(noised(eps, x0, a)) - eps).square().mean(),
    "The square roots are missing: a is a share of the variance, its root scales values.":
        lambda predict, x0, eps, a: (predict(a * x0 + (1 - a) * eps) - eps).square().mean(),
    "The noise must be scaled too: the network is trained on sqrt(a) x0 + sqrt(1 - a) eps, not on x0 + eps.":
        lambda predict, x0, eps, a: (predict(x0 + eps) - eps).square().mean(),
    "The error is summed. Take its mean, or a larger picture would learn faster.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).square().sum(),
    "The error is not squared: errors of both signs cancel in the mean.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).mean(),
    "You take the absolute value of the error; the formula squares it.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).abs().mean(),
    "The root of the mean is not asked for: the mean of the squares is the loss.":
        lambda predict, x0, eps, a: loss(predict, x0, eps, a).sqrt(),
    "The error is halved: take the mean of the squares as it is.":
        lambda predict, x0, eps, a: loss(predict, x0, eps, a) / 2,
    "The noise is subtracted: noising adds it.":
        lambda predict, x0, eps, a: (predict(noised(x0, -eps, a)) - eps).square().mean(),
    "You square the mean. The other way around: square each error, then take the mean.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).mean().square(),
}


def loss_of_picture(answer: Loss) -> Verdict:
    """Is `answer(predict, x0, eps, a)` the mean squared error of the noise that `predict` sees in the noised x0?"""
    arguments = [(lambda x: x.tanh(), A, B, 0.8), (lambda x: 2 * x.sin() - C, B, C, 0.3), (torch.cos, C, A, 0.55),
                 (torch.sin, *WIDE, 1.0)]
    found = run(answer, arguments)
    if isinstance(found, list) and all(shape_of(value) == x0.shape for value, (_, x0, *_) in zip(found, arguments,
                                                                                               strict=True)):
        return Verdict(False, "You return an error for every number of the latent. A fit needs one number: take the "
                              "mean.")
    return of_formula(answer, arguments, loss, LOSS_SLIPS,
                      "Both fits lower this number: the first by moving the embedding, the second the network.")


# ---------------------------------------------------------------------------------------------------- what holds still

PARTS = ("e", "unet", "text encoder")
FROZEN: dict[int, frozenset[str]] = {
    1: frozenset({"unet", "text encoder"}), 2: frozenset({"e", "text encoder"}), 3: frozenset(PARTS)
}
NOT_FROZEN = {  # step, part: it was left out
    (1, "unet"): "In step 1 the network is held: only the embedding moves. What the network knows of all other "
                 "pictures stays as it is.",
    (1, "text encoder"): "The text encoder made e_tgt once, and that is all. Step 1 moves e itself, not the network "
                         "that e came from.",
    (2, "e"): "In step 2 the embedding is held at e_opt. If both moved, the network could not learn what e_opt means.",
    (2, "text encoder"): "Step 2 fits the network that predicts noise. The text encoder is not asked again after "
                         "e_tgt was made.",
    (3, "e"): "Step 3 mixes two embeddings that are there, and fits neither.",
    (3, "unet"): "Step 3 is plain sampling: the fitted network is used, not fitted.",
    (3, "text encoder"): "Nothing is fitted in step 3, the text encoder neither.",
}
FROZEN_TOO = {  # step, part: it was named
    (1, "e"): "If e is frozen in step 1 as well, nothing is left to fit: step 1 moves the embedding.",
    (2, "unet"): "If the unet is frozen in step 2 as well, nothing is left to fit: step 2 moves its weights.",
}


def frozen(answer: Mapping[int, Any]) -> Verdict:
    """Does `answer` name, for each of the three steps, the parts that are frozen?"""
    if is_unanswered(answer) or isinstance(answer, Mapping) and any(map(is_unanswered, answer.values())):
        return UNANSWERED
    if isinstance(answer, Mapping):
        answer = {int(number(step) or 0): names for step, names in answer.items()}
    if not isinstance(answer, Mapping) or set(answer) != set(FROZEN):
        return Verdict(False, "Give a dictionary with a set of names for each of the steps 1, 2 and 3.")
    for step, names in answer.items():
        if isinstance(names, str) or not isinstance(names, (set, frozenset, list, tuple)):
            return Verdict(False, f"Give a set of names for step {step}, {{'e'}} say, not {kind_of(names)}.")
        if unknown := [name for name in names if name not in PARTS]:
            return Verdict(False, f"{unknown[0]!r} is none of the three parts: {', '.join(PARTS)}.")
    for step, right in FROZEN.items():
        for part in PARTS:
            if part in right and part not in answer[step]:
                return Verdict(False, NOT_FROZEN[step, part])
            if part not in right and part in answer[step]:
                return Verdict(False, FROZEN_TOO[step, part])
    return Verdict(True, "One thing moves at a time: the embedding, then the network, then nothing but eta.")


# --------------------------------------------------------------------------------------------------------------- a fit

START, GOAL, HELD = noise([4, 5, 6], (3, 4, 2)).split(1)  # e_tgt, where the loss is least, and what must hold still
FIT_STEPS, FIT_LR = 6, 0.1

Fit = Callable[[Tensor, Callable[[Tensor], Tensor], int, float], Tensor]


def away(e: Embeddings) -> shapes.Loss:
    """A loss with its least value at GOAL."""
    loss: shapes.Loss = (HELD * (e - GOAL)).square().sum()
    return loss


def descended(e_tgt: Embeddings, loss: Callable[[Tensor], Tensor], steps: int, lr: float, *, kind: str = "Adam",
              clear: bool = True, sign: int = 1) -> Embeddings:
    """`steps` steps of an optimiser down the loss; the slips are its settings."""
    e = e_tgt.clone().requires_grad_()
    optimiser = getattr(torch.optim, kind)([e], lr=lr)
    for _ in range(steps):
        if clear:
            optimiser.zero_grad()
        (sign * loss(e)).backward()
        optimiser.step()
    return e.detach()


FIT_SLIPS: dict[str, Fit] = {
    "What you return is e_tgt as it was. Give the optimiser a copy, move that, and return it.":
        lambda e, loss, steps, lr: e,
    "The gradients are never set to zero, so each step adds those of all steps before: call zero_grad() every time.":
        lambda *given: descended(*given, clear=False),
    "You take one step alone: repeat it `steps` times.":
        lambda e, loss, steps, lr: descended(e, loss, 1, lr),
    "That is plain gradient descent (SGD). The exercise, and the paper, take torch.optim.Adam.":
        lambda *given: descended(*given, kind="SGD"),
    "That is AdamW, which also pulls e towards zero. Take torch.optim.Adam.":
        lambda *given: descended(*given, kind="AdamW"),
    "You climb: the loss should fall, so call backward() on the loss itself.":
        lambda *given: descended(*given, sign=-1),
    "`lr` is not used: give it to Adam, whose own learning rate is 1e-3.":
        lambda e, loss, steps, lr: descended(e, loss, steps, 1e-3),
    "You take one step too few: range(steps), not range(steps - 1) or range(1, steps).":
        lambda e, loss, steps, lr: descended(e, loss, steps - 1, lr),
    "You take one step too many: range(steps).":
        lambda e, loss, steps, lr: descended(e, loss, steps + 1, lr),
    "You start at zero, or at noise, not at e_tgt: the way back to the wish would be lost.":
        lambda e, loss, steps, lr: descended(torch.zeros_like(e), loss, steps, lr),
    "`steps` is not used: the function is told how many.":
        lambda e, loss, steps, lr: descended(e, loss, 100, lr),
    "That is the step itself, not where it leads: return e, not the difference to e_tgt.":
        lambda e, loss, steps, lr: descended(e, loss, steps, lr) - e,
}


FITS = [(START, away, FIT_STEPS, FIT_LR), (2 * HELD, away, 3, 0.02),
        (noise([7], (1, 3, 5)), lambda e: e.sin().sum(), 9, 0.3),
        (START, away, 1, FIT_LR)]


def embedding_fit(answer: Fit) -> Verdict:
    """Does `answer(e_tgt, loss, steps, lr)` take `steps` steps of Adam down `loss`, from a copy of e_tgt on?"""
    found = run(answer, FITS, "Your fit moves e_tgt itself, which step 3 needs as it was: fit a copy, e_tgt.clone().")
    if isinstance(found, Verdict):
        return found
    for value, (e_tgt, *_) in zip(found, FITS, strict=True):
        if shape_of(value) != e_tgt.shape:
            what = kind_of(value) if shape_of(value) is None else f"the shape {shape_of(value)}"
            return Verdict(False, f"Your function returns {what}; expected the embedding, of shape "
                                  f"{tuple(e_tgt.shape)}.")
    wanted = [descended(*given) for given in FITS]
    if agree(found, wanted):
        return Verdict(True, f"The loss fell from {away(START):.2f} to {away(wanted[0]):.2f}, and e_tgt is as it was.")
    return Verdict(False, what_is_wrong(answer, found, FITS, wanted, FIT_SLIPS,
                                        "It is not where Adam gets in so many steps. Each step: zero_grad, "
                                        "loss(e).backward(), step."))


# ------------------------------------------------------------------------------------------------------- interpolation

INTERPOLATION_SLIPS: Slips = {
    "The ends are swapped: at eta = 0 it must be e_opt, the picture; at eta = 1 e_tgt, the wish.":
        lambda e_tgt, e_opt, eta: (1 - eta) * e_tgt + eta * e_opt,
    "e_opt must fade as the wish comes in: its factor is 1 - eta.":
        lambda e_tgt, e_opt, eta: eta * e_tgt + e_opt,
    "e_tgt must come in with eta: at eta = 0 nothing of it is left.":
        lambda e_tgt, e_opt, eta: e_tgt + (1 - eta) * e_opt,
    "That is the way between the two. It starts at e_opt: add it.":
        lambda e_tgt, e_opt, eta: eta * (e_tgt - e_opt),
    "The way leads from e_opt to e_tgt: the difference is e_tgt - e_opt, not the other way around.":
        lambda e_tgt, e_opt, eta: e_opt + eta * (e_opt - e_tgt),
    "That is the middle, whatever eta is.":
        lambda e_tgt, e_opt, eta: (e_tgt + e_opt) / 2,
    "That is e_tgt, the wish alone: eta is not used.": lambda e_tgt, e_opt, eta: e_tgt,
    "That is e_opt, the picture alone: eta is not used.": lambda e_tgt, e_opt, eta: e_opt,
    "No square roots here: embeddings are no noise, and the line between two points has weights that sum to 1.":
        lambda e_tgt, e_opt, eta: abs(eta) ** 0.5 * e_tgt + abs(1 - eta) ** 0.5 * e_opt,
    "eta below 0 is allowed, and here you cut it off, beyond 1 too.":
        lambda e_tgt, e_opt, eta: e_opt + min(max(eta, 0), 1) * (e_tgt - e_opt),
    "eta beyond 1 is allowed, and here you cut it off.":
        lambda e_tgt, e_opt, eta: e_opt + min(eta, 1) * (e_tgt - e_opt),
}


def interpolation(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(e_tgt, e_opt, eta)` the embedding at eta on the line from e_opt to e_tgt?"""
    return of_formula(answer, [(A, B, 0.7), (B, C, 0.0), (C, A, 1.0), (A, C, 1.5), (*WIDE, 0.25), (B, A, -0.5)],
                      lambda e_tgt, e_opt, eta: eta * e_tgt + (1 - eta) * e_opt, INTERPOLATION_SLIPS,
                      "At 0 it is the picture's, at 1 the wish's, and beyond 1 it goes on in the same direction.")


# ------------------------------------------------------------------------------------------------------------ the price

COST: Answers = {
    40: (True, "16 for the embedding and 24 for the model, and one for each picture after that."),
    48: (False, "In the first fit the network's weights need no gradients: its backward pass costs 1, not 2."),
    32: (False, "In the second fit the weights need gradients too: its backward pass costs 2, not 1."),
    16: (False, "That is the forward passes alone (or the first fit alone). Add the backward passes of both fits."),
    24: (False, "That is the second fit alone (or the backward passes alone). Add the other."),
    10: (False, "Every step sees 4 latents: count 4 rows a step."),
    80: (False, "A guided step of a picture calls the network for two rows, with the prompt and without: a picture is "
                "50 rows."),
    2000: (False, "Those are the rows of both fits. Divide by those of one picture: 25 guided steps."),
    41: (False, "That counts the edited picture too; the question is about the fits alone."),
}


def cost_of_imagic(answer: float) -> Verdict:
    """How many pictures of 25 guided steps do fits of 100 + 100 steps with 4 latents cost, backward passes counted?"""
    return of_number(answer, COST, "Rows of the first fit: steps x latents x (forward + backward). The same for the "
                     "second. Divide the sum by the rows of a picture.", "a number of pictures")
