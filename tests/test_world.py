"""The Picturebook world: scenes, drawings, captions, splits and edits."""

from itertools import islice

import numpy as np
import pytest

from helpers.picturebook.caption import KNOWN_WORDS, describe
from helpers.picturebook.drawing import PARTS, compose, draw, part_mask
from helpers.picturebook.edits import KINDS, Edit, random_edit
from helpers.picturebook.judge import Reading
from helpers.picturebook.sampling import held_out_scenes, is_held_out, is_held_out_pair, random_scene, training_scenes
from helpers.picturebook.scene import Scene
from helpers.picturebook.subjects import SUBJECTS
from helpers.picturebook.vocabulary import (
    ACCENTS,
    CHARACTERS,
    CLASSES,
    CREATURES,
    PLACES,
    RIDES,
    STYLES,
    THINGS,
    WEARABLES,
)

LECTURE = [
    "A photo of a teddy bear wearing sunglasses on and having a drink",
    "A photo of a teddy bear wearing sunglasses on and having a red drink",
    *(f"photo of a cat riding on a {ride}" for ride in ("bicycle", "motorcycle", "car", "airplane", "train")),
    "a cake with decorations", "a cake with jelly beans", "The boulevards are crowded today", "My fluffy bunny doll",
    "Landscape with a house near a river and a rainbow in the background",
    "Children drawing of a castle next to a river", "a white ball", "a bowl of water", "big mountain", "big wall",
    "New York City", *(f"a dog {scene}" for scene in ("in the Acropolis", "swimming", "sleeping", "in a doghouse",
                                                      "in a bucket", "getting a haircut")),
]

#: attribute -> parts of the picture it may change; clouds and snow grey the sky, snow whitens the ground
MAY_CHANGE = {
    "color": {"thing"}, "fluffy": {"thing"}, "topping": {"topping"}, "ride": {"ride"}, "ride_color": {"ride"},
    "wearing": {"wearing"}, "wearing_color": {"wearing"}, "holding": {"holding"}, "holding_color": {"holding"},
    "beside": {"beside"}, "beside_color": {"beside"}, "rainbow": {"rainbow"}, "cloudy": {"clouds", "sky"},
    "crowded": {"crowd"}, "snowy": {"snow", "place", "sky"}, "thing": {"thing"},
}


def shapes_by_part(scene):
    """The display list, per part."""
    parts = {part: [] for part in PARTS}
    for shape in compose(scene).shapes:
        parts[shape.part].append((shape.points.round(9).tolist(), shape.color, shape.width, shape.opacity))
    return parts


def changed_in_every_way(scene, attribute):
    """All scenes that differ from `scene` in this attribute."""
    values = CLASSES.get(attribute, (0.0, 0.4, 0.9))
    if attribute == "thing":
        values = CREATURES if scene.thing in CREATURES else ()
    if attribute == "ride":
        values = RIDES[:-1] if scene.doing == "riding" else ()
    for value in values:
        if value != getattr(scene, attribute) and scene.has(attribute):
            try:
                yield scene.but(**{attribute: value})
            except ValueError:
                continue


@pytest.mark.parametrize("attribute", sorted(MAY_CHANGE))
def test_changing_one_attribute_moves_nothing_else(attribute):
    changes = ((scene, other) for scene in map(random_scene, range(2000))
               for other in islice(changed_in_every_way(scene, attribute), 3))
    compared = list(islice(changes, 24))
    assert len(compared) == 24
    for scene, other in compared:
        before, after = shapes_by_part(scene), shapes_by_part(other)
        moved = {part for part in PARTS if before[part] != after[part]}
        assert moved <= MAY_CHANGE[attribute], (scene, other)


def test_a_scene_is_drawn_the_same_every_time_and_random_state_is_untouched():
    import random
    state, np_state = random.getstate(), np.random.get_state()[1].copy()
    for style in STYLES:
        scene = random_scene(5).but(style=style)
        assert np.array_equal(draw(scene), draw(scene))
    assert random.getstate() == state and (np.random.get_state()[1] == np_state).all()


@pytest.mark.parametrize("thing", [t for t in THINGS if t != "none"])
@pytest.mark.parametrize("place", PLACES)
def test_every_thing_can_be_seen_in_every_place(thing, place):
    mask = np.asarray(part_mask(Scene(thing=thing, place=place, seed=3), "thing")) > 0
    assert 0.04 < mask.mean() < 0.6


@pytest.mark.parametrize("color", ACCENTS)
@pytest.mark.parametrize("wearing", [w for w in WEARABLES if w != "none"])
def test_what_is_worn_in_the_wearers_own_color_stands_out_from_the_fur(wearing, color):
    """A quarter of its pixels at least are 40 of 255 levels away from the fur that they hide."""
    for seed, thing in enumerate(("cat", "dog", "bear")):
        scene = Scene(thing=thing, color=color, wearing=wearing, wearing_color=color, seed=seed)
        dressed, bare = (np.asarray(draw(s), float) for s in (scene, scene.but(wearing="none")))
        worn = np.asarray(part_mask(scene, "wearing").resize(draw(scene).size)) > 127
        assert (abs(dressed - bare).mean(2)[worn] > 40).mean() > 1 / 4


@pytest.mark.parametrize("size", [64, 128, 300])
def test_a_drawing_has_the_size_asked_for(size):
    assert draw(random_scene(1), size).size == (size, size)


def test_a_scene_that_cannot_be_drawn_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="expected 'cat', 'dog'"):
        Scene(thing="dragon")
    with pytest.raises(ValueError, match="Only animals and dolls"):
        Scene(thing="castle", wearing="hat")
    with pytest.raises(ValueError, match="Only a street"):
        Scene(place="beach", crowded=0.5)
    with pytest.raises(ValueError, match="fluffy is 2; expected a number from 0 to 1: an amount"):
        Scene(fluffy=2)
    with pytest.raises(ValueError, match="Only a cake"):
        Scene(thing="cat", topping="candles")


def test_changing_the_ride_sets_what_the_creature_does():
    riding = Scene(thing="cat").but(ride="train")
    assert riding.doing == "riding" and riding.but(ride="none").doing == "standing"


def test_training_never_sees_held_out_scenes_or_combinations():
    assert not any(is_held_out(s) for s in islice(training_scenes(), 500))
    assert max(s.seed for s in islice(training_scenes(), 500)) < min(s.seed for s in islice(held_out_scenes(True), 5))
    assert all(is_held_out(s) for s in islice(held_out_scenes(True), 20))


def test_enough_combinations_are_held_out_and_none_that_the_lecture_asks_for():
    share = np.mean([is_held_out(random_scene(i)) for i in range(2000)])
    assert 0.1 < share < 0.35
    lecture_rides = ("bicycle", "motorcycle", "car", "airplane", "train")
    rides = [Scene(thing="cat", ride=ride, doing="riding") for ride in lecture_rides]
    teddy = Scene(thing="teddy bear", wearing="sunglasses", holding="drink", holding_color="red")
    for pair in (("thing", "ride"), ("thing", "wearing"), ("holding", "holding_color")):
        assert not any(is_held_out_pair(scene, *pair) for scene in (*rides, teddy))
    assert not is_held_out_pair(Scene(thing="house", place="river"), "thing", "place")
    assert not is_held_out_pair(Scene(thing="castle", place="river"), "thing", "place")


def test_every_word_of_the_lecture_is_known():
    words = {w for prompt in LECTURE for w in prompt.lower().split()}
    assert words <= KNOWN_WORDS, words - KNOWN_WORDS


def test_prompt_and_target_prompt_differ_in_the_words_of_the_change_alone():
    cat = Scene(thing="cat", color="gray", ride="bicycle", doing="riding", place="street")
    edit = Edit(cat, cat.but(ride="car"))
    assert set(edit.prompt.split()) ^ set(edit.target_prompt.split()) == {"bicycle", "car"}
    for seed in range(30):
        edit = random_edit("color", seed, wording=seed)
        a, b = edit.prompt.split(), edit.target_prompt.split()
        different = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        articles = {"a", "an"}
        assert 1 <= len([i for i in different if a[i] not in articles]) == 1


def test_captions_vary_and_tell_what_they_say_they_tell():
    scene = random_scene(9)
    texts = {describe(scene, seed).text for seed in range(40)}
    assert len(texts) > 20
    for seed in range(300):
        scene = random_scene(seed)
        caption = describe(scene, seed)
        if "color" in caption.said:
            assert scene.color in caption.text or scene.color == "gray" and "grey" in caption.text
        for attribute in ("wearing", "holding", "ride", "beside"):
            assert (attribute in caption.said) == (getattr(scene, attribute) != "none")


def test_a_caption_tells_what_it_is_asked_to_tell():
    for seed in range(200):
        scene = random_scene(seed)
        for attribute in ("color", "place", "sky"):
            if scene.has(attribute):
                assert attribute in describe(scene, seed, tell=[attribute]).said


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_edit_of_every_kind_changes_one_attribute_within_its_mask(kind):
    for number in range(5):
        edit = random_edit(kind, number)
        assert KINDS[kind] in edit.changed and edit.prompt != edit.target_prompt
        a, b, mask = (np.asarray(x, int) for x in (edit.picture, edit.target_picture, edit.mask))
        assert 0 < (mask > 0).mean() <= 1
        assert abs(a - b)[mask == 0].max(initial=0) <= 12
        assert not is_held_out(edit.source) and not is_held_out(edit.target)


def test_a_picture_holds_no_more_than_its_parts():
    assert {s.part for i in range(200) for s in compose(random_scene(i)).shapes} <= set(PARTS)


def test_the_characters_of_dreambooth_are_never_drawn_for_training():
    assert all(random_scene(i).character == "none" for i in range(300))
    for name, thing in CHARACTERS.items():
        plain, own = Scene(thing=thing), Scene(thing=thing, character=name)
        assert not np.array_equal(draw(plain), draw(own))


def test_a_character_is_one_that_is_known_and_fits_its_own_kind_alone():
    assert {name: subject.thing for name, subject in SUBJECTS.items()} == CHARACTERS
    with pytest.raises(ValueError, match="character is 'pip'; expected 'pim', 'bo', 'zuzu' or 'none'"):
        Scene(character="pip")
    with pytest.raises(ValueError, match="Only a cat can be pim; the thing here is 'castle'"):
        Scene(thing="castle", character="pim")
    with pytest.raises(ValueError, match="Only a cat can be pim"):
        Scene(character="pim").but(thing="dog")


def test_an_edit_says_that_the_character_changes_and_the_judge_says_that_it_cannot_read_it():
    plain, pim = Scene(seed=3), Scene(seed=3, character="pim")
    assert Edit(plain, pim).changed == ("character",) and Edit(pim, pim.but(place="beach")).changed == ("place",)
    assert pim.has("character") and not plain.has("character")
    with pytest.raises(ValueError, match="cannot tell a character.*Recognizer"):
        Reading({}, {}, {}).agrees(pim, "character")
