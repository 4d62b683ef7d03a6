"""DreamBooth's subjects: characters that no training picture shows, and the scenes to put them in.

    pim = SUBJECTS["pim"]                       a cat with teal fur, orange spots and a horn
    pim.pictures()                              five pictures of it
    pim.prompt("sks")                           "a sks cat"
    pim.prompt("sks", "temple")                 "a sks cat at the temple"
    draw(pim.scene("temple", seed=3))           the true answer; `part_mask` gives its masks
    Recognizer(pim, Judge.load()).of(pictures)  how sure it is that each picture shows pim and not another cat
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ..core.pictures import Several
from ..core.values import Flag, Number, Prompt, Seed, choice, entrance, known
from .caption import DOING, NOUNS, PLACE, SKY
from .drawing import draw
from .judge import Judge
from .sampling import FIRST_HELD_OUT_SEED, random_scene
from .scene import Scene
from .vocabulary import ABSENT, CHARACTERS, CREATURES

#: name of a context -> what is changed in a scene; the last six are rides
CONTEXTS: dict[str, dict[str, str]] = {
    "temple": {"place": "temple"},
    "swimming": {"doing": "swimming", "place": "beach"},
    "sleeping": {"doing": "sleeping", "place": "room"},
    "doghouse": {"doing": "in a doghouse", "place": "meadow"},
    "bucket": {"doing": "in a bucket", "place": "meadow"},
    "haircut": {"doing": "getting a haircut", "place": "room"},
    "bicycle": {"ride": "bicycle", "ride_color": "red", "place": "street"},
    "motorcycle": {"ride": "motorcycle", "ride_color": "blue", "place": "desert"},
    "car": {"ride": "car", "ride_color": "yellow", "place": "city"},
    "airplane": {"ride": "airplane", "ride_color": "red", "place": "mountain"},
    "train": {"ride": "train", "ride_color": "green", "place": "forest"},
    "boat": {"ride": "boat", "ride_color": "purple", "place": "river"},
}

#: where the pictures of a subject are taken: none of the contexts above
TAKEN = ({"place": "meadow"}, {"place": "beach"}, {"place": "wall"}, {"place": "forest"},
         {"place": "street", "sky": "sunset"}, {"place": "desert"})


Drawings = Annotated[int, Number(2, 10_000, whole=True)]
Places = Annotated[int, Number(1, len(TAKEN), whole=True)]


@known("a subject of DreamBooth: SUBJECTS['pim']")
@dataclass(frozen=True)
class Subject:
    """One character: what class of things it belongs to, and how it is drawn."""

    name: str
    thing: str

    @property
    def noun(self) -> str:
        """The word for its class, "cat"."""
        return NOUNS[self.thing][0]

    @entrance
    def prompt(self, word: Prompt = "", context: str | None = None) -> str:
        """"a sks cat at the temple" for the word "sks"; without a word it speaks of any one of the class."""
        return " ".join(filter(None, ["a", word, self.noun, words(context)]))

    @entrance
    def scene(self, context: str | None = None, seed: Seed = 0, known: Flag = True) -> Scene:
        """The subject in a context (`CONTEXTS`), laid out by `seed`; `known=False`: another one of its class."""
        attributes = check_context(context)
        character = {"character": self.name} if known else {}
        return Scene(seed=seed, thing=self.thing, color="gray").but(**attributes, **character)

    @entrance
    def pictures(self, count: Places = 5, seed: Seed = 0) -> list[Image.Image]:
        """1 to 6 pictures of the subject, each at another place; it stands in all of them."""
        return [draw(self.scene(seed=100 * seed + i).but(**TAKEN[i])) for i in range(count)]

    def seen(self, known: bool, first: int = 0) -> Iterator[Image.Image]:
        """Drawings of scenes of all kinds with the subject, or with others of its class; without an end."""
        for number in range(FIRST_HELD_OUT_SEED + first, 2 * FIRST_HELD_OUT_SEED):
            scene = random_scene(number)
            if scene.thing in CREATURES and scene.style == "plain":
                yield draw(scene.but(thing=self.thing, fluffy=0.0, character=self.name if known else ABSENT))


SUBJECTS = {name: Subject(name, thing) for name, thing in CHARACTERS.items()}


def check_context(context: str | None) -> dict[str, str]:
    """What a context changes; a ValueError that lists them for one there is not."""
    return {} if context is None else CONTEXTS[choice("context", context, CONTEXTS)]


def words(context: str | None) -> str:
    """A context as the end of a prompt; where the subject does something, that alone."""
    told = check_context(context)
    if "ride" in told:
        color, ride = told["ride_color"], NOUNS[told["ride"]][0]
        return f"{DOING['riding'][0]} a {color} {ride}"
    if "doing" in told:
        return DOING[told["doing"]][0]
    return " ".join([*(PLACE[told["place"]][:1] if "place" in told else ()), *(SKY[told["sky"]][:1] if "sky" in told
                                                                                else ())])


def obeyed(context: str) -> tuple[str, ...]:
    """The attributes of the picture that a context's prompt asks for."""
    told = check_context(context)
    if "ride" in told:
        return "doing", "ride", "ride_color"
    return ("doing",) if "doing" in told else tuple(told)


class Recognizer:
    """Tells a subject from the others of its class: a linear discriminant of the judge's features (Fisher 1936).

    through: what the pictures to be told apart have gone through, an autoencoder say; the drawings it learns from do
        the same. count: drawings of each kind it learns from.
    made: pictures by a model that has never seen the subject, if pictures by it are to be told apart. A model has a
        hand of its own, which is not to be taken for a mark of the subject.
    """

    @entrance
    def __init__(self, subject: Subject, judge: Judge, count: Drawings = 100,
                 through: Callable[[Sequence[Image.Image]], list[Image.Image]] = list,
                 made: Several = ()) -> None:
        self.subject, self.judge, self.through = subject, judge, through
        its, others = (self._features(known, count, 0) for known in (True, False))
        others = torch.cat([others, judge.describe(made)]) if made else others
        spread = torch.cov(torch.cat([its - its.mean(0), others - others.mean(0)]).T)
        spread += 0.05 * spread.diagonal().mean() * torch.eye(len(spread))
        self.axis = torch.linalg.solve(spread, its.mean(0) - others.mean(0))
        self.middle = (its.mean(0) + others.mean(0)) / 2

    def _features(self, known: bool, count: int, first: int) -> Float[Tensor, "drawings 512"]:
        drawings = list(islice(self.subject.seen(known, first), count))
        return self.judge.describe(self.through(drawings))

    @entrance
    def of(self, pictures: Several) -> list[float]:
        """How sure it is that each picture shows the subject, in [0, 1]."""
        sure: list[float] = ((self.judge.describe(pictures) - self.middle) @ self.axis).sigmoid().tolist()
        return sure

    def accuracy(self, count: int = 50) -> float:
        """The share it gets right of `count` drawings of each kind that it did not learn from."""
        its, others = (((self._features(known, count, 100_000) - self.middle) @ self.axis) for known in (True, False))
        return float(torch.cat([its > 0, others < 0]).float().mean())
