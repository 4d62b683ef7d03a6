"""What the site's search shows of each page: what its sections say, in a script, since a page on disk reads no other.

`tools/site/_static/search.js` takes an excerpt from them for each hit, and says what kind of page it is on.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

FILE = "_static/search_texts.js"
KINDS = {"lessons": "lesson", "notebooks": "notebook", "api": "package"}  # by the page's folder
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNREAD = {"script", "style", "h1", "h2", "h3", "h4"}  # a heading is the hit's own title
BLOCKS = {"p", "li", "td", "th", "div", "pre", "summary", "figcaption", "dd", "dt"}


class Sections(HTMLParser):
    """The texts of an article, and its code, by the id of the innermost section they stand in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.code: dict[str, str] = {}
        self.open: list[tuple[str, str]] = []  # (tag, id of the section or "")
        self.feed(html)
        self.texts, self.code = (
            {name: " ".join(text.split()) for name, text in found.items() if text.strip()}
            for found in (self.texts, self.code)
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go one tag deeper."""
        values = dict(attrs)
        if tag not in VOID:
            self.open.append((tag, values.get("id") or "" if tag == "section" else ""))

    def handle_endtag(self, tag: str) -> None:
        """Come back to where the tag began."""
        if tag in BLOCKS:
            self.handle_data(" ")
        if tag in [name for name, _ in self.open]:
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Take the text down, if it is read."""
        tags = [tag for tag, _ in self.open]
        section = next((name for _, name in reversed(self.open) if name), "")
        if "article" in tags and section and not UNREAD & set(tags):
            found = self.code if "pre" in tags else self.texts
            found[section] = found.get(section, "") + data


def search_texts(out: Path) -> dict[str, dict[str, object]]:
    """Return {page: {"kind": ..., "texts": ..., "code": ...}}, both by section, of the site in the folder `out`."""
    found = {}
    for path in sorted(out.rglob("*.html")):
        page = path.relative_to(out)
        if page.parts[0] not in ("_static", "slides"):
            read = Sections(plain(path.read_text(encoding="utf-8")))
            kind = KINDS.get(page.parts[0], "page")
            found[page.with_suffix("").as_posix()] = {"kind": kind, "texts": read.texts, "code": read.code}
    return found


def plain(html: str) -> str:
    """Return a page without what says nothing in an excerpt: marks around formulas, signs of links, buttons, badges."""
    html = re.sub(r'(?s)<a class="headerlink".*?</a>|<p class="slides">.*?</p>', "", html)
    html = re.sub(r">Open (?:in Colab|on Binder)<", "><", html)
    return re.sub(r"\\[\[\]()]", " ", html)


def write_search_texts(out: Path) -> None:
    """Write the script with the texts into the site in the folder `out`."""
    told = json.dumps(search_texts(out), ensure_ascii=False, separators=(",", ":"))
    (out / FILE).write_text(f"SearchTexts = {told};\n", encoding="utf-8")
