"""Readable names for bound indices: the letters of the axes that they run over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Expr

from symbackprop.algebra.bound import canonical
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Reduction
from symbackprop.algebra.tensor import Access

_LETTERS = "ijklmnpqrstuvw"


def readable(equation: Equation) -> Equation:
    """Return the equation with every bound index named after an axis that it reads: ``@0`` becomes ``j``."""
    taken = frozenset(i.name for i in equation.lhs.index)
    return with_right_side(equation, _rename(canonical(equation.rhs), taken))


def with_right_side(equation: Equation, rhs: Expr) -> Equation:
    """Return the equation with another right side over the same indices, which needs no second check."""
    made = object.__new__(Equation)
    object.__setattr__(made, "lhs", equation.lhs)
    object.__setattr__(made, "rhs", rhs)
    return made


def _rename(expr: Expr, taken: frozenset[str]) -> Expr:
    if not expr.args or not expr.has(Reduction, ArgMax):
        return expr
    if isinstance(expr, Reduction | ArgMax):
        swap: dict[Index, Index] = {}
        for bound in expr.bound:
            outside = {s.name for s in expr.body.free_symbols if isinstance(s, Index) and s not in expr.bound}
            name = _name(bound, expr.body, taken | outside | {i.name for i in swap.values()})
            swap[bound] = Index(name, bound.extent)
        body = _rename(expr.body.xreplace(swap), taken | {i.name for i in swap.values()})
        if isinstance(expr, ArgMax):
            return ArgMax(body, expr.wanted.xreplace(swap), *(swap[b] for b in expr.bound))
        return expr.func(body, *(swap[b] for b in expr.bound))
    return expr.func(*(_rename(a, taken) for a in expr.args))


def _name(bound: Index, body: Expr, taken: Iterable[str]) -> str:
    for name in (*_axes(bound, body), *_LETTERS):
        if name not in taken:
            return str(name)
    count = 1
    while f"i_{count}" in taken:
        count += 1
    return f"i_{count}"


def _axes(bound: Index, body: Expr) -> Iterator[str]:
    accesses = sorted((a for a in body.atoms(Access) if bound in a.index), key=lambda a: (a.tensor.name, str(a)))
    for access in accesses:
        for axis, part in zip(access.tensor.axes, access.index, strict=True):
            if part == bound and axis.name.isidentifier():
                yield axis.name


__all__ = ["readable", "with_right_side"]
