"""The checks of lesson 4, attention and Prompt-to-Prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import count
from math import ceil
from typing import Any

import torch
from torch import Tensor

from helpers.check.verdict import UNANSWERED, Slips, Verdict, is_unanswered, of_formula, same, tried
from helpers.core.randomness import noise

# ------------------------------------------------------------------------------------------------- align two prompts

SOURCE, TARGET = "a cat and a dog on the beach", "a fluffy cat and a fox on the beach"
ANSWERS: list[int | None] = [0, None, 1, 2, 3, 4, 5, 6, 7]  # helpers.core.words.align says the same: a test compares
ALIGNMENTS = {
    (0, 1, 2, 3, 4, 5, 6, 7, None): "You count positions: from the new word on, every word answers its right "
                                    "neighbour, the word after its own. This is what goes wrong where code copies "
                                    "maps by position. `fluffy` is the word that answers nobody.",
    (0, 1, 1, 2, 3, 4, 5, 6, 7): "`fluffy` is new: no word of P stands in its place, since `a` and `cat` are both "
                                 "still there. It answers None.",
    (0, None, 1, 2, 3, None, 5, 6, 7): "`fox` stands where `dog` stood: a swapped word looks where the old one looked. "
                                       "(None here would be right for `refine`, which lets every new word look for "
                                       "itself.)",
    (0, None, 1, 2, 0, 4, 5, 6, 7): "The second `a` answers the second `a`: equal words are paired in reading order.",
    (1, None, 2, 3, 4, 5, 6, 7, 8): "You count from 1. The first word of P has the number 0, as in Python.",
}


def alignment(answer: Sequence[int | None]) -> Verdict:
    """Is `answer` the number of the word of P (or None) that each word of P* answers? Prompts: SOURCE, TARGET."""
    if is_unanswered(answer) or (isinstance(answer, (list, tuple)) and any(each is ... for each in answer)):
        return UNANSWERED
    if not isinstance(answer, (list, tuple)):
        return Verdict(False, f"Give a list with a number or None for each word of P*, not a {type(answer).__name__}.")
    if len(answer) != len(ANSWERS):
        return Verdict(False, f"Your list has {len(answer)} entries; P* has {len(ANSWERS)} words.")
    if list(answer) == ANSWERS:
        return Verdict(True, "Equal words answer each other, `fox` stands in for `dog`, and `fluffy` is on its own.")
    if tuple(answer) in ALIGNMENTS:
        return Verdict(False, ALIGNMENTS[tuple(answer)])
    words = TARGET.split()
    wrong = [word for word, given, right in zip(words, answer, ANSWERS, strict=True) if given != right]
    return Verdict(False, f"Look again at: {', '.join(wrong)}. Words of P count from 0.")


# ---------------------------------------------------------------------------------------------------- the swap matrix

Blocks = Sequence[tuple[Sequence[int], Sequence[int]]]  # tokens of a word of P, tokens of the word that answers it
ONE_TO_TWO: Blocks = [([0], [0]), ([1], [1, 2]), ([2], [3]), ([3], [4])]
TWO_TO_ONE: Blocks = [([0], [0]), ([1, 2], [1]), ([3], [2]), ([4], [3])]
TWO_TO_TWO: Blocks = [([0], [0]), ([1, 2], [1, 2]), ([3], [3])]
TOKENS = 5


def filled(pairs: Blocks, n: int, share: Callable[[Sequence[int], Sequence[int]], Any]) -> Tensor:
    """A (n, n) with `share(i, j)` where source tokens i meet target tokens j, 0 elsewhere."""
    A = torch.zeros(n, n)
    for i, j in pairs:
        A[torch.tensor(i)[:, None], torch.tensor(j)] = torch.as_tensor(share(i, j), dtype=torch.float)
    return A


def to_itself(pairs: Blocks, n: int) -> Tensor:
    """The slip of a widely copied mapper: after the swapped word, every token is taken to have kept its place."""
    A, first = torch.eye(n), next((max(*i, *j) for i, j in pairs if len(i) != len(j)), n)
    for i, j in pairs:
        if max(*i, *j) <= first:
            A[:, list(j)] = 0
            A[torch.tensor(i)[:, None], torch.tensor(j)] = 1 / len(j)
    return A


def right_swap(pairs: Blocks, n: int) -> Tensor:
    """First to first where the numbers of tokens agree; else each source token's map is spread evenly."""
    return filled(pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1 / len(j))


SWAP_SLIPS: Slips = {
    "The matrix is transposed: rows belong to source tokens, columns to target tokens, since M^ = M A.":
        lambda pairs, n: right_swap(pairs, n).T,
    "Where one token answers with two, each of the two gets the whole map, so that a row sums to 2. Share it: "
    "1 / len(j) for each.":
        lambda pairs, n: filled(pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1),
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
    arguments = [(ONE_TO_TWO, TOKENS), (TWO_TO_ONE, TOKENS), (TWO_TO_TWO, TOKENS)]
    return of_formula(answer, arguments, right_swap, SWAP_SLIPS,
                      "The rows of a word's tokens sum to 1, whatever the numbers of tokens: no attention is lost.")


# ---------------------------------------------------------------------------------------------------- the matrix form

PIXELS, n, d = 6, 4, 3
M, M_STAR = (noise(seed, (1, PIXELS, n))[0].softmax(-1) for seed in (1, 2))  # (pixels, tokens), rows sum to 1
MATRIX = noise(3, (1, n, n))[0].softmax(-1)
VECTOR = torch.tensor([0.0, 1.0, 2.5, -1.0])
VALUES = noise(4, (1, n, d))[0]
IDENTITY, ONES, ZEROS = torch.eye(n), torch.ones(n), torch.zeros(n)

MAP_SLIPS: Slips = {
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
    arguments = [(M, M_STAR, MATRIX, VECTOR), (M, M_STAR, IDENTITY, ZEROS), (M, M_STAR, 0 * IDENTITY, ONES)]
    return of_formula(answer, arguments, lambda M, M_star, A, b: M @ A + M_star * b, MAP_SLIPS,
                      "A = 1 and b = 0 give the source's map, A = 0 and b = 1 the target's own.")


def looks(maps: Tensor) -> Callable[[Tensor], Tensor]:
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
    arguments = [(look, look_star, VALUES, MATRIX, VECTOR), (look, look_star, VALUES, IDENTITY, ZEROS),
                 (look, look_star, VALUES, 0 * IDENTITY, ONES)]
    return of_formula(answer, arguments, lambda _, __, V, A, b: (M @ A + M_STAR * b) @ V, VALUE_SLIPS,
                      "The edit acts on n values instead of pixels x n shares, and no map was formed. This is "
                      "helpers.attention.remixed.")


# -------------------------------------------------------------------------------------------------------- Algorithm 1

T, P, P_STAR = 4, "P", "P*"
START = noise(5, (1, 1, 2, 2))
KEYS, MEANINGS = {P: 0.7, P_STAR: -1.3}, {P: 2.0, P_STAR: -1.0}
Step = Callable[..., tuple[Tensor, Tensor]]


def toy_step(z: Tensor, prompt: str, t: int, maps: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """DM(z, prompt, t): the next state, and the map that the model made (`maps` takes its place in the state)."""
    own = torch.sigmoid(KEYS[prompt] * z + t / T)
    return 0.8 * z + 0.2 * MEANINGS[prompt] * (own if maps is None else maps), own


def toy_edit(M: Tensor, M_star: Tensor, t: int) -> Tensor:
    """Edit(M, M*, t): the source's map early, a mix of both later."""
    return M if t > T // 2 else 0.3 * M + 0.7 * M_star


def algorithm_1(DM: Step, Edit: Callable[..., Tensor], P: str, P_star: str, z: Tensor, T: int
                ) -> tuple[Tensor, Tensor]:
    """The paper's Algorithm 1, from line 3 on."""
    z_star = z
    for t in range(T, 0, -1):
        z, M = DM(z, P, t)
        _, M_star = DM(z_star, P_star, t)
        M_hat = Edit(M, M_star, t)
        z_star, _ = DM(z_star, P_star, t, M_hat)
    return z, z_star


def loop_with(change: Callable[..., tuple[Tensor, Tensor]], times: Callable[[int], Any] = lambda T: range(T, 0, -1)
              ) -> Callable[..., tuple[Tensor, Tensor]]:
    """Algorithm 1 with other insides, `change(DM, Edit, P, P_star, z, z_star, t)`, or at other times."""

    def loop(DM: Step, Edit: Any, P: str, P_star: str, z: Tensor, T: int) -> tuple[Tensor, Tensor]:
        z_star = z
        for t in times(T):
            z, z_star = change(DM, Edit, P, P_star, z, z_star, t)
        return z, z_star

    return loop


def one_step(DM: Step, Edit: Any, P: str, P_star: str, z: Tensor, z_star: Tensor, t: int, *, slip: str = ""
             ) -> tuple[Tensor, Tensor]:
    """Lines 5 to 8 with one slip."""
    z_next, M = DM(z, P, t)
    ahead, M_star = DM(z if slip == "seen at z" else z_star, P_star, t)
    M_hat = Edit(M_star, M, t) if slip == "swapped" else Edit(M, M_star, t)
    if slip == "source too":
        z_next, _ = DM(z, P, t, M_hat)
    start = {"twice": ahead, "from z": z}.get(slip, z_star)
    z_star, _ = DM(start, P if slip == "under P" else P_star, t, {"own": None, "source": M}.get(slip, M_hat))
    return z_next, z_star


def slipping(slip: str) -> Callable[..., tuple[Tensor, Tensor]]:
    """Algorithm 1 with one slip in its lines."""
    return loop_with(lambda *state: one_step(*state, slip=slip))


LOOP_SLIPS: Slips = {
    "z* steps with its own map: hand the edited map to the third call, DM(z_star, P_star, t, M_hat).": slipping("own"),
    "z* steps twice a round: the call that looks at M* must not move z*. Keep its map and drop its state (`_`).":
        slipping("twice"),
    "The source steps with the edited map as well. It must walk as if nobody edited: only z* gets M^.":
        slipping("source too"),
    "M* is looked at from z: it is the target's map, so from z_star.": slipping("seen at z"),
    "z* steps from z: then it starts from the source anew in each round. Step from z_star.": slipping("from z"),
    "z* steps under the source's prompt: the values come from P*, only the map from the edit.": slipping("under P"),
    "The arguments of Edit are swapped: the source's map comes first.": slipping("swapped"),
    "Edit is not asked: you hand on the source's map at every step.": slipping("source"),
    "Time runs upwards: noise is at T, so the loop goes T, T - 1, ..., 1.":
        loop_with(one_step, lambda T: range(1, T + 1)),
    "The last step is missing: t goes down to 1.": loop_with(one_step, lambda T: range(T, 1, -1)),
    "t goes from T down to 1; yours starts at T - 1 and ends at 0.":
        loop_with(one_step, lambda T: range(T - 1, -1, -1)),
}


def algorithm(answer: Callable[..., tuple[Tensor, Tensor]]) -> Verdict:
    """Is `answer(DM, Edit, P, P_star, z, T)` Algorithm 1 from line 3 on, giving (z_0, z*_0)? Runs on a toy model."""
    arguments = (toy_step, toy_edit, P, P_STAR, START, T)
    found = tried(answer, *map(deepcopy, arguments))
    if isinstance(found, Verdict):
        return found
    if not isinstance(found, (tuple, list)) or len(found) != 2 or not all(isinstance(z, Tensor) for z in found):
        return Verdict(False, "Return both states, `return z, z_star`: the picture and its edit.")

    def agrees(loop: Callable[..., tuple[Tensor, Tensor]]) -> bool:
        return all(same(*pair) for pair in zip(found, loop(*arguments), strict=True))

    if agrees(algorithm_1):
        return Verdict(True, "Line for line. `prompt_to_prompt` makes the three calls in one, since attention can be "
                             "looked at and replaced inside the network.")
    if all(same(*pair) for pair in zip(found[::-1], algorithm_1(*arguments), strict=True)):
        return Verdict(False, "Both states are right, in the wrong order: return z first, then z_star.")
    slip = next((message for message, loop in LOOP_SLIPS.items() if agrees(loop)), "")
    return Verdict(False, slip or "The states differ from the algorithm's. Go through its lines one by one: which "
                                  "state, which prompt and which map does each call get?")


# --------------------------------------------------------------------------------------------------- the schedule

def right_steps(tau: float, N: int) -> list[int]:
    """The first round(tau N) steps, the noisiest ones."""
    return list(range(round(tau * N)))


SCHEDULES = [(0.8, 25), (0.1, 18), (1.0, 10), (0.0, 10), (0.2, 12)]
STEP_SLIPS: dict[str, Callable[[float, int], list[int]]] = {
    "These are the last steps. The paper prints t < tau, but its t counts down: the injection is early, where the "
    "layout is decided.": lambda tau, N: list(range(N - round(tau * N), N)),
    "These are the steps after the injection: the target is on its own there.":
        lambda tau, N: list(range(round(tau * N), N)),
    "One step too many: range(n) has n entries, and `tau` 0 must give none.":
        lambda tau, N: list(range(round(tau * N) + 1)),
    "Rounded down: 0.1 of 18 steps are 1.8, which is nearer to 2. Use round(...).":
        lambda tau, N: list(range(int(tau * N))),
    "Rounded up: 0.2 of 12 steps are 2.4, which is nearer to 2. Use round(...).":
        lambda tau, N: list(range(ceil(tau * N))),
    "You count from 1; step 0 is the noisiest.": lambda tau, N: list(range(1, round(tau * N) + 1)),
}


def injected_steps(answer: Callable[[float, int], Sequence[int]]) -> Verdict:
    """Is `answer(tau, N)` the list of steps with the source's maps? Step 0 of N is the noisiest."""
    found = [tried(answer, *each) for each in SCHEDULES]
    for each in found:
        if isinstance(each, Verdict):
            return each
        if not isinstance(each, (list, tuple, range)):
            return Verdict(False, f"Your function returns a {type(each).__name__}; expected a list of steps.")
    lists = [list(each) for each in found]
    if lists == [right_steps(*each) for each in SCHEDULES]:
        return Verdict(True, "The noisiest steps, which decide the layout; none for 0, all for 1.")
    for message, slip in STEP_SLIPS.items():
        if lists == [slip(*each) for each in SCHEDULES]:
            return Verdict(False, message)
    i = next(i for i in count() if lists[i] != right_steps(*SCHEDULES[i]))
    tau, N = SCHEDULES[i]
    return Verdict(False, f"For tau = {tau} and N = {N} you give {lists[i]}: there should be {round(tau * N)} steps, "
                          "the noisiest ones.")


NEAR = 1.0  # dB


def enough_injection(shares: Sequence[float], kept: Sequence[float]) -> float:
    """The shortest injection from which on the rest is kept within NEAR of what the longest one keeps."""
    good = [share for i, share in enumerate(shares) if min(kept[i:]) >= kept[-1] - NEAR]
    return good[0]


def shortest_injection(guess: float, shares: Sequence[float], kept: Sequence[float]) -> Verdict:
    """Does `guess` name the shortest injection that keeps the layout? shares: growing; kept: dB at each share."""
    if is_unanswered(guess):
        return UNANSWERED
    if isinstance(guess, bool) or not isinstance(guess, (int, float)) or guess not in shares:
        return Verdict(False, f"Choose one of the shares that were tried: {', '.join(f'{s:g}' for s in shares)}.")
    measured, found = dict(zip(shares, kept, strict=True)), enough_injection(shares, kept)
    told = f"{guess:g} keeps {measured[guess]:.1f} dB, the longest injection {kept[-1]:.1f} dB"
    if guess < found:
        return Verdict(False, f"Too short: {told}. Within {NEAR:g} dB of it, and staying there, comes later.")
    if guess > found:
        return Verdict(False, f"It keeps the layout, but longer than needed: {told}, and {found:g} already keeps "
                              f"{measured[found]:.1f} dB. What is not injected is free to follow the prompt.")
    return Verdict(True, f"{told}. Injecting longer only ties the new thing to the old one's shape.")


# --------------------------------------------------------------------------------------------------- re-weighting

WEIGHT_SLIPS: dict[str, Callable[[int, Sequence[int], float], Tensor]] = {
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
    return of_formula(answer, [(6, [2, 3], 3.0), (5, [1], -1.0), (5, [4], 1.0)],
                      lambda n, positions, c: torch.ones(n).index_fill(0, torch.tensor(positions), c), WEIGHT_SLIPS,
                      "c = 1 changes nothing, 0 silences the word, and nothing is scaled afterwards: rows no longer "
                      "sum to 1. That is so in the paper, too.")


# ------------------------------------------------------------------------------------------------------ local blending

SEEN, SEEN_STAR = (noise(seed, (1, 3, 4))[0].abs() * scale for seed, scale in ((7, 1.0), (8, 0.4)))
MASK_SLIPS: Slips = {
    "This is where both see the word. The old thing must be free to go and the new one free to come: take the union.":
        lambda M, M_star, k: (M > k * M.max()) & (M_star > k * M_star.max()),
    "The threshold is a share of the map's maximum, not a number of its own: M > k * M.max().":
        lambda M, M_star, k: (M > k) | (M_star > k),
    "Each map is compared with its own maximum: the two may be of different size.":
        lambda M, M_star, k: (M > k * max(M.max(), M_star.max())) | (M_star > k * max(M.max(), M_star.max())),
    "The source's map is missing: where the old thing was, the picture must be free to change.":
        lambda M, M_star, k: M_star > k * M_star.max(),
    "The target's map is missing: where the new thing comes, the picture must be free to change.":
        lambda M, M_star, k: M > k * M.max(),
    "This is the part that must stay: the mask is true where a map is above the threshold.":
        lambda M, M_star, k: ~((M > k * M.max()) | (M_star > k * M_star.max())),
}


def mask_of_words(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(M, M_star, k)` local blending's mask: where a word is seen in the source or in the target?"""
    return of_formula(answer, [(SEEN, SEEN_STAR, 0.3), (SEEN_STAR, SEEN, 0.5)],
                      lambda M, M_star, k: (M > k * M.max()) | (M_star > k * M_star.max()), MASK_SLIPS,
                      "Where the old thing is seen or the new one. `blend_mask` widens it by one pixel, too.")


# ---------------------------------------------------------------------------------------------------- what it costs

ROWS = {
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
    if is_unanswered(answer):
        return UNANSWERED
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return Verdict(False, f"Expected a number of rows, not a {type(answer).__name__}.")
    if answer not in ROWS:
        return Verdict(False, "Count apart: the source (once), then one edit. How many rows has a step of each?")
    return Verdict(*ROWS[int(answer)])
