"""Checks of lesson 2's harder exercises: a noisy step, MagicMix's loop, and a strength for every place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from helpers.check.trial import Inputs, Slips, of_formula
from helpers.check.verdict import Verdict
from helpers.core.diffusion import add_noise, ddim_step
from helpers.core.randomness import noise
from helpers.core.shapes import Latents, Same
from helpers.methods.magicmix import mix
from helpers.models.analytic import AnalyticModel, Points

# ---------------------------------------------------------------------------------------------------- a noisy step


def three(seed: int, shape: tuple[int, int, int, int]) -> tuple[Latents, Latents, Latents]:
    """Any three tensors of this shape."""
    return noise(seed, shape), noise(seed + 10, shape), noise(seed + 20, shape)


STEPS: Inputs = [(*three(1, (1, 2, 3, 3)), 0.3, 0.6, 1.0), (*three(2, (2, 3, 2, 5)), 0.05, 0.2, 0.5),
                 (*three(3, (1, 2, 3, 3)), 0.5, 0.9, 0.0), (*three(4, (1, 2, 3, 3)), 0.7, 1.0, 0.8)]


def sigma(a: float, b: float, eta: float) -> float:
    """How much fresh noise a step has from share of signal a to b."""
    return eta * float(((1 - b) / (1 - a)) ** 0.5 * (1 - a / b) ** 0.5)


def clean(x: Same, eps: Same, a: float) -> Same:
    """The clean picture that the prediction speaks of."""
    found: Tensor = (x - (1 - a) ** 0.5 * eps) / a**0.5
    return found


def stepped(x: Same, eps: Same, z: Same, a: float, b: float, eta: float) -> Same:
    """DDIM's step with fresh noise."""
    found: Tensor = b**0.5 * clean(x, eps, a) + (1 - b - sigma(a, b, eta) ** 2) ** 0.5 * eps + sigma(a, b, eta) * z
    return found


STEP_SLIPS: Slips = {
    "The predicted noise keeps its whole factor: with the fresh noise there is then too much. Its square and sigma's "
    "sum to 1 - b.": lambda x, e, z, a, b, eta: b**0.5 * clean(x, e, a) + (1 - b) ** 0.5 * e + sigma(a, b, eta) * z,
    "The fresh noise is missing: add sigma z.":
        lambda x, e, z, a, b, eta: stepped(x, e, z, a, b, eta) - sigma(a, b, eta) * z,
    "That is the step without fresh noise, eta = 0.": lambda x, e, z, a, b, eta: stepped(x, e, z, a, b, 0.0),
    "eta is not used: that is the step for eta = 1.": lambda x, e, z, a, b, eta: stepped(x, e, z, a, b, 1.0),
    "You subtract sigma from the root; subtract its square below the root.":
        lambda x, e, z, a, b, eta: (b**0.5 * clean(x, e, a) + ((1 - b) ** 0.5 - sigma(a, b, eta)) * e
                                    + sigma(a, b, eta) * z),
    "Below the root sigma is to be squared: variances add up, not deviations.":
        lambda x, e, z, a, b, eta: (b**0.5 * clean(x, e, a) + max(1 - b - sigma(a, b, eta), 0) ** 0.5 * e
                                    + sigma(a, b, eta) * z),
    "The clean picture is not scaled by the root of b.":
        lambda x, e, z, a, b, eta: stepped(x, e, z, a, b, eta) + (1 - b**0.5) * clean(x, e, a),
}


def noisy_step(answer: Callable[[Tensor, Tensor, Tensor, float, float, float], Tensor]) -> Verdict:
    """Is `answer(x, eps, z, a, b, eta)` DDIM's step from share of signal a to b, with fresh noise z?"""
    return of_formula(answer, STEPS, stepped, STEP_SLIPS,
                      "The factors of the predicted and the fresh noise, squared, sum to 1 - b for every eta.",
                      hint="The form is right, but not the values: the clean picture times the root of b, eps times "
                           "the root of 1 - b - sigma^2, z times sigma.")


# ---------------------------------------------------------------------------------------------------- MagicMix's loop


def points(*places: tuple[float, float]) -> Points:
    """Points of the plane as latents."""
    return torch.tensor(places)[:, :, None, None]


def mix_input(steps: int, k_min: float, k_max: float, nu: float, prompt: str, seed: int) -> tuple[object, ...]:
    """What a loop of MagicMix is given, for two points."""
    model, x0 = AnalyticModel(), points((2.0, -1.0), (0.5, 1.0))
    return (model, x0, prompt, model.times(steps, k_max), model.times(steps, k_min)[0], nu, noise(seed, (2, 2, 1, 1)))


MIXES: Inputs = [mix_input(10, 0.4, 0.8, 0.7, "left", 4), mix_input(6, 0.5, 1.0, 0.0, "right", 5),
                 mix_input(5, 0.2, 0.8, 1.0, "top", 6), mix_input(8, 0.5, 0.5, 0.3, "left", 7)]
Change = Callable[[Points, Points, float], Points]


def looped(*, shown: Change = lambda x, layout, nu: x, base: Change = lambda x, layout, nu: x, after: Change = mix,
           late: bool = False, empty: bool = False, below: bool = True) -> Callable[..., Points]:
    """MagicMix's loop, with slips: what the network is shown and steps start from while mixing, and the mix."""

    def loop(model: AnalyticModel, x0: Points, prompt: str, times: list[int], last_mixed: int, nu: float, z: Points
             ) -> Points:
        text, x = model.embed("" if empty else prompt), add_noise(model, x0, z, times[0])
        for t, s in pairwise(times):
            layout = add_noise(model, x0, z, t)
            seen, start = (f(x, layout, nu) if t >= last_mixed else x for f in (shown, base))
            x = ddim_step(model, start, model.eps(seen, t, text), t, s)
            if (s > last_mixed if late else s >= last_mixed or not below):
                x = after(x, add_noise(model, x0, z, s), nu)
        return x

    return loop


def alone(x: Points, layout: Points, nu: float) -> Points:
    """The state, with nothing mixed in."""
    return x


MIX_SLIPS: Slips = {
    "The mix is shown to the network, but the step starts from the unmixed state: let the mix replace x.":
        looped(shown=mix, after=alone),
    "Nothing is mixed in: that is SDEdit at k_max.": looped(after=alone),
    "nu and 1 - nu are swapped: nu is the weight of the state.":
        looped(after=lambda x, layout, nu: mix(x, layout, 1 - nu)),
    "You mix down to the clean picture: below last_mixed the prompt is alone.": looped(below=False),
    "The last mix is missing: mix at every time s >= last_mixed, that one included.": looped(late=True),
    "The state is replaced by the layout, whatever nu is.": looped(after=lambda x, layout, nu: layout),
    "That is the mean of state and layout, whatever nu is.": looped(after=lambda x, layout, nu: (x + layout) / 2),
    "The steps are those of the empty prompt: embed the prompt that the function is given.": looped(empty=True),
    "No square roots: state and layout hold nearly the same noise, so that the weights sum to 1.":
        looped(after=lambda x, layout, nu: nu**0.5 * x + (1 - nu) ** 0.5 * layout),
}


def magicmix_loop(answer: Callable[..., Points]) -> Verdict:
    """Is `answer(model, x0, prompt, times, last_mixed, nu, z)` the loop of MagicMix on latents?"""
    return of_formula(answer, MIXES, looped(), MIX_SLIPS,
                      "At nu = 0 it is SDEdit at k_min, at nu = 1 SDEdit at k_max.",
                      expected="the last state, a tensor",
                      hint="The last state is another one. Noise x0 to the first time; then, for each pair of times: "
                           "predict, step, and at s >= last_mixed mix with x0 noised to s.")


# ------------------------------------------------------------------------------------------ a strength for every place


def place_input(strengths: list[float], prompt: str, steps: int, seed: int) -> tuple[object, ...]:
    """What SDEdit with a strength for each of three points is given."""
    x0 = points((2.0, -1.0), (0.5, 1.0), (-1.0, 0.3))
    return (AnalyticModel(), x0, torch.tensor(strengths)[:, None, None, None], prompt, steps, noise(seed, (3, 2, 1, 1)))


PLACES: Inputs = [place_input([0.3, 0.8, 1.0], "left", 10, 1), place_input([0.0, 0.5, 0.25], "right", 8, 2),
                  place_input([0.6, 0.6, 0.2], "top", 5, 3)]


def local(*, waits: Callable[[Tensor, float, int], Tensor] = lambda r, left, steps: (r <= left + 1e-6).float(),
          at: Callable[[int, int], int] = lambda t, s: s) -> Callable[..., Points]:
    """SDEdit with a strength for each place; `waits` says where the picture is put back, noised to `at`."""

    def loop(model: AnalyticModel, x0: Points, strengths: Tensor, prompt: str, steps: int, z: Points) -> Points:
        times, text = model.times(steps), model.embed(prompt)
        x = add_noise(model, x0, z, times[0])
        for i, (t, s) in enumerate(pairwise(times)):
            x = ddim_step(model, x, model.eps(x, t, text), t, s)
            m = waits(strengths, 1 - (i + 1) / steps, steps)
            x = m * add_noise(model, x0, z, at(t, s)) + (1 - m) * x
        return x

    return loop


PLACE_SLIPS: Slips = {
    "The comparison is turned: a place waits while its strength is at most the share of steps still to do.":
        local(waits=lambda r, left, steps: (r > left + 1e-6).float()),
    "Every place starts one step too early: a place whose strength is exactly the share still to do waits, too (<=).":
        local(waits=lambda r, left, steps: (r < left - 1e-6).float()),
    "Every place starts one step too late: after step number i, i + 1 steps are done.":
        local(waits=lambda r, left, steps: (r <= left + 1 / steps + 1e-6).float()),
    "The picture is never put back: that is strength 1 everywhere.": local(waits=lambda r, left, steps: 0 * r),
    "The picture is put back everywhere, to the end: nothing is denoised.":
        local(waits=lambda r, left, steps: 0 * r + 1),
    "The picture is put back noised to t; after the step the state is at s.": local(at=lambda t, s: t),
    "The picture is put back clean; noise it to s with z.": local(at=lambda t, s: -1),
    "You use the strength as a weight of the mix: each place is either put back or left alone.":
        local(waits=lambda r, left, steps: 1 - r),
}


def strength_of_places(answer: Callable[..., Points]) -> Verdict:
    """Is `answer(model, x0, strengths, prompt, steps, z)` SDEdit with a strength of its own at each place?"""
    return of_formula(answer, PLACES, local(), PLACE_SLIPS,
                      "Each place is what SDEdit makes of it at its own strength: 0 comes back, 1 starts from noise.",
                      expected="the last state, a tensor",
                      hint="The last state is another one. At strength 0 a place must come back as it was, at strength "
                           "1 it must be plain SDEdit from the noisiest time: compare these two first.")
