"""How far apart two results may be: one table, dtype by method, each row with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symbackprop.errors import DataError


@dataclass(frozen=True)
class Tolerance:
    """The largest relative error that passes, and why it is this one.

    Attributes:
        dtype: the precision in which the judged values were computed.
        method: what they are compared with.
        value: norm of the difference over norm of the expected values.
        why: where the number comes from.
    """

    dtype: str
    method: str
    value: float
    why: str


TABLE = (
    Tolerance("float64", "complex step", 1e-12, "no cancellation: 5e-16 on one weight; room for sums of some thousand terms"),
    Tolerance("float64", "dot product", 1e-12, "complex step along one direction: only rounding, of all terms together"),
    Tolerance("float64", "central", 1e-6, "step eps^(1/3): truncation and rounding near 1e-10; room for curvature in deep networks"),
    Tolerance("float64", "ridders", 1e-9, "extrapolated, 2e-12 on one weight, and it brings an error estimate of its own"),
    Tolerance("float64", "five-point", 1e-8, "step eps^(1/5): 6e-12 on one weight"),
    Tolerance("float64", "forward", 1e-5, "one-sided: half a step of curvature, near 1e-8 at best"),
    Tolerance("float64", "mpmath", 1e-12, "50 digits: what is seen is the rounding of the judged float64 values"),
    Tolerance("float64", "rewritten form", 1e-12, "the same value by another formula: rounding only"),
    Tolerance("float64", "rewriting step", 1e-9, "textbook forms on both sides: cancellation that the stable forms avoid is allowed for"),
    Tolerance("float64", "interpreter", 1e-12, "the same sums in another order"),
    Tolerance("float32", "interpreter", 1e-5, "against float64 on the same inputs: 6e-8 a rounding, sums of some thousand terms"),
    Tolerance("float64", "gradcheck", 1e-6, "central differences accept; only Ridders, with its error estimate, rejects"),
    Tolerance("float32", "gradcheck", 1e-5, "against differences of the same function in float64, never in float32"),
)

#: A single entry may be off by this much more than the tensor's norm, relative to the larger of itself and the root mean square.
ENTRY_ALLOWANCE = 4.0

#: Pre-activations stay at least this far from every kink: over 10 central steps, and over 10 float32 roundings of a value of 10.
KINK_MARGIN = 1e-4

#: An ill-conditioned sum may lose this many times the rounding that was measured by computing the same equations in float32.
NOISE_ALLOWANCE = 8.0


def tolerance(dtype: object, method: str) -> float:
    """Return the tolerance for values of a dtype judged by a method.

    Raises:
        DataError: the table has no such row; float32 values, for one, are not judged by differences of float32.
    """
    name = str(np.dtype(dtype))  # type: ignore[call-overload]
    for row in TABLE:
        if (row.dtype, row.method) == (name, method):
            return row.value
    known = ", ".join(f"{row.dtype} by {row.method}" for row in TABLE)
    raise DataError(f"{name} values are not judged by {method}; there are tolerances for {known}")
