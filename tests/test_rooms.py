"""The package is rooms: each imports only from rooms below it, and nothing in them is too long to be read."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

HELPERS = Path(__file__).resolve().parents[1] / "helpers"
#: room -> the rooms it may import from, beside itself; a module of no room stands for itself
MAY_IMPORT = {
    "lazy": set(), "core": {"lazy"}, "models": {"core"}, "attention": {"core", "models"},
    "finetuning": {"core", "models", "lazy"}, "methods": {"core", "models", "attention", "finetuning"},
    "picturebook": {"core", "models"}, "measure": {"core", "picturebook"}, "machine": {"models"}, "colab": set(),
    "show": {"core", "models", "attention", "finetuning", "methods", "picturebook", "measure", "lazy"},
    "check": {"core", "models", "attention", "finetuning", "methods", "picturebook", "measure", "show", "lazy"},
}
FILES = sorted(path for path in HELPERS.rglob("*.py") if path != HELPERS / "__init__.py")
LONGEST_FILE, LONGEST_FUNCTION, MEDIAN = 350, 40, 7  # lines


def room_of(path: Path) -> str:
    return path.relative_to(HELPERS).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("helpers"):
            _, _, rest = (node.module or "").partition(".")
            found |= {rest.partition(".")[0]} if rest else {alias.name for alias in node.names}
    return found - {room_of(path)}


def functions(path: Path) -> list[tuple[str, int]]:
    """(name, lines) of every function of a file; what is written inside of one counts as its lines."""
    return [(node.name, (node.end_lineno or 0) - node.lineno + 1)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_from_rooms_below_it(room: str) -> None:
    climbs = {str(path.relative_to(HELPERS)): sorted(imported(path) - MAY_IMPORT[room])
              for path in FILES if room_of(path) == room and imported(path) - MAY_IMPORT[room]}
    assert not climbs


def test_every_file_belongs_to_a_room() -> None:
    assert {room_of(path) for path in FILES} == set(MAY_IMPORT)


def test_no_file_and_no_function_is_too_long_to_be_read() -> None:
    files = {str(path.relative_to(HELPERS)): n for path in FILES
             if (n := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE}
    long = {f"{path.relative_to(HELPERS)}: {name}": n for path in FILES for name, n in functions(path)
            if n > LONGEST_FUNCTION}
    assert (files, long) == ({}, {})
    assert median(n for path in FILES for _, n in functions(path)) <= MEDIAN
