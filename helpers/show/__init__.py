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
    "pictures": "picture_figures",
    "pair": "picture_figures",
    "sweep": "picture_figures",
    "trajectory": "picture_figures",
    "mask": "picture_figures",
    "difference": "picture_figures",
    "Recording": "recording",
    "diary": "fit_diary",
    "curve": "plots",
    "scatter": "plots",
    "plane": "plots",
    "COLORS": "palette",
    "painter": "widgets.painting",
    "scrubber": "widgets.scrubbing",
    "compare": "widgets.comparing",
    "studio": "widgets.studios",
    "attended": "attention_figures",
    "attention_maps": "attention_figures",
    "matrix": "edit_matrix",
    "explorer": "widgets.exploring",
    "reweighted": "widgets.reweighting",
    "reweighter": "widgets.reweighting",
    "reweighting_live": "widgets.reweighting_panel",
}
__getattr__, __dir__ = lazy(__name__, HOME)
