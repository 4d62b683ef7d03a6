"""What Imagic, DreamBooth and textual inversion share: the loss, the weights, the fit and its checkpoint."""

from helpers.lazy import lazy

HOME = {  # a public name and its module; python tools/write_stubs.py writes __init__.pyi from it
    "Diary": "log",
    "Weights": "weights",
    "denoising_loss": "loss",
    "draw": "loss",
    "parameters": "weights",
}
__getattr__, __dir__ = lazy(__name__, HOME)
