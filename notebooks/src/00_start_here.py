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
# does a text-to-image model make the new picture, and leave alone what you did not ask it to change?
#
# <img src="../docs/edits.png" width="900" alt="Four edits of picture-book scenes, each with the picture that is given,
# the edited picture and the right answer, prompts below - notice what changes and what stays">
#
# | You will | You need | It takes |
# |---|---|---|
# | make pictures from words, edit one, edit your own | no GPU | 20 min, {{notebooks.00.minutes}} of them computing |
#
# How to read a notebook: click a grey cell and press **Shift + Enter** to run it. Run the cells from top to bottom.
# Where the text says **Predict**, stop and answer in your head before you run the next cell. A wrong guess of your own
# teaches more than a right answer that you read.

# %% [markdown]
# ## 1. The machine
#
# On Google Colab this cell fetches the course. Everywhere else the command in the README has done that already, and the
# cell does nothing.

# %%
# {{setup}}

# %% [markdown]
# What machine is this, and is it enough?

# %% tags=["nbval-ignore-output"]
from helpers import this_machine

this_machine()

# %% [markdown]
# ## 2. The model
#
# The one cell to change if you want another model. `"picturebook"` is a small model that comes with the course: it
# knows the world of a picture book, 128 x 128 pixels large, and runs on any laptop. On a machine with a GPU, write
# `"stable-diffusion-v1-5"` instead. Everything below stays the same, prompts too; only the misspelt words of this
# section give no warning there, since it has read words of all kinds. `helpers.budget()` says beforehand whether it
# fits.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 21

# %% [markdown]
# Loading takes a few seconds.

# %% tags=["nbval-ignore-output"]
from helpers import load, show

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
# The rest of this notebook says what happened there, and section 4 does it with a picture of your own. Drag a photo
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
# Go through the words one by one: is the thing right, its colour, what it wears, the place? A model gets some of a
# prompt right more reliably than the rest. In lesson 1 we count that.
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
# The prompt says what, the seed decides all the rest. Nothing else is random: give the seed again and you get the
# picture again, bit for bit.

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
# it, and takes a part of that away. `show.Recording` looks over its shoulder.
#
# **Predict.** In which third of the way is it decided that there is a dog? And in which that it has a tongue?

# %%
recording = show.Recording(model)
model.generate(prompts[0], seed=seed, watch=recording)
show.trajectory(recording, alt="00.upper_row")

# %% [markdown]
# The time `t` counts down to the clean picture. The lower row is the guess at each moment. Large shapes and colours
# are settled early, fine details late. Remember that: the first editing method of the course is built on it.
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
# **Two**: the edit. [SDEdit](https://arxiv.org/abs/2108.01073) puts noise on the picture, so that its details drown,
# and lets the model take the noise away again while it reads the new prompt. `strength` says how much noise: 0 none, 1
# nothing but noise.
#
# **Predict.** What will be white? What will still be exactly where it was?

# %%
edited = sdedit(model, picture, new_prompt, strength=0.8, seed=seed)

# %% [markdown]
# **Three**: look.

# %%
show.pair(picture, edited, prompts=(prompts[0], new_prompt), alt="00.dog_beach")

# %% [markdown]
# Now compare the two pictures part by part: the dog's ears and paws, the sun, the palm, the waves. Some of it changed
# that should not have. That is the whole difficulty of editing, and the seven methods of this course are seven answers
# to it.
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
# With little noise the picture hardly changes and the prompt is ignored. With much noise the prompt is followed and the
# picture is forgotten. Somewhere between the two lies the best this method can do.
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
# A few strokes say where things are and what colour they have; the model adds what a picture book would show there. The
# authors of SDEdit made photos out of such stroke paintings.
#
# And a photo? Before any editing, the model has to turn your picture into its own small code, and back. This shows what
# survives that.

# %%
through = model.decode(model.encode(mine))[0]
show.difference(
    mine, through, labels=("your picture", "coded and back"), alt="00.picture_after"
)

# %% [markdown]
# If you gave a photo, see how soft it became: Picturebook's code was made for drawn scenes, and
# its words are for drawn scenes too. With a photo of your cat it will do its best, and what comes out is a picture-book
# cat roughly where yours was. Faces and writing are lost. That is no fault of the method but of the small model. For
# photos, go back to the cell in section 2 and change one line:
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
# *3 minutes.* Write a prompt for a picture of the course's lecture: a teddy bear with sunglasses that has a red drink,
# at a temple. Use the words that the model knows. If a warning appears, read which words it proposes.

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
# *5 minutes.* Find the smallest strength, in steps of 0.05, at which the dog of section 3 is white. Then look at
# what the picture lost on the way there. Is there a strength at which the dog is white and the rest is as it was?

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
# The exact number depends on picture and seed. What does not: when the dog turns white, small things elsewhere have
# changed as well, since the noise that lets the dog change covers the whole picture alike.
# </details>
#
# ## What to take along
#
# 1. A prompt says what is in the picture, a seed decides the rest, and the same two give the same picture.
# 2. A model works from noise to picture: large shapes first, details last.
# 3. SDEdit noises a picture and denoises it under another prompt. Its one knob trades following the prompt for keeping
#    the picture.
#
# Next: [1. What is editing](01_what_is_editing.ipynb), where we say precisely what "follow" and "keep" mean, and
# measure both.
