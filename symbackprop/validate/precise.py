"""Spot checks with 50 digits: the interpreter on mpmath numbers, differences without rounding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symbackprop.algebra.equation import System
from symbackprop.algebra.interpret import as_array, interpret

Array = npt.NDArray[Any]

#: Digits of the calculation, and the step of its central differences: their error is of order step², far below float64.
DIGITS = 50
STEP = "1e-16"


def values(system: System, given: Mapping[str, Any], want: Iterable[str]) -> dict[str, Array]:
    """Return tensors computed with 50 digits and then rounded to float64."""
    wanted = tuple(want)
    with mpmath.workdps(DIGITS):
        found = interpret(system, given, want=wanted, dtype=object)
        return {name: _rounded(found[name]) for name in wanted}


def slope(system: System, given: Mapping[str, Any], of: str, direction: Mapping[str, Array]) -> float:
    """Return the derivative of a scalar along a direction, right to float64's last digits away from kinks."""
    with mpmath.workdps(DIGITS):
        h = mpmath.mpf(STEP)
        base = {name: as_array(system.tensors[name], given[name], object) for name in direction}
        ends = []
        for sign in (1, -1):
            moved = {name: base[name] + sign * h * as_array(system.tensors[name], v, object) for name, v in direction.items()}
            ends.append(interpret(system, {**given, **moved}, want=(of,), dtype=object)[of])
        return float(np.sum((ends[0] - ends[1]) / (2 * h)))


def _rounded(array: Array) -> Array:
    out = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        out[index] = float(mpmath.re(array[index]))
    return out
