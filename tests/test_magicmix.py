"""MagicMix: both ends of nu, SDEdit as its limit, its cost, one fixed noise, and the mix in the state."""

from __future__ import annotations

import inspect
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from small_pictures import distance, stripes

from benchmarks.calls import counted
from helpers.core.diffusion import add_noise, cfg, ddim_step
from helpers.core.randomness import noise
from helpers.methods import magicmix as module
from helpers.methods.magicmix import magicmix, mix
from helpers.methods.sdedit import sdedit
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel

ANALYTIC = AnalyticModel()
ONE_PLACE = AnalyticModel({"here": (1.0, -1.0)}, spreads=0.5)
QUIET = {"progress": False}


@pytest.mark.parametrize(("nu", "strength"), [(1, 0.8), (0, 0.4)])
def test_the_ends_of_nu_are_sdedit_at_k_max_and_at_k_min(model: DiffusersModel, nu: float, strength: float) -> None:
    mixed = magicmix(model, stripes(), "cat", k_min=0.4, k_max=0.8, nu=nu, seed=3, steps=5, guidance=3.0, **QUIET)
    edited = sdedit(model, stripes(), "cat", strength=strength, seed=3, steps=5, guidance=3.0, **QUIET)
    assert distance(mixed, edited) == 0


@pytest.mark.parametrize("k", [0.25, 0.6, 1.0])
@pytest.mark.parametrize("nu", [0.0, 0.5])
def test_with_k_min_equal_to_k_max_it_is_sdedit_at_that_strength(k: float, nu: float) -> None:
    mixed = magicmix(ANALYTIC, [0.5, 1.0], "left", k_min=k, k_max=k, nu=nu, seed=2, **QUIET)
    assert (mixed == sdedit(ANALYTIC, [0.5, 1.0], "left", strength=k, seed=2, **QUIET)).all()


def test_k_max_0_gives_the_picture_back(model: DiffusersModel) -> None:
    with counted(model) as calls:
        mixed = magicmix(model, stripes(), "cat", k_min=0, k_max=0, steps=5, **QUIET)
    assert calls == [] and distance(mixed, model.decode(model.encode(stripes()))[0]) == 0
    point = magicmix(ANALYTIC, [0.3, -0.7], "left", k_min=0, k_max=0)
    assert point.tolist() == pytest.approx([0.3, -0.7])


def test_nu_0_down_to_k_min_0_gives_the_picture_back_from_any_k_max() -> None:
    point = magicmix(ANALYTIC, [0.3, -0.7], "left", k_min=0, k_max=0.7, nu=0, **QUIET)
    assert point.tolist() == pytest.approx([0.3, -0.7])


def by_hand(
    model: AnalyticModel, point: list[float], prompt: str, indices: range, nu: float, steps: int, in_the_state: bool
) -> np.ndarray:
    """The paper's recursion over all times, mixed at the time indices `indices`; or the one that mixes the input only.

    Starts at indices.start, with seed 5 and guidance 1.
    """
    times = model.times(steps)
    x0, text = model.encode(point), model.embed(prompt)
    layout = [add_noise(model, x0, noise(5, x0.shape), t) for t in times]
    x = layout[indices.start]
    for i, (t, s) in enumerate(pairwise(times)):
        if i < indices.start:
            continue
        seen = mix(x, layout[i], nu) if i in indices else x
        x = ddim_step(model, seen if in_the_state else x, cfg(model, seen, t, text, 1), t, s)
    return model.decode(x)[0]


def test_it_is_the_paper_s_recursion_mixed_from_k_max_to_k_min_inclusive() -> None:
    """Of 10 steps, K_max = 0.8 is time index 2 and K_min = 0.3 is index 7."""
    knobs = {"k_min": 0.3, "k_max": 0.8, "nu": 0.6, "seed": 5, "steps": 10, "guidance": 1.0}
    for point in ([2.0, 0.0], [-0.5, 1.5]):
        mixed = magicmix(ANALYTIC, point, "left", **knobs, **QUIET)
        exact = by_hand(ANALYTIC, point, "left", range(2, 8), 0.6, 10, in_the_state=True)
        assert np.allclose(mixed, exact, atol=1e-5)
        shorter, longer = (by_hand(ANALYTIC, point, "left", range(2, end), 0.6, 10, True) for end in (7, 9))
        assert np.abs(mixed - shorter).max() > 0.01 and np.abs(mixed - longer).max() > 0.01


def test_mixing_the_input_alone_is_another_algorithm_that_loses_the_layout_at_nu_0() -> None:
    knobs = {"k_min": 0.3, "k_max": 0.8, "nu": 0.0, "seed": 5, "steps": 50, "guidance": 1.0}
    edited = sdedit(ANALYTIC, [2.0, 0.0], "left", strength=0.3, seed=5, steps=50, guidance=1.0, **QUIET)
    wrong = by_hand(ANALYTIC, [2.0, 0.0], "left", range(10, 36), 0.0, 50, in_the_state=False)
    assert np.abs(magicmix(ANALYTIC, [2.0, 0.0], "left", **knobs, **QUIET) - edited).max() < 1e-6
    assert np.abs(wrong - edited).max() > 0.1


def test_on_one_gaussian_it_is_the_closed_form() -> None:
    """There a DDIM step is affine: x - sqrt(a) mu scales by the ratio of standard deviations (in the limit)."""
    steps, nu, point = 1000, 0.9, np.array([0.0, 2.0])
    mixed = magicmix(ONE_PLACE, point, "here", k_min=0.499, k_max=0.5, nu=nu, seed=3, steps=steps, **QUIET)
    t, s = ONE_PLACE.times(steps, 0.5)[:2]
    mean, z = np.array([1.0, -1.0]), noise(3, (1, 2, 1, 1)).flatten().numpy()
    a, b = ONE_PLACE.alpha_bar[t].item(), ONE_PLACE.alpha_bar[s].item()
    deviation = [(share * 0.25 + 1 - share) ** 0.5 for share in (a, b)]
    stepped = b**0.5 * mean + (a**0.5 * (point - mean) + (1 - a) ** 0.5 * z) * deviation[1] / deviation[0]
    state = nu * stepped + (1 - nu) * (b**0.5 * point + (1 - b) ** 0.5 * z)
    exact = mean + 0.5 * (state - b**0.5 * mean) / deviation[1]
    assert np.allclose(mixed, exact, atol=0.02)


def test_more_nu_moves_further_towards_the_prompt() -> None:
    far = [
        np.mean([magicmix(ANALYTIC, [2, 0], "left", k_max=0.8, nu=nu, seed=i, **QUIET)[0] for i in range(10)])
        for nu in (0.0, 0.3, 0.6, 0.8, 1.0)
    ]
    assert far == sorted(far, reverse=True) and far[0] > far[-1] + 0.5


@pytest.mark.parametrize(
    ("k_max", "guidance", "rows"), [(0.6, 4, [2] * 6), (0.3, 1, [1] * 3), (1.0, 0, [1] * 10), (0.3, 4, [2] * 3)]
)
def test_it_calls_the_model_once_for_each_of_k_max_times_steps(
    models: dict[str, DiffusersModel], k_max: float, guidance: float, rows: list[int]
) -> None:
    with counted(models["sd"]) as seen:
        magicmix(models["sd"], stripes(), "cat", k_min=0.2, k_max=k_max, steps=10, guidance=guidance, **QUIET)
    assert seen == rows


def test_every_level_is_noised_with_the_same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[int, torch.Tensor]] = []

    def spy(model: AnalyticModel, x0: torch.Tensor, z: torch.Tensor, t: int) -> torch.Tensor:
        used.append((t, z))
        return add_noise(model, x0, z, t)

    monkeypatch.setattr(AnalyticModel, "add_noise", spy)
    magicmix(ANALYTIC, [1, 0], "top", k_min=0.3, k_max=0.6, seed=8, steps=10, **QUIET)
    assert [t for t, _ in used] == ANALYTIC.times(10)[4:8]
    assert all(torch.equal(z, noise(8, (1, 2, 1, 1))) for _, z in used)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"nu": 1.2}, "nu is 1.2; expected a number from 0 to 1"),
        ({"nu": -0.1}, "nu is -0.1"),
        ({"nu": float("nan")}, "nu is nan"),
        ({"k_max": 1.5}, "k_max is 1.5"),
        ({"k_min": -1}, "k_min is -1"),
        ({"k_min": 0.7, "k_max": 0.6}, "k_min is 0.7, above k_max, 0.6"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_numbers_out_of_range_are_errors_that_name_them_before_the_model_works(
    models: dict[str, DiffusersModel], knobs: dict, words: str
) -> None:
    with counted(models["sd"]) as calls, pytest.raises(ValueError, match=words):
        magicmix(models["sd"], stripes(), "cat", **knobs)
    assert calls == []


def test_the_same_seed_gives_the_same_picture_and_the_rest_of_the_world_stays(model: DiffusersModel) -> None:
    weights = {name: value.clone() for name, value in model.unet.state_dict().items()}
    state, processors = torch.get_rng_state(), dict(model.unet.attn_processors)
    first, second, other = (magicmix(model, stripes(), "cat", seed=s, steps=4, **QUIET) for s in (5, 5, 6))
    assert distance(first, second) == 0 and distance(first, other) > 0
    assert torch.equal(state, torch.get_rng_state()) and torch.is_grad_enabled()
    assert all(torch.equal(value, weights[name]) for name, value in model.unet.state_dict().items())
    assert all(processor is processors[name] for name, processor in model.unet.attn_processors.items())


def test_any_picture_comes_out_in_the_model_s_size(model: DiffusersModel) -> None:
    tall = Image.new("RGBA", (50, 90), (255, 0, 0, 128))
    mixed = magicmix(model, tall, "cat", steps=3, **QUIET)
    assert mixed.size == model.size and mixed.mode == "RGB"


def test_every_argument_has_a_row_in_the_symbol_table_and_every_row_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    arguments = set(inspect.signature(magicmix).parameters) - {"model", "seed", "progress", "watch"}
    assert arguments <= set(names)
    code = inspect.getsource(magicmix) + inspect.getsource(mix)
    assert all(name in code for name in names)
