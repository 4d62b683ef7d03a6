"""start.py: what it refuses, what it says, and that a set-up is never half done."""

import ast
import errno
import functools
import http.server
import os
import runpy
import shutil
import subprocess
import sys
import threading
import types
import zipfile
from collections import namedtuple
from pathlib import Path
from unittest.mock import Mock

import pytest

import packages
import start

ROOT = Path(__file__).resolve().parents[1]
TORCH = "torch"


def test_an_unreachable_page_of_torch_builds_does_not_stop_the_set_up(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(packages.shutil, "which", lambda _: None)
    monkeypatch.setattr(packages.sys, "platform", "linux")
    monkeypatch.setattr(packages.urllib.request, "urlopen", unreachable)
    assert packages.torch_source() == []


def test_on_a_machine_with_a_gpu_the_usual_torch_is_taken(monkeypatch):
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert packages.torch_source() == []


def test_another_python_is_refused_with_a_remedy(monkeypatch):
    monkeypatch.setattr(start.sys, "version_info", (3, 10, 0))
    monkeypatch.setattr(start.sys, "argv", ["the course/start.py", "test"])
    monkeypatch.setattr(start, "runs", lambda name: name == "python3.12")
    with pytest.raises(SystemExit, match=r"3\.11, 3\.12 or 3\.13.*: python3\.12 'the course/start\.py' test$"):
        start.refuse_other_pythons()
    monkeypatch.setattr(start, "runs", lambda _: False)
    with pytest.raises(SystemExit, match=r"Get one from https://www\.python\.org/downloads$"):
        start.refuse_other_pythons()


def test_only_a_command_that_starts_a_python_is_recommended(monkeypatch):
    assert start.runs(sys.executable)
    assert not start.runs("no-such-python")
    monkeypatch.setattr(start.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 127))
    assert not start.runs("python3.13"), "a shim of pyenv answers so: command not found"


def test_a_python_too_old_to_read_start_py_shows_a_line_that_says_so():
    text = (ROOT / "start.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 7))  # from here on refuse_other_pythons says it
    python_36 = next(line for line in text.splitlines() if line.startswith("from __future__ import annotations"))
    python_2 = next(line for line in text.splitlines() if "->" in line)
    for line in (python_36, python_2):
        assert "the course needs Python 3.11, 3.12 or 3.13" in line


def test_after_ctrl_c_one_sentence_says_how_to_go_on(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("argparse.ArgumentParser.parse_args", interrupted)
    with pytest.raises(SystemExit, match="Stopped. Run the same command again to go on"):
        runpy.run_path(str(ROOT / "start.py"), run_name="__main__")


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """Return the list of the commands that a set-up of .venv in an empty folder gives; none of them is run."""
    given = []

    def run(command, **_):
        given.append(command[2])
        start.VENV.mkdir(exist_ok=True)  # what venv would do; fails where something else is in its place
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(start, "STAMP", tmp_path / ".venv/installed.txt")
    monkeypatch.setattr(packages, "source", lambda: [])
    monkeypatch.setattr(packages, "install", lambda *_: given.append("pip"))
    monkeypatch.setattr(start, "without_torch", lambda: "")
    monkeypatch.setattr(start.subprocess, "run", run)
    return given


def test_a_set_up_that_is_complete_is_left_alone_and_one_without_its_python_is_made_afresh(commands):
    start.install("course")
    assert commands == ["venv", "pip"]
    python = Path(start.venv_python())
    python.parent.mkdir()
    python.touch()
    start.install("course")
    assert commands == ["venv", "pip"]
    start.install("course,test,site")
    assert commands == ["venv", "pip", "pip"], "more packages need no new .venv"
    python.unlink()
    start.install("course")
    assert commands == ["venv", "pip", "pip", "venv", "pip"]


def test_a_file_or_a_link_in_the_place_of_the_set_up_is_removed_and_nothing_behind_the_link(commands, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis.tex").touch()
    start.VENV.touch()
    start.install("course")
    for linked in (elsewhere, tmp_path / "gone"):
        shutil.rmtree(start.VENV)
        start.VENV.symlink_to(linked)
        start.install("course")
        assert start.VENV.is_dir() and not start.VENV.is_symlink()
    assert (elsewhere / "thesis.tex").exists()


def test_a_second_set_up_waits_for_the_first(tmp_path, capsys):
    (tmp_path / "start.py").touch()

    def second():
        with (tmp_path / "start.py").open("rb") as lock:
            start.wait_for_other_set_ups(lock)

    waiting = threading.Thread(target=second, daemon=True)
    with (tmp_path / "start.py").open("rb") as lock:
        start.wait_for_other_set_ups(lock)
        assert capsys.readouterr().out == ""
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()
    assert "Another set-up of this folder is running" in capsys.readouterr().out


# ---------------------------------------------------------------------------------------------------- one at a time


class Windows(types.ModuleType):
    """A stand-in for msvcrt: one lock, which `held` says somebody else has."""

    LK_NBLCK = 2

    def __init__(self):
        super().__init__("msvcrt")
        self.held, self.places = 0, []

    def locking(self, handle, mode, size):
        assert (mode, size) == (self.LK_NBLCK, 1)
        self.places.append(os.lseek(handle, 0, os.SEEK_CUR))
        if self.held:
            self.held -= 1
            raise PermissionError(errno.EACCES, "Permission denied")


@pytest.fixture
def windows(monkeypatch):
    module = Windows()
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    monkeypatch.setattr(start.os, "name", "nt")
    monkeypatch.setattr(start.time, "sleep", lambda _: None)
    yield module
    monkeypatch.undo()  # before anybody makes a path, which asks for the system's name


def test_on_windows_too_a_second_set_up_waits_for_the_first(windows, capsys):
    windows.held = 2
    with open(start.__file__, "rb") as lock:
        start.wait_for_other_set_ups(lock)
    assert "Another set-up of this folder is running" in capsys.readouterr().out
    size = len(start.__doc__)
    assert len(windows.places) == 3 and all(place > size for place in windows.places), "others must read start.py"


def test_a_drive_without_locks_stops_nobody(monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl", reason="Windows has msvcrt")

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with open(start.__file__, "rb") as lock:
        start.wait_for_other_set_ups(lock)
    assert capsys.readouterr().out == ""


# ----------------------------------------------------------------------------------------- machines without a torch

LINUX = {"platform": "linux", "machine": "x86_64", "libc": ("glibc", "2.36"), "python": "CPython",
         "tag": "linux-x86_64", "mac": "15.1"}  # fmt: skip
LINES = [
    ({"platform": "darwin", "machine": "x86_64"}, "no torch for Macs with an Intel processor after 2.2.2"),
    ({"platform": "darwin", "machine": "arm64", "mac": "13.6.1"}, "macOS 14 or later; this Mac has 13.6.1"),
    ({"platform": "win32", "machine": "ARM64", "tag": "win-arm64"}, "that of win-amd64 runs"),
    ({"libc": ("", "")}, "without glibc, such as Alpine"),
    ({"libc": ("glibc", "2.17")}, "glibc 2.28 or later.*this system has 2.17"),
    ({"machine": "armv7l"}, "no torch for .* on armv7l"),
    ({"platform": "freebsd14"}, "There is no torch for"),
    ({"python": "PyPy"}, "CPython; this is PyPy"),
]  # fmt: skip
RUNS = [{}, {"machine": "aarch64"}, {"platform": "darwin", "machine": "arm64"},
        {"platform": "darwin", "machine": "arm64", "mac": "14.0"},
        {"platform": "darwin", "machine": "arm64", "mac": "10.16"},
        {"platform": "win32", "machine": "AMD64", "tag": "win-amd64"},
        {"platform": "win32", "machine": "ARM64", "tag": "win-amd64"}]  # fmt: skip


def pretend(monkeypatch, platform, machine, libc, python, tag, mac):
    """Make start.py believe that it runs on another machine."""
    monkeypatch.setattr(start.sys, "platform", platform)
    monkeypatch.setattr(start.platform, "machine", lambda: machine)
    monkeypatch.setattr(start.platform, "libc_ver", lambda: libc)
    monkeypatch.setattr(start.platform, "python_implementation", lambda: python)
    monkeypatch.setattr(start.sysconfig, "get_platform", lambda: tag)
    monkeypatch.setattr(start.platform, "mac_ver", lambda: (mac, ("", "", ""), machine))


@pytest.mark.parametrize(("other", "sentence"), LINES)
def test_a_machine_without_torch_is_told_so_and_where_the_course_runs(monkeypatch, other, sentence):
    with monkeypatch.context() as patch:
        pretend(patch, **LINUX | other)
        with pytest.raises(SystemExit, match=f"{sentence}.*open it in a browser"):
            start.refuse_machines_without_torch()


@pytest.mark.parametrize("other", RUNS)
def test_a_machine_with_torch_goes_on(monkeypatch, other):
    with monkeypatch.context() as patch:
        pretend(patch, **LINUX | other)
        start.refuse_machines_without_torch()


def test_a_python_of_32_bits_is_told_to_get_another(monkeypatch):
    monkeypatch.setattr(start.sys, "maxsize", 2**31 - 1)
    assert "64-bit Python" in start.without_torch()


def test_the_torch_it_speaks_of_is_the_one_the_project_asks_for():
    assert f'"torch>={start.OLDEST_TORCH}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# -------------------------------------------------------------------------------------------------- what is installed


@pytest.mark.parametrize("extras", ["course", "course,test,site"])
def test_before_it_installs_it_says_what_and_how_much(commands, capsys, extras):
    start.install(extras)
    download, disk = packages.SIZES[extras]
    told = capsys.readouterr().out
    assert {"torch", "diffusers", "jupyterlab"} <= set(told.replace(",", "").split()) and ">=" not in told
    assert f"{download:.2g} GB to download, {disk:.2g} GB on the disk" in told and "few minutes" in told


def test_more_packages_for_a_set_up_that_is_there_are_told_alone(capsys):
    packages.tell("course,test,site", fresh=False, gpu=True)
    told = capsys.readouterr().out
    assert "about 0.1 GB to download, 0.3 GB on the disk." in told and "GPU" not in told
    assert "pytest" in told and "torch" not in told


def test_libraries_for_a_gpu_are_told_of(capsys):
    packages.tell("course", fresh=True, gpu=True)
    assert "With torch's libraries for a GPU it is about 3 GB and 6 GB more" in capsys.readouterr().out


def test_a_full_disk_is_refused_before_anything_is_fetched(commands, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(packages.shutil, "disk_usage", lambda _: usage(10**10, 9 * 10**9, 10**9))
    with pytest.raises(SystemExit, match=r"This disk has 1 GB left. Make room for 1.6 GB"):
        start.install("course")
    assert commands == []


def test_settings_that_would_install_elsewhere_are_dropped_and_addresses_kept(monkeypatch):
    kept = ("PIP_INDEX_URL", "PIP_PROXY", "PIP_CACHE_DIR", "PIPELINE", "HTTPS_PROXY")
    for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_NO_DEPS", "PIP_CONSTRAINT", "pip_user", "PYTHONPATH"):
        monkeypatch.setenv(name, "1")
    for name in kept:
        monkeypatch.setenv(name, "kept")
    left = packages.pip_environment()
    assert {name for name in left if name.upper().startswith(("PIP", "PYTHONPATH")) and left[name] == "1"} == set()
    assert {left[name] for name in kept} == {"kept"}


def test_pip_installs_into_the_venv_whatever_its_settings_say(tmp_path, monkeypatch):
    config = tmp_path / "pip.conf"
    config.write_text("[install]\nuser = true\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    start.make_venv()
    assert packages.with_pip(start.venv_python(), ["--no-index", "--no-deps", str(wheel(tmp_path, "owl"))]) == 0
    assert list((tmp_path / ".venv").rglob("owl.py"))


def test_other_versions_can_be_asked_for_and_are_another_set_up(commands, tmp_path, monkeypatch):
    other = tmp_path / "other.txt"
    other.write_text("numpy==2.1.3\n", encoding="utf-8")
    start.install("course")
    python = Path(start.venv_python())
    python.parent.mkdir()
    python.touch()
    start.install("course", str(other))
    assert commands == ["venv", "pip", "venv", "pip"]


def test_versions_that_are_not_there_are_refused(monkeypatch):
    monkeypatch.setattr(start.sys, "argv", ["start.py", "test", "--versions", "lost.txt"])
    with pytest.raises(SystemExit, match="lost.txt is missing"):
        start.main()


# ------------------------------------------------------------------------------------------- pip, uv and the network


def wheel(folder, name, size=0):
    """Write a wheel that holds one module and `size` bytes besides; return its path."""
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{name}.bin", os.urandom(size))
        archive.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{name}-1.dist-info/WHEEL", tags)
        archive.writestr(f"{name}-1.dist-info/RECORD", "")
    return path


class Index(http.server.SimpleHTTPRequestHandler):
    """A package index on the loopback address; counts what is fetched, and refuses what is in `broken`."""

    fetched: list = []
    broken: set = set()

    def do_GET(self):
        name = self.path.rstrip("/").rpartition("/")[2]
        if name.endswith(".whl"):
            if name.partition("-")[0] in self.broken:
                self.send_error(503)
                return
            self.fetched.append(name.partition("-")[0])
            super().do_GET()
            return
        page = "".join(f'<a href="/{path.name}">{path.name}</a>' for path in Path(self.directory).glob(f"{name}-*"))
        body = f"<!DOCTYPE html><html><body>{page}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index of three wheels, an empty .venv, and a course that consists of them: a large one, then the others."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, size in (("torch", 2_000_000), ("owl", 0), ("fox", 0)):
        wheel(folder, name, size)
    handler = functools.partial(Index, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(start, "STAMP", tmp_path / ".venv/installed.txt")
    monkeypatch.setattr(start, "without_torch", lambda: "")
    monkeypatch.setattr(packages, "source", lambda: [])
    monkeypatch.setattr(packages, "steps", lambda _: [["torch"], ["owl", "fox"]])
    monkeypatch.setattr(Index, "fetched", [])
    monkeypatch.setattr(Index, "broken", set())
    (tmp_path / "versions.txt").write_text("owl==1\n", encoding="utf-8")
    yield str(tmp_path / "versions.txt")
    server.shutdown()


UV = shutil.which("uv")
INSTALLERS = ["pip", pytest.param("uv", marks=pytest.mark.skipif(not UV, reason="uv is not installed"))]


@pytest.mark.parametrize("installer", INSTALLERS)
def test_after_an_interruption_nothing_is_fetched_twice_and_the_second_time_nothing_at_all(
        index, capfd, monkeypatch, installer):
    if installer == "pip":
        monkeypatch.setattr(packages, "with_uv", lambda *_: False)
    else:
        monkeypatch.setattr(packages, "with_pip", lambda *_: 1)
    Index.broken.add("fox")
    with pytest.raises(SystemExit, match="goes on with this step"):
        start.install("course", index)
    assert Index.fetched.count("torch") and not start.VENV.exists()
    Index.broken.clear()
    Index.fetched.clear()
    start.install("course", index)
    told = capfd.readouterr().out
    assert Index.fetched.count("torch") == 0 and "Going on with the set-up" in told
    assert "Step 1 of 2: torch" in told and "Step 2 of 2" in told
    if installer == "pip":
        assert "2 MB: torch-1-py3-none-any.whl" in told
    assert len(list(start.VENV.rglob("*-1.dist-info"))) == 3
    before = list(Index.fetched)
    start.install("course", index)
    assert Index.fetched == before and capfd.readouterr().out == ""


def test_where_uv_fails_pip_does_it(monkeypatch, capsys):
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/bin/{name}" if name == "uv" else None)
    given = []

    def run(command, **_):
        given.append(command[0])
        return subprocess.CompletedProcess(command, 2)

    monkeypatch.setattr(packages.subprocess, "run", run)
    monkeypatch.setattr(packages, "with_pip", lambda *_: given.append("pip") or 0)
    monkeypatch.setattr(packages, "steps", lambda _: [["torch"]])
    packages.install("python", "course", start.TESTED, [])
    assert given == ["/bin/uv", "pip"] and "now pip tries" in capsys.readouterr().out


def test_uv_is_told_where_pip_was_to_look_and_not_to_install_elsewhere(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    given = {"PIP_INDEX_URL": "https://a/simple", "PIP_FIND_LINKS": "/a /b", "PIP_CERT": "/c.pem",
             "UV_SYSTEM_PYTHON": "1", "UV_TARGET": "/d", "UV_CACHE_DIR": "/e", "PYTHONPATH": "/f"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = packages.uv_environment()
    wanted = {"UV_DEFAULT_INDEX": "https://a/simple", "UV_FIND_LINKS": "/a,/b", "SSL_CERT_FILE": "/c.pem",
              "UV_CACHE_DIR": "/e"}
    assert {name: found.get(name) for name in wanted} == wanted
    assert not {"UV_SYSTEM_PYTHON", "UV_TARGET", "PYTHONPATH"} & set(found)


def test_a_folder_of_wheels_stands_for_the_network(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(packages, "WHEELS", tmp_path)
    assert packages.source() == ["--no-index", "--find-links", str(tmp_path)]
    packages.tell("course", fresh=True, gpu=False)
    assert "nothing to download" in capsys.readouterr().out


def test_the_largest_packages_come_first_and_the_course_last():
    first, second, last = packages.steps("course")
    assert first[0].startswith("torch>=") and second[0].startswith("jupyterlab>=") and last == ["-e", ".[course]"]


def test_without_the_folder_of_tools_a_sentence_says_so(monkeypatch, tmp_path):
    (tmp_path / start.TESTED).touch()
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start.sys, "argv", ["start.py", "setup"])
    with pytest.raises(SystemExit, match=r"tools/packages\.py is missing"):
        start.main()


def test_where_python_has_no_venv_uv_makes_it(monkeypatch):
    given = []

    def run(command, **_):
        given.append(command[0])
        return subprocess.CompletedProcess(command, 0 if "uv" in command[0] else 1, "", "ensurepip is not available")

    monkeypatch.setattr(start.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(start.subprocess, "run", run)
    start.make_venv()
    assert given[1:] == ["/bin/uv"]


# -------------------------------------------------------------------------------------- a set-up that is there already


@pytest.fixture
def old(commands):
    """A set-up of other versions, with a file in it."""
    start.VENV.mkdir()
    python = Path(start.venv_python())
    python.parent.mkdir()
    python.touch()
    start.STAMP.write_text("of-other-versions course", encoding="utf-8")
    return commands


@pytest.mark.parametrize("failure", [SystemExit("offline"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", [(start, "make_venv"), (packages, "install")])
def test_what_was_there_is_put_back_where_a_new_set_up_fails_or_is_stopped(old, monkeypatch, failure, where):
    def fails(*_):
        raise failure

    monkeypatch.setattr(*where, fails)
    with pytest.raises(type(failure)):
        start.install("course")
    assert start.STAMP.read_text(encoding="utf-8") == "of-other-versions course" and Path(start.venv_python()).exists()
    assert [path.name for path in start.VENV.parent.iterdir()] == [".venv"]


def half_installed(*_):
    """What a set-up leaves that is stopped: a Python, a whole package, and one that is not."""
    python = Path(start.venv_python())
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    for name, written in (("whole", "INSTALLER"), ("torn", "METADATA")):
        about = start.VENV / "lib/python3.11/site-packages" / f"{name}-1.dist-info"
        about.mkdir(parents=True)
        (about / written).touch()
    raise KeyboardInterrupt


def test_a_set_up_that_was_interrupted_is_gone_on_with_and_what_is_torn_is_not_taken_for_whole(old, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(packages, "install", half_installed)
        with pytest.raises(KeyboardInterrupt):
            start.install("course")
    assert {path.name for path in start.VENV.parent.iterdir()} == {".venv", ".venv-half"}
    assert start.STAMP.read_text(encoding="utf-8") == "of-other-versions course"
    del old[:]
    start.install("course")
    assert old == ["pip"], "the same .venv is gone on with"
    assert [path.name for path in start.VENV.rglob("*.dist-info")] == ["whole-1.dist-info"]
    assert [path.name for path in start.VENV.parent.iterdir()] == [".venv"]


def test_what_was_begun_for_other_versions_is_not_gone_on_with(commands, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(packages, "install", half_installed)
        with pytest.raises(KeyboardInterrupt):
            start.install("course")
    (tmp_path / "other.txt").touch()
    start.install("course", str(tmp_path / "other.txt"))
    assert commands == ["venv", "venv", "pip"] and not start.half().exists()


def test_a_new_set_up_takes_the_place_of_the_old(old):
    start.install("course")
    assert start.STAMP.read_text(encoding="utf-8").startswith(start.fingerprint())
    assert not Path(start.venv_python()).exists() and [path.name for path in start.VENV.parent.iterdir()] == [".venv"]


def test_a_set_up_in_which_a_program_runs_is_left_alone(old, monkeypatch):
    monkeypatch.setattr(start, "in_use", lambda: True)
    with pytest.raises(SystemExit, match="Close JupyterLab and its notebooks"):
        start.install("course")
    assert old == [] and Path(start.venv_python()).exists()


def test_a_folder_that_the_system_does_not_let_go_is_left_alone(old, monkeypatch):
    def open_elsewhere(*_):
        raise PermissionError(13, "a file in it is open")

    monkeypatch.setattr(Path, "rename", open_elsewhere)
    with pytest.raises(SystemExit, match="Close JupyterLab and its notebooks"):
        start.install("course")
    assert old == [] and Path(start.venv_python()).exists()


@pytest.mark.skipif(os.name == "nt", reason="there a program that runs cannot be written to")
@pytest.mark.parametrize("listed", ["proc", "ps"])
def test_a_program_of_the_venv_is_seen_while_it_runs(monkeypatch, tmp_path, listed):
    if listed == "ps":
        if not shutil.which("ps"):
            pytest.skip("there is no ps")
        monkeypatch.setattr(start, "programs", start.programs_listed_by_ps)
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    python = Path(start.venv_python())
    python.parent.mkdir(parents=True)
    python.symlink_to(os.path.realpath(sys.executable))
    assert not start.in_use()
    command = [python, "-c", "print(1, flush=True); input()"]
    waiting = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        waiting.stdout.readline()
        assert start.in_use()
    finally:
        waiting.communicate(b"\n")
    assert not start.in_use()


@pytest.mark.parametrize(("error", "used"), [(PermissionError, True), (FileNotFoundError, False), (None, False)])
def test_on_windows_a_python_that_cannot_be_written_to_runs(monkeypatch, error, used):
    class Python:
        def __init__(self, _):
            pass

        def open(self, mode):
            assert mode == "r+b"
            if error:
                raise error
            return self

        def close(self):
            pass

    with monkeypatch.context() as patch:
        patch.setattr(start, "venv_python", lambda: "python.exe")
        patch.setattr(start, "Path", Python)
        patch.setattr(start.os, "name", "nt")
        found = start.in_use()
    assert found is used


# -------------------------------------------------------------------------------------------- what the kernels are told


def test_threads_wait_without_taking_a_core_from_others_unless_the_reader_wants_it(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert start.lab_environment()["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert start.lab_environment()["OMP_WAIT_POLICY"] == "ACTIVE"


def test_the_tests_run_in_that_environment_too(monkeypatch):
    ran = []
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(start.subprocess, "run", lambda command, **knobs: ran.append(knobs) or Mock(returncode=0))
    assert start.run_tests() == 0
    assert [knobs["env"]["OMP_WAIT_POLICY"] for knobs in ran if "env" in knobs] == ["PASSIVE"] * 2
