# %%
import time
from functools import partial

import numpy as np
from PIL import Image, ImageEnhance

from helpers import DiffusersModel, fit_dreambooth, show
from helpers.core.diffusion import pairs
from helpers.models.analytic import AnalyticModel
from helpers.picturebook.drawing import draw
from helpers.picturebook.scene import Scene
from helpers.show.attention_figures import Attended, Part
from helpers.show.widgets.reweighting import Reweighted
from tests.random_pipelines import stable_diffusion

scene = Scene(thing="cat", color="orange", ride="bicycle", doing="riding", place="meadow")
picture, edited = draw(scene), draw(scene.but(color="blue"))
grey = Image.new("RGB", picture.size, "gray")

# %% [markdown]
# The steps of a generation.

# %%
times = [999, 800, 600, 400, 200, 0]
steps = [Image.blend(grey, picture, i / 5) for i in range(6)]
show.scrubber(steps, [f"t = {t}" for t in times], alt="a cat on a bicycle comes out of the grey - notice when")

# %% [markdown]
# Before and after.

# %%
show.compare(picture, edited, ("an orange cat", "a blue cat <b>&</b>"), alt="a cat changes colour - notice the bicycle")

# %% [markdown]
# A mask.

# %%
brush = show.painter(picture, alt="a cat on a bicycle")
brush

# %% [markdown]
# A scribble.

# %%
scribble = show.painter(picture, mode="scribble", alt="a cat to scribble on")
scribble

# %% [markdown]
# A mask that was begun elsewhere.

# %%
half = Image.new("L", picture.size)
half.paste(255, (0, 0, 64, 128))
begun = show.painter(picture, start=half, alt="a cat whose left half is painted")
begun

# %% [markdown]
# The studio, with a method that only dims the picture.


# %%
class Slow(AnalyticModel):
    """A model that takes its time and any prompt."""

    def embed(self, prompts):
        return super().embed("left")

    def eps(self, x, t, text):
        time.sleep(0.1)
        return super().eps(x, t, text)


def dim(model, image, prompt, *, strength=0.5, seed=0, steps=10, progress=True):
    if prompt == "fail":
        raise ValueError("this prompt cannot be <i>met</i>")
    x, text = model.encode([0.0, 0.0]), model.embed(prompt)
    for t, _ in pairs(model.times(steps), progress):
        model.eps(x, t, text)
    return ImageEnhance.Brightness(image).enhance(1 - strength)


def darken(model, image, prompt, *, mask, seed=0, steps=3, progress=True):
    return Image.composite(dim(model, image, prompt, steps=steps, progress=progress), image, mask)


def seek(model, image, prompt, *, seed=0, steps=3, progress=True, watch):
    found = Image.new("L", image.size)
    found.paste(255, (64, 0, 128, 128))
    watch(mask=found)
    return darken(model, image, prompt, mask=found, steps=steps, progress=progress)


# %% [markdown]
# And here it is.

# %%
methods = [dim, partial(darken, mask=half), seek]
lab = show.studio(Slow(), methods, {"cat": picture, "blue cat": edited}, prompt="a cat at night")
lab

# %% [markdown]
# The attention explorer, with maps of which every number is known: the car's share at a pixel is its column / 20.

# %%
columns = np.broadcast_to(np.arange(16) / 20, (16, 16)).astype(np.float32)
own, new = ("a", "cat", "on", "bicycle"), ("a", "cat", "on", "car", "shiny")
rows = [(view, word) for view, words in (("source", own), ("before", new), ("after", new)) for word in words]
wide = np.stack([columns if word == "car" else columns.T / (i + 2) for i, (_, word) in enumerate(rows)])[:, None]
wide = wide * np.array([1, 0.5, 0.25], dtype=np.float32)[:, None, None]  # (rows, steps, 16, 16)
fine = Part("down_blocks.0.attentions.0.transformer_blocks.0.attn2", (16, 16), wide)
parts = fine, Part(None, (4, 4), wide[..., ::4, ::4])
seen = Attended(("<b>a</b> cat on a bicycle", "a shiny cat on a car"), (picture, edited), tuple(rows), parts)
show.explorer(seen, alt="a cat and what its words look at - notice the car")

# %% [markdown]
# Weights, made beforehand.

# %%
dimmed = tuple(ImageEnhance.Brightness(picture).enhance(0.2 * i) for i in range(6))
weighed = Reweighted("a bright <i>cat</i>", {"bright": (0.0, 1.0, 2.0), "cat": (-1.0, 1.0)}, picture, dimmed)
show.reweighter(weighed, alt="a cat in more or less light - notice nothing else")

# %% [markdown]
# A fit that tells of itself, slow enough to be watched.


# %%
def slowly(**told):
    time.sleep(0.2)
    diary(**told)


small = DiffusersModel(stable_diffusion())
diary = show.diary(small, "a cat", every=4, steps=1, beside={"as wished": picture}, alt="a fit - notice the bar")
weights = fit_dreambooth(small, [picture], "a ab cat", steps=16, batch=1, watch=slowly)

# %% [markdown]
# Weights, with a small model that has learned nothing.

# %%
panel = show.reweighting_live(DiffusersModel(stable_diffusion()), "a cat ab", ["cat", "ab"], steps=3, progress=False)
panel
