"""Licences, citation, contributing, hooks and workflows: what they say is so."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_packaging import PROJECT, PYTHONS, ROOT, pins

MODULE = "editing_in_text2img.py"  # beside the package: says what hides it
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/licences.md")


def read(name: str) -> str:
    """Return the text of a file of this repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def tracked(pattern: str = "*") -> list[Path]:
    """Return the files that git knows; skips the test in a copy without git."""
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if listed.returncode or not listed.stdout:
        pytest.skip("this copy of the repository has no git")
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


# ------------------------------------------------------------------------------------------------------- the papers


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_to_files(name: str) -> None:
    folder = (ROOT / name).parent
    for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)\)", read(name)):
        if link.startswith("http"):
            continue
        target = (folder / link).resolve()
        assert target.is_file(), link


def test_the_licence_is_the_one_that_the_package_names() -> None:
    assert PROJECT["license"] == "Apache-2.0" and PROJECT["license-files"] == ["LICENSE"]
    text = read("LICENSE")
    assert "Apache License\n                           Version 2.0" in text and "END OF TERMS AND CONDITIONS" in text


def test_the_citation_has_the_form_of_the_citation_file_format() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0" and citation["title"] and citation["message"]
    assert all(set(author) & {"name", "family-names"} for author in citation["authors"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", citation["version"]) and citation["license"] == PROJECT["license"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(citation["date-released"]))


def test_the_changelog_has_every_release_and_only_known_headings() -> None:
    text = read("CHANGELOG.md")
    versions = re.findall(r"(?m)^## \[([^\]]+)\](?: - \d{4}-\d\d-\d\d)?$", text)
    assert versions[0] == "Unreleased" and (PROJECT["version"] in versions or ".dev" in PROJECT["version"])
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"(?m)^### (.+)$", text)) <= known


def test_every_room_of_the_package_is_on_the_map() -> None:
    rooms = {path.parent.name for path in (ROOT / "helpers").glob("*/__init__.py")}
    assert rooms <= set(re.findall(r"(?m)^\| `(\w+)` \|", read("CONTRIBUTING.md")))


def test_commands_of_the_guide_name_files_and_modules_that_exist() -> None:
    commands = re.findall(r"`\.venv/bin/python (-m \w+|[^\s`]+)", read("CONTRIBUTING.md"))
    assert commands
    for command in commands:
        module = command.removeprefix("-m ")
        assert (ROOT / module).is_file() or subprocess.run(
            [sys.executable, "-c", f"import importlib.util as u, sys; sys.exit(not u.find_spec({module!r}))"]
        ).returncode == 0, command


# -------------------------------------------------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """What others install, built from the files that git knows."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in tracked():
        name = path.relative_to(ROOT)
        if name.parts[0] == "helpers" or name.as_posix() in (MODULE, "pyproject.toml", "README.md", "LICENSE"):
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / "tree" / name)
    build = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=folder / "tree", check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


@pytest.mark.slow
def test_the_wheel_holds_the_licence_and_names_it(wheel: zipfile.ZipFile) -> None:
    (licence,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert wheel.read(licence).decode() == read("LICENSE")
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert "License-Expression: Apache-2.0\n" in wheel.read(metadata).decode()


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == {path.relative_to(ROOT).as_posix() for path in [*tracked("helpers/*"), ROOT / MODULE]}


# ------------------------------------------------------------------------------------------------- files and systems

# Not files of text: pictures, an archive's or a browser's page. write_text of a benchmark writes a lesson's tables.
NOT_FILES = re.compile(r"Image\.|lab\.|opened\.|benchmark\.|lesson\d\d\.|^write_text\(")


def bare_file_calls(source: str) -> list[str]:
    """Return the calls in Python `source` that open, read or write a text file in the system's own encoding."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name, words = ast.unparse(call.func).rpartition(".")[2], {keyword.arg for keyword in call.keywords}
        modes = [a.value for a in (*call.args, *(k.value for k in call.keywords)) if isinstance(a, ast.Constant)]
        binary = any(isinstance(mode, str) and re.fullmatch(r"[rwxab+]*b[rwxab+]*", mode) for mode in modes)
        given = "encoding" in words or None in words or name == "read_text" and call.args
        if name in ("open", "read_text", "write_text") and not given and not (name == "open" and binary):
            found.append(ast.unparse(call))
    return [call for call in found if not NOT_FILES.search(call)]


def test_a_file_call_without_an_encoding_is_found() -> None:
    good = "open(f, 'rb'); p.open('wb'); p.read_text('utf-8'); p.write_text(t, encoding='utf-8'); open(f, **how)"
    assert bare_file_calls(f"{good}; Image.open(f)") == []
    bad = ["open(f)", "p.open('a')", "p.read_text()", "p.write_text('b')", "open(f, mode='w')"]
    assert bare_file_calls("; ".join(bad)) == bad


def test_every_file_is_read_and_written_in_a_named_encoding() -> None:
    """Windows would take its own: an arrow or an umlaut in a lesson then stops the course there."""
    # Picturebook's trainers are being moved; their turn comes then.
    paths = [path for path in tracked("*.py") if "training" not in path.relative_to(ROOT).parts]
    bare = {path.relative_to(ROOT).as_posix(): bare_file_calls(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: calls for path, calls in bare.items() if calls} == {}


# ------------------------------------------------------------------------------------------------ workflows and hooks

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def workflow(path: Path) -> dict[Any, Any]:
    """Return a workflow; YAML reads its key "on" as the truth value."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in read.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_the_form_that_github_reads(path: Path) -> None:
    read = workflow(path)
    assert set(read) <= {"name", "on", "permissions", "concurrency", "jobs"} and {"name", "on", "jobs"} <= set(read)
    assert set(read["on"]) <= {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert read["permissions"] == {"contents": "read"}
    for job in read["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= set(job)
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert set(step) <= {"uses", "run", "with", "env", "if", "name"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_of_github_and_pinned_to_a_major_version(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_runs_is_here(path: Path) -> None:
    for command in (step["run"] for step in steps(path) if "run" in step):
        files = [word for word in command.split() if "." in word]
        assert files and all((ROOT / file).is_file() for file in files), command


def test_all_tests_run_on_three_systems_with_every_python() -> None:
    matrix = workflow(ROOT / ".github/workflows/ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == list(PYTHONS)


def test_once_a_week_colabs_versions_are_tested() -> None:
    weekly = workflow(ROOT / ".github/workflows/weekly.yml")
    assert [len(entry["cron"].split()) for entry in weekly["on"]["schedule"]] == [5]
    assert any(".ci/colab/versions.txt" in step.get("run", "") for step in steps(ROOT / ".github/workflows/weekly.yml"))


def hooks() -> list[dict[str, Any]]:
    """Return the hooks of pre-commit."""
    return [hook for repo in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]


def test_hooks_use_the_tested_versions() -> None:
    needed = [line.split("==") for hook in hooks() for line in hook.get("additional_dependencies", [])]
    tested = pins()
    assert {name for name, _ in needed} - set(tested) == {"pre-commit-hooks"}
    assert [name for name, version in needed if tested.get(name, version) != version] == []
    assert {"ruff", "codespell", "jupytext"} <= {name for name, _ in needed}


def test_no_file_but_the_weights_is_larger_than_the_hook_allows() -> None:
    (hook,) = (hook for hook in hooks() if hook["id"] == "check-added-large-files")
    allowed = int(re.search(r"--maxkb=(\d+)", hook["entry"])[1]) * 1024
    large = {path.name for path in tracked() if path.stat().st_size > allowed}
    assert [name for name in large if not re.search(hook["exclude"], name)] == []


def test_nothing_is_misspelt() -> None:
    spelt = subprocess.run([sys.executable, "-m", "codespell_lib"], cwd=ROOT, capture_output=True, text=True)
    assert spelt.returncode == 0, spelt.stdout + spelt.stderr
