"""Watch and edit attention: an edit is a matrix and a vector over tokens.

Hertz et al., "Prompt-to-Prompt image editing with cross attention control", arXiv:2208.01626, in matrix form.

    paper     here          what                                                    shape
    M         M             the source's cross-attention map, rows sum to 1         (heads, pixels, n)
    M*        M_star        the target's own map at the same layer and step         (heads, pixels, n)
    M^        -             what the target gets instead: M A + M* diag(b)          (heads, pixels, n)
    Edit      A, b          which source token each target token looks with, and    (n, n) and (n,)
                            how much of its own map it keeps
    V         v_star        the target's values                                     (heads, n, d)
    Q, K      q, k          the source's queries and keys; the target's end in _star

Attention's output is M^ V = M (A V) + M* (diag(b) V): the edit is applied to the values, both terms run in the fused
`scaled_dot_product_attention`, and no map is ever formed. A map of a word is the same with V = 1 at the word's tokens
and 0 elsewhere, so that also who looks forms no more than what is looked at.

    edit = during(replace(model, P, P_star), 0.0, 0.8) @ reweight(model, P_star, "fluffy", 2.0)
    with attention(model, edit, look=Look(["cat"], grids=[(16, 16)])) as seen:
        model.generate([P, P_star], seed=[7, 7])
    seen.of("cat")

Edits compose by matrix product: `first @ then` is the product of the block matrices [[1, A], [0, diag(b)]] that take
(M, M*) to (M, M^). The batch's last rows are the target prompts, the row before them the source prompt; rows before
that (the empty prompts of guidance) keep their own attention.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as sdpa

from helpers.diffusion import Model, check_finite
from helpers.words import Alignment, Tokens, align, tokens_of

UP_TO = 16  # shorter side of the largest grids used: 16 x 16 of Stable Diffusion; SDXL's smallest, 32 x 32, is used too


class Site(NamedTuple):
    """Where and when attention happens; None stands for an average over all layers, or all steps.

    grid: (h, w), need not be square. step: 0 is the noisiest of the N steps; told by the sampler through the time.
    """

    layer: str | None
    cross: bool
    grid: tuple[int, int]
    step: int | None


# ------------------------------------------------------------------------------------------------- an edit is data


@dataclass(frozen=True)
class Edit:
    """M^ = M A + M* diag(b), piece by piece over the steps.

    source, target: the prompts P and P* as the model's tokens; source is None where M is not needed.
    starts: where each piece begins, as a share of the steps; the first is 0.0. It lasts until the next.
    A: (pieces, n, n), A[., i, j] is how much of source token i's map goes to target token j.
    b: (pieces, n), how much of its own map each target token keeps.
    selves: for each piece, the shorter side of the largest grid whose self-attention is the source's; 0 for none. The
        network's coarsest grid counts as one of them.
    """

    source: Tokens | None
    target: Tokens
    starts: tuple[float, ...]
    A: Tensor
    b: Tensor
    selves: tuple[int, ...]

    def piece(self, step: int, steps: int) -> int:
        """Which piece holds at `step` of `steps`."""
        return max(i for i, start in enumerate(self.starts) if round(start * steps) <= step)

    def at(self, step: int, steps: int) -> tuple[Tensor, Tensor]:
        """A (n, n) and b (n,) at `step` of `steps`."""
        piece = self.piece(step, steps)
        return self.A[piece], self.b[piece]

    def cut(self, starts: Collection[float]) -> Edit:
        """The same edit with pieces that begin at least at all of `starts`."""
        starts = tuple(sorted({*self.starts, *(start for start in starts if start < 1)}))
        old = [max(i for i, own in enumerate(self.starts) if own <= start) for start in starts]
        return Edit(self.source, self.target, starts, self.A[old], self.b[old], tuple(self.selves[i] for i in old))

    def __matmul__(self, then: Edit) -> Edit:
        """First this edit, then the other: A = A_then + A diag(b_then), b = b b_then."""
        if self.target != then.target or (self.source and then.source and self.source != then.source):
            raise ValueError("These edits are of different prompts and cannot be composed.")
        first, then = self.cut(then.starts), then.cut(self.starts)
        return Edit(first.source or then.source, first.target, first.starts, then.A + first.A * then.b[:, None, :],
                    first.b * then.b, tuple(map(max, first.selves, then.selves)))


def replace(model: Model, source: str, target: str) -> Edit:
    """Word swap, M^ = M A: every word of P* looks where the word it stands for looks in P.

    Words of different numbers of tokens share: a source token's map is spread evenly, so rows still sum to 1.
    Raises ValueError if a word of one prompt has no counterpart in the other.
    """
    p, q = tokens_for(model, source, target)
    pairs = align(source, target)
    if pairs.new or pairs.gone:
        listed = "; ".join(f"{who}: {', '.join(word.text for word in words)}" for who, words in
                           (("only in the target", pairs.new), ("only in the source", pairs.gone)) if words)
        raise ValueError(f"These prompts do not swap word for word ({listed}). Use `refine`, which lets new words look "
                         f"for themselves, or `mixed`, which does both: {source!r}, {target!r}.")
    return whole(p, q, gathered(p, q, pairs, swaps=True), torch.zeros(q.window))


def refine(model: Model, source: str, target: str) -> Edit:
    """A phrase added: shared words look where they look in P (A), all others of P* for themselves (b = 1).

    As in the paper, nothing is scaled afterwards: a row sums to 1, plus what new words take, less what gone words had.
    """
    p, q = tokens_for(model, source, target)
    pairs = align(source, target)
    fresh = [*pairs.new, *(word for _, words in pairs.swapped for word in words)]
    return whole(p, q, gathered(p, q, pairs, swaps=False), own(q, fresh))


def mixed(model: Model, source: str, target: str) -> Edit:
    """Word swap and added phrase in one: swapped words as in `replace`, new ones as in `refine`."""
    p, q = tokens_for(model, source, target)
    pairs = align(source, target)
    return whole(p, q, gathered(p, q, pairs, swaps=True), own(q, pairs.new))


def reweight(model: Model, target: str, word: str, c: float) -> Edit:
    """The word's map times c, M^ = M* diag(b) with b = c at its tokens: c = 1 changes nothing, 0 silences the word."""
    check_finite("the weight", c)
    q = model_tokens(model, target)
    b = torch.ones(q.window)
    b[tokens_of(q, word)] = c
    return whole(None, q, torch.zeros(q.window, q.window), b)


def inject_self(model: Model, source: str, target: str, up_to: int = UP_TO) -> Edit:
    """The source's self-attention (its queries and keys, the target's values) on grids of at most `up_to`."""
    p, q = tokens_for(model, source, target)
    edit = whole(p, q, torch.zeros(q.window, q.window), torch.ones(q.window))
    return Edit(p, q, edit.starts, edit.A, edit.b, (up_to,))


def during(edit: Edit, start: float = 0.0, end: float | Mapping[str, float] = 1.0) -> Edit:
    """The edit from round(start N) to before round(end N) of N steps; outside, the target keeps its own maps.

    end: one number, or one for each word of P*: {"default": 0.8, "car": 0.4}. Words not named have "default" (1.0).
    """
    words = dict(end) if isinstance(end, Mapping) else {"default": end}
    last = words.pop("default", 1.0)
    ends = torch.full((edit.target.window,), float(last), dtype=torch.float64)
    for word, its_end in words.items():
        ends[tokens_of(edit.target, word)] = float(its_end)
    if not all(0 <= share <= 1 for share in (start, *ends.tolist())):
        raise ValueError(f"start is {start} and end is {end}; expected shares of the steps, from 0 to 1.")
    edit = edit.cut({start, *ends.tolist()})
    begun = torch.tensor(edit.starts, dtype=torch.float64)[:, None]
    on = (begun >= start) & (begun < ends)  # (pieces, n)
    selves = tuple(up_to if start <= s < last else 0 for s, up_to in zip(edit.starts, edit.selves, strict=True))
    return Edit(edit.source, edit.target, edit.starts, edit.A * on[:, None, :], torch.where(on, edit.b, 1.0), selves)


def whole(source: Tokens | None, target: Tokens, A: Tensor, b: Tensor) -> Edit:
    """The edit that has A (n, n) and b (n,) at every step."""
    return Edit(source, target, (0.0,), A[None], b[None], (0,))


def gathered(source: Tokens, target: Tokens, pairs: Alignment, swaps: bool) -> Tensor:
    """A (n, n) of the words that answer each other, of the marks around the prompts, and of the padding."""
    A = torch.zeros(source.window, target.window)
    blocks = [([0], [0]), ([len(source.spans) - 1], [len(target.spans) - 1])]
    blocks += [(source.at(word), target.at(answer)) for word, answer in pairs.same]
    for words, answers in pairs.swapped if swaps else ():
        old, fresh = [i for word in words for i in source.at(word)], [j for word in answers for j in target.at(word)]
        blocks.append((old, fresh))
    for i, j in blocks:
        same_length = len(i) == len(j)
        A[torch.tensor(i)[:, None], torch.tensor(j)] = torch.eye(len(i)) if same_length else 1 / len(j)
    for k in range(len(source.spans), source.window):  # padding: the k-th to the k-th, what is left over to the last
        A[k, min(k - len(source.spans) + len(target.spans), target.window - 1)] = 1
    return A


def own(target: Tokens, words: Sequence[Any]) -> Tensor:
    """b (n,): 1 on the tokens of these words, 0 elsewhere."""
    b = torch.zeros(target.window)
    b[[position for word in words for position in target.at(word)]] = 1
    return b


def tokens_for(model: Model, source: str, target: str) -> tuple[Tokens, Tokens]:
    """Both prompts as tokens, fit to be aligned."""
    return model_tokens(model, source), model_tokens(model, target)


def model_tokens(model: Model, prompt: str) -> Tokens:
    """A prompt as tokens; an error if it is empty, too long, or the model has no tokens."""
    if not hasattr(model, "tokens") or not hasattr(model, "unet"):
        raise ValueError(f"{type(model).__name__} has no cross-attention that could be watched or edited.")
    if not isinstance(prompt, str):
        raise TypeError(f"Got a {type(prompt).__name__} where a prompt should be. A picture that is given becomes a "
                        "source with helpers.inversion.direct(model, picture, prompt).")
    tokens = model.tokens(prompt)
    if len(tokens.spans) < 3:
        raise ValueError("The prompt is empty: there are no words whose attention could be edited.")
    if tokens.cut_off:
        raise ValueError(f"The prompt {prompt!r} is too long: the model does not see {tokens.cut_off!r}. Shorten it.")
    return tokens


# --------------------------------------------------------------------------------------------- applied to the values


def remixed(q: Tensor | None, k: Tensor | None, q_star: Tensor | None, k_star: Tensor | None, v_star: Tensor,
            A: Tensor | None, b: Tensor | None) -> Tensor:
    """M^ V = M (A V) + M* (diag(b) V), for T targets of one source, in the fused kernel.

    q (1, heads, L, d), k (1, heads, n, d) of the source, q_star, k_star, v_star (T, heads, ., .) of the targets.
    A (T, n, n) or None for 0 (then q and k may be None); b (T, n) or None for 0 (then q_star and k_star).
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
    selves: for each target, the shorter side of the largest grid whose self-attention is the source's.
    """

    A: Tensor | None
    b: Tensor | None
    selves: tuple[int, ...]


def planned(edits: Sequence[Edit], pieces: Sequence[int], like: Tensor) -> Plan:
    """The plan of these pieces of the edits, in the dtype and on the device of `like`."""
    A = torch.stack([edit.A[i] for edit, i in zip(edits, pieces, strict=True)])
    b = torch.stack([edit.b[i] for edit, i in zip(edits, pieces, strict=True)])
    selves = tuple(edit.selves[i] for edit, i in zip(edits, pieces, strict=True))
    if not A.any() and (b == 1).all():
        return Plan(None, None, selves)
    return Plan(A.to(like) if A.any() else None, b.to(like) if b.any() or not A.any() else None, selves)


# ----------------------------------------------------------------------------------------------------------- looking


@dataclass
class Look:
    """Maps to be watched: of these words, on these grids, in these layers; averaged on the fly, in float32.

    words: words or phrases of the prompts; a map is the share of attention that all tokens of the word get together.
    grids: (h, w) of the maps; all the model has unless given. layers: starts of layers' names; all unless given.
    apart: "step", "layer", or both are kept apart instead of averaged. Without "step" the memory does not depend on the
        number of steps.

    Filled by `attention(..., look=look)`; `look.of(word)` can be read at any time, also between steps.
    """

    words: Sequence[str]
    grids: Sequence[tuple[int, int]] | None = None
    layers: str | Sequence[str] | None = None
    apart: str | Collection[str] = ()
    prompts: tuple[Tokens, ...] = ()
    sums: dict[Site, Tensor] = field(default_factory=dict)  # each (prompts, 2, words, h, w): before and after the edit
    counts: dict[Site, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.words = [self.words] if isinstance(self.words, str) else list(self.words)
        self.layers = [self.layers] if isinstance(self.layers, str) else self.layers
        self.apart = [self.apart] if isinstance(self.apart, str) else self.apart
        if strange := set(self.apart) - {"step", "layer"}:
            raise ValueError(f"apart has {sorted(strange)}; expected 'step', 'layer', or both.")

    def of(self, word: str, grid: tuple[int, int] | None = None, *, prompt: int = -1, before: bool = False,
           step: int | None = None, layer: str | None = None) -> Tensor:
        """The map of a word (h, w), float32 on the CPU, each pixel the share of its attention that the word gets.

        grid: may be left out if only one was watched. prompt: 0 is the source, 1 the first target, -1 the last.
        before: the target's own map, as it was before the edit. step, layer: if these were kept apart.
        """
        if word not in self.words:
            raise ValueError(f"{word!r} was not watched; watched were: {', '.join(self.words) or 'no words'}.")
        if not self.sums:
            raise ValueError("Nothing has been watched yet: run the model inside `with attention(model, look=...)`.")
        tokens_of(self.prompts[prompt], word)
        return self.map(word, grid, prompt, before, step, layer).cpu()

    def map(self, word: str, grid: tuple[int, int] | None, prompt: int, before: bool, step: int | None = None,
            layer: str | None = None) -> Tensor:
        """As `of`, on the model's device; all 0 where the prompt has no such word."""
        chosen = self._chosen(grid, step, layer)
        mean = sum(self.sums[site] for site in chosen) / sum(self.counts[site] for site in chosen)
        return mean[prompt, 0 if before else 1, self.words.index(word)]

    def _chosen(self, grid: tuple[int, int] | None, step: int | None, layer: str | None) -> list[Site]:
        found = [site for site in self.sums if (grid is None or site.grid == tuple(grid))
                 and step in (None, site.step) and layer in (None, site.layer)]
        if not found:
            listed = f"grids {self.seen_grids}, steps {self.seen_steps}, layers {list(self.seen_layers)}"
            raise ValueError(f"No map of grid {grid}, step {step}, layer {layer} was watched; there are: {listed}. "
                             "Steps and layers are there only if kept apart.")
        if len({site.grid for site in found}) > 1:
            raise ValueError(f"Several grids were watched; choose one: {self.seen_grids}.")
        return found

    @property
    def seen_grids(self) -> list[tuple[int, int]]:
        """Grids that were watched, finest first."""
        return sorted({site.grid for site in self.sums}, reverse=True)

    @property
    def seen_steps(self) -> list[int]:
        """Steps that were kept apart."""
        return sorted({site.step for site in self.sums if site.step is not None})

    @property
    def seen_layers(self) -> dict[str, tuple[int, int]]:
        """Layers that were kept apart, with their grids, in the order of the network."""
        return {site.layer: site.grid for site in self.sums if site.layer is not None}

    def begin(self, prompts: tuple[Tokens, ...]) -> None:
        """Forget what was seen; watch these prompts. ValueError if a word is in none of them."""
        if not prompts:
            raise ValueError("Name the prompts of the batch's last rows: attention(model, look=..., prompts=[...]).")
        self.prompts, self.sums, self.counts = prompts, {}, {}
        columns = [[column(tokens, word) for word in self.words] for tokens in prompts]
        for i, word in enumerate(self.words):
            if not any(row[i].any() for row in columns):
                tokens_of(prompts[-1], word)
        self.values = torch.stack([torch.stack(row, -1) for row in columns])  # (prompts, n, words)

    def wants(self, layer: str, grid: tuple[int, int]) -> bool:
        """Whether this layer's maps are watched."""
        here = self.layers is None or any(below(layer, start) for start in self.layers)
        return here and (self.grids is None or grid in [tuple(wanted) for wanted in self.grids])

    def add(self, site: Site, maps: Tensor) -> None:
        """Add one layer's maps (prompts, 2, words, h, w) of one step."""
        layer, step = (site.layer if "layer" in self.apart else None), (site.step if "step" in self.apart else None)
        site = Site(layer, True, site.grid, step)
        self.sums[site] = self.sums[site].add_(maps) if site in self.sums else maps
        self.counts[site] = self.counts.get(site, 0) + 1


def column(tokens: Tokens, word: str) -> Tensor:
    """(n,): 1 at the word's tokens, 0 elsewhere; all 0 if the prompt has no such word."""
    values = torch.zeros(tokens.window)
    try:
        values[tokens_of(tokens, word)] = 1
    except ValueError:
        return values
    return values


def below(layer: str, start: str) -> bool:
    """Whether a layer is `start` or lies within it."""
    return layer == start or layer.startswith(start.rstrip(".") + ".")


@dataclass
class Recording:
    """The source's queries and keys at each site, so that a further edit need not run the source again.

    tokens: of the source prompt. up_to: shorter side of the largest grid whose self-attention was recorded.
    grid: (h, w) of the latent. kept: queries (1, heads, pixels, d) and keys of each layer and step, where the model is.
    """

    tokens: Tokens
    up_to: int
    grid: tuple[int, int] | None = None
    kept: dict[tuple[str, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory it takes; keys that do not change from step to step are counted once."""
        return sum({part.data_ptr(): part.nbytes for pair in self.kept.values() for part in pair}.values())

    def add(self, layer: str, cross: bool, step: int, q: Tensor, k: Tensor) -> None:
        """Keep one layer's queries and keys; those of cross-attention depend on the prompt alone and are kept once."""
        first = next((pair for (name, _), pair in self.kept.items() if name == layer), None) if cross else None
        self.kept[layer, step] = (q.clone(), first[1] if first else k.clone())

    def at(self, layer: str, step: int) -> tuple[Tensor, Tensor]:
        """Queries and keys of a layer at a step."""
        if (layer, step) not in self.kept:
            raise ValueError(f"The recorded source has no step {step} of {layer}: record it with the edit's steps.")
        return self.kept[layer, step]


# ----------------------------------------------------------------------------------------- inside the attention layers


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
        self.source: tuple[Tensor, Tensor] | None = None  # recorded queries and keys
        self.looks: tuple[tuple[Look, Tensor], ...] = ()
        self.up_to: int | None = None  # record the last row, and self-attention up to this grid
        self.start()

    def start(self) -> None:
        """Forget the last call."""
        self.called, self.grid, self.maps, self.recorded = False, (0, 0), (), None

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
                 attention_mask: Tensor | None = None, temb: Tensor | None = None, **kwargs: Any) -> Tensor:
        """The layer's output; for the targets' rows that of the edited attention."""
        if self.called:
            raise RuntimeError(f"{self.name} was called twice in one call of the model; its maps would be mixed up.")
        self.called = True
        length = hidden_states.shape[1] if hidden_states.ndim == 3 else hidden_states.shape[-2:].numel()
        self.grid = grid_of(self.latent, length)
        if self.looks or self.up_to is not None:
            self._watch(attn, hidden_states, encoder_hidden_states)
        if not self._edits():
            return self.own(attn, hidden_states, encoder_hidden_states, attention_mask, temb, **kwargs)
        if attention_mask is not None:
            raise NotImplementedError(f"{self.name} has an attention mask; such attention cannot be edited.")
        x, text = inputs(attn, hidden_states, encoder_hidden_states, temb)
        out = self._edited_cross(attn, x, text) if self.cross else self._edited_self(attn, x)
        return finished(attn, out, hidden_states)

    def _edits(self) -> bool:
        if self.plan is None:
            return False
        if self.cross:
            return self.plan.A is not None or self.plan.b is not None
        return any(map(self._within, self.plan.selves))

    def _within(self, up_to: int) -> bool:
        """Whether this layer's grid is one of those meant by `up_to`; unless that is 0, the coarsest always is."""
        return up_to > 0 and min(self.grid) <= max(up_to, self.coarsest)

    def _edited_cross(self, attn: Any, x: Tensor, text: Tensor) -> Tensor:
        """(B, heads, L, d): the targets, which are the last rows, with M^ instead of M*."""
        A, b, selves = self.plan
        first = len(x) - len(selves)  # of the targets
        asked = x if b is not None else x[:first]  # the targets' own queries and keys are not needed where b = 0
        q, k, v = queries(attn, asked), keys(attn, text[: len(asked)]), values(attn, text)
        q_source, k_source = self.source or (q[first - 1 : first], k[first - 1 : first])
        edited = remixed(q_source, k_source, q[first:], k[first:], v[first:], A, b)
        return torch.cat([sdpa(q[:first], k[:first], v[:first]), edited]) if first else edited

    def _edited_self(self, attn: Any, x: Tensor) -> Tensor:
        """(B, heads, L, d): the source's queries and keys in the targets' rows, each row's own values."""
        first = len(x) - len(self.plan.selves)
        injected = [*map(self._within, self.plan.selves)]
        asked = x[:first] if all(injected) else x
        q, k, v = queries(attn, asked), keys(attn, asked), values(attn, x)
        source = self.source or (q[first - 1 : first], k[first - 1 : first])
        q, k = (torch.cat([part[:first], *(its if yes else part[first + i : first + i + 1]
                                           for i, yes in enumerate(injected))])
                for part, its in zip((q, k), source, strict=True))
        return sdpa(q, k, v)

    def _watch(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None) -> None:
        """Put what was asked for into `maps` and `recorded`."""
        x, text = inputs(attn, hidden_states, encoder_hidden_states, None)
        if self.up_to is not None and (self.cross or self._within(self.up_to)):
            self.recorded = (queries(attn, x[-1:]), keys(attn, text[-1:]))
        wanted = [words if look.wants(self.name, self.grid) else None for look, words in self.looks]
        if self.cross and any(words is not None for words in wanted):
            q, k = queries(attn, x[-self.count :]).float(), keys(attn, text[-self.count :]).float()
            if self.source is not None:
                q, k = (torch.cat([its.float(), part]) for its, part in zip(self.source, (q, k), strict=True))
            self.maps = tuple(None if words is None else self._maps(q, k, words) for words in wanted)

    def _maps(self, q: Tensor, k: Tensor, words: Tensor) -> Tensor:
        """(prompts, 2, words, h, w): maps of words (prompts, n, words) before and after the edit, mean of the heads."""
        values = words[:, None].expand(-1, q.shape[1], -1, -1)
        before = after = sdpa(q, k, values)
        if self._edits():
            A, b = (None if part is None else part.float() for part in self.plan[:2])
            first = len(q) - len(self.plan.selves)
            after = torch.cat([before[:first], remixed(q[:1], k[:1], q[first:], k[first:], values[first:], A, b)])
        maps = torch.stack([before, after], 1).mean(2)  # (prompts, 2, L, words)
        return maps.transpose(-1, -2).unflatten(-1, self.grid)


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
    return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)


def finished(attn: Any, out: Tensor, hidden_states: Tensor) -> Tensor:
    """The heads together again, the last projection, the residual."""
    out = out.transpose(1, 2).flatten(2).to(hidden_states.dtype)
    out = attn.to_out[1](attn.to_out[0](out))
    out = out.transpose(1, 2).reshape(hidden_states.shape) if hidden_states.ndim == 4 else out
    return (out + hidden_states if attn.residual_connection else out) / attn.rescale_output_factor


def grid_of(latent: tuple[int, int], length: int) -> tuple[int, int]:
    """(h, w) of a layer with `length` pixels, in a network that halves the latent's (h, w), rounding up."""
    h, w = latent
    while h * w > length:
        h, w = -(-h // 2), -(-w // 2)
    if h * w != length:
        raise RuntimeError(f"A layer has {length} pixels, which no halving of the latent's {latent} gives.")
    return h, w


# ------------------------------------------------------------------------------------------------------- the surface


@contextmanager
def attention(
    model: Model,
    edit: Edit | Sequence[Edit] | None = None,
    *,
    look: Look | Sequence[Look] = (),
    prompts: str | Sequence[str] = (),
    layers: str | Sequence[str] | None = None,
    steps: int | None = None,
    record: Recording | None = None,
    source: Recording | None = None,
) -> Iterator[Look]:
    """Edit and watch the model's attention inside the `with`; gives the (first) look.

    edit: one, or one for each target. The batch must end with the source prompt's row and the targets' rows.
    look: which maps to watch. prompts: of the batch's last rows where there is no edit; the source's if no edit has it.
    layers: starts of the names of layers to edit ("up_blocks"); all unless given.
    steps: N that the sampler's times are made with; the model's own unless given.
    record: filled with the queries and keys of the batch's last row. source: one such, instead of the source's row.

    Raises ValueError for a model without cross-attention, an unknown layer, a word that is not there, a time that is
    none of the N steps', or a batch that does not end with the prompts; RuntimeError if a layer is not called exactly
    once in a call of the model. The layers' own processors are back afterwards, whatever happened.
    """
    edits = [edit] if isinstance(edit, Edit) else list(edit or ())
    looks = [look] if isinstance(look, Look) else list(look)
    control = Control(model, edits, looks, prompts, layers, steps, record, source)
    with ExitStack() as stack:
        for layer in control.layers:
            stack.callback(layer.module.set_processor, layer.own)
            layer.module.set_processor(layer)
        hooks = (model.unet.register_forward_pre_hook(control.before, with_kwargs=True),
                 model.unet.register_forward_hook(control.after, with_kwargs=True))
        for hook in hooks:
            stack.callback(hook.remove)
        yield looks[0] if looks else Look([])


class Control:
    """Tells the layers before each call of the network what to do, and collects from them after it."""

    def __init__(self, model: Any, edits: Sequence[Edit], looks: Sequence[Look], prompts: str | Sequence[str],
                 layers: str | Sequence[str] | None, steps: int | None, record: Recording | None,
                 source: Recording | None) -> None:
        self.edits, self.looks, self.record, self.source = edits, looks, record, source
        self.prompts = prompts_of(model, edits, prompts, source)
        self.steps = model.steps if steps is None else steps
        self.step_at = {t: i for i, t in enumerate(model.times(self.steps)[:-1])}
        edited = chosen_layers(model, layers)
        self.layers = [layer for layer in chosen_layers(model, None) if self._needs(layer, edited)]
        self.edited = {layer.name for layer in edited}
        self.shrinks = 2 ** (len(model.unet.config.block_out_channels) - 1)  # the latent's side by the smallest grid's
        self.count = len(self.prompts) - (source is not None)  # rows of the batch that are theirs
        self.expected = embedded(model, self.prompts[-self.count :]) if self.count else None
        self.plans: dict[tuple[int, ...], Plan] = {}
        weight = next(model.unet.parameters())
        for one in looks:
            chosen_layers(model, one.layers)
            one.begin(self.prompts)
        self.words = tuple((one, one.values.to(weight.device)) for one in looks)
        if edits and source and max(max(one.selves) for one in edits) > source.up_to:
            raise ValueError(f"The source's self-attention was recorded on grids up to {source.up_to} only: record it "
                             "with a larger up_to, or inject less.")

    def _needs(self, layer: Layer, edited: Sequence[Layer]) -> bool:
        if layer.cross:
            by_edit = any(edit.A.any() or (edit.b != 1).any() for edit in self.edits)
            looked = any(one.layers is None or any(below(layer.name, start) for start in one.layers)
                         for one in self.looks)
        else:
            by_edit, looked = any(any(edit.selves) for edit in self.edits), False
        return self.record is not None or looked or (by_edit and layer.name in {one.name for one in edited})

    def before(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before a call of the network: the step from its time, the plan from the step."""
        x, t = (args[i] if len(args) > i else kwargs[name] for i, name in ((0, "sample"), (1, "timestep")))
        text = args[2] if len(args) > 2 else kwargs["encoder_hidden_states"]
        self._check_batch(text)
        self.latent, self.step = tuple(x.shape[-2:]), self._step(int(t))
        plan = self._plan(x) if self.edits else None
        for layer in self.layers:
            layer.start()
            layer.coarsest = -(-min(self.latent) // self.shrinks)
            layer.latent, layer.count, layer.looks = self.latent, self.count, self.words if layer.cross else ()
            layer.plan = plan if layer.name in self.edited else None
            layer.source = self._recorded(layer)
            layer.up_to = None if self.record is None else self.record.up_to

    def after(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """After a call of the network: every layer was called, and what it saw is kept."""
        if missed := [layer.name for layer in self.layers if not layer.called]:
            raise RuntimeError("These layers were not called by the model, or an edit inside this took their place: "
                               f"{', '.join(missed)}.")
        for layer in self.layers:
            for one, maps in zip(self.looks, layer.maps, strict=False):
                if maps is not None:
                    one.add(Site(layer.name, True, layer.grid, self.step), maps)
            if layer.recorded is not None:
                self.record.grid = self.latent
                self.record.add(layer.name, layer.cross, self.step, *layer.recorded)
            layer.maps, layer.recorded = (), None
        for one in self.looks:
            if not one.sums:
                grids = sorted({layer.grid for layer in self.layers if layer.cross}, reverse=True)
                raise ValueError(f"No layer has maps of {one.grids}; for these pictures there are: {grids}.")

    def _step(self, t: int) -> int:
        if t not in self.step_at:
            raise ValueError(f"The model is asked about time {t}, which is none of the times of {self.steps} steps: "
                             "tell `attention(..., steps=...)` how many steps the sampler makes.")
        return self.step_at[t]

    def _plan(self, x: Tensor) -> Plan:
        pieces = tuple(edit.piece(self.step, self.steps) for edit in self.edits)
        if pieces not in self.plans:
            self.plans[pieces] = planned(self.edits, pieces, x)
        return self.plans[pieces]

    def _recorded(self, layer: Layer) -> tuple[Tensor, Tensor] | None:
        if self.source is None:
            return None
        if self.source.grid != self.latent:
            raise ValueError(f"The source was recorded with latents of {self.source.grid}, not {self.latent}.")
        return self.source.at(layer.name, self.step) if (layer.name, self.step) in self.source.kept or layer.cross \
            else None

    def _check_batch(self, text: Tensor) -> None:
        """At the first call only: the batch ends with the prompts of the edits."""
        if self.expected is None:
            return
        wanted, self.expected = self.expected.to(text), None
        found = text[-self.count :]
        near = found.shape == wanted.shape and (found - wanted).abs().mean() < 0.02 * wanted.abs().mean()
        if not near:
            listed = ", ".join(repr(tokens.prompt) for tokens in self.prompts[-self.count :])
            raise ValueError(f"The batch does not end with the prompts {listed}: give the model the source's prompt, "
                             "then the targets', in one batch. (`generate` makes large pictures one after the other.)")


def prompts_of(model: Any, edits: Sequence[Edit], prompts: str | Sequence[str],
               source: Recording | None) -> tuple[Tokens, ...]:
    """The prompts that the edits are about, the source first; else those that were named."""
    named = [model_tokens(model, prompt) for prompt in ([prompts] if isinstance(prompts, str) else prompts)]
    if not edits:
        return tuple(named)
    sources = list(dict.fromkeys([edit.source for edit in edits if edit.source] + ([source.tokens] if source else [])))
    if len(sources) > 1:
        listed = ", ".join(repr(tokens.prompt) for tokens in sources)
        raise ValueError(f"The edits have different sources, {listed}; in one batch there can be one source only.")
    return (*(sources or named[:1]), *(edit.target for edit in edits))


def embedded(model: Any, prompts: Sequence[Tokens]) -> Tensor:
    """(prompts, n, d), without the model's remarks about them, which come when they are used."""
    import warnings

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return model.embed([tokens.prompt for tokens in prompts]).embeddings


def chosen_layers(model: Any, starts: str | Sequence[str] | None) -> list[Layer]:
    """The attention layers of a model whose names begin with one of `starts`, found by what they have, not by class."""
    unet = getattr(model, "unet", None)
    found = [(name.removeprefix("_orig_mod."), module) for name, module in unet.named_modules()
             if all(hasattr(module, part) for part in ("processor", "set_processor", "to_q", "to_k", "to_v", "heads"))
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
            raise ValueError(f"{name} has an adapter in its attention processor; unload it before you edit attention.")
    return [Layer(name, module) for name, module in found]
