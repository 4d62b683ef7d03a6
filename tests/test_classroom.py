"""The server for a class: what it refuses, its limits, what a student gets; Dockerfile and devcontainer have form."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "classroom" / "jupyterhub_config.py"
INSTRUCTIONS = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "EXPOSE", "CMD"}


class Settings(defaultdict):
    """What JupyterHub calls a configuration: attributes of attributes."""

    def __init__(self) -> None:
        super().__init__(types.SimpleNamespace)

    def __getattr__(self, name: str) -> Any:
        return self[name]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The configuration as JupyterHub reads it, with a stand-in for the spawner where JupyterHub is not installed."""
    class Spawner:
        def make_preexec_fn(self, name: str) -> Any:
            return lambda: None

    module = types.ModuleType("jupyterhub.spawner")
    module.SimpleLocalProcessSpawner = Spawner
    monkeypatch.setitem(sys.modules, "jupyterhub", types.ModuleType("jupyterhub"))
    monkeypatch.setitem(sys.modules, "jupyterhub.spawner", module)
    monkeypatch.setenv("COURSE_PASSWORD", "long enough")
    monkeypatch.setenv("COURSE_STUDENTS", str(tmp_path / "students"))

    def read(**settings: str) -> tuple[Settings, dict[str, Any]]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        c = Settings()
        return c, runpy.run_path(str(CONFIG), {"get_config": lambda: c})

    return read


def test_without_a_password_nobody_gets_in(config: Any) -> None:
    with pytest.raises(SystemExit, match="Set COURSE_PASSWORD"):
        config(COURSE_PASSWORD="short")


def test_it_listens_to_this_machine_alone_unless_told_otherwise_and_has_limits(config: Any) -> None:
    c, _ = config()
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert c.JupyterHub.active_server_limit == 30 and c.Spawner.mem_limit == 3 * 10**9
    assert c.Spawner.environment["OMP_NUM_THREADS"] == "1" and any("cull_idle" in word for word in c.Spawner.args)
    assert not hasattr(c.JupyterHub, "services"), "the trial's key is not there unless asked for"
    assert config(COURSE_SEATS="5", COURSE_MEMORY_GB="2")[0].Spawner.mem_limit == 2 * 10**9


@pytest.mark.parametrize(("name", "fits"), [("anna", True), ("anna_2", True), ("../etc", False), ("", False)])
def test_the_name_of_a_student_can_be_the_name_of_a_folder(config: Any, name: str, fits: bool) -> None:
    assert bool(re.fullmatch(config()[0].Authenticator.username_pattern, name)) is fits


def test_a_student_gets_the_notebooks_and_keeps_what_is_changed(config: Any, tmp_path: Path) -> None:
    c, _ = config()
    spawner = types.SimpleNamespace(home_dir=str(tmp_path / "anna"))
    c.Spawner.pre_spawn_hook(spawner)
    notebook = tmp_path / "anna" / "notebooks" / "00_start_here.ipynb"
    notebook.write_text("mine", encoding="utf-8")
    c.Spawner.pre_spawn_hook(spawner)
    assert notebook.read_text(encoding="utf-8") == "mine" and not list((tmp_path / "anna").rglob("*.py"))


@pytest.mark.skipif(sys.platform != "linux", reason="the server is for Linux")
def test_a_process_that_wants_more_than_its_memory_is_refused(config: Any) -> None:
    c, _ = config(COURSE_MEMORY_GB="1")
    limited = c.JupyterHub.spawner_class().make_preexec_fn("anna")
    for gigabytes, error in ((0.2, ""), (1.2, "MemoryError")):
        command = [sys.executable, "-c", f"bytearray({int(gigabytes * 1e9)})"]
        ran = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True)
        assert ran.stderr.strip().endswith(error) and bool(ran.returncode) is bool(error)


# ------------------------------------------------------------------------------------------- containers, by their form


def lines(name: str) -> list[str]:
    """Return the instructions of a Dockerfile, continued lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / name).read_text(encoding="utf-8"))
    return [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]


def test_the_dockerfile_has_form_and_copies_what_is_here() -> None:
    found = lines("classroom/Dockerfile")
    assert found[0].startswith("FROM python:3.12") and {line.split()[0] for line in found} <= INSTRUCTIONS
    for line in (line for line in found if line.startswith("COPY")):
        assert all((ROOT / source).exists() for source in line.split()[1:-1]), line
    (command,) = (line.removeprefix("CMD ") for line in found if line.startswith("CMD"))
    assert (ROOT / json.loads(command)[-1]) == CONFIG
    assert any("-c requirements-tested.txt" in line for line in found)
    users = [line for line in found if line.startswith("USER")]
    assert users == ["USER course"], "students' programs do not run as root"


def test_binder_is_not_kept_from_environment_yml() -> None:
    """repo2docker takes a Dockerfile in these places before anything else."""
    assert not any((ROOT / folder / "Dockerfile").exists() for folder in (".", "binder", ".binder"))


def test_the_image_is_built_without_what_is_no_part_of_the_course() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv*", "build", "runs"} <= set(ignored)


def test_the_devcontainer_has_form_and_runs_what_is_here() -> None:
    read = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert set(read) <= {"name", "image", "hostRequirements", "postCreateCommand", "customizations"}
    program, script, _ = read["postCreateCommand"].split()
    assert program == "python" and (ROOT / script).is_file()
    assert set(read["customizations"]) == {"vscode", "codespaces"}
    assert all((ROOT / file).is_file() for file in read["customizations"]["codespaces"]["openFiles"])
