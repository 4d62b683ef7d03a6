"""How a reader's function is tried: every kind of wrong return has its own sentence, every form of a number counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.check.trial import of_formula, run
from helpers.check.values import number, untouched
from helpers.check.verdict import UNANSWERED, Verdict, of_number

X, Y = torch.tensor([[1.0, 2.0, 3.4], [-4.0, 0.5, 6.3]]), torch.tensor([[0.25, -1.0, 7.0], [2.0, 1.0, 0.75]])
INPUTS = [(X, 2.5), (Y, -1.5), (X.T, 0.5)]


def right(x: Tensor, k: float) -> Tensor:
    """Any formula of a tensor and a number."""
    return k * x.sin() + 0.3


def in_place(x: Tensor, k: float) -> Tensor:
    """Right, but the input is gone."""
    return x.sin_().mul_(k).add_(0.3)


def told(answer: Callable[..., Any]) -> Verdict:
    """The verdict on an answer, without any slip of its own."""
    return of_formula(answer, INPUTS, right, {}, "praise")


@pytest.mark.parametrize(("words", "answer"), {
    "returns None: is there a `return`": lambda x, k: None,
    "returns a text; expected a tensor": lambda x, k: "0.3",
    "returns a list; expected a tensor": lambda x, k: [0.3],
    "returns a function; expected a tensor": lambda x, k: right,
    "returns True or False": lambda x, k: True,
    "returns a float; expected a tensor": lambda x, k: 0.3,
    "returns one number; expected a tensor of shape": lambda x, k: right(x, k).mean(),
    "returns the shape \\(2,\\); expected a tensor of shape \\(2, 3\\)\\.$": lambda x, k: right(x, k)[:, 0],
    "Is it transposed": lambda x, k: right(x, k).T,
    "returns `x` as it was given": lambda x, k: x,
    "changes `x`, which it was given": in_place,
    "stopped with ZeroDivisionError: division by zero \\(for k = 2.5\\)": lambda x, k: 1 / 0,
    "stopped with TypeError": lambda: 0,
    "Give the function itself": 0.3,
    "nan or inf": lambda x, k: right(x, k) / 0,
    "The sign is turned": lambda x, k: -right(x, k),
    "cut off to whole numbers": lambda x, k: right(x, k).int(),
    "rounded to whole numbers": lambda x, k: right(x, k).round(),
    "rounded to two places": lambda x, k: right(x, k).numpy().round(2),
    "not the signs": lambda x, k: right(x, k).abs(),
    "are squared": lambda x, k: right(x, k) ** 2,
    "One is added": lambda x, k: right(x, k) + 1,
    "is 3 times": lambda x, k: 3 * right(x, k),
    "Right for k = 2.5, but not for k = -1.5": lambda x, k: right(x, abs(k)),
    "Compare it term by term": lambda x, k: k * x.cos(),
}.items())
def test_each_kind_of_wrong_return_has_its_own_sentence(words: str, answer: Any) -> None:
    assert not (verdict := told(answer)) and re.search(words, verdict.message), verdict


def test_a_constant_is_told_from_a_formula() -> None:
    constant = of_formula(lambda n: 1.0, [(1,), (2,), (3,)], lambda n: 1 / n, {}, "praise")
    assert "same for every input" in constant.message
    assert of_formula(lambda n: 1.0, [(1,), (2,)], lambda n: 1, {}, "praise")


def test_a_slip_that_fails_is_not_the_reader_s() -> None:
    slips = {"fails": lambda x, k: 1 / 0, "cosine": lambda x, k: k * x.cos()}
    assert of_formula(lambda x, k: x.cos() * k, INPUTS, right, slips, "praise").message == "cosine"


def test_every_trial_gets_copies() -> None:
    kept = [list(each) for each in ([1, 2], [3])]
    assert "changes `rows`" in run(lambda rows: rows.clear() or 1, [(each,) for each in kept]).message  # type: ignore
    assert kept == [[1, 2], [3]]
    assert run(lambda x: ..., [(1,)]) is UNANSWERED
    assert run(lambda *_: None, [(1,)], none=True) == [None]


@pytest.mark.parametrize("value", [
    3, 3.0, np.int64(3), np.uint8(3), np.float16(3), np.float32(3), np.array(3), np.array(3.0), torch.tensor(3),
    torch.tensor(3.0), torch.tensor(3.0, requires_grad=True), torch.tensor(3, dtype=torch.bfloat16), Fraction(3),
    Decimal(3)], ids=repr)
def test_a_number_is_a_number_in_every_form(value: Any) -> None:
    assert number(value) == 3 and type(number(value)) in (int, float)
    assert of_number(value, {3: (True, "three")}, "hint")


@pytest.mark.parametrize(("value", "words"), [
    (True, "not True or False"), (np.True_, "not True or False"), (torch.tensor(True), "not True or False"),
    ("3", "not a text. Leave the quotes away"), ([3], "not a list. Give the number alone"),
    ((3,), "not a tuple. Give the number alone"), (np.array([3]), "shape (1,). Give the number alone"),
    (torch.tensor([3]), "shape (1,). Give the number alone"), (None, "not a NoneType"), (3j, "not a complex"),
    (int, "not a type"), ({3: 1}, "not a dict")])
def test_what_is_no_number_is_told_what_it_is(value: Any, words: str) -> None:
    assert number(value) is None
    verdict = of_number(value, {3: (True, "three")}, "hint", "a number of steps")
    assert not verdict and words in verdict.message and "Expected a number of steps" in verdict.message, verdict


def test_a_number_that_nobody_foresaw_gets_the_hint() -> None:
    known = {3: (True, "three"), 4: (False, "four")}
    assert [of_number(value, known, "hint").message for value in (3, 4, 5, float("nan"), 3.2, 10**400)] == [
        "three", "four", "hint", "hint", "hint", "hint"]


def test_what_a_list_or_a_dictionary_holds_counts_as_changed() -> None:
    assert untouched({1: [X.clone()], 2: ("a", None)}, {1: [X.clone()], 2: ("a", None)})
    assert not untouched({1: [X]}, {1: [X + 1]})
    assert not untouched({1: 2, 3: 4}, {3: 4, 1: 2})
    assert not untouched([1, 2], [2, 1]) and not untouched(np.zeros(2), np.zeros(3))
