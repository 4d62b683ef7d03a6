"""Whatever is passed, a public function gives a result or a clear sentence, and leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from public_functions import FUNCTIONS, METHODS_OF_THE_MODEL, THINGS, arguments, table
from robustness import judged, outcome, run

NAMES = [*(f"{module.removeprefix('helpers.')}.{name}" for module, names in FUNCTIONS.items() for name in names),
         *THINGS, *(f"model.{name}" for name in METHODS_OF_THE_MODEL)]
CALLS = 100  # of each function; `python tests/robustness.py` makes more


@pytest.fixture(scope="module")
def functions() -> Any:
    return table()


@pytest.mark.parametrize("name", NAMES)
def test_a_call_gives_a_result_or_a_sentence_and_changes_nothing(name: str, functions: Any) -> None:
    (function, its), state = functions[0][name], functions[1]
    counts, bad = run(name, function, its, state, CALLS)
    assert not bad, "\n".join(f"{count} x {text}" for text, count in bad.most_common(20))
    assert counts["result"], "no call got as far as a result: the values are all strange"


def test_an_argument_that_nobody_thought_of_is_noticed() -> None:
    def new(model: object, unheard_of: int) -> None: ...

    with pytest.raises(KeyError, match="unheard_of"):
        arguments(new)


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
