"""DiffEdit: the mask of a planted object, the unconditional way up, the same time on both sides, 140 estimates."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from gaussian_pictures import GaussianPictures
from PIL import Image, ImageDraw

from helpers.core.diffusion import add_noise, cfg, denoise
from helpers.core.interface import CLEAN
from helpers.core.masks import to_latents
from helpers.core.randomness import noise
from helpers.methods import diffedit as module
from helpers.methods.diffedit import diffedit, difference, encoded, find_mask, rescaled
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel

QUIET = {"progress": False}
SHORT = {"steps": 5, "guidance": 3.0, "maps": 2, "progress": False}
SIZE = (6, 8)  # height, width
OBJECT = np.zeros(SIZE, bool)
OBJECT[2:4, 3:6] = True


def world(where: np.ndarray = OBJECT) -> GaussianPictures:
    """Pictures that are grey, or grey with something dark or bright planted at `where`."""
    grey = np.full(SIZE, 0.5)
    return GaussianPictures({"": grey, "dark": np.where(where, 0.1, grey), "bright": np.where(where, 0.9, grey)})


def dark(seed: int = 0) -> np.ndarray:
    """A picture with the dark thing."""
    spread = 0.03 * np.random.default_rng(seed).standard_normal(SIZE)
    return np.where(OBJECT, 0.1, 0.5) + spread


def stripes(size: tuple[int, int] = (32, 32)) -> Image.Image:
    """A picture to edit."""
    rows, columns = np.indices((size[1], size[0]))
    levels = (rows + columns) * 8 % 256
    return Image.fromarray(np.stack([levels, 255 - levels, rows * 5 % 256], -1).astype(np.uint8))


def box(size: tuple[int, int] = (32, 32)) -> Image.Image:
    """A black mask with a white box."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rectangle((6, 9, 17, 20), fill=255)
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


# ------------------------------------------------------------------------------------------ 1: the mask


@pytest.mark.parametrize("maps", [1, 10])
@pytest.mark.parametrize("strength", [0.2, 0.5, 0.9])
def test_the_mask_of_a_planted_object_is_the_object(maps: int, strength: float) -> None:
    mask = find_mask(world(), dark(), "dark", "bright", maps=maps, strength=strength, **QUIET)
    assert mask.mode == "L" and mask.size == (8, 6)
    assert ((np.asarray(mask) == 255) == OBJECT).all()


@pytest.mark.parametrize("part", [0.05, 0.3, 0.7, 0.9])
def test_an_object_of_any_size_is_found(part: float) -> None:
    """Dividing by three times the mean difference, as a port does, finds nothing above two thirds of the picture."""
    where = (np.arange(48) < round(part * 48)).reshape(SIZE)
    mask = find_mask(world(where), dark(), "dark", "bright", **QUIET)
    assert ((np.asarray(mask) == 255) == where).all()
    model, x0 = world(where), torch.as_tensor(dark()).float()[None, None]
    x_t = add_noise(model, x0, noise(0, x0.shape), 499)
    d = (model.eps(x_t, 499, model.embed("dark")) - model.eps(x_t, 499, model.embed("bright"))).abs()[0, 0]
    port = (d.clamp(max=3 * d.mean()) / (3 * d.mean())) > 0.5
    assert port.any() == (part < 2 / 3)


def test_extremes_are_clipped_and_the_rest_is_brought_to_0_and_1() -> None:
    d = torch.ones(6, 8)
    d[0, 0], d[1] = 1000.0, 3.0
    told = rescaled(d)
    mean = float(d.mean())
    assert told[0, 0] == 1 and told.min() == 0 and told[1, 0] == pytest.approx(2 / (3 * mean - 1))
    assert (rescaled(torch.full((2, 2), 0.3)) == 1).all() and (rescaled(torch.zeros(2, 2)) == 0).all()


def test_a_higher_threshold_gives_a_smaller_mask(models: dict[str, DiffusersModel]) -> None:
    d = difference(models["sd"], stripes(), "dog", "cat", maps=2, **QUIET)
    assert d.shape == (8, 8) and d.min() == 0 and d.max() == 1
    masks = [np.asarray(find_mask(models["sd"], stripes(), "dog", "cat", maps=2, threshold=t, **QUIET)) > 0
             for t in (0.3, 0.6)]
    assert (masks[0] | ~masks[1]).all() and masks[0].sum() > masks[1].sum() > 0
    assert masks[0].sum() == 16 * int((d > 0.3).sum())


@pytest.mark.parametrize("guidance", [2.0, 7.5])
def test_guidance_does_not_change_the_mask_so_20_estimates_do_the_work_of_40(guidance: float) -> None:
    model, x0 = world(), torch.as_tensor(dark()).float()[None, None]
    t, z = model.times(50, 0.5)[0], noise(0, (10, 1, *SIZE))
    x_t = add_noise(model, x0, z, t)
    eps = [cfg(model, x_t, t, model.embed(prompt), guidance) for prompt in ("bright", "dark")]
    guided = rescaled((eps[0] - eps[1]).abs().mean((0, 1)))
    model.seen.clear()
    assert torch.allclose(difference(model, dark(), "dark", "bright", **QUIET), guided, atol=1e-5)
    assert sum(len(words) for _, _, words in model.seen) == 20 and len(model.seen) == 1


def test_row_7_the_two_estimates_are_under_the_two_prompts_and_none_under_the_empty_one() -> None:
    model = world()
    find_mask(model, dark(), "dark", "bright", maps=3, **QUIET)
    assert model.seen[0][2] == ["bright"] * 3 + ["dark"] * 3


def test_row_7_guidance_1_is_no_crash() -> None:
    assert diffedit(world(), dark(), "dark", "bright", guidance=1.0, steps=5, **QUIET).shape == SIZE


def test_row_10_every_map_has_a_noise_of_its_own_the_same_for_both_prompts() -> None:
    model = world()
    find_mask(model, dark(), "dark", "bright", maps=4, seed=3, **QUIET)
    x, t, _ = model.seen[0]
    assert torch.equal(x[:4], x[4:])
    expected = add_noise(model, model.encode(dark()), noise(3, (4, 1, *SIZE)), t)
    assert torch.equal(x[:4], expected)
    assert all(not torch.equal(x[i], x[j]) for i in range(4) for j in range(i))


def test_the_mask_does_not_depend_on_how_the_estimates_are_batched(
    models: dict[str, DiffusersModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs = {"maps": 5, "progress": False}
    with counted(models["sd"]) as rows:
        at_once = difference(models["sd"], stripes(), "dog", "cat", **knobs)
        monkeypatch.setattr(module, "LATENTS_AT_ONCE", 256)
        in_parts = difference(models["sd"], stripes(), "dog", "cat", **knobs)
    assert rows == [10, 4, 4, 2] and torch.allclose(at_once, in_parts, atol=1e-3)


def test_the_source_prompt_may_be_empty() -> None:
    mask = find_mask(world(), dark(), "", "bright", **QUIET)
    assert ((np.asarray(mask) == 255) == OBJECT).all()


# ------------------------------------------------------------------------------------------ 2: the way up


def test_row_9_the_encoding_is_unconditional_whatever_the_prompts_and_the_guidance() -> None:
    encodings = []
    for prompt, guidance in (("bright", 7.5), ("bright", 1.0)):
        model = world()
        diffedit(model, dark(), "dark", prompt, mask=OBJECT, guidance=guidance, steps=10, strength=0.8, **QUIET)
        up = model.seen[:8]
        assert [words for _, _, words in up] == [[""]] * 8
        assert [t for _, t, _ in up] == model.times(10, 0.8)[::-1][:-1]
        encodings.append(torch.cat([x for x, _, _ in up]))
    assert torch.equal(*encodings)


def spread_out() -> tuple[GaussianPictures, np.ndarray]:
    """A world without words whose pixels vary much, and one of its pictures."""
    picture = np.clip(0.5 + 0.3 * np.random.default_rng(0).standard_normal(SIZE), 0, 1)
    return GaussianPictures({"": np.full(SIZE, 0.5)}, 0.1), picture


def test_the_way_up_is_the_way_down_in_the_limit() -> None:
    model, picture = spread_out()
    x0, errors = model.encode(picture), []
    for steps in (40, 160, 640):
        times = model.times(steps, 0.8)
        z = encoded(model, x0, times, progress=False)
        assert list(z) == times[::-1] and torch.equal(z[CLEAN], x0)
        back = denoise(model, z[times[0]], model.embed(""), times, 0, progress=False)
        errors.append(float((back - x0).abs().max()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < 0.02


# ------------------------------------------------------------------------------------------ 3: the way down


def test_row_8_outside_the_mask_the_last_latents_are_the_pictures_own_bit_for_bit(
    model: DiffusersModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    decode, x0 = model.decode, model.encode(stripes())
    with monkeypatch.context() as patch:
        patch.setattr(model, "decode", lambda x: (seen.append(x), decode(x))[1])
        diffedit(model, stripes(), "dog", "cat", mask=box(), exact=False, **SHORT)
    outside = (to_latents(box(), x0) == 0).expand_as(x0)
    assert torch.equal(seen[0][outside], x0[outside]) and not torch.equal(seen[0][~outside], x0[~outside])


def test_row_8_at_every_step_the_outside_is_the_encoding_at_the_time_of_the_state() -> None:
    model = world()
    diffedit(model, dark(), "dark", "bright", mask=OBJECT, steps=10, strength=0.8, **QUIET)
    up, down = model.seen[:8], model.seen[8:]
    at = {t: x for x, t, _ in up}
    assert [t for _, t, _ in down] == model.times(10, 0.8)[:-1]
    for x, t, _ in down[1:]:  # the first is the encoding itself, at a time that no estimate was made at on the way up
        assert torch.equal(x[0, 0][~torch.as_tensor(OBJECT)], at[t][0, 0][~torch.as_tensor(OBJECT)])


def test_the_planted_object_changes_and_the_rest_stays_exactly() -> None:
    edited = diffedit(world(), dark(), "dark", "bright", **QUIET)
    assert (edited[~OBJECT] == dark()[~OBJECT].astype(np.float32)).all()
    assert np.abs(edited[OBJECT] - 0.9).max() < 0.25 and np.abs(dark()[OBJECT] - 0.9).min() > 0.6


def test_under_a_white_mask_and_the_empty_prompt_the_picture_comes_back_as_far_as_ddim_goes_back() -> None:
    model, picture = spread_out()
    white = np.ones(SIZE, bool)
    errors = [np.abs(diffedit(model, picture, "", "", mask=white, steps=n, **QUIET) - picture).max() for n in (40, 640)]
    assert errors[0] > 4 * errors[1] and errors[1] < 0.02


def test_outside_the_mask_every_pixel_is_the_pictures_own(model: DiffusersModel) -> None:
    outside = np.asarray(box()) == 0
    edited = np.asarray(diffedit(model, stripes(), "dog", "cat", mask=box(), **SHORT))
    assert (edited[outside] == np.asarray(stripes())[outside]).all()
    assert (edited[~outside] != np.asarray(stripes())[~outside]).any()


def test_the_mask_it_finds_is_find_masks(models: dict[str, DiffusersModel]) -> None:
    knobs = {"steps": 5, "maps": 2, "threshold": 0.4, "seed": 3, "progress": False}
    mask = find_mask(models["sd"], stripes(), "dog", "cat", **knobs)
    found, given = (diffedit(models["sd"], stripes(), "dog", "cat", mask=m, **knobs) for m in (None, mask))
    assert distance(found, given) == 0


def test_strength_0_gives_the_picture_back(models: dict[str, DiffusersModel]) -> None:
    white = Image.new("L", (32, 32), 255)
    back = diffedit(models["sd"], stripes(), "dog", "cat", mask=white, strength=0, **SHORT)
    assert distance(back, models["sd"].decode(models["sd"].encode(stripes()))[0]) == 0


def test_a_point_in_the_plane_can_be_edited() -> None:
    edited = diffedit(AnalyticModel(), [2.0, 0.0], "right", "left", strength=1, guidance=3.0, **QUIET)
    assert np.abs(edited - [-2, 0]).max() < 1


# ------------------------------------------------------------------------------------------ the contract


def test_at_50_steps_it_makes_140_estimates_in_81_calls(models: dict[str, DiffusersModel]) -> None:
    with counted(models["sd"]) as rows:
        diffedit(models["sd"], stripes(), "dog", "cat", steps=50, guidance=7.5, **QUIET)
    assert rows == [20] + [1] * 40 + [2] * 40 and sum(rows) == 140


@pytest.mark.parametrize("size", [(48, 32), (24, 40)])
def test_pictures_and_masks_need_not_be_square(model: DiffusersModel, size: tuple[int, int]) -> None:
    other = DiffusersModel(model.pipeline, model.steps, model.guidance)
    other.size = size
    mask = find_mask(other, stripes(size), "dog", "cat", maps=2, **QUIET)
    assert mask.size == size
    edited = diffedit(other, stripes(size), "dog", "cat", mask=mask, **SHORT)
    outside = np.asarray(mask) == 0
    assert edited.size == size and (np.asarray(edited)[outside] == np.asarray(stripes(size))[outside]).all()


def test_a_found_mask_fits_a_picture_of_another_shape_than_the_model(models: dict[str, DiffusersModel]) -> None:
    edited = diffedit(models["sd"], stripes((64, 32)), "dog", "cat", **SHORT)
    assert edited.size == (32, 32)


@pytest.mark.parametrize(
    ("prompts", "knobs", "words"),
    [
        (("cat", "cat"), {}, "nothing to edit: 'cat' and 'cat' are the same to the model"),
        (("", ""), {}, "nothing to edit"),
        (("A Cat", "a  cat"), {}, "nothing to edit"),
        (("dog", "cat"), {"maps": 0}, "maps is 0"),
        (("dog", "cat"), {"maps": 2.5}, "maps is 2.5"),
        (("dog", "cat"), {"threshold": 0}, "threshold is 0"),
        (("dog", "cat"), {"threshold": 1.0}, "threshold is 1.0"),
        (("dog", "cat"), {"strength": -0.1}, "strength is -0.1"),
        (("dog", "cat"), {"steps": 1}, "1 steps at strength 0.5 round to none: take more steps"),
        (("dog", "cat"), {"mask": Image.new("L", (32, 32))}, "all black"),
        (("dog", "cat"), {"mask": Image.new("L", (64, 32), 255)}, "other proportions"),
    ],
)
def test_bad_input_is_an_error_that_names_it_before_the_model_works(
    models: dict[str, DiffusersModel], prompts: tuple[str, str], knobs: dict, words: str
) -> None:
    with counted(models["sd"]) as calls, pytest.raises(ValueError, match=words):
        diffedit(models["sd"], stripes(), *prompts, **{**QUIET, **knobs})
    assert calls == []


@pytest.mark.parametrize("strength", [0, 1.5])
def test_a_mask_is_sought_in_noise(models: dict[str, DiffusersModel], strength: float) -> None:
    with pytest.raises(ValueError, match=f"strength is {strength}"):
        find_mask(models["sd"], stripes(), "dog", "cat", strength=strength)


def test_the_same_seed_gives_the_same_picture_and_the_rest_of_the_world_stays(model: DiffusersModel) -> None:
    weights = {name: value.clone() for name, value in model.unet.state_dict().items()}
    state, processors = torch.get_rng_state(), dict(model.unet.attn_processors)
    first, second = (diffedit(model, stripes(), "dog", "cat", seed=2, **SHORT) for _ in range(2))
    assert distance(first, second) == 0
    a, b = (difference(model, stripes(), "dog", "cat", maps=2, seed=s, **QUIET) for s in (2, 4))
    assert not torch.equal(a, b)
    assert torch.equal(state, torch.get_rng_state()) and torch.is_grad_enabled()
    assert all(torch.equal(value, weights[name]) for name, value in model.unet.state_dict().items())
    assert all(processor is processors[name] for name, processor in model.unet.attn_processors.items())


def test_every_argument_has_a_row_in_the_symbol_table_and_every_row_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    assert set(inspect.signature(diffedit).parameters) - {"model", "seed", "progress", "watch"} <= set(names)
    assert all(name in inspect.getsource(diffedit) for name in names)
