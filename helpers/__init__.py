"""Editing in text-to-image models: the package the notebooks import.

    from helpers import load, sdedit

    model = load()                               # Picturebook, shipped with the package
    picture = model.generate("a cat riding a bicycle", seed=7)[0]
    sdedit(model, picture, "a dog riding a bicycle")

Importing `helpers` is quick: torch and diffusers are imported when a name that needs them is first used.
"""

from helpers.lazy import lazy

HOME = {  # a public name and its module; python tools/write_stubs.py writes __init__.pyi from it
    "AnalyticModel": "models.analytic",
    "DiffusersModel": "models.diffusers_model",
    "PromptWarning": "core.warn",
    "as_picture": "core.pictures",
    "blended_diffusion": "methods.blended",
    "budget": "models.budget",
    "colab": "colab",
    "diffedit": "methods.diffedit",
    "fit_dreambooth": "methods.dreambooth",
    "fit_imagic": "methods.imagic",
    "fit_textual_inversion": "methods.textual_inversion",
    "imagic": "methods.imagic",
    "inversion": "methods.inversion",
    "load": "models.loading",
    "magicmix": "methods.magicmix",
    "measure": "measure",
    "prompt_to_prompt": "methods.prompt_to_prompt",
    "scribble": "methods.blended",
    "sdedit": "methods.sdedit",
    "this_machine": "machine",
    "word_mask": "methods.word_mask",
}
__getattr__, __dir__ = lazy(__name__, HOME)
