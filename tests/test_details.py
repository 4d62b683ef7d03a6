"""What can be counted in a drawing: suns, moons, eyes, wheels, mouths."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.picturebook.drawing import compose, draw
from helpers.picturebook.drawing.details import DETAILS, count_details, detail_labels, visible
from helpers.picturebook.sampling import random_scene
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CREATURES, PLACES, RIDES, SKIES, STYLES

WHEELS = {"bicycle": 2, "motorcycle": 2, "car": 2, "airplane": 0, "train": 4, "boat": 0}


def pieces(mask: np.ndarray, at_least: int = 12) -> int:
    """How many connected pieces of a mask have that many pixels."""
    left, sizes = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    while left:
        edge, size = [left.pop()], 0
        while edge:
            y, x = edge.pop()
            size += 1
            near = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            left -= near
            edge += near
        sizes.append(size)
    return sum(size >= at_least for size in sizes)


def pieces_of(scene: Scene, detail: str) -> int:
    """How many connected pieces of a detail the label map of 256 pixels has."""
    return pieces(detail_labels(scene, 256) == 1 + DETAILS.index(detail))


@pytest.mark.parametrize("ride", [r for r in RIDES if r != "none"])
def test_every_ride_shows_the_wheels_that_it_has(ride: str) -> None:
    for seed, thing in enumerate(CREATURES):
        scene = Scene(seed=seed, thing=thing, ride=ride, doing="riding")
        assert count_details(scene)["wheel"] == WHEELS[ride]
        if ride in ("motorcycle", "car", "train", "airplane", "boat"):
            assert pieces_of(scene, "wheel") == WHEELS[ride], scene


@pytest.mark.parametrize("thing", CREATURES)
def test_a_creature_has_two_eyes_and_a_mouth_unless_it_sleeps_or_wears_sunglasses(thing: str) -> None:
    for seed in range(4):
        scene = Scene(seed=seed, thing=thing)
        assert (count_details(scene)["eye"], count_details(scene)["mouth"]) == (2, 1)
        assert pieces_of(scene, "eye") == 2
        assert count_details(scene.but(wearing="sunglasses"))["eye"] == 0
        assert count_details(scene.but(doing="sleeping"))["eye"] == 0


@pytest.mark.parametrize("place", PLACES)
def test_there_is_one_sun_or_moon_and_most_of_it_is_seen(place: str) -> None:
    for seed in range(0, 12, 3):
        for sky in SKIES:
            scene = Scene(seed=seed, place=place, sky=sky, thing=CREATURES[seed], cloudy=seed / 12, rainbow="yes")
            counts, lamp = count_details(scene), "moon" if sky == "night" else "sun"
            assert counts["sun"] + counts["moon"] == counts[lamp] == pieces_of(scene, lamp) == 1, scene


def test_at_least_seven_tenths_of_the_sun_are_seen_in_pictures_of_all_kinds() -> None:
    for seed in range(100):
        canvas = compose(random_scene(seed))
        names = {s.nth: s.detail for s in canvas.shapes}
        assert all(share >= 0.7 for nth, share in visible(canvas).items() if names[nth] in ("sun", "moon")), seed


def test_things_without_a_face_have_none_of_its_details() -> None:
    for thing in ("cake", "castle", "house", "ball", "bowl of water", "none"):
        counts = count_details(Scene(thing=thing, place="street", crowded=0.0))
        assert counts == {"sun": 1, "moon": 0, "eye": 0, "wheel": 0, "mouth": 0}


def test_a_drawing_has_few_enough_details_to_number_them() -> None:
    assert max(max(s.nth for s in compose(random_scene(i)).shapes) for i in range(200)) < 256


@pytest.mark.parametrize("style", STYLES)
def test_every_style_shows_the_pupils_of_a_creature_dark_on_white(style: str) -> None:
    scene = Scene(thing="cat", color="orange", style=style)
    eyes = np.asarray(draw(scene, 256).convert("L"))[detail_labels(scene, 256) == 1 + DETAILS.index("eye")]
    assert (eyes < 110).mean() > 0.2 and (eyes > 170).mean() > 0.1
