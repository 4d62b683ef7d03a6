"""The checks of lesson 3, editing under a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from helpers.check.verdict import UNANSWERED, Slips, Verdict, is_unanswered, of_formula, same, shape_of, tried
from helpers.core.diffusion import add_noise, ddim_step, denoise, guide
from helpers.core.interface import CLEAN, Text
from helpers.core.masks import blend
from helpers.core.randomness import noise
from helpers.methods.diffedit import rescaled
from helpers.models.analytic import AnalyticModel

SHAPE = (1, 2, 3, 3)
A, B, C = noise([1, 2, 3], (3, *SHAPE[1:])).split(1)  # any three tensors
HARD = torch.tensor([[0.0, 1, 1], [0, 1, 0], [0, 0, 1]])[None, None]  # (1, 1, 3, 3)
SOFT = (torch.linspace(0, 1, 9) ** 1.2).reshape(1, 1, 3, 3)  # 0.44 and 0.57, but not 0.5

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
    return of_formula(answer, [(A, B, HARD), (A, B, SOFT)], blend, BLENDING_SLIPS,
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
    return of_formula(answer, [(A, B, 4.0), (A, C, 1.0), (B, C, 7.5)],
                      lambda q, r, w: (guide(C - A, q, w) - guide(C - A, r, w)).abs(), GUIDED_SLIPS,
                      "w times the plain difference, whatever eps_u is. Rescaled to [0, 1] it is the same for every w.")


# ------------------------------------------------------------------------------------------------ find the off-by-one

STEPS, STRENGTH, PROMPT = 10, 0.8, "left"
POINTS = torch.tensor([[2.0, -1.0], [1.0, 1.5]])[:, :, None, None]  # the first inside the mask, the second outside
MASK = torch.tensor([1.0, 0.0])[:, None, None, None]
NOISE = noise(4, tuple(POINTS.shape))


class Recorder(AnalyticModel):
    """The analytic model, noting at which time it was called with which state."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, Tensor]] = []

    def eps(self, x: Tensor, t: int, text: Text) -> Tensor:
        """As the analytic model's, noted."""
        self.calls.append((int(t), x[-2:].clone()))
        return super().eps(x, t, text)


def same_time(answer: Callable[..., Tensor]) -> Verdict:
    """Is `answer(model, x0, m, prompt, times, z)` blended diffusion, with both sides of each blend at one time?

    It runs on the analytic model with two points, one inside the mask and one outside.
    """
    model = Recorder()
    times = model.times(STEPS, STRENGTH)
    found = tried(answer, model, *map(deepcopy, (POINTS, MASK, PROMPT, times, NOISE)))
    if isinstance(found, Verdict):
        return found
    if not isinstance(found, Tensor) or found.shape != POINTS.shape:
        what = type(found).__name__ if shape_of(found) is None else f"shape {shape_of(found)}"
        return Verdict(False, f"Your function returns a {what}; expected the last state, {tuple(POINTS.shape)}.")
    if not model.calls:
        return Verdict(False, "The model is never called: nothing is denoised.")
    if [t for t, _ in model.calls] != times[:-1]:
        return Verdict(False, f"The model is called at {[t for t, _ in model.calls]}; expected one call at each of "
                              f"{times[:-1]}.")
    slip = wrong_outside(model, [*(x for _, x in model.calls), found], times)
    return Verdict(False, slip) if slip else Verdict(
        True, "Outside the mask the state is the noised picture at every time, and at the end the picture itself.")


def wrong_outside(model: AnalyticModel, states: list[Tensor], times: Sequence[int]) -> str:
    """What is wrong with the states at `times`, inside or outside the mask; an empty text if nothing is."""
    right = blended(model, times)
    if not same(states[0], right[0]):
        return f"Before the first step both points must be noised to t = {times[0]} with the noise z."
    for (t, s), state, wanted in zip(pairwise(times), states[1:], right[1:], strict=True):
        if not same(state, wanted):
            return slip_at(model, t, s, state, states)
    return ""


def blended(model: AnalyticModel, times: Sequence[int]) -> list[Tensor]:
    """The right states at all `times`: inside as SDEdit has them, outside the noised picture."""
    inside = free(model, times)
    return [blend(x, add_noise(model, POINTS, NOISE, t), MASK) for x, t in zip(inside, times, strict=True)]


def free(model: AnalyticModel, times: Sequence[int]) -> list[Tensor]:
    """The states at all `times` without any blending."""
    states = [add_noise(model, POINTS, NOISE, times[0])]
    denoise(AnalyticModel(), states[0], model.embed(PROMPT), times, model.guidance, lambda x, **_: states.append(x),
            progress=False)
    return states


def slip_at(model: AnalyticModel, t: int, s: int, state: Tensor, states: list[Tensor]) -> str:
    """What is wrong with the first state that is not the right one, after the step from t to s."""
    times, text = model.times(STEPS, STRENGTH), model.embed(PROMPT)
    name = "the end" if s == CLEAN else f"t = {s}"
    before = states[times.index(t)]
    stepped = ddim_step(model, before, AnalyticModel().eps(before, t, text), t, s)
    if same(state, stepped):
        whole = all(same(a, b) for a, b in zip(states, free(model, times), strict=True))
        return ("Nothing is blended: outside the mask the state is denoised under the prompt as well." if whole else
                f"At {name} the state is not blended; blend after every step, not only now and then.")
    if same(state[1], stepped[1]):
        return "Inside and outside are swapped: where m is 1, the denoised state belongs."
    level = noise_level(model, state[1:], times)
    if level == s:
        return "The outside is right, but inside the state is not a DDIM step under the prompt."
    if level == t:
        return (f"Outside the mask the state should be at {name}, but it has the noise of t = {t}: one step too noisy. "
                "After the last step that noise stays in the picture.")
    if level is not None:
        at = "is the clean picture" if level == CLEAN else f"has the noise of t = {level}"
        return f"Outside the mask the state should be at {name}, but it {at}."
    return f"Outside the mask the state at {name} is not x0 noised with z. Use the same z at every step."


def noise_level(model: AnalyticModel, x: Tensor, times: Sequence[int]) -> int | None:
    """The time of `times` whose noise z the outside point x (1, 2, 1, 1) has; None if none fits."""
    return next((t for t in times if same(x, add_noise(model, POINTS, NOISE, t)[1:])), None)


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


def estimated_mask(eps_q: Tensor, eps_r: Tensor, threshold: float) -> Tensor:
    """DiffEdit's mask (h, w) from the estimates (n, C, h, w) under both prompts."""
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
    "You take the largest difference of the channels and noises; take their mean.":
        lambda q, r, c: rescaled((q - r).abs().amax((0, 1))) > c,
    "You divide by the largest difference instead of rescaling: one extreme then hides all the rest.":
        lambda q, r, c: (d := (q - r).abs().mean((0, 1))) / d.max() > c,
}


def found_mask(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(eps_q, eps_r, threshold)` DiffEdit's mask, (h, w) of booleans, from estimates (n, C, h, w)?"""
    thresholds = (0.5, 0.35)
    found = [tried(answer, EPS_Q.clone(), EPS_R.clone(), threshold) for threshold in thresholds]
    for value in found:
        if isinstance(value, Verdict):
            return value
        slip = wrong_form(value)
        if slip:
            return Verdict(False, slip)
    if is_mask_of(estimated_mask, found, thresholds):
        return Verdict(True, "The size first, then the mean, then the scale, then the threshold.")
    for message, formula in MASK_SLIPS.items():
        if is_mask_of(formula, found, thresholds):
            return Verdict(False, message)
    return Verdict(False, "The form is right, but not the values. In this order: difference, size, mean, rescaled, >.")


def wrong_form(value: Any) -> str:
    """What is wrong with the shape or kind of a mask; an empty text if nothing is."""
    shape, size = shape_of(value), tuple(EPS_Q.shape[-2:])
    if shape is None:
        return f"Your function returns a {type(value).__name__}; expected a mask, a tensor of booleans."
    if shape == (MAPS, *size):
        return "Your mask is one for each noise: take the mean over the noises as well."
    if shape[-2:] == size and len(shape) > 2:
        return f"Your mask has the shape {shape}: take the mean over the channels and the noises, dimensions 0 and 1."
    if shape != size:
        return f"Your mask has the shape {shape}; expected {size}, one value for each latent pixel."
    if str(getattr(value, "dtype", "")).rpartition(".")[2] != "bool":
        return "Your function returns numbers; expected True and False: compare with the threshold at the end."
    return ""


def is_mask_of(formula: Callable[..., Tensor], found: Sequence[Any], thresholds: Sequence[float]) -> bool:
    """Whether the masks found at these thresholds are those of a formula."""
    return all(same(value, formula(EPS_Q, EPS_R, c)) for value, c in zip(found, thresholds, strict=True))


# ----------------------------------------------------------------------------------------------- choose a threshold

IOUS: dict[float, list[float]] = {0.2: [0.1, 0.4, 0.5], 0.3: [0.4, 0.45, 0.5], 0.4: [0.75, 0.44, 0.34],
                                  0.5: [0.3, 0.55, 0.2], 0.6: [0.9, 0.1, 0.1], 0.7: [0.7, 0.05, 0.0]}
CHOICES = {
    0.6: "You take the threshold with the highest single IoU. It is good for one edit and bad for the others: compare "
         "the means.",
    0.3: "You take the threshold whose worst edit, or whose median, is best. Asked is the best mean.",
    0.7: "You take the last or largest threshold, or the one with the lowest mean. A high IoU is a good one.",
    0.2: "You take the first or smallest threshold. Compare the means of the lists instead.",
    0.5: "You take the paper's 0.5. Asked is the best mean, whatever the table is.",
}


def best_threshold(ious: Mapping[float, Sequence[float]]) -> float:
    """The threshold with the highest mean IoU."""
    return max(ious, key=lambda threshold: fmean(ious[threshold]))


def choice_of_threshold(answer: Callable[[Mapping[float, Sequence[float]]], float]) -> Verdict:
    """Does `answer(ious)` find the threshold with the highest mean of its IoUs?"""
    found = tried(answer, deepcopy(IOUS))
    if isinstance(found, Verdict):
        return found
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return Verdict(False, f"Your function returns a {type(found).__name__}; expected a threshold, one of the "
                              "dictionary's keys.")
    if found not in IOUS:
        return Verdict(False, f"{found:g} is no threshold of the table: return the key, not its IoU or its place.")
    if found != best_threshold(IOUS):
        return Verdict(False, CHOICES[found])
    other = tried(answer, {0.9: [0.2], 0.1: [0.3], 0.4: [0.25]})
    if other != 0.1:
        return Verdict(False, "Right for one table, but not for another: use what `ious` holds, whatever its keys are.")
    return Verdict(True, "The best on average; for a single edit another may be better.")


# ---------------------------------------------------------------------------------------------------- what it costs

ESTIMATES = {
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
    if is_unanswered(answer):
        return UNANSWERED
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return Verdict(False, f"Expected a number of estimates, not a {type(answer).__name__}.")
    if answer not in ESTIMATES:
        return Verdict(False, "Add up three parts: the mask, the way up, the way down. How many estimates has each?")
    return Verdict(*ESTIMATES[int(answer)])
