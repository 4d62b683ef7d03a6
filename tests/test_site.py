"""The web site and the slides: nothing is fetched or missing, pages are found, slides hold what the lesson marks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browser import chromium
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import build_notebooks
import build_site
import search_texts
from build_site import Course, Page, build, page_problems, site_problems
from slides import deck, slides

# Sphinx's extensions use names that Sphinx will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
MISSING = build_site.missing_packages()
needs_packages = pytest.mark.skipif(bool(MISSING), reason=f"the site needs {', '.join(MISSING)}: {build_site.HOW}")
needs_browser = pytest.mark.skipif(not chromium.find(), reason=chromium.HOW.replace("the widgets'", "the site's"))
LESSONS = sorted((build_site.ROOT / "lessons").glob("[0-9][0-9]_*.md"))
# Until a lesson is measured, its figures and its notebook may be missing.
MEASURED = all((build_site.ROOT / "results" / f"lesson{path.name[:2]}.json").is_file() for path in LESSONS)
LESSON = r"""# 3. Wolves

Notebook: [the notebook](../notebooks/03_wolves.ipynb); the idea is [below](#the-idea).

## The idea

<!-- slide -->
<!-- on the slide: *Predict: are they?* -->
<!-- notes: Ask first. -->

Some prose. **Wolves are
loud.** More prose, with {{lesson77.n}} wolves.

$$\alpha = \frac{1}{2}$$

![A wolf - notice the ears](figures/wolf.png)

- **First.** Because.
- Second.

<!-- end of slide -->

Left out, **bold or not**.

<!-- slide: Table and list -->
<!-- on the slide: Only in class. -->

| a | b |
|---|---|
| 1 | 2 |

1. one
2. two

<details><summary>A question</summary>

**Folded** answer.
</details>

## Elsewhere

On **no** slide.
"""


def tree(root: Path, lesson: str = LESSON) -> Path:
    """Write a repository of one lesson and one notebook to `root`; return it."""
    for folder in ("lessons/figures", "notebooks"):
        (root / folder).mkdir(parents=True)
    readme = "# Animals\n\n[![Badge](https://a.b/c.svg)](https://a.b)\n\nHello.\n\n## Start\n"
    (root / "README.md").write_text(readme, encoding="utf-8")
    (root / "lessons/03_wolves.md").write_text(lesson, encoding="utf-8")
    from PIL import Image

    Image.new("RGB", (40, 30), "gray").save(root / "lessons/figures/wolf.png")
    html = "<figure><img src='data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=' alt='a dot'></figure>"
    html += "<b id='live'></b><script>document.getElementById('live').textContent = 'it lives'</script>"
    output = new_output("execute_result", data={"text/html": html, "text/plain": "a dot"}, execution_count=1)
    badge = "[![Open](https://a.b/c.svg)](https://a.b/run)"
    cells = [new_markdown_cell(f"# 3. Wolves, tried\n\n{badge} howling $x^2$"),
             new_code_cell("dot()", outputs=[output], execution_count=1)]  # fmt: skip
    nbformat.write(new_notebook(cells=cells, metadata=build_notebooks.METADATA), root / "notebooks/03_wolves.ipynb")
    return root


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder results/ with one number."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "lesson77.json").write_text(json.dumps({"n": 4321}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_notebooks, "RESULTS", folder)
        yield folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, results: Path) -> Path:
    """The site of a repository of one lesson and one notebook."""
    folder = tmp_path_factory.mktemp("small")
    assert build(tree(folder / "source"), folder / "site") == []
    return folder / "site"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this repository."""
    out = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_notebooks, "RESULTS", build_site.ROOT / "results")  # another fixture may have changed it
        assert build(build_site.ROOT, out, draft=not MEASURED) == []
    return out


@pytest.fixture(params=["small", "real"])
def site(request: pytest.FixtureRequest) -> Path:
    """Each of the two sites in turn."""
    return request.getfixturevalue(request.param)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------------ the slides


def test_a_slide_holds_what_is_marked_and_the_speaker_reads_the_rest():
    idea, table = slides(LESSON)
    assert (idea.title, table.title) == ("The idea", "Table and list")
    assert idea.shown[:2] == ["*Predict: are they?*", "**Wolves are loud.**"]
    assert idea.shown[2:4] == [r"$$\alpha = \frac{1}{2}$$", "![A wolf - notice the ears](figures/wolf.png)"]
    assert idea.shown[4:] == ["- **First.** Because."]
    assert idea.notes[0] == "Ask first." and "More prose" in idea.notes[1] and "notice the ears" in idea.notes[2]
    assert table.shown[0] == "Only in class." and table.shown[1].startswith("| a | b |")
    assert table.shown[2] == "1. one\n2. two" and table.shown[3].endswith("**Folded** answer.\n</details>")
    assert len(table.shown) == 4 and not table.notes


def test_a_deck_holds_no_text_from_outside_its_slides_and_no_link_into_the_repository():
    made = deck(LESSON.replace("Some prose.", "See [this file](../README.md), [that page](https://a.b)."), "home.html")
    assert "bold or not" not in made and "On **no** slide" not in made and "Only in class." in made
    assert "See this file, [that page](https://a.b)." in made and 'href="home.html"' in made
    assert made.startswith("# 3. Wolves\n")


def test_what_follows_a_prediction_appears_at_the_next_click():
    (slide,) = slides("## B\n\n<!-- slide -->\n<!-- on the slide: *Predict: what?* -->\n\n**This.** And so on.\n")
    asked, _, answer = slide.markdown().partition('<div class="fragment">')
    assert "*Predict: what?*" in asked and "This." not in asked
    assert answer.partition("</div>")[0].strip() == "**This.**"


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ("**It drifts.** Noise falls everywhere. (Lesson 3: a mask.)", "**It drifts.** Noise falls everywhere."),
        ("**Beyond 1** the picture goes. Look.", "**Beyond 1** the picture goes."),
        ("**Find it** (`find`). Look everywhere. Then stop.", "**Find it** (`find`). Look everywhere."),
        ("**Two. Sentences.** And why. And more.", "**Two. Sentences.** And why."),
        ("**Not every kind gains.** Some\n  lose:", "**Not every kind gains.** Some lose."),
        ("**Alone.**", "**Alone.**"),
        ("See. **Here** (the function `a` in `b/c.py`), too.", "**Here** (`a`), too."),
    ],
)
def test_an_item_of_a_slide_says_something_and_is_no_keyword(item, shown):
    (slide,) = slides(f"## B\n\n<!-- slide -->\n\n- {item}\n- no phrase in bold\n")
    assert slide.shown == [f"- {shown}"]


def test_of_a_paragraph_the_sentence_with_the_phrase_in_bold_is_shown_whole():
    (slide,) = slides("## B\n\n<!-- slide -->\n\nFirst. So **it enters\nthe state**, and stays. Last.\n")
    assert slide.shown == ["So **it enters the state**, and stays."]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_where_it_fails_is_said_in_sentences(path):
    (fails,) = [slide for slide in slides(read(path)) if slide.title == "Where it fails"]
    for item in fails.shown[0].removeprefix("- ").split("\n- "):
        assert item.endswith(".") and len(item.split()) > 3, item


def test_a_lesson_without_marks_has_no_deck():
    assert deck("# A lesson\n\n## The idea\n\n**Bold.** Not.\n") == ""


@pytest.mark.parametrize(
    "mark", ["<!-- slides -->", "<!-- Slide -->", "<!-- note: hello -->", "<!-- end of slides -->", "<!-- notes -->"]
)
def test_a_misspelt_or_empty_mark_is_refused_by_name(mark):
    with pytest.raises(ValueError, match=mark):
        deck(LESSON.replace("<!-- notes: Ask first. -->", mark))


def test_notes_that_belong_to_no_slide_are_refused():
    with pytest.raises(ValueError, match="stands on no slide"):
        deck(LESSON.replace("## Elsewhere", "## Elsewhere\n\n<!-- notes: lost -->"))


# ------------------------------------------------------------------------------------------------- what is gathered


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("../notebooks/03_wolves.ipynb", "../notebooks/04_bears.ipynb", "04_bears.ipynb, which is not there"),
        ("figures/wolf.png", "figures/bear.png", "figures/bear.png, which is not there"),
        ("![A wolf - notice the ears]", "![]", "without alt text"),
        ("lesson77.n", "lesson77.m", "holds no number there"),
        ("lesson77.n", "lesson78.n", "no results/lesson78.json"),
        ("<!-- slide -->", "<!-- slides -->", "no mark that"),
    ],
)
@needs_packages
def test_a_fault_in_a_lesson_is_named_with_its_file(tmp_path, results, old, new, complaint):
    (tmp_path / "stage").mkdir()
    course = Course(tree(tmp_path / "source", LESSON.replace(old, new)), tmp_path / "stage")
    course.gather()
    (found,) = course.problems
    assert found.startswith("lessons/03_wolves.md: ") and complaint in found


@needs_packages
def test_a_draft_goes_on_where_something_is_missing_and_says_so_on_the_page(tmp_path, results):
    text = LESSON.replace("figures/wolf.png", "figures/bear.png").replace("lesson77.n", "lesson78.n")
    course = Course(tree(tmp_path / "source", text), tmp_path / "stage", draft=True)
    course.gather()
    page, slide = (read(tmp_path / "stage" / kind / "03_wolves.md") for kind in ("pages/lessons", "decks"))
    assert course.problems == [] and "(not measured yet) wolves" in page
    assert "**A wolf - notice the ears (coming)**" in page and "**A wolf - notice the ears (coming)**" in slide


# ------------------------------------------------------------------------------------------------ what is found wrong


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<img src='data:,'>", "no alt text"),
        ("<img src='a.png' alt='a.png'>", "no alt text"),
        ("<script src='https://a.b/c.js'></script>", "would fetch https://a.b/c.js"),
        ("<link rel='stylesheet' href='//a.b/c.css'>", "would fetch //a.b/c.css"),
        ("<img alt='a' srcset='http://a.b/c.png 2x'>", "would fetch http://a.b/c.png"),
        ("<p style='background: url(https://a.b/c.png)'></p>", "would fetch https://a.b/c.png"),
        ("<style>@import 'https://a.b/c.css';</style>", "would fetch https://a.b/c.css"),
        ("<iframe src='https://a.b'></iframe>", "would fetch https://a.b"),
        ("<script src='lost.js'></script>", "needs lost.js"),
        ("<a href='lost.html'>x</a>", "lost.html leads nowhere"),
        ("<a href='#lost'>x</a>", "#lost leads nowhere"),
        ("<a href='page.html#lost'>x</a>", "page.html#lost leads nowhere"),
    ],
)
def test_what_would_be_fetched_or_is_missing_is_found(tmp_path, html, complaint):
    (tmp_path / "a.png").touch()
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    found = list(page_problems(tmp_path / "page.html", {tmp_path / "page.html": Page(html)}))
    assert len(found) == 1 and complaint in found[0]


def test_links_to_elsewhere_are_allowed_and_good_links_are_no_problem(tmp_path):
    html = "<link rel='canonical' href='https://a.b'><a href='https://a.b'>x</a><a href='#here' id='here'>y</a>"
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    assert list(page_problems(tmp_path / "page.html", {tmp_path / "page.html": Page(html)})) == []


def test_a_style_sheet_that_fetches_and_a_page_that_nobody_lists_are_found(tmp_path):
    (tmp_path / "index.html").write_text("<a href='listed.html'>x</a>", encoding="utf-8")
    (tmp_path / "listed.html").write_text("", encoding="utf-8")
    (tmp_path / "lost.html").write_text("", encoding="utf-8")
    css = "@font-face { src: url('https://a.b/c.woff2') } /* url(https://d) */"
    (tmp_path / "a.css").write_text(css, encoding="utf-8")
    assert site_problems(tmp_path) == [
        "a.css: would fetch https://a.b/c.woff2", "lost.html: not in the table of contents"
    ]  # fmt: skip


@needs_packages
def test_a_warning_of_sphinx_is_a_problem(tmp_path, results):
    source = tree(tmp_path / "source", "# 3. Wolves\n\n```{nonsense}\n```\n")
    found = build(source, tmp_path / "site")
    assert len(found) == 1 and "lessons/03_wolves.md" in found[0] and "nonsense" in found[0]


# ------------------------------------------------------------------------------------------------------- the command


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, capsys):
    def nothing(name):
        raise build_site.PackageNotFoundError(name)

    monkeypatch.setattr(build_site, "distribution", nothing)
    monkeypatch.setattr("sys.argv", ["build_site.py"])
    assert build_site.main() == 1
    told = capsys.readouterr().err
    assert "sphinx-revealjs" in told and "pip install" in told and "site" in told


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not of a site"):
        build_site.clear(tmp_path)
    assert read(tmp_path / "thesis.tex") == "years of work"


def test_an_old_site_is_replaced(tmp_path):
    build_site.clear(tmp_path / "site")
    (tmp_path / "site/old.html").touch()
    build_site.clear(tmp_path / "site")
    assert not (tmp_path / "site/old.html").exists()


# --------------------------------------------------------------------------------------------------------- the sites


@needs_packages
def test_every_page_is_in_the_table_of_contents(site):
    side = read(site / "index.html").partition('<nav class="bd-links')[2].partition("</nav>")[0]
    listed = {link for link in Page(side).links if link != "#"}
    written = {f"{path.parent.name}/{path.name}" for path in site.glob("[adln]*/*.html")}
    assert written and listed == written


@needs_packages
def test_every_lesson_and_notebook_is_a_page_and_has_words_in_the_search_index(site):
    index = read(site / "searchindex.js")
    pages = [path.relative_to(site).with_suffix("") for path in site.glob("[ln]*/*.html")]
    assert index.startswith("Search.setIndex(") and all(f'"{page}"' in index for page in pages)
    assert ("howl" if (site / "notebooks/03_wolves.html").exists() else "drown") in index


@needs_packages
def test_the_real_site_holds_every_lesson_and_notebook(real):
    for folder, suffix in (("lessons", "md"), ("notebooks", "ipynb")):
        sources = {path.stem for path in (build_site.ROOT / folder).glob(f"[0-9][0-9]_*.{suffix}")}
        assert sources == {path.stem for path in (real / folder).glob("*.html")}


@needs_packages
def test_the_real_site_shows_the_reading_list_and_leads_from_it_to_the_lessons(real):
    assert build_site.READING.replace(".md", ".html") in Page(read(real / "index.html")).links
    links = set(Page(read(real / build_site.READING.replace(".md", ".html"))).links)
    assert "https://arxiv.org/abs/2208.01626" in links
    assert {f"../lessons/{path.stem}.html" for path in LESSONS} <= links


@needs_packages
def test_the_real_site_lists_the_package_room_by_room(real):
    package = build_site.ROOT / "helpers"
    rooms = {"helpers", *(path.parent.name for path in package.glob("*/__init__.py"))}
    assert {path.stem for path in (real / "api").glob("*.html")} == {"index", *rooms}
    functions = re.findall(r"(?m)^def ([a-z]\w+)", read(package / "show/picture_figures.py"))
    assert functions and {name.replace("_", "-") for name in functions} <= Page(read(real / "api/show.html")).ids


@needs_packages
def test_numbers_are_those_of_the_results_and_notebooks_keep_their_outputs(small):
    assert "with 4321 wolves" in read(small / "lessons/03_wolves.html")
    notebook = read(small / "notebooks/03_wolves.html")
    assert "alt='a dot'" in notebook and 'href="https://a.b/run"' in notebook and "c.svg" not in notebook


@needs_packages
def test_lesson_notebook_and_slides_lead_to_each_other(small):
    for name in ("index.html", "lessons/03_wolves.html"):
        links = Page(read(small / name)).links
        assert any("slides/03_wolves.html" in link for link in links)
        assert any("notebooks/03_wolves.html" in link for link in links)
    assert "../lessons/03_wolves.html" in Page(read(small / "slides/03_wolves.html")).links


@needs_packages
def test_the_slides_show_what_the_lesson_marks(small):
    html = read(small / "slides/03_wolves.html")
    assert html.count("<h2>") == 2 and "Wolves are loud." in html and "Only in class." in html
    assert "bold or not" not in html and "no</strong> slide" not in html
    notes = html.partition('<aside class="notes">')[2].partition("</aside>")[0]
    assert "Ask first." in notes and "with 4321 wolves" in notes


def test_a_page_is_told_section_by_section_prose_before_code():
    html = """<nav><p>not this</p></nav><article class="bd-article"><section id="a">
      <h1>A<a class="headerlink">#</a></h1>
      <p>One<br>two <span class="math">\\(x\\)</span> three.</p><pre>load()</pre><p>Four.</p><script>no()</script>
      <section id="b"><h2>B</h2><ul><li>five</li><li>six</li></ul></section></section></article><p>nor this</p>"""
    assert search_texts.sections(html) == [["a", "A", "Onetwo ... three. Four.", "load()"], ["b", "B", "five six", ""]]


@needs_packages
def test_every_page_has_a_text_for_the_search(site):
    told = json.loads(read(site / search_texts.FILE).removeprefix("var SEARCH_TEXTS = ").rstrip(";\n"))
    pages = {path.relative_to(site).with_suffix("").as_posix() for path in site.glob("[adln]*/*.html")}
    assert pages <= set(told) and all(any(section[2] for section in told[page]) for page in pages)
    assert not any("data:image" in part for page in told.values() for section in page for part in section)


# ------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page as wide as a phone; fails at the end if it asked for anything but files or if a script failed."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(120_000)
    asked, errors, opened = [], [], context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == [] and errors == []


@needs_packages
@needs_browser
@pytest.mark.browser
def test_every_page_fits_on_a_phone_and_its_maths_is_drawn(real, page):
    for path in sorted(real.rglob("*.html")):
        if "_static" in path.parts or path.parent.name == "slides":
            continue
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path.name
        if formulas := page.locator(".math").count():
            page.wait_for_function("document.querySelectorAll('.math mjx-container svg').length")
            page.evaluate("MathJax.startup.promise")
            assert page.locator(".math mjx-container svg").count() >= formulas
            assert page.locator("mjx-merror, [data-mml-node=merror]").count() == 0


# How far down a slide something stands, and how large its figures are, both in pixels of the slide.
LOWEST = """(() => {
  const slide = Reveal.getCurrentSlide(), zoom = Reveal.getScale(), top = slide.getBoundingClientRect().top;
  const parts = [...slide.querySelectorAll(":is(p, li, table, .math, summary):not(.notes *)")];
  return Math.max(...parts.map((part) => (part.getBoundingClientRect().bottom - top) / zoom));
})()"""
PICTURES = """[...Reveal.getCurrentSlide().querySelectorAll("img")].map((it) => {
  const scale = Math.min(it.clientWidth / it.naturalWidth, it.clientHeight / it.naturalHeight);
  return [it.naturalWidth * scale, it.naturalHeight * scale].map(Math.round);
})"""


@needs_packages
@needs_browser
@pytest.mark.browser
def test_every_slide_fits_on_the_screen_and_its_maths_is_drawn(real, page):
    page.set_viewport_size({"width": 1280, "height": 720})
    for path in sorted((real / "slides").glob("[0-9]*.html")):
        page.goto(path.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady() && window.MathJax && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise")
        assert page.locator("[data-mml-node=merror]").count() == 0
        for number in range(page.evaluate("Reveal.getTotalSlides()")):
            page.evaluate(f"Reveal.slide({number})")
            page.evaluate("Reveal.getCurrentSlide().querySelectorAll('details').forEach((d) => { d.open = true; })")
            high, wide = page.evaluate("[Reveal.getCurrentSlide().scrollHeight, Reveal.getCurrentSlide().scrollWidth]")
            assert high <= 720 and wide <= 1280, f"{path.name}, slide {number + 1}: {wide} x {high}"
            lowest = page.evaluate(LOWEST) if number else 720  # the first is the title
            assert lowest > 360, f"{path.name}, slide {number + 1} is empty below {lowest:.0f}"
            for wide, high in page.evaluate(PICTURES):
                assert wide >= 640 or high >= 480, f"{path.name}, slide {number + 1}: a figure of {wide} x {high}"
            formulas = page.evaluate("Reveal.getCurrentSlide().querySelectorAll('.math').length")
            drawn = page.evaluate("Reveal.getCurrentSlide().querySelectorAll('.math svg').length")
            assert drawn >= formulas


@needs_packages
@needs_browser
@pytest.mark.browser
def test_an_answer_is_hidden_until_the_next_click(small, page):
    page.goto((small / "slides/03_wolves.html").as_uri() + "#/1")
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert not page.evaluate("Reveal.getCurrentSlide().querySelector('.fragment').classList.contains('visible')")
    page.evaluate("Reveal.next()")
    assert page.evaluate("Reveal.getCurrentSlide().querySelector('.fragment').classList.contains('visible')")


@needs_packages
@needs_browser
@pytest.mark.browser
def test_a_widgets_script_runs_without_a_kernel(small, page):
    page.goto((small / "notebooks/03_wolves.html").as_uri())
    assert page.locator("#live").inner_text() == "it lives"


@needs_packages
@needs_browser
@pytest.mark.browser
def test_the_search_finds_a_word_from_disk_says_where_and_shows_it(small, page):
    page.goto((small / "search.html").as_uri() + "?q=howling")
    page.wait_for_selector("#search-results li a[href*='notebooks/03_wolves.html#wolves-tried']")
    page.wait_for_selector("#search-results li p.context mark")
    (hit,) = page.locator("#search-results li").all()
    assert hit.locator(".kind").inner_text() == "Notebook" and hit.locator("mark").inner_text() == "howling"
    page.goto((small / "search.html").as_uri() + "?q=loud")
    page.wait_for_selector("#search-results li p.context mark")
    (hit,) = page.locator("#search-results li").all()
    assert hit.locator(".kind").inner_text() == "Lesson" and "The idea" in hit.locator("a").inner_text()
    assert "Wolves are loud. More prose" in hit.locator("p.context").inner_text()
