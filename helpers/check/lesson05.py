"""The checks of lesson 5, real pictures: inversion."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from helpers.check.trial import Slips, of_formula, run, slip_of
from helpers.check.values import shape_of
from helpers.check.verdict import Answers, Verdict, of_number
from helpers.core.randomness import noise
from helpers.core.shapes import ArrayOrTensor

SHAPE = (2, 3, 3)
A, B, C = noise([1, 2, 3], (3, *SHAPE)).split(1)  # any three tensors
ROWS = noise([4, 5, 6], (3, *SHAPE))  # a source row and two edited ones
WIDE = noise([7, 8, 9], (3, 2, 2, 5)).split(1)  # three of another shape

# ------------------------------------------------------------------------------------------------ one step upwards


def step(x: ArrayOrTensor, eps: ArrayOrTensor, a_from: float, a_to: float) -> ArrayOrTensor:
    """The DDIM step, up or down: predict the clean picture at `a_from`, noise it to `a_to` with the same noise."""
    there: Tensor = a_to**0.5 * (x - (1 - a_from) ** 0.5 * eps) / a_from**0.5 + (1 - a_to) ** 0.5 * eps
    return there


INVERSION_SLIPS: Slips = {
    "a_s and a_t are swapped: x lies at the cleaner time s, so predict the clean picture with a_s, then noise to a_t.":
        lambda x, eps, a_s, a_t: step(x, eps, a_t, a_s),
    "x is not clean yet: first take out its own noise, (x - sqrt(1 - a_s) eps) / sqrt(a_s), then noise that to a_t.":
        lambda x, eps, a_s, a_t: a_t**0.5 * x + (1 - a_t) ** 0.5 * eps,
    "The clean picture is right, but it stays clean: scale it by sqrt(a_t) and add sqrt(1 - a_t) eps.":
        lambda x, eps, a_s, a_t: (x - (1 - a_s) ** 0.5 * eps) / a_s**0.5,
    "The noise of time t is missing: add sqrt(1 - a_t) eps at the end.":
        lambda x, eps, a_s, a_t: a_t**0.5 * (x - (1 - a_s) ** 0.5 * eps) / a_s**0.5,
    "After taking the noise out, divide by sqrt(a_s): x holds only that share of the clean picture.":
        lambda x, eps, a_s, a_t: a_t**0.5 * (x - (1 - a_s) ** 0.5 * eps) + (1 - a_t) ** 0.5 * eps,
    "The clean picture must be scaled by sqrt(a_t), the share of it that is left at time t.":
        lambda x, eps, a_s, a_t: (x - (1 - a_s) ** 0.5 * eps) / a_s**0.5 + (1 - a_t) ** 0.5 * eps,
    "That only scales x: the clean picture in mind needs eps, and so does the noise of time t.":
        lambda x, eps, a_s, a_t: (a_t / a_s) ** 0.5 * x,
    "The noise you add is that of time s again: at the noisier time t it is sqrt(1 - a_t) eps.":
        lambda x, eps, a_s, a_t: a_t**0.5 * (x - (1 - a_s) ** 0.5 * eps) / a_s**0.5 + (1 - a_s) ** 0.5 * eps,
    "The noise is added where it must be taken out: the clean picture in mind is (x - sqrt(1 - a_s) eps) / sqrt(a_s).":
        lambda x, eps, a_s, a_t: a_t**0.5 * (x + (1 - a_s) ** 0.5 * eps) / a_s**0.5 + (1 - a_t) ** 0.5 * eps,
    "The square roots are missing: a_s and a_t are shares of the variance, their roots scale values.":
        lambda x, eps, a_s, a_t: a_t * (x - (1 - a_s) * eps) / a_s + (1 - a_t) * eps,
}


def inversion_step(answer: Callable[[Tensor, Tensor, float, float], Tensor]) -> Verdict:
    """Is `answer(x, eps, a_s, a_t)` the DDIM step from the cleaner time s up to the noisier time t?"""
    arguments = [(A, B, 0.9, 0.5), (A, B, 1.0, 0.7), (B, A, 0.4, 0.1), (*WIDE[:2], 0.95, 0.05)]
    return of_formula(answer, arguments, step, INVERSION_SLIPS,
                      "It is the step of denoising with the two times exchanged: ddim_step(model, x, eps, s, t).")


# ---------------------------------------------------------------------------------------------- the order of the error

Counts = tuple[int, float, int, float]
MEASURED: tuple[Counts, ...] = ((10, 0.8, 40, 0.2), (10, 0.9, 20, 0.225), (25, 0.3, 200, 0.3 / 2**1.5),
                               (5, 0.4, 50, 0.0004))


def order(n1: int, e1: float, n2: int, e2: float) -> float:
    """p, where the error is c / n^p and was e1 with n1 steps and e2 with n2."""
    return math.log(e1 / e2) / math.log(n2 / n1)


ORDER_SLIPS: Slips = {
    "The sign is turned: more steps give a smaller error, and that is an order above 0.":
        lambda n1, e1, n2, e2: -order(n1, e1, n2, e2),
    "That is how many times smaller the error became. Compare it with how many times more steps there were.":
        lambda n1, e1, n2, e2: e1 / e2,
    "Dividing the two ratios is not enough: with order p the error's ratio is the steps' ratio to the power p. Logs!":
        lambda n1, e1, n2, e2: (e1 / e2) / (n2 / n1),
    "You take the log of the error's ratio alone: divide it by the log of the steps' ratio.":
        lambda n1, e1, n2, e2: math.log(e1 / e2),
    "That is right only where the steps double: divide by the log of n2 / n1, whatever it is.":
        lambda n1, e1, n2, e2: math.log2(e1 / e2),
    "The whole fraction stands inside one log. Each ratio has its own: log(e1 / e2) / log(n2 / n1).":
        lambda n1, e1, n2, e2: math.log((e1 / e2) / (n2 / n1)),
    "The order need not be a whole number: leave the round or int away.":
        lambda n1, e1, n2, e2: round(order(n1, e1, n2, e2)),
    "You divide the logs of the errors: it is the log of their ratio, log(e1) - log(e2).":
        lambda n1, e1, n2, e2: math.log(e1) / math.log(e2),
    "The fraction is upside down: the log of the errors' ratio stands above.":
        lambda n1, e1, n2, e2: 1 / order(n1, e1, n2, e2),
    "That is the slope on plain axes, which depends on the unit. The order is the slope on logarithmic ones.":
        lambda n1, e1, n2, e2: (e1 - e2) / (n2 - n1),
}


def order_of_error(answer: Callable[[int, float, int, float], float]) -> Verdict:
    """Is `answer(n1, e1, n2, e2)` the p of an error c / n^p that was e1 with n1 steps and e2 with n2?"""
    return of_formula(answer, MEASURED, order, ORDER_SLIPS,
                      "An error of order 1 halves when the steps double; one of order 2 falls to a quarter.",
                      hint="Put e = c / n^p in for both, divide one by the other, take logs, and solve for p.")


# ------------------------------------------------------------------------------------------------------- two questions

WHICH_GUIDANCE: Answers = {
    1: (True, "eps_c + w (eps_c - eps_c) is eps_c, whatever w is: guidance has nothing left to amplify."),
    0: (False, "Guidance 0 is the prediction under the empty prompt. Here the picture's own prompt stands in its "
               "place: write down eps_u + w (eps_c - eps_u) with eps_u = eps_c."),
    4: (False, "That is the w you pass. But look at what it multiplies: with eps_u = eps_c the difference is 0."),
}

CALLS_OF_NULL_TEXT: Answers = {
    140: (True, "20 up, 20 conditional ones down, and at each step 4 updates and one last look: 20 * 5."),
    120: (False, "After the last update the loss is looked at once more: inner + 1 unconditional calls a step."),
    100: (False, "That is the unconditional calls alone. Each step down needs a conditional one too, and DDIM "
                 "inversion has to climb first."),
    80: (False, "That is the updates alone: add the way up, and the conditional prediction of each step down."),
    40: (False, "That is the way up and the conditional calls down. The fit calls the network too."),
    220: (False, "The conditional prediction does not depend on the empty prompt: it is made once a step, not again "
                 "at every update."),
    200: (False, "The conditional prediction is made once a step, not at every update, and DDIM has to climb first."),
    180: (False, "Only the updates call again, and only the unconditional half: count up, conditional, unconditional."),
}


def which_guidance(answer: int) -> Verdict:
    """After negative-prompt inversion, walked again under its own prompt at guidance 4: which plain guidance is it?"""
    return of_number(answer, WHICH_GUIDANCE, "Put eps_u = eps_c into eps_u + w (eps_c - eps_u). What is left?")


def calls_of_null_text(answer: int) -> Verdict:
    """How many times, at most, does null-text inversion with 20 steps and inner 4 call the network, the way up too?"""
    return of_number(answer, CALLS_OF_NULL_TEXT,
                     "Count three things: the way up, the conditional calls down, the unconditional calls of each fit.",
                     "a number of calls")


# --------------------------------------------------------------------------------------------------- direct inversion

PUT_BACK_SLIPS: Slips = {
    "Now every row lies on the pivot, the edited ones too, so nothing is edited: put back row 0 alone.":
        lambda x, pivot: pivot.expand_as(x),
    "You add the source's offset to every row. Only the source may be corrected: the edited rows go their own way.":
        lambda x, pivot: x + (pivot - x[:1]),
    "The source is the first row, x[:1]; you have put back the last.":
        lambda x, pivot: torch.cat([x[:-1], pivot]),
    "The source row is where the model led it, not on the pivot: it must be replaced.":
        lambda x, pivot: x,
    "The rows are out of order: the source is row 0.":
        lambda x, pivot: torch.cat([x[1:], pivot]),
    "Row 0 and the pivot are mixed: the source lies on the pivot, so nothing of where the model led it is left.":
        lambda x, pivot: torch.cat([(x[:1] + pivot) / 2, x[1:]]),
}


def put_back(answer: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Does `answer(x, pivot)` put row 0 of x (1 + T, C, h, w) on the pivot (1, C, h, w) and leave the others alone?"""
    inputs = [(ROWS, A), (torch.cat([ROWS, A])[1:], B), (torch.cat(WIDE[:2]), WIDE[2]), (C, B)]
    shapes = {"The edited rows are gone: return all of them, with the pivot in the place of row 0.": lambda x, p: p,
              "The pivot takes the place of row 0; you have put it before all rows.": lambda x, p: torch.cat([p, x])}
    found = run(answer, inputs)
    if isinstance(found, list) and all(shape_of(value) is not None for value in found):
        if slip := slip_of(found, inputs, shapes):  # of another shape, which of_formula would only say
            return Verdict(False, slip)
    return of_formula(answer, inputs, lambda x, pivot: torch.cat([pivot, x[1:]]), PUT_BACK_SLIPS,
                      "The source is exact at every step, at any guidance, and no offset had to be computed.",
                      kept="Your function changes `x` or `pivot`, which it was given: work on a copy, x = x.clone(), "
                           "or make a new one, torch.cat([pivot, ...]).",
                      hint="Expected as many rows as x has: the pivot, then x[1:]. Some of yours have other values.")


# ------------------------------------------------------------------------------------------------------ edit-friendly


def mean(x_t: ArrayOrTensor, eps: ArrayOrTensor, a_t: float, a_s: float, left: float) -> ArrayOrTensor:
    """The clean picture in mind, noised to a_s with `left` of the predicted noise's variance."""
    there: Tensor = a_s**0.5 * (x_t - (1 - a_t) ** 0.5 * eps) / a_t**0.5 + left**0.5 * eps
    return there


MISSING_SLIPS: Slips = {
    "That is all the step must add, sigma z. To get z, divide it by sigma.":
        lambda x_s, x_t, eps, a_s, a_t, sigma: x_s - mean(x_t, eps, a_t, a_s, 1 - a_s - sigma**2),
    "The sign is turned: z is what leads from the mean to x_s, so x_s comes first.":
        lambda x_s, x_t, eps, a_s, a_t, sigma: (mean(x_t, eps, a_t, a_s, 1 - a_s - sigma**2) - x_s) / sigma,
    "Your mean is that of DDIM: a step that adds sigma z holds less of eps, sqrt(1 - a_s - sigma^2).":
        lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - mean(x_t, eps, a_t, a_s, 1 - a_s)) / sigma,
    "Divide by sigma, the standard deviation, not by its square.":
        lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - mean(x_t, eps, a_t, a_s, 1 - a_s - sigma**2)) / sigma**2,
    "Your mean holds no eps at all: the clean picture in mind is only half of it, add sqrt(1 - a_s - sigma^2) eps.":
        lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - mean(x_t, eps, a_t, a_s, 0.0)) / sigma,
    "That is the way from one state to the next. Most of it the model predicts: subtract the step's mean, not x_t.":
        lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - x_t) / sigma,
    "sigma is a standard deviation and 1 - a_s a variance: subtract sigma^2 under the root.":
        lambda x_s, x_t, eps, a_s, a_t, sigma: (x_s - mean(x_t, eps, a_t, a_s, 1 - a_s - sigma)) / sigma,
}


def missing(x_s: ArrayOrTensor, x_t: ArrayOrTensor, eps: ArrayOrTensor, a_s: float, a_t: float, sigma: float
            ) -> ArrayOrTensor:
    """z_t, which a DDPM step from x_t must add, times sigma, to end in x_s."""
    return (x_s - mean(x_t, eps, a_t, a_s, 1 - a_s - sigma**2)) / sigma


def missing_noise(answer: Callable[[Tensor, Tensor, Tensor, float, float, float], Tensor]) -> Verdict:
    """Is `answer(x_s, x_t, eps, a_s, a_t, sigma)` the z that the DDPM step from x_t must add to end in x_s?"""
    arguments = [(A, B, C, 0.6, 0.3, 0.35), (C, A, B, 0.5, 0.1, 0.2), (B, C, A, 0.2, 0.05, 0.4), (*WIDE, 0.9, 0.8, 0.1)]
    return of_formula(answer, arguments, missing, MISSING_SLIPS,
                      "With this z the step ends in x_s whatever the model predicts: the picture always comes back.")
