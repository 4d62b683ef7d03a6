"""DreamBooth and textual inversion: what they fit, what the prior does, and pictures of all kinds."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import random_pipelines
import torch
from PIL import Image
from test_finetune import same
from toy_network import ToyModel

import helpers.methods.dreambooth as module
from helpers.core.randomness import noise
from helpers.core.warn import FitWarning, PromptWarning, heard
from helpers.finetuning import loss
from helpers.finetuning.loss import denoising_loss, draw, in_turn, share
from helpers.finetuning.weights import Weights, parameters, token_rows
from helpers.methods.dreambooth import fit_dreambooth, losses, prior_pictures, subject_pictures
from helpers.methods.textual_inversion import fit_textual_inversion
from helpers.models.diffusers_model import DiffusersModel

QUIET = {"progress": False}


def picture(number: int, size: tuple[int, int] = (8, 8)) -> Image.Image:
    """A picture of its own for each number."""
    levels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(levels)


SUBJECT = [picture(i) for i in range(3)]
PRIOR = [picture(i) for i in range(10, 14)]


def test_a_step_is_the_paper_s_two_losses() -> None:
    """|| x - x^(c) ||^2 + lambda || x_pr - x^(c_pr) ||^2, each a mean over its own rows and noise."""
    model, seen = ToyModel(), []
    for weight in (0.5, 2.0):
        losses: list[float] = []
        fit_dreambooth(model, SUBJECT, "a sks cat", "a cat", PRIOR, prior_weight=weight, steps=1, batch=2, seed=4,
                       watch=lambda loss, losses=losses, **_: losses.append(loss), **QUIET)
        error = []
        for pictures, c, stream in ((SUBJECT, "a sks cat", 4), (PRIOR, "a cat", "4, prior")):
            t, z = draw(model, stream, 0, (2, 2, 1, 1))
            error.append(denoising_loss(model, model.encode(pictures)[:2], model.embed(c), t, z).mean())
        assert losses[0] == pytest.approx((error[0] + weight * error[1]).item(), rel=0.02)  # fitted in bfloat16
        seen += losses
    assert seen[1] > seen[0]


def test_prior_weight_0_is_the_plain_loss_bit_for_bit() -> None:
    knobs = {"steps": 12, "batch": 2, "seed": 3, **QUIET}
    plain = fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", **knobs)
    without = fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", "a cat", PRIOR, prior_weight=0, **knobs)
    with_it = fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", "a cat", PRIOR, **knobs)
    assert same(plain, without) and not same(plain, with_it)


def test_the_prior_keeps_what_the_class_prompt_gives() -> None:
    """The network's answers under the class prompt move less with the prior than without, those of x_pr's rows."""
    model = ToyModel()
    x_pr, text = model.encode(PRIOR), model.embed("a cat")
    frozen = [model.decode(model.eps(x_pr[i : i + 1], 50, text))[0] for i in range(4)]
    moved = []
    for class_prompt, prior in ((None, ()), ("a cat", PRIOR)):
        weights = fit_dreambooth(model, SUBJECT, "a long prompt with a sks cat in it", class_prompt, prior, steps=150,
                                 prior_weight=5.0, lr=0.02, **QUIET)
        with weights.on(model):
            t, z = draw(model, 9, 0, (64, 2, 1, 1))
            moved.append(denoising_loss(model, x_pr.repeat(16, 1, 1, 1), text, t, z).mean().item())
    assert moved[1] < moved[0] and len(frozen) == 4


@pytest.mark.parametrize(("knobs", "networks"), [({}, {"unet"}), ({"rank": 2}, {"unet"}),
                                                 ({"rank": 2, "text_encoder": True}, {"unet", "text_encoder"})])
def test_it_fits_what_it_is_told_to_and_leaves_the_model_alone(
    models: dict[str, DiffusersModel], knobs: dict, networks: set[str]
) -> None:
    model, state = models["sd"], torch.get_rng_state()
    own = {name: value.clone() for name, value in parameters(model, list(model.networks)).items()}
    weights = fit_dreambooth(model, SUBJECT, "a q cat", steps=1, batch=1, **knobs, **QUIET)
    assert {name.partition(".")[0] for name in weights.tensors} == networks
    assert all(("lora" in name or "alpha" in name) == ("rank" in knobs) for name in weights.tensors)
    assert all(torch.equal(value, own[name]) for name, value in parameters(model, list(model.networks)).items())
    assert torch.equal(state, torch.get_rng_state())
    x, text = noise(0, model.shape(1)), model.embed("a q cat")
    with torch.no_grad():
        before = model.eps(x, 500, text)
        with weights.on(model):
            assert not torch.equal(before, model.eps(x, 500, text))
            assert torch.equal(model.embed("a q cat").embeddings, text.embeddings) != ("text_encoder" in networks)
        assert torch.equal(before, model.eps(x, 500, text))


def test_the_subject_s_word_is_known_while_its_weights_are_on(models: dict[str, DiffusersModel]) -> None:
    model = DiffusersModel(models["sd"].pipeline, known_words=frozenset({"a", "cat"}))
    weights = Weights({}, words=("sks",))
    with pytest.warns(PromptWarning, match="sks"):
        model.embed("a sks cat")
    with weights.on(model):
        model.embed("a sks cat")
    with pytest.warns(PromptWarning, match="sks"):
        model.embed("a sks cat")


def test_every_picture_has_its_turn() -> None:
    assert [in_turn(step, 2, 3) for step in range(3)] == [[0, 1], [2, 0], [1, 2]]
    assert in_turn(0, 4, 1) == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="batch is 2.5"):
        share(2.5)


# --------------------------------------------------------------------------------------------------------- the pictures


def test_pictures_of_mixed_sizes_one_or_a_hundred_are_taken(models: dict[str, DiffusersModel], tmp_path: Path) -> None:
    for i, size in enumerate([(40, 20), (8, 100), (32, 32)]):
        picture(i, size).save(tmp_path / f"{i}.png")
    (tmp_path / "notes.txt").write_text("not a picture", encoding="utf-8")
    assert [p.size for p in subject_pictures(tmp_path)] == [(40, 20), (8, 100), (32, 32)]
    assert models["sd"].encode(subject_pictures(tmp_path)).shape == models["sd"].shape(3)
    assert len(subject_pictures([picture(i) for i in range(100)])) == 100
    fit_dreambooth(ToyModel(), SUBJECT[:1], "a sks cat", steps=2, **QUIET)


def test_every_broken_picture_is_named_before_anything_is_computed(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.jpg").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"leave them out.*b\.png.*c\.jpg"):
        fit_dreambooth(ToyModel(), tmp_path, "a sks cat", **QUIET)


def test_duplicates_are_taken_with_a_warning() -> None:
    with pytest.warns(FitWarning, match="1 of the 4 pictures"):
        assert len(subject_pictures([*SUBJECT, SUBJECT[0].copy()])) == 4


@pytest.mark.parametrize(("pictures", "error", "words"), [
    ([], ValueError, "There are no pictures"), (picture(0), TypeError, "a list of pictures"),
    ("/no/such/folder", FileNotFoundError, "no folder"), ([7], ValueError, "picture 0"),
])
def test_what_is_no_list_of_pictures_is_an_error_that_says_what_to_give(
    pictures: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        fit_dreambooth(ToyModel(), pictures, "a sks cat", **QUIET)


@pytest.mark.parametrize(("arguments", "knobs", "words"), [
    (("a cat", ()), {}, "The prior wants both"), ((None, PRIOR), {}, "The prior wants both"),
    (("a cat", PRIOR), {"prior_weight": -1}, "prior_weight is -1"), ((), {"batch": 0}, "batch is 0"),
    ((), {"rank": 0}, "rank is 0"), ((), {"steps": 0}, "steps is 0"), ((), {"lr": 0.0}, "lr is 0"),
])
def test_numbers_out_of_range_are_errors_that_name_them(arguments: tuple, knobs: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", *arguments, **knobs, **QUIET)


def test_prior_pictures_are_made_once_and_a_broken_off_set_is_completed(tmp_path: Path) -> None:
    made: list[int] = []

    class Maker:
        steps, guidance, size, fingerprint = 2, 4.0, (8, 8), "0"

        def generate(self, prompt: str, seed: list[int], **_: object) -> list[Image.Image]:
            made.extend(seed)
            return [picture(s) for s in seed]

    first = prior_pictures(Maker(), "a cat", 3, seed=5, folder=tmp_path, **QUIET)
    more = prior_pictures(Maker(), "a cat", 20, seed=5, folder=tmp_path, **QUIET)
    assert made == list(range(5, 25)) and len(more) == 20
    assert [p.tobytes() for p in more[:3]] == [p.tobytes() for p in first]
    assert [p.tobytes() for p in prior_pictures(Maker(), "a cat", 3, seed=5)] == [p.tobytes() for p in first]


# ---------------------------------------------------------------------------------------------------- textual inversion


@pytest.mark.parametrize(("prompt", "knobs", "words"), [("a dog", {}, "class_prompt"),
                                                       ("a cat", {"steps": 3}, "steps")])
def test_pictures_of_another_class_or_other_knobs_are_not_taken_for_the_prior(
    prompt: str, knobs: dict, words: str, models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    made = {"steps": 2, **QUIET, "folder": tmp_path}
    prior_pictures(models["sd"], "a cat", 1, **made)
    assert len(prior_pictures(models["sd"], "a cat", 2, **made, guidance=models["sd"].guidance)) == 2
    with pytest.raises(ValueError, match=f"differ in {words}"):
        prior_pictures(models["sd"], prompt, 2, **made | knobs)


def test_a_call_that_failed_leaves_nothing_in_the_way_of_the_next(
    models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="steps is 0"):
        prior_pictures(models["sd"], "a cat", 1, steps=0, folder=tmp_path, **QUIET)
    assert len(prior_pictures(models["sd"], "a cat", 1, steps=2, folder=tmp_path, **QUIET)) == 1


def test_pictures_of_which_nothing_is_told_are_not_taken_for_the_prior(
    models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    picture(1).save(tmp_path / "00000.png")
    with pytest.raises(ValueError, match="were not made here: give a folder of its own") as refused:
        prior_pictures(models["sd"], "a cat", 1, steps=2, folder=tmp_path, **QUIET)
    assert "delete" not in str(refused.value)  # they may be the reader's only copies


def test_pictures_of_another_model_are_not_taken_for_the_prior(
    models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    prior_pictures(models["sd"], "a cat", 1, steps=2, folder=tmp_path, **QUIET)
    with pytest.raises(ValueError, match="differ in .*model"):
        prior_pictures(models["v"], "a cat", 1, steps=2, folder=tmp_path, **QUIET)


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "null"])
def test_a_damaged_note_beside_the_prior_is_said_to_be_damaged(
    text: str, models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    prior_pictures(models["sd"], "a cat", 1, steps=2, folder=tmp_path, **QUIET)
    (tmp_path / "prior.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="damaged|differ in"):
        prior_pictures(models["sd"], "a cat", 1, steps=2, folder=tmp_path, **QUIET)


def test_only_the_subject_s_word_becomes_known_and_a_typo_is_still_told(models: dict[str, DiffusersModel]) -> None:
    model = DiffusersModel(models["sd"].pipeline, known_words=frozenset({"a", "cat", "beach", "the", "on"}))
    knobs = {"steps": 1, "rank": 1, **QUIET}
    with pytest.warns(PromptWarning, match="'baech'"):
        weights = fit_dreambooth(model, [picture(1)], "a sks cat on the baech", **knobs)
    assert weights.words == ("sks",)
    weights = fit_dreambooth(model, [picture(1)], "a sks cat", "a cat", [picture(2)], **knobs)
    assert weights.words == ("sks",)


def test_a_prompt_that_is_too_long_is_told_before_the_fit(models: dict[str, DiffusersModel]) -> None:
    with pytest.warns(PromptWarning, match="too long"):
        fit_dreambooth(models["sd"], [picture(1)], "a sks cat " * 40, steps=1, rank=1, **QUIET)


@pytest.mark.parametrize("knobs", [{}, {"rank": 2}, {"rank": 2, "text_encoder": True}, {"word": "q", "like": "cat"}])
def test_a_pipeline_as_diffusers_gives_it_can_be_fitted_and_has_no_gradients_afterwards(knobs: dict) -> None:
    """Its weights want gradients; those that `load` gives do not."""
    model = DiffusersModel(random_pipelines.stable_diffusion())
    fit = fit_textual_inversion if "word" in knobs else fit_dreambooth
    fit(model, SUBJECT, "a q cat", steps=2, batch=1, **knobs, **QUIET)
    everything = [weight for network in model.networks.values() for weight in network.parameters()]
    assert all(weight.grad is None and weight.requires_grad for weight in everything)


def test_a_folder_with_a_word_that_began_elsewhere_is_refused(
    models: dict[str, DiffusersModel], tmp_path: Path
) -> None:
    knobs = {"steps": 1, "batch": 1, "folder": tmp_path, **QUIET}
    fit_textual_inversion(models["sd"], SUBJECT, "a q cat", "q", "cat", **knobs)
    with pytest.raises(ValueError, match="differs in like"):
        fit_textual_inversion(models["sd"], SUBJECT, "a q cat", "q", "a", **knobs)


def test_textual_inversion_changes_the_word_and_nothing_else(models: dict[str, DiffusersModel], tmp_path: Path) -> None:
    for name in ("sd", "xl"):
        model = models[name]
        own = model.embed(["q", "cat", "z cat"])
        weights = fit_textual_inversion(model, SUBJECT, "a q cat", "q", "cat", steps=1, batch=1, **QUIET)
        assert sum(v.numel() for v in weights.tensors.values()) < 100
        with Weights.load(weights.save(tmp_path / "word.safetensors")).on(model):
            now = model.embed(["q", "cat", "z cat"])
        assert torch.equal(own.embeddings[1:], now.embeddings[1:])
        assert not torch.equal(own.embeddings[0], now.embeddings[0])


def test_a_word_of_several_tokens_warns_of_the_known_words_that_change_with_it_and_of_none_else() -> None:
    class Spelled:
        """Words of one letter a token; it knows "s" and "cat"."""

        networks = {"t": torch.nn.ModuleDict({"table": torch.nn.Embedding(200, 2)})}
        known_words: frozenset[str] | None = frozenset({"s", "cat"})

        def token_rows(self, word: str) -> list[tuple[str, list[int]]]:
            return [("t.table.weight", [150] if word == "cat" else [ord(letter) for letter in word])]

    model = Spelled()
    with heard() as told:
        token_rows(model, "vuk", "cat")
    assert told == []
    with heard() as told:
        token_rows(model, "sks", "cat")
    assert len(told) == 1 and "other words ('s') are spelled with them" in told[0]
    model.known_words = None  # nobody knows what such a model has read
    with heard() as told:
        token_rows(model, "vuk", "cat")
    assert len(told) == 1 and "other words are spelled" in told[0]


def test_textual_inversion_wants_its_word_in_the_prompt_and_a_word_of_its_own(models: dict) -> None:
    with pytest.raises(ValueError, match="'q' is not in the prompt.*a, cat"):
        fit_textual_inversion(models["sd"], SUBJECT, "a cat", "q", "cat")
    with pytest.raises(ValueError, match="share tokens"):
        fit_textual_inversion(models["sd"], SUBJECT, "a cat", "cat", "cat")


def test_every_row_of_the_symbol_table_has_a_name_in_the_code() -> None:
    rows = [line.split("  ") for line in module.__doc__.splitlines() if line.startswith("    ")][1:]
    names = [[cell.strip() for cell in row if cell.strip()][1] for row in rows]
    code = inspect.getsource(fit_dreambooth) + inspect.getsource(losses)
    assert all(name in code for name in names)
    assert {"prompt", "class_prompt", "prior_weight", "rank"} <= set(names)


# ------------------------------------------------------------------------------------------------ several processes

TOGETHER = """
import sys, torch
sys.path[:0] = ["tests", "."]
from test_dreambooth import PRIOR, SUBJECT, ToyModel, fit_dreambooth
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo")
weights = fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", "a cat", PRIOR, steps=20, batch=4, progress=False)
if torch.distributed.get_rank() == 0:
    assert torch.distributed.get_world_size() == 2
    weights.save(sys.argv[1])
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_fit_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "together.py").write_text(TOGETHER, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
               str(tmp_path / "together.py"), str(tmp_path / "weights.safetensors")]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one = fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", "a cat", PRIOR, steps=20, batch=4, **QUIET)
    two = Weights.load(tmp_path / "weights.safetensors")
    start = ToyModel().net.state_dict()
    for name, value in one.tensors.items():
        assert torch.allclose(value, two.tensors[name], atol=2e-4), name
        assert not torch.allclose(value, start[name.removeprefix("unet.")], atol=1e-3)


def test_a_batch_that_cannot_be_shared_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "processes", lambda: (0, 2))
    with pytest.raises(ValueError, match="3 cannot be shared by 2 processes"):
        fit_dreambooth(ToyModel(), SUBJECT, "a sks cat", steps=1, batch=3, **QUIET)


def test_the_command_line_fits_resumes_and_tells_mistakes(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pictures").mkdir()
    for i, one in enumerate(SUBJECT):
        one.save(tmp_path / "pictures" / f"{i}.png")
    line = ["finetune.py", str(tmp_path / "pictures"), "--model", str(folders["sd"]), "--prompt", "a q cat", "--device",
            "cpu", "--class-prompt", "a cat", "--prior", "1", "--steps", "1", "--out", str(tmp_path / "q.safetensors")]
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "tools"))
    tool = importlib.import_module("finetune")
    monkeypatch.setattr(tool, "load", lambda name, device: DiffusersModel.from_folder(name, device, steps=1))
    for _ in range(2):  # the second time everything is there already
        monkeypatch.setattr(sys, "argv", line)
        assert tool.main() == 0 and "written" in capsys.readouterr().out
    assert len(Weights.load(tmp_path / "q.safetensors").tensors) > 2
    monkeypatch.setattr(sys, "argv", [line[0], str(tmp_path / "nowhere"), *line[2:]])
    assert tool.main() == 1 and "no folder" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ whose pictures


def test_another_models_pictures_are_not_taken_for_the_prior(tmp_path: Path) -> None:
    class Maker:
        steps, guidance, size = 2, 4.0, (8, 8)

        def __init__(self, fingerprint: str) -> None:
            self.fingerprint = fingerprint

        def generate(self, prompt: str, seed: list[int], **_: object) -> list[Image.Image]:
            return [picture(s) for s in seed]

    prior_pictures(Maker("one"), "a cat", 2, folder=tmp_path, **QUIET)
    prior_pictures(Maker("one"), "a cat", 3, folder=tmp_path, **QUIET)
    with pytest.raises(ValueError, match="differ in model: give another folder"):
        prior_pictures(Maker("other"), "a cat", 2, folder=tmp_path, **QUIET)
    (tmp_path / "prior.json").write_text("[", encoding="utf-8")
    with pytest.raises(ValueError, match="is damaged"):
        prior_pictures(Maker("one"), "a cat", 2, folder=tmp_path, **QUIET)
