"""The data that the demo and the examples train on, shipped with the package: 1,797 handwritten digits and three chapters of a book."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["alice", "characters", "digits", "every_fifth", "windows"]


def alice() -> str:
    """Return the first three chapters of *Alice's Adventures in Wonderland*: 31,268 characters of ASCII, one paragraph a line.

    Source and licence are in the README beside the data.
    """
    packed = resources.files(__name__).joinpath("alice.txt.gz").read_bytes()
    return gzip.decompress(packed).decode("ascii")


def characters(text: str) -> tuple[NDArray[np.int64], str]:
    """Return a text as numbers and its alphabet, sorted: character k of the text is ``alphabet[numbers[k]]``."""
    alphabet = "".join(sorted(set(text)))
    number = {character: k for k, character in enumerate(alphabet)}
    return np.array([number[character] for character in text], dtype=np.int64), alphabet


def windows(numbers: NDArray[np.int64], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut a text into pieces of one length, each with the characters that follow: x[k, t + 1] = y[k, t].

    Both have the shape (pieces, length); what is left over at the end, less than a piece, is dropped.
    """
    pieces = (len(numbers) - 1) // length
    x, y = (numbers[shift : shift + pieces * length].reshape(pieces, length) for shift in (0, 1))
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def digits(dtype: str = "float64") -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the UCI optical digits: images (1797, 64) with values in [0, 1] and labels (1797,) from 0 to 9.

    Source and licence are in the README beside the data.
    """
    packed = resources.files(__name__).joinpath("digits.csv.gz").read_bytes()
    table = np.array([line.split(b",") for line in gzip.decompress(packed).split()], dtype=np.int64)
    return np.ascontiguousarray(table[:, :64] / 16.0, dtype=dtype), np.ascontiguousarray(table[:, 64])


def every_fifth(images: NDArray[Any], labels: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[Any], NDArray[np.int64]]:
    """Split off every fifth sample (index % 5 == 0): training images and labels, then the held-out images and labels."""
    held_out = np.arange(len(labels)) % 5 == 0
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out]
