"""The table of models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.core.words import nearest, unknown_words, words_of
from helpers.models import catalogue, hub_errors
from helpers.models.catalogue import CATALOGUE, EMBEDDED, closest_first, find

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("entry", [e for e in CATALOGUE.values() if e is not EMBEDDED], ids=lambda e: e.name)
def test_every_model_has_an_address_a_fixed_revision_a_licence_and_a_price(entry: catalogue.Entry) -> None:
    assert re.fullmatch("[0-9a-f]{40}", entry.sources[0][1])
    assert all(re.fullmatch("[0-9a-f]{40}|main", revision) for _, revision in entry.sources)
    assert entry.licence and entry.download_gb > 0 and entry.gpu_gb > 0 and entry.size % 8 == 0


def test_the_embedded_model_needs_no_hub() -> None:
    assert EMBEDDED.sources == () and CATALOGUE[EMBEDDED.name] is EMBEDDED


def test_models_are_found_by_name_and_by_repository() -> None:
    entry = CATALOGUE["stable-diffusion-v1-5"]
    assert find("stable-diffusion-v1-5") is entry
    assert all(find(repository) is entry for repository, _ in entry.sources)


def test_other_repositories_are_taken_as_they_are() -> None:
    assert find("someone/something").sources == (("someone/something", "main"),)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("stable-difusion-v1.5", "stable-diffusion-v1-5"), ("Picture book", "picturebook"), ("SDXL turbo", "sdxl-turbo")],
)
def test_an_unknown_name_lists_all_names_the_meant_one_first(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"There are: {meant}, ") as caught:
        find(name)
    assert all(known in str(caught.value) for known in CATALOGUE)
    assert closest_first(name)[0] == meant


@pytest.mark.parametrize("name", ["", "a/b/c", "/", "a/", "./a"])
def test_odd_names_are_unknown_names(name: str) -> None:
    with pytest.raises(ValueError, match="There is no model"):
        find(name)


def test_no_other_file_of_the_package_names_a_repository() -> None:
    repositories = [repository for entry in CATALOGUE.values() for repository, _ in entry.sources]
    for file in (ROOT / "helpers").rglob("*.py"):
        if file.name != "catalogue.py":
            text = file.read_text(encoding="utf-8")
            assert not [repository for repository in repositories if repository in text], file


def test_errors_about_the_hub_and_the_memory_name_the_way_out() -> None:
    entry = CATALOGUE["sdxl-turbo"]
    errors = [OSError("first line\nsecond line")]
    for error in (
        catalogue.out_of_reach(entry, errors),
        hub_errors.no_such_model(entry),
        catalogue.no_configuration("a.safetensors"),
        catalogue.too_little_memory("a", 8, 2),
    ):
        assert "load()" in str(error) and "second line" not in str(error)


def test_words_are_lower_case_and_without_punctuation() -> None:
    assert words_of("A cat's T-shirt, red & blue (2)!") == ["a", "cat's", "t-shirt", "red", "blue", "2"]


def test_unknown_words_come_once_and_in_order() -> None:
    assert unknown_words("zog a cat blip Zog", frozenset({"a", "cat"})) == ["zog", "blip"]


def test_the_nearest_words_come_best_first_and_nothing_is_near_nonsense() -> None:
    assert nearest("elefant", ["elephant", "fox", "element"])[0] == "elephant"
    assert nearest("qqqq", ["elephant", "fox"]) == []
