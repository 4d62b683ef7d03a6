"""What Imagic, DreamBooth and textual inversion share: the loss, the weights, the fit and its checkpoint."""

from helpers.lazy import lazy

__getattr__, __dir__ = lazy(__name__, {
    "Diary": "log",
    "Weights": "weights",
    "denoising_loss": "loss",
    "draw": "loss",
    "parameters": "weights",
})
