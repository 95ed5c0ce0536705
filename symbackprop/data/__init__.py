"""The data that the demo and the examples train on: 1,797 handwritten digits, shipped with the package."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["digits", "every_fifth"]


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
