"""The text of lesson 4: its tables and formulas, and the script that measures it."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import lesson04 as benchmark
from benchmarks.texts import with_tables
from helpers import attention, show
from helpers.attention import kernel
from helpers.attention.edits import during, mixed, replace, reweight
from helpers.attention.kernel import remixed
from helpers.core.words import align
from helpers.methods import local_blend, prompt_to_prompt
from helpers.models.diffusers_model import DiffusersModel

ROOT = Path(__file__).parent.parent
(LESSON,) = (ROOT / "lessons").rglob("04_prompt_to_prompt.md")
RESULTS = ROOT / "results" / "lesson04.json"
TEXT = LESSON.read_text(encoding="utf-8")


# --------------------------------------------------------------------------------------------------------- the text


def test_the_rule_of_the_sweet_spot_is_the_script_s() -> None:
    assert f"obey at least {benchmark.NEARLY:g} times as often" in TEXT


def test_every_function_it_names_exists() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT))
    found = {name for module in (attention, kernel, local_blend, prompt_to_prompt) for name in vars(module)}
    assert named and named <= found


@pytest.mark.skipif(not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson04")
def test_its_tables_are_those_of_the_results() -> None:
    assert with_tables(TEXT, benchmark.tables(json.loads(RESULTS.read_text(encoding="utf-8")))) == TEXT


# ----------------------------------------------------------------------------------------------------- its formulas


@pytest.fixture(scope="module")
def sd(models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models["sd"]


def test_the_derivation_holds_on_random_numbers() -> None:
    made = torch.Generator().manual_seed(0)
    q, q_star, k, k_star, v = (torch.randn(1, 1, n, 3, generator=made) for n in (6, 6, 4, 4, 4))
    A, b = torch.rand(4, 4, generator=made), torch.rand(4, generator=made)
    M, M_star = ((a @ c.transpose(-1, -2) / 3**0.5).softmax(-1) for a, c in ((q, k), (q_star, k_star)))
    expected = (M @ A + M_star @ torch.diag(b)) @ v
    assert torch.allclose(remixed(q, k, q_star, k_star, v, A[None], b[None]), expected, atol=1e-5)


def test_two_edits_in_a_row_are_the_one_edit_that_the_text_says(sd: DiffusersModel) -> None:
    first, then = mixed(sd, "a cat ab", "a zq ef ab"), reweight(sd, "a zq ef ab", "ef", 2.5)
    both = first @ then
    assert torch.equal(both.A[0], then.A[0] + first.A[0] @ torch.diag(then.b[0]))
    assert torch.equal(both.b[0], first.b[0] * then.b[0])


def test_swaps_phrases_weights_and_schedules_are_what_the_text_says(sd: DiffusersModel) -> None:
    swap, phrase = replace(sd, "a cat ab", "a zq ab"), attention.refine(sd, "a cat", "a cat ab")
    assert not swap.b.any() and torch.allclose(swap.A[0].sum(1), torch.ones(len(swap.A[0])))
    assert phrase.b[0].sum() == 2  # "ab" has two tokens
    weight = reweight(sd, "a cat", "cat", 3.0)
    assert not weight.A.any() and sorted(set(weight.b[0].tolist())) == [1.0, 3.0]
    A, b = during(swap, 0, 0.5).at(9, 10)
    assert not A.any() and bool((b == 1).all())


# ------------------------------------------------------------------------------------------------------ the script


def test_the_edits_are_of_their_kinds_and_the_same_every_time() -> None:
    swaps, more = (list(islice(stream(), 4)) for stream in (benchmark.swaps, benchmark.additions))
    assert all(align(edit.prompt, edit.target).swapped and not align(edit.prompt, edit.target).new for edit in swaps)
    assert all(align(edit.prompt, edit.target).new and not align(edit.prompt, edit.target).gone for edit in more)
    assert [edit[:3] for edit in swaps] == [edit[:3] for edit in islice(benchmark.swaps(), 4)]
    weighed = list(islice(benchmark.reweightings(), 4))
    assert [dict(edit.weights) for edit in weighed] == [{"fluffy": 2.0}, {"crowded": 2.0}, {"fluffy": -1.0},
                                                        {"crowded": -1.0}]
    assert all(edit.attribute in edit.prompt for edit in weighed)


def test_a_weight_is_obeyed_where_the_amount_moves_as_asked() -> None:
    low, high = (SimpleNamespace(amounts={"fluffy": amount}) for amount in (0.3, 0.5))
    assert benchmark.moved("fluffy", 1)(low, high) and not benchmark.moved("fluffy", 1)(high, low)
    assert benchmark.moved("fluffy", -1)(high, low) and not benchmark.moved("fluffy", 1)(low, low)


def test_kept_looks_away_from_the_changed_part() -> None:
    gray, part = Image.new("RGB", (128, 128), "gray"), Image.new("L", (128, 128))
    part.paste(255, (0, 0, 64, 128))
    changed = gray.copy()
    changed.paste("red", (0, 0, 64, 128))
    judge = SimpleNamespace(find=lambda picture, name: part)
    everywhere = SimpleNamespace(find=lambda picture, name: Image.new("L", (128, 128), 255))
    assert benchmark.kept_outside(gray, changed, "ride", judge) == 60
    assert np.isnan(benchmark.kept_outside(gray, changed, "ride", everywhere))


def test_the_sweet_spot_keeps_most_among_those_that_obey_nearly_best() -> None:
    table = {share: {"obeyed": obeyed, "kept": kept}
             for share, obeyed, kept in (("0", 0.95, 12.0), ("0.4", 0.9, 20.0), ("1", 0.5, 30.0))}
    assert benchmark.sweet(table) == "0.4"
    assert benchmark.best_of(table) == {"best": 0.4, "best_obeyed": 0.9, "best_kept": 20.0}


def test_a_peak_counts_by_the_judge_s_cells_and_chance_is_their_share() -> None:
    region = Image.new("L", (128, 128))
    region.paste(255, (0, 0, 128, 32))
    cells = benchmark.cells(region)
    assert cells.shape == (16, 16) and cells[:4].all() and not cells[4:].any()
    found = benchmark.shares_of([(True, 0.25), (False, 0.75)])
    assert (found["n"], found["hit"], found["chance"]) == (2, 0.5, 0.5)


def test_a_table_is_written_between_its_marks() -> None:
    row = {"obeyed": 0.25, "obeyed_pm": 0.1, "kept": 21.04, "kept_pm": 0.52}
    kind = {"at": {"0": row, "0.4": row}, "sweet": "0.4", "sdedit": {"0.8": row, "best": 0.8}}
    amount = {"amount": 0.5, "amount_pm": 0.02, "spread": 0.1}
    words = {word: {f"{c:g}": amount for c in benchmark.WEIGHTS} for word in benchmark.GRADED_WORDS}
    points = {"n": 4, "hit": 0.75, "interval": (0.3, 0.9), "chance": 0.2}
    results = {"kinds": {"word swap": kind}, "reweighting": words, "pointing": {"by_part": {"ride": points},
                                                                               "all": points}}
    marks = "".join(f"<!-- table: {name} -->\nold\n<!-- end of table -->\n" for name in ("word swap", "weights",
                                                                                        "pointing"))
    written = with_tables(marks, benchmark.tables(results))
    assert "| 0.4 (sweet spot) | 25 ± 10 | 21.0 ± 0.5 |" in written and "| SDEdit 0.8 | 25" in written
    assert "| −2 | 0.50 ± 0.02 (0.10) |" in written and "| ride | 4 | 75 (30 to 90) | 20 |" in written
    assert "old\n" not in written


# --------------------------------------------------------------------------------------------- the figure of an edit


def test_an_edit_is_drawn_with_its_tokens_and_at_the_time_asked_for(sd: DiffusersModel) -> None:
    swap = during(replace(sd, "a cat ab", "a zq ab"), 0, 0.5)
    early, late = (show.matrix(swap, alt="a swap - notice zq", share=share) for share in (0.0, 0.5))
    assert early.picture.tobytes() != late.picture.tobytes() and early.alt == "a swap - notice zq"
    assert show.matrix(reweight(sd, "a cat", "cat", -2.0), alt="a weight").picture.size[0] > 100
    with pytest.raises(ValueError, match="share is 1"):
        show.matrix(swap, alt="a swap", share=1)
    with pytest.raises(ValueError, match="alt"):
        show.matrix(swap, alt="")
