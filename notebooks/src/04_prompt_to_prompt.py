# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 4. Prompt-to-Prompt
#
# {{badges}}
#
# So far we gave the model a noisy copy of the picture, or a mask. Now we give it neither. We look at how its words
# reach the pixels, keep *that* from the old picture, and change only the words.
#
# | You will | You need | It takes |
# |---|---|---|
# | see where words look, write an edit as a matrix | lesson 1 | 90 min, computing {{notebooks.04.minutes}} min |
#
# Paper: Prompt-to-Prompt (Hertz et al. 2022, [arXiv:2208.01626](https://arxiv.org/abs/2208.01626)).
#
# ## Setup
#
# On Google Colab the first cell fetches the course; elsewhere it does nothing.

# %%
# {{setup}}

# %% [markdown]
# The only settings. For Stable Diffusion, write `"stable-diffusion-v1-5"`. No prompt has to differ there, since the
# model makes the pictures itself; its noises are others, so try a few seeds. The judge's numbers mean something for
# Picturebook alone.

# %% tags=["parameters"]
model_name = "picturebook"
seed = 7
# Not every noise gives this model all that a prompt asks for.
bear_seed, ride_seed, bunny_seed, river_seed = 27, 13, 28, 9

# %% [markdown]
# ## 1. One word more, another picture
#
# P describes a picture, P\* has one word more: the drink is *red*. Both start from the same noise.
#
# **Predict.** Only the drink is told another colour. What else will change?

# %%
from helpers import check, load, show
from helpers.picturebook.judge import Judge

show.calm_errors()
model, judge = load(model_name), Judge.load()
P = "a brown teddy bear wearing black sunglasses and having a drink on the beach"
P_star = P.replace("a drink", "a red drink")
same_noise = model.generate([P, P_star], seed=[bear_seed] * 2)
show.difference(*same_noise, labels=("P", "P*, same noise"), most=1, alt="04.picture_p")

# %% [markdown]
# The noise is the same and the prompts nearly are. Still, other things than the drink change: the model takes the
# decisions of its first steps anew, and all later steps build on them. Now the same two prompts with Prompt-to-Prompt,
# in one call:

# %%
from helpers import prompt_to_prompt
from helpers.measure import distance

controlled = prompt_to_prompt(model, P, P_star, seed=bear_seed)
for way, pair in {"same noise": same_noise, "Prompt-to-Prompt": controlled}.items():
    print(f"{way}: the two pictures differ by {distance(*pair):.1%} on average")
show.difference(
    *controlled, labels=("P", "P*, Prompt-to-Prompt"), most=1, alt="04.picture_p_edit"
)

# %% [markdown]
# Same model, same noise, same prompts. The two printed numbers answer the prediction: without control much more changes
# than one word asks for. What did Prompt-to-Prompt hold on to?
#
# ## 2. Where words meet pixels
#
# Inside the network every pixel asks every word of the prompt "how much are you about me?". The answers are shares that
# sum to 1. One word's shares over all pixels are its *attention map*. We watch them while the model works.
#
# **Predict.** Where will `sunglasses` look? And `beach`? At which step is that settled?

# %%
import numpy as np

words = ["bear", "sunglasses", "drink", "red", "beach"]
seen = show.attended(model, P, P_star, words=words, seed=bear_seed)
in_both = [word for word in words if word != "red"]
for word in in_both:
    maps = [seen.of(word, view="source", step=i).ravel() for i in range(seen.steps)]
    like_last = [np.corrcoef(one, maps[-1])[0, 1] for one in maps]
    print(f"{word:10} like the last map:", *(f"{r:.2f}" for r in like_last[::4]))
show.attention_maps(seen, in_both, view="source", by="step", alt="04.maps_words")

# %% [markdown]
# `sunglasses` looks at a few places of the head, `beach` at what lies around the bear. The numbers tell when that is
# settled (1: the map of that step is the last one's; every fourth step is told). The paper is built on one observation:
# **the layout is in the maps, and it is there early**, when hardly anything can be seen in the picture.
#
# Now the mean over steps: for P, for P\* generated alone from the same noise, and for P\* with Prompt-to-Prompt. (P\*
# alone is a run of its own. Inside the edited run even the target's own maps are near the source's, since its picture
# is.)

# %%
from helpers.show.attention_figures import over

shown = ["bear", "drink", "red"]
free = show.attended(model, P_star, words=shown, seed=bear_seed)
runs = {
    "P": (seen, "source"),
    "P* alone": (free, "source"),
    "P* edited": (seen, "after"),
}


def mapped(run, view, word):
    """The map of a word over its picture; None where the prompt has no such word."""
    if word in run.words(view):
        return over(run.picture(view), run.of(word, view=view))


show.pictures(
    [[mapped(*run, word) for run in runs.values()] for word in shown],
    rows=shown,
    columns=list(runs),
    side=192,
    alt="04.maps_bear",
)

# %% [markdown]
# Alone, the words of P\* look where that picture puts its things. Edited, the words that both prompts share look where
# they looked for P; `red` is in P\* alone and looks for itself. Look around: point at a word or tab to it, slide over
# the steps, choose another layer.

# %%
show.explorer(seen, alt="04.words_both")

# %% [markdown]
# How far can such maps be trusted? Over {{lesson04.pointing.pictures}} pictures of held-out captions, a noun's map had
# its peak inside of what the judge sees as that thing in {{lesson04.pointing.all.hit:.0%}} of
# {{lesson04.pointing.all.n}} cases; a random point would in {{lesson04.pointing.all.chance:.0%}}.
#
# ## 3. An edit is a matrix and a vector
#
# ### Exercise 1: align two prompts by hand
#
# ●○○○○ *5 minutes, core, no computer.* P is `a cat and a dog on the beach`, P\* is `a fluffy cat and a fox on the
# beach`. For each word of P\*, write the number of the word of P that it answers (counted from 0), or `None` where it
# answers nobody. A swapped word answers the word whose place it takes.

# %%
my_alignment = [0, ..., ..., ..., ..., ..., ..., ..., ...]

check.alignment(my_alignment)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_alignment = [0, None, 1, 2, 3, 4, 5, 6, 7]
# check.alignment(my_alignment)
# ```
#
# `helpers.core.align` finds this with the longest common subsequence. The paper only asks for an alignment, which gives
# for each token of P\* its token of P, or None. The authors' code finds it by the method of Needleman and Wunsch (match
# 1, mismatch -1, gap 0), for added phrases: there unequal words always stay unaligned. Where words are swapped, the
# code pairs them by their place.
# </details>
#
# Now as a matrix. $A_{ij}$ says how much of source token $i$'s map goes to target token $j$; $b_j$ says how much of its
# own map token $j$ keeps. Prompts are cut in tokens, so that a word may own several.

# %%
from helpers.attention import mixed, replace

edit = mixed(
    model, "a cat and a dog on the beach", "a fluffy cat and a fox on the beach"
)
print(edit.target.texts, edit.A[0, 1:4, 1:5], edit.b[0, 1:5], sep="\n")
show.matrix(edit, alt="04.matrix_edit")

# %% [markdown]
# ### Exercise 2: the swap matrix
#
# ●●●○○ *10 minutes, core.* `pairs` is a list of `(i, j)`: the source tokens `i` of a word and the target tokens `j` of
# the word that answers it, as lists. Return A as a tensor (n, n). Equal numbers of tokens: the first goes to the first,
# and so on. Else each source token's map is spread evenly over the tokens `j`.

# %%
import torch  # noqa: F401 (for your answer)


def my_swap_matrix(pairs, n):
    return ...


check.swap_matrix(my_swap_matrix)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Begin with `A = torch.zeros(n, n)`. Then for each pair, `A[torch.tensor(i)[:, None], torch.tensor(j)] = ...` sets
# the block of rows `i` and columns `j`. For equal numbers the block is `torch.eye(len(i))`.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_swap_matrix(pairs, n):
#     A = torch.zeros(n, n)
#     for i, j in pairs:
#         block = torch.eye(len(i)) if len(i) == len(j) else 1 / len(j)
#         A[torch.tensor(i)[:, None], torch.tensor(j)] = block
#     return A
# check.swap_matrix(my_swap_matrix)
# ```
#
# The widely copied code fills the swapped words in and then goes on with `A[k, k] = 1`. If the new word has one token
# more than the old one, every later word looks where its right neighbour looked.
# </details>
#
# Here is a swap in which the numbers of tokens differ:

# %%
show.matrix(
    replace(
        model,
        "a teddy bear with decorations on the street",
        "a bunny with jelly beans on the street",
    ),
    alt="04.matrix_swap",
)

# %% [markdown]
# ### Exercise 3: the edited map
#
# ●○○○○ *5 minutes, core.* `M` and `M_star` are the maps (pixels, tokens) of source and target, `A` is (tokens, tokens),
# `b` is (tokens,). The paper's edits have one form: $\hat M = M A + M^* \mathrm{diag}(b)$.

# %%
def my_edited_map(M, M_star, A, b):
    return ...


check.edited_map(my_edited_map)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_edited_map(M, M_star, A, b):
#     return M @ A + M_star * b
# check.edited_map(my_edited_map)
# ```
#
# `M_star * b` multiplies column $j$ by $b_j$: that is $M^* \mathrm{diag}(b)$ without writing the diagonal matrix.
# </details>
#
# ### Exercise 4: without a map
#
# ●●●●○ *10 minutes, core.* One line. Attention's output is $\hat M V$. Fused kernels give $M V$ for any values $V$ but
# never show $M$. `look(V)` gives $M V$ and `look_star(V)` gives $M^* V$; `V` is (tokens, d). Write $\hat M V$.

# %%
def my_output(look, look_star, V, A, b):
    return ...


check.on_values(my_output)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $(M A)\,V = M\,(A V)$. Which values should the source look at?
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_output(look, look_star, V, A, b):
#     return look(A @ V) + look_star(b[:, None] * V)
# check.on_values(my_output)
# ```
#
# The edit moves from the maps (pixels times tokens numbers, in each layer and head) to the values. So no map is ever
# formed, and an edit costs what plain generation costs.
# </details>
#
# ## 4. Algorithm 1
#
# The paper's box:
#
# > 1. Input: a source prompt $P$, a target prompt $P^*$, and a random seed $s$.
# > 2. Output: a source image $x_{src}$ and an edited image $x_{dst}$.
# > 3. $z_T \sim N(0, I)$, a unit Gaussian random variable with seed $s$;
# > 4. $z^*_T \leftarrow z_T$;
# > 5. **for** $t = T, T-1, \ldots, 1$ **do**
# > 6. $\quad z_{t-1}, M_t \leftarrow DM(z_t, P, t, s)$;
# > 7. $\quad M^*_t \leftarrow DM(z^*_t, P^*, t, s)$;
# > 8. $\quad \hat M_t \leftarrow Edit(M_t, M^*_t, t)$;
# > 9. $\quad z^*_{t-1} \leftarrow DM(z^*_t, P^*, t, s)\{M \leftarrow \hat M_t\}$;
# > 10. **end**
# > 11. **return** $(z_0, z^*_0)$
#
# The same in code, with the box's numbers. Lines 6, 7 and 9 are one call of the model: source and target stand in one
# batch, so that inside the network the target's layers can use the source's maps. `Edit` is the data of section 3, put
# on for a part of the steps, and multiplied with a second edit that does the same for self-attention.

# %%
from itertools import pairwise
from helpers.attention import attention, during, inject_self
from helpers.core import cfg
from helpers.core import noise as drawn_noise

Edit = during(mixed(model, P, P_star), 0, 0.8) @ during(
    inject_self(model, P, P_star), 0, 0.4
)
prompts = model.embed([P, P_star])

z = z_star = drawn_noise(bear_seed, model.shape(1))  # 3, 4
with attention(model, [Edit], prompts=P, steps=model.steps):  # 8
    for t, s in pairwise(model.times(model.steps)):  # 5
        both = torch.cat([z, z_star])
        eps = cfg(model, both, t, prompts, model.guidance)  # 6, 7, 9: predict the noise
        z, z_star = model.step(both, eps, t, s).split(1)  # 6, 9: one step down
x_src, x_dst = model.decode(torch.cat([z, z_star]))  # 11

assert x_src.tobytes() == controlled[0].tobytes()
assert x_dst.tobytes() == controlled[1].tobytes()
titles = ("x_src", "x_dst")
show.pair(x_src, x_dst, prompts=(P, P_star), titles=titles, alt="04.by_hand")

# %% [markdown]
# To the bit the two pictures of section 1. `prompt_to_prompt` is this loop; it also takes several targets, recorded
# sources and given pictures.

# %% [markdown]
# ### Exercise 5: write the loop
#
# ●●●○○ *15 minutes, core.* In the paper `DM` is one step of the model. `DM(z, prompt, t)` returns the next state and
# the model's map; `DM(z, prompt, t, M_hat)` does the same with $\hat M$ in the map's place. `Edit(M, M_star, t)` gives
# $\hat M$. `z_star` starts as `z`, and time goes T, T - 1, ..., 1. Return both last states, `z` and `z_star`.

# %%
def my_algorithm(DM, Edit, P, P_star, z, T):
    return ...


check.algorithm(my_algorithm)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_algorithm(DM, Edit, P, P_star, z, T):
#     z_star = z
#     for t in range(T, 0, -1):
#         z_next, M = DM(z, P, t)
#         _, M_star = DM(z_star, P_star, t)
#         M_hat = Edit(M, M_star, t)
#         z_star, _ = DM(z_star, P_star, t, M_hat)
#         z = z_next
#     return z, z_star
# check.algorithm(my_algorithm)
# ```
#
# The second call only looks. Its state is thrown away, since it was not made with $\hat M$.
# </details>
#
# ### Exercise 6: which steps?
#
# ●●○○○ *3 minutes, useful.* Maps are injected for a share `tau` of the `N` steps. Return the list of these steps; step
# 0 is the noisiest, and `round(tau * N)` of them are wanted. (The paper writes "if $t < \tau$". Its $t$ counts down.)

# %%
def my_steps(tau, N):
    return ...


check.injected_steps(my_steps)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_steps(tau, N):
#     return list(range(round(tau * N)))
# check.injected_steps(my_steps)
# ```
#
# The early steps, where the layout is made. Later the target is free to draw details of its own.
# </details>
#
# ## 5. Word swap under growing injection
#
# A cat rides a bicycle. We swap the bicycle for four other rides and inject for a growing share of the steps (and
# self-attention for half of it). The source is made once, with its attention recorded, and serves all edits.
#
# **Predict.** With no injection nothing is held but the noise; with full injection the new ride must fit the bicycle's
# outline. Which is the shortest share that keeps street and cat as they are?

# %%
from helpers.methods.prompt_to_prompt import recorded, sweep

bicycle, shares = "a cat riding a bicycle on the street", [0, 0.2, 0.4, 0.8, 1]
source = recorded(model, bicycle, seed=ride_seed)
knobs = {"cross_replace_steps": shares, "self_replace_steps": [s / 2 for s in shares]}
swapped = {
    ride: sweep(model, source, bicycle.replace("a bicycle", ride), **knobs)
    for ride in ("a motorcycle", "a car", "an airplane", "a train")
}
show.pictures(
    list(swapped.values()),
    rows=list(swapped),
    columns=["I", *(f"share {s:g}" for s in shares)],
    alt="04.cat_bicycle",
)

# %% [markdown]
# In numbers: does the judge see the new ride, and how much is kept outside of where it sees the old or the new ride?

# %%
from PIL import ImageChops
from helpers.measure import kept


def kept_outside(picture, edited, part):
    """PSNR in dB outside of where the judge finds the part in either picture."""
    small = [p.resize((128, 128)) for p in (picture, edited)]
    return kept(*small[::-1], ImageChops.lighter(*(judge.find(p, part) for p in small)))


rides = {ride.split()[1]: row for ride, row in swapped.items()}
rest, obeyed = [], []
for k in range(5):
    kept_now = [kept_outside(row[0], row[k + 1], "ride") for row in rides.values()]
    read = [judge.read([row[k + 1]])[0].attributes["ride"] for row in rides.values()]
    rest.append(sum(kept_now) / 4)
    obeyed.append(sum(a == b for a, b in zip(read, rides, strict=True)) / 4)
scores = {"obeyed": obeyed, "kept (dB)": rest}
for share, a, b in zip(shares, obeyed, rest, strict=True):
    print(f"share {share:<4g} obeyed {a:4.0%}   kept {b:.1f} dB")
name = "share of steps injected"
show.sweep(rides["car"][1:], shares, name=name, scores=scores, alt="04.swap_car")

# %% [markdown]
# Only four edits stand behind each number. Compare them with your prediction; nobody marks that.
#
# ### Exercise 7: which injection keeps the layout?
#
# ●○○○○ *2 minutes, useful.* Read it from the printed numbers: which is the shortest share from which on the rest is
# kept within 1 dB of what full injection keeps?

# %%
my_share = ...

check.shortest_injection(my_share, shares, rest)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_share = next(s for i, s in enumerate(shares) if min(rest[i:]) >= rest[-1] - 1)
# check.shortest_injection(my_share, shares, rest)
# ```
#
# It depends on the edit and on the seed. Longer injection than needed forces the new thing into the old one's outline.
# </details>
#
# One sweep proves little. A script made {{lesson04.n}} edits with known answers of each kind, on held-out prompts. Each
# dot is one share of injection; 0 is plain generation from the same noise. SDEdit got the same source pictures, at its
# best strength, {{lesson04.kinds.word swap.sdedit.best}}.

# %%
measured = {
    "0": ("{{lesson04.kinds.word swap.at.0.obeyed:.2f}}", "{{lesson04.kinds.word swap.at.0.kept:.1f}}"),
    "0.2": ("{{lesson04.kinds.word swap.at.0.2.obeyed:.2f}}", "{{lesson04.kinds.word swap.at.0.2.kept:.1f}}"),
    "0.4": ("{{lesson04.kinds.word swap.at.0.4.obeyed:.2f}}", "{{lesson04.kinds.word swap.at.0.4.kept:.1f}}"),
    "0.6": ("{{lesson04.kinds.word swap.at.0.6.obeyed:.2f}}", "{{lesson04.kinds.word swap.at.0.6.kept:.1f}}"),
    "0.8": ("{{lesson04.kinds.word swap.at.0.8.obeyed:.2f}}", "{{lesson04.kinds.word swap.at.0.8.kept:.1f}}"),
    "1": ("{{lesson04.kinds.word swap.at.1.obeyed:.2f}}", "{{lesson04.kinds.word swap.at.1.kept:.1f}}"),
    "SDEdit": (
        "{{lesson04.kinds.word swap.sdedit.best_obeyed:.2f}}", "{{lesson04.kinds.word swap.sdedit.best_kept:.1f}}"),
}
axes = {"xlabel": "obeyed", "ylabel": "kept (dB)"}
show.scatter(measured, line=list(measured)[:-1], **axes, alt="04.obeyed_against")

# %% [markdown]
# ## 6. Other words, other phrases
#
# Three more edits with the same call. New words (`rainbow`, `children drawing`) look for themselves, all others look
# where they looked. A new thing needs room, and the old maps give that room to other words: with a share of 0.8 only
# {{lesson04.kinds.phrase added.at.0.8.obeyed:.0%}} of the added phrases appear. A style should keep the layout and
# change all textures. So we inject less for these two.
#
# **Predict.** Which of the three changes most pixels?

# %%
cake, house, castle = "a pink cake", "a house near a river", "a castle next to a river"
rainbow = f"{house} with a rainbow in the background"
in_room = (f"{cake} with decorations in a room", f"{cake} with jelly beans in a room")
asked = [
    (*in_room, 0.8, seed),
    (house, rainbow, 0.4, river_seed),
    (castle, f"a children drawing of {castle}", 0.4, river_seed),
]
made = []
for old, new, share, noise in asked:
    shares_of = {"cross_replace_steps": share, "self_replace_steps": share / 2}
    made.append(prompt_to_prompt(model, old, new, **shares_of, seed=noise))
labels = [text for old, new, *_ in asked for text in (old, new)]
for (before, after), (_, new, *_) in zip(made, asked, strict=True):
    most = np.asarray(ImageChops.difference(before, after)).max(-1)
    print(f"{np.mean(most > 12):4.0%} of the pixels change for: {new}")
show.pictures(made, columns=["I", "I*"], side=192, labels=labels, alt="04.cake_house")

# %% [markdown]
# The printed shares answer the prediction. A style has to change pixels everywhere, a topping only its own place.
#
# ## 7. Turning a word up and down
#
# No word changes; one is attended to $c$ times as much. The prompt does not say how fluffy "fluffy" is, but the judge
# can read an amount.
#
# ### Exercise 8: the weights
#
# ●○○○○ *3 minutes, useful.* Write b (n,) for this edit: `c` at the word's `positions` (a list), and what at all others?

# %%
def my_weights(n, positions, c):
    return ...


check.weight_vector(my_weights)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_weights(n, positions, c):
#     b = torch.ones(n)
#     b[positions] = c
#     return b
# check.weight_vector(my_weights)
# ```
#
# With $c$ = 1 nothing changes. Rows no longer sum to 1, in the paper as here. `prompt_to_prompt` multiplies this edit
# with the injection of the source's maps ($A = 1$, $b = 0$), so that it is the source's map that is weighed, as in the
# paper.
# </details>
#
# **Predict.** What comes out at 0, and what below 0?

# %%
weights = [-2, -1, 0, 1, 2]
asked = {
    "fluffy": ("a fluffy white bunny doll in a meadow", bunny_seed),
    "crowded": ("a crowded street", seed),
}
turned = {
    word: show.reweighted(model, prompt, {word: weights}, seed=noise)
    for word, (prompt, noise) in asked.items()
}
amounts = {
    word: [reading.amounts[word] for reading in judge.read(one.pictures)]
    for word, one in turned.items()
}
show.sweep(
    turned["fluffy"].pictures,
    weights,
    name="weight of fluffy",
    scores={"amount read": amounts["fluffy"]},
    alt="04.bunny_doll",
)

# %% [markdown]
# At 0 the word has no influence left; what is read then comes from the other words. Below 0 its influence is
# subtracted. And a street, less and more crowded:

# %%
show.sweep(
    turned["crowded"].pictures,
    weights,
    name="weight of crowded",
    scores={"amount read": amounts["crowded"]},
    alt="04.street_weights",
)

# %% [markdown]
# Compare how far the two amounts go (the lesson has a table over many prompts). A reason why a word may be hard to
# turn: a token's vector depends on the words before it, so that the text encoder has told the *bunny*, too, that it is
# fluffy. Turning one token does not change the others.
#
# Now empty and fill the street yourself. Without a running kernel you see one picture; run the cell, and each move of
# the slider makes a new one.

# %% tags=["nbval-ignore-output"]
street, street_seed = asked["crowded"]
show.reweighting_live(model, street, "crowded", seed=street_seed)

# %% [markdown]
# Over {{lesson04.reweighting.n}} held-out prompts for each word, the mean amount that the judge reads. At weight 1 it
# spreads from picture to picture (standard deviation) by {{lesson04.reweighting.fluffy.1.spread:.2f}} for fluffy and
# {{lesson04.reweighting.crowded.1.spread:.2f}} for crowded.

# %%
many = [-2, -1, 0, 1, 2, 4]
read = {
    "fluffy": [
        "{{lesson04.reweighting.fluffy.-2.amount:.2f}}", "{{lesson04.reweighting.fluffy.-1.amount:.2f}}",
        "{{lesson04.reweighting.fluffy.0.amount:.2f}}", "{{lesson04.reweighting.fluffy.1.amount:.2f}}",
        "{{lesson04.reweighting.fluffy.2.amount:.2f}}", "{{lesson04.reweighting.fluffy.4.amount:.2f}}"],
    "crowded": [
        "{{lesson04.reweighting.crowded.-2.amount:.2f}}", "{{lesson04.reweighting.crowded.-1.amount:.2f}}",
        "{{lesson04.reweighting.crowded.0.amount:.2f}}", "{{lesson04.reweighting.crowded.1.amount:.2f}}",
        "{{lesson04.reweighting.crowded.2.amount:.2f}}", "{{lesson04.reweighting.crowded.4.amount:.2f}}"],
}
axes = {"xlabel": "weight of the word", "ylabel": "amount read by the judge"}
show.curve(many, read, **axes, alt="04.mean_amount")

# %% [markdown]
# ## 8. Local blending
#
# Even under full injection other places change a little. Where the maps of the swapped word are weak, local blending
# puts the source's state back after each step. It is a mask, as in lesson 3, but nobody paints it.
#
# ### Exercise 9: the mask from the maps
#
# ●●○○○ *5 minutes, useful.* `M` and `M_star` are the word's maps in source and target. The picture may change where one
# of them is above `k` times its own maximum. Return that mask.

# %%
def my_mask(M, M_star, k):
    return ...


check.mask_of_words(my_mask)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def my_mask(M, M_star, k):
#     return (M > k * M.max()) | (M_star > k * M_star.max())
# check.mask_of_words(my_mask)
# ```
#
# Both maps count: the place of the old bicycle must be free for what was behind it, the place of the new car for the
# car.
# </details>
#
# The swap to a car again, without and with local blending. **Predict.** Where will the picture still differ from I?

# %%
to_car, street = bicycle.replace("bicycle", "car"), swapped["a car"][0]
short = {"cross_replace_steps": 0.4, "self_replace_steps": 0.2}
alone, local = (
    prompt_to_prompt(model, source, to_car, blend=blend, **short)[1]
    for blend in ((), ("bicycle", "car"))
)
outside = [
    f"{kept_outside(street, picture, 'ride'):.1f} dB kept" for picture in (alone, local)
]
apart = [
    ImageChops.difference(street, one).point(lambda v: 4 * v) for one in (alone, local)
]
show.pictures(
    [[street, alone, local], [None, *apart]],
    rows=["pictures", "difference to I, 4 times"],
    columns=["I", "without blending", "with blending"],
    labels=["", *outside, "", "", ""],
    side=192,
    alt="04.cat_bicycle_swap",
)

# %% [markdown]
# With blending the second row is black away from the ride: there the states of I were put back at each step. What is
# left there comes from the autoencoder, which mixes neighbouring places.
#
# ## 9. What it costs
#
# ### Exercise 10: count the rows
#
# ●○○○○ *3 minutes, core, no computer.* A row is one picture under one prompt in one call of the network. With guidance
# each step needs two: one for the empty prompt, one for ours. We make a source in 50 steps and record its attention,
# then five edits of it, one after the other. How many rows in all?

# %%
my_rows = ...

check.rows_of_edits(my_rows)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# my_rows = 50 * 2 + 5 * 50 * 2
# check.rows_of_edits(my_rows)
# ```
#
# 600. Implementations that make the source again for each edit need 200 for each, 1000 in all.
# </details>
#
# ## 10. Where it breaks
#
# **It cannot move things.** The maps say where everything is, and we inject them. What of an edit that *must* change
# the layout: a standing cat that is to sleep?
#
# **Predict.** Is there a share at which the cat sleeps and is still the same cat on the same beach?

# %%
cat = recorded(model, "an orange cat standing on the beach", seed=seed)
shares_of_pose = [0, 0.2, 0.4, 1]
poses = sweep(
    model,
    cat,
    "an orange cat sleeping on the beach",
    cross_replace_steps=shares_of_pose,
    self_replace_steps=[s / 2 for s in shares_of_pose],
)
doing = [reading.attributes["doing"] for reading in judge.read(poses)]
off = [f"{distance(poses[0], pose):.0%} from I" for pose in poses]
show.pictures(
    [poses],
    side=160,
    columns=["I", *(f"share {s:g}" for s in shares_of_pose)],
    labels=[f"{what}, {far}" for what, far in zip(doing, off, strict=True)],
    alt="04.standing_cat",
)

# %% [markdown]
# Below each picture: what the judge sees the cat do, and the mean difference to I. The two pull against each other:
# what holds the picture holds the pose.
#
# **Small things and coarse maps.** The maps of this model have 16 × 16 places (those of Stable Diffusion that are used
# most, too). Sunglasses cover a handful of them, the rim of a glass less than one.
#
# **It needs a picture that the model made.** All of this starts from noise and P. A photograph has neither. That is
# lesson 5.
#
# ## 11. More to do
#
# Work in cells of your own.
#
# ### Exercise 11: two edits as one
#
# ●●●●○ *15 minutes, useful.* After the edit $(A_1, b_1)$ comes a second one, $(A_2, b_2)$. It takes the source's map
# $M$ again, and in the place of $M^*$ what the first edit made. The two together are one edit $(A, b)$ with $b = b_1
# b_2$. Return its $A$ (n, n).
#
# ```python
# def my_A(A1, b1, A2, b2):
#     return ...
#
#
# check.composed(my_A)
# ```
#
# <details><summary>Hint</summary>
#
# Put $M A_1 + M^* \mathrm{diag}(b_1)$ in the place of $M^*$ in $M A_2 + M^* \mathrm{diag}(b_2)$, and collect what
# stands behind $M$.
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_A(A1, b1, A2, b2):
#     return A2 + A1 * b2
# check.composed(my_A)
# ```
#
# `A1 * b2` multiplies column $j$ by $b_{2,j}$. That is why any mix of swaps, phrases and weights is one matrix and one
# vector, and costs no more than one edit.
# </details>
#
# ### Exercise 12: an edit with a schedule
#
# ●●●○○ *7 minutes, useful.* Return $\hat M$ at step number `step` of `steps` (0 is the noisiest): the edited map in the
# first `round(tau * steps)` steps, the target's own map after them.
#
# ```python
# def my_map(M, M_star, A, b, step, steps, tau):
#     return ...
#
#
# check.scheduled(my_map)
# ```
#
# <details><summary>Solution</summary>
#
# ```python
# def my_map(M, M_star, A, b, step, steps, tau):
#     if step >= round(tau * steps):
#         return M_star
#     return M @ A + M_star * b
# check.scheduled(my_map)
# ```
#
# The same with $A = 0$ and $b = 1$ after the switch: so a schedule, too, is an edit, one for each step.
# </details>
#
# ### Exercise 13: your own edit
#
# ●●●●● *20 minutes or more, core.* Choose two prompts and a seed. I\* must show what is asked, as the judge reads it,
# and keep at least 25 dB of I outside of the part that changes. Say which attribute that is and its new value, such as
# `("ride", "car")`; a wrong name is told what there is.
#
# ```python
# made = ...  # [I, I*]: prompt_to_prompt(model, P, P_star, seed=..., ...)
# check.own_prompt_edit(made, ("ride", "car"), judge, least=25)
# ```
#
# <details><summary>Solution (one of many)</summary>
#
# ```python
# for share in (0.8, 0.6, 0.4, 0.2):
#     made = prompt_to_prompt(model, bicycle, to_car, cross_replace_steps=share,
#                             self_replace_steps=share / 2, blend=("bicycle", "car"), seed=ride_seed)
#     if judge.read(made[1:])[0].attributes["ride"] == "car":
#         break
# check.own_prompt_edit(made, ("ride", "car"), judge, least=25)
# ```
#
# The longest injection that still obeys keeps most. Local blending adds decibels for nothing.
# </details>
#
# ## What to remember
#
# 1. Cross-attention maps tie each word to pixels, and the layout is settled in the first steps.
# 2. Every edit is $\hat M = M A + M^* \mathrm{diag}(b)$: a swap sets A, a new phrase sets b = 1, a weight sets b = c,
#    and a schedule switches them off. Edits are data: we print, draw and multiply them.
# 3. Applied to the values, an edit forms no map. A further edit of a recorded source costs one plain picture.
#
# **References.** Hertz, Mokady, Tenenbaum, Aberman, Pritch, Cohen-Or: *Prompt-to-Prompt image editing with cross
# attention control*, 2022, arXiv:2208.01626. Rombach, Blattmann, Lorenz, Esser, Ommer: *High-resolution image synthesis
# with latent diffusion models*, CVPR 2022, arXiv:2112.10752. Saharia et al.: *Photorealistic text-to-image diffusion
# models with deep language understanding* (Imagen), 2022, arXiv:2205.11487.
#
# Next: [5. Real pictures](05_real_pictures.ipynb), where the noise of a given picture is found.
