"""Google Drive: an empty folder."""

from pathlib import Path


def mount(mountpoint: str, force_remount: bool = False) -> None:
    """Make the folder."""
    (Path(mountpoint) / "MyDrive").mkdir(parents=True, exist_ok=True)
