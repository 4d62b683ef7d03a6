"""Classroom slides from the text of a lesson. Marks in the text choose what is on them.

A mark is an HTML comment, which no reader of the lesson sees:

    <!-- slide -->                  a slide starts; it ends at the next slide, heading or end mark
    <!-- slide: Another title -->   the same with a title of its own; without one it has the heading's above it
    <!-- on the slide: Markdown --> stands on the slide, not in the lesson
    <!-- notes: Markdown -->        for the speaker alone (key S)
    <!-- end of slide -->           what follows is on no slide

Of the lesson's own text a slide shows **the sentences with a phrase in bold**, and whole: formulas, pictures, tables,
code, folded questions, and lists; of a list with phrases in bold, only the items that have one, each up to the end of a
sentence that says something about it. Everything else, and what to notice in a picture, goes to the speaker's notes.
What follows a line "*Predict: ...*" on its slide appears at the next click. How large it all is, and whether a figure
stands below the text or beside it, site/_static/slides.css and slides.js decide in the browser.
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
SENTENCE_ENDS = re.compile(r"[.!?][*)\"]*(?:\s+|$)")
ITEM = re.compile(r"(?m)^(?:[-*]|\d+\.) ")
NAME_ONLY = re.compile(r"(?s)[\s.:]*\*\*.+?\*\*[\s.:]*(\([^()]*\))?[\s.:]*")  # **Find the mask** (`find_mask`).
WHERE = re.compile(r"the function (`\w+`) in `[^`]+`")  # of no use to who looks at a slide
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
        shown = [text for text in self.shown if text.strip("* .:") != self.title]
        asked = next((n for n, text in enumerate(shown, 1) if text.startswith("*Predict")), len(shown))
        answer = ['<div class="fragment">', *shown[asked:], "</div>"] if shown[asked:] else []
        notes = ['<aside class="notes">', *self.notes, "</aside>"] if self.notes else []
        return "\n\n".join([f"## {self.title}", *shown[:asked], *answer, *notes])


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
    pictures = list(PICTURE.finditer(block.text))
    if block.kind in ("bullet_list", "ordered_list") and BOLD.search(block.text):
        items = [item for item in ITEM.split(block.text) if BOLD.search(item)]
        slide.shown.append("\n".join(f"- {told(item)}" for item in items))
        slide.notes.append(block.text)
    elif block.kind != "paragraph":
        slide.shown.append(block.text)
    elif pictures:
        slide.shown += [picture[0] for picture in pictures]
        slide.notes += [f"*The picture:* {' '.join(picture[1].split())}." for picture in pictures]
    else:
        slide.shown += [sentence for sentence in sentences(block.text) if BOLD.search(sentence)]
        slide.notes.append(block.text)


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`, each on one line; a phrase in bold is never cut."""
    flat, found, start = WHERE.sub(r"\1", " ".join(text.split())), [], 0
    phrases = [phrase.span() for phrase in BOLD.finditer(flat)]
    for end in SENTENCE_ENDS.finditer(flat):
        if not any(first < end.end() < last for first, last in phrases):
            found.append(flat[start : end.end()].strip())
            start = end.end()
    return [*found, flat[start:].strip()] if flat[start:].strip() else found


def told(item: str) -> str:
    """Return what a slide shows of an item of a list: its phrase in bold, and a sentence about it."""
    found = sentences(item)
    first = next(i for i, sentence in enumerate(found) if BOLD.search(sentence))
    last = first + 1 if NAME_ONLY.fullmatch(found[first]) else first
    shown = " ".join(found[first : last + 1])
    return f"{shown[:-1]}." if shown.endswith(":") else shown


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
