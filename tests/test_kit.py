"""A kit for machines without network: what is in it, how it is fetched, and that start.py takes its packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import make_kit
import packages
import start


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is run; fetching a package puts a file in its place, git is asked for real."""
    given: list[list[str]] = []
    run = subprocess.run

    def pretend(command: list[str], **options: Any) -> Any:
        given.append(command)
        if command[0] == "git":
            return run(command, **options)
        if "download" in command:
            folder = Path(command[command.index("-d") + 1])
            folder.mkdir()
            (folder / "torch-2-py3-none-any.whl").write_bytes(b"0" * 2_000_000)
        else:
            (Path(command[-1])).mkdir()
            (Path(command[-1]) / "index.html").touch()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", pretend)
    monkeypatch.setattr(make_kit, "torch_source", lambda: ["--extra-index-url", "https://a.b"])
    return given


def test_a_kit_holds_course_weights_notebooks_site_and_packages_and_nothing_for_developers(
    commands: list[list[str]], tmp_path: Path
) -> None:
    file, made = make_kit.make(tmp_path, start.TESTED, site=True)
    names = [name.partition("/")[2] for name in zipfile.ZipFile(file).namelist()]
    for name in ("start.py", "tools/packages.py", "pyproject.toml", start.TESTED, start.FIRST_NOTEBOOK, "LICENSE",
                 "site/index.html", "wheels/torch-2-py3-none-any.whl", "READ_ME_FIRST.txt", "docs/licences.md"):
        assert name in names, name
    assert any(name.endswith(".safetensors") for name in names)
    assert not [name for name in names if name.startswith(make_kit.LEFT_OUT)]
    assert made["packages"] == 1 and made["megabytes"]["wheels"] == 2.0 and made["megabytes"]["weights"] > 10
    assert file.name.endswith(f"-python{sys.version_info[0]}.{sys.version_info[1]}.zip")


def test_packages_are_fetched_at_the_tested_versions_with_what_builds_the_course(
    commands: list[list[str]], tmp_path: Path
) -> None:
    make_kit.fetch_wheels(tmp_path / "wheels", start.TESTED)
    (command,) = commands
    assert command[command.index("-c") + 1] == start.TESTED and command[command.index("--only-binary") + 1] == ":all:"
    assert set(packages.asked_for("course")) < set(command) and any(word.startswith("setuptools") for word in command)


def test_packages_that_cannot_be_fetched_are_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(make_kit, "torch_source", lambda: [])
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(SystemExit, match="could not be fetched.*Once online"):
        make_kit.fetch_wheels(tmp_path, start.TESTED)


def test_one_command_sets_up_and_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(start, "install", lambda *arguments: given.append(arguments))
    monkeypatch.setattr(start.subprocess, "run", lambda command, **_: given.append(command[1:]) or
                        subprocess.CompletedProcess(command, 0))
    monkeypatch.setattr(start.sys, "argv", ["start.py", "kit"])
    assert start.main() == 0
    assert given == [("course,test,site", start.TESTED), ["tools/make_kit.py", "--versions", start.TESTED]]
