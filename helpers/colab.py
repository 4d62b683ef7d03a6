"""Google Colab: what it lacks, what it has in other versions than the course ran with, and where files outlive it.

    from helpers import colab

    colab.ready()                     # the set-up cell of every notebook calls it
    folder = colab.kept("my_cat")     # a folder on Google Drive where that is mounted, else beside the notebook

Colab's own versions are left as they are: packages that it lacks are installed within them, and one that lies outside
of the course's ranges is told of, since it may work all the same. Nothing here imports torch.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

COURSE = "editing-in-text2img"
DRIVE = Path("/content/drive/MyDrive")  # where Colab's own button mounts Google Drive
OLDER = "choose an older one under Runtime > Change runtime type > Runtime version"


def ready() -> None:
    """Install what the course needs and this machine lacks, then say in one line what is here.

    Ends with a sentence where something cannot be installed.
    """
    if lacking := [str(wanted) for wanted in needed() if installed(wanted.name) is None]:
        install(lacking)
    other = list(outside())
    if not other:
        print(f"The course {installed(COURSE)} is ready.")
        return
    print(f"The course {installed(COURSE)} is here, but this runtime has {', '.join(other)}. Go on; if a cell fails, "
          f"{OLDER}.")


def needed() -> list[Requirement]:
    """What the course's package asks for, on this system."""
    wanted = [Requirement(line) for line in requires(COURSE) or ()]
    return [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]


def installed(name: str) -> str | None:
    """The version of a package that is installed here; None if it is not."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def outside() -> Iterator[str]:
    """What is here in a version outside of the course's ranges: "diffusers 0.50.0 (the course: <0.43,>=0.39)"."""
    python = ".".join(map(str, sys.version_info[:3]))
    pythons = metadata(COURSE)["Requires-Python"]
    if python not in SpecifierSet(pythons):
        yield f"Python {python} (the course: {pythons})"
    for one in needed():
        here = installed(one.name)
        if here is not None and not one.specifier.contains(here, prereleases=True):
            yield f"{one.name} {here} (the course: {one.specifier})"


def install(lacking: list[str]) -> None:
    """Install packages without changing the version of any that is here; SystemExit with a sentence if that fails."""
    here = {str(one.metadata["Name"]): one.version for one in distributions()}
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(folder) / "keep.txt"
        keep.write_text("".join(f"{name}=={number}\n" for name, number in sorted(here.items())), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(keep), *lacking]
        failed = subprocess.run(pip).returncode
    if failed:
        sys.exit(f"{', '.join(lacking)} could not be installed beside what this runtime has; pip says why above. "
                 f"Run this cell again once online; if it stays so, {OLDER}.")


def kept(name: str) -> Path:
    """A folder for what is to outlive a session, such as the checkpoint of a fit: made if it is not there.

    It lies in Google Drive where that is mounted, else beside the notebook; there, Colab deletes it with the session.
    """
    if not name or Path(name).name != name:
        raise ValueError(f"name is {name!r}; expected the name of one folder, 'my_cat' say.")
    on_colab = "google.colab" in sys.modules
    mounted = on_colab and DRIVE.is_dir()
    if on_colab and not mounted:
        print("This folder goes with the session. To keep it: press the button with the Drive sign above the list of "
              "files on the left, then run this cell again.")
    folder = (DRIVE / COURSE if mounted else Path("checkpoints")) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
