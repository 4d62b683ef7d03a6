"""docs/places.md and its neighbours: numbers are those of results/, every place has its row, nothing is a wish."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fill_places

ROOT = Path(__file__).resolve().parents[1]
PAGES = (*fill_places.TEXTS, "docs/teachers_guide.md")


@pytest.mark.parametrize("name", fill_places.TEXTS)
def test_tables_are_those_of_the_results(name: str) -> None:
    """Else: python tools/fill_places.py."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert fill_places.with_tables(text) == text and "<!-- table:" in text


def test_every_table_stands_somewhere() -> None:
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in fill_places.TEXTS)
    assert set(re.findall(r"<!-- table: (\w+) -->", texts)) == set(fill_places.TABLES)


def test_every_place_has_a_row_and_nothing_says_should() -> None:
    text = (ROOT / "docs/places.md").read_text(encoding="utf-8")
    places = re.findall(r"(?m)^\| ([^|]+) \| [^|]* \| [^|]* \|$", text)
    wanted = "Colab Windows macOS 3.13 JupyterHub Docker Binder network release XL MPS"
    for place in wanted.split():
        assert any(place in row for row in places), place
    assert "should" not in text


def test_what_was_not_run_is_called_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fill_places, "RESULTS", tmp_path)
    assert "not run yet" in fill_places.colab()
    for make in (fill_places.classroom, fill_places.kit, fill_places.resolved, fill_places.release, fill_places.ran):
        assert re.match(r"Not \w+ yet\.", make())


@pytest.mark.parametrize("name", PAGES)
def test_links_and_commands_of_the_pages_lead_to_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or ((ROOT / name).parent / link).resolve().is_file(), link
    for script in re.findall(r"[\w./]+\.py\b", text):
        assert any((folder / script).is_file() for folder in (ROOT, (ROOT / name).parent)), script


def test_each_session_of_the_guide_has_90_minutes() -> None:
    text = (ROOT / "docs/teachers_guide.md").read_text(encoding="utf-8")
    sessions = re.split(r"(?m)^## Session \d", text)[1:]
    assert len(sessions) == 4
    for session in sessions:
        spans = [tuple(map(int, span)) for span in re.findall(r"(?m)^\| (\d+)-(\d+) \|", session)]
        assert spans[0][0] == 0 and spans[-1][1] == 90
        assert all(first[1] == second[0] for first, second in zip(spans, spans[1:], strict=False))
