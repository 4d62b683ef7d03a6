"""The pages that list the package: what is public is on them, as its source and its docstring say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from api import api_pages, prose, text

HEAD = '"""Animals *here* and $there$."""\n\n__all__ = ["Wolf"]\n'
WOLVES = '''"""Wolves.

    name     what
    howl     loud
"""

import torch_that_is_not_installed

LOUD = 3


class Wolf:
    """One wolf, with 2 < 3 <b>ears</b>.

    name: what it is called,
        by its friends.
    age, weight: in years and in kilograms.
    """

    def __init__(self, name: str, *, age: int = 3, weight: float | None = None) -> None:
        self.name = name

    @property
    def loud(self) -> bool:
        """Whether it is; `howl` asks."""

    def _hidden(self) -> None:
        """Of no concern."""


@contextmanager
def howling(wolf: Wolf, /, *others: Wolf, at: str = "moon", tuned_to_the_frequency: float = 440.0,
            **more: object) -> Iterator[Wolf]:
    """Let it howl.

    Raises: nothing that anybody caught.
    at: where to.
    """


def _hidden() -> None:
    """Of no concern."""
'''


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, str]:
    """The pages of a package of one module in its root, one room, and a folder in that room."""
    package = tmp_path / "zoo"
    files = {"__init__.py": HEAD, "gate.py": '"""The gate."""\n', "forest/__init__.py": HEAD,
             "forest/wolves.py": WOLVES, "forest/deep/__init__.py": '"""Dark."""\n', "forest/_secret.py": WOLVES,
             "loose/no_room.py": WOLVES}
    for name, source in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source, encoding="utf-8")
    return api_pages(package)


def test_there_is_a_page_for_each_room_and_one_that_leads_to_all(pages: dict[str, str]) -> None:
    assert set(pages) == {"index", "zoo", "forest"}
    assert "[forest](forest.md) | Animals \\*here\\* and \\$there\\$." in pages["index"]
    assert "\nzoo\nforest\n```" in pages["index"]
    assert "## gate" in pages["zoo"] and "wolves" not in pages["zoo"]
    assert all(part in pages["forest"] for part in ("## wolves\n", "## deep\n", "`zoo/forest/wolves.py`"))


def test_only_public_names_are_listed_and_the_rooms_short_imports_named(pages: dict[str, str]) -> None:
    assert "hidden" not in pages["forest"] and "_secret" not in pages["forest"] and "LOUD" not in pages["forest"]
    assert "Imported from `zoo.forest`: `Wolf`." in pages["forest"]


def test_a_signature_is_shown_whole_and_without_self(pages: dict[str, str]) -> None:
    assert "class Wolf(name: str, *, age: int = 3, weight: float | None = None): ..." in pages["forest"]
    assert "@property\ndef loud() -> bool: ..." in pages["forest"]
    assert ("@contextmanager\ndef howling(\n    wolf: Wolf, /, *others: Wolf, at: str = 'moon',\n"
            "    tuned_to_the_frequency: float = 440.0, **more: object,\n) -> Iterator[Wolf]: ...") in pages["forest"]


def test_tables_stay_tables_and_arguments_become_a_list(pages: dict[str, str]) -> None:
    assert "```text\nname     what\nhowl     loud\n```" in pages["forest"]
    assert "- `name`: what it is called,\n  by its friends.\n- `age`, `weight`: in years" in pages["forest"]
    assert "Raises: nothing that anybody caught.\n\n- `at`: where to." in pages["forest"], "Raises is no argument"


@pytest.mark.parametrize(
    "line", ["1. not a list", "- nor this", "= no title", "M* and M^ in <b>, [x](y) $1 `a`b` {c} 50 %"]
)
def test_plain_text_is_shown_as_it_stands(line: str) -> None:
    from markdown_it import MarkdownIt

    (block,) = [token for token in MarkdownIt().parse("word\n\n" + prose(line)) if token.type == "inline"][1:]
    shown = "".join(f"`{child.content}`" if child.type == "code_inline" else child.content for child in block.children)
    assert shown == line


def test_paragraphs_stay_paragraphs() -> None:
    assert text("One\ntwo.\n\nThree.") == "One\ntwo.\n\nThree."
