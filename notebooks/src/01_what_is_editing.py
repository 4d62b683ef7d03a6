# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 1. What is editing
#
# {{badges}}
#
# You have a picture *I* and a sentence *P* that describes it. You write another sentence, *P\**, and want a picture
# *I\** that follows *P\** and is *I* in everything else. Two demands, and they pull in opposite directions. Before we
# meet the methods, we make both demands precise enough to measure.
#
# | You will | You need | It takes |
# |---|---|---|
# | write an edit as code; measure *obeyed*, *kept* | notebook 0 | 40 min, {{notebooks.01.minutes}} of them computing |
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. This lesson measures in the Picturebook world, where the right answers are known, so keep
# `"picturebook"` here at first. Stable Diffusion has to be told that the scene is a drawing, or it makes a photograph
# of it: give it `"a flat vector drawing of " + edit.target_prompt`, wherever a cell below gives a model
# `edit.target_prompt`.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 7

# %% [markdown]
# The world, the model, and the judge, of whom more below.

# %%
import numpy as np

from helpers import as_picture, check, load, show
from helpers.picturebook.edits import Edit
from helpers.picturebook.judge import Judge
from helpers.picturebook.scene import Scene

show.calm_errors()
model, judge = load(model_name), Judge.load()

# %% [markdown]
# ## 1. An edit as code
#
# The world of Picturebook is drawn by a program. A `Scene` says what is in a picture; its `seed` says how all of it is
# laid out: where the sun stands, how the cat sits, where each flower grows.

# %%
scene = Scene(seed=4, thing="cat", color="orange", place="meadow")
edit = Edit(scene, scene.but(color="blue"))
print("P: ", edit.prompt)
print("P*:", edit.target_prompt)

# %% [markdown]
# `scene.but(color="blue")` is the same scene, laid out the same way, with one attribute changed. An `Edit` is the pair
# of the two. Everything else follows from it: both prompts, and both pictures.
#
# **Predict.** The program draws the changed scene from the beginning. Which parts of the picture will come out
# differently, apart from the cat's fur?

# %%
show.difference(
    edit.picture, edit.target_picture, labels=("I", "the true I*"), alt="01.orange_cat"
)

# %% [markdown]
# Nothing outside the cat. (Whiskers and the rims of the eyes are drawn lighter on dark fur, so that they can be seen.)
# Every part of the layout has random numbers of its own, so a new colour moves no flower. That is why we
# may call the second picture the **true I\***: not one of many pictures that would do, but the one that changes what
# was asked and not a pixel more. Photos have no such thing, and that is why the course starts in a picture book.
#
# Where the two differ is the **true mask**. Outside of it, an editor has no business.

# %%
print(f"{np.asarray(edit.mask).mean() / 255:.0%} of the pixels may change")
show.mask(
    edit.picture,
    edit.mask,
    titles=("I", "the true mask over I"),
    alt="01.orange_cat_all",
)

# %% [markdown]
# Other edits have other masks. **Predict.** Which of these five will have the largest, and which the smallest?

# %%
changes = [
    {"wearing": "crown"},
    {"thing": "dog"},
    {"ride": "bicycle"},
    {"place": "beach"},
    {"sky": "night"},
]
edits = [Edit(scene, scene.but(**change)) for change in changes]
sizes = [f"{np.asarray(each.mask).mean() / 255:.0%}" for each in edits]
show.pictures(
    [[each.target_picture for each in edits], [each.mask for each in edits]],
    rows=["true I*", "true mask"],
    columns=[" ".join(change.values()) for change in changes],
    labels=[""] * 5 + sizes,
    alt="01.edits_scene",
)

# %% [markdown]
# ### Exercise 1: change the scene
#
# *One line, 3 minutes.* From `scene`, make the scene for this P\*: "an orange cat wearing a red hat in a meadow at
# night". The attributes are called `wearing`, `wearing_color` and `sky`.

# %%
my_scene = ...

check.changed_scene(my_scene)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_scene = scene.but(wearing="hat", wearing_color="red", sky="night")
# check.changed_scene(my_scene)
# ```
#
# `Scene(thing="cat", wearing="hat", sky="night")` says the same words, but has another seed: another cat in another
# meadow. An edit keeps the layout.
# </details>
#
# ### Exercise 2: the true mask
#
# *Two lines, 5 minutes.* Write the mask of two pictures: True where they differ by more than 12 (of 255) in at least
# one colour channel. `first` and `second` are arrays (H, W, 3) of bytes; the mask is (H, W).

# %%
def my_true_mask(first, second):
    return ...


check.true_mask(my_true_mask)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Bytes wrap around: `np.uint8(100) - np.uint8(105)` is 251. Convert to `int` before you subtract.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_true_mask(first, second):
#     difference = abs(first.astype(int) - second.astype(int))
#     return (difference > 12).any(axis=-1)
# check.true_mask(my_true_mask)
# ```
# </details>
#
# ## 2. Obeyed: does the picture show what P\* asks for?
#
# Somebody has to look. For ten pictures you can do it; for a thousand we have the **judge**, a small network that was
# trained on drawings to read every attribute of a scene from its picture. It knows neither P nor P\*.

# %%
from helpers.measure import obeyed

for name, picture in {"I": edit.picture, "the true I*": edit.target_picture}.items():
    reading = judge.read([picture])[0].attributes
    print(
        f"{name:<12}", {key: reading[key] for key in ("thing", "color", "place", "sky")}
    )

# %% [markdown]
# **Obeyed** is the share of the changed attributes that the judge reads as P\* asks for: here there is one, the colour,
# so obeyed is 0 or 1.

# %%
print("I obeys P* to", obeyed(edit.picture, edit, judge))
print("the true I* obeys P* to", obeyed(edit.target_picture, edit, judge))

# %% [markdown]
# ## 3. Kept: is the rest as it was?
#
# Outside the true mask, every pixel should be that of I. **Kept** measures the mean squared error there, and writes it
# in decibels, as is the custom (PSNR): $-10 \log_{10}(\text{error})$ for values from 0 to 1. Ten times less error
# gives 10 dB more. An error of zero would give infinity; we write 60.
#
# To get a feeling for decibels, we do damage of a known size to the picture.

# %%
from helpers.measure import kept

grain = np.random.default_rng(seed).standard_normal((128, 128, 3))
pixels = np.asarray(edit.picture) / 255
damaged = [
    as_picture(np.clip(pixels + amount * grain, 0, 1))
    for amount in (0, 0.01, 0.03, 0.1, 0.3)
]
labels = [f"{kept(picture, edit.picture, edit.mask):.0f} dB" for picture in damaged]
show.pictures([damaged], labels=labels, alt="01.picture_more")

# %% [markdown]
# ### Exercise 3: kept
#
# *Two lines, 7 minutes.* Write kept: the PSNR of the pixels outside the mask. `result` and `picture` are arrays
# (H, W, 3) of values from 0 to 1, `mask` is a boolean array (H, W), True where the picture may change.

# %%
def my_kept(result, picture, mask):
    return ...


check.kept_db(my_kept)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `picture[~mask]` are the pixels outside the mask, an array (N, 3).
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_kept(result, picture, mask):
#     error = np.square(result[~mask] - picture[~mask]).mean()
#     return -10 * np.log10(error)
# check.kept_db(my_kept)
# ```
#
# `helpers.measure.kept` does the same, and widens the mask by four pixels first: an autoencoder blurs the rim of
# whatever changed, and that should not count.
# </details>
#
# ## 4. Two editors that anybody can build
#
# **Do nothing** returns I. **Generate anew** hands P\* to the model and never looks at I.
#
# **Predict.** Which of them obeys, which of them keeps, and how many decibels does the second one keep?

# %%
from helpers.measure import score

anew = model.generate(edit.target_prompt, seed=seed)[0]
show.pictures(
    [edit.picture, anew, edit.target_picture],
    labels=["do nothing", "generate anew", "the true I*"],
    alt="01.orange_cat_new",
)

# %% [markdown]
# Now in numbers. The third is the **distance** to the true I\*: the mean difference of all pixels, where 0 is the true
# answer itself.

# %% tags=["nbval-ignore-output"]
def row(name, result):
    """One editor's scores as a line of text."""
    found = score(result, edit, judge)
    near = f"kept {found.kept:4.1f} dB   distance {found.distance:.3f}"
    return f"{name:<14} obeyed {found.obeyed:.0f}   {near}"


print(row("do nothing", edit.picture))
print(row("generate anew", anew))
print(row("the true I*", edit.target_picture))

# %% [markdown]
# Each of the two is good in one measure and useless as an editor. So neither measure means anything without the other.
#
# And look at the distance. Doing nothing is not far from the true answer, since most of the picture was right to begin
# with: an editor can be near the truth without obeying at all. One number hides this. Two do not.
#
# ## 5. SDEdit stands between the two
#
# SDEdit, from notebook 0, has a knob that leads from one to the other: at strength 0 it does nothing, at strength 1 it
# generates anew.
#
# **Predict.** Draw two curves in your head, obeyed and kept over strength. Is one of them a step?

# %%
from helpers import sdedit

strengths = [0.3, 0.5, 0.7, 0.8, 0.9, 1.0]
results = [
    sdedit(model, edit.picture, edit.target_prompt, strength=s, seed=seed)
    for s in strengths
]
found = [score(result, edit, judge) for result in results]
show.sweep(
    results,
    strengths,
    name="strength",
    scores={
        "obeyed": [each.obeyed for each in found],
        "kept (dB)": [each.kept for each in found],
    },
    alt="01.sdedit_growing",
)

# %% [markdown]
# One edit is an anecdote. So a script made {{lesson01.n}} edits of {{lesson01.kinds}} kinds (another animal, another
# colour, a hat put on or taken off, another place, ...), all of scenes that the model never saw in training, and scored
# every editor on all of them:
#
# editor | obeyed | kept (dB) | distance
# ---|---|---|---
# do nothing | {{lesson01.nothing.obeyed:.2}} | {{lesson01.nothing.kept:.3}} | {{lesson01.nothing.distance:.2}}
# SDEdit 0.3 | {{lesson01.sdedit.0.3.obeyed:.2}} | {{lesson01.sdedit.0.3.kept:.3}} | {{lesson01.sdedit.0.3.distance:.2}}
# SDEdit 0.6 | {{lesson01.sdedit.0.6.obeyed:.2}} | {{lesson01.sdedit.0.6.kept:.3}} | {{lesson01.sdedit.0.6.distance:.2}}
# SDEdit 0.8 | {{lesson01.sdedit.0.8.obeyed:.2}} | {{lesson01.sdedit.0.8.kept:.3}} | {{lesson01.sdedit.0.8.distance:.2}}
# SDEdit 0.9 | {{lesson01.sdedit.0.9.obeyed:.2}} | {{lesson01.sdedit.0.9.kept:.3}} | {{lesson01.sdedit.0.9.distance:.2}}
# generate anew | {{lesson01.anew.obeyed:.2}} | {{lesson01.anew.kept:.3}} | {{lesson01.anew.distance:.2}}
# autoencoder | {{lesson01.truth.obeyed:.2}} | {{lesson01.truth.kept:.3}} | {{lesson01.truth.distance:.2}}
#
# Each mean is uncertain, since there are {{lesson01.n}} edits and not all of them: for strength 0.8, obeyed is
# {{lesson01.sdedit.0.8.obeyed:.2f}} ± {{lesson01.sdedit.0.8.obeyed_pm:.2f}} and kept is
# {{lesson01.sdedit.0.8.kept:.1f}} ± {{lesson01.sdedit.0.8.kept_pm:.1f}} dB (95 %).
#
# The numbers after SDEdit are its strength. The last row is the true I\*, turned into the model's small code and back
# into pixels by its autoencoder, which loses a little on the way. An editor that puts no pixels of the original back
# can hardly keep more than these {{lesson01.truth.kept:.1f}} dB; lesson 3 puts them back.
#
# The same as a picture. A good editor is at the upper right.

# %%
measured = {
    "do nothing": ("{{lesson01.nothing.obeyed:.2f}}", "{{lesson01.nothing.kept:.1f}}"),
    "SDEdit 0.3": ("{{lesson01.sdedit.0.3.obeyed:.2f}}", "{{lesson01.sdedit.0.3.kept:.1f}}"),
    "0.6": ("{{lesson01.sdedit.0.6.obeyed:.2f}}", "{{lesson01.sdedit.0.6.kept:.1f}}"),
    "0.8": ("{{lesson01.sdedit.0.8.obeyed:.2f}}", "{{lesson01.sdedit.0.8.kept:.1f}}"),
    "0.9": ("{{lesson01.sdedit.0.9.obeyed:.2f}}", "{{lesson01.sdedit.0.9.kept:.1f}}"),
    "generate anew": ("{{lesson01.anew.obeyed:.2f}}", "{{lesson01.anew.kept:.1f}}"),
    "true I*, autoencoder": ("{{lesson01.truth.obeyed:.2f}}", "{{lesson01.truth.kept:.1f}}"),
}
line = ["SDEdit 0.3", "0.6", "0.8", "0.9"]
axes = {"xlabel": "obeyed", "ylabel": "kept (dB)"}
show.scatter(measured, line=line, **axes, alt="01.editors_plane")

# %% [markdown]
# SDEdit runs along a line from the autoencoder alone (strength 0) to generating anew. Its knob chooses a place on the
# line; it cannot leave it. The upper right, where the true answer lies, is empty. Each of the following lessons brings
# a method that gets nearer to it, and this is the picture in which we will compare them.
#
# ### Exercise 4: which editors are unbeaten?
#
# *5 minutes.* Six editors, each with (obeyed, kept). One editor **beats** another if it is as good in both measures and
# better in at least one. Which of them does nobody beat?

# %%
from helpers.check.lesson01 import EDITORS

print(EDITORS)
my_unbeaten = {...}

check.unbeaten(my_unbeaten)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_unbeaten = {"A", "B", "C", "E"}
# check.unbeaten(my_unbeaten)
# ```
#
# D is beaten by C, and F by E. The other four are a choice, not a ranking: who wants more obedience gives up keeping.
# Economists call such a set a Pareto front.
# </details>
#
# ### Exercise 5: keep by force
#
# *One line, 7 minutes, then open.* Suppose somebody tells you the mask. Then keeping is easy: take the result inside
# the mask and the old picture outside it. Write that; all are arrays as in exercise 3.

# %%
def my_paste(result, picture, mask):
    return ...


check.paste(my_paste)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.where(condition, this, that)`; the condition needs a third axis: `mask[..., None]` has the shape (H, W, 1).
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_paste(result, picture, mask):
#     return np.where(mask[..., None], result, picture)
# check.paste(my_paste)
# ```
#
# Open: paste `anew` of section 4 into `edit.picture` with `edit.mask`, and score it. Kept is perfect. Is it obeyed? Is
# it a good picture? What goes wrong at the rim, and what if the new cat sits somewhere else? Lesson 3 is about that,
# and about finding the mask when nobody tells you.
# </details>
#
# ## 6. Where the measures break
#
# A measure is a sharp tool with a blunt side. Three places where ours is blunt:
#
# **A change of style leaves nothing to keep.** If all is to become a pencil sketch, the mask is nearly the whole
# picture, and kept looks at the little that is left.

# %%
styled = Edit(scene, scene.but(style="pencil sketch"))
outside = 1 - np.asarray(styled.mask).mean() / 255
show.pair(
    styled.picture,
    styled.target_picture,
    prompts=(styled.prompt, styled.target_prompt),
    caption=f"Outside the true mask: {outside:.0%} of the pixels.",
    alt="01.cat_colour",
)

# %% [markdown]
# Is the drawing kept? You and I say yes, since lines and places are the same. Pixels say no. For such edits we look at
# the distance to the true I\*.
#
# **Pixels are strict.** Move the true answer by one pixel, and look for a difference.
#
# **Predict.** How many decibels does that cost?

# %%
from PIL import ImageChops

moved = ImageChops.offset(edit.target_picture, 1, 0)
decibels = [
    kept(picture, edit.picture, edit.mask) for picture in (edit.target_picture, moved)
]
show.pair(
    edit.target_picture,
    moved,
    titles=("the true I*", "moved by one pixel"),
    prompts=tuple(f"kept: {number:.0f} dB" for number in decibels),
    alt="01.true_answer",
)

# %% [markdown]
# For an eye nothing has happened; for kept, this is as bad as visible damage. A low kept can mean "another picture" or
# "the same picture, a little to the right". Look before you judge.
#
# **The judge reads words, not quality.** It was trained to say which animal, which colour, which place. A smeared cat
# that is blue is a blue cat to it. So obeyed says nothing about beauty, and a picture that is no picture at all still
# gets some reading:

# %%
snow = as_picture(np.random.default_rng(seed).random((128, 128, 3)))
reading = judge.read([snow])[0]
print(
    "what the judge reads from pure noise:",
    {key: reading.attributes[key] for key in ("thing", "color", "place")},
)

# %% [markdown]
# ## What to take along
#
# 1. An edit is I, P and P\*, and it makes two demands: obey P\*, keep the rest of I.
# 2. Each demand alone is met by an editor that is of no use. Always report both.
# 3. SDEdit trades one for the other along a line. What we look for is above that line.
# 4. Measures are blunt somewhere. Know where, and look at pictures.
#
# Next: [2. Noise and denoise](02_noise_and_denoise.ipynb), where we write SDEdit ourselves and see why that line is
# where it is.
