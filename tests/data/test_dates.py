"""Text as one-hot rows, and the dates: every pair is one day, no day is in both parts, and both directions are the same pairs."""

from __future__ import annotations

import datetime
import functools

import numpy as np
import pytest

from npae.data import load
from npae.data.dates import TEST, TRAIN
from npae.data.text import Alphabet
from npae.errors import InputError

ABC = Alphabet("abc", 4)


def test_a_text_becomes_a_symbol_at_each_place_the_padding_first() -> None:
    rows = ABC.encode(["cab", "a"])
    assert rows.shape == (2, 16)
    assert rows.reshape(2, 4, 4).argmax(axis=2).tolist() == [[3, 1, 2, 0], [1, 0, 0, 0]]
    assert (rows.reshape(2, 4, 4).sum(axis=2) == 1).all()


def test_a_row_of_probabilities_is_read_as_its_likeliest_symbols() -> None:
    rows = np.full((1, 16), 0.2)
    rows[0, [3, 5, 8, 14]] = 0.4  # c, a, padding, b
    assert ABC.decode(rows) == ["ca·b"]
    assert ABC.decode(ABC.encode(["cab", "a", "abca"])) == ["cab", "a", "abca"]


def test_the_alphabet_of_some_texts_has_their_characters_and_their_greatest_length() -> None:
    assert Alphabet.of(["b a", "cc"]) == Alphabet(" abc", 3)
    assert Alphabet.of(["b a", "cc"]).symbols == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is empty"),
        ("abcab", "'abcab' has 5 characters: at most 4 are read here"),
        ("abd", r"'abd': character 'd' \(at place 3\) is unknown here; known are 'abc'"),
    ],
)
def test_a_text_that_cannot_be_written_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ABC.encode(["a", text])


@functools.cache
def _days(name: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    data = load(name)
    assert data.text is not None
    parts = []
    for rows, targets in ((data.train, data.train_targets), (data.test, data.test_targets)):
        assert rows is not None
        assert targets is not None
        parts.append(list(zip(data.text.rows.decode(rows), data.text.targets.decode(targets), strict=True)))
    return parts[0], parts[1]


def test_each_row_is_a_day_in_words_and_its_target_the_same_day_in_numbers() -> None:
    train, test = _days("dates")
    assert (len(train), len(test)) == (TRAIN, TEST)
    for words, numbers in train[:300] + test[:300]:
        day = datetime.datetime.strptime(words, "%d %B %Y").date()
        assert numbers == day.isoformat()
        assert words == f"{day.day} {words.split()[1]} {day.year}"


def test_no_test_day_is_a_training_day_and_none_comes_twice() -> None:
    train, test = _days("dates")
    days = {numbers for _, numbers in train + test}
    assert len(days) == TRAIN + TEST
    assert min(days) < "1900-02" < "2099-11" < max(days)


def test_the_reverse_has_the_same_pairs_the_other_way_round() -> None:
    train, test = _days("dates")
    back_train, back_test = _days("dates-reverse")
    assert back_train == [(numbers, words) for words, numbers in train]
    assert back_test == [(numbers, words) for words, numbers in test]


def test_they_are_generated_and_the_same_every_time() -> None:
    data = load("dates")
    assert (data.source, data.scaling, data.train_labels) == ("generated", {"kind": "none"}, None)
    assert data.fingerprint == load("dates").fingerprint
    assert set(np.unique(data.train)) == {0.0, 1.0}
