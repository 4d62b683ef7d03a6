"""A release: what is refused, what is written, that a failure leaves nothing behind, and that what is shipped works."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.version import Version
from test_packaging import PROJECT, ROOT

import release
import repository

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n- A fox.\n\n## [0.1.0] - 2026-01-02\n\n### Added\n- An owl.\n"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the files that a release writes; no notebooks, and packages that work."""
    for name in ("pyproject.toml", "README.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/build_notebooks.py").write_text("", encoding="utf-8")
    for name, value in (("NAME", "A"), ("EMAIL", "a@b.c")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "All")
    for module in (release, repository):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(release, "build_and_try", lambda _: {"version": repository.version()})
    return tmp_path


def test_one_command_writes_version_changelog_citation_and_badges_and_tags_them(folder: Path) -> None:
    assert release.release("0.2.0", True) == {"version": "0.2.0"}
    assert git(folder, "log", "--format=%s").splitlines()[:2] == ["On the way to the release after 0.2.0",
                                                                  "Release 0.2.0"]
    tagged = {name: git(folder, "show", f"v0.2.0:{name}") for name in ("pyproject.toml", "README.md", "CITATION.cff",
                                                                       "CHANGELOG.md")}
    assert '\nversion = "0.2.0"\n' in tagged["pyproject.toml"] and "/blob/v0.2.0/notebooks" in tagged["README.md"]
    assert yaml.safe_load(tagged["CITATION.cff"])["version"] == "0.2.0"
    heading = r"## \[Unreleased\]\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n- A fox"
    assert re.search(heading, tagged["CHANGELOG.md"])
    assert repository.version() == "0.3.0.dev0"
    assert "/blob/main/notebooks" in (folder / "README.md").read_text(encoding="utf-8")
    assert git(folder, "status", "--porcelain") == ""


def test_where_a_package_does_not_work_nothing_is_released_and_the_files_are_as_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: bool) -> dict[str, object]:
        raise SystemExit("does not work")

    monkeypatch.setattr(release, "build_and_try", fails)
    with pytest.raises(SystemExit, match="does not work"):
        release.release("0.2.0", True)
    assert git(folder, "status", "--porcelain") == git(folder, "tag") == ""
    assert len(git(folder, "log", "--format=%s").splitlines()) == 1


@pytest.mark.parametrize(("version", "says"), [("0.1.0", "not later than the last release, 0.1.0"),
                                               ("v2", "no version"), ("0.3.0.dev0", "no version")])
def test_a_version_that_is_none_or_not_a_later_one_is_refused(folder: Path, version: str, says: str) -> None:
    with pytest.raises((SystemExit, ValueError), match=says):
        release.release(version, True)
    assert git(folder, "status", "--porcelain") == ""


def test_without_news_or_with_changes_not_committed_nothing_is_released(folder: Path) -> None:
    (folder / "CHANGELOG.md").write_text(CHANGELOG.replace("### Added\n- A fox.\n", "", 1), encoding="utf-8")
    with pytest.raises(SystemExit, match="not committed"):
        release.release("0.2.0", True)
    git(folder, "commit", "-qam", "No news")
    with pytest.raises(ValueError, match="nothing under Unreleased"):
        release.release("0.2.0", True)


def test_the_version_is_that_of_the_latest_release_or_on_the_way_to_a_later_one() -> None:
    last = release.latest((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert Version(PROJECT["version"]) == Version(last) or \
        Version(PROJECT["version"]).is_devrelease and Version(PROJECT["version"]) > Version(last)
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == last


@pytest.mark.slow
def test_the_wheel_and_the_sdist_work_in_a_fresh_environment_without_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "DIST", tmp_path / "dist")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    shipped = release.build_and_try(borrow=True)
    assert shipped["licence"] == "Apache-2.0" and shipped["version"] == PROJECT["version"]
    assert len(shipped["trials"]) == 2 and all("(128, 128)" in said for said in shipped["trials"].values())
