"""What no call may change: the state of the process, of a model, of the folder we are in, and of the one for passing
files."""

from __future__ import annotations

import locale
import logging
import os
import random
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile

from helpers.models.exclusive import lock_of

LIBRARIES = ("", "diffusers", "transformers", "huggingface_hub", "PIL", "matplotlib")
LEFT_OVER = (".new", ".part", ".lock", ".tmp", ".incomplete")  # endings of files that are being written


def process_state() -> dict[str, Any]:
    """What of the process no call may change."""
    return {
        "default dtype": torch.get_default_dtype(), "default device": str(torch.get_default_device()),
        "grad mode": torch.is_grad_enabled(), "inference mode": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"), "threads of torch": torch.get_num_threads(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "torch's random state": hash(torch.random.get_rng_state().numpy().tobytes()),
        "random's state": hash(random.getstate()),
        "numpy's random state": hash((np.random.get_state()[1].tobytes(), np.random.get_state()[2])),
        "numpy's errors": tuple(np.geterr().items()), "warning filters": tuple(map(id, warnings.filters)),
        "who shows warnings": id(warnings.showwarning), "hooks of Python": (id(sys.excepthook), id(sys.stdout),
                                                                            id(sys.stderr), sys.gettrace()),
        "folder": os.getcwd(), "its files": tuple(sorted(os.listdir())), "environment": hash(tuple(os.environ.items())),
        "import path": tuple(sys.path), "locale": locale.setlocale(locale.LC_ALL),
        "limits of Pillow": (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES),
        "logs": tuple(map(log, LIBRARIES)),
    }


def log(name: str) -> tuple[Any, ...]:
    """How a logger is set."""
    logger = logging.getLogger(name)
    return (logger.level, logger.propagate, logger.disabled, tuple(map(id, logger.handlers)),
            tuple(tuple(map(id, handler.filters)) for handler in logger.handlers))


def threads() -> tuple[str, ...]:
    """The threads there are, but those that tqdm keeps for its bars."""
    return tuple(sorted(thread.name for thread in threading.enumerate() if "TMonitor" not in type(thread).__name__))


def model_state(model: Any) -> dict[str, Any]:
    """What of a model no call may change."""
    parts = {name: part for name, part in model.pipeline.components.items() if isinstance(part, torch.nn.Module)}
    weights = [p for part in parts.values() for p in part.parameters()]
    modules = [module for part in parts.values() for module in part.modules()]
    schedulers = (model.scheduler, model.pipeline.scheduler)
    return {
        "weights": hash(tuple((id(p), p.data_ptr(), p._version, p.dtype, p.device.type) for p in weights)),
        "gradients": any(p.grad is not None or p.requires_grad for p in weights),
        "processors": tuple(map(id, model.unet.attn_processors.values())), "hooks": tuple(map(hooks_of, modules)),
        "training mode": any(module.training for module in modules),
        "gradient checkpointing": bool(model.unet.is_gradient_checkpointing), "parts": tuple(map(id, parts.values())),
        "scheduler": tuple((id(one), one.config.prediction_type, times_of(one)) for one in schedulers),
        "alpha_bar": (model.alpha_bar._version, model.alpha_bar.data_ptr(), model.final_alpha_bar),
        "known words": model.known_words, "numbers": (model.steps, model.guidance, model.size),
        "its lock": repr(lock_of(model.unet)).partition(" at ")[0],
    }


def hooks_of(module: Any) -> tuple[int, ...]:
    """How many hooks of each kind are on a module."""
    return (len(module._forward_hooks), len(module._forward_pre_hooks), len(module._backward_hooks),
            len(module._backward_pre_hooks))


def times_of(scheduler: Any) -> tuple[Any, ...]:
    """At which times a scheduler stands, without those of its steps that it has not been asked for."""
    return tuple(scheduler.timesteps.tolist()), getattr(scheduler, "num_inference_steps", None)


def sums_of(model: Any) -> dict[str, float]:
    """The sum of each weight, which `model_state` is too quick for: it sees no write through `.data`."""
    return {f"{name}.{path}": float(p.detach().double().abs().sum())
            for name, part in model.pipeline.components.items() if isinstance(part, torch.nn.Module)
            for path, p in part.named_parameters()}


def left_over(folders: Iterable[Path] = ()) -> list[str]:
    """Files below these folders, or where temporary files are, that somebody was still writing."""
    return [str(file) for folder in (folders or [Path(tempfile.gettempdir())]) for file in folder.rglob("*")
            if file.name.endswith(LEFT_OVER)]
