"""Pipeline folders, read without running anything from them; this room alone imports diffusers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from helpers.models import catalogue
from helpers.models.as_it_is import check_tokens
from helpers.models.checksums import check_files
from helpers.models.quiet import quiet, untouched_random_state, usual_torch
from helpers.models.recognise import (
    INDEX,
    NETWORKS,
    PIPELINES,
    Kind,
    check_configs,
    check_index,
    check_pieces,
    no_weights,
    parts_of,
    read_json,
    weights_of,
)
from helpers.models.safetensor_files import check_safetensors

HALVES = (torch.float16, torch.bfloat16)
_loading = threading.RLock()  # the libraries change torch's own settings while they read weights


@contextmanager
def building() -> Iterator[None]:
    """For building networks: silent, one at a time, and the state of torch is as before afterwards."""
    with _loading, quiet(), untouched_random_state(), usual_torch():
        yield


def read_folder(folder: Path, dtype: torch.dtype, name: str = "") -> tuple[Any, Kind]:
    """The pipeline in a folder, without a safety checker, and what it is; nothing is fetched, unpickled or run from it.

    Weights may be there in another precision: they are read and cast. name: what to call it in an error.
    """
    what = repr(name or str(folder))
    index, kind, weights = checked_folder(folder, dtype, what)
    with building(), catalogue.explained_memory(what):
        parts = {part: read_part(folder, part, index[part][1], weights.get(part, ([], None)), dtype)
                 for part in parts_of(index)}
        return assembled(index, parts), kind


def checked_folder(folder: Path, dtype: torch.dtype, what: str
                   ) -> tuple[dict[str, Any], Kind, dict[str, tuple[list[str], str | None]]]:
    """model_index.json, what it is, and the files and variant of each network; an error if anything is not right."""
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(f"{str(folder)!r} is no diffusers pipeline: it has no {INDEX}{other_files(folder)}.")
    check_files(folder)
    index = read_json(folder / INDEX)
    check_index(index, what)
    kind = check_configs(folder, index, what)
    files = files_of(folder)
    weights = {}
    for part in (part for part in parts_of(index) if part in NETWORKS):
        found = weights_of(files, part, "fp16" if dtype == torch.float16 else None)
        if found is None:
            raise FileNotFoundError(no_weights(files, part, what))
        for file in found[0]:
            if file.endswith(".safetensors"):
                check_safetensors(folder / file)
        check_indices(folder, files, part, found[0], what)
        weights[part] = found
    return index, kind, weights


def check_indices(folder: Path, files: set[str], part: str, weights: list[str], what: str) -> None:
    """An error where an index of a part's weights names other files than safetensors files that are there.

    Every index is looked at, for the libraries prefer one to a whole file beside it.
    """
    for file in sorted(file for file in files if file.startswith(f"{part}/") and ".index." in file):
        pieces = check_pieces(read_json(folder / file), file, what)
        if file in weights and (missing := [piece for piece in pieces if piece not in files]):
            raise FileNotFoundError(f"{what} has no {missing[0]}: download it again, whole.")
        for piece in files.intersection(pieces).difference(weights):
            check_safetensors(folder / piece)


def files_of(folder: Path) -> set[str]:
    """The files of a folder and of the folders in it, with "/"."""
    return {path.relative_to(folder).as_posix() for pattern in ("*", "*/*") for path in folder.glob(pattern)
            if path.is_file()}


def other_files(folder: Path) -> str:
    """What a folder holds that is a model of another make; "" if there is nothing of the kind."""
    for ending, says in ((".onnx", "ONNX files are for another program"), (".gguf", "GGUF is for another program"),
                         (".ckpt", "pickled files can run programs"), (".safetensors", "give the .safetensors file "
                          "itself, if it is a whole model")):
        if any(file.endswith(ending) for file in files_of(folder)):
            return f" ({says})"
    return ""


def read_part(folder: Path, part: str, name: str, weights: tuple[list[str], str | None], dtype: torch.dtype) -> Any:
    """One part of a pipeline, by a class of the table."""
    import diffusers
    import transformers

    class_ = getattr(diffusers if part in ("vae", "unet", "scheduler") else transformers, name)
    knobs: dict[str, Any] = {}
    if part in NETWORKS:
        first = torch.float32 if dtype == torch.bfloat16 else dtype  # bfloat16 loses what the fingerprint is made of
        own = precision(first) if part in ("vae", "unet") else {"dtype": first}
        knobs = {"use_safetensors": True, "variant": weights[1], **own}
    try:
        return class_.from_pretrained(str(folder / part), local_files_only=True, **knobs)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # whatever the library says, with what to do
        short = " ".join(str(error).split())[:200]
        raise ValueError(f"The {part} in {str(folder)!r} cannot be read ({type(error).__name__}: {short}). Download it "
                         "again; if it stays so, it is not a model of this kind.") from error


def assembled(index: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    """The pipeline made of its parts."""
    import diffusers

    if index["_class_name"] == PIPELINES[0]:
        extra = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    else:
        extra = {"force_zeros_for_empty_prompt": bool(index.get("force_zeros_for_empty_prompt", True)),
                 "add_watermarker": False}
    return getattr(diffusers, index["_class_name"])(**parts, **extra)


def read_known_words(folder: Path) -> frozenset[str] | None:
    """The words a small model was trained on, from `known_words.json` (a list); None where there is no such file."""
    file = folder / "known_words.json"
    if not file.is_file():
        return None
    try:
        words = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"{str(file)!r} is no list of words: delete it, or download it again.")
    return frozenset(words)


def pipeline_class(kind: str) -> Any:
    """The diffusers class of one of the PIPELINES."""
    import diffusers

    return getattr(diffusers, PIPELINES[PIPELINES.index(kind)])


def precision(dtype: torch.dtype) -> dict[str, torch.dtype]:
    """How to tell this version of diffusers the dtype (`dtype=` is silently ignored before 0.40)."""
    import diffusers

    major, minor = (int(part) for part in diffusers.__version__.split(".")[:2])
    return {"dtype" if (major, minor) >= (0, 40) else "torch_dtype": dtype}


def settled(pipeline: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline on its device, frozen; the autoencoder in float32, since float16 gives some black pictures.

    The pipeline's own call hands the autoencoder latents in half precision, so its parts take them as they come.
    """
    check_tokens(pipeline)
    with quiet(), catalogue.explained_memory(type(pipeline).__name__):
        pipeline.to(device, dtype)
        pipeline.vae.to(torch.float32)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False).eval()
    for name in ("encoder", "post_quant_conv", "decoder"):
        if isinstance(part := getattr(pipeline.vae, name, None), torch.nn.Module):
            part.register_forward_pre_hook(in_its_dtype)
    return pipeline


def in_its_dtype(part: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs of a part of the autoencoder, the first of them in the dtype of the part's weights."""
    return inputs[0].to(next(part.parameters()).dtype), *inputs[1:]
