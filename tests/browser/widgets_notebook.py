# %%
import time

from PIL import Image, ImageEnhance

from helpers import show
from helpers.analytic import AnalyticModel
from helpers.picturebook.drawing import draw
from helpers.picturebook.scene import Scene

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
    for t in model.times(steps)[:-1]:
        model.eps(x, t, text)
    return ImageEnhance.Brightness(image).enhance(1 - strength)


# %% [markdown]
# And here it is.

# %%
lab = show.studio(Slow(), dim, {"cat": picture, "blue cat": edited}, prompt="a cat at night")
lab
