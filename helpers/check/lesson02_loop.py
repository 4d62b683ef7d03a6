"""The check of lesson 2's loop, find the off-by-one: what a run of SDEdit calls and gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

from helpers.check.values import kind_of, same, shape_of
from helpers.check.verdict import UNANSWERED, Verdict, is_unanswered
from helpers.core.diffusion import add_noise, ddim_step
from helpers.core.interface import CLEAN, Text
from helpers.core.randomness import noise
from helpers.core.shapes import Times
from helpers.models.analytic import AnalyticModel, Points


class Recorder(AnalyticModel):
    """The analytic model, noting at which time it was called with which state."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, Points]] = []

    def eps(self, x: Points, t: int | Times, text: Text) -> Points:
        """As the analytic model's, noted."""
        self.calls.append((int(t), x[-1:].clone()))
        return super().eps(x, t, text)


class Run(NamedTuple):
    """What the reader's SDEdit is asked: strengths times steps that round up, down and not at all."""

    strength: float
    steps: int
    seed: int = 4
    point: tuple[float, float] = (2.0, -1.0)
    prompt: str = "left"


RUNS = [Run(0.6, 10), Run(0.3, 10), Run(1.0, 10), Run(0.58, 10, 5, (-1.0, 0.5), "right"),
        Run(0.42, 10, 6, (1.0, 1.5), "top"), Run(0.95, 7, 7), Run(0.5, 8, 8), Run(0.0, 10)]


def starting_time(answer: Callable[..., Any]) -> Verdict:
    """Is `answer(model, image, prompt, strength, seed, steps)` SDEdit: noised to the time it starts from, then down?"""
    if is_unanswered(answer):
        return UNANSWERED
    if not callable(answer):
        return Verdict(False, "Give the function itself, without parentheses: check.starting_time(my_function).")
    for asked in RUNS:
        model, image = Recorder(), [*asked.point]
        try:
            found = answer(model, image, asked.prompt, strength=asked.strength, seed=asked.seed, steps=asked.steps)
        except Exception as error:  # the reader's code may fail in any way
            return Verdict(False, f"At strength {asked.strength:g} your function stops with {type(error).__name__}: "
                                  f"{error}")
        if image != [*asked.point]:
            return Verdict(False, "Your function changes `image`, which it was given: encode makes a copy, use that.")
        message = wrong_kind(found) or wrong_start(model, asked) or wrong_steps(model, asked)
        if message := message or wrong_end(model, asked, found):
            return Verdict(False, message)
    return Verdict(True, "Noised to the time of the first step, each step from the state before, and down to the clean "
                         "picture, at every strength.")


def wrong_kind(found: Any) -> str:
    """What is wrong with the kind of what a run returned; an empty text if nothing is."""
    if found is None:
        return "Your function returns None: is there a `return`?"
    if shape_of(found) is None and not isinstance(found, list):
        return f"Your function returns {kind_of(found)}; expected a picture, model.decode(x)[0]."
    return ""


def noisy(model: AnalyticModel, asked: Run, t: int) -> Points:
    """The guide noised to time t with the noise of the seed."""
    x0 = model.encode([*asked.point])
    return add_noise(model, x0, noise(asked.seed, x0.shape), t)


def wrong_start(model: Recorder, asked: Run) -> str:
    """What is wrong with the times of a recorded run, or where it starts; an empty text if nothing is."""
    expected, seen = model.times(asked.steps, asked.strength), [t for t, _ in model.calls]
    at = f"At strength {asked.strength:g}"
    if not seen:
        return f"{at} the model is never called: nothing is denoised." if len(expected) > 1 else ""
    states = [x for _, x in model.calls]
    if all(same(x, noisy(model, asked, CLEAN)) for x in states):
        return (f"{at} the model is asked about x0, the clean picture, at every step: noise it first, and ask about x, "
                "the state that the last step gave.")
    start = next((t for t in model.times(asked.steps) if same(states[0], noisy(model, asked, t))), None)
    if start is None:
        return (f"{at} the first state is not x0 noised with the seed's noise: add_noise(model, x0, noise(seed, ...), "
                "t).")
    name = "the clean picture" if start == CLEAN else f"t = {start}"
    if start != seen[0]:
        more, so = ("more", "and the rest of it stays in the picture") if start > seen[0] else (
            "less", "so it removes what is no noise")
        return (f"{at} the picture is noised to {name}, but the first step is told t = {seen[0]}: {more} noise than "
                f"the model is told of, {so}.")
    return wrong_times(seen, expected, asked)


def wrong_times(seen: list[int], expected: list[int], asked: Run) -> str:
    """What is wrong with the times of a run that starts where it was noised to; an empty text if nothing is."""
    share, at = asked.strength * asked.steps, f"At strength {asked.strength:g}"
    if seen == expected[:-1]:
        return ""
    if seen == expected[:-2]:
        return "Your run stops one step before the end: the last step leads to CLEAN, the last of the times."
    if len(seen) == math.floor(share) != round(share):
        return (f"{at} your run makes {len(seen)} of {asked.steps} steps. {share:.1f} is nearer to {round(share)}: "
                "int(...) and // cut off, use round(...).")
    if len(seen) == math.ceil(share) != round(share):
        return (f"{at} your run makes {len(seen)} of {asked.steps} steps. {share:.1f} is nearer to {round(share)}: "
                "rounded up, use round(...).")
    if len(seen) == asked.steps - len(expected[:-1]):
        return (f"{at} your run makes {len(seen)} of {asked.steps} steps: the strength is counted from the wrong end. "
                "Strength 1 starts at the first, noisiest time.")
    if seen[0] < expected[0]:
        return (f"Noised to and started from the same time, t = {seen[0]}, but strength {asked.strength:g} of "
                f"{asked.steps} steps starts at t = {expected[0]}.")
    return f"{at} the model is called at {seen}; expected {expected[:-1]}."


def stepped(x: Points, x_eps: Points, t: int, s: int, prompt: str) -> Points:
    """`x` one step down from t to s, with the noise predicted for `x_eps`."""
    model = AnalyticModel()
    return ddim_step(model, x, model.eps(x_eps, t, model.embed(prompt)), t, s)


def wrong_steps(model: Recorder, asked: Run) -> str:
    """What is wrong with the states between the first and the last call; an empty text if nothing is."""
    x0 = noisy(model, asked, CLEAN)
    for (t, x), (s, found) in pairwise(model.calls):
        if same(found, stepped(x, x, t, s, asked.prompt)):
            continue
        return slip_of_step(found, x, x0, t, s, asked) or (
            f"The state at t = {s} is not where one ddim_step from t = {t} leads: x = ddim_step(model, x, eps, t, s).")
    return ""


def slip_of_step(found: Any, x: Points, x0: Points, t: int, s: int, asked: Run) -> str:
    """The usual slip that gives the state `found` at s, after the state `x` at t; an empty text if none does."""
    if same(found, x):
        return f"The state does not move from t = {t} to t = {s}: keep what a step gives, x = ddim_step(...)."
    if same(found, stepped(x0, x, t, s, asked.prompt)) or same(found, stepped(x0, x0, t, s, asked.prompt)):
        return "A step starts from x0, the clean picture: it must start from x, the state that the last step gave."
    if same(found, noisy(model := AnalyticModel(), asked, s)):
        return f"The state at t = {s} is the guide noised anew: nothing of what the model said is in it. Keep x."
    if any(same(found, stepped(x, x, t, s, word)) for word in ("", *model.words) if word != asked.prompt):
        return "The step is one under another prompt: embed the prompt that the function is given."
    return ""


def wrong_end(model: Recorder, asked: Run, found: Any) -> str:
    """What is wrong with what a run returned, whose states were right; an empty text if nothing is."""
    guide = noisy(model, asked, CLEAN)
    t, x = model.calls[-1] if model.calls else (CLEAN, guide)
    last = stepped(x, x, t, CLEAN, asked.prompt) if model.calls else guide
    if model.calls and same(found, model.decode(guide)[0]):
        return "Your function returns the picture that it was given: return what was made of it, model.decode(x)[0]."
    if same(found, model.decode(last)[0]):
        return ""
    if same(found, last):
        return "Your function returns the state, a latent: decode it, model.decode(x)[0]."
    if same(found, model.decode(last)):
        return "Your function returns a list of one picture: take it out, model.decode(x)[0]."
    if same(found, model.decode(stepped(guide, x, t, CLEAN, asked.prompt))[0]):
        return "The last step starts from x0, the clean picture: it must start from x."
    if same(found, model.decode(x)[0]):
        return "Your function returns the state before the last step: keep what every step gives, x = ddim_step(...)."
    at = "no step is made, and the picture itself comes back" if not model.calls else "the last state is not this one"
    return f"The steps are right, but not what is returned. At strength {asked.strength:g} {at}: model.decode(x)[0]."
