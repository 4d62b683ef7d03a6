"""pyproject.toml, environment.yml, requirements-tested.txt, start.py and the README agree with each other."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import build_site
import repository
import start

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHONS = ("3.11", "3.12", "3.13")
def requirements(*extras: str) -> list[str]:
    """Return the requirement lines of pyproject.toml: the package's own, then those of `extras`."""
    optional = PROJECT["optional-dependencies"]
    return [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]


def pins(name: str = start.TESTED) -> dict[str, str]:
    """Return {package: version} of requirements-tested.txt, or of another list of exact versions."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def conda() -> tuple[list[str], list[str]]:
    """Return the conda packages and the pip requirements of environment.yml, pip's options left out."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    return [entry for entry in listed if isinstance(entry, str)], pip


def test_environment_names_the_packages_of_the_project_with_the_same_ranges():
    packages, pip = conda()
    assert sorted(line for line in pip if not line.startswith("-")) == sorted(requirements("course"))
    assert "-e ." in pip
    assert "pip" in packages


def test_environment_gives_python_in_the_form_that_binder_reads():
    assert "python=3.12" in conda()[0]
    assert "3.12" in SpecifierSet(PROJECT["requires-python"])


def test_every_requirement_is_a_range_and_has_a_tested_version_inside_it():
    for line in requirements("course", "test", "site"):
        requirement = Requirement(line)
        assert ">=" in line and "==" not in line, f"{line} should be a range"
        version = pins().get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is missing from requirements-tested.txt: run tools/pin_versions.py"
        assert requirement.specifier.contains(version), f"tested with {version}, but the range is {line}"


def test_colabs_own_versions_are_inside_the_ranges():
    ranges = {Requirement(line).name: Requirement(line).specifier for line in requirements("course", "test")}
    colab = pins(".ci/colab/versions.txt")
    assert {"diffusers", "ipykernel", "ipywidgets", "numpy", "torch", "transformers"} <= set(colab)
    assert not [f"{name} {colab[name]}" for name in set(colab) & set(ranges) if not ranges[name].contains(colab[name])]


def test_the_tested_versions_are_exact_and_free_of_builds():
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in pins().values())


def test_every_pin_runs_on_the_first_python_311():
    late = [name for name, version in pins().items() if not runs_on_the_first_311(name, version)]
    assert not late, "Debian 12 has Python 3.11.2"


def runs_on_the_first_311(name: str, version: str) -> bool:
    """Return whether the package's metadata admits Python 3.11.0; true if another version of it is installed here."""
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return True
    pythons = installed.metadata.get("Requires-Python") if installed.version == version else None
    return not pythons or "3.11.0" in SpecifierSet(pythons)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_place_that_names_python_versions_names_this_one(python):
    assert python in SpecifierSet(PROJECT["requires-python"])
    assert start.OLDEST <= tuple(map(int, python.split("."))) <= start.NEWEST
    assert python in README
    assert f"python{python}" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert f'"{python}"' in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def test_no_other_python_is_admitted():
    assert not list(SpecifierSet(PROJECT["requires-python"]).filter(["3.10", "3.14"]))
    assert (start.OLDEST, start.NEWEST) == ((3, 11), (3, 13))


def test_the_readme_gives_the_two_commands_and_ci_runs_the_second():
    commands = re.findall(r"```\n(.*?)\n```", README)
    assert commands == ["python start.py", "python start.py test"]
    assert "start.py test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_commands_that_the_readme_gives_exist():
    shown = subprocess.run([sys.executable, "start.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "{course,test,setup,kit}" in shown.stdout
    assert (ROOT / start.FIRST_NOTEBOOK).is_file()


def test_the_repositorys_name_in_the_readme_is_that_of_the_project():
    assert repository.named_in(README) == {repository.repository()}, "run: python tools/repository.py"
    assert repository.badges(start.FIRST_NOTEBOOK) in README


def test_a_new_repository_name_reaches_every_link():
    text = repository.badges("notebooks/00_x.ipynb", "old/name") + " https://github.com/old/name/issues"
    renamed = repository.with_name(text, "new-owner/other.name")
    assert "old/name" not in renamed
    assert repository.named_in(renamed) == {"new-owner/other.name"}
    assert repository.with_name(renamed, "new-owner/other.name") == renamed


def test_the_repositorys_name_stands_in_no_other_source():
    allowed = {"pyproject.toml", "README.md"}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    files = [ROOT / line for line in tracked.stdout.splitlines() if line not in allowed]
    texts = [path for path in files if path.suffix in {".py", ".md", ".yml", ".toml", ".txt"} and path.is_file()]
    owner = repository.repository()
    assert not [path for path in texts if owner in path.read_text(encoding="utf-8")]


def test_links_in_the_readme_lead_to_files_and_pictures_have_alt_text():
    for text, link in re.findall(r"\[([^\]]*)\]\(([^)]+)\)", README):
        assert text.strip(), f"{link} has no text"
        if not link.startswith(("http", "[")):
            assert (ROOT / link).is_file(), f"the README refers to {link}, which is missing"


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize("name", ["notebooks", "site", "lint"])
def test_make_says_what_to_do_first_where_there_is_no_set_up(name, tmp_path):
    missing = f"VENV_PYTHON={tmp_path / 'python'}"
    made = subprocess.run(["make", "-C", str(ROOT), name, missing], capture_output=True, text=True)
    assert made.returncode and "start.py test" in made.stderr


def test_what_the_site_needs_is_installed_into_the_python_that_asks_for_it():
    assert build_site.HOW.startswith(f"{sys.executable} -m pip install ")


def test_the_readme_names_the_lessons_that_have_slides():
    texts = {int(path.name[:2]): path.read_text(encoding="utf-8") for path in (ROOT / "lessons").glob("[0-9]*_*.md")}
    first, last = map(int, re.search(r"Lessons (\d+) to (\d+) link to their slides", README).groups())
    assert [number for number in sorted(texts) if "<!-- slide" in texts[number]] == list(range(first, last + 1))
