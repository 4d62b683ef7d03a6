"""Checks of lesson 1 about measures: obeyed, how sure a mean is, who is unbeaten, and a kept that forgives a move."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool, Float

from helpers.check.lesson01 import decibels
from helpers.check.trial import Slips, of_formula
from helpers.check.verdict import Verdict
from helpers.core.shapes import Array

Numbers = Float[np.ndarray, " N"]
Mask = Bool[np.ndarray, " N"]
Words = Mapping[str, str]

# -------------------------------------------------------------------------------------------------------- obeyed

READINGS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"thing": "cat", "color": "blue", "place": "beach", "sky": "clear"}, {"color": "blue"}),
    ({"thing": "cat", "color": "blue", "place": "beach", "sky": "clear"}, {"color": "red", "sky": "clear"}),
    ({"thing": "dog", "color": "grey", "place": "wall", "sky": "night"}, {"thing": "cat", "place": "beach"}),
    ({"thing": "dog", "color": "grey", "place": "wall", "sky": "night"},
     {"thing": "dog", "color": "grey", "sky": "clear"}),
    ({"place": "forest", "thing": "fox"}, {"thing": "fox", "place": "forest"}),
]


def share_obeyed(reading: Words, wanted: Words) -> float:
    """The share of the wanted attributes that are read as wanted."""
    return sum(reading[name] == value for name, value in wanted.items()) / len(wanted)


OBEYED_SLIPS: Slips = {
    "You divide by all attributes that the judge reads: only the wanted ones count.":
        lambda reading, wanted: share_obeyed(reading, wanted) * len(wanted) / len(reading),
    "That is how many are read as wanted; divide by how many are wanted.":
        lambda reading, wanted: share_obeyed(reading, wanted) * len(wanted),
    "That is the share that is *not* read as wanted: count where the two agree.":
        lambda reading, wanted: 1 - share_obeyed(reading, wanted),
    "That is 1 only where all are read as wanted; asked is the share of them.":
        lambda reading, wanted: float(share_obeyed(reading, wanted) == 1),
    "One of them is enough for you; asked is the share of them.":
        lambda reading, wanted: float(share_obeyed(reading, wanted) > 0),
    "You look whether the values occur anywhere in the reading: compare attribute by attribute.":
        lambda reading, wanted: sum(value in reading.values() for value in wanted.values()) / len(wanted) + 0.0,
    "You ask whether the judge reads these attributes, not what it reads for them.":
        lambda reading, wanted: sum(name in reading for name in wanted) / len(wanted),
}


def obeyed_share(answer: Callable[[Words, Words], float]) -> Verdict:
    """Is `answer(reading, wanted)` the share of the wanted attributes that are read as wanted?"""
    return of_formula(answer, READINGS, share_obeyed, OBEYED_SLIPS,
                      "Each wanted attribute counts once, and what nobody wanted changed counts nothing.",
                      expected="one number", hint="Count the wanted attributes whose reading is the wanted value, and "
                                                  "divide by how many are wanted.")


# ------------------------------------------------------------------------------------------------ how sure a mean is

SAMPLES: list[tuple[Numbers]] = [(np.array(values),) for values in (
    [0.0, 1.0, 1.0, 0.0, 1.0], [20.0, 22.5, 19.0, 30.0], [3.0, 3.0, 3.0], [-1.0, 4.0], [5.0, 1.0, 2.0, 9.0, 4.0, 4.0])]


def half_width(values: Numbers) -> float:
    """1.96 standard errors of the mean."""
    return float(1.96 * values.std(ddof=1) / len(values) ** 0.5)


INTERVAL_SLIPS: Slips = {
    "The standard deviation has N in its denominator: asked is N - 1, ddof=1.":
        lambda v: 1.96 * v.std() / len(v) ** 0.5,
    "The root of N is missing: a mean of many values is surer than one value.": lambda v: 1.96 * v.std(ddof=1),
    "Divide by the root of N, not by N.": lambda v: half_width(v) / len(v) ** 0.5,
    "The 1.96 is missing: that is the standard error.": lambda v: half_width(v) / 1.96,
    "That is the whole interval, both halves: asked is half of it.": lambda v: 2 * half_width(v),
    "That is with the variance: take its root, the standard deviation.":
        lambda v: 1.96 * v.var(ddof=1) / len(v) ** 0.5,
    "The root is of N - 1: the N - 1 belongs to the standard deviation, below the mean is the root of N.":
        lambda v: 1.96 * v.std(ddof=1) / (len(v) - 1) ** 0.5,
    "That is the mean with the interval added; asked is the interval's half alone.":
        lambda v: v.mean() + half_width(v),
    "1.64 is for 90 %; for 95 % it is 1.96.": lambda v: half_width(v) * 1.64 / 1.96,
}


def half_interval(answer: Callable[[Numbers], float]) -> Verdict:
    """Is `answer(values)` half the 95 % interval of their mean, 1.96 s / sqrt(N)?"""
    return of_formula(answer, SAMPLES, half_width, INTERVAL_SLIPS,
                      "Values that are all the same give 0, and four times as many values give about half.",
                      expected="one number", hint="1.96, times the standard deviation with N - 1, divided by the root "
                                                  "of N: compare step by step.")


# -------------------------------------------------------------------------------------------------- the unbeaten

#: (obeyed, kept) of several editors each: the notebook's, equal ones, one alone, one best, and all unbeaten
FIELDS: list[tuple[Numbers, Numbers]] = [
    (np.array([0.0, 0.3, 0.5, 0.4, 0.9, 0.9]), np.array([60.0, 30.0, 28.0, 24.0, 15.0, 12.0])),
    (np.array([0.5, 0.5, 0.2, 0.7]), np.array([20.0, 20.0, 20.0, 10.0])), (np.array([0.4]), np.array([22.0])),
    (np.array([0.1, 0.9, 0.8]), np.array([9.0, 30.0, 30.0])), (np.array([0.2, 0.4, 0.6]), np.array([30.0, 20.0, 10.0])),
    (np.array([1.0, 0.9, 0.3, 0.3, 0.0]), np.array([5.0, 6.0, 7.0, 8.0, 8.0])),
]


def compared(how: Callable[[Array, Array], Array], obeyed: Numbers, kept: Numbers) -> tuple[Array, Array]:
    """`how` of every other editor (columns) and every editor (rows), for both measures."""
    return how(obeyed[None], obeyed[:, None]), how(kept[None], kept[:, None])


def front(obeyed: Numbers, kept: Numbers) -> Mask:
    """True where no other editor is as good in both and better in one."""
    as_good, better = compared(np.greater_equal, obeyed, kept), compared(np.greater, obeyed, kept)
    unbeaten: Mask = ~(as_good[0] & as_good[1] & (better[0] | better[1])).any(1)
    return unbeaten


def not_better_in_both(obeyed: Numbers, kept: Numbers) -> Mask:
    """True where no other editor is better in both."""
    better = compared(np.greater, obeyed, kept)
    unbeaten: Mask = ~(better[0] & better[1]).any(1)
    return unbeaten


def first_of_equals(obeyed: Numbers, kept: Numbers) -> Mask:
    """True where nobody beats an editor and none before it has the same numbers."""
    places = list(zip(obeyed.tolist(), kept.tolist(), strict=True))
    unbeaten: Mask = front(obeyed, kept) & np.array([place not in places[:i] for i, place in enumerate(places)])
    return unbeaten


FRONT_SLIPS: Slips = {
    "True and False are swapped: True is for those whom nobody beats.": lambda o, k: ~front(o, k),
    "You ask for editors better in *both*: one that is as good in one and better in the other beats it, too.":
        not_better_in_both,
    "Every editor beats itself in yours, being as good in both: somebody must be better in at least one.":
        lambda o, k: np.zeros(len(o), bool),
    "Two editors with the same numbers do not beat each other: both stay.": first_of_equals,
    "Equal editors beat each other in yours: at least one of the two numbers must be better.":
        lambda o, k: front(o, k) & np.array([sum((o == a) & (k == b)) == 1 for a, b in zip(o, k, strict=True)]),
    "You look at obeyed alone: an editor that keeps more is not beaten by one that obeys more.":
        lambda o, k: o == o.max(),
    "You look at kept alone: an editor that obeys more is not beaten by one that keeps more.":
        lambda o, k: k == k.max(),
    "Those are the best in one of the two measures; one between them may be unbeaten, too.":
        lambda o, k: ((o == o.max()) | (k == k.max())) & front(o, k),
    "The comparison is turned: those are the ones that beat nobody.": lambda o, k: front(-o, -k),
}


def unbeaten_of(answer: Callable[[Numbers, Numbers], Mask]) -> Verdict:
    """Is `answer(obeyed, kept)` True for the editors that no other is as good as in both and better than in one?"""
    return of_formula(answer, FIELDS, front, FRONT_SLIPS,
                      "For any number of editors, and equal ones do not beat each other.",
                      expected="an array of booleans, one for each editor",
                      hint="For some fields of editors it is True elsewhere. As good in both, and better in at least "
                           "one: compare every editor with every other.")


# --------------------------------------------------------------------------------------------- a kept that forgives


def moved_pictures() -> list[tuple[Array, Array, int]]:
    """(result, picture, most): moved down, to the right, both, back, and too far, each with a little noise."""
    rng = np.random.default_rng(0)
    examples = []
    for shape, move, most in (((6, 8), (0, 1), 1), ((8, 5), (1, 0), 1), ((7, 7), (-1, 1), 1), ((6, 6), (2, -1), 2),
                              ((6, 9), (0, -2), 1), ((5, 5), (0, 0), 0), ((5, 8), (1, 1), 1)):
        picture = rng.random((*shape, 3))
        result = np.roll(picture, move, (0, 1)) + 0.02 * rng.standard_normal(picture.shape)
        examples.append((result, picture, most))
    return examples


def best_of(moves: Callable[[int], list[tuple[int, int]]], choose: Callable[[list[float]], float] = max
            ) -> Callable[[Array, Array, int], float]:
    """The PSNR that `choose` takes of those after `moves(most)`."""
    return lambda r, p, most: choose([decibels(np.square(np.roll(r, move, (0, 1)) - p).mean()) for move in moves(most)])


def every(most: int) -> list[tuple[int, int]]:
    """Every combination of moves down and to the right."""
    return [(down, right) for down in range(-most, most + 1) for right in range(-most, most + 1)]


FORGIVING_SLIPS: Slips = {
    "Nothing is moved: that is the plain PSNR.": best_of(lambda most: [(0, 0)]),
    "You move down and right only. Negative moves, up and left, belong to it as well.":
        best_of(lambda most: [move for move in every(most) if min(move) >= 0]),
    "You move to the side only, not up and down.": best_of(lambda most: [move for move in every(most) if not move[0]]),
    "You move up and down only, not to the side.": best_of(lambda most: [move for move in every(most) if not move[1]]),
    "You never move in both directions at once: every combination counts.":
        best_of(lambda most: [move for move in every(most) if 0 in move]),
    "You move along the diagonal only, as far down as to the right: every combination counts.":
        best_of(lambda most: [move for move in every(most) if move[0] == move[1]]),
    "The last move is missing: range(-most, most + 1) ends with most.":
        best_of(lambda most: [move for move in every(most) if most not in move] or [(0, 0)]),
    "You return the lowest PSNR; forgiving means the highest.": best_of(every, min),
    "You return the mean over all moves; forgiving means the highest.":
        best_of(every, lambda found: float(np.mean(found))),
    "You return the smallest error; -10 * np.log10 turns it into decibels.":
        lambda r, p, most: 10 ** (-best_of(every)(r, p, most) / 10),
    "The sign is turned: it is -10 log10 of the error.": lambda r, p, most: -best_of(every)(r, p, most),
}


def forgiving_psnr(answer: Callable[[Array, Array, int], float]) -> Verdict:
    """Is `answer(result, picture, most)` the highest PSNR after moving the result by up to `most` pixels?"""
    return of_formula(answer, moved_pictures(), best_of(every), FORGIVING_SLIPS,
                      "It finds the move, and for most = 0 it is the plain PSNR.", expected="one number",
                      hint="For every move: roll the result along axes 0 and 1, mean squared error, PSNR. Then the "
                           "highest.")
