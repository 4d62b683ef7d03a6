"""Whatever is passed, a public function gives a result or a clear sentence, and leaves everything as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from public_functions import arguments
from robustness import judged, outcome

ROOT = Path(__file__).resolve().parents[1]
CALLS, SEQUENCES = 2400, 30


@pytest.mark.parametrize("room", ("core.", "attention.", "finetuning.", "methods.", "picturebook.", "show.", "check.",
                                  "model.", "exact.", "measure."))
def test_a_call_gives_a_result_or_a_sentence_and_changes_nothing(room: str) -> None:
    command = [sys.executable, "tests/robustness.py", "--calls", str(CALLS), "--only", room]  # without checks of shapes
    found = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8",
                           env=os.environ | {"PYTHONPATH": "."})
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]


def test_calls_in_any_order_in_threads_and_in_odd_worlds_give_what_each_gives_alone() -> None:
    command = [sys.executable, "tests/call_sequences.py", "--count", str(SEQUENCES)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8",
                           env=os.environ | {"PYTHONPATH": "."})
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]


def test_an_argument_that_nobody_thought_of_is_noticed() -> None:
    def new(model: object, unheard_of: int) -> None: ...

    with pytest.raises(KeyError, match="unheard_of"):
        arguments(new, but=("model",))


@pytest.mark.parametrize(("call", "kind"), [
    (lambda: [][0], "raw"), (lambda: None.x, "raw"), (lambda: int("x"), "raw"), (lambda: 1, "result"),
])
def test_the_test_tells_raw_errors_from_results(call: Callable[[], Any], kind: str) -> None:
    assert outcome(call, dict).kind == kind


def test_the_test_sees_what_a_call_changes() -> None:
    import torch

    seen = outcome(lambda: torch.rand(1), lambda: {"random state": torch.random.get_rng_state().sum().item()})
    assert seen.kind in ("changed", "result")
    assert outcome(lambda: torch.set_grad_enabled(True), lambda: {"x": torch.is_grad_enabled()}).kind == "result"


def test_an_error_of_our_own_is_clear() -> None:
    from helpers.core.pictures import as_picture

    try:
        as_picture(3)
    except TypeError as error:
        assert judged(error).kind == "clear"
