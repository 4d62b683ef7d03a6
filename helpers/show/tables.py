"""A table of methods that cannot forget what makes it fair: n, an interval that fits n, and the row "nothing done".

    methods({"nothing done": {"obeyed (%)": Share(0.0, 104), "kept (dB)": Mean(60.0, 0.0, 104)},
             "SDEdit 0.8":   {"obeyed (%)": Share(0.9, 104), "kept (dB)": Mean(22.1, 3.0, 100)}})

    | method       | n   | obeyed (%)      | kept (dB)           |
    | nothing done | 104 | 0 (0 to 4)      | 60.0 ± 0.0          |
    | SDEdit 0.8   | 104 | 90 (83 to 94)   | 22.1 ± 0.6 (of 100) |

A share has Wilson's interval, a mean Student's. An editor that is worse than nothing looks good until nothing stands
beside it: so the first row must be what comes out where nothing is done to the picture, or to the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple

from helpers.core.intervals import student_half, wilson

NOTHING = "nothing done"


class Share(NamedTuple):
    """How often something was so: a share in [0, 1] of n cases. Told in percent."""

    share: float
    n: int

    def __str__(self) -> str:
        low, high = wilson(self.share * self.n, self.n)
        return f"{100 * self.share:.0f} ({100 * low:.0f} to {100 * high:.0f})" if self.n else ""


class Mean(NamedTuple):
    """The mean of n values, and their standard deviation. Told with `digits` behind the point, `scale` times."""

    mean: float
    spread: float
    n: int
    digits: int = 1
    scale: float = 1.0

    def __str__(self) -> str:
        half = f" ± {self.scale * student_half(self.spread, self.n):.{self.digits}f}" if self.n > 1 else ""
        return f"{self.scale * self.mean:.{self.digits}f}{half}" if self.n else ""


Row = Mapping[str, "Share | Mean | str"]  # heading -> what stands below it


def share_of(right: Iterable[float]) -> Share:
    """The share of cases that are right; a case may be right in part, 0.5 say."""
    cases = [float(case) for case in right]
    return Share(fmean(cases), len(cases)) if cases else Share(0.0, 0)


def mean_of(values: Iterable[float], digits: int = 1, scale: float = 1.0) -> Mean:
    """The mean of the values; nan (nothing to keep, say) does not count."""
    there = [float(value) for value in values if value == value]
    spread = stdev(there) if len(there) > 1 else 0.0
    return Mean(fmean(there) if there else 0.0, spread, len(there), digits, scale)


@dataclass(frozen=True)
class Table:
    """A finished table; the texts take its `markdown`."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def markdown(self) -> str:
        """The first column to the left, numbers to the right."""
        lines = [f"| {' | '.join(row)} |" for row in (self.heads, *self.rows)]
        return "\n".join([lines[0], f"|---|{'---:|' * (len(self.heads) - 1)}", *lines[1:]])

    def __repr__(self) -> str:
        return self.markdown


def methods(rows: Mapping[str, Row], head: str = "method") -> Table:
    """A row for each method, with n and each number's interval; a cell of fewer cases than its row tells how many.

    Raises ValueError where no name begins with "nothing done".
    """
    if not any(name.startswith(NOTHING) for name in rows):
        raise ValueError(f"The table has no row {NOTHING!r}; it has: {', '.join(rows) or 'no row'}. Measure what comes "
                         "out where nothing is done, with the same numbers: without it no method can be judged.")
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    told = []
    for name, row in rows.items():
        n = max((cell.n for cell in row.values() if not isinstance(cell, str)), default=0)
        cells = [row.get(column, "") for column in columns]
        told.append([name, str(n), *(f"{cell} (of {cell.n})" if not isinstance(cell, str) and 0 < cell.n < n else
                                     str(cell) for cell in cells)])
    return Table([head, "n", *columns], told)
