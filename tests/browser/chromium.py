"""Where the browser is, and how to get one."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = "the widgets' browser tests need Chromium (Debian: apt-get install chromium) and pip install playwright"


def find() -> str | None:
    """Return the browser's path; None without one, or without the package that drives it."""
    return next(filter(None, map(shutil.which, NAMES)), None) if find_spec("playwright") else None
