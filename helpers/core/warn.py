"""Warnings that point at the reader's own line, not at ours; or they are told to who listens."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

#: what stands between the reader's line and the warning
OURS: tuple[str, ...] = (str(Path(__file__).parents[1]), contextlib.__file__)
_listener: ContextVar[list[str] | None] = ContextVar("who hears warnings", default=None)


class PromptWarning(UserWarning):
    """The prompt will not be understood as it was written."""


class FitWarning(UserWarning):
    """A fit goes on, but something about it should be known."""


class MaskWarning(UserWarning):
    """The mask was not taken exactly as it was given."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn the reader at the line outside of this package and torch that led here, or tell who listens (`heard`)."""
    listener = _listener.get()
    if listener is not None:
        if message not in listener:
            listener.append(message)
        return
    torch = getattr(sys.modules.get("torch"), "__file__", None)
    ours, depth = (*OURS, *([str(Path(torch).parent)] if torch else [])), 1
    while sys._getframe(depth).f_back and sys._getframe(depth).f_code.co_filename.startswith(ours):
        depth += 1
    warnings.warn(message, category, stacklevel=depth + 1)


@contextmanager
def heard() -> Iterator[list[str]]:
    """What this thread is warned of inside the with-block, as a list that fills, instead of on the reader's screen."""
    told: list[str] = []
    token = _listener.set(told)
    try:
        yield told
    finally:
        _listener.reset(token)
