"""In a notebook, an error or warning of ours is one sentence with the traceback folded; others look as always."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers.show.errors import KINDS

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
                   "import warnings\nwarnings.warn('theirs')", "show.usual_errors()\nas_picture(3)",
                   "show.calm_errors()\nas_picture('no_such.png')")


def test_an_error_of_ours_is_one_sentence_and_the_cell_has_failed_all_the_same(shown: list[list[dict]]) -> None:
    folded, error = shown[1]
    assert "<details>" in folded["data"]["text/html"] and "as_picture(3)" in folded["data"]["text/html"]
    assert error["output_type"] == "error" and len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("TypeError: ") and "\n" not in error["traceback"][0]


def test_a_missing_file_is_one_sentence(shown: list[list[dict]]) -> None:
    folded, error = shown[7]
    assert "<details>" in folded["data"]["text/html"]
    assert len(error["traceback"]) == 1 and error["traceback"][0].startswith("FileNotFoundError: ")
    assert "no_such.png" in error["evalue"] and "\n" not in error["traceback"][0]


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


# --------------------------------------------------------------------------------------- a failed cell has failed


def ours(kind: type[BaseException]) -> str:
    """A cell in which a line of ours raises an error of this kind."""
    return ("from helpers.show.errors import OURS\n"
            f"exec(compile(\"raise {kind.__name__}('it is so')\", OURS + '/a.py', 'exec'))")


@pytest.mark.parametrize("kind", [*KINDS, KeyError, KeyboardInterrupt, SystemExit], ids=lambda kind: kind.__name__)
def test_nbclient_never_takes_a_cell_with_an_error_for_a_success(kind: type[BaseException]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (SETUP, ours(kind), "2")])
    with pytest.raises(CellExecutionError, match="it is so"):
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert kind.__name__ in [output.get("ename") for output in notebook.cells[1].outputs]
    assert notebook.cells[2].execution_count is None  # nothing runs after it


@pytest.mark.parametrize("option", ["--nbval", "--nbval-lax"])
def test_nbval_never_takes_a_cell_with_an_error_for_a_success(tmp_path: Path, option: str) -> None:
    cells = [nbformat.v4.new_code_cell(SETUP, execution_count=1),
             nbformat.v4.new_code_cell(ours(ValueError), execution_count=2, metadata={"tags": ["nbval-ignore-output"]})]
    file = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)
    command = [sys.executable, "-m", "pytest", "-q", option, "--nbval-current-env", "-p", "no:cacheprovider", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert ran.returncode == 1 and "it is so" in ran.stdout and "1 failed, 1 passed" in ran.stdout
