"""Turn notebooks/src/NN_name.py (jupytext's py:percent form) into notebooks/NN_name.ipynb, run from top to bottom.

    python tools/build_notebooks.py             all notebooks
    python tools/build_notebooks.py 00 01       those whose names start so
    python tools/build_notebooks.py --time      note in results/notebooks.json how long they took, which they quote
    python tools/build_notebooks.py --text      run nothing; new prose and numbers where the code is as it was
    python tools/build_notebooks.py --check     run nothing; are the notebooks those of the sources, and in order?

In a source, {{badges}} stands for the notebook's Colab and Binder badges, {{repository}} for "owner/name" and
"# {{setup}}" for the first cell; tools/alone.py makes pictures and links work where there is no repository.
{{lesson01.sdedit.0.6.obeyed:.2f}} stands for a measured number: from results/lesson01.json, the value at those keys,
written as Python's format ".2f" says. In code such a number stands in quotes, which go: speed = "{{lesson01.speed}}".
Nothing is written for a notebook that breaks a rule of `problems`. A live widget needs a kernel, so that a page shows
it broken: what is written holds the plain picture that stands before each widget, and not the widget.
"""

import argparse
import hashlib
import json
import math
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from alone import is_setup, setup_cell, standing_alone
from repository import badges, repository

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks import record as recording  # noqa: E402
from start import PATIENT  # noqa: E402

NOTEBOOKS = ROOT / "notebooks"
SOURCES = NOTEBOOKS / "src"
RESULTS = ROOT / "results"
MEASURED = re.compile(r"\{\{(\w+(?:\.[^{}:]+)+)(?::([^{}]*))?\}\}")  # {{file.key.key:format}}
MEASURED_IN_CODE = re.compile(f'"{MEASURED.pattern}"')
LONGEST_CELL = 25  # lines of code
MOST_CELLS = 30  # code cells in a notebook
LARGEST_PICTURE = 200_000  # characters of base64
LARGEST_NOTEBOOK = 1_500_000  # bytes
SECONDS_A_CELL = 600
PROGRESS = re.compile(r"\d+/\d+ \[\d\d:\d\d")  # as tqdm writes it: 3/25 [00:02<00:17, 1.2step/s]
WIDGET = "application/vnd.jupyter.widget-view+json"
LIVE = re.compile(r"\bshow\.(?:painter|studio|reweighting_live)\(")  # what shows itself as a widget
NOT_COMPARED = "nbval-ignore-output"
KEPT_METADATA = {"tags", "jupyter", "cellView"}
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


def sources(prefixes: list[str]) -> list[Path]:
    """Return the source files whose names start with one of `prefixes`, or all for an empty list.

    Raises FileNotFoundError for a prefix that no source has.
    """
    found = sorted(SOURCES.glob("[0-9][0-9]*_*.py"))
    for prefix in prefixes:
        if not any(path.name.startswith(prefix) for path in found):
            raise FileNotFoundError(f"no notebook source starts with {prefix!r}; there are {[p.stem for p in found]}")
    return [path for path in found if not prefixes or path.name.startswith(tuple(prefixes))]


def target(source: Path) -> Path:
    """Return where the notebook of `source` is written."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


def read_source(source: Path) -> NotebookNode:
    """Return the notebook that `source` describes, without outputs, with fixed metadata and cell ids."""
    text = source.read_text(encoding="utf-8")
    text = text.replace("{{badges}}", badges(f"notebooks/{source.stem}.ipynb")).replace("{{repository}}", repository())
    notebook = jupytext.reads(text, fmt="py:percent")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = filled(setup_cell() if is_setup(cell.source) else cell.source, MEASURED_IN_CODE)
        else:
            cell.source = standing_alone(filled(cell.source))
    return normal(notebook)


def filled(text: str, pattern: re.Pattern[str] = MEASURED) -> str:
    """Return `text` with its measured numbers written in, from the files in results/.

    Raises ValueError for a number that results/ does not hold.
    """
    return pattern.sub(lambda found: written(measured(found[1]), found[2] or ""), text)


def written(value: object, form: str) -> str:
    """Return `value` in Python's format `form`; a whole number may be written with digits after the point too."""
    return format(float(value) if isinstance(value, int) and "." in form else value, form)


def measured(address: str) -> object:
    """Return the value at "file.key.key" of results/file.json; a key may hold dots itself."""
    name, _, keys = address.partition(".")
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        raise ValueError(f"{{{{{address}}}}}: there is no results/{file.name}; run the script in benchmarks/ first")
    value = at(json.loads(file.read_text(encoding="utf-8")), keys)
    if isinstance(value, (dict, list, type(None))):
        raise ValueError(f"{{{{{address}}}}}: results/{file.name} holds no number there")
    return value


def at(values: object, keys: str) -> object:
    """Return what lies in nested dictionaries at "key.key"; None if nothing does."""
    if not keys or not isinstance(values, dict):
        return None if keys else values
    for key in values:
        if keys == key or keys.startswith(f"{key}."):
            found = at(values[key], keys[len(key) + 1 :])
            if found is not None:
                return found
    return None


def normal(notebook: NotebookNode) -> NotebookNode:
    """Return `notebook` with metadata and cell ids that depend on its cells' content alone; changes it in place."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in KEPT_METADATA})
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        cell.id = f"{name}-{seen[name]}" if seen[name] else name
        seen[name] += 1
    return notebook


def run(notebook: NotebookNode) -> NotebookNode:
    """Run `notebook` in a new kernel in the folder of the notebooks; changes it in place and returns it.

    Raises nbclient's CellExecutionError where a cell fails that is not tagged `raises-exception`.
    """
    place = {"metadata": {"path": str(NOTEBOOKS)}}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A progress bar prints how long it took, which is never the same twice.
    kernel = {**PATIENT, **os.environ, "PYTHONPATH": os.pathsep.join(paths), "TQDM_DISABLE": "1"}
    client = NotebookClient(
        notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources=place, record_timing=False
    )
    return normal(without_widgets(client.execute(env=kernel)))


def without_widgets(notebook: NotebookNode) -> NotebookNode:
    """Return `notebook` without the outputs that show a live widget; changes it in place."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    return notebook


class _Images(HTMLParser):
    """Collects the attributes of every <img>, and counts <svg>."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.svgs = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))
        self.svgs += tag == "svg"


def html_problems(html: str) -> Iterator[str]:
    """Yield what is wrong with the pictures in `html`."""
    found = _Images(html)
    for image in found.images:
        if not (image.get("alt") or "").strip():
            yield "a picture (<img>) without alt text"
        if len(image.get("src") or "") > LARGEST_PICTURE:
            yield f"a picture of {len(image['src']):,} characters; at most {LARGEST_PICTURE:,}"
    if found.svgs:
        yield "an inline <svg>, which an untrusted notebook does not show; use <img src='data:...' alt='...'>"


def markdown_problems(text: str) -> Iterator[str]:
    """Yield what is wrong with the pictures in a Markdown cell."""
    if re.search(r"!\[\s*\]\(", text):
        yield "a picture ![](...) without alt text"
    yield from html_problems(text)


def output_problems(output: NotebookNode, may_fail: bool) -> Iterator[str]:
    """Yield what is wrong with one output of a code cell; an error is right where `may_fail` is true."""
    if output.output_type == "error" and not may_fail:
        yield f"an error: {output.ename}: {output.evalue}"
    if output.output_type == "stream" and output.name == "stderr":
        yield f"text on stderr: {output.text[:80]!r}"
    data, metadata = output.get("data", {}), output.get("metadata", {})
    if PROGRESS.search(data.get("text/plain", "") + output.get("text", "")):
        yield "a progress bar, which says something else on every run"
    if WIDGET in data:
        yield "a live widget, which a page shows broken: build the notebook with this tool"
    for kind in (key for key in data if key.startswith("image/")):
        if not (metadata.get(kind, {}).get("alt") or metadata.get("alt")):
            yield f"a picture ({kind}) without alt text; show it with helpers.show"
        if len(data[kind]) > LARGEST_PICTURE:
            yield f"a picture of {len(data[kind]):,} characters; at most {LARGEST_PICTURE:,}"
    if "text/html" in data:
        yield from html_problems(data["text/html"])
    if str(ROOT) in str(output):
        yield f"the path {ROOT}, which readers do not have"


def cell_problems(cell: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with one cell, its outputs included."""
    if cell.cell_type != "code":
        yield from markdown_problems(cell.source)
        return
    lines = len(cell.source.splitlines())
    if lines > LONGEST_CELL:
        yield f"{lines} lines of code; at most {LONGEST_CELL}"
    tags = cell.metadata.get("tags", [])
    if LIVE.search(cell.source) and NOT_COMPARED not in tags:
        yield f"a widget in a cell without the tag {NOT_COMPARED}: nbval would miss the live widget in its outputs"
    may_fail = "raises-exception" in tags
    for output in cell.outputs:
        yield from output_problems(output, may_fail)


def problems(notebook: NotebookNode) -> list[str]:
    """Return what is wrong with an executed notebook, one sentence each; an empty list if nothing is."""
    found = [f"cell {n}: {what}" for n, cell in enumerate(notebook.cells) for what in cell_problems(cell)]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("the code cells are not counted 1, 2, 3, ...: run it from top to bottom with this tool")
    if len(code) > MOST_CELLS:
        found.append(f"{len(code)} code cells; at most {MOST_CELLS}")
    if any(a.cell_type == b.cell_type == "code" for a, b in pairwise(notebook.cells)):
        found.append("two code cells without a sentence between them")
    if "widgets" in notebook.metadata:
        found.append("metadata.widgets, which keeps some sites from showing the notebook")
    if len(nbformat.writes(notebook).encode()) > LARGEST_NOTEBOOK:
        found.append(f"over {LARGEST_NOTEBOOK:,} bytes in all")
    return found


def content(notebook: NotebookNode) -> list[tuple[str, str, str, dict]]:
    """Return what a source and its notebook must agree in: each cell's id, kind, text and metadata."""
    return [(cell.id, cell.cell_type, cell.source.rstrip(), dict(cell.metadata)) for cell in notebook.cells]


def check(source: Path) -> list[str]:
    """Return what is wrong with the notebook of `source` as it lies there, without running it."""
    path = target(source)
    if not path.is_file():
        return ["it was never built"]
    notebook = nbformat.read(path, as_version=4)
    same = content(read_source(source)) == content(notebook)
    return problems(notebook) + ([] if same else [f"it is not that of {source.name}: build it again"])


def build(source: Path, timed: bool = False) -> list[str]:
    """Run the notebook of `source` and write it; return its problems, and write nothing if there are any."""
    if timed and source.stem[:2] not in times():
        note(source, 0)  # the notebook quotes it, so that something must be there
    start = time.perf_counter()
    notebook = run(read_source(source))
    if timed:
        note(source, time.perf_counter() - start)
        notebook = with_outputs(read_source(source), notebook)
    return write(source, notebook)


def rewrite(source: Path) -> list[str]:
    """Write the notebook of `source` with the outputs it has; a problem if its code has changed since it was run."""
    path = target(source)
    if not path.is_file():
        return ["it was never built"]
    try:
        return write(source, with_outputs(read_source(source), nbformat.read(path, as_version=4)))
    except ValueError as error:
        return [str(error)]


def write(source: Path, notebook: NotebookNode) -> list[str]:
    """Write an executed notebook unless something is wrong with it; return what is."""
    found = problems(notebook)
    if not found:
        nbformat.write(notebook, target(source))
    return found


def with_outputs(notebook: NotebookNode, ran: NotebookNode) -> NotebookNode:
    """Return `notebook` with the outputs of another whose code is the same, but for the set-up cell; changes it."""
    codes = [[cell for cell in one.cells if cell.cell_type == "code"] for one in (notebook, ran)]
    first, second = ([cell.source for cell in cells if not is_setup(cell.source)] for cells in codes)
    if first != second:
        raise ValueError("its code is not what was run: build it again")
    for cell, done in zip(*codes, strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return notebook


def times() -> dict[str, object]:
    """Return what results/notebooks.json knows of each notebook, by its number."""
    file = RESULTS / "notebooks.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {name: found for name, found in known.items() if name != "measured"}


def note(source: Path, seconds: float) -> None:
    """Write down how long a notebook computes, the start of its kernel included; minutes are rounded up."""
    took = {"seconds": round(seconds, 1), "minutes": math.ceil(seconds / 60)}
    recording.record("notebooks", dict(sorted((times() | {source.stem[:2]: took}).items())))


def main() -> int:
    """Build or check the notebooks that the command line names; return 1 if one of them has a problem."""
    parser = argparse.ArgumentParser(description="Build the notebooks from their sources, with outputs.")
    parser.add_argument("names", nargs="*", help="the start of a notebook's name, such as 00; all if left out")
    parser.add_argument("--time", action="store_true", help="note how long they take; on an idle machine")
    parser.add_argument("--text", action="store_true", help="run nothing, only write new prose and numbers")
    parser.add_argument("--check", action="store_true", help="run nothing, only compare")
    arguments = parser.parse_args()
    failed = False
    for source in sources(arguments.names):
        if arguments.check or arguments.text:
            found = check(source) if arguments.check else rewrite(source)
        else:
            found = build(source, arguments.time)
        failed |= bool(found)
        print(f"{target(source).relative_to(ROOT)}: {'; '.join(found) or 'in order'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
