"""The shipped weights: a genuine diffusers folder, a judge that reads drawings, a model that follows its prompts."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageOps
from safetensors.torch import load_file

from benchmarks.model_card import CARD, card
from helpers import load
from helpers.picturebook.drawing import draw
from helpers.picturebook.judge import Judge
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.vocabulary import CLASSES, GRADED

WEIGHTS = Path(__file__).parent.parent / "helpers" / "picturebook" / "weights"
FOLDER = WEIGHTS / "pipeline"
PROMPT = "a red cat riding a bicycle on the beach"


@pytest.fixture(scope="module")
def model():
    return load()


@pytest.fixture(scope="module")
def judge():
    return Judge.load()


def test_plain_diffusers_loads_the_folder_and_draws_the_same_picture(model):
    from diffusers import StableDiffusionPipeline
    pipe = StableDiffusionPipeline.from_pretrained(FOLDER, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    noise = torch.randn((1, 16, 16, 16), generator=torch.Generator().manual_seed(7))
    theirs = pipe(PROMPT, latents=noise, num_inference_steps=10, guidance_scale=4.0).images[0]
    ours = model.generate(PROMPT, seed=7, steps=10, guidance=4.0, progress=False)[0]
    differs = np.abs(np.asarray(theirs, int) - np.asarray(ours, int))
    assert differs.mean() < 0.5 and differs.max() <= 8  # rounding: at pure noise the signal is 2**-12


def test_the_text_encoder_is_found_by_old_and_new_transformers():
    keys = load_file(FOLDER / "text_encoder" / "model.safetensors").keys()
    assert all(key.startswith("text_model.") for key in keys)
    assert (FOLDER / "tokenizer" / "vocab.json").exists() and (FOLDER / "tokenizer" / "merges.txt").exists()


def test_the_text_encoder_is_the_trained_one_and_not_silently_random(model):
    """Its fingerprint is written into the model card's figures when the weights are packed."""
    told = json.loads((FOLDER / "fingerprint.json").read_text(encoding="utf-8"))
    seen = model.embed(told["prompt"]).embeddings[0, 3, :4].tolist()
    assert np.allclose(seen, told["embedding"], atol=2e-3)


def test_the_weights_are_readable_by_everybody_and_small():
    files = [f for f in WEIGHTS.rglob("*") if f.is_file()]
    assert all(f.stat().st_mode & 0o044 == 0o044 for f in files)
    assert sum(f.stat().st_size for f in files) < 64 * 2**20
    assert not [f for f in files if f.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl")]


def test_the_judge_reads_drawings_it_never_saw(judge):
    scenes = [s for new in (False, True) for s in islice(held_out_scenes(new, first=500_000), 60)]
    readings = judge.read([draw(s) for s in scenes])
    right = [r.agrees(s, name) for r, s in zip(readings, scenes, strict=True) for name in CLASSES if s.has(name)]
    assert np.mean(right) > 0.99
    for graded in GRADED:
        error = [abs(r.amounts[graded] - getattr(s, graded)) for r, s in zip(readings, scenes, strict=True)]
        assert np.mean(error) < 0.08


def test_the_judge_reads_a_picture_and_its_mirror_image_alike(judge):
    pictures = [draw(s) for s in islice(held_out_scenes(True, first=700_000), 8)]
    for one, mirrored in zip(judge.read(pictures), judge.read([ImageOps.mirror(p) for p in pictures]), strict=True):
        assert one.attributes == mirrored.attributes
        assert one.amounts == pytest.approx(mirrored.amounts, abs=1e-4)


def test_the_judge_is_not_a_rubber_stamp(judge):
    """Readings of one picture do not agree with the scene of another."""
    scenes = list(islice(held_out_scenes(False, first=600_000), 40))
    readings = judge.read([draw(s) for s in scenes])
    wrong = [r.agrees(s, "place") for r, s in zip(readings, scenes[1:] + scenes[:1], strict=True)]
    assert np.mean(wrong) < 0.4


@pytest.fixture(scope="module")
def shares_right(model, judge):
    """Of 24 prompts, the share of pictures that show the attribute asked for."""
    places = {"on the beach": "beach", "in the forest": "forest", "in the desert": "desert", "in the city": "city",
              "in a meadow": "meadow", "in a room": "room"}
    prompts = [f"a {color} {thing} {words}" for words in places
               for color, thing in (("red", "cat"), ("white", "bunny"), ("blue", "dog"), ("pink", "pig"))]
    readings = judge.read(model.generate(prompts, seed=1, steps=15, progress=False))
    asked = [p.split()[1:3] + [places[" ".join(p.split()[3:])]] for p in prompts]
    return {n: np.mean([r.attributes[n] == a[i] for r, a in zip(readings, asked, strict=True)])
            for i, n in enumerate(("color", "thing", "place"))}


def test_pictures_show_the_place_and_the_color_that_their_prompts_ask_for(shares_right):
    assert shares_right["place"] > 0.85 and shares_right["color"] > 0.7, shares_right


def test_pictures_show_the_main_thing_that_their_prompts_ask_for(shares_right):
    assert shares_right["thing"] > 0.8, shares_right


def test_an_unknown_word_warns_and_names_words_like_it(model):
    from helpers import PromptWarning
    with pytest.warns(PromptWarning, match="'elefant'.*elephant"):
        model.embed("an elefant on the beach")


def test_no_caption_of_the_world_warns(model, recwarn):
    from helpers.picturebook.caption import describe
    for scene in islice(held_out_scenes(False), 50):
        model.embed(describe(scene, scene.seed).text[:150])
    assert not [w for w in recwarn if "never seen" in str(w.message)]


def test_the_model_card_says_what_was_measured():
    assert CARD.read_text(encoding="utf-8") == card()
