# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 7. DreamBooth
#
# {{badges}}
#
# Until now the prompt named things that the model knows. But *your* cat has no word. DreamBooth gives it one: from five
# pictures the model learns what "a sks cat" looks like, and draws it in places where it never was. It may forget
# meanwhile what any other cat looks like. We measure that, and what helps.
#
# | You will | You need | It takes |
# |---|---|---|
# | teach the model a character, see it forget, stop that | lesson 2 | 75 min, computing {{notebooks.07.minutes}} min |
#
# Papers: DreamBooth (Ruiz et al. 2023, [arXiv:2208.12242](https://arxiv.org/abs/2208.12242)), textual inversion (Gal et
# al. 2023, [arXiv:2208.01618](https://arxiv.org/abs/2208.01618)), LoRA (Hu et al. 2022,
# [arXiv:2106.09685](https://arxiv.org/abs/2106.09685)).
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. For Stable Diffusion on a GPU of 16 GB, write `"stable-diffusion-v1-5"`, `rank` 4, 500 fitting
# steps, a learning rate `lr` of 1e-4 and 30 sampling steps (`few`). No prompt has to differ there for photos of your
# own; for Pim, who is drawn, write `"a flat vector drawing of a sks cat"` and `"a flat vector drawing of a cat"` where
# a cell below says `pim.prompt(word)` and `pim.prompt()`. `few` is small here because most pictures of this notebook
# are only counted.

# %% tags=["parameters"]
model_name = "picturebook"
word, rank = "sks", None  # rank None: fit all weights
fit_steps, lr = 100, 1e-4
few, seed = 12, 0

# %% [markdown]
# ## 1. Five pictures of Pim
#
# Pim is a cat with teal fur, orange spots, eyes of two colours and a horn. No picture that the model was trained on
# shows Pim, or any animal with a horn. All we have are these five. The model sees nothing else.

# %%
from helpers import check, load, show
from helpers.picturebook.drawing import draw
from helpers.picturebook.judge import Judge
from helpers.picturebook.subjects import SUBJECTS

show.calm_errors()
model, pim = load(model_name), SUBJECTS["pim"]
five = pim.pictures()
show.pictures(five, side=160, alt="07.pim_teal")

# %% [markdown]
# We want Pim where it never was. The lecture's scenes: at a temple, swimming, sleeping, in a doghouse, in a bucket,
# getting a haircut. `prompt` builds the prompts, and a program draws the answers we would like to see.

# %%
scenes = ["temple", "swimming", "sleeping", "doghouse", "bucket", "haircut"]
wishes = [pim.prompt(word, scene) for scene in scenes]
wanted = [draw(pim.scene(scene, seed=4)) for scene in scenes]
show.pictures([wanted], labels=wishes, alt="07.pim_drawn")

# %% [markdown]
# The word must mean nothing yet: "sks" is what people take. A word with a meaning of its own would have to lose it
# first. And the prompt says *cat*: the model knows what a cat does, and we want to use that.
#
# A *sheet* shows what a model makes of two kinds of prompts: above, "a cat" from six seeds; below, the six wishes. It
# is our instrument for the rest of the lesson. (The seeds of the wishes were chosen by eye, after a fit.)
#
# **Predict.** What will "a sks cat" be for a model that has never heard of it?

# %%
from helpers.finetuning import Weights

QUIET = {"steps": few, "progress": False}
WISHED = {"seed": [22, 22, 20, 22, 24, 22], **QUIET}
HEADS = ["a cat", f"a {word} cat ..."]


def sheet(weights):
    """Six pictures of the class, and six of the subject, made with these weights."""
    with weights.on(model):
        cats = model.generate(pim.prompt(), seed=list(range(10, 16)), **QUIET)
        return cats, model.generate(wishes, **WISHED)


sheets = {"before": sheet(Weights({}, words=(word,)))}
show.pictures(sheets["before"], rows=HEADS, side=112, alt="07.six_pictures")

# %% [markdown]
# Some cat or other. The scenes come from the words that it knows, and "sks" stands for nobody. (Drawn in few steps, so
# do not mind the brush.)
#
# ## 2. Fit the weights
#
# The plainest idea: go on training, on five pictures. Noise them, let the network predict the noise under the prompt
# "a sks cat", and change *all* weights to make the error smaller.
#
# $$\min_\theta\; \mathbb{E}_{t,\epsilon} \left\| \epsilon - \epsilon_\theta(x_t, t, \text{a sks cat}) \right\|^2$$
#
# A fit takes a while, so watch it. The bar tells how far it is. And `watch=` is called after every step: the diary
# notes the losses, and every 20 steps draws the same wish with the weights so far.
#
# **Predict.** After how many of the steps do you see something of Pim? And will the loss tell?

# %%
from helpers import fit_dreambooth

looks = {"every": fit_steps // 5, "seed": 22, "steps": few}
looks["beside"] = {"as wished": wanted[0]}
diary = show.diary(model, wishes[0], **looks, alt="07.pim_temple")
knobs = {"rank": rank, "steps": fit_steps, "lr": lr, "seed": seed}
fits = {"naive": fit_dreambooth(model, five, pim.prompt(word), watch=diary, **knobs)}

# %% [markdown]
# The loss jumps about because each step draws its own times and noises, and a noisy picture is harder than a clean one.
# **Samples tell how far a fit is; the loss hardly does.**
#
# What a fit returns is a value, `Weights`. The model has them on inside a with-block, and only there:

# %%
sheets["naive"] = sheet(fits["naive"])
print(fits["naive"])
show.pictures(
    [sheets["naive"][1], wanted],
    rows=["naive fit", "as wished"],
    labels=wishes + [""] * 6,
    side=128,
    alt="07.what_fitted",
)

# %% [markdown]
# ## 3. What was forgotten
#
# **Predict.** We fitted "a sks cat" and never said anything about "a cat". What does "a cat" give now, from the same
# six seeds?

# %%
show.pictures(
    [sheets["before"][0], sheets["naive"][0]],
    rows=["before", "naive fit"],
    side=112,
    alt="07.cat_six",
)

# %% [markdown]
# The prompt has three words, and the fit cannot know which of them we mean. So it moves "cat" along with "sks". The
# paper names two troubles:
#
# - **language drift**: the class word slides to the subject;
# - **reduced diversity**: pictures come out alike, in the poses and places of the few that were fitted.
#
# Both can be measured. For drift we need somebody who knows Pim: a `Recognizer`, which tells Pim from other cats. It
# has learnt that from the judge's features of drawings, and of cats that the model `made` before any fit: the model's
# hand must not pass for Pim. First ask how often it is right on new drawings.

# %% tags=["nbval-ignore-output"]
from helpers.picturebook.subjects import Recognizer

judge = Judge.load()
made = model.generate(
    [pim.prompt()] * 12, seed=list(range(100, 112)), steps=12, progress=False
)
recognizer = Recognizer(
    pim,
    judge,
    count=50,
    through=lambda some: model.decode(model.encode(some)),
    made=made,
)
print(f"right on {recognizer.accuracy(25):.0%} of 50 new drawings")
for name, (cats, its) in sheets.items():
    of_cats, of_wishes = (sum(p > 0.5 for p in recognizer.of(x)) for x in (cats, its))
    print(f'{name:8} takes for Pim: {of_cats} of 6 of "a cat", {of_wishes} of 6 wishes')

# %% [markdown]
# Of the wishes it should be six, of "a cat" none. (A recognizer errs, too: see what it says before any fit.) Six
# pictures are a small sample; section 6 has more.
#
# ### Exercise 1: diversity
#
# *One line, 5 minutes.* The judge turns N pictures into `features` (N, d). Diversity is the mean distance of two
# pictures, over all pairs.

# %%
import torch


def my_diversity(features):
    return ...


check.mean_distance(my_diversity)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.pdist` gives the distance of every pair of rows once.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_diversity(features):
#     return torch.pdist(features).mean()
# check.mean_distance(my_diversity)
# ```
#
# The paper does the same with another distance (LPIPS). The number alone says nothing, so compare: after the fit with
# before.
# </details>

# %% [markdown]
# ## 4. Remind it of the class
#
# What would keep the class? To go on showing it cats. DreamBooth lets the model *itself* draw them, before the fit, and
# fits both in turn: the subject's pictures under "a sks cat", and these under "a cat".
#
# ### Exercise 2: whose prompt?
#
# *2 minutes, no computer.* We fit the dog Bo under "a vuk dog". Which prompt do the pictures have that remind the model
# of the class?

# %%
my_prompt = ...

check.prior_prompt(my_prompt)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_prompt = "a dog"
# check.prior_prompt(my_prompt)
# ```
#
# Its subject's prompt, without the subject's word. What slides is "dog", so that is what must be held.
# </details>
#
# ### Exercise 3: the loss
#
# *One line, 5 minutes.* `eps` (B, C, h, w) is predicted for the subject's rows, whose noise is `noise`; `eps_pr` and
# `noise_pr` are those of the class. `weight` is the paper's $\lambda$. Return the loss, one number, from the mean
# squared error of each.

# %%
def my_loss(eps, noise, eps_pr, noise_pr, weight):
    return ...


check.prior_loss(my_loss)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_loss(eps, noise, eps_pr, noise_pr, weight):
#     return ((eps - noise) ** 2).mean() + weight * ((eps_pr - noise_pr) ** 2).mean()
# check.prior_loss(my_loss)
# ```
#
# It is called the *prior-preservation loss*. At weight 0 it is the naive fit; 1 is usual.
# </details>

# %% [markdown]
# The model draws its own reminders, 32 here; the paper takes about a thousand, "but less can be used". No one picks the
# good ones: they shall say what the model thinks of cats, whatever that is.

# %%
from helpers.methods.dreambooth import prior_pictures

prior = prior_pictures(model, pim.prompt(), 32, seed=10_000, steps=few)
show.pictures([prior[:8], prior[8:16]], side=96, alt="07.half_32")

# %% [markdown]
# The same fit with them. A step now has four rows of Pim and four of any cat, twice the work.
#
# **Predict.** Will Pim come later, or less well, now that half of each step is about other cats?

# %%
diary = show.diary(model, wishes[0], **looks, alt="07.pim_held")
fits["with prior"] = fit_dreambooth(
    model, five, pim.prompt(word), pim.prompt(), prior, watch=diary, **knobs
)

# %% [markdown]
# The same sheet again, and the two numbers: what share of "a cat" is taken for Pim, and how diverse "a cat" is.

# %% tags=["nbval-ignore-output"]
sheets["with prior"] = sheet(fits["with prior"])
for name, (cats, its) in sheets.items():
    drift, shown = (
        sum(p > 0.5 for p in recognizer.of(some)) / 6 for some in (cats, its)
    )
    diversity = torch.pdist(judge.describe(cats)).mean()
    print(
        f"{name:11} subject {shown:4.0%}   drift {drift:4.0%}   "
        f"diversity of the class {diversity:.2f}"
    )
show.pictures(
    sheets["with prior"],
    rows=HEADS,
    labels=[""] * 6 + scenes,
    side=112,
    alt="07.sheet_model",
)

# %% [markdown]
# Drift and diversity are two things, and a cure may help the one more than the other. Which of them came back, and how
# far? Your eyes tell more than six pictures can count: compare the cats' colours and places with those of section 1.
#
# ## 5. Smaller members of the family
#
# All weights of a model are a heavy thing to keep for one cat. Two methods fit less.
#
# **LoRA** leaves each weight $W$ as it is and adds a product of two thin matrices, $W + B A$ with $B$ (out, rank) and
# $A$ (rank, in), in the linear layers of attention alone.
#
# ### Exercise 4: how many numbers?
#
# *One line, 5 minutes.* `layers` are the sizes (out, in) of the linear layers. How many numbers does a LoRA of this
# rank have?

# %%
def my_numbers(layers, rank):
    return ...


check.lora_numbers(my_numbers)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_numbers(layers, rank):
#     return sum(rank * (wide + deep) for wide, deep in layers)
# check.lora_numbers(my_numbers)
# ```
# </details>
#
# **Textual inversion** changes no weight at all. It looks for the *word*: only the vector that stands for "sks" in the
# table of words is fitted, from where "cat" is.
#
# This model spells "sks" with two tokens, "sk" and "s", so there are two vectors. A note will remind you that the lone
# "s", as in "a cat's hat", is the same token and changes with the word. (To Stable Diffusion "sks" is one token.)
#
# **Predict.** A vector of numbers against all the weights: will it be Pim? And what will its "a cat" look like?

# %%
from helpers import fit_textual_inversion

diary = show.diary(model, wishes[0], **looks, alt="07.pim_lora")
small = knobs | {"rank": 4, "lr": 1e-3, "steps": fit_steps * 3 // 5, "watch": diary}
fits["LoRA"] = fit_dreambooth(
    model, five, pim.prompt(word), pim.prompt(), prior, **small
)
diary = show.diary(model, wishes[0], **looks, alt="07.pim_word")
small = {"steps": fit_steps * 4 // 5, "watch": diary}
fits["word alone"] = fit_textual_inversion(
    model, five, pim.prompt(word), word, "cat", **small
)
for name, weights in fits.items():
    print(f"{name:11} {weights}")

# %% [markdown]
# ### Exercise 5: diagnose
#
# *10 minutes, medium.* Here are four sheets. One model was not fitted ("before"), one naively ("naive"), one with the
# prior ("with prior"), and of one only the word was learnt ("word alone"). Which is which? (The solution is no secret:
# the cell says where it is. Do not look before you have an answer for all four.)

# %%
from helpers.check.lesson07 import SHEETS

sheets["word alone"] = sheet(fits["word alone"])
rows = [row for way in SHEETS.values() for row in sheets[way]]
show.pictures(
    rows,
    rows=[f"{letter}: {what}" for letter in SHEETS for what in ("a cat", "wishes")],
    side=96,
    alt="07.sheets_d",
)

# %% [markdown]
# Your answer, one of the four names for each sheet:

# %%
my_answer = {"A": ..., "B": ..., "C": ..., "D": ...}

check.which_sheet(my_answer)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Look at the rows "a cat" first. Two of the four are the same to the pixel. Why?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_answer = {"A": "naive", "B": "before", "C": "word alone", "D": "with prior"}
# check.which_sheet(my_answer)
# ```
#
# "A cat" does not change where no weight changes, and it becomes the subject where nothing holds it. Drift is read from
# the class prompt, never from the subject's. Then look at the wishes of the word alone: how much of Pim fits into two
# vectors (the word has two tokens), and what of it does not?
# </details>

# %% [markdown]
# ## 6. How many steps?
#
# Six pictures cannot tell a drift of 10 % from one of 30 %. A script fitted the three characters Pim, Bo and Zuzu
# ({{lesson07.at.naive.100.fits}} fits each way) and looked after 25, 50, 100 and 200 steps: the share of pictures of
# the subject that show it, in the six scenes above and on six rides, and the share of pictures of its class that do.
# Its recognizers were right on {{lesson07.recognizer_accuracy.pim:.0%}}, {{lesson07.recognizer_accuracy.bo:.0%}} and
# {{lesson07.recognizer_accuracy.zuzu:.0%}} of new drawings.
#
# **Predict.** Draw the four curves: subject and drift, naive and with the prior.

# %%
at = [25, 50, 100, 200]
naive = {
    "subject": ["{{lesson07.at.naive.25.subject:.2f}}", "{{lesson07.at.naive.50.subject:.2f}}",
                "{{lesson07.at.naive.100.subject:.2f}}", "{{lesson07.at.naive.200.subject:.2f}}"],
    "drift": ["{{lesson07.at.naive.25.drift:.2f}}", "{{lesson07.at.naive.50.drift:.2f}}",
              "{{lesson07.at.naive.100.drift:.2f}}", "{{lesson07.at.naive.200.drift:.2f}}"],
}
held = {
    "subject": ["{{lesson07.at.with prior.25.subject:.2f}}", "{{lesson07.at.with prior.50.subject:.2f}}",
                "{{lesson07.at.with prior.100.subject:.2f}}", "{{lesson07.at.with prior.200.subject:.2f}}"],
    "drift": ["{{lesson07.at.with prior.25.drift:.2f}}", "{{lesson07.at.with prior.50.drift:.2f}}",
              "{{lesson07.at.with prior.100.drift:.2f}}", "{{lesson07.at.with prior.200.drift:.2f}}"],
}
both = {f"{name}, {way}": rows[name] for name in ("subject", "drift")
        for way, rows in (("naive", naive), ("with prior", held))}
axes = {"xlabel": "steps of the fit", "ylabel": "share that shows the subject"}
show.curve(at, both, **axes, alt="07.share_pictures")

# %% [markdown]
# ### Exercise 6: choose
#
# *Four lines, 7 minutes, medium.* `curve` says for each number of steps (subject, drift). Return the number of steps
# that shows the subject most often, among those with a drift of at most `most`. Of equals take the fewest; where all
# drift too much, return 0: do not fit.

# %%
def my_steps(curve, most):
    return ...


check.choice_of_steps(my_steps)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_steps(curve, most):
#     allowed = {steps: subject for steps, (subject, drift) in curve.items() if drift <= most}
#     if not allowed:
#         return 0
#     best = max(allowed.values())
#     return min(steps for steps, subject in allowed.items() if subject == best)
# check.choice_of_steps(my_steps)
# ```
#
# Try it on the measured curves, at a `most` of your choice:
# `my_steps(dict(zip(at, zip(naive["subject"], naive["drift"]))), 0.1)`, and the same for `held`. What does the answer
# change to when you allow more drift?
# </details>

# %% [markdown]
# And diversity, as the mean distance of two pictures. The flat line is the class before any fit.
#
# **Predict.** Which of the four will be lowest: the class or the subject, naive or with the prior?

# %%
apart = {
    "class, naive": ["{{lesson07.at.naive.25.diversity of the class:.2f}}",
                     "{{lesson07.at.naive.50.diversity of the class:.2f}}",
                     "{{lesson07.at.naive.100.diversity of the class:.2f}}",
                     "{{lesson07.at.naive.200.diversity of the class:.2f}}"],
    "class, with prior": ["{{lesson07.at.with prior.25.diversity of the class:.2f}}",
                          "{{lesson07.at.with prior.50.diversity of the class:.2f}}",
                          "{{lesson07.at.with prior.100.diversity of the class:.2f}}",
                          "{{lesson07.at.with prior.200.diversity of the class:.2f}}"],
    "subject, naive": ["{{lesson07.at.naive.25.diversity of the subject:.2f}}",
                       "{{lesson07.at.naive.50.diversity of the subject:.2f}}",
                       "{{lesson07.at.naive.100.diversity of the subject:.2f}}",
                       "{{lesson07.at.naive.200.diversity of the subject:.2f}}"],
    "subject, with prior": ["{{lesson07.at.with prior.25.diversity of the subject:.2f}}",
                            "{{lesson07.at.with prior.50.diversity of the subject:.2f}}",
                            "{{lesson07.at.with prior.100.diversity of the subject:.2f}}",
                            "{{lesson07.at.with prior.200.diversity of the subject:.2f}}"],
    "class, before": ["{{lesson07.at.before.0.diversity of the class:.2f}}"] * 4,
}
axes = {"xlabel": "steps of the fit", "ylabel": "mean distance of two pictures"}
show.curve(at, apart, **axes, alt="07.diversity_class")

# %% [markdown]
# Pictures of one character are alike by right: it is one character. Those of the class should lie on the flat line.
#
# ### Exercise 7: what does it cost?
#
# *3 minutes, no computer.* A row is one picture in one call of the network. The model draws 32 prior pictures in 25
# steps with guidance (two rows a step and picture), then the fit makes 100 steps with 4 rows of the subject and 4 of
# the prior. How many rows in all?

# %%
my_rows = ...

check.rows_of_a_fit(my_rows)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_rows = 32 * 25 * 2 + 100 * (4 + 4)
# check.rows_of_a_fit(my_rows)
# ```
#
# The reminders are twice as many rows as the fit. But a row of the fit goes backwards, too, which costs about two rows
# more. And they are made once: `prior_pictures(..., folder=...)` keeps them for the next cat.
# </details>
#
# ## 7. Stop, go on, put away
#
# Long fits are interrupted: a battery, a closed lid, Colab. With `folder=` a fit writes where it is, and the same call
# goes on from there; on Colab, `folder=helpers.colab.kept("my_cat")` lies on Google Drive, where that is mounted. The
# random numbers of step k come from (seed, k) alone, so it must not matter. We pull the plug after three of six steps.
#
# **Predict.** Will the interrupted fit end with *nearly* the weights of the other one, or with the same bits?

# %%
from pathlib import Path
from tempfile import mkdtemp

few_steps = {"rank": 4, "steps": 6, "batch": 2, "seed": seed}
folder = Path(mkdtemp())


def pull_the_plug(step, **_):
    """Stops the fit as a press on the stop button does."""
    if step == 3:
        raise KeyboardInterrupt


try:
    fit_dreambooth(
        model, five, pim.prompt(word), folder=folder, watch=pull_the_plug, **few_steps
    )
except KeyboardInterrupt:
    print("interrupted; the folder holds", [file.name for file in folder.iterdir()])

resumed = fit_dreambooth(model, five, pim.prompt(word), folder=folder, **few_steps)
whole = fit_dreambooth(model, five, pim.prompt(word), **few_steps)
pairs = [(resumed.tensors[name], value) for name, value in whole.tensors.items()]
print("the same bits:", all(torch.equal(a, b) for a, b in pairs))

# %% [markdown]
# (Where the machine goes down without a word, at most the last half minute is lost. A test kills a fit to see that.)
#
# And the model itself? All these fits, all these with-blocks: its weights must be what they were, to the bit.

# %%
from helpers.finetuning import parameters

own = {
    name: value.clone()
    for name, value in parameters(model, list(model.networks)).items()
}
with fits["with prior"].on(model):
    model.generate(pim.prompt(word), seed=seed, **QUIET)
now = parameters(model, list(model.networks))
print(
    "weights untouched:",
    all(torch.equal(now[name], value) for name, value in own.items()),
)
after = model.generate(pim.prompt(), seed=list(range(10, 16)), **QUIET)
print(
    "cats as in section 1:",
    [cat.tobytes() for cat in after] == [cat.tobytes() for cat in sheets["before"][0]],
)

# %% [markdown]
# To keep Pim, save the weights: a safetensors file, numbers and a few words. Compare the sizes. (`load_lora_weights` of
# diffusers reads the LoRA's, too.)

# %%
for name in ("with prior", "LoRA", "word alone"):
    file = fits[name].save(
        folder / f"{name.replace(' ', '_')}.safetensors", torch.float16
    )
    print(f"{file.name:24} {file.stat().st_size / 1e6:8.3f} MB")
again = Weights.load(file)
print(again, again.metadata["prompt"])

# %% [markdown]
# ## 8. Where it breaks
#
# **Who speaks for the neighbours?** We reminded the model of cats. Nobody reminded it of dogs.
#
# **Predict.** "A dog", "a bunny", "a fox": after which of the fits are they still what they should be?

# %%
others = ["a dog", "a bunny", "a fox"]
others_rows = []
for weights in (Weights({}), fits["naive"], fits["with prior"], fits["LoRA"]):
    with weights.on(model):
        others_rows.append(model.generate(others, seed=[1, 2, 3], **QUIET))
show.pictures(
    others_rows,
    rows=["before", "naive", "with prior", "LoRA"],
    columns=others,
    side=112,
    alt="07.dog_bunny",
)

# %% [markdown]
# **Scene and subject grow together.** Look for walls, fences and woods of the five where nobody asked for them. And
# Pim stands in all five: which of the wishes suffer most from that?
#
# **Rare scenes.** What the model cannot draw with any cat, it cannot draw with Pim. (The authors say the same.)
#
# **Fine parts.** Each latent stands for 8 x 8 pixels: a horn is one or two of them. Some of it is lost before any fit;
# this is Pim as the autoencoder gives it back.

# %%
show.pictures(
    [five, model.decode(model.encode(five))],
    rows=["the five", "autoencoder"],
    side=128,
    alt="07.pictures_before",
)

# %% [markdown]
# ## 9. A comic
#
# Last, what it is good for. A script has panels: in brackets what the picture shows, then captions and speech. The
# seeds were chosen by eye, as one does.

# %%
from helpers.show.comic import draw_comic, read_script

story = read_script(f"""
    # Pim on holiday

    [a {word} cat at the temple]
    Pim: So many columns!

    [a {word} cat getting a haircut]
    Pim: Not too short, please.

    [a {word} cat riding a red bicycle]
    Then down to the sea.

    [a {word} cat swimming]
    Pim: The water is warm.

    [a {word} cat in a bucket]
    No towel at hand, but a bucket.

    [a {word} cat in a doghouse]
    And a house for the night.
""")
print(len(story.panels), "panels;", story.panels[0].prompt)

# %% [markdown]
# `draw_comic` puts the pictures and the words on one page. All the model's own steps now.

# %%
with fits["with prior"].on(model):
    panels = model.generate(
        [panel.prompt for panel in story.panels],
        seed=[22, 22, 24, 24, 24, 22],
        progress=False,
    )
comic = draw_comic(
    story, panels, columns=3, notice="that no scene of these is in the five pictures"
)
comic

# %% [markdown]
# `comic.save("pim.png")` writes it to a file. Now yours: another script, Bo or Zuzu (`SUBJECTS["bo"]`), or on Stable
# Diffusion a folder with five photos of your own cat, in the place of `five`:
# `fit_dreambooth(model, "pictures/", "a sks cat", ...)`.
#
# ## What to remember
#
# 1. A few pictures and a word without a meaning: the model learns the subject, and the class word tells it all else.
# 2. Naive fits forget. Look at the *class* prompt, and measure drift and diversity there; the loss shows neither.
# 3. The prior-preservation loss lets the model hold on to its own idea of the class. For the neighbours nobody speaks:
#    look at them, too.
#
# **References.** Ruiz, Li, Jampani, Pritch, Rubinstein, Aberman: *DreamBooth*, CVPR 2023, arXiv:2208.12242. Gal,
# Alaluf, Atzmon, Patashnik, Bermano, Chechik, Cohen-Or: *An image is worth one word*, ICLR 2023, arXiv:2208.01618. Hu,
# Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen: *LoRA*, ICLR 2022, arXiv:2106.09685.
#
# Next: 8. The scoreboard, all methods on the same edits.
