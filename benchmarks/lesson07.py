"""Lesson 7 in numbers: what DreamBooth learns of a subject, what the model forgets meanwhile, and what a step costs.

    python -m benchmarks.lesson07            measures all, writes results/lesson07.json; goes on if interrupted
    python -m benchmarks.lesson07 --quick    a few steps with one subject, written nowhere
    python -m benchmarks.lesson07 --text     measures nothing: the lesson's tables and figures anew

Writes results/lesson07.json, and with it the tables and figures of lessons/07_dreambooth.md. For each subject and seed
the model is fitted in several ways and asked three things:

    subject    pictures of "a sks cat" in contexts it was never seen in: the share that shows the subject
    prompt     the same pictures: the share of what the prompt asks for (place, doing, ride) that they show
    drift      pictures of "a cat": the share that shows the subject (0 is right)
    diversity  mean distance of pictures of "a cat", and of "a sks cat", in the judge's features; before fitting, "a
               cat" is the measure
    seconds    of one core, for the fit up to that step

Every way is fitted for every subject, the two that are compared step by step with two seeds. Pictures are made in few
steps, and in bfloat16 where the processor computes in it.

Needs the embedded model and its judge. Over an hour of one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path
from statistics import fmean, stdev
from time import process_time
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.alive import fit_gb
from benchmarks.record import RESULTS, ROOT, record, rows_file
from benchmarks.texts import markdown, write_lesson
from benchmarks.timing import peak_mb, rounded
from helpers import load, show
from helpers.finetuning.fit import fast_dtype, fit_weights
from helpers.finetuning.loss import denoising_loss as our_loss
from helpers.finetuning.loss import draw as our_draw
from helpers.finetuning.loss import share
from helpers.finetuning.weights import Weights, full, lora, parameters
from helpers.methods.dreambooth import fit_dreambooth, prior_pictures
from helpers.methods.textual_inversion import fit_textual_inversion
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet
from helpers.picturebook.judge import Judge
from helpers.picturebook.subjects import CONTEXTS, SUBJECTS, Recognizer, Subject, obeyed
from helpers.show.comic import draw_comic, read_script

(LESSON,) = (ROOT / "lessons").rglob("07_dreambooth.md")
WORD = "sks"
MEASURED_AT = (25, 50, 100, 200)
USUAL = {"steps": 100, "batch": 4}
PRIOR = 32
TIMED = 4  # steps
FEW_STEPS = 12  # of sampling: enough to tell what is in a picture

#: way of fitting -> its knobs; "prior" is how many pictures of the class keep it in mind, 0: naive fine-tuning
REPEATED: dict[str, dict[str, Any]] = {
    "naive": {"prior": 0, "steps": MEASURED_AT[-1]},
    "with prior": {"prior": PRIOR, "steps": MEASURED_AT[-1]},
}
VARIED: dict[str, dict[str, Any]] = {
    "lr 3e-5": {"prior": PRIOR, "lr": 3e-5},
    "lr 3e-4": {"prior": PRIOR, "lr": 3e-4},
    "prior weight 0.3": {"prior": PRIOR, "prior_weight": 0.3},
    "prior weight 3": {"prior": PRIOR, "prior_weight": 3.0},
    "4 prior pictures": {"prior": 4},
    "lora of rank 1": {"prior": PRIOR, "rank": 1},
    "lora of rank 16": {"prior": PRIOR, "rank": 16},
}
WAYS = REPEATED | {
    "lora, naive": {"prior": 0, "rank": 4},
    "lora, with prior": {"prior": PRIOR, "rank": 4},
    "text encoder, with prior": {"prior": PRIOR, "text_encoder": True},
    "textual inversion": {"prior": 0},
} | VARIED


class Bench:
    """The model, the judge, a recognizer of each subject, and how much is measured."""

    def __init__(self, quick: bool) -> None:
        self.model, self.judge, self.quick = load(device="cpu"), Judge.load(), quick
        self.contexts = list(CONTEXTS)[:2] if quick else list(CONTEXTS)
        self.count = 2 if quick else 12
        self.sampling = {"steps": 3 if quick else FEW_STEPS, "progress": False}
        self.recognizers: dict[str, Recognizer] = {}
        self.priors: dict[tuple[str, int, int], tuple[list[Any], float]] = {}

    def prior(self, subject: Subject, count: int, seed: int) -> tuple[list[Any], float]:
        """Pictures of the class for a fit, made once for all fits, and the seconds of processor time they took."""
        key = subject.name, 1 if self.quick and count else count, seed
        if key not in self.priors:
            start = process_time()
            self.priors[key] = prior_pictures(self.model, subject.prompt(), key[1], seed=10_000 + 1000 * seed,
                                              **self.sampling) if count else [], process_time() - start
        return self.priors[key]

    def recognizer(self, subject: Subject) -> Recognizer:
        """Learnt from drawings as the autoencoder gives them back, and from what the model makes before any fit."""
        if subject.name not in self.recognizers:
            through = lambda pictures: self.model.decode(self.model.encode(pictures))  # noqa: E731
            prompts = [*[subject.prompt()] * 3 * self.count, *[subject.prompt("", c) for c in self.contexts] * 2]
            with in_fast_dtype(self.model):
                made = self.model.generate(prompts, seed=list(range(20_000, 20_000 + len(prompts))), **self.sampling)
            self.recognizers[subject.name] = Recognizer(subject, self.judge, 20 if self.quick else 100, through, made)
        return self.recognizers[subject.name]

    def many(self, prompt: str) -> list[Any]:
        """`count` pictures of one prompt."""
        return self.model.generate(prompt, seed=list(range(500, 500 + self.count)), **self.sampling)

    def measure(self, subject: Subject, weights: Weights | None) -> dict[str, float]:
        """All numbers of one fitted model; of the model itself without weights."""
        with (weights or Weights({}, (WORD,))).on(self.model), in_fast_dtype(self.model):
            prompts = [subject.prompt(WORD, context) for context in self.contexts]
            scenes = self.model.generate(prompts, seed=list(range(900, 900 + len(prompts))), **self.sampling)
            its, others = self.many(subject.prompt(WORD)), self.many(subject.prompt())
        shows = self.recognizer(subject).of
        return {
            "subject": fmean(p > 0.5 for p in shows(scenes)),
            "prompt": fmean(self._obeyed(subject, scenes)),
            "drift": fmean(p > 0.5 for p in shows(others)),
            "diversity of the class": diversity(self.judge, others),
            "diversity of the subject": diversity(self.judge, its),
        }

    def _obeyed(self, subject: Subject, pictures: Sequence[Any]) -> Iterator[bool]:
        """Whether each attribute that each context asks for is seen."""
        for context, reading in zip(self.contexts, self.judge.read(pictures), strict=True):
            for name in obeyed(context):
                yield reading.agrees(subject.scene(context), name)


@contextmanager
def in_fast_dtype(model: DiffusersModel) -> Iterator[None]:
    """The network with its weights of now in the dtype that fits compute in, inside the with-block."""
    dtype = fast_dtype(model.device)
    with torch.no_grad(), model.changed({k: v.to(dtype) for k, v in parameters(model, ["unet"]).items()}):
        yield


def diversity(judge: Judge, pictures: Sequence[Any]) -> float:
    """The mean distance of two of the pictures, in the judge's features."""
    return float(torch.pdist(judge.describe(pictures)).mean())


# ------------------------------------------------------------------------------------------------------------ the fits


def rows_of(bench: Bench, subject: Subject, way: str, seed: int) -> list[dict[str, Any]]:
    """One fit, measured at its end; the two ways that are compared step by step at several steps before, too."""
    knobs = USUAL | WAYS[way] | ({"steps": 2, "batch": 1} if bench.quick else {})
    at = MEASURED_AT if knobs["steps"] == MEASURED_AT[-1] else (knobs["steps"],)
    rows: list[dict[str, Any]] = []
    prior, took = bench.prior(subject, knobs.pop("prior"), seed)
    start = process_time() - took

    def watch(step: int, weights: Weights, **_: Any) -> None:
        nonlocal start
        if step in at:
            seconds = process_time() - start
            rows.append({"who": subject.name, "way": way, "seed": seed, "step": step, "seconds": round(seconds, 1)}
                        | {k: round(v, 4) for k, v in bench.measure(subject, weights).items()})
            start = process_time() - seconds

    fitted(bench, subject, knobs, way, prior, seed, watch)
    return rows


def fitted(bench: Bench, subject: Subject, knobs: Mapping[str, Any], way: str, prior: Sequence[Any], seed: int,
           watch: Any) -> Weights:
    """One way's fit, by its knobs and the pictures of the class that go with it."""
    pictures, common = subject.pictures(), {"seed": seed, "watch": watch, "progress": False}
    if way == "textual inversion":
        return fit_textual_inversion(bench.model, pictures, subject.prompt(WORD), WORD, subject.noun, **knobs, **common)
    class_prompt = subject.prompt() if prior else None
    return fit_dreambooth(bench.model, pictures, subject.prompt(WORD), class_prompt, prior, **knobs, **common)


def known(file: Path | None, key: str) -> list[dict[str, Any]]:
    """The lines of a file of rows that have this key."""
    lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
    return [row for row in map(json.loads, lines) if key in row]


def all_rows(bench: Bench, file: Path | None, subjects: Sequence[str], seeds: int) -> list[dict[str, Any]]:
    """Every fit's rows; those in the file are not measured again."""
    rows = known(file, "who")
    done = {(row["who"], row["way"], row["seed"]) for row in rows}
    ways = ("naive", "lora, with prior", "textual inversion") if bench.quick else tuple(WAYS)
    wanted = [*(("before", name, 0) for name in subjects),
              *((way, name, 0) for way, name in product(WAYS, subjects)),
              *((way, name, seed) for seed, way, name in product(range(1, seeds), REPEATED, subjects))]
    for way, name, seed in wanted:
        if (name, way, seed) in done or way not in ("before", *ways):
            continue
        subject = SUBJECTS[name]
        new = ([{"who": name, "way": way, "seed": 0, "step": 0} | bench.measure(subject, None)]
               if way == "before" else rows_of(bench, subject, way, seed))
        rows += new
        for row in new:
            print(row, flush=True)
            if file:
                with file.open("a", encoding="utf-8") as f:
                    f.write(json.dumps(row) + "\n")
    return rows


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """way -> step -> each number's mean over subjects and seeds, and 1.96 standard errors of it under "name +-"."""
    out: dict[str, dict[str, dict[str, float]]] = {}
    for way, step in dict.fromkeys((row["way"], row["step"]) for row in rows):
        group = [row for row in rows if (row["way"], row["step"]) == (way, step)]
        numbers: dict[str, float] = {"fits": len(group)}
        for name in group[0].keys() - {"who", "way", "seed", "step"}:
            values = [row[name] for row in group if name != "seconds" or row["seed"] == 0]  # all timed on one machine
            spread = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
            numbers |= {name: round(fmean(values), 3), f"{name} +-": round(spread, 3)}
        out.setdefault(way, {})[str(step)] = numbers
    return out


# ------------------------------------------------------------------------------------------------------ what it costs


def costs(model: DiffusersModel, repeats: int) -> dict[str, Any]:
    """Seconds of processor time of one step, ours and as diffusers' training scripts write it, taking turns.

    peak MB: what a short fit takes at most besides the model's own weights. Ours leaves those as they are and fits a
    copy of them; diffusers' script trains the network itself, so that its weights are lost. In bfloat16 seconds are
    measured only where the processor computes in it. stable diffusion 1.5: GB of a GPU, see `benchmarks.alive`.
    """
    runs: dict[str, Any] = {}
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        runs |= {f"full, {name}": OurStep(model, full(model), dtype),
                 f"diffusers full, {name}": TheirStep(model, dtype),
                 f"lora, {name}": OurStep(model, lora(model, 4), dtype),
                 f"diffusers lora, {name}": TheirStep(model, dtype, 4)}
    timed = [name for name in runs if "float32" in name or fast_dtype(model.device) == torch.bfloat16]
    times: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(repeats):
        for name in timed:
            clock = runs[name]()
            times[name] += [after - before for before, after in pairwise(clock[1:])]  # the first step sets things up
    seconds = {name: min(values) for name, values in times.items()}  # the step that other work disturbed least
    peer = seconds["diffusers full, float32"]
    return {"rows in a step": 8, "steps": TIMED, "repeats": repeats, "seconds": rounded(seconds),
            "against diffusers, float32": {k: round(v / peer, 3) for k, v in seconds.items()},
            "peak MB": {name: peak_mb(run) for name, run in runs.items()},
            "stable diffusion 1.5": {"all weights": fit_gb(None), "lora of rank 4": fit_gb(4)}}


class OurStep:
    """A short fit by `fit_weights`."""

    def __init__(self, model: DiffusersModel, start: Weights, dtype: torch.dtype) -> None:
        self.model, self.start, self.dtype = model, start, dtype
        self.x0, self.text = torch.randn(8, *model.shape(1)[1:], generator=torch.Generator().manual_seed(0)), None

    def __call__(self) -> list[float]:
        """The fit; the processor time at the end of each step."""
        clock: list[float] = []
        text = self.model.embed("a cat").rows(8)

        def loss(step: int) -> torch.Tensor:
            t, z = our_draw(self.model, 0, step, self.x0.shape)
            return our_loss(self.model, self.x0[share(8)], text, t, z).mean()

        fit_weights(self.model, self.start, loss, steps=TIMED, lr=1e-5, dtype=self.dtype, progress=False,
                    watch=lambda **_: clock.append(process_time()))
        return clock


class TheirStep:
    """As many optimisation steps as diffusers' train_dreambooth.py makes them; with a rank, those of its LoRA twin."""

    def __init__(self, model: DiffusersModel, dtype: torch.dtype, rank: int | None = None) -> None:
        from copy import deepcopy

        self.model, self.dtype, self.unet = model, dtype, deepcopy(model.unet).train().requires_grad_(rank is None)
        if rank is not None:
            from peft import LoraConfig

            layers = ["to_k", "to_q", "to_v", "to_out.0"]
            self.unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian",
                                             target_modules=layers))
        self.variables = [p for p in self.unet.parameters() if p.requires_grad]
        self.x0 = torch.randn(8, *model.shape(1)[1:], generator=torch.Generator().manual_seed(0))

    def __call__(self) -> list[float]:
        """Noise, target, forward pass, loss, backward pass, clip, AdamW; the processor time at the end of each step."""
        clock: list[float] = []
        scheduler, text = self.model.scheduler, self.model.embed("a cat").rows(8).embeddings
        optimizer = torch.optim.AdamW(self.variables, lr=1e-5, betas=(0.9, 0.999), weight_decay=1e-2)
        for _ in range(TIMED):
            noise, t = torch.randn_like(self.x0), torch.randint(0, 1000, (8,))
            noisy = scheduler.add_noise(self.x0, noise, t)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.dtype == torch.bfloat16):
                predicted = self.unet(noisy, t, text, return_dict=False)[0]
            target = scheduler.get_velocity(self.x0, noise, t)
            first, second = (F.mse_loss(p.float(), q.float()) for p, q in zip(predicted.chunk(2), target.chunk(2),
                                                                             strict=True))
            (first + second).backward()
            torch.nn.utils.clip_grad_norm_(self.variables, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            clock.append(process_time())
        return clock


# --------------------------------------------------------------------------------------- the lesson's tables, figures

#: heading -> what it shows of a way, and how many digits; shares are in percent
SHOWN = {"subject (%)": "subject", "prompt (%)": "prompt", "drift (%)": "drift",
         "diversity of the class": "diversity of the class", "of the subject": "diversity of the subject"}
FIGURED = ("temple", "bucket", "bicycle")  # the contexts of the figure of sheets
SCRIPT = """
    # Pim on holiday

    [a sks cat at the temple]
    Pim: So many columns!

    [a sks cat getting a haircut]
    Pim: Not too short, please.

    [a sks cat riding a red bicycle]
    Then down to the sea.

    [a sks cat swimming]
    Pim: The water is warm.

    [a sks cat in a bucket]
    No towel at hand, but a bucket.

    [a sks cat in a doghouse]
    And a house for the night.
"""
SEEDS = [22, 22, 24, 24, 24, 22]  # of its panels


def tables(results: Mapping[str, Any]) -> dict[str, str]:
    """The lesson's tables by name, as Markdown."""
    at = results["at"]
    steps = [(f"{way}, {step}" if way != "before" else "before", at[way][step])
             for way in ("before", *REPEATED) if way in at for step in at[way]]
    last = str(USUAL["steps"])
    family = [(way, at[way][last]) for way in WAYS if way not in VARIED and last in at.get(way, {})]
    turned = [row for row in results["rows"] if row["seed"] == 0 and str(row["step"]) == last
              and row["way"] in ("with prior", "lora, with prior", *VARIED)]
    everywhere = set.intersection(*({row["who"] for row in turned if row["way"] == way}
                                    for way in {row["way"] for row in turned}))
    knobs = [(way, found[last]) for way, found in summary([row for row in turned if row["who"] in everywhere]).items()]
    return {"steps": way_table("fit, steps", steps), "family": way_table("fit", family, seconds=True),
            "knobs": way_table("fit", knobs), "costs": cost_table(results["costs"])}


def way_table(name: str, rows: Sequence[tuple[str, Mapping[str, float]]], seconds: bool = False) -> str:
    """A row for each way: what was measured of it, over how many fits, and what its fit took."""
    heads = [name, "fits", *SHOWN, *(["seconds of one core"] if seconds else [])]
    return markdown(heads, [[way, str(row["fits"]), *(with_error(row, key) for key in SHOWN.values()),
                             *([f"{row['seconds']:.0f}"] if seconds else [])] for way, row in rows])


def with_error(row: Mapping[str, float], key: str) -> str:
    """A number, and its standard error where there is more than one fit; a share in percent."""
    factor, digits = (1, 2) if "diversity" in key else (100, 0)
    error = f" ± {factor * row[f'{key} +-']:.{digits}f}" if row["fits"] > 1 else ""
    return f"{factor * row[key]:.{digits}f}{error}"


def cost_table(costs: Mapping[str, Any]) -> str:
    """Seconds of each kind of step, against diffusers' of all weights in float32, and the memory of a fit."""
    def timed(numbers: Mapping[str, float], name: str) -> str:
        return f"{numbers[name]:.2f}" if name in numbers else ""

    return markdown(["a step of", "seconds", "of diffusers full, float32", "peak MB"], [
        [name, timed(costs["seconds"], name), timed(costs["against diffusers, float32"], name), f"{peak:.0f}"]
        for name, peak in costs["peak MB"].items()])


def write_text(model: DiffusersModel) -> None:
    """The tables of results/lesson07.json into the lesson, and the lesson's figures."""
    results = json.loads((RESULTS / "lesson07.json").read_text(encoding="utf-8"))
    write_lesson(LESSON, tables(results), lambda alts: curves(results["at"], alts) | pictured(model, alts))


def curves(at: Mapping[str, Any], alts: Mapping[str, str]) -> dict[str, show.Figure]:
    """The figures of numbers, with error bars; their alt texts are the lesson's."""
    steps = [step for step in at["naive"] if step in at["with prior"]]
    before = at["before"]["0"]["diversity of the class"]

    def drawn(names: Mapping[str, str], label: str, alt: str, level: Mapping[str, float]) -> show.Figure:
        series = {f"{short}, {way}": [at[way][step][name] for step in steps] for name, short in names.items()
                  for way in REPEATED}
        bars = {f"{short}, {way}": [at[way][step][f"{name} +-"] for step in steps] for name, short in names.items()
                for way in REPEATED}
        flat = {name: [value] * len(steps) for name, value in level.items()}
        return show.curve([int(step) for step in steps], series | flat, errors=bars, xlabel="steps of the fit",
                          ylabel=label, alt=alt)

    return {
        "07_curves": drawn({"subject": "subject", "drift": "drift"}, "share that shows the subject",
                           alts["07_curves"], {}),
        "07_diversity": drawn({"diversity of the class": "class", "diversity of the subject": "subject"},
                              "mean distance of two pictures", alts["07_diversity"], {"class, before": before}),
    }


def pictured(model: DiffusersModel, alts: Mapping[str, str], steps: int | None = None) -> dict[str, show.Figure]:
    """The figures of pictures, from a fit of the first subject in each of the two ways that are compared.

    steps: of each fit and each picture, for a test; as measured unless given.
    """
    subject, story, rows = next(iter(SUBJECTS.values())), read_script(SCRIPT), []
    heads = [*[subject.prompt()] * 3, *(subject.prompt(WORD, context) for context in FIGURED)]
    sampling = {"steps": steps or model.steps, "progress": False}
    for way in ("before", *REPEATED):
        weights = Weights({}, (WORD,))
        if way in REPEATED:
            count = min(REPEATED[way]["prior"], steps or PRIOR)
            prior = prior_pictures(model, subject.prompt(), count, seed=10_000, steps=steps or FEW_STEPS,
                                   progress=False) if count else ()
            weights = fit_dreambooth(model, subject.pictures(), subject.prompt(WORD), subject.prompt() if count else
                                     None, prior, progress=False, **(USUAL | ({"steps": steps} if steps else {})))
        with weights.on(model), in_fast_dtype(model):
            rows.append(model.generate(heads, seed=[10, 12, 14, 22, 24, 24], **sampling))
            if way == "with prior":
                panels = model.generate([panel.prompt for panel in story.panels], seed=SEEDS, **sampling)
    names = ["before", *REPEATED]
    return {"07_sheets": show.pictures(rows, rows=names, columns=heads, alt=alts["07_sheets"], side=128),
            "07_comic": show.Figure(draw_comic(story, panels, columns=3).picture, alts["07_comic"])}


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 7.")
    parser.add_argument("--text", action="store_true", help="only write the lesson's tables and figures")
    parser.add_argument("--quick", action="store_true", help="a few steps with one subject, written nowhere")
    parser.add_argument("--seeds", type=int, default=2, help="fits of each subject and way")
    arguments = parser.parse_args()
    if arguments.text:
        return write_text(load(device="cpu"))
    with quiet():
        bench = Bench(arguments.quick)
    subjects = list(SUBJECTS)[:1] if arguments.quick else list(SUBJECTS)
    drawings = 5 if arguments.quick else 50
    told = {name: round(bench.recognizer(SUBJECTS[name]).accuracy(drawings), 3) for name in subjects}
    file = None if arguments.quick else rows_file("lesson07")
    price = next((row["costs"] for row in known(file, "costs")), None)
    if price is None:
        price = costs(bench.model, 1 if arguments.quick else 7)
        if file:
            with file.open("a", encoding="utf-8") as f:
                f.write(json.dumps({"costs": price}) + "\n")
    print(json.dumps({"recognizer": told, "costs": price}, indent=1), flush=True)
    rows = all_rows(bench, file, subjects, 1 if arguments.quick else arguments.seeds)
    found = {"word": WORD, "subjects": subjects, "seeds": arguments.seeds, "recognizer_accuracy": told, "costs": price,
             "at": summary(rows), "rows": rows}
    if arguments.quick:
        print(json.dumps(found["at"], indent=1))
    else:
        print(record("lesson07", found))
        write_text(bench.model)


if __name__ == "__main__":
    main()
