"""Models made of diffusers pipelines: the same pictures as diffusers, the same ones every time, in any company."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import random_pipelines
import torch
from PIL import Image

from helpers.core.diffusion import cfg, denoise
from helpers.core.interface import CLEAN
from helpers.core.randomness import noise
from helpers.core.warn import PromptWarning
from helpers.methods.diffedit import find_mask
from helpers.methods.inversion import direct
from helpers.methods.magicmix import magicmix
from helpers.methods.sdedit import sdedit
from helpers.methods.word_mask import word_mask
from helpers.models import catalogue, devices, diffusers_model, loading
from helpers.models.catalogue import TooLittleMemory
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.loading import load
from helpers.models.pipelines import PIPELINES
from helpers.models.quiet import quiet

ROOT = Path(__file__).parent.parent


def levels(picture: Image.Image) -> np.ndarray:
    """Pixels as numbers."""
    return np.asarray(picture, dtype=int)


def distance(a: Image.Image, b: Image.Image) -> int:
    """Largest difference of two pictures' levels."""
    return int(np.abs(levels(a) - levels(b)).max())


def drawn(model: DiffusersModel, prompts: list[str], seeds: list[int], steps: int = 6) -> torch.Tensor:
    """Final latents of a generation."""
    with torch.no_grad():
        x = noise(seeds, model.shape(len(seeds)))
        return denoise(model, x, model.embed(prompts), model.times(steps), 4.0, progress=False)


# ------------------------------------------------------------------------------------------------- generate


@pytest.mark.parametrize(("steps", "guidance"), [(5, 4.0), (10, 1.0)])
def test_it_makes_the_pictures_diffusers_makes_from_the_same_noise(
    model: DiffusersModel, steps: int, guidance: float
) -> None:
    prompts = ["a cat", "a dog"]
    with quiet():
        model.pipeline.set_progress_bar_config(disable=True)
        theirs = model.pipeline(
            prompts,
            num_inference_steps=steps,
            guidance_scale=guidance,
            latents=noise(11, model.shape(2)),
        ).images
    ours = model.generate(prompts, seed=11, steps=steps, guidance=guidance, progress=False)
    assert max(distance(a, b) for a, b in zip(ours, theirs, strict=True)) <= 1


def test_pictures_that_are_not_square_are_those_of_diffusers(model: DiffusersModel) -> None:
    with quiet():
        model.pipeline.set_progress_bar_config(disable=True)
        latents = noise(4, model.shape(1, (48, 32)))
        knobs = {"width": 48, "height": 32, "num_inference_steps": 5, "guidance_scale": 3.0}
        theirs = model.pipeline("a cat", latents=latents, **knobs).images[0]
    ours = model.generate("a cat", seed=4, steps=5, guidance=3.0, size=(48, 32), progress=False)[0]
    assert ours.size == (48, 32) and distance(ours, theirs) <= 1


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_every_prediction_and_spacing_of_the_scheduler_is_followed(prediction: str, spacing: str) -> None:
    """Not "linspace": there diffusers' steps end short of the time the next one starts from; ours do not."""
    with quiet():
        pipeline = random_pipelines.stable_diffusion(prediction, timestep_spacing=spacing)
        pipeline.set_progress_bar_config(disable=True)
        latents = noise(1, (1, 4, 8, 8))
        theirs = pipeline("a cat", num_inference_steps=10, latents=latents, guidance_scale=3.0, output_type="latent")
    model = DiffusersModel(pipeline)
    with torch.no_grad():
        ours = denoise(model, latents, model.embed("a cat"), model.times(10), 3.0, progress=False)
    assert torch.allclose(ours, theirs.images, atol=1e-3 * theirs.images.abs().max().item())


def test_a_schedule_that_ends_in_pure_noise_gives_finite_pictures() -> None:
    with quiet():
        knobs = {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "set_alpha_to_one": True}
        model = DiffusersModel(random_pipelines.stable_diffusion("v_prediction", tiny=True, **knobs))
    assert model.times(4)[0] == 999 and model.alpha_bar[999] > 0
    assert torch.isfinite(drawn(model, ["cat"], [0])).all()


def test_the_picture_of_a_seed_does_not_depend_on_the_batch(model: DiffusersModel) -> None:
    prompts, seeds = ["a cat", "a dog", "cat cat", ""], [3, 1, 4, 1]
    together = drawn(model, prompts, seeds)
    for i in range(4):
        alone = drawn(model, prompts[i : i + 1], seeds[i : i + 1])
        assert torch.allclose(together[i : i + 1], alone, atol=1e-4 * max(1, alone.abs().max().item()))
    pictures = model.generate(prompts, seed=seeds, steps=6, progress=False)
    single = model.generate("cat cat", seed=4, steps=6, progress=False)[0]
    assert distance(pictures[2], single) <= 1


def test_large_jobs_are_cut_into_batches_and_small_ones_are_not(
    model: DiffusersModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = model.generate(["a cat"] * 5, steps=3, progress=False)
    monkeypatch.setattr(diffusers_model, "LATENTS_AT_ONCE", 2 * 64)
    parts = model.generate(["a cat"] * 5, steps=3, progress=False)
    assert [s.stop - s.start for s in diffusers_model.batches(5, 2)] == [2, 2, 1]
    assert max(distance(a, b) for a, b in zip(whole, parts, strict=True)) <= 1


def test_seeds_count_up_or_are_given_one_by_one(model: DiffusersModel) -> None:
    counted = model.generate(["a cat", "a cat"], seed=5, steps=3, progress=False)
    listed = model.generate("a cat", seed=[5, 6], steps=3, progress=False)
    assert [distance(a, b) for a, b in zip(counted, listed, strict=True)] == [0, 0]
    same = model.generate(["a cat", "a cat"], seed=[7, 7], steps=3, progress=False)
    assert distance(*same) <= 1 and distance(*counted) > 1


def test_the_same_call_gives_the_same_bits_and_leaves_the_world_alone(model: DiffusersModel) -> None:
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    first, second = (model.generate("a cat", seed=2, steps=3, progress=False)[0] for _ in range(2))
    assert distance(first, second) == 0
    assert torch.equal(states[0], torch.get_rng_state()) and states[1] == random.getstate()
    assert (states[2] == np.random.get_state()[1]).all() and torch.is_grad_enabled()


def test_numpy_integers_are_seeds_too(model: DiffusersModel) -> None:
    ours = model.generate("a cat", seed=np.int64(2), steps=2, progress=False)
    assert distance(ours[0], model.generate("a cat", seed=2, steps=2, progress=False)[0]) == 0


@pytest.mark.parametrize(("size", "expected"), [(None, (32, 32)), (64, (64, 64)), ((48, 32), (48, 32))])
def test_pictures_have_the_size_asked_for(
    model: DiffusersModel, size: int | tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    picture = model.generate("a cat", steps=2, size=size, progress=False)[0]
    assert picture.size == expected and picture.mode == "RGB"


@pytest.mark.parametrize("size", [33, (32, 30), 0, -8])
def test_sizes_that_do_not_fit_are_refused(model: DiffusersModel, size: int | tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="size"):
        model.generate("a cat", steps=2, size=size)


@pytest.mark.parametrize("prompts", [[], None, 3, ["a", 3]])
def test_prompts_must_be_texts(model: DiffusersModel, prompts: object) -> None:
    with pytest.raises((TypeError, ValueError), match="prompts.*(expected|empty)"):
        model.generate(prompts)


def test_quick_work_is_silent(model: DiffusersModel, capfd: pytest.CaptureFixture[str]) -> None:
    model.generate("a cat", steps=2)
    assert capfd.readouterr() == ("", "")


# ----------------------------------------------------------------------------------- times and predictions


@pytest.mark.parametrize(("steps", "strength"), [(10, 1.0), (10, 0.6), (25, 0.5), (7, 0.31), (50, 0.0), (1, 1.0)])
def test_times_go_down_to_clean_in_as_many_steps_as_strength_says(
    model: DiffusersModel, steps: int, strength: float
) -> None:
    times = model.times(steps, strength)
    assert len(times) == round(strength * steps) + 1 and times[-1] == CLEAN
    assert times == sorted(set(times), reverse=True)
    assert times == model.times(steps)[-len(times) :]


@pytest.mark.parametrize(("spacing", "most"), [("leading", 500), ("trailing", 1000), ("linspace", 1000)])
def test_every_number_of_steps_gives_as_many_times_that_differ(spacing: str, most: int) -> None:
    pipeline = random_pipelines.stable_diffusion(timestep_spacing=spacing)
    model = DiffusersModel(pipeline)
    for steps in (*range(1, 130), 201, 333, most - 1, most):
        *times, last = model.times(steps)
        assert len(set(times)) == steps and times == sorted(times, reverse=True) and last == CLEAN
        assert 0 <= times[-1] and times[0] <= 999
    with pytest.raises(ValueError, match="steps"):
        model.times(most + 1)


def test_the_schedule_is_the_folder_s_own(models: dict[str, DiffusersModel]) -> None:
    assert models["sd"].final_alpha_bar == pytest.approx(0.99915, abs=1e-5)
    assert models["v"].final_alpha_bar == 1
    for model in models.values():
        assert model.alpha_bar.shape == (1000,) and model.alpha_bar.dtype == torch.float32
        assert (model.alpha_bar.diff() < 0).all() and 0 < model.alpha_bar[-1] and model.alpha_bar[0] < 1


def test_guidance_is_one_call_with_both_prompts(model: DiffusersModel) -> None:
    x, text = noise(0, model.shape(2)), model.embed(["a cat", "a dog"])
    with torch.no_grad():
        u, c = model.eps(x, 500, text.empty), model.eps(x, 500, text)
        guided = cfg(model, x, 500, text, 3.0)
    assert torch.allclose(guided, u + 3 * (c - u), atol=1e-4 * guided.abs().max().item())


def test_the_empty_prompt_is_the_unconditional_one(model: DiffusersModel) -> None:
    text = model.embed(["", "cat"])
    assert torch.equal(text.embeddings[0], text.empty.embeddings[0])
    assert not torch.equal(text.embeddings[1], text.empty.embeddings[1])


def test_gradients_reach_the_latents_and_the_text_but_no_weights(model: DiffusersModel) -> None:
    x = noise(0, model.shape(1)).requires_grad_()
    text = model.embed("a cat")
    text.embeddings.requires_grad_()
    model.eps(x, 500, text).square().sum().backward()
    assert x.grad.abs().sum() > 0 and text.embeddings.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in model.unet.parameters())


def test_wrapping_a_pipeline_changes_nothing_in_it() -> None:
    with quiet():
        pipeline = random_pipelines.stable_diffusion()
    pipeline.unet.train()
    scheduler = pipeline.scheduler
    DiffusersModel(pipeline).generate("a cat", steps=2, progress=False)
    assert pipeline.unet.training and all(weight.requires_grad for weight in pipeline.unet.parameters())
    assert pipeline.scheduler is scheduler


# ------------------------------------------------------------------------------------------------- pictures


def test_encode_and_decode_use_the_autoencoder_s_scale_and_shift(models: dict[str, DiffusersModel]) -> None:
    with quiet():
        pipeline = random_pipelines.stable_diffusion()
    picture = Image.new("RGB", (32, 32), (10, 200, 90))
    plain = DiffusersModel(pipeline).encode(picture)
    pipeline.vae.register_to_config(scaling_factor=2.0, shift_factor=0.25)
    shifted = DiffusersModel(pipeline).encode(picture)
    assert torch.allclose(shifted, (plain / 0.5 - 0.25) * 2.0, atol=1e-5)
    again = DiffusersModel(pipeline).decode(shifted)[0]
    pipeline.vae.register_to_config(scaling_factor=0.5, shift_factor=None)
    assert distance(DiffusersModel(pipeline).decode(plain)[0], again) <= 1


def test_encode_takes_one_picture_or_several_of_any_size(model: DiffusersModel) -> None:
    pictures = [Image.new("RGB", (90, 40), "red"), np.zeros((32, 32))]
    latents = model.encode(pictures)
    assert latents.shape == model.shape(2) and latents.dtype == torch.float32 and not latents.requires_grad
    assert torch.equal(latents[:1], model.encode(pictures[0]))
    assert model.encode(pictures, size=(48, 32)).shape[-2:] == (8, 12)


# -------------------------------------------------------------------------------------------------- prompts


def test_a_prompt_that_is_too_long_warns_with_the_part_that_is_lost(model: DiffusersModel) -> None:
    with pytest.warns(PromptWarning, match="14 tokens.*'xyz'"):
        model.embed("cat " * 14 + "xyz")


def test_a_prompt_that_just_fits_gives_no_warning(model: DiffusersModel) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.embed("cat " * 14)


def test_a_model_that_knows_its_words_warns_of_others_with_the_nearest(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(folders["v"], tmp_path / "small")
    words = json.dumps(["a", "cat", "castle", "riding", "bicycle"])
    (tmp_path / "small" / "known_words.json").write_text(words, encoding="utf-8")
    model = load(tmp_path / "small", "cpu")
    with pytest.warns(PromptWarning, match="'bycicle'.*bicycle") as caught:
        model.generate("A Cat, a bycicle", steps=1, progress=False)
    assert [warning.filename for warning in caught] == [__file__]


# -------------------------------------------------------------------------------------------------- loading


def test_a_pipeline_comes_back_from_its_folder_unchanged(folders: dict[str, Path]) -> None:
    for name, folder in folders.items():
        model = load(str(folder), device="cpu", dtype=torch.float32)
        assert model.device.type == "cpu" and not model.unet.training
        assert not any(weight.requires_grad for weight in model.unet.parameters())
        assert type(model.pipeline).__name__ == PIPELINES[name == "xl"]


def test_in_half_precision_states_stay_float32(folders: dict[str, Path]) -> None:
    model = load(folders["v"], device="cpu", dtype=torch.bfloat16)
    assert model.unet.dtype == torch.bfloat16 and model.pipeline.vae.dtype == torch.float32
    assert model.embed("cat").embeddings.dtype == torch.float32
    assert drawn(model, ["cat"], [0], steps=2).dtype == torch.float32
    assert model.generate("cat", steps=2, progress=False)[0].size == (32, 32)


def test_loading_leaves_the_random_state_and_the_log_levels_alone(folders: dict[str, Path]) -> None:
    from diffusers.utils import logging as d
    from transformers.utils import logging as t

    before = torch.get_rng_state(), d.get_verbosity(), t.get_verbosity(), d.is_progress_bar_enabled()
    load(folders["v"])
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (d.get_verbosity(), t.get_verbosity(), d.is_progress_bar_enabled())


def test_loading_is_silent_and_leaves_the_environment_alone(folders: dict[str, Path]) -> None:
    program = (
        "import os; before = dict(os.environ)\n"
        "from helpers import load\n"
        f"for folder in {[str(folder) for folder in folders.values()]}: load(folder)\n"
        "from diffusers.utils import logging as d; from transformers.utils import logging as t\n"
        "assert d.get_verbosity() == t.get_verbosity() == 30 and d.is_progress_bar_enabled()\n"
        "changed = {k for k in before | os.environ if before.get(k) != os.environ.get(k)}\n"
        "assert not [k for k in changed if k.startswith(('HF_', 'TRANSFORMERS', 'DIFFUSERS'))], changed\n"
    )
    done = subprocess.run([sys.executable, "-W", "default", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_helpers_is_quick_and_imports_no_heavy_library() -> None:
    program = (
        "import sys, time; start = time.perf_counter(); import helpers; dir(helpers)\n"
        "print(time.perf_counter() - start < 0.3, [m for m in ('torch', 'diffusers', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"


def test_helpers_has_no_other_names() -> None:
    import helpers

    assert "load" in dir(helpers) and helpers.load is load
    with pytest.raises(AttributeError, match="nothing"):
        helpers.nothing  # noqa: B018


def test_without_its_weights_the_embedded_model_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "EMBEDDED_FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="embedded model"):
        load()


def test_load_without_a_name_is_the_embedded_model(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "EMBEDDED_FOLDER", folders["v"])
    model = load(device="cpu")
    assert (model.steps, model.guidance) == (catalogue.EMBEDDED.steps, catalogue.EMBEDDED.guidance)


def test_a_folder_named_like_a_model_of_the_table_does_not_hide_it(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sdxl-turbo").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "fetch", lambda *_: folders["xl"])
    assert load("sdxl-turbo", device="cpu").steps == 4
    with pytest.raises(ValueError, match="There is no model ''"):
        load("")


def test_pickled_files_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"anything")
    with pytest.raises(ValueError, match="only .safetensors"):
        load(tmp_path / "model.ckpt")


def test_a_folder_with_pickled_weights_is_not_loaded(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["sd"], tmp_path / "pickled")
    weights = tmp_path / "pickled" / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(OSError):
        load(tmp_path / "pickled")


def test_what_is_no_model_is_refused_with_the_reason(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="model_index.json"):
        load(tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxPipeline"}', encoding="utf-8")
    with pytest.raises(ValueError, match="FluxPipeline, which is a flow model; expected"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no file"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError, match="no folder"):
        load(tmp_path / "none")
    (tmp_path / "cut.safetensors").write_bytes(b"123")
    with pytest.raises(ValueError, match="not a readable"):
        load(tmp_path / "cut.safetensors")
    with pytest.raises(ValueError, match="not a whole Stable Diffusion"):
        load(folders["sd"] / "unet" / "diffusion_pytorch_model.safetensors")


@pytest.mark.parametrize("beside", [True, False])
def test_a_single_file_is_loaded_like_the_folder_it_was_made_from(
    models: dict[str, DiffusersModel], folders: dict[str, Path], tmp_path: Path, beside: bool
) -> None:
    random_pipelines.save_single_file(models["sd"].pipeline, tmp_path / "single.safetensors")
    if not beside:
        with pytest.raises(catalogue.HubOutOfReach, match="weights only"):
            load(tmp_path / "single.safetensors")
        return
    shutil.copytree(folders["sd"], tmp_path / "single", ignore=shutil.ignore_patterns("*.safetensors"))
    model = load(tmp_path / "single.safetensors", device="cpu")
    pictures = (m.generate("a cat", seed=1, steps=4, guidance=3, progress=False)[0] for m in (model, models["sd"]))
    assert distance(*pictures) == 0


def test_a_file_with_a_second_text_encoder_is_sdxl(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    names = ["model.diffusion_model.out.0.bias", "conditioner.embedders.1.model.ln_final.bias"]
    save_file({name: torch.zeros(1) for name in names}, tmp_path / "xl.safetensors")
    assert loading.kind_of_file(tmp_path / "xl.safetensors") == "StableDiffusionXLPipeline"


# ------------------------------------------------------------------------------------------------- the hub


def test_too_little_gpu_memory_is_refused_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "free_gb", lambda device: 3.0)
    monkeypatch.setattr(loading, "fetch", lambda *_: pytest.fail("it was fetched"))
    with pytest.raises(catalogue.TooLittleMemory, match="needs about 18 GB.*3.0 GB are free"):
        load("stable-diffusion-xl-base-1.0", device="cpu")


def test_running_out_of_gpu_memory_is_explained(model: DiffusersModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model.unet, "forward", full)
    with pytest.raises(catalogue.TooLittleMemory, match="smaller pictures"):
        model.generate("cat", steps=2, progress=False)


def test_running_out_of_gpu_memory_while_loading_is_explained(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("diffusers.StableDiffusionPipeline.to", full)
    with pytest.raises(TooLittleMemory, match="smaller model"):
        load(folders["sd"], "cpu")


@pytest.mark.parametrize("name", ["sd", "v", "xl"])
def test_in_half_precision_the_pipeline_s_own_call_makes_a_picture_too(name: str, folders: dict[str, Path]) -> None:
    model = DiffusersModel.from_folder(folders[name], "cpu", torch.bfloat16)
    with quiet():
        pictures = model.pipeline("a cat", num_inference_steps=2, height=32, width=32).images
    assert pictures[0].size == (32, 32)


def test_an_autoencoder_in_another_dtype_is_taken_as_it_is(folders: dict[str, Path]) -> None:
    model = DiffusersModel.from_folder(folders["xl"], "cpu", torch.bfloat16)
    model.pipeline.vae.to(torch.bfloat16)  # as diffusers' own pipelines for SDXL leave it
    assert model.generate("a cat", steps=2, progress=False)[0].size == model.size
    assert model.encode(Image.new("RGB", (32, 32))).dtype == torch.float32


def test_a_model_that_reads_a_word_in_another_way_has_another_fingerprint(models: dict[str, DiffusersModel]) -> None:
    for model in (models["sd"], models["xl"]):
        own, (table, rows) = model.fingerprint, model.token_rows("zq")[-1]
        network, _, path = table.partition(".")
        changed = model.networks[network].get_parameter(path).clone()
        changed[rows[-1]] += 0.01
        with model.changed({table: changed}):
            assert model.fingerprint != own
        assert model.fingerprint == own


@pytest.mark.parametrize(("knobs", "words"), [({"device": "gpu"}, "expected 'cpu'"), ({"dtype": "float16"}, "torch's"),
                                              ({"device": "cuda"}, "no cuda device"), ({"device": "mps"}, "no mps")])
def test_a_place_or_dtype_that_is_not_there_is_said_to_be_so(
    knobs: dict, words: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises((TypeError, ValueError), match=words):
        load(folders["sd"], **knobs)


def test_encode_wants_at_least_one_picture(model: DiffusersModel) -> None:
    with pytest.raises(ValueError, match="list is empty"):
        model.encode([])


def test_methods_for_one_picture_refuse_several(model: DiffusersModel) -> None:
    pictures = [Image.new("RGB", (32, 32), color) for color in ("red", "blue")]
    for method, *arguments in ((sdedit, "a cat"), (magicmix, "a cat"), (find_mask, "a dog", "a cat"),
                               (direct, "a cat")):
        with pytest.raises(ValueError, match="Got 2 pictures"):
            method(model, pictures, *arguments, steps=2, progress=False)
    with pytest.raises(ValueError, match="Got 2 pictures"):
        word_mask(model, pictures, "a cat", "cat", maps=2)
