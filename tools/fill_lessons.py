"""Write the measured numbers into the texts of the lessons.

    python tools/fill_lessons.py

A number stands before its address, which no reader of the lesson sees: 0.42<!-- {{lesson01.sdedit.0.6.obeyed:.2f}} -->
(what an address says: tools/build_notebooks.py). Where an address stands alone, {{lesson01.n}}, this makes it so. The
comment follows its number since a line that begins with a comment ends a paragraph of Markdown.
"""

import re
import sys
from pathlib import Path

from build_notebooks import MEASURED, filled

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
NUMBER = re.compile(rf"-?\d[\d.,e+-]*%?<!-- ({MEASURED.pattern}) -->")


def bare(text: str) -> str:
    """Return `text` with its numbers taken out again: only their addresses."""
    return NUMBER.sub(r"\1", text)


def with_numbers(text: str) -> str:
    """Return `text` with each number before its address, as it is measured now.

    Raises ValueError for one that is not measured, and where a number could not be told from what stands around it.
    """
    new = MEASURED.sub(lambda found: f"{filled(found[0])}<!-- {found[0]} -->", bare(text))
    if bare(new) != bare(text):
        raise ValueError("A number of this lesson runs into what stands before it: put a space or a bracket there.")
    return new


def main() -> int:
    """Fill all lessons; return 0."""
    for lesson in sorted(LESSONS.glob("[0-9][0-9]_*.md")):
        lesson.write_text(with_numbers(lesson.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
