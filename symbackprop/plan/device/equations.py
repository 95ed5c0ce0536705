"""The equations of a plan's kernels with numbers for all sizes but the batch, and the plain loops that compute them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import sympy
from sympy import Expr, S, Symbol

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Reduction
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import leaves, loops, scattered
from symbackprop.plan.records import Call, Statement
from symbackprop.plan.steps import steps

#: How often a reduction would be done at least, and terms in all, from which on it is done once and kept.
AGAIN, WASTED = 4, 2**14


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


def apart(
    equations: tuple[Equation, ...], scratch: Scratch, numbers: Mapping[Expr, int]
) -> tuple[tuple[Equation, ...], tuple[Equation, ...]]:
    """Return reductions as equations of their own, and the equations that read them.

    In loops over (n, c) a sum that depends on c alone would be done again for every n, and one that depends on neither would have to
    be known before the first entry is computed.

    Args:
        equations: over one domain.
        scratch: makes places for the reductions.
        numbers: what symbolic sizes are in the planned batch.
    """
    own = {e.tensor.name for e in equations}
    domain = equations[0].lhs.index
    swap: dict[Expr, Expr] = {}
    made: list[Equation] = []
    for node in dict.fromkeys(node for e in equations for node in _outermost(e.rhs)):
        index = tuple(i for i in domain if i in node.free_symbols)
        last = max((domain.index(i) for i in index), default=len(domain) - 1)
        again = math.prod(_number(i.extent, numbers) for i in domain[: last + 1] if i not in index)
        terms = math.prod(_number(i.extent, numbers) for i in node.bound)
        if again < AGAIN or again * terms < WASTED or leaves(node) or any(a.tensor.name in own for a in node.atoms(Access)):
            continue
        place = scratch.place("sums", index)
        made.append(with_right_side(Equation(place[index], S.Zero), node))
        swap[node] = place[index]
    if not swap:
        return (), equations
    return tuple(made), tuple(with_right_side(e, e.rhs.xreplace(swap)) for e in equations)


def _outermost(e: Expr) -> Iterator[Reduction]:
    if isinstance(e, Reduction):
        yield e
        return
    for a in e.args:
        if isinstance(a, Expr):
            yield from _outermost(a)


def _number(e: Expr, numbers: Mapping[Expr, int]) -> int:
    return int(e.xreplace({size: sympy.Integer(value) for size, value in numbers.items()}))


__all__ = ["apart", "concrete", "nest", "sizes_of"]
