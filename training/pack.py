"""Puts the trained parts together: a diffusers `StableDiffusionPipeline` folder and the judge, in half precision.

    python -m training.pack

Any diffusers loads the folder, and any transformers from version 4 on: the text encoder's keys keep the prefix that
older versions look for (without it they load random weights and say so only in a log line), and the tokenizer is saved
in its old form beside the new one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import load_file

from helpers.models.checksums import write_checksums
from helpers.picturebook.caption import KNOWN_WORDS

from .autoencoder import RUN as AUTOENCODER_RUN
from .autoencoder import build as build_autoencoder
from .judge import RUN as JUDGE_RUN
from .loop import read_clock, save_half
from .unet import BATCH, WIDTHS, build_scheduler
from .unet import RUN as UNET_RUN
from .unet import build as build_unet
from .words import RUN as WORDS_RUN
from .words import WINDOW, build_text_encoder, build_tokenizer, load_text_encoder

WEIGHTS = Path(__file__).parent.parent / "weights"
FOLDER = WEIGHTS / "pipeline"
RESULTS = Path("results/training.json")
CURVE = Path("results/training_curve.json")


def pack_network(network: UNet2DConditionModel | AutoencoderTiny, weights: Path, folder: Path) -> None:
    """A diffusers network: its configuration and its weights."""
    network.save_config(folder)
    save_half(load_file(weights), folder / "diffusion_pytorch_model.safetensors", read_clock(weights))


def pack_text_encoder(folder: Path) -> None:
    """The text encoder, its keys as all versions of transformers find them."""
    tokenizer = build_tokenizer()
    tensors = load_file(WORDS_RUN / "text_encoder.safetensors")
    tensors = {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in tensors.items()}
    save_half({k: v for k, v in tensors.items() if "position_ids" not in k}, folder / "model.safetensors",
              read_clock(WORDS_RUN / "text_encoder.safetensors"))
    config = build_text_encoder(tokenizer).config.to_dict() | {"architectures": ["CLIPTextModel"]}
    config |= {"dtype": "float32", "torch_dtype": "float32"}  # the halves are read into float32, like the other parts
    (folder / "config.json").write_text(json.dumps(config, indent=1, default=str))


def pack_tokenizer(folder: Path) -> None:
    """The tokenizer in the new form (tokenizer.json) and the old (vocab.json, merges.txt)."""
    build_tokenizer().save_pretrained(folder)
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")


def write_fingerprint(folder: Path, prompt: str = "a red cat on the beach") -> None:
    """What the text encoder makes of a prompt: a test compares, since wrongly loaded weights are random and silent."""
    tokenizer, encoder = load_text_encoder()
    ids = tokenizer(prompt, padding="max_length", max_length=WINDOW, return_tensors="pt").input_ids
    with torch.no_grad():
        states = encoder(ids).last_hidden_state
    embedding = [round(x, 4) for x in states[0, 3, :4].tolist()]
    (folder / "fingerprint.json").write_text(json.dumps({"prompt": prompt, "embedding": embedding}) + "\n")


def write_training(file: Path) -> None:
    """How long each part was trained, for the model card."""
    clocks = {name: read_clock(file) for name, file in (
        ("autoencoder", AUTOENCODER_RUN / "vae.safetensors"), ("words", WORDS_RUN / "text_encoder.safetensors"),
        ("unet", UNET_RUN / "unet.safetensors"), ("judge", JUDGE_RUN / "judge.safetensors"))}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    figures = {f"{name}_minutes": round(seconds / 60) for name, (_, seconds, _) in clocks.items()}
    figures |= {"unet_pictures": f"{clocks['unet'][0] * BATCH:,}", "window": WINDOW, "commit": commit,
                "widths": ", ".join(map(str, WIDTHS))}
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(figures, indent=1) + "\n")


def write_curve(file: Path) -> None:
    """What the denoiser had learned after how many pictures: earlier runs' numbers, and those of this run."""
    curve = {c["pictures"]: c for c in json.loads(file.read_text())["curve"]} if file.exists() else {}
    for line in (UNET_RUN / "scores.txt").read_text().splitlines():
        pictures = int(line.split()[0]) * BATCH
        curve[pictures] = {"pictures": pictures} | {k: int(v) for k, v in re.findall(r"(\w+) (\d+)%", line)}
    file.write_text(json.dumps({"curve": [curve[k] for k in sorted(curve)]}, indent=1) + "\n")


def pack_pipeline(folder: Path) -> None:
    """The whole pipeline into a new folder."""
    pack_network(build_unet(), UNET_RUN / "unet.safetensors", folder / "unet")
    pack_network(build_autoencoder(), AUTOENCODER_RUN / "vae.safetensors", folder / "vae")
    pack_text_encoder(folder / "text_encoder")
    pack_tokenizer(folder / "tokenizer")
    build_scheduler().save_config(folder / "scheduler")
    index = {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.39.0",
             "feature_extractor": [None, None], "image_encoder": [None, None],
             "requires_safety_checker": False, "safety_checker": [None, None],
             "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
             "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderTiny"]}
    (folder / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")
    (folder / "known_words.json").write_text(json.dumps(sorted(KNOWN_WORDS)) + "\n")
    write_fingerprint(folder)


def main() -> None:
    """Writes the folder anew, and the judge beside it; where a part is missing, all stays as it was."""
    new = FOLDER.with_name(f"{FOLDER.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        pack_pipeline(new)
        shutil.copyfile(JUDGE_RUN / "judge.safetensors", new / "judge.safetensors")
        write_curve(CURVE)  # before the other results: it alone reads a file that is not a part
        write_training(RESULTS)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)  # or it would be shipped with the rest
        raise
    os.replace(new / "judge.safetensors", WEIGHTS / "judge.safetensors")
    shutil.rmtree(FOLDER, ignore_errors=True)
    new.rename(FOLDER)
    write_checksums(FOLDER)
    write_checksums(WEIGHTS, ["judge.safetensors"])
    for file in WEIGHTS.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
    size = sum(f.stat().st_size for f in WEIGHTS.rglob("*.safetensors")) / 2**20
    print(f"{FOLDER} and the judge: {size:.1f} MB of weights")


if __name__ == "__main__":
    main()
