"""Numerical differentiation by differences, each with its cost in evaluations.

The lectures' "super slow" way: one or two evaluations of the function for each parameter. It knows nothing of the
function but its values, which is what makes it a judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import DataError

Array = npt.NDArray[Any]
Scalar = Callable[[float], float]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Difference:
    """A derivative by differences.

    Attributes:
        value: the derivative.
        evaluations: how often the function was called.
        error: the method's own estimate of its error; NaN where it makes none.
    """

    value: float
    evaluations: int
    error: float = math.nan


def scaled(x: float, power: float) -> float:
    """Return a step eps^power in proportion to x, such that x + step is exact."""
    step: float = _EPS**power * max(abs(x), 1.0)
    return (x + step) - x


def forward(f: Scalar, x: float, step: float | None = None) -> Difference:
    """(f(x + h) − f(x)) / h: error near h/2·f″; the default step is sqrt(eps)."""
    h = scaled(x, 1 / 2) if step is None else step
    return Difference((f(x + h) - f(x)) / h, 2)


def central(f: Scalar, x: float, step: float | None = None) -> Difference:
    """(f(x + h) − f(x − h)) / 2h: error near h²/6·f‴; the default step is eps^(1/3) scaled by |x|."""
    h = scaled(x, 1 / 3) if step is None else step
    return Difference((f(x + h) - f(x - h)) / (2 * h), 2)


def five_point(f: Scalar, x: float, step: float | None = None) -> Difference:
    """(8(f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h: error of order h⁴; the default step is eps^(1/5)."""
    h = scaled(x, 1 / 5) if step is None else step
    value = (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
    return Difference(value, 4)


def ridders(f: Scalar, x: float, step: float | None = None, *, factor: float = 1.4, rounds: int = 10) -> Difference:
    """Central differences of shrinking steps, extrapolated to step 0 (Neville's scheme); estimates its own error.

    The entry of the tableau that differs least from its two neighbours is the result, and that difference is the estimate;
    the extrapolation ends when things get worse by a factor of two, which is where rounding takes over.
    """
    h = 0.1 * max(abs(x), 1.0) if step is None else step
    best, error = math.nan, math.inf
    previous: list[float] = []
    calls = 0
    for _ in range(rounds):
        above, below = f(x + h), f(x - h)
        row = [(above - below) / (2 * h)]
        calls += 2
        # Two values rounded to half a unit each: no agreement of the tableau's entries makes the result better than this.
        rounding = _EPS * max(abs(above), abs(below)) / (2 * h)
        weight = factor**2
        for k, older in enumerate(previous):
            row.append((row[k] * weight - older) / (weight - 1))
            weight *= factor**2
            guess = max(abs(row[k + 1] - row[k]), abs(row[k + 1] - older), rounding)
            if guess <= error:
                best, error = row[k + 1], guess
        if previous and abs(row[-1] - previous[-1]) >= 2 * error:
            break
        previous = row
        h /= factor
    return Difference(best, calls, error)


@dataclass(frozen=True)
class _Method:
    """A difference method: how to apply it, and its evaluations for a gradient of ``dim`` entries (None: it varies)."""

    apply: Callable[..., Difference]
    a_parameter: int | None
    shared: int


METHODS: Mapping[str, _Method] = {
    "forward": _Method(forward, 1, 1),
    "central": _Method(central, 2, 0),
    "five-point": _Method(five_point, 4, 0),
    "ridders": _Method(ridders, None, 0),
}


def evaluations(method: str, dim: int) -> int:
    """Return how many evaluations a gradient of ``dim`` parameters costs: forward dim + 1, central 2·dim, five-point 4·dim.

    For Ridders this is the most that it takes.
    """
    found = _method(method)
    return (20 if found.a_parameter is None else found.a_parameter) * dim + found.shared


def _method(name: str) -> _Method:
    if name not in METHODS:
        raise DataError(f"difference method {name!r} is not one of {', '.join(METHODS)}")
    return METHODS[name]


@dataclass(frozen=True)
class Gradient:
    """A gradient by differences.

    Attributes:
        values: name -> array of derivatives.
        errors: name -> the method's own error estimates; NaN where it makes none.
        evaluations: how often the function was called.
    """

    values: Mapping[str, Array]
    errors: Mapping[str, Array]
    evaluations: int


def gradient(
    f: Callable[[dict[str, Array]], float], values: Mapping[str, Any], method: str = "central", step: float | None = None
) -> Gradient:
    """Return the derivative of ``f(values)`` with respect to every entry of every array.

    Args:
        f: takes a mapping like ``values`` and returns a number.
        values: float64 arrays by name (numbers are arrays of rank 0).
        method: "forward", "central", "five-point" or "ridders".
        step: absolute step; None chooses it by the method, in proportion to the entry.
    """
    rule = _method(method)
    arrays = {name: np.array(value, dtype=np.float64) for name, value in values.items()}
    calls = 0

    def at(name: str, index: tuple[int, ...], entry: float) -> float:
        nonlocal calls
        calls += 1
        moved = arrays[name].copy()
        moved[index] = entry
        return float(f({**arrays, name: moved}))

    base = math.nan
    if method == "forward":
        base = float(f(dict(arrays)))
        calls += 1
    slopes = {name: np.empty(a.shape) for name, a in arrays.items()}
    errors = {name: np.full(a.shape, np.nan) for name, a in arrays.items()}
    for name, array in arrays.items():
        for index in np.ndindex(array.shape):
            x = float(array[index])
            if method == "forward":
                h = scaled(x, 1 / 2) if step is None else step
                found = Difference((at(name, index, x + h) - base) / h, 1)
            else:
                found = rule.apply(lambda entry, name=name, index=index: at(name, index, entry), x, step)
            slopes[name][index], errors[name][index] = found.value, found.error
    return Gradient(slopes, errors, calls)
