"""SDEdit: its two ends, its cost, the closed form, and the same picture as diffusers' img2img."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_pictures import distance, stripes

from benchmarks.calls import counted
from helpers.core.diffusion import add_noise, denoise
from helpers.core.randomness import noise
from helpers.methods.sdedit import sdedit
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet

ANALYTIC = AnalyticModel()


def test_strength_0_gives_the_picture_back_through_the_autoencoder(model: DiffusersModel) -> None:
    edited = sdedit(model, stripes(), "cat", strength=0, progress=False)
    assert distance(edited, model.decode(model.encode(stripes()))[0]) == 0


def test_strength_0_on_the_exact_model_gives_the_point_back() -> None:
    assert sdedit(ANALYTIC, [0.3, -0.7], "left", strength=0).tolist() == pytest.approx([0.3, -0.7])


def test_strength_1_forgets_the_guide() -> None:
    a, b = (sdedit(ANALYTIC, point, "left", strength=1, progress=False) for point in ([3, 3], [-3, -3]))
    assert np.abs(a - b).max() < 0.02


def test_strength_1_on_the_exact_model_samples_the_component() -> None:
    points = np.stack([sdedit(ANALYTIC, [2, 0], "left", strength=1, seed=s, progress=False) for s in range(60)])
    assert np.allclose(points.mean(0), [-2, 0], atol=0.15) and np.allclose(points.std(0), 0.3, atol=0.1)


def test_on_one_gaussian_the_edit_is_the_closed_form() -> None:
    """DDIM in the limit maps x_t to mu + s (x_t - sqrt(a) mu) / sqrt(a s^2 + 1 - a)."""
    model = AnalyticModel({"here": (1.0, -1.0)}, spreads=0.5)
    steps, strength, guide = 1000, 0.5, [0.0, 2.0]
    edited = sdedit(model, guide, "here", strength=strength, seed=3, steps=steps, progress=False)
    t = model.times(steps, strength)[0]
    a, mean = model.alpha_bar[t].item(), np.array([1.0, -1.0])
    x_t = add_noise(model, model.encode(guide), noise(3, (1, 2, 1, 1)), t).flatten().numpy()
    exact = mean + 0.5 * (x_t - a**0.5 * mean) / (a * 0.25 + 1 - a) ** 0.5
    assert np.allclose(edited, exact, atol=0.02)


def test_more_strength_moves_further_towards_the_prompt() -> None:
    far = [
        np.mean([sdedit(ANALYTIC, [2, 0], "left", strength=s, seed=i, progress=False)[0] for i in range(10)])
        for s in (0.05, 0.2, 0.4, 0.9)
    ]
    assert far == sorted(far, reverse=True) and far[0] > 1 and far[-1] < -1


@pytest.mark.parametrize(("strength", "guidance", "rows"), [(0.6, 4, [2] * 6), (0.25, 1, [1] * 2), (0, 4, [])])
def test_it_calls_the_model_once_for_each_of_strength_times_steps(
    models: dict[str, DiffusersModel], strength: float, guidance: float, rows: list[int]
) -> None:
    with counted(models["sd"]) as seen:
        sdedit(models["sd"], stripes(), "cat", strength=strength, steps=10, guidance=guidance, progress=False)
    assert seen == rows


@pytest.mark.parametrize("knobs", [{"strength": 1.2}, {"strength": -1}, {"steps": 0}, {"steps": 5000}, {"steps": 2.5}])
def test_numbers_out_of_range_are_errors_that_name_them(models: dict[str, DiffusersModel], knobs: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(knobs))):
        sdedit(models["sd"], stripes(), "cat", **knobs)


def test_the_same_seed_gives_the_same_picture_and_the_rest_of_the_world_stays(model: DiffusersModel) -> None:
    weights = {name: value.clone() for name, value in model.unet.state_dict().items()}
    state, processors = torch.get_rng_state(), dict(model.unet.attn_processors)
    first, second = (sdedit(model, stripes(), "cat", seed=5, steps=4, progress=False) for _ in range(2))
    assert distance(first, second) == 0
    assert distance(first, sdedit(model, stripes(), "cat", seed=6, steps=4, progress=False)) > 0
    assert torch.equal(state, torch.get_rng_state()) and torch.is_grad_enabled()
    assert all(torch.equal(value, weights[name]) for name, value in model.unet.state_dict().items())
    assert all(processor is processors[name] for name, processor in model.unet.attn_processors.items())


def test_any_picture_comes_out_in_the_model_s_size(model: DiffusersModel) -> None:
    tall = Image.new("RGBA", (50, 90), (255, 0, 0, 128))
    edited = sdedit(model, tall, "cat", steps=3, progress=False)
    assert edited.size == model.size and edited.mode == "RGB"


def img2img(folder: Path, latents: torch.Tensor, prompt: str, strength: float, steps: int, guidance: float) -> Image:
    """What diffusers makes of the same latents with the same noise (seed 3)."""
    from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionXLImg2ImgPipeline

    kind = StableDiffusionXLImg2ImgPipeline if folder.name == "xl" else StableDiffusionImg2ImgPipeline
    with quiet():
        pipeline = kind.from_pretrained(folder)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline(
            prompt=prompt,
            image=latents,
            strength=strength,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=torch.Generator().manual_seed(3),
        ).images[0]


@pytest.mark.parametrize("name", ["sd", "xl"])
@pytest.mark.parametrize(("strength", "steps"), [(0.5, 10), (0.8, 10), (1.0, 5)])
def test_it_makes_the_picture_diffusers_img2img_makes(
    folders: dict[str, Path], models: dict[str, DiffusersModel], name: str, strength: float, steps: int
) -> None:
    model = models[name]
    theirs = img2img(folders[name], model.encode(stripes()), "a cat", strength, steps, 3.0)
    ours = sdedit(model, stripes(), "a cat", strength=strength, seed=3, steps=steps, guidance=3.0, progress=False)
    assert distance(ours, theirs) <= 1


def test_an_edit_is_noise_then_denoise(models: dict[str, DiffusersModel]) -> None:
    model = models["v"]
    times = model.times(8, 0.5)
    with torch.no_grad():
        x = add_noise(model, model.encode(stripes()), noise(2, model.shape(1)), times[0])
        x = denoise(model, x, model.embed("cat"), times, 4.0, progress=False)
    edited = sdedit(model, stripes(), "cat", strength=0.5, seed=2, steps=8, guidance=4.0, progress=False)
    assert distance(edited, model.decode(x)[0]) == 0
