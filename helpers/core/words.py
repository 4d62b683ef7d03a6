"""Words of a prompt: which tokens they own, and how the words of two prompts answer each other.

    here       what                                               example
    Word       a word or a punctuation mark and where it stands   Word("cat", 2, 5)
    Tokens     a prompt as a model's tokenizer cuts it            `model.tokens("a cat")`
    Alignment  the words of P and P*, who answers whom            `align(P, P*)`

Needleman and Wunsch, "A general method applicable to the search for similarities ...", J. Mol. Biol. 48 (1970).
Prompt-to-Prompt aligns with match 1, mismatch -1, gap 0: two gaps always beat a mismatch, so the best alignment is the
longest common subsequence. Of several, we take the one with most neighbours kept together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from helpers.core.values import Prompt, entrance, shown

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_WORD_OR_MARK = re.compile(rf"{_WORD.pattern}|[^\w\s]|_")
_POSSESSIVE = re.compile("['’]s$")
ALIKE = 0.7  # share of letters that a word and a suggestion must have in common
MOST_ALIGNED = 150  # words and marks of a prompt that is aligned; text encoders read some 75
TOGETHER = 1e-3  # what a kept neighbour is worth in an alignment, small against a match


@entrance
def words_of(prompt: Prompt) -> list[str]:
    """Lower-case words of `prompt` in reading order; punctuation is dropped, "t-shirt" and "cat's" stay whole.

    In Unicode's composed form, so that an accent typed as a letter of its own makes no other word.
    """
    return [word.lower() for word in _WORD.findall(prompt)]


def nearest(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` words of `known` that `word` may be a slip of the pen for, best first; may be empty.

    "bycicle" is bicycle and "gray" is grey, but a dragon is no drawing and no wagon.
    """
    close = get_close_matches(word.lower(), sorted(known), n=count, cutoff=ALIKE)
    return [one for one in close if one[:1] == word.lower()[:1]]


def never_seen(word: str, known: Iterable[str]) -> str:
    """What to say of a word that a model was not trained on."""
    meant = " or ".join(map(repr, nearest(word, known)))
    return f"This model has never seen the word {word!r}" + (f"; did you mean {meant}?" if meant else ".")


def unknown_words(prompt: str, known: frozenset[str]) -> list[str]:
    """Words of `prompt` that are not in `known`, each once, in reading order; "cat's" is known where "cat" is."""
    return [word for word in dict.fromkeys(words_of(prompt)) if _POSSESSIVE.sub("", word) not in known]


class Word(NamedTuple):
    """A word or a punctuation mark of a prompt, in lower case: the characters from `start` to before `end`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Tokens:
    """A prompt as a tokenizer cuts it.

    texts: of each token, the start and the end mark included, padding not; also those past the window.
    spans: (first, last + 1) character of each token in the prompt; (0, 0) for the marks.
    window: the tokens the text encoder has room for, its two marks included. The rows of its embeddings.
    """

    prompt: str
    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    window: int

    @property
    def cut_off(self) -> str:
        """The end of the prompt for which there is no room; "" if all fits."""
        fits = len(self.spans) <= self.window
        return "" if fits else self.prompt[self.spans[self.window - 1][0] :].strip()

    def at(self, word: Word) -> list[int]:
        """Positions of a word's tokens in the window; ValueError if it stands past it."""
        found = [i for i, (start, end) in enumerate(self.spans[1:-1], 1) if start < word.end and end > word.start]
        if not found or found[-1] > self.window - 2:
            raise ValueError(f"{word.text!r} is not seen: the prompt {self.prompt!r} is too long for the model, which "
                             f"reads {self.window - 2} tokens of it. Shorten the prompt.")
        return found


class Alignment(NamedTuple):
    """How two prompts answer each other, in words and punctuation marks.

    same: pairs of equal words, also where they moved. swapped: words of the source and the words that stand in their
    place. new: words only the target has. gone: words only the source has.
    """

    same: tuple[tuple[Word, Word], ...]
    swapped: tuple[tuple[tuple[Word, ...], tuple[Word, ...]], ...]
    new: tuple[Word, ...]
    gone: tuple[Word, ...]


def words_and_marks(prompt: str) -> list[Word]:
    """Words and punctuation marks of `prompt` in reading order."""
    return [Word(found[0].lower(), *found.span()) for found in _WORD_OR_MARK.finditer(prompt)]


def tokens_of(tokens: Tokens, phrase: str) -> list[int]:
    """Positions of all tokens that a word or a phrase owns, wherever it occurs in the prompt.

    Case and punctuation do not matter: "cat," and "Cat" are the cat, and so is the cat of "cat's".
    Raises ValueError that lists the prompt's words if the phrase is not among them.
    """
    wanted = words_of(phrase)
    words = [Word(found[0].lower(), *found.span()) for found in _WORD.finditer(tokens.prompt)]
    starts = [i for i in range(len(words) - len(wanted) + 1)
              if wanted and all(map(answers, wanted, words[i : i + len(wanted)]))]
    if not starts:
        listed = ", ".join(dict.fromkeys(word.text for word in words)) or "none"
        raise ValueError(f"{phrase!r} is not in the prompt {tokens.prompt!r}; its words are: {listed}.")
    owners = [bare(word, asked) for i in starts for word, asked in zip(words[i:], wanted, strict=False)]
    return sorted({position for owner in owners for position in tokens.at(owner)})


def answers(asked: str, word: Word) -> bool:
    """Whether `asked` is the word, or its owner: "cat" of "cat's"."""
    return asked in (word.text, _POSSESSIVE.sub("", word.text))


def bare(word: Word, asked: str) -> Word:
    """The part of a word that was asked for: "cat" of "cat's"."""
    return Word(asked, word.start, word.start + len(asked))


@entrance
def align(source: Prompt, target: Prompt) -> Alignment:
    """Who answers whom in two prompts; equal words first in reading order, then those that moved."""
    a, b = words_and_marks(source), words_and_marks(target)
    if longer := next((prompt for prompt, words in ((source, a), (target, b)) if len(words) > MOST_ALIGNED), None):
        raise ValueError(f"The prompt {shown(longer)} has more than {MOST_ALIGNED} words and marks: no model reads so "
                         "many. Shorten it.")
    kept = common([word.text for word in a], [word.text for word in b])
    left_a, left_b = set(range(len(a))) - {i for i, _ in kept}, set(range(len(b))) - {j for _, j in kept}
    moved = []
    for j in sorted(left_b):
        if (i := next((i for i in sorted(left_a) if a[i].text == b[j].text), None)) is not None:
            moved.append((i, j))
            left_a.remove(i)
            left_b.remove(j)
    swapped: list[tuple[tuple[Word, ...], tuple[Word, ...]]] = []
    new: list[Word] = []
    gone: list[Word] = []
    for (i, j), (i_next, j_next) in pairwise([(-1, -1), *kept, (len(a), len(b))]):
        old = tuple(a[k] for k in range(i + 1, i_next) if k in left_a)
        fresh = tuple(b[k] for k in range(j + 1, j_next) if k in left_b)
        if old and fresh:
            swapped.append((old, fresh))
        else:
            new += fresh
            gone += old
    same = tuple((a[i], b[j]) for i, j in sorted([*kept, *moved], key=lambda pair: pair[1]))
    return Alignment(same, tuple(swapped), tuple(new), tuple(gone))


def common(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Indices (i, j) of the longest common subsequence of `a` and `b`; where there is choice, neighbours together."""

    @lru_cache(None)
    def best(i: int, j: int, joined: bool) -> tuple[float, int]:
        """Score of a[i:] and b[j:], and how to begin: 0 take both, 1 leave a[i], 2 leave b[j]."""
        if i == len(a) or j == len(b):
            return 0.0, 1 if i < len(a) else 2
        ways = [(best(i + 1, j, False)[0], 1), (best(i, j + 1, False)[0], 2)]
        if a[i] == b[j]:
            ways.insert(0, (1 + TOGETHER * joined + best(i + 1, j + 1, True)[0], 0))
        return max(ways, key=lambda way: way[0])

    pairs, i, j, joined = [], 0, 0, False
    while i < len(a) or j < len(b):
        step = best(i, j, joined)[1]
        if step == 0:
            pairs.append((i, j))
        i, j, joined = i + (step != 2), j + (step != 1), step == 0
    return pairs
