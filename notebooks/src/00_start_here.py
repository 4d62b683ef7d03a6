# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 0. Start here
#
# {{badges}}
#
# This course is about one question. You have a picture, and a sentence that says what you want to see instead. How
# can a text-to-image model make the new picture, and leave alone what you did not ask it to change?
#
# <img src="../docs/edits.png" width="900" alt="Four edits of picture-book scenes, each with the picture that is given,
# the edited picture and the right answer, prompts below - notice that the named thing changes and the scene stays">
#
# | You will | You need | It takes (minutes) |
# |---|---|---|
# | make pictures from words; edit your own | no GPU | 20; exercises 20; computing {{notebooks.00.minutes}} |
#
# How to read a notebook: click a grey cell and press **Shift + Enter** to run it. Run the cells from top to bottom.
# Where the text says **Predict**, stop and answer in your head before you run the next cell. The answer stands below
# the figure. Unknown words stand in the [list of words](../docs/words.md), one sentence for each.
#
# Each exercise says how hard it is, how many minutes it takes and what it is for:
#
# | mark | meaning |
# |---|---|
# | ●○○○○ | one line, copied from a formula or a sentence above it |
# | ●●○○○ | two or three lines |
# | ●●●○○ | a loop, or a mistake to find |
# | ●●●●○ | hard: think on paper first |
# | ●●●●● | open: there are many answers, and the check scores yours |
# | *core* | the lessons to come use it |
# | *useful* | you will understand the method better |
# | *extra* | for those who want more |
#
# Below most exercises is a grey cell with three dots, to be replaced by your answer. Where there is none, open a cell
# of your own (press Esc, then B) and start from the lines that are given. In each case the last line asks a check,
# which says what is right, or names the likely mistake.

# %% [markdown]
# ## 1. The machine
#
# On Google Colab this cell fetches the course. Everywhere else the command in the README has done that already, and the
# cell does nothing.

# %%
# {{setup}}

# %% [markdown]
# This cell says what machine you are on, and whether it is enough.

# %% tags=["nbval-ignore-output"]
from helpers import this_machine

this_machine()

# %% [markdown]
# ## 2. The model
#
# This is the one cell to change if you want another model. `"picturebook"` is a small model that comes with the course:
# it makes pictures of a picture book's world, 128 x 128 pixels large, and runs on any laptop. On a machine with a GPU,
# write `"stable-diffusion-v1-5"` instead. Everything below stays the same, prompts too; only the misspelt words of this
# section give no warning there, since Stable Diffusion has read words of all kinds. `helpers.budget()` says beforehand
# whether a model fits your machine.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 21

# %% [markdown]
# Loading takes a few seconds.

# %% tags=["nbval-ignore-output"]
from helpers import check, load, show

show.calm_errors()
model = load(model_name)
model

# %% [markdown]
# Here is your first edit. The first line makes a picture, the second changes it. Run the cell, pull the line between
# the two pictures to the side, then write other words where it says *white dog* and run it again.

# %%
from helpers import sdedit

dog = model.generate("a brown dog on the beach", seed=seed)[0]
my_dog = sdedit(model, dog, "a white dog on the beach", strength=0.8, seed=seed)
show.compare(dog, my_dog, ("before", "after"), alt="00.my_dog")

# %% [markdown]
# The rest of this notebook explains what happened there, and section 4 does it with a picture of your own. Drag a photo
# from your computer into the list of files on the left (in Colab it is behind the sign of a folder); its name is its
# path.
#
# A text-to-image model gets a sentence, the **prompt**, and makes a picture. Here are four.
#
# **Predict.** Which of the four will the model find hardest?

# %%
prompts = [
    "a brown dog on the beach",
    "an orange fox riding a red bicycle in a meadow",
    "a landscape with a castle near a river",
    "a street that is crowded",
]
pictures = model.generate(prompts, seed=seed)
show.pictures(pictures, labels=prompts, alt="00.generated_pictures")

# %% [markdown]
# The second prompt asks for most: two things, two colours, an action and a place, and each of them has to come out
# right. A landscape or a street is easier, since nearly any arrangement of trees or houses fits the words. Go through
# the words one by one: is the thing right, its colour, what it does, the place? In lesson 1 we count that.
#
# ### The seed
#
# A model starts from noise, and the **seed** is the number of that noise.
#
# **Predict.** We give the same prompt four times, with four seeds. What will be the same in all four, and what will
# differ?

# %%
same_prompt = model.generate(
    "a white bunny wearing a red hat in the forest", seed=[2, 3, 6, 7]
)
show.pictures(
    same_prompt, labels=[f"seed {n}" for n in (2, 3, 6, 7)], alt="00.pictures_prompt"
)

# %% [markdown]
# The same in all four is what the prompt names: a bunny, a hat, a forest, white and red. Everything else differs: where
# the bunny sits, how it holds its ears, where the trees stand. The prompt says what is in the picture, and the seed
# decides the rest. Nothing else is random: with the same seed you get the same picture, bit for bit.

# %%
again = model.generate(
    "a white bunny wearing a red hat in the forest", seed=[2, 3, 6, 7]
)
[
    first.tobytes() == second.tobytes()
    for first, second in zip(same_prompt, again, strict=True)
]

# %% [markdown]
# ### From noise to picture
#
# How does noise become a picture? In steps. At each step the model looks at a noisy picture, predicts what is noise in
# it, and takes a part of that away. `show.Recording` keeps what it sees on the way.
#
# **Predict.** In which third of the way does one see that there is a dog? And in which third are its eyes drawn?

# %%
recording = show.Recording(model)
model.generate(prompts[0], seed=seed, watch=recording)
show.trajectory(recording, alt="00.upper_row")

# %% [markdown]
# The time `t` counts down to the clean picture. The lower row shows, at each moment, the clean picture that the model
# expects. Large shapes and colours come first, fine details last: the dog's body is there long before its eyes are.
# Remember this order, since the first editing method of the course is built on it.
#
# ### Which words does it know?
#
# Stable Diffusion has read a good part of the web. Picturebook has read only captions of its own small world:

# %%
from helpers.picturebook import vocabulary

for name in (
    "ANIMALS",
    "OBJECTS",
    "COLORS",
    "RIDES",
    "WEARABLES",
    "HOLDABLES",
    "DOINGS",
    "PLACES",
    "STYLES",
):
    print(
        f"{name.lower():<10}",
        ", ".join(word for word in getattr(vocabulary, name) if word != "none"),
    )

# %% [markdown]
# It also knows weather (cloudy, snowy, a rainbow, at sunset, at night), fluffy animals, crowded streets, cakes with
# jelly beans, and many ways to say the same thing. A word it has never seen gives a warning that names the nearest
# words it knows. We catch the warning here to print it; in your own cells it appears by itself.

# %%
import warnings

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    model.generate("a rabit and a giraffe on the beach", seed=seed)
print(*(warning.message for warning in told), sep="\n")

# %% [markdown]
# ## 3. The same edit, in three cells
#
# **One**: a picture, and the prompt it should follow. The old prompt said *brown*; the new one says *white*, and
# nothing else is different.

# %%
picture = pictures[0]
new_prompt = "a white dog on the beach"

# %% [markdown]
# **Two**: the edit. [SDEdit](https://arxiv.org/abs/2108.01073) puts noise on the picture, so that its details can no
# longer be seen, and lets the model take the noise away again while it reads the new prompt. `strength` says how much
# noise: 0 is none, 1 is nothing but noise.
#
# **Predict.** What will be white? What will still be exactly where it was?

# %%
edited = sdedit(model, picture, new_prompt, strength=0.8, seed=seed)

# %% [markdown]
# **Three**: look.

# %%
show.pair(picture, edited, prompts=(prompts[0], new_prompt), alt="00.dog_beach")

# %% [markdown]
# White is asked for, of the dog alone. But the noise fell on the whole picture, so that nothing is *exactly* as it was:
# compare the dog's ears and paws, the sun, the palm, the waves. Things changed that nobody asked to change. This is the
# main difficulty of editing, and each method of this course answers it in its own way.
#
# **Predict.** That was strength 0.8. What happens at 0.2? And at 1.0?

# %%
strengths = [0.2, 0.4, 0.6, 0.8, 1.0]
results = [sdedit(model, picture, new_prompt, strength=s, seed=seed) for s in strengths]
show.sweep(
    [picture, *results],
    [0, *strengths],
    name="strength (0 is the picture itself)",
    alt="00.edit_growing",
)

# %% [markdown]
# At 0.2 there is so little noise that the picture hardly changes, and the prompt is ignored. At 1.0 nothing is left of
# the picture, and what you see is a new picture made from the prompt alone. Between the two, more of one means less of
# the other.
#
# ## 4. A picture of your own
#
# Put the path of a picture between the quotation marks: a photo, a scan, a drawing, of any size. Left empty, the cell
# takes a sketch of about thirty strokes.

# %%
my_path = ""
my_prompt = "an orange cat in a meadow"

# %% [markdown]
# The model works at its own size, so the middle square of your picture is used.

# %%
from helpers import as_picture
from helpers.show.examples import stroke_sketch

mine = as_picture(my_path or stroke_sketch(), size=model.size)
mine_results = [
    sdedit(model, mine, my_prompt, strength=s, seed=seed) for s in (0.5, 0.7, 0.9)
]
show.sweep(
    [mine, *mine_results],
    [0, 0.5, 0.7, 0.9],
    name="strength (0 is your picture)",
    alt="00.sketch_cat",
)

# %% [markdown]
# A few strokes say where things are and what colour they have; the model adds the details. The authors of SDEdit made
# photos out of such stroke paintings.
#
# And a photo? Before any editing, the model has to turn your picture into its own small code, its *latents*, and back.
# This figure shows what is left after that.

# %%
through = model.decode(model.encode(mine))[0]
show.difference(
    mine, through, labels=("your picture", "coded and back"), alt="00.picture_after"
)

# %% [markdown]
# If you gave a photo, see how soft it became: Picturebook was trained on drawn scenes, its latent code as well as its
# words. From a photo of your cat it makes a picture-book cat roughly where yours was. Faces and writing are lost. The
# method is not to blame: this model is too small for photos. For photos, go back to the cell in section 2 and change
# one line:
#
# ```python
# model_name = "stable-diffusion-v1-5"
# ```
#
# It downloads about 2 GB once and wants a GPU.
#
# ## 5. Try it yourself
#
# ### Exercise 1: say it
#
# ●○○○○ *3 minutes, core.* Write a prompt for a picture of the course's lecture: a teddy bear with sunglasses that has a
# red drink, at a temple. Use the words that the model knows. If a warning appears, read which words it proposes.

# %%
my_words = "a teddy bear"
show.pictures(
    model.generate([my_words], seed=[1, 2, 3]),
    labels=[my_words] * 3,
    alt="00.pictures_your",
)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The lists above are sorted: what it wears stands in `wearables`, what it holds in `holdables`, where in `places`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_words = "a brown teddy bear wearing sunglasses and having a red drink at the temple"
# ```
#
# Not every seed shows all of it. A prompt with many parts is harder: each has to be right.
# </details>
#
# ### Exercise 2: as little as possible
#
# ●●○○○ *5 minutes, core.* Find the smallest strength, in steps of 0.05, at which the dog of section 3 is white. Then
# look at what else has changed by then. Is there a strength at which the dog is white and the rest is as it was?

# %%
my_strength = 0.5
my_edit = sdedit(model, picture, new_prompt, strength=my_strength, seed=seed)
show.pair(
    picture,
    my_edit,
    prompts=(prompts[0], f"{new_prompt}, strength {my_strength}"),
    alt="00.dog_before",
)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# for my_strength in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9):
#     display(sdedit(model, picture, new_prompt, strength=my_strength, seed=seed))
# ```
#
# The exact number depends on picture and seed. But for every picture and seed, when the dog turns white, small things
# elsewhere have changed as well, since the noise covers the whole picture alike.
# </details>
#
# ### Exercise 3: how many steps?
#
# ●○○○○ *4 minutes, core.* A model that makes a picture in `steps` steps needs fewer of them for an edit: SDEdit at a
# given strength runs only that share of the steps, the last ones. Write how many it runs, as a whole number. A share
# that is no whole number goes to the nearest one: 0.7 of 25 steps are 17.5, and Python's `round` makes 18 of it.

# %%
def my_steps(strength, steps):
    return ...


check.steps_run(my_steps)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_steps(strength, steps):
#     return round(strength * steps)
# check.steps_run(my_steps)
# ```
#
# So an edit at strength 0.5 takes half as long as a new picture.
# </details>
#
# ### Exercise 4: how much has changed?
#
# ●●○○○ *7 minutes, useful.* Write the mean difference of two pictures: how far their levels are apart on average, over
# all pixels and colour channels, as a number from 0 (the same picture) to 1 (black against white). `first` and `second`
# are arrays (H, W, 3) of bytes, from 0 to 255.

# %%
def my_change(first, second):
    return ...


check.mean_change(my_change)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Bytes wrap around: `np.uint8(100) - np.uint8(105)` is 251. Convert with `.astype(float)` before you subtract.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_change(first, second):
#     return abs(first.astype(float) - second.astype(float)).mean() / 255
# check.mean_change(my_change)
# ```
#
# Try it: `import numpy as np`, then `[my_change(np.asarray(picture), np.asarray(each)) for each in results]` for the
# strengths of section 3. It grows with the strength. But it counts the white fur, which you asked for, and the moved
# palm, which you did not, in one number. Lesson 1 takes the two apart.
# </details>
#
# ## What to take along
#
# 1. A prompt says what is in the picture, a seed decides the rest, and the same two give the same picture.
# 2. A model works from noise to picture: large shapes first, details last.
# 3. SDEdit noises a picture and denoises it under another prompt. Its one knob, the strength, trades keeping the
#    picture for following the prompt.
#
# Next: [1. What is editing](01_what_is_editing.ipynb), where we say precisely what "follow" and "keep" mean, and
# measure both.
