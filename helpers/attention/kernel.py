"""Edited attention in the fused kernel: M^ V = M (A V) + M* (diag(b) V), without forming a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as sdpa

from helpers.attention.edits import Edit, SelfEdit


def remixed(q: Tensor, k: Tensor, q_star: Tensor, k_star: Tensor, v_star: Tensor, A: Tensor | None,
            b: Tensor | None) -> Tensor:
    """M^ V = M (A V) + M* (diag(b) V), for T targets of one source, in the fused kernel.

    q (1, heads, L, d), k (1, heads, n, d) of the source, q_star, k_star, v_star (T, heads, ., .) of the targets.
    A (T, n, n) or None for 0 (then q and k are not read); b (T, n) or None for 0 (then q_star and k_star are not).
    """
    terms = []
    if A is not None:
        count = len(v_star)
        terms.append(sdpa(q.expand(count, -1, -1, -1), k.expand(count, -1, -1, -1), A[:, None] @ v_star))
    if b is not None:
        terms.append(sdpa(q_star, k_star, b[:, None, :, None] * v_star))
    return sum(terms[1:], terms[0])


class Plan(NamedTuple):
    """What the edits of T targets amount to at one step, on the network's device.

    A (T, n, n) or None for 0, b (T, n) or None for 0; both None where every target keeps its own maps.
    self_edits: of each target.
    """

    A: Tensor | None
    b: Tensor | None
    self_edits: tuple[tuple[SelfEdit, ...], ...]


def planned(edits: Sequence[Edit], pieces: Sequence[int], like: Tensor) -> Plan:
    """The plan of these pieces of the edits, in the dtype and on the device of `like`."""
    A = torch.stack([edit.A[i] for edit, i in zip(edits, pieces, strict=True)])
    b = torch.stack([edit.b[i] for edit, i in zip(edits, pieces, strict=True)])
    self_edits = tuple(edit.self_edits[i] for edit, i in zip(edits, pieces, strict=True))
    if not A.any() and (b == 1).all():
        return Plan(None, None, self_edits)
    return Plan(A.to(like) if A.any() else None, b.to(like) if b.any() or not A.any() else None, self_edits)


def inputs(attn: Any, hidden_states: Tensor, text: Tensor | None, temb: Tensor | None) -> tuple[Tensor, Tensor]:
    """What queries, and what keys and values, are made from: (B, L, C) and (B, n, D)."""
    x = hidden_states if attn.spatial_norm is None else attn.spatial_norm(hidden_states, temb)
    x = x.flatten(2).transpose(1, 2) if x.ndim == 4 else x
    x = x if attn.group_norm is None else attn.group_norm(x.transpose(1, 2)).transpose(1, 2)
    if text is None:
        return x, x
    return x, attn.norm_encoder_hidden_states(text) if attn.norm_cross else text


def queries(attn: Any, x: Tensor) -> Tensor:
    """(B, heads, L, d)."""
    q = in_heads(attn, attn.to_q(x))
    return q if attn.norm_q is None else attn.norm_q(q)


def keys(attn: Any, text: Tensor) -> Tensor:
    """(B, heads, n, d)."""
    k = in_heads(attn, attn.to_k(text))
    return k if attn.norm_k is None else attn.norm_k(k)


def values(attn: Any, text: Tensor) -> Tensor:
    """(B, heads, n, d)."""
    return in_heads(attn, attn.to_v(text))


def in_heads(attn: Any, x: Tensor) -> Tensor:
    """(B, L, heads d) to (B, heads, L, d)."""
    apart: Tensor = x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
    return apart


def finished(attn: Any, out: Tensor, hidden_states: Tensor) -> Tensor:
    """The heads together again, the last projection, the residual."""
    out = out.transpose(1, 2).flatten(2).to(hidden_states.dtype)
    out = attn.to_out[1](attn.to_out[0](out))
    out = out.transpose(1, 2).reshape(hidden_states.shape) if hidden_states.ndim == 4 else out
    out = (out + hidden_states if attn.residual_connection else out) / attn.rescale_output_factor
    return out


def grid_of(latent: tuple[int, int], length: int) -> tuple[int, int]:
    """(h, w) of a layer with `length` pixels, in a network that halves the latent's (h, w), rounding up."""
    h, w = latent
    while h * w > length:
        h, w = -(-h // 2), -(-w // 2)
    if h * w != length:
        raise RuntimeError(f"A layer has {length} pixels, which no halving of the latent's {latent} gives.")
    return h, w
