"""What knows no model: diffusion formulas, randomness, words, pictures, masks, files."""

from helpers.lazy import lazy

HOME = {  # a public name and its module; python tools/write_stubs.py writes __init__.pyi from it
    "CLEAN": "interface",
    "Text": "interface",
    "VariancePreserving": "diffusion",
    "add_noise": "diffusion",
    "align": "words",
    "alpha_bar_at": "diffusion",
    "as_mask": "masks",
    "as_picture": "pictures",
    "blend": "masks",
    "cfg": "diffusion",
    "ddim_sigma": "diffusion",
    "ddim_step": "diffusion",
    "denoise": "diffusion",
    "from_latents": "masks",
    "guide": "diffusion",
    "inverted": "masks",
    "noise": "randomness",
    "paste": "masks",
    "predict_clean": "diffusion",
    "to_latents": "masks",
    "widened": "masks",
}
__getattr__, __dir__ = lazy(__name__, HOME)
