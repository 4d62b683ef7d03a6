"""A fit tells of itself: a bar with the loss, and a figure of samples and losses that is drawn anew in its place."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from PIL import Image

from helpers import show
from helpers.core.interface import Text
from helpers.core.progress import Bar
from helpers.finetuning import Diary, Weights
from helpers.finetuning.fit import fit
from helpers.models.diffusers_model import DiffusersModel
from helpers.show.fit_diary import PLACES, Screen, fit_so_far, spread

GREY = Image.new("RGB", (8, 8), "grey")
PICTURE = re.compile(r"data:image/\w+;base64,[^\"]+")


def fit_one(**knobs: Any) -> float:
    """A number that a fit moves from 0 towards 1."""
    x = torch.zeros(1)
    fit({"x": x}, lambda step: (x - 1).square().sum(), lr=0.1, **knobs)
    return x.item()


def page(figure: show.Figure) -> str:
    """What a notebook is sent, but for the picture itself."""
    return PICTURE.sub("PICTURE", figure._repr_html_())


def test_the_figure_keeps_its_size_and_its_text_from_the_first_picture_to_the_last() -> None:
    first = fit_so_far({0: GREY}, [], alt="a fit")
    last = fit_so_far({n: GREY for n in range(0, 1001, 25)}, [0.5] * 1000, alt="a fit", beside={"I": GREY})
    assert page(first) == page(last) and repr(first) == repr(last)
    assert first.picture.size == last.picture.size and first.uri != last.uri


def test_of_many_pictures_the_first_and_the_last_stay() -> None:
    steps = list(range(0, 1001, 25))
    assert spread(steps, PLACES) == [0, 200, 400, 600, 800, 1000]
    assert spread(steps[:3], PLACES) == steps[:3]


def test_what_is_shown_begins_before_the_fit_and_goes_on_in_one_place(
    models: dict[str, DiffusersModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[show.Figure] = []
    monkeypatch.setattr(Screen, "put", lambda screen, figure: put.append(figure))
    diary = show.diary(models["sd"], "a cat", alt="a fit", every=2, steps=1)
    assert list(diary.samples) == [0] and len(put) == 1
    for step in range(1, 6):
        diary(step=step, loss=0.5, weights=Weights({}))
    assert list(diary.samples) == [0, 2, 4] and len(put) == 3 and len(diary.losses) == 5


def test_an_embedding_is_drawn_as_its_prompt_is(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]
    text = model.embed("a cat")
    assert isinstance(text, Text)
    told, seen = (Diary(model, what, seed=3, steps=2).sample() for what in ("a cat", text))
    assert told.tobytes() == seen.tobytes()


def test_a_wrong_prompt_or_no_alt_text_is_said_at_once(models: dict[str, DiffusersModel]) -> None:
    with pytest.raises(ValueError, match="prompt is 3"):
        show.diary(models["sd"], 3, alt="a fit")
    with pytest.raises(ValueError, match="alt text"):
        show.diary(models["sd"], "a cat", alt=" ", steps=1)


def test_a_bar_that_cannot_be_drawn_ends_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    import tqdm.auto

    def broken(**_: object) -> None:
        raise LookupError("the notebook is closed")

    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(tqdm.auto, "tqdm", broken)
    assert fit_one(steps=2) > 0


def test_the_bar_of_a_fit_tells_the_loss_goes_on_where_it_was_and_leaves_when_the_fit_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tqdm.auto

    bars: list[_Shown] = []

    class _Shown(tqdm.std.tqdm):
        def __init__(self, **knobs: object) -> None:
            super().__init__(**knobs, disable=False, file=(tmp_path / "screen.txt").open("w", encoding="utf-8"))
            bars.append(self)

    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(tqdm.auto, "tqdm", _Shown)

    def stop(step: int, loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    for watch in (stop, lambda **_: None):
        try:
            fit_one(steps=5, folder=tmp_path / "fit", watch=watch)
        except KeyboardInterrupt:
            assert bars[0].disable  # closed, though the error is still held
    assert [bar.initial for bar in bars] == [0, 2] and bars[1].n == 5
    assert "loss 0." in bars[1].postfix


def test_a_fit_takes_a_function_as_progress() -> None:
    told: list[tuple[int, int]] = []
    fit_one(steps=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    with Bar(3, True, start=1) as bar:
        assert bar.start == 1


@pytest.mark.slow
def test_what_a_notebook_stores_is_what_a_later_run_shows_first(tmp_path: Path) -> None:
    """nbclient stores the last state of the figure, nbval compares the first: they must not differ but in pixels."""
    cell = ("from PIL import Image\nfrom helpers import show\nfrom helpers.show.fit_diary import Screen, fit_so_far\n"
            "screen, grey = Screen(), Image.new('RGB', (8, 8))\nfor n in range(0, 100, 25):\n"
            "    screen.put(fit_so_far({i: grey for i in range(0, n + 1, 25)}, [0.5] * n, alt='a fit'))")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.data["text/plain"] == "Figure: a fit"
    file = tmp_path / "fit.ipynb"
    nbformat.write(notebook, file)
    sanitize = Path(__file__).parent / "nbval_sanitize.cfg"
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider",
               f"--nbval-sanitize-with={sanitize}", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert ran.returncode == 0, ran.stdout
