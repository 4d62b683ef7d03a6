"""The checks of lesson 6, Imagic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from helpers.check.verdict import UNANSWERED, Slips, Verdict, is_unanswered, of_formula, same, shape_of, tried
from helpers.core.randomness import noise

SHAPE = (2, 3, 3)
A, B, C = noise([1, 2, 3], (3, *SHAPE)).split(1)  # any three tensors

# ------------------------------------------------------------------------------------------------------------ the loss

Predict = Callable[[Tensor], Tensor]
Loss = Callable[[Predict, Tensor, Tensor, float], Tensor]


def noised(x0: Tensor, eps: Tensor, a: float) -> Tensor:
    """x_t: the clean latent with noise, a = alpha_bar."""
    return a**0.5 * x0 + (1 - a) ** 0.5 * eps


def loss(predict: Predict, x0: Tensor, eps: Tensor, a: float) -> Tensor:
    """The mean squared error of the noise that is predicted."""
    return (predict(noised(x0, eps, a)) - eps).square().mean()


LOSS_SLIPS: Slips = {
    "The network is asked about the clean latent. Noise it first: x_t = sqrt(a) x0 + sqrt(1 - a) eps.":
        lambda predict, x0, eps, a: (predict(x0) - eps).square().mean(),
    "The prediction is compared with the clean latent. The network predicts the noise: subtract eps.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - x0).square().mean(),
    "The two factors are swapped: sqrt(a) belongs to the latent, sqrt(1 - a) to the noise.":
        lambda predict, x0, eps, a: (predict(noised(eps, x0, a)) - eps).square().mean(),
    "The square roots are missing: a is a share of the variance, its root scales values.":
        lambda predict, x0, eps, a: (predict(a * x0 + (1 - a) * eps) - eps).square().mean(),
    "The noise must be scaled too: the network is trained on sqrt(a) x0 + sqrt(1 - a) eps, not on x0 + eps.":
        lambda predict, x0, eps, a: (predict(x0 + eps) - eps).square().mean(),
    "The error is summed. Take its mean, or a larger picture would learn faster.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).square().sum(),
    "The error is not squared: errors of both signs cancel in the mean.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).mean(),
    "You take the absolute value of the error; the formula squares it.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).abs().mean(),
    "You square the mean. The other way around: square each error, then take the mean.":
        lambda predict, x0, eps, a: (predict(noised(x0, eps, a)) - eps).mean().square(),
}


def loss_of_picture(answer: Loss) -> Verdict:
    """Is `answer(predict, x0, eps, a)` the mean squared error of the noise that `predict` sees in the noised x0?"""
    arguments = [(lambda x: x.tanh(), A, B, 0.8), (lambda x: 2 * x.sin() - C, B, C, 0.3), (torch.cos, C, A, 0.55)]
    found = [tried(answer, *map(deepcopy, each)) for each in arguments]
    if all(shape_of(value) == A.shape for value in found):
        return Verdict(False, "You return an error for every number of the latent. A fit needs one number: take the "
                              "mean.")
    return of_formula(answer, arguments, loss, LOSS_SLIPS,
                      "Both fits lower this number: the first by moving the embedding, the second the network.")


# ---------------------------------------------------------------------------------------------------- what holds still

PARTS = ("e", "unet", "text encoder")
FROZEN: dict[int, frozenset[str]] = {
    1: frozenset({"unet", "text encoder"}), 2: frozenset({"e", "text encoder"}), 3: frozenset(PARTS)
}
NOT_FROZEN = {  # step, part: it was left out
    (1, "unet"): "In step 1 the network is held: only the embedding moves. What the network knows of all other "
                 "pictures stays as it is.",
    (1, "text encoder"): "The text encoder made e_tgt once, and that is all. Step 1 moves e itself, not the network "
                         "that e came from.",
    (2, "e"): "In step 2 the embedding is held at e_opt. If both moved, the network could not learn what e_opt means.",
    (2, "text encoder"): "Step 2 fits the network that predicts noise. The text encoder is not asked again after "
                         "e_tgt was made.",
    (3, "e"): "Step 3 mixes two embeddings that are there, and fits neither.",
    (3, "unet"): "Step 3 is plain sampling: the fitted network is used, not fitted.",
    (3, "text encoder"): "Nothing is fitted in step 3, the text encoder neither.",
}
FROZEN_TOO = {  # step, part: it was named
    (1, "e"): "If e is frozen in step 1 as well, nothing is left to fit: step 1 moves the embedding.",
    (2, "unet"): "If the unet is frozen in step 2 as well, nothing is left to fit: step 2 moves its weights.",
}


def frozen(answer: Mapping[int, set[str]]) -> Verdict:
    """Does `answer` name, for each of the three steps, the parts that are frozen?"""
    if is_unanswered(answer) or (isinstance(answer, Mapping) and any(value is ... for value in answer.values())):
        return UNANSWERED
    if not isinstance(answer, Mapping) or set(answer) != set(FROZEN):
        return Verdict(False, "Give a dictionary with a set of names for each of the steps 1, 2 and 3.")
    for step, names in answer.items():
        if isinstance(names, str) or not isinstance(names, (set, frozenset, list, tuple)):
            return Verdict(False, f"Give a set of names for step {step}, {{'e'}} say, not a {type(names).__name__}.")
        if unknown := [name for name in names if name not in PARTS]:
            return Verdict(False, f"{unknown[0]!r} is none of the three parts: {', '.join(PARTS)}.")
    for step, right in FROZEN.items():
        for part in PARTS:
            if part in right and part not in answer[step]:
                return Verdict(False, NOT_FROZEN[step, part])
            if part not in right and part in answer[step]:
                return Verdict(False, FROZEN_TOO[step, part])
    return Verdict(True, "One thing moves at a time: the embedding, then the network, then nothing but eta.")


# --------------------------------------------------------------------------------------------------------------- a fit

START, GOAL, HELD = noise([4, 5, 6], (3, 4, 2)).split(1)  # e_tgt, where the loss is least, and what must hold still
FIT_STEPS, FIT_LR = 6, 0.1

Fit = Callable[[Tensor, Callable[[Tensor], Tensor], int, float], Tensor]


def away(e: Tensor) -> Tensor:
    """A loss with its least value at GOAL."""
    return (HELD * (e - GOAL)).square().sum()


def descended(e_tgt: Tensor, loss: Callable[[Tensor], Tensor], steps: int, lr: float, *, kind: str = "Adam",
              clear: bool = True, sign: int = 1) -> Tensor:
    """`steps` steps of an optimiser down the loss; the slips are its settings."""
    e = e_tgt.clone().requires_grad_()
    optimiser = getattr(torch.optim, kind)([e], lr=lr)
    for _ in range(steps):
        if clear:
            optimiser.zero_grad()
        (sign * loss(e)).backward()
        optimiser.step()
    return e.detach()


FIT_SLIPS: dict[str, Fit] = {
    "What you return is e_tgt as it was. Give the optimiser a copy, move that, and return it.":
        lambda e, loss, steps, lr: e,
    "The gradients are never set to zero, so each step adds those of all steps before: call zero_grad() every time.":
        lambda *given: descended(*given, clear=False),
    "You take one step alone: repeat it `steps` times.":
        lambda e, loss, steps, lr: descended(e, loss, 1, lr),
    "That is plain gradient descent (SGD). The exercise, and the paper, take torch.optim.Adam.":
        lambda *given: descended(*given, kind="SGD"),
    "That is AdamW, which also pulls e towards zero. Take torch.optim.Adam.":
        lambda *given: descended(*given, kind="AdamW"),
    "You climb: the loss should fall, so call backward() on the loss itself.":
        lambda *given: descended(*given, sign=-1),
    "`lr` is not used: give it to Adam, whose own learning rate is 1e-3.":
        lambda e, loss, steps, lr: descended(e, loss, steps, 1e-3),
    "You take one step too few: range(steps), not range(steps - 1) or range(1, steps).":
        lambda e, loss, steps, lr: descended(e, loss, steps - 1, lr),
    "You take one step too many: range(steps).":
        lambda e, loss, steps, lr: descended(e, loss, steps + 1, lr),
    "You start at zero, or at noise, not at e_tgt: the way back to the wish would be lost.":
        lambda e, loss, steps, lr: descended(torch.zeros_like(e), loss, steps, lr),
}


def embedding_fit(answer: Fit) -> Verdict:
    """Does `answer(e_tgt, loss, steps, lr)` take `steps` steps of Adam down `loss`, from a copy of e_tgt on?"""
    given = START.clone()
    found = tried(answer, given, away, FIT_STEPS, FIT_LR)
    if isinstance(found, Verdict):
        return found
    if not torch.equal(given.detach(), START):
        return Verdict(False, "Your fit moves e_tgt itself, which step 3 needs as it was: fit a copy, e_tgt.clone().")
    if not isinstance(found, Tensor) or found.shape != START.shape:
        what = f"the shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
        return Verdict(False, f"Your function returns {what}; expected the embedding, of shape {tuple(START.shape)}.")
    found = found.detach()
    if same(found, descended(START, away, FIT_STEPS, FIT_LR)):
        return Verdict(True, f"The loss fell from {away(START):.2f} to {away(found):.2f}, and e_tgt is as it was.")
    slip = next((words for words, wrong in FIT_SLIPS.items() if same(found, wrong(START, away, FIT_STEPS, FIT_LR))),
                None)
    return Verdict(False, slip or f"It is not where Adam gets in {FIT_STEPS} steps. Each step: zero_grad, "
                                  "loss(e).backward(), step.")


# ------------------------------------------------------------------------------------------------------- interpolation

INTERPOLATION_SLIPS: Slips = {
    "The ends are swapped: at eta = 0 it must be e_opt, the picture; at eta = 1 e_tgt, the wish.":
        lambda e_tgt, e_opt, eta: (1 - eta) * e_tgt + eta * e_opt,
    "e_opt must fade as the wish comes in: its factor is 1 - eta.":
        lambda e_tgt, e_opt, eta: eta * e_tgt + e_opt,
    "e_tgt must come in with eta: at eta = 0 nothing of it is left.":
        lambda e_tgt, e_opt, eta: e_tgt + (1 - eta) * e_opt,
    "That is the way between the two. It starts at e_opt: add it.":
        lambda e_tgt, e_opt, eta: eta * (e_tgt - e_opt),
    "The way leads from e_opt to e_tgt: the difference is e_tgt - e_opt, not the other way around.":
        lambda e_tgt, e_opt, eta: e_opt + eta * (e_opt - e_tgt),
    "That is the middle, whatever eta is.":
        lambda e_tgt, e_opt, eta: (e_tgt + e_opt) / 2,
    "eta beyond 1 is allowed, and here you cut it off.":
        lambda e_tgt, e_opt, eta: e_opt + min(eta, 1) * (e_tgt - e_opt),
}


def interpolation(answer: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(e_tgt, e_opt, eta)` the embedding at eta on the line from e_opt to e_tgt?"""
    return of_formula(answer, [(A, B, 0.7), (B, C, 0.0), (C, A, 1.0), (A, C, 1.5)],
                      lambda e_tgt, e_opt, eta: eta * e_tgt + (1 - eta) * e_opt, INTERPOLATION_SLIPS,
                      "At 0 it is the picture's, at 1 the wish's, and beyond 1 it goes on in the same direction.")


# ------------------------------------------------------------------------------------------------------ choose an eta

Measured = Mapping[float, Sequence[tuple[float, float]]]  # eta -> (obeyed in [0, 1], kept in dB) for each noise
Choice = tuple[float, int]
SWEEP: Measured = {
    0.8: [(1.0, 17.0), (1.0, 18.0), (1.0, 16.0), (0.5, 18.5)],
    0.4: [(0.5, 20.5), (1.0, 21.0), (0.5, 21.5), (0.5, 20.0)],
    0.6: [(0.0, 19.5), (1.0, 18.2), (0.5, 20.0), (1.0, 19.0)],
    1.0: [(1.0, 15.0), (1.0, 16.0), (1.0, 14.0), (1.0, 13.0)],
}
SHARE = 0.5


def chosen(measured: Measured, enough: float) -> Choice | None:
    """The smallest eta at which at least `enough` of the noises obey, and the one of them that keeps most."""
    for eta in sorted(measured):
        good = [i for i, (obeyed, _) in enumerate(measured[eta]) if obeyed == 1]
        if good and len(good) >= enough * len(measured[eta]):
            return eta, max(good, key=lambda i: measured[eta][i][1])
    return None


CHOICES: dict[Any, str] = {
    (0.4, 1): "At 0.4 one noise of four obeys, which is luck. The first question is for how many noises an eta works.",
    (0.4, 0): "At 0.4 one noise of four obeys: too few. And the noise you chose there does not obey.",
    (0.6, 2): "The eta is right. The noise you chose keeps most of all, but does not obey: leave those out first.",
    (0.4, 2): "At 0.4 one noise of four obeys (obeyed == 1): an obeyed of 0.5 is half an edit and does not count.",
    (0.6, 1): "The eta is right, and this noise obeys, but another that obeys keeps more. Or did you count places "
              "among those that obey? The place is that in the whole list.",
    (0.8, 1): "Two slips lead here. Half of the noises is enough: at least `enough` means >=, not >. Or you take the "
              "etas in the dictionary's order: sort them.",
    (0.8, 3): "You take the first eta of the dictionary, and a noise that obeys only in part.",
    (1.0, 1): "At 1.0 all noises obey, but half of them is enough here, and a smaller eta keeps more.",
    0.6: "The eta is right; return the place of the noise too: (eta, place).",
    (0.6, 19.0): "You return what the noise keeps; return its place in the list.",
    (0.6, (1.0, 19.0)): "You return the noise's numbers; return its place in the list.",
}


def choice_of_eta(answer: Callable[[Measured, float], Choice | None]) -> Verdict:
    """Does `answer(measured, enough)` find the smallest eta that works often enough, and its best noise?"""
    found = tried(answer, deepcopy(SWEEP), SHARE)
    if isinstance(found, Verdict):
        return wrong_choice(None) if "returns None" in found.message else found
    found = tuple(found) if isinstance(found, list) else found
    if not isinstance(found, (tuple, int, float)):
        return Verdict(False, f"Your function returns a {type(found).__name__}; expected (eta, place).")
    if found != chosen(SWEEP, SHARE):
        return wrong_choice(found)
    for never in ({0.5: [(0.0, 20.0), (0.5, 21.0)]}, {0.5: [(1.0, 20.0), (0.0, 21.0), (0.0, 21.0)]}):
        try:
            last = answer(never, SHARE)
        except Exception as error:  # the reader's code may fail in any way
            return Verdict(False, f"Where no eta is good enough your function stops with {type(error).__name__}: "
                                  "return None there.")
        if last is not None:
            return Verdict(False, "Where no eta is good enough you return one all the same: return None there.")
    return Verdict(True, "First where it works, then which draw of the noise: the knob, then the luck.")


def wrong_choice(found: Any) -> Verdict:
    """What to say about a wrong choice."""
    if found is None:
        return Verdict(False, "Your function returns None although at some eta enough noises obey: is there a "
                              "`return`?")
    known = next((words for choice, words in CHOICES.items() if choice == found), None)
    return Verdict(False, known or f"{found!r} is not it. Go through the etas from the smallest, count the noises with "
                                   "obeyed == 1, stop at the first eta with enough of them.")


# ------------------------------------------------------------------------------------------------------------ the price

COST: dict[float, tuple[bool, str]] = {
    40: (True, "16 for the embedding and 24 for the model, and one for each picture after that."),
    48: (False, "In the first fit the network's weights need no gradients: its backward pass costs 1, not 2."),
    32: (False, "In the second fit the weights need gradients too: its backward pass costs 2, not 1."),
    16: (False, "That is the forward passes alone (or the first fit alone). Add the backward passes of both fits."),
    24: (False, "That is the second fit alone (or the backward passes alone). Add the other."),
    10: (False, "Every step sees 4 latents: count 4 rows a step."),
    80: (False, "A guided step of a picture calls the network for two rows, with the prompt and without: a picture is "
                "50 rows."),
    2000: (False, "Those are the rows of both fits. Divide by those of one picture: 25 guided steps."),
    41: (False, "That counts the edited picture too; the question is about the fits alone."),
}


def cost_of_imagic(answer: float) -> Verdict:
    """How many pictures of 25 guided steps do fits of 100 + 100 steps with 4 latents cost, backward passes counted?"""
    if is_unanswered(answer):
        return UNANSWERED
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return Verdict(False, f"Expected a number of pictures, not a {type(answer).__name__}.")
    if answer not in COST:
        return Verdict(False, "Rows of the first fit: steps x latents x (forward + backward). The same for the second. "
                              "Divide the sum by the rows of a picture.")
    return Verdict(*COST[answer])
