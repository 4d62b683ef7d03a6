"""The checks of lesson 0, start here."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from helpers.check.trial import Slips, of_formula
from helpers.check.verdict import Verdict
from helpers.core.shapes import Array

Colors = UInt8[np.ndarray, "H W 3"]

# -------------------------------------------------------------------------------------------------- how many steps

STRENGTHS = [(0.6, 10), (0.7, 25), (0.58, 10), (0.0, 25), (1.0, 50), (0.92, 7), (0.29, 50)]
STEPS_SLIPS: Slips = {
    "You cut the share off: 5.8 steps are nearer to 6 than to 5. Use round(...), not int(...) or //.":
        lambda strength, steps: int(strength * steps),
    "You round up: 6.4 steps are nearer to 6 than to 7. Use round(...).":
        lambda strength, steps: math.ceil(strength * steps),
    "That is the number of steps that are left out: the share that the strength says is run.":
        lambda strength, steps: steps - round(strength * steps),
    "That is the share as it is; return a whole number of steps, the nearest: round(...).":
        lambda strength, steps: strength * steps,
    "The strength is rounded first, to 0 or 1. Multiply first, then round.":
        lambda strength, steps: round(strength) * steps,
    "You divide by the strength: a smaller strength needs fewer steps, not more.":
        lambda strength, steps: round(steps / strength) if strength else 0,
    "That is all the steps, whatever the strength is.": lambda strength, steps: steps,
    "One step more than asked: no step is added at the end.":
        lambda strength, steps: round(strength * steps) + 1,
}


def steps_run(answer: Callable[[float, int], int]) -> Verdict:
    """Is `answer(strength, steps)` the number of steps that SDEdit runs, the nearest whole number to that share?"""
    return of_formula(answer, STRENGTHS, lambda strength, steps: round(strength * steps), STEPS_SLIPS,
                      "At strength 1 all steps are run, at strength 0 none.", expected="a number of steps",
                      hint="The form is right, but not the number: the share of `steps` that `strength` says, rounded.")


# ------------------------------------------------------------------------------------------- how much has changed


def pairs_of_pictures() -> list[tuple[Array, Array]]:
    """Black against white, two that agree, and random pairs of several shapes in which both are the brighter one."""
    rng = np.random.default_rng(0)
    black = np.zeros((2, 3, 3), np.uint8)
    pairs = [rng.integers(0, 256, (2, *shape, 3), np.uint8) for shape in ((4, 4), (3, 7), (6, 2))]
    return [*((first, second) for first, second in pairs), (black, black + 255), (pairs[0][0], pairs[0][0].copy())]


def changed(first: Colors, second: Colors) -> float:
    """The mean absolute difference of two pictures, in [0, 1]."""
    return float(np.abs(first.astype(float) - second).mean() / 255)


CHANGE_SLIPS: Slips = {
    "Bytes wrap around: 100 - 105 gives 251. Convert both with .astype(float) before you subtract.":
        lambda first, second: np.abs(first - second).mean() / 255,
    "The result is in levels of 255: divide by 255, so that black against white gives 1.":
        lambda first, second: 255 * changed(first, second),
    "The sizes of the differences are missing: darker and brighter pixels cancel in the mean. Use abs(...).":
        lambda first, second: (first.astype(float) - second).mean() / 255,
    "You take the size after the mean: by then darker and brighter pixels have cancelled.":
        lambda first, second: abs((first.astype(float) - second).mean()) / 255,
    "The differences are squared; asked is the mean of their sizes.":
        lambda first, second: np.square((first.astype(float) - second) / 255).mean(),
    "That is the root of the mean square; asked is the mean of the sizes.":
        lambda first, second: np.square((first.astype(float) - second) / 255).mean() ** 0.5,
    "The differences are summed: take the mean, or a larger picture would always differ more.":
        lambda first, second: np.abs(first.astype(float) - second).sum() / 255,
    "That is the largest difference; asked is the mean.":
        lambda first, second: np.abs(first.astype(float) - second).max() / 255,
    "That is the share of the values that differ at all; asked is by how much they differ.":
        lambda first, second: (first != second).mean(),
    "Only one colour channel is used: take the mean over all three.":
        lambda first, second: np.abs(first[..., 0].astype(float) - second[..., 0]).mean() / 255,
    "You divide by 256; the largest level is 255.": lambda first, second: changed(first, second) * 255 / 256,
}


def mean_change(answer: Callable[[Colors, Colors], float]) -> Verdict:
    """Is `answer(first, second)` the mean difference of two arrays (H, W, 3) of bytes, from 0 to 1?"""
    return of_formula(answer, pairs_of_pictures(), changed, CHANGE_SLIPS,
                      "0 for the same picture, 1 for black against white, and the order of the two does not matter.",
                      expected="one number",
                      hint="Subtract as numbers, take the sizes, then the mean, then divide by 255: compare step by "
                           "step.")
