"""The checks of lesson 3, editing under a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from helpers.check.trial import Slips, agree, of_formula, run, what_is_wrong
from helpers.check.values import kind_of, shape_of
from helpers.check.verdict import Answers, Verdict, of_number
from helpers.core.diffusion import guide
from helpers.core.masks import blend
from helpers.core.randomness import noise
from helpers.core.shapes import Latents
from helpers.methods.diffedit import rescaled

SHAPE = (1, 2, 3, 3)
A, B, C = noise([1, 2, 3], (3, *SHAPE[1:])).split(1)  # any three tensors
HARD = torch.tensor([[0.0, 1, 1], [0, 1, 0], [0, 0, 1]])[None, None]  # (1, 1, 3, 3)
SOFT = (torch.linspace(0, 1, 9) ** 1.2).reshape(1, 1, 3, 3)  # 0.44 and 0.57, but not 0.5
WIDE = tuple(noise([4, 5], (2, 3, 2, 5)).split(1))  # of another shape
GREY = torch.linspace(0.05, 0.95, 10).reshape(1, 1, 2, 5)

# ------------------------------------------------------------------------------------------------ one-line formulas

BLENDING_SLIPS: Slips = {
    "Inside and outside are swapped: where m is 1 the picture may change, so the inside belongs there.":
        lambda i, o, m: (1 - m) * i + m * o,
    "The outside is there everywhere: weigh it with 1 - m, so that the two weights sum to 1.":
        lambda i, o, m: m * i + o,
    "The inside is there everywhere: weigh it with m, so that the two weights sum to 1.":
        lambda i, o, m: i + (1 - m) * o,
    "The outside is missing: add (1 - m) of it.":
        lambda i, o, m: m * i,
    "This is the inside alone: nothing is kept outside the mask.":
        lambda i, o, m: i,
    "This makes a soft mask hard: where m is 0.3, take 0.3 of the inside and 0.7 of the outside.":
        lambda i, o, m: torch.where(m >= 0.5, i, o),
    "This makes a soft mask hard: where m is a little above 0 there should be a little of the inside.":
        lambda i, o, m: torch.where(m > 0, i, o),
    "No square roots here: inside and outside carry noise of one level, so their weights sum to 1.":
        lambda i, o, m: m**0.5 * i + (1 - m) ** 0.5 * o,
    "The mask is not used: this is the mean of the two.":
        lambda i, o, m: (i + o) / 2,
}


def blending(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Is `answer(inside, outside, m)` the blend of two states (B, C, h, w) by the mask m (B, 1, h, w) in [0, 1]?"""
    return of_formula(answer, [(A, B, HARD), (B, A, SOFT), (A, C, 0 * SOFT), (*WIDE, GREY)], blend, BLENDING_SLIPS,
                      "White takes the inside, black the outside, grey a mix. This is helpers.core.masks.blend.")


GUIDED_SLIPS: Slips = {
    "The guidance is missing: the difference of two guided estimates grows with w.":
        lambda q, r, w: (q - r).abs(),
    "The absolute value is missing: with it, it does not matter which of the two is larger.":
        lambda q, r, w: w * (q - r),
    "One factor w is enough: both estimates have it, so it can be taken out of the difference once.":
        lambda q, r, w: w**2 * (q - r).abs(),
    "Put (1 - w) eps_u + w eps for each of the two: the factors of eps_q and eps_r are both w, not 1 + w.":
        lambda q, r, w: (1 + w) * (q - r).abs(),
    "Both estimates are guided: the factor w belongs to eps_r as well.":
        lambda q, r, w: (w * q - r).abs(),
    "1 - w is the factor of eps_u, which falls out. What is the factor of eps_q?":
        lambda q, r, w: (1 - w) * (q - r).abs(),
}


def guided_difference(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(eps_q, eps_r, w)` the size of the difference of both estimates guided with w, without eps_u?"""
    return of_formula(answer, [(A, B, 4.0), (A, C, 1.0), (B, C, 7.5), (*WIDE, 0.0)],
                      lambda q, r, w: (guide(r - q, q, w) - guide(r - q, r, w)).abs(), GUIDED_SLIPS,
                      "w times the plain difference, whatever eps_u is. Rescaled to [0, 1] it is the same for every w.")


# ------------------------------------------------------------------------------------------------ DiffEdit's mask

MAPS = 3
EPS_Q, EPS_R = noise([11, 12, 13], (MAPS, 4, 8, 8)), noise([21, 22, 23], (MAPS, 4, 8, 8))
EPS_Q[:, :2, :2, :2] += 6  # here the prompts disagree with one sign in some channels, the other in the rest;
EPS_Q[:, 2:, :2, :2] -= 6
EPS_Q[0, :, :2, 4:6] += 8  # here with one sign for some noises, the other for the rest;
EPS_Q[1:, :, :2, 4:6] -= 4
EPS_Q[:, :, 4:6, :2] -= 6  # here always with the same sign;
EPS_Q[1:, :, 4:6, 4:6] += 8  # here for all noises but the first;
EPS_Q[:, :, 6:8, 3] += 3  # here with equal sizes and opposite signs;
EPS_R[:, :, 6:8, 3] -= 3
EPS_Q[:, 0, 7, 7] += 80  # and this is an extreme, which the rescaling has to cut off


TALL = tuple(noise([31, 32, 33, 34], (4, 2, 6, 3)).split(2))  # 2 noises of 2 channels, 6 x 3 pixels
ESTIMATES = [(EPS_Q, EPS_R, 0.5), (EPS_Q, EPS_R, 0.35), (*TALL, 0.4), (*TALL, 1.0)]


def estimated_mask(eps_q: Latents, eps_r: Latents, threshold: float) -> Bool[Tensor, "h w"]:
    """DiffEdit's mask from the estimates under both prompts."""
    return rescaled((eps_q - eps_r).abs().mean((0, 1))) > threshold


MASK_SLIPS: Slips = {
    "True and False are swapped: the picture may change where the difference is above the threshold.":
        lambda q, r, c: ~estimated_mask(q, r, c),
    "The absolute value is missing: differences with both signs cancel in the mean.":
        lambda q, r, c: rescaled((q - r).mean((0, 1))) > c,
    "The absolute value comes too late: taken after the mean, differences with both signs have cancelled already.":
        lambda q, r, c: rescaled((q - r).mean((0, 1)).abs()) > c,
    "The absolute value comes before the mean over the channels, too: their signs cancel.":
        lambda q, r, c: rescaled((q - r).mean(1).abs().mean(0)) > c,
    "That is the difference of the sizes; asked is the size of the difference: (eps_q - eps_r).abs().":
        lambda q, r, c: rescaled((q.abs() - r.abs()).mean((0, 1))) > c,
    "The difference is not rescaled to [0, 1]: the threshold has no fixed meaning then.":
        lambda q, r, c: (q - r).abs().mean((0, 1)) > c,
    "Only the first noise is used: take the mean over all n.":
        lambda q, r, c: rescaled((q - r).abs().mean(1)[0]) > c,
    "Only the first channel is used: take the mean over all of them.":
        lambda q, r, c: rescaled((q - r).abs().mean(0)[0]) > c,
    "You square the difference; asked is its size: .abs().":
        lambda q, r, c: rescaled((q - r).square().mean((0, 1))) > c,
    "Above the threshold is >, not >=.": lambda q, r, c: rescaled((q - r).abs().mean((0, 1))) >= c,
    "You rescale first and take the mean then: the mean comes before the scale.":
        lambda q, r, c: rescaled((q - r).abs()).mean((0, 1)) > c,
    "You take the length over the channels; asked is the mean of the sizes.":
        lambda q, r, c: rescaled((q - r).norm(dim=1).mean(0)) > c,
    "The threshold is not used: compare with the one that the function is given.":
        lambda q, r, c: estimated_mask(q, r, 0.5),
    "You take the largest difference of the channels and noises; take their mean.":
        lambda q, r, c: rescaled((q - r).abs().amax((0, 1))) > c,
    "You divide by the largest difference instead of rescaling: one extreme then hides all the rest.":
        lambda q, r, c: (d := (q - r).abs().mean((0, 1))) / d.max() > c,
}


def found_mask(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(eps_q, eps_r, threshold)` DiffEdit's mask, (h, w) of booleans, from estimates (n, C, h, w)?"""
    found = run(answer, ESTIMATES)
    if isinstance(found, Verdict):
        return found
    for value, (eps_q, *_) in zip(found, ESTIMATES, strict=True):
        if wrong := wrong_form(value, tuple(eps_q.shape)):
            return Verdict(False, wrong)
    wanted = [estimated_mask(*given) for given in ESTIMATES]
    if agree(found, wanted):
        return Verdict(True, "The size first, then the mean, then the scale, then the threshold.")
    return Verdict(False, what_is_wrong(
        answer, found, ESTIMATES, wanted, MASK_SLIPS,
        "The form is right, but not the values. In this order: difference, size, mean, rescaled, >."))


def wrong_form(value: Any, of: tuple[int, ...]) -> str:
    """What is wrong with the shape or kind of a mask from estimates of this shape; an empty text if nothing is."""
    shape, (maps, channels, *rest) = shape_of(value), of
    size = tuple(rest)
    if shape is None:
        return f"Your function returns {kind_of(value)}; expected a mask, a tensor of booleans."
    if shape == (maps, *size):
        return "Your mask is one for each noise: take the mean over the noises as well."
    if shape == (channels, *size):
        return "Your mask is one for each channel: take the mean over the channels as well."
    if shape[-2:] == size and len(shape) > 2:
        return f"Your mask has the shape {shape}: take the mean over the channels and the noises, dimensions 0 and 1."
    if shape != size:
        return f"Your mask has the shape {shape}; expected {size}, one value for each latent pixel."
    if str(getattr(value, "dtype", "")).rpartition(".")[2] != "bool":
        return "Your function returns numbers; expected True and False: compare with the threshold at the end."
    return ""


# ----------------------------------------------------------------------------------------------- choose a threshold

IOUS: dict[float, list[float]] = {0.2: [0.1, 0.4, 0.5], 0.3: [0.4, 0.45, 0.5], 0.4: [0.75, 0.44, 0.34],
                                  0.5: [0.3, 0.55, 0.2], 0.6: [0.9, 0.1, 0.1], 0.7: [0.7, 0.05, 0.0]}
TABLES: list[tuple[dict[float, list[float]]]] = [
    (IOUS,), ({0.9: [0.25], 0.1: [0.3], 0.4: [0.2], 0.6: [0.22]},),
    ({0.55: [0.6, 0.2, 0.4], 0.35: [0.5, 0.5, 0.5], 0.45: [0.8, 0.2, 0.2], 0.65: [0.1, 0.2, 0.3]},),
    ({0.15: [0.3, 0.9], 0.25: [0.5, 0.5]},)]


def with_best(key: Callable[[Sequence[float]], float]) -> Callable[[Mapping[float, Sequence[float]]], float]:
    """The threshold whose IoUs have the largest `key`."""
    return lambda ious: max(ious, key=lambda threshold: key(ious[threshold]))


best_threshold = with_best(fmean)
THRESHOLD_SLIPS: Slips = {
    "You take the threshold with the highest single IoU. It is good for one edit and bad for the others: compare the "
    "means.": with_best(max),
    "You take the threshold whose worst edit is best. Asked is the best mean.": with_best(min),
    "You take the threshold with the best median. Asked is the best mean.": with_best(median),
    "You take the threshold with the lowest mean. A high IoU is a good one.":
        with_best(lambda ious: -fmean(ious)),
    "You take the largest threshold. Compare the means of the lists instead.": max,
    "You take the smallest threshold. Compare the means of the lists instead.": min,
    "You take the last threshold. Compare the means of the lists instead.": lambda ious: [*ious][-1],
    "You take the first threshold. Compare the means of the lists instead.": lambda ious: [*ious][0],
    "You take the threshold that is best for the first edit. Asked is the best mean.": with_best(lambda ious: ious[0]),
    "You take the paper's 0.5. Asked is the best mean, whatever the table is.": lambda ious: 0.5,
    "You return the best mean itself: return the threshold that has it, the dictionary's key.":
        lambda ious: max(map(fmean, ious.values())),
    "You return the place of the threshold: return the threshold, the dictionary's key.":
        lambda ious: [*ious].index(best_threshold(ious)),
}


def choice_of_threshold(answer: Callable[[Mapping[float, Sequence[float]]], float]) -> Verdict:
    """Does `answer(ious)` find the threshold with the highest mean of its IoUs?"""
    return of_formula(answer, TABLES, best_threshold, THRESHOLD_SLIPS,
                      "The best on average; for a single edit another may be better.",
                      expected="a threshold, one of the dictionary's keys",
                      hint="For some tables that is not the threshold with the best mean: use what `ious` holds, "
                           "whatever its keys are, and return the key.")


# ---------------------------------------------------------------------------------------------------- what it costs

COST: Answers = {
    140: (True, "20 for the mask, 40 up without guidance, 80 down with it."),
    200: (False, "That guides everything. Guidance does not change the mask, and the way up has no prompt to guide."),
    160: (False, "You guide the mask. Exercise 5: that changes nothing, so 2 estimates for each noise are enough."),
    180: (False, "You guide the way up. The encoding is unconditional: one estimate a step."),
    120: (False, "The mask is missing: its two estimates for each of 10 noises."),
    130: (False, "The mask needs two estimates for each noise, one under each prompt."),
    100: (False, "The way down is guided: two estimates a step, one of them under the empty prompt. (Or is it the way "
                 "up that is missing?)"),
    170: (False, "Of the 50 steps only the share that the strength says is run, up and down."),
    81: (False, "That is how often the network is called, with the mask in one batch. Asked is how many noises it "
                "estimates: a guided call estimates two."),
    60: (False, "The way down is missing: 40 steps with guidance."),
    80: (False, "That is the way down alone. The picture is encoded as well, and the mask is sought."),
}


def estimates_of_diffedit(answer: int) -> Verdict:
    """How many noises does DiffEdit estimate with 50 steps, strength 0.8, 10 maps and guidance 7.5?"""
    return of_number(answer, COST, "Add up three parts: the mask, the way up, the way down. How many estimates has "
                     "each?", "a number of estimates")
