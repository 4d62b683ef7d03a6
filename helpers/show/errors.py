"""Our errors and warnings in a notebook as one calm sentence, with the traceback folded.

    from helpers import show

    show.calm_errors()

What other code raises or warns of looks as it always did. `show.usual_errors()` brings the usual look back for ours.
"""

from __future__ import annotations

import traceback
import warnings
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

OURS = str(Path(__file__).parents[1])
KINDS = (ValueError, TypeError, OSError, RuntimeError, ArithmeticError, AttributeError, MemoryError)


def calm_errors() -> None:
    """From now on, in this notebook: one sentence for an error or a warning of ours; nothing changes outside of one."""
    shell = running_shell()
    if shell is None:
        return
    shell.set_custom_exc(KINDS, shown_calmly)
    if not isinstance(warnings.showwarning, Calm):
        warnings.showwarning = Calm(warnings.showwarning)


def usual_errors() -> None:
    """The usual look of errors and warnings again."""
    shell = running_shell()
    if shell is not None:
        shell.set_custom_exc((), None)
    if isinstance(warnings.showwarning, Calm):
        warnings.showwarning = warnings.showwarning.before


def running_shell() -> Any:
    """IPython's shell, or None where there is none."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def is_ours(trace: TracebackType | None) -> bool:
    """Whether one of our own lines raised the error."""
    frames = traceback.extract_tb(trace)
    return bool(frames) and frames[-1].filename.startswith(OURS)


def shown_calmly(shell: Any, kind: type, error: BaseException, trace: TracebackType,
                 tb_offset: int | None = None) -> None:
    """What IPython calls for an error of `KINDS`; the cell has failed all the same."""
    if not is_ours(trace):
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    from IPython.display import HTML, display

    whole = "".join(traceback.format_exception(kind, error, trace))
    display(HTML(f"<details><summary>Where it happened</summary><pre>{escape(whole)}</pre></details>"))
    shell._showtraceback(kind, error, [f"{kind.__name__}: {error}"])


class Calm:
    """Shows warnings of this package as one sentence and hands all others on."""

    def __init__(self, before: Any) -> None:
        self.before = before

    def __call__(self, message: Warning | str, category: type[Warning], filename: str, lineno: int,
                 file: TextIO | None = None, line: str | None = None) -> None:
        """What Python calls for each warning."""
        if file is None and category.__module__.startswith("helpers."):
            from IPython.display import HTML, display

            display(HTML(f'<p role="note">Note: {escape(str(message))}</p>'))
        else:
            self.before(message, category, filename, lineno, file, line)
