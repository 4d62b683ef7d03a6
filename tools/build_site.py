"""Turn the lessons and the executed notebooks into a web site that works from disk, with slides for each lesson.

    python tools/build_site.py               writes build/site; open build/site/index.html
    python tools/build_site.py --draft       the same while figures, notebooks or numbers are still missing
    python tools/build_site.py --out FOLDER  another place

Nothing is run and nothing is fetched, neither now nor when the site is read. Measured numbers in a lesson are taken
from results/ (tools/fill_lessons.py); marks in a lesson say what is on its slides (tools/slides.py); pages list the
package from its docstrings (tools/api.py); the reading list is a page; the search shows excerpts
(tools/search_texts.py). The build fails on a broken link, a picture without alt text, anything that a page would fetch
from the network, a page that the table of contents does not list, and on every warning of Sphinx. Needs the packages of
the extra "site" in pyproject.toml.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from html.parser import HTMLParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

import search_texts

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "site"
SETTINGS = Path(__file__).resolve().parent / "site"
SITE = ("sphinx", "myst-nb", "sphinx-book-theme", "sphinx-revealjs", "sphinx-mathjax-offline")
PACKAGES = (*SITE, "jupytext", "nbclient", "nbformat")
HOW = f'{sys.executable} -m pip install -c requirements-tested.txt -e ".[test,site]"'
STAMP = ".made_by_build_site"
BADGE = re.compile(r"\[!\[([^\]]*)\]\(https?://[^)]*\)\]")  # a picture from elsewhere, as a link's text
LINK = re.compile(r"(?s)(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
HTML_SOURCE = re.compile(r"<(?:img|source|video|audio)\b[^>]*?\ssrc=[\"'](?!\w+:)([^\"']+)")
PAGE_NAME = re.compile(r"(\d\d)_\w+")
READING = "docs/reading_list.md"
UNUSED = ("**/*.map", "slides/_static/revealjs/css", "slides/_static/revealjs/dist/theme",
          "slides/_static/revealjs/dist/*.esm.js", "slides/_static/revealjs/plugin/[!n]*", "slides/_sources",
          "_sources", "**/_static/locales", "**/objects.inv", "**/.buildinfo")  # fmt: skip


def missing_packages() -> list[str]:
    """Return the names of the packages that the build needs and that are not installed."""

    def missing(name: str) -> bool:
        try:
            return not distribution(name)
        except PackageNotFoundError:
            return True

    return [name for name in PACKAGES if missing(name)]


class Course:
    """The files of a site, gathered from a repository into a folder in which Sphinx finds them."""

    def __init__(self, root: Path, stage: Path, draft: bool = False) -> None:
        """`root` holds lessons/, notebooks/ and perhaps a README.md; `stage` is an empty folder to write to."""
        self.root, self.stage, self.draft = root, stage, draft
        self.lessons = self.pages("lessons", ".md")
        self.notebooks = self.pages("notebooks", ".ipynb")
        self.reading = self.root / READING
        self.decks: list[str] = []
        self.beside: set[Path] = set()  # files that HTML in a text refers to, which Sphinx does not copy
        self.problems: list[str] = []

    def pages(self, folder: str, suffix: str) -> dict[str, Path]:
        """Return {name: path} of the files of `folder` that are called NN_name, sorted."""
        found = sorted((self.root / folder).glob(f"*{suffix}"))
        return {path.stem: path for path in found if PAGE_NAME.fullmatch(path.stem)}

    def gather(self) -> None:
        """Write everything that Sphinx needs below `stage`: pages/ for the site, decks/ for the slides."""
        if not self.lessons and not self.notebooks:
            raise FileNotFoundError(f"{self.root} has no lessons/NN_name.md and no notebooks/NN_name.ipynb")
        for name, path in self.lessons.items():
            self.add_lesson(name, path)
        for path in self.notebooks.values():
            self.add_notebook(path)
        if self.reading.is_file():
            self.write(f"pages/{READING}", self.checked(self.reading.read_text(encoding="utf-8"), self.reading))
        for name, text in self.api().items():
            self.write(f"pages/api/{name}.md", text)
        self.write("pages/index.md", self.front_page())
        listed = "".join(f"{name}\n" for name in self.decks)
        self.write("decks/index.md", f"# Slides\n\n## All lessons\n\n```{{toctree}}\n:titlesonly:\n{listed}```\n")

    def api(self) -> dict[str, str]:
        """Return the pages that list the package, {name: Markdown}; none where the repository has no package."""
        from api import api_pages

        package = self.root / "helpers"
        return api_pages(package) if (package / "__init__.py").is_file() else {}

    def write(self, name: str, text: str) -> None:
        """Write `text` to a file below `stage`."""
        path = self.stage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def add_lesson(self, name: str, path: Path) -> None:
        """Write a lesson with its numbers filled in, and its slides."""
        from slides import deck

        text = self.checked(self.filled(path.read_text(encoding="utf-8"), path), path)
        try:
            slides = deck(text, home=f"../lessons/{name}.html")
        except ValueError as error:
            self.complain(path, str(error))
            slides = ""
        if slides:
            self.decks.append(name)
            self.write(f"decks/{name}.md", slides)
            button = f'<p class="slides"><a href="../slides/{name}.html">Slides of this lesson</a></p>'
            text = re.sub(r"(?m)^(# .*\n)", lambda found: f"{found[1]}\n{button}\n", text, count=1)
        tree = f"\n```{{toctree}}\n:hidden:\nNotebook <../notebooks/{name}>\n```\n"
        self.write(f"pages/lessons/{name}.md", text + (tree if name in self.notebooks else ""))

    def add_notebook(self, path: Path) -> None:
        """Write a notebook whose texts hold no picture from elsewhere."""
        import nbformat

        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self.checked(cell.source, path)
        self.write(f"pages/notebooks/{path.name}", nbformat.writes(notebook))

    def filled(self, text: str, path: Path) -> str:
        """Return `text` with its measured numbers written in; a number that results/ lacks is a problem."""
        from build_notebooks import MEASURED, filled
        from fill_lessons import bare

        def number(found: re.Match[str]) -> str:
            try:
                return filled(found[0])
            except ValueError as error:
                return self.missing(path, str(error), "(not measured yet)")

        return MEASURED.sub(number, bare(text))

    def checked(self, text: str, path: Path) -> str:
        """Return Markdown `text` of the file `path` without badges; stages the files it refers to, notes problems."""
        from build_notebooks import markdown_problems

        for problem in markdown_problems(text):
            self.complain(path, problem)
        files = {(path.parent / unquote(address)).resolve() for address in HTML_SOURCE.findall(text)}
        self.beside |= {file for file in files if file.is_file() and file.is_relative_to(self.root)}
        return LINK.sub(lambda found: self.linked(found, path), BADGE.sub(r"[\1]", text))

    def linked(self, found: re.Match[str], path: Path) -> str:
        """Return one link or picture of the file `path` as the site has it."""
        picture, words, target = found.groups()
        if urlsplit(target).scheme or target.startswith("#"):
            return found[0]
        file = (path.parent / unquote(target.partition("#")[0])).resolve()
        if not file.is_file() or not file.is_relative_to(self.root):
            plain = " ".join(words.split())
            instead = f"**{plain} (coming)**" if picture else f"*{plain} (coming)*"
            return self.missing(path, f"refers to {target}, which is not there", instead)
        if file not in (*self.lessons.values(), *self.notebooks.values(), self.reading):
            self.copy(file, picture, path)
        return found[0]

    def copy(self, file: Path, picture: str, path: Path) -> None:
        """Copy a file that a page refers to: a picture also for the slides, anything else as a download."""
        places = [self.stage / "pages" / file.relative_to(self.root)]
        if picture and file.is_relative_to(self.root / "lessons"):
            places.append(self.stage / "decks" / file.relative_to(self.root / "lessons"))
        elif picture and path.parent.name == "lessons":
            self.complain(path, f"its picture {file.name} should lie below lessons/, where the slides find it")
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)

    def missing(self, path: Path, problem: str, instead: str) -> str:
        """Note a thing that is not there yet, unless this is a draft; return the words that stand for it."""
        if not self.draft:
            self.complain(path, f"{problem} (--draft builds without it)")
        return instead

    def complain(self, path: Path, problem: str) -> None:
        """Note a problem of the file `path`."""
        self.problems.append(f"{path.relative_to(self.root)}: {problem}")

    def front_page(self) -> str:
        """Return the first page: how the README begins, a table of the lessons, the table of contents."""
        readme = self.root / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.is_file() else "# Lessons\n"
        top = re.sub(r"(?m)^\s*\[!\[.*\n", "", text.partition("\n## ")[0])  # without the line of badges
        learn = dict(re.findall(r"(?m)^\| (\d+) \|[^|]*\| ([^|]*) \|$", text))
        names = sorted({*self.lessons, *self.notebooks})
        rows = [f"| {int(name[:2])} | {self.links(name)} | {learn.get(str(int(name[:2])), '')} |\n" for name in names]
        table = "| | lesson | you will learn |\n|---|---|---|\n" + "".join(rows)
        tree = "".join(f"{'lessons' if name in self.lessons else 'notebooks'}/{name}\n" for name in names)
        tree += "".join(
            f"{name}\n" for name in ("docs/reading_list", "api/index") if (self.stage / f"pages/{name}.md").is_file()
        )
        reading = f"[What to read, and for what]({READING})" if self.reading.is_file() else ""
        parts = [
            self.checked(top, readme).strip(),
            "## Lessons",
            table,
            reading,
            f"```{{toctree}}\n:hidden:\n{tree}```",
        ]
        return "\n\n".join(parts) + "\n"

    def links(self, name: str) -> str:
        """Return the links to one lesson's text, notebook and slides as Markdown."""
        title = self.title(name)
        if name not in self.lessons:
            return f"[{title}](notebooks/{name}.ipynb) (notebook)"
        found = [f"[{title}](lessons/{name}.md)"]
        found += [f"[notebook](notebooks/{name}.ipynb)"] if name in self.notebooks else []
        found += [f'<a href="slides/{name}.html">slides</a>'] if name in self.decks else []
        return ", ".join(found)

    def title(self, name: str) -> str:
        """Return a lesson's title without its number."""
        import nbformat

        if name in self.lessons:
            text = self.lessons[name].read_text(encoding="utf-8")
        else:
            text = nbformat.read(self.notebooks[name], as_version=4).cells[0].source
        heading = re.search(r"(?m)^# (?:\d+\. )?(.+)$", text)
        return heading[1] if heading else name


# --------------------------------------------------------------------------------------------------- the pages as made


class Page(HTMLParser):
    """What a page holds: its ids, its links, what it would fetch, its pictures, its style."""

    FETCHED = {**dict.fromkeys("script img iframe video audio source embed input track".split(), "src"),
               "object": "data", "image": "href", "use": "href"}  # fmt: skip
    NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author", "license", "alternate"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.style = ""
        self.in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one tag brings."""
        values = dict(attrs)
        self.ids |= {value for key in ("id", "name") if (value := values.get(key))}
        self.style += (values.get("style") or "") + "\n"
        self.in_style = tag == "style"
        if tag == "a":
            self.links.append(values.get("href") or "#")
        if tag == "img":
            self.pictures.append(values)
        if tag == "link" and not set((values.get("rel") or "").split()) & self.NOT_FETCHED:
            self.fetched.append(values.get("href") or "")
        self.fetched.append(values.get(self.FETCHED.get(tag, "")) or "")
        self.fetched += [each.split()[0] for each in (values.get("srcset") or "").split(",") if each.strip()]

    def handle_endtag(self, tag: str) -> None:
        """Note where a style sheet ends."""
        self.in_style &= tag != "style"

    def handle_data(self, data: str) -> None:
        """Note the text of a style sheet."""
        self.style += data if self.in_style else ""


def style_addresses(css: str) -> list[str]:
    """Return the addresses that a style sheet fetches."""
    css = re.sub(r"(?s)/\*.*?\*/", "", css)
    found = re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", css)
    return [first or second for first, second in found]


def site_problems(out: Path) -> list[str]:
    """Return what is wrong with the site in the folder `out`, one sentence each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(out.rglob("*.html"))}
    pages = {path: page for path, page in pages.items() if "_static" not in path.parts}
    found = [f"{path.relative_to(out)}: {what}" for path in pages for what in page_problems(path, pages)]
    for sheet in out.rglob("*.css"):
        strangers = filter(is_remote, style_addresses(sheet.read_text(encoding="utf-8")))
        found += [f"{sheet.relative_to(out)}: would fetch {address}" for address in strangers]
    return found + [f"{name}: not in the table of contents" for name in unlisted(out, pages)]


def page_problems(path: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Yield what is wrong with one page."""
    page = pages[path]
    for address in (*page.fetched, *style_addresses(page.style)):
        if is_remote(address):
            yield f"would fetch {address}"
        elif not target(path, address).exists():
            yield f"needs {address}, which is not there"
    for picture in page.pictures:
        alt = (picture.get("alt") or "").strip()
        if not alt or alt in (picture.get("src") or ""):
            yield f"the picture {(picture.get('src') or '')[:60]} has no alt text"
    for address in page.links:
        if not urlsplit(address).scheme and not leads_somewhere(path, address, pages):
            yield f"the link {address} leads nowhere"


def is_remote(address: str) -> bool:
    """Return whether a browser would leave this machine to get `address`."""
    return urlsplit(address).scheme in ("http", "https", "ws", "wss", "ftp") or address.startswith("//")


def target(path: Path, address: str) -> Path:
    """Return the file that a relative `address` on the page `path` means; the page itself for a data address."""
    parts = urlsplit(address)
    return path if parts.scheme or not parts.path else path.parent / unquote(parts.path)


def leads_somewhere(path: Path, address: str, pages: dict[Path, Page]) -> bool:
    """Return whether a link leads to a file that is there, and to an id that is on that page."""
    file = target(path, address).resolve()
    fragment = unquote(urlsplit(address).fragment)
    on_slides = file in pages and fragment.startswith("/")  # reveal.js's own addresses: #/3
    return file.is_file() and (not fragment or on_slides or file not in pages or fragment in pages[file].ids)


def unlisted(out: Path, pages: dict[Path, Page]) -> list[str]:
    """Return the pages to which the first page does not lead over its table of contents, slides left aside."""
    first = pages.get(out / "index.html")
    listed = {target(out / "index.html", address).resolve() for address in first.links} if first else set()
    aside = {out / "index.html", out / "search.html"}
    return [str(path.relative_to(out)) for path in pages if path not in listed | aside
            and path.parent.name != "slides"]  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- the build


def run_sphinx(source: Path, out: Path, builder: str) -> list[str]:
    """Build the Markdown and notebooks of `source` into `out`; return Sphinx's warnings and errors."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    try:
        with patch_docutils(str(SETTINGS)), docutils_namespace(), redirect_stderr(warnings):
            doctrees = source.parent / f"{builder}-doctrees"
            app = Sphinx(source, SETTINGS, out, doctrees, builder, status=None, warning=warnings, freshenv=True)
            app.build(force_all=True)
    except SphinxError as error:
        warnings.write(f"{error.category}: {error}\n")
    plain = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue()).replace(f"{source}/", "")
    return [line for line in plain.splitlines() if line.strip()]


def build(root: Path, out: Path, draft: bool = False) -> list[str]:
    """Build the site of the repository `root` into `out`; return its problems, an empty list if it has none.

    Raises FileExistsError where `out` holds something that this tool has not made.
    """
    clear(out)
    with tempfile.TemporaryDirectory() as folder:
        course = Course(root.resolve(), Path(folder), draft)
        course.gather()
        found = course.problems + run_sphinx(course.stage / "pages", out, "html")
        search_texts.write(out)
        if course.decks:
            found += run_sphinx(course.stage / "decks", out / "slides", "revealjs")
        for file in course.beside:
            place = out / file.relative_to(course.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    for pattern in UNUSED:
        for path in out.glob(pattern):
            remover(path)(path)
    return found + site_problems(out.resolve())


def remover(path: Path) -> Callable[[Path], None]:
    """Return the function that removes `path`."""
    return shutil.rmtree if path.is_dir() else Path.unlink


def clear(out: Path) -> None:
    """Make `out` an empty folder; raises FileExistsError where this tool has not made what is in it."""
    if out.exists() and any(out.iterdir()) and not (out / STAMP).is_file():
        raise FileExistsError(f"{out} holds files that are not of a site; name another --out, or empty it yourself")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / STAMP).touch()


def main() -> int:
    """Build the site that the command line asks for; return 1 if something is wrong with it."""
    parser = argparse.ArgumentParser(description="Build the web site and the slides of the course.")
    parser.add_argument("--out", type=Path, default=OUT, help="where to write; default: build/site")
    parser.add_argument("--draft", action="store_true", help="go on where a notebook, a figure or a number is missing")
    arguments = parser.parse_args()
    if missing := missing_packages():
        print(f"The site needs {', '.join(missing)}. Install what it needs with:\n    {HOW}", file=sys.stderr)
        return 1
    try:
        found = build(ROOT, arguments.out.resolve(), arguments.draft)
    except (FileExistsError, FileNotFoundError) as error:
        found = [str(error)]
    print("\n".join(found) or f"In order: {arguments.out / 'index.html'}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
