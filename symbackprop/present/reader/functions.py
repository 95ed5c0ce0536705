"""The functions that have a name in LaTeX, entry by entry, and slopes of any function by differences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from symbackprop.present.reader.values import Array

Function = Callable[..., Array]

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(x, dtype=np.float64))))


def _softplus(x: Array) -> Array:
    return np.asarray(np.logaddexp(0.0, x))


def _largest(*arrays: Array) -> Array:
    result = arrays[0]
    for array in arrays[1:]:
        result = np.maximum(result, array)
    return result


def _smallest(*arrays: Array) -> Array:
    result = arrays[0]
    for array in arrays[1:]:
        result = np.minimum(result, array)
    return result


def softmax(a: Array) -> Array:
    """Return the softmax of a whole vector."""
    e = np.exp(a - np.max(a))
    return np.asarray(e / np.sum(e))


#: Functions of each entry, by the names that they have after a backslash or in ``\operatorname``.
KNOWN: Mapping[str, Function] = MappingProxyType(
    {
        "log": np.log,
        "exp": np.exp,
        "sin": np.sin,
        "cos": np.cos,
        "tan": np.tan,
        "sinh": np.sinh,
        "cosh": np.cosh,
        "tanh": np.tanh,
        "arcsin": np.arcsin,
        "arccos": np.arccos,
        "arctan": np.arctan,
        "arsinh": np.arcsinh,
        "arcosh": np.arccosh,
        "artanh": np.arctanh,
        "erf": _erf,
        "erfc": _erfc,
        "softplus": _softplus,
        "sigmoid": _sigmoid,
        "relu": lambda x: np.maximum(x, 0.0),
        "ReLU": lambda x: np.maximum(x, 0.0),
        "sign": np.sign,
        "sgn": np.sign,
        "max": _largest,
        "min": _smallest,
    }
)
#: Letters that mean a function unless something else has the letter.
LETTERS: Mapping[str, Function] = MappingProxyType({r"\sigma": _sigmoid})


def slope(f: Callable[[Array], Array], x: Array, wide: float = 0.02) -> Array:
    """Return the derivative of a function of each entry: central differences of five widths, extrapolated to width 0.

    The error of a smooth function is near 1e-11 of its size.
    """
    x = np.asarray(x, dtype=np.float64)
    h = wide * np.maximum(np.abs(x), 0.1)
    with np.errstate(all="ignore"):
        return extrapolated([np.asarray((f(x + h / 2**k) - f(x - h / 2**k)) / (2 * h / 2**k)) for k in range(5)])


def extrapolated(rows: list[Array]) -> Array:
    """Return the limit of central differences whose width is halved from one to the next (Richardson)."""
    order = 4.0
    while len(rows) > 1:
        rows = [(order * finer - coarser) / (order - 1) for coarser, finer in itertools.pairwise(rows)]
        order *= 4
    return rows[0]


__all__ = ["KNOWN", "LETTERS", "Function", "extrapolated", "slope", "softmax"]
