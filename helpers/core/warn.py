"""Warnings that point at the reader's own line, not at ours."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch

OURS = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent))


class PromptWarning(UserWarning):
    """The prompt will not be understood as it was written."""


class FitWarning(UserWarning):
    """A fit goes on, but something about it should be known."""


class MaskWarning(UserWarning):
    """The mask was not taken exactly as it was given."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn the reader at the line outside of this package and torch that led here."""
    depth = 1
    while sys._getframe(depth).f_back and sys._getframe(depth).f_code.co_filename.startswith(OURS):
        depth += 1
    warnings.warn(message, category, stacklevel=depth + 1)
