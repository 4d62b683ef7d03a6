"""Blended diffusion: both ends of the mask, the same time on both sides, exact pixels outside, and scribbles."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import random_pipelines
import torch
from gaussian_pictures import GaussianPictures
from PIL import Image, ImageDraw

from helpers.core.diffusion import add_noise, cfg, ddim_step
from helpers.core.interface import CLEAN
from helpers.core.masks import blend, inverted, to_latents
from helpers.core.randomness import noise
from helpers.methods import blended as module
from helpers.methods.blended import blended_diffusion, scribble, shrinking
from helpers.methods.sdedit import sdedit
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet

QUIET = {"progress": False}
SHORT = {"seed": 3, "steps": 4, "guidance": 3.0, "progress": False}
WHITE = Image.new("L", (32, 32), 255)
SOURCE = np.array([[0.2, 0.8, 0.4], [0.9, 0.1, 0.6]])
LEFT = np.array([[1, 0, 0], [1, 0, 0]], bool)


def field(covariance: Any = 0.01) -> GaussianPictures:
    """Pictures of 2 x 3 pixels: grey ones, dark ones and bright ones."""
    return GaussianPictures({"": np.full((2, 3), 0.5), "dark": np.full((2, 3), 0.1), "bright": np.full((2, 3), 0.9)},
                            covariance)


def stripes(size: tuple[int, int] = (32, 32)) -> Image.Image:
    """A picture to edit."""
    rows, columns = np.indices((size[1], size[0]))
    levels = (rows + columns) * 8 % 256
    return Image.fromarray(np.stack([levels, 255 - levels, rows * 5 % 256], -1).astype(np.uint8))


def box(size: tuple[int, int] = (32, 32), corners: tuple[int, ...] = (6, 9, 17, 20)) -> Image.Image:
    """A black mask with a white box that does not lie on the borders of latents."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rectangle(corners, fill=255)
    return mask


def distance(a: Image.Image, b: Image.Image) -> int:
    """Largest difference of two pictures' levels."""
    return int(np.abs(np.asarray(a, dtype=int) - np.asarray(b, dtype=int)).max())


@contextmanager
def counted(model: DiffusersModel) -> Iterator[list[int]]:
    """Rows of each call of the network."""
    rows: list[int] = []
    hook = model.unet.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    try:
        yield rows
    finally:
        hook.remove()


@contextmanager
def last_latents(model: DiffusersModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[torch.Tensor]]:
    """The latents that are decoded."""
    seen: list[torch.Tensor] = []
    decode = model.decode
    with monkeypatch.context() as patch:
        patch.setattr(model, "decode", lambda x: (seen.append(x), decode(x))[1])
        yield seen


def of_size(model: DiffusersModel, size: tuple[int, int]) -> DiffusersModel:
    """The same model for pictures of another size."""
    other = DiffusersModel(model.pipeline, model.steps, model.guidance)
    other.size = size
    return other


# ------------------------------------------------------------------------------------------ the mask's two ends


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("thin", [False, True])
def test_under_a_white_mask_it_is_sdedit(model: DiffusersModel, strength: float, thin: bool) -> None:
    blended = blended_diffusion(model, stripes(), "cat", WHITE, strength=strength, thin=thin, **SHORT)
    assert distance(blended, sdedit(model, stripes(), "cat", strength=strength, **SHORT)) == 0


def test_under_a_white_mask_it_is_sdedit_on_the_exact_model_in_the_plane() -> None:
    model, knobs = AnalyticModel(), {"strength": 0.7, "seed": 4, "progress": False}
    blended = blended_diffusion(model, [2.0, 0.0], "left", np.ones((1, 1), bool), **knobs)
    assert (blended == sdedit(model, [2.0, 0.0], "left", **knobs)).all()


def test_outside_the_mask_every_pixel_is_the_pictures_own(model: DiffusersModel) -> None:
    outside = np.asarray(box()) == 0
    for prompt in ("cat", ""):
        edited = np.asarray(blended_diffusion(model, stripes(), prompt, box(), **SHORT))
        assert (edited[outside] == np.asarray(stripes())[outside]).all()
        assert (edited[~outside] != np.asarray(stripes())[~outside]).any()


def test_outside_the_mask_of_a_large_picture_every_pixel_is_the_one_the_model_is_shown(model: DiffusersModel) -> None:
    from helpers.core.pictures import as_picture

    large, mask = stripes((96, 64)), box((96, 64), (40, 20, 60, 40))
    edited = blended_diffusion(model, large, "cat", mask, **SHORT)
    assert edited.size == (32, 32)
    shown = np.asarray(as_picture(large, 32))
    assert (np.asarray(edited)[:8] == shown[:8]).all() and (np.asarray(edited)[22:] == shown[22:]).all()
    assert (np.asarray(edited)[12:18, 13:20] != shown[12:18, 13:20]).any()


@pytest.mark.parametrize("thin", [False, True])
def test_outside_the_mask_the_last_latents_are_the_pictures_own_bit_for_bit(
    model: DiffusersModel, monkeypatch: pytest.MonkeyPatch, thin: bool
) -> None:
    x0 = model.encode(stripes())
    with last_latents(model, monkeypatch) as seen:
        inexact = blended_diffusion(model, stripes(), "cat", box(), thin=thin, exact=False, **SHORT)
    outside = (to_latents(box(), x0) == 0).expand_as(x0)
    assert torch.equal(seen[0][outside], x0[outside]) and not torch.equal(seen[0][~outside], x0[~outside])
    assert distance(inexact, model.decode(seen[0])[0]) == 0


def test_a_soft_mask_gives_back_as_much_of_the_picture_as_it_is_dark() -> None:
    model = field()
    for level in (0.0, 0.3, 0.7, 1.0):
        mask = np.full((2, 3), level)
        mask[0, 0] = 1
        once = blended_diffusion(model, SOURCE, "bright", mask, strength=0.02, steps=50, **QUIET)  # one step
        whole = sdedit(model, SOURCE, "bright", strength=0.02, steps=50, **QUIET)
        m = np.round(mask * 255) / 255
        assert np.allclose(once, m * whole + (1 - m) * SOURCE, atol=1e-6)


def test_strength_0_gives_the_picture_back_and_calls_nothing(models: dict[str, DiffusersModel]) -> None:
    with counted(models["sd"]) as calls:
        back = blended_diffusion(models["sd"], stripes(), "cat", WHITE, strength=0, **SHORT)
    assert calls == [] and distance(back, models["sd"].decode(models["sd"].encode(stripes()))[0]) == 0


def test_with_the_inverted_mask_the_other_part_stays(models: dict[str, DiffusersModel]) -> None:
    inside = np.asarray(box()) == 255
    edited = np.asarray(blended_diffusion(models["sd"], stripes(), "cat", inverted(box()), **SHORT))
    assert (edited[inside] == np.asarray(stripes())[inside]).all()
    assert (edited[~inside] != np.asarray(stripes())[~inside]).any()


# ------------------------------------------------------------------------------------------ the same time (row 13)


def by_hand(model: Any, mask: np.ndarray, prompt: str, strength: float, late: bool) -> np.ndarray:
    """The recursion with seed 5; `late`: the published script's, whose background is noised to t, not s."""
    times, x0 = model.times(50, strength), model.encode(SOURCE)
    z, m = noise(5, x0.shape), torch.as_tensor(mask).float()[None, None]
    x = add_noise(model, x0, z, times[0])
    for t, s in pairwise(times):
        x_fg = ddim_step(model, x, cfg(model, x, t, model.embed(prompt), 1), t, s)
        x = blend(x_fg, add_noise(model, x0, z, t if late else s), m)
    return model.decode(x)[0]


def test_row_13_background_noised_to_the_wrong_time_leaves_noise_in_the_picture_ours_does_not() -> None:
    model = field()
    ours = blended_diffusion(model, SOURCE, "bright", LEFT, strength=0.6, seed=5, **QUIET)
    assert np.allclose(ours, by_hand(model, LEFT, "bright", 0.6, late=False), atol=1e-6)
    assert (ours[~LEFT] == SOURCE[~LEFT].astype(np.float32)).all()
    late = by_hand(model, LEFT, "bright", 0.6, late=True)
    assert np.abs(late[~LEFT] - SOURCE[~LEFT]).max() > 0.01


def test_row_13_every_blend_is_at_the_time_of_the_state_and_the_start_is_the_noised_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, noised = field(), []

    def spy(model: Any, x0: torch.Tensor, z: torch.Tensor, t: int) -> torch.Tensor:
        noised.append((t, z))
        return add_noise(model, x0, z, t)

    monkeypatch.setattr(GaussianPictures, "add_noise", spy)
    blended_diffusion(model, SOURCE, "dark", LEFT, strength=0.5, seed=8, steps=10, **QUIET)
    assert [t for t, _ in noised] == model.times(10, 0.5) and noised[-1][0] == CLEAN
    assert all(torch.equal(z, noise(8, (1, 1, 2, 3))) for _, z in noised)
    first = model.seen[0]
    assert first[1] == noised[0][0]
    assert torch.equal(first[0], add_noise(model, model.encode(SOURCE), noise(8, (1, 1, 2, 3)), first[1]))


# --------------------------------------------------------------------------------------- inside, in closed form, seams


def test_where_pixels_do_not_depend_on_each_other_the_inside_is_sdedits() -> None:
    blended = blended_diffusion(field(), SOURCE, "bright", LEFT, strength=0.8, seed=2, **QUIET)
    whole = sdedit(field(), SOURCE, "bright", strength=0.8, seed=2, **QUIET)
    assert np.allclose(blended[LEFT], whole[LEFT], atol=1e-6)


def test_the_inside_follows_the_prompt_in_closed_form() -> None:
    """DDIM in the limit maps x_t to mu + s (x_t - sqrt(a) mu) / sqrt(a s^2 + 1 - a)."""
    model, strength, mean = field(), 0.6, 0.9
    blended = blended_diffusion(model, SOURCE, "bright", LEFT, strength=strength, seed=2, steps=1000, **QUIET)
    t = model.times(1000, strength)[0]
    a = model.alpha_bar[t].item()
    x_t = add_noise(model, model.encode(SOURCE), noise(2, (1, 1, 2, 3)), t)[0, 0].numpy()
    exact = mean + 0.1 * (x_t - a**0.5 * mean) / (a * 0.01 + 1 - a) ** 0.5
    assert np.allclose(blended[LEFT], exact[LEFT], atol=0.01)


def test_blending_at_every_step_makes_the_inside_fit_the_outside_and_pasting_at_the_end_does_not() -> None:
    """All pixels of a picture are nearly equal in this world, so the outside tells what the inside must be."""
    covariance = 0.04 * (0.98 * torch.ones(6, 6) + 0.02 * torch.eye(6))
    model, bright = field(covariance), np.full((2, 3), 0.8)
    fits = 0.5 + 4 * 0.98 / (1 + 3 * 0.98) * 0.3  # E[inside | the 4 pixels outside are 0.8] under the empty prompt
    every, only_at_the_end = [], []
    for seed in range(20):
        knobs = {"strength": 1.0, "seed": seed, "progress": False}
        every.append(blended_diffusion(model, bright, "", LEFT, **knobs)[LEFT].mean())
        only_at_the_end.append(sdedit(model, bright, "", **knobs)[LEFT].mean())
    errors = [float(np.abs(np.array(found) - fits).mean()) for found in (every, only_at_the_end)]
    assert errors[0] < errors[1] / 2


# ------------------------------------------------------------------------------------------ thin masks


def test_a_thin_mask_is_7_then_5_then_3_then_1_wide_for_a_quarter_of_the_steps_each() -> None:
    point = torch.zeros(1, 1, 11, 11)
    point[..., 5, 5] = 1
    assert [int(m.sum()) for m in shrinking(point, 8)] == [49, 49, 25, 25, 9, 9, 1, 1]
    assert shrinking(point, 0) == []


@pytest.mark.parametrize("count", range(1, 12))
def test_however_few_steps_the_last_has_the_mask_as_it_is(count: int) -> None:
    point = torch.zeros(1, 1, 11, 11)
    point[..., 5, 5] = 1
    masks = shrinking(point, count)
    assert len(masks) == count and torch.equal(masks[-1], point)
    widths = [int(m.sum()) for m in masks]
    assert widths == sorted(widths, reverse=True)


def test_thin_changes_what_happens_inside(models: dict[str, DiffusersModel]) -> None:
    mask = box(corners=(12, 12, 15, 15))
    thin, plain = (blended_diffusion(models["sd"], stripes(), "cat", mask, thin=t, **SHORT) for t in (True, False))
    assert distance(thin, plain) > 0


# ------------------------------------------------------------------------------------------ scribbles


def scribbled(size: tuple[int, int] = (32, 32)) -> Image.Image:
    """A red blob on a transparent sheet."""
    sheet = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(sheet).ellipse((10, 10, 18, 18), fill="red")
    return sheet


def test_a_scribble_is_painted_on_the_picture_and_then_blended(model: DiffusersModel) -> None:
    painted = Image.alpha_composite(stripes().convert("RGBA"), scribbled()).convert("RGB")
    mask = box(corners=(8, 8, 20, 20))
    told = scribble(model, stripes(), "cat", scribbled(), mask=mask, **SHORT)
    assert distance(told, blended_diffusion(model, painted, "cat", mask, strength=0.6, **SHORT)) == 0


def test_a_scribble_may_be_given_as_paint_alone_or_on_the_picture(models: dict[str, DiffusersModel]) -> None:
    painted = Image.alpha_composite(stripes().convert("RGBA"), scribbled()).convert("RGB")
    paint_alone, on_it = (scribble(models["sd"], stripes(), "cat", d, **SHORT) for d in (scribbled(), painted))
    assert distance(paint_alone, on_it) == 0


def test_around_a_scribble_a_sixteenth_of_the_picture_may_change_and_nothing_else(model: DiffusersModel) -> None:
    changed = np.asarray(scribble(model, stripes(), "cat", scribbled(), **SHORT)) != np.asarray(stripes())
    rows, columns = np.nonzero(changed.any(-1))
    assert rows.min() >= 8 and rows.max() <= 20 and columns.min() >= 8 and columns.max() <= 20


def test_paint_outside_the_mask_is_left_out(models: dict[str, DiffusersModel]) -> None:
    mask = box(corners=(8, 8, 13, 20))
    edited = np.asarray(scribble(models["sd"], stripes(), "cat", scribbled(), mask=mask, **SHORT))
    assert (edited[:, 14:] == np.asarray(stripes())[:, 14:]).all()


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_on_a_large_picture_a_scribble_changes_nothing_outside_its_mask(
    models: dict[str, DiffusersModel], size: tuple[int, int]
) -> None:
    from helpers.core.masks import fitted
    from helpers.core.pictures import as_picture

    sheet = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(sheet).rectangle((30, 20, 50, 40), fill="red")
    mask = sheet.getchannel("A")
    edited = np.asarray(scribble(models["sd"], stripes(size), "cat", sheet, mask=mask, **SHORT))
    outside = np.asarray(fitted(mask, stripes(size), (32, 32))) == 0
    assert (edited[outside] == np.asarray(as_picture(stripes(size), 32))[outside]).all()


def test_at_strength_0_the_scribble_stays_as_it_is_painted_but_for_the_autoencoder(
    models: dict[str, DiffusersModel],
) -> None:
    model = models["sd"]
    painted = Image.alpha_composite(stripes().convert("RGBA"), scribbled()).convert("RGB")
    told = scribble(model, stripes(), "cat", scribbled(), strength=0, mask=WHITE, **SHORT)
    assert distance(told, model.decode(model.encode(painted))[0]) == 0


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        (stripes(), "Nothing is painted"),
        (Image.new("RGBA", (32, 32), (0, 0, 0, 0)), "Nothing is painted"),
        (scribbled((40, 40)), "The drawing is 40 x 40 pixels and the picture 32 x 32: draw on this very picture"),
    ],
)
def test_a_drawing_that_is_none_is_an_error(models: dict[str, DiffusersModel], drawing: Any, words: str) -> None:
    with counted(models["sd"]) as calls, pytest.raises(ValueError, match=words):
        scribble(models["sd"], stripes(), "cat", drawing, **SHORT)
    assert calls == []


# ------------------------------------------------------------------------------------------ diffusers' own


def four_channels() -> DiffusersModel:
    """A small random model with latents of 4 channels and an autoencoder that draws no random numbers."""
    from diffusers import StableDiffusionPipeline

    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(1)
        words = random_pipelines.tokenizer()
        return DiffusersModel(
            StableDiffusionPipeline(
                vae=random_pipelines.tiny_autoencoder(4),
                text_encoder=random_pipelines.text_encoder(words, 16),
                tokenizer=words,
                unet=random_pipelines.unet(4, 16),
                scheduler=random_pipelines.scheduler(),
                safety_checker=None,
                feature_extractor=None,
                requires_safety_checker=False,
            )
        )


@pytest.mark.parametrize(("strength", "steps"), [(0.5, 6), (0.8, 5)])
def test_latent_blending_makes_the_picture_diffusers_inpaint_makes_with_as_many_calls(
    strength: float, steps: int
) -> None:
    """Under a mask of whole latents; theirs takes the middle of each latent, ours all that is touched."""
    from diffusers import StableDiffusionInpaintPipeline

    model, mask = four_channels(), box(corners=(8, 8, 19, 23))
    with quiet():
        pipeline = StableDiffusionInpaintPipeline(**model.pipeline.components, requires_safety_checker=False)
        pipeline.set_progress_bar_config(disable=True)
        with counted(model) as their_rows:
            theirs = pipeline(
                prompt="a cat",
                image=stripes(),
                mask_image=mask,
                height=32,
                width=32,
                strength=strength,
                num_inference_steps=steps,
                guidance_scale=3.0,
                generator=torch.Generator().manual_seed(3),
            ).images[0]
    with counted(model) as our_rows:
        ours = blended_diffusion(model, stripes(), "a cat", mask, strength=strength, exact=False, seed=3, steps=steps,
                                 guidance=3.0, **QUIET)
    assert our_rows == their_rows and distance(ours, theirs) <= 1


# ------------------------------------------------------------------------------------------ the contract


@pytest.mark.parametrize(
    ("strength", "guidance", "rows"), [(0.75, 4, [2] * 8), (0.25, 1, [1] * 2), (1.0, 0, [1] * 10), (0, 4, [])]
)
def test_it_calls_the_model_once_for_each_of_strength_times_steps(
    models: dict[str, DiffusersModel], strength: float, guidance: float, rows: list[int]
) -> None:
    with counted(models["sd"]) as seen:
        blended_diffusion(models["sd"], stripes(), "cat", box(), strength=strength, steps=10, guidance=guidance,
                          **QUIET)
    assert seen == rows


@pytest.mark.parametrize("size", [(48, 32), (24, 40)])
def test_pictures_and_masks_need_not_be_square(model: DiffusersModel, size: tuple[int, int]) -> None:
    mask = box(size)
    edited = blended_diffusion(of_size(model, size), stripes(size), "cat", mask, **SHORT)
    outside = np.asarray(mask) == 0
    assert edited.size == size and (np.asarray(edited)[outside] == np.asarray(stripes(size))[outside]).all()
    white = blended_diffusion(of_size(model, size), stripes(size), "cat", Image.new("L", size, 255), **SHORT)
    assert distance(white, sdedit(of_size(model, size), stripes(size), "cat", strength=0.75, **SHORT)) == 0


@pytest.mark.parametrize(
    ("mask", "knobs", "words"),
    [
        (Image.new("L", (32, 32)), {}, "all black"),
        (Image.new("L", (64, 32), 255), {}, "other proportions"),
        (stripes(), {}, "coloured picture"),
        (WHITE, {"strength": 1.2}, "strength is 1.2"),
        (WHITE, {"steps": 0}, "steps is 0"),
    ],
)
def test_bad_input_is_an_error_that_names_it_before_the_model_works(
    models: dict[str, DiffusersModel], mask: Image.Image, knobs: dict, words: str
) -> None:
    with counted(models["sd"]) as calls, pytest.raises(ValueError, match=words):
        blended_diffusion(models["sd"], stripes(), "cat", mask, **knobs)
    assert calls == []


def test_the_same_seed_gives_the_same_picture_and_the_rest_of_the_world_stays(model: DiffusersModel) -> None:
    weights = {name: value.clone() for name, value in model.unet.state_dict().items()}
    state, processors = torch.get_rng_state(), dict(model.unet.attn_processors)
    image, mask = stripes(), box()
    first, second = (blended_diffusion(model, image, "cat", mask, **SHORT) for _ in range(2))
    assert distance(first, second) == 0
    assert distance(first, blended_diffusion(model, image, "cat", mask, **{**SHORT, "seed": 6})) > 0
    assert torch.equal(state, torch.get_rng_state()) and torch.is_grad_enabled()
    assert all(torch.equal(value, weights[name]) for name, value in model.unet.state_dict().items())
    assert all(processor is processors[name] for name, processor in model.unet.attn_processors.items())
    assert distance(image, stripes()) == 0 and (np.asarray(mask) == np.asarray(box())).all()


def test_every_argument_has_a_row_in_the_symbol_table_and_every_row_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    assert set(inspect.signature(blended_diffusion).parameters) - {"model", "seed", "progress", "watch"} <= set(names)
    code = inspect.getsource(blended_diffusion)
    assert all(name in code for name in names)
