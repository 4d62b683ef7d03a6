"""The checks of lesson 7, DreamBooth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.check.trial import Slips, of_formula, run
from helpers.check.values import kind_of
from helpers.check.verdict import UNANSWERED, Answers, Verdict, is_unanswered, of_number
from helpers.core.randomness import noise
from helpers.core.shapes import Loss, Same

SHAPE = (2, 3, 3)
FOUND, WANTED, FOUND_PR, WANTED_PR = noise([1, 2, 3, 4], (4, 2, *SHAPE))  # any tensors (B, C, h, w)
WIDE = tuple(noise([6, 7, 8, 9], (4, 3, 2, 2, 5)).split(1))
FEATURES = noise([5], (1, 5, 3, 1))[0, :, :, 0]  # (5 pictures, 3 features)

OTHER = noise([10], (1, 7, 2, 1))[0, :, :, 0]  # more pictures, fewer features

# ------------------------------------------------------------------------------------------------------------ the loss


def with_prior(eps: Same, noise: Same, eps_pr: Same, noise_pr: Same, weight: float) -> Loss:
    """The error under the subject's prompt, and `weight` times that under the class prompt."""
    return (eps - noise).square().mean() + weight * (eps_pr - noise_pr).square().mean()


LOSS_SLIPS: Slips = {
    "That is naive fine-tuning: nothing speaks for the class. Add weight times the error of the prior's rows.":
        lambda e, z, e_pr, z_pr, w: (e - z).square().mean(),
    "The subject is missing: that is the prior's error alone. Add it to the error of eps.":
        lambda e, z, e_pr, z_pr, w: w * (e_pr - z_pr).square().mean(),
    "The weight is missing: it multiplies the prior's error.":
        lambda e, z, e_pr, z_pr, w: with_prior(e, z, e_pr, z_pr, 1.0),
    "The weight stands at the subject's error. It belongs to the prior's, so that weight 0 is naive fine-tuning.":
        lambda e, z, e_pr, z_pr, w: with_prior(e_pr, z_pr, e, z, w),
    "The weight does not take anything from the subject: its error counts fully, not by 1 - weight.":
        lambda e, z, e_pr, z_pr, w: (1 - w) * (e - z).square().mean() + w * (e_pr - z_pr).square().mean(),
    "The squares are missing: the loss is the squared difference to the noise, not its size.":
        lambda e, z, e_pr, z_pr, w: (e - z).abs().mean() + w * (e_pr - z_pr).abs().mean(),
    "You add everything up. Take the mean of each term: else the loss grows with the batch and the picture's size.":
        lambda e, z, e_pr, z_pr, w: (e - z).square().sum() + w * (e_pr - z_pr).square().sum(),
    "Each prediction has a noise of its own: compare eps with noise and eps_pr with noise_pr.":
        lambda e, z, e_pr, z_pr, w: with_prior(e, z_pr, e_pr, z, w),
    "You compare the two predictions with each other. Each is compared with the noise that was added to its rows.":
        lambda e, z, e_pr, z_pr, w: (e - z).square().mean() + w * (e_pr - e).square().mean(),
    "You square the mean. The other way around: square each difference, then take the mean.":
        lambda e, z, e_pr, z_pr, w: (e - z).mean().square() + w * (e_pr - z_pr).mean().square(),
    "The roots are not asked for: the loss is the mean of the squares, not its root.":
        lambda e, z, e_pr, z_pr, w: (e - z).square().mean().sqrt() + w * (e_pr - z_pr).square().mean().sqrt(),
    "The weight is squared: it stands before the mean of the squares, not inside.":
        lambda e, z, e_pr, z_pr, w: with_prior(e, z, e_pr, z_pr, w**2),
    "You divide by 2, or by the sum of the weights: the subject's error counts fully.":
        lambda e, z, e_pr, z_pr, w: with_prior(e, z, e_pr, z_pr, w) / (1 + w),
    "The prior's error is subtracted: then forgetting would be rewarded. Add it.":
        lambda e, z, e_pr, z_pr, w: with_prior(e, z, e_pr, z_pr, -w),
}


def prior_loss(answer: Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]) -> Verdict:
    """Is `answer(eps, noise, eps_pr, noise_pr, weight)` the loss with prior preservation?"""
    arguments = [(FOUND, WANTED, FOUND_PR, WANTED_PR, weight) for weight in (0.5, 2.0, 0.0)]
    arguments.append((*WIDE, 1.5))
    return of_formula(answer, arguments, with_prior, LOSS_SLIPS,
                      "Two errors, one sum: the subject is learnt, and the class is held where it was.")


# --------------------------------------------------------------------------------------------------- whose prompt it is

PROMPTS: dict[str, Verdict] = {
    "a dog": Verdict(True, "The same prompt without the subject's word: it is the class that would slide."),
    "a vuk dog": Verdict(False, "That teaches the model that a vuk dog is any dog: it works against the subject. The "
                                "word belongs to the subject alone."),
    "a cat": Verdict(False, "That protects cats. The prompt that is fitted says dog, so it is dogs that will slide."),
    "a vuk": Verdict(False, "The word must mean the subject and nothing else. Which word of the prompt has a meaning "
                            "that it could lose?"),
    "vuk": Verdict(False, "The word must mean the subject and nothing else. Which word of the prompt has a meaning "
                          "to lose?"),
    "": Verdict(False, "The empty prompt gives pictures of everything. That holds a little of all, and little of "
                       "dogs; the paper takes the class."),
    "an animal": Verdict(False, "Too wide: it is the word in the subject's prompt that slides, and that is dog."),
}


def prior_prompt(answer: str) -> Verdict:
    """A dog is fitted under "a vuk dog": which prompt do the prior's pictures have?"""
    if is_unanswered(answer):
        return UNANSWERED
    if not isinstance(answer, str):
        return Verdict(False, f"Expected a prompt in quotes, not {kind_of(answer)}.")
    said = " ".join(answer.lower().strip(" .").split())
    return PROMPTS.get(said, Verdict(False, "Take the subject's prompt, and leave out what only the subject has."))


# ----------------------------------------------------------------------------------------------------------- diversity


def distances(features: Float[Tensor, "N d"]) -> Loss:
    """The mean distance of two different rows of `features`."""
    return torch.pdist(features).mean()


DIVERSITY_SLIPS: Slips = {
    "You count each picture's distance to itself, which is 0: leave the diagonal out, or use torch.pdist.":
        lambda f: torch.cdist(f, f).mean(),
    "Those are squared distances: take the root.":
        lambda f: torch.pdist(f).square().mean(),
    "That is the sum over the pairs. It grows with the number of pictures: take the mean.":
        lambda f: torch.pdist(f).sum(),
    "That is the distance of neighbours in the list: take every pair.":
        lambda f: (f[1:] - f[:-1]).norm(dim=1).mean(),
    "That is the spread around the middle. What is asked for is the distance of two pictures, over all pairs.":
        lambda f: (f - f.mean(0)).norm(dim=1).mean(),
    "That is the spread of single features (std over the pictures). Take the distance of whole rows, for every pair.":
        lambda f: f.std(0).mean(),
    "That is the spread of single features (std over the pictures, divided by N). Take the distance of whole rows, for "
    "every pair.": lambda f: f.std(0, correction=0).mean(),
    "That is the std of all numbers at once. It knows no pictures: take the distance of whole rows, for every pair.":
        lambda f: f.std(),
    "That is numpy's std of all numbers at once. That knows no pictures: take the distance of whole rows, for every "
    "pair.": lambda f: f.std(correction=0),
    "That is the spread within each picture (std along the row): the rows are to be compared with each other.":
        lambda f: f.std(1).mean(),
    "That is numpy's spread within each picture (std along the row): compare the rows with each other.":
        lambda f: f.std(1, correction=0).mean(),
    "That is the std of the distances. Take their mean.": lambda f: torch.pdist(f).std(),
    "That is the variance of the features. Take the distance of whole rows, for every pair.":
        lambda f: f.var(0).sum(),
    "That is the distance of whole columns, features. Pictures are the rows: leave the transposition away.":
        lambda f: torch.pdist(f.T).mean(),
    "You add up the sizes of the differences (city blocks, p=1). Take the root of the sum of squares.":
        lambda f: torch.pdist(f, p=1).mean(),
    "That is the spread of the features (std), added up. Take the distance of whole rows, for every pair.":
        lambda f: f.std(0).sum(),
    "That is the length of the features' std. Take the distance of whole rows, for every pair.":
        lambda f: f.std(0).norm(),
    "The mean is over all N x N entries, those that were set to 0 too: divide by the number of pairs, N (N - 1) / 2.":
        lambda f: torch.cdist(f, f).triu(1).mean(),
    "Those are the distances to the first picture alone: take every pair.":
        lambda f: (f[1:] - f[0]).norm(dim=1).mean(),
    "That compares directions (cosine). Take the length of the difference of two rows.":
        lambda f: 1 - torch.cosine_similarity(f[:, None], f[None], dim=-1).mean(),
    "That is the mean size of the differences of single features: first the length of each whole row's difference.":
        lambda f: (f[:, None] - f).abs().mean() * len(f) / (len(f) - 1),
    "That is the median distance: take the mean.": lambda f: torch.pdist(f).median(),
    "That is the distance of the two that are nearest: take the mean over all pairs.": lambda f: torch.pdist(f).min(),
    "You divide by N, or count each pair twice, or half: there are N (N - 1) / 2 pairs.":
        lambda f: torch.pdist(f).sum() / len(f),
    "You count each pair twice, but divide as if it were counted once: there are N (N - 1) / 2 pairs.":
        lambda f: 2 * torch.pdist(f).mean(),
    "That is the distance of the two that differ most: take the mean over all pairs.":
        lambda f: torch.pdist(f).max(),
}


def mean_distance(answer: Callable[[Tensor], Tensor]) -> Verdict:
    """Is `answer(features)` the mean distance of two rows of `features` (N, d)?"""
    return of_formula(answer, [(FEATURES,), (2 * FEATURES[:4],), (OTHER[:3],), (OTHER,)], distances, DIVERSITY_SLIPS,
                      "0 if all pictures are the same, and in the units of the features: so compare it with its value "
                      "before the fit.")


# ----------------------------------------------------------------------------------------------- which sheet is which

#: letter of a sheet -> how the model that made it was fitted
SHEETS = {"A": "naive", "B": "before", "C": "word alone", "D": "with prior"}
TAKEN_FOR = {
    ("naive", "with prior"): "Look at \"a cat\" alone. A prior holds it; on which sheet has it slid to the subject?",
    ("with prior", "naive"): "Look at \"a cat\" alone. Without a prior it slides to the subject; on which sheet are "
                             "there still many kinds of cats?",
    ("word alone", "before"): "Of two sheets the row \"a cat\" is the same to the pixel. On one of them the word was "
                              "learnt: compare the rows below with the five pictures.",
    ("before", "word alone"): "Of two sheets the row \"a cat\" is the same to the pixel. On one of them nobody has "
                              "learnt anything yet: there the word \"sks\" means nothing.",
    ("word alone", "with prior"): "Where weights change, \"a cat\" changes at least a little. On this sheet, is it "
                                  "that of the unfitted model to the pixel?",
    ("with prior", "word alone"): "Where the word alone is learnt, no weight changes, and \"a cat\" is that of the "
                                  "unfitted model to the pixel. Is it here?",
}


def which_sheet(answer: Mapping[str, str]) -> Verdict:
    """Does `answer` name for each of the sheets A to D how its model was fitted?"""
    if is_unanswered(answer) or isinstance(answer, Mapping) and any(map(is_unanswered, answer.values())):
        return UNANSWERED
    if not isinstance(answer, Mapping) or set(answer) != set(SHEETS):
        return Verdict(False, "Expected a dictionary with the sheets A, B, C and D: {'A': ..., 'B': ..., ...}.")
    said = {sheet: str(way).lower().strip() for sheet, way in answer.items()}
    unknown = [way for way in said.values() if way not in SHEETS.values()]
    if unknown:
        return Verdict(False, f"{unknown[0]!r} is none of the four: {', '.join(sorted(SHEETS.values()))}.")
    twice = [way for way in SHEETS.values() if list(said.values()).count(way) > 1]
    if twice:
        return Verdict(False, f"{twice[0]!r} is there twice; each of the four made one sheet.")
    wrong = [sheet for sheet in SHEETS if said[sheet] != SHEETS[sheet]]
    if not wrong:
        return Verdict(True, "Drift is read from the class prompt, not from the subject's: two rows tell all four.")
    usual = "Compare both rows of the sheet with those of the unfitted model."
    return Verdict(False, f"Sheet {wrong[0]} is not {said[wrong[0]]!r}. "
                          + TAKEN_FOR.get((SHEETS[wrong[0]], said[wrong[0]]), usual))


# ----------------------------------------------------------------------------------------------- the number of steps

Curve = Mapping[int, tuple[float, float]]  # steps -> (subject, drift), both shares

CURVE: Curve = {25: (0.4, 0.0), 50: (0.7, 0.1), 100: (0.7, 0.1), 200: (0.8, 0.3), 400: (0.9, 0.5)}
MOST = 0.1
EDGE: Curve = {25: (0.4, 0.2), 50: (0.9, 0.3)}  # too much drift everywhere
def best_steps(curve: Curve, most: float) -> int:
    """The steps that show the subject most often, with drift of at most `most`; the fewest of equals, 0 if none."""
    allowed = [(-subject, steps) for steps, (subject, drift) in curve.items() if drift <= most]
    return min(allowed)[1] if allowed else 0


def allowed(curve: Curve, most: float, strictly: bool = False) -> dict[int, float]:
    """Steps with a drift of at most (or less than) `most` -> how often the subject is seen."""
    return {steps: subject for steps, (subject, drift) in curve.items()
            if drift < most or (drift == most and not strictly)}


def best_of(curve: Curve, most: float, *, strictly: bool = False, last: bool = False) -> int:
    """The best of the steps that are allowed: of equals the fewest, or the last of the dictionary."""
    steps = allowed(curve, most, strictly)
    return max(reversed([*steps]) if last else sorted(steps), key=lambda n: steps[n])


TABLES: list[tuple[Curve, float]] = [
    (CURVE, MOST), (CURVE, 0.3),
    ({300: (0.9, 0.15), 10: (0.2, 0.0), 60: (0.9, 0.2), 30: (0.5, 0.05), 700: (1.0, 0.6)}, 0.2),
    ({80: (0.6, 0.1), 20: (0.8, 0.0), 40: (0.7, 0.05), 15: (0.3, 0.04)}, 0.1)]
STEPS_SLIPS: Slips = {
    "That shows the subject most often, but what of drift? Only steps with drift of at most `most` are allowed.":
        lambda curve, most: max(sorted(curve), key=lambda n: curve[n][0]),
    "A drift of exactly `most` is enough: <=, not <.":
        lambda curve, most: best_of(curve, most, strictly=True),
    "There are two equally good ones, and more steps only cost more: take the fewest.":
        lambda curve, most: max(allowed(curve, most), key=lambda n: (allowed(curve, most)[n], n)),
    "Of equals you take the first of the dictionary: take the fewest steps, whatever the order is.":
        lambda curve, most: max(allowed(curve, most), key=lambda n: allowed(curve, most)[n]),
    "You take the fewest steps that are allowed. Of the allowed ones the best is wanted: the subject most often.":
        lambda curve, most: min(allowed(curve, most)),
    "You take the most steps that are allowed. Of the allowed ones the best is wanted: the subject most often.":
        lambda curve, most: max(allowed(curve, most)),
    "You take the steps with the least drift: what is allowed comes first, then how often the subject is seen.":
        lambda curve, most: min(sorted(curve), key=lambda n: curve[n][1]),
    "Subject and drift are swapped: curve[steps] is (subject, drift), in this order.":
        lambda curve, most: max((n for n in sorted(curve) if curve[n][0] <= most), key=lambda n: curve[n][1],
                                default=0),
    "`most` is not used: the function is told how much drift is allowed.":
        lambda curve, most: best_steps(curve, MOST),
    "You return how often the subject is seen: return the number of steps.":
        lambda curve, most: max(allowed(curve, most).values()),
    "You return 0, but some steps stay within `most`; 0 is for a curve where none does.": lambda curve, most: 0,
}


def choice_of_steps(answer: Callable[[Curve, float], int]) -> Verdict:
    """Does `answer(curve, most)` find the number of steps, from a curve steps -> (subject, drift)?"""
    told = of_formula(answer, TABLES, best_steps, STEPS_SLIPS,
                      "First what is allowed, then the best of it: the order that keeps a fit from being overdone.",
                      expected="a number of steps",
                      hint="For some curves those are not the steps that are allowed and show the subject most often.")
    for curve in (EDGE, {}) if told else ():
        nothing = run(answer, [(curve, MOST)], none=True)
        if isinstance(nothing, Verdict):
            return Verdict(False, f"Where every step drifts too much it fails: return 0 there. ({nothing.message})")
        if nothing != [0]:
            return Verdict(False, f"Where every step drifts too much you return {nothing[0]!r}: return 0, do not fit.")
    return told


# ---------------------------------------------------------------------------------------------------- sizes, and costs

Sizes = Sequence[tuple[int, int]]
LAYERS: Sizes = ((64, 64), (64, 48), (32, 100))  # (out, in) of linear layers


def lora_size(layers: Sizes, rank: int) -> int:
    """Numbers in B (out, rank) and A (rank, in) of every layer."""
    return sum(rank * (wide + deep) for wide, deep in layers)


SIZE_SLIPS: Slips = {
    "Those are the numbers of the full weights. A LoRA has B (out, rank) and A (rank, in) instead.":
        lambda layers, rank: sum(wide * deep for wide, deep in layers),
    "B A is as large as W, but it is never kept: what is kept is B, and A.":
        lambda layers, rank: rank * sum(wide * deep for wide, deep in layers),
    "That is A alone: B (out, rank) is fitted, too.":
        lambda layers, rank: rank * sum(deep for _, deep in layers),
    "That is B alone: A (rank, in) is fitted, too.":
        lambda layers, rank: rank * sum(wide for wide, _ in layers),
    "The rank is missing: B has out times rank numbers, A rank times in.":
        lambda layers, rank: sum(wide + deep for wide, deep in layers),
    "The rank counts once in each of the two: no square.":
        lambda layers, rank: rank**2 * sum(wide + deep for wide, deep in layers),
    "That is the first layer alone: sum over all of them.":
        lambda layers, rank: rank * sum(layers[0]),
    "That is the last layer alone: sum over all of them, with +=.":
        lambda layers, rank: rank * sum(layers[-1]),
    "You count B and A as one matrix of rank x rank, or add the ranks: each side of a layer counts rank times.":
        lambda layers, rank: sum(rank + wide + deep for wide, deep in layers),
    "That is the mean of the layers: add them up.":
        lambda layers, rank: lora_size(layers, rank) / max(len(layers), 1),
}


MODELS: list[tuple[Sizes, int]] = [(LAYERS, 3), (LAYERS, 5), (LAYERS[:1], 1), (((7, 2), (2, 9), (5, 5)), 4)]


def lora_numbers(answer: Callable[[Sizes, int], int]) -> Verdict:
    """Is `answer(layers, rank)` how many numbers a LoRA of linear layers (out, in) has?"""
    return of_formula(answer, MODELS, lora_size, SIZE_SLIPS,
                      "It grows with the sides of a layer, not with its area: the larger the model, the more is saved.",
                      expected="a whole number", hint="Count B (out, rank) and A (rank, in) of each layer, and add up.")


ROWS: Answers = {
    2400: (True, "1600 to make the prior, 800 to fit. The prior's pictures are made once and can be kept."),
    2000: (False, "Each step has four rows of the prior besides: 4 + 4."),
    1600: (False, "That is the prior's pictures alone, or a fit with sampling without guidance: count 32 * 25 "
                         "steps with two rows each, and the rows of the fit besides."),
    800: (False, "That is the fit alone. The prior's pictures must be made first."),
    1200: (False, "With guidance, each step of sampling has two rows: for the prompt and for the empty one."),
    400: (False, "That is the subject's rows alone: add the prior's, and what it costs to make its pictures."),
    3200: (False, "Guidance doubles the rows of sampling only. The fit predicts without it."),
}


def rows_of_a_fit(answer: int) -> Verdict:
    """Rows of the network for 32 prior pictures in 25 steps with guidance, and 100 steps with a batch of 4 and 4?"""
    return of_number(answer, ROWS, "Two parts: 32 pictures of 25 steps with two rows each, and 100 steps with 4 + 4 "
                     "rows.", "a number of rows")
