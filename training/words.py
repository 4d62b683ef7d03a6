"""Makes the tokenizer and trains the text encoder to understand captions, before any picture is made from them.

    python -m training.words --minutes 6

The text encoder learns two things. From all tokens together: what the caption asks for, and what it leaves open. From
each word's own token: which part of the picture it speaks of, and what that part is and which colour it has ("hat" in
"a blue hat" knows that it is blue). The denoiser then finds its conditions ready instead of learning English by noise.
"""

from __future__ import annotations

import argparse
import re
import string
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from helpers.picturebook.caption import KNOWN_WORDS, LANDSCAPE, NOUNS, PLACE, PLURALS, Caption, describe
from helpers.picturebook.drawing import PARTS
from helpers.picturebook.sampling import held_out_scenes, is_held_out, random_scene
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CLASSES, COLORS, GRADED, THINGS

from .loop import Log, Trainee, batches, device, one_cycle, save_half

RUN = Path("runs/words")
WINDOW = 40  #: tokens the text encoder reads
WIDTH = 256
START, END, UNKNOWN = "<|startoftext|>", "<|endoftext|>", "<|unk|>"


# --- the tokenizer --------------------------------------------------------------------------------------------------

def build_tokenizer() -> CLIPTokenizer:
    """Every known word is one token; any other word is spelled out of letters and pieces. The same every time."""
    letters = sorted(string.ascii_lowercase + string.digits + string.punctuation)
    merges = byte_pairs(sorted(KNOWN_WORDS))
    tokens = [START, END, UNKNOWN, *letters, *(c + "</w>" for c in letters), *(a + b for a, b in merges)]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=WINDOW, unk_token=UNKNOWN, bos_token=START,
                         eos_token=END, pad_token=END)


def byte_pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """Joins the commonest pair of pieces, over and over, until every word is one piece (Sennrich et al. 2016).

    Of equally common pairs the first in the alphabet goes first: libraries leave that to chance, and then the same
    words get other numbers in every process.
    """
    spelled = [[*word[:-1], word[-1] + "</w>"] for word in words]
    merges = []
    while pairs := Counter(pair for pieces in spelled for pair in pairwise(pieces)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [_joined(pieces, best) for pieces in spelled]
    return merges


def _joined(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """`pieces` with every occurrence of `pair` made one piece."""
    out: list[str] = []
    for piece in pieces:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """The untrained text encoder: three layers, 256 wide."""
    torch.manual_seed(0)
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=3,
        num_attention_heads=4, max_position_embeddings=WINDOW, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, projection_dim=WIDTH))


# --- which part of the picture a word speaks of ---------------------------------------------------------------------

_SLOTS = ("thing", "ride", "wearing", "holding", "beside")
_SINGULAR = {plural: noun for noun, plural in PLURALS.items()}
_ADJECTIVES = frozenset(COLORS) | {"grey", "fluffy"}
_SMALL_WORDS = frozenset("on the in a an of at to front next near by with and between it from this that is are".split())
_PART_OF_WORD = (
    dict.fromkeys("night evening sunset moon sunny sun day".split(), "sky")
    | dict.fromkeys("cloudy clouds sky".split(), "clouds") | {"rainbow": "rainbow", "crowded": "crowd"}
    | dict.fromkeys("snow snowy".split(), "snow") | dict.fromkeys("sleeping asleep".split(), "thing")
    | dict.fromkeys("swimming doghouse bucket haircut".split(), "prop")
    | dict.fromkeys("decorations jelly beans candles".split(), "topping"))


def parts_of_words(words: Sequence[str], scene: Scene) -> list[str | None]:
    """For each word of a caption of `scene`, the part of the picture it speaks of (drawing.PARTS), or None."""
    parts: list[str | None] = [None] * len(words)
    free = [s for s in _SLOTS if getattr(scene, s) in NOUNS]
    waiting: list[int] = []  # adjectives whose noun is still to come
    i = 0
    while i < len(words):
        slot, length = _noun_at(words, i, scene, free)
        if slot:
            for j in [*waiting, *range(i, i + length)]:
                parts[j] = slot
            free.remove(slot)
            waiting, i = [], i + length
            continue
        if words[i] in _ADJECTIVES:
            waiting.append(i)
        i += 1
    place = _place_words(scene.place)
    for i, word in enumerate(words):
        if parts[i] is None and word not in _ADJECTIVES:
            parts[i] = _PART_OF_WORD.get(word) or ("place" if word in place else None)
    return parts


def _noun_at(words: Sequence[str], i: int, scene: Scene, free: Sequence[str]) -> tuple[str | None, int]:
    """The slot whose noun stands at word `i`, and how many words it has."""
    for length in (3, 2, 1):
        if i + length > len(words):
            continue
        phrase = " ".join(words[i:i + length])
        for slot in free:
            if _SINGULAR.get(phrase, phrase) in NOUNS[getattr(scene, slot)]:
                return slot, length
    return None, 0


def _place_words(place: str) -> frozenset[str]:
    return frozenset(w for wording in PLACE[place] + LANDSCAPE[place] for w in wording.lower().split()) - _SMALL_WORDS


def encode_captions(tokenizer: CLIPTokenizer, captions: Sequence[str],
                    scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """Token ids and, per token, the index of the part it speaks of or -1: both (B, WINDOW) int64."""
    encoded = tokenizer(list(captions), padding="max_length", truncation=True, max_length=WINDOW,
                        return_offsets_mapping=True, return_tensors="pt")
    parts = torch.full(encoded.input_ids.shape, -1)
    for b, (text, scene) in enumerate(zip(captions, scenes, strict=True)):
        spans = [m.span() for m in re.finditer(r"[a-z]+", text.lower())]
        named = parts_of_words([text.lower()[a:z] for a, z in spans], scene)
        part_at = {c: PARTS.index(p) for (a, z), p in zip(spans, named, strict=True) if p for c in range(a, z)}
        for t, (start, end) in enumerate(encoded.offset_mapping[b].tolist()):
            if end > start:
                parts[b, t] = part_at.get(start, -1)
    return encoded.input_ids, parts


# --- understanding captions -----------------------------------------------------------------------------------------

class Reader(nn.Module):
    """Reads back from the text encoder's states what a caption says; thrown away after the training."""

    def __init__(self) -> None:
        super().__init__()
        self.questions = nn.Parameter(torch.randn(len(CLASSES) + len(GRADED), WIDTH) * 0.02)
        self.attend = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
        self.answers = nn.ModuleList([nn.Linear(WIDTH, len(v) + 1) for v in CLASSES.values()]
                                     + [nn.Linear(WIDTH, 2) for _ in GRADED])
        self.part, self.kind, self.color = (nn.Linear(WIDTH, n) for n in (len(PARTS), len(_kinds()), len(COLORS) + 1))

    def forward(self, states: Tensor) -> list[Tensor]:
        """Logits per attribute; the last value of each means: the caption does not say."""
        asked, _ = self.attend(self.questions.expand(len(states), -1, -1), states, states, need_weights=False)
        return [answer(asked[:, i]) for i, answer in enumerate(self.answers)]


def _kinds() -> list[str]:
    return sorted({*THINGS, *(v for s in _SLOTS for v in CLASSES[s])})


def answers(captions: Sequence[Caption], scenes: Sequence[Scene]) -> list[Tensor]:
    """What `Reader` should answer."""
    out = [torch.tensor([values.index(getattr(s, name)) if name in c.said else len(values)
                         for c, s in zip(captions, scenes, strict=True)]) for name, values in CLASSES.items()]
    return out + [torch.tensor([int(g in c.said) for c in captions]) for g in GRADED]


def word_answers(parts: Tensor, captions: Sequence[Caption], scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """Per token that speaks of a thing: what kind of thing, and its colour if the caption tells it; -100 elsewhere."""
    kind, color = torch.full_like(parts, -100), torch.full_like(parts, -100)
    kinds = _kinds()
    for b, (caption, scene) in enumerate(zip(captions, scenes, strict=True)):
        for slot in _SLOTS:
            here = parts[b] == PARTS.index(slot)
            told = "color" if slot == "thing" else f"{slot}_color"
            last = here & (here.cumsum(0) == here.sum())  # the encoder reads left to right: its last word knows all
            kind[b][last] = kinds.index(getattr(scene, slot))
            color[b][last] = COLORS.index(getattr(scene, told)) if told in caption.said else len(COLORS)
    return kind, color


def understanding_loss(reader: Reader, states: Tensor, parts: Tensor, captions: Sequence[Caption],
                       scenes: Sequence[Scene]) -> tuple[Tensor, float]:
    """The training loss, and the share of attributes answered right."""
    logits, right_answers = reader(states), [a.to(states.device) for a in answers(captions, scenes)]
    asked = sum(F.cross_entropy(x.float(), a) for x, a in zip(logits, right_answers, strict=True))
    kind, color = (t.to(states.device) for t in word_answers(parts, captions, scenes))
    parts = parts.to(states.device)
    questions = ((reader.part, parts.where(parts >= 0, -100)), (reader.kind, kind), (reader.color, color))
    words = sum(F.cross_entropy(head(states).float().flatten(0, 1), target.flatten(), ignore_index=-100)
                for head, target in questions)
    right = float(np.mean([(x.argmax(1) == a).float().mean().item()
                           for x, a in zip(logits, right_answers, strict=True)]))
    return asked + words, right


def noisy(text: str, rng: np.random.Generator) -> str:
    """Now and then a word nobody knows, as a name or a typing error would be: the model learns to look past it."""
    if rng.random() > 0.06:
        return text
    words = text.split(" ")
    unknown = "".join(rng.choice(list(string.ascii_lowercase), size=int(rng.integers(2, 7))))
    words.insert(int(rng.integers(len(words) + 1)), unknown)
    return " ".join(words)


def draw_captions(scenes: Sequence[Scene], rng: np.random.Generator) -> list[Caption]:
    """A wording for each scene, another each time."""
    captions = [describe(s, seed=int(rng.integers(2**40))) for s in scenes]
    return [Caption(noisy(c.text, rng), c.said) for c in captions]


def load_text_encoder(folder: Path = RUN) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """The tokenizer, and the text encoder as it is trained by now, or as it was shipped (its keys have a prefix)."""
    tokenizer = build_tokenizer()
    encoder = build_text_encoder(tokenizer)
    prefix = "" if any(k.startswith("text_model.") for k in encoder.state_dict()) else "text_model."
    encoder.load_state_dict({k.removeprefix(prefix): v.float() if v.is_floating_point() else v
                             for k, v in load_file(folder / "text_encoder.safetensors").items()})
    return tokenizer, encoder.eval().requires_grad_(False)


def main() -> None:
    """Trains for `--minutes` in all, or goes on until then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--peak", type=float, default=1e-3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer, log = build_tokenizer(), Log(RUN)
    encoder, reader = build_text_encoder(tokenizer), Reader()
    trainee = Trainee({"encoder": encoder, "reader": reader}, betas=(0.9, 0.98), ema=0.995)
    test_scenes = [s for new in (False, True) for s, _ in zip(held_out_scenes(new), range(256), strict=False)]
    test_captions = draw_captions(test_scenes, np.random.default_rng(0))

    def look() -> None:
        averaged = trainee.averaged()
        save_half(averaged["encoder"], RUN / "text_encoder.safetensors", trainee.clock)
        _, tested = load_text_encoder()
        judge = Reader()
        judge.load_state_dict({k: v.cpu() for k, v in averaged["reader"].items()})
        ids, parts = encode_captions(tokenizer, [c.text for c in test_captions], test_scenes)
        with torch.no_grad():
            loss, right = understanding_loss(judge, tested(ids).last_hidden_state, parts, test_captions, test_scenes)
        print(f"held-out captions: loss {loss:.4f}, {right:.2%} of attributes understood", flush=True)

    for rng in batches(trainee, RUN, args.minutes, seed=3, every=60, on_pause=look):
        scenes = [random_scene(int(i)) for i in rng.integers(5_000_000, size=args.batch)]
        scenes = [s for s in scenes if not is_held_out(s)]
        captions = draw_captions(scenes, rng)
        ids, parts = encode_captions(tokenizer, [c.text for c in captions], scenes)
        states = encoder(ids.to(device())).last_hidden_state
        loss, right = understanding_loss(reader, states, parts, captions, scenes)
        loss.backward()
        lr = one_cycle(trainee, args.minutes, args.peak, decay=0.5)
        log.add(trainee, loss=loss, right=right, norm=trainee.step(lr), lr=lr)


if __name__ == "__main__":
    main()
