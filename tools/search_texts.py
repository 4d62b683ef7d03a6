"""What the site's search shows of a page: its text, section by section, in a file that a page on disk may read.

    write(out)    reads the pages of a built site in the folder `out`, writes out/_static/search_texts.js

A browser does not let a page on disk read another page, but it runs a script that lies beside it. So the texts are one:
`SEARCH_TEXTS = {"lessons/02_noise_and_denoise": [["the-idea", "The idea", "Do not start from ...", ""], ...], ...}`,
where each section has its id, its heading, its prose and its code. site/_static/search.js shows an excerpt below each
hit, of the prose if it can.
"""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

FILE = "_static/search_texts.js"
HEADING, PROSE, CODE = 1, 2, 3  # places in what is told of a section
PLACES = {f"h{n}": HEADING for n in range(1, 7)} | {"pre": CODE}
LEFT_OUT = {"script", "style", "button", "svg"}
VOID = {"img", "br", "hr", "input", "meta", "link", "source", "col", "wbr"}
SEPARATE = {"p", "li", "td", "th", "pre", "dt", "dd", "figcaption", "summary", *PLACES}


class Sections(HTMLParser):
    """The sections of a page's article: [id, heading, prose, code]; formulas stand as three dots."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self.inside = 0  # how deep in the article
        self.silent = 0  # how deep in something that is left out
        self.place = PROSE
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a section begins, and what is to be left out."""
        values, classes = dict(attrs), (dict(attrs).get("class") or "").split()
        if tag == "article" and "bd-article" in classes:
            self.inside = 1
        elif not self.inside or tag in VOID:
            return
        elif self.silent:
            self.silent += 1
        elif tag in LEFT_OUT or {"headerlink", "math", "slides"} & set(classes):
            self.silent = 1
            self.handle_data(" ... " if "math" in classes else "", kept=True)
        elif tag == "section":
            self.found.append([values.get("id") or "", "", "", ""])
        if tag in PLACES and not self.silent:
            self.place = PLACES[tag]

    def handle_endtag(self, tag: str) -> None:
        """Note where something ends."""
        if self.silent:
            self.silent -= 1
        elif tag == "article":
            self.inside = 0
        if tag in SEPARATE:
            self.handle_data(" ")
        if tag in PLACES:
            self.place = PROSE

    def handle_data(self, data: str, kept: bool = False) -> None:
        """Add a piece of text to the section it stands in."""
        if self.inside and self.found and (kept or not self.silent):
            self.found[-1][self.place] += data


def sections(html: str) -> list[list[str]]:
    """Return [id, heading, prose, code] of each section of a page, with single spaces."""
    return [[" ".join(part.split()) for part in section] for section in Sections(html).found]


def write(out: Path) -> None:
    """Write the texts of the site in the folder `out`."""
    pages = [path for path in sorted(out.rglob("*.html")) if not {"_static", "slides"} & set(path.parts)]
    texts = {path.relative_to(out).with_suffix("").as_posix(): sections(path.read_text(encoding="utf-8"))
             for path in pages if path.name != "search.html"}
    (out / FILE).write_text(f"var SEARCH_TEXTS = {json.dumps(texts, ensure_ascii=False)};\n", encoding="utf-8")
