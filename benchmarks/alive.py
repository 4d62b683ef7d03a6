"""Counts the memory that a fit of Stable Diffusion takes on a GPU, on tensors without contents, without the GPU.

    python -m benchmarks.alive

What comes on top of it: the autoencoder and the text encoder (0.6 GB), and what the GPU's driver takes for itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.big_networks import LARGE, unet
from helpers.core.interface import Text
from helpers.core.surroundings import surroundings
from helpers.finetuning.fit import fit_weights
from helpers.finetuning.loss import denoising_loss
from helpers.finetuning.weights import full, lora
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.recognise import Kind

HOLDS = torch.device("meta")  # in place of the GPU


class Alive(TorchDispatchMode):
    """Counts the bytes of the tensors that are made inside the with-block and are alive: now, and at most.

    What is copied to main memory stays without contents, and is not counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now, self.most, self.known = 0, 0, set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device == HOLDS:
            return 1.0  # what a loss or a norm would be
        if func is torch.ops.aten._fused_adam_.default:
            return None  # changes its tensors in place
        leaves = tree_leaves((args, kwargs))
        away = kwargs.get("device") == torch.device("cpu") and any(
            isinstance(leaf, torch.Tensor) and leaf.device == HOLDS for leaf in leaves)
        result = func(*args, **(kwargs | {"device": HOLDS} if away else kwargs))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and tensor.device == HOLDS and not away:
                self.count(tensor.untyped_storage())
        self.most = max(self.most, self.now)
        return result

    def count(self, storage: torch.UntypedStorage) -> None:
        """Adds a storage, until it is gone."""
        if id(storage) not in self.known:
            self.known.add(id(storage))
            self.now += storage.nbytes()
            weakref.finalize(storage, self.gone, id(storage), storage.nbytes())

    def gone(self, key: int, size: int) -> None:
        """A storage is freed."""
        self.known.discard(key)
        self.now -= size


class Hollow(DiffusersModel):
    """Stable Diffusion's network and times, its weights without contents; in float16, as it is loaded on a GPU."""

    fingerprint = "none"

    def __init__(self, name: str = LARGE[0], dtype: torch.dtype = torch.float16) -> None:
        from diffusers import DDIMScheduler

        with HOLDS:
            network = unet(name).to(dtype)
        network.requires_grad_(False).eval()
        pipeline = SimpleNamespace(unet=network, scheduler=DDIMScheduler(), vae_scale_factor=8)
        super().__init__(pipeline, kind=Kind("Stable Diffusion XL" if "xl" in name else "Stable Diffusion"))

    def hollow_text(self, rows: int) -> Text:
        """Prompts without contents."""
        width = self.unet.config.cross_attention_dim
        pooled = torch.empty(rows, 1280, device=HOLDS) if "XL" in self.kind.family else None
        return Text(torch.empty(rows, 77, width, device=HOLDS), pooled)


@contextmanager
def counting() -> Iterator[Alive]:
    """An `Alive` under which a GPU's own ways of computing are counted, and not those of a machine without one."""
    with Alive() as alive, patch("torch.nn.functional.scaled_dot_product_attention", without_maps), \
            patch("torch.optim.adam._device_dtype_check_for_fused"):
        yield alive


def fit_gb(rank: int | None, rows: int = 2, name: str = LARGE[0], dtype: torch.dtype = torch.float16) -> float:
    """GB that a fit has on the GPU at most, the network's own weights included; all of them are fitted without a rank.

    rows: latents in a step. Gradient checkpointing, as `fit_weights` chooses on a GPU.
    """
    with counting() as alive:
        model = Hollow(name, dtype)
        alive.most = alive.now  # what making it took does not count
        text = model.hollow_text(rows)
        with HOLDS:
            x0 = torch.empty(model.shape(rows))
        t = torch.arange(rows)
        fit_weights(model, full(model) if rank is None else lora(model, rank),
                    lambda step: denoising_loss(model, x0, text, t, x0).mean(), steps=2, lr=1e-5, dtype=dtype,
                    gradient_checkpointing=True, progress=False)
    return round(alive.most / 1e9, 2)


def embedding_gb(rows: int = 4, name: str = LARGE[0], dtype: torch.dtype = torch.float16) -> float:
    """GB that the fit of an embedding has on the GPU at most, which is Imagic's first step."""
    with counting() as alive:
        model = Hollow(name, dtype)
        alive.most = alive.now
        text = model.hollow_text(rows)
        with HOLDS:
            x0 = torch.empty(model.shape(rows))
        text.embeddings.requires_grad_(True)
        t = torch.arange(rows)
        with surroundings(grad=True), model.changed({}, gradient_checkpointing=True):
            denoising_loss(model, x0, text, t, x0).mean().backward()
    return round(alive.most / 1e9, 2)


def sampling_gb(rows: int, name: str = LARGE[0], dtype: torch.dtype = torch.float16) -> float:
    """GB that the network has on the GPU at most, its weights included, while it predicts the noise of `rows` rows."""
    with counting() as alive:
        model = Hollow(name, dtype)
        alive.most = alive.now
        with HOLDS:
            x = torch.empty(model.shape(rows))
        with surroundings(grad=False):
            model.eps(x, torch.zeros(rows, dtype=torch.long), model.hollow_text(rows))
    return round(alive.most / 1e9, 2)


def without_maps(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    """Attention as a GPU computes it; without one PyTorch would form all maps."""
    return torch.ops.aten._scaled_dot_product_efficient_attention(query, key, value, None, True)[0]


def main() -> None:
    """Counts and prints."""
    print({"all weights": fit_gb(None), "lora of rank 4": fit_gb(4), "an embedding": embedding_gb(),
           "a guided step": sampling_gb(2)})


if __name__ == "__main__":
    main()
