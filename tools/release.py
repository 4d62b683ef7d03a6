"""Make a release: version, changelog, citation, badges and notebooks, wheel and sdist, both tried, a commit and a tag.

    python tools/release.py 0.2.0    the release 0.2.0; afterwards the version is 0.3.0.dev0. Nothing is pushed
    python tools/release.py --try    build and try what is here; change nothing but dist/ and results/release.json
    --borrow                         try it with the packages of this environment in place of fresh ones: no network

Before anything is written: nothing is uncommitted, the version is a later one, the changelog says what is new. Before
anything is committed: the wheel and the sdist, built from the files that git knows, were each installed into a fresh
environment, and made and edited a picture there, without the repository. Where that fails, the files are put back.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import repository
from packages import pip_environment

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
PACKED = ("editing_in_text2img.py", "pyproject.toml", "README.md", "LICENSE")  # beside helpers/
TRIAL = """\
import sys
from pathlib import Path
import editing_in_text2img
import helpers
editing_in_text2img.check()
from helpers import colab, load, sdedit
from helpers.picturebook.judge import Judge
assert Path(helpers.__file__).is_relative_to(sys.prefix), helpers.__file__
model = load(device="cpu")
(picture,) = model.generate("a cat on the beach", steps=2, progress=False)
edited = sdedit(model, picture, "a dog on the beach", steps=2, progress=False)
Judge.load()
print(colab.installed(colab.COURSE), picture.size, edited.size)
"""


# ------------------------------------------------------------------------------------------------------------ the texts


def numbers(version: str) -> tuple[int, int, int]:
    """Return 0.2.0 as (0, 2, 0); ValueError for anything else, a development version too."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if not found:
        raise ValueError(f"{version!r} is no version; expected three numbers: 0.2.0")
    return int(found[1]), int(found[2]), int(found[3])


def following(version: str) -> str:
    """Return the version on the way to the release after `version`."""
    major, minor, _ = numbers(version)
    return f"{major}.{minor + 1}.0.dev0"


def with_version(pyproject: str, version: str) -> str:
    """Return the text of pyproject.toml with another version."""
    return re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', pyproject, count=1)


def with_release(changelog: str, version: str, date: str) -> str:
    """Return the changelog with what is unreleased under a heading of its own; ValueError where nothing is."""
    found = re.search(r"(?ms)^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog)
    if not found or not found[1].strip():
        raise ValueError("CHANGELOG.md has nothing under Unreleased: say there what is new.")
    heading = f"## [Unreleased]\n\n## [{version}] - {date}\n{found[1]}"
    return changelog[: found.start()] + heading + changelog[found.end() :]


def cited(citation: str, version: str, date: str) -> str:
    """Return the text of CITATION.cff with another version and date."""
    citation = re.sub(r"(?m)^version: .*$", f"version: {version}", citation)
    return re.sub(r"(?m)^date-released: .*$", f"date-released: {date}", citation)


def latest(changelog: str) -> str:
    """Return the version of the latest release, "0.0.0" before the first."""
    found = re.search(r"(?m)^## \[(\d+\.\d+\.\d+)\]", changelog)
    return found[1] if found else "0.0.0"


# ------------------------------------------------------------------------------------------------------------ the files


def rewrite(name: str, change: Callable[[str], str]) -> None:
    """Write a file of the repository anew."""
    path = ROOT / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


def set_version(version: str) -> None:
    """Write a version into pyproject.toml, and into all that is made from it: badges, first cells, addresses."""
    rewrite("pyproject.toml", lambda text: with_version(text, version))
    rewrite("README.md", lambda text: repository.with_name(text, repository.repository()))
    if subprocess.run([sys.executable, "tools/build_notebooks.py", "--text"], cwd=ROOT).returncode:
        sys.exit("A notebook is not that of its source: build it, commit, then release.")


def git(*arguments: str) -> str:
    """Return what a command of git prints; stop with what it says if it fails."""
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if ran.returncode:
        sys.exit(f"git {arguments[0]}: {ran.stderr.strip()}")
    return ran.stdout.strip()


def check(version: str) -> None:
    """Stop with a sentence if this version cannot be released now."""
    if git("status", "--porcelain"):
        sys.exit("There are changes that are not committed: commit them, then release.")
    if git("tag", "--list", f"v{version}"):
        sys.exit(f"There is a release {version} already.")
    last = latest((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if numbers(version) <= numbers(last):
        sys.exit(f"{version} is not later than the last release, {last}.")


# ------------------------------------------------------------------------------------------------------ what is shipped


def build() -> list[Path]:
    """Build the wheel and the sdist into dist/ from the files that git knows; return both."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        for name in git("ls-files", "-z", "helpers", *PACKED).split("\0"):
            if name and (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        for kind in ("wheel", "sdist"):
            code = f"import sys, setuptools.build_meta as b; b.build_{kind}(sys.argv[1])"
            subprocess.run([sys.executable, "-c", code, str(DIST)], cwd=folder, check=True, capture_output=True)
    return [next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))]


def tried(package: Path, borrow: bool) -> str:
    """Return what the trial prints in a fresh environment in which `package` was installed; stop if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        options = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"] if borrow else []
        if borrow:
            site = next(venv.glob("[Ll]ib/python*/site-packages"), venv / "Lib/site-packages")
            (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
        install = [*pip, "install", "-q", *options, str(package)]
        ran = subprocess.run(install, cwd=folder, env=pip_environment())
        if not ran.returncode:
            ran = subprocess.run([str(python), "-c", TRIAL], cwd=folder, env=pip_environment(), stdout=subprocess.PIPE,
                                 text=True)
        if ran.returncode:
            sys.exit(f"{package.name} does not work in a fresh environment; what is wrong stands above.")
        return str(ran.stdout).strip()


def about(wheel: Path, sdist: Path) -> dict[str, object]:
    """Return what is shipped: sizes in MB, number of files, licence, Python, what else is installed."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (file,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        lines = archive.read(file).decode().split("\n\n")[0].splitlines()
        weights = sum(info.file_size for info in archive.infolist() if info.filename.endswith(".safetensors"))
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields.setdefault(name, []).append(value)
    return {"version": fields["Version"][0], "licence": fields["License-Expression"][0],
            "python": fields["Requires-Python"][0], "files": len(names),
            "requires": [line for line in fields["Requires-Dist"] if "extra ==" not in line],
            "megabytes": {"wheel": round(wheel.stat().st_size / 1e6, 1), "sdist": round(sdist.stat().st_size / 1e6, 1),
                          "weights": round(weights / 1e6, 1)}}


def build_and_try(borrow: bool) -> dict[str, object]:
    """Build both packages and try each; return what is shipped and how it was tried."""
    wheel, sdist = build()
    trials = {package.name: tried(package, borrow) for package in (wheel, sdist)}
    return {"date": datetime.date.today().isoformat(), **about(wheel, sdist), "trials": trials,
            "tried on": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            "dependencies": "of this environment" if borrow else "fresh"}


def release(version: str, borrow: bool) -> dict[str, object]:
    """Make the release; return what is shipped. Where it fails before the commit, the files are put back."""
    check(version)
    today = datetime.date.today().isoformat()
    try:
        rewrite("CHANGELOG.md", lambda text: with_release(text, version, today))
        rewrite("CITATION.cff", lambda text: cited(text, version, today))
        set_version(version)
        shipped = build_and_try(borrow)
    except BaseException:
        git("checkout", "--", ".")
        raise
    git("commit", "-qam", f"Release {version}")
    git("tag", "-a", f"v{version}", "-m", f"Release {version}")
    set_version(following(version))
    git("commit", "-qam", f"On the way to the release after {version}")
    return shipped


def main() -> int:
    """Release, or build and try; return 0."""
    parser = argparse.ArgumentParser(description="Make a release: version, changelog, packages, commit and tag.")
    parser.add_argument("version", nargs="?", help="three numbers: 0.2.0")
    parser.add_argument("--try", dest="only_try", action="store_true", help="build and try, release nothing")
    parser.add_argument("--borrow", action="store_true", help="try with the packages of this environment")
    asked = parser.parse_args()
    if bool(asked.version) == asked.only_try:
        parser.error("name the version of the release, or --try")
    try:
        shipped = build_and_try(asked.borrow) if asked.only_try else release(asked.version, asked.borrow)
    except ValueError as error:
        sys.exit(str(error))
    print(json.dumps(shipped, indent=1))
    if asked.only_try:
        (ROOT / "results" / "release.json").write_text(json.dumps(shipped, indent=1) + "\n", encoding="utf-8")
    else:
        print(f"Released. To publish: git push --follow-tags, then upload what is in dist/ (v{asked.version}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
