"""The checks of lesson 7's measures: how far a recognizer can be trusted, and how small a fit can be made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from helpers.check.trial import Slips, of_formula
from helpers.check.verdict import Verdict
from helpers.core.randomness import noise
from helpers.core.shapes import Array

Matrix = Float[Tensor, "out into"]

# --------------------------------------------------------------------------------------------------- the recognizer

ITS, OTHERS = np.array([0.9, 0.8, 0.3, 0.7]), np.array([0.1, 0.6, 0.2, 0.05, 0.4, 0.45, 0.9, 0.3, 0.2, 0.55])
SURE, UNSURE = np.array([0.95, 0.05, 0.99]), np.array([0.7, 0.1])
FEW, MANY = np.array([0.51]), np.array([0.49, 0.2, 0.8, 0.1, 0.3])


def balanced(its: Array, others: Array) -> float:
    """The mean of two shares: of the subject's pictures that are taken for it, and of the others that are not."""
    return float((np.mean(its > 0.5) + np.mean(others < 0.5)) / 2)


ACCURACY_SLIPS: Slips = {
    "You count all pictures together. There are more of the one kind, and who always says \"other\" would look good: "
    "take the share of each kind, then the mean of the two.":
        lambda its, others: (np.sum(its > 0.5) + np.sum(others < 0.5)) / (len(its) + len(others)),
    "That is the share of the subject's pictures alone. A recognizer that says yes to everything gets it right.":
        lambda its, others: np.mean(its > 0.5),
    "That is the share of the others alone. A recognizer that says no to everything gets it right.":
        lambda its, others: np.mean(others < 0.5),
    "For the others it is right to be below 0.5: you count the false alarms as right.":
        lambda its, others: (np.mean(its > 0.5) + np.mean(others > 0.5)) / 2,
    "You take the mean of how sure it is. Right or wrong is asked: above 0.5, or below.":
        lambda its, others: (np.mean(its) + np.mean(1 - others)) / 2,
    "You count instead of taking shares: divide by the number of pictures of each kind.":
        lambda its, others: np.sum(its > 0.5) + np.sum(others < 0.5),
    "The two shares are added: take their mean.": lambda its, others: np.mean(its > 0.5) + np.mean(others < 0.5),
    "The two kinds are exchanged: `its` should be above 0.5, `others` below.":
        lambda its, others: (np.mean(its < 0.5) + np.mean(others > 0.5)) / 2,
}


def balanced_accuracy(answer: Callable[[Array, Array], float]) -> Verdict:
    """Is `answer(its, others)` the mean of the two shares a recognizer gets right? Arrays of how sure it is, [0, 1]."""
    inputs = [(ITS, OTHERS), (SURE, UNSURE), (FEW, MANY), (OTHERS, ITS)]
    return of_formula(answer, inputs, balanced, ACCURACY_SLIPS,
                      "Half is what a coin gets, however many pictures there are of each kind.")


def cleared(seen: float, hits: float, alarms: float) -> float:
    """The share that is there, from the share that is seen (Rogan and Gladen 1978), in [0, 1]."""
    return min(1.0, max(0.0, (seen - alarms) / (hits - alarms)))


SHARE_SLIPS: Slips = {
    "The share can leave [0, 1], since what is seen has luck in it: cut it off there.":
        lambda seen, hits, alarms: (seen - alarms) / (hits - alarms),
    "The false alarms are taken off, but the misses not: divide by hits - alarms.":
        lambda seen, hits, alarms: min(1.0, max(0.0, seen - alarms)),
    "You divide by hits. The false alarms come from the pictures that do not show it, so it is hits - alarms.":
        lambda seen, hits, alarms: min(1.0, max(0.0, (seen - alarms) / hits)),
    "The false alarms are still in it: subtract them from what is seen.":
        lambda seen, hits, alarms: min(1.0, seen / hits),
    "The denominator is turned around, which makes the share negative: hits - alarms.":
        lambda seen, hits, alarms: min(1.0, max(0.0, (seen - alarms) / (alarms - hits))),
    "You divide by 1 - alarms: that is right only for a recognizer that misses nothing.":
        lambda seen, hits, alarms: min(1.0, max(0.0, (seen - alarms) / (1 - alarms))),
    "That is the way from what is there to what is seen. Solve seen = p hits + (1 - p) alarms for p.":
        lambda seen, hits, alarms: seen * hits + (1 - seen) * alarms,
    "It is cut off below, but not above: a share is at most 1.":
        lambda seen, hits, alarms: max(0.0, (seen - alarms) / (hits - alarms)),
    "It is cut off above, but not below: a share is at least 0.":
        lambda seen, hits, alarms: min(1.0, (seen - alarms) / (hits - alarms)),
}


def true_share(answer: Callable[[float, float, float], float]) -> Verdict:
    """Is `answer(seen, hits, alarms)` the share of pictures that do show the subject, as well as it can be told?"""
    inputs = [(0.5, 0.9, 0.1), (0.3, 0.95, 0.2), (0.05, 0.9, 0.1), (0.98, 0.9, 0.15), (0.62, 1.0, 0.0), (0.4, 0.7, 0.3)]
    return of_formula(answer, inputs, cleared, SHARE_SLIPS,
                      "At hits 1 and alarms 0 nothing changes. The nearer the two, the less can be told: at hits = "
                      "alarms nothing at all.",
                      hint="Of a share p that is there, p hits + (1 - p) alarms is seen. Solve for p, and keep it in "
                           "[0, 1].")


# -------------------------------------------------------------------------------------------------------- a small fit

CHANGE, WIDE, TALL = (noise([seed], (1, 1, *shape))[0, 0] for seed, shape in ((31, (5, 5)), (32, (3, 6)), (33, (6, 4))))


def nearest(D: Matrix, rank: int, *, first: int = 0, power: float = 1.0) -> Matrix:
    """The matrix of this rank that is nearest to D (Eckart and Young 1936); from the `first` singular value on."""
    U, S, Vh = torch.linalg.svd(D, full_matrices=False)
    kept = slice(first, first + rank)
    product: Tensor = U[:, kept] * S[kept] ** power @ Vh[kept]
    return product


def smallest(D: Matrix, rank: int) -> Matrix:
    """The slip that keeps the smallest singular values."""
    return nearest(D, rank, first=min(D.shape) - rank)


RANK_SLIPS: Slips = {
    "The smallest singular values are kept. They come sorted, the largest first: take the first `rank`.": smallest,
    "The singular values are missing: U S Vh, each column of U times its value.":
        lambda D, rank: nearest(D, rank, power=0.0),
    "The singular values count twice: put them to U or to Vh, or a root of them to each.":
        lambda D, rank: nearest(D, rank, power=2.0),
    "One is kept too many: [:rank] has `rank` of them.": lambda D, rank: nearest(D, rank + 1),
    "One is left out too many: [:rank] has `rank` of them.": lambda D, rank: nearest(D, rank - 1),
    "The first rows of D are no low-rank copy of it: take its singular value decomposition.":
        lambda D, rank: torch.cat([D[:rank], torch.zeros_like(D[rank:])]),
    "The first columns of D are no low-rank copy of it: take its singular value decomposition.":
        lambda D, rank: torch.cat([D[:, :rank], torch.zeros_like(D[:, rank:])], 1),
    "That is what is left over: D minus the matrix that is asked for.": lambda D, rank: D - nearest(D, rank),
    "You leave the first one out: Python counts from 0.": lambda D, rank: nearest(D, rank, first=1),
}


def low_rank(answer: Callable[[Tensor, int], Tensor]) -> Verdict:
    """Is `answer(D, rank)` the matrix of at most this rank that is nearest to D (out, in)?"""
    inputs = [(CHANGE, 2), (WIDE, 1), (TALL, 3), (TALL, 1)]
    return of_formula(answer, inputs, nearest, RANK_SLIPS,
                      "B = U S and A = Vh, both cut to the rank, are a LoRA of any fit of all weights. Nothing of this "
                      "rank is nearer (Eckart and Young).")
