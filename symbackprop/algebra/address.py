"""Where an expression reads its tensors: index expressions, what guards say of them, and whether they stay in range.

An index expression is an address. One of plain indices is proved by interval arithmetic, or by a guard that multiplies the
access; what neither decides is tried out on all values of its indices where these are few.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Floor, Guard, Indicator, InRange, interval
from symbackprop.algebra.tensor import Access

#: How many index values are tried out where arithmetic does not decide.
TRIED = 512


@dataclass(frozen=True)
class Address:
    """One index expression of an access.

    Attributes:
        access: what is read.
        part: the index expression.
        extent: of the axis that it reads.
        known: what the guards around it say is ≥ 0.
    """

    access: Access
    part: Expr
    extent: Expr
    known: tuple[Expr, ...]


@dataclass(frozen=True)
class Stray:
    """An address that leaves its axis.

    Attributes:
        address: which.
        value: one that is no position of the axis.
        at: the indices that give it, or nothing where no numbers are known.
    """

    address: Address
    value: Expr
    at: tuple[tuple[str, int], ...]


def addresses(expr: Expr, known: tuple[Expr, ...] = ()) -> Iterator[Address]:
    """Yield every index expression of an expression, in reading order, with what its guards say."""
    if isinstance(expr, Access):
        for axis, part in zip(expr.tensor.axes, expr.index, strict=True):
            yield Address(expr, part, axis.extent, known)
            yield from addresses(part, known)
        return
    if isinstance(expr, sympy.Mul):
        known = known + tuple(fact for factor in expr.args if isinstance(factor, Guard) for fact in _said(factor))
    for arg in expr.args:
        if isinstance(arg, Expr | sympy.core.relational.Relational):
            yield from addresses(arg, known)


def _said(guard: Guard) -> tuple[Expr, ...]:
    """Return what is ≥ 0 where a guard is 1."""
    if isinstance(guard, InRange):
        return guard.args[0], guard.args[1] - 1 - guard.args[0]
    if not isinstance(guard, Indicator):
        return ()
    left, right = guard.condition.args
    if not (left.is_integer and right.is_integer):
        return ()
    if isinstance(guard.condition, sympy.StrictGreaterThan):
        return (left - right - 1,)
    if isinstance(guard.condition, sympy.GreaterThan):
        return (left - right,)
    return (left - right, right - left) if isinstance(guard.condition, sympy.Eq) else ()


def stray(address: Address) -> Stray | None:
    """Return how an address of plain indices leaves its axis; None where it does not, or where nothing decides.

    An address with an integer tensor in it is left to `integer_ranges`, and to the test of the values.
    """
    part, extent = address.part, address.extent
    if part.has(Access) or inside(address):
        return None
    # The ends of an affine expression are values of it; those that a quotient is shown to have need not be.
    if not address.known and not part.has(Floor):
        low, high = interval(sympy.expand(part))
        if low is not None and low.is_negative:
            return Stray(address, low, _corner(part))
        if high is not None and (extent - 1 - high).is_negative:
            return Stray(address, high, _corner(-part))
    return _tried(address)


def inside(address: Address) -> bool:
    """Whether interval arithmetic and the guards show that an address is a position of its axis."""
    part, extent = address.part, address.extent
    high = interval(sympy.expand(part))[1]
    above = high is not None and bool((extent - 1 - high).is_nonnegative)
    return not_negative(part, address.known) and (above or not_negative(extent - 1 - part, address.known))


def not_negative(rest: Expr, known: Sequence[Expr]) -> bool:
    """Whether interval arithmetic shows that an expression is ≥ 0, by itself or by one of the facts that something is ≥ 0."""
    return any((low := interval(sympy.expand(rest - fact))[0]) is not None and low.is_nonnegative for fact in (S.Zero, *known))


def _corner(rest: Expr) -> tuple[tuple[str, int], ...]:
    """Return the index values at which an affine expression is least."""
    at = []
    for index in sorted((s for s in rest.free_symbols if isinstance(s, Index)), key=lambda s: s.name):
        far = index.extent - 1
        if not far.is_Integer:
            return ()
        at.append((index.name, 0 if sympy.expand(rest).coeff(index).is_nonnegative else int(far)))
    return tuple(at)


def _tried(address: Address) -> Stray | None:
    """Try all values of the indices, where there are few: exact, whatever the expression."""
    expressions = (address.part, address.extent, *address.known)
    free = sorted({s for e in expressions for s in e.free_symbols}, key=lambda s: s.name)
    if any(not isinstance(s, Index) or not s.extent.is_Integer for s in free) or any(e.has(Access) for e in expressions):
        return None
    if math.prod(int(s.extent) for s in free) > TRIED:
        return None
    for values in itertools.product(*(range(int(s.extent)) for s in free)):
        swap = dict(zip(free, map(Integer, values), strict=True))
        if all(fact.xreplace(swap) >= 0 for fact in address.known):
            value = address.part.xreplace(swap)
            if not 0 <= value < address.extent:
                used = address.part.free_symbols
                return Stray(address, value, tuple((s.name, int(v)) for s, v in swap.items() if s in used))
    return None


__all__ = ["Address", "Stray", "addresses", "inside", "stray"]
