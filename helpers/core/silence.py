"""Silence for one thread: what it warns of is not heard, and the other threads hear what they would hear without it.

    with silent("Glyph .* missing"):
        canvas.draw()

`warnings.catch_warnings` is no way to do this: it swaps the filters of the whole process, and of two threads the one
that comes out last leaves the other's behind.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Here(threading.local):
    """The messages that this thread is silent about, a pattern for each block that it is inside of."""

    def __init__(self) -> None:
        self.patterns: list[str] = []


class _InSilentThreads:
    """Stands where a filter of warnings has its pattern, and matches what the calling thread is silent about."""

    def match(self, message: str) -> bool:
        """Whether nobody is to hear this message."""
        return any(re.match(pattern, message) for pattern in _here.patterns)


_here = _Here()
_FILTER: Any = ("ignore", _InSilentThreads(), Warning, None, 0)
_lock = threading.RLock()
_users = 0  # blocks of all threads: the first one in sets the filter, the last one out takes it away
_lists: list[list[Any]] = []  # where it was set: `catch_warnings` elsewhere may have swapped the list meanwhile


@contextmanager
def silent(message: str = "") -> Iterator[None]:
    """Warnings of this thread that begin with `message`, a regular expression, are not shown; all unless given."""
    _here.patterns.append(message)
    _enter()
    try:
        yield
    finally:
        _leave()
        _here.patterns.remove(message)


def _enter() -> None:
    """One more block."""
    global _users
    with _lock:
        _users += 1
        filters: list[Any] = vars(warnings)["filters"]
        if _FILTER not in filters:
            filters.insert(0, _FILTER)
            _lists.append(filters)


def _leave() -> None:
    """One block less."""
    global _users
    with _lock:
        _users -= 1
        if not _users:
            for filters in (*_lists, vars(warnings)["filters"]):
                filters[:] = [one for one in filters if one is not _FILTER]
            _lists.clear()
