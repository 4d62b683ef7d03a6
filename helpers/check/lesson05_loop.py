"""The checks of lesson 5's harder exercises: the whole way up, the null prediction a step needs, which inversion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from helpers.check.lesson05 import step
from helpers.check.trial import Slips, of_formula, run
from helpers.check.verdict import Verdict
from helpers.core.randomness import noise
from helpers.core.shapes import ArrayOrTensor, Same

A, B, C = noise([21, 22, 23], (3, 2, 3, 3)).split(1)  # any three tensors
WIDE = noise([24, 25, 26], (3, 1, 2, 4)).split(1)

# -------------------------------------------------------------------------------------------------------- the way up

Predict = Callable[[Any, int], Tensor]


def toy(x: Same, t: int) -> Same:
    """A network that looks at the state and at the time that it is told."""
    return torch.tanh(0.9 * x + 0.3 * t)


def climb(predict: Predict, x: ArrayOrTensor, alpha_bar: Sequence[float]) -> ArrayOrTensor:
    """DDIM inversion: from the clean time 0 up to the last one."""
    for t in range(1, len(alpha_bar)):
        x = step(x, predict(x, t), alpha_bar[t - 1], alpha_bar[t])
    return x


def climb_with(times: Callable[[int], Sequence[int]] = lambda last: range(1, last + 1), told: int = 0, *,
               start: bool = False, down: bool = False) -> Callable[..., ArrayOrTensor]:
    """`climb` with a slip: other times, another time told, predictions from the start, or steps turned around."""

    def climbing(predict: Predict, x: ArrayOrTensor, alpha_bar: Sequence[float]) -> ArrayOrTensor:
        first = x
        for t in times(len(alpha_bar) - 1):
            a_s, a_t = alpha_bar[t - 1], alpha_bar[t]
            x = step(x, predict(first if start else x, t + told), *((a_t, a_s) if down else (a_s, a_t)))
        return x

    return climbing


CLIMB_SLIPS: Slips = {
    "The network is told the time of the state, t - 1. The step it undoes was told the noisier time: predict(x, t).":
        climb_with(told=-1),
    "The noise is predicted from the picture each time: predict from the state that the last step reached.":
        climb_with(start=True),
    "The steps lead down: the clean picture in mind is taken out with alpha_bar[t - 1], and noised to alpha_bar[t].":
        climb_with(down=True),
    "Time runs downwards: the picture is at time 0, so the way up goes 1, 2, ..., the last.":
        climb_with(lambda last: range(last, 0, -1)),
    "The last step is missing: the noisiest time is len(alpha_bar) - 1, and it is reached.":
        climb_with(lambda last: range(1, last)),
    "The first step is missing: it leads from time 0 to time 1.": climb_with(lambda last: range(2, last + 1)),
    "One leap to the end: each step goes from one time to the next, with a new prediction.":
        lambda predict, x, a: step(x, predict(x, len(a) - 1), a[0], a[-1]),
    "Nothing moves: give each step's state to the next.": lambda predict, x, a: x,
    "Only the first step is made: is the return inside the loop?":
        lambda predict, x, a: step(x, predict(x, 1), a[0], a[1]),
}


def inversion_loop(answer: Callable[[Predict, Tensor, Sequence[float]], Tensor]) -> Verdict:
    """Is `answer(predict, x, alpha_bar)` the noisiest state of DDIM inversion? alpha_bar[0] is the clean time."""
    inputs = [(toy, A, (1.0, 0.8, 0.5, 0.2)), (toy, B, (0.99, 0.7, 0.1)), (toy, WIDE[0], (1.0, 0.9, 0.6, 0.3, 0.05)),
              (lambda x, t: 0.5 * x - 0.1 * t, C, (1.0, 0.6, 0.2))]
    return of_formula(answer, inputs, climb, CLIMB_SLIPS,
                      "Each state is predicted from the one below it, at the time above it: `ddim_invert`.")


# ------------------------------------------------------------------------------------- the null prediction of a step


def whole(x: ArrayOrTensor, pivot: ArrayOrTensor, a_t: float, a_s: float) -> ArrayOrTensor:
    """The guided noise with which the step from x ends on the pivot."""
    ratio = (a_s / a_t) ** 0.5
    there: Tensor = (pivot - ratio * x) / ((1 - a_s) ** 0.5 - ratio * (1 - a_t) ** 0.5)
    return there


def needed(x: ArrayOrTensor, pivot: ArrayOrTensor, eps_c: ArrayOrTensor, a_t: float, a_s: float, w: float
           ) -> ArrayOrTensor:
    """The unconditional prediction with which the guided step from x ends on the pivot."""
    return (w * eps_c - whole(x, pivot, a_t, a_s)) / (w - 1)


NEEDED_SLIPS: Slips = {
    "That is the guided noise that the step needs. Solve eps = eps_u + w (eps_c - eps_u) for eps_u, too.":
        lambda x, p, c, a_t, a_s, w: whole(x, p, a_t, a_s),
    "The two times are exchanged: x lies at the noisy time t, the pivot at the cleaner time s.":
        lambda x, p, c, a_t, a_s, w: needed(x, p, c, a_s, a_t, w),
    "The sign is turned: eps_u = (w eps_c - eps) / (w - 1).": lambda *given: -needed(*given),
    "Not divided by w - 1: guidance takes (1 - w) times eps_u.":
        lambda x, p, c, a_t, a_s, w: w * c - whole(x, p, a_t, a_s),
    "You divide by w. In eps = (1 - w) eps_u + w eps_c the factor of eps_u is 1 - w.":
        lambda x, p, c, a_t, a_s, w: (w * c - whole(x, p, a_t, a_s)) / w,
    "That would be the conditional prediction: guidance is solved for the wrong one of the two.":
        lambda x, p, c, a_t, a_s, w: c + (whole(x, p, a_t, a_s) - c) / w,
    "eps_c counts w times: eps = (1 - w) eps_u + w eps_c.":
        lambda x, p, c, a_t, a_s, w: (c - whole(x, p, a_t, a_s)) / (w - 1),
    "The step scales x, too: subtract sqrt(a_s / a_t) x from the pivot, not x.":
        lambda x, p, c, a_t, a_s, w: (w * c - (p - x) / ((1 - a_s) ** 0.5 - (a_s / a_t * (1 - a_t)) ** 0.5)) / (w - 1),
    "The noise that is taken out of x is missing in the factor: sqrt(1 - a_s) - sqrt(a_s / a_t) sqrt(1 - a_t).":
        lambda x, p, c, a_t, a_s, w: (w * c - (p - (a_s / a_t) ** 0.5 * x) / (1 - a_s) ** 0.5) / (w - 1),
}


def needed_null(answer: Callable[..., Tensor]) -> Verdict:
    """Is `answer(x, pivot, eps_c, a_t, a_s, w)` the eps_u that leads the guided DDIM step from x to the pivot?"""
    inputs = [(A, B, C, 0.3, 0.6, 4.0), (B, C, A, 0.1, 0.5, 7.5), (C, A, B, 0.8, 0.99, 2.0), (*WIDE, 0.05, 0.2, 0.5)]
    return of_formula(answer, inputs, needed, NEEDED_SLIPS,
                      "Some eps_u always leads to the pivot, except at w = 1, where it has no say. Null-text inversion "
                      "looks for an embedding that makes the network predict nearly that.",
                      hint="Two equations, one after the other: which eps leads the step to the pivot? Then which "
                           "eps_u gives that eps?")


# --------------------------------------------------------------------------------------------------- which inversion

Measured = Sequence[tuple[float, float, int]]  # obeyed in [0, 1], kept in dB, rows of the network
SOME: Measured = [(0.54, 20.4, 72), (0.63, 22.1, 60), (0.56, 24.0, 48), (0.91, 21.0, 40), (0.96, 27.3, 192)]
OTHERS: Measured = [(0.8, 30.0, 300), (0.8, 25.0, 100), (0.7, 28.0, 60), (0.9, 25.0, 90), (0.95, 19.0, 20)]
TIED: Measured = [(1.0, 20.0, 100), (0.5, 40.0, 10), (0.9, 22.0, 30), (0.96, 18.0, 90)]
ASKED: list[tuple[Measured, float, int]] = [(SOME, 0.6, 100), (SOME, 0.9, 200), (SOME, 0.9, 100), (OTHERS, 0.7, 60),
                                            (OTHERS, 0.85, 300), (TIED, 0.9, 100), (TIED, 0.95, 100)]


def best(measured: Measured, enough: float, budget: int) -> int | None:
    """Of those that obey enough within the budget, the place of the one that keeps most."""
    fit = [i for i, (obeyed, _, rows) in enumerate(measured) if obeyed >= enough and rows <= budget]
    return max(fit, key=lambda i: measured[i][1]) if fit else None


def chosen(obeys: Callable[[float, float], bool] = lambda a, b: a >= b,
           fits: Callable[[int, int], bool] = lambda a, b: a <= b, by: Callable[..., float] = lambda row: row[1], *,
           inside: bool = False) -> Callable[[Measured, float, int], int]:
    """`best` with a slip: who obeys, who fits, by what the best is chosen, and counted among whom."""

    def choice(measured: Measured, enough: float, budget: int) -> int:
        fit = [i for i, row in enumerate(measured) if obeys(row[0], enough) and fits(row[2], budget)]
        found = max(fit, key=lambda i: by(measured[i]))
        return fit.index(found) if inside else found

    return choice


CHOICE_SLIPS: Slips = {
    "That one keeps most of all within the budget, but does not obey enough: leave those out first.":
        chosen(lambda a, b: True),
    "The budget is not used: an inversion with more rows is out, however good.": chosen(fits=lambda a, b: True),
    "You take the one that obeys most. Among those that obey enough it is kept that decides.":
        chosen(by=lambda row: row[0]),
    "You take the cheapest. Within the budget the price no longer matters.": chosen(by=lambda row: -row[2]),
    "That one keeps least: more dB are better.": chosen(by=lambda row: -row[1]),
    "At least `enough` means >=, not >.": chosen(lambda a, b: a > b),
    "At most `budget` means <=, not <.": chosen(fits=lambda a, b: a < b),
    "You count the place among those that are left. The place is that in the whole list.": chosen(inside=True),
    "You add or multiply obeyed and kept: they have no common unit. First who obeys enough, then who keeps most.":
        chosen(lambda a, b: True, by=lambda row: row[0] * row[1]),
}


def choice_of_inversion(answer: Callable[[Measured, float, int], int | None]) -> Verdict:
    """Does `answer(measured, enough, budget)` give the place of the best inversion: obeys, fits, then keeps most?"""
    verdict = of_formula(answer, ASKED, best, CHOICE_SLIPS, "Obey first, then keep, within what you can pay.",
                         expected="the place of one row, a number",
                         hint="Leave out who obeys less than `enough`, and who costs more than `budget` rows. Of the "
                              "rest, the place of the largest kept.")
    if not verdict:
        return verdict
    for never in ((SOME, 0.99, 500), (SOME, 0.5, 10), ([], 0.5, 100)):
        last = run(answer, [never], none=True)
        if isinstance(last, Verdict):
            return Verdict(False, f"Where no inversion is good enough, return None. {last.message}")
        if last != [None]:
            return Verdict(False, "Where no inversion obeys enough within the budget, return None.")
    return verdict
