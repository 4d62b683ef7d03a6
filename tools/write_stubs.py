"""Write the __init__.pyi of each package whose names are imported when they are first asked for.

    python tools/write_stubs.py

A type checker does not run `__getattr__`, so it reads in these files where each name comes from. They follow from the
tables of names in helpers/*/__init__.py; tests/test_types.py compares.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAZY = ("helpers", "helpers.core", "helpers.finetuning", "helpers.show", "helpers.check")
HEADER = "# Written by tools/write_stubs.py from __init__.py.\n"


def homes(package: str) -> dict[str, str]:
    """Return the module that defines each name of a lazy package."""
    table: dict[str, str] = import_module(package).HOME
    return {name: f"{package}.{module}" for name, module in table.items()}


def stub(package: str) -> str:
    """Return the text of a package's __init__.pyi; a module that stands for itself is imported from its folder."""
    lines = []
    for name, module in homes(package).items():
        own = module.rpartition(".")[2] == name and not hasattr(import_module(module), name)
        lines.append(f"from {module.rpartition('.')[0] if own else module} import {name} as {name}\n")
    return HEADER + "".join(sorted(lines))


def file_of(package: str) -> Path:
    """Return the path of a package's stub."""
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).with_suffix(".pyi")


if __name__ == "__main__":
    for package in LAZY:
        file_of(package).write_text(stub(package), encoding="utf-8")
