"""The attention explorer and the re-weight panels in a browser: point, tab, drag, in JupyterLab and in a plain page.

    pytest -m browser

The tests run in the order of this file, in one page. BROWSER_PICTURES=/some/folder saves what they see.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import chromium
import nbformat
import pytest

pytestmark = pytest.mark.browser
if not chromium.find():
    pytest.skip(chromium.HOW, allow_module_level=True)
EXPLORER = "[data-show^=explorer][data-live]"
REWEIGHTER = "[data-show^=reweighter][data-live]"
LIVE = ".picturebook-reweighting"


def explorer(page: Any) -> Any:
    """The explorer that has unpacked its maps."""
    page.locator(f"{EXPLORER} [data-ready]").wait_for()
    return page.locator(EXPLORER)


def told(root: Any) -> list[str]:
    """What stands below the three pictures; spaces that do not break are spaces."""
    texts = root.locator("[data-ready] figcaption").all_text_contents()
    return [text.replace("\u00a0", " ") for text in texts]


def near(text: str, mean: float, most: float) -> bool:
    """Whether a text tells these percentages, to within 0.3 for the bytes that carry them and 0.5 for the rounding."""
    numbers = [float(number) for number in re.findall(r"(?:mean|most) ([\d.]+) %", text)]
    return len(numbers) == 2 and abs(numbers[0] - mean) <= 0.8 and abs(numbers[1] - most) <= 0.8


def active_cell(lab: Any) -> int:
    """Return the number of the notebook's active cell."""
    return lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")


def test_at_first_a_swapped_word_is_shown_where_it_looks_in_all_three_pictures(lab):
    root = explorer(lab.page)
    root.scroll_into_view_if_needed()
    assert told(root)[1].startswith("“car”: ") and "(top right)" in told(root)[1]
    assert near(told(root)[1], 100 * 7 / 12 * 0.375, 100 * 7 / 12 * 0.75)  # the mean of 1, 1/2 and 1/4 is 7/12
    assert told(root)[0].startswith("“bicycle”: ") and told(root)[2].startswith("“car”: ")
    assert root.locator("button[aria-pressed=true]").all_text_contents() == ["bicycle", "car"]
    assert root.locator("canvas:visible").count() == 3
    lab.picture("explorer")


def test_the_mouse_over_a_word_shows_it_and_away_from_it_brings_the_chosen_one_back(lab):
    root = explorer(lab.page)
    root.get_by_role("button", name="shiny").hover()
    assert told(root)[0] == "no map: the prompt has no such word" and told(root)[2].startswith("“shiny”")
    assert root.locator("canvas:visible").count() == 2
    lab.page.mouse.move(5, 5)
    assert told(root)[2].startswith("“car”")


def test_the_keyboard_reaches_every_word_and_the_slider_without_leaving_the_cell(lab):
    root = explorer(lab.page)
    root.get_by_role("button", name="a", exact=True).first.focus()
    cell, reached = active_cell(lab), []
    for _ in range(13):
        reached.append(lab.page.evaluate("document.activeElement.textContent || document.activeElement.type"))
        if reached[-1] == "cat":
            assert told(root)[0].startswith("“cat”")
        lab.page.keyboard.press("Tab")
    assert reached[:11] == ["a", "cat", "on", "a", "bicycle", "a", "shiny", "cat", "on", "a", "car"]
    assert reached[11] == "range"
    slider = root.locator("input[type=range]")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight"):
        lab.page.keyboard.press(key)
    assert slider.get_attribute("aria-valuetext") == "step 2 of 3"
    assert told(root)[1].startswith("“car”: ") and near(told(root)[1], 18.75, 37.5)
    assert active_cell(lab) == cell


def test_the_number_at_the_pointer_is_the_share_of_that_pixel(lab):
    root = explorer(lab.page)
    root.locator("input[type=range]").fill("1")
    canvas = root.locator("canvas").nth(2)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for column in (4, 12):
        lab.page.mouse.move(box["x"] + box["width"] * (column + 0.5) / 16, box["y"] + box["height"] / 2)
        assert told(root)[2].endswith(f"here {100 * column / 20:.0f} %")
    lab.picture("explorer-pointer")
    colors = canvas.evaluate("canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, 1).data]")
    assert canvas.evaluate("canvas => [canvas.width, canvas.height]") == [16, 16]
    light = [sum(colors[i : i + 3]) for i in range(0, 64, 4)]
    assert light[0] < 150 and max(light) - light[-1] < 60 and light[-1] > 350
    lab.page.mouse.move(5, 5)
    assert "here" not in told(root)[2]


def test_grids_and_layers_can_be_chosen(lab):
    root = explorer(lab.page)
    choice = root.get_by_label("resolution and layer")
    assert choice.locator("option").all_text_contents() == [
        "16 × 16, layer down_blocks.0.attentions.0", "4 × 4, mean of its layers"]
    choice.select_option("1")
    assert root.locator("canvas").first.evaluate("canvas => [canvas.width, canvas.height]") == [4, 4]
    assert told(root)[2].startswith("“car”: ") and near(told(root)[2], 30, 60)
    choice.select_option("0")


def test_the_sliders_of_the_panel_choose_among_the_pictures(lab):
    root = lab.page.locator(REWEIGHTER)
    root.scroll_into_view_if_needed()
    after = root.locator("> div:last-child img").nth(1)
    assert after.get_attribute("alt").endswith("bright × 1, cat × 1".replace("× ", "×\u00a0"))
    bright, cat = (root.get_by_label(f"weight of “{word}”") for word in ("bright", "cat"))
    first = after.get_attribute("src")
    bright.focus()
    lab.page.keyboard.press("ArrowRight")
    cat.focus()
    lab.page.keyboard.press("ArrowLeft")
    assert (bright.get_attribute("aria-valuetext"), cat.get_attribute("aria-valuetext")) == ("2", "-1")
    assert after.get_attribute("alt").endswith("bright ×\u00a02, cat ×\u00a0\u22121")
    plain = root.locator("> div:first-child img").nth(1 + 2 * 2 + 0)
    assert after.get_attribute("src") == plain.get_attribute("src") != first
    lab.picture("reweighter")
    root.get_by_role("button").click()
    assert after.get_attribute("src") == first


def test_the_live_panel_makes_the_picture_of_its_sliders(lab):
    panel = lab.page.locator(LIVE)
    panel.scroll_into_view_if_needed()
    assert lab.page.locator("[data-show^=reweighting]:visible").count() == 0
    before = panel.locator("img").nth(1).get_attribute("src")
    handle = panel.get_by_role("slider").first
    handle.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.until("panel.wait(20).weights", "{'cat': 1.25, 'ab': 1.0}")
    panel.locator("figcaption", has_text="cat ×\u00a01.25").wait_for()
    assert panel.locator("img").nth(1).get_attribute("src") != before
    panel.get_by_role("button", name="reset").click()
    lab.until("panel.wait(20).weights", "{'cat': 1.0, 'ab': 1.0}")
    lab.picture("reweighting-live")


def test_every_control_has_a_name_and_markup_in_a_prompt_is_text(lab):
    unnamed = lab.page.evaluate("""() => [...document.querySelectorAll('[data-live] input, [data-live] select, ' +
        '[data-live] canvas')].filter(e => !e.getAttribute('aria-label')).length""")
    assert unnamed == 0
    assert explorer(lab.page).locator("b").count() == 0
    assert "<b>" in explorer(lab.page).inner_text() and "<i>cat</i>" in lab.page.locator(REWEIGHTER).inner_text()


def saved(lab: Any) -> Any:
    """Return the notebook as JupyterLab saves it."""
    lab.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    return nbformat.read(Path(lab.folder) / "widgets.ipynb", as_version=4)


def test_an_exported_page_works_without_a_kernel_also_on_a_narrow_screen(lab):
    from nbconvert import HTMLExporter

    html = HTMLExporter(require_js_url="", mathjax_url="", jquery_url="").from_notebook_node(saved(lab))[0]
    (lab.folder / "explorer.html").write_text(html, encoding="utf-8")
    page = lab.new_page()
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto((lab.folder / "explorer.html").as_uri(), wait_until="domcontentloaded")
    root = explorer(page)
    root.get_by_role("button", name="cat", exact=True).first.tap()
    assert all(text.startswith("“cat”") for text in told(root))
    for selector in (EXPLORER, REWEIGHTER):
        inside, around = (page.locator(s).bounding_box()["width"] for s in (f"{selector} > div:last-child", selector))
        assert inside <= around <= 375
    assert page.locator(REWEIGHTER).get_by_role("slider").count() == 2
    assert page.locator("[data-show^=reweighting] img").first.is_visible()
    root.scroll_into_view_if_needed()
    page.screenshot(path=lab.folder / "narrow.png")
    page.close()


def test_a_notebook_nobody_trusts_yet_shows_the_plain_pictures(lab):
    notebook = saved(lab)
    notebook.cells[0].source += "\n# changed elsewhere"
    nbformat.write(notebook, lab.folder / "unread.ipynb")
    page = lab.new_page()
    page.goto(f"{lab.address}/lab/workspaces/other/tree/unread.ipynb?reset")
    for alt in ('^map of "car", target, after the edit', "^a cat in more or less light.*: bright"):
        shown = page.get_by_alt_text(re.compile(alt)).first
        shown.wait_for()
        shown.scroll_into_view_if_needed()
        assert shown.is_visible()
    assert page.locator("[data-live]").count() == 0
    assert "opacity" not in page.locator(".jp-Notebook").inner_text()
    page.close()


def test_no_request_left_this_machine_and_no_script_failed(lab):
    assert lab.asked
    assert lab.strangers() == []
    assert lab.errors == []
