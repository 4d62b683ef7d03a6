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
# The noise is the same and the prompts nearly are. Still, whatever the model decides in the first steps it decides
# anew, and all later steps build on that. Now the same two prompts with Prompt-to-Prompt, in one call:

# %%
from helpers import prompt_to_prompt

controlled = prompt_to_prompt(model, P, P_star, seed=bear_seed)
show.difference(
    *controlled, labels=("P", "P*, Prompt-to-Prompt"), most=1, alt="04.picture_p_edit"
)

# %% [markdown]
# Same model, same noise, same prompts. What did we hold on to?
#
# ## 2. Where words meet pixels
#
# Inside the network every pixel asks every word of the prompt "how much are you about me?". The answers are shares that
# sum to 1. One word's shares over all pixels are its *attention map*. We watch them while the model works.
#
# **Predict.** Where will `sunglasses` look? And `beach`? At which step is that settled?

# %%
words = ["bear", "sunglasses", "drink", "red", "beach"]
seen = show.attended(model, P, P_star, words=words, seed=bear_seed)
show.attention_maps(
    seen,
    ["bear", "sunglasses", "drink", "beach"],
    view="source",
    by="step",
    alt="04.maps_words",
)

# %% [markdown]
# The paper is built on one observation: **the layout is in the maps, and it is there early**, when hardly anything can
# be seen in the picture. From which of the six steps on would you know what goes where?
#
# The mean over steps, for the source, and for the target before and after the edit:

# %%
show.attention_maps(seen, ["bear", "drink", "red"], by="view", alt="04.maps_bear")

# %% [markdown]
# Before the edit, the target has maps of its own. The edit replaces those of words that both prompts have. Look around:
# point at a word or tab to it, slide over the steps, choose another layer.

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
# *5 minutes, no computer.* P is `a cat and a dog on the beach`, P\* is `a fluffy cat and a fox on the beach`. For each
# word of P\*, write the number of the word of P that it answers (counted from 0), or `None` where it answers nobody. A
# swapped word answers the word whose place it takes.

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
# `helpers.core.align` finds this with the longest common subsequence, as the paper does with the method of Needleman
# and Wunsch.
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
# *10 minutes, medium.* `pairs` is a list of `(i, j)`: the source tokens `i` of a word and the target tokens `j` of the
# word that answers it, as lists. Return A as a tensor (n, n). Equal numbers of tokens: the first goes to the first, and
# so on. Else each source token's map is spread evenly over the tokens `j`.

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
# *One line, 5 minutes.* `M` and `M_star` are the maps (pixels, tokens) of source and target, `A` is (tokens, tokens),
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
# *One line, 10 minutes, hard.* Attention's output is $\hat M V$. Fused kernels give $M V$ for any values $V$ but never
# show $M$. `look(V)` gives $M V$ and `look_star(V)` gives $M^* V$; `V` is (tokens, d). Write $\hat M V$.

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
# The text is that of the file `helpers/methods/prompt_to_prompt.py`. The comments give the paper's line numbers: line 3
# draws the noise before, and lines 6, 7 and 9 are one call of the model, for source and targets stand in one batch.

# %%
from inspect import getsource
from helpers.methods.prompt_to_prompt import algorithm_1

print(getsource(algorithm_1).split('"""')[2])

# %% [markdown]
# ### Exercise 5: write the loop
#
# *15 minutes, medium.* In the paper `DM` is one step of the model. `DM(z, prompt, t)` returns the next state and the
# model's map; `DM(z, prompt, t, M_hat)` does the same with $\hat M$ in the map's place. `Edit(M, M_star, t)` gives
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
# *3 minutes.* Maps are injected for a share `tau` of the `N` steps. Return the list of these steps; step 0 is the
# noisiest, and `round(tau * N)` of them are wanted. (The paper writes "if $t < \tau$". Its $t$ counts down.)

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
# outline. Write down the shortest share that you expect to keep street and cat as they are. Exercise 7 asks for it.

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
name = "share of steps injected"
show.sweep(rides["car"][1:], shares, name=name, scores=scores, alt="04.swap_car")

# %% [markdown]
# ### Exercise 7: which injection keeps the layout?
#
# *2 minutes.* Put in the share that you wrote down. The check compares with the numbers above: the shortest share from
# which on the rest is kept within 1 dB of what full injection keeps.

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
# It depends on the edit and on the seed. What is injected for longer than needed ties the new thing to the old one's
# outline.
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
# where they looked. A new thing needs room that the old maps have given away: with a share of 0.8 only
# {{lesson04.kinds.phrase added.at.0.8.obeyed:.0%}} of the added phrases appear. And a style wants the layout but not
# the textures. So we inject less for these two.
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
show.pictures(made, columns=["I", "I*"], side=192, labels=labels, alt="04.cake_house")

# %% [markdown]
# ## 7. Turning a word up and down
#
# No word changes; one is attended to $c$ times as much. How fluffy "fluffy" is, the prompt does not say. The judge can
# read it.
#
# ### Exercise 8: the weights
#
# *3 minutes.* Write b (n,) for this edit: `c` at the word's `positions` (a list), and what at all others?

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
# And a street, less and more crowded:

# %%
show.sweep(
    turned["crowded"].pictures,
    weights,
    name="weight of crowded",
    scores={"amount read": amounts["crowded"]},
    alt="04.street_weights",
)

# %% [markdown]
# "crowded" goes from one end to the other. "fluffy" goes less far, over many prompts even less (the lesson has the
# table). Picturebook's text encoder tells the *bunny* that it is fluffy, too: a token's vector depends on the words
# before it. Turning one token leaves what the others were told.
#
# And a street that you empty and fill yourself. Without a running kernel you see one picture; run the cell, and each
# move of the slider makes a new one.

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
# *5 minutes.* `M` and `M_star` are the word's maps in source and target. The picture may change where one of them is
# above `k` times its own maximum. Return that mask.

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
# Both: where the bicycle was there must be room for what is behind it, where the car comes there must be room for it.
# </details>
#
# The swap to a car again, without and with local blending. **Predict.** Where will the difference go?

# %%
to_car, street = bicycle.replace("bicycle", "car"), swapped["a car"][0]
alone, local = (
    prompt_to_prompt(
        model,
        source,
        to_car,
        cross_replace_steps=0.4,
        self_replace_steps=0.2,
        blend=blend,
    )[1]
    for blend in ((), ("bicycle", "car"))
)
outside = [
    f"{kept_outside(street, picture, 'ride'):.1f} dB kept" for picture in (alone, local)
]
show.pictures(
    [street, alone, local],
    columns=["I", "without blending", "with blending"],
    labels=["", *outside],
    alt="04.cat_bicycle_swap",
)

# %% [markdown]
# ## 9. What it costs
#
# ### Exercise 10: count the rows
#
# *3 minutes, no computer.* A row is one picture under one prompt in one call of the network. With guidance each step
# needs two: one for the empty prompt, one for ours. We make a source in 50 steps and record its attention, then five
# edits of it, one after the other. How many rows in all?

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
show.pictures(
    [poses],
    side=160,
    labels=["I", *(f"share {s:g}" for s in shares_of_pose)],
    alt="04.standing_cat",
)

# %% [markdown]
# **Small things and coarse maps.** The maps of this model have 16 × 16 places (Stable Diffusion's useful ones, too).
# Sunglasses own a handful of them, the rim of a glass none of its own.
#
# **It needs a picture that the model made.** All of this starts from noise and P. A photograph has neither. That is
# lesson 5.
#
# ## What to remember
#
# 1. Cross-attention maps tie each word to pixels, and the layout is settled in the first steps.
# 2. Every edit is $\hat M = M A + M^* \mathrm{diag}(b)$: swap is A, a new phrase is b = 1, a weight is b = c, a
#    schedule switches them off in time. Edits are data: they are printed, drawn and multiplied.
# 3. Applied to the values, an edit forms no map. A further edit of a recorded source costs one plain picture.
#
# **References.** Hertz, Mokady, Tenenbaum, Aberman, Pritch, Cohen-Or: *Prompt-to-Prompt image editing with cross
# attention control*, 2022, arXiv:2208.01626. Rombach, Blattmann, Lorenz, Esser, Ommer: *High-resolution image synthesis
# with latent diffusion models*, CVPR 2022, arXiv:2112.10752. Saharia et al.: *Photorealistic text-to-image diffusion
# models with deep language understanding* (Imagen), 2022, arXiv:2205.11487.
#
# Next: [5. Real pictures](05_real_pictures.ipynb), where the noise of a given picture is found.
