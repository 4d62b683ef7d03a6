# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 6. Imagic
#
# {{badges}}
#
# So far the model was never touched. We chose its noise, masked it, steered its attention. Imagic goes another way: it
# *fits* to the one picture I, first the prompt's embedding, then the model itself. After that the model knows I by
# heart, and a knob leads from I to what P\* asks for.
#
# | You will | You need | It takes |
# |---|---|---|
# | fit an embedding and a model, sweep the way between | lesson 2 | 60 min, computing {{notebooks.06.minutes}} min |
#
# Paper: Imagic (Kawar et al. 2023, [arXiv:2210.09276](https://arxiv.org/abs/2210.09276)).
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. The two fits are short, so that they run while you read. For Stable Diffusion, write
# `"stable-diffusion-v1-5"`, 50 steps and the paper's numbers: `{"steps": 1000, "lr": 2e-3}` for the embedding and
# `{"steps": 1500, "lr": 5e-7}` for the model. That takes a GPU of 16 GB. Tell it that the scene is a drawing:
# `P_star = "a flat vector drawing of " + edit.target_prompt`, and in section 9 the same before `meadow.target_prompt`.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 1
steps = 12
embedding_fit = {"steps": 100, "lr": 5e-3}
model_fit = {"steps": 100, "lr": 5e-5}

# %% [markdown]
# ## 1. One picture, one wish
#
# A drawn scene that the model never saw, and the wish: the same cat, in the same city, in a doghouse. That is more
# than another colour. The body must change its shape, and a new thing must stand around it. Prompt-to-Prompt would hold
# the old shape. And we do not paint a mask.
#
# We pretend to know only I and P\*. Imagic does not even ask for P.

# %%
from helpers import check, load, show
from helpers.picturebook.edits import Edit, random_edit
from helpers.picturebook.judge import Judge

show.calm_errors()
model, judge = load(model_name), Judge.load()
edit = random_edit("doing", 103)
picture, P, P_star = edit.picture, edit.prompt, edit.target_prompt
show.pair(
    picture,
    edit.target_picture,
    prompts=(P, P_star),
    titles=("I", "the true I*"),
    alt="06.orange_cat",
)

# %% [markdown]
# ## 2. Three steps
#
# A prompt becomes an *embedding*: a list of vectors, one for each token. The network never sees words, only these
# numbers. So they can be changed in ways that no words could say. $e_{tgt}$ is the embedding of P\*, $\theta$ stands
# for the network's weights.
#
# 1. **Fit the embedding.** From $e_{tgt}$ on, move $e$ until the model makes I as well as it can: $e_{opt}$.
# 2. **Fit the model.** Now hold $e_{opt}$ and move $\theta$, until the model makes I under it: $\theta'$.
# 3. **Interpolate.** $\bar e = \eta\, e_{tgt} + (1-\eta)\, e_{opt}$. Let the fitted model make a picture of $\bar e$.
#
# Both fits lower the same loss, the one that the model was trained with: noise the picture, let the network say what
# the noise was, and take the mean squared error.
#
# $$L(\theta, e) = \mathrm{mean}\left(\epsilon_\theta(x_t, e) - \epsilon\right)^2, \qquad
# x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon$$
#
# ### Exercise 1: the loss
#
# *Two lines, 5 minutes.* `x0` and `eps` (1, C, h, w) are the clean latent and the noise, `a` is $\bar\alpha_t$, and
# `predict(x_t)` is the network at time t under some embedding. Return one number.

# %%
def my_loss(predict, x0, eps, a):
    return ...


check.loss_of_picture(my_loss)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_loss(predict, x0, eps, a):
#     x_t = a**0.5 * x0 + (1 - a) ** 0.5 * eps
#     return ((predict(x_t) - eps) ** 2).mean()
# check.loss_of_picture(my_loss)
# ```
#
# This is `denoising_loss` of the course but for one factor: for networks that predict $v$ or the clean picture, like
# Picturebook's, it weighs each time as in their training. For Stable Diffusion 1.5 the factor is 1.
# </details>
#
# ### Exercise 2: what holds still?
#
# *3 minutes, no computer.* Three things could move: `"e"` (the embedding), `"unet"` (the network that predicts noise)
# and `"text encoder"` (the network that made $e_{tgt}$ of P\*). For each step, which of them are frozen? Write a set of
# names for each.

# %%
my_frozen = {1: ..., 2: ..., 3: ...}

check.frozen(my_frozen)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_frozen = {1: {"unet", "text encoder"}, 2: {"e", "text encoder"}, 3: {"e", "unet", "text encoder"}}
# check.frozen(my_frozen)
# ```
#
# The text encoder works once, before step 1, and never again. In step 3 nothing is fitted: it is plain sampling.
# </details>

# %% [markdown]
# ## 3. Step 1: fit the embedding
#
# ### Exercise 3: a fit
#
# *5 lines, 10 minutes, harder.* `loss(e)` tells how badly the model makes the picture under `e`. Start from `e_tgt`,
# take `steps` steps of Adam with the learning rate `lr`, and return what you have then. `e_tgt` itself must stay as it
# is: step 3 needs it.

# %%
import torch


def my_fit(e_tgt, loss, steps, lr):
    return ...


check.embedding_fit(my_fit)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `e = e_tgt.clone().requires_grad_()`, and `torch.optim.Adam([e], lr=lr)`. Each step: zero_grad, backward, step.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_fit(e_tgt, loss, steps, lr):
#     e = e_tgt.clone().requires_grad_()
#     adam = torch.optim.Adam([e], lr=lr)
#     for _ in range(steps):
#         adam.zero_grad()
#         loss(e).backward()
#         adam.step()
#     return e.detach()
# check.embedding_fit(my_fit)
# ```
#
# Only `e` is given to Adam. So the network stays as it is, although the gradient flows through all of it.
# </details>

# %% [markdown]
# The course's `fit_embedding` is that, with a mean over four times and noises in each step. Fits are long on a real
# model, so they can be interrupted. Give a `folder`, and the state is kept there; on Colab,
# `helpers.colab.kept("my_fit")` is one on Google Drive, where that is mounted, and outlives a lost session. Press the
# stop button any time; here `watch` does it for you, after a third of the steps.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory
from helpers.methods.imagic import fit_embedding

drawer = TemporaryDirectory()  # take a folder of your own to find a fit again tomorrow
folder, losses = Path(drawer.name), []
own = {name: value.clone() for name, value in model.unet.state_dict().items()}


def watch(step, loss, **_):
    losses.append(loss)
    if step == embedding_fit["steps"] // 3:
        raise KeyboardInterrupt


try:
    at = {"seed": seed, "folder": folder / "embedding", "watch": watch}
    fit_embedding(model, picture, P_star, **at, **embedding_fit)
except KeyboardInterrupt:
    there = [file.name for file in (folder / "embedding").iterdir()]
    print(f"Stopped after {len(losses)} steps.", *there)

# %% [markdown]
# The same line again. It finds the folder and goes on with the next step; the result is, to the bit, that of a fit
# which was never stopped. (A folder with another fit is refused.)

# %%
first = len(losses)
e_opt = fit_embedding(model, picture, P_star, seed=seed, folder=folder / "embedding",
                      watch=lambda loss, **_: losses.append(loss), **embedding_fit)
print(f"{len(losses) - first} more steps, {len(losses)} in all.")

# %% [markdown]
# How far did $e$ get? For comparison, the distance from P\* to P, the prompt that would tell what I shows.
#
# **Predict.** Is $e_{opt}$ near to P, to P\*, or to neither?

# %% tags=["nbval-ignore-output"]
e_tgt, e_P = model.embed(P_star), model.embed(P)


def apart(a, b):
    """The distance of two embeddings."""
    return (a.embeddings - b.embeddings).norm().item()


print(
    f"{e_opt.embeddings.numel():,} numbers. Distance from P* to e_opt: "
    f"{apart(e_tgt, e_opt):.1f}, from P to e_opt: "
    f"{apart(e_P, e_opt):.1f}, from P* to P: {apart(e_tgt, e_P):.1f}"
)

# %% [markdown]
# Adam moves each number by about the learning rate a step, so a short fit cannot go far. That is wanted. The straight
# line from $e_{opt}$ to $e_{tgt}$ should pass through embeddings that mean something, and near $e_{tgt}$ they do.
#
# ## 4. Step 2: fit the model
#
# Now $e_{opt}$ holds still, and all weights of the network move. The bar tells how far the fit is; `watch` gets the
# weights so far. A diary draws with them what the model makes of $e_{opt}$ meanwhile.
#
# **Predict.** What will it make before the first step of this fit? And what of I is learned first: colours, layout,
# details?

# %%
from helpers.methods.imagic import fit_model

looks = {"every": model_fit["steps"] // 5, "seed": seed, "steps": steps}
diary = show.diary(model, e_opt, **looks, beside={"I": picture}, alt="06.what_model")
weights = fit_model(
    model, picture, e_opt, seed=seed, folder=folder / "model", watch=diary, **model_fit
)
losses += diary.losses

# %% [markdown]
# It need not get better at every step: a fit of few steps, each with a few noises, wanders.
#
# The model itself was not written to. `weights` is a value of its own, and is on the model only inside of
# `with weights.on(model):`. We kept a copy of the model's weights before the fits:

# %%
assert all(
    torch.equal(value, own[name]) for name, value in model.unet.state_dict().items()
)
print(weights, "- and the model is the one we loaded.")

# %% [markdown]
# The loss of both fits. It jumps, since each step draws its own times and noises; the curve shows means of 20 steps.
#
# **Predict.** Which fit lowers it more?

# %%
means = [
    sum(losses[i : i + 20]) / len(losses[i : i + 20]) for i in range(0, len(losses), 20)
]
show.curve(
    [20 * i + 10 for i in range(len(means))],
    {"loss": means},
    ylabel="loss, mean of 20 steps",
    xlabel=f"step (from {embedding_fit['steps']} on the model moves)",
    alt="06.loss_over",
)

# %% [markdown]
# An embedding has few numbers, and no word for every window of a house. The weights are many.
#
# `fit_imagic` does both fits in one line. Here it finds them done in their folders, and returns at once:

# %%
from helpers import fit_imagic

lengths = {
    f"{name}_{key}": value
    for name, knob in (("embedding", embedding_fit), ("model", model_fit))
    for key, value in knob.items()
}
fitted = fit_imagic(model, picture, P_star, seed=seed, folder=folder, **lengths)
assert torch.equal(fitted.e_opt.embeddings, e_opt.embeddings)
print(lengths)

# %% [markdown]
# ## 5. Step 3: interpolate
#
# ### Exercise 4: the way between
#
# *One line, 2 minutes.* Return $\bar e$.

# %%
def my_interpolation(e_tgt, e_opt, eta):
    return ...


check.interpolation(my_interpolation)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_interpolation(e_tgt, e_opt, eta):
#     return eta * e_tgt + (1 - eta) * e_opt
# check.interpolation(my_interpolation)
# ```
#
# $\eta = 0$ asks for the picture, $\eta = 1$ for the wish. Nothing forbids a value beyond 1.
# </details>

# %% [markdown]
# All that is left is plain sampling, by the fitted model, under $\bar e$:

# %%
from inspect import getsource
from helpers import imagic

print(getsource(imagic).split('"""')[2])

# %% [markdown]
# The sweep, with three noises. Nothing is fitted any more: each picture costs as much as any other.
#
# **Predict.** Will the doghouse grow slowly, or appear at once? And at $\eta = 1$: will it still be our city?

# %%
from helpers.measure import score

knobs = {"seed": seed, "steps": steps, "progress": False}
etas, seeds = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1], [seed, seed + 1, seed + 2]
grid = [
    [imagic(model, fitted, eta=eta, **knobs | {"seed": s}) for eta in etas]
    for s in seeds
]
scores = [[score(result, edit, judge) for result in row] for row in grid]
show.pictures(
    grid,
    columns=[f"{eta:g}" for eta in etas],
    rows=[f"seed {s}" for s in seeds],
    alt="06.cat_seven",
)

# %% [markdown]
# The same as numbers, for the first noise. *obeyed*: does the judge see a doghouse? *kept*: PSNR outside the true mask.
# *distance*: mean difference to the true I\*. (The judge is content with less of a house than we might be. And most of
# the picture is city, so what the fit has not learned of it counts in every distance.)

# %%
show.sweep(
    grid[0],
    etas,
    name="eta",
    scores={
        "obeyed": [s.obeyed for s in scores[0]],
        "kept (dB)": [s.kept for s in scores[0]],
        "distance (%)": [100 * s.distance for s in scores[0]],
    },
    alt="06.sweep_over",
)

# %% [markdown]
# ### Exercise 5: choose eta, then the noise
#
# *5 lines, 10 minutes, medium.* Nobody knows the true I\* of their own picture. So the authors look for the smallest
# $\eta$ that works, make pictures with 8 noises there, and take the best. Write that. `measured` is a dictionary:
# eta -> list of (obeyed, kept), one for each noise. Return the smallest eta at which at least the share `enough` of the
# noises obey (obeyed is 1), and the place in its list of the noise that obeys and keeps most: `(eta, place)`. If there
# is no such eta, return None.

# %%
def my_choice(measured, enough):
    return ...


check.choice_of_eta(my_choice)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_choice(measured, enough):
#     for eta in sorted(measured):
#         good = [i for i, (obeyed, kept) in enumerate(measured[eta]) if obeyed == 1]
#         if good and len(good) >= enough * len(measured[eta]):
#             return eta, max(good, key=lambda i: measured[eta][i][1])
# check.choice_of_eta(my_choice)
# ```
#
# Try it on our sweep: `my_choice({eta: [s[i][:2] for s in scores] for i, eta in enumerate(etas)}, 0.5)`.
# </details>

# %% [markdown]
# With a known I\* the distance can choose too, but only among the $\eta$ that obey: an edit that changes nothing is not
# far from I\* either. One picture proves little, so a script fitted {{lesson06.edits}} edits of six kinds. Its means,
# over $\eta$:

# %%
measured = {
    0.0: ("{{lesson06.ways.all weights.at.0.0.obeyed:.2f}}", "{{lesson06.ways.all weights.at.0.0.kept:.1f}}"),
    0.4: ("{{lesson06.ways.all weights.at.0.4.obeyed:.2f}}", "{{lesson06.ways.all weights.at.0.4.kept:.1f}}"),
    0.6: ("{{lesson06.ways.all weights.at.0.6.obeyed:.2f}}", "{{lesson06.ways.all weights.at.0.6.kept:.1f}}"),
    0.8: ("{{lesson06.ways.all weights.at.0.8.obeyed:.2f}}", "{{lesson06.ways.all weights.at.0.8.kept:.1f}}"),
    1.0: ("{{lesson06.ways.all weights.at.1.0.obeyed:.2f}}", "{{lesson06.ways.all weights.at.1.0.kept:.1f}}"),
    1.2: ("{{lesson06.ways.all weights.at.1.2.obeyed:.2f}}", "{{lesson06.ways.all weights.at.1.2.kept:.1f}}"),
}
strokes = {
    0.4: ("{{lesson06.ways.sdedit.at.0.4.obeyed:.2f}}", "{{lesson06.ways.sdedit.at.0.4.kept:.1f}}"),
    0.6: ("{{lesson06.ways.sdedit.at.0.6.obeyed:.2f}}", "{{lesson06.ways.sdedit.at.0.6.kept:.1f}}"),
    0.8: ("{{lesson06.ways.sdedit.at.0.8.obeyed:.2f}}", "{{lesson06.ways.sdedit.at.0.8.kept:.1f}}"),
}
points = {f"eta {eta:g}": point for eta, point in measured.items()}
beside = {f"SDEdit {strength:g}": point for strength, point in strokes.items()}
shown = {"xlabel": "obeyed", "ylabel": "kept (dB)"}
show.scatter(points | beside, line=list(points), **shown, alt="06.obeyed_against")

# %% [markdown]
# The $\eta$ of the smallest mean distance is {{lesson06.ways.all weights.sweet_spot}} here. The paper finds 0.6 to 0.8
# best, by eye.
#
# ## 6. What is each fit for?
#
# Take one away and see. First in numbers: the loss of I under three embeddings, with the model's own weights and with
# the fitted ones, all at the same 16 times and noises. (Both fits drew other ones.)
#
# **Predict.** Which of the six is the smallest? And P tells what I shows: is it better than $e_{opt}$?

# %% tags=["nbval-ignore-output"]
from helpers.finetuning import Weights, denoising_loss, draw

nothing = Weights({})
x0 = model.encode(picture)
t, eps = draw(model, "the same for all", 0, (16, *x0.shape[1:]))


def loss_of(weights, text):
    with torch.no_grad(), weights.on(model):
        return (
            denoising_loss(model, x0.expand(16, -1, -1, -1), text, t, eps).mean().item()
        )


for name, these in {"theta": nothing, "theta'": weights}.items():
    told = {"P": e_P, "P*": e_tgt, "e_opt": e_opt}
    print(
        f"{name:7}",
        *(f"{word}: {loss_of(these, text):.4f}   " for word, text in told.items()),
    )

# %% [markdown]
# Where $e_{opt}$ is below P, numbers have said more about this picture than our words could.
#
# Now in pictures. *Embedding alone*: $e_{opt}$ with the model's own weights. *Model alone*: no $e_{opt}$, so the model
# is fitted to I under $e_{tgt}$ itself.
#
# **Predict.** In the second row, what is at the left end, and what at the right? In the third, what does $\eta$ do?

# %%
from dataclasses import replace

alone = fit_model(model, picture, e_tgt, seed=seed, **model_fit)
without_e, without_model = (
    replace(fitted, e_opt=e_tgt, weights=alone),
    replace(fitted, weights=nothing),
)
few, one = [0, 0.4, 0.6, 1], imagic(model, without_e, eta=1, **knobs)
loose = [imagic(model, without_model, eta=eta, **knobs) for eta in few]
ways = [[grid[0][etas.index(eta)] for eta in few], loose, [one] * len(few)]
told = [score(result, edit, judge) for row in ways for result in row]
show.pictures(
    ways,
    rows=["both fits", "embedding alone", "model alone"],
    columns=[f"eta {eta:g}" for eta in few],
    labels=[f"obeyed {s.obeyed:.0%}, {s.kept:.1f} dB" for s in told],
    side=160,
    alt="06.sweep_both",
)

# %% [markdown]
# The embedding says roughly *what* is in I, but cannot hold where each thing stands: an embedding has no places. (At
# $\eta = 1$ that row is plain generation under P\*.) The model holds the places. But fitted under $e_{tgt}$, it learns
# that "in a doghouse" *means* our picture, and no other end is left to go to. **The embedding makes the way; the model
# keeps the picture on it.**
#
# ## 7. SDEdit beside it
#
# SDEdit of lesson 2 fits nothing. It has a knob between I and P\* too.
#
# **Predict.** Two knobs, two ways from I to I\*. Where do they differ?

# %%
from helpers import sdedit

strengths = [0.4, 0.6, 0.8, 0.9]
redrawn = [sdedit(model, picture, P_star, strength=s, **knobs) for s in strengths]
rated = [score(result, edit, judge) for result in redrawn]
show.sweep(
    redrawn,
    strengths,
    name="strength of SDEdit",
    scores={
        "obeyed": [s.obeyed for s in rated],
        "kept (dB)": [s.kept for s in rated],
        "distance (%)": [100 * s.distance for s in rated],
    },
    alt="06.wish_sdedit",
)

# %% [markdown]
# SDEdit is not easy to beat in a world of simple drawings: half noised, much of the layout is still there. Its knob
# forgets the picture to make room for the wish. Imagic's knob moves the *prompt*, and the fitted model remembers the
# picture all the way. Compare the smallest distance of the two sweeps, and then the two pictures: which one would you
# rather have?
#
# Over {{lesson06.edits}} edits the mean distance to the true I\* is, for Imagic,
# {{lesson06.ways.all weights.at.0.6.distance:.1%}} at $\eta = 0.6$ and
# {{lesson06.ways.all weights.at.0.8.distance:.1%}} at 0.8; for SDEdit,
# {{lesson06.ways.sdedit.at.0.4.distance:.1%}} at strength 0.4, {{lesson06.ways.sdedit.at.0.6.distance:.1%}} at 0.6 and
# {{lesson06.ways.sdedit.at.0.8.distance:.1%}} at 0.8, without any fit.
#
# ## 8. Keep it: a small value
#
# `Fitted` is all that step 3 needs: $e_{tgt}$, $e_{opt}$ and the weights. It can be saved. But all weights of a model
# are as large as the model. A *LoRA* adds to each matrix of the attention one of low rank,
# $W + \frac{\alpha}{r} B A$, and fits only $A$ and $B$. (`rank` is $r$. Its learning rate is its own, a larger one.)

# %%
from helpers.methods.imagic import Fitted

lora = fit_model(model, picture, e_opt, rank=8, seed=seed, steps=model_fit["steps"])
small = replace(fitted, weights=lora)
files = [
    value.save(folder / name)
    for name, value in {"all.safetensors": fitted, "lora.safetensors": small}.items()
]
print(*(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB" for file in files), sep="\n")

# %% [markdown]
# Load it, and use it. Nothing is pickled: the file holds numbers and a few words.

# %%
loaded = Fitted.load(files[1])
thrifty = [imagic(model, loaded, eta=eta, **knobs) for eta in few]
assert all(
    torch.equal(value, own[name]) for name, value in model.unet.state_dict().items()
)
told = [score(result, edit, judge) for row in (ways[0], thrifty) for result in row]
show.pictures(
    [ways[0], thrifty],
    rows=["all weights", "LoRA"],
    columns=[f"eta {eta:g}" for eta in few],
    side=160,
    labels=[f"obeyed {s.obeyed:.0%}, {s.kept:.1f} dB" for s in told],
    alt="06.sweep_all",
)

# %% [markdown]
# ## 9. Another wish
#
# The fit cost a minute. Must every wish pay it again? In the paper, yes: $e_{opt}$ starts from the wish. But $\theta'$
# knows the picture now. Let us keep both fits and put another $e_{tgt}$ at the far end of the line.
#
# **Predict.** The picture was fitted on the way to a doghouse. Will it follow "in a meadow"?

# %%
meadow = Edit(edit.source, edit.source.but(place="meadow"))
other = replace(
    fitted, prompt=meadow.target_prompt, e_tgt=model.embed(meadow.target_prompt)
)
moved = [imagic(model, other, eta=eta, **knobs) for eta in few]
told = [score(result, meadow, judge) for result in moved]
show.pictures(
    [*moved, meadow.target_picture],
    columns=[*(f"eta {eta:g}" for eta in few), "the true I*"],
    side=160,
    labels=[
        *(f"obeyed {s.obeyed:.0%}, distance {s.distance:.1%}" for s in told),
        meadow.target_prompt,
    ],
    alt="06.cat_way",
)

# %% [markdown]
# ## 10. Where it breaks
#
# **Beyond 1.** Where the edit is too weak, $\eta$ may go on. (A community pipeline for Stable Diffusion takes 1.2
# unless told otherwise. The author of a well-known notebook notes that more than 1 was needed only where the embedding
# had been fitted too little.)
#
# **Predict.** Which goes first, the doghouse or the city?

# %%
far = [1, 1.5, 2, 3]
beyond = [imagic(model, fitted, eta=eta, **knobs) for eta in far]
told = [score(result, edit, judge) for result in beyond]
show.sweep(
    beyond,
    far,
    name="eta, beyond 1",
    scores={"kept (dB)": [s.kept for s in told]},
    alt="06.doghouse_eta",
)

# %% [markdown]
# **The noise.** Look at the three rows of section 5 again. Which house is whole first? What colour is its roof? P\*
# says nothing about roofs, so each noise has its own. A single picture is a draw; the authors make eight.
#
# **Not every wish.** The $\eta$ of the smallest mean distance, by kind of edit. (It can be small because the wish comes
# early, or because it never comes well: the lesson's last table says how often it is obeyed there. There are few edits
# of each kind, so read it as a hint.)

# %%
sweet = {
    "color": "{{lesson06.ways.all weights.sweet_spot_by_kind.color}}",
    "thing": "{{lesson06.ways.all weights.sweet_spot_by_kind.thing}}",
    "doing": "{{lesson06.ways.all weights.sweet_spot_by_kind.doing}}",
    "wearing": "{{lesson06.ways.all weights.sweet_spot_by_kind.wearing}}",
    "place": "{{lesson06.ways.all weights.sweet_spot_by_kind.place}}",
    "ride": "{{lesson06.ways.all weights.sweet_spot_by_kind.ride}}",
}
for kind, eta in sweet.items():
    print(f"{kind:8} eta {eta}")

# %% [markdown]
# The authors name two failures: the edit is too subtle, or the camera moves before the edit appears. Both come from the
# line: it is straight, and nothing says that a straight line of embeddings is a line of edits.
#
# **Details.** Compare $\eta = 0$ with I. What the short fit has not learned is missing at every $\eta$. A longer fit
# holds more of I, and gives the wish less room. (Try it: write 200 for the steps of `model_fit`, run that cell, then
# those from section 4 on. The fit goes on from step 100.)
#
# **The price.**
#
# ### Exercise 6: what does a fit cost?
#
# *5 minutes, no computer.* Count in rows: one latent through the network once, forward, is 1. A backward pass costs 1
# more where only the embedding needs gradients, and 2 more where the weights need them too. We fit 100 + 100 steps with
# 4 latents each. How many plain pictures could be made for that? A picture has 25 guided steps.

# %%
my_pictures = ...

check.cost_of_imagic(my_pictures)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_pictures = (100 * 4 * (1 + 1) + 100 * 4 * (1 + 2)) / (25 * 2)
# check.cost_of_imagic(my_pictures)
# ```
#
# 40. Each picture after that costs 1, as ever. The paper's fits for Stable Diffusion are 1000 + 1500 steps: 7 minutes
# on an A100, for one picture and one wish.
# </details>
#
# ## What to remember
#
# 1. Fit the embedding, fit the model, interpolate. Both fits lower the loss of the training, for one picture.
# 2. The embedding makes a way from the picture to the wish, the model keeps the picture on it. Without the first there
#    is no way, without the second no picture.
# 3. $\eta$ is the knob, the noise is luck: sweep one, draw several of the other, and look.
# 4. On Stable Diffusion the same lines run: `model_name = "stable-diffusion-v1-5"`, 1000 steps at 2e-3, then 1500 at
#    5e-7, $\eta$ from 0.6 to 0.8, 8 noises.
#
# **References.** Kawar, Zada, Lang, Tov, Chang, Dekel, Mosseri, Irani: *Imagic: text-based real image editing with
# diffusion models*, CVPR 2023, arXiv:2210.09276. Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen: *LoRA: low-rank
# adaptation of large language models*, ICLR 2022, arXiv:2106.09685.
#
# Next: 7. DreamBooth, which fits the model to a *subject* instead of a picture, and puts it anywhere.
