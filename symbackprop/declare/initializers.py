"""First values of the parameters. Each has a random stream of its own, so that adding a layer changes no other."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.layout import ParameterRecord
from symbackprop.errors import DeclarationError, ShapeError

Array = npt.NDArray[np.float64]


def _he(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
    return rng.standard_normal(shape) * math.sqrt(2 / fan_in)


def _glorot(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
    bound = math.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)


INITIALIZERS: Mapping[str, Callable[[np.random.Generator, tuple[int, ...], int, int], Array]] = {
    "he": _he,
    "glorot": _glorot,
    "zeros": lambda rng, shape, fan_in, fan_out: np.zeros(shape),
    "ones": lambda rng, shape, fan_in, fan_out: np.ones(shape),
    "normal": lambda rng, shape, fan_in, fan_out: rng.standard_normal(shape),
    "quarter": lambda rng, shape, fan_in, fan_out: np.full(shape, 0.25),
}


#: An initializer of the form "constant 1.5" gives that number everywhere.
CONSTANT = "constant"


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of one purpose: it depends on the seed and the name only."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def initial_values(record: ParameterRecord, seed: Any) -> Array:
    """Return a parameter's first values, in float64.

    Raises:
        ShapeError: a size is still symbolic.
        DeclarationError: unknown initializer, or a seed that is no integer.
    """
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise DeclarationError(f"init: seed must be an integer, got {seed!r}")
    word, _, first = record.initial.partition(" ")
    if word != CONSTANT and record.initial not in INITIALIZERS:
        raise DeclarationError(
            f"parameter {record.name}: unknown initializer {record.initial!r}{suggestion(record.initial, INITIALIZERS)} "
            f"(known: {', '.join(INITIALIZERS)})"
        )
    for size in (*record.shape, record.fan_in, record.fan_out):
        if not isinstance(size, int):
            raise ShapeError(f"parameter {record.name}: size {size} is a symbol; give it a number to initialise it")
    shape, fan_in, fan_out = tuple(map(int, record.shape)), int(record.fan_in), int(record.fan_out)
    if word == CONSTANT:
        return np.full(shape, float(first))
    return INITIALIZERS[record.initial](stream(int(seed), record.name), shape, fan_in, fan_out)


__all__ = ["INITIALIZERS", "initial_values", "stream"]
