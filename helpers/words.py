"""Words of a prompt."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def words_of(prompt: str) -> list[str]:
    """Lower-case words of `prompt` in reading order; punctuation is dropped, "t-shirt" and "cat's" stay whole."""
    return [word.lower() for word in _WORD.findall(prompt)]


def nearest(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` words of `known` that are spelled most like `word`, best first; may be empty."""
    return get_close_matches(word.lower(), sorted(known), n=count, cutoff=0.5)


def unknown_words(prompt: str, known: frozenset[str]) -> list[str]:
    """Words of `prompt` that are not in `known`, each once, in reading order; "cat's" is known where "cat" is."""
    return [word for word in dict.fromkeys(words_of(prompt)) if re.sub("['’]s$", "", word) not in known]
