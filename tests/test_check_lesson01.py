"""The checks of lesson 1: the template fails, the solution passes, each likely slip is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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

from helpers import check
from helpers.check.lesson01 import EDITORS, START
from helpers.check.lesson01_measures import front, not_better_in_both
from helpers.picturebook.edits import Edit
from helpers.picturebook.scene import Scene

SOURCE = Path(__file__).parent.parent / "notebooks" / "src" / "01_what_is_editing.py"


def db(result: Any, picture: Any, where: Any) -> Any:
    return -10 * np.log10(np.square(result - picture)[where].mean())


def add_in_place(result: Any, picture: Any, mask: Any) -> Any:
    picture[mask] = result[mask]
    return picture


def front_by_loops(obeyed: Any, kept: Any) -> Any:
    """Who is unbeaten, editor by editor."""
    editors = list(zip(obeyed.tolist(), kept.tolist(), strict=True))
    return np.array([not any(o >= mine and k >= my_kept and (o, k) != (mine, my_kept) for o, k in editors)
                     for mine, my_kept in editors])


def front_in_torch(obeyed: Any, kept: Any) -> Any:
    """Who is unbeaten, in torch."""
    both = torch.stack([torch.from_numpy(obeyed), torch.from_numpy(kept)], 1)
    as_good, better = (both[None] >= both[:, None]).all(-1), (both[None] > both[:, None]).any(-1)
    return ~(as_good & better).any(1)


def psnr_after(result: Any, picture: Any, *moves: tuple[int, int]) -> float:
    """The best PSNR after these moves."""
    return max(db(np.roll(result, move, (0, 1)), picture, ...) for move in moves)


def moves_of(most: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(-most, most + 1) for j in range(-most, most + 1)]


def by_indices(result: Any, picture: Any, most: int) -> Any:
    """The best PSNR, with torch.roll in two steps."""
    r, p = torch.from_numpy(result), torch.from_numpy(picture)
    errors = [(r.roll(i, 0).roll(j, 1) - p).square().mean() for i, j in moves_of(most)]
    return -10 * torch.log10(min(errors))


def by_counting(reading: dict[str, str], wanted: dict[str, str]) -> float:
    """Obeyed, in a loop."""
    right = 0
    for name in wanted:
        right += reading.get(name) == wanted[name]
    return right / len(wanted)


RIGHT: dict[str, list[Any]] = {
    "obeyed_share": [lambda r, w: sum(r[name] == value for name, value in w.items()) / len(w), by_counting,
                     lambda r, w: np.mean([r[name] == w[name] for name in w]),
                     lambda r, w: len(set(r.items()) & set(w.items())) / len(w)],
    "half_interval": [lambda v: 1.96 * v.std(ddof=1) / len(v) ** 0.5,
                      lambda v: 1.96 * np.sqrt(np.square(v - v.mean()).sum() / (len(v) - 1) / len(v)),
                      lambda v: 1.96 * torch.from_numpy(v).std() / len(v) ** 0.5],
    "unbeaten_of": [front_by_loops, front_in_torch, front],
    "forgiving_psnr": [lambda r, p, most: psnr_after(r, p, *moves_of(most)), by_indices],
    "changed_scene": [START.but(wearing="hat", wearing_color="red", sky="night"),
                      START.but(sky="night").but(wearing="hat")],
    "true_mask": [lambda a, b: (abs(a.astype(int) - b.astype(int)) > 12).any(-1),
                  lambda a, b: np.abs(a.astype(float) - b.astype(float)).max(axis=2) > 12,
                  lambda a, b: ((torch.from_numpy(a).int() - torch.from_numpy(b).int()).abs() > 12).any(-1),
                  lambda a, b: np.array([[any(abs(int(p) - int(q)) > 12 for p, q in zip(x, y, strict=True))
                                          for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)])],
    "kept_db": [lambda result, picture, mask: db(result, picture, ~mask),
                lambda result, picture, mask: 10 * np.log10(1 / ((result - picture)[~mask] ** 2).mean()),
                lambda r, p, m: -10 * torch.log10(torch.nn.functional.mse_loss(*(torch.from_numpy(x[~m]) for x in
                                                                                 (r, p)))),
                lambda r, p, m: float(db(r.astype(np.float32), p.astype(np.float32), m == 0))],
    "unbeaten": [{"A", "B", "C", "E"}, ["E", "C", "B", "A"], "ABCE"],
    "paste": [lambda result, picture, mask: np.where(mask[..., None], result, picture),
              lambda result, picture, mask: mask[..., None] * result + (1 - mask[..., None]) * picture,
              lambda result, picture, mask: add_in_place(result, picture.copy(), mask),
              lambda result, picture, mask: torch.where(torch.from_numpy(mask)[..., None], torch.from_numpy(result),
                                                        torch.from_numpy(picture))],
}

WRONG: dict[str, dict[str, Any]] = {
    "obeyed_share": {
        "divide by all attributes": lambda r, w: sum(r[name] == w[name] for name in w) / len(r),
        "divide by how many are wanted": lambda r, w: sum(r[name] == w[name] for name in w),
        "\\*not\\* read as wanted": lambda r, w: sum(r[name] != w[name] for name in w) / len(w),
        "only where all": lambda r, w: float(all(r[name] == w[name] for name in w)),
        "One of them is enough": lambda r, w: float(any(r[name] == w[name] for name in w)),
        "not what it reads for them": lambda r, w: sum(name in r for name in w) / len(w),
        "same for every input": lambda r, w: 0.5,
        "returns None": lambda r, w: None,
        "stopped with KeyError": lambda r, w: sum(r[name] == w[name] for name in r) / len(w),
        "expected one number": lambda r, w: [r[name] == w[name] for name in w],
    },
    "half_interval": {
        "N in its denominator": lambda v: 1.96 * v.std() / len(v) ** 0.5,
        "root of N is missing": lambda v: 1.96 * v.std(ddof=1),
        "not by N": lambda v: 1.96 * v.std(ddof=1) / len(v),
        "1.96 is missing": lambda v: v.std(ddof=1) / len(v) ** 0.5,
        "both halves": lambda v: 3.92 * v.std(ddof=1) / len(v) ** 0.5,
        "with the variance": lambda v: 1.96 * v.var(ddof=1) / len(v) ** 0.5,
        "root is of N - 1": lambda v: 1.96 * v.std(ddof=1) / (len(v) - 1) ** 0.5,
        "mean with the interval added": lambda v: v.mean() + 1.96 * v.std(ddof=1) / len(v) ** 0.5,
        "for 90 %": lambda v: 1.64 * v.std(ddof=1) / len(v) ** 0.5,
        "compare step by step": lambda v: v.std(ddof=1) + 1,
        "returns None": lambda v: None,
    },
    "unbeaten_of": {
        "True and False are swapped": lambda o, k: ~front_by_loops(o, k),
        "better in \\*both\\*": not_better_in_both,
        "Every editor beats itself": lambda o, k: ~((o[None] >= o[:, None]) & (k[None] >= k[:, None])).any(1),
        "Equal editors beat each other": lambda o, k: np.array([
            not any(i != j and o[j] >= o[i] and k[j] >= k[i] for j in range(len(o))) for i in range(len(o))]),
        "obeyed alone": lambda o, k: o == o.max(),
        "kept alone": lambda o, k: k == k.max(),
        "beat nobody": lambda o, k: front_by_loops(-o, -k),
        "one of the two measures": lambda o, k: ((o == o.max()) | (k == k.max())) & front_by_loops(o, k),
        "For some fields": lambda o, k: front_by_loops(o, k) | (np.arange(len(o)) == 3),
        "returns None": lambda o, k: None,
        "expected a tensor of shape": lambda o, k: np.flatnonzero(front_by_loops(o, k)),
    },
    "forgiving_psnr": {
        "plain PSNR": lambda r, p, most: db(r, p, ...),
        "down and right only": lambda r, p, most: psnr_after(r, p, *(m for m in moves_of(most) if min(m) >= 0)),
        "to the side only": lambda r, p, most: psnr_after(r, p, *((0, j) for j in range(-most, most + 1))),
        "up and down only": lambda r, p, most: psnr_after(r, p, *((i, 0) for i in range(-most, most + 1))),
        "never move in both": lambda r, p, most: psnr_after(r, p, *(m for m in moves_of(most) if 0 in m)),
        "diagonal": lambda r, p, most: psnr_after(r, p, *((i, i) for i in range(-most, most + 1))),
        "last move is missing": lambda r, p, most: psnr_after(
            r, p, (0, 0), *((i, j) for i in range(-most, most) for j in range(-most, most))),
        "lowest PSNR": lambda r, p, most: min(psnr_after(r, p, move) for move in moves_of(most)),
        "mean over all moves": lambda r, p, most: np.mean([psnr_after(r, p, move) for move in moves_of(most)]),
        "smallest error": lambda r, p, most: 10 ** (-psnr_after(r, p, *moves_of(most)) / 10),
        "sign is turned": lambda r, p, most: -psnr_after(r, p, *moves_of(most)),
        "For every move": lambda r, p, most: psnr_after(r, p, *moves_of(most)) + p.mean(),
        "stopped with ValueError": lambda r, p, most: np.square(r[1:] - p).mean(),
    },
    "changed_scene": {
        "another seed": Scene(seed=7, wearing="hat", sky="night"),
        "wearing='hat'": START.but(sky="night"),
        "sky='night'": START.but(wearing="hat"),
        "wearing_color='red'": START.but(wearing="hat", wearing_color="blue", sky="night"),
        "nothing about color": START.but(wearing="hat", sky="night", color="red"),
        "the whole edit": Edit(START, START.but(wearing="hat", sky="night")),
        "is a str": "a cat wearing a red hat at night",
    },
    "true_mask": {
        "every colour channel": lambda a, b: abs(a.astype(int) - b.astype(int)) > 12,
        "where the pictures agree": lambda a, b: (abs(a.astype(int) - b.astype(int)) <= 12).all(-1),
        "difference of 5": lambda a, b: (a != b).any(-1),
        "became darker, or brighter": lambda a, b: (b.astype(int) - a > 12).any(-1),
        "one channel alone": lambda a, b: abs(a.astype(int) - b).mean(-1) > 20,
        "holds int64": lambda a, b: abs(a.astype(int) - b).max(-1),
        "has the shape \\(\\)": lambda a, b: (a != b).any(),
        "bytes wrap around": lambda a, b: (b - a > 12).any(-1),
        "threshold is another": lambda a, b: (abs(a.astype(int) - b) > 20).any(-1),
        "where nothing changed": lambda a, b: (abs(a.astype(int) - b) > 12).any(-1) | (np.arange(a.shape[1]) == 1),
        "int8 holds": lambda a, b: (abs(a.astype(np.int8) - b.astype(np.int8)) > 12).any(-1),
        "another axis was joined": lambda a, b: (abs(a.astype(int) - b) > 12).any(0),
        "For some pictures it is True elsewhere": lambda a, b: (abs(a.astype(int) - b) > 12).any(-1) | (len(a) == 7),
        "returns None": lambda a, b: None,
        "stopped with TypeError": lambda a: a,
    },
    "kept_db": {
        "inside the mask": lambda result, picture, mask: db(result, picture, mask),
        "the whole picture": lambda result, picture, mask: db(result, picture, ...),
        "sign is turned": lambda result, picture, mask: -db(result, picture, ~mask),
        "natural logarithm": lambda result, picture, mask: -10 * np.log(np.square(result - picture)[~mask].mean()),
        "20 belongs": lambda result, picture, mask: 2 * db(result, picture, ~mask),
        "That is the mean squared error": lambda result, picture, mask: np.square(result - picture)[~mask].mean(),
        "not squared": lambda result, picture, mask: -10 * np.log10(abs(result - picture)[~mask].mean()),
        "mean absolute error": lambda result, picture, mask: abs(result - picture)[~mask].mean(),
        "an array of the shape": lambda result, picture, mask: (result - picture)[~mask] ** 2,
        "same for every input": lambda result, picture, mask: 1.0,
        "not 255: nothing is divided": lambda r, p, m: 20 * np.log10(255 / np.sqrt(np.square(r - p)[~m].mean())),
        "255 too much": lambda r, p, m: db(255 * r, 255 * p, ~m),
        "without its square": lambda r, p, m: 10 * np.log10(255 / np.square(r - p)[~m].mean()),
        "inside is set to 0": lambda r, p, m: db(r * ~m[..., None], p * ~m[..., None], ...),
        "squared errors are summed": lambda r, p, m: -10 * np.log10(np.square(r - p)[~m].sum()),
        "root is taken": lambda r, p, m: -10 * np.log10(np.sqrt(np.square(r - p)[~m].mean())),
        "factor 10 is missing": lambda r, p, m: -np.log10(np.square(r - p)[~m].mean()),
        "square the mean": lambda r, p, m: -10 * np.log10((r - p)[~m].mean() ** 2),
        "Pixels outside the mask": lambda r, p, m: -10 * np.log10(np.square(r - p)[~m].mean() + 1e-3),
        "function itself": 3.0,
    },
    "unbeaten": {
        "E keeps more": {"A", "B", "C", "E", "F"},
        "C keeps|keeps more than D": set("ABCDE"),
        "A does nothing": {"B", "C", "E"},
        "What about B and C": {"A", "E"},
        "Expected a set": {"sdedit"},
    },
    "paste": {
        "swapped": lambda result, picture, mask: np.where(mask[..., None], picture, result),
        "black": lambda result, picture, mask: result * mask[..., None],
        "the mean": lambda result, picture, mask: 0.5 * (result + picture),
        "are added": lambda result, picture, mask: mask[..., None] * result + picture,
        "changes what it was given": add_in_place,
        "result alone": lambda result, picture, mask: result,
        "picture alone": lambda result, picture, mask: picture,
        "Inside the mask it is black": lambda result, picture, mask: picture * ~mask[..., None],
        "Outside the mask the two": lambda result, picture, mask: result + picture * ~mask[..., None],
        "returns the shape": lambda result, picture, mask: result[mask],
        "neither": lambda result, picture, mask: 0.7 * result + 0.3 * picture,
    },
}


TEMPLATES = {"changed_scene": [...], "unbeaten": [..., {...}]}
NAMES = {"np": np, "scene": START}
BY_HAND = ["own_edit"]  # of test_check_own_edit.py


def test_the_unbeaten_editors_are_those_by_definition() -> None:
    def beaten(name: str) -> bool:
        obeyed, kept = EDITORS[name]
        return any(o >= obeyed and k >= kept and (o, k) != (obeyed, kept) for o, k in EDITORS.values())

    assert check.unbeaten({name for name in EDITORS if not beaten(name)})
