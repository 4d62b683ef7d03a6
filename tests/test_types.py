"""The types that a reader's editor and type checker see."""

import pytest

import write_stubs


@pytest.mark.parametrize("package", write_stubs.LAZY)
def test_type_checkers_see_the_names_of_a_package_that_is_imported_lazily(package):
    told = "python tools/write_stubs.py"
    assert write_stubs.file_of(package).read_text(encoding="utf-8") == write_stubs.stub(package), told
