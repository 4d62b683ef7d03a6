"""Figures: each shows what it was given, has alt text, escapes what readers typed, and is the same every time."""

from __future__ import annotations

import base64
import io
import itertools
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import make_front_picture
from helpers import show
from helpers.core.diffusion import VariancePreserving
from helpers.core.interface import CLEAN
from helpers.machine import Machine, this_machine
from helpers.models.analytic import AnalyticModel
from helpers.show import palette
from helpers.show.figure import Figure

RED, GREEN = Image.new("RGB", (16, 16), "#ff0000"), Image.new("RGB", (16, 16), "#00ff00")
HALF = np.arange(16)[None, :].repeat(16, 0) < 8  # (16, 16), the left half


class Bare(VariancePreserving):
    """A model whose "decoding" gives one grey picture per latent."""

    alpha_bar, final_alpha_bar = AnalyticModel().alpha_bar, 1.0

    def decode(self, latents: Any) -> list[Image.Image]:
        return [Image.new("L", (8, 8), int(latent.mean().clamp(0, 255))) for latent in latents]


def recording(steps: int = 10) -> show.Recording:
    watching = show.Recording(Bare())
    for t in [*range(900, 900 - 90 * (steps - 1), -90), CLEAN]:
        watching(x=torch.full((2, 4, 2, 2), 100.0), t=t, eps=torch.zeros(2, 4, 2, 2))
    return watching


FIGURES: dict[str, Any] = {
    "pictures": lambda **k: show.pictures([RED, GREEN], labels=["red", "green"], **k),
    "grid": lambda **k: show.pictures([[RED, GREEN], [GREEN, None]], rows=["a", "b"], columns=["c", "d"], **k),
    "pair": lambda **k: show.pair(RED, GREEN, prompts=("a red wall", "a green wall"), truth=GREEN, **k),
    "sweep": lambda **k: show.sweep([RED, GREEN], [0, 1], name="strength", scores={"obeyed": [0, 1]}, **k),
    "trajectory": lambda **k: show.trajectory(recording(), **k),
    "mask": lambda **k: show.mask(RED, HALF, **k),
    "difference": lambda **k: show.difference(RED, GREEN, **k),
    "curve": lambda **k: show.curve([0, 1], {"a": [1, 2]}, errors={"a": [0.1, 0.2]}, xlabel="x", ylabel="y", **k),
    "scatter": lambda **k: show.scatter({"a": (0, 1), "b": (1, 0)}, xlabel="x", ylabel="y", line=["a", "b"], **k),
    "plane": lambda **k: show.plane(AnalyticModel(), points={"start": (0, 0)}, paths={"way": [(0, 0), (1, 1)]}, **k),
}


def shown(figure: Figure) -> np.ndarray:
    """The pixels (H, W, 3) of the picture in the figure's HTML."""
    found = re.search(r'src="data:image/(?:png|webp);base64,([^"]+)"', figure._repr_html_())
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB"))


def has_color(pixels: np.ndarray, color: tuple[int, int, int], far: int = 12) -> int:
    """How many pixels are near a colour."""
    return int((np.abs(pixels.astype(int) - color).max(-1) <= far).sum())


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_one_image_with_its_alt_text(name):
    html = FIGURES[name](alt="a wall - notice the colour", caption="Walls.")._repr_html_()
    assert html.count("<img ") == html.count("<figure") == html.count("<figcaption>") == 1
    assert 'alt="a wall - notice the colour"' in html
    assert "Walls." in html


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_every_time(name):
    first, second = (FIGURES[name](alt="a wall") for _ in range(2))
    assert first._repr_html_() == second._repr_html_()
    assert repr(first) == repr(second) == "Figure: a wall"


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("alt", ["", "  ", None])
def test_a_figure_without_alt_text_is_refused_with_advice(name, alt):
    with pytest.raises(ValueError, match="what it shows and what to notice"):
        FIGURES[name](alt=alt)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_small_and_no_wider_than_a_page(name):
    figure = FIGURES[name](alt="a wall")
    assert len(figure._repr_html_()) < 100_000
    assert figure.picture.width <= 1012


def test_noise_is_sent_more_coarsely_than_a_drawing_so_that_it_fits():
    noise = np.random.default_rng(0).random((128, 128, 3))
    figure = show.pictures([[noise] * 7] * 2, alt="x")
    assert len(figure.uri) < 130_000
    assert shown(figure).shape == (figure.picture.height, figure.picture.width, 3)


def test_prompts_with_html_and_formulas_show_as_text():
    nasty = '<script>alert("x")</script> & $\\frac{1}{0}$ \U0001f600'
    figure = show.pair(RED, GREEN, prompts=(nasty, nasty), alt=nasty, caption=nasty)
    html = figure._repr_html_()
    assert "<script" not in html and "&lt;script&gt;" in html
    assert html.count('"') == 2 * len(re.findall(r'\w+="', html))


def test_a_long_prompt_is_broken_into_lines_and_cut():
    short, long = (show.pictures([RED], labels=["word " * n], alt="x").picture.height for n in (1, 500))
    assert short < long < short + 100


def test_pictures_keep_their_colours_and_their_places():
    pixels = shown(show.pictures([[RED, GREEN]], alt="x"))
    left, right = np.split(pixels, [pixels.shape[1] // 2], axis=1)
    assert has_color(left, (255, 0, 0)) > 10_000 and has_color(left, (0, 255, 0)) == 0
    assert has_color(right, (0, 255, 0)) > 10_000 and has_color(right, (255, 0, 0)) == 0


def test_a_list_of_pictures_is_broken_into_rows():
    one, two = (show.pictures([RED] * n, alt="x", side=64).picture for n in (6, 7))
    assert one.width == two.width and two.height > one.height + 60


def test_wide_pictures_keep_their_proportions():
    pixels = shown(show.pictures([Image.new("RGB", (40, 20), "#ff0000")], alt="x", side=128))
    rows = (np.abs(pixels.astype(int) - (255, 0, 0)).max(-1) <= 12).any(1).sum()
    assert rows == 64


def test_the_mask_leaves_the_inside_as_it_is_and_pales_the_outside():
    over = shown(show.mask(RED, HALF, alt="x"))[30:-10, 276:520]  # the right of the two pictures
    assert has_color(over[:, :100], (255, 0, 0)) > 0.9 * over[:, :100].shape[0] * 100
    assert has_color(over[:, 150:], (255, 0, 0)) == 0


def test_a_mask_of_everything_or_nothing_and_of_another_size_is_shown_too():
    for mask in (np.ones((16, 16), bool), np.zeros((16, 16), bool), Image.new("L", (99, 50), 255)):
        assert show.mask(RED, mask, alt="x").picture.width > 500


def test_the_difference_of_equal_pictures_is_dark_everywhere():
    same, other = (shown(show.difference(RED, second, alt="x"))[30:-10, 550:780] for second in (RED, GREEN))
    assert same.std((0, 1)).max() < 2
    assert other.mean() > same.mean() + 30


def test_a_trajectory_shows_the_last_moment_and_the_clean_picture_in_mind():
    watching = recording()
    assert len(watching) == 10
    moments = watching.moments(4)
    assert [moment.t for moment in moments] == [900, 630, 360, CLEAN]
    assert moments[-1].noisy.getpixel((0, 0)) == moments[-1].clean.getpixel((0, 0)) == 100
    assert moments[0].clean.getpixel((0, 0)) > 100  # the state divided by sqrt(alpha_bar)
    assert len(watching.moments(1)) == 1


def test_an_empty_recording_says_what_to_do():
    with pytest.raises(ValueError, match="watch=recording"):
        show.Recording(Bare()).moments(3)


def test_a_recording_watches_a_model():
    model = AnalyticModel()
    watching = show.Recording(model)
    (point,) = model.generate("left", watch=watching, steps=20, progress=False)
    assert len(watching) == 20
    assert np.allclose(watching.moments(3)[-1].clean, point)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: show.pictures([], alt="x"), "no pictures"),
        (lambda: show.pictures([[]], alt="x"), "no pictures"),
        (lambda: show.pictures([None], alt="x"), "no pictures"),
        (lambda: show.sweep([], [], name="s", alt="x"), "no pictures"),
        (lambda: show.pair([], [], alt="x"), "no pictures"),
        (lambda: show.pictures([RED, GREEN], labels=["one"], alt="x"), "1 labels for 2 pictures"),
        (lambda: show.pictures([[RED], [GREEN]], rows=["one"], alt="x"), "1 names in `rows` for 2 rows"),
        (lambda: show.pair([RED, RED], [GREEN], alt="x"), "2 pictures before and 1 after"),
        (lambda: show.sweep([RED, GREEN], [0], name="s", alt="x"), "1 values for 2 pictures"),
        (lambda: show.sweep([RED], [0], name="s", scores={"obeyed": [1, 2]}, alt="x"), "2 obeyed for 1 pictures"),
        (lambda: show.curve([0, 1], {"a": [1]}, xlabel="", ylabel="", alt="x"), "'a' has 1 values for 2"),
        (lambda: show.curve([0, 1], {"a": [1, 2]}, errors={"a": [1, 2, 3]}, xlabel="", ylabel="", alt="x"), r"\(3,\)"),
    ],
)
def test_what_does_not_fit_together_is_told(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("one", [RED, "red.png", np.asarray(RED), HALF], ids=["picture", "path", "array", "grey"])
@pytest.mark.parametrize("make", [
    lambda one: show.pictures(one, alt="x"),
    lambda one: show.pictures([[RED], one], alt="x"),
    lambda one: show.pair([RED], one, alt="x"),
    lambda one: show.sweep(one, [0], name="s", alt="x"),
    lambda one: show.scrubber(one, alt="x"),
])
def test_one_picture_where_a_list_is_expected_is_told(make, one):
    with pytest.raises(TypeError, match=r"Got one picture; expected a list of pictures: \[picture\]"):
        make(one)


def test_an_array_may_hold_several_pictures():
    several, listed = (show.pictures(form, alt="x") for form in (np.stack([RED, GREEN]), [RED, GREEN]))
    assert several.picture == listed.picture


@pytest.mark.parametrize("most", [0, -0.5, 1.5, 255, float("nan")])
def test_the_end_of_a_differences_scale_is_between_0_and_1(most):
    with pytest.raises(ValueError, match=f"most is {most}; expected a (finite )?number above 0 and at most 1"):
        show.difference(RED, GREEN, most=most, alt="x")
    dark, bright = (shown(show.difference(RED, GREEN, most=end, alt="x"))[30:-10, 550:780].mean() for end in (1, 0.7))
    assert bright > dark


def test_a_figure_is_saved_in_a_folder_that_is_not_there_yet(tmp_path):
    path = FIGURES["pair"](alt="x").save(tmp_path / "new" / "pair.png")
    assert Image.open(path).size == FIGURES["pair"](alt="x").picture.size


def test_the_readme_describes_its_picture_as_the_tool_that_makes_it_does():
    assert f"![{make_front_picture.ALT}](docs/edits.png)" in (make_front_picture.ROOT / "README.md").read_text("utf-8")


def test_the_colours_are_those_of_okabe_and_ito_and_series_differ_in_more_than_colour():
    okabe_ito = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    assert set(palette.COLORS.values()) == okabe_ito
    looks = [palette.look(i) for i in range(8)]
    assert len({look.color for look in looks}) == len({look.marker for look in looks}) == 8


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = "import sys; from helpers import show; print([m for m in ('matplotlib', 'ipywidgets') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_name_that_show_does_not_have_is_refused():
    with pytest.raises(AttributeError, match="it has .*pair"):
        show.pears  # noqa: B018
    assert {"pair", "studio"} <= set(dir(show))


def test_this_machine_is_described():
    text = repr(this_machine())
    assert re.search(r"CPU cores +\d+", text) and re.search(r"torch +\d", text)


@pytest.mark.parametrize(
    ("gpu", "size", "memory", "words"),
    [
        (None, None, 16.0, "none is needed"),
        ("big", 16.0, 16.0, "both run on the GPU"),
        ("small", 2.0, 16.0, "wants one with"),
        ("Apple", None, None, "both run"),
        (None, None, 1.0, "close other programs"),
    ],
)
def test_what_a_machine_means_is_said(gpu, size, memory, words):
    assert words in repr(Machine("Linux", "3.11.7", 2, memory, gpu, size, {"torch": "2.13"}))


def test_names_of_near_points_cover_neither_each_other_nor_a_point():
    from helpers.show.plots import name_points, plot

    places = {"first": (0, 1), "second": (0.02, 1.01), "third": (0.05, 1), "the last of them": (1, 0), "far": (0.5, 9)}
    page, axes = plot("x", "y")
    spots = {name: np.atleast_2d(np.asarray(place, float)) for name, place in places.items()}
    for place in spots.values():
        axes.scatter(*place.T)
    axes.margins(0.12)
    name_points(axes, spots, np.empty((0, 2)))
    page.drawing.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    dots = [axes.transData.transform(place)[0] for place in spots.values()]
    assert len(boxes) == len(places)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert not any(box.contains(*dot) for box in boxes for dot in dots)


def test_a_recording_of_an_edit_keeps_the_state_its_prediction_belongs_to() -> None:
    recording, model = show.Recording(AnalyticModel()), AnalyticModel()
    x = torch.arange(6.0).reshape(3, 2, 1, 1)  # the source and two targets
    recording(x=x, t=499, eps=torch.zeros(2, 2, 1, 1))
    assert torch.equal(recording.states[0][1], x[1:2])
    clean = model.predict_clean(x[1:2], torch.zeros(1, 2, 1, 1), 499)
    assert np.allclose(recording.moments(1)[0].clean, clean.flatten())
