# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 5. Real pictures: inversion
#
# {{badges}}
#
# Prompt-to-Prompt edits a picture that the model made itself: it knows the noise the picture began from. But our task
# begins with a *given* picture I. So we first need the way from the picture to a noise that leads back to it. That is
# *inversion*.
#
# | You will | You need | It takes |
# |---|---|---|
# | invert with five methods, edit what they find | lessons 2 and 4 | 60 min, computing {{notebooks.05.minutes}} min |
#
# Papers: DDIM (Song et al. 2021, [arXiv:2010.02502](https://arxiv.org/abs/2010.02502)), null-text inversion (Mokady et
# al. 2023, [arXiv:2211.09794](https://arxiv.org/abs/2211.09794)), negative-prompt inversion (Miyake et al. 2023,
# [arXiv:2305.16807](https://arxiv.org/abs/2305.16807)), direct inversion (Ju et al. 2024,
# [arXiv:2310.01506](https://arxiv.org/abs/2310.01506)), edit-friendly inversion (Huberman-Spiegelglas et al. 2024,
# [arXiv:2304.06140](https://arxiv.org/abs/2304.06140)).
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. For Stable Diffusion, write `"stable-diffusion-v1-5"` and 50 steps, and tell it that the scene is a
# drawing: `"a flat vector drawing of " + edit.prompt` for P, the same before `edit.target_prompt` for P\*, and `"a flat
# vector drawing of a red castle near a river"` in section 8. For section 7, put the path of a photo of yours between
# the quotes of `photo_file`; without one, a painting is used.

# %% tags=["parameters"]
model_name = "picturebook"
steps = 25
seed = 7
photo_file = ""
photo_prompt, photo_target = "an orange cat in a meadow", "an orange dog in a meadow"

# %% [markdown]
# ## 1. A picture that the model never saw
#
# A drawn scene, held out from the model's training: the picture I, its prompt P, the prompt we want, P\*, and the right
# answer, the true I\*. We pretend to know only the first three.

# %%
from helpers import check, load, show
from helpers.picturebook.edits import random_edit
from helpers.picturebook.judge import Judge

show.calm_errors()
model, judge = load(model_name), Judge.load()
edit = random_edit("ride color", 202)
picture, P, P_star = edit.picture, edit.prompt, edit.target_prompt
show.pair(
    picture,
    edit.target_picture,
    prompts=(P, P_star),
    titles=("I", "the true I*"),
    alt="05.bunny_yellow",
)

# %% [markdown]
# ## 2. Up and down in the plane
#
# A step of DDIM goes from a noisy time $t$ to a cleaner one $s$: predict the clean picture, then noise it to $s$ with
# the *same* predicted noise $\epsilon$. Nothing in it is random, so it can be walked the other way. Inversion exchanges
# the two times.
#
# ### Exercise 1: one step up
#
# *Two lines, 5 minutes.* `x` lies at the clean time s, `a_s` and `a_t` are $\bar\alpha_s$ and $\bar\alpha_t$, and `eps`
# is the noise. First the clean picture in mind, then the state at the noisier time t.

# %%
def my_inversion_step(x, eps, a_s, a_t):
    return ...


check.inversion_step(my_inversion_step)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $x = \sqrt{\bar\alpha_s}\,x_0 + \sqrt{1-\bar\alpha_s}\,\epsilon$. Solve for $x_0$.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_inversion_step(x, eps, a_s, a_t):
#     x0 = (x - (1 - a_s) ** 0.5 * eps) / a_s**0.5
#     return a_t**0.5 * x0 + (1 - a_t) ** 0.5 * eps
# check.inversion_step(my_inversion_step)
# ```
#
# It would be exact, if we had the `eps` of the step we undo. That one was predicted at the *noisy* end, from a state
# which we do not have yet. So we take the prediction for the state we have. The steps are small, the two are close, and
# "close" is all that is wrong with DDIM inversion.
# </details>

# %% [markdown]
# The analytic model of lesson 2 predicts noise exactly, so all errors below are those of the *steps*. A "picture" is
# a point; we go up from it and down again.
#
# **Predict.** Does the way down end where the way up began? With 8 steps, and with 50?

# %%
from helpers import AnalyticModel
from helpers.methods.inversion import ddim, direct

points, start = AnalyticModel(), [-1.6, 0.4]
QUIET = {"progress": False}
paths = {}
for n in (8, 50):
    up = direct(points, start, "left", steps=n, **QUIET).trajectory.flip(0)
    down = ddim(points, start, "left", steps=n, guidance=1, **QUIET).trajectory
    paths |= {f"up, {n} steps": up[:, :, 0, 0], f"down, {n} steps": down[:, :, 0, 0]}
show.plane(points, points={"the picture": start}, paths=paths, alt="05.paths_plane")

# %% [markdown]
# Both lead to *a* noise, but not to the same, and neither way down hits the point. Each step looks at the wrong end by
# a little. More steps, smaller mistakes:

# %%
import torch


def missed(n, guidance):
    """How far from the picture the way up, and down again at `guidance`, ends."""
    end = (
        ddim(points, start, "left", steps=n, guidance=guidance, **QUIET)
        .trajectory[-1]
        .flatten()
    )
    return (end - torch.tensor(start)).norm().item()


counts = [10, 20, 50, 100, 200]
errors = [missed(n, 1) for n in counts]
show.curve(
    counts,
    {"guidance 1": errors},
    xlabel="steps",
    ylabel="distance to the picture",
    alt="05.distance_between",
)

# %% [markdown]
# ### Exercise 2: the order of the error
#
# *5 minutes, medium.* If the error is $c / n^p$, the exponent $p$ is called the *order*. It was `e1` with `n1` steps
# and `e2` with `n2`. Which $p$?

# %%
import math


def my_order(n1, e1, n2, e2):
    return ...


check.order_of_error(my_order)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_order(n1, e1, n2, e2):
#     return math.log(e1 / e2) / math.log(n2 / n1)
# check.order_of_error(my_order)
# ```
#
# Try it: `my_order(100, errors[-2], 200, errors[-1])` is close to 1. DDIM is a method of first order, up and down.
# Twice the steps halve the error, for twice the price; exact it never is.
# </details>

# %% [markdown]
# So far at guidance 1, which no one uses to edit. The way up must be walked at guidance 1 (why, section 3 says). What
# if the way down is not?
#
# **Predict.** Will more steps help now?

# %%
all_errors = {f"guidance {w}": [missed(n, w) for n in counts] for w in (1, 2, 4)}
show.curve(
    counts,
    all_errors,
    xlabel="steps",
    ylabel="distance to the picture",
    alt="05.error_over",
)

# %% [markdown]
# Only as far as the steps were to blame: the two upper curves level off far above zero. What is left is no mistake of
# the steps. Guidance walks down *another road* than the one we came up.

# %%
roads = {
    f"down at guidance {w}": ddim(
        points, start, "left", steps=50, guidance=w, **QUIET
    ).trajectory[:, :, 0, 0]
    for w in (1, 2, 4)
}
show.plane(points, points={"the picture": start}, paths=roads, alt="05.ways_down")

# %% [markdown]
# ## 3. The same with pictures
#
# This climbs. Its states $z^*_T \ldots z^*_0$ are called *pivots* by the papers that follow.

# %%
from inspect import getsource
from helpers.methods.inversion import ddim_invert

print(getsource(ddim_invert))

# %% [markdown]
# With pictures there is one more loss: the autoencoder. What it makes of I is the best that anyone can bring back, so
# we compare with that, in dB (PSNR; higher is better, 60 means no difference at all).
#
# **Predict.** Which steps would you need for a reconstruction that you cannot tell from the picture?

# %%
import numpy as np
from helpers.measure import psnr

through = model.decode(model.encode(picture))[0]


def db(a, b):
    """PSNR of two pictures of one size."""
    return psnr(*(np.asarray(p, dtype=float) / 255 for p in (a, b)))


some = [2, 5, 10, 25]
round_trips = [ddim(model, picture, P, steps=n, guidance=1) for n in some]
again = [model.decode(trip.trajectory[-1:])[0] for trip in round_trips]
show.sweep(
    again,
    some,
    name="steps",
    scores={"as the autoencoder's (dB)": [db(p, through) for p in again]},
    alt="05.picture_inverted",
)

# %% [markdown]
# Now guidance. One inversion, walked down four times; `rebuild` walks a source's noise again.

# %%
from helpers.methods.inversion import reconstruct

source = ddim(model, picture, P, steps=steps, guidance=1)
guidances = [1.0, 2.0, 4.0, 7.5]
guided = [reconstruct(model, source, guidance=w) for w in guidances]
show.sweep(guided, guidances, name="guidance on the way down",
           scores={"as the autoencoder's (dB)": [db(p, through) for p in guided]},
           alt="05.noise_walked")

# %% [markdown]
# Why not climb at the guidance we go down with? Guidance adds $(w-1)$ times the difference of two predictions, each of
# them a little wrong. The mistakes of every step up grow with it, and the states may end outside of the noise that the
# model knows (null-text paper, section 3). So all that follow climb at 1, and repair the way down.
#
# ## 4. Four repairs
#
# ### Negative-prompt inversion: no optimisation at all
#
# The trouble is the difference between the prediction under P and under the empty prompt. So let P *be* the empty
# prompt. (The authors derive it from null-text inversion, below.)
#
# ### Exercise 3: which guidance?
#
# *2 minutes, no computer.* In $\epsilon_u + w\,(\epsilon_c - \epsilon_u)$ let P stand for the empty prompt. We walk
# down under P at $w = 4$. Which plain guidance gives the same?

# %%
my_guidance = ...

check.which_guidance(my_guidance)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_guidance = 1
# check.which_guidance(my_guidance)
# ```
#
# Both predictions are $\epsilon_c$, their difference is 0, and what is left is guidance 1: the picture comes back as
# well as at guidance 1, and no better. Under P\* guidance now pushes away from P instead of from "any picture".
# </details>

# %% [markdown]
# Each inversion returns one small value, a `Source`: prompt, times, states, and what the method adds.

# %%
from helpers.methods.inversion import negative_prompt

sources = {"ddim": ddim(model, picture, P, steps=steps)}
sources["negative-prompt"] = negative_prompt(model, picture, P, steps=steps)
rebuilt = {name: reconstruct(model, source) for name, source in sources.items()}
show.pictures(
    [through, *rebuilt.values()],
    labels=[
        "the autoencoder's",
        *(f"{name}: {db(p, through):.1f} dB" for name, p in rebuilt.items()),
    ],
    side=160,
    alt="05.rebuilt_two",
)

# %% [markdown]
# ### Null-text inversion: fit the empty prompt
#
# The prompt is ours, but the empty prompt belongs to nobody. So *null-text* inversion treats its embedding as
# something to be fitted. At each step down it starts from where the last one led, takes the step, looks how far from
# the pivot it ended, and improves $\varnothing_t$ by Adam:
#
# $$\min_{\varnothing_t} \left\| z^*_{s} - \mathrm{step}(\bar z_t, \varnothing_t, P) \right\|^2$$
#
# ### Exercise 4: what does it cost?
#
# *3 minutes, no computer.* Each update calls the network for the unconditional half alone, with a backward pass. After
# the last update the loss is looked at once more. The conditional prediction is made once a step. How many calls does
# it make at most with 20 steps and `inner` = 4 updates, the way up included?

# %%
my_calls = ...

check.calls_of_null_text(my_calls)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_calls = 20 + 20 + 20 * (4 + 1)
# check.calls_of_null_text(my_calls)
# ```
#
# It is the only method here that needs gradients. With the paper's 50 steps and 10 updates that is up to 650 calls
# before the edit begins; stopping early, where the loss is small enough, saves a part of them.
# </details>

# %% [markdown]
# The slowest cell of the notebook. `watch` gets the losses of every step.
#
# **Predict.** Where will the fit have most to do: at the noisy steps, or at the clean ones?

# %%
from helpers.methods.inversion import null_text

fits = []
sources["null-text"] = null_text(
    model,
    picture,
    P,
    steps=steps,
    inner=5,
    watch=lambda losses, **_: fits.append(losses),
)
shown = {
    "before the fit": [math.log10(f[0]) for f in fits],
    "after it": [math.log10(min(f)) for f in fits],
}
show.curve(
    range(1, steps + 1),
    shown,
    xlabel="step, from noise to clean",
    ylabel="log10 of the loss",
    alt="05.loss_each",
)

# %% [markdown]
# Every step made its updates, and they helped: much at the first steps, little at the last ones, where the curves all
# but meet. A few small steps of Adam cannot bring back a state that has left the pivots. Each step begins with the
# embedding of the last, so a fit serves the steps after it too. More updates (`inner`; the paper takes 10) bring it
# nearer, for more calls.
#
# ### Direct inversion: put it back
#
# All this bends the way down until it passes the pivots. But we *have* the pivots. An edit runs two rows side by side,
# the source and the target, so that the target can look at the source's attention. *Direct* inversion puts the source
# row on its pivot after every step, whatever the model made of it, and leaves the target alone.
#
# ### Exercise 5: put it back
#
# *One line, 3 minutes.* `x` (1 + T, C, h, w) holds the source and T edited rows after a step, `pivot` (1, C, h, w) is
# where the source belongs.

# %%
def my_put_back(x, pivot):
    return ...


check.put_back(my_put_back)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_put_back(x, pivot):
#     return torch.cat([pivot, x[1:]])
# check.put_back(my_put_back)
# ```
#
# The paper adds to the source row the offset between the pivot and where the step ended, and its published code
# computes these offsets in a pass of their own. Adding the difference to what you have is the same as putting the
# pivot there: no extra pass, no extra call.
# </details>

# %% [markdown]
# ### Edit-friendly inversion: noise that knows the picture
#
# Until now no step was random. A DDPM step adds noise: $x_s = \mu(x_t) + \sigma z$. *Edit-friendly* inversion turns
# that around. Choose the states first: noise the picture to every time, each time with *fresh* noise. Then ask which
# $z$ each step must add to lead from one state to the next.
#
# ### Exercise 6: the noise a step must add
#
# *Three lines, 7 minutes, harder.* The DDPM step has the mean $\sqrt{\bar\alpha_s}\,\hat x_0 +
# \sqrt{1-\bar\alpha_s-\sigma^2}\,\epsilon$, where $\hat x_0$ is the clean picture in mind. Return $z$.

# %%
def my_missing_noise(x_s, x_t, eps, a_s, a_t, sigma):
    return ...


check.missing_noise(my_missing_noise)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_missing_noise(x_s, x_t, eps, a_s, a_t, sigma):
#     x0 = (x_t - (1 - a_t) ** 0.5 * eps) / a_t**0.5
#     mean = a_s**0.5 * x0 + (1 - a_s - sigma**2) ** 0.5 * eps
#     return (x_s - mean) / sigma
# check.missing_noise(my_missing_noise)
# ```
#
# Whatever `eps` is, at whatever guidance, this $z$ leads to $x_s$. So the picture comes back by construction.
# </details>

# %% [markdown]
# The steps at the noisy end are skipped (`skip`, as a share), so an edit begins part of the way down.

# %%
from helpers.methods.inversion import edit_friendly

sources["direct"] = direct(model, picture, P, steps=steps)
sources["edit-friendly"] = edit_friendly(model, picture, P, steps=steps, seed=seed)
rebuilt = {name: reconstruct(model, source) for name, source in sources.items()}
show.pictures(
    list(rebuilt.values()),
    labels=[f"{name}: {db(p, through):.1f} dB" for name, p in rebuilt.items()],
    side=160,
    alt="05.rebuilt_five",
)

# %% [markdown]
# Two reach 60 dB: they carry the way itself. A perfect reconstruction says little then. It is the *edit* that counts.
#
# The noises of edit-friendly inversion are peculiar. An ordinary DDPM step adds noise of standard deviation $\sigma$.
#
# **Predict.** Is what these steps add larger or smaller?

# %%
from itertools import pairwise
from helpers.core import CLEAN, ddim_sigma

friendly = sources["edit-friendly"]
inner = [(t, s) for t, s in pairwise(friendly.times) if s != CLEAN]
added = {
    "edit-friendly": [z.std().item() for z in friendly.variance_noise[: len(inner)]],
    "an ordinary step": [ddim_sigma(model, t, s, 1.0) for t, s in inner],
}
show.curve(
    [t for t, _ in inner],
    added,
    xlabel="time t of the step",
    ylabel="standard deviation",
    alt="05.how_much",
)

# %% [markdown]
# The states were drawn independently, so neighbours differ by more than one step's worth of noise. And since all states
# hold the same picture, what is added holds its layout. That is what "edit-friendly" means.
#
# ## 5. Edits
#
# The simplest edit: the same noise, walked down under P\* (`rebuild`). The other one: Prompt-to-Prompt, with the
# attention of P. It takes a `Source` in the place of a prompt; the rest of lesson 4 is unchanged.
#
# **Predict.** Which of the ten will keep the bunny, and which will have a black motorcycle?

# %%
from helpers.measure import score
from helpers import prompt_to_prompt

walked = {name: reconstruct(model, source, P_star) for name, source in sources.items()}
swapped = {
    name: prompt_to_prompt(model, source, P_star)[1] for name, source in sources.items()
}
both = [list(walked.values()), list(swapped.values())]
scores = [score(result, edit, judge) for row in both for result in row]
show.pictures(
    both,
    columns=list(sources),
    rows=["walked under P*", "with the attention of P"],
    labels=[
        f"obeyed {s.obeyed:.0%}, kept {s.kept:.1f} dB, distance {s.distance:.1%}"
        for s in scores
    ],
    alt="05.table_ten",
)

# %% [markdown]
# *obeyed*: does the judge see what P\* asks for? *kept*: PSNR outside the true mask. *distance*: mean difference to
# the true I\*; lower is better. "ddim" and "direct" are the same when walked under P\*: they differ in the source
# row, which only Prompt-to-Prompt has.
#
# One edit proves little. A script made {{lesson05.edits}} edits of all kinds, with {{lesson05.steps}} steps. These are
# its means, with Prompt-to-Prompt. (Null-text is too slow for all of them; its row in the lesson's text is over
# {{lesson05.edited_few.prompt_to_prompt null_text.n}}.)
#
# **Predict.** Among the kinds are a new place, a new thing and a new pose. Will the attention of P help there?

# %%
measured = {
    "ddim": ("{{lesson05.edited.prompt_to_prompt ddim.obeyed:.2f}}",
             "{{lesson05.edited.prompt_to_prompt ddim.kept:.1f}}"),
    "negative-prompt": ("{{lesson05.edited.prompt_to_prompt negative_prompt.obeyed:.2f}}",
                        "{{lesson05.edited.prompt_to_prompt negative_prompt.kept:.1f}}"),
    "direct": ("{{lesson05.edited.prompt_to_prompt direct.obeyed:.2f}}",
               "{{lesson05.edited.prompt_to_prompt direct.kept:.1f}}"),
    "edit-friendly": ("{{lesson05.edited.prompt_to_prompt edit_friendly.obeyed:.2f}}",
                      "{{lesson05.edited.prompt_to_prompt edit_friendly.kept:.1f}}"),
    "the right answer": ("{{lesson05.edited.truth.obeyed:.2f}}", "{{lesson05.edited.truth.kept:.1f}}"),
}
show.scatter(measured, xlabel="obeyed", ylabel="kept (dB)", alt="05.obeyed_against")

# %% [markdown]
# Walked under P\* without the attention of P, "ddim" obeys {{lesson05.edited.rebuild ddim.obeyed:.2f}} and keeps
# {{lesson05.edited.rebuild ddim.kept:.1f}} dB, "edit-friendly" {{lesson05.edited.rebuild edit_friendly.obeyed:.2f}} and
# {{lesson05.edited.rebuild edit_friendly.kept:.1f}} dB. So over all kinds the attention keeps a little more, and obeys
# less often: it holds the layout also where P\* asks for another. For a recoloured motorcycle it is right, for a
# sleeping cat it is not. (A shorter injection, lesson 4, lies in between.)
#
# Edit-friendly inversion has a knob of its own. The more steps are skipped, the less the edit may change.

# %%
skips = [0.0, 0.2, 0.4, 0.6]
friends = [
    edit_friendly(model, picture, P, steps=steps, skip=s, seed=seed) for s in skips
]
edits = [reconstruct(model, friend, P_star) for friend in friends]
rated = [score(result, edit, judge) for result in edits]
show.sweep(
    edits,
    skips,
    name="skip",
    scores={"obeyed": [s.obeyed for s in rated], "kept": [s.kept for s in rated]},
    alt="05.edit_walked",
)

# %% [markdown]
# ## 6. Keep a source, use it again
#
# An inversion is made once and edited often. `save` writes a safetensors file: numbers and a few words, nothing that
# could run.

# %%
from pathlib import Path
from tempfile import mkdtemp
from helpers.methods.source import Source

file = Path(mkdtemp()) / "bunny.safetensors"
sources["direct"].save(file)
loaded = Source.load(file)
assert torch.equal(loaded.trajectory, sources["direct"].trajectory)
print(loaded, f"- {file.stat().st_size / 1e6:.2f} MB")

# %% [markdown]
# A source belongs to its model, its steps and its size. Whoever mixes them is told what differs:

# %%
try:
    prompt_to_prompt(model, loaded, P_star, steps=steps + 5)
except ValueError as error:
    print(error)

# %% [markdown]
# ## 7. A picture of your own
#
# Any size, any mode: portrait or landscape, grey, transparent or turned sideways by a phone. It is brought to the
# model's size; what sticks out is cut off.
#
# Be kind to Picturebook. It has seen drawings of a small world and nothing else, no photo and no face, so yours lies
# outside of all it knows. It will do what it can. Something is lost before any noise is involved, in the autoencoder.
# (Its dB tell how much detail there was to lose, not how strange the picture is: flat paint is easy.)

# %%
from helpers.show.examples import stroke_sketch
from helpers.core import as_picture

photo = as_picture(photo_file or stroke_sketch(), model.size)
seen = model.decode(model.encode(photo))[0]
ours = db(through, as_picture(picture, model.size))
show.pair(photo, seen, titles=("yours", "through the autoencoder"),
          prompts=("", f"{db(seen, photo):.1f} dB; our drawing: {ours:.1f} dB"),
          alt="05.your_picture")

# %% [markdown]
# The edit. The prompt has to say what *your* picture shows: set `photo_prompt` and `photo_target` in the second cell.
# A word that Picturebook does not know gives a warning.

# %%
mine = direct(model, photo, photo_prompt, steps=steps)
edited = prompt_to_prompt(model, mine, photo_target)
show.pair(
    edited[0],
    edited[1],
    prompts=(photo_prompt, photo_target),
    titles=("the source", "edited"),
    alt="05.your_picture_or",
)

# %% [markdown]
# For a photo, take a model that knows photos. One line changes, `model_name = "stable-diffusion-v1-5"`, and everything
# on this page runs as it is (on a GPU, or with patience).
#
# ## 8. Where inversion breaks
#
# **It needs a true prompt.** The way up is walked under P. What P does not say, or says wrongly, P\* cannot swap.
#
# **Predict.** We invert the bunny as "a red castle near a river". Will it still come back? And the edit?

# %%
wrong = direct(model, picture, "a red castle near a river", steps=steps)
lied = prompt_to_prompt(model, wrong, P_star)
show.pictures(
    [lied[0], swapped["direct"], lied[1]],
    labels=[
        "rebuilt, with the wrong P",
        "edited, with the true P",
        "edited, with the wrong P",
    ],
    side=192,
    alt="05.bunny_rebuilt",
)

# %% [markdown]
# It comes back: direct inversion brings back anything, under any prompt. **A good reconstruction does not promise a
# good edit.** That is why this course scores edits.
#
# **It cannot move things.** Attention and noise both hold the layout. What should stand elsewhere, or take another
# shape, is held where it was.
#
# **It costs more than the edit.** Rows of the network for one picture and one edit by Prompt-to-Prompt, with
# {{lesson05.steps}} steps:

# %%
rows = {
    "direct": ["{{lesson05.costs.direct.rows}}", "{{lesson05.costs.prompt_to_prompt direct.rows}}"],
    "edit-friendly": ["{{lesson05.costs.edit_friendly.rows}}",
                      "{{lesson05.costs.prompt_to_prompt edit_friendly.rows}}"],
    "negative-prompt": ["{{lesson05.costs.negative_prompt.rows}}",
                        "{{lesson05.costs.prompt_to_prompt negative_prompt.rows}}"],
    "ddim": ["{{lesson05.costs.ddim.rows}}", "{{lesson05.costs.prompt_to_prompt ddim.rows}}"],
    "null-text": ["{{lesson05.costs.null_text.rows}}", "{{lesson05.costs.prompt_to_prompt null_text.rows}}"],
}
for name, (inverted, edited_rows) in rows.items():
    print(f"{name:16}{inverted:5} to invert, {edited_rows:4} for each edit")

# %% [markdown]
# ## What to remember
#
# 1. DDIM's steps can be walked backwards. The error is of first order: twice the steps, half the error.
# 2. That holds at guidance 1. Above it the way down is another road, and more steps do not help.
# 3. Four repairs: let P be the empty prompt, fit the empty prompt, put the source back, or store what each step adds.
#    All give a `Source`, and every edit of lesson 4 takes one.
#
# **References.** Song, Meng, Ermon: *Denoising diffusion implicit models*, ICLR 2021, arXiv:2010.02502. Mokady, Hertz,
# Aberman, Pritch, Cohen-Or: *Null-text inversion*, CVPR 2023, arXiv:2211.09794. Miyake, Iohara, Saito, Tanaka:
# *Negative-prompt inversion*, 2023, arXiv:2305.16807. Ju, Zeng, Bian, Liu, Xu: *Direct inversion*, ICLR 2024,
# arXiv:2310.01506. Huberman-Spiegelglas, Kulikov, Michaeli: *An edit friendly DDPM noise space*, CVPR 2024,
# arXiv:2304.06140.
#
# Next: [6. Imagic](06_imagic.ipynb), which fits the prompt and the weights to the picture instead of the noise.
