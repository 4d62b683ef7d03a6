"""What can be in a picture of the Picturebook world: every attribute and its values.

A value is also the word the captions use for it (caption.py knows the synonyms).
`ABSENT` marks a part that is not there.
"""

from __future__ import annotations

ABSENT = "none"

ANIMALS = ("cat", "dog", "bunny", "bear", "fox", "pig", "frog", "owl", "penguin", "elephant")
DOLLS = ("teddy bear", "bunny doll")
CREATURES = ANIMALS + DOLLS  # what can ride, wear, hold, sleep
OBJECTS = ("cake", "castle", "house", "ball", "bowl of water")
THINGS = CREATURES + OBJECTS + (ABSENT,)  # the main thing of a picture; absent: a landscape

COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray")
ACCENTS = ("red", "yellow", "green", "blue", "purple", "pink", "black", "white")  # colours of second things

DOINGS = ("standing", "riding", "sleeping", "swimming", "in a doghouse", "in a bucket", "getting a haircut")
RIDES = ("bicycle", "motorcycle", "car", "airplane", "train", "boat", ABSENT)
WEARABLES = ("sunglasses", "hat", "scarf", "crown", ABSENT)
HOLDABLES = ("drink", "balloon", "umbrella", "flower", ABSENT)
BESIDES = ("ball", "bowl of water", "present", "flower pot", ABSENT)
TOPPINGS = ("decorations", "jelly beans", "candles", ABSENT)

PLACES = ("beach", "forest", "desert", "city", "street", "meadow", "mountain", "wall", "temple", "river", "room")
SKIES = ("day", "sunset", "night")
STYLES = ("plain", "pencil sketch", "watercolor", "children drawing", "pixel art")

GRADED = ("fluffy", "crowded", "cloudy", "snowy")  # words with an amount behind them, in [0, 1]; 0: not there

#: DreamBooth's subjects, never drawn for training -> the only thing each of them can be
CHARACTERS = {"pim": "cat", "bo": "dog", "zuzu": "bunny"}

#: attribute -> its values, for every attribute that names a class
CLASSES: dict[str, tuple[str, ...]] = {
    "place": PLACES, "sky": SKIES, "rainbow": ("no", "yes"), "style": STYLES,
    "thing": THINGS, "color": COLORS, "doing": DOINGS, "topping": TOPPINGS,
    "ride": RIDES, "ride_color": ACCENTS, "wearing": WEARABLES, "wearing_color": ACCENTS,
    "holding": HOLDABLES, "holding_color": ACCENTS, "beside": BESIDES, "beside_color": ACCENTS,
}
