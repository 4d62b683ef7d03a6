"""The text of lesson 3: its tables and figures, the names it uses and what it claims."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

import draw_lesson03
from benchmarks.texts import with_tables
from helpers.check import lesson03
from helpers.core import diffusion, masks
from helpers.methods import blended, diffedit, word_mask

ROOT = Path(__file__).parent.parent
LESSON, RESULTS = draw_lesson03.LESSON, draw_lesson03.RESULTS
TEXT = LESSON.read_text(encoding="utf-8")
KNOBS = {"exact", "thin"}
needs_results = pytest.mark.skipif(
    not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson03"
)


def test_every_function_it_names_exists() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT)) - KNOBS
    found = {name for module in (blended, diffedit, diffusion, masks, word_mask) for name in vars(module)}
    assert named and named <= found


def test_every_knob_it_names_is_one_of_the_method_s() -> None:
    assert KNOBS <= blended.blended_diffusion.__annotations__.keys()


def test_the_numbers_of_estimates_it_names_are_those_of_the_exercise() -> None:
    told = re.search(r"That is (\d+) at 50 steps and strength\s+0\.8; a widely\s+used pipeline makes (\d+)", TEXT)
    assert told and lesson03.COST[int(told[1])][0] and not lesson03.COST[int(told[2])][0]


def test_guidance_falls_out_of_the_difference_as_the_text_derives() -> None:
    q, r, u = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    for w in (1.0, 4.0, 15.0):
        guided = (diffusion.guide(u, q, w) - diffusion.guide(u, r, w)).abs()
        assert torch.allclose(guided, w * (q - r).abs(), atol=1e-4)
        assert torch.allclose(diffedit.rescaled(guided[0]), diffedit.rescaled((q - r).abs()[0]), atol=1e-4)


@needs_results
def test_its_tables_are_those_of_the_results() -> None:
    assert with_tables(TEXT, draw_lesson03.tables(json.loads(RESULTS.read_text(encoding="utf-8")))) == TEXT


@needs_results
def test_outside_the_mask_nothing_changes_in_the_measured_edits() -> None:
    methods = json.loads(RESULTS.read_text(encoding="utf-8"))["methods"]
    assert methods["every_step"]["outside_most"] == methods["diffedit"]["outside_most"] == 0


@needs_results
def test_every_kind_of_edit_is_measured_for_every_method_of_the_table() -> None:
    methods = json.loads(RESULTS.read_text(encoding="utf-8"))["methods"]
    assert all(set(methods[name]["by_kind"]) == {"add", "remove", "recolor", "background"}
               for name in draw_lesson03.METHODS)


def test_a_table_is_written_between_its_marks() -> None:
    row = {"obeyed": 0.25, "obeyed +-": 0.1, "kept": 21.04, "kept +-": 0.52, "distance": 0.0312, "outside_mean": 3.21,
           "seam": 0.0123}
    results = {"methods": dict.fromkeys(draw_lesson03.METHODS, row),
               "masks": {"at": {"strength 0.5, 1 maps": {"0.5": 0.333, "0.5 +-": 0.1}}}}
    text = ("a\n<!-- table: methods -->\nold\n<!-- end of table -->\n<!-- table: masks -->\n<!-- end of table -->\nb")
    written = with_tables(text, draw_lesson03.tables(results))
    assert "| blended, exact | 25 ± 10 | 21.0 ± 0.5 | 3.1 | 3.2 | 0.012 |" in written and "old\n" not in written
    assert "| threshold | 0.5 |\n" in written and "| strength 0.5, 1 map | 0.33 |\n<!-- end" in written
    assert written.startswith("a\n<!--") and written.endswith("-->\nb")


def test_the_figures_show_the_notebook_s_scene() -> None:
    source = (ROOT / "notebooks" / "src" / "03_masking.py").read_text(encoding="utf-8")
    scene = draw_lesson03.SCENE
    assert f'Scene(seed={scene.seed}, thing="{scene.thing}", color="{scene.color}", place="{scene.place}")' in source
