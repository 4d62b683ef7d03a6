"""The text of lesson 2: its headings and length, its table and figures, and the names it uses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from helpers import diffusion, magicmix, sdedit

ROOT = Path(__file__).parent.parent
LESSON = ROOT / "lessons" / "02_noise_and_denoise.md"
RESULTS = ROOT / "results" / "lesson02.json"
TEXT = LESSON.read_text(encoding="utf-8")
HEADINGS = ["The problem", "The idea", "The algorithm", "Why it works", "What it costs", "Where it fails",
            "Check yourself", "Go deeper"]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/lesson02.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.delitem(sys.modules, "lesson02", raising=False)
    import lesson02

    return lesson02


def test_the_headings_are_those_of_every_lesson() -> None:
    assert re.findall(r"(?m)^## (.*)$", TEXT)[: len(HEADINGS)] == HEADINGS


def test_it_can_be_read_in_ten_minutes() -> None:
    prose = re.sub(r"(?s)<!-- table.*?<!-- end of table -->|<!--.*?-->", "", TEXT.split("## In class")[0])
    assert len(prose.split()) <= 1200


def test_every_function_it_names_exists() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT)) - {"strength"}
    found = {name for module in (diffusion, magicmix, sdedit) for name in vars(module)}
    assert named and named <= found


def test_every_figure_has_alt_text_that_says_what_to_notice() -> None:
    assert all(" - notice " in alt for alt in re.findall(r"!\[([^\]]*)\]", TEXT))


@pytest.mark.skipif(not RESULTS.is_file(), reason="the lesson is not measured yet: benchmarks/lesson02.py")
def test_its_table_is_that_of_the_results_and_its_figures_are_there(benchmark: ModuleType) -> None:
    assert benchmark.with_table(TEXT, json.loads(RESULTS.read_text())) == TEXT
    assert all((LESSON.parent / path).is_file() for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", TEXT))


def test_the_table_is_written_between_its_marks(benchmark: ModuleType) -> None:
    row = {"obeyed": 0.25, "kept": 21.04, "distance": 0.0312}
    text = "a\n<!-- table: strength -->\nold\n<!-- end of table -->\nb"
    written = benchmark.with_table(text, {"strength": {"at": {"0.5": row}}})
    assert "| 0.5 | 25 | 21.0 | 3.1 |" in written and "old" not in written
    assert written.startswith("a\n<!--") and written.endswith("-->\nb")
