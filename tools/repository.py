"""Write the repository's name and release, which stand in pyproject.toml alone, into the README's links and badges.

    python tools/repository.py

Changed: every address of this repository on github.com, in Colab and on Binder. Links to other repositories stay:
only the name that the README's own badges carry is replaced. Badges lead to the release whose version pyproject.toml
names, since a notebook of one release needs the package of that release; between releases (0.2.0.dev0) to the branch.
"""

import posixpath
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COLAB = "https://colab.research.google.com/github"
BINDER = "https://mybinder.org/v2/gh"
GITHUB = "https://github.com"
BRANCH = "main"
LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")  # [text](a/relative/address)


def project() -> dict[str, Any]:
    """Return the table [project] of pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def version() -> str:
    """Return the version of pyproject.toml: "0.2.0", or "0.3.0.dev0" on the way to the release 0.3.0."""
    return str(project()["version"])


def ref() -> str:
    """Return where in the repository's history this version is: the tag of a release, or the branch between two."""
    return BRANCH if ".dev" in version() else f"v{version()}"


def repository() -> str:
    """Return the repository as "owner/name", read from pyproject.toml."""
    address = project()["urls"]["Repository"]
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if not found:
        raise ValueError(f"Repository in pyproject.toml should be https://github.com/owner/name, not {address}")
    return found[1]


def badges(notebook: str, name: str | None = None) -> str:
    """Return Markdown for the Colab and Binder badges of `notebook`, a path such as "notebooks/00_start_here.ipynb"."""
    name = name or repository()
    colab = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({COLAB}/{name}/blob/{ref()}/{notebook})"
    binder = f"[![Open on Binder](https://mybinder.org/badge_logo.svg)]({BINDER}/{name}/{ref()}?urlpath=lab/tree/{notebook})"
    return f"{colab} {binder}"


def on_the_web(path: str) -> str:
    """Return the address of a file of the repository: a notebook's in Colab, another's on github.com."""
    place = COLAB if path.endswith(".ipynb") else GITHUB
    return f"{place}/{repository()}/blob/{ref()}/{path}"


def with_addresses(text: str, folder: str) -> str:
    """Return Markdown of a file in `folder` with, after each link to a file beside it, the same file's address.

    Where a notebook is opened alone, as in Colab, only an address leads anywhere; on a laptop without network, only the
    link does.
    """
    def both(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, found[2]))
        where = "in Colab" if path.endswith(".ipynb") else "on the web"
        return f"{found[0]} ([{where}]({on_the_web(path)}{found[3] or ''}))"

    return LINK.sub(both, text)


def named_in(text: str) -> set[str]:
    """Return the "owner/name" of every Colab and Binder address in `text`."""
    places = "|".join(re.escape(place) for place in (COLAB, BINDER))
    return set(re.findall(rf"(?:{places})/([\w.-]+/[\w.-]+)", text))


def with_name(text: str, name: str) -> str:
    """Return `text` with the repository that its badges name replaced by `name`, and the release by this one."""
    for old in named_in(text) - {name}:
        text = text.replace(old, name)
    text = re.sub(rf"({re.escape(f'{COLAB}/{name}')}/blob/)[^/]+(?=/)", rf"\g<1>{ref()}", text)
    return re.sub(rf"({re.escape(f'{BINDER}/{name}')}/)[^/?]+(?=\?)", rf"\g<1>{ref()}", text)


def main() -> int:
    """Rewrite the README; return 0."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(with_name(text, repository()), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
