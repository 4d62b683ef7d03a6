"""The exact model: its noise is the true one, and its samples follow the mixture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.core.diffusion import add_noise, alpha_bar_at, denoise
from helpers.core.interface import CLEAN
from helpers.core.randomness import noise
from helpers.models.analytic import AnalyticModel

MODEL = AnalyticModel()


def log_density(x: torch.Tensor, t: int, prompt: str) -> torch.Tensor:
    """log p_t(x), written out anew: the mixture after noising. x: (B, 2)."""
    a, weights = alpha_bar_at(MODEL, t), MODEL.embed(prompt).embeddings[0, 0]
    parts = [
        torch.distributions.MultivariateNormal(a**0.5 * mean, (a * spread**2 + 1 - a) * torch.eye(2)).log_prob(x)
        for mean, spread in zip(MODEL.means, MODEL.spreads, strict=True)
    ]
    return torch.logsumexp(torch.stack(parts, -1) + weights.log(), -1)


@pytest.mark.parametrize("prompt", ["", "left", "top"])
@pytest.mark.parametrize("t", [0, 100, 600, 999])
def test_the_noise_is_minus_sigma_times_the_score_of_the_noised_mixture(prompt: str, t: int) -> None:
    x = noise(0, (16, 2, 1, 1)).reshape(16, 2).requires_grad_()
    score = torch.autograd.grad(log_density(x, t, prompt).sum(), x)[0]
    eps = MODEL.eps(x.detach().reshape(16, 2, 1, 1), t, MODEL.embed(prompt)).reshape(16, 2)
    assert torch.allclose(eps, -((1 - alpha_bar_at(MODEL, t)) ** 0.5) * score, atol=1e-4)


def test_the_noise_is_the_mean_of_all_noise_that_leads_to_the_point() -> None:
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(400_000, 2, generator=rng)
    x0 = MODEL.means[0] + 0.3 * torch.randn(400_000, 2, generator=rng)
    x = add_noise(MODEL, x0[:, :, None, None], z[:, :, None, None], 500)[:, :, 0, 0]
    near = (x - x[0]).norm(dim=1) < 0.1
    eps = MODEL.eps(x[near].reshape(-1, 2, 1, 1), 500, MODEL.embed("left")).mean(0).flatten()
    assert near.sum() > 500 and torch.allclose(eps, z[near].mean(0), atol=0.05)


def samples(prompt: str, steps: int, count: int = 2000) -> torch.Tensor:
    """Points drawn with DDIM, (count, 2)."""
    x = denoise(MODEL, noise(0, (count, 2, 1, 1)), MODEL.embed(prompt), MODEL.times(steps), 1, progress=False)
    return x[:, :, 0, 0]


def test_a_prompt_samples_its_component() -> None:
    points = samples("right", 100)
    assert torch.allclose(points.mean(0), torch.tensor([2.0, 0.0]), atol=0.03)
    assert torch.allclose(points.std(0), torch.tensor([0.3, 0.3]), atol=0.03)


def test_the_empty_prompt_samples_all_components_by_their_weights() -> None:
    points = samples("", 100)
    owner = (points[:, None] - MODEL.means).norm(dim=-1).argmin(1)
    assert torch.allclose(owner.bincount() / len(points), MODEL.weights, atol=0.04)


def test_more_ddim_steps_come_closer_to_the_exact_trajectory() -> None:
    exact = samples("left", 1000, 100)
    errors = [(samples("left", steps, 100) - exact).abs().mean().item() for steps in (5, 20, 100)]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.02


def test_times_run_from_999_to_clean() -> None:
    assert MODEL.times(4) == [999, 749, 499, 249, CLEAN]
    assert MODEL.times(4, 0) == [CLEAN]
    with pytest.raises(ValueError, match="steps"):
        MODEL.times(0)


def test_points_survive_encoding_and_decoding() -> None:
    points = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
    assert (np.stack(MODEL.decode(MODEL.encode(points))) == points).all()
    assert MODEL.encode([1, 2]).shape == (1, 2, 1, 1)
    with pytest.raises(ValueError, match="expected"):
        MODEL.encode([1, 2, 3])


def test_an_unknown_word_is_an_error_that_lists_the_words() -> None:
    with pytest.raises(ValueError, match="left, right, top"):
        MODEL.embed("bottom")


def test_generate_gives_the_same_points_alone_and_together() -> None:
    together = MODEL.generate(["left", "right"], seed=4, progress=False)
    alone = MODEL.generate("right", seed=5, progress=False)
    assert np.allclose(together[1], alone[0], atol=1e-5)
    assert together[0][0] < 0 < together[1][0]


def test_components_can_be_named_placed_and_weighted() -> None:
    model = AnalyticModel({"a": (0, 1), "b": (1, 0)}, spreads=[0.1, 0.2], weights=[1, 3])
    assert model.weights.tolist() == [0.25, 0.75] and model.embed("b").embeddings.tolist() == [[[0, 1]]]


def test_rows_with_times_of_their_own_are_those_of_one_call_each() -> None:
    x, t = noise(1, (3, 2, 1, 1)), torch.tensor([10, 400, 990])
    text = MODEL.embed(["left", "", "top"])
    together = MODEL.eps(x, t, text)
    assert torch.allclose(together, torch.cat([MODEL.eps(x[i : i + 1], int(t[i]), text[i : i + 1]) for i in range(3)]))


def test_one_prompt_and_several_seeds_give_a_point_for_each() -> None:
    points = MODEL.generate("left", seed=[1, 2], progress=False)
    assert len(points) == 2 and np.allclose(points[1], MODEL.generate("left", seed=2, progress=False)[0])
