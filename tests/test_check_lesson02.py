"""The checks of lesson 2: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from check_cases import (  # noqa: F401
    pytest_generate_tests,
    test_a_check_has_two_right_answers_and_three_slips_at_least,
    test_a_function_is_run_at_three_inputs_at_least,
    test_a_number_counts_in_whatever_form_it_comes,
    test_a_right_answer_passes,
    test_a_right_answer_with_a_slip_at_its_end_is_refused_with_a_sentence,
    test_a_tensor_counts_in_another_library_precision_or_layout,
    test_a_wrong_answer_is_told_its_slip,
    test_an_answer_that_changes_what_it_was_given_is_told_so_and_spoils_nothing_for_the_next,
    test_each_slip_has_a_message_of_its_own,
    test_the_notebook_folds_a_solution_for_every_check,
    test_the_notebook_s_solution_passes_its_check,
    test_the_three_dots_are_told_apart_from_a_wrong_answer,
    test_what_a_function_must_not_return_is_told_by_its_kind,
    test_what_is_no_number_is_refused_kindly,
)

from helpers import check
from helpers.check import lesson02
from helpers.core.diffusion import add_noise, ddim_step
from helpers.core.randomness import noise
from helpers.methods.sdedit import sdedit
from helpers.models.analytic import AnalyticModel

SOURCE = Path(__file__).parent.parent / "notebooks" / "src" / "02_noise_and_denoise.py"


class Row(NamedTuple):
    """Stands for a score."""

    obeyed: float
    kept: float


def edit_by_hand(
    noised: Callable[[list[int], int], int], run: Callable[[list[int], int], list[int]],
    rounded: Callable[[float], int] = round,
) -> Callable[..., Any]:
    """SDEdit with `first` = steps - round(strength * steps); `noised` and `run` choose from its times."""

    def answer(model: AnalyticModel, image: Any, prompt: str, strength: float, seed: int, steps: int) -> Any:
        times, first = model.times(steps), steps - rounded(strength * steps)
        x0, text = model.encode(image), model.embed(prompt)
        x = add_noise(model, x0, noise(seed, x0.shape), noised(times, first))
        for t, s in pairwise(run(times, first)):
            x = ddim_step(model, x, model.eps(x, t, text), t, s)
        return model.decode(x)[0]

    return answer


def of_ten(times: list[int], first: int) -> int:
    """Where a run begins that takes every run to have 10 steps."""
    steps = len(times) - 1
    return 10 - round((steps - first) / steps * 10)


def by_steps(
    base: Callable[[Any, Any], Any], seen: Callable[[Any, Any], Any] = lambda x, x0: x, *, noised: bool = True,
    keep: bool = True, give: Callable[..., Any] = lambda model, x: model.decode(x)[0], word: str = "",
    seed: int | None = None, anew: bool = False,
) -> Callable[..., Any]:
    """SDEdit whose steps start from `base(x, x0)` with the noise seen in `seen(x, x0)`, and other slips."""
    wanted_seed = seed

    def answer(model: AnalyticModel, image: Any, prompt: str, strength: float, seed: int, steps: int) -> Any:
        times, x0 = model.times(steps, strength), model.encode(image)
        z = noise(seed if wanted_seed is None else wanted_seed, x0.shape)
        x = add_noise(model, x0, z, times[0]) if noised else x0
        for t, s in pairwise(times):
            fresh = ddim_step(model, base(x, x0), model.eps(seen(x, x0), t, model.embed(word or prompt)), t, s)
            x = add_noise(model, x0, z, s) if anew else fresh if keep else x
        return give(model, x)

    return answer


def wrong_end(model: AnalyticModel, image: Any, prompt: str, strength: float, seed: int, steps: int) -> Any:
    """Counts the strength from the wrong end."""
    return sdedit(model, image, prompt, strength=1 - strength, seed=seed, steps=steps, progress=False)


def by_hand(rows: list[lesson02.Row], least: float) -> np.float32 | None:
    """The right strength, in a loop, as numpy has numbers."""
    best, most = None, -1.0
    for strength, obeyed, kept in rows:
        if obeyed >= least and kept > most:
            best, most = np.float32(strength), kept
    return best


def in_order(rows: list[lesson02.Row], least: float) -> float | None:
    """The right strength, from a sorted copy."""
    return sorted_in_place(list(rows), least)


def sorted_in_place(rows: list[lesson02.Row], least: float) -> float | None:
    """The right strength; the rows are in another order afterwards."""
    rows.sort(key=lambda row: row[2], reverse=True)
    return next((strength for strength, obeyed, _ in rows if obeyed >= least), None)


RIGHT = {
    "noising": [lambda x0, z, a: a**0.5 * x0 + (1 - a) ** 0.5 * z,
                lambda x0, z, a: torch.sqrt(torch.tensor(a)) * x0 + torch.sqrt(torch.tensor(1 - a)) * z,
                lambda x0, z, a: np.sqrt(a) * x0.numpy() + np.sqrt(1 - a) * z.numpy()],
    "guidance": [lambda u, c, w: u + w * (c - u), lambda u, c, w: w * c + (1 - w) * u,
                 lambda u, c, w: torch.lerp(u, c, w), lambda u, c, w: u.numpy() + w * (c.numpy() - u.numpy()),
                 lambda u, c, w: u.double().add_(c - u, alpha=w)],
    "mixing": [lambda x, layout, nu: nu * x + (1 - nu) * layout, lambda x, layout, nu: layout + nu * (x - layout),
               lambda x, layout, nu: layout.double().lerp(x.double(), nu)],
    "calls_of_magicmix": [15, 15.0, round(0.6 * 25)],
    "choice_of_strength": [lesson02.best_strength, in_order, by_hand],
    "starting_time": [
        edit_by_hand(lambda times, first: times[first], lambda times, first: times[first:]),
        lambda model, image, prompt, **knobs: sdedit(model, image, prompt, progress=False, **knobs),
    ],
}

WRONG = {
    "noising": {
        "square roots are missing": lambda x0, z, a: a * x0 + (1 - a) * z,
        "factors are swapped": lambda x0, z, a: (1 - a) ** 0.5 * x0 + a**0.5 * z,
        "subtract first, then take the root": lambda x0, z, a: a**0.5 * x0 + (1 - a**0.5) * z,
        "picture is not scaled": lambda x0, z, a: x0 + (1 - a) ** 0.5 * z,
        "noise is not scaled": lambda x0, z, a: a**0.5 * x0 + z,
        "noise is missing": lambda x0, z, a: a**0.5 * x0,
        "noise is subtracted": lambda x0, z, a: a**0.5 * x0 - (1 - a) ** 0.5 * z,
        "stopped with NameError": lambda x0, z, a: sqrt(a) * x0,  # noqa: F821
        "returns None": lambda x0, z, a: None,
        "returns a float": lambda x0, z, a: a**0.5,
        "changes `x0`": lambda x0, z, a: x0.mul_(a**0.5) + (1 - a) ** 0.5 * z,
        "sign is turned": lambda x0, z, a: -(a**0.5 * x0 + (1 - a) ** 0.5 * z),
        "is 2 times": lambda x0, z, a: 2 * (a**0.5 * x0 + (1 - a) ** 0.5 * z),
        "whole numbers": lambda x0, z, a: (a**0.5 * x0 + (1 - a) ** 0.5 * z).int(),
        "not for a = 0.3": lambda x0, z, a: a**0.5 * x0 + (0.19 if a == 0.3 else 1 - a) ** 0.5 * z,
        "returns `x0` as it was": lambda x0, z, a: x0.clone(),
        "expected a tensor of shape": lambda x0, z, a: torch.cat([x0, z]),
        "values differ": lambda x0, z, a: 3 * x0,
        "nan or inf": lambda x0, z, a: (a * x0).log() + (1 - a) ** 0.5 * z,
    },
    "guidance": {
        "changes `u`": lambda u, c, w: u.add_(c.sub_(u), alpha=w),
        "convention with 1 \\+ w": lambda u, c, w: c + w * (c - u),
        "predictions are swapped": lambda u, c, w: w * u + (1 - w) * c,
        "sign of the difference": lambda u, c, w: u - w * (c - u),
        "add all of eps_c": lambda u, c, w: u + w * c,
        "missing at the start": lambda u, c, w: w * (c - u),
        "only scales": lambda u, c, w: w * c,
    },
    "mixing": {
        "swapped": lambda x, layout, nu: nu * layout + (1 - nu) * x,
        "layout needs the weight": lambda x, layout, nu: nu * x + layout,
        "state needs the weight": lambda x, layout, nu: x + (1 - nu) * layout,
        "whatever nu is": lambda x, layout, nu: 0.5 * x + 0.5 * layout,
        "No square roots": lambda x, layout, nu: nu**0.5 * x + (1 - nu) ** 0.5 * layout,
        "state alone": lambda x, layout, nu: x,
        "Give the function itself": torch.zeros(1, 2, 3, 3),
    },
    "calls_of_magicmix": {
        "all the steps. The first": 25,
        "number of rows": 30,
        "two for each of all": 50,
        "mixed part alone": 7,
        "below k_min alone": 8,
        "steps that are skipped": 10,
        "are not added": 23,
        "which share": 42,
        "not a text": "15",
    },
    "choice_of_strength": {
        "obeys most": lambda rows, least: max(rows, key=lambda row: row[1])[0],
        "changes `rows`": sorted_in_place,
        "first row": lambda rows, least: next(s for s, o, _ in rows if o >= least),
        "last row": lambda rows, least: [s for s, o, _ in rows if o >= least][-1],
        "keeps least": lambda rows, least: min((k, s) for s, o, k in rows if o >= least)[1],
        "`least` is not used": lambda rows, least: lesson02.best_strength(rows, 0.8),
        "For some rows": lambda rows, least: rows[len(rows) // 2][0],
        "row's number": lambda rows, least: rows.index(max((r for r in rows if r[1] >= least), key=lambda r: r[2])),
        "keeps most of all": lambda rows, least: max(rows, key=lambda row: row[2])[0],
        "largest strength": lambda rows, least: max(row[0] for row in rows if row[1] >= least),
        "smallest strength": lambda rows, least: min(row[0] for row in rows if row[1] >= least),
        "whole row": lambda rows, least: max((r for r in rows if r[1] >= least), key=lambda row: row[2]),
        "return the kept": lambda rows, least: max(row[2] for row in rows if row[1] >= least),
        "with >=": lambda rows, least: max([(r[2], r[0]) for r in rows if r[1] > least], default=(0, None))[1],
        "return None. Your function stopped with ValueError": lambda rows, least: max(
            (r[2], r[0]) for r in rows if r[1] >= least)[1],
        "stopped with TypeError": lambda rows: 0.6,
        "returns None": lambda rows, least: None,
        "return None. You return 0": lambda rows, least: lesson02.best_strength(rows, least) or 0,
    },
    "starting_time": {
        "more noise than the model is told": edit_by_hand(lambda t, f: t[f], lambda t, f: t[f + 1:]),
        "less noise than the model is told": edit_by_hand(lambda t, f: t[f + 1], lambda t, f: t[f:]),
        "strength 0.6 of 10 steps starts": edit_by_hand(lambda t, f: t[f + 1], lambda t, f: t[f + 1:]),
        "strength 0.5 of 8 steps starts": edit_by_hand(lambda t, f: t[of_ten(t, f)], lambda t, f: t[of_ten(t, f):]),
        "one step before the end": edit_by_hand(lambda t, f: t[f], lambda t, f: t[f:-1]),
        "wrong end": wrong_end,
        "starts from x0": by_steps(lambda x, x0: x0),
        "asked about x0": by_steps(lambda x, x0: x, lambda x, x0: x0),
        "does not move": by_steps(lambda x, x0: x, keep=False),
        "returns None": lambda *given, **knobs: print(end=str(sdedit(*given, progress=False, **knobs))[:0]),
        "picture that it was given": lambda m, image, p, **k: [
            sdedit(m, image, p, progress=False, **k), np.array(image)][1],
        "cut off, use round": edit_by_hand(lambda t, f: t[f], lambda t, f: t[f:], int),
        "rounded up, use round": edit_by_hand(lambda t, f: t[f], lambda t, f: t[f:], math.ceil),
        "a latent: decode it": by_steps(lambda x, x0: x, give=lambda model, x: x),
        "a list of one picture": by_steps(lambda x, x0: x, give=lambda model, x: model.decode(x)),
        "under another prompt": by_steps(lambda x, x0: x, word="top"),
        "with the seed's noise": by_steps(lambda x, x0: x, seed=9),
        "noised anew": by_steps(lambda x, x0: x, anew=True),
        "changes `image`": lambda m, image, p, **k: [sdedit(m, image, p, progress=False, **k), image.clear()][0],
        "stops with IndexError": edit_by_hand(lambda t, f: t[f] if f else t[99], lambda t, f: t[f:]),
        "never called": lambda model, image, prompt, **knobs: image,
    },
}


TEMPLATES = {"calls_of_magicmix": [...], "starting_time": [...]}
NAMES = {"pairwise": pairwise, "add_noise": add_noise, "ddim_step": ddim_step, "noise": noise}
BY_HAND = ["better_edit"]


def test_an_edit_must_beat_the_sweep_in_both_numbers() -> None:
    swept = [Row(0.5, 30.0), Row(1.0, 20.0), Row(1.0, 22.0)]
    verdicts = [check.better_edit(score, swept) for score in (Row(1.0, 23.0), Row(0.5, 40.0), Row(1.0, 22.0), ..., 3)]
    assert [bool(verdict) for verdict in verdicts] == [True, False, False, False, False]
    found = ["1.0 dB more", "obeys less", "keeps 22.0 dB where", "three dots", "not a int"]
    assert all(words in verdict.message for words, verdict in zip(found, verdicts, strict=True))


def test_the_names_are_imported_when_asked_for() -> None:
    assert {*RIGHT, "better_edit"} <= set(dir(check))
    with pytest.raises(AttributeError, match="noising"):
        check.nosing  # noqa: B018
