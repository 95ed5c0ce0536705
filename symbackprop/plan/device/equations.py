"""The equations of a plan's kernels with numbers for all sizes but the batch, and the plain loops that compute them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Tensor
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.nests import loops, scattered
from symbackprop.plan.records import Call, Statement
from symbackprop.plan.steps import steps


def sizes_of(call: Call, shapes: Sequence[tuple[int | str, ...]], size: Symbol) -> dict[Expr, Expr]:
    """Return the values of a kernel's symbolic sizes in one of its calls.

    Args:
        call: of the kernel.
        shapes: of the real tensors that it takes.
        size: the batch size.
    """
    found: dict[Expr, Expr] = {}
    for tensor, shape in zip(call.kernel.arguments, shapes, strict=True):
        for mine, value in zip(tensor.shape, shape, strict=True):
            if not mine.is_Integer:
                found[mine] = size if value == "N" else sympy.Integer(value)
    for symbol, value in zip(call.kernel.integers, call.integers, strict=True):
        found[symbol] = size if value == "N" else sympy.Integer(value)
    return found


def nest(equations: tuple[Equation, ...], stored: frozenset[str]) -> tuple[Statement, ...]:
    """Return the plain loops of a kernel's equations."""
    (strand, *others) = strands(equations)
    if isinstance(strand, Recurrence) and not others:
        return steps(strand, [], Scratch([t.name for e in equations for t in (e.tensor, *e.reads)]))
    return scattered(equations, stored) or loops(equations, stored)


def concrete(equations: Sequence[Equation], sizes: Mapping[Expr, Expr], names: Mapping[str, str] | None = None) -> tuple[Equation, ...]:
    """Return equations with values for symbolic sizes, and other names for tensors if some are given."""
    swap: dict[sympy.Basic, sympy.Basic] = {}
    indices: set[Index] = set()
    tensors: set[Tensor] = set()
    for e in equations:
        indices |= {*e.lhs.index, *bound_indices(e.rhs), *(s for s in e.rhs.free_symbols if isinstance(s, Index))}
        tensors |= {e.tensor, *e.reads}
    indices |= {axis for t in tensors for axis in t.axes}
    swap.update(sizes)
    renamed = {i: Index(i.name, i.extent.xreplace(dict(sizes))) for i in indices}
    swap.update(renamed)
    for t in tensors:
        swap[t] = Tensor(
            (names or {}).get(t.name, t.name), tuple(renamed[a] for a in t.axes), t.role, integer=t.integer, positive=t.positive
        )
    return tuple(e.xreplace(swap) for e in equations)


__all__ = ["concrete", "nest", "sizes_of"]
