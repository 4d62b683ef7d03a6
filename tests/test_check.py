"""What all checks promise: a verdict on whatever is handed over, and the reader's Ctrl-C stays the reader's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from helpers import check
from helpers.check.verdict import Verdict
from helpers.models.analytic import AnalyticModel

#: check -> what it takes besides the answer
MORE: dict[str, tuple[Any, ...]] = {
    "better_edit": ([SimpleNamespace(obeyed=1.0, kept=20.0)],), "shortest_injection": ([0.0, 0.5], [20.0, 30.0]),
}


class Stubborn:
    """It cannot be compared, counted, hashed or shown."""

    def refuse(self, *_: Any) -> NoReturn:
        raise RuntimeError("no")

    __eq__ = __len__ = __iter__ = __hash__ = __float__ = __bool__ = __repr__ = refuse


def odd() -> dict[str, Any]:
    """Answers that no exercise asks for, made anew since some of them can be used up."""
    tensor = torch.linspace(-1, 1, 18).reshape(1, 2, 3, 3)
    texts = {text: eval(text, {"np": np, "torch": torch}) for text in (
        "None", "True", "-1", "10**400", "float('nan')", "float('inf')", "1j", "''", "'A'", "b'A'", "[]", "[[]]",
        "[['A']]", "()", "(0.6,)", "(0.6, [3])", "{}", "{1: {}}", "{'A': []}", "{1: 'e', 2: [[]], 3: None}", "set()",
        "range(3)", "slice(3)", "int", "[None] * 9", "[[0]] * 9", "{'A': 1, 'B': 2, 'C': [], 'D': {}}",
        "np.float32('nan')", "np.array(0.6)", "np.arange(3)", "np.array(['A', 'B'])", "np.array([None, 'A'])",
        "np.zeros((6, 6, 3), complex)", "torch.tensor(0.6)", "torch.tensor(1j)", "torch.zeros(0)",
        "torch.ones(2, requires_grad=True)", "torch.tensor(2.0, requires_grad=True)", "torch.zeros(8, 8).bool()")}
    return texts | {
        "a tensor that requires a gradient": tensor.requires_grad_(), "a half tensor": tensor.detach().bfloat16(),
        "a complex tensor": tensor.detach() * 1j, "a sparse tensor": tensor.detach().to_sparse(),
        "a generator": (i for i in range(3)), "a fraction": Fraction(1, 7), "a decimal": Decimal("nan"),
        "a model": AnalyticModel(), "an error": ValueError("no"), "a stubborn object": Stubborn(),
        "a score of texts": SimpleNamespace(obeyed="much", kept="all"),
    }


def returning(answer: Any) -> Callable[..., Any]:
    """A function that gives this answer, whatever it is asked."""
    return lambda *_, **__: answer


@pytest.mark.parametrize("name", check.__all__)
def test_a_check_gives_a_verdict_on_the_oddest_answer(name: str) -> None:
    for wrap in (lambda answer: answer, returning):
        for label, answer in odd().items():
            verdict = getattr(check, name)(wrap(answer), *MORE.get(name, ()))
            assert type(verdict) is Verdict and not verdict.right, label
            assert repr(verdict).startswith("Not yet. "), label


@pytest.mark.parametrize(("name", "answer", "words"), [
    ("kept_db", returning("30 dB"), "returns a text; expected one number"),
    ("kept_db", returning([30.0]), "returns a list; expected one number"),
    ("unbeaten", [["A"]], "Expected a set of names"),
    ("choice_of_strength", returning({0.6: 1}), "returns a dict; expected a strength"),
    ("choice_of_strength", returning(np.arange(3)), "returns an array of the shape \\(3,\\); expected a strength"),
    ("choice_of_eta", returning(torch.ones(3)), "returns an array of the shape \\(3,\\); expected \\(eta, place\\)"),
    ("same_time", lambda model, *_: model, "returns a Recorder; expected the last state"),
    ("found_mask", returning(AnalyticModel()), "returns an AnalyticModel; expected a mask"),
    ("noising", returning(AnalyticModel()), "returns an AnalyticModel; expected a tensor"),
    ("put_back", returning(AnalyticModel()), "returns an AnalyticModel; expected a tensor"),
    ("rows_of_a_fit", float("nan"), "Two parts"),
    ("alignment", [[0]] * 9, "or None \\(without quotes\\), not a list"),
])
def test_an_answer_of_another_kind_is_told_what_is_expected(name: str, answer: Any, words: str) -> None:
    assert re.search(words, getattr(check, name)(answer).message)


def test_a_tensor_may_require_a_gradient_or_be_of_another_precision_but_not_be_complex() -> None:
    guided = [lambda u, c, w: (u + w * (c - u)).requires_grad_(), lambda u, c, w: (u + w * (c - u)).double(),
              lambda u, c, w: u + w * (c - u) + 1j]
    assert [bool(check.guidance(answer)) for answer in guided] == [True, True, False]
    assert check.guidance(lambda u, c, w: (w * c).requires_grad_()).message.startswith("This only scales")
    assert "values differ" in check.guidance(lambda u, c, w: u.bfloat16()).message


@pytest.mark.parametrize("name", check.__all__)
def test_a_check_keeps_its_signature_and_what_it_says_of_itself(name: str) -> None:
    given = getattr(check, name)
    written = getattr(import_module(given.__module__), name)
    assert given.__name__ == name and given.__doc__ == written.__doc__
    assert inspect.signature(given) == inspect.signature(written)


def test_a_reader_can_stop_an_answer_that_takes_long() -> None:
    def interrupted(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.guidance(interrupted)
