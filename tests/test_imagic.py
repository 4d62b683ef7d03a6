"""Imagic: what each of its three steps moves, its two ends, and a value that can be saved."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_finetune import same
from toy_network import ToyModel

import helpers.methods.imagic as module
from helpers.core.diffusion import denoise
from helpers.core.interface import Text
from helpers.core.randomness import noise
from helpers.finetuning.loss import denoising_loss, draw
from helpers.finetuning.weights import parameters
from helpers.methods.imagic import Fitted, fit_embedding, fit_imagic, fit_model, imagic, interpolate
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel

QUIET = {"progress": False}
POINT = np.array([[[200, 40, 0]]], dtype=np.uint8)


def loss_at(model: ToyModel, text: Text) -> float:
    """The loss of one picture under a prompt, over many times."""
    with torch.no_grad():
        x0 = model.encode(POINT)
        t, z = draw(model, 99, 0, (400, *x0.shape[1:]))
        return denoising_loss(model, x0.expand(400, -1, -1, -1), text, t, z).mean().item()


def test_on_the_exact_model_the_embedding_moves_to_the_component_of_the_picture() -> None:
    """From "the whole mixture" to the component the point lies in: its share grows, the others' shrink."""
    model, exact, shares = AnalyticModel(), AnalyticModel(), []

    def eps(x: torch.Tensor, t: torch.Tensor, text: Text) -> torch.Tensor:
        shares.append(text.embeddings.detach()[0, 0].clone())
        return exact.eps(x, t, text)

    model.eps = eps
    e_opt = fit_embedding(model, [1.2, 0.0], "", steps=40, lr=2e-3, seed=1, **QUIET)
    left, right, top = e_opt.embeddings[0, 0].tolist()
    assert right > 1 / 3 > left and right > top
    assert torch.equal(shares[0], exact.weights)


def test_both_losses_fall_and_each_step_moves_its_own_part() -> None:
    model = ToyModel("v_prediction")
    own = {name: value.clone() for name, value in parameters(model, ["unet"]).items()}
    e_tgt = model.embed("a spreading bird")
    e_opt = fit_embedding(model, POINT, "a spreading bird", steps=150, lr=0.05, **QUIET)
    assert loss_at(model, e_opt) < 0.95 * loss_at(model, e_tgt)
    before = e_opt.embeddings.clone()
    weights = fit_model(model, POINT, e_opt, steps=150, lr=0.02, **QUIET)
    with weights.on(model):
        fitted = loss_at(model, e_opt)
    assert fitted < 0.95 * loss_at(model, e_opt)
    assert torch.equal(before, e_opt.embeddings)
    assert all(torch.equal(value, own[name]) for name, value in parameters(model, ["unet"]).items())


def test_eta_goes_from_the_fitted_embedding_to_the_prompt_s_in_a_straight_line(model: DiffusersModel) -> None:
    e_tgt, e_opt = model.embed("a cat"), model.embed("a dog")
    for eta, wanted in ((0.0, e_opt), (1.0, e_tgt)):
        e = interpolate(e_tgt, e_opt, eta)
        assert torch.allclose(e.embeddings, wanted.embeddings, atol=1e-6)
        assert e.pooled is None or torch.allclose(e.pooled, wanted.pooled, atol=1e-6)
        assert e.empty is e_tgt.empty
    beyond = interpolate(e_tgt, e_opt, 1.5).embeddings
    assert torch.allclose(beyond, e_tgt.embeddings + 0.5 * (e_tgt.embeddings - e_opt.embeddings), atol=1e-5)


def test_with_nothing_fitted_eta_1_is_plain_generation_and_the_model_is_left_alone(model: DiffusersModel) -> None:
    own = {name: value.clone() for name, value in parameters(model, ["unet"]).items()}
    state, stripes = torch.get_rng_state(), Image.new("RGB", (40, 20), "red")
    fitted = fit_imagic(model, stripes, "a cat", rank=2, embedding_steps=1, model_steps=1, **QUIET)
    untouched = Fitted("a cat", fitted.e_tgt, fitted.e_opt, type(fitted.weights)({}), fitted.shape)
    pictures = [imagic(model, untouched, eta=1.0, seed=3, steps=2, **QUIET),
                model.generate("a cat", seed=3, steps=2, **QUIET)[0], imagic(model, fitted, eta=0.0, seed=3, steps=2,
                                                                             **QUIET)]
    arrays = [np.asarray(p, dtype=int) for p in pictures]
    assert np.abs(arrays[0] - arrays[1]).max() <= 1
    assert pictures[2].size == model.size
    assert torch.equal(state, torch.get_rng_state()) and torch.is_grad_enabled()
    assert all(torch.equal(value, own[name]) for name, value in parameters(model, ["unet"]).items())


def test_the_picture_is_the_fitted_model_s_under_e_bar() -> None:
    model = ToyModel()
    fitted = fit_imagic(model, POINT, "a cat", embedding_steps=20, model_steps=20, **QUIET)
    e = interpolate(fitted.e_tgt, fitted.e_opt, 0.4)
    with fitted.weights.on(model), torch.no_grad():
        exact = model.decode(denoise(model, noise(2, (1, 2, 1, 1)), e, model.times(4), 3.0, progress=False))[0]
    assert np.array_equal(exact, imagic(model, fitted, eta=0.4, seed=2, guidance=3.0, **QUIET))
    others = [imagic(model, fitted, eta=eta, seed=2, guidance=3.0, **QUIET) for eta in (0.0, 1.0)]
    assert all(np.abs(exact - other).max() > 1e-4 for other in others)


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    model = ToyModel()
    fitted = fit_imagic(model, POINT, "a cat", embedding_steps=3, model_steps=3, **QUIET)
    loaded = Fitted.load(fitted.save(tmp_path / "imagic.safetensors"))
    assert same(fitted.weights, loaded.weights) and loaded.prompt == "a cat"
    assert np.array_equal(*(imagic(model, value, seed=1, **QUIET) for value in (fitted, loaded)))
    (tmp_path / "other.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is damaged or was not written"):
        Fitted.load(tmp_path / "other.safetensors")


def test_an_interrupted_fit_goes_on_to_the_same_value(tmp_path: Path) -> None:
    knobs = {"embedding_steps": 10, "model_steps": 10, **QUIET}
    whole = fit_imagic(ToyModel(), POINT, "a cat", **knobs)
    for stop in (4, 15):  # once in each part
        seen = []

        def watch(stop: int = stop, seen: list = seen, **_: object) -> None:
            seen.append(1)
            if len(seen) == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit_imagic(ToyModel(), POINT, "a cat", folder=tmp_path, watch=watch, **knobs)
    resumed = fit_imagic(ToyModel(), POINT, "a cat", folder=tmp_path, **knobs)
    assert same(whole.weights, resumed.weights) and torch.equal(whole.e_opt.embeddings, resumed.e_opt.embeddings)


def test_every_row_of_the_symbol_table_has_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    code = "".join(inspect.getsource(f) for f in (fit_embedding, fit_model, interpolate, imagic))
    assert all(name in code for name in names)


def test_a_folder_with_the_fit_of_another_picture_or_embedding_is_refused(tmp_path: Path) -> None:
    model, knobs = ToyModel(), {"steps": 2, **QUIET}
    other = np.array([[[0, 40, 200]]], dtype=np.uint8)
    e_opt = fit_embedding(model, POINT, "a bird", folder=tmp_path / "e", **knobs)
    fit_model(model, POINT, e_opt, folder=tmp_path / "m", **knobs)
    assert torch.equal(fit_embedding(model, POINT, "a bird", folder=tmp_path / "e", **knobs).embeddings,
                       e_opt.embeddings)
    with pytest.raises(ValueError, match="differs in picture"):
        fit_embedding(model, other, "a bird", folder=tmp_path / "e", **knobs)
    with pytest.raises(ValueError, match="differs in e_opt"):
        fit_model(model, POINT, model.embed("a bird"), folder=tmp_path / "m", **knobs)
