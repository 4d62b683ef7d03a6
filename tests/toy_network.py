"""A network of a dozen weights that fits and resumes like a large one, for tests of what does not depend on size."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.core.diffusion import VariancePreserving, alpha_bar_at, last_part, noise_of
from helpers.core.interface import Text


class ToyModel(VariancePreserving):
    """Predicts noise (or v) as a linear function of the point and the prompt; a `helpers.finetuning.loss.Trainable`.

    A "picture" is a point in the plane, as an RGB picture of one pixel or two numbers; a prompt is known by its length.
    """

    device = torch.device("cpu")
    steps, guidance, final_alpha_bar, fingerprint = 4, 1.0, 1.0, "toy"

    def __init__(self, prediction: str = "epsilon") -> None:
        generator = torch.Generator().manual_seed(0)
        net = nn.Module()
        net.to_q, net.text = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
        for p in net.parameters():
            p.data = 0.3 * torch.randn(p.shape, generator=generator)
        self.net = net.requires_grad_(False)
        self.prediction, self.words = prediction, ()
        self.alpha_bar = torch.linspace(0.999, 0.01, 100)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"unet": self.net}

    @contextmanager
    def changed(self, weights: Mapping[str, Tensor], words: Collection[str] = (), gradient_checkpointing: bool = False
                ) -> Iterator[None]:
        before = []
        try:
            for name, value in weights.items():
                layer, key = name.split(".")[1:]
                before.append((getattr(self.net, layer)._parameters, key, getattr(self.net, layer)._parameters[key]))
                getattr(self.net, layer)._parameters[key] = value
            yield
        finally:
            for place, key, value in reversed(before):
                place[key] = value

    def shape(self, count: int, size: None = None) -> tuple[int, int, int, int]:
        return count, 2, 1, 1

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        return last_part([round(100 * k / steps) - 1 for k in range(steps, 0, -1)], strength)

    def embed(self, prompts: Any) -> Text:
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        rows = torch.tensor([[[float(len(p)), 1.0]] for p in prompts])
        return Text(rows, empty=Text(torch.zeros_like(rows)))

    def encode(self, images: Any) -> Tensor:
        images = images if isinstance(images, list) else [images]
        points = [np.asarray(image, dtype=np.float32).reshape(-1)[:2] / 255 for image in images]
        return torch.from_numpy(np.stack(points)).reshape(-1, 2, 1, 1)

    def decode(self, latents: Tensor) -> list[np.ndarray]:
        return list(latents.detach()[:, :, 0, 0].numpy())

    def eps(self, x: Tensor, t: int | Tensor, text: Text) -> Tensor:
        words = text.rows(len(x)).embeddings.mean(1)
        dtype = self.net.to_q.weight.dtype
        out = self.net.to_q(x[:, :, 0, 0].to(dtype)) + self.net.text(words.to(dtype))
        return noise_of(out.float()[:, :, None, None], x, alpha_bar_at(self, t), self.prediction)
