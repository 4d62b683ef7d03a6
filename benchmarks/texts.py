"""Writes what was measured into a lesson: its tables between their marks, and its figures.

A table's place in the text is `<!-- table: NAME -->` ... `<!-- end of table -->`; a figure's alt text is the lesson's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from helpers.show import Figure


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with the first column to the left and numbers to the right."""
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """The lesson's text with each table between its two marks."""
    for name, made in tables.items():
        block = f"<!-- table: {name} -->\n{made}\n<!-- end of table -->"
        text = re.sub(rf"(?s)<!-- table: {name} -->.*?<!-- end of table -->", lambda _, block=block: block, text)
    return text


def write_lesson(lesson: Path, tables: Mapping[str, str], figures: Callable[[dict[str, str]], Mapping[str, Figure]]
                 ) -> None:
    """The tables into the lesson, then its figures, drawn with its alt texts, which are given by file name."""
    text = with_tables(lesson.read_text(encoding="utf-8"), tables)
    lesson.write_text(text, encoding="utf-8")
    alts = {name: alt for alt, name in re.findall(r"!\[([^\]]*)\]\(figures/(\w+)\.webp\)", text)}
    for name, figure in figures(alts).items():
        print(figure.save(lesson.parent / "figures" / f"{name}.webp"))
