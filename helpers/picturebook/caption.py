"""Captions: what people type for a scene, in many wordings, and which attributes a caption tells.

Each slot of a caption draws from a random stream of its own, so the captions of two scenes with one attribute changed
differ in the words of that attribute alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from typing import Annotated, Any, NamedTuple

from ..core.values import Kind, Seed, choice, entrance, listed
from .scene import Scene
from .vocabulary import ABSENT, ACCENTS, CLASSES, COLORS, GRADED

# In each list the first wording is the plain one; a wording may stand several times to be drawn more often.
STYLE_PREFIX = {
    "plain": ["", "", "a photo of", "a photo of", "photo of", "a picture of", "an image of", "a drawing of"],
    "pencil sketch": ["a pencil sketch of", "pencil sketch of", "a sketch of", "a pencil drawing of"],
    "watercolor": ["a watercolor of", "a watercolor painting of", "watercolor of", "a watercolour of"],
    "children drawing": ["a children drawing of", "children drawing of", "a child's drawing of",
                         "a children's drawing of", "a kid's drawing of"],
    "pixel art": ["pixel art of", "a pixel art picture of", "pixel art of", "a pixel art of"],
}
NOUNS = {
    "bunny": ["bunny", "bunny", "rabbit"], "bear": ["bear"], "cat": ["cat"], "dog": ["dog"], "fox": ["fox"],
    "pig": ["pig"], "frog": ["frog"], "owl": ["owl"], "penguin": ["penguin"], "elephant": ["elephant"],
    "teddy bear": ["teddy bear", "teddy bear", "teddy"], "bunny doll": ["bunny doll", "bunny doll", "rabbit doll"],
    "cake": ["cake"], "castle": ["castle"], "house": ["house"], "ball": ["ball"], "bowl of water": ["bowl of water"],
    "bicycle": ["bicycle", "bicycle", "bike"], "motorcycle": ["motorcycle", "motorcycle", "motorbike"], "car": ["car"],
    "airplane": ["airplane", "airplane", "plane"], "train": ["train"], "boat": ["boat"],
    "sunglasses": ["sunglasses"], "hat": ["hat"], "scarf": ["scarf"], "crown": ["crown"],
    "drink": ["drink"], "balloon": ["balloon"], "umbrella": ["umbrella"], "flower": ["flower"],
    "present": ["present", "present", "gift"], "flower pot": ["flower pot"],
}
DOING = {
    "riding": ["riding", "riding", "riding on", "riding on", "on"], "sleeping": ["sleeping", "sleeping", "asleep"],
    "swimming": ["swimming"], "in a doghouse": ["in a doghouse", "in the doghouse", "sitting in a doghouse"],
    "in a bucket": ["in a bucket", "sitting in a bucket", "in the bucket"],
    "getting a haircut": ["getting a haircut", "having a haircut"],
    "standing": ["standing"],
}
PLACE = {
    "beach": ["on the beach", "on the beach", "at the beach", "on a beach", "at the sea"],
    "forest": ["in the forest", "in the forest", "in a forest", "in the woods", "between trees"],
    "desert": ["in the desert", "in the desert", "in a desert", "in the sand with cacti"],
    "city": ["in the city", "in the city", "in a city", "in New York City", "in New York", "in front of a city"],
    "street": ["on the street", "on the street", "on a street", "on the boulevard", "in the street"],
    "meadow": ["in a meadow", "in a meadow", "on a meadow", "in the grass", "in a field of flowers"],
    "mountain": ["in front of a big mountain", "in front of a mountain", "in the mountains", "near a big mountain"],
    "wall": ["in front of a big wall", "in front of a wall", "at a big wall", "in front of a brick wall"],
    "temple": ["at the temple", "at a temple", "at the Acropolis", "in the Acropolis", "in front of a temple"],
    "river": ["near a river", "near a river", "next to a river", "by the river", "at the river"],
    "room": ["in a room", "in a room", "in the room", "at home", "in the room"],
}
CROWDED = ["on a crowded street", "on the crowded street", "on a crowded boulevard", "in a crowded street"]
LANDSCAPE = {
    "beach": ["the beach", "a beach", "the sea"], "forest": ["a forest", "the forest", "trees", "the woods"],
    "desert": ["a desert", "the desert"], "city": ["a city", "the city", "New York City", "a big city"],
    "street": ["a street", "the street", "a boulevard", "the boulevards"],
    "meadow": ["a meadow", "the meadow", "a field of flowers"],
    "mountain": ["a big mountain", "a mountain", "the mountains", "the big mountain"],
    "wall": ["a big wall", "a wall", "a brick wall", "the big wall"],
    "temple": ["a temple", "the temple", "the Acropolis"], "river": ["a river", "the river"],
    "room": ["a room", "the room", "an empty room"],
}
CROWDED_LANDSCAPE = ["a crowded street", "the street is crowded", "the boulevards are crowded today",
                     "a crowded boulevard", "a street that is crowded", "the boulevards are crowded"]
SKY = {
    "day": ["during the day", "on a sunny day", "in the sun"], "sunset": ["at sunset", "at sunset", "in the evening"],
    "night": ["at night", "at night", "in the night", "under the moon"],
}
CLOUDY = ["under a cloudy sky", "on a cloudy day", "with a cloudy sky", "with clouds"]
SNOWY = ["in the snow", "in the snow", "on a snowy day", "with snow"]
RAINBOW = ["with a rainbow in the background", "and a rainbow in the background", "under a rainbow", "with a rainbow"]
BESIDE = ["next to", "next to", "beside", "and", "with"]
WEARING = ["wearing", "wearing", "with"]
HOLDING = {"drink": ["having", "holding", "having", "with"], ABSENT: ["holding", "holding", "with"]}
TOPPING = {"decorations": ["with decorations", "with decorations", "with sweet decorations"],
           "jelly beans": ["with jelly beans", "with jelly beans", "with many jelly beans"],
           "candles": ["with candles", "with candles", "with burning candles"]}
DETERMINERS = ["a", "a", "a", "the", "my"]
SPELLINGS = {"gray": "grey"}  # drawn now and then
FILLERS = ["nice", "little", "cute", "small", "happy", "one", "beautiful", "very", "some", "this"]

#: the plural of the last word of a creature's noun; there is one in the picture all the same
PLURALS = {"cat": "cats", "dog": "dogs", "bunny": "bunnies", "rabbit": "rabbits", "bear": "bears", "fox": "foxes",
           "pig": "pigs", "frog": "frogs", "owl": "owls", "penguin": "penguins", "elephant": "elephants"}

#: how often a caption tells an attribute that the picture has
TELL = {"place": 0.88, "color": 0.86, "sky": 0.9, "cloudy": 0.92, "snowy": 0.95, "rainbow": 0.95,
        "color of extras": 0.85}


def attributes(name: str, value: Any) -> list[str]:
    """Names of what a scene has, in any collection."""
    several = sorted(value) if isinstance(value, set | frozenset) else value
    return [choice(f"{name}[{i}]", one, (*CLASSES, *GRADED, "character")) for i, one in
            enumerate(listed(name, several, "names of attributes: ('color',)", empty=True))]


Told = Annotated[Collection[str], Kind(attributes)]


class Caption(NamedTuple):
    """A caption, and the attributes of the scene it tells."""

    text: str
    said: frozenset[str]


@entrance
def describe(scene: Scene, seed: Seed | None = None, tell: Told = ()) -> Caption:
    """What somebody might type for `scene`.

    `seed=None` gives the plain wording, which tells all there is; a number gives one of many wordings, some of which
    leave attributes out, but never one of `tell`.
    """
    return _Writer(scene, seed, frozenset(tell)).write()


class _Writer:
    """Writes one caption: each method is a slot with a random stream of its own."""

    def __init__(self, scene: Scene, seed: int | None, tell: frozenset[str]) -> None:
        self.scene, self.seed, self.tell = scene, seed, tell
        self.said: set[str] = set()

    def stream(self, slot: str) -> random.Random:
        return random.Random(f"{self.seed}/caption/{slot}")

    def pick(self, slot: str, wordings: list[str]) -> str:
        """One wording; the same position in the list whatever the attribute's value."""
        if self.seed is None:
            return wordings[0]
        return wordings[int(self.stream(slot).random() * len(wordings))]

    def tells(self, attribute: str, chance: float) -> bool:
        told = self.seed is None or attribute in self.tell or self.stream(f"tell {attribute}").random() < chance
        if told:
            self.said.add(attribute)
        return told

    def noun(self, slot: str, value: str) -> str:
        self.said.add(slot)
        return self.pick(slot, NOUNS[value])

    def color(self, slot: str, chance: float) -> str:
        if not self.scene.has(slot) or not self.tells(slot, chance):
            return ""
        word: str = getattr(self.scene, slot)
        rare = self.seed is not None and self.stream(f"spelling {slot}").random() < 0.3
        return SPELLINGS.get(word, word) if rare else word

    def extra(self, slot: str) -> str:
        """"a red hat": the second thing of `slot` with its colour and article."""
        noun = self.noun(slot, getattr(self.scene, slot))
        phrase = _join(self.color(f"{slot}_color", TELL["color of extras"]), noun)
        return phrase if noun == "sunglasses" else _article(phrase)

    def main(self) -> str:
        scene = self.scene
        noun = self.noun("thing", scene.thing)
        fluffy = "fluffy" if scene.fluffy and self.tells("fluffy", 1.0) else ""
        filler = ""
        if self.seed is not None and self.stream("filler").random() < 0.08:
            filler = self.stream("which filler").choice(FILLERS)
        determiner = self.pick("determiner", DETERMINERS)
        if determiner == "the" and noun in PLURALS and self.stream("plural").random() < 0.15:
            noun = PLURALS[noun]
        phrase = _join(filler, fluffy, self.color("color", TELL["color"]), noun)
        phrase = _article(phrase) if determiner == "a" else _join(determiner, phrase)
        if scene.topping != ABSENT:
            self.said.add("topping")
            phrase = _join(phrase, self.pick("topping", TOPPING[scene.topping]))
        return phrase

    def doing(self) -> list[str]:
        scene, clauses = self.scene, []
        if scene.ride != ABSENT:
            self.said.add("doing")
            clauses.append(_join(self.pick("doing", DOING["riding"]), self.extra("ride")))
        elif scene.doing != "standing" or "doing" in self.tell:
            self.said.add("doing")
            clauses.append(self.pick("doing", DOING[scene.doing]))
        if scene.wearing != ABSENT:
            on = "on" if scene.wearing == "sunglasses" and self.pick("on", ["", "", "", "on"]) else ""
            clauses.append(_join(self.pick("wear", WEARING), self.extra("wearing"), on))
        if scene.holding != ABSENT:
            verbs = HOLDING.get(scene.holding, HOLDING[ABSENT])
            clauses.append(_join(self.pick("hold", verbs), self.extra("holding")))
        return clauses

    def place(self) -> str:
        if not self.tells("place", 1.0 if self.scene.crowded else TELL["place"]):
            return ""
        if self.scene.crowded:
            self.said.add("crowded")
            return self.pick("crowded", CROWDED)
        return self.pick("place", PLACE[self.scene.place])

    def landscape(self) -> str:
        self.said |= {"place", "thing"}
        if self.scene.crowded:
            self.said.add("crowded")
            return self.pick("crowded landscape", CROWDED_LANDSCAPE)
        prefix = self.pick("landscape", ["", "", "", "a landscape with"])
        return _join(prefix, self.pick("place", LANDSCAPE[self.scene.place]))

    def weather(self) -> list[str]:
        scene, words = self.scene, []
        chance = 0.0 if scene.sky == "day" else TELL["sky"]
        if (self.seed is None or "sky" in self.tell) and (scene.sky != "day" or "sky" in self.tell):
            chance = 1.0
        if (self.seed is not None or chance) and self.tells("sky", max(chance, 0.05)):
            words.append(self.pick("sky", SKY[scene.sky]))
        for name, wordings in (("cloudy", CLOUDY), ("snowy", SNOWY)):
            if getattr(scene, name) and self.tells(name, TELL[name]):
                words.append(self.pick(name, wordings))
        if scene.rainbow == "yes" and self.tells("rainbow", TELL["rainbow"]):
            words.append(self.pick("rainbow", RAINBOW))
        return words

    def write(self) -> Caption:
        scene = self.scene
        prefix = self.pick("prefix", STYLE_PREFIX[scene.style])
        if prefix and scene.style != "plain":
            self.said.add("style")
        if scene.thing == ABSENT:
            text = " ".join(_join(prefix, self.landscape(), *self.weather()).split())
            return Caption(text, frozenset(self.said))
        clauses = self.doing()
        beside = ""
        if scene.beside != ABSENT:
            beside = _join(self.pick("next to", BESIDE), self.extra("beside"))
        place, weather = self.place(), self.weather()
        landscape = "landscape with" if scene.thing in ("house", "castle") and self.pick(
            "landscape", ["", "", "", "landscape with"]) else ""
        subject = _join(prefix, landscape, self.main(), " and ".join(clauses), beside)
        if place and prefix == "" and self.pick("order", ["after"] * 9 + ["before"]) == "before":
            text = f"{_join(place, *weather)}, {subject}"
        else:
            text = _join(subject, place, *weather)
        return Caption(text + self.pick("end", [""] * 7 + ["."]), frozenset(self.said))


def _join(*words: str) -> str:
    return " ".join(w for w in words if w)


def _article(phrase: str) -> str:
    return ("an " if phrase[:1] in "aeiou" else "a ") + phrase


def _known_words() -> frozenset[str]:
    """Every word some caption can hold, in lower case, and the other number of every noun."""
    tables = (STYLE_PREFIX, NOUNS, DOING, PLACE, LANDSCAPE, SKY, HOLDING, TOPPING)
    wordings = [w for table in tables for ws in table.values() for w in ws]
    for more in (CROWDED, CROWDED_LANDSCAPE, CLOUDY, SNOWY, RAINBOW, BESIDE, WEARING, DETERMINERS, FILLERS, COLORS,
                 ACCENTS, SPELLINGS.values(), PLURALS.values(), ["an", "landscape with", "on", "fluffy"]):
        wordings += list(more)
    return frozenset(w for wording in wordings for w in re.findall(r"[a-z]+", wording.lower()))


KNOWN_WORDS = _known_words()
