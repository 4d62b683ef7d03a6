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
and 0 elsewhere, so watching forms only the maps of the words that are watched.

    edit = during(replace(model, P, P_star), 0.0, 0.8) @ reweight(model, P_star, "fluffy", 2.0)
    with attention(model, edit, store=AttentionStore(["cat"], grids=[(16, 16)])) as seen:
        model.generate([P, P_star], seed=[7, 7])
    seen.of("cat")

Edits compose by matrix product: `first @ then` is the product of the block matrices [[1, A], [0, diag(b)]] that take
(M, M*) to (M, M^). The batch's last rows are the target prompts, the row before them the source prompt; rows before
that (the empty prompts of guidance) keep their own attention.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.core.interface import Model
from helpers.core.values import AtLeastOne, Prompt, Share, WrongKind, choice, entrance, known, number, shown
from helpers.core.words import Alignment, Tokens, align, tokens_of

Matrix = Float[Tensor, "n n_star"]  # A, from tokens of the source to tokens of the target
Vector = Float[Tensor, " n_star"]  # b, one number for each token of the target
UP_TO = 16  # shorter side of the largest grids used: 16 x 16 of Stable Diffusion; SDXL's smallest, 32 x 32, is used too


@dataclass(frozen=True)
class SelfEdit:
    """Whose queries, keys and values a target's self-attention works with: its own, or the source's.

    ("source", "source", "target") is Prompt-to-Prompt's and Plug-and-Play's: the target's content in the source's
    layout. ("target", "source", "source") is MasaCtrl's: the target's layout, filled with what the source looks like.

    up_to: on grids whose shorter side is at most this; the network's coarsest is always one of them.
    layers: starts of the names of the layers where it holds; all unless given.
    """

    q: Literal["source", "target"] = "source"
    k: Literal["source", "target"] = "source"
    v: Literal["source", "target"] = "target"
    up_to: int = UP_TO
    layers: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("q", "k", "v"):
            choice(name, getattr(self, name), ("source", "target"))
        number("up_to", self.up_to, 1, whole=True)
        if not isinstance(self.layers, tuple | None):
            raise WrongKind(f"layers is {shown(self.layers)}; expected the starts of layers' names: ('up_blocks',).")

    @property
    def of_source(self) -> frozenset[str]:
        """Those of q, k and v that are the source's."""
        return frozenset(part for part in "qkv" if getattr(self, part) == "source")


@known("an edit of attention, as helpers.attention.replace, refine, mixed and reweight make them")
@dataclass(frozen=True, eq=False)
class Edit:
    """M^ = M A + M* diag(b), piece by piece over the steps.

    source, target: the prompts P and P* as the model's tokens; source is None where M is not needed.
    starts: where each piece begins, as a share of the steps; the first is 0.0. It lasts until the next.
    A: A[., i, j] is how much of source token i's map goes to target token j.
    b: how much of its own map each target token keeps.
    self_edits: for each piece, what holds of self-attention. Where several do, a part is the source's if one says so.
    """

    source: Tokens | None
    target: Tokens
    starts: tuple[float, ...]
    A: Float[Tensor, "pieces n n_star"]
    b: Float[Tensor, "pieces n_star"]
    self_edits: tuple[tuple[SelfEdit, ...], ...]

    def piece(self, step: int, steps: int) -> int:
        """Which piece holds at `step` of `steps`."""
        return max(i for i, start in enumerate(self.starts) if round(start * steps) <= step)

    def at(self, step: int, steps: int) -> tuple[Matrix, Vector]:
        """A and b at `step` of `steps`."""
        piece = self.piece(step, steps)
        return self.A[piece], self.b[piece]

    def cut(self, starts: Collection[float]) -> Edit:
        """The same edit with pieces that begin at least at all of `starts`."""
        starts = tuple(sorted({*self.starts, *(start for start in starts if start < 1)}))
        old = [max(i for i, own in enumerate(self.starts) if own <= start) for start in starts]
        return Edit(self.source, self.target, starts, self.A[old], self.b[old], tuple(self.self_edits[i] for i in old))

    def __matmul__(self, then: Edit) -> Edit:
        """First this edit, then the other: A = A_then + A diag(b_then), b = b b_then."""
        if not isinstance(then, Edit):
            raise WrongKind(f"An edit cannot be composed with {shown(then)}; expected another edit.")
        if self.target != then.target or (self.source and then.source and self.source != then.source):
            raise ValueError("These edits are of different prompts and cannot be composed.")
        first, then = self.cut(then.starts), then.cut(self.starts)
        return Edit(first.source or then.source, first.target, first.starts, then.A + first.A * then.b[:, None, :],
                    first.b * then.b, tuple(map(joined, first.self_edits, then.self_edits)))


@entrance
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
    return constant_edit(p, q, alignment_matrix(p, q, pairs, swaps=True), torch.zeros(q.window))


@entrance
def refine(model: Model, source: str, target: str) -> Edit:
    """A phrase added: shared words look where they look in P (A), all others of P* for themselves (b = 1).

    As in the paper, nothing is scaled afterwards: a row sums to 1, plus what new words take, less what gone words had.
    """
    p, q = tokens_for(model, source, target)
    pairs = align(source, target)
    fresh = [*pairs.new, *(word for _, words in pairs.swapped for word in words)]
    return constant_edit(p, q, alignment_matrix(p, q, pairs, swaps=False), new_token_mask(q, fresh))


@entrance
def mixed(model: Model, source: str, target: str) -> Edit:
    """Word swap and added phrase in one: swapped words as in `replace`, new ones as in `refine`."""
    p, q = tokens_for(model, source, target)
    pairs = align(source, target)
    return constant_edit(p, q, alignment_matrix(p, q, pairs, swaps=True), new_token_mask(q, pairs.new))


@entrance
def reweight(model: Model, target: str, word: Prompt, c: float) -> Edit:
    """The word's map times c, M^ = M* diag(b) with b = c at its tokens: c = 1 changes nothing, 0 silences the word."""
    c = number("the weight", c)
    q = model_tokens(model, target)
    b = torch.ones(q.window)
    b[tokens_of(q, word)] = c
    return constant_edit(None, q, torch.zeros(q.window, q.window), b)


@entrance
def self_attention(model: Model, source: str, target: str, *self_edits: SelfEdit) -> Edit:
    """These edits of self-attention at every step; the target keeps its own cross-attention maps."""
    if strange := [one for one in self_edits if not isinstance(one, SelfEdit)]:
        raise WrongKind(f"Got {shown(strange[0])}; expected edits of self-attention: SelfEdit('source', 'source').")
    p, q = tokens_for(model, source, target)
    edit = constant_edit(p, q, torch.zeros(q.window, q.window), torch.ones(q.window))
    return changed(edit, self_edits=(tuple(self_edits),))


@entrance
def inject_self(model: Model, source: str, target: str, up_to: AtLeastOne = UP_TO) -> Edit:
    """The source's self-attention (its queries and keys, the target's values) on grids of at most `up_to`."""
    return self_attention(model, source, target, SelfEdit("source", "source", "target", up_to))


def joined(first: tuple[SelfEdit, ...], then: tuple[SelfEdit, ...]) -> tuple[SelfEdit, ...]:
    """Both, each once."""
    return tuple(dict.fromkeys((*first, *then)))


@entrance
def during(edit: Edit, start: Share = 0.0, end: float | Mapping[str, float] = 1.0) -> Edit:
    """The edit from round(start N) to before round(end N) of N steps; outside, the target keeps its own maps.

    end: one number, or one for each word of P*: {"default": 0.8, "car": 0.4}. Words not named have "default" (1.0).
    """
    shares = dict(end) if isinstance(end, Mapping) else {"default": end}
    words = {word: number("end", share, 0, 1) for word, share in shares.items()}
    last = words.pop("default", 1.0)
    ends = torch.full((edit.target.window,), last, dtype=torch.float64)
    for word, its_end in words.items():
        ends[tokens_of(edit.target, word)] = its_end
    edit = edit.cut({start, *ends.tolist()})
    begun = torch.tensor(edit.starts, dtype=torch.float64)[:, None]
    on = (begun >= start) & (begun < ends)  # (pieces, n)
    self_edits = tuple(its if start <= s < last else () for s, its in zip(edit.starts, edit.self_edits, strict=True))
    A, b = edit.A * on[:, None, :], torch.where(on, edit.b, 1.0)
    return Edit(edit.source, edit.target, edit.starts, A, b, self_edits)


def constant_edit(source: Tokens | None, target: Tokens, A: Matrix, b: Vector) -> Edit:
    """The edit that has A and b at every step."""
    return Edit(source, target, (0.0,), A[None], b[None], ((),))


def alignment_matrix(source: Tokens, target: Tokens, pairs: Alignment, swaps: bool) -> Matrix:
    """A of the words that answer each other, of the special tokens around the prompts, and of the padding."""
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


def new_token_mask(target: Tokens, words: Sequence[Any]) -> Vector:
    """b: 1 on the tokens of these words, 0 elsewhere."""
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
                        "source with helpers.methods.inversion.direct(model, picture, prompt).")
    tokens: Tokens = model.tokens(prompt)
    if len(tokens.spans) < 3:
        raise ValueError("The prompt is empty: there are no words whose attention could be edited.")
    if tokens.cut_off:
        raise ValueError(f"The prompt {prompt!r} is too long: the model does not see {tokens.cut_off!r}. Shorten it.")
    return tokens
