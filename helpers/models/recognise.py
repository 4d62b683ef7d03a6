"""What a pipeline is, by its small files, before anything of it is imported, downloaded or trusted.

Names in a file never decide what is imported: `model_index.json` and each part's configuration are compared with the
table below, and the classes are ours to choose. What is refused, is refused with a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
INDEX = "model_index.json"
SCHEDULERS = tuple(f"{name}Scheduler" for name in (
    "DDIM", "DDPM", "PNDM", "LMSDiscrete", "EulerDiscrete", "EulerAncestralDiscrete", "HeunDiscrete",
    "KDPM2Discrete", "KDPM2AncestralDiscrete", "DPMSolverMultistep", "DPMSolverSinglestep", "DEISMultistep",
    "UniPCMultistep", "LCM", "TCD"))

#: the parts a pipeline may have: (library, classes); those of NOT_LOADED are let lie
PARTS = {
    "vae": ("diffusers", ("AutoencoderKL", "AutoencoderTiny")),
    "unet": ("diffusers", ("UNet2DConditionModel",)),
    "scheduler": ("diffusers", SCHEDULERS),
    "text_encoder": ("transformers", ("CLIPTextModel",)),
    "text_encoder_2": ("transformers", ("CLIPTextModelWithProjection",)),
    "tokenizer": ("transformers", ("CLIPTokenizer", "CLIPTokenizerFast")),
    "tokenizer_2": ("transformers", ("CLIPTokenizer", "CLIPTokenizerFast")),
}
NOT_LOADED = {
    "safety_checker": ("stable_diffusion", ("StableDiffusionSafetyChecker",)),
    "feature_extractor": ("transformers", ("CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPFeatureExtractor")),
    "image_encoder": ("transformers", ("CLIPVisionModelWithProjection",)),
}
NETWORKS = {"vae": "diffusion_pytorch_model", "unet": "diffusion_pytorch_model", "text_encoder": "model",
            "text_encoder_2": "model"}
ADAPTER = "adapter_config.json"  # transformers would load what it names, from wherever
RUNS_CODE = ("auto_map", "custom_pipelines", "trust_remote_code", "quantization_config", "module_file")

#: what other families are, where their name does not say it by itself
OTHER_FAMILIES = {
    "InstructPix2Pix": "edits by instruction", "Inpaint": "fills in masks", "Img2Img": "refines a given picture",
    "ControlNet": "is steered by a second picture", "Upscale": "enlarges pictures", "Flux": "is a flow model",
    "QwenImage": "is a flow model", "StableDiffusion3": "is a flow model", "PixArt": "is a transformer",
    "LatentConsistency": "takes the guidance as an input", "Onnx": "is for another program, ONNX",
}
CHANNELS = {9: "an inpainting model (it wants a mask and a masked picture beside the latent)",
            8: "an instruction model (it wants a picture beside the latent)",
            7: "an upscaler (it wants a small picture beside the latent)",
            5: "a depth model (it wants a depth map beside the latent)"}
INSTEAD = "Take the plain text-to-image model of its kind, or the embedded one: load()."


@dataclass(frozen=True)
class Kind:
    """What a pipeline is. family: "Stable Diffusion" or "Stable Diffusion XL". distilled: few steps, no guidance."""

    family: str
    distilled: bool = False

    @property
    def steps(self) -> int:
        """How many steps it is made for."""
        return 4 if self.distilled else 50

    @property
    def guidance(self) -> float:
        """Which guidance it is made for."""
        return 1.0 if self.distilled else 7.5

    def __str__(self) -> str:
        """What works with it, in a sentence."""
        if not self.distilled:
            return f"{self.family}: every method of this package works with it."
        return (f"{self.family}, distilled to few steps: it is made for 1 to 4 steps at guidance 1. Methods run, but "
                "those that invert a picture or rely on guidance give poor pictures: take the undistilled model there.")


def read_json(file: Path) -> dict[str, Any]:
    """A configuration; a ValueError that says what the file is if it is none."""
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text)
    except UnicodeDecodeError:
        raise ValueError(f"{str(file)!r} is no text: download it again.") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{str(file)!r} is not JSON ({not_json(text)}): download it again.") from None
    if not isinstance(found, dict):
        raise ValueError(f"{str(file)!r} holds a {type(found).__name__}, not settings by name: download it again.")
    return found


def not_json(text: str) -> str:
    """What a text is that was to be JSON."""
    if text.lstrip()[:1] == "<":
        return "a web page, a login perhaps, was saved in its place"
    return "a pointer of git-lfs stands in its place" if text.startswith("version https://git-lfs") else "it is damaged"


def check_index(index: Mapping[str, Any], what: str) -> str:
    """The pipeline's class, if it and all its parts are known ones; else a ValueError that says which is not."""
    kind = index.get("_class_name")
    if not isinstance(kind, str) or kind not in PIPELINES:
        raise ValueError(other_family(kind, what))
    for name, entry in index.items():
        if name in RUNS_CODE:
            raise ValueError(f"{what}: its {INDEX} asks for {name!r}, which runs programs from the model; it is not "
                             f"loaded. {INSTEAD}")
        a_part = name in PARTS or name in NOT_LOADED or isinstance(entry, list | dict)
        if a_part and entry not in (None, [None, None]) and not name.startswith("_"):
            check_part(name, entry, what)
    wanted = [name for name in PARTS if kind == PIPELINES[1] or not name.endswith("_2")]
    if missing := [name for name in wanted if list(index.get(name) or [None, None]) == [None, None]]:
        hint = "It is the refiner of Stable Diffusion XL, perhaps. " if missing[0].startswith("text_encoder") or \
            missing[0].startswith("tokenizer") else ""
        raise ValueError(f"{what} has no {missing[0]}. {hint}{INSTEAD}")
    return kind


def check_part(name: str, entry: Any, what: str) -> None:
    """An error unless the entry of a part in model_index.json is one of the table's."""
    library, classes = {**PARTS, **NOT_LOADED}.get(name, (None, ()))
    if not isinstance(entry, list | tuple) or len(entry) != 2 or entry[0] != library or entry[1] not in classes:
        expected = f"expected {' or '.join(classes[:3])} of {library}" if library else "there is no such part"
        raise ValueError(f"{what}: {INDEX} names {entry!r} as its {name}; {expected}. Only known classes are loaded, "
                         "since others can run programs.")


def other_family(kind: object, what: str) -> str:
    """The sentence for a pipeline class that is none of ours."""
    if isinstance(kind, list | tuple):
        return f"{what} brings a pipeline of its own ({kind!r}), which would run programs; it is not loaded. {INSTEAD}"
    says = next((says for part, says in OTHER_FAMILIES.items() if part in str(kind)), None)
    return (f"{what} is a {kind}{f', which {says}' if says else ''}; expected a {' or '.join(PIPELINES)}. {INSTEAD}")


def config_file(part: str) -> str:
    """The name of a part's configuration."""
    own = {"scheduler": "scheduler_config.json", "tokenizer": "tokenizer_config.json"}
    return own.get(part.removesuffix("_2"), "config.json")


def check_configs(folder: Path, index: Mapping[str, Any], what: str) -> Kind:
    """What the pipeline in a folder is, by its parts' configurations; an error where one is unknown or does not fit."""
    configs = {}
    for part in parts_of(index):
        file = folder / part / config_file(part)
        if not file.is_file():
            if part.startswith("tokenizer"):
                continue
            raise FileNotFoundError(f"{what} has no {part}/{file.name}: download it again, whole.")
        if (folder / part / ADAPTER).is_file():
            raise ValueError(f"{what}: {part}/{ADAPTER} puts an adapter, a LoRA perhaps, on the {part}; it is not "
                             f"loaded. Move {ADAPTER} away, or take a model without. {INSTEAD}")
        config = configs[part] = read_json(file)
        if bad := next(code_in(config), None):
            raise ValueError(f"{what}: {part}/{file.name} asks for {bad!r}, which needs programs beyond "
                             f"diffusers and transformers; it is not loaded. {INSTEAD}")
        named = config.get("_class_name", PARTS[part][1][0])
        if named not in PARTS[part][1]:
            check_part(part, [PARTS[part][0], named], what)
    return recognised(index["_class_name"], configs, what, str(index.get("_name_or_path") or ""))


def code_in(config: Any) -> Iterator[str]:
    """The settings of a configuration, however deep they stand, that make the libraries run programs from elsewhere."""
    for name, value in config.items() if isinstance(config, dict) else ():
        if (name in RUNS_CODE and value) or ("_implementation" in name and "/" in str(value)):  # code from the hub
            yield name
        yield from code_in(value)


def parts_of(index: Mapping[str, Any]) -> list[str]:
    """The parts of a pipeline that are loaded."""
    return [name for name in PARTS if list(index.get(name) or [None, None]) != [None, None]]


def recognised(pipeline: str, configs: Mapping[str, Mapping[str, Any]], what: str, name: str = "") -> Kind:
    """What the parts make together; a ValueError for what cannot make pictures from a text alone."""
    unet, vae, scheduler = (configs[part] for part in ("unet", "vae", "scheduler"))
    channels, latent = unet.get("in_channels", 4), vae.get("latent_channels", 4)
    if channels != latent:
        is_one = CHANNELS.get(channels, "no model that these methods know")
        raise ValueError(f"{what}: its network takes {channels} channels, its latents have {latent}; it is {is_one}. "
                         f"{INSTEAD}")
    encoders = [configs[part] for part in ("text_encoder", "text_encoder_2") if part in configs]
    widths: list[Any] = [encoder.get("hidden_size") for encoder in encoders]
    wanted = unet.get("cross_attention_dim", 1280)
    if None not in widths and isinstance(wanted, int) and sum(widths) != wanted:
        raise ValueError(f"{what}: its network reads text {wanted} numbers wide, its text encoder writes "
                         f"{sum(widths)}: parts of different models. {INSTEAD}")
    if strange := strange_network(unet, "XL" in pipeline) or strange_schedule(scheduler):
        raise ValueError(f"{what}: {strange}. {INSTEAD}")
    few = scheduler.get("_class_name") in ("LCMScheduler", "TCDScheduler") or unet.get("time_cond_proj_dim")
    few = few or "Euler" in str(scheduler.get("_class_name")) and scheduler.get("timestep_spacing") == "trailing"
    few = few or any(word in f"{what} {name}".lower() for word in ("turbo", "lightning", "hyper-sd", "lcm"))
    return Kind("Stable Diffusion XL" if "XL" in pipeline else "Stable Diffusion", bool(few))


def strange_network(unet: Mapping[str, Any], large: bool) -> str:
    """What a denoiser wants beside latent, time and text, or makes beside its prediction; "" if nothing."""
    if unet.get("class_embed_type") or unet.get("num_class_embeds"):
        return "its network wants a class beside the text (an upscaler, perhaps)"
    expected = "text_time" if large else None
    if (added := unet.get("addition_embed_type", expected)) != expected:
        return f"its network wants {added or 'nothing'} beside the text; expected {expected or 'nothing'}"
    made, taken = unet.get("out_channels", 4), unet.get("in_channels", 4)
    if made != taken:
        return f"its network makes {made} channels of {taken} (a variance, too, perhaps)"
    if not isinstance(unet.get("sample_size"), int | None) or unet.get("sample_size", 64) is None:
        return f"its network was made for pictures of the size {unet['sample_size']!r}; expected one side"
    return ""


def strange_schedule(scheduler: Mapping[str, Any]) -> str:
    """What is strange about a schedule without the table alpha_bar; "" if it has one."""
    name = scheduler.get("_class_name", SCHEDULERS[0])
    if name in SCHEDULERS or "beta_start" in scheduler or scheduler.get("trained_betas") is not None:
        return ""
    return f"its {name} has no table of noise (a flow model's, perhaps)"


def weights_of(files: Collection[str], part: str, prefer: str | None) -> tuple[list[str], str | None] | None:
    """The weight files of a part among `files` (with "/"), and their variant: the preferred one, else what there is."""
    stem = f"{part}/{NETWORKS[part]}"
    for variant in dict.fromkeys((prefer, None, "fp16", "bf16", "non_ema", "fp16-non_ema")):
        whole = f"{stem}.{variant}.safetensors" if variant else f"{stem}.safetensors"
        index = f"{stem}.safetensors.index.{variant}.json" if variant else f"{stem}.safetensors.index.json"
        if whole in files:
            return [whole], variant
        pieces = sorted(file for file in files if file.startswith(f"{stem}.{variant}-" if variant else f"{stem}-")
                        and file.endswith(".safetensors"))
        if index in files and pieces:
            return [index, *pieces], variant
    return None


def check_pieces(index: Mapping[str, Any], file: str, what: str) -> list[str]:
    """The pieces that an index of weights names, beside it; a ValueError where it names anything else.

    The libraries read whatever file is named there, pickled ones too.
    """
    pieces = index.get("weight_map")
    named = sorted({str(piece) for piece in pieces.values()}) if isinstance(pieces, dict) else []
    wrong = [piece for piece in named if "/" in piece or not piece.endswith(".safetensors")]
    if wrong or not named:
        raise ValueError(f"{what}: {file} names {wrong[0] if wrong else 'nothing'!r} as its weights; only .safetensors "
                         f"files beside it are loaded, since others can run programs. {INSTEAD}")
    return [f"{file.rpartition('/')[0]}/{piece}" for piece in named]


def no_weights(files: Collection[str], part: str, what: str) -> str:
    """The sentence for a part without safetensors: what is there instead."""
    mine = [file for file in files if file.startswith(f"{part}/")]
    for ending, says in ((".bin", "pickled weights, which can run programs"), (".ckpt", "pickled weights, which can "
                         "run programs"), (".onnx", "ONNX, for another program"), (".msgpack", "weights for Flax"),
                         (".gguf", "GGUF, for another program"), (".pb", "ONNX, for another program")):
        if any(file.endswith(ending) for file in mine):
            return (f"{what} has {says}, for its {part}; only .safetensors files are loaded. Look for a version of it "
                    "in safetensors.")
    return f"{what} has no weights for its {part}: download it again, whole."
