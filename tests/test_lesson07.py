"""The text of lesson 7: its tables and figures, the names it uses and what it derives."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from toy_network import ToyModel

import slides
from benchmarks import lesson07 as benchmark
from benchmarks.texts import with_tables
from helpers.check import lesson07 as checks
from helpers.core.diffusion import add_noise, alpha_bar_at, noise_of
from helpers.core.randomness import noise
from helpers.finetuning import adam, fit, loss, weights
from helpers.methods import dreambooth, textual_inversion
from helpers.models import analytic
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.subjects import CONTEXTS

ROOT = Path(__file__).parent.parent
(LESSON,) = (ROOT / "lessons").rglob("07_dreambooth.md")
(SOURCE,) = (ROOT / "notebooks").glob("*/07_dreambooth.py")
RESULTS = ROOT / "results" / "lesson07.json"
TEXT = LESSON.read_text(encoding="utf-8")
needs_results = pytest.mark.skipif(
    not RESULTS.is_file(), reason="the lesson is not measured yet: python -m benchmarks.lesson07"
)


# --------------------------------------------------------------------------------------------------------- the text


def test_every_function_it_names_exists() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT))
    found = {name for module in (dreambooth, fit, loss, weights, textual_inversion) for name in vars(module)}
    assert named and named <= found


def test_the_command_it_gives_is_one_that_the_tool_takes() -> None:
    import finetune as tool

    (line,) = re.findall(r"(?m)^python tools/finetune\.py (.*)$", TEXT)
    said = tool.arguments([part.strip('"') for part in re.findall(r'"[^"]*"|\S+', line)])
    assert (said.prompt, said.class_prompt, said.full, said.rank) == ("a sks dog", "a dog", False, 4)
    assert "LoRA of rank 4 unless told `--full`" in " ".join(TEXT.split())


def test_the_slides_follow_the_plan() -> None:
    found = slides.slides(TEXT)
    said = [tuple(map(int, m)) for slide in found for m in re.findall(r"(\d+)-(\d+) min\.", " ".join(slide.notes))]
    assert len(found) >= 8 and said == sorted(said) and said[0][0] == 40


def test_the_scenes_of_the_lecture_are_in_the_notebook() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    asked = ["temple", "swimming", "sleeping", "doghouse", "bucket", "haircut"]
    assert f"scenes = {json.dumps(asked)}" in text and set(asked) <= set(CONTEXTS)


@needs_results
def test_its_tables_are_those_of_the_results() -> None:
    assert with_tables(TEXT, benchmark.tables(json.loads(RESULTS.read_text(encoding="utf-8")))) == TEXT


@needs_results
def test_every_way_is_measured_at_the_steps_that_the_tables_show() -> None:
    at = json.loads(RESULTS.read_text(encoding="utf-8"))["at"]
    assert set(at) == {"before", *benchmark.WAYS}
    assert all(list(at[way]) == [str(step) for step in benchmark.MEASURED_AT] for way in benchmark.REPEATED)


@needs_results
def test_the_word_alone_cannot_drift() -> None:
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    for after in (row for row in rows if row["way"] == "textual inversion"):
        (before,) = (row for row in rows if (row["who"], row["way"]) == (after["who"], "before"))
        assert [after[name] for name in ("drift", "diversity of the class")] == pytest.approx(
            [before[name] for name in ("drift", "diversity of the class")], abs=1e-3)


# ----------------------------------------------------------------------------------------------------- its formulas


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_errors_of_clean_picture_noise_and_v_are_one_error_on_other_scales(prediction: str) -> None:
    model = ToyModel(prediction)
    x0, z, off = noise([1, 2, 3], (3, 2, 1, 1)).split(1)
    for t in (5, 50, 95):
        a = alpha_bar_at(model, t)
        x_t = add_noise(model, x0, z, t)
        clean = lambda eps, x_t=x_t, a=a: (x_t - (1 - a) ** 0.5 * eps) / a**0.5  # noqa: E731
        v = lambda eps, clean=clean, a=a: a**0.5 * eps - (1 - a) ** 0.5 * clean(eps)  # noqa: E731
        assert torch.allclose(noise_of(v(z), x_t, a, "v_prediction"), z, atol=1e-3)
        assert torch.allclose(clean(z + off) - clean(z), -(((1 - a) / a) ** 0.5) * off, atol=1e-3)
        assert torch.allclose(v(z + off) - v(z), off / a**0.5, atol=1e-3)
        errors = {"epsilon": off, "v_prediction": v(z + off) - v(z), "sample": clean(z + off) - clean(z)}
        told = loss.scale_of(model, t) * off.square().mean()
        assert told == pytest.approx(errors[prediction].square().mean().item(), rel=1e-3)


def test_the_error_on_a_model_s_own_pictures_is_a_constant_and_the_distance_to_that_model() -> None:
    """The lesson's decomposition, on the analytic model, whose prediction is the best one there is."""
    model, t, count = analytic.AnalyticModel(), 500, 20_000
    made = torch.Generator().manual_seed(0)
    i = model.words.index("left")
    x_pr = model.means[i] + model.spreads[i] * torch.randn(count, 2, generator=made)
    z = torch.randn(count, 2, 1, 1, generator=made)
    x_t = add_noise(model, x_pr[:, :, None, None], z, t)
    best = model.eps(x_t, t, model.embed("left"))
    fitted = best + 0.3 * torch.tanh(x_t) - 0.2  # any other function of the state
    loss, least = (z - fitted).square().mean(), (z - best).square().mean()
    away = (best - fitted).square().mean()
    assert loss - least == pytest.approx(away.item(), rel=0.1) and away > 0.02
    assert least < (z - model.eps(x_t, t, model.embed("right"))).square().mean()


def test_a_lora_has_the_numbers_that_the_text_says(models: dict[str, DiffusersModel]) -> None:
    own, small = weights.parameters(models["sd"], ["unet"]), weights.lora(models["sd"], 2)
    names = [name.removesuffix(weights.LORA_A) for name in small.tensors if name.endswith(weights.LORA_A)]
    layers = [tuple(own[f"{name}.weight"].shape) for name in names]
    assert checks.lora_size(layers, 2) == sum(v.numel() for v in weights.trained(small.tensors).values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_fit_of_all_weights_takes_16_bytes_for_each(dtype: torch.dtype) -> None:
    """Weight, gradient and Adam's two moments; in half precision half a gradient and the copy that is computed with."""
    variables = {"w": torch.ones(1000)}
    training = adam.Training(variables, 1e-3, dtype, cast=["w"])
    computed_with = variables["w"].to(dtype)
    training.descend(computed_with.square().sum())
    kept = [variables["w"], training.gradients["w"]]
    assert variables["w"].grad is None  # no second one
    kept += [] if dtype == torch.float32 else [computed_with]
    training.update()
    kept += [value for value in training.moments("w").values() if value.numel() > 1]
    assert sum(value.element_size() for value in kept) == 16


# ------------------------------------------------------------------------------------------------------ the script


def numbers(fits: int = 3, **changes: float) -> dict[str, float]:
    """Made-up numbers of one way at one step."""
    row = {"subject": 0.8, "prompt": 0.75, "drift": 0.25, "diversity of the class": 6.0,
           "diversity of the subject": 3.5, "seconds": 41.7} | changes
    return {"fits": fits} | row | {f"{name} +-": 0.05 for name in row}


def made_up() -> dict:
    """Made-up results of every way."""
    at = {"before": {"0": numbers(subject=0.0)}}
    at |= {way: {str(step): numbers(fits=6, drift=step / 400) for step in benchmark.MEASURED_AT}
           for way in benchmark.REPEATED}
    at |= {way: {"100": numbers(1 if way in benchmark.VARIED else 3)}
           for way in benchmark.WAYS if way not in at}
    kinds = ["full, float32", "lora, float32", "diffusers full, float32"]
    ways = [("pim", "with prior", 0), ("pim", "with prior", 1), ("bo", "with prior", 0)]
    ways += [("pim", way, 0) for way in ("lora, with prior", *benchmark.VARIED)]
    rows = [{"who": who, "way": way, "seed": seed, "step": 100, "subject": 0.5 + 0.1 * seed + 0.3 * (who == "bo"),
             **{name: 0.25 for name in benchmark.SHOWN.values() if name != "subject"}} for who, way, seed in ways]
    costs = {"rows in a step": 8, "repeats": 7, "seconds": dict.fromkeys(kinds, 1.234),
             "against diffusers, float32": dict.fromkeys(kinds, 0.987),
             "peak MB": dict.fromkeys([*kinds, "full, bfloat16"], 123.4)}
    return {"at": at, "rows": rows, "subjects": ["pim", "bo"], "costs": costs}


def test_every_table_of_the_lesson_is_one_that_the_script_writes() -> None:
    assert set(re.findall(r"<!-- table: (.*?) -->", TEXT)) == set(benchmark.tables(made_up()))


def test_a_table_is_written_between_its_marks() -> None:
    marks = "".join(f"<!-- table: {name} -->\nold\n<!-- end of table -->\n" for name in ("steps", "family", "knobs",
                                                                                        "costs"))
    written = with_tables(f"a\n{marks}b", benchmark.tables(made_up()))
    assert "| before | 3 | 0 ± 5 | 75 ± 5 | 25 ± 5 | 6.00 ± 0.05 | 3.50 ± 0.05 |" in written
    assert "| naive, 200 | 6 | 80 ± 5 | 75 ± 5 | 50 ± 5 |" in written and "| with prior, 25 | 6 |" in written
    assert "| textual inversion | 3 | 80 ± 5 | 75 ± 5 | 25 ± 5 | 6.00 ± 0.05 | 3.50 ± 0.05 | 42 |" in written
    assert "| with prior | 1 | 50 | 25 |" in written  # of the seed and the subject with which all knobs were turned
    assert "| prior weight 0.3 | 1 | 50 | 25 | 25 | 0.25 | 0.25 |" in written  # one fit has no error
    assert "| lora, float32 | 1.23 | 0.99 | 123 |" in written and "| full, bfloat16 |  |  | 123 |" in written
    assert "old\n" not in written and written.startswith("a\n<!--") and written.endswith("-->\nb")
    assert with_tables(written, benchmark.tables(made_up())) == written


def test_the_family_and_the_knobs_are_every_way_but_once() -> None:
    made = benchmark.tables(made_up())
    first = {name: [line.split(" | ")[0].strip("| ") for line in made[name].splitlines()[2:]] for name in made}
    assert {*first["family"], *first["knobs"]} == {*benchmark.WAYS}
    assert set(first["family"]) & set(first["knobs"]) == {"with prior", "lora, with prior"}


def test_seconds_are_those_of_the_first_fits_which_one_machine_made() -> None:
    numbers = {name: 0.5 for name in benchmark.SHOWN.values()}
    rows = [{"who": who, "way": "naive", "seed": seed, "step": 100, "seconds": 40.0 + 50 * seed, **numbers}
            for who in ("pim", "bo") for seed in (0, 1)]
    told = benchmark.summary(rows)["naive"]["100"]
    assert told["seconds"] == 40 and told["fits"] == 4


def test_the_curves_are_drawn_with_the_lesson_s_alt_texts() -> None:
    alts = {file: alt for alt, file in re.findall(r"!\[([^\]]*)\]\(figures/(\w+)\.webp\)", TEXT)}
    drawn = benchmark.curves(made_up()["at"], alts)
    assert set(drawn) == {"07_curves", "07_diversity"} and all(drawn[name].alt == alts[name] for name in drawn)
    other = made_up()
    other["at"]["naive"]["100"]["drift"] = 0.9
    assert benchmark.curves(other["at"], alts)["07_curves"].picture.tobytes() != drawn["07_curves"].picture.tobytes()


def test_the_figures_are_those_of_the_lesson() -> None:
    named = set(re.findall(r"\(figures/(\w+)\.webp\)", TEXT))
    assert named == {"07_sheets", "07_curves", "07_diversity", "07_comic"}


def test_the_comic_is_the_notebook_s() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    panels = re.findall(r"\[a (?:sks|\{word\}) cat ([^\]]*)\]", text.partition("## 9.")[2])
    assert [f"a sks cat {panel}" for panel in panels] == [panel.prompt for panel in benchmark.read_script(
        benchmark.SCRIPT).panels]
    assert f"seed={benchmark.SEEDS}" in text and len(benchmark.SEEDS) == len(panels)


@pytest.mark.slow
def test_the_figures_of_pictures_are_made_of_fits_and_leave_the_model_alone() -> None:
    model = benchmark.load(device="cpu")
    own = {name: value.clone() for name, value in weights.parameters(model, ["unet"]).items()}
    alts = {"07_sheets": "sheets - notice the rows", "07_comic": "a comic - notice the panels"}
    drawn = benchmark.pictured(model, alts, steps=1)
    assert set(drawn) == set(alts) and all(drawn[name].alt == alts[name] for name in alts)
    assert all(torch.equal(value, own[name]) for name, value in weights.parameters(model, ["unet"]).items())
