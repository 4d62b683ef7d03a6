"""What a person saw on the sheets of realism_sheets.py, beside what the detector read; writes a file in results/.

    python -m benchmarks.realism_by_hand --folder SHEETS --seen SEEN.json

SEEN.json: {"who": "...", "when": "2026-11-26", "how": "...",
            "counts": ["1 1 2 0", "1 0 ? 2", ...]      main things, lamps, eyes, wheels of each picture; ?: unclear
            "generated is": ["left", "right", ...]}    the guesses for the blind pairs, or nothing

Counting before looking at what the detector read is best: realism_sheets.py --bare leaves it away.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.realism_details import DETAILS, asked
from benchmarks.realism_pictures import scenes
from benchmarks.record import interval, record


def agreement(read: Sequence[dict[str, int]], seen: Sequence[str]) -> dict[str, object]:
    """How often detector and person count the same, for each detail that is clear; and for all of a picture's."""
    clear = [{name: int(n) for name, n in zip(DETAILS, line.split(), strict=True) if n != "?"} for line in seen]
    out: dict[str, object] = {}
    for name in DETAILS:
        own = [r[name] == s[name] for r, s in zip(read, clear, strict=False) if name in s]
        out[name] = {"same": sum(own), "of": len(own), "unclear": len(clear) - len(own),
                     "interval": interval(sum(own), len(own))}
    whole = [all(r[name] == n for name, n in s.items()) for r, s in zip(read, clear, strict=False)]
    return out | {"all that is clear": {"same": sum(whole), "of": len(whole), "interval": interval(sum(whole),
                                                                                                  len(whole))}}


def verdicts(read: Sequence[dict[str, int]], seen: Sequence[str], words: Sequence[dict[str, set[int]]]) -> dict[
        str, object]:
    """Are the counts those the words ask for? The person's answer, the detector's, and how often they are the same.

    What is unclear to the person is not right: a reader should see two eyes.
    """
    out: dict[str, object] = {}
    cases = list(zip(read, [dict(zip(DETAILS, s.split(), strict=True)) for s in seen], words, strict=False))
    for names in (*((name,) for name in DETAILS), DETAILS):
        person = [all(s[n] != "?" and int(s[n]) in w[n] for n in names) for _, s, w in cases]
        detector = [all(r[n] in w[n] for n in names) for r, _, w in cases]
        same = sum(a == b for a, b in zip(person, detector, strict=True))
        out[names[0] if len(names) == 1 else "all"] = {
            "right by eye": sum(person), "right by the detector": sum(detector), "same": same, "of": len(cases),
            "interval": interval(same, len(cases))}
    return out


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
    words = [asked(s) for s in scenes(len(seen["counts"]))]
    numbers = {"seen": seen, "agreement": agreement(read, seen["counts"]),
               "counts right": verdicts(read, seen["counts"], words)}
    if seen.get("generated is"):
        key = json.loads((args.folder / "blind-key.json").read_text())
        numbers["blind"] = blind(seen["generated is"], key["generated is"])
    print(record(args.name, numbers))


if __name__ == "__main__":
    main()
