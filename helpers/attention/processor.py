"""The processor that takes the place of one attention layer's own while it is watched or edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as sdpa

from helpers.attention.edits import SelfEdit
from helpers.attention.kernel import Plan, finished, grid_of, inputs, keys, queries, remixed, values
from helpers.attention.maps import AttentionStore, Maps, below
from helpers.core.shapes import Embeddings, Heads, Hidden, Weight

PARTS = ("processor", "set_processor", "to_q", "to_k", "to_v", "heads", "is_cross_attention")  # of an attention layer


class Layer:
    """The processor of one attention layer while it is watched or edited; else the layer's own does the work.

    What changes from call to call is told from outside before the call, and what was seen is collected after it:
    nothing in here counts, so a compiled network is not compiled again.
    """

    def __init__(self, name: str, module: Any) -> None:
        self.name, self.module, self.own = name, module, module.processor
        self.cross = bool(module.is_cross_attention)
        self.count = 0  # prompts at the end of the batch
        self.latent = (0, 0)
        self.coarsest = 0  # shorter side of the network's smallest grid
        self.plan: Plan | None = None
        self.replays = False  # the source is a recorded one: its row is not in the batch
        self.source: tuple[Heads, ...] | None = None  # recorded queries, keys and perhaps values
        self.stores: tuple[tuple[AttentionStore, Float[Tensor, "prompts n words"]], ...] = ()
        self.up_to: int | None = None  # record the last row, and self-attention up to this grid
        self.record_values = False  # of self-attention, too
        self.start()

    def leave(self) -> None:
        """Give the layer back, in whatever order several of these are left: the others stay until they are, too."""
        above = self.module.processor
        if above is self:
            self.module.set_processor(self.own)
        while isinstance(above, Layer) and above.own is not self:
            above = above.own
        if isinstance(above, Layer):
            above.own = self.own

    def start(self) -> None:
        """Forget the last call."""
        self.called, self.grid = False, (0, 0)
        self.maps: tuple[Maps | None, ...] = ()
        self.recorded: tuple[Heads, ...] | None = None

    def __call__(self, attn: Any, hidden_states: Weight, encoder_hidden_states: Embeddings | None = None,
                 attention_mask: Weight | None = None, **kwargs: Any) -> Weight:
        """The layer's output; for the targets' rows that of the edited attention."""
        if self.called:
            raise RuntimeError(f"{self.name} was called twice in one call of the model; its maps would be mixed up.")
        self.called = True
        length = hidden_states.shape[1] if hidden_states.ndim == 3 else hidden_states.shape[-2:].numel()
        self.grid = grid_of(self.latent, length)
        if self.stores or self.up_to is not None:
            self._watch(attn, hidden_states, encoder_hidden_states)
        plan = self._edits()
        if plan is None:  # as diffusers calls it: some take no more
            plain: Weight = self.own(attn, hidden_states, encoder_hidden_states=encoder_hidden_states,
                                     attention_mask=attention_mask, **kwargs)
            return plain
        if attention_mask is not None:
            raise NotImplementedError(f"{self.name} has an attention mask; such attention cannot be edited.")
        x, text = inputs(attn, hidden_states, encoder_hidden_states, kwargs.get("temb"))
        out = self._edited_cross(attn, x, text, plan) if self.cross else self._edited_self(attn, x, plan)
        return finished(attn, out, hidden_states)

    def _edits(self) -> Plan | None:
        """The plan, if it changes anything in this layer."""
        plan = self.plan
        if plan is None or (self.cross and plan.A is None and plan.b is None):
            return None
        return plan if self.cross or any(map(self._of_source, plan.self_edits)) else None

    def _within(self, up_to: int) -> bool:
        """Whether this layer's grid is one of those meant by `up_to`; the coarsest always is."""
        return min(self.grid) <= max(up_to, self.coarsest)

    def _of_source(self, self_edits: Sequence[SelfEdit]) -> frozenset[str]:
        """Those of q, k and v that a target with these edits takes from the source, in this layer."""
        here = [one.of_source for one in self_edits if self._within(one.up_to)
                and (one.layers is None or any(below(self.name, start) for start in one.layers))]
        return frozenset[str]().union(*here)

    def _source(self, q: Float[Tensor, "_ heads L d"], k: Float[Tensor, "_ heads n d"], first: int
                ) -> tuple[Float[Tensor, "1 heads L d"], Float[Tensor, "1 heads n d"]]:
        """The source's queries and keys: the recorded ones, or those of the row before the targets."""
        if not self.replays:
            return q[first - 1 : first], k[first - 1 : first]
        if self.source is None:
            raise ValueError(f"{self.name} was not recorded: record the source with the edit's steps and up_to.")
        return self.source[0], self.source[1]

    def _edited_cross(self, attn: Any, x: Float[Tensor, "B L C"], text: Embeddings, plan: Plan
                      ) -> Float[Tensor, "B heads L _"]:
        """The targets, which are the last rows, with M^ instead of M*."""
        A, b, self_edits = plan
        first = len(x) - len(self_edits)  # of the targets
        asked = x if b is not None else x[:first]  # the targets' own queries and keys are not needed where b = 0
        q, k, v = queries(attn, asked), keys(attn, text[: len(asked)]), values(attn, text)
        q_source, k_source = self._source(q, k, first)
        edited = remixed(q_source, k_source, q[first:], k[first:], v[first:], A, b)
        return torch.cat([sdpa(q[:first], k[:first], v[:first]), edited]) if first else edited

    def _edited_self(self, attn: Any, x: Hidden, plan: Plan) -> Float[Tensor, "B heads n _"]:
        """Each target with its own queries, keys and values, or the source's, as its edits say."""
        first = len(x) - len(plan.self_edits)
        of_source = [*map(self._of_source, plan.self_edits)]
        parts = []
        for name, project in (("q", queries), ("k", keys), ("v", values)):
            taken = [name in its for its in of_source]
            own = project(attn, x[:first] if all(taken) else x)
            rows = [self._source_part(name, own, first) if yes else own[first + i : first + i + 1]
                    for i, yes in enumerate(taken)]
            parts.append(torch.cat([own[:first], *rows]) if any(taken) else own)
        q, k, v = parts
        return sdpa(q, k, v)

    def _source_part(self, name: str, own: Float[Tensor, "_ heads L d"], first: int) -> Float[Tensor, "1 heads L d"]:
        """The source's queries, keys or values: recorded, or those of the row before the targets."""
        if not self.replays:
            return own[first - 1 : first]
        index = "qkv".index(name)
        if self.source is None or len(self.source) <= index:
            raise ValueError(f"{self.name} was not recorded with its {name}: record the source with the edit's steps, "
                             "a large enough up_to, and values=True where its values are asked for.")
        return self.source[index]

    def _watch(self, attn: Any, hidden_states: Weight, encoder_hidden_states: Embeddings | None) -> None:
        """Put what was asked for into `maps` and `recorded`."""
        x, text = inputs(attn, hidden_states, encoder_hidden_states, None)
        if self.up_to is not None and (self.cross or self._within(self.up_to)):
            self.recorded = (queries(attn, x[-1:]), keys(attn, text[-1:]))
            if self.record_values and not self.cross:
                self.recorded += (values(attn, x[-1:]),)
        wanted = [words if look.wants(self.name, self.grid) else None for look, words in self.stores]
        if self.cross and any(words is not None for words in wanted):
            first = len(x) - self.count  # all rows may be of others: count is 0 where only a recorded source is watched
            q, k = queries(attn, x[first:]).float(), keys(attn, text[first:]).float()
            if self.source is not None:
                q, k = (torch.cat([its.float(), part]) for its, part in zip(self.source, (q, k), strict=False))
            self.maps = tuple(None if words is None else self._maps(q, k, words) for words in wanted)

    def _maps(self, q: Float[Tensor, "prompts heads L d"], k: Float[Tensor, "prompts heads n d"],
              words: Float[Tensor, "prompts n words"]) -> Maps:
        """Maps of words before and after the edit, mean of the heads."""
        values = words[:, None].expand(-1, q.shape[1], -1, -1)
        before = after = sdpa(q, k, values)
        if (plan := self._edits()) is not None:
            A, b = (None if part is None else part.float() for part in (plan.A, plan.b))
            first = len(q) - len(plan.self_edits)
            after = torch.cat([before[:first], remixed(q[:1], k[:1], q[first:], k[first:], values[first:], A, b)])
        maps = torch.stack([before, after], 1).mean(2)  # (prompts, 2, L, words)
        placed: Maps = maps.transpose(-1, -2).unflatten(-1, self.grid)
        return placed


def chosen_layers(model: Any, starts: str | Sequence[str] | None) -> list[Layer]:
    """The attention layers of a model whose names begin with one of `starts`, found by what they have, not by class."""
    unet = getattr(model, "unet", None)
    found = [(name.removeprefix("_orig_mod."), module) for name, module in unet.named_modules()
             if all(hasattr(module, part) for part in PARTS)
             ] if isinstance(unet, torch.nn.Module) else []
    if not any(module.is_cross_attention for _, module in found):
        raise ValueError(f"{type(model).__name__} has no cross-attention that could be watched or edited.")
    if starts is not None:
        starts = [starts] if isinstance(starts, str) else list(starts)
        if not starts:
            raise ValueError("No layer is chosen: name the start of at least one layer's name, or give None for all.")
        for start in starts:
            if not any(below(name, start) for name, _ in found):
                listed = ", ".join(name for name, _ in found)
                raise ValueError(f"There is no layer {start!r}; the layers are: {listed}.")
        found = [(name, module) for name, module in found if any(below(name, start) for start in starts)]
    for name, module in found:
        if isinstance(module.processor, torch.nn.Module):
            raise ValueError(f"{name} has an adapter in its attention processor ({type(module.processor).__name__}); "
                             "unload it before you edit attention (pipeline.unload_ip_adapter(), say).")
    return [Layer(name, module) for name, module in found]
