"""The text of lesson 2: its table and figures, and the names it uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import lesson02 as benchmark
from benchmarks.texts import with_tables
from helpers.core import diffusion
from helpers.methods import magicmix, sdedit

ROOT = Path(__file__).parent.parent
LESSON = ROOT / "lessons" / "02_noise_and_denoise.md"
RESULTS = ROOT / "results" / "lesson02.json"
TEXT = LESSON.read_text(encoding="utf-8")


def test_every_function_it_names_exists() -> None:
    prose = re.sub(r"(?s)<!-- table.*?<!-- end of table -->", "", TEXT)
    named = set(re.findall(r"`(\w+)`", prose)) - {"strength"}
    found = {name for module in (diffusion, magicmix, sdedit) for name in vars(module)}
    assert named and named <= found


@pytest.mark.skipif(not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson02")
def test_its_tables_are_those_of_the_results() -> None:
    assert with_tables(TEXT, benchmark.tables(json.loads(RESULTS.read_text(encoding="utf-8")))) == TEXT


@pytest.mark.skipif(not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson02")
def test_the_methods_cost_no_more_calls_than_their_peers_and_little_beside_their_calls() -> None:
    costs = json.loads(RESULTS.read_text(encoding="utf-8"))["costs"]
    assert costs["calls"]["sdedit"] <= costs["calls"]["diffusers img2img"]
    assert costs["rows"]["magicmix"] <= costs["rows"]["community magicmix (from its code)"]
    beside = costs["against the network and autoencoder"]
    assert beside["sdedit"] <= 1.05 and beside["magicmix"] <= 1.05


def results() -> dict:
    """Made-up results with one row in each table."""
    row = {"obeyed": 0.25, "obeyed_pm": 0.1, "kept": 21.04, "kept_pm": 0.52, "distance": 0.0312}
    mixes = {name: {"0.7": row | {"old": 0.5, "neither": 0.26}} for name in ("nu", "k_min", "k_max")}
    return {"strength": {"at": {"0.5": row}}, "mixing": mixes}


def test_a_table_is_written_between_its_marks() -> None:
    text = "a\n<!-- table: strength -->\nold\n<!-- end of table -->\n<!-- table: nu -->\n<!-- end of table -->\nb"
    written = with_tables(text, benchmark.tables(results()))
    assert "| 0.5 | 25 ± 10 | 21.0 ± 0.5 | 3.1 |\n<!-- end" in written and "old\n" not in written
    assert "| 0.7 | 25 ± 10 | 21.0 ± 0.5 | 3.1 | 50 | 26 |" in written
    assert written.startswith("a\n<!--") and written.endswith("-->\nb")


def test_a_strength_that_lesson_1_has_measured_is_not_measured_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = SimpleNamespace(fingerprint="ab", steps=25)
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path)
    assert benchmark.of_lesson_1(model, 108) == {}
    measured = {"n": 108, "model": "ab", "steps": 25, "sdedit": {"0.3": {"obeyed": 0.5}}}
    (tmp_path / "lesson01.json").write_text(json.dumps(measured), encoding="utf-8")
    assert benchmark.of_lesson_1(model, 108) == {"0.3": {"obeyed": 0.5}}
    assert benchmark.of_lesson_1(model, 36) == {}
    assert benchmark.of_lesson_1(SimpleNamespace(fingerprint="cd", steps=25), 108) == {}


def test_every_knob_of_magicmix_is_turned_around_one_middle() -> None:
    knobs = benchmark.settings()
    assert len(knobs) == len(set(knobs)) and benchmark.MIDDLE in knobs
    assert all(0 <= k.k_min <= k.k_max <= 1 and 0 <= k.nu <= 1 for k in knobs)
    assert all(sum(a != b for a, b in zip(k, benchmark.MIDDLE, strict=True)) <= 1 for k in knobs)
