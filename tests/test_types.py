"""The types that a reader's editor and type checker see."""

import subprocess
import sys

import pytest

import write_stubs


@pytest.mark.parametrize("package", write_stubs.LAZY)
def test_type_checkers_see_the_names_of_a_package_that_is_imported_lazily(package):
    told = "python tools/write_stubs.py"
    assert write_stubs.file_of(package).read_text(encoding="utf-8") == write_stubs.stub(package), told


@pytest.mark.slow
def test_the_type_checker_finds_nothing_to_say(tmp_path):
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)]
    found = subprocess.run(command, cwd=write_stubs.ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
