"""How far a loop is: a bar, a function that is told, or nothing. What goes wrong in showing ends no computation."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from helpers.core.interface import Progress


class Bar:
    """A with-block that tells of `total` steps, `start` of which are done already.

    progress: True for a bar that appears when the work takes over a second, False for none, or a function that is
        called with (steps done, steps in all). That function may raise, to cancel; a bar that cannot be drawn is left
        out.
    """

    def __init__(self, total: int, progress: Progress = True, unit: str = "step", start: int = 0) -> None:
        """Nothing is shown before the with-block."""
        self.total, self.told, self.unit = total, progress if callable(progress) else None, unit
        self.start = start
        self.wanted = bool(progress) and not callable(progress) and not os.environ.get("TQDM_DISABLE")
        self.bar: Any = None

    def __enter__(self) -> Bar:
        """Opens the bar."""
        if self.wanted:
            self._try(self._open)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Takes the bar away."""
        if self.bar is not None:
            self._try(self.bar.close)

    def at(self, done: int, beside: str = "") -> None:
        """`done` steps are done; `beside` stands beside the bar."""
        if self.told:
            self.told(done, self.total)
        if self.bar is not None and done > self.bar.n:
            self._try(lambda: self._move(done, beside))

    def _move(self, done: int, beside: str) -> None:
        self.bar.set_postfix_str(beside, refresh=False)
        self.bar.update(done - self.bar.n)

    def _open(self) -> None:
        from tqdm.auto import tqdm

        self.bar = tqdm(total=self.total, initial=self.start, delay=1, leave=False, unit=self.unit)

    def _try(self, show: Any) -> None:
        try:
            show()
        except Exception:  # a notebook that is closed, a thread that may not draw: the work goes on without a bar
            self.bar = None
