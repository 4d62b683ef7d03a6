"""The attention explorer and the re-weight panel: what they keep, pack and say. tests/browser has the browser."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from benchmarks.calls import counted
from helpers import show
from helpers.attention.control import attention
from helpers.attention.maps import AttentionStore
from helpers.methods.prompt_to_prompt import prompt_to_prompt, recorded
from helpers.methods.source import generated
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel
from helpers.show.attention_figures import Attended, Part, halved, percent
from helpers.show.markup import static
from helpers.show.widgets.exploring import MOST_BYTES, fitted, pieces
from helpers.show.widgets.reweighting import MOST, Reweighted, told
from helpers.show.widgets.reweighting_panel import Reweighting

P, P_STAR = "a cat ab cd", "a zq ab, ef cd"
KNOBS = {"seed": 3, "steps": 3, "guidance": 4.0, "progress": False}
SCRIPT = "<script>alert('x')</script>"
PICTUREBOOK = [(16, 16)] * 3 + [(8, 8)] * 3 + [(4, 4)] * 4  # the grids of its layers


@pytest.fixture(scope="module")
def sd(models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models["sd"]


@pytest.fixture(scope="module")
def seen(sd: DiffusersModel) -> Attended:
    return show.attended(sd, P, P_STAR, **KNOBS)


@pytest.fixture(scope="module")
def made(sd: DiffusersModel) -> Reweighted:
    return show.reweighted(sd, P, {"cat": [2, -1], "ab": (1, 0, 3)}, **KNOBS)


def by_hand(prompts: tuple[str, ...] = (P, P_STAR), *, steps: int = 2, grids=((4, 4), (2, 2)), low: float = 0.0,
            high: float = 1.0, flat: bool = False) -> Attended:
    """Maps of noise between low and high, which no packing makes small."""
    rng = np.random.default_rng(0)
    words = [re.findall(r"\w+", prompt) for prompt in prompts]
    rows = [(view, word) for view, i in (("source", 0), ("before", 1), ("after", 1)) if i < len(prompts)
            for word in dict.fromkeys(words[i])]
    parts = [Part(f"layer {i}", grid, rng.uniform(low, high, (len(rows), steps, *grid)).astype(np.float32))
             for i, grid in enumerate(grids)]
    return Attended(prompts, (Image.new("RGB", (32, 32), "teal"),) * len(prompts), tuple(rows), tuple(parts))


class Tags(HTMLParser):
    """The tags of some HTML with their attributes, and its text without scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text, self.scripts, self.inside = "", [], ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)
        else:
            self.text += data

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


def sent(html: str) -> dict:
    """The data of a widget's HTML."""
    return json.loads(Tags(html).scripts[0])


def unpacked(told: dict) -> list[np.ndarray]:
    """The maps as the script reads them, (rows, steps, h, w) of each part."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(told["maps"])), np.uint8).astype(float)
    u = (raw - told["zero"]) / told["span"]
    shares, maps = np.sign(u) * u**2 * told["top"], []
    for _, h, w in told["parts"]:
        size = len(told["rows"]) * len(told["steps"]) * h * w
        maps.append(shares[:size].reshape(len(told["rows"]), len(told["steps"]), h, w))
        shares = shares[size:]
    assert not len(shares)
    return maps


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_the_maps_are_those_of_a_look_and_the_pictures_those_of_the_edit(sd: DiffusersModel, seen: Attended) -> None:
    look = AttentionStore(["cat", "ab", "zq"], keep_separate=("step", "layer"))
    pictures = prompt_to_prompt(sd, P, P_STAR, store=look, **KNOBS)
    assert [a.tobytes() for a in seen.pictures] == [b.tobytes() for b in pictures]
    layer, grid = next(iter(look.seen_layers.items()))
    for word, view, prompt, before in (("cat", "source", 0, False), ("ab", "source", 0, True),
                                       ("zq", "before", 1, True), ("ab", "after", 1, False)):
        expected = look.of(word, grid, prompt=prompt, before=before, step=2, layer=layer).numpy()
        assert np.allclose(seen.of(word, grid, view=view, step=2, layer=layer), expected, atol=1e-6)
    assert np.abs(seen.of("zq", view="before") - seen.of("zq", view="after")).max() > 1e-4
    assert np.allclose(seen.of("ab", view="after"), look.of("ab", seen.common_grid).numpy(), atol=1e-6)


def test_one_prompt_is_watched_as_it_is_generated(sd: DiffusersModel) -> None:
    alone, look = show.attended(sd, P, **KNOBS), AttentionStore(["cat"])
    with attention(sd, prompts=P, store=look, steps=3):
        picture = sd.generate(P, **KNOBS)[0]
    assert alone.pictures[0].tobytes() == picture.tobytes() and alone.views == ["source"]
    assert np.allclose(alone.of("cat"), look.of("cat", alone.common_grid).numpy(), atol=1e-6)


def test_a_recorded_source_gives_the_same_maps(sd: DiffusersModel, seen: Attended) -> None:
    again = show.attended(sd, recorded(sd, P, **KNOBS), P_STAR, progress=False)
    assert again.rows == seen.rows and again.steps == seen.steps
    for word, view in (("cat", "source"), ("zq", "after")):
        assert np.allclose(again.of(word, view=view), seen.of(word, view=view), atol=1e-4)


def test_a_word_has_maps_only_where_its_prompt_has_it(seen: Attended) -> None:
    assert seen.words("source") == ["a", "cat", "ab", "cd"]
    assert set(seen.words("after")) == set(seen.words("before")) == {"a", "zq", "ab", "ef", "cd"}
    assert np.array_equal(seen.of("cat"), seen.of("cat", view="source"))
    assert seen.of("ef").shape == seen.common_grid


def test_layers_are_averaged_where_there_are_too_many_to_show(sd: DiffusersModel, seen: Attended) -> None:
    mean = show.attended(sd, P, P_STAR, by_layer=False, words=["ab"], grids=[seen.grids[-1]], **KNOBS)
    assert [(part.layer, part.grid) for part in mean.parts] == [(None, seen.grids[-1])]
    assert np.allclose(mean.of("ab"), seen.of("ab", seen.grids[-1]), atol=1e-6)
    layers = [part.layer for part in seen.parts if part.grid == seen.grids[-1]]
    each = [seen.of("ab", layer=layer) for layer in layers if len(layers) > 1]
    assert not each or np.allclose(sum(each) / len(each), mean.of("ab"), atol=1e-6)
    assert halved(64, 96) == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3), (1, 2)] + [(1, 1)]


@pytest.mark.parametrize(("call", "complaint"), [
    (lambda m: show.attended(m, P, P_STAR, words=["dog"], **KNOBS), "'dog' is in none.*a, cat, ab, cd, zq, ef"),
    (lambda m: show.attended(m, P, words=["cat ab"], **KNOBS), "'cat ab' is not a single word"),
    (lambda m: show.attended(m, P, grids=[(7, 7)], **KNOBS), r"No layer has maps of \[\(7, 7\)\]"),
    (lambda m: show.attended(m, generated(m, P, **KNOBS), progress=False), "needs a target"),
    (lambda m: show.attended(AnalyticModel(), "left"), "no cross-attention"),
])
def test_what_cannot_be_watched_is_told(sd: DiffusersModel, call, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        call(sd)


@pytest.mark.parametrize(("call", "complaint"), [
    (lambda s: s.of("dog"), "word 'dog'.*there are"),
    (lambda s: s.of("cat", view="after"), "word 'cat'.*'zq'"),
    (lambda s: s.of("cat", (9, 9)), r"grid \(9, 9\)"),
    (lambda s: s.of("cat", step=3), "step 3.*0 to 2"),
    (lambda s: s.of("cat", layer="mid_block.nothing"), "layer 'mid_block.nothing'.*attn2"),
    (lambda s: show.attention_maps(s, by="layer", alt="a"), "by is 'layer'"),
    (lambda s: show.attention_maps(s, ["dog"], alt="a"), "word 'dog'"),
    (lambda s: show.attention_maps(s, alt=" "), "alt text"),
    (lambda s: show.explorer(s, alt=""), "alt text"),
])
def test_what_was_not_kept_is_told_with_what_there_is(seen: Attended, call, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        call(seen)


@pytest.mark.parametrize("by", ["step", "grid", "view"])
def test_the_static_figure_is_one_picture_with_its_alt_text_and_the_same_every_time(seen: Attended, by: str) -> None:
    first, second = (show.attention_maps(seen, by=by, alt="words - see") for _ in range(2))
    assert first.picture.tobytes() == second.picture.tobytes()
    assert first._repr_html_().count("<img") == 1 and 'alt="words - see"' in first._repr_html_()
    assert first.picture.width <= 1024 and np.asarray(first.picture).std() > 10


# --- how it is packed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high", "bound"), [(0, 1, 0.004), (0, 2.5, 0.004), (-0.5, 1, 0.008), (0, 1e-3, 0.004)])
def test_packed_maps_are_the_maps_to_within_the_error_that_is_told(low: float, high: float, bound: float) -> None:
    seen = by_hand(low=low, high=high)
    told = sent(show.explorer(seen, alt="a").html)
    top = max(np.abs(part.maps).max() for part in seen.parts)
    for part, shares in zip(seen.parts, unpacked(told), strict=True):
        assert np.abs(part.maps - shares).max() <= bound * top
    assert told["start"] == 0 and told["steps"] == [[1, 1], [2, 2]]
    assert [[told["views"][v].split(",")[0], told["words"][w]] for v, w in told["rows"]] == [
        ["source" if view == "source" else "target", word] for view, word in seen.rows]


def test_small_shares_are_kept_more_exactly_than_large_ones() -> None:
    seen = by_hand(high=0.01)
    seen.parts[0].maps[0, 0, 0, 0] = 1
    assert np.abs(unpacked(sent(show.explorer(seen, alt="a").html))[1] - seen.parts[1].maps).max() < 5e-4


@pytest.mark.parametrize(("steps", "grids"), [(25, PICTUREBOOK), (50, [(32, 32), (16, 16), (8, 8)])])
def test_even_noise_of_all_words_steps_and_layers_stays_small_enough_for_a_page(steps: int, grids: list) -> None:
    seen = by_hand(("an orange cat riding a bicycle in the meadow", "an orange cat riding a car in the snow"),
                   steps=steps, grids=grids)
    html = show.explorer(seen, alt="a").html
    assert len(html) < 4 / 3 * MOST_BYTES + 100_000 < 750_000
    told = sent(html)
    groups, maps = told["steps"], unpacked(told)
    assert groups[0][0] == 1 and groups[-1][1] == steps
    assert all(a[1] + 1 == b[0] for a, b in zip(groups, groups[1:], strict=False))
    first = seen.parts[0].maps[:, groups[0][0] - 1 : groups[0][1]].mean(1)
    assert np.abs(maps[0][:, 0] - first).max() < 0.005


def test_maps_that_fit_keep_every_step_and_maps_that_never_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [len(group) for group in fitted(by_hand(steps=7))[0]] == [1] * 7
    monkeypatch.setattr("helpers.show.widgets.exploring.MOST_BYTES", 10)
    with pytest.raises(ValueError, match="fewer words"):
        fitted(by_hand())


# --- what stands in the page ------------------------------------------------------------------------------------------


def test_an_explorer_is_first_of_all_pictures_with_alt_texts(seen: Attended) -> None:
    tags = Tags(show.explorer(seen, alt="two prompts - see")._repr_html_().split("<script")[0])
    images = tags.named("img")
    assert [image["alt"] for image in images[:2]] == ["two prompts - see: source", "two prompts - see: target"]
    assert len(images) == 2 + len(seen.words("source")) + len(seen.words("after"))
    assert all(image["alt"] and image["src"].startswith("data:image/") for image in images)
    assert P in tags.text and P_STAR in tags.text
    assert f"cat, up to {percent(float(seen.of('cat').max()))}" in tags.text


def test_a_prompt_that_holds_a_script_is_text() -> None:
    prompts = (f"{SCRIPT} cat", f'"onload="x {SCRIPT} & dog')
    tags = Tags(show.explorer(by_hand(prompts), alt=SCRIPT)._repr_html_())
    assert len(tags.named("script")) == 2 and SCRIPT in tags.text
    assert not any("onload" in attributes for _, attributes in tags.found)
    assert ["".join(piece[0] for piece in cut) for cut in json.loads(tags.scripts[0])["prompts"]] == list(prompts)


def test_the_words_of_both_prompts_know_each_other() -> None:
    seen = by_hand(("a cat's bicycle, in a red meadow", "a dog's car, in a wide red meadow"))
    seen = Attended(seen.prompts, seen.pictures, tuple(("source", word) for word in
                    ("a", "cat", "bicycle", "meadow", "dog", "car", "wide", "red")), seen.parts)
    words = seen.words()
    cut = [[(text, words[own], None if other is None else words[other]) for text, own, other in prompt
            if own is not None] for prompt in pieces(seen)]
    assert cut[0] == [("a", "a", "a"), ("cat's", "cat", "dog"), ("bicycle", "bicycle", "car"), ("a", "a", "a"),
                      ("red", "red", "red"), ("meadow", "meadow", "meadow")]
    other = Attended(("a bicycle!", "a wide car"), seen.pictures, seen.rows, seen.parts)
    swapped = [[(text, other and words[other]) for text, own, other in prompt if own] for prompt in pieces(other)]
    assert swapped == [[("bicycle", "car")], [("wide", "bicycle"), ("car", "bicycle")]]
    assert ("car", "car", "bicycle") in cut[1] and ("wide", "wide", None) in cut[1]
    assert "".join(text for text, *_ in pieces(seen)[1]) == seen.prompts[1]


def test_the_html_does_not_depend_on_the_run_and_its_name_not_on_the_pixels(seen: Attended) -> None:
    other = Attended(seen.prompts, (Image.new("RGB", (32, 32)),) * 2, seen.rows, seen.parts)
    htmls = [show.explorer(one, alt="a").html for one in (seen, seen, other)]
    assert htmls[0] == htmls[1] != htmls[2]
    assert len({Tags(html).found[0][1]["data-show"] for html in htmls}) == 1


@pytest.mark.parametrize("kind", ["explorer", "reweighter"])
def test_scripts_can_stand_inside_a_page_and_ask_for_nothing_from_outside(kind: str) -> None:
    text = static(f"{kind}.js")
    assert "</" not in text and "http" not in text and "import " not in text


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed; the browser tests run the scripts too")
def test_scripts_are_javascript(seen: Attended, made: Reweighted, tmp_path) -> None:
    for html in (show.explorer(seen, alt="a").html, show.reweighter(made, alt="a").html):
        (tmp_path / "script.mjs").write_text(Tags(html).scripts[-1], encoding="utf-8")
        subprocess.run(["node", "--check", str(tmp_path / "script.mjs")], check=True)


@pytest.mark.parametrize("name", ["attended", "attention_maps", "explorer", "reweighted", "reweighter",
                                  "reweighting_live"])
def test_everything_is_reached_through_show_also_after_its_module_was_imported(name: str) -> None:
    for _ in range(2):
        assert callable(getattr(show, name))


# --- re-weighting -----------------------------------------------------------------------------------------------------


def test_each_picture_is_the_edit_with_its_weights_and_weights_of_1_change_nothing(sd, made) -> None:
    assert made.mixes[0] == {"cat": -1, "ab": 0} and made.mixes[-1] == {"cat": 2, "ab": 3} and len(made.pictures) == 6
    for mix in ({"cat": 2, "ab": 0}, {"cat": -1, "ab": 3}):
        expected = prompt_to_prompt(sd, P, P, weights=mix, **KNOBS)[1]
        assert distance(made.of(mix), expected) <= 1 and distance(made.of(mix), made.source) > 0
    one = show.reweighted(sd, P, {"cat": [1]}, **KNOBS)
    assert distance(one.pictures[0], sd.generate(P, **KNOBS)[0]) <= 1


def distance(a: Image.Image, b: Image.Image) -> int:
    return int(np.abs(np.asarray(a, int) - np.asarray(b, int)).max())


def test_the_source_runs_once_for_all_mixes(sd: DiffusersModel) -> None:
    with counted(sd) as calls:
        show.reweighted(sd, P, "cat", **KNOBS)
    assert calls == [2] * 3 + [10] * 3  # the source with guidance, then five targets


def test_the_words_may_be_those_of_another_prompt(sd: DiffusersModel) -> None:
    made = show.reweighted(sd, P, {"zq": [2]}, target=P_STAR, cross_replace_steps=0.5, **KNOBS)
    expected = prompt_to_prompt(sd, P, P_STAR, cross_replace_steps=0.5, weights={"zq": 2}, **KNOBS)[1]
    assert made.prompt == P_STAR and distance(made.pictures[0], expected) <= 1


def test_the_panel_is_first_of_all_a_strip_of_pictures_in_the_order_of_the_script(made) -> None:
    html = show.reweighter(made, alt="a cat - see")._repr_html_()
    tags = Tags(html.split("<script")[0])
    assert [img["alt"] for img in tags.named("img")] == [
        "a cat - see: without an edit", *(f"a cat - see: {told(mix)}" for mix in made.mixes)]
    assert sent(html) == [["cat", [-1, 2]], ["ab", [0, 1, 3]]]
    assert "cat \u00d7\u00a0\u22121, ab \u00d7\u00a03" in tags.text


def test_a_panel_of_many_large_pictures_stays_small_and_a_script_in_it_is_text(made) -> None:
    noise = Image.effect_noise((512, 512), 40).convert("RGB")
    many = type(made)(f"{SCRIPT} cat", {SCRIPT: tuple(range(25))}, noise, (noise,) * 25)
    html = show.reweighter(many, alt="a")._repr_html_()
    assert len(html) < 1_500_000
    assert len(Tags(html).named("script")) == 2 and SCRIPT in Tags(html).text


@pytest.mark.parametrize(("call", "complaint"), [
    (lambda m: show.reweighted(m, P, ["dog"], **KNOBS), "'dog' is not in the prompt.*a, cat, ab, cd"),
    (lambda m: show.reweighted(m, P, [], **KNOBS), "nothing to weigh"),
    (lambda m: show.reweighted(m, P, {"cat": []}, **KNOBS), "nothing to weigh"),
    (lambda m: show.reweighted(m, P, ["a", "cat", "ab"], **KNOBS), f"125 mixes.*at most {MOST}"),
    (lambda m: show.reweighting_live(m, P, ["dog"], **KNOBS), "'dog' is not in the prompt"),
    (lambda m: show.reweighting_live(m, P, [], **KNOBS), "nothing to weigh"),
    (lambda m: show.reweighting_live(m, P, "cat", limits=(2, 2), **KNOBS), "limits"),
])
def test_what_cannot_be_weighed_is_told(sd: DiffusersModel, call, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        call(sd)


def test_a_mix_that_was_not_made_is_told_with_those_that_were(made) -> None:
    with pytest.raises(ValueError, match=r"cat: \u22121, 2; ab: 0, 1, 3"):
        made.of({"cat": 1, "ab": 1})


# --- the live panel ---------------------------------------------------------------------------------------------------


def live(model: DiffusersModel, words=("cat", "ab"), **knobs: object) -> Reweighting:
    return show.reweighting_live(model, P, words, **{**KNOBS, **knobs})


def test_the_picture_follows_the_sliders_and_the_model_stays_as_it_is(sd: DiffusersModel) -> None:
    processors = dict(sd.unet.attn_processors)
    panel = live(sd)
    assert panel.picture is panel.source and panel.run is None and panel.weights == {"cat": 1, "ab": 1}
    panel.sliders["cat"].value = -2.0
    panel.sliders["ab"].value = 1.5
    panel.wait(60)
    assert panel.weights == {"cat": -2, "ab": 1.5} and panel.run.status == "done"
    assert distance(panel.picture, prompt_to_prompt(sd, P, P, weights=panel.weights, **KNOBS)[1]) <= 1
    assert distance(panel.picture, panel.source) > 0 and "cat \u00d7\u00a0\u22122" in panel.after.value
    assert dict(sd.unet.attn_processors) == processors
    panel.reset()
    assert distance(panel.wait(60).picture, panel.source) <= 1


def test_only_the_newest_weights_count_however_often_a_slider_moves(sd: DiffusersModel) -> None:
    panel = live(sd, "cat")
    for weight in (2.0, -1.0, 0.5, -2.0, 0.25):
        panel.sliders["cat"].value = weight
    panel.wait(60)
    assert panel.weights == {"cat": 0.25} and panel.run.over
    assert distance(panel.picture, prompt_to_prompt(sd, P, P, weights={"cat": 0.25}, **KNOBS)[1]) <= 1


def test_a_word_called_model_or_self_can_be_weighed(sd: DiffusersModel) -> None:
    panel = show.reweighting_live(sd, "a self model", ["model", "self"], **KNOBS)
    panel.sliders["model"].value = 2.0
    assert panel.wait(60).run.status == "done", panel.run.error


def test_another_prompt_is_followed_from_the_beginning(sd: DiffusersModel) -> None:
    panel = show.reweighting_live(sd, P, "zq", target=P_STAR, cross_replace_steps=0.5, **KNOBS).wait(60)
    assert distance(panel.picture, prompt_to_prompt(sd, P, P_STAR, cross_replace_steps=0.5, **KNOBS)[1]) <= 1


def test_a_closed_panel_keeps_its_picture_and_an_error_is_text(sd: DiffusersModel) -> None:
    panel = live(sd, blend=("dog",))
    panel.sliders["cat"].value = 0.0
    assert panel.wait(60).run.status == "failed" and "&#x27;dog&#x27;" in panel.status.value
    assert panel.picture is panel.source
    panel.close()
    assert panel.closed and P in panel.plain_html() and "<script" not in panel.plain_html()
