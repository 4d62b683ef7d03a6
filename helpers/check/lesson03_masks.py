"""Checks of lesson 3's harder exercises: decoding under a mask, a seam, and a found mask repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from helpers.check.trial import Inputs, Slips, of_formula
from helpers.check.verdict import Verdict
from helpers.core.diffusion import cfg, ddim_step
from helpers.core.masks import blend
from helpers.core.randomness import noise
from helpers.core.shapes import Array
from helpers.models.analytic import AnalyticModel, Points

Grey = Float[np.ndarray, "H W"]
Mask = Bool[np.ndarray, "H W"]
Place = tuple[int, int]

# ------------------------------------------------------------------------------------------- decode under the mask

GUIDANCE = 3.0  # of the model that the answer is run on
MASK = torch.tensor([1.0, 0.0, 0.4])[:, None, None, None]  # three points: inside, outside, and half and half


def guided_model() -> AnalyticModel:
    """The analytic model, with guidance."""
    model = AnalyticModel()
    model.guidance = GUIDANCE
    return model


def decode_input(strength: float, steps: int, prompt: str, seed: int) -> tuple[object, ...]:
    """What the decoding is given."""
    model, x0 = guided_model(), 1.5 * noise(seed, (3, 2, 1, 1))
    return (model, x0, MASK, prompt, model.times(steps, strength))


DECODED: Inputs = [decode_input(0.8, 5, "left", 1), decode_input(0.5, 4, "right", 2), decode_input(1.0, 3, "top", 3)]
Kept = Callable[[dict[int, Points], Sequence[int], int, int], Points]


def decoded(*, back: Kept = lambda states, times, t, s: states[s], up: float = 0.0, up_prompt: bool = False,
            down: float = GUIDANCE, turned: bool = False, start: Kept = lambda states, times, t, s: states[t]
            ) -> Callable[..., Points]:
    """DiffEdit's second half, with slips: what is put back, how it is guided, and what it starts from."""

    def run(model: AnalyticModel, x0: Points, m: Tensor, prompt: str, times: Sequence[int]) -> Points:
        text, nothing = model.embed(prompt), model.embed("")
        states = {times[-1]: x0}
        for s, t in pairwise(times[::-1]):
            eps = cfg(model, states[s], s, text if up_prompt else nothing, up)
            states[t] = ddim_step(model, states[s], eps, s, t)
        y = start(states, times, times[0], times[1])
        for t, s in pairwise(times):
            inside = ddim_step(model, y, cfg(model, y, t, text, down), t, s)
            y = blend(inside, back(states, times, t, s), 1 - m if turned else m)
        return y

    return run


def from_the_clean_end(states: dict[int, Points], times: Sequence[int], t: int, s: int) -> Points:
    """The kept states in the order in which they were made: the template's mistake."""
    return states[times[::-1][list(times).index(t)]]


DECODE_SLIPS: Slips = {
    "The kept states are read from their clean end: after the first step down the clean picture is put back, and at "
    "the end a noisy state. Put back the state of the time s.": decoded(back=from_the_clean_end),
    "The state of the time t is put back; after the step it must be that of s.":
        decoded(back=lambda states, times, t, s: states[t]),
    "The clean picture is put back at every time: put back the kept state of the time s.":
        decoded(back=lambda states, times, t, s: states[times[-1]]),
    "The noisiest state is put back at every time: put back the kept state of the time s.":
        decoded(back=lambda states, times, t, s: states[times[0]]),
    "Inside and outside are swapped: where m is 1, the denoised state belongs.": decoded(turned=True),
    "The way up is under the prompt: encode without one, model.embed(\"\").": decoded(up=1.0, up_prompt=True),
    "The way up is guided, which multiplies its mistakes: encode with guidance 0.":
        decoded(up=GUIDANCE, up_prompt=True),
    "The way down has no guidance: cfg(model, y, t, text, model.guidance).": decoded(down=1.0),
    "The way down does not read the prompt: guidance 0.": decoded(down=0.0),
    "The way down starts from the clean picture: start from the noisiest kept state.":
        decoded(start=lambda states, times, t, s: states[times[-1]]),
}


def masked_decoding(answer: Callable[..., Points]) -> Verdict:
    """Is `answer(model, x0, m, prompt, times)` DiffEdit's second half: encoded, then decoded under the mask?"""
    return of_formula(answer, DECODED, decoded(), DECODE_SLIPS,
                      "Outside the mask every step puts back the kept state of its time, at the end the picture.",
                      expected="the last state, a tensor",
                      hint="The last state is another one. Outside the mask it must be x0 again: is it? Then look at "
                           "the inside: which state does the way down start from, and under which prompt?")


# ------------------------------------------------------------------------------------------------------------ a seam


def bordered() -> list[tuple[Array, Array]]:
    """Grey pictures and masks: a block with a seam, a wide one, a tall one without a seam, a single pixel."""
    rng = np.random.default_rng(0)
    examples = []
    for shape, rows, columns, jump in (((6, 6), (2, 5), (1, 4), 0.5), ((4, 9), (0, 2), (3, 7), 0.3),
                                       ((7, 3), (2, 4), (0, 2), 0.0), ((3, 5), (1, 2), (2, 3), -0.2)):
        mask = np.zeros(shape, bool)
        mask[slice(*rows), slice(*columns)] = True
        examples.append((0.3 * rng.random(shape) + jump * mask, mask))
    return examples


def steps_of(picture: Grey, mask: Mask, axes: Sequence[int] = (0, 1)) -> tuple[Array, Array]:
    """The signed steps between neighbours along these axes, and which of them cross the border."""
    steps = [np.diff(picture, axis=axis).ravel() for axis in axes]
    crosses = [np.diff(mask.astype(int), axis=axis).ravel() != 0 for axis in axes]
    return np.concatenate(steps), np.concatenate(crosses)


def seam(picture: Grey, mask: Mask, axes: Sequence[int] = (0, 1)) -> float:
    """The mean step across the border, minus the mean of all others."""
    steps, crosses = steps_of(picture, mask, axes)
    return float(np.abs(steps[crosses]).mean() - np.abs(steps[~crosses]).mean())


def mean_of_directions(picture: Grey, mask: Mask) -> float:
    """The seam of each direction alone, and their mean."""
    return (seam(picture, mask, (0,)) + seam(picture, mask, (1,))) / 2


SEAM_SLIPS: Slips = {
    "The mean of the other steps is not subtracted.": lambda p, m: np.abs(steps_of(p, m)[0][steps_of(p, m)[1]]).mean(),
    "Crossing and not crossing are swapped.": lambda p, m: -seam(p, m),
    "The sizes are missing: steps up and steps down cancel. Use abs(...).":
        lambda p, m: steps_of(p, m)[0][steps_of(p, m)[1]].mean() - steps_of(p, m)[0][~steps_of(p, m)[1]].mean(),
    "Only neighbours side by side count in yours; those one above the other belong to it, too.":
        lambda p, m: seam(p, m, (1,)),
    "Only neighbours one above the other count in yours; those side by side belong to it, too.":
        lambda p, m: seam(p, m, (0,)),
    "You take the mean for each direction and then their mean: put all steps together first.": mean_of_directions,
    "You subtract the mean of all steps, those across the border included: only of the others.":
        lambda p, m: np.abs(steps_of(p, m)[0][steps_of(p, m)[1]]).mean() - np.abs(steps_of(p, m)[0]).mean(),
    "The steps are summed: take their means.":
        lambda p, m: (np.abs(steps_of(p, m)[0][steps_of(p, m)[1]]).sum()
                      - np.abs(steps_of(p, m)[0][~steps_of(p, m)[1]]).sum()),
    "The steps are squared; asked is their size.":
        lambda p, m: ((steps_of(p, m)[0][steps_of(p, m)[1]] ** 2).mean()
                      - (steps_of(p, m)[0][~steps_of(p, m)[1]] ** 2).mean()),
}


def border_step(answer: Callable[[Grey, Mask], float]) -> Verdict:
    """Is `answer(picture, mask)` the mean step across the mask's border minus the mean of all other steps?"""
    return of_formula(answer, bordered(), seam, SEAM_SLIPS,
                      "0 where the border is like the rest, more where a step stands out.", expected="one number",
                      hint="All steps of both directions; those where the mask changes; the mean of these minus the "
                           "mean of the others: compare step by step.")


# ------------------------------------------------------------------------------------------------- a repaired mask

SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))
CORNERS = (*SIDES, (-1, -1), (-1, 1), (1, -1), (1, 1))
DRAWN = {
    "a loose square, a hole, and a piece that only a corner joins": """
        ..........
        .#####....
        .#...#....
        .#.#.#..#.
        .#####....
        ......##..
        ......##..
        ..........""",
    "at the rim, with a bay that is no hole": """
        ####..#
        #..#..#
        #.....#
        ####..#
        ......#""",
    "two holes that only a corner joins, and a second piece with a hole": """
        .......####
        #####..#..#
        #.###..####
        ##.##......
        #####......
        #####.#....""",
    "all white": """
        ##
        ##
        ##""",
    "a hole that only a corner joins to the outside": """
        .###
        #.##
        ####""",
    "a ring that is the largest only with its hole": """
        ####......
        #..#.#####
        #..#.#####
        ####.###..""",
}


def read(drawn: str) -> Mask:
    """A mask from lines of "#" and "."."""
    return np.array([[sign == "#" for sign in line] for line in drawn.split()])


MASKS: list[tuple[Mask]] = [(read(drawn),) for drawn in DRAWN.values()]


def pieces(white: Mask, joined: Sequence[Place] = SIDES) -> Iterator[Mask]:
    """Each piece of the white squares, as a mask of its own."""
    left = {(int(i), int(j)) for i, j in np.argwhere(white)}
    while left:
        to_visit = [left.pop()]
        piece = np.zeros(white.shape, bool)
        while to_visit:
            i, j = to_visit.pop()
            piece[i, j] = True
            near = {(i + di, j + dj) for di, dj in joined} & left
            left -= near
            to_visit.extend(near)
        yield piece


def filled(mask: Mask, joined: Sequence[Place] = SIDES) -> Mask:
    """The mask with its holes filled: the black pieces that do not reach the rim."""
    padded = np.pad(~mask, 1, constant_values=True)
    outside = next(piece for piece in pieces(padded, joined) if piece[0, 0])
    return np.asarray(~outside[1:-1, 1:-1])


def largest(mask: Mask, joined: Sequence[Place] = SIDES) -> Mask:
    """The piece with the most squares."""
    return max(pieces(mask, joined), key=np.sum)


REPAIR_SLIPS: Slips = {
    "The holes are still there: fill them.": largest,
    "The loose pieces are still there: keep the largest alone.": filled,
    "Squares that only a corner joins are one piece in yours: only sides count.": lambda m: filled(largest(m, CORNERS)),
    "A hole that only a corner joins to the outside is a hole, too: only sides count.":
        lambda m: filled(largest(m), CORNERS),
    "You keep the smallest piece: keep the largest.": lambda m: filled(min(pieces(m), key=np.sum)),
    "You keep the second largest as well: one piece alone.":
        lambda m: filled(np.logical_or.reduce(sorted(pieces(m), key=np.sum)[-2:])),
    "You fill its whole box: a bay that is open at one side is no hole.":
        lambda m: np.logical_and(*(np.logical_or.accumulate(largest(m), a) & np.logical_or.accumulate(
            largest(m)[::-1, ::-1], a)[::-1, ::-1] for a in (0, 1))),
    "You return the filled holes alone: join them with the piece.": lambda m: filled(largest(m)) & ~largest(m),
    "You return what is outside: True is for the piece and its holes.": lambda m: ~filled(largest(m)),
    "You fill all holes before you choose the largest piece; a piece counts by its own squares.":
        lambda m: largest(filled(m)),
}


def repaired_mask(answer: Callable[[Mask], Mask]) -> Verdict:
    """Is `answer(mask)` the largest white piece with its holes filled?"""
    return of_formula(answer, MASKS, lambda mask: filled(largest(mask)), REPAIR_SLIPS,
                      "One piece, without holes, and its bays are open as before.", expected="a mask of the same shape",
                      hint="For some masks it is another one. First the largest piece (sides join, corners do not), "
                           "then all black that cannot be reached from outside becomes white.")
