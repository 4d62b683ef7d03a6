"""Figures and widgets: what the notebooks show.

    from helpers import show

    show.pair(picture, edited, prompts=(prompt, target_prompt), alt="a cat before and after - notice the blue fur")

Every figure is an object that a notebook displays as a picture with alt text. The alt text says what the figure shows,
and after a dash what to notice. matplotlib and ipywidgets are imported when a figure or widget first needs them.
"""

from helpers.lazy import lazy

HOME = {  # a public name and its module; python tools/write_stubs.py writes __init__.pyi from it
    "Figure": "figure",
    "calm_errors": "errors",
    "usual_errors": "errors",
    "pictures": "figures",
    "pair": "figures",
    "sweep": "figures",
    "trajectory": "figures",
    "mask": "figures",
    "difference": "figures",
    "Recording": "recording",
    "diary": "fitting",
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
__getattr__, __dir__ = lazy(__name__, HOME)
