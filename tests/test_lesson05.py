"""The text of lesson 5: its tables, and the script that writes them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import lesson05 as benchmark
from benchmarks.texts import with_tables

ROOT = Path(__file__).parent.parent
(LESSON,) = (ROOT / "lessons").rglob("05_real_pictures.md")
RESULTS = json.loads((ROOT / "results" / "lesson05.json").read_text(encoding="utf-8"))
TEXT = LESSON.read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_results() -> None:
    made = benchmark.tables(RESULTS)
    assert with_tables(TEXT, made) == TEXT
    assert set(made) <= set(re.findall(r"<!-- table: (.*?) -->", TEXT))


def test_every_method_that_was_measured_has_a_row() -> None:
    assert {*RESULTS["edited"], *RESULTS["edited_few"]} <= {*benchmark.ROWS}
    assert all(f"{editor} {method}" in benchmark.ROWS or method == "direct" for method in benchmark.METHODS
               for editor in ("prompt_to_prompt", "rebuild"))


def test_a_table_without_the_picture_itself_is_refused() -> None:
    rest = {name: row for name, row in RESULTS["edited"].items() if name != "nothing"}
    with pytest.raises(ValueError, match="no row 'nothing done'"):
        benchmark.table(rest)


def test_the_spread_is_recorded_and_that_of_older_results_is_found_again() -> None:
    rows = np.array([[0, 20.0, 0.1], [1, np.nan, 0.2], [1, 24.0, 0.3]])
    new = benchmark.summary(rows) | benchmark.spreads(rows)
    assert (new["kept_n"], new["kept_sd"]) == (2, pytest.approx(2.8284, abs=1e-4))
    old = {name: value for name, value in new.items() if not name.endswith("_sd")}
    assert benchmark.mean(old, "kept", 2).spread == pytest.approx(benchmark.mean(new, "kept", 2).spread, abs=1e-3)
