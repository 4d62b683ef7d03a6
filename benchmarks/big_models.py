"""What Stable Diffusion takes: memory and operations counted at real size, calls counted for each method, one step run.

    python -m benchmarks.big_models          counts; minutes on one core, on tensors without contents
    python -m benchmarks.big_models --run    also takes one step of methods on SD 1.5 with random weights, on this
                                             machine's processor in half precision; about 8 GB of memory
Writes results/big_models.json. "counted" needs no GPU and is exact for what torch allocates; what a driver takes for
itself comes on top (about 0.5 GB). "estimated" are minutes: counted operations by a speed that is assumed (`T4`).
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.alive import HOLDS, Hollow, counting, embedding_gb, fit_gb, sampling_gb
from benchmarks.big_networks import LARGE, networks, pipeline
from benchmarks.calls import counted
from benchmarks.record import RESULTS, circumstances
from helpers import (
    blended_diffusion,
    diffedit,
    fit_dreambooth,
    fit_textual_inversion,
    inversion,
    magicmix,
    prompt_to_prompt,
    sdedit,
    word_mask,
)
from helpers.core.surroundings import surroundings
from helpers.methods.imagic import fit_embedding, fit_model
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet

#: a free Colab's GPU: 65e12 operations a second in half precision by its data sheet, of which a seventh is reached
T4 = {"memory_gb": 15.8, "peak_tflops": 65, "share": 1 / 7}
STEPS = 50  # of Stable Diffusion; the fits' steps are those of their papers, or of usual practice
FITS = {"fit_embedding": 1000, "fit_model": 1500, "fit_dreambooth": 500, "fit_textual_inversion": 3000}
PASSES = 4  # a row of a fit: forwards, forwards again in place of kept activations, backwards for twice as much
P, P_STAR = "a cat on a bicycle", "a dog on a bicycle"
Run = Callable[[DiffusersModel, Image.Image, Image.Image, dict[str, Any]], Any]
METHODS: dict[str, Run] = {
    "generate": lambda m, i, mask, k: m.generate(P, progress=False),
    "sdedit": lambda m, i, mask, k: sdedit(m, i, P_STAR, progress=False),
    "magicmix": lambda m, i, mask, k: magicmix(m, i, P_STAR, progress=False),
    "blended_diffusion": lambda m, i, mask, k: blended_diffusion(m, i, P_STAR, mask, progress=False),
    "diffedit": lambda m, i, mask, k: diffedit(m, i, P, P_STAR, progress=False, mask=mask),
    "word_mask": lambda m, i, mask, k: word_mask(m, i, P, "cat", progress=False),
    "prompt_to_prompt": lambda m, i, mask, k: prompt_to_prompt(m, P, P_STAR, progress=False),
    "inversion.ddim": lambda m, i, mask, k: inversion.ddim(m, i, P, progress=False),
    "inversion.direct": lambda m, i, mask, k: inversion.direct(m, i, P, progress=False),
    "inversion.negative_prompt": lambda m, i, mask, k: inversion.negative_prompt(m, i, P, progress=False),
    "inversion.edit_friendly": lambda m, i, mask, k: inversion.edit_friendly(m, i, P, progress=False),
    "inversion.null_text": lambda m, i, mask, k: inversion.null_text(m, i, P, progress=False),
    "fit_embedding": lambda m, i, mask, k: fit_embedding(m, i, P_STAR, progress=False, **k),
    "fit_model": lambda m, i, mask, k: fit_model(m, i, m.embed(P), rank=4, progress=False, **k),
    "fit_dreambooth": lambda m, i, mask, k: fit_dreambooth(m, [i], "a sks cat", rank=4, progress=False, **k),
    "fit_textual_inversion":
        lambda m, i, mask, k: fit_textual_inversion(m, [i], "a sks cat", "sks", "cat", progress=False, **k),
}
SHORT = ("generate", "sdedit", "blended_diffusion", "prompt_to_prompt", "inversion.ddim", "fit_dreambooth")  # --run


def sizes(name: str) -> dict[str, Any]:
    """GB on a GPU, counted, for a model in half and in single precision; and operations of a row and of a decoding."""
    parts = {part: sum(value.numel() for value in one.parameters()) for part, one in networks(name, "meta").items()}
    others = sum(count for part, count in parts.items() if part.startswith("text"))
    found: dict[str, Any] = {"tflop_row": tflop_row(name)}
    found |= dict(zip(("decode_gb", "tflop_decode"), decoding(name), strict=True))
    for precision, dtype in (("half", torch.float16), ("single", torch.float32)):
        beside = (others * dtype.itemsize + parts["vae"] * 4) / 1e9
        weights = parts["unet"] * dtype.itemsize / 1e9
        found[precision] = {
            "weights_gb": round(beside + weights, 2),
            "picture_gb": round(beside + max(sampling_gb(2, name, dtype), weights + found["decode_gb"]), 2),
            "edit_gb": round(beside + max(sampling_gb(10, name, dtype), weights + found["decode_gb"]), 2),
            "embedding_gb": round(beside + embedding_gb(4, name, dtype), 2),
            "lora_gb": round(beside + fit_gb(4, 4, name, dtype), 2),
            "all_gb": round(beside + fit_gb(None, 4, name, dtype), 2),
        }
    return found


def tflop_row(name: str) -> float:
    """Operations, in 1e12, of the network for one latent of the model's own size and one prompt."""
    model = Hollow(name)
    with HOLDS:
        x = torch.empty(model.shape(1))
    with counting(), FlopCounterMode(display=False) as counter, surroundings(grad=False):
        model.eps(x, torch.zeros(1, dtype=torch.long), model.hollow_text(1))
    return round(counter.get_total_flops() / 1e12, 3)


def decoding(name: str) -> tuple[float, float]:
    """GB beside the weights, and operations in 1e12, that the autoencoder takes to make a picture, in float32."""
    model = Hollow(name)
    with counting() as alive:
        vae = networks(name, "meta")["vae"]
        alive.most = before = alive.now
        with HOLDS:
            latent = torch.empty(model.shape(1))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            vae.decode(latent)
    return round((alive.most - before) / 1e9, 2), round(counter.get_total_flops() / 1e12, 3)


def calls(steps: int = STEPS, guidance: float = 7.5) -> dict[str, dict[str, int]]:
    """Rows that each method gives the network in all, and at most at once, counted on a small network."""
    with quiet():
        model = DiffusersModel(pipeline("small", "cpu"), steps=steps, guidance=guidance)
    picture, mask = still(model)
    found = {}
    for name, run in METHODS.items():
        knobs = {"steps": 2} if name in FITS else {}
        with counted(model) as rows:
            run(model, picture, mask, knobs)
        times = FITS[name] // 2 if name in FITS else 1  # two steps stand for all
        found[name] = {"rows": sum(rows) * times, "at_once": max(rows)}
    return found


def still(model: DiffusersModel) -> tuple[Image.Image, Image.Image]:
    """A picture of a model's size, and a mask whose middle is white."""
    width, height = model.size
    mask = Image.new("L", model.size)
    mask.paste(255, (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    return Image.effect_mandelbrot(model.size, (-2, -1.5, 1, 1.5), 50).convert("RGB"), mask


def minutes(rows: int, fits: bool, size: dict[str, Any]) -> float:
    """Minutes on a T4, estimated from counted operations."""
    operations = rows * size["tflop_row"] * (PASSES if fits else 1) + (0 if fits else size["tflop_decode"])
    return round(operations / (T4["peak_tflops"] * T4["share"]) / 60, 2)


def need(method: str, size: dict[str, float], at_once: int) -> float:
    """GB that a method takes; counted."""
    kinds = {"fit_embedding": "embedding_gb", "inversion.null_text": "embedding_gb"}
    kind = kinds.get(method, "lora_gb" if method in FITS else "picture_gb" if at_once <= 2 else "edit_gb")
    return size[kind]


# ------------------------------------------------------------------------------------------------------ one real step


@contextmanager
def watched(rows: list[dict[str, Any]], name: str) -> Iterator[None]:
    """Note how long the block took and how much memory the process had at most since it began."""
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        peak.write_text("5", encoding="ascii")  # forget the peak before
    start, spent = time.perf_counter(), time.process_time()
    yield
    text = Path("/proc/self/status").read_text(encoding="ascii") if peak.exists() else "VmHWM: 0 kB"
    most = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))
    rows.append({"what": name, "seconds": round(time.perf_counter() - start, 1),
                 "processor_seconds": round(time.process_time() - spent, 1), "gb": round(most / 1e6, 2)})
    print(rows[-1], flush=True)


def one_step(name: str) -> dict[str, Any]:
    """One step of methods on real classes at real size, random weights, half precision, on the processor."""
    rows: list[dict[str, Any]] = []
    with quiet(), watched(rows, "build"):
        built = pipeline(name, "cpu")
        model = DiffusersModel.settled(built, torch.device("cpu"), dtype := built.unet.dtype, steps=1)
    picture, mask = still(model)
    for method in SHORT:
        gc.collect()
        with counted(model) as called, watched(rows, method):
            made = METHODS[method](model, picture, mask, {"steps": 1, "batch": 1} if method in FITS else {})
        rows[-1]["rows"] = sum(called)
        del made
    return {"run": circumstances(), "threads": torch.get_num_threads(), "model": name, "dtype": str(dtype),
            "rows": rows}


def main() -> None:
    """Counts, runs if asked to, and writes down what was found."""
    parser = argparse.ArgumentParser(description="Counts what Stable Diffusion takes.")
    parser.add_argument("--run", action="store_true", help="take one step of real size, and count nothing")
    parser.add_argument("--steps", type=int, default=STEPS, help="of which the calls are counted")
    parser.add_argument("--models", nargs="+", default=LARGE, help='for a trial: "small"')
    asked = parser.parse_args()
    file = RESULTS / "big_models.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if asked.run:
        known["ran"] = one_step(asked.models[0])
    else:
        with quiet():
            size = {name: sizes(name) for name in asked.models}
        methods: dict[str, Any] = calls(asked.steps)
        for method, row in methods.items():
            row["gb"] = {name: need(method, size[name]["half"], row["at_once"]) for name in size}
            row["t4_minutes_estimated"] = {name: minutes(row["rows"], method in FITS, size[name]) for name in size}
        about = {key: value for key, value in circumstances().items() if key in ("date", "libraries")}
        known |= {"counted_on": about, "sizes": size, "t4": T4, "methods": methods}
    file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(file)


if __name__ == "__main__":
    main()
