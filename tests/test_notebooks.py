"""Every notebook is that of its source and breaks no rule; the tool that makes them sees what is wrong."""

import json
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import build_notebooks
from helpers.show.figure import texts

SOURCES = build_notebooks.sources([])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_notebook_is_that_of_its_source_and_breaks_no_rule(source):
    assert build_notebooks.check(source) == []


def test_every_notebook_has_a_source():
    written = {path.stem for path in build_notebooks.NOTEBOOKS.glob("*.ipynb")}
    assert written == {path.stem for path in SOURCES}


def notebook(*cells):
    """Return an executed notebook of `cells`, with the code cells counted."""
    made = build_notebooks.normal(new_notebook(cells=list(cells)))
    for count, cell in enumerate((c for c in made.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
    return made


def shown(data, metadata=None):
    """Return a code cell that shows `data`, a dictionary from MIME type to text."""
    return new_code_cell("x", outputs=[new_output("display_data", data=data, metadata=metadata or {})])


def test_a_notebook_without_faults_has_no_problems():
    figure = "<figure><img src='data:image/png;base64,AAAA' alt='a cat - notice the hat'></figure>"
    described = shown({"image/png": "AAAA"}, {"image/png": {"alt": "a cat"}})
    assert build_notebooks.problems(notebook(shown({"text/html": figure}), new_markdown_cell("And:"), described)) == []


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        (shown({"image/png": "AAAA"}), "without alt text"),
        (shown({"text/html": "<img src='data:,'>"}), "without alt text"),
        (shown({"text/html": "<img src='data:,' alt=' '>"}), "without alt text"),
        (shown({"text/html": "<svg></svg>"}), "inline <svg>"),
        (shown({"image/png": "A" * 300_000}, {"image/png": {"alt": "a cat"}}), "300,000 characters"),
        (shown({"text/html": f"<img alt='a' src='{'A' * 300_000}'>"}), "300,000 characters"),
        (shown({"text/plain": str(build_notebooks.ROOT)}), "which readers do not have"),
        (new_markdown_cell("![](docs/edits.png)"), "without alt text"),
        (new_markdown_cell("<img src='docs/edits.png'>"), "without alt text"),
        (new_code_cell("\n".join(["x"] * 26)), "26 lines"),
        (
            new_code_cell("x", outputs=[new_output("error", ename="ValueError", evalue="no", traceback=[])]),
            "ValueError",
        ),
        (shown({"text/plain": "  4%|4  | 1/25 [00:02<00:49,  2.04s/step]"}), "progress bar"),
        (new_code_cell("x", outputs=[new_output("stream", name="stderr", text="a warning")]), "stderr"),
        (shown({build_notebooks.WIDGET: {"model_id": "1"}, "text/plain": "<painter>"}), "a live widget"),
        (new_code_cell('brush = show.painter(picture)'), "without the tag nbval-ignore-output"),
        (new_code_cell('show.studio(model, sdedit, picture)'), "without the tag nbval-ignore-output"),
    ],
)
def test_a_fault_in_a_cell_is_found(cell, complaint):
    found = build_notebooks.problems(notebook(cell))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_cell_that_is_there_to_fail_may_fail():
    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    cell = new_code_cell("x", outputs=[error], metadata={"tags": ["raises-exception"]})
    assert build_notebooks.problems(notebook(cell)) == []


def test_a_widget_in_a_cell_that_is_not_compared_is_in_order():
    cell = new_code_cell("show.painter(picture)", metadata={"tags": ["nbval-ignore-output"]})
    assert build_notebooks.problems(notebook(cell)) == []


@pytest.mark.slow
def test_of_a_widget_the_plain_picture_before_it_stays(tmp_path, monkeypatch):
    source = tmp_path / "00_small.py"
    lines = ['# %% tags=["nbval-ignore-output"]', "from PIL import Image", "from helpers import show", "",
             'show.painter(Image.new("RGB", (8, 8)), alt="a black wall")']
    source.write_text("\n".join([*lines, ""]), encoding="utf-8")
    monkeypatch.setattr(build_notebooks, "NOTEBOOKS", tmp_path)
    assert build_notebooks.build(source) == []
    (cell,) = nbformat.read(build_notebooks.target(source), as_version=4).cells
    (output,) = cell.outputs
    assert 'alt="a black wall"' in output.data["text/html"]


def test_faults_of_the_whole_notebook_are_found():
    made = notebook(new_code_cell("a"), new_code_cell("b"))
    made.cells[1].execution_count = 7
    made.metadata["widgets"] = {}
    assert [what.split()[0] for what in build_notebooks.problems(made)] == ["the", "two", "metadata.widgets,"]


def test_cell_ids_depend_on_the_cells_alone_and_differ():
    first = notebook(new_code_cell("a"), new_markdown_cell("b"), new_code_cell("a"))
    longer = notebook(new_markdown_cell("new"), new_code_cell("a"), new_markdown_cell("b"), new_code_cell("a"))
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in longer.cells][1:]
    assert len(set(ids)) == 3
    nbformat.validate(first)


def test_one_changed_line_in_a_source_is_noticed(tmp_path, monkeypatch):
    source = tmp_path / "00_small.py"
    source.write_text('# %% [markdown]\n# One\n\n# %% tags=["parameters"]\nseed = 1\n', encoding="utf-8")
    monkeypatch.setattr(build_notebooks, "NOTEBOOKS", tmp_path)
    assert build_notebooks.check(source) == ["it was never built"]
    made = build_notebooks.read_source(source)
    made.cells[1].execution_count = 1
    nbformat.write(made, build_notebooks.target(source))
    assert build_notebooks.check(source) == []
    source.write_text(source.read_text(encoding="utf-8").replace("seed = 1", "seed = 2"), encoding="utf-8")
    assert build_notebooks.check(source) == ["it is not that of 00_small.py: build it again"]


def test_badges_and_the_repository_are_filled_in(tmp_path):
    source = tmp_path / "00_small.py"
    source.write_text('# %% [markdown]\n# {{badges}}\n\n# %%\nname = "{{repository}}"\n', encoding="utf-8")
    words, code = build_notebooks.read_source(source).cells
    assert f"{build_notebooks.repository()}/blob/main/notebooks/00_small.ipynb" in words.source
    assert code.source == f'name = "{build_notebooks.repository()}"'


@pytest.mark.slow
def test_building_runs_the_cells_and_twice_gives_the_same_file(tmp_path, monkeypatch):
    source = tmp_path / "00_small.py"
    source.write_text("# %%\nimport helpers\n\nprint(1 + 1)\n", encoding="utf-8")
    monkeypatch.setattr(build_notebooks, "NOTEBOOKS", tmp_path)
    assert build_notebooks.build(source) == []
    first = build_notebooks.target(source).read_bytes()
    assert nbformat.reads(first.decode(), as_version=4).cells[0].outputs[0].text == "2\n"
    assert build_notebooks.build(source) == []
    assert build_notebooks.target(source).read_bytes() == first


@pytest.mark.slow
def test_a_timed_build_quotes_its_own_time_and_new_prose_needs_no_run(tmp_path, monkeypatch):
    source = tmp_path / "00_small.py"
    source.write_text("# %% [markdown]\n# {{notebooks.00.minutes}} min\n\n# %%\nprint(1 + 1)\n", encoding="utf-8")
    monkeypatch.setattr(build_notebooks, "NOTEBOOKS", tmp_path)
    for module in (build_notebooks, build_notebooks.recording):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    assert build_notebooks.rewrite(source) == ["it was never built"]
    assert build_notebooks.build(source, timed=True) == []
    assert build_notebooks.times()["00"]["minutes"] == 1
    made = nbformat.read(build_notebooks.target(source), as_version=4)
    assert made.cells[0].source == "1 min" and made.cells[1].outputs[0].text == "2\n"
    source.write_text(source.read_text(encoding="utf-8").replace(" min", " minute"), encoding="utf-8")
    assert build_notebooks.rewrite(source) == [] == build_notebooks.check(source)
    made = nbformat.read(build_notebooks.target(source), as_version=4)
    assert made.cells[0].source == "1 minute" and made.cells[1].outputs[0].text == "2\n"
    source.write_text(source.read_text(encoding="utf-8").replace("1 + 1", "1 + 2"), encoding="utf-8")
    assert build_notebooks.rewrite(source) == ["its code is not what was run: build it again"]


def test_a_name_that_no_notebook_has_is_refused():
    with pytest.raises(FileNotFoundError, match="'77'"):
        build_notebooks.sources(["77"])


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder results/ with one file."""
    numbers = {"n": 120, "sdedit": {"0.6": {"obeyed": 0.7166, "kept": 18.25}, "0": {"kept": 60}}}
    (tmp_path / "lesson77.json").write_text(json.dumps(numbers), encoding="utf-8")
    monkeypatch.setattr(build_notebooks, "RESULTS", tmp_path)
    return tmp_path / "lesson77.json"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{lesson77.n}} edits", "120 edits"),
        ("{{lesson77.sdedit.0.6.obeyed:.2f}}", "0.72"),
        ("{{lesson77.sdedit.0.6.obeyed:.0%}} and {{lesson77.sdedit.0.6.kept:.1f}} dB", "72% and 18.2 dB"),
        ("{{lesson77.sdedit.0.kept:.1f}}", "60.0"),
        ("{{repository}} and {braces} and {{ spaces }}", "{{repository}} and {braces} and {{ spaces }}"),
    ],
)
def test_measured_numbers_are_written_in(results, text, wanted):
    assert build_notebooks.filled(text) == wanted


@pytest.mark.parametrize("text", ["{{lesson77.speed}}", "{{lesson77.sdedit}}", "{{lesson78.n}}", "{{lesson77.n.n}}"])
def test_a_number_that_results_does_not_hold_is_refused(results, text):
    with pytest.raises(ValueError, match=r"results/lesson7\d.json"):
        build_notebooks.filled(text)


def test_in_code_a_number_stands_without_its_quotes(results, tmp_path):
    source = tmp_path / "00_small.py"
    source.write_text('# %%\nkept = ["{{lesson77.sdedit.0.6.kept:.1f}}", "{{repository}}"]\n', encoding="utf-8")
    (code,) = build_notebooks.read_source(source).cells
    assert code.source == f'kept = [18.2, "{build_notebooks.repository()}"]'


def test_a_text_that_quotes_another_number_than_results_is_noticed(results, tmp_path, monkeypatch):
    source = tmp_path / "00_small.py"
    source.write_text("# %% [markdown]\n# We made {{lesson77.n}} edits.\n", encoding="utf-8")
    monkeypatch.setattr(build_notebooks, "NOTEBOOKS", tmp_path)
    nbformat.write(build_notebooks.read_source(source), build_notebooks.target(source))
    assert build_notebooks.check(source) == []
    results.write_text(results.read_text(encoding="utf-8").replace("120", "121"), encoding="utf-8")
    assert build_notebooks.check(source) == ["it is not that of 00_small.py: build it again"]


# ----------------------------------------------------------------------------------------- what a reader sees of a cell


CODE = [(path.stem, cell.source) for path in SOURCES
        for cell in build_notebooks.read_source(path).cells if cell.cell_type == "code"]


def test_code_cells_are_no_wider_than_a_page() -> None:
    wide = [f"{name}: {line}" for name, source in CODE for line in source.splitlines() if len(line) > 88]
    assert not wide, "\n".join(wide)


def test_alt_texts_stand_in_their_table_and_each_is_used() -> None:
    used = {text for _, source in CODE for text in re.findall(r'"(\d\d\.[a-z]\w*)"', source)}
    there = {f"{notebook}.{name}" for notebook, its in texts().items() for name in its}
    assert used == there
    written_out = [source for _, source in CODE if re.search(r'alt=f?"[^"]{40}', source)]
    assert not written_out


def test_the_first_edit_of_one_s_own_is_among_the_first_five_cells() -> None:
    first = [source for name, source in CODE if name.startswith("00")][:5]
    assert any("sdedit(model" in source and "show." in source for source in first)


@pytest.mark.parametrize("notebook", sorted({name for name, _ in CODE}))
def test_the_first_cell_names_what_hides_the_package_and_errors_are_calm(notebook: str) -> None:
    cells = [source for name, source in CODE if name == notebook]
    assert "editing_in_text2img.check()" in cells[0]
    assert sum("show.calm_errors()" in source for source in cells) == 1
