"""The attention core: what it computes equals explicit maps, what it leaves alone stays bitwise, and it cleans up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import random_pipelines
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.explicit import explicit_maps
from helpers.attention.control import attention
from helpers.attention.edits import (
    Edit,
    SelfEdit,
    during,
    inject_self,
    mixed,
    model_tokens,
    refine,
    replace,
    reweight,
    self_attention,
)
from helpers.attention.maps import AttentionStore
from helpers.attention.recording import Recording
from helpers.core.interface import join
from helpers.core.randomness import noise
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.pipelines import settled

P, P_STAR = "a cat ab cd", "a zq ab cd"  # "cat" is one token, all else is spelled out
P_PLUS = "a cat ab, ef cd"
P_BOTH = "a zq ab, ef cd"
STEPS = 5
CROSS = "down_blocks.0.attentions.0.transformer_blocks.0.attn2"


@pytest.fixture(params=["sd", "xl"])
def model(request: pytest.FixtureRequest, models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models[request.param]


def fresh(dtype: torch.dtype = torch.float32) -> DiffusersModel:
    """A small model of its own."""
    return DiffusersModel(settled(random_pipelines.stable_diffusion(), torch.device("cpu"), dtype))


def all_edits(model: DiffusersModel) -> dict[str, Edit]:
    """Every kind of edit, and mixes."""
    swap, added, both = replace(model, P, P_STAR), refine(model, P, P_PLUS), mixed(model, P, P_BOTH)
    return {
        "replace": swap,
        "refine": added,
        "mixed": both,
        "reweight": reweight(model, P_STAR, "zq", -1.5),
        "self": inject_self(model, P, P_STAR, 4),
        "replace, then reweight": swap @ reweight(model, P_STAR, "ab", 3.0),
        "refine in part": during(added, 0.0, {"default": 0.6, "cat": 0.2}),
        "all": during(both, 0.2, 0.8) @ during(inject_self(model, P, P_BOTH, 16), 0, 0.4)
        @ reweight(model, P_BOTH, "ef", 0.3),
    }


KINDS = ["replace", "refine", "mixed", "reweight", "self", "replace, then reweight", "refine in part", "all"]


def batch(model: DiffusersModel, prompts: list[str], grid: tuple[int, int] = (8, 8)) -> tuple[Tensor, Any]:
    """Random states and text of the prompts, the rows without a prompt first."""
    text = model.embed(prompts)
    x = torch.randn(2 * len(prompts), 4, *grid, generator=torch.Generator().manual_seed(0))
    return x, join(text.unconditional(), text)


def eps(model: DiffusersModel, prompts: list[str], step: int = 0, grid: tuple[int, int] = (8, 8)) -> Tensor:
    """The model's prediction at a step."""
    x, text = batch(model, prompts, grid)
    with torch.no_grad():
        return model.eps(x, model.times(STEPS)[step], text)


def prompts_of(*edits: Edit) -> list[str]:
    return [P, *(edit.target.prompt for edit in edits)]


# ----------------------------------------------------------------------------------------------- an edit is data


@pytest.mark.parametrize("kind", ["replace", "replace, then reweight"])
def test_a_swap_of_words_with_different_token_counts_does_not_shift_later_words(
    models: dict[str, DiffusersModel], kind: str
) -> None:
    edit = all_edits(models["sd"])[kind]
    A, b = edit.at(0, STEPS)
    source, target = edit.source, edit.target
    for word in ("a", "ab", "cd"):
        i, j = (tokens.spans.index(next(span for span in tokens.spans[1:] if tokens.prompt[slice(*span)] == word[0]))
                for tokens in (source, target))
        assert A[:, j].nonzero().flatten().tolist() == [i]
    assert target.texts[2:4] == ("z", "q</w>") and source.texts[2] == "cat</w>"
    assert A[2, 2] == A[2, 3] == 0.5 and not b.any()


def test_replace_keeps_rows_summing_to_1(models: dict[str, DiffusersModel]) -> None:
    for source, target in [(P, P_STAR), (P_STAR, P), ("cat", "abcdefgh"), ("abcdefgh", "cat"), ("a cat", "cat a")]:
        A, b = replace(models["sd"], source, target).at(0, STEPS)
        assert torch.allclose(A.sum(1), torch.ones(16)) and not b.any()


def test_refine_takes_shared_words_from_the_source_and_new_ones_from_the_target(
    models: dict[str, DiffusersModel],
) -> None:
    edit = refine(models["sd"], P, P_PLUS)
    A, b = edit.at(0, STEPS)
    assert [edit.target.texts[j] for j in b.nonzero().flatten()] == [",</w>", "e", "f</w>"]
    assert ((A.sum(0) > 0) == (b == 0)).all() and set(A.flatten().tolist()) == {0.0, 1.0}
    assert (A.sum(1) == 1).all(), "every source token's map goes somewhere, so rows sum to 1 and what new words take"


def test_mixed_is_replace_where_words_are_swapped_and_refine_where_they_are_added(
    models: dict[str, DiffusersModel],
) -> None:
    model = models["sd"]
    for one, same in ((P_STAR, replace(model, P, P_STAR)), (P_PLUS, refine(model, P, P_PLUS))):
        both = mixed(model, P, one)
        assert torch.equal(both.A, same.A) and torch.equal(both.b, same.b)


def test_the_same_prompt_is_the_identity(models: dict[str, DiffusersModel]) -> None:
    for make in (replace, refine, mixed):
        A, b = make(models["sd"], P, P).at(0, STEPS)
        assert torch.equal(A, torch.eye(16)) and not b.any()
    A, b = reweight(models["sd"], P, "cat", 1.0).at(0, STEPS)
    assert not A.any() and (b == 1).all()


def test_edits_compose_as_block_matrices(models: dict[str, DiffusersModel]) -> None:
    def block(edit: Edit) -> Tensor:
        A, b = edit.at(0, STEPS)
        return torch.cat([torch.cat([torch.eye(16), A], 1), torch.cat([torch.zeros(16, 16), b.diag()], 1)])

    one, two, three = (mixed(models["sd"], P, P_BOTH), reweight(models["sd"], P_BOTH, "ab", 2.0),
                       reweight(models["sd"], P_BOTH, "ef", -1.0))
    assert torch.allclose(block(one @ two @ three), block(one) @ block(two) @ block(three))
    assert torch.allclose(block((one @ two) @ three), block(one @ (two @ three)))
    with pytest.raises(ValueError, match="different prompts"):
        one @ reweight(models["sd"], P_STAR, "ab", 2.0)


def test_during_acts_in_its_steps_and_words_only(models: dict[str, DiffusersModel]) -> None:
    edit = during(replace(models["sd"], P, P_STAR), 0.2, {"default": 0.8, "zq": 0.4})
    A, b = edit.at(0, 10)
    assert not A.any() and (b == 1).all()
    for step, (others, word) in {1: (0, 0), 2: (1, 1), 3: (1, 1), 4: (1, 0), 7: (1, 0), 8: (0, 0)}.items():
        A, b = edit.at(step, 10)
        assert A[:, 1].any() == others and A[:, 2:4].any() == word and b[1] == 1 - others and b[2] == 1 - word
    nothing = during(all_edits(models["sd"])["all"], 0, 0)
    assert not nothing.A.any() and (nothing.b == 1).all() and not any(nothing.self_edits)
    with pytest.raises(ValueError, match="end is 1.2; expected a number from 0 to 1"):
        during(edit, 0, 1.2)


@pytest.mark.parametrize(
    ("source", "target", "make", "words"),
    [
        (P, P_PLUS, replace, r"do not swap word for word \(only in the target: ,, ef\). Use `refine`"),
        (P_PLUS, P, replace, "only in the source: ,, ef"),
        ("", P, mixed, "prompt is empty"),
        (P, "  ", refine, "prompt is empty"),
        (P, "cat abcdefghijklmnop", mixed, "too long: the model does not see 'nop'"),
    ],
)
def test_prompts_that_cannot_be_edited_say_what_to_do(
    models: dict[str, DiffusersModel], source: str, target: str, make: Callable, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make(models["sd"], source, target)


def test_a_word_that_is_not_in_the_prompt_lists_those_that_are(models: dict[str, DiffusersModel]) -> None:
    for wrong in (lambda: reweight(models["sd"], P, "dog", 2),
                  lambda: during(replace(models["sd"], P, P), 0, {"dog": 1}),
                  lambda: attention(models["sd"], prompts=P, store=AttentionStore("dog")).__enter__()):
        with pytest.raises(ValueError, match="'dog' is not in the prompt 'a cat ab cd'; its words are: a, cat, ab, cd"):
            wrong()


# ---------------------------------------------------------------------------------- the fused form is the explicit one


@pytest.mark.parametrize("kind", KINDS)
def test_the_fused_form_equals_explicit_maps(model: DiffusersModel, kind: str) -> None:
    edit = all_edits(model)[kind]
    for step in (0, 2, 4):
        with explicit_maps(model, [edit], STEPS):
            expected = eps(model, prompts_of(edit), step)
        with attention(model, edit, steps=STEPS):
            assert torch.allclose(eps(model, prompts_of(edit), step), expected, atol=1e-5)
        if step == 2:  # within every edit's steps
            assert not torch.allclose(eps(model, prompts_of(edit), step)[-1], expected[-1], atol=1e-4)


@pytest.mark.parametrize("grid", [(8, 12), (12, 8), (7, 5)])
def test_pictures_need_not_be_square(model: DiffusersModel, grid: tuple[int, int]) -> None:
    edit = all_edits(model)["all"]
    look = AttentionStore("cat ab".split(), keep_separate=("layer",))
    with explicit_maps(model, [edit], STEPS):
        expected = eps(model, prompts_of(edit), 1, grid)
    with attention(model, edit, steps=STEPS, store=look):
        assert torch.allclose(eps(model, prompts_of(edit), 1, grid), expected, atol=1e-5)
    assert look.seen_grids[0] == grid and look.of("ab", grid).shape == grid


def test_several_targets_with_edits_of_their_own_share_a_batch(model: DiffusersModel) -> None:
    edits = [all_edits(model)[kind] for kind in ("replace", "all", "self", "refine in part")]
    for step in range(STEPS):
        with explicit_maps(model, edits, STEPS):
            expected = eps(model, prompts_of(*edits), step)
        with attention(model, edits, steps=STEPS):
            assert torch.allclose(eps(model, prompts_of(*edits), step), expected, atol=1e-5)


def test_half_precision_stays_close(models: dict[str, DiffusersModel]) -> None:
    half, edit = fresh(torch.bfloat16), all_edits(models["sd"])["all"]
    look = AttentionStore("ab")
    with attention(half, edit, steps=STEPS, store=look):
        edited = eps(half, prompts_of(edit), 1)
    with explicit_maps(half, [edit], STEPS):
        expected = eps(half, prompts_of(edit), 1)
    assert edited.dtype == torch.float32 and (edited - expected).abs().mean() < 0.02 * expected.abs().mean()
    assert look.of("ab", (8, 8)).dtype == torch.float32


class Lora(torch.nn.Module):
    """A linear layer with a low-rank addition, as adapters wrap it."""

    def __init__(self, base: torch.nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = torch.nn.Parameter(torch.randn(2, base.in_features))
        self.up = torch.nn.Parameter(torch.randn(base.out_features, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.down.T @ self.up.T


def test_adapted_layers_keep_their_adapters() -> None:
    model = fresh()
    edit = all_edits(model)["all"]
    with attention(model, edit, steps=STEPS):
        without = eps(model, prompts_of(edit), 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for module in model.unet.modules():
            if hasattr(module, "to_q"):
                module.to_q, module.to_v = Lora(module.to_q), Lora(module.to_v)
    with explicit_maps(model, [edit], STEPS):
        expected = eps(model, prompts_of(edit), 1)
    with attention(model, edit, steps=STEPS):
        edited = eps(model, prompts_of(edit), 1)
    assert torch.allclose(edited, expected, atol=1e-5) and not torch.allclose(edited, without, atol=1e-3)


def test_peft_s_layers_are_edited_too() -> None:
    peft = pytest.importorskip("peft", reason="peft is optional")
    model = fresh()
    model.unet.add_adapter(peft.LoraConfig(target_modules=["to_q", "to_k", "to_v"], init_lora_weights=False))
    edit = all_edits(model)["all"]
    with explicit_maps(model, [edit], STEPS):
        expected = eps(model, prompts_of(edit), 1)
    with attention(model, edit, steps=STEPS):
        assert torch.allclose(eps(model, prompts_of(edit), 1), expected, atol=1e-5)


@pytest.mark.slow
def test_a_compiled_network_is_edited_and_compiled_once_for_each_kind_of_step() -> None:
    model = fresh()
    edit, graphs = all_edits(model)["all"], []

    def backend(graph: Any, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    expected = []
    for step in range(STEPS):
        with explicit_maps(model, [edit], STEPS):
            expected.append(eps(model, prompts_of(edit), step))
    network = model.unet
    torch._dynamo.reset()
    model.pipeline.unet = torch.compile(network, backend=backend)
    with attention(model, edit, steps=STEPS, store=AttentionStore("ab")):
        found = [eps(model, prompts_of(edit), step) for step in range(STEPS)]
        first = len(graphs)
        again = [eps(model, prompts_of(edit), step) for step in range(STEPS)]
    torch._dynamo.reset()
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found + again, expected * 2, strict=True))
    assert len(graphs) == first, "a second walk compiles nothing new"


# --------------------------------------------------------------------------------------- what is left alone stays


def test_without_an_edit_the_prediction_is_the_same_to_the_last_bit(model: DiffusersModel) -> None:
    plain = eps(model, [P, P_STAR])
    with attention(model, store=AttentionStore("zq"), prompts=[P, P_STAR], steps=STEPS):
        assert torch.equal(eps(model, [P, P_STAR]), plain)
    with attention(model, during(all_edits(model)["replace"], 0, 0), steps=STEPS):
        assert torch.equal(eps(model, [P, P_STAR]), plain)
    assert torch.equal(eps(model, [P, P_STAR]), plain)


def test_only_the_targets_rows_change(model: DiffusersModel) -> None:
    edit = all_edits(model)["all"]
    plain = eps(model, prompts_of(edit), 1)
    with attention(model, edit, steps=STEPS):
        edited = eps(model, prompts_of(edit), 1)
    assert torch.allclose(edited[:3], plain[:3], atol=1e-6) and not torch.allclose(edited[3], plain[3], atol=1e-4)


def test_layers_that_were_not_selected_keep_their_own_processors(model: DiffusersModel) -> None:
    own, edit = dict(model.unet.attn_processors), all_edits(model)["replace"]
    with attention(model, edit, layers=["down_blocks"], steps=STEPS):
        changed = {name for name, one in model.unet.attn_processors.items() if one is not own[name]}
    assert changed == {f"{CROSS}.processor"}, "cross-attention only, since this edit does not touch self-attention"
    with attention(model, all_edits(model)["self"], steps=STEPS):
        changed = {name for name, one in model.unet.attn_processors.items() if one is not own[name]}
    assert changed == {name for name in own if "attn1" in name}


class Stop(BaseException):
    """Something like Ctrl-C."""


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, Stop])
def test_processors_and_hooks_are_back_whatever_happens(model: DiffusersModel, error: type | None) -> None:
    own, edit = dict(model.unet.attn_processors), all_edits(model)["all"]
    hooks = len(model.unet._forward_pre_hooks), len(model.unet._forward_hooks)
    block = next(module for name, module in model.unet.named_modules() if name == "mid_block")

    def stop(*_: Any) -> None:
        if error:
            raise error("in mid-step")

    middle = block.register_forward_hook(stop)
    try:
        with attention(model, edit, steps=STEPS, store=AttentionStore("ab")), attention(model, edit, steps=STEPS):
            pass
        with attention(model, edit, steps=STEPS, store=AttentionStore("ab")):
            assert any(one is not own[name] for name, one in model.unet.attn_processors.items())
            eps(model, prompts_of(edit))
    except BaseException as raised:
        assert error and isinstance(raised, error)
    finally:
        middle.remove()
    assert all(one is own[name] for name, one in model.unet.attn_processors.items())
    assert hooks == (len(model.unet._forward_pre_hooks), len(model.unet._forward_hooks))


def test_a_wrong_argument_leaves_the_model_as_it_was(model: DiffusersModel) -> None:
    own = dict(model.unet.attn_processors)
    with pytest.raises(ValueError), attention(model, prompts=P, store=AttentionStore("dog")):
        pass
    assert all(one is own[name] for name, one in model.unet.attn_processors.items())


# ------------------------------------------------------------------------------------------------ no silent success


def test_a_model_without_cross_attention_is_an_error() -> None:
    with pytest.raises(ValueError, match="AnalyticModel has no cross-attention"), attention(AnalyticModel()):
        pass
    with pytest.raises(ValueError, match="AnalyticModel has no cross-attention"):
        replace(AnalyticModel(), "left", "right")


def test_an_unknown_layer_lists_those_there_are(model: DiffusersModel) -> None:
    for make in (lambda: attention(model, all_edits(model)["replace"], layers=["attic"]),
                 lambda: attention(model, prompts=P, store=AttentionStore("cat", layers=["attic"]))):
        with pytest.raises(ValueError, match=f"no layer 'attic'; the layers are: .*{CROSS}"), make():
            pass


def test_a_grid_that_no_layer_has_is_an_error_that_lists_those_there_are(model: DiffusersModel) -> None:
    with (attention(model, prompts=P, store=AttentionStore("cat", grids=[(5, 5)]), steps=STEPS),
          pytest.raises(ValueError, match=r"No layer has maps of \[\(5, 5\)\].* \[\(8, 8\), \(4, 4\)\]")):
        eps(model, [P])


def test_a_time_of_other_steps_is_an_error(model: DiffusersModel) -> None:
    refused = pytest.raises(ValueError, match="times of 7 steps")
    with attention(model, prompts=P, store=AttentionStore("cat"), steps=7), refused:
        eps(model, [P], 1)


def test_a_batch_without_the_edit_s_prompts_is_an_error(model: DiffusersModel) -> None:
    edit = all_edits(model)["replace"]
    for prompts in ([P_STAR, P], [P_STAR], [P, P_PLUS]):
        with (
            attention(model, edit, steps=STEPS),
            pytest.raises(ValueError, match="does not end with the prompts 'a cat ab cd', 'a zq ab cd'"),
        ):
            eps(model, prompts)


@pytest.mark.parametrize("times", [0, 2])
def test_a_layer_that_is_not_called_exactly_once_is_an_error(
    model: DiffusersModel, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = dict(model.unet.named_modules())[CROSS]
    own = layer.forward

    def forward(hidden_states: Tensor, *inputs: Any, **knobs: Any) -> Tensor:
        for _ in range(times):
            hidden_states = own(hidden_states, *inputs, **knobs)
        return hidden_states

    monkeypatch.setattr(layer, "forward", forward)
    with (
        attention(model, all_edits(model)["replace"], steps=STEPS),
        pytest.raises(RuntimeError, match="called twice" if times else f"not called by the model.*{CROSS}"),
    ):
        eps(model, [P, P_STAR])


def test_an_adapter_in_a_processor_is_an_error() -> None:
    model = fresh()

    class Adapter(torch.nn.Module):
        pass

    dict(model.unet.named_modules())[CROSS].set_processor(Adapter())
    with pytest.raises(ValueError, match="has an adapter in its attention processor"), attention(model, prompts=P):
        pass


# ---------------------------------------------------------------------------------------------------------- looking


def explicit_map(model: DiffusersModel, edit: Edit, word: slice, row: int, before: bool, steps: range) -> Tensor:
    """The mean over heads, layers of 8 x 8 and steps of the map of the tokens `word`, from explicit maps."""
    found = []
    for step in steps:
        with explicit_maps(model, [edit], STEPS, keep=True) as layers:
            eps(model, prompts_of(edit), step)
        for layer in layers.values():
            if layer.maps is not None and layer.maps.shape[-2] == 64:
                found.append(layer.maps[2 + row, 0 if before else 1, :, :, word].sum(-1).mean(0).unflatten(0, (8, 8)))
    return torch.stack(found).mean(0)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("row", "word", "tokens"), [(0, "cat", slice(2, 3)), (1, "zq", slice(2, 4))])
def test_a_watched_map_is_the_mean_of_the_explicit_ones(
    model: DiffusersModel, row: int, word: str, tokens: slice, before: bool
) -> None:
    edit = all_edits(model)["replace, then reweight"]
    look = AttentionStore(["cat", "zq", "ab"], grids=[(8, 8)])
    expected = explicit_map(model, edit, tokens, row, before, range(3))
    with attention(model, edit, store=look, steps=STEPS) as seen:
        for step in range(3):
            eps(model, prompts_of(edit), step)
    assert seen is look and torch.allclose(look.of(word, prompt=row, before=before), expected, atol=1e-6)


def test_the_swapped_word_looks_where_the_old_word_looked(model: DiffusersModel) -> None:
    look = AttentionStore(["cat", "zq"], grids=[(8, 8)])
    with attention(model, all_edits(model)["replace"], store=look, steps=STEPS):
        eps(model, [P, P_STAR])
    assert torch.allclose(look.of("zq"), look.of("cat", prompt=0), atol=1e-6)
    assert not torch.allclose(look.of("zq", before=True), look.of("cat", prompt=0), atol=1e-3)


def test_steps_and_layers_can_be_kept_apart_and_average_to_the_same(model: DiffusersModel) -> None:
    edit, maps = all_edits(model)["replace"], {}
    for keep_separate in ((), ("step",), ("layer",), ("step", "layer")):
        look = AttentionStore("ab", keep_separate=keep_separate)
        with attention(model, edit, store=look, steps=STEPS):
            for step in range(3):
                eps(model, [P, P_STAR], step)
        maps[keep_separate] = look.of("ab", (8, 8))
    assert look.seen_steps == [0, 1, 2] and look.seen_grids == [(8, 8), (4, 4)] and look.seen_layers[CROSS] == (8, 8)
    assert look.of("ab", step=2, layer=CROSS).shape == (8, 8)
    assert all(torch.allclose(one, maps[()], atol=1e-6) for one in maps.values())


def test_the_memory_of_a_look_does_not_depend_on_the_steps(model: DiffusersModel) -> None:
    sizes = []
    for count in (1, STEPS):
        look = AttentionStore("ab")
        with attention(model, all_edits(model)["replace"], store=look, steps=STEPS):
            for step in range(count):
                eps(model, [P, P_STAR], step)
        sizes.append(sum(one.untyped_storage().nbytes() for one in look.sums.values()))
        assert all(one.dtype == torch.float32 for one in look.sums.values())
    assert sizes[0] == sizes[1]


def test_what_was_not_watched_says_so(model: DiffusersModel) -> None:
    look = AttentionStore(["cat", "zq"])
    with pytest.raises(ValueError, match="Nothing has been watched yet"):
        look.of("cat")
    with attention(model, all_edits(model)["replace"], store=look, steps=STEPS):
        eps(model, [P, P_STAR])
    for wrong, words in [
        (lambda: look.of("ab"), "was not watched; watched were: cat, zq"),
        (lambda: look.of("cat"), "not in the prompt 'a zq ab cd'"),
        (lambda: look.of("zq"), "Several grids were watched"),
        (lambda: look.of("zq", (3, 3)), r"No map of grid \(3, 3\)"),
        (lambda: look.of("zq", (8, 8), step=1), "only if kept separate"),
        (lambda: AttentionStore("a", keep_separate=["time"]), "expected 'step', 'layer'"),
    ]:
        with pytest.raises(ValueError, match=words):
            wrong()


class Ops(TorchDispatchMode):
    """The shapes of what every operation gives."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[int, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **kwargs or {})
        self.seen += [
            (str(func), tuple(one.shape))
            for one in (out if isinstance(out, tuple) else (out,))
            if isinstance(one, Tensor)
        ]
        return out


@contextmanager
def maps_formed(pixels: int = 64, tokens: int = 16) -> Iterator[list[tuple[str, tuple[int, ...]]]]:
    """Every tensor of pixels x tokens or pixels x pixels that is made inside, and every softmax."""
    found: list[tuple[str, tuple[int, ...]]] = []
    with Ops() as ops:
        yield found
    found += [
        (name, shape)
        for name, shape in ops.seen
        if "softmax" in name
        or (
            "transpose" not in name
            and "view" not in name
            and len(shape) > 2
            and shape[-2] == pixels
            and shape[-1] in (pixels, tokens)
            and len(shape) == 4
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_map_is_formed_unless_watched(models: dict[str, DiffusersModel], kind: str) -> None:
    model = models["sd"]
    edit = all_edits(model)[kind]
    for wanted, manager in ((False, attention(model, edit, steps=STEPS)), (True, explicit_maps(model, [edit], STEPS))):
        with manager, maps_formed() as formed:
            eps(model, prompts_of(edit), 1)
        assert bool(formed) == wanted


# -------------------------------------------------------------------------------------------------------- recording


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_source_needs_no_row(model: DiffusersModel, kind: str) -> None:
    edit = all_edits(model)[kind]
    recording = Recording(model.tokens(P), up_to=16)
    x, text = batch(model, prompts_of(edit))
    t = model.times(STEPS)[1]
    live, replay = AttentionStore("ab"), AttentionStore("ab")
    with torch.no_grad():
        with attention(model, prompts=P, record=recording, steps=STEPS):
            model.eps(x[[2]], t, text[[2]])
        with attention(model, edit, prompts=P, steps=STEPS, store=live):
            expected = model.eps(x, t, text)[[1, 3]]
        with attention(model, edit, steps=STEPS, recording=recording, store=replay):
            found = model.eps(x[[1, 3]], t, text[[1, 3]])
    assert torch.allclose(found, expected, atol=1e-5)
    for where in ({}, {"before": True}, {"prompt": 0}):
        assert torch.allclose(live.of("ab", (8, 8), **where), replay.of("ab", (8, 8), **where), atol=1e-5)


def test_a_recording_of_other_steps_or_sizes_says_so(model: DiffusersModel) -> None:
    edit = all_edits(model)["replace"]
    recording = Recording(model.tokens(P), up_to=2)
    with attention(model, prompts=P, record=recording, steps=STEPS):
        eps(model, [P], 1)
    assert recording.nbytes > 0
    with attention(model, edit, steps=STEPS, recording=recording), pytest.raises(ValueError, match="has no step 2 at"):
        eps(model, [P_STAR], 2)
    with attention(model, edit, steps=STEPS, recording=recording), pytest.raises(ValueError, match=r"of \(8, 8\)"):
        eps(model, [P_STAR], 1, (8, 12))
    with (
        pytest.raises(ValueError, match="different sources, 'a zq ab cd', 'a cat ab cd'"),
        attention(model, replace(model, P_STAR, P), steps=STEPS, recording=recording),
    ):
        pass
    with (
        pytest.raises(ValueError, match="grids up to 2 only"),
        attention(model, all_edits(model)["self"], steps=STEPS, recording=recording),
    ):
        pass


def test_one_name_is_as_good_as_a_list_with_it_and_no_name_is_an_error(model: DiffusersModel) -> None:
    edit, x, t = replace(model, P, P_STAR), noise(0, model.shape(2)), model.times(model.steps)[0]
    text, found = model.embed([P, P_STAR]), []
    with torch.no_grad():
        for layers in (None, ["up_blocks"], "up_blocks"):
            with attention(model, edit, layers=layers):
                found.append(model.eps(x, t, text))
        plain = model.eps(x, t, text)
        with attention(
            model, store=AttentionStore("cat", layers="up_blocks", keep_separate="layer"), prompts=[P, P_STAR]
        ) as seen:
            model.eps(x, t, text)
    assert torch.equal(found[1], found[2]) and not torch.equal(found[1], found[0])
    assert not torch.equal(found[1], plain) and all(name.startswith("up_blocks") for name in seen.seen_layers)
    with pytest.raises(ValueError, match="No layer is chosen"), attention(model, edit, layers=[]):
        pass


def test_a_look_without_prompts_says_what_to_give(model: DiffusersModel) -> None:
    with pytest.raises(ValueError, match="Name the prompts"), attention(model, store=AttentionStore("cat")):
        pass


# ------------------------------------------------------------------- recordings know their steps; every order of exits


def recorded_at(model: DiffusersModel, steps: int, count: int) -> Recording:
    """The source's attention at the first `count` of `steps` steps."""
    recording = Recording(model.tokens(P), up_to=16)
    with attention(model, prompts=P, record=recording, steps=steps):
        for step in range(count):
            x, text = batch(model, [P])
            with torch.no_grad():
                model.eps(x[1:], model.times(steps)[step], text[1:])
    return recording


def test_a_recording_of_4_steps_is_refused_at_2(models: dict[str, DiffusersModel]) -> None:
    model, x = models["sd"], noise(0, models["sd"].shape(1))
    recording, edit = recorded_at(model, 4, 4), all_edits(models["sd"])["replace"]
    with attention(model, edit, steps=2, recording=recording), pytest.raises(ValueError, match="4 steps.* makes 2"):
        model.eps(x, model.times(2)[0], model.embed(P_STAR))
    with (attention(model, edit, steps=2, recording=Recording(model.tokens(P), 16)),
          pytest.raises(ValueError, match="with nothing yet")):
        model.eps(x, model.times(2)[0], model.embed(P_STAR))


def test_self_injection_past_the_last_recorded_step_is_an_error(model: DiffusersModel) -> None:
    """Else it would silently take the row before the targets, which is the empty prompt's."""
    recording = recorded_at(model, STEPS, 2)
    with (attention(model, all_edits(model)["self"], steps=STEPS, recording=recording),
          pytest.raises(ValueError, match="no step 3")):
        eps(model, [P_STAR], 3)


def test_a_recorded_source_is_watched_without_an_edit(model: DiffusersModel) -> None:
    recording, store = recorded_at(model, STEPS, 1), AttentionStore("cat", grids=[(8, 8)])
    with attention(model, recording=recording, store=store, steps=STEPS):
        eps(model, [P_STAR])
    live = AttentionStore("cat", grids=[(8, 8)])
    x, text = batch(model, [P])
    with torch.no_grad(), attention(model, prompts=P, store=live, steps=STEPS):
        model.eps(x[1:], model.times(STEPS)[0], text[1:])
    assert len(store.prompts) == 1 and torch.allclose(store.of("cat"), live.of("cat"), atol=1e-6)


def test_a_later_batch_without_the_prompts_is_an_error_too(model: DiffusersModel) -> None:
    with attention(model, all_edits(model)["replace"], steps=STEPS):
        eps(model, [P, P_STAR], 0)
        with pytest.raises(ValueError, match="does not end with the prompts"):
            eps(model, [P_STAR, P], 1)


def test_contexts_that_end_in_another_order_leave_the_model_as_it_was(model: DiffusersModel) -> None:
    own, plain, edit = dict(model.unet.attn_processors), eps(model, [P, P_STAR]), all_edits(model)["all"]
    for order in itertools.permutations(range(3)):
        opened = [attention(model, edit, steps=STEPS) for _ in range(3)]
        for one in opened:
            one.__enter__()
        for i in order:
            opened[i].__exit__(None, None, None)
        assert all(one is own[name] for name, one in model.unet.attn_processors.items())
    first, second = (attention(model, edit, steps=STEPS) for _ in range(2))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    edited = eps(model, prompts_of(edit), 1)  # the second still holds
    second.__exit__(None, None, None)
    with attention(model, edit, steps=STEPS):
        assert torch.equal(edited, eps(model, prompts_of(edit), 1))
    assert torch.equal(eps(model, [P, P_STAR]), plain)


def test_edits_from_two_threads_are_as_each_alone(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]
    own = dict(model.unet.attn_processors)

    def edited(kind: str) -> list[Tensor]:
        edit = all_edits(model)[kind]
        with attention(model, edit, steps=STEPS):
            return [eps(model, prompts_of(edit), step) for step in range(STEPS)]

    kinds = ["replace", "all", "self", "reweight"]
    alone = [edited(kind) for kind in kinds]
    with ThreadPoolExecutor(len(kinds)) as pool:
        together = list(pool.map(edited, kinds, timeout=120))
    assert all(torch.equal(a, b) for one, other in zip(alone, together, strict=True)
               for a, b in zip(one, other, strict=True))
    assert all(one is own[name] for name, one in model.unet.attn_processors.items())


def test_sliced_attention_is_edited_and_left_alone_as_any_other() -> None:
    model = fresh()
    edit = all_edits(model)["all"]
    with attention(model, edit, steps=STEPS):
        expected = [eps(model, prompts_of(edit), step) for step in (1, 4)]
    model.pipeline.enable_attention_slicing(1)
    with attention(model, edit, steps=STEPS, store=AttentionStore("ab")):
        found = [eps(model, prompts_of(edit), step) for step in (1, 4)]  # at 4 the layers' own processors do the work
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(expected, found, strict=True))


# -------------------------------------------------------------------------------------- whose queries, keys and values


def masactrl(model: DiffusersModel, source: str, target: str) -> Edit:
    """Mutual self-attention (Cao et al., arXiv:2304.08465): the target asks, the source answers; from a fifth on."""
    return during(self_attention(model, source, target, SelfEdit("target", "source", "source")), 0.2, 1.0)


def plug_and_play(model: DiffusersModel, source: str, target: str) -> Edit:
    """Self-attention of Plug-and-Play (Tumanyan et al., arXiv:2211.12572): queries and keys, for half of the steps."""
    return during(self_attention(model, source, target, SelfEdit("source", "source", "target", up_to=64)), 0.0, 0.5)


SELF_EDITS = [SelfEdit(*whose) for whose in itertools.product(("source", "target"), repeat=3)]


@pytest.mark.parametrize("self_edit", SELF_EDITS, ids=lambda one: f"{one.q}-{one.k}-{one.v}")
def test_every_choice_of_queries_keys_and_values_is_what_explicit_attention_gives(
    model: DiffusersModel, self_edit: SelfEdit
) -> None:
    edit = during(self_attention(model, P, P_STAR, self_edit), 0.25, 1.0) @ during(mixed(model, P, P_STAR), 0, 0.5)
    with attention(model, edit, steps=STEPS):
        fused = [eps(model, [P, P_STAR], step) for step in range(STEPS)]
    with explicit_maps(model, [edit], STEPS):
        explicit = [eps(model, [P, P_STAR], step) for step in range(STEPS)]
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(fused, explicit, strict=True))


def last_row(model: DiffusersModel, prompts: list[str], step: int) -> Tensor:
    """The prediction for the last prompt; each prompt's state is the same whatever stands beside it."""
    x = torch.cat([noise(len(prompt), model.shape(1)) for prompt in prompts])
    text = model.embed(prompts)
    with torch.no_grad():
        both = join(text.unconditional(), text)
        return model.eps(torch.cat([x, x]), model.times(STEPS)[step], both)[-1:]


@pytest.mark.parametrize("build", [masactrl, plug_and_play])
def test_masactrl_and_plug_and_play_are_three_lines_and_a_recording_gives_the_same(
    model: DiffusersModel, build: Callable[..., Edit]
) -> None:
    edit = build(model, P, P_STAR)
    with attention(model, edit, steps=STEPS):
        together = [last_row(model, [P, P_STAR], step) for step in range(STEPS)]
    recording = Recording(model_tokens(model, P), 64, values=True)
    with attention(model, prompts=P, steps=STEPS, record=recording):
        [last_row(model, [P], step) for step in range(STEPS)]
    with attention(model, edit, steps=STEPS, recording=recording):
        alone = [last_row(model, [P_STAR], step) for step in range(STEPS)]
    plain = [last_row(model, [P_STAR], step) for step in range(STEPS)]
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(together, alone, strict=True))
    assert any(not torch.allclose(a, b, atol=1e-3) for a, b in zip(together, plain, strict=True))


def test_values_that_were_not_recorded_are_asked_for_in_a_sentence(model: DiffusersModel) -> None:
    recording = Recording(model_tokens(model, P), 64)
    with attention(model, prompts=P, steps=STEPS, record=recording):
        eps(model, [P], 0)
    edit = self_attention(model, P, P_STAR, SelfEdit("target", "source", "source"))
    with (attention(model, edit, steps=STEPS, recording=recording),
          pytest.raises(ValueError, match="values=True where its values are asked for")):
        eps(model, [P_STAR], 0)


def test_self_edits_hold_in_the_layers_they_name_only(model: DiffusersModel) -> None:
    nowhere = self_attention(model, P, P_STAR, SelfEdit(layers=("attic",)))
    late = self_attention(model, P, P_STAR, SelfEdit(up_to=64, layers=("up_blocks",)))
    plain = eps(model, [P, P_STAR])
    with attention(model, nowhere, steps=STEPS):
        assert torch.equal(eps(model, [P, P_STAR]), plain)
    with attention(model, late, steps=STEPS):
        assert not torch.equal(eps(model, [P, P_STAR])[-1], plain[-1])


@pytest.mark.parametrize("wrong", [{"q": "mine"}, {"v": None}, {"up_to": 0}, {"up_to": "16"},
                                   {"layers": 3}, {"layers": "up_blocks"}])  # fmt: skip
def test_a_self_edit_of_nothing_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="is .*; expected"):
        SelfEdit(**wrong)
