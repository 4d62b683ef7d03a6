"""The tests that every lesson's checks have in common. A test file of a lesson imports them all and defines

    RIGHT       check -> answers that are right
    WRONG       check -> {words of the message, a regular expression: an answer with that slip}
    TEMPLATES   check -> what the notebook's template hands over, where that is not `...` or a function giving `...`
    SOURCE      the notebook's source
    NAMES       what the notebook has defined before its exercises
    BY_HAND     checks that need a model or take long, and are tested in the file itself
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import check

__all__ = [
    "pytest_generate_tests",
    "test_a_check_has_two_right_answers_and_three_slips_at_least",
    "test_a_function_is_run_at_three_inputs_at_least",
    "test_a_number_counts_in_whatever_form_it_comes",
    "test_a_right_answer_passes",
    "test_a_right_answer_with_a_slip_at_its_end_is_refused_with_a_sentence",
    "test_a_tensor_counts_in_another_library_precision_or_layout",
    "test_a_wrong_answer_is_told_its_slip",
    "test_an_answer_that_changes_what_it_was_given_is_told_so_and_spoils_nothing_for_the_next",
    "test_each_slip_has_a_message_of_its_own",
    "test_the_notebook_folds_a_solution_for_every_check",
    "test_the_notebook_s_solution_passes_its_check",
    "test_the_three_dots_are_told_apart_from_a_wrong_answer",
    "test_what_a_function_must_not_return_is_told_by_its_kind",
    "test_what_is_no_number_is_refused_kindly",
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


def spoiling(answer: Callable[..., Any], changed: list[Any]) -> Callable[..., Any]:
    """As `answer`, but afterwards nothing that it was given is as it was; `changed` notes what could be spoilt."""

    def spoiled(*given: Any, **named: Any) -> Any:
        found = deepcopy(answer(*given, **named))  # it may be what was given
        changed.extend(one for one in (*given, *named.values()) if isinstance(one, (Tensor, np.ndarray, list, dict)))
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


def test_an_answer_that_changes_what_it_was_given_is_told_so_and_spoils_nothing_for_the_next(
        formula: str, request: pytest.FixtureRequest) -> None:
    run, right = getattr(check, formula), request.module.RIGHT[formula]
    for answer in right:
        changed: list[Any] = []
        verdict = run(spoiling(answer, changed))
        assert bool(verdict) != bool(changed)
        assert verdict or re.search("hanges|moves", verdict.message), verdict
    assert all(map(run, right))
    for words in request.module.WRONG[formula]:
        test_a_wrong_answer_is_told_its_slip((formula, words), request)


def test_a_function_is_run_at_three_inputs_at_least(formula: str, request: pytest.FixtureRequest) -> None:
    seen = set()

    def answer(*given: Any, **named: Any) -> Any:
        seen.add(repr([one for one in (*given, *named.values()) if not callable(one)]))
        return request.module.RIGHT[formula][0](*given, **named)

    assert getattr(check, formula)(answer)
    assert len(seen) >= 3


def test_what_a_function_must_not_return_is_told_by_its_kind(formula: str, request: pytest.FixtureRequest) -> None:
    run, right = getattr(check, formula), request.module.RIGHT[formula][0]
    first: list[Any] = []

    def frozen(*given: Any, **named: Any) -> Any:
        first.append(right(*given, **named))
        return first[0]

    def ill(*_: Any, **__: Any) -> None:
        raise ValueError("ill")

    told = {words: run(answer) for words, answer in {
        "returns None": lambda *_, **__: None, "returns a text": lambda *_, **__: "text",
        "returns a dict": lambda *_, **__: {}, "stop(ped|s) with ValueError: ill": ill}.items()}
    assert all(not verdict and re.search(words, verdict.message) for words, verdict in told.items()), told
    assert not run(frozen) and not run(lambda *_, **__: True)
    for i in range(len(inspect.signature(right).parameters)):
        assert not run(lambda *given, i=i, **named: [*given, *named.values()][i]), i


def test_a_check_has_two_right_answers_and_three_slips_at_least(wrong: str, request: pytest.FixtureRequest) -> None:
    assert len(request.module.RIGHT[wrong]) >= 2 and len(request.module.WRONG[wrong]) >= 3


FORMS = {"np.int64": np.int64, "np.float32": np.float32, "0-d array": np.array, "0-d tensor": torch.tensor,
         "float": float}


def in_form(value: Any, form: Callable[..., Any]) -> Any:
    """A number in another form; all else as it is."""
    return form(value) if type(value) in (int, float) and (form is not np.int64 or value == int(value)) else value


@pytest.mark.parametrize("form", FORMS)
def test_a_number_counts_in_whatever_form_it_comes(form: str, request: pytest.FixtureRequest) -> None:
    for name, answers in request.module.RIGHT.items():
        right = answers[0]
        if callable(right):
            assert getattr(check, name)(
                lambda *given, right=right, **named: in_form(right(*given, **named), FORMS[form])), name
        else:
            assert getattr(check, name)(in_form(right, FORMS[form])), name


def converted(value: Any, change: Callable[[Any], Any]) -> Any:
    """What a function returned, its tensors and arrays changed."""
    if isinstance(value, (tuple, list)):
        return type(value)(converted(each, change) for each in value)
    return change(value) if isinstance(value, (Tensor, np.ndarray)) else value


STYLES: dict[str, Callable[[Any], Any]] = {
    "the other library's": lambda value: value.numpy() if isinstance(value, Tensor) else torch.from_numpy(value),
    "double": lambda value: value if "bool" in str(value.dtype) else torch.as_tensor(value).double(),
    "with a gradient": lambda value: value.requires_grad_() if "torch.float" in str(value.dtype) else value,
    "not contiguous": lambda value: torch.as_tensor(value).flip(-1).flip(-1) if value.ndim else value,
}


@pytest.mark.parametrize("style", STYLES)
def test_a_tensor_counts_in_another_library_precision_or_layout(style: str, request: pytest.FixtureRequest) -> None:
    for name, answers in request.module.RIGHT.items():
        if callable(right := answers[0]):
            told = getattr(check, name)(
                lambda *given, right=right, **named: converted(right(*given, **named), STYLES[style]))
            assert told, (name, told)


def bent(value: Any, how: str) -> Any:
    """What a right function returned, with a slip."""
    if isinstance(value, (list, tuple, range)):
        return {"negative": [*value][::-1], "off by one": [*value][1:], "cut": [*value][:-1],
                "scaled": [each and 2 * each for each in value], "transposed": [*value, *value]}[how]
    array = np.asarray(value.detach() if isinstance(value, Tensor) else value)
    if array.dtype == bool:
        return {"negative": ~array, "off by one": np.roll(array, 1), "cut": array[:-1] if array.ndim else ~array,
                "scaled": array & False, "transposed": array.T if array.T.shape != array.shape else ~array}[how]
    return {"negative": -array, "off by one": array + 1, "cut": np.trunc(array) - (array == np.trunc(array)),
            "scaled": 1.01 * array + (array == 0), "transposed": array[None]}[how]


@pytest.mark.parametrize("how", ["negative", "off by one", "cut", "scaled", "transposed"])
def test_a_right_answer_with_a_slip_at_its_end_is_refused_with_a_sentence(how: str, request: pytest.FixtureRequest
                                                                          ) -> None:
    for name, answers in request.module.RIGHT.items():
        if callable(right := answers[0]):
            def slipped(*given: Any, right: Any = right, **named: Any) -> Any:
                found = right(*given, **named)
                return None if found is None else bent(found, how)

            told = getattr(check, name)(slipped)
            assert not told and not told.message.startswith("That cannot be read"), (name, told)


def test_what_is_no_number_is_refused_kindly(request: pytest.FixtureRequest) -> None:
    for name, answers in request.module.RIGHT.items():
        if type(answers[0]) is int:
            told = [getattr(check, name)(odd) for odd in (True, str(answers[0]), answers[:1], np.array(answers[:1]))]
            words = ["True or False", "a text", "a list", "an array of the shape"]
            assert all(not verdict and word in verdict.message for verdict, word in zip(told, words, strict=True)), name


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
