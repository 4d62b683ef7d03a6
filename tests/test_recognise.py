"""What a pipeline is, is found before anything of it is trusted, and said; names in files decide nothing."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import random_pipelines
import safetensors.torch
import torch

from helpers.models import catalogue, devices
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.loading import load
from helpers.models.quiet import quiet
from helpers.models.recognise import Kind, recognised


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the small pipeline's folder, to be spoilt."""
    return Path(shutil.copytree(folders["sd"], tmp_path / "model"))


def edited(file: Path, **settings: object) -> None:
    """A configuration with other settings."""
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | settings), encoding="utf-8")


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Modules in the working directory and in the model that leave a mark when they are run; tells whether one was."""
    mark = tmp_path / "it ran"
    code = f"open({str(mark)!r}, 'w')\nclass UNet2DConditionModel: pass\nclass Trap: pass\n"
    (tmp_path / "model").mkdir(exist_ok=True)
    for place in (tmp_path / "evil", tmp_path / "model" / "evil", tmp_path / "model" / "unet"):
        place.mkdir(exist_ok=True)
        for name in ("__init__.py", "modeling.py", "evil.py"):
            (place / name).write_text(code, encoding="utf-8")
    (tmp_path / "model" / "pipeline.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return mark.exists


@pytest.mark.parametrize("index", [
    {"unet": ["evil", "UNet2DConditionModel"]}, {"unet": ["evil", "Trap"]}, {"scheduler": ["evil", "DDIMScheduler"]},
    {"safety_checker": ["evil", "Trap"]}, {"feature_extractor": ["evil", "CLIPImageProcessor"]},
    {"extra": ["evil", "Trap"]}, {"unet": ["diffusers", "Transformer2DModel"]},
    {"unet": ["diffusers.utils", "logging"]},
    {"text_encoder": ["transformers", "AutoModel"]}, {"vae": ["os", "system"]}, {"unet": "evil"}, {"unet": ["evil"]},
    {"unet": {"evil": "Trap"}}, {"_class_name": ["pipeline", "Trap"]}, {"_class_name": "evil"}, {"_class_name": None},
    {"custom_pipelines": {"text2img": {}}}, {"auto_map": {"x": "evil--Trap"}}, {"trust_remote_code": True},
])
def test_names_in_the_index_import_nothing_and_are_refused(
    folders: dict[str, Path], tmp_path: Path, trap: Callable[[], bool], index: dict
) -> None:
    folder = Path(shutil.copytree(folders["sd"], tmp_path / "model", dirs_exist_ok=True))
    edited(folder / "model_index.json", **index)
    with pytest.raises(ValueError, match="Only known classes|runs? programs|expected a StableDiffusion|has no unet"):
        load(folder, "cpu")
    assert not trap() and "evil" not in sys.modules


@pytest.mark.parametrize(("file", "settings"), [
    ("unet/config.json", {"_class_name": "Trap"}), ("unet/config.json", {"_class_name": ["evil", "Trap"]}),
    ("unet/config.json", {"auto_map": {"AutoModel": "evil.Trap"}}), ("vae/config.json", {"_class_name": "evil.Trap"}),
    ("text_encoder/config.json", {"auto_map": {"AutoModel": "evil.Trap"}}),
    ("text_encoder/config.json", {"quantization_config": {"quant_method": "evil"}}),
    ("text_encoder/config.json", {"_attn_implementation_internal": "someone/kernel"}),
    ("text_encoder/config.json", {"attn_implementation": "someone/kernel"}),
    ("text_encoder/config.json", {"attn_implementation": {"": "someone/kernel"}}),
    ("text_encoder/config.json", {"text_config": {"auto_map": {"AutoModel": "evil.Trap"}}}),
    ("text_encoder/config.json", {"text_config": {"attn_implementation": "someone/kernel"}}),
    ("tokenizer/tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Trap", None]}}),
    ("scheduler/scheduler_config.json", {"_class_name": "evil"}),
])
def test_configurations_import_nothing_and_are_refused(
    folders: dict[str, Path], tmp_path: Path, trap: Callable[[], bool], file: str, settings: dict
) -> None:
    folder = Path(shutil.copytree(folders["sd"], tmp_path / "model", dirs_exist_ok=True))
    edited(folder / file, **settings)
    with pytest.raises(ValueError, match="not loaded|Only known classes"):
        load(folder, "cpu")
    assert not trap() and "evil" not in sys.modules


class Evil:
    """What is run when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.mark,)


def in_pieces(folder: Path, part: str, named: str, whole: bool = False) -> None:
    """The weights of a part as one piece with an index that names another file; `whole`: beside the whole file."""
    weights = next((folder / part).glob("*.safetensors"))
    names = safetensors.torch.load_file(weights)
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, named)}
    (folder / part / f"{weights.name}.index.json").write_text(json.dumps(index), encoding="utf-8")
    if not whole:
        weights.rename(weights.with_name(f"{weights.stem}-00001-of-00001.safetensors"))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize("named", ["evil.bin", "../evil.safetensors"])
def test_an_index_of_weights_names_no_pickled_file_and_none_elsewhere(
    folder: Path, part: str, named: str, whole: bool
) -> None:
    in_pieces(folder, part, named, whole)
    torch.save({"x": Evil(folder / "it ran")}, folder / part / named)
    with pytest.raises(ValueError, match=f"names '{named}' as its weights; only .safetensors files beside it"):
        load(folder, "cpu")
    assert not (folder / "it ran").exists()


def test_an_index_of_weights_that_is_damaged_or_names_what_is_not_there_is_told(folder: Path) -> None:
    in_pieces(folder, "unet", "diffusion_pytorch_model-00001-of-00001.safetensors")
    load(folder, "cpu")  # as it is saved in pieces
    index = folder / "unet/diffusion_pytorch_model.safetensors.index.json"
    for pieces, words in (([1], "names 'nothing'"), ({}, "names 'nothing'"), ({"a": 3}, "names '3'"),
                          ({"a": "b.safetensors"}, "has no unet/b.safetensors: download it again")):
        edited(index, weight_map=pieces)
        with pytest.raises((ValueError, FileNotFoundError), match=words):
            load(folder, "cpu")


def test_an_adapter_in_a_part_s_folder_is_not_loaded(folder: Path) -> None:
    note = {"peft_type": "LORA", "base_model_name_or_path": "/elsewhere"}
    (folder / "text_encoder/adapter_config.json").write_text(json.dumps(note), encoding="utf-8")
    torch.save({"x": Evil(folder / "it ran")}, folder / "text_encoder/adapter_model.bin")
    with pytest.raises(ValueError, match="puts an adapter.*on the text_encoder; it is not loaded. Move"):
        load(folder, "cpu")
    assert not (folder / "it ran").exists()


def test_the_configuration_beside_a_single_file_is_looked_at_in_the_same_way(
    models: dict[str, DiffusersModel], folder: Path, trap: Callable[[], bool]
) -> None:
    random_pipelines.save_single_file(models["sd"].pipeline, folder.with_suffix(".safetensors"))
    edited(folder / "model_index.json", unet=["evil", "Trap"])
    with pytest.raises(ValueError, match="Only known classes"):
        load(folder.with_suffix(".safetensors"), "cpu")
    assert not trap()


# ------------------------------------------------------------------------------------------ damaged and strange


@pytest.mark.parametrize(("file", "content", "words"), [
    ("model_index.json", b"<!DOCTYPE html>", "web page"), ("model_index.json", b"[1]", "holds a list"),
    ("model_index.json", b"\xff\xfe", "no text"), ("unet/config.json", b"version https://git-lfs.x", "git-lfs"),
    ("unet/config.json", b"{", "damaged"), ("known_words.json", b"3", "no list of words"),
    ("unet/diffusion_pytorch_model.safetensors", b"<html>", "web page"),
    ("unet/diffusion_pytorch_model.safetensors", b"version https://git-lfs.github.com/spec/v1", "git-lfs"),
    ("unet/diffusion_pytorch_model.safetensors", b"GGUF____", "GGUF"),
    ("vae/diffusion_pytorch_model.safetensors", b"", "empty"),
    ("text_encoder/model.safetensors", b"\x80\x02", "pickled"),
])
def test_a_file_that_is_something_else_is_said_to_be_so(folder: Path, file: str, content: bytes, words: str) -> None:
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load(folder, "cpu")


def test_weights_of_other_shapes_are_said_not_to_fit(folder: Path) -> None:
    edited(folder / "unet" / "config.json", block_out_channels=[32, 32])
    with pytest.raises(ValueError, match="The unet in .* cannot be read"):
        load(folder, "cpu")


@pytest.mark.parametrize(("ending", "words"), [(".bin", "pickled"), (".onnx", "ONNX"), (".msgpack", "Flax")])
def test_weights_of_another_kind_are_named(folder: Path, ending: str, words: str) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(ending))
    with pytest.raises(FileNotFoundError, match=words):
        load(folder, "cpu")


@pytest.mark.parametrize("part", ["unet", "text_encoder", "everything"])
def test_a_folder_with_half_size_files_only_is_loaded(
    folder: Path, part: str, models: dict[str, DiffusersModel]
) -> None:
    for file in folder.rglob("*.safetensors"):
        if part in (file.parent.name, "everything"):
            file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    assert load(folder, "cpu").fingerprint == models["sd"].fingerprint


# ------------------------------------------------------------------------------------------------ what it is


@pytest.mark.parametrize(("channels", "words"), [(9, "inpainting"), (8, "instruction"), (7, "upscaler"), (5, "depth")])
def test_a_network_that_wants_more_than_the_latent_is_named(folder: Path, channels: int, words: str) -> None:
    edited(folder / "unet" / "config.json", in_channels=channels)
    with pytest.raises(ValueError, match=f"takes {channels} channels, its latents have 4; it is an? {words}"):
        load(folder, "cpu")
    with quiet():
        pipeline = random_pipelines.stable_diffusion()
        pipeline.unet = random_pipelines.unet(channels, 16)
    with pytest.raises(ValueError, match=words):
        DiffusersModel(pipeline)


@pytest.mark.parametrize("settings", [{"_class_name": "LCMScheduler"}, {"_class_name": "EulerDiscreteScheduler",
                                                                       "timestep_spacing": "trailing"}])
def test_a_distilled_model_has_few_steps_and_no_guidance_of_its_own(folder: Path, settings: dict) -> None:
    edited(folder / "scheduler" / "scheduler_config.json", **settings)
    edited(folder / "model_index.json", scheduler=["diffusers", settings["_class_name"]])
    model = load(folder, "cpu")
    assert (model.steps, model.guidance) == (4, 1.0) and "1 to 4 steps" in str(model.kind)
    assert "every method" in str(Kind("Stable Diffusion"))
    assert DiffusersModel(model.pipeline).steps == 4
    assert model.generate("a cat", progress=False)[0].size == (32, 32)


def test_parts_of_different_models_are_said_not_to_fit() -> None:
    parts = {"unet": {"cross_attention_dim": 768}, "vae": {}, "scheduler": {}, "text_encoder": {"hidden_size": 1024}}
    with pytest.raises(ValueError, match="parts of different models"):
        recognised("StableDiffusionPipeline", parts, "This")


def test_a_pipeline_of_another_family_is_not_wrapped() -> None:
    class FluxPipeline:
        vae = None

    with pytest.raises(ValueError, match="This FluxPipeline has no vae"):
        DiffusersModel(FluxPipeline())


@pytest.mark.parametrize(("part", "knobs", "words"), [
    ("unet", {"class_embed_type": "timestep"}, "wants a class"), ("unet", {"num_class_embeds": 10}, "wants a class"),
    ("unet", {"addition_embed_type": "text_time", "addition_time_embed_dim": 8,
              "projection_class_embeddings_input_dim": 64}, "wants text_time beside the text"),
    ("unet", {"sample_size": (8, 16)}, "expected one side"), ("unet", {"sample_size": None}, "expected one side"),
    ("unet", {"out_channels": 8}, "makes 8 channels of 4"), ("scheduler", {}, "no table of noise"),
])
def test_a_pipeline_of_a_known_class_that_asks_for_more_is_refused(part: str, knobs: dict, words: str) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    with quiet():
        pipeline = random_pipelines.stable_diffusion()
        if part == "scheduler":
            pipeline.scheduler = FlowMatchEulerDiscreteScheduler()
        pipeline.unet.register_to_config(**(knobs if part == "unet" else {}))
    with pytest.raises(ValueError, match=f"{words}.*or the embedded one"):
        DiffusersModel(pipeline)


def test_a_tokenizer_that_does_not_fit_its_text_encoder_is_named(folder: Path) -> None:
    with quiet():
        pipeline = random_pipelines.stable_diffusion()
    pipeline.tokenizer.model_max_length = 77
    with pytest.raises(ValueError, match="longer than the 16 tokens.*model_max_length = 16"):
        DiffusersModel(pipeline)
    pipeline.tokenizer.model_max_length = 16
    pipeline.tokenizer.add_tokens(["zog"])
    with pytest.raises(ValueError, match="call pipeline.text_encoder.resize_token_embeddings"):
        DiffusersModel(pipeline)
    with quiet():
        pipeline.text_encoder.resize_token_embeddings(len(pipeline.tokenizer))
    DiffusersModel(pipeline).generate("a zog", steps=1, progress=False)
    settings = json.loads((folder / "tokenizer/tokenizer_config.json").read_text(encoding="utf-8"))
    settings.pop("model_max_length")
    (folder / "tokenizer/tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ValueError, match="longer than the 16 tokens.*tokenizer_config.json"):
        load(folder, "cpu")


@pytest.mark.parametrize("name", ["sd", "v", "xl"])
def test_the_fingerprint_is_the_same_in_every_precision(
    name: str, folders: dict[str, Path], models: dict[str, DiffusersModel]
) -> None:
    for dtype in (torch.float16, torch.bfloat16):
        model = load(folders[name], "cpu", dtype)
        assert model.fingerprint == models[name].fingerprint
        weight = next(part for part in model.pipeline.text_encoder.parameters())
        with model.changed({next(f"text_encoder.{n}" for n, _ in model.pipeline.text_encoder.named_parameters()):
                            weight + 1}):
            assert model.fingerprint != models[name].fingerprint


def test_picturebook_keeps_the_fingerprint_that_saved_files_have() -> None:
    """As it was computed when only float32 was thought of; its weights are stored in half precision."""
    import hashlib

    model = load(device="cpu")
    first = torch.stack([weight.detach().flatten()[0] for weight in model.unet.parameters()])
    sums = [weight.detach().view(torch.int32).sum(dtype=torch.int64).item()
            for weight in model.pipeline.text_encoder.parameters()]
    assert model.fingerprint == hashlib.sha256(first.numpy().tobytes() + repr(sums).encode()).hexdigest()[:8]


def test_a_lora_is_named_where_weights_are_to_be_changed() -> None:
    import peft

    with quiet():
        model = DiffusersModel(random_pipelines.stable_diffusion())
    own, name = model.fingerprint, "unet." + next(iter(dict(model.unet.named_parameters())))
    model.unet.add_adapter(peft.LoraConfig(target_modules=["to_q"], init_lora_weights=False), "watercolour")
    assert model.adapters == ["watercolour"] and model.fingerprint != own
    model.generate("a cat", steps=1, progress=False)
    for use in (lambda: model.networks, lambda: model.changed({name: torch.zeros(1)}).__enter__()):
        with pytest.raises(ValueError, match="'watercolour'.*unload it.*fuse_lora"):
            use()
    with model.changed({}, gradient_checkpointing=True):
        pass


def test_fused_projections_and_layers_that_are_cast_at_each_call_are_named_where_weights_are_to_be_changed() -> None:
    for prepare, words in ((lambda pipeline: pipeline.fuse_qkv_projections(), "fused.*unfuse_qkv_projections"),
                           (lambda pipeline: pipeline.unet.enable_layerwise_casting(torch.bfloat16, torch.float32),
                            "layerwise casting.*Load it anew without")):  # fmt: skip
        with quiet():
            model = DiffusersModel(random_pipelines.stable_diffusion())
        name, weight = next(iter(model.unet.named_parameters()))
        prepare(model.pipeline)
        model.generate("a cat", steps=1, progress=False)
        for use in (lambda: model.networks, lambda: model.changed({f"unet.{name}": weight}).__enter__()):  # noqa: B023
            with pytest.raises(ValueError, match=words):
                use()


def test_a_model_with_free_u_has_another_fingerprint_until_it_is_off() -> None:
    with quiet():
        model = DiffusersModel(random_pipelines.stable_diffusion())
    own = model.fingerprint
    model.pipeline.enable_freeu(s1=0.9, s2=0.2, b1=1.2, b2=1.4)
    on = model.fingerprint
    model.pipeline.enable_freeu(s1=0.9, s2=0.2, b1=1.2, b2=1.5)
    assert len({own, on, model.fingerprint}) == 3
    model.pipeline.disable_freeu()
    assert model.fingerprint == own


@pytest.mark.parametrize("offload", ["sequential", "model"])
def test_an_offloaded_pipeline_is_refused_with_the_remedy(offload: str) -> None:
    import accelerate

    with quiet():
        pipeline = random_pipelines.stable_diffusion()
    model = DiffusersModel(pipeline)
    if offload == "sequential":
        accelerate.cpu_offload(pipeline.unet, torch.device("cpu"), offload_buffers=False)
    else:
        accelerate.cpu_offload_with_hook(pipeline.unet, torch.device("cpu"))
    for use in (lambda: DiffusersModel(pipeline), lambda: model.generate("a cat", steps=1), lambda: model.fingerprint):
        with pytest.raises(ValueError, match="keeps its weights elsewhere.*float16"):
            use()


# --------------------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize(("error", "whose"), [
    (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "The GPU"),
    (torch.OutOfMemoryError("CUDA out of memory"), "The GPU"), (MemoryError(), "This computer"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "This computer"),
])
def test_too_little_memory_is_explained_whatever_it_is_called(error: Exception, whose: str) -> None:
    with pytest.raises(catalogue.TooLittleMemory, match=f"^{whose} has too little.*smaller"):
        with catalogue.explained_memory("the outer"), catalogue.explained_memory("the inner"):
            raise error


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="^mine$"), catalogue.explained_memory("it"):
        raise RuntimeError("mine")


def test_the_free_memory_of_apple_s_gpus_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.mps.recommended_max_memory", lambda: 8_000_000_000)
    monkeypatch.setattr("torch.mps.driver_allocated_memory", lambda: 3_000_000_000)
    assert devices.free_gb(torch.device("mps")) == 5.0 and devices.free_gb(torch.device("cpu")) == float("inf")
