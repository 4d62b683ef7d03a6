# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 3. Masking
#
# {{badges}}
#
# In lesson 2 the background drifted: noise falls everywhere. Now we say *where* the picture may change. A mask is white
# there and black elsewhere. You paint it, or the model finds it.
#
# | You will | You need | It takes |
# |---|---|---|
# | write Blended Diffusion, find masks, see what they buy | lesson 2 | 60 min, computing {{notebooks.03.minutes}} min |
#
# Papers: Blended Diffusion (Avrahami et al. 2022, [arXiv:2111.14818](https://arxiv.org/abs/2111.14818)), Blended Latent
# Diffusion (Avrahami et al. 2023, [arXiv:2206.02779](https://arxiv.org/abs/2206.02779)) and DiffEdit (Couairon et al.
# 2023, [arXiv:2210.11427](https://arxiv.org/abs/2210.11427)).
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. For Stable Diffusion, write `"stable-diffusion-v1-5"`. It has to be told that the scene is a
# drawing: `"a flat vector drawing of " + edit.target_prompt`, wherever a cell below says `edit.target_prompt`, of other
# edits too. DiffEdit takes two prompts, and both begin so.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 1

# %% [markdown]
# ## 1. A mask says where
#
# The model, the judge, and the edit we begin with: add a white ball. As always, a program drew the right answer.
#
# **Predict.** SDEdit with the prompt P\* would also draw a ball. What else would it change?

# %%
from helpers import check, load, show
from helpers.picturebook.edits import Edit
from helpers.picturebook.judge import Judge
from helpers.picturebook.scene import Scene

show.calm_errors()
model, judge = load(model_name), Judge.load()
scene = Scene(seed=4, thing="cat", color="orange", place="beach")
edit = Edit(scene, scene.but(beside="ball", beside_color="white"))
picture = edit.picture
show.pair(
    picture,
    edit.target_picture,
    prompts=(edit.prompt, edit.target_prompt),
    titles=("I", "the true I*"),
    alt="03.cat_beach",
)

# %% [markdown]
# **Your turn, if you like.** Paint where the ball may be. A mask is painted generously: the model needs room for a
# shadow. If you only run the cell, the round spot that is there already is used.

# %% tags=["nbval-ignore-output"]
from PIL import Image, ImageDraw

spot = Image.new("L", picture.size)
ImageDraw.Draw(spot).ellipse((82, 86, 126, 127), fill=255)
brush = show.painter(picture, start=spot, alt="03.cat_beach_round")
brush

# %% [markdown]
# The model works on latents: one for each square of 8 x 8 pixels. So the mask must become small too. A latent may
# change if *any* of its pixels may; otherwise thin parts of a mask would be lost.

# %%
from helpers.core import as_mask, from_latents, to_latents

painted, x0 = as_mask(brush.mask), model.encode(picture)
m = to_latents(painted, x0)  # (1, 1, 16, 16) for Picturebook
masks = [edit.mask, painted, from_latents(m[0, 0], model.size)]
show.pictures(
    masks,
    labels=["the true mask", "painted", "painted, as the latents see it"],
    side=160,
    alt="03.masks_where",
)

# %% [markdown]
# ## 2. Blend at every step
#
# Denoise under P\*, as SDEdit does. But after each step, put the *picture* back outside the mask, noised to the same
# time $s$:
#
# $$x_s \leftarrow m \cdot x_{fg} + (1-m) \cdot x_{bg}$$
#
# $x_{fg}$ is the denoised state, $x_{bg}=\sqrt{\bar\alpha_s}\,x_0+\sqrt{1-\bar\alpha_s}\,z$ the noised picture. At the
# next step the network sees both at once, and draws an inside that fits the outside.
#
# ### Exercise 1: the blend line
#
# *One line, 3 minutes.* `inside` and `outside` are states (B, C, h, w), `m` is a mask (B, 1, h, w) with values from 0
# to 1.

# %%
def my_blend(inside, outside, m):
    return ...


check.blending(my_blend)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_blend(inside, outside, m):
#     return m * inside + (1 - m) * outside
# check.blending(my_blend)
# ```
#
# Where the mask is grey, the two are mixed: a soft mask gives a soft change.
# </details>
#
# ### Exercise 2: find the off-by-one
#
# *10 minutes, medium.* This is the whole method on latents. It runs, and inside the mask all is well. But original and
# sample are not at the same time when they are blended. (A published script has this slip.) Find it.

# %%
from itertools import pairwise

from helpers.core import add_noise, cfg, ddim_step, noise, blend


def my_blended(model, x0, m, prompt, times, z):
    text = model.embed(prompt)
    x = add_noise(model, x0, z, times[0])
    for t, s in pairwise(times):  # from t down to s
        eps = cfg(model, x, t, text, model.guidance)
        x_fg = ddim_step(model, x, eps, t, s)
        x_bg = add_noise(model, x0, z, t)
        x = blend(x_fg, x_bg, m)
    return x


check.same_time(my_blended)

# %% [markdown]
# <details><summary>Hint</summary>
#
# At which time is the state after `ddim_step`? At which time is `x_bg`?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_blended(model, x0, m, prompt, times, z):
#     text = model.embed(prompt)
#     x = add_noise(model, x0, z, times[0])
#     for t, s in pairwise(times):
#         eps = cfg(model, x, t, text, model.guidance)
#         x_fg = ddim_step(model, x, eps, t, s)
#         x_bg = add_noise(model, x0, z, s)
#         x = blend(x_fg, x_bg, m)
#     return x
# check.same_time(my_blended)
# ```
#
# `x_fg` has arrived at `s`, so `x_bg` must be noised to `s` too. Noised to `t`, the outside is always one step too
# noisy; after the last step that noise stays in the picture. Section 7 shows it.
# </details>

# %% [markdown]
# Here is all of the function that we use from now on. What is left to do after the loop: the autoencoder loses a little
# everywhere, so at the end the original *pixels* are put back outside the mask, bit for bit (`exact`).

# %%
from inspect import getsource
from helpers import blended_diffusion

print(getsource(blended_diffusion).split('"""')[2])

# %% [markdown]
# Look inside a run. The loop once more, with a recording of each state.
#
# **Predict.** In the upper row, the noisy states: will you see the mask's border? And in the lower row, the clean
# pictures that the model has in mind: how early is the ball there?

# %%
import torch

recording, z = show.Recording(model), noise(seed, x0.shape)
times, text = model.times(model.steps, 0.75), model.embed(edit.target_prompt)
x = add_noise(model, x0, z, times[0])
with torch.no_grad():
    for t, s in pairwise(times):
        eps = cfg(model, x, t, text, model.guidance)
        x = blend(ddim_step(model, x, eps, t, s), add_noise(model, x0, z, s), m)
        recording(x=x, t=s, eps=eps)
latent_only = model.decode(x)[0]
show.trajectory(recording, alt="03.blended_diffusion")

# %% [markdown]
# The same run to drag through: the clean picture in mind, with everything outside the mask paled.

# %%
import numpy as np
from helpers.show.picture_figures import paled

moments, inside = recording.moments(len(recording)), np.asarray(painted) > 127
names = ["clean" if moment.t < 0 else f"t = {moment.t}" for moment in moments]
show.scrubber(
    [paled(moment.clean.resize(picture.size), inside) for moment in moments],
    names,
    alt="03.clean_picture",
)

# %% [markdown]
# The network keeps wanting to change the outside as well; each blend takes that back. What it drew inside was drawn
# with the true outside in view, though.
#
# ## 3. Is there a seam?
#
# Three ways to use a mask, at the same strength: paste SDEdit's result into the original *at the end*; blend the
# latents *at each step* and decode (above); the same, with the original pixels put back outside (`exact`, the default).
#
# **Predict.** In which will you see the mask's border? Which one keeps the outside exactly?

# %%
from helpers.core import paste
from helpers.measure import kept, seam
from helpers import sdedit

everywhere = sdedit(model, picture, edit.target_prompt, strength=0.75, seed=seed)
exact = blended_diffusion(
    model, picture, edit.target_prompt, painted, strength=0.75, seed=seed
)
ways = {
    "pasted at the end": paste(everywhere, picture, painted),
    "blended, latents alone": latent_only,
    "blended, exact": exact,
    "the true I*": edit.target_picture,
}
ways = {name: way.resize(picture.size) for name, way in ways.items()}
told = [
    f"{name}: seam {seam(w, painted):.3f}, kept {kept(w, picture, painted):.1f} dB"
    for name, w in ways.items()
]
show.pictures(list(ways.values()), labels=told, side=224, alt="03.ways_use")

# %% [markdown]
# *seam*: how much larger the steps of colour are across the mask's border than just beside it (0: none is seen; the
# true picture has a number of its own, since it has edges there). *kept* is 60 dB where nothing at all differs.
#
# One picture proves little. Over {{lesson03.edits}} edits, the mean seam is
# {{lesson03.methods.only_at_the_end.seam:.3f}} pasted at the end, {{lesson03.methods.latent_only.seam:.3f}} with the
# latents alone, {{lesson03.methods.every_step.seam:.3f}} blended at each step and exact, and
# {{lesson03.methods.the_truth.seam:.3f}} in the true pictures. With the latents alone, the outside differs by
# {{lesson03.methods.latent_only.outside_mean:.1f}} of 255 levels on average (in each pixel's channel that differs
# most); exact, by {{lesson03.methods.every_step.outside_mean:.1f}}.
#
# ## 4. Add, remove, replace, recolour
#
# **Add and remove.** The same mask, other words: a ball, a bowl of water. And to remove the ball, start from the
# picture that has it. What shall the prompt say then? The empty prompt means "any picture"; the background's prompt
# says what is behind the ball.
#
# **Predict.** Which of the two fills the spot better?

# %%
with_ball, knobs = edit.target_picture, {"strength": 0.85, "seed": seed}
adding = [edit.target_prompt, "an orange cat next to a bowl of water on the beach"]
added = [
    blended_diffusion(model, picture, prompt, painted, **knobs) for prompt in adding
]
gone = [
    blended_diffusion(model, with_ball, prompt, painted, **knobs)
    for prompt in ("", "the beach")
]
show.pictures(
    [[picture, *added, with_ball], [with_ball, *gone, picture]],
    side=160,
    labels=[
        "I",
        "... a white ball ...",
        "... a bowl of water ...",
        "the true I* (ball)",
        "I",
        "the empty prompt",
        "the beach",
        "the true I*",
    ],
    alt="03.above_ball",
)

# %% [markdown]
# **Replace the background.** Paint the thing, then turn the mask around: all but the cat may change. We take the true
# mask of the cat, from the drawing.
#
# **Predict.** The strength is 1: we begin with noise alone, also where the cat is. In the upper row the prompt is P\*,
# "an orange cat in front of a big wall"; below, it names the background alone. What may go wrong in which row?

# %%
from helpers.core import inverted, widened
from helpers.picturebook.drawing import part_mask

cat = part_mask(scene, "thing")
places = {"mountain": "a big mountain", "wall": "a big wall", "city": "a city"}
moved = [Edit(scene, scene.but(place=place)) for place in places]
knobs = {"strength": 1.0, "seed": seed}


def redrawn(prompt):
    """The picture with another background."""
    return blended_diffusion(model, picture, prompt, inverted(cat), **knobs)


grid = [
    [picture, *(redrawn(e.target_prompt) for e in moved)],
    [inverted(cat), *map(redrawn, places.values())],
    [None, *(e.target_picture for e in moved)],
]
rows, columns = ["P*", "the place alone", "the true I*"], ["I, the mask", *places]
show.pictures(grid, rows=rows, columns=columns, side=160, alt="03.cat_before")

# %% [markdown]
# The network does not know that there is a cat already, until the noise has cleared enough to show it. A prompt for the
# masked part should say what is *there*, not what is in the whole picture.
#
# **Recolour.** In lesson 2 a higher strength cost more of the palms. Under a mask the strength is free: nothing outside
# is at risk.
#
# **Predict.** At which strength does the cat turn blue, and what of it is lost by then?

# %%
from helpers.measure import score

blue, wide = Edit(scene, scene.but(color="blue")), widened(cat, 2)
strengths = [0.5, 0.7, 0.85, 1.0]
painted_blue = [
    blended_diffusion(model, picture, blue.target_prompt, wide, strength=s, seed=seed)
    for s in strengths
]
scores = [score(result, blue, judge) for result in painted_blue]
show.sweep(
    painted_blue,
    strengths,
    name="strength",
    scores={
        "obeyed": [s.obeyed for s in scores],
        "distance (%)": [100 * s.distance for s in scores],
    },
    alt="03.cat_recoloured",
)

# %% [markdown]
# Outside, all is kept; so the trade of lesson 2 is now one *inside* the mask: the new colour against the same cat.
#
# ## 5. Scribble a thing into being
#
# A mask says where; a scribble also says which colours. The scribble is painted on the picture, then blended diffusion
# makes it real, with a strength that leaves its colours standing. (What is painted is white in the mask, and a little
# around it.)
#
# **Your turn, if you like.** Scribble something that the model knows. If you only run the cell, this blue blob is used.

# %% tags=["nbval-ignore-output"]
drawing = picture.copy()
ImageDraw.Draw(drawing).ellipse((88, 92, 120, 124), fill="#2f6fd6")
crayon = show.painter(picture, mode="scribble", start=drawing, alt="03.cat_beach_blue")
crayon

# %% [markdown]
# **Predict.** Too little strength leaves a blob. Too much forgets it, and the colour with it: the prompt does not say
# "blue".

# %%
from helpers import scribble

scribbled, prompt, strengths = (
    crayon.result,
    "an orange cat next to a ball on the beach",
    [0.5, 0.7, 0.85, 1.0],
)
real = [
    scribble(model, picture, prompt, scribbled, strength=s, seed=seed)
    for s in strengths
]
show.sweep(
    [scribbled, *real],
    [0, *strengths],
    name="strength (0 is the scribble itself)",
    alt="03.scribble_made",
)

# %% [markdown]
# ## 6. DiffEdit: the model finds the mask
#
# Noise the picture half way. Ask the network twice for the noise: under the picture's prompt R and under the wanted
# prompt Q. Where both agree, the words make no difference; where they disagree, the picture must change. One such map
# is ragged, so DiffEdit averages over ten noises.
#
# **Predict.** From "orange" to "blue": where will the two disagree? Only on the fur?

# %%
from helpers.methods.diffedit import difference

asked = [blue.prompt, blue.target_prompt]
maps = {n: difference(model, picture, *asked, maps=n, seed=seed) for n in (1, 10)}
shown = [from_latents(d, model.size) for d in maps.values()]
show.pictures(
    [picture, *shown, blue.mask],
    labels=["I", "1 noise", "10 noises", "the true mask"],
    side=192,
    alt="03.picture_how",
)

# %% [markdown]
# ### Exercise 3: DiffEdit's mask
#
# *4 lines, 10 minutes, medium.* `eps_q` and `eps_r` are the two estimates for n noises, each (n, C, h, w). Return the
# mask, (h, w), True where the picture may change: the size of the difference, its mean over channels and noises,
# `rescaled` to [0, 1], above the threshold. (`rescaled` cuts off extremes, then stretches to [0, 1].)

# %%
from helpers.methods.diffedit import rescaled


def my_found_mask(eps_q, eps_r, threshold):
    return ...


check.found_mask(my_found_mask)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_found_mask(eps_q, eps_r, threshold):
#     d = (eps_q - eps_r).abs()  # (n, C, h, w)
#     d = d.mean((0, 1))  # (h, w)
#     return rescaled(d) > threshold
# check.found_mask(my_found_mask)
# ```
#
# The absolute value comes first: differences with both signs would cancel in the mean.
# </details>

# %% [markdown]
# True, painted and found, side by side, for three edits: add the ball, recolour the cat, another background. IoU is the
# part that two masks share, divided by all that is white in either: 1 is the same mask, 0 nothing in common.
#
# The last column is a fourth way to a mask. It asks which pixels look at one word, *cat*. (Lesson 4 explains how they
# do.) The background is all that is not the cat. The ball is not in the picture yet, so no pixel looks at it.
#
# **Predict.** The prompt says "next to a white ball", but not on which side. What will the found mask say?

# %%
from helpers.measure import iou
from helpers import word_mask

three, given = [edit, blue, moved[1]], [painted, wide, inverted(cat)]
disagree = [
    difference(model, picture, e.prompt, e.target_prompt, seed=seed) for e in three
]
found = [from_latents(d > 0.5, model.size) for d in disagree]
of_cat = word_mask(model, picture, edit.prompt, "cat")
of_word = [Image.new("L", model.size), of_cat, inverted(of_cat)]
true = [e.mask for e in three]
rows = list(zip(true, given, found, of_word, strict=True))
told = [f"IoU {iou(shown, row[0]):.2f}" for row in rows for shown in row]
show.pictures(
    rows,
    columns=["true", "given", "found", "of a word"],
    rows=["add", "recolour", "background"],
    labels=told,
    side=144,
    alt="03.edits_true",
)

# %% [markdown]
# The found masks consist of whole latents, so even the best of them misses some pixels. And where should the threshold
# lie? Every threshold, for the three edits:

# %%
thresholds = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
pairs = list(zip(disagree, three, strict=True))
ious = {
    t: [iou(from_latents(d > t, model.size), e.mask) for d, e in pairs]
    for t in thresholds
}
lines = {
    name: [ious[t][i] for t in thresholds]
    for i, name in enumerate(["add", "recolour", "background"])
}
show.curve(
    thresholds,
    lines,
    xlabel="threshold",
    ylabel="IoU with the true mask",
    alt="03.curves_iou",
)

# %% [markdown]
# ### Exercise 4: choose a threshold
#
# *5 minutes.* `ious` is a dictionary: threshold -> list of IoUs, one for each edit. Return the threshold that is best
# on average.

# %%
def my_threshold(ious):
    return ...


check.choice_of_threshold(my_threshold)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_threshold(ious):
#     return max(ious, key=lambda t: sum(ious[t]) / len(ious[t]))
# check.choice_of_threshold(my_threshold)
# ```
#
# Try `my_threshold(ious)` on the dictionary of the cell above. Three edits are few: over {{lesson03.masks.edits}} edits
# of the script, the mean IoU is {{lesson03.masks.at.strength 0.5, 10 maps.0.3:.2f}} at 0.3,
# {{lesson03.masks.at.strength 0.5, 10 maps.0.5:.2f}} at 0.5 and {{lesson03.masks.at.strength 0.5, 10 maps.0.7:.2f}} at
# 0.7; with one noise instead of ten, {{lesson03.masks.at.strength 0.5, 1 maps.0.5:.2f}} at 0.5.
# </details>
#
# ### Exercise 5: what guidance does to the mask
#
# *One line, 5 minutes.* Some implementations guide both estimates with $w$ before they take the difference. Write
# $|\epsilon_Q^w - \epsilon_R^w|$ without the empty prompt's estimate, where
# $\epsilon^w = \epsilon_u + w\,(\epsilon - \epsilon_u)$.

# %%
def my_guided_difference(eps_q, eps_r, w):
    return ...


check.guided_difference(my_guided_difference)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_guided_difference(eps_q, eps_r, w):
#     return w * (eps_q - eps_r).abs()
# check.guided_difference(my_guided_difference)
# ```
#
# $\epsilon_u$ falls out. What is left is $w$ times the difference without guidance, and `rescaled` divides by its
# size, so that $w$ falls out too.
# </details>
#
# **Predict.** Then how many latents of the mask differ between guidance 1, 4 and 15?

# %%
from helpers.core import guide

t, (q, r) = model.times(model.steps, 0.5)[0], (model.embed(prompt) for prompt in asked)
x_t = add_noise(model, x0, noise(seed, (10, *x0.shape[1:])), t)
with torch.no_grad():
    eps_u, eps_q, eps_r = (
        model.eps(x_t, t, words.rows(10)) for words in (q.unconditional(), q, r)
    )
for w in (1, 4, 15):
    d = (guide(eps_u, eps_q, w) - guide(eps_u, eps_r, w)).abs().mean((0, 1))
    other = int(((rescaled(d) > 0.5) != (maps[10] > 0.5)).sum())
    print(f"guidance {w}: {other} latents of the mask differ")

# %% [markdown]
# So the mask needs no empty prompt: 2 estimates for each noise instead of 4, 20 instead of 40.
#
# **Decode under the mask.** DiffEdit's other half: it does not start from noise. It *encodes* the picture, with DDIM
# steps upwards and no prompt, and keeps every state on the way. Then it denoises under Q, and outside the mask puts the
# kept state of the same time back: a blend again.

# %%
from helpers import diffedit

print(getsource(diffedit).split('"""')[2])

# %% [markdown]
# **Predict.** SDEdit, DiffEdit and blended diffusion under the cat's mask, all at strength 1. SDEdit and blended
# diffusion start from noise that holds (almost) nothing of the cat, DiffEdit from the encoded picture. What of the cat
# survives in each?

# %%
same = {"strength": 1.0, "seed": seed}
tries = {
    "SDEdit": sdedit(model, picture, blue.target_prompt, **same),
    "DiffEdit": diffedit(model, picture, *asked, **same),
    "blended, the cat's mask": painted_blue[-1],
    "the true I*": blue.target_picture,
}
results = {name: score(result, blue, judge) for name, result in tries.items()}
told = [
    f"{name}: obeyed {s.obeyed:.0f}, kept {s.kept:.1f} dB"
    for name, s in results.items()
]
show.pictures(list(tries.values()), labels=told, side=224, alt="03.cat_blue")

# %% [markdown]
# Over {{lesson03.edits}} edits of four kinds, at strength {{lesson03.strength}}: SDEdit obeys
# {{lesson03.methods.sdedit.obeyed:.0%}} and keeps {{lesson03.methods.sdedit.kept:.1f}} dB, DiffEdit
# {{lesson03.methods.diffedit.obeyed:.0%}} and {{lesson03.methods.diffedit.kept:.1f}} dB, blended diffusion with the
# true mask, 4 pixels wider (of a background: all but the thing), {{lesson03.methods.every_step.obeyed:.0%}} and
# {{lesson03.methods.every_step.kept:.1f}} dB. Where the found mask is too large, DiffEdit changes what it should keep;
# where it is too small, it cannot obey.
#
# ### Exercise 6: what does it cost?
#
# *5 minutes, no computer.* How many noises does the network estimate in one `diffedit` of 50 steps, strength 0.8,
# 10 maps and guidance 7.5? Count every (latent, prompt) as one: a guided step counts two.

# %%
my_estimates = ...

check.estimates_of_diffedit(my_estimates)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_estimates = 2 * 10 + 40 + 2 * 40
# check.estimates_of_diffedit(my_estimates)
# ```
#
# 140: the mask, 0.8 of 50 steps up without guidance, and as many down with it. A much used pipeline makes 200, since
# it guides the mask and the way up.
# </details>
#
# ## 7. Where it breaks
#
# **The wrong noise level.** Exercise 2's slip on a picture: nothing outside the mask should change. We take 4 steps
# alone, so that it is plain to see; with more steps the last one is less noisy, but it is there.

# %%
def outside(slip):
    times = model.times(4, 0.75)
    x = add_noise(model, x0, z, times[0])
    for t, s in pairwise(times):
        x_fg = ddim_step(model, x, cfg(model, x, t, text, model.guidance), t, s)
        x = blend(x_fg, add_noise(model, x0, z, t if slip else s), m)
    return model.decode(x)[0]


with torch.no_grad():
    right, wrong = outside(slip=False), outside(slip=True)
show.difference(
    right,
    wrong,
    labels=("blended at time s", "blended at time t"),
    alt="03.edit_blended",
)

# %% [markdown]
# **Thin masks.** A drink is two or three latents wide. While the state is noisy the network may overlook so small a
# hole. With `thin=True` the mask starts wide and shrinks: 7, 5, 3, 1 latents for a quarter of the steps each.
#
# **Predict.** What can go wrong with the wide mask?

# %%
drink = Edit(scene, scene.but(holding="drink"))
narrow, knobs = drink.mask, {"strength": 0.9, "seed": seed}
held = [
    blended_diffusion(model, picture, drink.target_prompt, narrow, thin=thin, **knobs)
    for thin in (False, True)
]
show.pictures(
    [narrow, *held, drink.target_picture],
    labels=["the mask", "as it is", "thin=True", "the true I*"],
    side=192,
    alt="03.mask_small",
)

# %% [markdown]
# **A mask that cuts the thing.** The model draws where its latents may change, and a latent is 8 x 8 pixels; then the
# pixels outside the mask are put back. If the mask is too small for the thing, or hits half of it, it is cut off.
#
# **Predict.** The mask is the left half of the spot. What will the model do: half a ball, a small ball, none?

# %%
half, knobs = painted.copy(), {"strength": 0.75, "seed": seed}
half.paste(0, (104, 0, 128, 128))
cut = [
    blended_diffusion(model, picture, edit.target_prompt, half, exact=exact, **knobs)
    for exact in (False, True)
]
squares = from_latents(to_latents(half, x0)[0, 0], model.size)
show.pictures(
    [half, squares, *cut],
    labels=["the mask", "as the latents see it", "latents alone", "exact"],
    side=192,
    alt="03.half_spot",
)

# %% [markdown]
# ## 8. The studio
#
# Both methods without a line of code: blended diffusion takes your mask of section 1, DiffEdit finds its own.

# %% tags=["nbval-ignore-output"]
from functools import partial

methods = [partial(blended_diffusion, mask=painted), diffedit]
lab = show.studio(model, methods, {"the cat": picture, "with a ball": with_ball},
                  prompt={"source_prompt": edit.prompt, "prompt": edit.target_prompt})
lab

# %% [markdown]
# ## What to remember
#
# 1. Blend at every step, both sides at the same time: then the inside is drawn to fit the outside. Pasting at the end
#    cannot do that.
# 2. Outside the mask nothing changes, bit for bit, once the original pixels are put back. The trade between *obeyed*
#    and *kept* moves inside the mask.
# 3. DiffEdit finds the mask where two prompts disagree; guidance does not change it. It costs more: here
#    {{lesson03.costs.network.diffedit.rows}} estimates against
#    {{lesson03.costs.network.blended_diffusion.rows}} for blended diffusion, in {{lesson03.costs.steps}} steps at
#    strength {{lesson03.costs.strength}}.
#
# **References.** Avrahami, Lischinski, Fried: *Blended diffusion for text-driven editing of natural images*, CVPR 2022,
# arXiv:2111.14818. Avrahami, Fried, Lischinski: *Blended latent diffusion*, SIGGRAPH 2023, arXiv:2206.02779. Couairon,
# Verbeek, Schwenk, Cord: *DiffEdit: diffusion-based semantic image editing with mask guidance*, ICLR 2023,
# arXiv:2210.11427.
#
# Next: [4. Prompt-to-Prompt](04_prompt_to_prompt.ipynb), where words say where, and the layout stays without a mask.
