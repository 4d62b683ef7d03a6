"""Write requirements-tested.txt from the environment that this runs in, which should be one that passed all tests.

    .venv/bin/python tools/pin_versions.py

Pinned are the packages that pyproject.toml asks for, its extras included, and all that these need on this system.
"""

import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# The exact versions that the tests ran with: Python {python}, {system}. start.py installs within them:
#     pip install -c requirements-tested.txt -e ".[course,test]"
# Written by tools/pin_versions.py, from an environment that passed all tests.
"""


def asked_for() -> list[Requirement]:
    """Return the requirements of pyproject.toml, its extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for line in [*project["dependencies"], *(line for lines in extras for line in lines)]]


def needed(requirements: list[Requirement]) -> dict[str, str]:
    """Return {package: version} of `requirements` and everything they need, as installed here."""
    versions, waiting, seen = {}, [(r, "") for r in requirements], set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        wanted_extras = {"", *requirement.extras} - {e for n, e in seen if n == name}
        if not wanted_extras:
            continue
        installed = distribution(name)
        refuse_for_late_patches(name, installed.metadata["Requires-Python"])
        versions[name] = installed.version.split("+")[0]  # "2.13.0+cpu" is one build of 2.13.0
        children = [Requirement(line) for line in installed.requires or []]
        waiting += [(child, wanted) for wanted in wanted_extras for child in children]
        seen |= {(name, wanted) for wanted in wanted_extras}
    return versions


def refuse_for_late_patches(name: str, pythons: str | None) -> None:
    """Raise ValueError if the package `name` runs on the `pythons` of its metadata, and 3.11.0 is not among them.

    Debian 12 has Python 3.11.2: a pin that wants 3.11.5 would stop the set-up there.
    """
    if pythons and "3.11.0" not in SpecifierSet(pythons):
        raise ValueError(f"{name} needs Python {pythons}; install an older one that runs on 3.11.0, test, pin again")


def main() -> int:
    """Write the file; return 0."""
    pins = [f"{name}=={version}\n" for name, version in sorted(needed(asked_for()).items())]
    header = HEADER.format(python=".".join(map(str, sys.version_info[:3])), system=sys.platform)
    (ROOT / "requirements-tested.txt").write_text(header + "".join(pins), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
