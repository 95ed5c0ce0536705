"""Random inputs of layers: zeros and ones, each layer with a random stream of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.declare.initializers import stream
from symbackprop.execute.face import MaskFace

Array = npt.NDArray[Any]


def draw(masks: Sequence[MaskFace], batch: int, seed: int, dtype: Any) -> tuple[Array, ...]:
    """Return the masks of a batch. They depend on the seed and their names: more layers or more samples change none of them."""
    return tuple(_drawn(stream(seed, mask.name), mask, np.empty((batch, *mask.shape), dtype)) for mask in masks)


def batches(masks: Sequence[MaskFace], largest: int, seed: int, dtype: Any) -> Iterator[tuple[Array, ...]]:
    """Return masks for one batch of ``largest`` samples after another, in the same memory; the first are those of `draw`."""
    streams = [stream(seed, mask.name) for mask in masks]
    kept = [np.empty((largest, *mask.shape), dtype) for mask in masks]
    while True:
        yield tuple(_drawn(rng, mask, array) for rng, mask, array in zip(streams, masks, kept, strict=True))


def _drawn(rng: np.random.Generator, mask: MaskFace, array: Array) -> Array:
    # One type of random number for all programs: float32 and float64 draw the same masks.
    np.less(rng.random(array.shape, dtype=np.float32), np.float32(mask.keep), out=array, casting="unsafe")
    return array


__all__ = ["batches", "draw"]
