"""The check of lesson 6's choice: the smallest eta that works often enough, then the best of its noises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpers.check.trial import Slips, agree, run, what_is_wrong
from helpers.check.values import kind_of, number, same, shape_of
from helpers.check.verdict import Verdict

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


Obeys = Callable[[float], bool]


def other(obeys: Obeys = lambda obeyed: obeyed == 1, *, among: Obeys = lambda obeyed: obeyed == 1, sort: bool = True,
          more: bool = False, share: float | None = None, mean: bool = False, place: bool = True, last: bool = False,
          best: Callable[..., Any] = max) -> Callable[..., Any]:
    """`chosen` with a slip: who counts as obeying, among whom the best is sought, in which order, and how many do."""

    def choice(measured: Measured, enough: float) -> Any:
        limit, found = enough if share is None else share, []
        for eta in sorted(measured) if sort else measured:
            rows = measured[eta]
            count = sum(obeyed for obeyed, _ in rows) if mean else sum(obeys(obeyed) for obeyed, _ in rows)
            free = [i for i, (obeyed, _) in enumerate(rows) if among(obeyed)]
            if free and (count > limit * len(rows) if more else count >= limit * len(rows)):
                i = best(free, key=lambda i: rows[i][1])
                found.append((eta, i if place else free.index(i)))
        return found[-1 if last else 0]

    return choice


TABLES: list[tuple[Measured, float]] = [
    (SWEEP, SHARE), (SWEEP, 0.2), (SWEEP, 0.9),
    ({0.3: [(0.0, 30.0)], 0.7: [(0.5, 24.0), (1.0, 20.0), (1.0, 23.0)], 0.9: [(1.0, 14.0), (1.0, 13.0)]}, 0.6)]
ETA_SLIPS: Slips = {
    "You take every eta at which one noise obeys, which may be luck: count them, and compare with `enough`.":
        other(share=1e-9),
    "You take the largest eta that works. A smaller one keeps more: the first that is good enough.": other(last=True),
    "The eta is right. The noise you chose keeps most of all, but does not obey: leave those out first.":
        other(among=lambda obeyed: True),
    "An obeyed of 0.5 is half an edit and does not count: obeyed == 1, not obeyed > 0.":
        other(lambda obeyed: obeyed > 0, among=lambda obeyed: obeyed > 0),
    "You compare the mean of obeyed with `enough`; asked is the share of the noises with obeyed == 1.":
        other(mean=True),
    "The eta is right, but you count the place among those that obey. The place is that in the whole list.":
        other(place=False),
    "The eta is right, but this noise keeps least of those that obey: take the one that keeps most.": other(best=min),
    "At least `enough` means >=, not >.": other(more=True),
    "You take the etas in the dictionary's order: sort them.": other(sort=False),
    "`enough` is not used: the function is told which share must obey.": other(share=SHARE),
}


def choice_of_eta(answer: Callable[[Measured, float], Choice | None]) -> Verdict:
    """Does `answer(measured, enough)` find the smallest eta that works often enough, and its best noise?"""
    found = run(answer, TABLES, none=True)
    if isinstance(found, Verdict):
        return found
    for value, given in zip(found, TABLES, strict=True):
        if wrong := wrong_choice(value, given[0], chosen(*given)):
            return Verdict(False, wrong)
    if not agree(found, wanted := [chosen(*given) for given in TABLES]):
        return Verdict(False, what_is_wrong(
            answer, found, TABLES, wanted, ETA_SLIPS, "Go through the etas from the smallest, count the noises with "
            "obeyed == 1, stop at the first eta with enough of them."))
    for never in ({0.5: [(0.0, 20.0), (0.5, 21.0)]}, {0.5: [(1.0, 20.0), (0.0, 21.0), (0.0, 21.0)]}, {}):
        last = run(answer, [(never, SHARE)], none=True)
        if isinstance(last, Verdict):
            return Verdict(False, f"Where no eta is good enough, return None. {last.message}")
        if last != [None]:
            return Verdict(False, "Where no eta is good enough you return one all the same: return None there.")
    return Verdict(True, "First where it works, then which draw of the noise: the knob, then the luck.")


def wrong_choice(found: Any, measured: Measured, wanted: Choice | None) -> str:
    """What is wrong with the form of a choice; an empty text if nothing is."""
    if found is None:
        return "Your function returns None although at some eta enough noises obey: is there a `return`?"
    if number(found) is not None:
        right = "The eta is right; return" if wanted and same(found, wanted[0]) else "Return"
        return f"{right} the place of the noise too: (eta, place)."
    if shape_of(found) not in (None, (2,)) or not (shape_of(found) or isinstance(found, (tuple, list))):
        return f"Your function returns {kind_of(found)}; expected (eta, place)."
    if len(found) != 2 or number(found[0]) is None:
        return "Return two numbers, (eta, place): which eta, and the place of its noise in the list."
    rows = next((rows for eta, rows in measured.items() if same(found[0], eta)), ())
    if any(found[1] is row or found[1] == row for row in rows if isinstance(found[1], tuple)):
        return "You return the noise's numbers; return its place in the list."
    if number(found[1]) is None:
        return f"The place of the noise is a number, not {kind_of(found[1])}: (eta, place)."
    if any(same(found[1], kept) for _, kept in rows):
        return "You return what the noise keeps; return its place in the list."
    return ""
