"""The widgets' own logic: what is drawn, what is asked, what is shown. No browser here; tests/browser has one."""

from __future__ import annotations

import gc
import json
import re
import shutil
import subprocess
import threading
from functools import partial
from html.parser import HTMLParser

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from helpers import load, show
from helpers.core.diffusion import pairs
from helpers.core.interface import ignore
from helpers.core.warn import PromptWarning, warn
from helpers.measure import score
from helpers.methods.diffedit import diffedit
from helpers.methods.magicmix import magicmix
from helpers.methods.sdedit import sdedit
from helpers.models.analytic import AnalyticModel
from helpers.picturebook.edits import random_edit
from helpers.picturebook.judge import Judge
from helpers.show.markup import Html, data_url, name_of, static
from helpers.show.widgets.comparing import compare
from helpers.show.widgets.painting import Painter, layer, painter
from helpers.show.widgets.running import Cancelled, Run, form_of, settings, story
from helpers.show.widgets.scrubbing import scrubber
from helpers.show.widgets.studios import Studio, history_html, overview_html, status_html, studio

SCRIPT = "<script>alert('x')</script>"


def picture(color: str = "teal", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, color)


def stroke(*points: float, tool: str = "paint", color: str = "#ff0000", size: float = 10) -> dict:
    return {"tool": tool, "color": color, "size": size, "points": list(points)}


class Tags(HTMLParser):
    """The tags of some HTML, in order, with their attributes; unclosed ones are an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += "" if self.open[-1:] in (["script"], ["style"]) else data

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


# --- what show gives --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["painter", "scrubber", "compare", "studio"])
def test_a_widget_is_reached_through_show_also_after_its_module_was_imported(name):
    for _ in range(2):
        assert callable(getattr(show, name))


@pytest.mark.parametrize("kind", ["framed", "scrubber", "compare", "painter"])
def test_scripts_can_stand_inside_a_page_and_ask_for_nothing_from_outside(kind):
    text = static(f"{kind}.js")
    assert "</" not in text and "http" not in text and "import " not in text


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed; the browser tests run the scripts too")
@pytest.mark.parametrize("kind", ["scrubber", "compare", "painter"])
def test_scripts_are_javascript(kind, tmp_path):
    whole = {"scrubber": scrubber([picture()], alt="a"), "compare": compare(picture(), picture(), alt="a")}
    text = re.search("<script>(.*)</script>", whole[kind].html, re.S)[1] if kind in whole else static(f"{kind}.js")
    (tmp_path / "script.mjs").write_text(text, encoding="utf-8")
    subprocess.run(["node", "--check", str(tmp_path / "script.mjs")], check=True)


# --- scrubber and compare ---------------------------------------------------------------------------------------------


def test_a_scrubber_is_first_of_all_a_strip_of_pictures_with_alt_texts():
    tags = Tags(scrubber([picture(c) for c in ("red", "green", "blue")], ["t = 2", "t = 1", "t = 0"], alt="a cat - see")
                ._repr_html_())
    assert [img["alt"] for img in tags.named("img")] == [f"a cat - see: t = {2 - i} ({i + 1} of 3)" for i in range(3)]
    assert all(img["src"].startswith("data:image/") for img in tags.named("img"))
    assert "t = 2" in tags.text


def test_a_comparison_is_first_of_all_two_pictures_side_by_side():
    tags = Tags(compare(picture("red"), picture("blue"), ("a cat", "a dog"), alt="an edit")._repr_html_())
    assert [img["alt"] for img in tags.named("img")] == ["an edit: a cat", "an edit: a dog"]


@pytest.mark.parametrize("made", [
    lambda: scrubber([picture()] * 2, [SCRIPT, '"onload="x'], alt=SCRIPT),
    lambda: compare(picture(), picture(), (SCRIPT, '"onload="x'), alt=SCRIPT),
])
def test_a_label_that_holds_a_script_is_text(made):
    tags = Tags(made()._repr_html_())
    assert len(tags.named("script")) == 1
    assert SCRIPT in tags.text
    assert not any("onload" in attributes for _, attributes in tags.found)


def test_the_html_does_not_depend_on_the_run_and_its_name_not_on_the_pixels():
    def made(color: str) -> Html:
        return scrubber([picture(color)] * 2, alt="steps")

    assert made("red")._repr_html_() == made("red")._repr_html_()
    assert Tags(made("red")._repr_html_()).found[0] == Tags(made("blue")._repr_html_()).found[0]
    assert name_of("scrubber", "a") != name_of("scrubber", "b")


def test_a_long_scrubber_of_noise_stays_small_enough_for_a_notebook():
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert len(scrubber([noise] * 25, alt="noise")._repr_html_()) < 900_000


@pytest.mark.parametrize(("call", "complaint"), [
    (lambda: scrubber([], alt="a"), "at least one"),
    (lambda: scrubber([picture()], ["a", "b"], alt="a"), "2 labels for 1 pictures"),
    (lambda: scrubber([picture()], alt=" "), "alt text"),
    (lambda: compare(picture(), picture(size=(8, 8)), alt="a"), "64 x 48 and 8 x 8.*as_picture"),
])
def test_scrubber_and_compare_refuse_with_a_remedy(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()


# --- painter ----------------------------------------------------------------------------------------------------------


def test_a_dot_is_a_disc_of_the_brushs_size_at_its_place():
    alpha = np.asarray(layer([stroke(20, 30, size=11)], (64, 48)))[..., 3] > 0
    ys, xs = np.nonzero(alpha)
    assert (xs.mean() + 0.5, ys.mean() + 0.5) == pytest.approx((20, 30), abs=0.6)
    assert alpha.sum() == pytest.approx(np.pi * 5.5**2, rel=0.12)


def test_a_line_is_as_wide_as_the_brush_and_has_round_ends():
    alpha = np.asarray(layer([stroke(16, 24, 48, 24, size=8)], (64, 48)))[..., 3] > 0
    assert alpha[:, 32].sum() in (8, 9)
    assert alpha[24].sum() == pytest.approx(32 + 8, abs=2)
    assert not alpha[:10].any()


def test_the_eraser_takes_away_what_was_there_and_clear_takes_all():
    painted = [stroke(0, 24, 64, 24, size=20)]
    erased = layer([*painted, stroke(32, 24, tool="erase")], (64, 48))
    assert erased.getpixel((32, 24))[3] == 0 and erased.getpixel((5, 24)) == (255, 0, 0, 255)
    assert layer([*painted, {"tool": "clear"}], (64, 48)).getbbox() is None
    assert layer([{"tool": "clear"}, *painted], (64, 48)).getbbox() is not None


@pytest.mark.parametrize("wrong", [
    stroke(1, 1, tool="spray"),
    stroke(1, 1, color="red"),
    stroke(1, 1, size=0),
    stroke(1, 1, size=float("nan")),
    stroke(1, 1, size=1e9),
    stroke(1, 1, 2),
    stroke(),
    stroke(1, float("inf")),
])
def test_a_stroke_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="A stroke's"):
        layer([wrong], (8, 8))


def test_a_stroke_far_outside_the_picture_paints_nothing():
    assert layer([stroke(-500, -500), stroke(9000, 20)], (64, 48)).getbbox() is None


def test_the_mask_is_white_where_painted_and_has_the_size_of_the_picture():
    brush = painter(picture())
    brush.strokes = [stroke(10, 10)]
    assert brush.mask.mode == "L" and brush.mask.size == (64, 48)
    assert brush.mask.getpixel((10, 10)) == 255 and brush.mask.getpixel((40, 40)) == 0
    assert brush.result == brush.mask


def test_a_scribble_lies_over_the_picture():
    brush = painter(picture("teal"), mode="scribble")
    brush.strokes = [stroke(10, 10, color="#e69f00")]
    assert brush.result.mode == "RGB"
    assert brush.result.getpixel((10, 10)) == (0xE6, 0x9F, 0) and brush.result.getpixel((40, 40)) == (0, 128, 128)


def test_a_mask_given_to_start_with_is_the_mask_and_can_be_erased():
    before = np.zeros((48, 64), bool)
    before[10:20, 10:20] = True
    brush = painter(picture(), start=before)
    assert (np.asarray(brush.mask) == np.where(before, 255, 0)).all()
    brush.strokes = [stroke(15, 15, tool="erase", size=6)]
    assert brush.mask.getpixel((15, 15)) == 0 and brush.mask.getpixel((10, 10)) == 255


def test_a_scribble_given_to_start_with_is_the_result():
    scribbled = picture("teal")
    scribbled.paste("orange", (5, 5, 20, 20))
    assert painter(picture("teal"), mode="scribble", start=scribbled).result == scribbled


def test_undo_takes_the_last_stroke_back_also_a_clear():
    brush = painter(picture())
    brush.strokes = [stroke(10, 10), stroke(50, 40)]
    both = brush.mask
    brush.clear()
    with pytest.raises(ValueError, match="Nothing is painted yet"):
        _ = brush.mask
    brush.undo()
    assert brush.mask == both
    brush.undo()
    assert brush.mask.getpixel((50, 40)) == 0
    for _ in range(3):  # more often than there are strokes
        brush.undo()
    assert brush.strokes == []


def test_nothing_painted_and_a_painter_closed_before_use_each_say_what_to_do():
    brush = painter(picture())
    with pytest.raises(ValueError, match="Paint on the picture above"):
        _ = brush.result
    brush.close()
    with pytest.raises(ValueError, match="closed before anything was painted. Run its cell again"):
        _ = brush.mask


def test_what_was_painted_stays_readable_after_closing():
    brush = painter(picture())
    brush.strokes = [stroke(10, 10)]
    brush.close()
    brush.close()
    assert brush.mask.getpixel((10, 10)) == 255


def test_the_painters_state_is_plain_and_its_repr_the_same_in_every_run():
    brush = painter(picture(), alt="a cat")
    state = {key: value for key, value in brush.get_state().items() if key != "layout"}
    json.dumps(state)
    assert repr(brush) == "<painter: a cat, mask, 64 x 48>"
    assert Tags(brush.static_html()).named("img")[0]["alt"] == "a cat"
    html, name = brush.static_html(), brush.name
    brush.close()
    del brush
    gc.collect()
    again = painter(picture(), alt="a cat")
    assert again.static_html().replace(again.name, name) == html


def test_the_painter_shows_a_plain_picture_first_and_then_itself(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.show.widgets.painting.display", lambda *what, **knobs: shown.append(what[0]))
    brush = painter(picture(), alt=SCRIPT)
    brush._ipython_display_()
    assert "<figure" in shown[0].data and SCRIPT not in shown[0].data
    assert "application/vnd.jupyter.widget-view+json" in shown[1] and shown[1]["text/plain"] == repr(brush)
    brush.close()
    brush._ipython_display_()
    assert len(shown) == 3


@pytest.mark.parametrize(("knobs", "complaint"), [
    ({"mode": "draw"}, "'mask' or 'scribble'"),
    ({"brush": 0}, "number above 0"),
    ({"start": Image.new("L", (8, 8))}, "8 x 8, the picture 64 x 48"),
])
def test_the_painter_refuses_with_a_remedy(knobs, complaint):
    with pytest.raises(ValueError, match=complaint):
        painter(picture(), **knobs)


# --- studio -----------------------------------------------------------------------------------------------------------


class Model(AnalyticModel):
    """The model in the plane, with prompts it takes whatever they say."""

    def embed(self, prompts):
        if "dragon" in prompts:
            warn("I do not know the word 'dragon'.", PromptWarning)
        return super().embed("left")


def tint(model, image, prompt, *, strength=0.5, seed=0, steps=None, progress=True, watch=ignore):
    """Paint the picture red, walking through the model's steps."""
    if prompt == "fail":
        raise ValueError(f"no such prompt: {SCRIPT}")
    text = model.embed(prompt)
    x = model.encode([0.0, 0.0])
    for t, s in pairs(model.times(steps or model.steps, strength), progress):
        eps = model.eps(x, t, text)
        watch(x=x, t=s, eps=eps)
    return Image.new("RGB", image.size, (round(255 * strength), seed % 256, 0))


class Gate(Model):
    """A model whose third step waits until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.times_called = []

    def eps(self, x, t, text):
        self.times_called.append(t)
        if len(self.times_called) == 3:
            self.reached.set()
            assert self.go_on.wait(20)
        return super().eps(x, t, text)


def opened(model=None, methods=(tint,), **knobs) -> Studio:
    return studio(model or Model(), list(methods), {"cat": picture("teal"), "dog": picture("gray")}, **knobs)


def test_a_methods_form_is_read_from_its_signature():
    form = form_of(sdedit, Model())
    assert (form.picture, form.prompts) == ("image", ("prompt",))
    assert {knob.name: knob.start for knob in form.knobs} == {"strength": 0.6, "seed": 0, "steps": 50, "guidance": 1.0}
    assert {knob.name for knob in form.knobs if knob.whole} == {"seed", "steps"}
    assert {"k_min", "k_max", "nu"} < {knob.name for knob in form_of(magicmix, Model()).knobs}


def test_a_method_that_needs_something_else_is_refused_and_partial_is_the_remedy():
    def masked(model, image, prompt, mask, *, strength=0.5):
        return image

    with pytest.raises(ValueError, match=r"masked needs 'mask'.*functools.partial\(masked, mask="):
        form_of(masked, Model())
    assert form_of(partial(masked, mask=picture()), Model()).prompts == ("prompt",)
    assert form_of(partial(masked, mask=picture(), strength=0.1), Model()).knobs == ()


def test_a_run_gives_the_picture_of_the_method_and_counts_its_steps():
    lab = opened(prompt="left")
    lab.knobs["tint"]["strength"].value = 0.2
    run = lab.start().wait(20)
    assert run.status == "done" and (run.part, run.step, run.steps) == (1, 10, 10)
    assert lab.result == tint(Model(), picture("teal"), "left", strength=0.2)
    assert lab.history == [run] and not lab.run_button.disabled and lab.cancel_button.disabled
    assert "tint, cat, strength 0.2, seed 0, steps 50" == settings(run)


@pytest.mark.parametrize("method, knobs, walks", [
    (sdedit, {"strength": 0.6}, [6]),
    (magicmix, {"k_max": 0.6, "k_min": 0.3}, [6]),
    (diffedit, {"strength": 0.8}, [1, 8, 8]),  # the mask, up, down
    (partial(diffedit, mask=Image.new("L", (64, 48), 255)), {"strength": 0.3}, [3, 3]),
])
def test_every_walk_of_a_method_is_told_with_its_own_number_of_steps(models, method, knobs, walks):
    told = []
    form = form_of(method, models["sd"])
    knobs = {knob.name: knob.start for knob in form.knobs} | {"steps": 10} | knobs
    run = Run(form, models["sd"], picture(), {"source_prompt": "cat", "prompt": "a dog"}, knobs,
              changed=lambda run: told.append((run.part, run.step, run.steps)))
    run.work()
    assert run.status == "done", run.error
    assert told[:-1] == [(i, step, total) for i, total in enumerate(walks, 1) for step in range(1, total + 1)]
    assert story(run) == ("Done." if len(walks) == 1 else f"Done in {len(walks)} parts.")


def test_a_run_neither_copies_nor_touches_the_model():
    seen = []

    def look(model, image, prompt, *, watch=ignore):
        seen.append(model)
        return image

    model = Model()
    Run(form_of(look, model), model, picture(), {"prompt": "left"}, {}).work()
    assert seen == [model] and type(model) is Model


def test_an_error_while_showing_never_ends_what_is_computed():
    def broken(run):
        raise LookupError("parent_header")

    run = Run(form_of(tint, Model()), Model(), picture(), {"prompt": "left"}, {"strength": 0.5, "seed": 0, "steps": 4},
              changed=broken)
    run.work()
    assert run.status == "done" and run.result is not None
    assert "could not be shown (LookupError" in story(run) and story(run).count("LookupError") == 1


def test_cancel_after_the_end_never_overwrites_it():
    run = Run(form_of(tint, Model()), Model(), picture(), {"prompt": "left"}, {"strength": 0.5, "seed": 0, "steps": 4})
    threads = [threading.Thread(target=run.cancel) for _ in range(20)]
    run.changed = lambda run: [thread.start() for thread in threads if not thread.ident] if run.over else None
    run.work()
    for thread in threads:
        thread.join()
    assert run.status == "done"


def test_magicmix_starts_where_its_result_can_be_told_from_the_picture():
    assert {k.name: k.start for k in form_of(magicmix, Model()).knobs}["k_max"] > 0.6


@pytest.mark.slow
def test_magicmix_as_the_studio_opens_it_makes_the_wished_animal():
    edit, judge = random_edit("thing", 3), Judge.load()
    lab = studio(load("picturebook"), magicmix, edit.picture, prompt=edit.target_prompt)
    run = lab.start().wait(300)
    assert run.status == "done" and score(lab.result, edit, judge).obeyed == 1


def test_enter_in_a_prompt_runs_and_does_nothing_while_a_run_is_under_way():
    model = Gate()
    lab = opened(model)
    lab.prompts["prompt"]._handle_string_msg(None, {"event": "submit"}, None)
    assert model.reached.wait(20)
    first = lab.run
    lab.prompts["prompt"]._handle_string_msg(None, {"event": "submit"}, None)
    assert lab.run is first
    model.go_on.set()
    assert first.wait(20).status == "done"


def test_masks_are_shown_those_given_and_those_found(models):
    lab = opened(models["sd"], [partial(diffedit, mask=Image.new("L", (64, 48), 255))])
    assert "where it may change" in lab.masked.value
    lab = studio(models["sd"], diffedit, picture(), prompt={"source_prompt": "a cat", "prompt": "a dog"})
    assert not lab.masked.value
    lab.knobs["diffedit"]["steps"].value = 5
    assert lab.start().wait(60).status == "done", lab.run.error
    assert "where it may change" in lab.masked.value


def test_pictures_have_their_room_before_they_come_and_long_prompts_make_no_tower():
    lab = opened(prompt="a very long prompt " * 60)
    assert lab.newest.layout.min_height and lab.newest.layout.width and not lab.newest.value
    lab.start().wait(20)
    caption = Tags(lab.strip.value)
    assert len(caption.text) < 220 and "a very long prompt " * 50 in caption.named("img")[0]["alt"]


def test_a_closed_studio_lets_go_of_all_but_the_history():
    before = len(ipywidgets.Widget.widgets if hasattr(ipywidgets.Widget, "widgets") else ipywidgets.widget._instances)
    lab = opened()
    lab.start().wait(20)
    lab.close()
    after = len(ipywidgets.Widget.widgets if hasattr(ipywidgets.Widget, "widgets") else ipywidgets.widget._instances)
    assert after <= before and lab.model is None and lab.history[0].model is None
    assert lab.result.size == (64, 48)


def test_two_widgets_of_one_name_do_not_hide_each_other():
    first, second = opened(), opened()
    assert first.name != second.name
    brushes = [painter(picture()) for _ in range(2)]
    assert brushes[0].name != brushes[1].name


def test_cancel_stops_before_the_next_step_and_leaves_nothing_stuck():
    model = Gate()
    lab = opened(model)
    before = set(vars(model))
    run = lab.start()
    assert model.reached.wait(20)
    assert lab.run_button.disabled and not lab.cancel_button.disabled
    with pytest.raises(RuntimeError, match="under way"):
        lab.start()
    lab.cancel()
    assert "Stopping" in lab.status.value
    model.go_on.set()
    run.wait(20)
    assert run.status == "stopped" and len(model.times_called) == 3 and not run.thread.is_alive()
    assert lab.history == [] and "Stopped; nothing was kept" in lab.status.value
    assert set(vars(model)) == before and type(model) is Gate
    assert lab.start().wait(20).status == "done"
    lab.cancel()
    assert lab.run.status == "done"


def test_an_error_of_the_method_is_shown_as_text_and_the_next_run_works():
    lab = opened(prompt="fail")
    assert lab.start().wait(20).status == "failed"
    assert "ValueError: no such prompt" in lab.status.value
    assert "<script" not in lab.status.value and SCRIPT in Tags(lab.status.value).text
    lab.prompts["prompt"].value = "left"
    assert lab.start().wait(20).status == "done"


def test_what_the_model_warns_of_is_told():
    run = opened(prompt="dragon").start().wait(20)
    assert run.status == "done" and "I do not know the word 'dragon'" in story(run)


def test_a_prompt_that_holds_a_script_is_text_wherever_it_stands():
    lab = opened(prompt=SCRIPT)
    run = lab.start().wait(20)
    for html in (history_html([run]), status_html(run), lab.strip.value):
        assert not Tags(html).named("script")
    assert SCRIPT in Tags(history_html([run])).text
    assert SCRIPT in Tags(history_html([run])).named("img")[0]["alt"]
    named = {SCRIPT: picture()}
    assert not Tags(overview_html([run.form], named, "studio-1")).named("script")
    assert not Tags(studio(Model(), tint, named).source.value).named("script")


def test_the_history_shows_the_newest_first_and_not_too_many():
    lab = opened()
    for seed in range(14):
        lab.knobs["tint"]["seed"].value = seed
        lab.start().wait(20)
    captions = Tags(lab.strip.value).named("img")
    assert len(lab.history) == 14 and len(captions) == 12
    assert captions[0]["alt"].startswith("result 14.") and captions[-1]["alt"].startswith("result 3.")


def test_another_method_has_its_own_questions_and_the_prompt_stays():
    def swap(model, image, prompt, target_prompt, *, tau=0.8, seed=0):
        return image

    lab = opened(methods=(tint, swap), prompt={"prompt": "a cat"})
    assert [w.description for w in lab.questions.children] == ["prompt", "strength", "seed", "steps"]
    lab.method.value = "swap"
    assert [w.description for w in lab.questions.children] == ["prompt", "target prompt", "tau", "seed"]
    assert [w.value for w in lab.questions.children[:2]] == ["a cat", ""]


def test_generation_needs_no_picture_and_can_be_watched():
    def make(model, prompt, *, seed=0, progress=True, watch=ignore):
        model.generate(prompt, seed=seed, steps=4, progress=progress, watch=watch)
        return picture()

    run = opened(methods=[make], prompt="left").start().wait(20)
    assert run.status == "done" and (run.part, run.step, run.steps) == (1, 4, 4)


def test_a_cancelled_run_stays_cancelled_even_if_the_method_swallows_it():
    def stubborn(model, image, prompt, *, watch=ignore):
        for t in (3, 2, 1):
            try:
                watch(x=None, t=t, eps=None)
            except Cancelled:
                continue
        return image

    run = Run(form_of(stubborn, Model()), Model(), picture(), {"prompt": "left"}, {})
    run.start()
    run.cancel()
    run.wait(20)
    assert run.status in ("stopped", "done")
    run = Run(form_of(stubborn, Model()), Model(), picture(), {"prompt": "left"}, {})
    run.cancel()
    run.work()
    assert run.status == "stopped" and run.result is None


@pytest.mark.parametrize("result", [None, 3, np.zeros(2)])
def test_a_method_that_returns_no_picture_fails_with_a_message(result):
    run = opened(methods=[lambda model, image, prompt: result]).start().wait(20)
    assert run.status == "failed" and "expected" in run.error


def test_a_studio_closed_before_use_says_what_to_do():
    lab = opened()
    with pytest.raises(ValueError, match="Press run in the studio above"):
        _ = lab.result
    lab.close()
    lab.close()
    with pytest.raises(ValueError, match="closed before it made a picture"):
        _ = lab.result
    with pytest.raises(RuntimeError, match="Run its cell again"):
        lab.start()


def test_closing_while_a_run_is_under_way_stops_it():
    model = Gate()
    lab = opened(model)
    run = lab.start()
    assert model.reached.wait(20)
    lab.close()
    model.go_on.set()
    assert run.wait(20).status == "stopped" and not run.thread.is_alive()


@pytest.mark.parametrize(("call", "complaint"), [
    (lambda: studio(Model(), [], picture()), "no methods"),
    (lambda: studio(Model(), tint, {}), "no pictures"),
])
def test_a_studio_with_nothing_to_choose_is_refused(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()


def test_every_control_has_a_label():
    lab = opened()
    asked = [lab.method, lab.picture, *lab.questions.children, lab.run_button, lab.cancel_button]
    assert all(widget.description for widget in asked)
    assert 'role="status"' in lab.status.value


def test_pictures_survive_the_way_into_an_address():
    from base64 import b64decode
    from io import BytesIO

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8))
    assert Image.open(BytesIO(b64decode(data_url(noise).split(",")[1]))).convert("RGB") == noise


def test_a_painter_can_be_put_into_other_widgets():
    brush = painter(picture())
    assert isinstance(brush, Painter) and ipywidgets.VBox([brush]).children == (brush,)
