"""In a notebook, an error or warning of ours is one sentence with the traceback folded; others look as always."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SETUP = "from helpers import show\nshow.calm_errors()"


def outputs(*cells: str) -> list[list[dict]]:
    """What each cell of a notebook shows; errors do not stop it."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, allow_errors=True, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def shown() -> list[list[dict]]:
    return outputs(SETUP, "from helpers import as_picture\nas_picture(3)", "1 / 0", "int('x')",
                   "from helpers.core.warn import PromptWarning, warn\nwarn('It is so.', PromptWarning)",
                   "import warnings\nwarnings.warn('theirs')", "show.usual_errors()\nas_picture(3)")


def test_an_error_of_ours_is_one_sentence_and_the_cell_has_failed_all_the_same(shown: list[list[dict]]) -> None:
    folded, error = shown[1]
    assert "<details>" in folded["data"]["text/html"] and "as_picture(3)" in folded["data"]["text/html"]
    assert error["output_type"] == "error" and len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("TypeError: ") and "\n" not in error["traceback"][0]


@pytest.mark.parametrize(("cell", "name"), [(2, "ZeroDivisionError"), (3, "ValueError")])
def test_errors_of_others_look_as_always(shown: list[list[dict]], cell: int, name: str) -> None:
    (error,) = shown[cell]
    assert error["ename"] == name and "Traceback" in "".join(error["traceback"])


def test_a_warning_of_ours_is_one_sentence_without_a_path(shown: list[list[dict]]) -> None:
    (note,) = shown[4]
    assert note["data"]["text/html"] == '<p role="note">Note: It is so.</p>'
    assert "UserWarning: theirs" in shown[5][0]["text"]


def test_the_usual_look_comes_back(shown: list[list[dict]]) -> None:
    assert "Traceback" in "".join(shown[6][-1]["traceback"])


OURS, ANY = "from helpers import as_picture\nas_picture(3)", "1 / 0"


def notebook(*cells: str) -> nbformat.NotebookNode:
    """A notebook of these cells, not run."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


@pytest.mark.parametrize(("cell", "name"), [(OURS, "TypeError"), (ANY, "ZeroDivisionError")])
def test_a_cell_that_fails_calmly_stops_whoever_runs_the_notebook(cell: str, name: str) -> None:
    made = notebook(SETUP, cell, "reached = True")
    with pytest.raises(CellExecutionError, match=name) as caught:
        NotebookClient(made, timeout=120, kernel_name="python3").execute()
    assert caught.value.ename == name
    assert made.cells[1].outputs[-1].output_type == "error" and made.cells[2].execution_count is None


@pytest.mark.slow
def test_a_cell_that_fails_calmly_is_no_success_to_nbval_whatever_it_compares(tmp_path: Path) -> None:
    made = notebook(SETUP, OURS, "1 + 1")
    NotebookClient(made, allow_errors=True, timeout=120, kernel_name="python3").execute()
    for cell in made.cells:  # what is stored says that all went well
        cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
    for ignored in (False, True):
        made.cells[1].metadata = {"tags": ["nbval-ignore-output"] if ignored else []}
        nbformat.write(made, tmp_path / "calm.ipynb")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env",
                   str(tmp_path / "calm.ipynb")]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 1 and "1 failed" in ran.stdout, ran.stdout
