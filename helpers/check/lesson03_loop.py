"""The check of lesson 3's loop, find the off-by-one: which states a run of blended diffusion visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from helpers.check.trial import run
from helpers.check.values import kind_of, same, shape_of
from helpers.check.verdict import Verdict
from helpers.core.diffusion import add_noise, ddim_step
from helpers.core.interface import CLEAN, Text
from helpers.core.masks import blend
from helpers.core.randomness import noise
from helpers.core.shapes import Times
from helpers.models.analytic import AnalyticModel, Points

MASK = torch.tensor([1.0, 0.0])[:, None, None, None]  # two points: the first inside the mask, the second outside


class Run(NamedTuple):
    """What the reader's loop is asked."""

    strength: float
    steps: int
    prompt: str
    points: Points
    z: Points


def asked(strength: float, steps: int, prompt: str, points: list[list[float]], seed: int) -> Run:
    """A run with two points and the noise of a seed."""
    x0 = torch.tensor(points)[:, :, None, None]
    return Run(strength, steps, prompt, x0, noise(seed, tuple(x0.shape)))


RUNS = [asked(0.8, 10, "left", [[2.0, -1.0], [1.0, 1.5]], 4), asked(0.5, 6, "right", [[-1.0, 0.3], [0.4, -2.0]], 5),
        asked(1.0, 5, "top", [[0.7, -0.2], [-1.5, 0.9]], 6)]


class Recorder(AnalyticModel):
    """The analytic model, noting at which time it was called with which state."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, Points]] = []

    def __deepcopy__(self, _: dict[int, Any]) -> Recorder:
        return self  # the answer is handed the very one that notes

    def eps(self, x: Points, t: int | Times, text: Text) -> Points:
        """As the analytic model's, noted."""
        self.calls.append((int(t), x[-2:].clone()))
        return super().eps(x, t, text)


def same_time(answer: Callable[..., Tensor]) -> Verdict:
    """Is `answer(model, x0, m, prompt, times, z)` blended diffusion, with both sides of each blend at one time?

    It runs on the analytic model with two points, one inside the mask and one outside, under three prompts.
    """
    for this in RUNS:
        model = Recorder()
        times = model.times(this.steps, this.strength)
        found = run(answer, [(model, this.points, MASK, this.prompt, times, this.z)])
        if isinstance(found, Verdict):
            return found
        if message := wrong_kind(found[0], this) or wrong_calls(model, times) or wrong_outside(
                this, [*(x for _, x in model.calls), found[0]], times):
            return Verdict(False, message)
    return Verdict(True, "Outside the mask the state is the noised picture at every time, and at the end the picture "
                         "itself.")


def wrong_kind(found: Any, this: Run) -> str:
    """What is wrong with the kind or shape of what was returned; an empty text if nothing is."""
    if shape_of(found) == this.points.shape:
        return ""
    what = kind_of(found) if shape_of(found) is None else f"the shape {shape_of(found)}"
    return f"Your function returns {what}; expected the last state, a tensor {tuple(this.points.shape)}."


def wrong_calls(model: Recorder, times: Sequence[int]) -> str:
    """What is wrong with the times at which the model was called; an empty text if nothing is."""
    seen = [t for t, _ in model.calls]
    if not seen:
        return "The model is never called: nothing is denoised."
    return "" if seen == times[:-1] else f"The model is called at {seen}; expected one call at each of {times[:-1]}."


def wrong_outside(this: Run, states: Sequence[Any], times: Sequence[int]) -> str:
    """What is wrong with the states at `times`, inside or outside the mask; an empty text if nothing is."""
    right = blended(this, times)
    if not same(states[0], right[0]):
        clean = same(states[0], this.points)
        return (f"Before the first step both points must be noised to t = {times[0]} with the noise z."
                + (" The model is asked about x0, the clean picture." if clean else ""))
    for (t, s), state, wanted in zip(pairwise(times), states[1:], right[1:], strict=True):
        if not same(state, wanted):
            return slip_at(this, t, s, state, states)
    return ""


def blended(this: Run, times: Sequence[int]) -> list[Points]:
    """The right states at all `times`: inside as SDEdit has them, outside the noised picture."""
    return [blend(x, noised(this, t), MASK) for x, t in zip(free(this, times), times, strict=True)]


def noised(this: Run, t: int) -> Points:
    """Both points noised to t with z."""
    return add_noise(AnalyticModel(), this.points, this.z, t)


def stepped(x: Points, of: Points, t: int, s: int, prompt: str) -> Points:
    """`x` one step down from t to s, with the noise predicted for `of`."""
    model = AnalyticModel()
    return ddim_step(model, x, model.eps(of, t, model.embed(prompt)), t, s)


def free(this: Run, times: Sequence[int]) -> list[Points]:
    """The states at all `times` without any blending."""
    states = [noised(this, times[0])]
    for t, s in pairwise(times):
        states.append(stepped(states[-1], states[-1], t, s, this.prompt))
    return states


def slip_at(this: Run, t: int, s: int, state: Any, states: Sequence[Any]) -> str:
    """What is wrong with the first state that is not the right one, after the step from t to s."""
    times, name = AnalyticModel().times(this.steps, this.strength), "the end" if s == CLEAN else f"t = {s}"
    before = states[times.index(t)]
    moved = stepped(before, before, t, s, this.prompt)
    if same(state, moved):
        whole = all(same(a, b) for a, b in zip(states, free(this, times), strict=True))
        return ("Nothing is blended: outside the mask the state is denoised under the prompt as well." if whole else
                f"At {name} the state is not blended; blend after every step, not only now and then.")
    if same(state[1], moved[1]):
        return "Inside and outside are swapped: where m is 1, the denoised state belongs."
    return slip_inside(this, t, s, state, before) or slip_outside(this, t, s, state, name)


def slip_inside(this: Run, t: int, s: int, state: Any, before: Any) -> str:
    """What is wrong inside the mask, where the outside is right; an empty text if the outside is not."""
    if not same(state[1], noised(this, s)[1]):
        return ""

    def inside(x: Points) -> bool:
        return same(state[0], x[0])

    if inside(before):
        return "Inside the state does not move: keep what a step gives, and blend that."
    if inside(noised(this, s)):
        return "Inside the state is the picture noised anew, too: there the denoised state belongs."
    if inside(stepped(this.points, before, t, s, this.prompt)):
        return "Inside, the step starts from x0, the clean picture: it must start from x, the state before."
    if any(inside(stepped(before, before, t, s, word)) for word in ("", *AnalyticModel().words)):
        return "Inside, the step is one under another prompt: embed the prompt that the function is given."
    return "The outside is right, but inside the state is not a DDIM step under the prompt."


def slip_outside(this: Run, t: int, s: int, state: Any, name: str) -> str:
    """What is wrong outside the mask."""
    level = next((u for u in (CLEAN, *AnalyticModel().times(this.steps)) if same(state[1], noised(this, u)[1])), None)
    if level == t:
        return (f"Outside the mask the state should be at {name}, but it has the noise of t = {t}: one step too noisy. "
                "After the last step that noise stays in the picture.")
    if level is not None:
        at = "is the clean picture" if level == CLEAN else f"has the noise of t = {level}"
        return f"Outside the mask the state should be at {name}, but it {at}."
    return f"Outside the mask the state at {name} is not x0 noised with z. Use the same z at every step."
