"""Obeyed, kept and distance, on edits whose answer is known."""

import math

import numpy as np
import pytest
from PIL import Image

from helpers.core.pictures import as_picture
from helpers.measure import BEST_PSNR, distance, iou, kept, obeyed, outside, psnr, score, seam
from helpers.picturebook import Edit, Scene, random_edit
from helpers.picturebook.judge import Judge


@pytest.fixture(scope="module")
def judge():
    return Judge.load()


def recolored(seed=0):
    cat = Scene(seed=seed, thing="cat", color="red", place="beach")
    return Edit(cat, cat.but(color="blue"))


def test_the_true_answer_is_obeyed_and_keeps_everything(judge):
    edit = recolored()
    assert score(edit.target_picture, edit, judge) == (1.0, BEST_PSNR, 0.0)


def test_the_unchanged_picture_keeps_everything_and_is_not_obeyed(judge):
    edit = recolored()
    told = score(edit.picture, edit, judge)
    assert told.kept == BEST_PSNR and told.obeyed == 0.0 and told.distance > 0


def test_a_change_inside_the_mask_costs_nothing_and_one_outside_does():
    edit = recolored()
    inside, rest = np.array(edit.picture), outside(edit.mask)
    inside[~rest] = 0
    assert kept(Image.fromarray(inside), edit.picture, edit.mask) == BEST_PSNR
    elsewhere = np.array(edit.picture)
    elsewhere[rest] = 255 - elsewhere[rest]
    assert kept(Image.fromarray(elsewhere), edit.picture, edit.mask) < 15


def test_where_nothing_is_to_be_kept_it_says_so(judge):
    edit = recolored()
    everywhere = Image.new("L", edit.picture.size, 255)
    with pytest.raises(ValueError, match="nothing to keep"):
        kept(edit.picture, edit.picture, everywhere)
    edit.__dict__["mask"] = everywhere  # where a cached property keeps its value
    assert math.isnan(score(edit.target_picture, edit, judge).kept)


def test_psnr_is_what_the_formula_says():
    a = np.zeros((4, 4))
    assert psnr(a, a + 0.1) == pytest.approx(20)
    assert psnr(a, a) == BEST_PSNR


def test_distance_is_between_0_and_1():
    white, black = Image.new("RGB", (8, 8), "white"), Image.new("RGB", (8, 8), "black")
    assert distance(white, black) == 1 and distance(white, white) == 0


def test_the_judge_takes_the_true_answers_of_many_kinds_of_edits_for_obeyed(judge):
    edits = [random_edit(kind, n) for kind in ("color", "ride", "place", "wearing", "sky") for n in range(8)]
    assert np.mean([obeyed(e.target_picture, e, judge) for e in edits]) > 0.9
    assert np.mean([obeyed(e.picture, e, judge) for e in edits]) < 0.1


def test_a_larger_result_is_measured_at_the_edits_size(judge):
    edit = recolored()
    told = score(edit.target_picture.resize((512, 512)), edit, judge)
    assert told.obeyed == 1.0 and told.kept > 30


def box(corners, size=(32, 32)):
    mask = Image.new("L", size)
    mask.paste(255, corners)
    return mask


def test_iou_is_the_common_part_over_the_whole():
    assert iou(box((0, 0, 16, 16)), box((0, 0, 16, 16))) == 1
    assert iou(box((0, 0, 16, 16)), box((8, 0, 24, 16))) == pytest.approx(1 / 3)
    assert iou(box((0, 0, 8, 8)), box((16, 16, 24, 24))) == 0
    assert iou(box((0, 0, 1, 1)), box((0, 0, 0, 0))) == 0 and iou(box((0, 0, 0, 0)), box((0, 0, 0, 0))) == 1
    assert iou(box((0, 0, 4, 4), (8, 8)), box((0, 0, 16, 16))) == 1


def gradient():
    row = np.arange(32, dtype=np.uint8) * 4
    return np.stack([np.broadcast_to(row, (32, 32))] * 3, -1)


def test_a_picture_without_an_edge_at_the_border_has_no_seam():
    assert seam(Image.fromarray(gradient()), box((8, 8, 20, 24))) == pytest.approx(0, abs=1e-3)


def test_a_pasted_patch_of_another_brightness_has_a_seam_as_large_as_the_difference():
    flat = np.full((32, 32, 3), 100, np.uint8)
    flat[8:24, 8:20] += 51
    assert seam(Image.fromarray(flat), box((8, 8, 20, 24))) == pytest.approx(0.2)
    assert seam(Image.fromarray(flat), box((9, 9, 19, 23))) < 0  # the edge is beside the border


@pytest.mark.parametrize(("measured", "sizes"), [
    (lambda large, small: kept(large, small, box((0, 0, 4, 4))), "result 64 x 48, picture 32 x 32, mask 32 x 32"),
    (lambda large, small: kept(large, large, box((0, 0, 4, 4))), "result 64 x 48, picture 64 x 48, mask 32 x 32"),
    (lambda large, small: distance(large, small), "result 64 x 48, truth 32 x 32"),
    (lambda large, small: seam(large, box((0, 0, 4, 4))), "picture 64 x 48, mask 32 x 32"),
])
def test_pictures_of_different_sizes_are_told_with_the_remedy(measured, sizes):
    with pytest.raises(ValueError, match=f"The sizes differ: {sizes}. Bring them .* as_picture"):
        measured(Image.new("RGB", (64, 48)), Image.new("RGB", (32, 32)))


def test_the_remedy_makes_masks_that_are_measured_alike():
    picture, mask = Image.fromarray(gradient()), box((8, 8, 20, 24))
    for form in (as_picture(mask), mask.convert("1")):
        assert seam(picture, form) == seam(picture, mask)
        assert (outside(form) == outside(mask)).all()


def test_a_seam_needs_a_border():
    for level in (0, 255):
        with pytest.raises(ValueError, match="no border"):
            seam(Image.fromarray(gradient()), Image.new("L", (32, 32), level))
