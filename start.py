"""Set the course up and open it, or run its tests, with nothing installed but Python 3.11, 3.12 or 3.13.

    python start.py          set up (the first time), then open the course in JupyterLab
    python start.py test     set up, then run all tests: linter, unit tests, notebooks
    python start.py setup    set up only
    python start.py kit      set up, then make a folder and a zip of all that a machine without network needs

Everything is installed into the folder .venv beside this file, with the versions of requirements-tested.txt (those of
another file with --versions FILE); deleting that folder undoes it. A set-up that was interrupted goes on where it was;
one that is complete needs no network.
Uses the standard library alone, and no shell: it runs the same on Windows.
"""

from __future__ import annotations  # Python 3.6 stops at this line: the course needs Python 3.11, 3.12 or 3.13

import argparse
import errno
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent
sys.path.append(str(ROOT / "tools"))
VENV = ROOT / ".venv"
STAMP = VENV / "installed.txt"
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
OLDEST, NEWEST = (3, 11), (3, 13)
OLDEST_TORCH = "2.11"
OLDEST_MACOS = (14,)
TESTED = "requirements-tested.txt"
IN_A_BROWSER = "The course also runs with nothing installed: the badges at the top of README.md open it in a browser."
# torch's threads wait for each other at every layer, and unless told otherwise they wait by running. Where others want
# the cores, too, that keeps them from the very thread they wait for: on two busy cores a picture of 25 steps took 88 to
# over 180 seconds, and 2 to 7 with this.
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}  # how a system says that somebody else has a lock
BEYOND = 1 << 30  # a byte behind the end of start.py: on Windows, nobody else can read one that is locked


def main() -> int:  # Python 2 stops at this line: the course needs Python 3.11, 3.12 or 3.13
    """Do what the command line asks; return the exit status."""
    parser = argparse.ArgumentParser(description="Set the course up and open it, or run its tests.")
    parser.add_argument("what", nargs="?", default="course", choices=["course", "test", "setup", "kit"])
    parser.add_argument("--versions", default=TESTED, metavar="FILE", help=f"versions to install; default: {TESTED}")
    asked = parser.parse_args()
    refuse_other_pythons()
    for name in (asked.versions, "tools/packages.py"):
        if not (ROOT / name).is_file():
            sys.exit(f"{name} is missing. Is this a full copy of the repository?")
    with Path(__file__).open("rb") as lock:
        wait_for_other_set_ups(lock)
        install("course,test,site" if asked.what in ("test", "kit") else "course", asked.versions)
    if asked.what == "setup":
        return 0
    if asked.what == "kit":
        return subprocess.run([venv_python(), "tools/make_kit.py", "--versions", asked.versions], cwd=ROOT).returncode
    return run_tests(asked.versions) if asked.what == "test" else open_course()


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


def refuse_machines_without_torch() -> None:
    """Stop with a sentence if torch is not made for this Python on this machine: pip's own words help nobody."""
    reason = without_torch()
    if reason:
        sys.exit(f"{reason} {IN_A_BROWSER}")


def without_torch() -> str:
    """Return why there is no torch for this Python on this machine, and what to do; "" if there should be one."""
    system, machine, libc = sys.platform, platform.machine().lower(), platform.libc_ver()
    get = "Get one from https://www.python.org/downloads"
    if platform.python_implementation() != "CPython":
        return f"The course needs the usual Python, CPython; this is {platform.python_implementation()}. {get}."
    if sys.maxsize < 2**32:
        return f"The course needs a 64-bit Python; this is a 32-bit one. {get}."
    if system == "darwin" and machine == "x86_64":
        return ("There is no torch for Macs with an Intel processor after 2.2.2, and the course needs "
                f"{OLDEST_TORCH}. If this Mac has an M processor, this Python is not made for it: {get}.")
    if system == "darwin" and (10, 16) != mac_version() < OLDEST_MACOS:
        return (f"The tested versions of torch and aggdraw need macOS {OLDEST_MACOS[0]} or later; this Mac has "
                f"{platform.mac_ver()[0]}. Update macOS.")
    if system == "win32" and sysconfig.get_platform() != "win-amd64":
        return f"Not all packages are made for a Python of {sysconfig.get_platform()}; that of win-amd64 runs. {get}."
    if system not in ("linux", "darwin", "win32") or system == "linux" and machine not in ("x86_64", "aarch64"):
        return f"There is no torch for {platform.system()} on {platform.machine()}."
    if system == "linux" and libc[0] != "glibc":
        return "There is no torch for Linux without glibc, such as Alpine."
    if system == "linux" and tuple(map(int, libc[1].split(".")[:2])) < (2, 28):
        return f"torch needs glibc 2.28 or later (a Linux of 2019 or later); this system has {libc[1]}."
    return ""


def mac_version() -> tuple[int, ...]:
    """Return the version of macOS; (10, 16) is what a Python made for an older one takes every later one for."""
    return tuple(int(part) for part in platform.mac_ver()[0].split(".")[:2] if part.isdecimal())


def wait_for_other_set_ups(lock: BinaryIO) -> None:
    """Lock an open file, which others do too, as soon as none of them has."""
    if locked(lock):
        return
    print("Another set-up of this folder is running; this one waits until it has ended.", flush=True)
    while not locked(lock):
        time.sleep(0.5)


def locked(lock: BinaryIO) -> bool:
    """Lock an open file; return False if somebody else has, True also where a file cannot be locked at all."""
    try:
        if os.name == "nt":
            import msvcrt

            lock.seek(BEYOND)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # some network drives have no locks
        return error.errno not in HELD
    return True


def venv_python() -> str:
    """Return the path of the Python inside .venv."""
    return str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def install(extras: str, versions: str = TESTED) -> None:
    """Install the package and its `extras` (comma-separated) into .venv, unless that is done already."""
    wanted = fingerprint(versions)
    done = STAMP.read_text(encoding="utf-8").split() if STAMP.is_file() and Path(venv_python()).exists() else []
    fresh = done[:1] != [wanted]
    if not fresh and set(extras.split(",")) <= set(done[1:]):
        return
    refuse_machines_without_torch()
    import packages

    options = packages.source()
    packages.tell(extras, fresh, gpu=sys.platform == "linux" and not options)
    with new_venv(wanted) if fresh else nullcontext():
        packages.install(venv_python(), extras, versions, options)
        STAMP.write_text(" ".join([wanted, *extras.split(",")]), encoding="utf-8")


def fingerprint(versions: str = TESTED) -> str:
    """Return a digest of all that an installation depends on: this folder, this Python, the package lists."""
    parts = [str(ROOT).encode(), sys.version.encode()]
    parts += [(ROOT / name).read_bytes() for name in ("pyproject.toml", versions)]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


@contextmanager
def new_venv(wanted: str) -> Iterator[None]:
    """Make .venv afresh for a `with` block; if the block fails or is stopped, what was there before is put back.

    Scripts in .venv know its path, so that the new one cannot be made beside it: the old one steps aside. What was
    begun is kept as .venv-half, and gone on with when the same is `wanted` again. Of a link, only the link is removed.
    Stops with a sentence if a program runs in .venv: its packages would vanish under it.
    """
    before = VENV.with_name(VENV.name + "-before")
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    close = "A program runs in .venv. Close JupyterLab and its notebooks, then run the same command again."
    if VENV.exists() and in_use():
        sys.exit(close)
    try:
        if VENV.exists():
            shutil.rmtree(before, ignore_errors=True)
            VENV.rename(before)
    except PermissionError:  # Windows: a file in it is open
        sys.exit(close)
    try:
        if not gone_on_with(wanted):
            make_venv()
        yield
    except BaseException:
        put_aside(wanted)
        if before.exists():
            before.rename(VENV)
        raise
    shutil.rmtree(before, ignore_errors=True)


def half() -> Path:
    """Return where a set-up lies that was interrupted."""
    return VENV.with_name(VENV.name + "-half")


def gone_on_with(wanted: str) -> bool:
    """Take the set-up that was interrupted, if it was on the way to the same; return whether there was one."""
    mark = half() / "wanted.txt"
    same = mark.is_file() and mark.read_text(encoding="utf-8") == wanted
    if same:
        import packages

        print("Going on with the set-up that was interrupted.", flush=True)
        packages.forget_unfinished(half())
        half().rename(VENV)
    shutil.rmtree(half(), ignore_errors=True)
    return same


def put_aside(wanted: str) -> None:
    """Keep what was installed so far for the next time, if it has a Python."""
    shutil.rmtree(half(), ignore_errors=True)
    if not Path(venv_python()).exists():
        shutil.rmtree(VENV, ignore_errors=True)
        return
    (VENV / "wanted.txt").write_text(wanted, encoding="utf-8")
    VENV.rename(half())


def make_venv() -> None:
    """Create .venv; stop with a sentence if Python cannot."""
    command = [getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]
    # What it says is kept back: after Ctrl+C that is a traceback, which helps nobody.
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    uv = shutil.which("uv")
    if made.returncode and uv:  # Debian's Python has no ensurepip; uv brings its own pip
        made = subprocess.run([uv, "venv", "--clear", "--seed", "--python", sys.executable, str(VENV)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if made.returncode:
        remedy = "On Debian and Ubuntu: sudo apt install python3-venv"
        sys.exit(f"{made.stdout}{made.stderr}\nPython could not make a virtual environment. {remedy}")


def in_use() -> bool:
    """Return whether another program runs in .venv, such as JupyterLab or the kernel of a notebook."""
    if os.name == "nt":
        try:
            Path(venv_python()).open("r+b").close()
        except FileNotFoundError:
            return False
        except OSError:  # Windows lets nobody write to a program that runs
            return True
        return False
    return any(program.startswith(str(VENV) + os.sep) for program in programs())


def programs() -> list[str]:
    """Return the paths of the programs that run, as they were called; this one is left out."""
    if not Path("/proc/self/cmdline").exists():
        return programs_listed_by_ps()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            called = os.fsdecode((process / "cmdline").read_bytes().split(b"\0")[0])
            if called and process.name != str(os.getpid()):
                found.append(os.path.join(os.readlink(process / "cwd"), called))
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return found


def programs_listed_by_ps() -> list[str]:
    """Return what `programs` does on a system without /proc, such as macOS."""
    command = ["ps", "-axww", "-o", "pid=", "-o", "command="]
    try:
        listed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    except OSError:
        return []
    pairs = [line.split(maxsplit=1) for line in listed.stdout.splitlines()]
    return [pair[1] for pair in pairs if len(pair) == 2 and pair[0] != str(os.getpid())]


def open_course() -> int:
    """Run JupyterLab on the first notebook until it is closed; it prints its address and opens a browser if it can."""
    if not (ROOT / FIRST_NOTEBOOK).is_file():
        sys.exit(f"{FIRST_NOTEBOOK} is missing. Is this a full copy of the repository?")
    first = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}"]
    quiet = ["--log-level=WARN", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    print("Opening the course. Without a browser here, open the address below. Ctrl+C ends it.", flush=True)
    command = [venv_python(), "-m", "jupyterlab", *first, *quiet, *as_root]
    server = subprocess.Popen(command, cwd=ROOT, env=lab_environment())
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:  # JupyterLab gets it too, and asks whether to stop
            continue


def lab_environment() -> dict[str, str]:
    """Return JupyterLab's and its kernels' environment: threads wait in peace, tools/jupyter asks nobody about news."""
    paths = [str(ROOT / "tools/jupyter"), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {**PATIENT, **os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def run_tests(versions: str = TESTED) -> int:
    """Run the linter, then the unit tests and the notebooks; return 0 if all passed."""
    python = [venv_python(), "-m"]
    lint = subprocess.run([*python, "ruff", "check", "."], cwd=ROOT, stdin=subprocess.DEVNULL).returncode
    # Printed numbers may differ in the last digit on other systems and versions: there the notebooks only have to run.
    compare = "--nbval" if sys.platform == "linux" and versions == TESTED else "--nbval-lax"
    limits = ["--nbval-cell-timeout=300", "--nbval-kernel-startup-timeout=120"]
    notebooks = [compare, "--nbval-current-env", "--nbval-sanitize-with=tests/nbval_sanitize.cfg", *limits]
    # As many files at a time as there are cores, up to four, which share the cores: memory is for no more.
    cores = os.cpu_count() or 1
    workers = min(cores, 4)
    side_by_side = ["-n", str(workers), "--dist", "loadfile"]
    # A progress bar prints how long it took, which is never the same twice.
    environment = {"OMP_NUM_THREADS": str(cores // workers), **PATIENT, **os.environ, "TQDM_DISABLE": "1"}
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
