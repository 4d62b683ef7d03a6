"""Inversions: exact where they promise it, of the order the theory gives, at the cost they state, leaving no trace."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_pipelines
import torch
from diffusers import DDIMScheduler
from PIL import Image
from small_pictures import distance, stripes

from benchmarks.alive import Alive
from benchmarks.calls import counted
from helpers.core.diffusion import VariancePreserving, add_noise, alpha_bar_at, cfg, ddim_sigma, ddim_step
from helpers.core.interface import CLEAN, Text
from helpers.core.randomness import noise
from helpers.methods import inversion as module
from helpers.methods.inversion import (
    ddim,
    ddim_invert,
    ddim_sample,
    direct,
    edit_friendly,
    negative_prompt,
    null_text,
    reconstruct,
)
from helpers.methods.source import Source, check_source
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet
from helpers.models.recognise import Kind

PLANE = AnalyticModel()
ONE_PLACE = AnalyticModel({"here": (1.0, -1.0)}, spreads=0.5)
QUIET = {"progress": False}
SHORT = {"steps": 3, "progress": False}
WALKED = {"ddim": ddim, "negative_prompt": negative_prompt, "edit_friendly": edit_friendly,
          "null_text": lambda *args, **knobs: null_text(*args, inner=2, **knobs)}
ALL = WALKED | {"direct": direct}


# ------------------------------------------------------------------------------------------------- DDIM inversion


def inverse_error(steps: int) -> float:
    """How far the noise of [0, 2] is from the exact inverse, which on one Gaussian keeps (x - sqrt(a) mu) / sd."""
    point, mean = torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0])
    found = direct(ONE_PLACE, point, "here", steps=steps, **QUIET).trajectory[0].flatten()
    a = alpha_bar_at(ONE_PLACE, ONE_PLACE.times(steps)[0])
    return float((found - a**0.5 * mean - (point - mean) / 0.5 * (a * 0.25 + 1 - a) ** 0.5).abs().max())


def round_trip_error(steps: int) -> float:
    """How far [0, 2] is from where the way up and down again at guidance 1 ends."""
    back = ddim(ONE_PLACE, [0.0, 2.0], "here", steps=steps, guidance=1, **QUIET).trajectory[-1].flatten()
    return float((back - torch.tensor([0.0, 2.0])).abs().max())


@pytest.mark.parametrize("error", [inverse_error, round_trip_error])
def test_twice_the_steps_halve_the_error_on_the_exact_model(error: Callable[[int], float]) -> None:
    """DDIM is a method of first order, up as well as down."""
    errors = [error(steps) for steps in (50, 100, 200, 400)]
    assert all(1.85 < coarse / fine < 2.15 for coarse, fine in pairwise(errors)) and errors[-1] < 0.04


def test_telling_the_network_the_time_it_goes_to_makes_the_error_smaller() -> None:
    times, text = ONE_PLACE.times(50), ONE_PLACE.embed("here")
    x = ONE_PLACE.encode([0.0, 2.0])
    for s, t in pairwise(times[::-1]):
        x = ddim_step(ONE_PLACE, x, ONE_PLACE.eps(x, s, text), s, t)  # told the time it comes from
    back = ddim_sample(ONE_PLACE, Source("here", 50, 1.0, tuple(times), x, ""), text, 1, False)[-1].flatten()
    assert float((back - torch.tensor([0.0, 2.0])).abs().max()) > 1.2 * round_trip_error(50)


def test_the_pivots_are_those_of_diffusers_inverse_scheduler(models: dict[str, DiffusersModel]) -> None:
    """Where the network predicts noise; from v, diffusers takes the noise of another time than it tells the network."""
    from diffusers import DDIMInverseScheduler

    model = models["sd"]
    with quiet():
        scheduler = DDIMInverseScheduler.from_config(model.pipeline.scheduler.config)
    scheduler.set_timesteps(4)
    x, text = model.encode(stripes()), model.embed("a cat")
    pivots = direct(model, stripes(), "a cat", steps=4, **QUIET).trajectory
    assert scheduler.timesteps.tolist() == model.times(4)[-2::-1]
    for i, t in enumerate(scheduler.timesteps):
        with torch.no_grad():
            output = model.unet(x, t, encoder_hidden_states=text.embeddings, return_dict=False)[0]
        x = scheduler.step(output, t, x).prev_sample
        assert torch.allclose(x[0], pivots[-2 - i], atol=1e-4)


def test_above_guidance_1_the_way_down_misses_the_picture() -> None:
    ends = [ddim(PLANE, [-1.8, 0.3], "left", steps=100, guidance=w, **QUIET).trajectory[-1].flatten() for w in (1, 4)]
    near, far = (float((end - torch.tensor([-1.8, 0.3])).norm()) for end in ends)
    assert near < 0.1 and far > 2 * near


# --------------------------------------------------------------------------------------------- what all have in common


@pytest.mark.parametrize("method", ALL)
def test_every_inversion_holds_a_state_for_each_time_and_the_picture_s_prompt(
    models: dict[str, DiffusersModel], method: str
) -> None:
    model = models["sd"]
    source = ALL[method](model, stripes(), "a cat", **SHORT)
    assert source.times == tuple(model.times(3))[-len(source.times):] and source.times[-1] == CLEAN
    assert source.trajectory.shape == (len(source.times), *model.shape(1)[1:]) and source.prompt == "a cat"
    assert source.trajectory.dtype == torch.float32 and not source.trajectory.requires_grad
    assert source.guidance == model.guidance and source.steps == 3
    check_source(source, model, steps=3, size=32)


@pytest.mark.parametrize("method", WALKED)
def test_the_trajectory_is_where_its_own_prompt_leads(model: DiffusersModel, method: str) -> None:
    source = WALKED[method](model, stripes(), "a cat", guidance=3.0, **SHORT)
    walked = ddim_sample(model, source, model.embed("a cat"), 3.0, False)
    assert torch.allclose(walked, source.trajectory, atol=1e-4)
    other = ddim_sample(model, source, model.embed("two dogs"), 3.0, False)
    assert not torch.allclose(other, source.trajectory, atol=1e-3)


@pytest.mark.parametrize("method", ALL)
def test_a_saved_inversion_rebuilds_the_same_picture(model: DiffusersModel, method: str, tmp_path: Path) -> None:
    source = ALL[method](model, stripes(), "a cat", guidance=3.0, **SHORT)
    source.save(tmp_path / "source.safetensors")
    back = Source.load(tmp_path / "source.safetensors")
    for name, value in vars(source).items():
        found = getattr(back, name)
        assert torch.equal(found, value) if isinstance(value, torch.Tensor) else found == value
    assert distance(*(reconstruct(model, one, "a dog", **QUIET) for one in (source, back))) <= 1


@pytest.mark.parametrize(
    ("method", "knobs", "rows"),
    [
        ("ddim", {"guidance": 3.0}, [1] * 5 + [2] * 5),
        ("ddim", {"guidance": 1}, [1] * 10),
        ("direct", {"guidance": 3.0}, [1] * 5),
        ("negative_prompt", {"guidance": 3.0}, [1] * 10),
        ("edit_friendly", {"guidance": 3.0, "skip": 0.4}, [2] * 3),
        ("edit_friendly", {"guidance": 1, "skip": 0}, [1] * 5),
        ("null_text", {"guidance": 3.0, "tolerance": 0}, [1] * 5 + [1, 1, 1, 1] * 5),
    ],
)
def test_it_calls_the_network_as_often_as_it_says(
    models: dict[str, DiffusersModel], method: str, knobs: dict, rows: list[int]
) -> None:
    with counted(models["sd"]) as seen:
        ALL[method](models["sd"], stripes(), "a cat", steps=5, **knobs, **QUIET)
    assert seen == rows


def test_rebuilding_calls_the_network_once_a_step(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]
    source = direct(model, stripes(), "a cat", **SHORT)
    with counted(model) as seen:
        reconstruct(model, source, "a dog", guidance=3.0, **QUIET)
        reconstruct(model, source, "a dog", guidance=1, **QUIET)
        reconstruct(model, source, **QUIET)  # pinned: the trajectory itself
    assert seen == [2] * 3 + [1] * 3


@pytest.mark.parametrize("method", ALL)
def test_an_inversion_of_another_model_is_refused(models: dict[str, DiffusersModel], method: str) -> None:
    source = ALL[method](models["sd"], stripes(), "a cat", **SHORT)
    with counted(models["v"]) as seen, pytest.raises(ValueError, match="another model"):
        reconstruct(models["v"], source, "a dog")
    with pytest.raises(ValueError, match="steps is 4"):
        check_source(source, models["sd"], steps=4)
    with pytest.raises(ValueError, match="size"):
        check_source(source, models["sd"], size=(48, 32))
    assert seen == []


@pytest.mark.parametrize("method", ALL)
def test_any_picture_can_be_inverted_at_any_size(models: dict[str, DiffusersModel], method: str) -> None:
    tall = Image.new("LA", (50, 90), (200, 128))
    assert reconstruct(models["sd"], ALL[method](models["sd"], tall, "a cat", **SHORT), **QUIET).size == (32, 32)
    wide = ALL[method](models["sd"], tall, "a cat", size=(48, 32), **SHORT)
    assert reconstruct(models["sd"], wide, **QUIET).size == (48, 32)


def test_two_pictures_at_once_are_an_error() -> None:
    with pytest.raises(ValueError, match="Got 2 pictures"):
        direct(PLANE, [[0, 1], [1, 0]], "left")


@pytest.mark.parametrize("method", ALL)
def test_calling_twice_gives_the_same_and_leaves_no_trace(
    models: dict[str, DiffusersModel], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model, random = models["sd"], torch.get_rng_state()
    before = state_of(model)
    first, second = (ALL[method](model, stripes(), "a cat", **SHORT) for _ in range(2))
    assert torch.equal(first.trajectory, second.trajectory)
    assert state_of(model) == before and torch.equal(torch.get_rng_state(), random) and torch.is_grad_enabled()
    assert list(tmp_path.iterdir()) == []  # nothing is cached


def state_of(model: DiffusersModel) -> list[Any]:
    """What an exception must not change."""
    weights = [(name, float(w.detach().sum()), w.requires_grad, w.grad) for name, w in model.unet.named_parameters()]
    processors = [id(processor) for processor in model.unet.attn_processors.values()]
    return [weights, processors, model.unet.training, model.unet.is_gradient_checkpointing, model.unet.dtype]


# ------------------------------------------------------------------------------------------- direct, negative prompt


def test_direct_inversion_keeps_the_picture_to_the_last_bit(model: DiffusersModel) -> None:
    source = direct(model, stripes(), "a cat", **SHORT)
    assert torch.equal(source.trajectory[-1:], model.encode(stripes()))
    assert distance(reconstruct(model, source, guidance=9.0), model.decode(model.encode(stripes()))[0]) == 0


def test_direct_inversion_needs_no_pass_of_its_own_for_the_offsets(models: dict[str, DiffusersModel]) -> None:
    """The paper computes offsets in a first pass and adds them to the source row in a second: the same two rows."""
    model, source = models["sd"], direct(models["sd"], stripes(), "a cat", **SHORT)
    text, offsets = model.embed(["a cat", "a dog"]), []
    for correct in (False, True):
        z = source.trajectory[[0, 0]]
        for i, (t, s) in enumerate(pairwise(source.times)):
            with torch.no_grad():
                z = ddim_step(model, z, cfg(model, z, t, text, 3.0), t, s)
            if not correct:
                offsets.append(source.trajectory[i + 1] - z[0])
                z[0] = source.trajectory[i + 1]
            else:
                z[0] += offsets[i]
    assert torch.allclose(z[0], source.trajectory[-1], atol=1e-4)
    edited = ddim_sample(model, source, model.embed("a dog"), 3.0, False)[-1]
    assert torch.allclose(z[1], edited, atol=1e-4) and not torch.allclose(z[0], edited, atol=1e-2)


@pytest.mark.parametrize("guidance", [3.0, 0, -2.0])
def test_negative_prompt_at_any_guidance_is_guidance_1(model: DiffusersModel, guidance: float) -> None:
    source = negative_prompt(model, stripes(), "a cat", **SHORT)
    plain = ddim(model, stripes(), "a cat", guidance=1, **SHORT)
    assert torch.allclose(source.trajectory, plain.trajectory, atol=1e-4)
    walked = ddim_sample(model, source, model.embed("a cat"), guidance, False)
    assert torch.allclose(walked, plain.trajectory, atol=1e-3)


# -------------------------------------------------------------------------------------------------------- null-text


def fitted(model: Any, picture: Any, prompt: str, **knobs: Any) -> tuple[Source, list[list[float]]]:
    """A null-text inversion and the losses of its steps."""
    losses: list[list[float]] = []
    source = null_text(
        model,
        picture,
        prompt,
        watch=lambda losses_=losses, **seen: losses_.append(seen["losses"]),
        progress=False,
        **knobs,
    )
    return source, losses


def test_null_text_lowers_the_loss_at_every_step_and_takes_the_best(model: DiffusersModel) -> None:
    knobs = {"steps": 4, "guidance": 6.0}
    source, losses = fitted(model, stripes(), "a cat", inner=6, tolerance=0, **knobs)
    pivots = direct(model, stripes(), "a cat", steps=4, **QUIET).trajectory
    taken = (source.trajectory - pivots).square().mean((1, 2, 3))[1:].tolist()
    assert taken == pytest.approx([min(step) for step in losses], rel=0.01)
    assert all(min(step) < step[0] and len(step) == 7 for step in losses)
    plain = ddim(model, stripes(), "a cat", **knobs, **QUIET).trajectory
    assert taken[-1] < float((plain - pivots)[-1].square().mean())


def test_null_text_stops_as_soon_as_a_step_is_good_enough(models: dict[str, DiffusersModel]) -> None:
    knobs = {"steps": 4, "guidance": 6.0, "inner": 8}
    full, losses = fitted(models["sd"], stripes(), "a cat", tolerance=0, **knobs)
    enough = losses[0][3]
    with counted(models["sd"]) as seen:
        _, fewer = fitted(models["sd"], stripes(), "a cat", tolerance=enough, **knobs)
    limits = [enough * (1 + 100 * i / 4) for i in range(4)]
    assert len(fewer[0]) == 4 and all(len(step) < 9 for step in fewer)
    assert all(step[-1] <= limit < min(step[:-1], default=np.inf) for step, limit in zip(fewer, limits, strict=True))
    assert len(seen) == 4 + sum(1 + len(step) for step in fewer)


def test_null_text_without_updates_is_ddim_inversion(models: dict[str, DiffusersModel]) -> None:
    knobs = {"guidance": 5.0, **SHORT}
    source = null_text(models["sd"], stripes(), "a cat", inner=0, **knobs)
    assert torch.allclose(source.trajectory, ddim(models["sd"], stripes(), "a cat", **knobs).trajectory, atol=1e-4)


def test_on_the_exact_model_null_text_comes_back_where_ddim_does_not() -> None:
    knobs = {"steps": 50, "guidance": 3.0}
    point = torch.tensor([-1.8, 0.3])
    source, _ = fitted(PLANE, point, "left", inner=30, rate=0.03, tolerance=1e-9, **knobs)
    missed = ddim(PLANE, point, "left", **knobs, **QUIET).trajectory[-1].flatten() - point
    assert float((source.trajectory[-1].flatten() - point).norm()) < 0.5 * float(missed.norm())


@pytest.mark.parametrize("gradient_checkpointing", [True, False])
def test_only_the_unconditional_half_is_differentiated_and_checkpointing_changes_nothing(
    models: dict[str, DiffusersModel], monkeypatch: pytest.MonkeyPatch, gradient_checkpointing: bool
) -> None:
    model, calls = models["sd"], []
    knobs = {"steps": 2, "guidance": 4.0, "inner": 3, "tolerance": 0, **QUIET}
    plain = null_text(model, stripes(), "a cat", **knobs)
    few = {"gradient_checkpointing": gradient_checkpointing}
    monkeypatch.setattr(module, "few_activations", lambda model: model.changed({}, **few))
    hook = model.unet.register_forward_pre_hook(
        lambda unet, args: calls.append((len(args[0]), torch.is_grad_enabled(), unet.is_gradient_checkpointing))
    )
    try:
        again = null_text(model, stripes(), "a cat", **knobs)
    finally:
        hook.remove()
    assert (
        calls
        == [(1, False, False)] * 2
        + [(1, has_gradient, gradient_checkpointing) for has_gradient in (False, True, True, True, False)] * 2
    )
    assert torch.allclose(plain.trajectory, again.trajectory, atol=1e-4)
    assert not model.unet.is_gradient_checkpointing


@pytest.mark.parametrize(("device", "asked"), [("cuda", [True]), ("mps", [True]), ("cpu", [])])
def test_activations_are_computed_again_on_a_gpu(device: str, asked: list[bool]) -> None:
    found: list[bool] = []

    class Offering:
        def __init__(self) -> None:
            self.device = torch.device(device)

        def changed(self, weights: dict, gradient_checkpointing: bool) -> nullcontext:
            found.append(gradient_checkpointing)
            return nullcontext()

    with module.few_activations(Offering()), module.few_activations(PLANE):
        assert found == asked


def test_null_text_with_weights_in_half_precision_follows_that_in_full_precision(
    folders: dict[str, Path], models: dict[str, DiffusersModel]
) -> None:
    half = DiffusersModel.from_folder(folders["sd"], "cpu", torch.float16)
    knobs = {"steps": 2, "guidance": 6.0, "inner": 4, "tolerance": 0}
    source, losses = fitted(half, stripes(), "a cat", **knobs)
    assert np.array(losses) == pytest.approx(np.array(fitted(models["sd"], stripes(), "a cat", **knobs)[1]), rel=0.03)
    assert half.unet.dtype == torch.float16 and source.uncond_embeddings.dtype == torch.float32
    assert not torch.equal(
        source.uncond_embeddings.half().float(), source.uncond_embeddings
    )  # it is kept in full precision


def test_the_empty_prompts_are_the_picture_s_the_prompt_s_and_the_guidance_s_own(
    models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    """A popular implementation keeps them in a file named after the picture alone, and fits for 7.5 always."""
    file = tmp_path / "picture.png"
    stripes().save(file)
    knobs = {"steps": 2, "inner": 2, "tolerance": 0, **QUIET}
    first = null_text(models["sd"], str(file), "a cat", guidance=4.0, **knobs).uncond_embeddings
    assert torch.equal(first, null_text(models["sd"], str(file), "a cat", guidance=4.0, **knobs).uncond_embeddings)
    for prompt, guidance in (("a dog", 4.0), ("a cat", 2.0)):
        assert not torch.equal(
            first, null_text(models["sd"], str(file), prompt, guidance=guidance, **knobs).uncond_embeddings
        )
    assert first.shape == (2, *models["sd"].embed("").embeddings.shape[1:])
    assert not torch.equal(first[0], first[1])
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.slow
def test_a_backward_pass_through_stable_diffusion_1_5_fits_a_16_gb_gpu() -> None:
    """Counted on tensors without contents: weights, and what is alive at the worst moment. Float32."""
    from diffusers import UNet2DConditionModel

    pipeline = random_pipelines.stable_diffusion()
    with torch.device("meta"):
        pipeline.unet = UNet2DConditionModel(
            sample_size=64, cross_attention_dim=768, attention_head_dim=8, block_out_channels=(320, 640, 1280, 1280)
        )
        x, words = torch.empty(1, 4, 64, 64), torch.empty(1, 77, 768, requires_grad=True)
    model = DiffusersModel(pipeline, kind=Kind("Stable Diffusion"))  # parts of two sizes, which is no matter here
    pipeline.unet.requires_grad_(False).eval()
    with model.changed({}, gradient_checkpointing=True), Alive() as alive:
        loss = model.eps(x, 500, Text(words)).square().mean()
        torch.autograd.grad(loss, words)
    weights = sum(weight.numel() * weight.element_size() for weight in pipeline.unet.parameters())
    assert weights / 2**30 > 3
    assert (weights + alive.most) / 2**30 < 10  # the autoencoder and the text encoder take 1 more; float16 half of all


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_exception_nothing_is_left_changed(
    models: dict[str, DiffusersModel], monkeypatch: pytest.MonkeyPatch, error: type
) -> None:
    monkeypatch.setattr(module, "few_activations", lambda model: model.changed({}, gradient_checkpointing=True))
    model, random = models["sd"], torch.get_rng_state()
    model.unet.conv_in.weight.requires_grad_(True)
    try:
        before = state_of(model)

        def fail(**_: object) -> None:
            raise error

        with pytest.raises(error):
            null_text(model, stripes(), "a cat", steps=2, guidance=4.0, inner=1, watch=fail, **QUIET)
        assert state_of(model) == before and torch.is_grad_enabled() and torch.equal(random, torch.get_rng_state())
    finally:
        model.unet.conv_in.weight.requires_grad_(False)


# ---------------------------------------------------------------------------------------------------- edit-friendly


@pytest.mark.parametrize("eta", [0, 0.3, 1.0])
def test_edit_friendly_noise_gives_the_picture_back_to_the_last_bit(model: DiffusersModel, eta: float) -> None:
    source = edit_friendly(model, stripes(), "a cat", eta=eta, skip=0.2, steps=5, guidance=3.0, **QUIET)
    assert torch.equal(ddim_sample(model, source, model.embed("a cat"), 3.0, False), source.trajectory)
    assert torch.allclose(source.trajectory[-1:], model.encode(stripes()), atol=1e-6)
    through = model.decode(model.encode(stripes()))[0]
    assert distance(reconstruct(model, source, **QUIET), through) <= 1
    assert distance(reconstruct(model, source, "two dogs", **QUIET), through) > 1


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_the_step_is_that_of_diffusers_ddim_at_every_eta(models: dict[str, DiffusersModel], eta: float) -> None:
    model = models["sd"]
    scheduler = DDIMScheduler.from_config(model.scheduler.config)
    scheduler.set_timesteps(5)
    times = model.times(5)
    x, eps, z = (noise(seed, model.shape(1)) for seed in (1, 2, 3))
    for t, s in pairwise(times):
        theirs = scheduler.step(eps, t, x, eta=eta, variance_noise=z).prev_sample
        ours = ddim_step(model, x, eps, t, s, eta) + ddim_sigma(model, t, s, eta) * z
        assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("eta", [0.2, 0.5, 0.9, 1.0])
def test_a_step_leaves_as_much_noise_as_the_time_asks_for_at_every_eta(eta: float) -> None:
    """The squares of what eps keeps and of sigma add up to 1 - alpha_bar; with eta sigma^2 they do at 0 and 1 only."""
    eps, x0 = torch.ones(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)
    for t, s in pairwise(PLANE.times(10)):
        kept = ddim_step(PLANE, add_noise(PLANE, x0, eps, t), eps, t, s, eta).flatten()[0].item()
        sigma = ddim_sigma(PLANE, t, s, eta)
        assert kept**2 + sigma**2 == pytest.approx(1 - alpha_bar_at(PLANE, s), abs=1e-5)
        wrong = 1 - alpha_bar_at(PLANE, s) - eta * ddim_sigma(PLANE, t, s, 1) ** 2
        if eta < 1 and s != CLEAN:
            assert abs(kept**2 - wrong) > 1e-3


def test_the_states_of_edit_friendly_inversion_have_independent_noise(models: dict[str, DiffusersModel]) -> None:
    model, x0 = models["v"], models["v"].encode(stripes())  # 1024 numbers in a latent
    source, other = (edit_friendly(model, stripes(), "a cat", skip=0, seed=seed, steps=6, **QUIET) for seed in (0, 1))
    drawn = []
    for one in (source, other):
        for x, t in zip(one.trajectory[:-1], one.times, strict=False):
            a = alpha_bar_at(model, t)
            drawn.append(((x - a**0.5 * x0[0]) / (1 - a) ** 0.5).flatten())
    between = torch.corrcoef(torch.stack(drawn)) - torch.eye(12)
    assert between.abs().max() < 0.2
    assert all(abs(float(z.std()) - 1) < 0.1 and abs(float(z.mean())) < 0.15 for z in drawn)


def test_skipped_steps_are_not_walked() -> None:
    source = edit_friendly(PLANE, [-1.8, 0.3], "left", skip=0.36, steps=100, **QUIET)
    assert source.times == tuple(PLANE.times(100)[36:]) and len(source.variance_noise) == 64 and source.steps == 100


def test_the_more_is_skipped_the_closer_the_edit_stays() -> None:
    far = []
    for skip in (0.0, 0.3, 0.6, 0.95):
        sources = [edit_friendly(PLANE, [-1.8, 0.3], "left", skip=skip, seed=seed, **QUIET) for seed in range(4)]
        far.append(
            np.mean([np.linalg.norm(reconstruct(PLANE, one, "right", **QUIET) - [-1.8, 0.3]) for one in sources])
        )
    assert far == sorted(far, reverse=True) and far[0] > 3 and far[-1] < 2


def test_the_same_noise_under_another_prompt_keeps_the_place_inside_the_component() -> None:
    """On the exact model an edit from "left" to "right" ends as far from its centre as the point was from its own."""
    source = ddim(PLANE, [-1.8, 0.3], "left", steps=200, guidance=1, **QUIET)
    assert np.allclose(reconstruct(PLANE, source, "right", **QUIET), [2.2, 0.3], atol=0.05)


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("method", "knobs", "words"),
    [
        ("edit_friendly", {"skip": 1}, "skip is 1; expected a number from 0"),
        ("edit_friendly", {"skip": float("nan")}, "skip is nan"),
        ("edit_friendly", {"skip": 0.95, "steps": 3}, "of 3 steps none is left"),
        ("edit_friendly", {"eta": 1.5}, "eta is 1.5"),
        ("ddim", {"steps": 0}, "steps is 0"),
        ("direct", {"steps": 2.5}, "steps is 2.5"),
        ("null", {"guidance": 1}, "guidance is 1, where the empty prompt has no say"),
        ("null", {"inner": -1}, "inner is -1"),
        ("null", {"inner": 1.5}, "inner is 1.5"),
        ("null", {"rate": 0}, "rate is 0"),
        ("null", {"tolerance": -1e-5}, "tolerance is -1e-05"),
    ],
)
def test_numbers_out_of_range_are_errors_that_name_them_before_the_network_works(
    models: dict[str, DiffusersModel], method: str, knobs: dict, words: str
) -> None:
    with counted(models["sd"]) as calls, pytest.raises(ValueError, match=words):
        (ALL | {"null": null_text})[method](models["sd"], stripes(), "a cat", **knobs)
    assert calls == []


def test_every_argument_has_a_row_in_the_symbol_table_and_every_row_a_name_in_the_code() -> None:
    table = module.__doc__[module.__doc__.index("    paper  ") :]
    rows = [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in table.splitlines()[1:]
        if line.startswith("    ") and line[4] != " "
    ]
    names = {row[1] for row in rows}
    arguments = {
        name
        for method in (ddim, direct, negative_prompt, null_text, edit_friendly)
        for name in inspect.signature(method).parameters
    } - {"model", "seed", "size", "watch", "progress"}
    assert arguments <= names
    code = inspect.getsource(module).replace(module.__doc__, "")
    assert len(rows) == 14 and all(name in code for name in names)


def test_climbing_and_walking_down_the_same_noise_meet(models: dict[str, DiffusersModel]) -> None:
    """`ddim_invert` is the exact inverse of the step where the network's answer does not depend on the state."""
    model, text = models["sd"], models["sd"].embed("a cat")

    class Constant(VariancePreserving):
        alpha_bar, final_alpha_bar, device = model.alpha_bar, model.final_alpha_bar, model.device

        def eps(self, x: torch.Tensor, t: int, text: Any) -> torch.Tensor:
            return torch.full_like(x, 0.3)

    x0, times = model.encode(stripes()), model.times(5)
    pivots = ddim_invert(Constant(), x0, text, times, False)
    down = ddim_sample(Constant(), Source("", 5, 1.0, tuple(times), pivots, ""), text, 1, False)
    assert torch.allclose(down, pivots, atol=1e-5)


def test_a_fit_of_the_empty_prompt_that_falls_apart_says_what_to_change(model: DiffusersModel) -> None:
    class Broken(type(model)):
        def eps(self, x: torch.Tensor, t: int, text: object) -> torch.Tensor:
            return model.eps(x, t, text) * (float("nan") if torch.is_grad_enabled() else 1.0)

    broken = Broken(model.pipeline, steps=2)
    with pytest.raises(FloatingPointError, match="before any update"):
        null_text(broken, stripes(), "a cat", inner=1, progress=False)


def test_a_list_of_prompts_is_refused(model: DiffusersModel) -> None:
    for method in (ddim, direct, edit_friendly):
        with pytest.raises(TypeError, match="expected one text"):
            method(model, stripes(), ["a cat"], steps=2, progress=False)
