"""Which products a library of matrix products does, and where it finds their factors: strided matrices, without a copy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import sympy
from sympy import Expr, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.device.records import External, Matrix, Product, Range
from symbackprop.plan.device.strides import at_least, merged, strides


@cache
def cross_over() -> float:
    """Return from which geometric mean of rows, columns and terms on a product is left to cuBLAS; infinity for none.

    The number is shipped, not measured where it is used, so that the same network always gives the same text.
    """
    found = json.loads(Path(__file__).with_name("tune.json").read_text(encoding="utf-8"))
    return math.inf if found["cross_over"] is None else int(found["cross_over"])


def mean(phase: Product, numbers: Mapping[Expr, int]) -> float:
    """Return the geometric mean of rows, columns and terms of a product in the planned batch."""
    sizes = (math.prod(int(r.extent.xreplace({s: sympy.Integer(v) for s, v in numbers.items()})) for r in part) for part in _sides(phase))
    return round(float(math.prod(sizes) ** (1 / 3)), 6)


def order(phase: Product) -> tuple[Index, ...]:
    """Return the indices of a result in the order in which a library writes it: all rows of each product, side by side."""
    return tuple(r.index for r in (*phase.batch, *phase.rows, *phase.columns))


def possible(phase: Product) -> bool:
    """Whether both factors lie in memory as a library takes them."""
    indices = order(phase)
    return external(phase, Tensor("result", indices)[indices]) is not None


def copies(phase: Product, numbers: Mapping[Expr, int]) -> tuple[bool, bool] | None:
    """Return which factors have to be copied, so that a library can take them; None where that does not help or takes more room.

    A copy has no more entries than the tensor that it is read from: windows are not written out.
    """
    factors = (phase.left, phase.right)
    for chosen in ((False, False), (True, False), (False, True), (True, True)):
        sides = list(zip(chosen, factors, orders(phase), strict=True))
        made = [Tensor("copy", index)[index] if copy else f for copy, f, index in sides]
        small = all(_small(f, index, numbers) for copy, f, index in sides if copy)
        if small and possible(replace(phase, left=made[0], right=made[1])):
            return chosen
    return None


def orders(phase: Product) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Return the indices of each factor in the order in which a copy has them."""
    left, right = (*phase.batch, *phase.rows, *phase.inner), (*phase.batch, *phase.inner, *phase.columns)
    return tuple(r.index for r in left), tuple(r.index for r in right)


def _small(factor: Expr, index: Sequence[Index], numbers: Mapping[Expr, int]) -> bool:
    if not isinstance(factor, Access) or factor.tensor.integer:
        return False
    swap = {s: sympy.Integer(v) for s, v in numbers.items()}
    return bool(sympy.Mul(*(i.extent for i in index)).xreplace(swap) <= sympy.Mul(*factor.tensor.shape).xreplace(swap))


def external(phase: Product, result: Access) -> External | None:
    """Return a product as a library does it, None where it cannot.

    Args:
        phase: the product.
        result: where its sums are written.
    """
    sides = (phase.left, phase.right, result)
    accesses = [e for e in sides if isinstance(e, Access) and not e.tensor.integer]
    if len(accesses) < len(sides) or phase.split is not None:
        return None
    found = [strides(a) for a in accesses]
    places = [f for f in found if f is not None]
    if len(places) < len(found):
        return None
    left, right, made = places
    rows, columns = merged(phase.rows, (left, made)), merged(phase.columns, (right, made))
    batch, terms = merged(phase.batch, places), None
    for inner in _orders(phase, accesses[:2]):
        terms = terms or merged(inner, (left, right))
    if rows is None or columns is None or terms is None or batch is None:
        return None
    height, width, depth = (_extent(part) for part in _sides(phase))
    steps = [S.Zero if step is None else step for step in batch]
    matrices = (
        _matrix(accesses[0], left, (rows[0], height), (terms[0], depth), steps[0]),
        _matrix(accesses[1], right, (terms[1], depth), (columns[0], width), steps[1]),
        _matrix(accesses[2], made, (rows[1], height), (columns[1], width), steps[2]),
    )
    first, second, third = matrices
    if first is None or second is None or third is None or third.turned:
        return None
    return External(height, width, depth, _extent(phase.batch), first, second, third)


def _matrix(
    a: Access, places: Mapping[Expr, Expr], rows: tuple[Expr | None, Expr], columns: tuple[Expr | None, Expr], step: Expr
) -> Matrix | None:
    """Return the matrix that an access is; rows and columns each with the stride of neighbours and how many there are."""
    first = a.xreplace({i: S.Zero for i in a.free_symbols if isinstance(i, Index)})
    (down, height), (across, width) = rows, columns
    for turned, (near, far, length) in ((False, (across, down, width)), (True, (down, across, height))):
        lead = length if far is None else far
        if (near is None or near == 1) and at_least(lead, length):
            return Matrix(first, places[S.One], lead, turned, step)
    return None


def _orders(phase: Product, accesses: Sequence[Access]) -> list[tuple[Range, ...]]:
    """Return orders in which the terms may be counted."""
    made = [phase.inner]
    for a in accesses:
        named = [i for part in a.index for i in sorted(part.free_symbols, key=str)]
        made.append(tuple(sorted(phase.inner, key=lambda r, named=named: named.index(r.index) if r.index in named else -1)))  # type: ignore[misc]
    return made


def _sides(phase: Product) -> tuple[tuple[Range, ...], ...]:
    return phase.rows, phase.columns, phase.inner


def _extent(ranges: Sequence[Range]) -> Expr:
    return sympy.expand(sympy.Mul(*(r.extent for r in ranges)))


__all__ = ["copies", "cross_over", "external", "mean", "order", "orders", "possible"]
