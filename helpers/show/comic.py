"""A comic: panels with captions and speech balloons, drawn as one picture from a short script.

    story = read_script('''
        # Pim in Athens

        [a sks cat at the temple]
        One day in Athens.
        Pim: So many columns!

        [a sks cat getting a haircut]
        Pim (left): Not too short, please.
    ''')
    pictures = model.generate([panel.prompt for panel in story.panels], seed=[3, 7])
    draw_comic(story, pictures)

A line with "#" is the title, an empty line ends a panel, brackets hold what the picture shows, "Name: ..." is a speech
balloon, and any other line is a caption. The name may say where the speaker is: left, middle (unless given) or right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from helpers.core.pictures import Several, as_picture
from helpers.core.values import Kind, Number, Prompt, WrongKind, entrance, shown
from helpers.show.figure import Figure

SIDE = 256  # pixels of a picture
GAP, PAD, EDGE = 14, 9, 3  # between panels, around text, of an outline
TEXT, TITLE = 15, 26  # letter height in pixels
SHARP = 2  # drawn this many times larger and made smaller, for smooth edges
INK, PAPER, CAPTION = (34, 34, 34), (255, 255, 255), (255, 244, 204)
PLACES = {"left": 0.25, "middle": 0.5, "right": 0.75}
MOST_IN_A_LINE, LONGEST_WORD = 600, 60  # letters
Columns = Annotated[int, Number(1, 12, whole=True, hint="panels in a row")]
HEAD = 0.24  # how far down the picture a balloon's tail points, as a share of its height

_SPEECH = re.compile(r"([^:\[\]]{1,30}?)\s*(?:\((left|middle|right)\))?\s*:\s+(.+)")


class Speech(NamedTuple):
    """One balloon."""

    who: str
    text: str
    place: str = "middle"


@dataclass(frozen=True)
class Panel:
    """One panel: what its picture shows, the captions above it and what is said in it."""

    prompt: str
    captions: tuple[str, ...] = ()
    speeches: tuple[Speech, ...] = ()

    @property
    def alt(self) -> str:
        """The panel in words."""
        parts = [self.prompt, *(f"caption: {c}" for c in self.captions), *(f"{s.who} says: {s.text}" for s in
                                                                            self.speeches)]
        return "; ".join(parts)


@dataclass(frozen=True)
class Story:
    """A title, which may be empty, and the panels."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def alt(self) -> str:
        """The comic in words."""
        named = f', "{self.title}"' if self.title else ""
        count = "one panel" if len(self.panels) == 1 else f"{len(self.panels)} panels"
        told = [f"Panel {i}: {panel.alt}" for i, panel in enumerate(self.panels, 1)]
        return f"A comic of {count}{named}. " + " ".join(t if t[-1] in ".!?" else t + "." for t in told)


@entrance
def read_script(text: Prompt) -> Story:
    """The story of a script (see above); ValueError with the line that is wrong."""
    check_room(text)
    title = ""
    panels: list[Panel] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.strip().splitlines(), ""], 1):
        line = line.strip()
        if line.startswith("#") and not panels and not block:
            title = line.lstrip("# ")
        elif line:
            block.append((number, line))
        elif block:
            panels.append(_panel(block))
            block = []
    if not panels:
        raise ValueError("The script has no panels; a panel starts with its picture: [a cat at the temple].")
    return Story(title, tuple(panels))


def check_room(text: str) -> None:
    """ValueError for more words than a page has room for."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MOST_IN_A_LINE or any(len(word) > LONGEST_WORD for word in line.split()):
            raise ValueError(f"Line {number} of the script is too long for a panel: expected at most {MOST_IN_A_LINE} "
                             f"letters, and none of its words longer than {LONGEST_WORD}. Break it in two.")


def _panel(block: Sequence[tuple[int, str]]) -> Panel:
    prompts: list[str] = []
    captions: list[str] = []
    speeches: list[Speech] = []
    for number, line in block:
        said = _SPEECH.fullmatch(line)
        if line.startswith("["):
            if not line.endswith("]") or prompts or not line[1:-1].strip():
                raise ValueError(f"Line {number} of the script is {line!r}; expected one picture in brackets a panel.")
            prompts.append(line[1:-1].strip())
        elif said:
            speeches.append(Speech(said[1].strip(), said[3], said[2] or "middle"))
        else:
            captions.append(line)
    if not prompts:
        raise ValueError(f"The panel in line {block[0][0]} of the script has no picture; add it in brackets: [a cat].")
    return Panel(prompts[0], tuple(captions), tuple(speeches))


def as_story(name: str, value: Any) -> Story:
    """The story of a comic."""
    if not isinstance(value, Story):
        raise WrongKind(f"{name} is {shown(value)}; expected a story: read_script(text).")
    return value


AStory = Annotated[Story, Kind(as_story)]


@entrance
def draw_comic(story: AStory, pictures: Several, *, columns: Columns | None = None, notice: Prompt = "") -> Figure:
    """The comic as one picture, with all its words as alt text.

    pictures: one for each panel, in any form and size. columns: panels in a row, 4 at most unless given.
    notice: what the reader should look at; added to the alt text.
    """
    if len(pictures) != len(story.panels):
        raise ValueError(f"{len(pictures)} pictures for {len(story.panels)} panels: give one for each.")
    columns = min(4, len(pictures)) if columns is None else columns
    cells = list(zip(story.panels, pictures, strict=True))
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    drawn = [_row(row) for row in rows]
    width = max(row.width for row in drawn)
    heading = _wrapped(story.title, width, _font(TITLE)) if story.title else []
    top = SHARP * (GAP + (len(heading) * TITLE * 5 // 4 + GAP if heading else 0))
    page = Image.new("RGB", (width + 2 * SHARP * GAP, top + sum(r.height + SHARP * GAP for r in drawn)), PAPER)
    _write(ImageDraw.Draw(page), heading, (SHARP * GAP, SHARP * GAP), _font(TITLE))
    for row in drawn:
        page.paste(row, (SHARP * GAP, top))
        top += row.height + SHARP * GAP
    small = page.resize((page.width // SHARP, page.height // SHARP), Image.Resampling.LANCZOS)
    return Figure(small, story.alt + (f" - notice {notice}" if notice else ""))


def _row(cells: Sequence[tuple[Panel, Any]]) -> Image.Image:
    """Panels side by side, the space for captions and for balloons as large as the largest one needs."""
    side, gap = SHARP * SIDE, SHARP * GAP
    captions = [_lines(panel.captions) for panel, _ in cells]
    strip = max(_height(lines) for lines in captions)
    above = max(sum(_balloon_height(s) for s in panel.speeches) for panel, _ in cells)
    page = Image.new("RGB", (len(cells) * (side + gap) - gap, strip + above + side), PAPER)
    for i, ((panel, picture), lines) in enumerate(zip(cells, captions, strict=True)):
        cell = _cell(panel, as_picture(picture, SIDE), lines, strip if lines else 0, strip + above + side)
        page.paste(cell, (i * (side + gap), 0))
    return page


def _cell(panel: Panel, picture: Image.Image, lines: list[str], strip: int, height: int) -> Image.Image:
    """One panel of a height: its captions, its picture at the bottom, its top row carried on above it, balloons."""
    side = SHARP * SIDE
    cell = Image.new("RGB", (side, height), CAPTION)
    large = picture.resize((side, side), Image.Resampling.LANCZOS)
    cell.paste(large.crop((0, 2, side, 3)).resize((side, height - strip - side + 1)), (0, strip))
    cell.paste(large, (0, height - side))
    pen = ImageDraw.Draw(cell)
    _write(pen, lines, (SHARP * PAD, SHARP * PAD), _font(TEXT))
    y = height - side - sum(_balloon_height(speech) for speech in panel.speeches)  # as near the picture as can be
    for speech in panel.speeches:
        _balloon(pen, speech, y, (PLACES[speech.place] * side, height - side + HEAD * side))
        y += _balloon_height(speech)
    edge = SHARP * EDGE
    if strip:
        pen.line((0, strip, side, strip), INK, edge)
    pen.rectangle((0, 0, side - 1, height - 1), None, INK, edge)
    return cell


def _balloon(pen: ImageDraw.ImageDraw, speech: Speech, top: int, head: tuple[float, float]) -> None:
    """A balloon below `top` whose tail points at a head: first its dark outline, then its white inside."""
    lines = _wrapped(speech.text, SHARP * (SIDE - 6 * PAD), _font(TEXT))
    wide = max(_font(TEXT).getlength(line) for line in lines) + 4 * SHARP * PAD
    left = min(max(head[0] - wide / 2, SHARP * PAD), SHARP * (SIDE - PAD) - wide)
    box = [left, top + SHARP * PAD, left + wide, top + SHARP * PAD + _height(lines)]
    root = min(max(head[0], box[0] + 3 * SHARP * PAD), box[2] - 3 * SHARP * PAD)
    for grow, color in ((SHARP * EDGE * 2 / 3, INK), (0, PAPER)):
        half = SHARP * PAD + grow
        y = box[3] - SHARP
        pen.polygon([(root - half, y), (root + half, y), (head[0], head[1] + 2 * grow)], color)
        pen.rounded_rectangle([box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow], 2 * SHARP * PAD, color)
    _write(pen, lines, (left + 2 * SHARP * PAD, box[1] + SHARP * PAD), _font(TEXT))


def _balloon_height(speech: Speech) -> int:
    return _height(_wrapped(speech.text, SHARP * (SIDE - 6 * PAD), _font(TEXT))) + 2 * SHARP * PAD


def _lines(captions: Sequence[str]) -> list[str]:
    return [line for caption in captions for line in _wrapped(caption, SHARP * (SIDE - 2 * PAD), _font(TEXT))]


def _height(lines: Sequence[str]) -> int:
    """Of a box with these lines of text; nothing without any."""
    return SHARP * (len(lines) * TEXT * 5 // 4 + 2 * PAD) if lines else 0


def _write(pen: ImageDraw.ImageDraw, lines: Sequence[str], corner: tuple[float, float], font: Any) -> None:
    for i, line in enumerate(lines):
        pen.text((corner[0], corner[1] + i * font.size * 5 // 4), line, INK, font)


def _wrapped(text: str, width: float, font: Any) -> list[str]:
    """The text in lines that are not wider than `width`; a word that is wider itself is cut."""
    lines = [""]
    for word in text.split():
        while font.getlength(word) > width:
            fits = next(n for n in range(len(word) - 1, 0, -1) if font.getlength(word[:n]) <= width or n == 1)
            lines, word = [*lines, word[:fits]], word[fits:]
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]


@lru_cache
def _font(size: int) -> Any:
    """The font that matplotlib brings along: it has the letters of most alphabets."""
    import matplotlib

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(file), SHARP * size)
