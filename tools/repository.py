"""Write the repository's name, which stands in pyproject.toml alone, into the README's links and badges.

    python tools/repository.py

Changed: every address of this repository on github.com, in Colab and on Binder. Links to other repositories stay:
only the name that the README's own badges carry is replaced.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLAB = "https://colab.research.google.com/github"
BINDER = "https://mybinder.org/v2/gh"
BRANCH = "main"


def repository() -> str:
    """Return the repository as "owner/name", read from pyproject.toml."""
    address = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if not found:
        raise ValueError(f"Repository in pyproject.toml should be https://github.com/owner/name, not {address}")
    return found[1]


def badges(notebook: str, name: str | None = None) -> str:
    """Return Markdown for the Colab and Binder badges of `notebook`, a path such as "notebooks/00_start_here.ipynb"."""
    name = name or repository()
    colab = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({COLAB}/{name}/blob/{BRANCH}/{notebook})"
    binder = f"[![Open on Binder](https://mybinder.org/badge_logo.svg)]({BINDER}/{name}/{BRANCH}?urlpath=lab/tree/{notebook})"
    return f"{colab} {binder}"


def named_in(text: str) -> set[str]:
    """Return the "owner/name" of every Colab and Binder address in `text`."""
    places = "|".join(re.escape(place) for place in (COLAB, BINDER))
    return set(re.findall(rf"(?:{places})/([\w.-]+/[\w.-]+)", text))


def with_name(text: str, name: str) -> str:
    """Return `text` with the repository that its badges name replaced by `name`."""
    for old in named_in(text) - {name}:
        text = text.replace(old, name)
    return text


def main() -> int:
    """Rewrite the README; return 0."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(with_name(text, repository()), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
