"""The checks of lesson 4: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from check_cases import (  # noqa: F401
    pytest_generate_tests,
    test_a_check_has_two_right_answers_and_three_slips_at_least,
    test_a_function_is_run_at_three_inputs_at_least,
    test_a_number_counts_in_whatever_form_it_comes,
    test_a_right_answer_passes,
    test_a_right_answer_with_a_slip_at_its_end_is_refused_with_a_sentence,
    test_a_tensor_counts_in_another_library_precision_or_layout,
    test_a_wrong_answer_is_told_its_slip,
    test_an_answer_that_changes_what_it_was_given_is_told_so_and_spoils_nothing_for_the_next,
    test_each_slip_has_a_message_of_its_own,
    test_the_notebook_folds_a_solution_for_every_check,
    test_the_notebook_s_solution_passes_its_check,
    test_the_three_dots_are_told_apart_from_a_wrong_answer,
    test_what_a_function_must_not_return_is_told_by_its_kind,
    test_what_is_no_number_is_refused_kindly,
)

from benchmarks.calls import counted
from helpers import check
from helpers.attention.edits import SelfEdit, during, inject_self, mixed, reweight
from helpers.check import lesson04, lesson04_loop
from helpers.check.lesson04 import filled, looped, right_swap, to_itself
from helpers.check.lesson04_loop import loop_with, one_step, slipping
from helpers.core.words import align, words_and_marks
from helpers.methods.prompt_to_prompt import prompt_to_prompt, recorded
from helpers.models.diffusers_model import DiffusersModel

(SOURCE,) = (Path(__file__).parent.parent / "notebooks").glob("*/04_prompt_to_prompt.py")


def at(positions: list[int], value: float, n: int, rest: float = 1.0) -> torch.Tensor:
    """(n,): `value` at the positions, `rest` elsewhere."""
    return torch.full((n,), rest).index_fill(0, torch.tensor(positions), value)


def in_numpy(pairs: lesson04.Blocks, n: int) -> np.ndarray:
    """The swap matrix, entry by entry."""
    A = np.zeros((n, n))
    for i, j in pairs:
        for row, a in enumerate(i):
            for column, b in enumerate(j):
                A[a, b] = row == column if len(i) == len(j) else 1 / len(j)
    return A


def loop_that_keeps_z(DM: Any, Edit: Any, P: str, P_star: str, z: torch.Tensor, T: int) -> tuple[Any, Any]:
    """Algorithm 1 with z moved only at the end of the round."""
    z_star = z
    for t in range(T, 0, -1):
        z_next, M = DM(z, P, t)
        z_star, _ = DM(z_star, P_star, t, Edit(M, DM(z_star, P_star, t)[1], t))
        z = z_next
    return z, z_star


RIGHT = {
    "alignment": [[0, None, 1, 2, 3, 4, 5, 6, 7], (0, None, 1, 2, 3, 4, 5, 6, 7),
                  [np.int64(0), None, *torch.arange(1, 8)],
                  np.array([0, None, *range(1, 8)])],
    "swap_matrix": [right_swap, in_numpy,
                    lambda pairs, n: right_swap(pairs, n).double()],
    "edited_map": [lambda M, M_star, A, b: M @ A + M_star * b, lambda M, M_star, A, b: M @ A + M_star @ torch.diag(b),
                   lambda M, M_star, A, b: np.einsum("pi,ij->pj", M.numpy(), A.numpy()) + M_star.numpy() * b.numpy()],
    "on_values": [lambda look, look_star, V, A, b: look(A @ V) + look_star(b[:, None] * V),
                  lambda look, look_star, V, A, b: look_star(torch.diag(b) @ V) + look(A @ V),
                  lambda look, look_star, V, A, b: (look(A @ V) + look_star((b * V.T).T)).numpy()],
    "algorithm": [lesson04_loop.algorithm_1, loop_that_keeps_z],
    "injected_steps": [lambda tau, N: list(range(round(tau * N))), lambda tau, N: range(round(tau * N)),
                       lambda tau, N: np.arange(round(tau * N)), lambda tau, N: torch.arange(round(tau * N)),
                       lambda tau, N: [np.int64(i) for i in range(N) if i < round(tau * N)]],
    "weight_vector": [lambda n, positions, c: at(positions, c, n),
                      lambda n, positions, c: torch.tensor([c if i in positions else 1.0 for i in range(n)]),
                      lambda n, positions, c: np.where(np.isin(np.arange(n), positions), c, 1.0)],
    "mask_of_words": [lambda M, M_star, k: (M > k * M.max()) | (M_star > k * M_star.max()),
                      lambda M, M_star, k: ((M / M.max() > k) + (M_star / M_star.max() > k)).float(),
                      lambda M, M_star, k: np.maximum((M / M.max()).numpy(), (M_star / M_star.max()).numpy()) > k],
    "rows_of_edits": [600, 600.0, 50 * 2 + 5 * 50 * 2],
}

WRONG = {
    "alignment": {
        "count positions": [0, 1, 2, 3, 4, 5, 6, 7, None],
        "is new": [0, 1, 1, 2, 3, 4, 5, 6, 7],
        "right for `refine`": [0, None, 1, 2, 3, None, 5, 6, 7],
        "second `a` answers": [0, None, 1, 2, 0, 4, 5, 6, 7],
        "count from 1": [1, None, 2, 3, 4, 5, 6, 7, 8],
        "Look again at: beach": [0, None, 1, 2, 3, 4, 5, 6, 6],
        "-1 is a word": [0, -1, 1, 2, 3, 4, 5, 6, 7],
        "without quotes": [0, "None", 1, 2, 3, 4, 5, 6, 7],
        "has 8 entries": [0, 1, 2, 3, 4, 5, 6, 7],
        "not a text": "0 1 2",
    },
    "swap_matrix": {
        "zip alone stops where the shorter word ends: one": lambda pairs, n: looped(pairs, n, lambda i, j: 1.0),
        "reaches one token only": lambda pairs, n: looped(pairs, n, lambda i, j: 1 if len(i) == len(j) else 1 / len(j)),
        "zip alone fills": lambda pairs, n: looped(pairs, n, lambda i, j: 1 / len(j)),
        "1 / len\\(i\\) divides": lambda pairs, n: filled(pairs, n, lambda i, j: 1 / len(i)),
        "counts the wrong tokens": lambda pairs, n: looped(pairs, n, lambda i, j: 1 / len(i)),
        "filled with 1 everywhere": lambda pairs, n: filled(pairs, n, lambda i, j: 1),
        "dtype int": lambda pairs, n: right_swap(pairs, n).long(),
        "changes `pairs`": lambda pairs, n: [right_swap(pairs, n), pairs.pop()][0],
        "The matrix is transposed": lambda pairs, n: right_swap(pairs, n).T,
        "row sums to 2": lambda pairs, n: filled(pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1),
        "columns sum to 1": lambda pairs, n: filled(
            pairs, n, lambda i, j: torch.eye(len(i)) if len(i) == len(j) else 1 / len(i)),
        "spread a map only where": lambda pairs, n: filled(pairs, n, lambda i, j: 1 / len(j)),
        "every token has moved": to_itself,
        "Only the first token": lambda pairs, n: filled([(i[:1], j[:1]) for i, j in pairs], n, lambda i, j: 1),
        "expected a tensor of shape": lambda pairs, n: right_swap(pairs, n + 1),
        "values differ": lambda pairs, n: right_swap(pairs, n) + torch.eye(n),
        "changes nothing: use the pairs": lambda pairs, n: torch.eye(n),
    },
    "edited_map": {
        "A is transposed": lambda M, M_star, A, b: M @ A.T + M_star * b,
        "two maps are swapped": lambda M, M_star, A, b: M_star @ A + M * b,
        "multiply the sum": lambda M, M_star, A, b: (M @ A + M_star) * b,
        "not 1 - b": lambda M, M_star, A, b: M @ A + M_star * (1 - b),
        "own map is missing": lambda M, M_star, A, b: M @ A,
        "must be weighed": lambda M, M_star, A, b: M @ A + M_star,
        "must be re-arranged": lambda M, M_star, A, b: M + M_star * b,
        "stopped with RuntimeError": lambda M, M_star, A, b: A @ M + b * M_star,
        "rows sum to 1 again": lambda M, M_star, A, b: (
            e := M @ A + M_star * b) / e.sum(-1, keepdim=True),
        "sums over the tokens": lambda M, M_star, A, b: M @ A + (M_star @ b)[:, None],
        "the product of matrices|a product of matrices": lambda M, M_star, A, b: M * A.diag() + M_star * b,
        "changes `M`": lambda M, M_star, A, b: M.copy_(M @ A).add_(M_star * b),
        "a tensor of shape .* Is it transposed": lambda M, M_star, A, b: (M @ A + M_star * b).T,
    },
    "on_values": {
        "A is transposed": lambda look, look_star, V, A, b: look(A.T @ V) + look_star(b[:, None] * V),
        "A is missing": lambda look, look_star, V, A, b: look(V) + look_star(b[:, None] * V),
        "b is missing": lambda look, look_star, V, A, b: look(A @ V) + look_star(V),
        "looks are swapped": lambda look, look_star, V, A, b: look_star(A @ V) + look(b[:, None] * V),
        "term is missing": lambda look, look_star, V, A, b: look(A @ V),
        "different terms": lambda look, look_star, V, A, b: look(b[:, None] * (A @ V)) + look_star(V),
        "stopped with RuntimeError": lambda look, look_star, V, A, b: look(A @ V) + look_star(b * V),
    },
    "algorithm": {
        "steps with its own map": slipping("own"),
        "steps twice a round": slipping("twice"),
        "as if nobody edited": slipping("source too"),
        "looked at from z": slipping("seen at z"),
        "starts from the source anew": slipping("from z"),
        "under the source's prompt": slipping("under P"),
        "arguments of Edit": slipping("swapped"),
        "Edit is not asked": slipping("source"),
        "Time runs upwards": loop_with(one_step, lambda T: range(1, T + 1)),
        "last step is missing": loop_with(one_step, lambda T: range(T, 1, -1)),
        "starts at T - 1": loop_with(one_step, lambda T: range(T - 1, -1, -1)),
        "wrong order": lambda *arguments: lesson04_loop.algorithm_1(*arguments)[::-1],
        "Return both": lambda *arguments: lesson04_loop.algorithm_1(*arguments)[1],
        "Nothing is run": lambda DM, Edit, P, P_star, z, T: (z, z),
        "Only z is run": lambda *given: (lesson04_loop.algorithm_1(*given)[0], given[4]),
        "one and the same": lambda *given: [lesson04_loop.algorithm_1(*given)[0]] * 2,
        "prompts are swapped": lambda DM, Edit, P, P_star, z, T: lesson04_loop.algorithm_1(DM, Edit, P_star, P, z, T),
        "One round too many": loop_with(one_step, lambda T: range(T, -1, -1)),
        "has moved on": slipping("late"),
        "not the maps": lambda DM, Edit, P, P_star, z, T: (z[0], z),
        "Go through its lines": lambda DM, Edit, P, P_star, z, T: (z, 2 * z),
    },
    "injected_steps": {
        "counts down": lambda tau, N: list(range(N - round(tau * N), N)),
        "after the injection": lambda tau, N: list(range(round(tau * N), N)),
        "One step too many": lambda tau, N: list(range(round(tau * N) + 1)),
        "Rounded down": lambda tau, N: [step for step in range(N) if step + 1 <= tau * N],
        "Rounded up": lambda tau, N: [step for step in range(N) if step < tau * N],
        "count from 1": lambda tau, N: list(range(1, round(tau * N) + 1)),
        "expected a list": lambda tau, N: round(tau * N),
        "the share tau is not used": lambda tau, N: list(range(N)),
        "should be 20 steps": lambda tau, N: list(range(N // 2)),
        "in another order": lambda tau, N: list(range(round(tau * N)))[::-1],
        "One step too few": lambda tau, N: list(range(round(tau * N)))[:-1],
        "same for every input": lambda tau, N: list(range(20)),
        "stopped with TypeError": lambda tau, N: list(range(tau * N)),
    },
    "weight_vector": {
        "are silenced": lambda n, positions, c: at(positions, c, n, 0.0),
        "Nothing is weighed": lambda n, positions, c: torch.ones(n),
        "The two are swapped": lambda n, positions, c: at(positions, 1.0, n, c),
        "dtype int": lambda n, positions, c: at(positions, c, n).long(),
        "One position too late": lambda n, positions, c: at([(i + 1) % n for i in positions], c, n),
        "Every token is weighed": lambda n, positions, c: torch.full((n,), c),
        "is not added": lambda n, positions, c: at(positions, 1 + c, n),
        "Only the first token": lambda n, positions, c: at(positions[:1], c, n),
        "One position too early": lambda n, positions, c: at([i - 1 for i in positions], c, n),
        "Every token of the word": lambda n, positions, c: at(positions, c / len(positions), n),
        "returns a list": lambda n, positions, c: [c if i in positions else 1 for i in range(n)],
    },
    "mask_of_words": {
        ">, not >=": lambda M, M_star, k: (M >= k * M.max()) | (M_star >= k * M_star.max()),
        "not with \\^": lambda M, M_star, k: (M > k * M.max()) != (M_star > k * M_star.max()),
        "holds 2": lambda M, M_star, k: (M > k * M.max()).int() + (M_star > k * M_star.max()).int(),
        "compared with the source's maximum": lambda M, M_star, k: (M > k * M.max()) | (M_star > k * M.max()),
        "stronger one hides": lambda M, M_star, k: (M + M_star) / (M + M_star).max() > k,
        "along one axis": lambda M, M_star, k: (M > k * M.max(0)[0]) | (M_star > k * M_star.max(0)[0]),
        "along each row": lambda M, M_star, k: (M > k * M.amax(1, True)) | (M_star > k * M_star.amax(1, True)),
        "or its mean": lambda M, M_star, k: (M > k * M.mean()) | (M_star > k * M_star.mean()),
        "take the union": lambda M, M_star, k: (M > k * M.max()) & (M_star > k * M_star.max()),
        "share of the map's maximum": lambda M, M_star, k: (M > k) | (M_star > k),
        "its own maximum": lambda M, M_star, k: torch.maximum(M, M_star) > k * torch.maximum(M, M_star).max(),
        "source's map is missing": lambda M, M_star, k: M_star > k * M_star.max(),
        "target's map is missing": lambda M, M_star, k: M > k * M.max(),
        "part that must stay": lambda M, M_star, k: (M <= k * M.max()) & (M_star <= k * M_star.max()),
    },
    "rows_of_edits": {
        "source would be made again": 1000,
        "source was made once, too": 500,
        "number of calls": 300,
        "one edit from its prompt": 200,
        "edits without guidance": 250,
        "only the source's states": 850,
        "it is guided": 550,
        "they are guided": 350,
        "six pictures": 1200,
        "Count apart": 42,
        "not a text": "600",
    },
}

TEMPLATES = {"alignment": [..., [0, *[...] * 8]], "rows_of_edits": [...]}
NAMES = {"torch": torch}
BY_HAND = ["shortest_injection"]


def test_the_answer_of_the_alignment_is_that_of_the_helpers() -> None:
    first, second = (words_and_marks(prompt) for prompt in (lesson04.SOURCE, lesson04.TARGET))
    pairs = align(lesson04.SOURCE, lesson04.TARGET)
    answer: list[int | None] = [None] * len(second)
    swapped = [pair for words in pairs.swapped for pair in zip(*words, strict=True)]
    for old, fresh in (*pairs.same, *swapped):
        answer[second.index(fresh)] = first.index(old)
    assert answer == lesson04.ANSWERS


@pytest.fixture(scope="module")
def sd(models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models["sd"]


def test_the_formulas_of_the_checks_are_those_of_the_edits(sd: DiffusersModel) -> None:
    P, P_star = "a cat ab cd", "a zq ab cd"
    edit = mixed(sd, P, P_star)
    pairs = [([0], [0]), ([1], [1]), ([2], [2, 3]), ([3, 4], [4, 5]), ([5, 6], [6, 7]), ([7], [8])]
    assert torch.equal(edit.A[0, :8, :9], right_swap(pairs, 9)[:8])
    weighed = reweight(sd, P_star, "zq", 3.0)
    assert torch.equal(weighed.b[0], at([2, 3], 3.0, len(weighed.b[0])))
    scheduled = during(edit, 0, 0.1)
    kept = [step for step in range(18) if scheduled.at(step, 18)[0].any()]
    assert kept == lesson04_loop.right_steps(0.1, 18)
    assert (edit @ inject_self(sd, P, P_star)).self_edits == ((SelfEdit(),),)


def test_the_rows_that_the_check_counts_are_those_that_the_network_sees(sd: DiffusersModel) -> None:
    with counted(sd) as rows:
        source = recorded(sd, "a cat ab", steps=5, guidance=4.0, progress=False)
        for _ in range(2):
            prompt_to_prompt(sd, source, "a zq ab", progress=False)
    assert sum(rows) == 5 * 2 + 2 * 5 * 2  # with 50 steps and five edits, the answer of the exercise
    assert (50 * 2 + 5 * 50 * 2) in lesson04.ROWS and lesson04.ROWS[600][0]


def test_the_shortest_injection_is_the_first_that_keeps_nearly_all_from_there_on() -> None:
    shares, kept = [0, 0.2, 0.4, 0.8, 1], [15.0, 29.5, 25.0, 29.5, 30.0]
    verdicts = [check.shortest_injection(guess, shares, kept) for guess in (0.8, 0.2, 1, 0.3, ..., True)]
    assert [bool(verdict) for verdict in verdicts] == [True, False, False, False, False, False]
    found = ["29.5 dB", "Too short", "longer than needed", "one of the shares", "three dots", "one of the shares"]
    assert all(words in verdict.message for words, verdict in zip(found, verdicts, strict=True))
    assert check.shortest_injection(0, [0, 1], [20.0, 20.5])


def test_a_function_that_is_not_written_yet_is_told_so_and_nothing_else() -> None:
    assert check.injected_steps(lambda *_: ...) == lesson04.UNANSWERED
    assert "an int; expected a list" in check.injected_steps(lambda tau, N: 0).message


def test_the_names_are_imported_when_asked_for() -> None:
    assert {*RIGHT, "shortest_injection"} <= set(dir(check))
