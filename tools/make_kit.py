"""Make a kit: a folder, and a zip of it, with all that a machine without network needs to run the course.

    python start.py kit                    sets up, then runs this; writes build/kit
    python tools/make_kit.py --out FOLDER  another place
    python tools/make_kit.py --no-site     without the built web site
    python tools/make_kit.py --record      note sizes in results/kit.json, which docs/places.md quotes

In the kit: the course with its weights, notebooks and lessons, the built site, and in wheels/ every package that is
installed. Who has it unpacks it and runs `python start.py`, which takes wheels/ for the network. A kit is for the
system and the Python it was made with: packages differ. Packages are fetched by pip, at the tested versions.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

from packages import asked_for, pip_environment, torch_source
from repository import project

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "kit"
TESTED = "requirements-tested.txt"
LEFT_OUT = ("tests/", "training/", "benchmarks/", ".ci/", ".github/", ".pre-commit-config.yaml", ".gitignore")
READ_ME = """\
The course "Editing in text-to-image models", version {version}, for {system} with Python {python}.
It needs no network. Unpack it, open a terminal in this folder, and run

    python start.py

(on some systems Python is called python3). The first time that installs the packages of wheels/ into .venv, about
1.6 GB, in a few minutes; then the first notebook opens. To only read: site/index.html.
Licences: LICENSE, docs/licences.md; each package in wheels/ is under its own, which stands in it.
"""


def of_the_course() -> list[Path]:
    """Return the files of the course: those that git knows, without tests and what only developers need."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if listed.returncode:
        sys.exit("A kit is made from a clone of the repository: git does not know this folder.")
    names = [name for name in listed.stdout.split("\0") if name and not name.startswith(LEFT_OUT)]
    return [Path(name) for name in names if (ROOT / name).is_file()]


def copy_course(folder: Path) -> None:
    """Copy the course's files to `folder`."""
    for name in of_the_course():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def fetch_wheels(folder: Path, versions: str) -> None:
    """Fetch all packages of the course, and what builds it, into `folder`; stop with a sentence if that fails."""
    builds = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--only-binary", ":all:"]
    command = [*pip, *torch_source(), "-c", versions, "-d", str(folder), *builds, *asked_for("course")]
    if subprocess.run(command, cwd=ROOT, env=pip_environment()).returncode:
        sys.exit("The packages could not be fetched; pip says why above. Once online, run the same command again.")


def build_site(folder: Path) -> None:
    """Build the web site into `folder`; stop if it has problems."""
    if subprocess.run([sys.executable, "tools/build_site.py", "--out", str(folder)], cwd=ROOT).returncode:
        sys.exit("The site could not be built; what is wrong stands above. Without it: --no-site.")


def pack(folder: Path) -> Path:
    """Return the zip of `folder`, made beside it; wheels are packed already and only stored."""
    file = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                stored = zipfile.ZIP_STORED if path.suffix in (".whl", ".safetensors", ".png") else None
                archive.write(path, path.relative_to(folder.parent), stored)
    return file


def megabytes(path: Path) -> float:
    """Return the size of a file, or of all files in a folder, in MB."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def make(out: Path, versions: str, site: bool) -> tuple[Path, dict[str, object]]:
    """Make the kit below `out`; return its zip and what is in it."""
    system = sysconfig.get_platform().replace("-", "_")
    python = ".".join(map(str, sys.version_info[:2]))
    folder = out / f"{project()['name']}-{project()['version']}-{system}-python{python}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_course(folder)
    about = READ_ME.format(version=project()["version"], system=system, python=python)
    (folder / "READ_ME_FIRST.txt").write_text(about, encoding="utf-8")
    fetch_wheels(folder / "wheels", versions)
    if site:
        build_site(folder / "site")
    file = pack(folder)
    parts = {"wheels": megabytes(folder / "wheels"), "weights": megabytes(folder / "helpers/picturebook/weights"),
             "notebooks": megabytes(folder / "notebooks"), "site": megabytes(folder / "site")}
    made = {"date": datetime.date.today().isoformat(), "system": system, "python": platform.python_version(),
            "packages": len(list((folder / "wheels").iterdir()))}
    return file, made | {"megabytes": {"zip": megabytes(file), "folder": megabytes(folder), **parts}}


def main() -> int:
    """Make the kit that the command line asks for; return 0."""
    parser = argparse.ArgumentParser(description="Make a kit for machines without network.")
    parser.add_argument("--out", type=Path, default=OUT, help="where to write; default: build/kit")
    parser.add_argument("--versions", default=TESTED, metavar="FILE", help=f"versions of packages; default: {TESTED}")
    parser.add_argument("--no-site", action="store_true", help="without the web site")
    parser.add_argument("--record", action="store_true", help="note sizes in results/kit.json")
    asked = parser.parse_args()
    file, made = make(asked.out.resolve(), asked.versions, not asked.no_site)
    if asked.record:
        (ROOT / "results" / "kit.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {json.dumps(made)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
