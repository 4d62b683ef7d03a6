"""The text of lesson 6: its tables and figures, its derivation, and the script's text."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_network import ToyModel

from benchmarks import lesson06 as benchmark
from benchmarks.texts import with_tables
from helpers.check.lesson06 import COST
from helpers.core.interface import Text
from helpers.core.randomness import noise
from helpers.finetuning import fit, loss, weights
from helpers.finetuning.weights import Weights, parameters
from helpers.methods import imagic
from helpers.methods.imagic import Fitted, fit_embedding, fit_model, interpolate
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.edits import random_edit

ROOT = Path(__file__).parent.parent
(LESSON,) = (ROOT / "lessons").rglob("06_imagic.md")
RESULTS = ROOT / "results" / "lesson06.json"
TEXT = LESSON.read_text(encoding="utf-8")
QUIET = {"progress": False}


# --------------------------------------------------------------------------------------------------------- the text


def test_every_function_it_names_exists() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT))
    found = {name for module in (fit, loss, weights, imagic) for name in vars(module)}
    assert named and named <= found


def test_the_plan_fills_the_first_40_of_the_90_minutes_it_shares_with_lesson_7() -> None:
    spans = [tuple(map(int, span)) for span in re.findall(r"(?m)^\| (\d+)-(\d+) \|", TEXT)]
    assert spans[0][0] == 0 and spans[-1][1] == 40
    assert all(end == start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    assert re.search(r"Lessons 6 and 7 share 90 minutes", TEXT)


def test_the_price_it_derives_is_that_of_the_exercise() -> None:
    fits = r"\\frac\{(\d+)\\cdot (\d+)\\,\(1\+1\) \+ \1\\cdot \2\\,\(1\+2\)\}\{(\d+)\\cdot 2\} = (\d+)"
    told = re.search(fits, TEXT)
    steps, latents, sampled, pictures = map(int, told.groups())
    assert (steps * latents * 2 + steps * latents * 3) / (2 * sampled) == pictures
    assert COST[pictures][0] and sum(right for right, _ in COST.values()) == 1


@pytest.mark.skipif(not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson06")
def test_its_tables_are_those_of_the_results() -> None:
    assert with_tables(TEXT, benchmark.tables(json.loads(RESULTS.read_text(encoding="utf-8")))) == TEXT


@pytest.mark.skipif(not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson06")
def test_the_second_fit_lowers_the_loss_more_than_the_first() -> None:
    row = json.loads(RESULTS.read_text(encoding="utf-8"))["ways"]["all weights"]["at"]["0.0"]
    falls = {name: row[f"{name} loss, first"] - row[f"{name} loss, last"] for name in ("embedding", "model")}
    assert falls["model"] > falls["embedding"]


# --------------------------------------------------------------------------------------------------- its derivation


def test_along_the_line_the_prediction_is_linear_but_for_the_square_of_its_length(
    models: dict[str, DiffusersModel],
) -> None:
    model, eta = models["sd"], 0.4
    e_opt, way = model.embed("a cat"), noise(5, model.embed("a cat").embeddings.shape)
    x = noise(6, model.shape(1))

    @torch.no_grad()
    def left_over(length: float) -> float:
        e_tgt = Text(e_opt.embeddings + length * way)
        opt, tgt, bar = (model.eps(x, 500, e) for e in (e_opt, e_tgt, interpolate(e_tgt, e_opt, eta)))
        return (bar - (opt + eta * (tgt - opt))).norm().item()

    assert left_over(0.1) / left_over(0.05) == pytest.approx(4, rel=0.2)


def test_a_short_fit_stays_within_its_steps_times_its_learning_rate() -> None:
    model, point = ToyModel(), np.array([[[200, 40, 0]]], np.uint8)
    e_tgt = model.embed("a cat").embeddings
    for steps in (5, 20):
        e_opt = fit_embedding(model, point, "a cat", steps=steps, lr=5e-3, **QUIET).embeddings
        furthest = (e_opt - e_tgt).abs().max().item()
        assert 0 < furthest <= 1.05 * steps * 5e-3


def test_what_is_frozen_in_which_step_is_what_the_text_says() -> None:
    model, point = ToyModel(), np.array([[[200, 40, 0]]], np.uint8)
    own = {name: value.clone() for name, value in parameters(model, ["unet"]).items()}
    e_opt = fit_embedding(model, point, "a cat", steps=5, **QUIET)
    held = e_opt.embeddings.clone()
    weights = fit_model(model, point, e_opt, steps=5, **QUIET)
    assert not torch.equal(held, model.embed("a cat").embeddings) and torch.equal(held, e_opt.embeddings)
    assert any(not torch.equal(value, own[name]) for name, value in weights.tensors.items())
    assert all(torch.equal(value, own[name]) for name, value in parameters(model, ["unet"]).items())


# ------------------------------------------------------------------------------------------------------ the script


def results() -> dict:
    """Made-up results: SDEdit and both fits on three edits, every other way on the first two of them."""
    made = []
    for way in ("sdedit", *benchmark.WAYS):
        for number, kind in enumerate(["color", "doing", "color"][: 3 if way in ("sdedit", "all weights") else 2]):
            for at in benchmark.STRENGTHS if way == "sdedit" else benchmark.ETAS:
                distance = 0.05 + 0.1 * abs(at - 0.6) + 0.01 * number + (0.02 if way == "embedding alone" else 0)
                made.append({"edit": number, "kind": kind, "way": way, "at": at, "obeyed": float(at > 0.5),
                             "kept": 20 - at + number, "distance": distance})
                if at == 0 and way != "sdedit":
                    made[-1] |= {"seconds": 90.0 + number, "embedding loss, first": 0.3, "embedding loss, last": 0.25,
                                 "model loss, first": 0.25, "model loss, last": 0.125}
    return {"edits": 3, "steps": 12, "guidance": 4.0, "ways": benchmark.summary(made), "rows": made}


def test_a_table_is_written_between_its_marks() -> None:
    names = ("eta", "ways", "kinds", "fits")
    text = "a\n" + "".join(f"<!-- table: {name} -->\nold\n<!-- end of table -->\n" for name in names) + "b"
    written = with_tables(text, benchmark.tables(results()))
    assert "| 0.6 (sweet spot) | 100 ± 0 | 20.4 ± 1.1 | 6.0 |" in written
    assert "| SDEdit 0.8 | 100 ± 0 | 20.2 ± 1.1 | 8.0 |" in written
    assert "| 3 | 0.300 to 0.250 | 0.250 to 0.125 | 91 |" in written
    assert "| color | 2 | 0.6 | 100 | 6.0 | 6.0 |" in written
    assert "old\n" not in written and written.startswith("a\n<!--") and written.endswith("-->\nb")


def test_the_ways_are_compared_on_the_edits_that_all_of_them_have() -> None:
    table = benchmark.tables(results())["ways"]
    assert "| both fits | 2 | 0.6 | 100 ± 0 | 19.9 ± 1.0 | 5.5 |" in table
    assert "| embedding alone | 2 | 0.6 | 100 ± 0 | 19.9 ± 1.0 | 7.5 |" in table
    assert table.count("\n") == 1 + len(benchmark.NAMES)


def test_the_lesson_asks_for_every_table_and_figure_that_the_script_makes(
    models: dict[str, DiffusersModel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The whole of --text, in a folder of its own and with fits that fit nothing."""
    model, made_up = models["sd"], results()

    def unfitted(model: DiffusersModel, picture: object, prompt: str, **_: object) -> Fitted:
        return Fitted(prompt, model.embed("a dog"), model.embed("a cat"), Weights({}), tuple(model.shape(1)))

    (tmp_path / "figures").mkdir()
    (tmp_path / "lesson06.json").write_text(json.dumps(made_up), encoding="utf-8")
    (tmp_path / LESSON.name).write_text(TEXT, encoding="utf-8")
    for name, value in {"RESULTS": tmp_path, "ROOT": tmp_path, "LESSON": tmp_path / LESSON.name, "STEPS": 1,
                        "fit_imagic": unfitted, "fit_model": lambda *_, **__: Weights({})}.items():
        monkeypatch.setattr(benchmark, name, value)
    benchmark.write_text(model)
    text = (tmp_path / LESSON.name).read_text(encoding="utf-8")
    assert all(table in text for table in benchmark.tables(made_up).values())
    assert sorted(re.findall(r"\((figures/\w+\.webp)\)", text)) == sorted(
        str(path.relative_to(tmp_path)) for path in (tmp_path / "figures").iterdir())


def test_the_figures_show_the_notebook_s_edit() -> None:
    source = (ROOT / "notebooks" / "src" / "06_imagic.py").read_text(encoding="utf-8")
    kind, number = benchmark.SHOWN
    assert f'random_edit("{kind}", {number})' in source
    assert re.search(rf"(?m)^seed = {benchmark.SEED}$", source)
    assert all(number != 100 + i for i in range(2)), "the benchmark's own edits"
    assert random_edit(kind, number).prompt == "an orange cat standing in the city"


def test_the_notebook_fits_with_the_numbers_that_are_the_package_s_own() -> None:
    source = (ROOT / "notebooks" / "src" / "06_imagic.py").read_text(encoding="utf-8")
    knobs = {name: one.default for name, one in inspect.signature(imagic.fit_imagic).parameters.items()}
    assert f'embedding_fit = {{"steps": {knobs["embedding_steps"]}, "lr": 5e-3}}' in source
    assert knobs["embedding_lr"] == 5e-3 and f'model_fit = {{"steps": {knobs["model_steps"]}, "lr": 5e-5}}' in source
