"""Set the course up and open it, or run its tests, with nothing installed but Python 3.11, 3.12 or 3.13.

    python start.py          set up (the first time), then open the course in JupyterLab
    python start.py test     set up, then run all tests: linter, unit tests, notebooks
    python start.py setup    set up only

Everything is installed into the folder .venv beside this file, with the versions of requirements-tested.txt;
deleting that folder undoes it. Uses the standard library alone, and no shell: it runs the same on Windows.
"""

from __future__ import annotations  # Python 3.6 stops at this line: the course needs Python 3.11, 3.12 or 3.13

import argparse
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.txt"
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
OLDEST, NEWEST = (3, 11), (3, 13)
ONE_AT_A_TIME = "If another set-up of this folder was running, let that one finish first."


def main() -> int:  # Python 2 stops at this line: the course needs Python 3.11, 3.12 or 3.13
    """Do what the command line asks; return the exit status."""
    parser = argparse.ArgumentParser(description="Set the course up and open it, or run its tests.")
    parser.add_argument("what", nargs="?", default="course", choices=["course", "test", "setup"])
    what = parser.parse_args().what
    refuse_other_pythons()
    with Path(__file__).open("rb") as lock:
        wait_for_other_set_ups(lock)
        install("course,test,site" if what == "test" else "course")
    if what == "setup":
        return 0
    return run_tests() if what == "test" else open_course()


def refuse_other_pythons() -> None:
    """Stop with a sentence that says what to do if this Python is too old or too new."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    found = [f"python3.{n}" for n in (13, 12, 11) if runs(f"python3.{n}")]
    command = " ".join(shlex.quote(word) for word in (*found[:1], *sys.argv))
    remedy = f"This machine has one: {command}" if found else "Get one from https://www.python.org/downloads"
    sys.exit(f"The course needs Python 3.11, 3.12 or 3.13; this is {platform.python_version()}. {remedy}")


def runs(python: str) -> bool:
    """Return whether the command `python` starts a Python; one that pyenv has put in the path may not."""
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run([python, "-c", ""], **silent).returncode == 0
    except OSError:
        return False


def wait_for_other_set_ups(lock: BinaryIO) -> None:
    """Lock an open file, which others do too, as soon as none of them has; Windows has no such lock."""
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another set-up of this folder is running; this one waits until it has ended.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except (ImportError, OSError):  # the set-up that fails says ONE_AT_A_TIME
        return


def venv_python() -> str:
    """Return the path of the Python inside .venv."""
    return str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def install(extras: str) -> None:
    """Install the package and its `extras` (comma-separated) into .venv, unless that is done already."""
    wanted = fingerprint()
    done = STAMP.read_text(encoding="utf-8").split() if STAMP.is_file() and Path(venv_python()).exists() else []
    if done[:1] == [wanted] and set(extras.split(",")) <= set(done[1:]):
        return
    if done[:1] != [wanted]:
        make_venv()
    print("Installing the course into .venv; the first time this takes a few minutes.", flush=True)
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    packages = ["-c", "requirements-tested.txt", "-e", f".[{extras}]"]
    pip = [venv_python(), "-m", "pip", "--disable-pip-version-check", "install", *quiet, *torch_source(), *packages]
    if subprocess.run(pip, cwd=ROOT, stdin=subprocess.DEVNULL).returncode:
        advice = f"Once online, run the same command again. {ONE_AT_A_TIME}"
        sys.exit(f"The packages could not be installed; pip says why above. {advice}")
    STAMP.write_text(" ".join([wanted, *extras.split(",")]), encoding="utf-8")


def fingerprint() -> str:
    """Return a digest of all that an installation depends on: this folder, this Python, the package lists."""
    parts = [str(ROOT).encode(), sys.version.encode()]
    parts += [(ROOT / name).read_bytes() for name in ("pyproject.toml", "requirements-tested.txt")]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def make_venv() -> None:
    """Create .venv afresh, in place of whatever is there; of a link, only the link is removed."""
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    # What it says is kept back: after Ctrl+C that is a traceback, which helps nobody.
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if made.returncode:
        remedy = f"On Debian and Ubuntu: sudo apt install python3-venv\n{ONE_AT_A_TIME}"
        sys.exit(f"{made.stdout}{made.stderr}\nPython could not make a virtual environment. {remedy}")


def torch_source() -> list[str]:
    """Return pip's options for a torch without CUDA, on a Linux machine that has no NVIDIA GPU.

    There the default torch brings gigabytes of GPU libraries. Where the page of CPU builds is out of reach, nothing
    is added and pip takes the torch of its usual index.
    """
    if sys.platform != "linux" or shutil.which("nvidia-smi"):
        return []
    try:
        urllib.request.urlopen(CPU_TORCH + "/torch/", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return []
    return ["--extra-index-url", CPU_TORCH]


def open_course() -> int:
    """Run JupyterLab on the first notebook until it is closed; it prints its address and opens a browser if it can."""
    if not (ROOT / FIRST_NOTEBOOK).is_file():
        sys.exit(f"{FIRST_NOTEBOOK} is missing. Is this a full copy of the repository?")
    first = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}"]
    quiet = ["--log-level=WARN", "--LabApp.news_url=None"]
    quiet += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    print("Opening the course. Without a browser here, open the address below. Ctrl+C ends it.", flush=True)
    server = subprocess.Popen([venv_python(), "-m", "jupyterlab", *first, *quiet, *as_root], cwd=ROOT)
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:  # JupyterLab gets it too, and asks whether to stop
            continue


def run_tests() -> int:
    """Run the linter, then the unit tests and the notebooks; return 0 if all passed."""
    python = [venv_python(), "-m"]
    lint = subprocess.run([*python, "ruff", "check", "."], cwd=ROOT, stdin=subprocess.DEVNULL).returncode
    # Printed numbers may differ in the last digit on other systems: there the notebooks only have to run.
    compare = "--nbval" if sys.platform == "linux" else "--nbval-lax"
    limits = ["--nbval-cell-timeout=300", "--nbval-kernel-startup-timeout=120"]
    notebooks = [compare, "--nbval-current-env", "--nbval-sanitize-with=tests/nbval_sanitize.cfg", *limits]
    # As many files at a time as there are cores, up to four, which share the cores: memory is for no more.
    cores = os.cpu_count() or 1
    workers = min(cores, 4)
    side_by_side = ["-n", str(workers), "--dist", "loadfile"]
    # A progress bar prints how long it took, which is never the same twice.
    environment = {"OMP_NUM_THREADS": str(cores // workers), **os.environ, "TQDM_DISABLE": "1"}
    browser = "tests/browser"  # runs alone: on a busy machine the mouse is ahead of the widgets
    commands = [["pytest", browser],
                ["pytest", *side_by_side, *notebooks, f"--ignore={browser}", "tests", "notebooks"]]
    statuses = [subprocess.run([*python, *command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode
                for command in commands]
    tests = next(filter(None, statuses), 0)
    if lint:
        print("The tests ran, but the linter (ruff, at the top) has complaints.", file=sys.stderr)
    return tests or lint


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run the same command again to go on.")
