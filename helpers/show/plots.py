"""Figures made of numbers: curves with error bars, points with names, and the plane of the analytic model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from helpers.core.diffusion import alpha_bar_at
from helpers.core.shapes import Array, Point
from helpers.core.tensors import Time
from helpers.core.values import Numbers, Prompt, entrance, numbers
from helpers.models.analytic import AnalyticModel
from helpers.show.figure import LETTER, TEXT, Figure, Labels, Page, checked
from helpers.show.palette import FAINT, INK, look
from helpers.show.picture_figures import Series

Places = Float[np.ndarray, "N 2"]  # in the plane

WIDTH, HEIGHT = 620, 400  # pixels of a plot
LEFT, BELOW = 70, 56  # pixels for the axes' words
FARTHEST = 1e6  # in the plane
NAMES_IN_A_LINE = 3  # of series, above a curve


@entrance
def curve(
    x: Numbers,
    series: Series,
    *,
    xlabel: Prompt,
    ylabel: Prompt,
    alt: str,
    errors: Series | None = None,
    caption: Prompt = "",
) -> Figure:
    """A curve for each name of `series` over the values `x`, with error bars where `errors` has them.

    errors: for each name the half-width of each bar, or the (lowest, highest) value of each bar.
    """
    alt, errors = checked(alt), errors or {}
    lines_of_names = math.ceil(len(series) / NAMES_IN_A_LINE) if len(series) > 1 else 0
    page, axes = plot(xlabel, ylabel, above=24 * lines_of_names)
    for i, (name, y) in enumerate(series.items()):
        if y.shape != x.shape or y.ndim != 1:
            raise ValueError(f"{name!r} has {y.size} values for {x.size} places on the axis: give one for each.")
        style = look(i)
        bars = half_widths(y, errors[name]) if name in errors else None
        axes.errorbar(x, y, yerr=bars, label=name, color=style.color, marker=style.marker, linestyle=style.line,
                      capsize=3, markersize=6)
    if len(series) > 1:  # above the axes: error bars leave it no room within
        legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=NAMES_IN_A_LINE, borderaxespad=0.2)
    return page.finish(alt, caption)


def half_widths(values: Sequence[float] | Float[np.ndarray, " N"], errors: Sequence[Any]) -> Float[np.ndarray, "2 N"]:
    """Distances down and up from `values`, from half-widths (N,) or (lowest, highest) values (N, 2)."""
    y, bars = numbers("the values", values), numbers("the errors", errors)
    if bars.shape not in ((len(y),), (len(y), 2)):
        raise ValueError(f"The errors have shape {bars.shape}; expected ({len(y)},) or ({len(y)}, 2).")
    return np.stack([bars, bars]) if bars.ndim == 1 else np.abs(bars - y[:, None]).T


@entrance
def scatter(
    points: Series,
    *,
    xlabel: Prompt,
    ylabel: Prompt,
    alt: str,
    line: Labels = (),
    caption: Prompt = "",
) -> Figure:
    """Points with their names beside them; a name may own one point or several.

    line: the names to connect, in this order (say, one method at several strengths).
    """
    alt = checked(alt)
    page, axes = plot(xlabel, ylabel)
    places = {name: np.atleast_2d(place) for name, place in points.items()}  # name -> (N, 2)
    for name, place in places.items():
        if place.ndim != 2 or place.shape[1] != 2:
            raise ValueError(f"{name!r} has the shape {place.shape}; expected a point (x, y), or several: (N, 2).")
    if not places:
        raise ValueError("There are no points to show.")
    if strangers := [name for name in line if name not in places]:
        raise ValueError(f"line names {strangers[0]!r}; the points are: {', '.join(places)}.")
    route = np.concatenate([places[name][:1] for name in line]) if line else np.empty((0, 2))
    if line:
        axes.plot(*route.T, color=FAINT, linewidth=1.5, zorder=1)
    alone = [name for name in places if name not in line]  # the connected ones share one look
    for name, place in places.items():
        style = look(0 if name in line else alone.index(name) + bool(line))
        axes.scatter(*place.T, color=style.color, marker=style.marker, s=50, edgecolors="white", zorder=2, label=name)
    axes.margins(0.12)
    if any(len(place) > 1 for place in places.values()):
        legend(axes)
    else:
        name_points(axes, places, route)
    return page.finish(alt, caption)


def name_points(axes: Any, places: Mapping[str, Float[np.ndarray, "1 2"]], route: Places) -> None:
    """Each point's name beside it, where it covers no other name, no point and not the line along `route`."""
    axes.autoscale_view()  # the places in pixels are not known before
    around, high = axes.get_window_extent(), 16  # pixels of a line of letters
    dots = {name: axes.transData.transform(place)[0] for name, place in places.items()}  # name -> (2,), in pixels
    line = axes.transData.transform(route) if len(route) else np.empty((0, 2))
    between = [a + (b - a) * share for a, b in pairwise(line) for share in np.linspace(0, 1, 100)]
    taken = [(*dot, 6.0, 6.0, 100) for dot in dots.values()] + [(*dot, 1.0, 1.0, 1) for dot in between]
    for name, (x, y) in dots.items():
        wide, far = LETTER * len(name), 10 + LETTER * len(name) / 2
        spots = [(x + dx, y + dy) for dx, dy in ((far, 6), (-far, 6), (far, 17), (far, -15), (-far, 17), (-far, -15),
                                                 (0, 20), (0, -20), (0, 36), (0, -36))]

        def covered(spot: tuple[float, float], wide: float = wide) -> float:
            """How much a name in the middle of this spot would hide; leaving the picture is as bad as it gets."""
            out = spot[0] - wide / 2 < around.x0 - LEFT / 2 or spot[0] + wide / 2 > around.x1 + 12
            return float(1000 * out + sum(cost for across, up, half, tall, cost in taken if abs(spot[0] - across) <
                                          wide / 2 + half and abs(spot[1] - up) < high / 2 + tall))

        best = min(spots, key=covered)  # of equals the first
        taken.append((*best, wide / 2, high / 2, 100))
        axes.annotate(name, (x, y), xycoords="figure pixels", xytext=best, textcoords="figure pixels", fontsize=TEXT,
                      color=INK, ha="center", va="center", parse_math=False)


@entrance
def plane(
    model: AnalyticModel,
    *,
    alt: str,
    points: Series | None = None,
    paths: Series | None = None,
    t: Time | None = None,
    caption: Prompt = "",
) -> Figure:
    """The plane of the analytic model: where its "pictures" lie, with points and paths drawn over it.

    points: name -> (2,) or (N, 2). paths: name -> (T, 2), or (N, T, 2) for several; each ends in an arrow head.
    t: shows where noisy points of time t lie, instead of the clean ones.
    """
    alt, points, paths = checked(alt), points or {}, paths or {}
    page = Page(560, 520)
    axes = page.axes(50, 10, 500, 460)
    spots = {name: in_the_plane(name, place, 1).reshape(-1, 2) for name, place in points.items()}
    routes = {name: in_the_plane(name, path, 2).reshape(-1, *path.shape[-2:]) for name, path in paths.items()}
    everything = [model.means.numpy(), *spots.values(), *(route.reshape(-1, 2) for route in routes.values())]
    middle, reach = frame(np.concatenate(everything))
    draw_density(axes, model, middle, reach, t)
    for i, (name, route) in enumerate(routes.items()):
        draw_paths(axes, name, route, look(i).color)
    for i, (name, place) in enumerate(spots.items()):
        style = look(i + len(routes))
        axes.scatter(*place.T, label=name, color=style.color, marker=style.marker, s=36, edgecolors="white", zorder=3)
    if spots or routes:
        legend(axes)
    return page.finish(alt, caption)


def in_the_plane(name: str, places: Array, least: int) -> Array:
    """Points or paths, (..., 2), with `least` dimensions or one more; a ValueError for what is none, or not finite."""
    if places.ndim not in (least, least + 1) or places.shape[-1] != 2 or not places.size:
        wanted = "points (N, 2)" if least == 1 else "a path (T, 2)"
        raise ValueError(f"{name!r} has the shape {places.shape}; expected {wanted}.")
    if not np.isfinite(places).all() or np.abs(places).max() > FARTHEST:
        raise ValueError(f"{name!r} has places that are not finite, or farther away than {FARTHEST:g}.")
    return places


def frame(places: Places) -> tuple[Point, float]:
    """The middle and half the side of the square that holds all `places` with room around them."""
    low, high = places.min(0), places.max(0)
    return (low + high) / 2, float((high - low).max() / 2 + 1.0)


def draw_density(axes: Any, model: AnalyticModel, middle: Point, reach: float, t: int | None) -> None:
    """Contours of where the model's points lie, and each component's word at its centre."""
    a = 1.0 if t is None else alpha_bar_at(model, t)
    x, y = (np.linspace(m - reach, m + reach, 160) for m in middle)
    grid = np.stack(np.meshgrid(x, y), -1)[:, :, None]  # (160, 160, 1, 2)
    means, spreads = a**0.5 * model.means.numpy(), model.spreads.numpy()
    variance = a * spreads**2 + 1 - a  # (K,)
    density = (model.weights.numpy() / variance * np.exp(-np.square(grid - means).sum(-1) / (2 * variance))).sum(-1)
    axes.contourf(x, y, density / density.max(), levels=[0.02, 0.1, 0.3, 0.6, 1.0], cmap="Greys", alpha=0.55)
    for word, (mean_x, mean_y), radius in zip(model.words, means, 2.2 * variance**0.5, strict=True):
        axes.text(mean_x, mean_y - radius, word, ha="center", va="top", fontsize=10, color=INK, weight="bold",
                  parse_math=False, clip_on=True)
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal")


def draw_paths(axes: Any, name: str, routes: Float[np.ndarray, "paths times 2"], color: str) -> None:
    """Paths in one colour: a dot where each starts, an arrow head where it ends."""
    for i, route in enumerate(routes):
        axes.plot(*route.T, color=color, linewidth=1.5, label=name if i == 0 else None)
        axes.plot(*route[0], marker="o", color=color, markersize=4)
        if len(route) > 1:
            axes.annotate("", route[-1], route[-2], arrowprops={"arrowstyle": "-|>", "color": color})


def plot(xlabel: str, ylabel: str, above: int = 0) -> tuple[Page, Any]:
    """A page with one set of axes; `above` them that many pixels are left free."""
    page = Page(WIDTH, HEIGHT)
    axes = page.axes(LEFT, 12 + above, WIDTH - LEFT - 16, HEIGHT - BELOW - 12 - above)
    axes.set_xlabel(xlabel, fontsize=TEXT + 1, color=INK)
    axes.set_ylabel(ylabel, fontsize=TEXT + 1, color=INK)
    return page, axes


def legend(axes: Any, **place: Any) -> None:
    """The names of the series, in a box that hides nothing where that can be; `place` goes to matplotlib's legend."""
    for text in axes.legend(fontsize=TEXT, frameon=True, framealpha=0.9, edgecolor=FAINT, **place).get_texts():
        text.set_parse_math(False)
