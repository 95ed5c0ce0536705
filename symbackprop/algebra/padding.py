"""What is said once instead of in every formula: what stands outside of a tensor.

A factor [0 ≤ p + u < n] beside x[p + u] says only that x is 0 outside; under a maximum, that what lies outside takes no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Indicator, InRange, Max, Sum
from symbackprop.algebra.tensor import Access


@dataclass(frozen=True)
class Padded:
    """An expression without the guards that only say what stands outside of a tensor.

    Attributes:
        expr: the rest.
        zero: names of the tensors that are 0 outside.
        left_out: names of the tensors of which what lies outside takes no part in a maximum.
    """

    expr: Expr
    zero: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def without_padding(e: Expr) -> Padded:
    """Return an expression without the guards that say that a tensor is 0 outside, or that a maximum leaves out what is outside."""
    zero: dict[str, None] = {}
    left_out: dict[str, None] = {}
    made = _bare(e, zero, left_out, False)
    return Padded(made, tuple(zero), tuple(left_out))


def _bare(e: Expr, zero: dict[str, None], left_out: dict[str, None], inside: bool) -> Expr:
    if not e.args or isinstance(e, Access) or not e.has(InRange):
        return e
    if isinstance(e, sympy.Mul):
        kept = []
        for factor in e.args:
            reader = _vanishing(e, factor) if isinstance(factor, InRange) else None
            if reader is None:
                kept.append(factor)
            else:
                (left_out if inside else zero).setdefault(reader)
        e = sympy.Mul(*kept)
        if not isinstance(e, sympy.Mul):
            return _bare(e, zero, left_out, inside)
    under = inside or isinstance(e, Max | ArgMax)
    if isinstance(e, Indicator):
        sides = [_bare(side, zero, left_out, under) for side in e.condition.args]
        return Indicator(e.condition.func(*sides, evaluate=False))
    args = [_bare(a, zero, left_out, under) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args]
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)


def _vanishing(product: Expr, guard: InRange) -> str | None:
    """Return the tensor that is a factor of a product and read at the place that a guard guards."""
    return next((name for f in sympy.Mul.make_args(product) if f is not guard and (name := _read_at(f, guard)) is not None), None)


def _read_at(factor: Expr, guard: InRange) -> str | None:
    place, extent = guard.args
    if isinstance(factor, Access):
        hit = any(part == place and axis.extent == extent for axis, part in zip(factor.tensor.axes, factor.index, strict=True))
        return factor.tensor.name if hit else None
    if isinstance(factor, Sum) and not place.free_symbols & set(factor.bound):
        return next((name for f in sympy.Mul.make_args(factor.body) if (name := _read_at(f, guard)) is not None), None)
    return None


def padded_tensors(equations: Iterable[Equation]) -> tuple[Mapping[str, None], Mapping[str, None]]:
    """Return the tensors that are 0 outside, and those whose outside a maximum leaves out, over all equations."""
    zero: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for equation in equations:
        found = without_padding(equation.rhs)
        zero |= dict.fromkeys(found.zero)
        left_out |= dict.fromkeys(found.left_out)
    return zero, left_out


__all__ = ["Padded", "padded_tensors", "without_padding"]
