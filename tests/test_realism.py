"""The measures of how real pictures look: the distances are right where the answer is known, counts are those drawn."""

import numpy as np
import torch
from PIL import Image

from benchmarks.realism_by_hand import agreement, blind, verdicts
from benchmarks.realism_classifier import shifted
from benchmarks.realism_details import DETAILS, Detail, asked, counts, details
from benchmarks.realism_distances import frechet, kernel, kernel_distance, pair_mean
from benchmarks.realism_pictures import as_array, scenes
from benchmarks.realism_reader import GRID, Drawings, Reader, number, peaks, target
from helpers.picturebook.sampling import is_held_out
from helpers.picturebook.scene import Scene


def test_half_of_the_captions_are_new_combinations_whatever_their_number():
    assert [is_held_out(s) for s in scenes(6)] == [False, True] * 3
    assert scenes(4) == scenes(6)[:4]


def test_pictures_are_compared_at_128_pixels_averaged():
    checkers = Image.fromarray(np.kron(np.ones((128, 128)), [[0, 255], [255, 0]]).astype(np.uint8)).convert("RGB")
    assert set(np.unique(as_array([checkers]))) <= {127, 128}


def test_the_kernel_distance_is_unbiased_and_grows_with_the_shift():
    rng = np.random.default_rng(0)
    same = [kernel_distance(rng.normal(size=(60, 8)), rng.normal(size=(60, 8)))["distance"] for _ in range(30)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 30**0.5
    far = kernel_distance(rng.normal(size=(60, 8)) + 0.7, rng.normal(size=(60, 8)))
    assert far["distance"] > 0.3 and far["interval"][0] < far["distance"] < far["interval"][1]


def test_a_resample_never_pairs_a_picture_with_itself():
    x = np.random.default_rng(0).normal(size=(5, 3))
    k = kernel(x, x)
    twice = np.array([2.0, 1, 1, 1, 0])
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    weights = [twice[i] * twice[j] for i, j in pairs]
    assert np.isclose(pair_mean(k, twice), np.average([k[p] for p in pairs], weights=weights))


def test_the_frechet_distance_of_two_gaussians():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20_000, 2)), 2 * rng.normal(size=(20_000, 2)) + (3, 0)
    assert abs(frechet(x, y) - (9 + 2 * (1 + 4 - 2 * 2))) < 0.3


def test_a_drawing_has_the_details_its_scene_names():
    scene = Scene(seed=3, place="meadow", thing="cat", ride="bicycle", doing="riding")
    assert {d.name for d in details(scene)} == set(DETAILS)
    assert counts(scene) == {"main": {1}, "lamp": {1}, "eye": {2}, "wheel": {2}}


def test_sunglasses_hide_eyes_and_a_landscape_has_no_main_thing():
    assert counts(Scene(seed=3, wearing="sunglasses"))["eye"] == {0}
    assert counts(Scene(seed=3, thing="none"))["main"] == {0}


def test_what_is_asked_does_not_depend_on_the_layout():
    expected = asked(Scene(seed=3, thing="fox"))
    assert 2 in expected["eye"] and 0 not in expected["eye"] and expected["wheel"] == {0}


def test_the_detector_finds_the_middles_it_was_trained_towards():
    planted = [Detail("eye", 40, 50, 1), Detail("eye", 48, 50, 1), Detail("lamp", 100, 20, 1), Detail("wheel", 9, 9, 0)]
    bumps, counted = target(planted)
    found = peaks(torch.from_numpy(bumps)[None])[0]
    assert number(found) == {"main": 0, "lamp": 1, "eye": 2, "wheel": 0}
    assert bumps.shape == counted.shape == (len(DETAILS), GRID, GRID)


def test_the_shipped_reader_counts_a_plain_drawing():
    from helpers.picturebook.drawing import draw
    plain = Scene(seed=3, place="meadow", thing="cat", ride="car", doing="riding")
    found = Reader.load().find(as_array([draw(plain)]))
    assert number(found[0]) == {"main": 1, "lamp": 1, "eye": 2, "wheel": 2}


def test_augmented_pictures_keep_their_shape():
    assert shifted(torch.zeros(3, 3, 128, 128), np.random.default_rng(0)).shape == (3, 3, 128, 128)


def test_what_was_seen_is_compared_with_what_was_read():
    read = [{"main": 1, "lamp": 1, "eye": 2, "wheel": 0}] * 3
    seen = ["1 1 2 0", "1 1 1 0", "1 1 2 ?"]
    out = agreement(read, seen)
    assert (out["eye"]["same"], out["wheel"]["of"], out["all that is clear"]["same"]) == (2, 2, 2)
    words = [{"main": {1}, "lamp": {1}, "eye": {2}, "wheel": {0}}] * 3
    assert verdicts(read, seen, words)["all"] == {"right by eye": 1, "right by the detector": 3, "same": 1, "of": 3,
                                                  "interval": verdicts(read, seen, words)["all"]["interval"]}
    assert blind(["left", "right", "?"], ["left", "left", "left"])["right"] == 1.5


def test_the_reader_sees_new_drawings_first_and_the_same_ones_for_the_same_step():
    a, b = Drawings(), Drawings()
    for step in (0, 1):
        first = a.batch(step, 4, 6, np.random.default_rng(step))
        again = b.batch(step, 4, 6, np.random.default_rng(step))
        assert [s.seed for s in first[1]] == [s.seed for s in again[1]]
    assert len(a.kept) <= 6
