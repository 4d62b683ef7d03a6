"""The tests that every lesson's checks have in common. A test file of a lesson imports them all and defines

    RIGHT       check -> answers that are right
    WRONG       check -> {words of the message, a regular expression: an answer with that slip}
    TEMPLATES   check -> what the notebook's template hands over, where that is not `...` or a function giving `...`
    SOURCE      the notebook's source
    NAMES       what the notebook has defined before its exercises
    BY_HAND     checks that need a model or take long, and are tested in the file itself
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from helpers import check

__all__ = [
    "pytest_generate_tests", "test_a_right_answer_passes", "test_a_wrong_answer_is_told_its_slip",
    "test_an_answer_that_works_in_place_spoils_nothing_for_the_next", "test_each_slip_has_a_message_of_its_own",
    "test_the_notebook_folds_a_solution_for_every_check", "test_the_notebook_s_solution_passes_its_check",
    "test_the_three_dots_are_told_apart_from_a_wrong_answer",
]


def solutions(source: Path) -> list[str]:
    """The folded solutions of a notebook: the Python blocks inside <details>."""
    text = re.sub(r"(?m)^# ?", "", source.read_text(encoding="utf-8"))
    folded = "".join(re.findall(r"(?s)<summary>Solution.*?</details>", text))
    return [block for block in re.findall(r"(?s)```python\n(.*?)```", folded) if "check." in block]


def checks_in(text: str) -> set[str]:
    """The checks that a piece of code calls."""
    return set(re.findall(r"check\.(\w+)\(", text))


def spoil(given: Any) -> None:
    """Change tensors, arrays, dictionaries and lists in place, and what they hold; leave models and functions alone."""
    if isinstance(given, (Tensor, np.ndarray)):
        given[...] = 1
    elif isinstance(given, (dict, list, tuple)):
        for each in given.values() if isinstance(given, dict) else given:
            spoil(each)
        if not isinstance(given, tuple):
            given.clear()


def spoiling(answer: Callable[..., Any]) -> Callable[..., Any]:
    """As `answer`, but afterwards nothing that it was given is as it was."""

    def spoiled(*given: Any, **named: Any) -> Any:
        found = deepcopy(answer(*given, **named))  # it may be what was given
        spoil((*given, *named.values()))
        return found

    return spoiled


def cases(module: ModuleType) -> dict[str, list[Any]]:
    """The argument of a test -> its values, for the lesson whose test file `module` is."""
    by_hand = set(getattr(module, "BY_HAND", ()))
    templates = getattr(module, "TEMPLATES", {})
    return {
        "right": [(name, answer) for name, answers in module.RIGHT.items() for answer in answers],
        "slip": [(name, words) for name, answers in module.WRONG.items() for words in answers],
        "wrong": sorted(module.WRONG),
        "formula": sorted(name for name, answers in module.RIGHT.items() if callable(answers[0])),
        "template": [(name, template) for name in sorted(module.RIGHT)
                     for template in templates.get(name, [..., lambda *_: ...])],
        "solution": [block for block in solutions(module.SOURCE) if not checks_in(block) & by_hand],
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test below the cases of the file that imports it."""
    for argument, values in cases(metafunc.module).items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, values, ids=lambda value: value[0] if isinstance(value, tuple) else None)


def test_a_right_answer_passes(right: tuple[str, Any]) -> None:
    name, answer = right
    verdict = getattr(check, name)(answer)
    assert verdict, verdict
    assert repr(verdict).startswith("Right. ")


def test_a_wrong_answer_is_told_its_slip(slip: tuple[str, str], request: pytest.FixtureRequest) -> None:
    name, words = slip
    verdict = getattr(check, name)(request.module.WRONG[name][words])
    assert not verdict and re.search(words, verdict.message), verdict
    assert repr(verdict).startswith("Not yet. ")


def test_each_slip_has_a_message_of_its_own(wrong: str, request: pytest.FixtureRequest) -> None:
    messages = [getattr(check, wrong)(answer).message for answer in request.module.WRONG[wrong].values()]
    assert len(set(messages)) == len(messages) >= 2


def test_an_answer_that_works_in_place_spoils_nothing_for_the_next(formula: str, request: pytest.FixtureRequest
                                                                   ) -> None:
    run, right, keeps = getattr(check, formula), request.module.RIGHT[formula], formula in ("paste", "embedding_fit")
    for answer in right:
        assert bool(run(spoiling(answer))) != keeps  # these two ask that what is given stays as it was
    assert all(map(run, right))
    for words in request.module.WRONG[formula]:
        test_a_wrong_answer_is_told_its_slip((formula, words), request)


def test_the_three_dots_are_told_apart_from_a_wrong_answer(template: tuple[str, Any]) -> None:
    name, answer = template
    assert "three dots" in getattr(check, name)(answer).message


def test_the_notebook_folds_a_solution_for_every_check(request: pytest.FixtureRequest) -> None:
    module = request.module
    used = {name for block in solutions(module.SOURCE) for name in checks_in(block)}
    assert used == {*module.RIGHT, *getattr(module, "BY_HAND", ())}


def test_the_notebook_s_solution_passes_its_check(solution: str, request: pytest.FixtureRequest) -> None:
    names = {"check": check, **request.module.NAMES}
    *body, call = solution.strip().splitlines()
    exec("\n".join(body), names)
    assert eval(call, names), call
