"""The widgets in a browser: drag, paint, press, and see the result change in Python; alone on this machine.

    pytest -m browser

The tests run in the order of this file, in one page. BROWSER_PICTURES=/some/folder saves what they see.
"""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path
from typing import Any

import chromium
import nbformat
import pytest

pytestmark = pytest.mark.browser
if not chromium.find():
    pytest.skip(chromium.HOW, allow_module_level=True)
SCRIPT = "<script>window.broken = 1</script>"


def box_of(lab: Any, selector: str) -> dict:
    """Bring the element into sight and return where it is: x, y, width, height in CSS pixels."""
    found = lab.page.locator(selector).first
    found.scroll_into_view_if_needed()
    return found.bounding_box()


def drag(lab: Any, selector: str, *places: tuple[float, float]) -> None:
    """Press at the first place, move through the others and release; places are shares of the element's size."""
    box = box_of(lab, selector)
    spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    lab.page.mouse.move(*spots[0])
    lab.page.mouse.down()
    for spot in spots[1:]:
        lab.page.mouse.move(*spot, steps=4)
    lab.page.mouse.up()


def active_cell(lab: Any) -> int:
    """Return the number of the notebook's active cell."""
    return lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")


def test_the_scrubber_follows_the_mouse_and_the_arrow_keys(lab):
    root = "[data-show^=scrubber][data-live]"
    slider, picture = lab.page.locator(f"{root} input"), f"{root} > div:last-child img"
    assert slider.get_attribute("aria-valuetext") == "t = 0"
    drag(lab, picture, (0.9, 0.5), (0.5, 0.5), (0.02, 0.5))
    assert slider.get_attribute("aria-valuetext") == "t = 999"
    first = lab.page.locator(picture).get_attribute("src")
    cell = active_cell(lab)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        lab.page.keyboard.press(key)
    assert slider.get_attribute("aria-valuetext") == "t = 800"
    assert "t = 800" in lab.page.locator(picture).get_attribute("alt")
    assert lab.page.locator(picture).get_attribute("src") != first
    assert active_cell(lab) == cell
    lab.picture("scrubber")


def test_the_line_of_the_comparison_follows_the_mouse_and_the_arrow_keys(lab):
    root = "[data-show^=compare][data-live]"
    slider, after = lab.page.locator(f"{root} input"), lab.page.locator(f"{root} > div:last-child img").nth(1)
    drag(lab, f"{root} > div:last-child > div", (0.5, 0.5), (0.25, 0.5))
    assert after.evaluate("img => img.style.clipPath") == "inset(0px 0px 0px 25%)"
    lab.page.keyboard.press("ArrowLeft")
    assert slider.input_value() == "24"
    assert "24 % an orange cat, 76 % a blue cat <b>&</b>" == slider.get_attribute("aria-valuetext")
    lab.picture("compare")


def test_what_the_mouse_paints_is_the_mask_in_python(lab):
    assert "Nothing is painted yet" in lab.ask("brush.mask")
    drag(lab, "[data-painter] [role=application]", (0.25, 0.5), (0.5, 0.5), (0.75, 0.5))
    lab.until("len(brush.strokes)", "1")
    left, top, right, bottom = ast.literal_eval(lab.ask("brush.mask.getbbox()"))
    assert abs(left - (32 - 5)) <= 2 and abs(right - (96 + 5)) <= 2
    assert abs(top - (64 - 5)) <= 2 and abs(bottom - (64 + 5)) <= 2
    assert lab.ask("brush.mask.mode, brush.mask.getpixel((64, 64))") == "('L', 255)"
    lab.picture("painter")


def test_a_finger_the_keyboard_and_the_eraser_paint_as_well_and_undo_takes_back(lab):
    box = box_of(lab, "[data-painter] [role=application]")
    lab.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9)
    lab.until("brush.mask.getpixel((64, 115))", "255")
    cell = active_cell(lab)
    for key in ("[", "e", "Space", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowDown", "Space"):
        lab.page.keyboard.press(key)
    lab.until("len(brush.strokes), brush.mask.getpixel((64, 115))", "(3, 0)")
    assert len(ast.literal_eval(lab.ask("brush.strokes[-1]['points']"))) == 2 * 6
    lab.page.keyboard.press("z")
    lab.until("len(brush.strokes), brush.mask.getpixel((64, 115))", "(2, 255)")
    assert active_cell(lab) == cell
    buttons = lab.page.locator("[data-painter]").first.locator("button")
    buttons.filter(has_text="clear").click()
    lab.until("len(brush.strokes)", "3")
    assert "Nothing is painted yet" in lab.ask("brush.mask")
    buttons.filter(has_text="undo").click()
    lab.until("brush.mask.getpixel((64, 64))", "255")


def test_the_drawing_in_the_browser_is_the_one_in_python(lab):
    drawn = lab.page.locator("[data-painter] canvas").first.evaluate(
        """canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let painted = 0; for (let i = 3; i < data.length; i += 4) painted += data[i] > 127;
        return painted / (canvas.width * canvas.height); }"""
    )
    told = float(lab.ask("brush.mask.histogram()[255] / (128 * 128)"))
    assert abs(drawn - told) < 0.1 * told


def test_a_scribble_has_the_chosen_colour_over_the_picture(lab):
    scribbler = "[data-painter*=painter] >> nth=1"
    lab.page.locator(scribbler).get_by_label("blue", exact=True).click()
    drag(lab, f"{scribbler} >> [role=application]", (0.2, 0.2), (0.8, 0.2))
    lab.page.locator(scribbler).get_by_label("yellow", exact=True).click()
    drag(lab, f"{scribbler} >> [role=application]", (0.2, 0.35), (0.8, 0.35))
    lab.until("len(scribble.strokes)", "2")
    assert lab.ask("scribble.result.mode, scribble.result.getpixel((64, 25))") == "('RGB', (0, 114, 178))"
    assert lab.ask("scribble.result.getpixel((64, 120)) == picture.getpixel((64, 120))") == "True"
    lab.picture("scribble")


def test_a_given_mask_is_told_of_the_keys_are_written_and_shift_enter_runs_the_cell(lab):
    given = lab.page.locator("[data-painter*=painter] >> nth=2")
    assert given.locator("[role=status]").inner_text() == "the mask that was given"
    assert "Space puts it down" in given.inner_text()
    count = int(lab.ask("get_ipython().execution_count"))
    given.locator("[role=application]").focus()
    lab.page.keyboard.press("Shift+Enter")
    lab.until(f"get_ipython().execution_count > {count}", "True")
    assert lab.ask("len(begun.strokes), begun.mask.getbbox()") == "(0, (0, 0, 64, 128))"


def test_a_run_in_the_studio_gives_a_picture_and_a_prompt_with_a_script_is_text(lab):
    studio = lab.page.locator(".picturebook-studio")
    studio.get_by_placeholder("prompt").fill(SCRIPT)
    studio.get_by_role("button", name="run").click()
    lab.until("len(lab.history), lab.run.status", "(1, 'done')")
    studio.locator("[role=list] figcaption", has_text=SCRIPT).wait_for()
    assert lab.page.evaluate("window.broken") is None
    assert lab.ask("lab.result.getpixel((5, 5)) != picture.getpixel((5, 5))") == "True"
    lab.picture("studio")


def test_enter_in_the_prompt_runs_nothing_jumps_and_a_long_prompt_makes_no_tower(lab):
    studio = lab.page.locator(".picturebook-studio")
    before, newest = (studio.get_by_role("figure").filter(has_text=text).first for text in ("before", "after"))
    prompt, first = studio.get_by_placeholder("prompt"), before.bounding_box()
    prompt.fill("a cat at night, " + "with very many words about it " * 20)
    prompt.press("Enter")
    lab.until("len(lab.history), lab.run.status", "(2, 'done')")
    studio.locator("[role=listitem]").nth(1).wait_for()
    assert before.bounding_box() == first
    beside = newest.bounding_box()
    assert abs(beside["y"] - first["y"]) < 2 and beside["x"] > first["x"] + first["width"] - 1
    items = [item.bounding_box() for item in studio.locator("[role=listitem]").all()]
    assert len(items) == 2 and max(item["height"] for item in items) < 2 * min(item["width"] for item in items)
    lab.picture("studio-long-prompt")


@pytest.mark.parametrize(("method", "pale", "runs"), [("darken", "right", 3), ("seek", "left", 4)])
def test_a_mask_that_is_given_or_found_is_shown(lab, method, pale, runs):
    studio = lab.page.locator(".picturebook-studio")
    studio.get_by_label("method").select_option(method)
    where = studio.get_by_role("figure").filter(has_text="where it may change")
    if method == "darken":  # it was given beforehand
        where.wait_for()
    else:
        where.wait_for(state="detached")
    studio.get_by_role("button", name="run").click()
    lab.until("len(lab.history), lab.run.status", f"({runs}, 'done')")
    where.wait_for()
    spread = where.locator("img").evaluate("""async img => {
      await img.decode();
      const canvas = new OffscreenCanvas(2, 1), pen = canvas.getContext('2d');
      pen.drawImage(img, 0, 0, 2, 1);
      const seen = pen.getImageData(0, 0, 2, 1).data;
      return [0, 4].map(i => Math.max(...seen.slice(i, i + 3)) - Math.min(...seen.slice(i, i + 3)));
    }""")
    assert (spread[0] < spread[1]) == (pale == "left")
    lab.picture(f"studio-{method}")
    studio.get_by_label("method").select_option("dim")


RUN_AGAIN = """(text) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = content.widgets.findIndex(cell => cell.model.sharedModel.source.includes(text));
  window.jupyterapp.commands.execute('notebook:run-cell');
}"""


def test_a_fit_shows_a_bar_with_its_loss_and_pictures_in_one_place_and_the_bar_goes(lab):
    lab.page.evaluate(RUN_AGAIN, "def slowly")
    figure = lab.page.locator("img[alt^='a fit - notice']")
    bar = lab.page.get_by_text(re.compile(r"\d/16.*loss\W+\d\.\d+"))
    bar.first.wait_for()
    lab.picture("fit")
    seen, end = set(), time.monotonic() + 60
    while len(seen) < 3 and time.monotonic() < end:
        seen |= {figure.first.get_attribute("src")}
        assert figure.count() == 1
    lab.until("sorted(diary.samples), len(diary.losses)", "([0, 4, 8, 12, 16], 16)", 60)
    bar.first.wait_for(state="hidden")
    assert figure.count() == 1 and len(seen) >= 3
    lab.picture("fit-done")


def test_cancel_stops_a_run_and_an_error_is_text(lab):
    studio = lab.page.locator(".picturebook-studio")
    lab.ask("setattr(lab.knobs['dim']['steps'], 'value', 100)")
    studio.get_by_role("button", name="run").click()
    studio.locator("[role=status]", has_text=re.compile(r"Step \d+ of 100")).wait_for()
    studio.get_by_role("button", name="cancel").click()
    studio.locator("[role=status]", has_text="Stopped; nothing was kept").wait_for()
    assert lab.ask("lab.run.status, len(lab.history), lab.run.step < 60") == "('stopped', 4, True)"
    studio.get_by_placeholder("prompt").fill("fail")
    studio.get_by_role("button", name="run").click()
    studio.locator("[role=status]", has_text="ValueError: this prompt cannot be <i>met</i>").wait_for()
    lab.picture("studio-error")


def test_plain_pictures_are_hidden_beside_the_live_widgets_and_every_control_has_a_name(lab):
    assert lab.page.locator("figure[data-show^=painter]:visible").count() == 0
    assert lab.page.locator("[data-show^=studio]:visible").count() == 0
    unnamed = lab.page.evaluate("""() => [...document.querySelectorAll('[data-painter] button, [data-painter] input, ' +
        '[data-live] input, [data-painter] [tabindex]')].filter(e => !e.getAttribute('aria-label')).length""")
    assert unnamed == 0


def test_a_closed_painter_gives_way_to_its_plain_picture(lab):
    lab.ask("scribble.close()")
    lab.page.locator("figure[data-show^=painter]").nth(1).wait_for(state="visible")


def test_an_exported_page_works_without_a_kernel(lab):
    from nbconvert import HTMLExporter

    lab.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    notebook = saved(lab)
    html = HTMLExporter(require_js_url="", mathjax_url="", jquery_url="").from_notebook_node(notebook)[0]
    (lab.folder / "page.html").write_text(html, encoding="utf-8")
    page = lab.new_page()
    page.goto((lab.folder / "page.html").as_uri(), wait_until="domcontentloaded")
    slider = page.locator("[data-show^=scrubber] input")
    slider.focus()
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "t = 999"
    assert page.locator("[data-show^=compare] input").is_visible()
    for kind in ("painter", "studio"):
        assert page.locator(f"[data-show^={kind}] img").first.is_visible()
    page.close()


def test_a_notebook_nobody_trusts_yet_shows_the_plain_pictures(lab):
    notebook = saved(lab)
    notebook.cells[0].source += "\n# changed elsewhere"
    nbformat.write(notebook, lab.folder / "untrusted.ipynb")
    lab.open("untrusted.ipynb")
    for alt in ("[alt*='t = 200']", "[alt='a cat on a bicycle']"):  # JupyterLab draws cells when they are looked at
        lab.page.locator(f".jp-OutputArea img{alt}").first.wait_for()
    assert lab.page.locator("[data-live]").count() == 0
    lab.picture("untrusted")


def test_jupyter_asks_for_nothing(lab):
    lab.page.evaluate("() => window.jupyterapp.restored")
    assert lab.page.get_by_text("Jupyter news").count() == 0


def test_no_request_left_this_machine_and_no_script_failed(lab):
    assert lab.asked
    assert lab.strangers() == []
    assert lab.errors == []


def saved(lab: Any) -> Any:
    """Return the notebook as JupyterLab saved it."""
    return nbformat.read(Path(lab.folder) / "widgets.ipynb", as_version=4)
