"""The checks of lesson 2, noise and denoise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from helpers.check.trial import Slips, of_formula, run
from helpers.check.verdict import UNANSWERED, Answers, Verdict, is_unanswered, of_number
from helpers.core.diffusion import guide
from helpers.core.randomness import noise
from helpers.methods.magicmix import mix

SHAPE = (1, 2, 3, 3)
A, B = noise([1, 2], (2, *SHAPE[1:])).split(1)  # any two tensors
WIDE = tuple(noise([3, 4], (2, 3, 2, 5)).split(1))  # of another shape

# ------------------------------------------------------------------------------------------------ one-line formulas

NOISING_SLIPS: Slips = {
    "The square roots are missing: alpha_bar and 1 - alpha_bar are shares of the variance, their roots scale values.":
        lambda x0, z, a: a * x0 + (1 - a) * z,
    "The two factors are swapped: with alpha_bar near 1 the picture must stay.":
        lambda x0, z, a: (1 - a) ** 0.5 * x0 + a**0.5 * z,
    "1 - sqrt(alpha_bar) is not sqrt(1 - alpha_bar): subtract first, then take the root.":
        lambda x0, z, a: a**0.5 * x0 + (1 - a**0.5) * z,
    "The picture is not scaled down: multiply x0 by sqrt(alpha_bar), else the values grow with the noise.":
        lambda x0, z, a: x0 + (1 - a) ** 0.5 * z,
    "The noise is not scaled: multiply z by sqrt(1 - alpha_bar), else even the cleanest state is full of noise.":
        lambda x0, z, a: a**0.5 * x0 + z,
    "The noise is missing: add sqrt(1 - alpha_bar) z.":
        lambda x0, z, a: a**0.5 * x0,
    "The noise is subtracted: noising adds it (predicting the clean picture is what subtracts it).":
        lambda x0, z, a: a**0.5 * x0 - (1 - a) ** 0.5 * z,
}


def noising(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(x0, z, alpha_bar)` the noisy x_t? Tensors of one shape, alpha_bar in (0, 1]."""
    arguments = [(A, B, 0.81), (B, A, 0.3), (A, B, 1.0), (*WIDE, 0.0025)]
    return of_formula(answer, arguments, lambda x0, z, a: a**0.5 * x0 + (1 - a) ** 0.5 * z, NOISING_SLIPS,
                      "This is the line of helpers.core.add_noise. The squares of the two factors sum to 1.")


GUIDANCE_SLIPS: Slips = {
    "You start from the conditional prediction: that is the convention with 1 + w. Here w = 1 must give eps_c.":
        lambda u, c, w: c + w * (c - u),
    "The two predictions are swapped: w = 0 must give eps_u and w = 1 must give eps_c.":
        lambda u, c, w: c + w * (u - c),
    "The sign of the difference is turned: this pulls away from the prompt. It is eps_c - eps_u.":
        lambda u, c, w: u + w * (u - c),
    "You add all of eps_c: subtract eps_u from it first, since only the difference is the prompt's doing.":
        lambda u, c, w: u + w * c,
    "The unconditional prediction is missing at the start: eps_u + w * (...).":
        lambda u, c, w: w * (c - u),
    "This only scales the conditional prediction; the difference to eps_u is what must grow.":
        lambda u, c, w: w * c,
}


def guidance(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(eps_u, eps_c, w)` the guided noise? w = 0 is unconditional, w = 1 conditional."""
    return of_formula(answer, [(A, B, 4.0), (B, A, 0.0), (A, B, 1.0), (*WIDE, 7.5)], guide, GUIDANCE_SLIPS,
                      "w = 0 ignores the prompt, w = 1 follows it, more goes beyond it.")


MIXING_SLIPS: Slips = {
    "nu and 1 - nu are swapped: nu is the weight of the denoised state, so nu = 1 must leave x alone.":
        lambda x, layout, nu: (1 - nu) * x + nu * layout,
    "The layout needs the weight 1 - nu, so that the weights sum to 1 and the noise level stays that of time s.":
        lambda x, layout, nu: nu * x + layout,
    "The state needs the weight nu, so that the weights sum to 1 and the noise level stays that of time s.":
        lambda x, layout, nu: x + (1 - nu) * layout,
    "This is the mean of the two whatever nu is: use nu.":
        lambda x, layout, nu: (x + layout) / 2,
    "No square roots here: state and layout carry the same noise, so their weights sum to 1 (not their squares).":
        lambda x, layout, nu: nu**0.5 * x + (1 - nu) ** 0.5 * layout,
    "This is the state alone: add (1 - nu) of the layout.":
        lambda x, layout, nu: x,
}


def mixing(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(x, layout, nu)` MagicMix's mix? nu = 1 is the state alone, nu = 0 the layout alone."""
    return of_formula(answer, [(A, B, 0.9), (B, A, 0.25), (A, B, 1.0), (*WIDE, 0.0)], mix, MIXING_SLIPS,
                      "At nu = 1 this is SDEdit at strength k_max, at nu = 0 SDEdit at strength k_min.")


# ---------------------------------------------------------------------------------------------------- what it costs

CALLS: Answers = {
    15: (True, "0.6 of 25 steps are run, and each calls the network once. Mixing and noising call nothing."),
    25: (False, "That is all the steps. The first 0.4 of them are skipped: the picture is noised to k_max at once."),
    30: (False, "That is the number of rows: guidance needs two predictions, but both go through one call."),
    50: (False, "That is two for each of all the steps. The run starts at k_max, and guidance shares a call."),
    7: (False, "That counts the mixed part alone. Below k_min the steps go on, without mixing."),
    8: (False, "That counts the part below k_min alone. Above it, up to k_max, there are steps too."),
    10: (False, "That counts the steps that are skipped. The run starts at k_max and goes down to the clean picture."),
    23: (False, "k_min and k_max are not added: the range from k_min to k_max lies inside the run from k_max to 0."),
}


def calls_of_magicmix(answer: int) -> Verdict:
    """How often does MagicMix call the network with k_min 0.3, k_max 0.6, 25 steps and guidance 4?"""
    return of_number(answer, CALLS, "Ask two things: which share of the 25 steps is run, and what does one step call?",
                     "a number of calls")


# ----------------------------------------------------------------------------------------------- choose a strength

Row = tuple[float, float, float]  # strength, obeyed in [0, 1], kept in dB
TABLE: list[Row] = [(0.2, 0.1, 30.0), (0.4, 0.5, 24.0), (0.5, 0.8, 21.0), (0.6, 0.85, 22.0), (0.7, 0.9, 19.0),
                    (0.8, 1.0, 17.0), (0.9, 0.9, 15.0)]
ENOUGH = 0.8


def best_strength(rows: Sequence[Row], least: float) -> float | None:
    """The strength that keeps most among those that obey at least `least`; None where none does."""
    enough = [row for row in rows if row[1] >= least]
    return max(enough, key=lambda row: row[2])[0] if enough else None


def first_where(key: Callable[[Row], float], enough: Callable[[Row, float], bool] = lambda row, least: True
                ) -> Callable[[Sequence[Row], float], float]:
    """The strength of the row with the largest `key` among those that are enough."""
    return lambda rows, least: max((row for row in rows if enough(row, least)), key=key)[0]


def obeys(row: Row, least: float) -> bool:
    """Whether a row obeys enough."""
    return row[1] >= least


TABLES = [(TABLE, ENOUGH), ([(0.3, 0.8, 20.0), (0.7, 0.9, 18.0), (0.5, 1.0, 17.0)], ENOUGH),
          ([(0.9, 1.0, 12.0), (0.1, 0.0, 40.0), (0.4, 0.5, 31.0), (0.5, 0.7, 32.0)], 0.5),
          ([(0.4, 0.2, 25.0), (0.7, 0.4, 28.0), (0.6, 0.3, 27.0), (0.9, 0.9, 20.0)], 0.3)]
TOO_LITTLE: list[tuple[list[Row], float]] = [(TABLE[:2], ENOUGH), ([], ENOUGH), ([(0.9, 0.99, 12.0)], 1.0)]
STRENGTH_SLIPS: Slips = {
    "You take the strength that obeys most. Obeying enough will do: among those, take the one that keeps most.":
        first_where(lambda row: row[1]),
    "You take the strength that keeps most of all. It obeys too little: leave out the rows below `least` first.":
        first_where(lambda row: row[2]),
    "You take the largest strength that obeys enough. Which of those keeps most?":
        first_where(lambda row: row[0], obeys),
    "You take the smallest strength that obeys enough. Often that keeps most, but measured rows need not be in order: "
    "compare the kept of all that obey enough.": first_where(lambda row: -row[0], obeys),
    "You take the first row that obeys enough. The rows need not be in order: compare the kept of all that obey "
    "enough.": lambda rows, least: next(row[0] for row in rows if obeys(row, least)),
    "You take the last row that obeys enough: compare the kept of all that do.":
        lambda rows, least: [row[0] for row in rows if obeys(row, least)][-1],
    "You take the one that keeps least. More dB is better kept: max, not min.":
        first_where(lambda row: -row[2], obeys),
    "A row that obeys exactly `least` is enough: compare with >=, not with >.":
        first_where(lambda row: row[2], lambda row, least: row[1] > least),
    "You return the kept of the row; return its strength, the first number.":
        lambda rows, least: max(row[2] for row in rows if obeys(row, least)),
    "You return the row's number in the list; return its strength, the first number of the row.":
        lambda rows, least: [row[0] for row in rows].index(best_strength(rows, least)),
    "`least` is not used: what is enough is an argument, not always 0.8.":
        lambda rows, least: best_strength(rows, ENOUGH),
}


def choice_of_strength(answer: Callable[[Sequence[Row], float], float | None]) -> Verdict:
    """Does `answer(rows, least)` find the strength that keeps most among those that obey at least `least`?"""
    found = run(answer, TABLES, none=True)
    if isinstance(found, list) and all(value is None for value in found):
        return Verdict(False, "Your function returns None although some strengths obey enough: is there a `return`?")
    if isinstance(found, list) and isinstance(found[0], (tuple, list)) and found[0] in [*TABLE, *map(list, TABLE)]:
        return Verdict(False, "You return a whole row; return its strength, the first number.")
    told = of_formula(answer, TABLES, best_strength, STRENGTH_SLIPS, "Enough of what was asked, and of those the one "
                      "that keeps most.", expected="a strength", hint="For some rows that is not the strength that "
                      "keeps most among those that obey enough. Does it use `rows` and `least`, and nothing else?")
    for rows, least in TOO_LITTLE if told else ():
        nothing = run(answer, [(rows, least)], none=True)
        if nothing != [None]:
            what = nothing.message if isinstance(nothing, Verdict) else f"You return {nothing[0]!r}."
            return Verdict(False, f"Where no strength obeys enough, return None. {what} max(..., default=None) helps.")
    return told


# ------------------------------------------------------------------------------------------------------ open exercise


def better_edit(score: Any, swept: Sequence[Any]) -> Verdict:
    """Is an edit better than every one of a sweep: obeys no less than the best of them, and keeps more than those?

    score: a helpers.measure.Score; swept: the scores of plain SDEdit at several strengths.
    """
    if is_unanswered(score):
        return UNANSWERED
    if not (hasattr(score, "obeyed") and hasattr(score, "kept")):
        return Verdict(False, f"Give the score of your picture, score(picture, edit, judge), not a "
                              f"{type(score).__name__}.")
    most = max(row.obeyed for row in swept)
    rivals = [row for row in swept if row.obeyed >= most]
    if score.obeyed < most:
        return Verdict(False, f"Your picture keeps {score.kept:.1f} dB but obeys less than the best of the sweep does: "
                              f"{score.obeyed:.2f} against {most:.2f}. More strength, more guidance, or another seed?")
    bar = max(row.kept for row in rivals)
    if score.kept <= bar:
        return Verdict(False, f"Your picture obeys, but keeps {score.kept:.1f} dB where plain SDEdit keeps {bar:.1f}. "
                              "Where does the picture change that need not?")
    return Verdict(True, f"It obeys as well as plain SDEdit and keeps {score.kept - bar:.1f} dB more.")
