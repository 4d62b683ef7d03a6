"""Whether `helpers` is the course's own package, or something else of that name in its place.

    import editing_in_text2img

    editing_in_text2img.check()        # the set-up cell of every notebook calls it

A file helpers.py beside a notebook, or another package with a top-level `helpers`, hides the course's, and then every
cell fails with words that help nobody. So the question stands in a module whose name nobody else takes.
"""

import importlib
import importlib.util
import sys
from importlib.metadata import distributions
from pathlib import Path

COURSE = "editing-in-text2img"
OURS = ("load", "sdedit", "this_machine", "fit_dreambooth")  # no other file has all of them
NEEDED = ("torch", "diffusers", "transformers", "safetensors", "numpy", "PIL", "matplotlib", "ipywidgets", "anywidget")
AGAIN = "Then restart the kernel and run this cell again."


def check() -> None:
    """End the cell with a sentence that names what hides `helpers` and says what to do, if anything does."""
    spec = importlib.util.find_spec("helpers")
    try:
        ours = set(OURS) <= set(dir(importlib.import_module("helpers")))
    except Exception:  # whatever somebody else's file does
        ours = False
    if ours:
        check_others()
        return
    place = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
    if place is None:
        sys.exit("The course is not installed here: run 'python start.py' in its folder, and open this notebook there.")
    sys.exit(f"{place} {advice(Path(place))} {AGAIN}")


def check_others() -> None:
    """End the cell with a sentence that names a file beside the notebook that hides a package of the course's."""
    for name in NEEDED:
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        place = Path(spec.origin) if spec and spec.origin else None
        if place and Path.cwd() in (place.parent, place.parent.parent) and "site-packages" not in place.parts:
            sys.exit(f"{place} hides the package {name}, which the course needs: rename it. {AGAIN}")


def advice(place: Path) -> str:
    """Return what that file or folder is and what to do with it."""
    names = [name for name in owners(place) if name != COURSE]
    if names:
        return (f"belongs to the package {names[0]} and hides the course's own helpers. Take it out: run "
                f"'%pip uninstall -y {names[0]}' in a cell; and install the course again as you did before.")
    if "site-packages" in place.parts:
        return "is not what the course installed. Install the course again as you did before."
    return "hides the course's own helpers: rename it."


def owners(place: Path) -> list[str]:
    """Return the names of the installed packages that a file belongs to."""
    return [package.metadata["Name"] for package in distributions() for file in package.files or ()
            if file.name == place.name and Path(str(package.locate_file(file))).resolve() == place.resolve()]
