"""A frozen text encoder by itself, as a cascade has it: prompts to embeddings, and prompts as tokens.

T5, Imagen's and DeepFloyd IF's, or CLIP's, Stable Diffusion's. Both pad every prompt to one length, so that a prompt's
embedding does not depend on those beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from helpers.core.interface import Text
from helpers.core.shapes import Embeddings
from helpers.core.words import Tokens
from helpers.models.prompts import as_prompts, remark
from helpers.models.quiet import quiet

WINDOW = 77  # tokens; DeepFloyd IF was trained with as many, though T5 reads more


def lowered(prompt: str) -> str:
    """In lower case, as DeepFloyd IF reads prompts; every character stays one, so that tokens keep their places."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in prompt)


class TextEncoder:
    """A tokenizer and its text encoder.

    window: the tokens it has room for. marks: special tokens before the first word, one with CLIP and none with T5.
    """

    def __init__(self, tokenizer: Any, network: Any) -> None:
        """Of transformers' two parts."""
        self.tokenizer, self.network = tokenizer, network
        self.window = min(WINDOW, int(tokenizer.model_max_length))
        self.marks = len(tokenizer("").input_ids) - 1  # the end mark is in both
        self.masked = network.config.model_type == "t5"  # CLIP is causal, and was trained without a mask

    @property
    def width(self) -> int:
        """d, numbers of each token's embedding."""
        width: int = self.network.config.hidden_size
        return width

    def embed(self, prompts: str | Sequence[str], known_words: frozenset[str] | None = None) -> Text:
        """Prompts as (B, n, d) embeddings, with their empty prompts; float32.

        known_words: those that the denoiser was trained on, if it was on few. Gives a PromptWarning for others, and
        for a prompt too long for the text encoder.
        """
        prompts = as_prompts(prompts)
        with quiet():
            cuts = [self.tokens(prompt).cut_off for prompt in prompts]
            words, nothing = self._read(prompts), self._read([""])
        for prompt, cut in zip(prompts, cuts, strict=True):
            remark(prompt, cut, self.window - 1 - self.marks, known_words)
        return Text(words, empty=Text(nothing.expand(len(prompts), -1, -1)))

    def _read(self, prompts: Sequence[str]) -> Embeddings:
        with torch.device("cpu"):  # where the tokenizer's numbers begin
            cut = self.tokenizer([lowered(prompt) for prompt in prompts], padding="max_length", truncation=True,
                                 max_length=self.window, return_tensors="pt")
        device = self.network.device
        mask = {"attention_mask": cut.attention_mask.to(device)} if self.masked else {}
        found: Embeddings = self.network(cut.input_ids.to(device), **mask)[0].float()
        return found

    def tokens(self, prompt: str) -> Tokens:
        """The prompt as the tokenizer cuts it."""
        with quiet():
            cut = self.tokenizer(lowered(prompt), return_offsets_mapping=True)
        spans = tuple((int(start), int(end)) for start, end in cut.offset_mapping)
        texts = tuple(self.tokenizer.convert_ids_to_tokens(cut.input_ids))
        return Tokens(prompt, texts, spans, self.window, self.marks)

    def token_rows(self, word: str) -> list[tuple[str, list[int]]]:
        """The rows of the token table that make up a word: (name of the table, its rows)."""
        table = self.network.get_input_embeddings()
        path = next(name for name, part in self.network.named_modules() if part is table)
        return [(f"text_encoder.{path}.weight", self.tokenizer(lowered(word), add_special_tokens=False).input_ids)]
