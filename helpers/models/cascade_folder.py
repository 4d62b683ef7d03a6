"""A cascade's folder: recognised and checked by its small files, then read; nothing from it is run or unpickled.

    base/                   in the layout of diffusers' IFPipeline: tokenizer, text_encoder, unet, scheduler
    super_resolution/       in that of IFSuperResolutionPipeline: unet, scheduler, image_noising_scheduler; its own
                            tokenizer and text_encoder, or none
    super_resolution_2/     a further stage, and so on
    known_words.json        the words it was trained on, if it was on few

DeepFloyd IF's repositories, each downloaded to the folder of that name, are such a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from helpers.models import catalogue
from helpers.models.checksums import check_files
from helpers.models.pipelines import building, files_of, read_known_words, read_part
from helpers.models.quiet import quiet
from helpers.models.recognise import (
    INDEX,
    NETWORKS,
    RUNS_CODE,
    SCHEDULERS,
    config_file,
    no_weights,
    read_json,
    weights_of,
)
from helpers.models.safetensor_files import check_safetensors

BASE, STAGE = "base", "super_resolution"
PIPELINES = {BASE: "IFPipeline", STAGE: "IFSuperResolutionPipeline"}
#: the parts of both: (library, classes); safety checker, watermark and the like are let lie
PARTS = {
    "tokenizer": ("transformers", ("T5Tokenizer", "T5TokenizerFast", "CLIPTokenizer", "CLIPTokenizerFast")),
    "text_encoder": ("transformers", ("T5EncoderModel", "CLIPTextModel")),
    "unet": ("diffusers", ("UNet2DConditionModel",)),
    "scheduler": ("diffusers", SCHEDULERS),
    "image_noising_scheduler": ("diffusers", ("DDPMScheduler", "DDIMScheduler")),
}
NEEDED = {BASE: ("tokenizer", "text_encoder", "unet", "scheduler"),
          STAGE: ("unet", "scheduler", "image_noising_scheduler")}
CHANNELS = {BASE: 3, STAGE: 6}


def is_cascade(folder: Path) -> bool:
    """Whether a folder holds a cascade, whole or not; ValueError where it is one part of one."""
    if (folder / INDEX).is_file():
        kind = read_json(folder / INDEX).get("_class_name")
        if kind in PIPELINES.values():
            name = next(name for name, its in PIPELINES.items() if its == kind)
            raise ValueError(f"{str(folder)!r} is one part of a cascade, its {name}: give the folder around it, with "
                             f"{BASE}/ and {STAGE}/ side by side.")
        return False
    return any((path / INDEX).is_file() for path in (folder / BASE, *stages_in(folder)))


def stages_in(folder: Path) -> list[Path]:
    """The folders of the super-resolution stages, in their order."""
    found = [path for path in folder.glob(f"{STAGE}*") if path.is_dir()]
    return sorted(found, key=lambda path: (len(path.name), path.name))


def read_cascade(folder: Path, device: torch.device, dtype: torch.dtype
                 ) -> tuple[Any, list[Any], frozenset[str] | None]:
    """The base's pipeline, those of the stages, and the known words; everything is checked before anything is read."""
    what, stages = repr(str(folder)), stages_in(folder)
    if not (folder / BASE / INDEX).is_file():
        raise FileNotFoundError(f"{what} is no cascade: it has no {BASE}/{INDEX}. Put an IFPipeline's folder there.")
    if not stages:
        raise FileNotFoundError(f"{what} has no super-resolution stage: put an IFSuperResolutionPipeline's folder "
                                f"there, as {STAGE}/.")
    kinds = {folder / BASE: BASE, **dict.fromkeys(stages, STAGE)}
    check_files(folder)
    indices = {path: checked(path, kind, dtype) for path, kind in kinds.items()}
    widths = {path: text_width(read_json(path / "unet" / "config.json")) for path in kinds}
    for path in (path for path in stages if "text_encoder" not in indices[path]):
        if widths[path] != widths[folder / BASE]:
            raise ValueError(f"{str(path)!r} has no text encoder, and its network reads text {widths[path]} numbers "
                             f"wide; the base's writes {widths[folder / BASE]}: take the stages of one cascade.")
    base, *pipelines = [read_pipeline(path, indices[path], device, dtype) for path in kinds]
    return base, pipelines, read_known_words(folder)


def checked(folder: Path, kind: str, dtype: torch.dtype) -> dict[str, tuple[str, Any]]:
    """Class and weights of each part that is there; an error for what is unknown, missing or does not fit."""
    what = repr(str(folder))
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(f"{what} has no {INDEX}: put an {PIPELINES[kind]}'s folder there.")
    index = read_json(folder / INDEX)
    if index.get("_class_name") != PIPELINES[kind]:
        raise ValueError(f"{what} is a {index.get('_class_name')}; expected an {PIPELINES[kind]}, as diffusers' "
                         "save_pretrained writes it.")
    if bad := [name for name in RUNS_CODE if index.get(name)]:
        raise ValueError(f"{what}: its {INDEX} asks for {bad[0]!r}, which runs programs from the model; it is not "
                         "loaded.")
    parts = {name: checked_part(name, index[name], what) for name in PARTS
             if list(index.get(name) or [None, None]) != [None, None]}
    if missing := [name for name in NEEDED[kind] if name not in parts]:
        raise ValueError(f"{what} has no {missing[0]}: save the pipeline with it.")
    if "tokenizer" not in parts:
        parts.pop("text_encoder", None)
    check_sizes({name: checked_config(folder, name, what) for name in parts}, kind, what)
    files = files_of(folder)
    return {name: (class_, checked_weights(folder, name, files, dtype, what) if name in NETWORKS else ([], None))
            for name, class_ in parts.items()}


def checked_part(name: str, entry: Any, what: str) -> str:
    """The class of a part in model_index.json; an error unless it is one of the table's."""
    library, classes = PARTS[name]
    if not isinstance(entry, list) or len(entry) != 2 or entry[0] != library or entry[1] not in classes:
        raise ValueError(f"{what}: {INDEX} names {entry!r} as its {name}; expected {' or '.join(classes[:4])} of "
                         f"{library}. Only known classes are loaded, since others can run programs.")
    return str(entry[1])


def checked_config(folder: Path, name: str, what: str) -> dict[str, Any]:
    """The configuration of a part; an error where it asks for programs, or is missing."""
    file = folder / name / ("scheduler_config.json" if name == "image_noising_scheduler" else config_file(name))
    if not file.is_file():
        if name == "tokenizer":
            return {}
        raise FileNotFoundError(f"{what} has no {name}/{file.name}: download it again, whole.")
    config = read_json(file)
    if bad := [asked for asked in RUNS_CODE if config.get(asked)]:
        raise ValueError(f"{what}: {name}/{file.name} asks for {bad[0]!r}, which needs programs beyond diffusers and "
                         "transformers; it is not loaded.")
    return config


def check_sizes(configs: Mapping[str, Mapping[str, Any]], kind: str, what: str) -> None:
    """ValueError where the network is of another kind than its place asks for, or reads other text than is written."""
    unet = configs["unet"]
    taken, made = unet.get("in_channels", 4), unet.get("out_channels", 4)
    if taken != CHANNELS[kind] or made not in (3, 6):
        raise ValueError(f"{what}: its network takes {taken} channels and makes {made}; expected {CHANNELS[kind]} and "
                         f"3 (or 6, with the variance). Is it the {BASE if kind == STAGE else STAGE}, or a model of "
                         "latents?")
    if kind == STAGE and unet.get("class_embed_type") != "timestep":
        raise ValueError(f"{what}: its network is not told how far the small picture was noised (class_embed_type is "
                         f"{unet.get('class_embed_type')!r}); expected 'timestep'. Train it with noise conditioning "
                         "augmentation.")
    encoder = configs.get("text_encoder", {})
    wanted, width = text_width(unet), encoder.get("hidden_size", encoder.get("d_model"))
    if width is not None and width != wanted:
        raise ValueError(f"{what}: its network reads text {wanted} numbers wide, its text encoder writes {width}: "
                         "parts of different models. Put those of one model together.")


def text_width(unet: Mapping[str, Any]) -> Any:
    """Numbers of each token's embedding that a network reads."""
    return unet.get("encoder_hid_dim") or unet.get("cross_attention_dim", 1280)


def checked_weights(folder: Path, name: str, files: set[str], dtype: torch.dtype, what: str
                    ) -> tuple[list[str], str | None]:
    """The weight files of a network, and their variant."""
    found = weights_of(files, name, "fp16" if dtype == torch.float16 else None)
    if found is None:
        raise FileNotFoundError(no_weights(files, name, what))
    for file in found[0]:
        (read_json if file.endswith(".json") else check_safetensors)(folder / file)
    return found


def read_pipeline(folder: Path, parts: Mapping[str, tuple[str, Any]], device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline of checked parts, on its device and frozen, without safety checker and watermark."""
    import diffusers

    with building(), catalogue.explained_memory(repr(str(folder))):
        read = {name: read_part(folder, name, class_, weights, dtype) for name, (class_, weights) in parts.items()}
        read |= {name: None for name in ("tokenizer", "text_encoder") if name not in read}
        kind = PIPELINES[STAGE if "image_noising_scheduler" in read else BASE]
        pipeline = getattr(diffusers, kind)(**read, safety_checker=None, feature_extractor=None, watermarker=None,
                                            requires_safety_checker=False)
    with quiet(), catalogue.explained_memory(kind):
        pipeline.to(device, dtype)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False).eval()
    return pipeline
