"""A cascade of pixels: every method runs on it, its formulas are the papers', and Prompt-to-Prompt edits each stage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_cascade
import torch
from PIL import Image
from small_pictures import distance, stripes

from benchmarks.calls import counted
from helpers import inversion, load
from helpers.attention.control import attention
from helpers.attention.edits import during, inject_self, mixed, refine, replace, reweight
from helpers.attention.kernel import joint_keys, joint_values, queries
from helpers.attention.maps import AttentionStore
from helpers.core.diffusion import dynamic_threshold, noise_of
from helpers.core.interface import CLEAN
from helpers.core.pictures import to_pictures, to_tensor
from helpers.core.randomness import noise
from helpers.methods.blended import blended_diffusion
from helpers.methods.cascade_edit import cascade_edit
from helpers.methods.diffedit import diffedit
from helpers.methods.imagic import fit_imagic, imagic
from helpers.methods.prompt_to_prompt import prompt_to_prompt, recorded
from helpers.methods.sdedit import sdedit
from helpers.methods.source import Source, generated
from helpers.models.cascade import CascadeModel, SuperResolution
from helpers.models.diffusers_model import DiffusersModel

P, P_STAR, P_PLUS = "a cat ab", "a zq ab", "a cat ab, ef"
BASE, LARGE = random_cascade.BASE, random_cascade.LARGE
KNOBS: dict[str, Any] = {"seed": 3, "steps": 3, "progress": False}
ROUNDING = 1  # level of 255: a batch of another size adds its numbers in another order


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of small cascades: ours, and one of DeepFloyd's classes."""
    room = tmp_path_factory.mktemp("cascades")
    return {"ours": random_cascade.save(room / "ours"),
            "deepfloyd": random_cascade.save(room / "deepfloyd", deepfloyd=True, own_text=True)}


def quick(model: Any) -> CascadeModel:
    """The cascade with few steps."""
    assert isinstance(model, CascadeModel)
    model.steps = 4
    for stage in model.stages:
        stage.steps = 2
    return model


@pytest.fixture(scope="module")
def both(places: dict[str, Path]) -> dict[str, CascadeModel]:
    return {name: quick(load(str(folder), "cpu")) for name, folder in places.items()}


@pytest.fixture(params=["ours", "deepfloyd"])
def model(request: pytest.FixtureRequest, both: dict[str, CascadeModel]) -> CascadeModel:
    return both[request.param]


@pytest.fixture(scope="module")
def ours(both: dict[str, CascadeModel]) -> CascadeModel:
    return both["ours"]


def wild(model: CascadeModel) -> tuple[torch.Tensor, torch.Tensor]:
    """A state and a prediction whose picture leaves [-1, 1]; and one in the second row that stays."""
    x = torch.cat([3 * noise(1, (1, 3, 8, 8)), 0.1 * noise(2, (1, 3, 8, 8))])
    return x, torch.zeros_like(x)


# ------------------------------------------------------------------------------------------------ a model like others


def test_it_is_loaded_like_any_other_model(model: CascadeModel) -> None:
    assert model.size == (LARGE, LARGE) and model.side == BASE and len(model.stages) == 1
    assert model.shape(2) == (2, 3, BASE, BASE) and model.stages[0].enlarges == LARGE // BASE
    assert len(model.fingerprint) == 8 and "32 x 32" in repr(model)


def test_a_picture_is_averaged_down(model: CascadeModel) -> None:
    pixels = to_tensor([stripes(LARGE)])[0]
    x0 = model.encode(stripes(LARGE))[0]
    assert torch.allclose(x0[:, 1, 2], pixels[:, 4:8, 8:12].mean((1, 2)), atol=1e-6)


@pytest.mark.parametrize("prompts", [["a cat", "a dog"]])
def test_pictures_are_of_the_last_stage_and_do_not_depend_on_batch_mates(model: CascadeModel, prompts: list) -> None:
    several = model.generate(prompts, **KNOBS)
    alone = model.generate(prompts[1], **{**KNOBS, "seed": 4})[0]
    assert alone.size == (LARGE, LARGE) and distance(several[1], alone) <= ROUNDING
    assert distance(several[0], several[1]) > ROUNDING
    x0 = model.encode([stripes(), stripes().rotate(90)])
    assert distance(model.decode(x0)[1], model.decode(x0[1:])[0]) <= ROUNDING
    both_ways = model.super_resolve(x0, prompts, seed=[5, 6], progress=False)
    assert distance(both_ways[1], model.super_resolve(x0[1:], "a dog", seed=6, progress=False)[0]) <= ROUNDING


def test_decoding_is_super_resolution_under_the_empty_prompt(model: CascadeModel) -> None:
    x0 = model.encode(stripes())
    picture = model.decode(x0)[0]
    assert distance(picture, model.super_resolve(x0, "", seed=0, progress=False)[0]) == 0
    assert distance(picture, model.super_resolve(x0, "a cat", seed=0, progress=False)[0]) > 0
    assert distance(picture, model.super_resolve(x0, "", seed=1, progress=False)[0]) > 0
    assert distance(picture, model.super_resolve(x0, "", seed=0, augmentation=0.9, progress=False)[0]) > 0
    assert distance(model.small(x0)[0], to_pictures(x0)[0]) == 0


def test_strength_0_gives_the_pictures_own_base_back(model: CascadeModel) -> None:
    result = sdedit(model, stripes(), "a cat", strength=0, progress=False)
    assert distance(result, model.decode(model.encode(stripes()))[0]) == 0


RUNS: dict[str, Callable[..., Any]] = {
    "sdedit": lambda model, **k: sdedit(model, stripes(), P, **k),
    "blended": lambda model, **k: blended_diffusion(model, stripes(), P, Image.new("L", (LARGE, LARGE), 255), **k),
    "diffedit": lambda model, **k: diffedit(model, stripes(), P, P_STAR, maps=2, **k),
    "p2p": lambda model, **k: prompt_to_prompt(model, P, P_STAR, **k)[1],
    "null_text": lambda model, **k: prompt_to_prompt(
        model, inversion.null_text(model, stripes(), P, steps=3, inner=1, progress=False), P_STAR, progress=False)[1],
    "friendly": lambda model, **k: inversion.reconstruct(
        model, inversion.edit_friendly(model, stripes(), P, **k), progress=False),
}


@pytest.mark.parametrize("name", RUNS)
def test_methods_run_on_it_unchanged(model: CascadeModel, name: str) -> None:
    before = torch.get_rng_state()
    result = RUNS[name](model, **KNOBS)
    assert result.size == (LARGE, LARGE) and distance(result, RUNS[name](model, **KNOBS)) == 0
    assert torch.equal(torch.get_rng_state(), before)


def test_an_inversion_leads_back_to_the_pictures_own_base(model: CascadeModel) -> None:
    x0 = model.encode(stripes())
    for invert in (inversion.direct, inversion.edit_friendly):
        source = invert(model, stripes(), P, steps=3, progress=False)
        assert torch.allclose(source.trajectory[-1:], x0, atol=1e-5)
        again = inversion.reconstruct(model, source, progress=False)
        assert distance(again, model.decode(x0)[0]) <= 4


def test_outside_the_mask_every_pixel_is_the_originals(ours: CascadeModel) -> None:
    mask = Image.new("L", (LARGE, LARGE), 0)
    mask.paste(255, (0, 0, 16, 32))
    result = blended_diffusion(ours, stripes(), P, mask, **KNOBS)
    assert np.array_equal(np.asarray(result)[:, 16:], np.asarray(stripes())[:, 16:])


def test_it_can_be_fine_tuned(ours: CascadeModel) -> None:
    knobs = {"rank": 1, "embedding_steps": 1, "model_steps": 1, "progress": False}
    fitted = fit_imagic(ours, stripes(), P, **knobs)
    assert imagic(ours, fitted, eta=0.5, **KNOBS).size == (LARGE, LARGE)


def test_the_network_is_called_once_a_step(ours: CascadeModel) -> None:
    stage = ours.stages[0]
    with counted(ours) as small, counted(stage) as large:
        ours.generate("a cat", steps=3, guidance=2.0, progress=False)
    assert small == [2, 2, 2] and large == [2] * stage.steps
    with counted(ours) as small, counted(stage) as large:
        ours.decode(ours.encode(stripes()))
    assert small == [] and large == [1] * stage.steps


def test_watching_and_progress_go_from_stage_to_stage(ours: CascadeModel) -> None:
    seen: list[tuple[int, int]] = []
    told: list[tuple[int, int]] = []
    ours.generate("a cat", steps=3, progress=lambda *two: told.append(two),
                  watch=lambda x, t, eps: seen.append((x.shape[-1], t)))
    assert [side for side, _ in seen] == [BASE] * 3 + [LARGE] * 2 and [t for _, t in seen][-1] == CLEAN
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3), (0, 2), (1, 2), (2, 2)]


def test_the_parts_of_a_cascade_have_one_lock(ours: CascadeModel) -> None:
    with ours.exclusive(), ours.stages[0].exclusive():
        assert ours.stages[0].locked is ours.unet


# ---------------------------------------------------------------------------------------------------------- the papers


@pytest.mark.parametrize("augmentation, level", [(0, 0), (0.25, 250), (1, 999)])
def test_augmentation_is_q_of_the_enlarged_picture_at_its_level(model: CascadeModel, augmentation: float, level: int
                                                                ) -> None:
    stage, x0 = model.stages[0], model.encode(stripes())
    told = stage.of(x0, seed=7, augmentation=augmentation)
    alpha_bar = stage.pipeline.image_noising_scheduler.alphas_cumprod[level]
    n = stage.noise(7, x0)[:, 3:]
    enlarged = torch.nn.functional.interpolate(x0, (LARGE, LARGE), mode="bilinear", align_corners=True)
    assert told.low is not None and told.level == level
    assert torch.allclose(told.low, alpha_bar**0.5 * enlarged + (1 - alpha_bar) ** 0.5 * n, atol=1e-6)
    theirs = stage.pipeline.image_noising_scheduler.add_noise(enlarged, n, torch.tensor([level]))
    assert torch.allclose(told.low, theirs, atol=1e-6)
    assert not torch.equal(stage.noise(7, x0)[:, :3], n) and not torch.equal(stage.noise(8, x0)[:, 3:], n)


def test_a_stage_hears_of_its_level_and_of_its_text(model: CascadeModel) -> None:
    stage, x0 = model.stages[0], model.encode(stripes())
    x = noise(0, (1, 3, LARGE, LARGE))
    cat, dog = stage.embed("a cat"), stage.embed("a dog")
    told = stage.of(x0, augmentation=0.1)
    other = copy(told)
    other.level = 900
    plain = told.eps(x, 500, cat)
    assert not torch.equal(plain, other.eps(x, 500, cat)) and not torch.equal(plain, told.eps(x, 500, dog))


def test_the_stages_network_is_asked_as_diffusers_asks_it(model: CascadeModel) -> None:
    stage, x0 = model.stages[0], model.encode(stripes())
    told, x, text = stage.of(x0, seed=1), noise(0, (1, 3, LARGE, LARGE)), stage.embed("a cat")
    with torch.no_grad():
        theirs = stage.unet(torch.cat([x, told.low], 1), 500, encoder_hidden_states=text.embeddings,
                            class_labels=torch.tensor([250])).sample
        assert torch.allclose(told.eps(x, 500, text), theirs[:, :3], atol=1e-5)


def test_prompts_are_embedded_as_diffusers_embeds_them(both: dict[str, CascadeModel]) -> None:
    model = both["deepfloyd"]
    theirs, empty = model.pipeline.encode_prompt(["A Cat, ab", "a dog"], clean_caption=False)
    text = model.embed(["A Cat, ab", "a dog"])
    n = model.text.window  # theirs is padded to 77; the mask hides the padding from the words
    assert torch.allclose(text.embeddings[:, :5], theirs[:, :5], atol=1e-5) and text.embeddings.shape[1] == n
    assert text.empty is not None and torch.allclose(text.empty.embeddings[:, :1], empty[:, :1], atol=1e-5)


@pytest.mark.parametrize("p", [0.9, 0.995, 1.0])
def test_dynamic_thresholding_is_the_papers(p: float) -> None:
    x0 = torch.cat([3 * noise(1, (1, 3, 8, 8)), 0.2 * noise(2, (1, 3, 8, 8))])
    found = dynamic_threshold(x0, p)
    s = np.quantile(x0[0].abs().numpy(), p)
    assert s > 1 and np.allclose(found[0].numpy(), np.clip(x0[0].numpy(), -s, s) / s, atol=1e-5)
    assert x0[1].abs().max() < 1 and torch.equal(found[1], x0[1])
    assert found.abs().max() <= 1 and dynamic_threshold(x0, p, 1.0).equal(x0.clamp(-1, 1))


def test_steps_threshold_the_picture_they_predict(model: CascadeModel) -> None:
    x, eps = wild(model)
    t, s = 500, 250
    signal, sigma = model.alpha_bar[t] ** 0.5, (1 - model.alpha_bar[t]) ** 0.5
    config = model.scheduler.config
    most = config.sample_max_value if config.thresholding else 1e6
    x0 = dynamic_threshold(x / signal, config.dynamic_thresholding_ratio, most)
    assert (x / signal)[0].abs().max() > 1 > (x / signal)[1].abs().max()
    assert torch.allclose(model.predict_clean(x, eps, t), x0, atol=1e-5)
    left = (x - signal * x0) / sigma
    expected = model.alpha_bar[s] ** 0.5 * x0 + (1 - model.alpha_bar[s]) ** 0.5 * left
    assert torch.allclose(model.step(x, eps, t, s), expected, atol=1e-5)


def test_thresholding_can_be_off_and_leaves_pixels_inside_alone(model: CascadeModel) -> None:
    off = copy(model)
    off.dynamic_thresholding = False
    x, eps = wild(model)
    assert torch.allclose(off.predict_clean(x, eps, 500), x / model.alpha_bar[500] ** 0.5, rtol=1e-6)  # in float64 there
    assert not torch.allclose(off.step(x, eps, 500, 250)[0], model.step(x, eps, 500, 250)[0])
    assert torch.equal(off.step(x, eps, 500, 250)[1], model.step(x, eps, 500, 250)[1])
    assert torch.equal(off.step(x, eps, 250, 500), model.step(x, eps, 250, 500))  # towards noise it is not
    assert torch.equal(off.predict_clean(x, eps, CLEAN), model.predict_clean(x, eps, CLEAN))
    assert off.fingerprint != model.fingerprint


def test_only_the_mean_of_what_deepfloyds_network_says_is_used(both: dict[str, CascadeModel]) -> None:
    model = both["deepfloyd"]
    x, text = noise(0, model.shape(1)), model.embed("a cat")
    output = model.unet(x, 500, encoder_hidden_states=text.embeddings).sample
    assert output.shape[1] == 6
    expected = noise_of(output[:, :3], x, model.alpha_bar[500].item(), "epsilon")
    assert torch.allclose(model.eps(x, 500, text), expected, atol=1e-6)


# ---------------------------------------------------------------------------------------------------- Prompt-to-Prompt


def ends(model: CascadeModel, target: Any, edited: Any) -> dict[int, torch.Tensor]:
    """The last states of source and target in each part, by their side."""
    last: dict[int, torch.Tensor] = {}
    cascade_edit(model, P, target, edited=edited, cross_replace_steps=1,
                 watch=lambda x, **_: last.update({x.shape[-1]: x}), **KNOBS)
    return last


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal to rounding."""
    return torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("edited", [(), "base", "super_resolution", ["base", "super_resolution"]])
def test_the_same_prompt_is_the_same_picture_whatever_is_edited(model: CascadeModel, edited: Any) -> None:
    source, target = cascade_edit(model, P, P, edited=edited, **KNOBS)
    assert source.size == (LARGE, LARGE) and distance(source, target) <= ROUNDING
    assert distance(source, model.generate(P, **KNOBS)[0]) <= ROUNDING


def test_each_part_can_be_edited_by_itself(model: CascadeModel) -> None:
    plain, base, large, all_ = (ends(model, P_STAR, edited) for edited in (
        (), "base", "super_resolution", ["base", "super_resolution"]))
    picture = to_pictures(plain[LARGE])[1]
    assert distance(picture, model.generate(P_STAR, **KNOBS)[0]) <= ROUNDING
    assert all(close(one[side][:1], plain[side][:1]) for one in (base, large, all_) for side in (BASE, LARGE))
    assert close(large[BASE], plain[BASE]) and not close(large[LARGE], plain[LARGE])
    assert not close(base[BASE], plain[BASE]) and close(all_[BASE], base[BASE])
    assert not close(all_[LARGE], base[LARGE]) and not close(all_[LARGE], large[LARGE])


@pytest.mark.parametrize("kind", ["replace", "refine", "reweight"])
@pytest.mark.parametrize("part", ["base", "super_resolution"])
def test_every_edit_works_in_every_part(model: CascadeModel, kind: str, part: str) -> None:
    one = model if part == "base" else model.stages[0]
    edit = {"replace": lambda: replace(one, P, P_STAR), "refine": lambda: refine(one, P, P_PLUS),
            "reweight": lambda: mixed(one, P, P) @ reweight(one, P, "cat", 5.0)}[kind]()
    edited, plain = ends(model, edit, part), ends(model, edit, ())
    side = BASE if part == "base" else LARGE
    assert close(edited[side][:1], plain[side][:1]) and not close(edited[side][1:], plain[side][1:])


def test_a_stage_that_was_told_is_a_model_of_its_own(model: CascadeModel) -> None:
    told = model.stages[0].of(model.encode(stripes()), seed=1)
    source, target = prompt_to_prompt(told, P, P_STAR, **KNOBS)
    assert source.size == (LARGE, LARGE) and distance(source, target) > 0
    assert sdedit(told, stripes(), P, strength=0, progress=False).tobytes() == stripes().tobytes()
    store = AttentionStore("cat")
    with attention(told, store=store, prompts=P, steps=2):
        told.generate(P, steps=2, progress=False)
    assert store.of("cat").shape == (LARGE // 2, LARGE // 2)


def test_a_recorded_source_is_edited_as_one_that_runs_along(model: CascadeModel) -> None:
    made = recorded(model, P, **KNOBS)
    replayed = prompt_to_prompt(model, made, P_STAR, progress=False)
    along = prompt_to_prompt(model, made.source, P_STAR, progress=False)
    assert distance(replayed[1], along[1]) <= 4  # the stage enlarges what rounding changed


def explicit(layer: Any, x: torch.Tensor, text: torch.Tensor, A: torch.Tensor, b: torch.Tensor, pixels: bool
             ) -> torch.Tensor:
    """Attention of the last row with M^ formed: tokens by A and b, pixels the source's or its own."""
    q, k, v = queries(layer, x), joint_keys(layer, x, text), joint_values(layer, x, text)
    M, M_star = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
    n = len(b)
    edited = torch.cat([M[..., :n] @ A + M_star[..., :n] * b, (M if pixels else M_star)[..., n:]], -1)
    return (edited @ v[1]).transpose(0, 1).flatten(1)


@pytest.mark.parametrize("pixels", [False, True])
def test_joint_attention_is_edited_as_the_explicit_map_is(both: dict[str, CascadeModel], pixels: bool) -> None:
    model = both["deepfloyd"]
    name = "down_blocks.1.attentions.0"
    layer = model.unet.get_submodule(name)
    edit = replace(model, P, P_STAR)
    edit = edit @ inject_self(model, P, P_STAR) if pixels else edit
    caught: dict[str, torch.Tensor] = {}
    hooks = [layer.to_out[0].register_forward_pre_hook(lambda _, told: caught.update(out=told[0])),
             layer.register_forward_pre_hook(lambda _, told, named: caught.update(
                 x=told[0], text=named["encoder_hidden_states"]), with_kwargs=True)]
    with torch.no_grad(), attention(model, edit, steps=4):
        model.eps(noise([0, 0], model.shape(2)), model.times(4)[0], model.embed([P, P_STAR]))
        flat = layer.group_norm(caught["x"].flatten(2)).transpose(1, 2)
        expected = explicit(layer, flat, caught["text"], *edit.at(0, 4), pixels)
    for hook in hooks:
        hook.remove()
    assert torch.allclose(caught["out"][1], expected, atol=1e-5)


def test_an_edit_of_joint_attention_that_cannot_be_is_refused(both: dict[str, CascadeModel]) -> None:
    from helpers.attention.edits import SelfEdit, self_attention

    model = both["deepfloyd"]
    edit = self_attention(model, P, P_STAR, SelfEdit("target", "source", "source"))
    with pytest.raises(NotImplementedError, match="tokens and pixels at once"):
        prompt_to_prompt(model, P, edit, **KNOBS)


def test_words_own_the_same_tokens_whatever_the_tokenizer(model: CascadeModel) -> None:
    tokens = model.tokens("A cat, ab")
    edit = during(replace(model, P, P_STAR), 0, 1)
    assert tokens.marks == (0 if "T5" in type(model.text.tokenizer).__name__ else 1)
    assert torch.allclose(edit.A[0].sum(1), torch.ones(tokens.window))
    with pytest.raises(ValueError, match="empty"):
        replace(model, "", "")


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.fixture
def folder(places: dict[str, Path], tmp_path: Path) -> Iterator[Path]:
    """A cascade's folder that may be spoilt."""
    shutil.copytree(places["ours"], tmp_path / "cascade")
    yield tmp_path / "cascade"


def spoil(file: Path, **changes: Any) -> None:
    """A configuration with other values."""
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no stage": (lambda at: shutil.rmtree(at / "super_resolution"), "no super-resolution stage: put"),
    "no base": (lambda at: shutil.rmtree(at / "base"), "has no base/model_index.json"),
    "swapped": (lambda at: spoil(at / "base" / "model_index.json", _class_name="IFSuperResolutionPipeline"),
                "expected an IFPipeline"),
    "no unet": (lambda at: spoil(at / "base" / "model_index.json", unet=[None, None]), "has no unet"),
    "no level": (lambda at: spoil(at / "super_resolution" / "unet" / "config.json", class_embed_type=None),
                 "noise conditioning augmentation"),
    "channels": (lambda at: spoil(at / "super_resolution" / "unet" / "config.json", in_channels=3),
                 "takes 3 channels"),
    "latents": (lambda at: spoil(at / "base" / "unet" / "config.json", in_channels=4), "model of latents"),
    "text": (lambda at: spoil(at / "base" / "text_encoder" / "config.json", hidden_size=64), "64: parts of different"),
    "other text": (lambda at: spoil(at / "super_resolution" / "unet" / "config.json", encoder_hid_dim=5),
                   "has no text encoder, and its network reads text 5"),
    "class": (lambda at: spoil(at / "base" / "model_index.json", unet=["my.code", "Net"]), "Only known classes"),
    "code": (lambda at: spoil(at / "base" / "unet" / "config.json", auto_map={"a": "b"}), "auto_map"),
    "weights": (lambda at: (at / "base" / "unet" / "diffusion_pytorch_model.safetensors").unlink(), "no weights"),
    "sizes": (lambda at: spoil(at / "super_resolution" / "unet" / "config.json", sample_size=30), "30 px from 8 px"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_with_a_folder_is_said(folder: Path, name: str) -> None:
    wrong, sentence = SPOILT[name]
    wrong(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        load(folder, "cpu")


@pytest.mark.parametrize("part", ["base", "super_resolution"])
def test_a_part_alone_is_no_cascade(places: dict[str, Path], part: str) -> None:
    with pytest.raises(ValueError, match=f"one part of a cascade, its {part}: give the folder around it"):
        load(places["ours"] / part, "cpu")


def test_a_cascade_needs_a_stage_and_a_stage_a_text_encoder(ours: CascadeModel) -> None:
    with pytest.raises(ValueError, match="no super-resolution stage"):
        CascadeModel(ours.pipeline, [])
    with pytest.raises(ValueError, match="give it the base's"):
        SuperResolution(ours.stages[0].pipeline)


WRONG: dict[str, tuple[Callable[[CascadeModel], Any], str]] = {
    "not told": (lambda m: m.stages[0].eps(noise(0, (1, 3, 32, 32)), 5, m.embed("a cat")), "ask stage.of"),
    "rows": (lambda m: m.stages[0].of(m.encode([stripes()] * 2)).eps(noise(0, (3, 3, 32, 32)), 5, m.embed("a cat")),
             "give as many rows"),
    "latents": (lambda m: m.decode(noise(0, (1, 4, 8, 8))), "4 channels"),
    "prompts": (lambda m: m.super_resolve(m.encode([stripes()] * 3), ["a", "b"]), "2 prompts for 3 pictures"),
    "size": (lambda m: m.generate("a cat", size=50), "multiples of 8"),
    "level": (lambda m: m.super_resolve(m.encode(stripes()), "a cat", augmentation=2), "augmentation is 2"),
    "part": (lambda m: cascade_edit(m, P, P_STAR, edited="vae"), "edited"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_with_a_sentence(ours: CascadeModel, name: str) -> None:
    wrong, sentence = WRONG[name]
    with pytest.raises(ValueError, match=sentence):
        wrong(ours)


def test_a_model_of_latents_is_no_cascade(models: dict[str, DiffusersModel]) -> None:
    with pytest.raises(ValueError, match="expected a cascade|a cascade of pixels"):
        cascade_edit(models["sd"], P, P_STAR, **KNOBS)


def test_another_size_goes_through_all_stages(ours: CascadeModel) -> None:
    assert ours.generate("a cat", size=(64, 32), **KNOBS)[0].size == (64, 32)
    assert sdedit(ours, stripes(), P, **KNOBS).size == (LARGE, LARGE)


def test_a_source_of_the_cascade_is_saved_and_edited(ours: CascadeModel, tmp_path: Path) -> None:
    source = generated(ours, P, **KNOBS)
    source.save(tmp_path / "a.safetensors")
    again = Source.load(tmp_path / "a.safetensors")
    assert len(prompt_to_prompt(ours, again, P_STAR, progress=False)) == 2


def test_a_further_stage_enlarges_further_with_noise_of_its_own(ours: CascadeModel) -> None:
    base, first = random_cascade.pipelines()
    second = random_cascade.pipelines(seed=1)[1]
    second.unet.register_to_config(sample_size=64)
    stages = [SuperResolution(one, steps=1, text=ours.text) for one in (first, second)]
    model = CascadeModel(base, stages, steps=1)
    assert model.generate("a cat", progress=False)[0].size == (64, 64)
    x0 = model.encode(stripes(64))
    assert x0.shape[-1] == BASE and model.stages[1].enlarges == 2
    assert not torch.equal(model.stages[0].noise(0, x0)[0, 0, 0], model.stages[1].noise(0, x0)[0, 0, 0, :LARGE])
