"""What the texts of all lessons share: their headings, their length, their figures, the plan of the class."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fill_lessons

LESSONS = sorted((Path(__file__).parent.parent / "lessons").glob("*.md"))
HEADINGS = ["The problem", "The idea", "The algorithm", "Why it works", "What it costs", "Where it fails",
            "Check yourself", "Go deeper"]
MINUTES = {"02": (0, 45), "03": (0, 45), "04": (0, 90), "05": (0, 45), "06": (0, 40), "07": (40, 90)}
IMAGE = r"!\[([^\]]*)\]\(([^)]+)\)"

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@every_lesson
def test_the_headings_are_those_of_every_lesson(lesson: Path) -> None:
    assert re.findall(r"(?m)^## (.*)$", lesson.read_text(encoding="utf-8"))[: len(HEADINGS)] == HEADINGS


@every_lesson
def test_it_can_be_read_in_ten_minutes(lesson: Path) -> None:
    told = lesson.read_text(encoding="utf-8").split("## In class")[0]
    prose = re.sub(r"(?s)<!-- table.*?<!-- end of table -->|<!--.*?-->", "", told)
    assert len(prose.split()) <= 1200


@every_lesson
def test_every_number_is_the_measured_one(lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8")
    assert "{{" in text and fill_lessons.with_numbers(text) == text


@pytest.mark.parametrize("before", ["{{lesson77.n:.1f}}", "0.5<!-- {{lesson77.n:.1f}} -->",
                                    "-1,200%<!-- {{lesson77.n:.1f}} -->"])
def test_an_old_number_gives_way_to_the_measured_one(before: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
                                                     ) -> None:
    (tmp_path / "lesson77.json").write_text('{"n": 4.25}', encoding="utf-8")
    monkeypatch.setattr("build_notebooks.RESULTS", tmp_path)
    told = fill_lessons.with_numbers(f"There are **{before}** (3 to 5) wolves.")
    assert told == "There are **4.2<!-- {{lesson77.n:.1f}} -->** (3 to 5) wolves."
    assert fill_lessons.bare(told) == "There are **{{lesson77.n:.1f}}** (3 to 5) wolves."


def test_a_number_that_runs_into_another_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lesson77.json").write_text('{"n": 4.25}', encoding="utf-8")
    monkeypatch.setattr("build_notebooks.RESULTS", tmp_path)
    with pytest.raises(ValueError, match="runs into"):
        fill_lessons.with_numbers("1,{{lesson77.n}} wolves")


@every_lesson
def test_every_figure_is_there_and_has_alt_text_that_says_what_to_notice(lesson: Path) -> None:
    figures = re.findall(IMAGE, lesson.read_text(encoding="utf-8"))
    assert figures and all(" - notice " in alt and (lesson.parent / path).is_file() for alt, path in figures)


@every_lesson
def test_the_plan_of_the_class_has_no_gap(lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8")
    spans = [tuple(map(int, span)) for span in re.findall(r"(?m)^\| (\d+)-(\d+) \|", text)]
    assert (spans[0][0], spans[-1][1]) == MINUTES[lesson.stem[:2]]
    assert all(end == start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))


def test_no_figure_is_left_that_no_lesson_shows() -> None:
    shown = {path for lesson in LESSONS for _, path in re.findall(IMAGE, lesson.read_text(encoding="utf-8"))}
    assert shown == {f"figures/{file.name}" for file in (LESSONS[0].parent / "figures").iterdir()}
