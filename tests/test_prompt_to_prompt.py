"""Prompt-to-Prompt: its ends are plain generation, its sources agree, its cost, and the bugs of others are not here."""

from __future__ import annotations

import inspect
from itertools import pairwise

import numpy as np
import pytest
import torch
from small_pictures import distance, stripes

from benchmarks.calls import counted
from helpers.attention.control import attention
from helpers.attention.edits import during, inject_self, replace, reweight
from helpers.attention.maps import AttentionStore, Site
from helpers.core.diffusion import ddim_step, denoise
from helpers.core.interface import join
from helpers.core.randomness import noise
from helpers.methods import local_blend as blending
from helpers.methods import prompt_to_prompt as module
from helpers.methods.local_blend import blend_mask
from helpers.methods.prompt_to_prompt import Recorded, prompt_to_prompt, recorded, sweep
from helpers.methods.source import Source, generated
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel

P, P_STAR, P_PLUS = "a cat ab cd", "a zq ab cd", "a cat ab, ef cd"
KNOBS = {"seed": 3, "steps": 5, "guidance": 4.0, "progress": False}
ROUNDING = 1  # level of 255: a batch of another size adds its numbers in another order, on some processors


@pytest.fixture(params=["sd", "xl"])
def model(request: pytest.FixtureRequest, models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models[request.param]


@pytest.fixture(scope="module")
def sd(models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models["sd"]


def plain(model: DiffusersModel, *prompts: str, **knobs: object) -> list:
    """What the model makes of these prompts without control, from the same noise."""
    return model.generate(list(prompts), **{**KNOBS, "seed": [KNOBS["seed"]] * len(prompts), **knobs})


@pytest.mark.parametrize("guidance", [4.0, 1.0, 0.0])
def test_without_injection_it_is_plain_generation_from_the_same_noise(model: DiffusersModel, guidance: float) -> None:
    pictures = prompt_to_prompt(
        model, P, [P_STAR, P_PLUS], cross_replace_steps=0, self_replace_steps=0, **{**KNOBS, "guidance": guidance}
    )
    expected = plain(model, P, P_STAR, P_PLUS, guidance=guidance)
    assert max(distance(a, b) for a, b in zip(pictures, expected, strict=True)) <= ROUNDING


def test_the_same_prompt_is_the_same_picture(model: DiffusersModel) -> None:
    source, target = prompt_to_prompt(model, P, P, **KNOBS)
    assert distance(source, target) == 0 and distance(source, plain(model, P)[0]) <= ROUNDING


def test_the_edit_changes_the_target_and_not_the_source(model: DiffusersModel) -> None:
    source, target = prompt_to_prompt(model, P, P_STAR, **KNOBS)
    assert distance(source, plain(model, P)[0]) <= ROUNDING
    assert min(distance(target, plain(model, P_STAR)[0]), distance(target, source)) > ROUNDING


def by_hand(model: DiffusersModel, edit: object, steps: int, guidance: float) -> torch.Tensor:
    """Algorithm 1 with the loop written out; the target's latent."""
    text = model.embed([P, P_STAR])
    x = noise([3, 3], model.shape(2))
    times = model.times(steps)
    with torch.no_grad(), attention(model, edit, steps=steps):
        for t, s in pairwise(times):
            eps_u, eps_c = model.eps(torch.cat([x, x]), t, join(text.unconditional(), text)).chunk(2)
            x = ddim_step(model, x, eps_u + guidance * (eps_c - eps_u), t, s)
    return x


def test_it_is_algorithm_1(model: DiffusersModel) -> None:
    edit = during(replace(model, P, P_STAR), 0, 0.6) @ during(inject_self(model, P, P_STAR), 0, 0.2)
    states: list[torch.Tensor] = []
    prompt_to_prompt(
        model,
        P,
        P_STAR,
        cross_replace_steps=0.6,
        self_replace_steps=0.2,
        watch=lambda x, **_: states.append(x),
        **KNOBS,
    )
    assert len(states) == 5 and torch.allclose(states[-1], by_hand(model, edit, 5, 4.0), atol=1e-5)
    same = prompt_to_prompt(model, P, edit, **KNOBS)
    assert (
        distance(
            same[1], prompt_to_prompt(model, P, P_STAR, cross_replace_steps=0.6, self_replace_steps=0.2, **KNOBS)[1]
        )
        == 0
    )


@pytest.mark.parametrize("guidance", [4.0, 1.0])
@pytest.mark.parametrize("blend", [(), ("cat", "zq")])
def test_a_prompt_its_source_and_its_recording_give_the_same_pictures(
    model: DiffusersModel, guidance: float, blend: tuple[str, ...]
) -> None:
    knobs = {**KNOBS, "guidance": guidance}
    source = generated(model, P, **knobs)
    edit = {"weights": {"ab": 2.0}, "blend": blend, "progress": False}
    live = prompt_to_prompt(model, P, [P_STAR, "a zq ab, ef cd"], **{**knobs, **edit})
    for known in (source, recorded(model, P, **knobs), recorded(model, source, progress=False)):
        pictures = prompt_to_prompt(model, known, [P_STAR, "a zq ab, ef cd"], **edit)
        assert max(distance(a, b) for a, b in zip(pictures, live, strict=True)) <= ROUNDING


def test_several_targets_are_as_each_alone(model: DiffusersModel) -> None:
    together = prompt_to_prompt(
        model, P, [P_STAR, P_PLUS], weights=[{"ab": 2.0}, None], cross_replace_steps=[0.4, 0.8], **KNOBS
    )
    alone = [
        prompt_to_prompt(model, P, P_STAR, weights={"ab": 2.0}, cross_replace_steps=0.4, **KNOBS)[1],
        prompt_to_prompt(model, P, P_PLUS, cross_replace_steps=0.8, **KNOBS)[1],
    ]
    assert max(distance(a, b) for a, b in zip(together[1:], alone, strict=True)) <= ROUNDING


def test_arrays_of_prompts_and_shares_are_lists_of_them(sd: DiffusersModel) -> None:
    given = prompt_to_prompt(sd, P, np.array([P_STAR, P_PLUS]), cross_replace_steps=np.array([0.4, 0.8]),
                             self_replace_steps=torch.tensor([0.0, 1.0]), **KNOBS)  # fmt: skip
    listed = prompt_to_prompt(sd, P, [P_STAR, P_PLUS], cross_replace_steps=[0.4, 0.8], self_replace_steps=[0.0, 1.0],
                              **KNOBS)  # fmt: skip
    assert [picture.tobytes() for picture in given] == [picture.tobytes() for picture in listed]


def test_a_sweep_is_the_edit_at_each_share(sd: DiffusersModel) -> None:
    with counted(sd) as calls:
        pictures = sweep(sd, P, P_STAR, cross_replace_steps=(0.0, 0.4, 1.0), self_replace_steps=0, **KNOBS)
    assert calls == [8] * 5
    assert distance(pictures[1], plain(sd, P_STAR)[0]) <= ROUNDING
    assert (
        distance(
            pictures[3], prompt_to_prompt(sd, P, P_STAR, cross_replace_steps=1.0, self_replace_steps=0, **KNOBS)[1]
        )
        <= ROUNDING
    )
    assert len({picture.tobytes() for picture in pictures}) == 4


@pytest.mark.parametrize(("guidance", "rows"), [(4.0, (4, 3, 2)), (1.0, (2, 2, 1))])
def test_a_further_edit_of_a_known_source_costs_half(sd: DiffusersModel, guidance: float, rows: tuple) -> None:
    knobs = {**KNOBS, "guidance": guidance}
    source = generated(sd, P, **knobs)
    with counted(sd) as recording:
        known = recorded(sd, source, progress=False)
    assert recording == [1] * 5
    for one, count in zip((P, source, known), rows, strict=True):
        with counted(sd) as calls:
            prompt_to_prompt(sd, one, P_STAR, **(knobs if one is P else {"progress": False}))
        assert calls == [count] * 5


def test_at_50_steps_a_further_edit_is_100_evaluations(sd: DiffusersModel) -> None:
    known = recorded(sd, P, seed=1, steps=50, guidance=7.5, progress=False)
    with counted(sd) as calls:
        prompt_to_prompt(sd, known, P_STAR, progress=False)
    assert sum(calls) == 100


def test_a_given_picture_comes_back_and_is_edited(sd: DiffusersModel) -> None:
    """A source whose states no model walks: the source's row is put back on them after every step."""
    times = tuple(sd.times(5, 0.8))
    states = torch.randn(5, *sd.shape(1)[1:], generator=torch.Generator().manual_seed(0))
    states[-1:] = sd.encode(stripes())
    source = Source(P, 5, 4.0, times, states, sd.fingerprint)
    seen: list[torch.Tensor] = []
    watch = {"watch": lambda source, **_: seen.append(source)}
    picture, edited = prompt_to_prompt(sd, source, P_STAR, progress=False, **watch)
    assert distance(picture, sd.decode(states[-1:])[0]) == 0 and len(seen) == 4
    assert all(torch.equal(x, state) for x, state in zip(seen, states[1:].split(1), strict=True))
    known = recorded(sd, source, progress=False)
    assert distance(prompt_to_prompt(sd, known, P_STAR, progress=False)[1], edited) <= ROUNDING


def test_a_source_s_empty_prompts_and_noises_are_the_target_s(sd: DiffusersModel) -> None:
    """With its own prompt as the target, the target's row walks the source's way."""
    text, times = sd.embed(P), tuple(sd.times(5))
    uncond_embeddings = torch.randn(5, *text.embeddings.shape[1:], generator=torch.Generator().manual_seed(1))
    variance_noise = 0.1 * torch.randn(5, *sd.shape(1)[1:], generator=torch.Generator().manual_seed(2))
    x = noise(3, sd.shape(1))
    states = [x]
    with torch.no_grad():
        for i, (t, s) in enumerate(pairwise(times)):
            eps_u, eps_c = (sd.eps(x, t, type(text)(one)) for one in (uncond_embeddings[i : i + 1], text.embeddings))
            x = ddim_step(sd, x, eps_u + 4.0 * (eps_c - eps_u), t, s) + variance_noise[i]
            states.append(x)
    source = Source(
        P,
        5,
        4.0,
        times,
        torch.cat(states),
        sd.fingerprint,
        uncond_embeddings=uncond_embeddings,
        variance_noise=variance_noise,
    )
    for known in (source, recorded(sd, source, progress=False)):
        seen: list[torch.Tensor] = []
        prompt_to_prompt(sd, known, P, progress=False, watch=lambda x, seen=seen, **_: seen.append(x))
        assert all(torch.allclose(x, state, atol=1e-4) for x, state in zip(seen, states[1:], strict=True))
    bare = Source(P, 5, 4.0, times, torch.cat(states), sd.fingerprint)
    prompt_to_prompt(sd, bare, P, progress=False, watch=lambda x, **_: seen.append(x))
    assert not torch.allclose(seen[-1], states[-1], atol=1e-2)


# ------------------------------------------------------------------------------------------------- weights and blend


def test_a_weight_of_1_changes_nothing_and_others_act_in_all_steps(model: DiffusersModel) -> None:
    one = prompt_to_prompt(model, P, P_STAR, weights={"ab": 1.0}, **KNOBS)[1]
    assert distance(one, prompt_to_prompt(model, P, P_STAR, **KNOBS)[1]) <= ROUNDING
    alone = prompt_to_prompt(model, P, P, weights={"ab": 4.0}, cross_replace_steps=0, self_replace_steps=0, **KNOBS)[1]
    with attention(model, reweight(model, P, "ab", 4.0), steps=5):
        expected = model.generate(P, **KNOBS)[0]
    assert distance(alone, expected) <= ROUNDING < distance(alone, plain(model, P)[0])


def test_several_words_are_weighted_whole_numbers_too(sd: DiffusersModel) -> None:
    edit = module.edits_of(sd, P, P_STAR, 0.8, 0.4, {"zq": 2, "ab": -1})[0]
    A, _ = edit.at(0, 5)
    assert A[2, 2] == A[2, 3] == 1.0 and A[3, 4] == A[4, 5] == -1.0
    assert edit.at(4, 5)[1][2:6].tolist() == [2.0, 2.0, -1.0, -1.0]


def test_a_word_can_have_a_share_of_its_own(sd: DiffusersModel) -> None:
    edit = module.edits_of(sd, P, P_STAR, {"default": 0.8, "zq": 0.2}, 0, None)[0]
    assert edit.at(0, 5)[1].sum() == 0 and edit.at(2, 5)[1].nonzero().flatten().tolist() == [2, 3]
    assert (edit.at(4, 5)[1] == 1).all()


def test_outside_the_blended_words_the_source_stays(model: DiffusersModel) -> None:
    masks, states = [], []

    def spy(seen: AttentionStore, size: object) -> torch.Tensor:
        masks.append(blend_mask(seen, size))
        masks[-1][:, :, :4] = 0  # and the upper half, whatever the maps say
        return masks[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blending, "blend_mask", spy)
        knobs = {"blend": ["zq", "cat"], "watch": lambda x, **_: states.append(x)}
        prompt_to_prompt(model, P, [P_STAR, P_PLUS], **knobs, **KNOBS)
    assert len(masks) == len(states) == 5
    for mask, x in zip(masks, states, strict=True):
        outside = (mask == 0).expand(2, *x.shape[1:])
        assert torch.equal(x[1:][outside], x[:1].expand_as(x[1:])[outside])
        assert outside.any() and not torch.equal(x[1:], x[:1].expand_as(x[1:]))


def look_with(maps: torch.Tensor, sd: DiffusersModel) -> AttentionStore:
    """A look that saw these maps (prompts, h, w) of the word "cat", before the edit."""
    look = AttentionStore("cat")
    look.begin(tuple(sd.tokens(P) for _ in maps))
    look.add(Site("x", tuple(maps.shape[1:]), 0), torch.stack([maps, torch.zeros_like(maps)], 1)[:, :, None])
    return look


def test_the_mask_is_where_a_word_is_seen_in_either_picture(sd: DiffusersModel) -> None:
    maps = torch.full((3, 8, 8), 0.01)
    maps[0, 1, 1], maps[1, 6, 6] = 1.0, 0.5
    maps[2, 1, 6] = 0.02  # a weak map is judged by its own maximum: 0.01 of the rest is more than 0.3 of it
    mask = blend_mask(look_with(maps, sd), (16, 16))
    expected = torch.zeros(2, 1, 16, 16)
    expected[:, :, 0:6, 0:6] = 1
    expected[0, :, 10:16, 10:16] = 1
    expected[1] = 1
    assert torch.equal(mask, expected)


def test_the_mask_works_at_any_size_of_picture(model: DiffusersModel) -> None:
    knobs = {**KNOBS, "size": (48, 32), "blend": "zq"}
    source, target = prompt_to_prompt(model, P, P_STAR, **knobs)
    assert source.size == target.size == (48, 32) and distance(source, plain(model, P, size=(48, 32))[0]) <= ROUNDING


# ------------------------------------------------------------------------------------------ looking, and bad input


@pytest.mark.parametrize("known", [False, True])
def test_the_maps_before_and_after_the_edit_can_be_seen(model: DiffusersModel, known: bool) -> None:
    look = AttentionStore(["cat", "zq", "ab"], grids=[(8, 8)], keep_separate=("step",))
    source = recorded(model, P, **KNOBS) if known else P
    prompt_to_prompt(
        model,
        source,
        P_STAR,
        cross_replace_steps=0.4,
        self_replace_steps=0,
        store=look,
        blend="zq",
        **({"progress": False} if known else KNOBS),
    )
    assert look.seen_steps == [0, 1, 2, 3, 4]
    assert torch.allclose(look.of("zq", step=1), look.of("cat", prompt=0, step=1), atol=1e-6)
    assert torch.equal(look.of("zq", step=3), look.of("zq", step=3, before=True))
    assert not torch.allclose(look.of("zq", step=1), look.of("zq", step=1, before=True), atol=1e-4)


@pytest.mark.parametrize(
    ("target", "knobs", "words"),
    [
        ("", {}, "prompt is empty"),
        ([], {}, "There is no target"),
        ("cat abcdefghijklmnop", {}, "too long"),
        (P_STAR, {"weights": {"dog": 2.0}}, "'dog' is not in the prompt 'a zq ab cd'; its words are: a, zq, ab, cd"),
        (P_STAR, {"blend": "dog"}, "'dog' is not in the prompt"),
        (P_STAR, {"cross_replace_steps": {"dog": 0.5}}, "'dog' is not in the prompt"),
        (P_STAR, {"cross_replace_steps": 1.5}, "end is 1.5; expected a number from 0 to 1"),
        (P_STAR, {"self_replace_steps": -1}, "self_replace_steps is -1; expected a number from 0 to 1"),
        ([P_STAR, P_PLUS], {"cross_replace_steps": [0.1, 0.2, 0.3]}, "cross_replace_steps has 3 values for 2 targets"),
    ],
)
def test_what_cannot_be_edited_is_an_error_before_the_model_works(
    sd: DiffusersModel, target: object, knobs: dict, words: str
) -> None:
    with counted(sd) as calls, pytest.raises(ValueError, match=words):
        prompt_to_prompt(sd, P, target, **{**KNOBS, **knobs})
    assert calls == []


def test_a_model_without_cross_attention_is_an_error() -> None:
    with pytest.raises(ValueError, match="AnalyticModel has no cross-attention"):
        prompt_to_prompt(AnalyticModel(), "left", "right")


def test_a_source_of_another_model_or_other_steps_is_an_error(models: dict[str, DiffusersModel]) -> None:
    source = generated(models["sd"], P, **KNOBS)
    with pytest.raises(ValueError, match="made with another model"):
        prompt_to_prompt(models["xl"], source, P_STAR)
    with pytest.raises(ValueError, match="steps is 7, and the source was made with 5"):
        prompt_to_prompt(models["sd"], source, P_STAR, steps=7)


def test_an_interrupt_in_mid_step_leaves_the_model_as_it_was(model: DiffusersModel) -> None:
    own, state = dict(model.unet.attn_processors), torch.get_rng_state()

    def stop(**_: object) -> None:
        raise KeyboardInterrupt

    for one in (P, recorded(model, P, **KNOBS)):
        with pytest.raises(KeyboardInterrupt):
            prompt_to_prompt(model, one, P_STAR, progress=False, watch=stop, **({"steps": 5} if one is P else {}))
    assert all(one is own[name] for name, one in model.unet.attn_processors.items())
    assert torch.equal(state, torch.get_rng_state()) and torch.is_grad_enabled()
    assert distance(plain(model, P)[0], plain(model, P)[0]) == 0


def test_the_two_pictures_start_from_the_same_noise(sd: DiffusersModel) -> None:
    first = noise(3, sd.shape(1))
    seen: list[torch.Tensor] = []
    hook = sd.unet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        prompt_to_prompt(sd, P, P_STAR, **KNOBS)
    finally:
        hook.remove()
    assert torch.equal(seen[0], first.repeat(4, 1, 1, 1))


def test_a_recording_is_as_the_source_walks(sd: DiffusersModel) -> None:
    known = recorded(sd, P, **KNOBS)
    assert isinstance(known, Recorded) and torch.equal(known.source.trajectory, generated(sd, P, **KNOBS).trajectory)
    states: list[torch.Tensor] = []
    denoise(sd, noise(3, sd.shape(1)), sd.embed(P), sd.times(5), 4.0, lambda x, **_: states.append(x), progress=False)
    assert torch.allclose(known.source.trajectory[1:], torch.cat(states))


def test_every_argument_has_a_row_in_the_symbol_table_and_every_row_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    names = [name for cell in names for name in cell.split(", ")]
    arguments = set(inspect.signature(prompt_to_prompt).parameters) - {"model", "progress", "watch", "store", "size"}
    assert arguments <= set(names)
    code = inspect.getsource(module)
    assert all(name in code for name in names)


def test_where_the_coarsest_grid_is_a_fine_one_self_attention_is_injected_there(model: DiffusersModel) -> None:
    """As in SDXL, whose attention is on 64 x 64 and 32 x 32 alone."""
    knobs = {**KNOBS, "steps": 2, "size": 256}  # latents of 64 x 64, halved once
    without = prompt_to_prompt(model, P, P_STAR, cross_replace_steps=0, self_replace_steps=0, **knobs)
    injected = prompt_to_prompt(model, P, P_STAR, cross_replace_steps=0, self_replace_steps=1, **knobs)
    source = recorded(model, P, **knobs)
    assert distance(without[0], injected[0]) == 0 < distance(without[1], injected[1])
    again = prompt_to_prompt(model, source, P_STAR, cross_replace_steps=0, self_replace_steps=1, progress=False)
    assert distance(injected[1], again[1]) <= ROUNDING


def test_a_picture_in_the_place_of_a_source_is_told_how_to_become_one(sd: DiffusersModel) -> None:
    with pytest.raises(TypeError, match="helpers.inversion.direct"):
        prompt_to_prompt(sd, stripes(), P_STAR, **KNOBS)


def test_a_weight_that_is_no_number_is_refused(sd: DiffusersModel) -> None:
    with pytest.raises(ValueError, match="weight is nan"):
        prompt_to_prompt(sd, P, P, weights={"ab": float("nan")}, **KNOBS)
