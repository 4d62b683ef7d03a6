"""Edited attention in the fused kernel: M^ V = M (A V) + M* (diag(b) V), without forming a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as sdpa

from helpers.attention.edits import Edit, SelfEdit
from helpers.core.shapes import Heads, Hidden, Weight

Matrices = Float[Tensor, "T n n"]  # A of each of T targets
Vectors = Float[Tensor, "T n"]  # b of each


def remixed(q: Float[Tensor, "1 heads L d"], k: Float[Tensor, "1 heads n d"], q_star: Float[Tensor, "_ heads _ d"],
            k_star: Float[Tensor, "_ heads n d"], v_star: Float[Tensor, "T heads n v"], A: Matrices | None,
            b: Vectors | None) -> Float[Tensor, "T heads L v"]:
    """M^ V = M (A V) + M* (diag(b) V), for T targets of one source, in the fused kernel.

    A: None for 0 (then q and k are not read). b: None for 0 (then q_star and k_star are not).
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

    A: None for 0. b: None for 0. Both are None where every target keeps its own maps.
    self_edits: of each target.
    """

    A: Matrices | None
    b: Vectors | None
    self_edits: tuple[tuple[SelfEdit, ...], ...]


def planned(edits: Sequence[Edit], pieces: Sequence[int], like: Weight) -> Plan:
    """The plan of these pieces of the edits, in the dtype and on the device of `like`."""
    A = torch.stack([edit.A[i] for edit, i in zip(edits, pieces, strict=True)])
    b = torch.stack([edit.b[i] for edit, i in zip(edits, pieces, strict=True)])
    self_edits = tuple(edit.self_edits[i] for edit, i in zip(edits, pieces, strict=True))
    if not A.any() and (b == 1).all():
        return Plan(None, None, self_edits)
    return Plan(A.to(like) if A.any() else None, b.to(like) if b.any() or not A.any() else None, self_edits)


def inputs(attn: Any, hidden_states: Weight, text: Float[Tensor, "B n D"] | None, temb: Weight | None
           ) -> tuple[Float[Tensor, "B L C"], Float[Tensor, "B _ _"]]:
    """What queries, and what keys and values, are made from. hidden_states: (B, L, C) or (B, C, h, w)."""
    x = hidden_states if attn.spatial_norm is None else attn.spatial_norm(hidden_states, temb)
    x = x.flatten(2).transpose(1, 2) if x.ndim == 4 else x
    x = x if attn.group_norm is None else attn.group_norm(x.transpose(1, 2)).transpose(1, 2)
    if text is None:
        return x, x
    return x, attn.norm_encoder_hidden_states(text) if attn.norm_cross else text


def queries(attn: Any, x: Hidden) -> Heads:
    """Q of the pixels."""
    q = in_heads(attn, attn.to_q(x))
    return q if attn.norm_q is None else attn.norm_q(q)


def keys(attn: Any, text: Hidden) -> Heads:
    """K of the tokens, or of the pixels."""
    k = in_heads(attn, attn.to_k(text))
    return k if attn.norm_k is None else attn.norm_k(k)


def values(attn: Any, text: Hidden) -> Heads:
    """V of the tokens, or of the pixels."""
    return in_heads(attn, attn.to_v(text))


def in_heads(attn: Any, x: Hidden) -> Heads:
    """The numbers of each token shared out among the heads."""
    split: Heads = x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
    return split


def finished(attn: Any, out: Heads, hidden_states: Weight) -> Weight:
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
