"""Uploads: nobody is there to choose a file."""


def upload() -> dict[str, bytes]:
    """Return no file."""
    return {}
