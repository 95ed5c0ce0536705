"""From where indices count, and which of two equal writings of a place is printed.

A place that is reckoned, as in x[p + u], is counted from 0, and with it every index that stands on the same axis anywhere
in a system.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Divides, InRange
from symbackprop.algebra.tensor import Access

#: An axis of a tensor: the tensor's name and the number of the axis.
Axis = tuple[str, int]


def counted_from_zero(equations: Iterable[Equation]) -> frozenset[Axis]:
    """Return the axes whose places are counted from 0: those that some equation reckons with, and what shares an index with them."""
    groups: list[tuple[set[Axis], bool]] = []
    for equation in equations:
        stands: dict[Index, set[Axis]] = {}
        reckoned: set[Index] = set()
        numbers: set[Axis] = set()
        _look(equation.lhs, stands, reckoned, numbers)
        _look(equation.rhs, stands, reckoned, numbers)
        groups += [(axes, index in reckoned) for index, axes in stands.items()]
        groups.append((numbers, True))
    # An image is counted in one way along all its axes.
    images: dict[str, set[Axis]] = {}
    for axes, _ in groups:
        for name, k in axes:
            images.setdefault(name, set()).add((name, k))
    groups += [(axes, False) for axes in images.values() if len(axes) > 2]
    found: set[Axis] = set()
    while True:
        more = {axis for axes, zero in groups if zero or axes & found for axis in axes}
        if more == found:
            return frozenset(found)
        found = more


def _look(e: Expr, stands: dict[Index, set[Axis]], reckoned: set[Index], numbers: set[Axis]) -> None:
    for node in sympy.preorder_traversal(e):
        if isinstance(node, Access):
            for k, part in enumerate(node.index):
                if isinstance(part, Index):
                    stands.setdefault(part, set()).add((node.tensor.name, k))
                elif not isinstance(part, Access):
                    numbers.add((node.tensor.name, k))
                    reckoned |= {s for s in part.free_symbols if isinstance(s, Index)}
        elif isinstance(node, InRange | Divides):
            reckoned |= {s for s in node.free_symbols if isinstance(s, Index)}


def by_digits(equation: Equation) -> Equation:
    """Return an equation between the same entries in another order with plain places on the right.

    a[k] = x[⌊k/6⌋, ⌊k/2⌋ − 3⌊k/6⌋, k − 2⌊k/2⌋] becomes a[6 c + 2 h + w] = x[c, h, w].
    """
    for index in equation.lhs.index:
        if not isinstance(index, Index) or not index.extent.is_Integer:
            continue
        for access in sorted(equation.rhs.atoms(Access), key=str):
            digits = [(axis, part) for axis, part in zip(access.tensor.axes, access.index, strict=True) if index in part.free_symbols]
            if len(digits) < 2 or not all(axis.extent.is_Integer for axis, _ in digits) or not _are_digits(index, digits):
                continue
            taken = {i.name for i in equation.lhs.index if isinstance(i, Index) and i != index}
            places = []
            for axis, _ in digits:
                name = next(n for n in (axis.name, *"ghwuvr", "r_1", "r_2", "r_3") if n not in taken)
                taken.add(name)
                places.append(Index(name, axis.extent))
            flat = _flat([axis.extent for axis, _ in digits], places)
            plain = dict(zip((part for _, part in digits), places, strict=True))
            rhs = equation.rhs.xreplace(plain).xreplace({index: flat})
            return by_digits(_raw(equation.lhs.xreplace({index: flat}), rhs))
    return equation


def _flat(extents: Sequence[Expr], places: Sequence[Expr]) -> Expr:
    flat: Expr = S.Zero
    for extent, place in zip(extents, places, strict=True):
        flat = flat * extent + place
    return sympy.expand(flat)


def _are_digits(index: Index, digits: Sequence[tuple[Index, Expr]]) -> bool:
    """Whether parts are the digits of an index: each place of the index has others, in row-major order."""
    if any(part.free_symbols - {index} for _, part in digits) or math.prod(int(axis.extent) for axis, _ in digits) != int(index.extent):
        return False
    flat = _flat([axis.extent for axis, _ in digits], [part for _, part in digits])
    return bool(flat == index)


__all__ = ["Axis", "by_digits", "counted_from_zero"]
