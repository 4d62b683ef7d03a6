"""What makes a notebook work that was opened alone, as Colab opens it: its first cell, its pictures, its links.

`SETUP` is the first code cell of every notebook; in a source, a code cell that holds nothing but the line MARK stands
for it. On Google Colab it fetches the release that the notebook belongs to, elsewhere it does nothing. It changes no
version that Colab ships (--no-deps), and takes a .whl file that lies beside the notebook in place of the repository,
which may be out of reach. What Colab lacks, or has in another version than the course ran with, `helpers.colab.ready`
mends and says, and whether something hides the course's package `editing_in_text2img.check`: there it can be tested,
and a cell can be read.

A picture of the repository is written into the text itself, so that it needs neither the repository nor the network. A
link to another file stays as it is, for those who have that file, and has its address on the web beside it.
"""

import base64
import posixpath
import re
from pathlib import Path

from repository import ref, repository, version, with_addresses

ROOT = Path(__file__).resolve().parents[1]
PICTURE = re.compile(r"""(<img\s[^>]*?\bsrc=)(["'])(?!\w+:)([^"']+)\2""")  # <img src="a/relative/address"
MARK = "# {{setup}}"
SETUP = '''\
import subprocess
import sys
from glob import glob
from importlib.metadata import distributions

if "google.colab" in sys.modules:
    site = "https://github.com/{{repository}}"
    have = {package.metadata["Name"]: package.version for package in distributions()}
    if have.get("editing-in-text2img") != "{{version}}":
        course = (glob("editing_in_text2img-*.whl") or [f"git+{site}@{{ref}}"])[-1]
        how = ["-q", "--no-deps", "--ignore-requires-python", course]
        if subprocess.run([sys.executable, "-m", "pip", "install", *how]).returncode:
            sys.exit(
                f"The course could not be fetched from {site}; pip says why above. "
                "Drag its .whl file into the files on the left, and run this again."
            )

import editing_in_text2img

editing_in_text2img.check()  # are these helpers the course's own?
if "google.colab" in sys.modules:
    from helpers import colab

    colab.ready()'''


def setup_cell() -> str:
    """Return the first code cell, of this repository and this release."""
    cell = SETUP
    for name, value in (("repository", repository()), ("version", version()), ("ref", ref())):
        cell = cell.replace(f"{{{{{name}}}}}", value)
    return cell


def is_setup(code: str) -> bool:
    """Return whether a code cell is the set-up cell of this or of another release."""
    return code.strip() == MARK or "the course's own" in code and '"google.colab" in sys.modules' in code


def standing_alone(text: str, folder: str = "notebooks") -> str:
    """Return Markdown with its pictures written into it, and an address on the web beside each link.

    folder: where the text's file lies in the repository, from which its links lead.
    """
    return with_addresses(PICTURE.sub(lambda found: embedded(found, folder), text), folder)


def embedded(found: re.Match[str], folder: str) -> str:
    """Return the start of an <img> tag with the picture itself in the place of its address."""
    path = ROOT / posixpath.normpath(posixpath.join(folder, found[3]))
    data = base64.b64encode(path.read_bytes()).decode()
    return f"{found[1]}{found[2]}data:image/{path.suffix.removeprefix('.')};base64,{data}{found[2]}"
