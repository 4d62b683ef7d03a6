"""Prompt-to-Prompt's edits on explicit attention maps, as the paper writes them: the baseline of `attention.py`.

Every map of every layer is formed, edited and multiplied with the values. Slow on purpose; it shares nothing with
`helpers.attention` but the numbers of an `Edit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from helpers.attention.edits import Edit, SelfEdit


class ExplicitMaps:
    """A layer's processor that forms softmax(Q K^T / sqrt(d)); the batch ends with the source and the targets."""

    def __init__(self) -> None:
        self.now: list[tuple[Tensor, Tensor, tuple[SelfEdit, ...]]] = []  # A, b and the self edits of each target
        self.latent = (0, 0)
        self.maps: Tensor | None = None
        self.keep = False

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
                 attention_mask: Tensor | None = None, temb: Tensor | None = None) -> Tensor:
        """The layer's output."""
        text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (attn.head_to_batch_dim(part).unflatten(0, (-1, attn.heads)) for part in
                   (attn.to_q(hidden_states), attn.to_k(text), attn.to_v(text)))  # (B, heads, ., d)
        maps = (q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)).softmax(-1)
        cross, first = encoder_hidden_states is not None, len(maps) - len(self.now)
        before = maps.clone() if self.keep and cross else None
        for i, (A, b, self_edits) in enumerate(self.now, first):
            if cross:
                maps[i] = maps[first - 1] @ A.to(maps) + maps[i] * b.to(maps)
                continue
            taken = [one.of_source for one in self_edits if self._small(maps.shape[-1], one.up_to)]
            q_i, k_i, v_i = (part[first - 1 if any(name in its for its in taken) else i]
                             for name, part in zip("qkv", (q, k, v), strict=True))
            maps[i], v[i] = (q_i * q_i.shape[-1] ** -0.5 @ k_i.transpose(-1, -2)).softmax(-1), v_i
        if before is not None:
            self.maps = torch.stack([before, maps], 1)  # (B, 2, heads, pixels, n)
        out = attn.batch_to_head_dim((maps @ v).flatten(0, 1))
        return attn.to_out[1](attn.to_out[0](out)) / attn.rescale_output_factor

    def _small(self, pixels: int, up_to: int) -> bool:
        h, w = self.latent
        while h * w > pixels:
            h, w = -(-h // 2), -(-w // 2)
        return min(h, w) <= up_to


@contextmanager
def explicit_maps(model: Any, edits: Sequence[Edit], steps: int,
                  keep: bool = False) -> Iterator[dict[str, ExplicitMaps]]:
    """The model with explicit maps under these edits; gives the processor of each layer, with `keep` also its maps."""
    before = dict(model.unet.attn_processors)
    layers = {name: ExplicitMaps() for name in before}
    step_at = {t: i for i, t in enumerate(model.times(steps)[:-1])}

    def tell(_: Any, inputs: tuple[Any, ...]) -> None:
        step = step_at[int(inputs[1])]
        for layer in layers.values():
            layer.now = [(*edit.at(step, steps), edit.self_edits[edit.piece(step, steps)]) for edit in edits]
            layer.latent, layer.keep = tuple(inputs[0].shape[-2:]), keep

    hook = model.unet.register_forward_pre_hook(tell)
    model.unet.set_attn_processor(dict(layers))
    try:
        yield layers
    finally:
        model.unet.set_attn_processor(before)
        hook.remove()
