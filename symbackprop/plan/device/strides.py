"""Where the entries of an access lie in memory: how far apart its neighbours along each index are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import sympy
from sympy import Expr, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access
from symbackprop.plan.device.records import Range


def strides(a: Access) -> dict[Expr, Expr] | None:
    """Return how far apart in memory the neighbours along each index are, and under 1 where the first entry lies; None if that varies."""
    place: Expr = S.Zero
    stride: Expr = S.One
    for part, extent in zip(reversed(a.index), reversed(a.tensor.shape), strict=True):
        place, stride = sympy.expand(place + part * stride), sympy.expand(stride * extent)
    indices = sorted((i for i in a.free_symbols if isinstance(i, Index)), key=lambda i: i.name)
    steps: dict[Expr, Expr] = {i: place.coeff(i, 1) for i in indices}
    rest = sympy.expand(place - sum(i * step for i, step in steps.items()))
    varies = rest.has(Index) or place.has(Access) or any(step.has(Index) for step in steps.values())
    return None if varies else {**steps, S.One: rest}


def merged(ranges: Sequence[Range], places: Sequence[Mapping[Expr, Expr]]) -> tuple[Expr | None, ...] | None:
    """Return how far apart neighbours are where some indices count as one, the last of them fastest; None where they cannot.

    Args:
        ranges: the indices in order.
        places: strides of some tensors; 0 along an index that one has not.

    Returns:
        For each tensor a stride, or None for any, since there is one neighbour only.
    """
    several = [r for r in ranges if r.extent != 1]
    if any(r.start != 0 for r in ranges):
        return None
    if not several:
        return tuple(None for _ in places)
    for steps in places:
        for outer, inner in pairwise(several):
            if sympy.expand(steps.get(outer.index, S.Zero) - steps.get(inner.index, S.Zero) * inner.extent) != 0:
                return None
    return tuple(steps.get(several[-1].index, S.Zero) for steps in places)


def at_least(e: Expr, least: Expr) -> bool:
    """Whether a number is at least another one for all sizes from 1 on, as their coefficients tell."""
    difference = e - least
    more = sympy.expand(difference.xreplace({s: s + 1 for s in difference.free_symbols}))
    return all(bool(term.as_coeff_Mul()[0] >= 0) for term in sympy.Add.make_args(more))


__all__ = ["at_least", "merged", "strides"]
