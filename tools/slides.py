"""Classroom slides from the text of a lesson. Marks in the text choose what is on them.

A mark is an HTML comment, which no reader of the lesson sees:

    <!-- slide -->                  a slide starts; it ends at the next slide, heading or end mark
    <!-- slide: Another title -->   the same with a title of its own; without one it has the heading's above it
    <!-- on the slide: Markdown --> stands on the slide, not in the lesson
    <!-- notes: Markdown -->        for the speaker alone (key S)
    <!-- end of slide -->           what follows is on no slide

Of the lesson's own text a slide shows **the sentences that hold a phrase in bold**, and whole: formulas, pictures,
tables, code, folded questions, and lists. Of a list with phrases in bold it shows, of each item that has one, that
sentence; where that is but a name, "**Small things.**", the sentence after it as well. Everything else,
and what to notice in a picture, goes to the speaker's notes. What follows a line "*Predict: ...*" on its slide appears
at the next click. tools/site/_static/slides.js makes the text as large as there is room for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MARK = re.compile(r"(?s)<!--\s*(slide|on the slide|notes|end of slide)\s*(?::\s*(.*?))?\s*-->")
ANY_COMMENT = re.compile(r"(?s)<!--.*?-->")
LOOKS_LIKE_A_MARK = re.compile(r"(?i)<!--\W*(end of )?(the )?(slide|on (the )?slide|note)s?\b")
BOLD = re.compile(r"(?s)\*\*(.+?)\*\*")
WHOLE = re.compile(r"(?s)\*\*.+?\*\*|\$[^$]+\$|`[^`]+`|\[[^\]]*\]\([^)]*\)")  # what no sentence ends inside of
SENTENCE_END = re.compile(r"(?<!\bal)(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)[.?!][\"\u201d)*]*(?=\s)")
NAME = re.compile(r"\*\*[^*]+\*\*(?: \(`[^`]*`\))?[.?!]?")
ITEM = re.compile(r"(?m)^(?:[-*]|\d+\.)\s+")
PICTURE = re.compile(r"(?s)!\[([^\]]*)\]\([^)]*\)")
LOCAL_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://)[^)]*\)")


class Block(NamedTuple):
    """A block of Markdown: its kind as markdown-it calls it (without "_open"), and its text."""

    kind: str
    text: str


@dataclass
class Slide:
    """One slide: its title, what it shows and what the speaker is told, each a list of Markdown blocks."""

    title: str
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the slide as a section of a deck."""
        asked = next((n for n, text in enumerate(self.shown, 1) if text.startswith("*Predict")), len(self.shown))
        answer = ['<div class="fragment">', *self.shown[asked:], "</div>"] if self.shown[asked:] else []
        body = ['<div class="body">', *self.shown[:asked], *answer, "</div>"]
        notes = ['<aside class="notes">', *self.notes, "</aside>"] if self.notes else []
        return "\n\n".join([f"## {self.title}", *body, *notes])


def deck(text: str, home: str = "") -> str:
    """Return the slides that `text`, a lesson, asks for, as a Markdown deck; "" if it asks for none.

    `home` is the address of the lesson's page, to which the first slide links. Raises ValueError where a mark is
    misspelled or stands outside of a slide.
    """
    found = slides(text)
    if not found:
        return ""
    title = next(block.text for block in blocks(text) if block.kind == "heading")
    link = f'<p class="home"><a href="{home}">The lesson</a></p>' if home else ""
    return LOCAL_LINK.sub(r"\1", "\n\n".join([title, link, *(slide.markdown() for slide in found)])) + "\n"


def slides(text: str) -> list[Slide]:
    """Return the slides that the marks in `text` ask for, in order; raises ValueError as `deck` does."""
    found, heading, current = [], "", None
    for block in blocks(text):
        if block.kind == "heading":
            heading, current = block.text.lstrip("# "), None
        elif block.kind != "comment":
            put(block, current)
        elif mark := MARK.fullmatch(block.text):
            kind, words = mark[1], mark[2]
            if kind == "slide":
                current = Slide(words or heading)
                found.append(current)
            elif kind == "end of slide":
                current = None
            else:
                place(current, kind, words or "", block.text)
        elif LOOKS_LIKE_A_MARK.match(block.text):
            raise ValueError(f"{block.text} is no mark that tools/slides.py knows; see the list at its top")
    return found


def place(slide: Slide | None, kind: str, words: str, mark: str) -> None:
    """Put the words of a mark on `slide` or into its notes; raises ValueError where there is no slide."""
    if slide is None or not words:
        raise ValueError(f"{mark} stands on no slide, or is empty: write <!-- slide --> before it, and words in it")
    (slide.notes if kind == "notes" else slide.shown).append(words)


def put(block: Block, slide: Slide | None) -> None:
    """Put a block of the lesson on `slide` and into its notes, if there is a slide."""
    if slide is None:
        return
    pictures, told = list(PICTURE.finditer(block.text)), telling(block.text, slide.title)
    if block.kind in ("bullet_list", "ordered_list") and told:
        items = [telling(item, slide.title, heading=True) for item in ITEM.split(block.text)[1:]]
        number = "1." if block.kind == "ordered_list" else "-"
        slide.shown.append("\n".join(f"{number} {' '.join(item)}" for item in items if item))
        slide.notes.append(block.text)
    elif block.kind != "paragraph":
        slide.shown.append(block.text)
    elif pictures:
        slide.shown += [picture[0] for picture in pictures]
        slide.notes += [f"*The picture:* {' '.join(picture[1].split())}." for picture in pictures]
    else:
        slide.shown += told
        slide.notes.append(block.text)


def telling(text: str, title: str, heading: bool = False) -> list[str]:
    """Return the sentences of `text` that hold a phrase in bold, unless that is the slide's title.

    heading: where such a sentence is but a name, "**Encode** (`encoded`).", the next one says more, and comes along.
    """
    found: list[str] = []
    meant = False
    for sentence in sentences(text):
        phrases = BOLD.findall(sentence)
        if meant or phrases and phrases != [title]:
            found.append(re.sub(r":$", ".", sentence))  # what would follow is not on the slide
        meant = heading and bool(NAME.fullmatch(sentence))
    return found


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph, each on one line; none ends in a phrase in bold, formula, code or link."""
    def blank(found: re.Match[str]) -> str:
        ends = found[0].startswith("**") and found[0][-3] in ".?!"
        return "x" * (len(found[0]) - 1) + ("." if ends else "x")

    text = " ".join(text.split())
    ends = [found.end() for found in SENTENCE_END.finditer(WHOLE.sub(blank, text))]
    return [text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True)
            if text[start:end].strip()]


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of `text` in order; comments are blocks of their own, and so is a whole <details>."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    lines = text.splitlines()
    tokens = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).parse(text)
    tops = [(t.type.removesuffix("_open"), *t.map) for t in tokens if t.level == 0 and t.map and t.nesting >= 0]
    opened = 0
    for kind, start, end in tops:
        piece = "\n".join(lines[start:end]).strip()
        if piece.startswith("<details"):
            opened = start + 1
        if "</details>" in piece:
            kind, piece, opened = "details", "\n".join(lines[opened - 1 : end]).strip(), 0
        if opened:
            continue
        if kind == "html_block" and ANY_COMMENT.search(piece):
            yield from (Block("comment", comment) for comment in ANY_COMMENT.findall(piece))
        else:
            yield Block(kind, piece)
