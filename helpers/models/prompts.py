"""Prompts before a text encoder reads them: what of them it will not see, or never saw before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpers.core.values import texts
from helpers.core.warn import PromptWarning, warn
from helpers.core.words import never_seen, unknown_words


def as_prompts(prompts: str | Sequence[str]) -> list[str]:
    """One prompt or several as a list; an error for anything else."""
    return texts("prompts", prompts)


def cut_off(tokenizer: Any, prompt: str) -> str:
    """The end of the prompt for which the text encoder has no room; "" if all fits."""
    spans = tokenizer(prompt, return_offsets_mapping=True).offset_mapping
    room = tokenizer.model_max_length
    return prompt[spans[room - 1][0] :].strip() if len(spans) > room else ""


def remark(prompt: str, cut: str, room: int, known_words: frozenset[str] | None) -> None:
    """Tell the reader what of the prompt will not be understood."""
    if cut:
        warn(f"The prompt is too long (there is room for {room} tokens); this part is not seen: {cut!r}.",
             PromptWarning)
    known = known_words or frozenset()
    for word in unknown_words(prompt, known) if known else ():
        warn(never_seen(word, known), PromptWarning)
