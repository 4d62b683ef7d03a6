"""The checks of lesson 3: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
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
from torch import Tensor

from helpers import check
from helpers.check import lesson03
from helpers.core.diffusion import add_noise, cfg, ddim_step
from helpers.core.masks import blend
from helpers.core.randomness import noise
from helpers.methods.diffedit import rescaled
from helpers.models.analytic import AnalyticModel

SOURCE = Path(__file__).parent.parent / "notebooks" / "src" / "03_masking.py"
Blend = Callable[[Tensor, Tensor, Tensor], Tensor]


def by_hand(
    at: Callable[[int, int], int] = lambda t, s: s,
    mixed: Blend = blend,
    times_of: Callable[[list[int]], list[int]] = lambda times: times,
    when: Callable[[int], bool] = lambda s: True,
    noise_at: Callable[[Tensor, int], Tensor] = lambda z, s: z,
    start: Callable[[list[int]], int] = lambda times: times[0],
) -> Callable[..., Tensor]:
    """Blended diffusion on latents; `at` is the time the picture is noised to in the step from t to s."""

    def answer(model: AnalyticModel, x0: Tensor, m: Tensor, prompt: str, times: list[int], z: Tensor) -> Tensor:
        text = model.embed(prompt)
        x = add_noise(model, x0, z, start(times))
        for t, s in pairwise(times_of(times)):
            x = ddim_step(model, x, cfg(model, x, t, text, model.guidance), t, s)
            if when(s):
                x = mixed(x, add_noise(model, x0, noise_at(z, s), at(t, s)), m)
        return x

    return answer


def estimated(d: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor, float], Tensor]:
    """A mask from what `d` makes of the difference (n, C, h, w)."""
    return lambda q, r, threshold: d(q - r) > threshold


def thresholded(key: Callable[[list[float]], float]) -> Callable[[dict], float]:
    """The threshold whose IoUs have the largest `key`."""
    return lambda ious: max(ious, key=lambda t: key(ious[t]))


RIGHT = {
    "blending": [lambda i, o, m: m * i + (1 - m) * o, lambda i, o, m: o + m * (i - o), lambda i, o, m: o.lerp(i, m),
                 lambda i, o, m: m.numpy() * i.numpy() + (1 - m.numpy()) * o.numpy(),
                 lambda i, o, m: m.double() * i + (1 - m.double()) * o],
    "guided_difference": [lambda q, r, w: w * (q - r).abs(), lambda q, r, w: (w * q - w * r).abs(),
                          lambda q, r, w: abs(w) * np.abs(q.numpy() - r.numpy())],
    "same_time": [by_hand(), by_hand(mixed=lambda i, o, m: torch.where(m > 0.5, i, o)),
                  by_hand(mixed=lambda i, o, m: o + m * (i - o))],
    "found_mask": [lesson03.estimated_mask, lambda q, r, c: rescaled((r - q).abs().sum(1).mean(0)) > c,
                   lambda q, r, c: (rescaled((q - r).abs().mean((0, 1))) > c).numpy()],
    "choice_of_threshold": [lesson03.best_threshold, thresholded(sum),
                            lambda ious: np.array([*ious])[np.argmax([np.mean(v) for v in ious.values()])]],
    "estimates_of_diffedit": [140, 140.0, 2 * 10 + 3 * round(0.8 * 50)],
}

WRONG = {
    "blending": {
        "Inside and outside are swapped": lambda i, o, m: m * o + (1 - m) * i,
        "outside is there everywhere": lambda i, o, m: o + m * i,
        "inside is there everywhere": lambda i, o, m: i + (1 - m) * o,
        "outside is missing": lambda i, o, m: i * m,
        "inside alone": lambda i, o, m: i,
        "take 0.3 of the inside": lambda i, o, m: torch.where(m > 0.5, i, o),
        "a little above 0": lambda i, o, m: torch.where(m.bool(), i, o),
        "No square roots": lambda i, o, m: m.sqrt() * i + (1 - m).sqrt() * o,
        "mean of the two": lambda i, o, m: (i + o) / 2,
        "returns None": lambda i, o, m: None,
        "stopped with NameError": lambda i, o, m: mask * i,  # noqa: F821
        "expected a tensor of shape": lambda i, o, m: m,
        "values differ": lambda i, o, m: m * i - (1 - m) * o,
    },
    "guided_difference": {
        "guidance is missing": lambda q, r, w: (q - r).abs(),
        "absolute value is missing": lambda q, r, w: w * (q - r),
        "One factor w": lambda q, r, w: (w * (w * q - w * r)).abs(),
        "not 1 \\+ w": lambda q, r, w: (1 + w) * (q - r).abs(),
        "to eps_r as well": lambda q, r, w: (w * q - r).abs(),
        "1 - w is the factor of eps_u": lambda q, r, w: (1 - w) * (q - r).abs(),
        "values differ": lambda q, r, w: w * (q + r).abs(),
        "nan or inf": lambda q, r, w: (q - r).abs() / w,
        "changes `q`": lambda q, r, w: q.sub_(r).abs() * w,
        "sign is turned": lambda q, r, w: -w * (q - r).abs(),
    },
    "same_time": {
        "one step too noisy": by_hand(at=lambda t, s: t),
        "is the clean picture": by_hand(at=lambda t, s: -1),
        "has the noise of t = 99\\.": by_hand(at=lambda t, s: 99),
        "Inside and outside are swapped": by_hand(mixed=lambda i, o, m: blend(o, i, m)),
        "Nothing is blended": by_hand(mixed=lambda i, o, m: i),
        "t = 699 the state is not blended": by_hand(when=lambda s: s == -1),
        "At the end the state is not blended": by_hand(when=lambda s: s != -1),
        "same z at every step": by_hand(noise_at=lambda z, s: noise(s, z.shape)),
        "not a DDIM step": by_hand(mixed=lambda i, o, m: blend(1.1 * i, o, m)),
        "expected one call at each": by_hand(times_of=lambda times: times[1:]),
        "Before the first step": by_hand(start=lambda times: times[1]),
        "never called": lambda model, x0, m, prompt, times, z: x0,
        "expected the last state": lambda *arguments: by_hand()(*arguments)[0],
        "stopped with TypeError": lambda model: model,
    },
    "found_mask": {
        "True and False are swapped": lambda q, r, c: rescaled((q - r).abs().mean((0, 1))) <= c,
        "signs cancel in the mean": estimated(lambda d: rescaled(d.mean((0, 1)))),
        "comes too late": estimated(lambda d: rescaled(d.mean((0, 1)).abs())),
        "mean over the channels, too": estimated(lambda d: rescaled(d.mean(1).abs().mean(0))),
        "difference of the sizes": lambda q, r, c: rescaled((q.abs() - r.abs()).mean((0, 1))) > c,
        "not rescaled": estimated(lambda d: d.abs().mean((0, 1))),
        "Only the first channel": lambda q, r, c: rescaled((q - r).abs().mean(0)[0]) > c,
        ">, not >=": lambda q, r, c: rescaled((q - r).abs().mean((0, 1))) >= c,
        "You rescale first": lambda q, r, c: rescaled((q - r).abs()).mean((0, 1)) > c,
        "length over the channels": lambda q, r, c: rescaled((q - r).norm(dim=1).mean(0)) > c,
        "You square the difference": lambda q, r, c: rescaled((q - r).square().mean((0, 1))) > c,
        "threshold is not used": lambda q, r, c: lesson03.estimated_mask(q, r, 0.5),
        "one for each channel": lambda q, r, c: rescaled((q - r).abs().mean(0)) > c,
        "Only the first noise": estimated(lambda d: rescaled(d[0].abs().mean(0))),
        "take their mean": estimated(lambda d: rescaled(d.abs().amax((0, 1)))),
        "one extreme then hides": estimated(lambda d: d.abs().mean((0, 1)) / d.abs().mean((0, 1)).max()),
        "one for each noise": estimated(lambda d: rescaled(d.abs().mean(1))),
        "dimensions 0 and 1": estimated(lambda d: rescaled(d.abs())),
        "one value for each latent pixel": estimated(lambda d: rescaled(d.abs().mean((0, 1, 2)))),
        "returns numbers": lambda q, r, c: rescaled((q - r).abs().mean((0, 1))),
        "not the values": lambda q, r, c: rescaled((q - r).abs().mean((0, 1))) > 0.1,
        "returns None": lambda q, r, c: None,
    },
    "choice_of_threshold": {
        "highest single IoU": thresholded(max),
        "worst edit is best": thresholded(min),
        "best median": thresholded(median),
        "lowest mean": lambda ious: min(ious, key=lambda t: fmean(ious[t])),
        "best for the first edit": thresholded(lambda ious: ious[0]),
        "best mean itself": lambda ious: max(map(fmean, ious.values())),
        "the place of": lambda ious: max(range(len(ious)), key=lambda i: fmean([*ious.values()][i])),
        "first threshold": lambda ious: next(iter(ious)),
        "last threshold": lambda ious: [*ious][-1],
        "changes `ious`": lambda ious: max((fmean(v), t) for t, v in [ious.popitem() for _ in range(len(ious))])[1],
        "the largest": lambda ious: max(ious),
        "the smallest": lambda ious: min(ious),
        "paper's 0.5": lambda ious: 0.5,
        "For some tables": lambda ious: max(map(fmean, ious.values())) + 1,
        "same for every input": lambda ious: 0.4,
        "expected a threshold": lambda ious: max(ious.items(), key=lambda row: fmean(row[1])),
    },
    "estimates_of_diffedit": {
        "guides everything": 200,
        "You guide the mask": 160,
        "You guide the way up": 180,
        "The mask is missing": 120,
        "one under each prompt": 130,
        "one of them under the empty prompt": 100,
        "share that the strength says": 170,
        "how often the network is called": 81,
        "40 steps with guidance": 60,
        "way down alone": 80,
        "three parts": 42,
        "not a text": "140",
    },
}

TEMPLATES = {"estimates_of_diffedit": [...], "same_time": [...]}
NAMES = {"pairwise": pairwise, "add_noise": add_noise, "cfg": cfg, "ddim_step": ddim_step, "blend": blend,
         "rescaled": rescaled}


def test_the_notebook_s_template_of_the_off_by_one_has_that_slip() -> None:
    code = SOURCE.read_text(encoding="utf-8").split("def my_blended")[1].split("\n\n\n")[0]
    names: dict[str, Any] = dict(NAMES)
    exec(f"def my_blended{code}", names)
    assert "one step too noisy" in check.same_time(names["my_blended"]).message


def test_the_planted_disagreement_is_what_the_right_mask_finds() -> None:
    mask = lesson03.estimated_mask(lesson03.EPS_Q, lesson03.EPS_R, 0.5)
    planted = torch.zeros(8, 8).bool()
    for rows in (slice(2), slice(4, 6)):
        for columns in (slice(2), slice(4, 6)):
            planted[rows, columns] = True
    planted[6:8, 3] = planted[7, 7] = True
    assert torch.equal(mask, planted) and planted.sum() == 19


def test_the_best_threshold_of_the_table_leads_clearly() -> None:
    means = sorted(map(fmean, lesson03.IOUS.values()))
    assert means[-1] - means[-2] > 0.04
