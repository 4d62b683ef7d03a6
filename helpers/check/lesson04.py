"""The checks of lesson 4, attention and Prompt-to-Prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.check.trial import Slips, of_formula
from helpers.check.values import kind_of, number
from helpers.check.verdict import UNANSWERED, Answers, Verdict, is_unanswered, of_number
from helpers.core.randomness import noise

# ------------------------------------------------------------------------------------------------- align two prompts

SOURCE, TARGET = "a cat and a dog on the beach", "a fluffy cat and a fox on the beach"
ANSWERS: list[int | None] = [0, None, 1, 2, 3, 4, 5, 6, 7]  # helpers.core.words.align says the same: a test compares
ALIGNMENTS: dict[tuple[int | float | None, ...], str] = {
    (0, 1, 2, 3, 4, 5, 6, 7, None): "You count positions: from the new word on, every word answers its right "
                                    "neighbour, the word after its own. This is what goes wrong where code copies "
                                    "maps by position. `fluffy` is the word that answers nobody.",
    (0, 1, 1, 2, 3, 4, 5, 6, 7): "`fluffy` is new: no word of P stands in its place, since `a` and `cat` are both "
                                 "still there. It answers None.",
    (0, None, 1, 2, 3, None, 5, 6, 7): "`fox` stands where `dog` stood: a swapped word looks where the old one looked. "
                                       "(None here would be right for `refine`, which lets every new word look for "
                                       "itself.)",
    (0, None, 1, 2, 0, 4, 5, 6, 7): "The second `a` answers the second `a`: equal words are paired in reading order.",
    (0, -1, 1, 2, 3, 4, 5, 6, 7): "-1 is a word in Python, the last one. A word that answers nobody has None.",
    (1, None, 2, 3, 4, 5, 6, 7, 8): "You count from 1. The first word of P has the number 0, as in Python.",
}


def alignment(answer: Sequence[int | None]) -> Verdict:
    """Is `answer` the number of the word of P (or None) that each word of P* answers? Prompts: SOURCE, TARGET."""
    if is_unanswered(answer) or (isinstance(answer, (list, tuple)) and any(each is ... for each in answer)):
        return UNANSWERED
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    if not isinstance(answer, (list, tuple)):
        return Verdict(False, f"Give a list with a number or None for each word of P*, not {kind_of(answer)}.")
    if len(answer) != len(ANSWERS):
        return Verdict(False, f"Your list has {len(answer)} entries; P* has {len(ANSWERS)} words.")
    if odd := [each for each in answer if each is not None and number(each) is None]:
        return Verdict(False, f"Give the number of a word of P, or None (without quotes), not {kind_of(odd[0])}.")
    told = [each if each is None else number(each) for each in answer]
    if told == ANSWERS:
        return Verdict(True, "Equal words answer each other, `fox` stands in for `dog`, and `fluffy` is on its own.")
    if tuple(told) in ALIGNMENTS:
        return Verdict(False, ALIGNMENTS[tuple(told)])
    words = TARGET.split()
    wrong = [word for word, given, right in zip(words, told, ANSWERS, strict=True) if given != right]
    return Verdict(False, f"Look again at: {', '.join(wrong)}. Words of P count from 0.")


# ---------------------------------------------------------------------------------------------------- the swap matrix

Square = Float[Tensor, "n n"]
Blocks = Sequence[tuple[Sequence[int], Sequence[int]]]  # tokens of a word of P, tokens of the word that answers it
ONE_TO_TWO: Blocks = [([0], [0]), ([1], [1, 2]), ([2], [3]), ([3], [4])]
TWO_TO_ONE: Blocks = [([0], [0]), ([1, 2], [1]), ([3], [2]), ([4], [3])]
TWO_TO_TWO: Blocks = [([0], [0]), ([1, 2], [1, 2]), ([3], [3])]
TOKENS = 5
TWO_TO_THREE: Blocks = [([0], [0]), ([1, 2], [1, 2, 3]), ([3], [4])]


def looped(pairs: Blocks, n: int, share: Callable[[Sequence[int], Sequence[int]], float]) -> Square:
    """As a loop over zip(i, j) fills it: one entry for each pair of tokens, and none for a token left over."""
    A = torch.zeros(n, n)
    for i, j in pairs:
        for row, column in zip(i, j, strict=False):
            A[row, column] = share(i, j)
    return A


def filled(pairs: Blocks, n: int, share: Callable[[Sequence[int], Sequence[int]], Any]) -> Square:
    """A with `share(i, j)` where source tokens i meet target tokens j, 0 elsewhere."""
    A = torch.zeros(n, n)
    for i, j in pairs:
        A[torch.tensor(i)[:, None], torch.tensor(j)] = torch.as_tensor(share(i, j), dtype=torch.float)
    return A


def to_itself(pairs: Blocks, n: int) -> Square:
    """The slip of a widely copied mapper: after the swapped word, every token is taken to have kept its place."""
    A, first = torch.eye(n), next((max(*i, *j) for i, j in pairs if len(i) != len(j)), n)
    for i, j in pairs:
        if max(*i, *j) <= first:
            A[:, list(j)] = 0
            A[torch.tensor(i)[:, None], torch.tensor(j)] = 1 / len(j)
    return A


def right_swap(pairs: Blocks, n: int) -> Square:
    """First to first where the numbers of tokens agree; else each source token's map is spread evenly."""
    return filled(pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1 / len(j))


SWAP_SLIPS: Slips = {
    "The matrix is transposed: rows belong to source tokens, columns to target tokens, since M^ = M A.":
        lambda pairs, n: right_swap(pairs, n).T,
    "Where one token answers with two, each of the two gets the whole map, so that a row sums to 2. Share it: "
    "1 / len(j) for each.":
        lambda pairs, n: filled(pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1),
    "zip alone stops where the shorter word ends: one token that answers two leaves one of the two empty. Where the "
    "numbers differ, fill the whole block, A[a, b] for each a in i and each b in j.":
        lambda pairs, n: looped(pairs, n, lambda i, j: 1.0),
    "zip alone stops where the shorter word ends, so the share 1 / len(j) reaches one token only. Where the numbers "
    "differ, fill the whole block.":
        lambda pairs, n: looped(pairs, n, lambda i, j: 1.0 if len(i) == len(j) else 1 / len(j)),
    "zip alone fills one entry for each pair of tokens, and 1 / len(j) belongs to words of another number of tokens "
    "alone.": lambda pairs, n: looped(pairs, n, lambda i, j: 1 / len(j)),
    "zip alone fills one entry for each pair of tokens, and 1 / len(i) counts the wrong tokens: where the numbers "
    "differ, fill the whole block with 1 / len(j).": lambda pairs, n: looped(pairs, n, lambda i, j: 1 / len(i)),
    "1 / len(i) divides by the number of source tokens. Spread evenly means over the target's: 1 / len(j). And where "
    "the numbers agree, the first goes to the first.": lambda pairs, n: filled(pairs, n, lambda i, j: 1 / len(i)),
    "The blocks are filled with 1 everywhere: rows must sum to 1. Where the numbers agree, the first goes to the "
    "first; else each of the tokens j gets 1 / len(j).": lambda pairs, n: filled(pairs, n, lambda i, j: 1),
    "The matrix holds whole numbers (dtype int), so that 1 / 2 becomes 0: torch.zeros(n, n).":
        lambda pairs, n: right_swap(pairs, n).int(),
    "That is the matrix that changes nothing: use the pairs.": lambda pairs, n: torch.eye(n),
    "You divide by the number of source tokens, so that columns sum to 1. It is rows that must: a source token's map "
    "is spread over the target's tokens, 1 / len(j).":
        lambda pairs, n: filled(pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1 / len(i)),
    "Where both words have two tokens, the first answers the first and the second the second: spread a map only where "
    "the numbers differ.":
        lambda pairs, n: filled(pairs, n, lambda i, j: 1 / len(j)),
    "After a word with another number of tokens, every token has moved. You let token 3 look where token 3 of the "
    "source looks, which is another word: use the pairs there, too.":
        to_itself,
    "Only the first token of each word is filled: a word of two tokens needs both.":
        lambda pairs, n: filled([(i[:1], j[:1]) for i, j in pairs], n, lambda i, j: 1),
}


def swap_matrix(answer: Callable[[Blocks, int], Tensor]) -> Verdict:
    """Is `answer(pairs, n)` the matrix A (n, n) of a word swap? pairs: (source tokens, target tokens) of each word."""
    arguments = [(ONE_TO_TWO, TOKENS), (TWO_TO_ONE, TOKENS), (TWO_TO_TWO, 4), (TWO_TO_THREE, TOKENS), (ONE_TO_TWO, 6)]
    return of_formula(answer, arguments, right_swap, SWAP_SLIPS,
                      "The rows of a word's tokens sum to 1, whatever the numbers of tokens: no attention is lost.")


# ---------------------------------------------------------------------------------------------------- the matrix form

PIXELS, n, d = 6, 4, 3
M, M_STAR = (noise(seed, (1, PIXELS, n))[0].softmax(-1) for seed in (1, 2))  # (pixels, tokens), rows sum to 1
MATRIX = noise(3, (1, n, n))[0].softmax(-1)
VECTOR = torch.tensor([0.0, 1.0, 2.5, -1.0])
VALUES = noise(4, (1, n, d))[0]
WIDE = (*(noise(seed, (1, 4, 5))[0].softmax(-1) for seed in (5, 6)), noise(7, (1, 5, 5))[0].softmax(-1),
        torch.tensor([1.0, 0.0, -2.0, 0.5, 3.0]))  # M, M*, A, b of 4 pixels and 5 tokens
IDENTITY, ONES, ZEROS = torch.eye(n), torch.ones(n), torch.zeros(n)

MAP_SLIPS: Slips = {
    "You make the rows sum to 1 again. The form has no such step: what b adds or takes stays.":
        lambda M, M_star, A, b: (e := M @ A + M_star * b) / e.sum(-1, keepdim=True),
    "b weighs tokens, the columns of M*. You multiply by the matrix on the wrong side, or by a row's own number.":
        lambda M, M_star, A, b: M @ A + b[:len(M_star), None] * M_star,
    "b is a diagonal matrix: M* @ b sums over the tokens. Take M_star * b or M_star @ torch.diag(b).":
        lambda M, M_star, A, b: M @ A + (M_star @ b)[:, None],
    "M @ A is a product of matrices; you multiply entry by entry, or leave A's rows out.":
        lambda M, M_star, A, b: M * A.diagonal() + M_star * b,
    "A is transposed: entry (i, j) says how much of source token i goes to target token j, so it is M @ A.":
        lambda M, M_star, A, b: M @ A.T + M_star * b,
    "The two maps are swapped: A re-arranges the source's map M, b weighs the target's own map M*.":
        lambda M, M_star, A, b: M_star @ A + M * b,
    "b weighs the target's own map alone; you multiply the sum.":
        lambda M, M_star, A, b: (M @ A + M_star) * b,
    "b is how much of its own map a token keeps, not how much it gives away: b, not 1 - b.":
        lambda M, M_star, A, b: M @ A + M_star * (1 - b),
    "The target's own map is missing: add M* diag(b).":
        lambda M, M_star, A, b: M @ A,
    "The target's own map must be weighed: M* diag(b) multiplies column j by b[j].":
        lambda M, M_star, A, b: M @ A + M_star,
    "The source's map must be re-arranged: M @ A.":
        lambda M, M_star, A, b: M + M_star * b,
}


def edited_map(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Is `answer(M, M_star, A, b)` the edited map? Maps (pixels, n), A (n, n), b (n,)."""
    arguments = [(M, M_STAR, MATRIX, VECTOR), (M, M_STAR, IDENTITY, ZEROS), (M, M_STAR, 0 * IDENTITY, ONES), WIDE]
    return of_formula(answer, arguments, lambda M, M_star, A, b: M @ A + M_star * b, MAP_SLIPS,
                      "A = 1 and b = 0 give the source's map, A = 0 and b = 1 the target's own.")


def looks(maps: Float[Tensor, "pixels n"]) -> Callable[[Tensor], Tensor]:
    """Attention as a function of the values alone; the map stays inside, as in a fused kernel."""
    return lambda values: maps @ values


VALUE_SLIPS: Slips = {
    "A is transposed: (M A) V = M (A V), so it is A @ V.":
        lambda look, look_star, V, A, b: look(A.T @ V) + look_star(b[:, None] * V),
    "A is missing: the source looks at A V, not at V.":
        lambda look, look_star, V, A, b: look(V) + look_star(b[:, None] * V),
    "b is missing: the target looks at diag(b) V, each token's value times its b.":
        lambda look, look_star, V, A, b: look(A @ V) + look_star(V),
    "The two looks are swapped: M belongs to A V, M* to diag(b) V.":
        lambda look, look_star, V, A, b: look_star(A @ V) + look(b[:, None] * V),
    "The target's term is missing: add M* (diag(b) V).":
        lambda look, look_star, V, A, b: look(A @ V),
    "diag(b) A V is not what is asked: A and b belong to different terms.":
        lambda look, look_star, V, A, b: look(b[:, None] * (A @ V)) + look_star(V),
}


def on_values(answer: Callable[..., Tensor]) -> Verdict:
    """Is `answer(look, look_star, V, A, b)` the output M^ V? look(V) is M V, look_star(V) is M* V; V (n, d)."""
    look, look_star = looks(M), looks(M_STAR)
    wide, wide_star = map(looks, WIDE[:2])
    arguments = [(look, look_star, VALUES, MATRIX, VECTOR), (look, look_star, VALUES, IDENTITY, ZEROS),
                 (look, look_star, VALUES, 0 * IDENTITY, ONES), (wide, wide_star, noise(8, (1, 5, 2))[0], *WIDE[2:])]
    return of_formula(answer, arguments, lambda look, look_star, V, A, b: look(A @ V) + look_star(torch.diag(b) @ V),
                      VALUE_SLIPS, "The edit acts on n values instead of pixels x n shares, and no map was formed. "
                      "This is helpers.attention.remixed.")


# --------------------------------------------------------------------------------------------------- re-weighting

WEIGHT_SLIPS: Slips = {
    "Nothing is weighed: b is 1 everywhere. Put c at the word's positions.": lambda n, positions, c: torch.ones(n),
    "The two are swapped: c belongs to the word's own positions, 1 to all others.":
        lambda n, positions, c: torch.full((n,), float(c)).index_fill(0, torch.tensor(positions), 1.0),
    "The vector holds whole numbers (dtype int), so that c = 0.5 becomes 0: torch.ones(n).":
        lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions), c).int(),
    "One position too late: positions count from 0 already.":
        lambda n, positions, c: torch.ones(n).index_fill(0, (torch.tensor(positions) + 1) % n, c),
    "The other words are silenced: their b must be 1, so that their maps stay as they are.":
        lambda n, positions, c: torch.zeros(n).index_fill(0, torch.tensor(positions), c),
    "Every token is weighed: only the word's own positions get c.":
        lambda n, positions, c: torch.full((n,), float(c)),
    "c takes the place of 1, it is not added to it: c = 1 must change nothing.":
        lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions), 1 + c),
    "Only the first token of the word is weighed: a word can own several.":
        lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions[:1]), c),
    "One position too early: position 0 is the start mark, and `positions` has counted it already.":
        lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions) - 1, c),
    "b is multiplied with columns of the map: it is a vector (n,) of factors, and a share of c / tokens for each is "
    "too little. Every token of the word gets c.":
        lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions), c / len(positions)),
}


def weight_vector(answer: Callable[[int, Sequence[int], float], Tensor]) -> Verdict:
    """Is `answer(n, positions, c)` the vector b (n,) that weighs the tokens at `positions` by c?"""
    return of_formula(answer, [(6, [2, 3], 3.0), (5, [1], -1.0), (5, [4], 1.0), (7, [1, 6], 0.5), (3, [2], 0.0)],
                      lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions), c), WEIGHT_SLIPS,
                      "c = 1 changes nothing, 0 silences the word, and nothing is scaled afterwards: rows no longer "
                      "sum to 1. That is so in the paper, too.")


# ------------------------------------------------------------------------------------------------------ local blending

SEEN, SEEN_STAR = (noise(seed, (1, 3, 4))[0].abs() * scale for seed, scale in ((7, 1.0), (8, 0.4)))
SEEN_AT = [(SEEN, SEEN_STAR, 0.3), (SEEN_STAR, SEEN, 0.5), (SEEN.T[:, :2], SEEN_STAR.T[:, :2], 0.8), (SEEN, SEEN, 1.0)]
MASK_SLIPS: Slips = {
    "`k` is compared with a map that was divided by its sum, or its mean: divide by its maximum.":
        lambda M, M_star, k: (M > k * M.mean()) | (M_star > k * M_star.mean()),
    "The maps are added first, so that the stronger one hides the weaker: ask each on its own, then join them (|).":
        lambda M, M_star, k: M + M_star > k * (M + M_star).max(),
    "The maximum is taken along one axis alone: M.max() without a number is that of the whole map.":
        lambda M, M_star, k: (M > k * M.amax(0)) | (M_star > k * M_star.amax(0)),
    "The maximum is taken along each row: M.max() without a number is that of the whole map.":
        lambda M, M_star, k: (M > k * M.amax(1, True)) | (M_star > k * M_star.amax(1, True)),
    "This is where both see the word. The old thing must be free to go and the new one free to come: take the union.":
        lambda M, M_star, k: (M > k * M.max()) & (M_star > k * M_star.max()),
    "The threshold is a share of the map's maximum, not a number of its own: M > k * M.max().":
        lambda M, M_star, k: (M > k) | (M_star > k),
    "Each map is compared with its own maximum: the two may be of different size.":
        lambda M, M_star, k: (M > k * max(M.max(), M_star.max())) | (M_star > k * max(M.max(), M_star.max())),
    "Above k times the maximum is >, not >=.":
        lambda M, M_star, k: (M >= k * M.max()) | (M_star >= k * M_star.max()),
    "Where both see the word the mask must be true as well: join with |, not with ^ or !=.":
        lambda M, M_star, k: (M > k * M.max()) ^ (M_star > k * M_star.max()),
    "Where both see the word the mask holds 2: join them with |, so that it is true or false.":
        lambda M, M_star, k: (M > k * M.max()).float() + (M_star > k * M_star.max()).float(),
    "Both maps are compared with the source's maximum: each has its own.":
        lambda M, M_star, k: (M > k * M.max()) | (M_star > k * M.max()),
    "The source's map is missing: where the old thing was, the picture must be free to change.":
        lambda M, M_star, k: M_star > k * M_star.max(),
    "The target's map is missing: where the new thing comes, the picture must be free to change.":
        lambda M, M_star, k: M > k * M.max(),
    "This is the part that must stay: the mask is true where a map is above the threshold.":
        lambda M, M_star, k: ~((M > k * M.max()) | (M_star > k * M_star.max())),
}


def mask_of_words(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(M, M_star, k)` local blending's mask: where a word is seen in the source or in the target?"""
    return of_formula(answer, SEEN_AT,
                      lambda M, M_star, k: (M > k * M.max()) | (M_star > k * M_star.max()), MASK_SLIPS,
                      "Where the old thing is seen or the new one. `blend_mask` widens it by one pixel, too.")


# ---------------------------------------------------------------------------------------------------- what it costs

ROWS: Answers = {
    600: (True, "100 rows for the source, once, and 100 for each edit: only the target is run again."),
    1000: (False, "That is 200 for each edit: the source would be made again each time. Its attention is recorded."),
    500: (False, "That is the five edits; the source was made once, too."),
    300: (False, "That is the number of calls, or of rows without guidance. With guidance a call has two rows for "
                 "each picture: the empty prompt's and yours."),
    200: (False, "That is one edit from its prompt. How many are asked for, and what must be made again?"),
    250: (False, "That is the edits without guidance; with it there are two rows for each picture, and the source was "
                 "made, too."),
    850: (False, "That is right where only the source's states are known: its row must be run again to see its "
                 "attention. Here its attention is recorded."),
    550: (False, "Making the source takes two rows a step, too: it is guided."),
    350: (False, "The edits take two rows a step, too: they are guided."),
    1200: (False, "That is six pictures with their source each. It was made once."),
}


def rows_of_edits(answer: int) -> Verdict:
    """How many rows does the network see for a recorded source and five edits of it, 50 steps each, with guidance?"""
    return of_number(answer, ROWS, "Count apart: the source (once), then one edit. How many rows has a step of each?",
                     "a number of rows")
