"""Something that hides the course's package is named by the first cell, with what to do; each in a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import alone

ROOT = Path(__file__).resolve().parents[1]


def first_cell(folder: Path, *before: Path, course: bool = True) -> subprocess.CompletedProcess[str]:
    """What the first cell of a notebook in `folder` does; `before` come before the course on Python's path."""
    paths = os.pathsep.join(map(str, [*before, *([ROOT] if course else [])]))
    where = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", alone.setup_cell() + "\nprint('The course is here.')"]
    return subprocess.run(command, cwd=folder, env=where, capture_output=True, text=True)


def said(ran: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that ends the cell."""
    assert ran.returncode == 1 and "Traceback" not in ran.stderr and ran.stdout == ""
    return ran.stderr


def test_nothing_is_said_where_nothing_is_in_the_way(tmp_path: Path) -> None:
    ran = first_cell(tmp_path)
    assert ran.returncode == 0 and ran.stdout == "The course is here.\n" and ran.stderr == ""


@pytest.mark.parametrize("content", ["", "x = 1\n", "import no_such_module\n", "1 / 0\n", "(\n",
                                     "def load(file): ...\n"])  # fmt: skip
def test_a_helpers_py_beside_the_notebook_is_named_whatever_is_in_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "helpers.py").write_text(content, encoding="utf-8")
    told = said(first_cell(tmp_path))
    assert f"{tmp_path / 'helpers.py'} hides the course's own helpers: rename it." in told
    assert "restart the kernel" in told


def test_a_package_helpers_beside_the_notebook_is_named(tmp_path: Path) -> None:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers/__init__.py").touch()
    told = said(first_cell(tmp_path))
    assert f"{tmp_path / 'helpers/__init__.py'} hides the course's own helpers: rename it." in told


@pytest.mark.parametrize("name", ["torch.py", "diffusers.py", "transformers/__init__.py"])
def test_a_file_beside_the_notebook_that_hides_another_package_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    told = said(first_cell(tmp_path))
    assert f"{tmp_path / name} hides the package {name[:-3].split('/')[0]}, which the course needs: rename it." in told
    assert "restart the kernel" in told


def test_a_folder_helpers_without_python_in_it_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "helpers").mkdir()
    assert first_cell(tmp_path).returncode == 0


def other_wheel(site: Path) -> None:
    """Install a package called "handy", which has a top-level `helpers`, into the folder `site`."""
    (site / "helpers").mkdir(parents=True)
    (site / "helpers/__init__.py").write_text("def help_me(): ...\n", encoding="utf-8")
    (site / "handy-1.0.dist-info").mkdir()
    told = {"METADATA": "Metadata-Version: 2.1\nName: handy\nVersion: 1.0\n",
            "RECORD": "helpers/__init__.py,,\nhandy-1.0.dist-info/METADATA,,\n"}
    for name, text in told.items():
        (site / "handy-1.0.dist-info" / name).write_text(text, encoding="utf-8")


def test_another_wheel_with_a_top_level_helpers_is_named_with_the_command_that_takes_it_out(tmp_path: Path) -> None:
    site = tmp_path / "lib/site-packages"
    other_wheel(site)
    (tmp_path / "notebooks").mkdir()
    told = said(first_cell(tmp_path / "notebooks", site))
    assert f"{site / 'helpers/__init__.py'} belongs to the package handy and hides the course's own helpers" in told
    assert "'%pip uninstall -y handy'" in told and "restart the kernel" in told


def test_a_course_that_something_has_written_over_is_to_be_installed_again(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    (site / "helpers").mkdir(parents=True)
    (site / "helpers/__init__.py").touch()
    assert "is not what the course installed. Install the course again" in said(first_cell(tmp_path, site))


def test_a_machine_without_the_course_is_told_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "editing_in_text2img.py").write_bytes((ROOT / "editing_in_text2img.py").read_bytes())
    command = [sys.executable, "-S", "-c", "import editing_in_text2img as it; it.check()"]
    ran = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True)
    assert ran.returncode == 1 and "python start.py" in ran.stderr and "Traceback" not in ran.stderr
