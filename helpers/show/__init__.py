"""Figures and widgets: what the notebooks show.

    from helpers import show

    show.pair(picture, edited, prompts=(prompt, target_prompt), alt="a cat before and after - notice the blue fur")

Every figure is an object that a notebook displays as a picture with alt text. The alt text says what the figure shows,
and after a dash what to notice. matplotlib and ipywidgets are imported when a figure or widget first needs them.
"""

from importlib import import_module

_HOME = {
    "Figure": "figure",
    "pictures": "figures",
    "pair": "figures",
    "sweep": "figures",
    "trajectory": "figures",
    "mask": "figures",
    "difference": "figures",
    "Recording": "recording",
    "curve": "plots",
    "scatter": "plots",
    "plane": "plots",
    "COLORS": "palette",
    "painter": "painting",
    "scrubber": "scrubbing",
    "compare": "comparing",
    "studio": "studios",
    "attended": "attending",
    "attention_maps": "attending",
    "matrix": "editing",
    "explorer": "exploring",
    "reweighted": "reweighting",
    "reweighter": "reweighting",
    "reweighting_live": "reweighting_panel",
}

__all__ = [
    "COLORS", "Figure", "Recording", "attended", "attention_maps", "compare", "curve", "difference", "explorer",
    "mask", "matrix", "painter", "pair", "pictures", "plane", "reweighted", "reweighter", "reweighting_live",
    "scatter", "scrubber", "studio", "sweep", "trajectory",
]


def __getattr__(name: str) -> object:
    """Import the module that defines `name` when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'helpers.show' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(f"helpers.show.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Names for tab completion."""
    return sorted([*globals(), *_HOME])
