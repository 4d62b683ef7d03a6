"""Editing in text-to-image models: the package the notebooks import.

    from helpers import load
    from helpers.sdedit import sdedit            # each method lives in the file of its name

    model = load()                               # Picturebook, shipped with the package
    picture = model.generate("a cat riding a bicycle", seed=7)[0]

Importing `helpers` is quick: torch and diffusers are imported when a name that needs them is first used.
"""

from importlib import import_module

_HOME = {
    "load": "model",
    "DiffusersModel": "model",
    "PromptWarning": "model",
    "AnalyticModel": "analytic",
    "as_picture": "pictures",
}

__all__ = ["AnalyticModel", "DiffusersModel", "PromptWarning", "as_picture", "load"]


def __getattr__(name: str) -> object:
    """Import the module that defines `name` when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'helpers' has no attribute {name!r}")
    return getattr(import_module(f"helpers.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Names for tab completion."""
    return sorted([*globals(), *_HOME])
