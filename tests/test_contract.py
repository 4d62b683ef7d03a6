"""The contract of methods: the same things in the same order, watched and cancelled in one way, whatever the model."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from flow_model import FlowModel
from PIL import Image
from public_functions import FUNCTIONS
from small_pictures import distance, stripes

import helpers
from helpers.core.interface import Text
from helpers.core.randomness import noise
from helpers.methods import inversion
from helpers.methods.blended import blended_diffusion, scribble
from helpers.methods.contract import ORDER
from helpers.methods.diffedit import diffedit, difference, find_mask
from helpers.methods.dreambooth import fit_dreambooth
from helpers.methods.imagic import Fitted, fit_embedding, fit_imagic, fit_model, imagic
from helpers.methods.magicmix import magicmix
from helpers.methods.sdedit import sdedit
from helpers.methods.source import Source, generated
from helpers.methods.textual_inversion import fit_textual_inversion
from helpers.methods.word_mask import attended, word_mask

INVERSIONS = (inversion.ddim, inversion.direct, inversion.negative_prompt, inversion.null_text, inversion.edit_friendly)
METHODS = (
    sdedit,
    magicmix,
    blended_diffusion,
    scribble,
    diffedit,
    difference,
    find_mask,
    attended,
    word_mask,
    imagic,
    generated,
    inversion.reconstruct,
    *INVERSIONS,
)
FITS = (fit_dreambooth, fit_textual_inversion, fit_imagic, fit_embedding, fit_model)
ROOMS = Path(helpers.__file__).parent
WHITE = Image.new("L", (32, 32), 255)
FLOW = FlowModel()

RUNS: dict[str, Callable[..., object]] = {  # each method on a small random model: (model, **knobs)
    "sdedit": lambda model, **k: sdedit(model, stripes(), "cat", steps=4, **k),
    "magicmix": lambda model, **k: magicmix(model, stripes(), "cat", steps=4, **k),
    "blended": lambda model, **k: blended_diffusion(model, stripes(), "cat", WHITE, steps=4, **k),
    "scribble": lambda model, **k: scribble(model, stripes(), "cat", Image.new("RGB", (32, 32), "red"), steps=4, **k),
    "find_mask": lambda model, **k: find_mask(model, stripes(), "cat", "dog", steps=4, maps=2, **k),
    "diffedit": lambda model, **k: diffedit(model, stripes(), "cat", "dog", steps=4, maps=2, **k),
    "word_mask": lambda model, **k: word_mask(model, stripes(), "a cat", "cat", steps=4, maps=2, **k),
    "generate": lambda model, **k: model.generate("cat", steps=3, **k)[0],
    "generated": lambda model, **k: generated(model, "cat", steps=4, **k).trajectory,
    "direct": lambda model, **k: inversion.direct(model, stripes(), "cat", steps=3, **k).trajectory,
    "edit_friendly": lambda model, **k: inversion.edit_friendly(model, stripes(), "cat", steps=3, **k).trajectory,
    "null_text": lambda model, **k: (
        inversion.null_text(model, stripes(), "cat", steps=2, inner=1, guidance=3, **k).uncond_embeddings
    ),
}


#: under the contract, and tested by themselves: several prompts or none, nothing to edit
OTHERS = {"prompt_to_prompt": "test_prompt_to_prompt", "recorded": "test_prompt_to_prompt",
          "prior_pictures": "test_dreambooth"}


def test_no_method_is_left_out_here() -> None:
    """A new method is added to METHODS (or FITS) and RUNS above, and to FUNCTIONS in public_functions.py."""
    here = {method.__name__ for method in (*METHODS, *FITS)} | set(OTHERS)
    for file in sorted((ROOMS / "methods").glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and {"method", "fitting"} & {*map(ast.unparse, node.decorator_list)}:
                assert node.name in here, f"{file.name}: add {node.name} to METHODS and RUNS in tests/test_contract.py"
                fuzzed = {name for names in FUNCTIONS.values() for name in names}
                assert node.name in fuzzed, f"{file.name}: add {node.name} to FUNCTIONS in tests/public_functions.py"


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_tested_elsewhere_is_tested_there(name: str) -> None:
    assert f"{name}(" in (Path(__file__).parent / f"{OTHERS[name]}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("method", [*METHODS, *FITS], ids=lambda method: method.__name__)
def test_every_method_takes_the_same_things_in_the_same_order(method: Callable) -> None:
    parameters = inspect.signature(method).parameters
    given = [name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    named = [name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY]
    assert given[0] == "model"
    assert method is generated or given[1] in ("image", "pictures", "source", "fitted")
    assert method in (imagic, fit_model) or any("prompt" in name for name in given[1:4])
    asked = [name for name in given if "prompt" in name]
    assert "mask" not in given or given.index("mask") > given.index(asked[0]), "a mask comes after the prompt"
    shared = [name for name in named if name in ORDER]
    assert shared == sorted(shared, key=ORDER.index) and named[-len(shared) :] == shared
    assert named[-2:] == ["progress", "watch"]
    for name in ("steps", "guidance"):
        assert name not in named or method in FITS or parameters[name].default is None


@pytest.mark.parametrize("name", RUNS)
def test_every_method_is_watched_with_the_state_its_time_and_the_prediction(models: dict, name: str) -> None:
    seen = []
    RUNS[name](models["sd"], progress=False, watch=lambda x, t, eps, **_: seen.append((x.shape[0], t, eps.shape[1:])))
    assert seen and all(isinstance(t, int) for _, t, _ in seen)


class Enough(BaseException):
    """Raised by whoever watches."""


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("way", ["watch", "progress"])
def test_every_method_is_cancelled_by_raising_and_leaves_all_as_it_was(models: dict, name: str, way: str) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Enough

    model = models["sd"]
    processors, state = dict(model.unet.attn_processors), torch.get_rng_state()
    with pytest.raises(Enough):
        RUNS[name](model, **{"progress": False, way: stop})
    assert all(processor is processors[layer] for layer, processor in model.unet.attn_processors.items())
    assert torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled()
    assert RUNS[name](model, progress=False) is not None


def test_progress_may_be_a_function_of_the_steps_done_and_all(models: dict) -> None:
    told = []
    sdedit(models["sd"], stripes(), "cat", steps=5, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_bar_that_cannot_be_drawn_ends_nothing(models: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise LookupError("no parent header in this thread")

    monkeypatch.setattr("tqdm.auto.tqdm", broken)
    assert sdedit(models["sd"], stripes(), "cat", steps=3).size == models["sd"].size


def as_array(made: object) -> np.ndarray:
    return np.asarray(made, dtype=np.float64)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("around", ["float64", "meta", "no grad", "inference"])
def test_nothing_of_the_world_leaks_in(models: dict, name: str, around: str) -> None:
    plain = as_array(RUNS[name](models["sd"], progress=False))
    try:
        if around == "float64":
            torch.set_default_dtype(torch.float64)
        elif around == "meta":
            torch.set_default_device("meta")
        elif around == "no grad":
            torch.set_grad_enabled(False)
        with torch.inference_mode(around == "inference"):
            strange = RUNS[name](models["sd"], progress=False)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)
    assert np.array_equal(plain, as_array(strange))


@pytest.mark.parametrize("grad", [True, False])
def test_a_fit_works_whatever_the_grad_mode_around_it(models: dict, grad: bool) -> None:
    with torch.set_grad_enabled(grad):
        e_opt = fit_embedding(models["sd"], stripes(), "cat", steps=np.int64(1), lr=np.float32(1e-3), progress=False)
    assert isinstance(e_opt, Text)


def test_values_of_numpy_and_torch_give_the_same_picture(models: dict) -> None:
    plain = sdedit(models["sd"], stripes(), "cat", strength=0.5, seed=3, steps=4, guidance=2.0, progress=False)
    odd = sdedit(
        models["sd"],
        stripes(),
        np.str_("cat"),
        strength=torch.tensor(0.5),
        seed=np.int32(3),
        steps=np.array(4),
        guidance=np.float64(2),
        progress=np.bool_(False),
    )
    assert distance(plain, odd) == 0


def test_a_source_saved_after_numpy_numbers_is_the_same(models: dict, tmp_path: Path) -> None:
    source = generated(models["sd"], "cat", steps=np.int64(2), guidance=np.float32(2), progress=False)
    source.save(tmp_path / "a.safetensors")
    assert Source.load(tmp_path / "a.safetensors").guidance == 2


@pytest.mark.parametrize(
    "made", [lambda: generated(helpers.AnalyticModel(), "left", steps=2), lambda: Text(noise(0, (1, 1, 1)))]
)
def test_values_that_hold_tensors_can_be_compared(made: Callable) -> None:
    one, other = made(), made()
    assert one == one and one != other and len({one, other}) == 2
    assert Fitted.__eq__ is object.__eq__


# --- a flow model -----------------------------------------------------------------------------------------------------


def test_on_a_flow_model_strength_0_gives_the_point_back_and_1_goes_to_the_prompt() -> None:
    assert np.allclose(sdedit(FLOW, [2.0, 0.5], "left", strength=0), [2.0, 0.5])
    ends = [sdedit(FLOW, [2.0, 0.5], "left", strength=1, seed=seed, progress=False) for seed in range(40)]
    assert np.allclose(np.mean(ends, 0), [-2, 0], atol=0.15) and np.allclose(np.std(ends, 0), 0.3, atol=0.12)


def test_on_a_flow_model_magicmix_is_sdedit_at_both_ends_of_nu() -> None:
    knobs = {"seed": 2, "progress": False}
    one = magicmix(FLOW, [2.0, 0.5], "left", k_min=0.2, k_max=0.8, nu=1, **knobs)
    assert np.allclose(one, sdedit(FLOW, [2.0, 0.5], "left", strength=0.8, **knobs))
    none = magicmix(FLOW, [2.0, 0.5], "left", k_min=0.2, k_max=0.8, nu=0, **knobs)
    assert np.allclose(none, sdedit(FLOW, [2.0, 0.5], "left", strength=0.2, **knobs), atol=1e-5)


@pytest.mark.parametrize("mask, end", [(1.0, None), (0.5, None)])
def test_on_a_flow_model_blending_is_at_one_time(mask: float, end: None) -> None:
    knobs = {"strength": 0.7, "seed": 2, "progress": False}
    whole = sdedit(FLOW, [2.0, 0.5], "left", **knobs)
    blended = blended_diffusion(FLOW, [2.0, 0.5], "left", np.full((1, 1), mask), **knobs)
    assert np.allclose(blended, whole) if mask == 1 else -2.5 < blended[0] < 2.5 and not np.allclose(blended, whole)


# --- the code ---------------------------------------------------------------------------------------------------------

OWN = sorted(
    file for room in ("core", "methods") for file in (ROOMS / room).glob("*.py") if file.name != "prompt_to_prompt.py"
)


def test_every_tensor_of_core_and_methods_is_made_with_a_dtype_and_a_device() -> None:
    makers = {"randn", "rand", "zeros", "ones", "full", "empty", "eye", "arange", "linspace", "tensor", "as_tensor"}
    for file in OWN:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("torch.") in makers:
                assert ast.unparse(node.func) in makers or {"dtype", "device"} <= {k.arg for k in node.keywords}, (
                    f"{file.name}, line {node.lineno}: {ast.unparse(node)}"
                )
