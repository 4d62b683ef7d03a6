"""On Google Colab: the set-up cell, what it says of drift, that no version changes, and that checkpoints outlive it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

import alone
import build_notebooks
import repository
from helpers import colab
from helpers.finetuning.fit import fit

ROOT = Path(__file__).resolve().parents[1]
CELL = alone.setup_cell()


@pytest.fixture
def on_colab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colab's mark: google.colab is imported before the first cell runs."""
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are given; none is run, all succeed."""
    given: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        given.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return given


# ------------------------------------------------------------------------------------------------------ the first cell


@pytest.mark.parametrize("source", build_notebooks.sources([]), ids=lambda path: path.stem)
def test_every_notebook_begins_with_the_one_set_up_cell(source: Path) -> None:
    assert source.read_text(encoding="utf-8").count(alone.MARK) == 1
    first = next(cell for cell in build_notebooks.read_source(source).cells if cell.cell_type == "code")
    assert first.source == CELL and len(CELL.splitlines()) <= build_notebooks.LONGEST_CELL


def test_elsewhere_the_cell_does_nothing(commands: list[list[str]]) -> None:
    exec(CELL, {})
    assert commands == []


def test_on_colab_the_cell_fetches_the_release_and_nothing_besides(
    on_colab: None, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready: list[int] = []
    monkeypatch.setattr(colab, "ready", lambda: ready.append(1))
    monkeypatch.setattr("importlib.metadata.distributions", lambda: [])
    exec(CELL, {})
    (command,) = commands
    assert {"--no-deps", "--ignore-requires-python"} <= set(command) and ready == [1]
    assert command[-1] == f"git+https://github.com/{repository.repository()}@{repository.ref()}"


def test_a_second_run_of_the_cell_fetches_nothing(
    on_colab: None, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    course = types.SimpleNamespace(metadata={"Name": colab.COURSE}, version=repository.version())
    monkeypatch.setattr("importlib.metadata.distributions", lambda: [course])
    monkeypatch.setattr(colab, "ready", lambda: None)
    exec(CELL, {})
    assert commands == []


def test_a_wheel_beside_the_notebook_stands_for_the_repository(
    on_colab: None, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = "editing_in_text2img-0.9.0-py3-none-any.whl"
    (tmp_path / wheel).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(colab, "ready", lambda: None)
    monkeypatch.setattr("importlib.metadata.distributions", lambda: [])
    exec(CELL, {})
    assert commands[0][-1] == wheel


def test_a_repository_out_of_reach_is_told_in_a_sentence_with_the_way_out(
    on_colab: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    monkeypatch.setattr("importlib.metadata.distributions", lambda: [])
    with pytest.raises(SystemExit, match=r"could not be fetched from https://github\.com/.*Drag its \.whl file"):
        exec(CELL, {})


@pytest.mark.parametrize(("version", "ref"), [("0.3.0", "v0.3.0"), ("0.3.0.dev0", "main")])
def test_a_release_has_a_tag_and_what_lies_between_two_has_the_branch(
    monkeypatch: pytest.MonkeyPatch, version: str, ref: str
) -> None:
    monkeypatch.setattr(repository, "version", lambda: version)
    assert repository.ref() == ref and f"/blob/{ref}/" in repository.badges("notebooks/00_x.ipynb")
    assert f"/{ref}?urlpath" in repository.with_name(repository.badges("notebooks/00_x.ipynb"), "a/b")


# ------------------------------------------------------------------------------------------------- pictures and links


@pytest.mark.parametrize("source", build_notebooks.sources([]), ids=lambda path: path.stem)
def test_a_notebook_needs_no_file_beside_it_to_be_read(source: Path) -> None:
    texts = [cell.source for cell in build_notebooks.read_source(source).cells if cell.cell_type == "markdown"]
    for text in texts:
        pictures = re.findall(r"<img\s[^>]*src=[\"']([^\"']+)", text) + re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
        assert all(picture.startswith(("data:", "https:")) for picture in pictures)
        links = list(repository.LINK.finditer(text))
        addresses = re.findall(r"\[(?:in Colab|on the web)\]\((https://[^)]+)\)", text)
        assert len(addresses) == len(links) and all(repository.repository() in address for address in addresses)


def test_a_link_keeps_its_file_and_gets_its_address() -> None:
    where = f"{repository.COLAB}/{repository.repository()}/blob/{repository.ref()}/notebooks/01_x.ipynb"
    assert alone.standing_alone("[Next](01_x.ipynb)!") == f"[Next](01_x.ipynb) ([in Colab]({where}))!"
    page = f"https://github.com/{repository.repository()}/blob/{repository.ref()}/lessons/01_x.md#why"
    assert alone.standing_alone("[why](../lessons/01_x.md#why)") == \
        f"[why](../lessons/01_x.md#why) ([on the web]({page}))"
    untouched = "[paper](https://arxiv.org/abs/1) ![a](https://b/c.png) [below](#here) $a[i](x)$"
    assert alone.standing_alone(untouched.replace(" $a[i](x)$", "")) == untouched.replace(" $a[i](x)$", "")


def test_a_new_release_needs_no_run_since_the_set_up_cell_shows_nothing() -> None:
    old = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.replace(repository.version(), "9.9"))])
    new = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    old.cells[0].execution_count = 1
    assert build_notebooks.with_outputs(new, old).cells[0].execution_count == 1
    new.cells[0].source = "print(2)"
    with pytest.raises(ValueError, match="not what was run"):
        build_notebooks.with_outputs(new, old)


# ------------------------------------------------------------------------------------------------------- what is there


def pretend(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Let these packages have these versions here; None: not installed."""
    real = colab.installed
    monkeypatch.setattr(colab, "installed", lambda name: versions.get(name, real(name)))


def test_where_all_is_in_the_ranges_one_line_says_ready(capsys: pytest.CaptureFixture[str]) -> None:
    colab.ready()
    assert re.fullmatch(r"The course \S+ is ready\.\n", capsys.readouterr().out)


def test_a_version_outside_of_the_ranges_is_told_and_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], commands: list[list[str]]
) -> None:
    pretend(monkeypatch, diffusers="0.99.0")
    colab.ready()
    told = capsys.readouterr().out
    assert "diffusers 0.99.0 (the course: <0.43,>=0.39)" in told and "Go on" in told and "Runtime version" in told
    assert commands == [] and told.count("\n") == 1


def test_a_python_that_is_too_new_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(colab.sys, "version_info", (3, 15, 0, "final", 0))
    colab.ready()
    assert "Python 3.15.0 (the course: <3.14,>=3.11)" in capsys.readouterr().out


def test_what_colab_lacks_is_installed_within_what_it_has(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    kept: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        kept.extend(Path(command[command.index("-c") + 1]).read_text(encoding="utf-8").split())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(colab, "installed", lambda name: None if name == "aggdraw" else "1")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(colab, "outside", lambda: [])
    colab.ready()
    assert f"torch=={torch.__version__}" in kept and len(kept) > 50


def test_what_cannot_be_installed_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(SystemExit, match="aggdraw.* could not be installed.*once online"):
        colab.install(["aggdraw"])


@pytest.mark.slow
def test_pip_changes_no_version_that_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that wants another numpy is refused, where pip alone would have changed numpy."""
    (tmp_path / "wants").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "wants"\nversion = "1"\ndependencies = ["numpy<1"]\n', encoding="utf-8")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    before = colab.installed("numpy")
    with pytest.raises(SystemExit, match="could not be installed"):
        colab.install([f"wants @ {tmp_path.as_uri()}"])
    assert colab.installed("numpy") == before and colab.installed("wants") is None


# --------------------------------------------------------------------------------------------------------- checkpoints


def test_on_colab_with_drive_a_fit_goes_on_after_the_session_was_lost(
    on_colab: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(colab, "DRIVE", tmp_path)
    lost = pytest.raises(KeyboardInterrupt)
    steps: list[int] = []

    def fitted(until: int) -> torch.Tensor:
        value = torch.zeros(3)

        def stop(step: int, **_: Any) -> None:
            steps.append(step)
            if step == until:
                raise KeyboardInterrupt

        fit({"x": value}, lambda _: ((value - 1) ** 2).sum(), steps=6, lr=0.1, folder=colab.kept("cat"), watch=stop,
            progress=False)
        return value

    with lost:
        fitted(4)
    assert (tmp_path / colab.COURSE / "cat" / "checkpoint.safetensors").is_file()
    fitted(99)
    assert steps == [1, 2, 3, 4, 5, 6]


def test_a_drive_that_knows_no_rights_keeps_a_checkpoint_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    value = torch.zeros(3)
    fit({"x": value}, lambda _: ((value - 1) ** 2).sum(), steps=1, lr=0.1, folder=tmp_path, progress=False)
    assert (tmp_path / "checkpoint.safetensors").is_file()


def test_without_drive_colab_says_that_the_folder_goes(
    on_colab: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(colab, "DRIVE", tmp_path / "not there")
    monkeypatch.chdir(tmp_path)
    assert colab.kept("cat") == Path("checkpoints/cat") and "Drive sign" in capsys.readouterr().out


def test_elsewhere_the_folder_lies_beside_the_notebook(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert colab.kept("cat").is_dir() and capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="name of one folder"):
        colab.kept("../cat")


# --------------------------------------------------------------------------------------------------- the simulated one


def test_the_stand_in_for_colab_has_what_libraries_ask_for() -> None:
    code = "import google.colab, sys; from google.colab import output; output.enable_custom_widget_manager()"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / ".ci/colab")}, check=True)


@pytest.mark.slow
def test_cells_run_in_a_kernel_where_colab_is_imported_and_a_failing_one_is_told(tmp_path: Path) -> None:
    good = "import sys\nprint('google.colab' in sys.modules)"
    for name, cells in {"good": [good], "bad": [good, "1 / 0", "3"]}.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        command = [sys.executable, str(ROOT / ".ci/colab/cells.py"), f"{name}.ipynb"]
        environment = {"PYTHONPATH": str(ROOT / ".ci/colab"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        found = json.loads(ran.stdout.splitlines()[-1])
        assert found["setup"] == "True" and found["of"] == len(cells)
        assert (found["cells"], found["error"][:17]) == ((1, "") if name == "good" else (1, "ZeroDivisionError"))
        assert ran.returncode == (name == "bad")
