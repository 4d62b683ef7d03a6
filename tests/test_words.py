"""Words and tokens: every word owns its tokens, and the words of two prompts find each other."""

from __future__ import annotations

import pytest

from helpers.core.words import align, common, tokens_of, words_and_marks
from helpers.models.diffusers_model import DiffusersModel

# The tokenizer of the small models spells every word out in letters, except "cat"; it has room for 14 tokens.


@pytest.fixture(scope="module")
def sd(models: dict[str, DiffusersModel]) -> DiffusersModel:
    return models["sd"]


def texts(words: tuple) -> list[str]:
    return [word.text for word in words]


def test_tokens_tell_where_in_the_prompt_they_stand(model: DiffusersModel) -> None:
    tokens = model.tokens("A cat, ab")
    assert tokens.texts[1:-1] == ("a</w>", "cat</w>", ",</w>", "a", "b</w>") and tokens.window == 16
    assert [tokens.prompt[start:end] for start, end in tokens.spans[1:-1]] == ["A", "cat", ",", "a", "b"]


def test_the_two_tokenizers_of_sdxl_cut_alike(models: dict[str, DiffusersModel]) -> None:
    pipeline, prompt = models["xl"].pipeline, "a cat, ab-cd's"
    assert pipeline.tokenizer.tokenize(prompt) == pipeline.tokenizer_2.tokenize(prompt)


@pytest.mark.parametrize(
    ("prompt", "phrase", "positions"),
    [
        ("a cat ab", "cat", [2]),
        ("a cat ab", "ab", [3, 4]),
        ("a cat, ab", "cat,", [2]),
        ("a Cat ab", "cat", [2]),
        ("a cat ab", "CAT", [2]),
        ("cat ab cat", "cat", [1, 4]),
        ("a cat ab", "cat ab", [2, 3, 4]),
        ("ab a cat a", "a cat", [3, 4]),
        ("t-ab cat", "t-ab", [1, 2, 3, 4]),
    ],
)
def test_a_word_owns_its_tokens(sd: DiffusersModel, prompt: str, phrase: str, positions: list[int]) -> None:
    assert tokens_of(sd.tokens(prompt), phrase) == positions


def test_the_cat_of_the_cat_s_is_found_without_its_ending(sd: DiffusersModel) -> None:
    tokens = sd.tokens("cat's ab")
    owned = tokens_of(tokens, "cat")
    assert owned == [1] and set(owned) < set(tokens_of(tokens, "cat's"))


@pytest.mark.parametrize("phrase", ["dog", "ca", "ab cat", ""])
def test_a_word_that_is_not_there_is_an_error_that_lists_those_that_are(sd: DiffusersModel, phrase: str) -> None:
    with pytest.raises(ValueError, match="is not in the prompt 'a cat, ab'; its words are: a, cat, ab"):
        tokens_of(sd.tokens("a cat, ab"), phrase)


def test_a_word_past_the_window_is_an_error_that_says_so(sd: DiffusersModel) -> None:
    tokens = sd.tokens("cat abcdefghijkl zz")
    assert tokens.cut_off == "z" and tokens_of(tokens, "abcdefghijkl") == list(range(2, 14))
    with pytest.raises(ValueError, match="'zz' is not seen: .* is too long"):
        tokens_of(tokens, "zz")
    assert sd.tokens("cat").cut_off == ""


def test_words_and_marks_in_reading_order() -> None:
    assert texts(words_and_marks("A cat's t-shirt, red!")) == ["a", "cat's", "t-shirt", ",", "red", "!"]


@pytest.mark.parametrize(
    ("source", "target", "swapped", "new", "gone"),
    [
        ("a cat on a bicycle", "a cat on a car", [(["bicycle"], ["car"])], [], []),
        ("a cat on a bicycle", "a cat on a bicycle", [], [], []),
        ("a cake with decorations", "a cake with jelly beans", [(["decorations"], ["jelly", "beans"])], [], []),
        ("a red cat and a dog", "a blue cat and a cow", [(["red"], ["blue"]), (["dog"], ["cow"])], [], []),
        ("a house", "a house, with a rainbow", [], [",", "with", "a", "rainbow"], []),
        ("a castle next to a river", "children drawing of a castle next to a river", [], ["children", "drawing", "of"],
         []),
        ("a red cat", "a cat", [], [], ["red"]),
        ("a cat", "A CAT", [], [], []),
        ("a cat and a dog", "a dog and a cat", [], [], []),
    ],
)
def test_prompts_are_aligned_word_by_word(
    source: str, target: str, swapped: list, new: list[str], gone: list[str]
) -> None:
    found = align(source, target)
    assert [(texts(old), texts(fresh)) for old, fresh in found.swapped] == swapped
    assert texts(found.new) == new and texts(found.gone) == gone
    assert all(old.text == fresh.text for old, fresh in found.same)


def test_moved_words_find_themselves() -> None:
    pairs = {(old.start, fresh.start) for old, fresh in align("a cat and a dog", "a dog and a cat").same}
    assert (2, 12) in pairs and (12, 2) in pairs  # cat and dog


def test_repeated_words_are_paired_so_that_neighbours_stay_together() -> None:
    same = align("the cat", "the dog and the cat").same
    assert [(old.start, fresh.start) for old, fresh in same] == [(0, 12), (4, 16)]


def test_every_word_is_accounted_for_once() -> None:
    source, target = "a big red cat, and a dog on the hill", "the dog and a tiny cat on a red hill, far away"
    found = align(source, target)
    old = [*(pair[0] for pair in found.same), *(word for pair in found.swapped for word in pair[0]), *found.gone]
    fresh = [*(pair[1] for pair in found.same), *(word for pair in found.swapped for word in pair[1]), *found.new]
    assert sorted(old, key=lambda word: word.start) == words_and_marks(source)
    assert sorted(fresh, key=lambda word: word.start) == words_and_marks(target)


def test_the_common_subsequence_is_the_longest() -> None:
    assert len(common("abcbdab", "bdcaba")) == 4 and common("", "ab") == [] and common("ab", "cd") == []
