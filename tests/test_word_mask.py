"""The mask of a word: where the picture looks at it; one call, nothing left behind, clear errors."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from small_pictures import stripes

from benchmarks.calls import counted
from helpers import load
from helpers.attention.control import attention
from helpers.attention.maps import AttentionStore
from helpers.core.diffusion import add_noise
from helpers.core.masks import inverted
from helpers.core.randomness import noise
from helpers.measure import iou
from helpers.methods import word_mask as module
from helpers.methods.word_mask import attended, word_mask
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.edits import Edit
from helpers.picturebook.scene import Scene

PROMPT = "a cat ab cd"


def test_it_is_the_mean_of_the_word_s_maps_over_several_noises(model: DiffusersModel) -> None:
    t, x0 = model.times(model.steps, 0.3)[0], model.encode(stripes())
    maps = []
    for seed in (5, 6):
        with torch.no_grad(), attention(model, store=AttentionStore("cat"), prompts=PROMPT) as seen:
            model.eps(add_noise(model, x0, noise(seed, x0.shape), t), t, model.embed(PROMPT))
        maps.append(seen.of("cat", seen.seen_grids[0]))
    found = attended(model, stripes(), PROMPT, "cat", maps=2, seed=5)
    assert found.shape == x0.shape[-2:] and found.max() == 1
    if maps[0].shape == found.shape:
        mean = (maps[0] + maps[1]) / 2
        assert torch.allclose(found, mean / mean.max(), atol=1e-4)


def test_it_takes_one_call_and_leaves_the_model_and_the_random_state_as_they_were(model: DiffusersModel) -> None:
    own, state = dict(model.unet.attn_processors), torch.get_rng_state()
    with counted(model) as rows:
        mask = word_mask(model, stripes(), PROMPT, "cat", maps=3)
    assert rows == [3] and mask.size == model.size and mask.mode == "L"
    assert all(one is own[name] for name, one in model.unet.attn_processors.items())
    assert torch.equal(state, torch.get_rng_state())


def test_on_picturebook_the_word_of_a_thing_is_where_the_thing_is() -> None:
    model, values = load(), []
    for seed, (thing, place) in enumerate([("cat", "beach"), ("dog", "forest"), ("pig", "meadow")]):
        scene = Scene(seed=seed, thing=thing, color="orange", place=place)
        edit = Edit(scene, scene.but(color="blue"))
        mask = word_mask(model, edit.picture, edit.prompt, thing, maps=4)
        values.append(iou(mask, edit.mask))
        assert values[-1] > 2 * iou(inverted(mask), edit.mask)
    assert np.mean(values) > 0.5


@pytest.mark.parametrize(
    ("word", "knobs", "words"),
    [
        ("dog", {}, "'dog' is not in the prompt"),
        ("cat", {"threshold": 1.0}, "threshold is 1.0"),
        ("cat", {"strength": 0.0}, "strength is 0.0"),
        ("cat", {"maps": 0}, "maps is 0; expected a whole number from 1"),
    ],
)
def test_what_cannot_be_looked_for_is_an_error_before_the_model_works(
    models: dict[str, DiffusersModel], word: str, knobs: dict, words: str
) -> None:
    with counted(models["sd"]) as calls, pytest.raises(ValueError, match=words):
        word_mask(models["sd"], stripes(), PROMPT, word, **knobs)
    assert calls == []


def test_every_row_of_the_symbol_table_has_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    code = inspect.getsource(module).split('"""', 2)[2]
    assert names and all(name in code for name in names)


def test_where_attention_is_on_fine_grids_alone_the_coarsest_is_taken(models: dict[str, DiffusersModel]) -> None:
    model = DiffusersModel(models["xl"].pipeline, steps=4)
    model.size = (256, 256)  # latents of 64 x 64, attention on 64 x 64 and 32 x 32
    assert word_mask(model, stripes(), PROMPT, "cat", maps=1).size == (256, 256)


def test_a_strength_that_rounds_to_no_step_is_an_error(model: DiffusersModel) -> None:
    with pytest.raises(ValueError, match="round to none"):
        word_mask(model, stripes(), PROMPT, "cat", strength=1e-4)
