"""The reading list: well-formed links, each once; every entry with a question; every paper that the course names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reading_list.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = [
    "Introductions: diffusion and text-to-image",
    "Surveys of editing",
    "The papers of the lessons",
    "After the lecture",
]
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
ENTRY = re.compile(r"\*\*[^*]+\?\*\* [A-Z].* 20\d\d, .* In it: .+ Not in it: .+\.")
NUMBER = re.compile(r"(?i)arxiv(?:\.org/abs/|: ?| )(\d{4}\.\d{4,5})\b")
#: where readers meet a paper
MET = [*ROOT.glob("lessons/*.md"), *ROOT.glob("notebooks/src/*.py"), *ROOT.glob("helpers/methods/*.py")]


def joined(text: str) -> str:
    """Return `text` on one line."""
    return " ".join(text.split())


ENTRIES = [joined(entry.replace("\\\n", "\n")) for entry in re.findall(r"(?m)^- (.*(?:\n  .*)*)", TEXT)]
OUTWARD = [(words, address) for words, address in LINK.findall(TEXT) if urlsplit(address).scheme]


def test_it_begins_with_three_things_and_has_its_sections_in_order() -> None:
    assert "**If you read three things.**" in TEXT.partition("\n## ")[0]
    assert re.findall(r"(?m)^## (.*)$", TEXT) == SECTIONS


def test_it_is_a_choice_and_no_catalogue() -> None:
    assert 25 <= len(ENTRIES) <= 40


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.partition("?")[0].strip("*"))
def test_an_entry_has_a_question_people_a_year_a_title_a_link_and_what_is_in_it_and_what_is_not(entry: str) -> None:
    assert ENTRY.fullmatch(entry)
    links = LINK.findall(entry.partition(" In it: ")[0])
    assert links and all(urlsplit(address).scheme for _, address in links)


def test_every_link_outward_is_https_and_there_once() -> None:
    addresses = [address for _, address in OUTWARD]
    assert all(urlsplit(address).scheme == "https" for address in addresses)
    assert len(addresses) == len(set(addresses))


def test_a_number_on_arxiv_is_well_formed_and_the_same_in_the_words_and_in_the_address() -> None:
    papers = [link for link in OUTWARD if "arxiv" in "".join(link).lower()]
    assert papers
    for words, address in papers:
        number = address.removeprefix("https://arxiv.org/abs/")
        assert re.fullmatch(r"\d\d(0[1-9]|1[0-2])\.\d{5}", number) and words == f"arXiv:{number}"


def test_the_year_is_that_of_the_first_version() -> None:
    dated = re.findall(r"\b(20\d\d), \*[^*]+\*(?: \([^)]+\))?, \[arXiv:(\d\d)", joined(TEXT))
    assert len(dated) == len(re.findall(r"\[arXiv:", TEXT))
    assert all(year[2:] == number for year, number in dated)


def test_links_within_the_course_lead_to_files() -> None:
    inward = [address for _, address in LINK.findall(TEXT) if not urlsplit(address).scheme]
    assert inward and all((PAGE.parent / address).is_file() for address in inward)


@pytest.mark.parametrize("path", MET, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_paper_that_the_course_names_is_on_the_list(path: Path) -> None:
    named = set(NUMBER.findall(path.read_text(encoding="utf-8")))
    assert named - set(NUMBER.findall(TEXT)) == set()


def test_a_lessons_papers_stand_under_that_lesson() -> None:
    """Those that a lesson names at its top; a paper of two lessons stands under the second, where it is needed more."""
    parts = dict(re.findall(r"(?ms)^### [^\n]*\(\.\./lessons/([^)]+)\)\)$(.*?)(?=^##|\Z)", TEXT))
    lessons = sorted((ROOT / "lessons").glob("*.md"))
    assert sorted(parts) == [path.name for path in lessons]
    for path in lessons:
        top = set(NUMBER.findall(path.read_text(encoding="utf-8").partition("\n## ")[0]))
        here = set(NUMBER.findall(parts[path.name]))
        later = set().union(*(NUMBER.findall(part) for name, part in parts.items() if name > path.name))
        assert top and top <= here | later


def test_the_readme_and_the_last_lesson_lead_to_it() -> None:
    assert "(docs/reading_list.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(../docs/reading_list.md)" in (ROOT / "lessons/07_dreambooth.md").read_text(encoding="utf-8")
