"""The data that examples train on are whole, and cut as they should be."""

from __future__ import annotations

import numpy as np

from symbackprop.data import alice, characters, digits, every_fifth, windows


def test_the_digits_are_all_there() -> None:
    images, labels = digits()
    assert images.shape == (1797, 64)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.min() == 0.0
    assert images.max() == 1.0
    x, y, x_test, y_test = every_fifth(images, labels)
    assert (len(x), len(y), len(x_test), len(y_test)) == (1437, 1437, 360, 360)
    assert np.array_equal(x_test[1], images[5])


def test_the_text_is_three_chapters_word_for_word() -> None:
    text = alice()
    assert text.isascii()
    assert (len(text), len(text.split())) == (31268, 5947)
    assert [line for line in text.splitlines() if line.startswith("CHAPTER")] == [
        "CHAPTER I. Down the Rabbit-Hole",
        "CHAPTER II. The Pool of Tears",
        "CHAPTER III. A Caucus-Race and a Long Tale",
    ]
    assert "Gutenberg" not in text


def test_a_text_is_its_numbers_and_its_alphabet() -> None:
    numbers, alphabet = characters("abacab")
    assert (numbers.tolist(), alphabet) == ([0, 1, 0, 2, 0, 1], "abc")
    text = alice()
    numbers, alphabet = characters(text)
    assert "".join(alphabet[k] for k in numbers) == text


def test_windows_are_followed_by_what_comes_next() -> None:
    x, y = windows(np.arange(11), 3)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert y.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    x, y = windows(np.arange(10), 3)  # exactly enough for three pieces and the character after the last
    assert (x[-1, -1], y[-1, -1]) == (8, 9)
