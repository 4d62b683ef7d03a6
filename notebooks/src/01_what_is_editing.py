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
# *I\** that follows *P\** and is *I* in everything else. These are two demands, and what helps one often harms the
# other. Before we meet the methods, we make both demands precise enough to measure.
#
# | You will | You need | It takes (minutes) |
# |---|---|---|
# | write an edit as code; measure it | notebook 0 | 40; exercises 95; computing {{notebooks.01.minutes}} |
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. This lesson measures in the Picturebook world, where the right answers are known, so keep
# `"picturebook"` here at first. Stable Diffusion has to be told that the scene is a drawing, or it makes a photograph
# of it: write `"a flat vector drawing of " + edit.target_prompt` wherever a cell below gives a model
# `edit.target_prompt`.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 7

# %% [markdown]
# This cell loads the model and the judge. Section 2 explains the judge.

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
# of the two scenes. Both prompts and both pictures follow from it.
#
# **Predict.** The program draws the changed scene from the beginning. Which parts of the picture will be different,
# apart from the cat's fur?

# %%
show.difference(
    edit.picture, edit.target_picture, labels=("I", "the true I*"), alt="01.orange_cat"
)

# %% [markdown]
# Nothing outside the cat. (Whiskers and the rims of the eyes are drawn lighter on dark fur, so that they can be seen.)
# Every part of the layout has random numbers of its own, so a new colour moves no flower. That is why we may call the
# second picture the **true I\***: many blue cats would obey the prompt, but this picture changes what was asked and not
# a pixel more. For a photo nobody knows the true answer, and that is why the course starts with drawings.
#
# The **true mask** is where the two pictures differ. Outside of it, an editor should change nothing.

# %%
print(f"{np.asarray(edit.mask).mean() / 255:.0%} of the pixels may change")
show.mask(
    edit.picture,
    edit.mask,
    titles=("I", "the true mask over I"),
    alt="01.orange_cat_all",
)

# %% [markdown]
# Other edits have other masks. **Predict.** The five edits: put a crown on the cat, make it a dog, put it on a bicycle,
# move it to the beach, make it night. Which will have the largest mask, and which the smallest?

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
# The percentages stand below the masks. The crown's is the smallest: only the pixels that it covers differ. The beach's
# and the night's are the largest, since they change nearly all that is behind the cat.
#
# ### Exercise 1: change the scene
#
# ●○○○○ *3 minutes, core.* From `scene`, make the scene for this P\*: "an orange cat wearing a red hat in a meadow at
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
# ●●○○○ *5 minutes, core.* Write the mask of two pictures: True where they differ by more than 12 (of 255) in at least
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
# Somebody has to look at the picture. For ten pictures you can do it yourself. For a thousand we have the **judge**, a
# small network that was trained on drawings to read every attribute of a scene from its picture. It is told neither P
# nor P\*.

# %%
from helpers.measure import obeyed

for name, picture in {"I": edit.picture, "the true I*": edit.target_picture}.items():
    reading = judge.read([picture])[0].attributes
    print(
        f"{name:<12}", {key: reading[key] for key in ("thing", "color", "place", "sky")}
    )

# %% [markdown]
# **Obeyed** is the share of the changed attributes that the judge reads as P\* asks. Here one attribute is changed, the
# colour, so obeyed is 0 or 1.

# %%
print("I obeys P* to", obeyed(edit.picture, edit, judge))
print("the true I* obeys P* to", obeyed(edit.target_picture, edit, judge))

# %% [markdown]
# ### Exercise 3: obeyed
#
# ●●○○○ *5 minutes, core.* Write obeyed for one picture. `reading` is a dictionary: attribute -> what the judge reads.
# `wanted` is a dictionary: attribute -> what P\* asks for, of the changed attributes alone, at least one. Return the
# share of the wanted attributes that are read so, from 0 to 1.

# %%
def my_obeyed(reading, wanted):
    return ...


check.obeyed_share(my_obeyed)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_obeyed(reading, wanted):
#     return sum(reading[name] == value for name, value in wanted.items()) / len(wanted)
# check.obeyed_share(my_obeyed)
# ```
#
# The judge reads every attribute of the scene. The unchanged ones must not count, or doing nothing would obey to 90 %.
# </details>
#
# ## 3. Kept: is the rest as it was?
#
# Outside the true mask, every pixel should be that of I. **Kept** is the mean squared error there, written in decibels
# as is the custom (PSNR): $-10 \log_{10}(\text{error})$ for values from 0 to 1. Ten times less error gives 10 dB more.
# An error of zero would give infinity; we write 60.
#
# To get a feeling for decibels, we add noise of a known size to the picture.

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
# Each picture has about three times the noise of the one before, ten times the squared error, and so 10 dB less (a
# little more at the end, where values are cut off at black and white).
#
# ### Exercise 4: kept
#
# ●●○○○ *7 minutes, core.* Write kept: the PSNR of the pixels outside the mask. `result` and `picture` are arrays
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
# `helpers.measure.kept` does the same, but first makes the mask four pixels wider: an autoencoder blurs the rim of
# whatever changed, and that should not count.
# </details>
#
# ## 4. Two editors that anybody can build
#
# **Do nothing** returns I. **Generate anew** hands P\* to the model and never looks at I.
#
# **Predict.** Which of them obeys, and which of them keeps? Of the five pictures above, the noisiest kept about 12 dB.
# Does the second editor keep more, or less?

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
# Doing nothing keeps all and obeys nothing. Generating anew looks at P\* alone, so it obeys where the model can draw
# what is asked; it keeps about as little as the noisiest picture above ({{lesson01.anew.kept:.0f}} dB on average over
# the edits of section 5), since another meadow with other flowers has other values nearly everywhere. Each of the two
# is good in one measure and useless as an editor. So always look at both measures.
#
# And look at the distance. Doing nothing is not far from the true answer, since most of the picture was right to begin
# with. An editor can be near the truth without obeying at all: the distance alone does not show this.
#
# ## 5. SDEdit stands between the two
#
# SDEdit, from notebook 0, lies between the two: at strength 0 it does (nearly) nothing, at strength 1 it generates
# anew.
#
# **Predict.** Imagine two curves, obeyed and kept over strength. Which of them rises, which falls? Is one of them a
# step?

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
# Kept falls with every step to the right, since more noise changes more. Obeyed can only be 0 or 1 here, since one
# attribute is changed: it jumps where the judge first reads "blue".
#
# One edit proves little. So a script made {{lesson01.n}} edits of {{lesson01.kinds}} kinds (another animal, another
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
# Each mean is uncertain, since {{lesson01.n}} edits are only a sample of all edits: for strength 0.8, obeyed is
# {{lesson01.sdedit.0.8.obeyed:.2f}} ± {{lesson01.sdedit.0.8.obeyed_pm:.2f}} and kept is
# {{lesson01.sdedit.0.8.kept:.1f}} ± {{lesson01.sdedit.0.8.kept_pm:.1f}} dB (half the 95 % interval; exercise 6).
#
# The numbers after SDEdit are its strength. The last row is the true I\*, turned into the model's latents and back into
# pixels by its autoencoder, which loses a little on the way. An editor that puts no pixels of the original back can
# hardly keep more than these {{lesson01.truth.kept:.1f}} dB. Lesson 3 puts them back.
#
# The same numbers as a plane: to the right an editor obeys more, higher up it keeps more. A good editor would be at the
# upper right.

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
# SDEdit runs along a line from the autoencoder alone (strength 0) to generating anew. Its strength chooses a place on
# this line, and no strength leads away from it. No editor is yet at the upper right, where the true answer lies.
# Lessons 2 and 3 end with this plane and compare their methods in it.
#
# ### Exercise 5: which editors are unbeaten?
#
# ●●○○○ *5 minutes, useful.* Six editors, each with (obeyed, kept). One editor **beats** another if it is as good in
# both measures and better in at least one. Which of them does nobody beat?

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
# D is beaten by C, and F by E. The other four cannot be ranked: whichever of them obeys more keeps less. Such a set is
# called a Pareto front.
# </details>
#
# ### Exercise 6: how sure is a mean?
#
# ●●○○○ *7 minutes, core.* The table above says "± 0.07" and the like. Write that number: half the 95 % interval of the
# mean of `values`, an array (N,). It is $1.96\, s / \sqrt N$, where $s$ is the standard deviation of the values with
# $N - 1$ in the denominator.

# %%
def my_half_interval(values):
    return ...


check.half_interval(my_half_interval)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `values.std(ddof=1)` divides by N - 1. Without `ddof=1` it divides by N.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_half_interval(values):
#     return 1.96 * values.std(ddof=1) / len(values) ** 0.5
# check.half_interval(my_half_interval)
# ```
#
# Four times as many edits halve it. If the intervals of two methods overlap much, do not rank them.
# </details>
#
# ### Exercise 7: unbeaten, for any number of editors
#
# ●●●●○ *15 minutes, useful.* Now as a function. `obeyed` and `kept` are arrays (N,), one entry for each editor. Return
# an array (N,) of booleans: True where no other editor is as good in both measures and better in at least one.

# %%
def my_front(obeyed, kept):
    return ...


check.unbeaten_of(my_front)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compare every editor with every other: `obeyed[:, None]` has the shape (N, 1), `obeyed[None, :]` the shape (1, N), and
# their comparison the shape (N, N). Two editors with the very same numbers do not beat each other.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_front(obeyed, kept):
#     as_good = (obeyed[None, :] >= obeyed[:, None]) & (kept[None, :] >= kept[:, None])
#     better = (obeyed[None, :] > obeyed[:, None]) | (kept[None, :] > kept[:, None])
#     return ~(as_good & better).any(axis=1)
# check.unbeaten_of(my_front)
# ```
# </details>
#
# ### Exercise 8: keep by force
#
# ●●○○○ *7 minutes, core.* Suppose somebody tells you the mask. Then keeping is easy: take the result inside the mask
# and the old picture outside it. Write that; all are arrays as in exercise 4.

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
# Go on: paste `anew` of section 4 into `edit.picture` with `edit.mask`, and score it. Kept is perfect. Is it obeyed? Is
# it a good picture? What goes wrong at the rim, and what if the new cat sits somewhere else? Lesson 3 is about that,
# and about finding the mask when nobody tells you.
# </details>
#
# ## 6. Where the measures break
#
# Three cases in which our measures mislead:
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
# Is the drawing kept? We would say yes, since lines and places are the same. But nearly every pixel is different. For
# such edits we look at the distance to the true I\*.
#
# **Pixels are compared one by one.** We move the true answer by one pixel to the right.
#
# **Predict.** The true answer keeps 60 dB. How many does it keep after the move: 50, 40 or fewer than 30?

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
# Fewer than 30: the numbers stand below the pictures. Nobody sees a difference, but kept counts this move like noise
# that everybody sees. A low kept can mean "another picture" or "the same picture, a little to the right". So look at
# the pictures, too.
#
# ### Exercise 9: a kept that forgives a small move
#
# ●●●●○ *20 minutes, extra.* Write a measure that does not mind a move by a few pixels. `result` and `picture` are
# arrays (H, W, 3) of values from 0 to 1. Move `result` by every combination of -`most` to `most` pixels down and to the
# right (`np.roll` with `axis=(0, 1)`; what leaves at one side comes in at the other), and return the highest PSNR
# against `picture`: $-10 \log_{10}$ of the mean squared error of all pixels.

# %%
def my_forgiving(result, picture, most):
    return ...


check.forgiving_psnr(my_forgiving)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_forgiving(result, picture, most):
#     moves = range(-most, most + 1)
#     errors = [np.square(np.roll(result, (down, right), (0, 1)) - picture).mean() for down in moves for right in moves]
#     return -10 * np.log10(min(errors))
# check.forgiving_psnr(my_forgiving)
# ```
#
# It forgives the move above. What does it forgive that it should not? A measure that forgives more can be deceived more
# easily.
# </details>
#
# **The judge reads words, not quality.** It was trained to say which animal, which colour, which place. For the judge,
# a smeared cat that is blue is a blue cat. So *obeyed* does not say whether a picture is *realistic*, whether it looks
# like a picture of this world. That is a third question, beside obeyed and kept, and we have no number for it here:
# look at the pictures. The judge gives some answer even for a picture that shows nothing at all:

# %%
snow = as_picture(np.random.default_rng(seed).random((128, 128, 3)))
reading = judge.read([snow])[0]
print(
    "what the judge reads from pure noise:",
    {key: reading.attributes[key] for key in ("thing", "color", "place")},
)

# %% [markdown]
# ### Exercise 10: an edit of your own
#
# ●●●●● *20 minutes or more, core.* Choose an edit of your own: another scene, and one attribute or more to change. Make
# a picture that obeys it fully and keeps at least 18 dB. You may use all that this notebook has: SDEdit at any
# strength, several seeds, pasting. You may not hand in `my_edit.target_picture`, which is the drawing program's answer.

# %%
my_edit = ...  # Edit(scene, scene.but(...))
my_result = ...  # a picture that you made

check.own_edit(my_result, my_edit, judge, least=18)

# %% [markdown]
# <details><summary>Solution (one of many)</summary>
#
# ```python
# my_scene = Scene(seed=11, thing="dog", color="brown", place="beach")
# my_edit = Edit(my_scene, my_scene.but(color="white"))
# asked = (my_edit.picture, my_edit.target_prompt)
# tries = [sdedit(model, *asked, strength=s, seed=n) for s in (0.6, 0.7) for n in range(4)]
# my_result = max(tries, key=lambda result: score(result, my_edit, judge)[:2])
# check.own_edit(my_result, my_edit, judge, least=18)
# ```
#
# Many tries and a good eye, or here the judge, go a long way. Which of your edits did *not* work? Those are the ones
# that the next lessons are for.
# </details>
#
# ## What to take along
#
# 1. An edit is I, P and P\*, and it makes two demands: obey P\*, keep the rest of I.
# 2. Each demand alone is met by an editor that is of no use. Always report both.
# 3. SDEdit trades one for the other along a line. We look for methods above that line.
# 4. Obeyed, kept and realistic are three questions. Every measure misleads somewhere, so look at the pictures as well.
#
# Next: [2. Noise and denoise](02_noise_and_denoise.ipynb), where we write SDEdit ourselves and see why that line is
# where it is.
