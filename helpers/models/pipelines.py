"""Pipeline folders, read without running anything from them; this room alone imports diffusers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from helpers.models import catalogue
from helpers.models.quiet import quiet, untouched_random_state

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")


def read_folder(folder: Path, dtype: torch.dtype, variant: str | None = None) -> Any:
    """The pipeline in a folder, without a safety checker; nothing is fetched, unpickled or run from it."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise FileNotFoundError(f"{str(folder)!r} is no diffusers pipeline: it has no model_index.json.")
    kind = json.loads(index.read_text(encoding="utf-8")).get("_class_name")
    checker = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    with quiet(), untouched_random_state():
        return pipeline_class(kind).from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            variant=variant,
            **(checker if kind == PIPELINES[0] else {}),
            **precision(dtype),
        )


def read_known_words(folder: Path) -> frozenset[str] | None:
    """The words a small model was trained on, from `known_words.json` (a list); None where there is no such file."""
    file = folder / "known_words.json"
    return frozenset(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def pipeline_class(kind: str) -> Any:
    """The diffusers class of that name, if it is one of ours."""
    if kind not in PIPELINES:
        raise ValueError(f"This is a {kind}; expected a {' or '.join(PIPELINES)}.")
    import diffusers

    return getattr(diffusers, kind)


def precision(dtype: torch.dtype) -> dict[str, torch.dtype]:
    """How to tell this version of diffusers the dtype (`dtype=` is silently ignored before 0.40)."""
    import diffusers

    major, minor = (int(part) for part in diffusers.__version__.split(".")[:2])
    return {"dtype" if (major, minor) >= (0, 40) else "torch_dtype": dtype}


def settled(pipeline: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline on its device, frozen; the autoencoder in float32, since float16 gives some black pictures.

    The pipeline's own call hands the autoencoder latents in half precision, so its parts take them as they come.
    """
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
