"""The exercises of lessons 0 to 3: each says how hard, how long and what for; they form a ladder up to an open one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parent.parent / "notebooks" / "src").glob("0[0-3]_*.py"))
LABEL = re.compile(r"(●{1,5}○{0,4}) \*(\d+) minutes(?: or more)?(?:, no computer)?, (core|useful|extra)\.\*")

every_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def exercises(source: Path) -> list[tuple[int, str]]:
    """(number, its text up to the next exercise) of each exercise of a notebook's source."""
    text = re.sub(r"(?m)^# ?", "", source.read_text(encoding="utf-8"))
    parts = re.split(r"(?m)^### Exercise (\d+): ", text)
    return [(int(number), part) for number, part in zip(parts[1::2], parts[2::2], strict=True)]


def dots(part: str) -> int:
    """How many full dots an exercise's label has."""
    found = LABEL.search(part)
    assert found and len(found[1]) == 5, part[:200]
    return found[1].count("●")


@every_notebook
def test_every_exercise_is_numbered_and_says_how_hard_how_long_and_what_for(source: Path) -> None:
    found = exercises(source)
    assert [number for number, _ in found] == [*range(1, len(found) + 1)]
    assert all(LABEL.search(part.replace("\n", " ")) for _, part in found)


@every_notebook
def test_every_exercise_has_a_folded_solution(source: Path) -> None:
    assert all("<summary>Solution" in part for _, part in exercises(source))


@every_notebook
def test_the_lines_to_start_from_are_python(source: Path) -> None:
    for _, part in exercises(source):
        for block in re.findall(r"(?s)```python\n(.*?)```", part):
            ast.parse(block)


@pytest.mark.parametrize("source", SOURCES[1:], ids=lambda path: path.stem)
def test_the_ladder_goes_from_one_line_over_two_hard_ones_to_an_edit_of_one_s_own(source: Path) -> None:
    found = [(dots(part.replace("\n", " ")), part) for _, part in exercises(source)]
    assert {1, 2, 4, 5} <= {hard for hard, _ in found}
    assert sum(hard == 4 for hard, _ in found) >= 2
    assert found[-1][0] == 5 and "check.own_edit(" in found[-1][1]


@pytest.mark.parametrize("mark", ["●○○○○", "●●○○○", "●●●○○", "●●●●○", "●●●●●", "*core*", "*useful*", "*extra*"])
def test_notebook_0_explains_every_mark(mark: str) -> None:
    assert f"| {mark} |" in SOURCES[0].read_text(encoding="utf-8")
