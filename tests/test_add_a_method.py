"""The page "Add a method" does what it says: its code runs, in its order, and is as short as it promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.methods.contract import ORDER
from helpers.show.figure import Figure
from helpers.show.widgets.running import form_of

PAGE = Path(__file__).parents[1] / "docs" / "add_a_method.md"
METHOD, TEST, FIGURE, SCORE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable]:
    """The names that the method and its test define."""
    names: dict[str, Callable] = {"__name__": "helpers.methods.cycle"}
    for part in (METHOD, TEST):
        exec(compile(part, str(PAGE), "exec", flags=0, dont_inherit=True), names)
    return names


def test_the_method_takes_no_more_than_30_lines() -> None:
    code = [line for line in METHOD.split('"""', 2)[2].splitlines() if line.strip()]
    assert len(code) <= 30


def test_the_pages_own_tests_pass(page: dict[str, Callable]) -> None:
    tests = [name for name in page if name.startswith("test_")]
    assert tests
    for name in tests:
        page[name]()


def test_the_studio_can_ask_for_it(page: dict[str, Callable]) -> None:
    form = form_of(page["cycle"], page["AnalyticModel"]())
    assert form.prompts == ("source_prompt", "prompt") and form.picture == "image"
    assert [knob.name for knob in form.knobs] == ["strength", *ORDER[:2], "guidance"]


def test_its_figure_and_its_score_come_out(page: dict[str, Callable]) -> None:
    for part in (FIGURE, SCORE):
        exec(compile(part, str(PAGE), "exec"), page)
    assert isinstance(page["figure"], Figure) and page["line"].kept > 10


def test_what_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:helpers|tests|benchmarks|docs)/[\w/.]+)`", text):
        assert (PAGE.parents[1] / path).exists() or "cycle" in path, path
