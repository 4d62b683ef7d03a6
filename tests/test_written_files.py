"""Whatever ends a write (a kill, a full disk), no file of ours is left half written, and the next write mends all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the limit on a file's size is POSIX's")
TRIED_BYTES = 4
KINDS = ("Source", "Weights", "Fitted", "checkpoint", "prior.json", "prior picture", "Figure")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What is left of each kind of file; in a process of its own, since children are forked and killed."""
    made = subprocess.run([sys.executable, "tests/written_files.py", tmp_path_factory.mktemp("written")], cwd=ROOT,
                          capture_output=True, encoding="utf-8", check=False)
    assert made.returncode == 0, made.stderr[-3000:]
    return json.loads(made.stdout.splitlines()[-1])


def test_every_kind_of_file_is_tried(found: dict) -> None:
    assert set(found) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_killed_at_any_byte_leaves_the_file_as_it_was(kind: str, found: dict) -> None:
    assert any(found[kind]["signals"]), "no write was killed"
    assert found[kind]["as before"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_write_removes_what_the_killed_ones_left(kind: str, found: dict) -> None:
    assert not found[kind]["left at the end"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_told_and_leaves_the_file_as_it_was(kind: str, found: dict) -> None:
    full = found[kind]["on a full disk"]
    assert full["as before"] and not full["left"]
    assert len(full["said"]) >= TRIED_BYTES
    for said in full["said"]:  # a fit goes on without its checkpoint
        assert said.startswith(("OSError", "FitWarning")), said
        assert "room" in said or "give another folder" in said, said
