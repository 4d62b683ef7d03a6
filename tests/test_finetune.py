"""The loss in closed form, weights that come off again, and a fit that a kill cannot change."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_network import ToyModel

from benchmarks.alive import HOLDS, Alive, Hollow, fit_gb
from helpers.core.diffusion import add_noise
from helpers.core.randomness import noise
from helpers.core.warn import FitWarning
from helpers.finetuning import adam, checkpoint
from helpers.finetuning.fit import fit, fit_weights
from helpers.finetuning.log import Diary
from helpers.finetuning.loss import denoising_loss, draw
from helpers.finetuning.weights import Weights, changed_weights, full, lora, offloaded, parameters, trained
from helpers.models.analytic import AnalyticModel
from helpers.models.catalogue import TooLittleMemory
from helpers.models.diffusers_model import DiffusersModel

POINT = torch.tensor([0.4, -0.2]).reshape(1, 2, 1, 1)
KNOBS = {"lr": 0.05, "progress": False}


def toy_fit(model: ToyModel, steps: int = 30, start: Weights | None = None, folder: Path | None = None,
            **knobs: object) -> Weights:
    """A fit of the toy model to one point."""
    text = model.embed("a cat")

    def loss(step: int) -> torch.Tensor:
        t, z = draw(model, 3, step, (4, 2, 1, 1))
        return denoising_loss(model, POINT.expand(4, -1, -1, -1), text, t, z).mean()

    return fit_weights(model, start or full(model), loss, steps=steps, folder=folder,
                       **KNOBS | {"dtype": torch.float32} | knobs)


def same(a: Weights, b: Weights) -> bool:
    """Whether two weights are equal bit for bit."""
    return a.tensors.keys() == b.tensors.keys() and all(torch.equal(v, b.tensors[k]) for k, v in a.tensors.items())


# ----------------------------------------------------------------------------------------------------------- the loss


def test_on_one_gaussian_the_loss_is_the_variance_that_no_network_can_explain() -> None:
    """There eps given x_t has the variance a s^2 / (a s^2 + 1 - a)."""
    model, z = AnalyticModel({"here": (1.0, -1.0)}, spreads=0.5), noise(range(4000), (4000, 2, 1, 1))
    x0 = torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1) + 0.5 * noise(range(5000, 9000), (4000, 2, 1, 1))
    for t in (100, 500):
        a = model.alpha_bar[t].item()
        found = denoising_loss(model, x0, model.embed("here"), t, z).mean().item()
        assert found == pytest.approx(a * 0.25 / (a * 0.25 + 1 - a), rel=0.05)


@pytest.mark.parametrize("name", ["sd", "v", "xl"])
def test_the_loss_is_the_error_of_what_the_network_itself_predicts(models: dict, name: str) -> None:
    """As in diffusers' training scripts: the target is the noise, or v = sqrt(a) eps - sqrt(1 - a) x_0."""
    model = models[name]
    x0, z, t = noise(0, model.shape(2)), noise(5, model.shape(2)), torch.tensor([30, 700])
    text = model.embed(["a cat", "cat"])
    with torch.no_grad():
        ours = denoising_loss(model, x0, text, t, z)
        x_t = model.scheduler.add_noise(x0, z, t)
        target = z if name != "v" else model.scheduler.get_velocity(x0, z, t)
        output = model.unet(x_t, t, text.embeddings, added_cond_kwargs=model._conditions(x_t, text)).sample
    assert torch.allclose(ours, (output - target).square().flatten(1).mean(1), rtol=1e-3)


def test_a_time_for_each_latent_gives_what_one_call_for_each_gives() -> None:
    model, z = ToyModel("v_prediction"), noise(0, (2, 2, 1, 1))
    together = denoising_loss(model, POINT.expand(2, -1, -1, -1), model.embed("cat"), torch.tensor([7, 80]), z)
    apart = [denoising_loss(model, POINT, model.embed("cat"), t, z[i : i + 1]) for i, t in enumerate((7, 80))]
    assert torch.allclose(together, torch.cat(apart), rtol=1e-5)
    assert torch.equal(add_noise(model, POINT, z[:1], torch.tensor([7])), add_noise(model, POINT, z[:1], 7))


def test_the_numbers_of_a_step_come_from_its_seed_and_number_alone() -> None:
    model, shape = ToyModel(), (8, 2, 1, 1)
    state = torch.get_rng_state()
    (t, z), (again, _), (other, _), (_, seeded) = (draw(model, *k, shape) for k in ((1, 5), (1, 5), (1, 6), (2, 5)))
    assert torch.equal(t, again) and not torch.equal(t, other) and not torch.equal(z, seeded)
    assert torch.equal(state, torch.get_rng_state())


def test_times_are_uniform_and_a_batch_covers_the_whole_range() -> None:
    model = ToyModel()  # 100 times
    batches = torch.stack([draw(model, 0, step, (4, 1, 1, 1))[0] for step in range(500)])
    assert all(sorted((batch // 25).tolist()) == [0, 1, 2, 3] for batch in batches)
    assert batches[:, 0].float().mean() == pytest.approx(49.5, abs=4) and batches[:, 0].unique().numel() > 90


# -------------------------------------------------------------------------------------------------------- the weights


def toy_loss(model: ToyModel) -> float:
    """The loss at the point, over many times and much noise."""
    with torch.no_grad():
        t, z = draw(model, 99, 0, (4000, 2, 1, 1))
        return denoising_loss(model, POINT.expand(4000, -1, -1, -1), model.embed("a cat"), t, z).mean().item()


def least_squares(model: ToyModel, everything: bool) -> float:
    """The smallest loss that a linear layer can have there; unless `everything` is free, its bias stays as it is."""
    t, z = draw(model, 99, 0, (4000, 2, 1, 1))
    x = add_noise(model, POINT.expand(4000, -1, -1, -1), z, t)[:, :, 0, 0]
    wanted = z[:, :, 0, 0]
    if everything:
        x = torch.cat([x, torch.ones(4000, 1)], 1)
    else:
        wanted = wanted - model.net.to_q.bias - model.net.text(model.embed("a cat").embeddings[0])
    return (x @ torch.linalg.lstsq(x, wanted).solution - wanted).square().mean().item()


@pytest.mark.parametrize("kind", ["full", "lora"])
def test_the_loss_falls_to_the_least_there_is_and_the_model_keeps_its_own_weights_bit_for_bit(kind: str) -> None:
    model = ToyModel()
    own = {name: value.clone() for name, value in parameters(model, ["unet"]).items()}
    objects = [id(p) for p in model.net.parameters()]
    weights = toy_fit(model, 400, full(model) if kind == "full" else lora(model, 2), lr=0.02)
    start, best = toy_loss(model), least_squares(model, everything=kind == "full")
    with weights.on(model):
        assert toy_loss(model) < 1.05 * best < 0.95 * start
    assert all(torch.equal(value, own[name]) for name, value in parameters(model, ["unet"]).items())
    assert [id(p) for p in model.net.parameters()] == objects and not any(p.requires_grad for p in
                                                                          model.net.parameters())
    changed = changed_weights(model, weights.tensors)
    with pytest.raises(RuntimeError, match="on purpose"), weights.on(model):
        now = parameters(model, ["unet"])
        assert all(torch.equal(now[name], value) for name, value in changed.items())
        assert any(not torch.equal(now[name], own[name]) for name in changed)
        raise RuntimeError("on purpose")
    assert [id(p) for p in model.net.parameters()] == objects


def test_an_error_or_an_interrupt_in_the_fit_leaves_the_model_as_it_was() -> None:
    for error in (KeyboardInterrupt, ValueError):
        model = ToyModel()
        objects = [id(p) for p in model.net.parameters()]

        def stop(step: int, error: type[BaseException] = error, **_: object) -> None:
            if step == 3:
                raise error

        with pytest.raises(error):
            toy_fit(model, watch=stop)
        assert [id(p) for p in model.net.parameters()] == objects


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_gradients_that_wait_in_half_precision_lose_nothing(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were computed in it: bit for bit the fit is the one that keeps them in float32, in one portion or ten."""
    def keep_all_digits(training: adam.Training, name: str, _: torch.dtype, value: torch.Tensor) -> None:
        training.gradients[name], value.grad = value.grad, None

    short = toy_fit(ToyModel(), 20, dtype=dtype)
    monkeypatch.setattr(adam, "PORTION", 4)
    portioned = toy_fit(ToyModel(), 20, dtype=dtype)
    monkeypatch.setattr(adam.Training, "_keep", keep_all_digits)
    long = toy_fit(ToyModel(), 20, dtype=dtype)
    assert same(short, portioned) and same(short, long)


def test_where_the_model_is_is_asked_once_and_not_for_every_weight(
    models: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """diffusers looks through all layers for the answer: asked for every weight it made a step half as slow again."""
    model, asked = models["sd"], []
    monkeypatch.setattr(DiffusersModel, "device", property(lambda self: asked.append(1) or torch.device("cpu")))
    changed_weights(model, full(model).tensors)
    changed_weights(model, lora(model, 2).tensors)
    assert len(asked) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("rank", "most"), [(None, 14.5), (4, 3.0)])
def test_a_fit_of_stable_diffusion_1_5_fits_a_16_gb_gpu(rank: int | None, most: float) -> None:
    """Counted on tensors without contents; the autoencoder, the text encoder and the driver take 1 GB more."""
    assert 2.0 < fit_gb(rank) < most


def test_weights_that_made_room_for_a_fit_come_back_after_an_error_too() -> None:
    with Alive() as alive:
        model = Hollow()
        names = list(parameters(model, ["unet"]))
        whole = alive.now
        with pytest.raises(KeyboardInterrupt), offloaded(model, names):
            assert alive.now < 0.01 * whole and model.device == HOLDS
            raise KeyboardInterrupt
        assert {value.device for value in model.unet.parameters()} == {HOLDS}


def test_a_fresh_lora_changes_nothing_and_only_attention_has_one(model: DiffusersModel) -> None:
    weights = lora(model, 2)
    own, changed = parameters(model, ["unet"]), changed_weights(model, weights.tensors)
    assert all(torch.equal(own[name], value) for name, value in changed.items())
    linear = {f"unet.{name}.weight" for name, part in model.unet.named_modules() if ".attn" in name
              and isinstance(part, torch.nn.Linear)}
    assert changed.keys() == linear and linear


def test_only_the_lora_gets_gradients(models: dict) -> None:
    model, weights = models["sd"], lora(models["sd"], 2)
    tensors = {name: value.clone() for name, value in weights.tensors.items()}
    variables = {name: value.requires_grad_(True) for name, value in trained(tensors).items()}
    with model.changed(changed_weights(model, tensors)):
        t, z = draw(model, 0, 0, model.shape(2))
        denoising_loss(model, z, model.embed("cat"), t, z).mean().backward()
    assert all(value.grad is not None for value in variables.values())
    assert all(p.grad is None for part in model.networks.values() for p in part.parameters())
    assert {name[-13:] for name in variables} == {"lora_A.weight", "lora_B.weight"}


def test_alpha_scales_a_lora_and_is_folded_into_what_is_saved(tmp_path: Path) -> None:
    model = ToyModel()
    weights = toy_fit(model, 5, lora(model, 2, alpha=6.0))
    stem = "unet.to_q"
    a, b = weights.tensors[stem + ".lora_A.weight"], weights.tensors[stem + ".lora_B.weight"]
    wanted = model.net.to_q.weight + 3.0 * b @ a
    assert torch.allclose(changed_weights(model, weights.tensors)[stem + ".weight"], wanted)
    loaded = Weights.load(weights.save(tmp_path / "w.safetensors"))
    assert "unet.to_q.alpha" not in loaded.tensors
    assert torch.allclose(changed_weights(model, loaded.tensors)[stem + ".weight"], wanted, atol=1e-6)
    half = changed_weights(model, weights.scaled(0.5).tensors)[stem + ".weight"]
    assert torch.allclose(half, model.net.to_q.weight + 1.5 * b @ a)


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    weights = Weights(toy_fit(ToyModel(), 5).tensors, ("sks",), {"prompt": "a sks cat"})
    loaded = Weights.load(weights.save(tmp_path / "w.safetensors"))
    assert same(weights, loaded) and loaded.words == ("sks",) and loaded.metadata == weights.metadata
    assert "a sks cat" in repr(loaded)


def test_weights_of_another_model_are_an_error_that_names_the_layer(models: dict, tmp_path: Path) -> None:
    for stranger in (models["sd"], ToyModel()):
        weights = full(models["v"])
        with pytest.raises(ValueError, match="made for another model.*unet"), weights.on(stranger):
            pass
    (tmp_path / "x.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is damaged or was not written"):
        Weights.load(tmp_path / "x.safetensors")


def test_diffusers_reads_a_saved_lora(models: dict, folders: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="diffusers needs peft to load a LoRA")
    from diffusers import StableDiffusionPipeline

    weights, generator = lora(models["sd"], 2, alpha=4.0), torch.Generator().manual_seed(0)
    tensors = {k: torch.randn(v.shape, generator=generator) if "lora_B" in k else v for k, v in weights.tensors.items()}
    weights = Weights(tensors)
    pipeline = StableDiffusionPipeline.from_pretrained(folders["sd"])
    pipeline.load_lora_weights(str(tmp_path), weight_name=weights.save(tmp_path / "lora.safetensors").name)
    model, x = models["sd"], noise(0, models["sd"].shape(1))
    text = model.embed("cat")
    with torch.no_grad(), weights.on(model):
        ours, plain = model.eps(x, 500, text), pipeline.unet(x, 500, text.embeddings).sample
    assert torch.allclose(ours, plain, atol=1e-5)


# ---------------------------------------------------------------------------------------------------- interrupted fits


@pytest.mark.parametrize("kind", [full, lora])
def test_a_resumed_fit_ends_in_the_weights_of_an_uninterrupted_one_bit_for_bit(kind: Callable, tmp_path: Path) -> None:
    whole, seen = toy_fit(ToyModel(), start=kind(ToyModel())), []

    def stop(step: int, **_: object) -> None:
        if step in (7, 19) and step not in seen:
            seen.append(step)
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            toy_fit(ToyModel(), start=kind(ToyModel()), folder=tmp_path, watch=stop, every=1e9)
    resumed = toy_fit(ToyModel(), start=kind(ToyModel()), folder=tmp_path, watch=lambda step, **_: seen.append(step))
    assert same(whole, resumed) and seen == [7, 19, *range(20, 31)]


def test_an_interrupt_in_the_middle_of_a_step_is_written_down_at_once(tmp_path: Path) -> None:
    def loss(step: int) -> torch.Tensor:
        if step == 5:
            raise KeyboardInterrupt
        return (x - 3).square().sum()

    x = torch.zeros(2)
    with pytest.raises(KeyboardInterrupt):
        fit({"x": x}, loss, steps=9, folder=tmp_path, every=1e9, **KNOBS)
    assert len(load_file(tmp_path / "checkpoint.safetensors")["losses"]) == 5


KILLED = """
import sys, time, torch
sys.path[:0] = ["tests", "."]
from pathlib import Path
from test_finetune import ToyModel, toy_fit
toy_fit(ToyModel(), 400, folder=Path(sys.argv[1]), every=0, watch=lambda step, **_: time.sleep(0.01))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
@pytest.mark.slow
def test_a_killed_fit_resumes_to_the_same_weights(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=Path(__file__).parent.parent)
    while not (tmp_path / "checkpoint.safetensors").exists():
        assert child.poll() is None
        time.sleep(0.05)
    os.kill(child.pid, signals.SIGKILL)
    child.wait()
    done = len(load_file(tmp_path / "checkpoint.safetensors")["losses"])
    assert 0 < done < 400
    assert same(toy_fit(ToyModel(), 400, folder=tmp_path), toy_fit(ToyModel(), 400))


def test_a_folder_with_another_fit_is_refused_and_left_alone(tmp_path: Path) -> None:
    toy_fit(ToyModel(), 5, folder=tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(ValueError, match="differs in lr"):
        toy_fit(ToyModel(), 5, folder=tmp_path, lr=0.01)
    with pytest.raises(ValueError, match="5 steps already"):
        toy_fit(ToyModel(), 3, folder=tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert same(toy_fit(ToyModel(), 12, folder=tmp_path), toy_fit(ToyModel(), 12))  # more steps are fine
    (tmp_path / "checkpoint.safetensors").write_bytes(before[:100])
    with pytest.raises(ValueError, match="is damaged or was not written"):
        toy_fit(ToyModel(), 12, folder=tmp_path)


def test_a_full_disk_loses_neither_the_fit_nor_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    real = safetensors.torch.save_file

    def full_disk(tensors: dict, file: Path, metadata: dict) -> None:
        real(tensors, file, metadata)
        os.truncate(file, 100)  # half a file lies there
        raise OSError(28, "No space left on device")

    toy_fit(ToyModel(), 5, folder=tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    monkeypatch.setattr(safetensors.torch, "save_file", full_disk)
    with pytest.warns(FitWarning, match="no room.*goes on"):
        weights = toy_fit(ToyModel(), 12, folder=tmp_path)
    assert same(weights, toy_fit(ToyModel(), 12))
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.safetensors"]
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    with pytest.raises(OSError, match="no room"):
        weights.save(tmp_path / "weights.safetensors")
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    steps = []
    with pytest.raises(OSError, match="Nothing can be written to the folder.*give another"):
        toy_fit(ToyModel(), folder=tmp_path / "file" / "run", watch=lambda step, **_: steps.append(step))
    assert steps == []


# ------------------------------------------------------------------------------------------------------ small matters


@pytest.mark.parametrize(("knobs", "words"), [({"steps": 0}, "steps is 0"), ({"steps": 2.5}, "steps is 2.5"),
                                              ({"lr": 0}, "lr is 0"), ({"lr": -1}, "lr is -1")])
def test_numbers_out_of_range_are_errors_that_name_them(knobs: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        toy_fit(ToyModel(), **knobs)
    with pytest.raises(ValueError, match="rank is 0"):
        lora(ToyModel(), 0)


def test_a_fit_that_falls_apart_says_what_to_change() -> None:
    x = torch.zeros(2)
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        fit({"x": x}, lambda step: (x.sum() - 1).log(), steps=5, **KNOBS)


def test_in_float16_a_step_that_overflows_is_left_out_and_the_next_is_scaled_less() -> None:
    x, scales = torch.zeros(1), []

    def loss(step: int) -> torch.Tensor:
        scales.append(1)
        return 1e38 * x.sum() if step == 0 else (x - 1).square().sum()

    fit({"x": x}, loss, steps=1, dtype=torch.float16, **KNOBS)
    assert x.item() == 0.0
    fit({"x": x}, loss, steps=50, dtype=torch.float16, lr=0.1, progress=False)
    assert 0.5 < x.item() < 1.5


def test_the_diary_keeps_losses_and_samples_and_touches_nothing() -> None:
    model, shown = ToyModel(), []
    model.generate = lambda prompt, **knobs: [prompt]
    diary = Diary(model, "a cat", every=4, show=lambda d: shown.append(len(d.losses)))
    weights = toy_fit(model, 10, watch=diary)
    assert len(diary.losses) == 10 and list(diary.samples) == [4, 8] and shown == [4, 8]
    assert same(weights, toy_fit(ToyModel(), 10))


def test_the_files_are_readable_by_everybody(tmp_path: Path) -> None:
    file = toy_fit(ToyModel(), 1).save(tmp_path / "w.safetensors")
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o644
    assert checkpoint.CHECKPOINT == "checkpoint.safetensors"


def test_running_out_of_gpu_memory_in_a_fit_is_explained() -> None:
    for error in (torch.OutOfMemoryError("CUDA out of memory"), TooLittleMemory("ask for smaller pictures")):
        def loss(_: int, error: Exception = error) -> torch.Tensor:
            raise error

        with pytest.raises(TooLittleMemory, match="rank=4"):
            fit({"x": torch.zeros(2)}, loss, steps=1, lr=0.1, progress=False)


def test_a_lora_of_a_model_of_other_widths_is_refused(models: dict[str, DiffusersModel]) -> None:
    weights = lora(models["sd"], 2)
    name = next(key for key in weights.tensors if key.endswith(".lora_A.weight"))
    weights.tensors[name] = torch.zeros(2, 7)
    with pytest.raises(ValueError, match="another model"), weights.on(models["sd"]):
        pass


def test_a_file_may_lie_in_the_reader_s_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Weights({"unet.x": torch.ones(2)}).save("~/fit.safetensors")
    assert (tmp_path / "fit.safetensors").is_file()
    assert torch.equal(Weights.load("~/fit.safetensors").tensors["unet.x"], torch.ones(2))
