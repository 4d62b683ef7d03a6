"""Whether what a model is asked with is its own: latents of its shape, texts as it embeds them, weights it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from helpers.core.interface import Text
from helpers.core.shapes import Latents, Times, Weight
from helpers.core.values import WrongKind, shown


def check_latents(name: str, x: Latents, channels: int) -> None:
    """A ValueError unless these latents are of the model's kind."""
    if x.shape[1] != channels:
        raise ValueError(f"{name} has {x.shape[1]} channels; this model's latents have {channels}: encode the picture "
                         "with this very model.")


def check_finite(name: str, x: Latents) -> None:
    """A ValueError unless these latents hold numbers throughout."""
    if x.is_meta or not torch.isfinite(x).all():
        raise ValueError(f"{name} holds numbers that are not finite (nan), or none: of those no picture can be made.")


def check_state(x: Latents, t: int | Times, device: torch.device) -> None:
    """A ValueError unless the state is where the network is, and each of its rows has a time."""
    if x.device.type != device.type:
        raise ValueError(f"x is on {x.device} and the model on {device}: give x.to(model.device).")
    if isinstance(t, Tensor) and len(t) not in (1, len(x)):
        raise ValueError(f"t has {len(t)} times for {len(x)} rows: give one time, or one for each row.")


def check_text(text: Text, width: int, pooled: bool) -> None:
    """A ValueError unless the text was embedded as the model reads it: of its width, pooled where it asks for that."""
    shape = tuple(text.embeddings.shape)
    if len(shape) != 3 or shape[2] != width or pooled != (text.pooled is not None):
        raise ValueError(f"The text has embeddings of shape {shape}; this model reads (B, n, {width})"
                         f"{' and a pooled vector' if pooled else ''}: embed the prompt with this very model.")


def check_weights(networks: Mapping[str, Any], weights: Mapping[str, Weight]) -> None:
    """A ValueError unless each name is a weight of the networks, "unet.conv_in.weight" say, and its tensor fits."""
    own = {f"{network}.{path}": weight for network in {name.partition(".")[0] for name in weights} & networks.keys()
           for path, weight in networks[network].named_parameters()}
    for name, value in weights.items():
        if name not in own:
            raise ValueError(f"This model has no weight {name!r}; `networks` has them, each as 'network.path'.")
        if not isinstance(value, Tensor) or value.shape != own[name].shape:
            raise WrongKind(f"{name} is {shown(value)}; expected a tensor of shape {tuple(own[name].shape)}.")
