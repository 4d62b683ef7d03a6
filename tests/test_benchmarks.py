"""Benchmarks run: the smallest counts, nothing written."""

from __future__ import annotations

import pytest

from benchmarks import attention as benchmark
from benchmarks import lesson04
from helpers import load


@pytest.mark.slow
def test_the_benchmark_of_attention_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["attention", "--steps", "2", "--rounds", "1", "--dry"])
    monkeypatch.setattr(benchmark, "BLOCKS", ((16, 64), (8, 64)))
    monkeypatch.setattr(benchmark, "LATENT", 16)
    benchmark.main()


@pytest.mark.parametrize("edits", [2, 4, 7])
def test_few_edits_of_lesson_4_measure_weights_on_two_prompts_at_least(
    edits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(lesson04, "pointing_game", lambda *_: {})
    monkeypatch.setattr(lesson04, "measured_kind", lambda *_: {})
    monkeypatch.setattr(lesson04, "amounts", lambda model, judge, word, count: asked.append(count) or {})
    lesson04.measured(load(), None, edits)
    assert asked == [2, 2]
