"""The formulas of diffusion, on the analytic model and on random numbers."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers.core.diffusion import (
    add_noise,
    alpha_bar_at,
    cfg,
    ddim_step,
    denoise,
    guide,
    last_part,
    noise_of,
    predict_clean,
)
from helpers.core.interface import CLEAN, Text, join
from helpers.core.randomness import noise
from helpers.models.analytic import AnalyticModel

ANALYTIC = AnalyticModel()
SHAPE = (3, 2, 1, 1)


class Counting:
    """A model that counts its calls and the rows in each of them, and tells a row's prompt from its embedding."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def eps(self, x: torch.Tensor, t: int, text: Text) -> torch.Tensor:
        self.rows.append(len(x))
        return text.embeddings[:, :1, :1, None].expand_as(x)


def two_prompts() -> Text:
    """Prompts with embeddings 1 and 2; the empty prompt is 0."""
    words = torch.tensor([1.0, 2.0]).reshape(2, 1, 1)
    return Text(words, empty=Text(torch.zeros(2, 1, 1)))


def test_the_same_seed_gives_the_same_noise_and_another_seed_other_noise() -> None:
    assert torch.equal(noise(7, SHAPE), noise(7, SHAPE))
    assert not torch.equal(noise(7, SHAPE), noise(8, SHAPE))


def test_the_noise_of_a_picture_does_not_depend_on_its_neighbours() -> None:
    together = noise(5, SHAPE)
    for i in range(3):
        assert torch.equal(together[i : i + 1], noise(5 + i, (1, *SHAPE[1:])))
    assert torch.equal(noise([9, 5, 5], SHAPE)[1], noise([9, 5, 5], SHAPE)[2])


def test_noise_is_standard_normal() -> None:
    sample = noise(0, (2, 4, 64, 64))
    assert abs(sample.mean()) < 0.02 and abs(sample.std() - 1) < 0.02 and sample.dtype == torch.float32


def test_noise_leaves_every_global_random_state_alone() -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    noise(3, SHAPE)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate() and (before[2] == np.random.get_state()[1]).all()


def test_a_list_of_seeds_must_have_one_for_each_picture() -> None:
    with pytest.raises(ValueError, match="2 seeds for 3 pictures"):
        noise([1, 2], SHAPE)


@pytest.mark.parametrize("t", [0, 1, 250, 999])
def test_predict_clean_undoes_add_noise(t: int) -> None:
    x0, z = noise(1, SHAPE), noise(2, SHAPE)
    x = add_noise(ANALYTIC, x0, z, t)
    assert torch.allclose(predict_clean(ANALYTIC, x, z, t), x0, atol=1e-3)


def test_add_noise_keeps_the_variance_of_standard_normal_latents() -> None:
    x0, z = noise(1, (1, 4, 64, 64)), noise(2, (1, 4, 64, 64))
    assert abs(add_noise(ANALYTIC, x0, z, 400).std() - 1) < 0.02


def test_at_the_clean_end_add_noise_adds_nothing() -> None:
    x0 = noise(1, SHAPE)
    assert torch.equal(add_noise(ANALYTIC, x0, noise(2, SHAPE), CLEAN), x0)


def test_a_ddim_step_with_the_true_noise_lands_on_the_noised_picture_of_the_new_time() -> None:
    x0, z = noise(1, SHAPE), noise(2, SHAPE)
    for t, s in ((900, 300), (300, 900), (20, CLEAN)):
        stepped = ddim_step(ANALYTIC, add_noise(ANALYTIC, x0, z, t), z, t, s)
        assert torch.allclose(stepped, add_noise(ANALYTIC, x0, z, s), atol=1e-3)


def test_a_ddim_step_to_the_same_time_changes_nothing() -> None:
    x, z = noise(1, SHAPE), noise(2, SHAPE)
    assert torch.allclose(ddim_step(ANALYTIC, x, z, 500, 500), x, atol=1e-5)


def test_the_clean_end_has_the_final_value_and_every_other_time_its_own() -> None:
    model = SimpleNamespace(alpha_bar=torch.linspace(0.99, 0.01, 1000), final_alpha_bar=0.995)
    assert alpha_bar_at(model, CLEAN) == 0.995
    assert alpha_bar_at(model, 999) == pytest.approx(0.01)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_noise_is_recovered_from_whatever_the_network_predicts(prediction: str) -> None:
    x0, z, a = noise(1, SHAPE), noise(2, SHAPE), 0.3
    x = a**0.5 * x0 + (1 - a) ** 0.5 * z
    output = {"epsilon": z, "v_prediction": a**0.5 * z - (1 - a) ** 0.5 * x0, "sample": x0}[prediction]
    assert torch.allclose(noise_of(output, x, a, prediction), z, atol=1e-5)


def test_an_unknown_kind_of_prediction_is_an_error() -> None:
    with pytest.raises(ValueError, match="flow"):
        noise_of(noise(1, SHAPE), noise(1, SHAPE), 0.5, "flow")


def test_guidance_0_is_unconditional_1_is_conditional_and_2_goes_as_far_again() -> None:
    u, c = noise(1, SHAPE), noise(2, SHAPE)
    assert torch.equal(guide(u, c, 0), u)
    assert torch.allclose(guide(u, c, 1), c, atol=1e-6)
    assert torch.allclose(guide(u, c, 2), c + (c - u), atol=1e-6)


@pytest.mark.parametrize(("guidance", "rows", "expected"), [(0, 2, [0, 0]), (1, 2, [1, 2]), (3, 4, [3, 6])])
def test_guidance_costs_one_call_and_two_rows_only_where_both_are_needed(
    guidance: float, rows: int, expected: list[float]
) -> None:
    model = Counting()
    eps = cfg(model, torch.zeros(2, 2, 1, 1), 10, two_prompts(), guidance)
    assert model.rows == [rows]
    assert eps[:, 0, 0, 0].tolist() == expected


def test_with_the_empty_prompt_guidance_makes_no_difference() -> None:
    x, text = noise(1, SHAPE), ANALYTIC.embed([""] * 3)
    for guidance in (0, 1, 7.5):
        assert torch.allclose(cfg(ANALYTIC, x, 500, text, guidance), ANALYTIC.eps(x, 500, text), atol=1e-5)


def test_one_prompt_serves_all_latents_and_any_other_number_must_agree() -> None:
    text = two_prompts()
    assert text[[0]].rows(3).embeddings.flatten().tolist() == [1, 1, 1]
    assert text[[0]].rows(3).empty.embeddings.shape == (3, 1, 1)
    with pytest.raises(ValueError, match="2 prompts for 3 latents"):
        text.rows(3)


def test_joined_prompts_keep_their_order_and_pooled_vectors() -> None:
    first, second = (Text(torch.full((1, 1, 1), v), pooled=torch.full((1, 4), v)) for v in (1.0, 2.0))
    both = join(first, second)
    assert both.embeddings.flatten().tolist() == [1, 2] and both.pooled[:, 0].tolist() == [1, 2]


@pytest.mark.parametrize(("strength", "count"), [(0, 0), (0.3, 3), (0.55, 6), (0.5, 5), (1, 10)])
def test_strength_says_how_many_of_the_last_steps_are_run(strength: float, count: int) -> None:
    times = list(range(900, -1, -100))
    part = last_part(times, strength)
    assert part == [*times[10 - count :], CLEAN] and len(part) == count + 1


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan")])
def test_a_strength_outside_0_to_1_is_an_error(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        last_part([1, 0], strength)


def test_watch_sees_every_state_on_the_way_and_its_time() -> None:
    seen: list[tuple[int, torch.Tensor]] = []
    times, text = ANALYTIC.times(4), ANALYTIC.embed("left")
    x = denoise(ANALYTIC, noise(0, SHAPE), text, times, 1, lambda x, t, eps: seen.append((t, x)), progress=False)
    assert [t for t, _ in seen] == times[1:]
    assert torch.equal(seen[-1][1], x)


def test_quick_work_shows_no_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    denoise(ANALYTIC, noise(0, SHAPE), ANALYTIC.embed("left"), ANALYTIC.times(4), 1, progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("seed", ["12", [1.5], 1.5, None, torch.Generator(), 2**64, [0, -(2**64)]])
def test_what_is_no_seed_is_refused_by_name(seed: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"seed(\[\d\])? is "):
        noise(seed, (2, 1, 2, 2))


@pytest.mark.parametrize("guidance", [float("nan"), float("inf"), "4"])
def test_a_guidance_that_would_make_a_black_picture_is_refused(guidance: object) -> None:
    with pytest.raises(ValueError, match="guidance is .* number"):
        guide(torch.zeros(1), torch.ones(1), guidance)
