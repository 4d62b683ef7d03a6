"""What a person saw on the sheets of realism_sheets.py, beside what the detector read; writes a file in results/.

    python -m benchmarks.realism_by_hand --folder SHEETS --seen SEEN.json

SEEN.json: {"who": "...", "when": "2026-11-26", "how": "...", "looked at": 100,
            "differs": {"17": {"eye": 1}},            counts seen where they are not what is written under the picture
            "unclear": {"23": ["wheel"]},             left out: no number can be said
            "generated is": ["left", "right", ...]}   the guesses for the blind pairs, or nothing
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.realism_details import DETAILS
from benchmarks.record import interval, record


def agreement(read: list[dict[str, int]], seen: dict[str, object]) -> dict[str, object]:
    """How often detector and person count the same, for each detail and for all of a picture."""
    differs, unclear = seen.get("differs", {}), seen.get("unclear", {})
    same = {(i, name): differs.get(str(i), {}).get(name, n[name]) == n[name]
            for i, n in enumerate(read[:seen["looked at"]]) for name in DETAILS if name not in unclear.get(str(i), [])}
    out: dict[str, object] = {}
    for name in DETAILS:
        own = [right for (_, detail), right in same.items() if detail == name]
        out[name] = {"same": sum(own), "of": len(own), "interval": interval(sum(own), len(own))}
    whole = [all(right for (k, _), right in same.items() if k == i) for i in range(seen["looked at"])]
    return out | {"all": {"same": sum(whole), "of": len(whole), "interval": interval(sum(whole), len(whole))}}


def blind(guesses: list[str], key: list[str]) -> dict[str, object]:
    """How many pairs were told right; a guess that is neither left nor right counts as half."""
    right = sum(1.0 if g == k else 0.5 * (g not in ("left", "right")) for g, k in zip(guesses, key, strict=True))
    return {"right": right, "of": len(key), "unsure": sum(g not in ("left", "right") for g in guesses),
            "interval": interval(int(right), len(key))}


def main() -> None:
    """Compares and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seen", type=Path, required=True)
    parser.add_argument("--name", default="realism_by_hand")
    args = parser.parse_args()
    seen = json.loads(args.seen.read_text())
    read = json.loads((args.folder / "counts.json").read_text())
    numbers = {"seen": seen, "agreement": agreement(read, seen)}
    if seen.get("generated is"):
        key = json.loads((args.folder / "blind-key.json").read_text())
        numbers["blind"] = blind(seen["generated is"], key["generated is"])
    print(record(args.name, numbers))


if __name__ == "__main__":
    main()
