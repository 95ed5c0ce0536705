"""Which equations share a nest: a consumer joins its producer where it reads, at every point, only what was made there."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, InRange, Max
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor


def groups(equations: Sequence[Equation]) -> tuple[tuple[Equation, ...], ...]:
    """Return the equations in groups of one domain each, in an order in which they can be computed.

    The equations of a recurrence are a group of their own, which nothing joins.
    """
    made: list[list[Equation]] = []
    home: dict[Tensor, int] = {}
    circles: set[int] = set()
    for e in strands(equations):
        if isinstance(e, Recurrence):
            circles.add(len(made))
            home.update((member.tensor, len(made)) for member in e.equations)
            made.append(list(e.equations))
            continue
        producers = [home[t] for t in e.reads if t in home]
        where = max(producers, default=-1)
        where = next((k for k in range(max(where, 0), len(made)) if k not in circles and _searches(e, made[k])), where)
        if where >= 0 and where not in circles and _joins(e, made[where]):
            made[where].append(e)
        else:
            where = len(made)
            made.append([e])
        home[e.tensor] = where
    return tuple(map(tuple, made))


def _searches(e: Equation, group: list[Equation]) -> bool:
    """Whether an equation takes the maximum whose place a group asks for: one search gives both."""
    return e.rhs.has(Max) and any(isinstance(m.rhs, ArgMax) and m.reads == e.reads for m in group) and _joins(e, group)


def _joins(e: Equation, group: list[Equation]) -> bool:
    first = group[0].lhs.index
    if not first or len(first) != len(e.lhs.index):
        return False
    if any(a.extent != b.extent for a, b in zip(first, e.lhs.index, strict=True)):
        return False
    inside = {member.tensor for member in group}
    return all(a.index == e.lhs.index for a in e.rhs.atoms(Access) if a.tensor in inside)


def live(equations: Sequence[Equation], wanted: frozenset[str]) -> tuple[Equation, ...]:
    """Return the equations that the wanted tensors need, in order."""
    needed = set(wanted)
    before = -1
    while before < len(needed):
        # Once, unless a recurrence reads what is defined further down.
        before = len(needed)
        for e in reversed(equations):
            if e.tensor.name in needed:
                needed.update(t.name for t in e.reads)
    return tuple(e for e in equations if e.tensor.name in needed)


def outside(group: Sequence[Equation], rest: Sequence[Sequence[Equation]]) -> frozenset[str]:
    """Return the names that a group defines and other groups read."""
    defined = {e.tensor.name for e in group}
    return frozenset(t.name for other in rest if other is not group for e in other for t in e.reads if t.name in defined)


def operations(equation: Equation) -> sympy.Expr:
    """Return how many scalar operations an equation costs; a sum is done once for each value of the indices that it depends on."""
    return _cost(equation.rhs, equation.lhs.index, sympy.Mul(*(i.extent for i in equation.lhs.index)))


def _cost(e: sympy.Expr, domain: Sequence[Index], times: sympy.Expr) -> sympy.Expr:
    """Return the operations of an expression that is wanted ``times`` times, over some indices; places cost nothing."""
    if isinstance(e, Access) or not e.args or (isinstance(e, Guard) and not e.has(Access)):
        return sympy.S.Zero
    if hasattr(e, "bound"):
        around = tuple(i for i in domain if i in e.free_symbols)
        counts = terms(e.bound, sympy.Mul.make_args(e.body))
        once = sympy.Mul(*(i.extent for i in around), *counts)
        return once + _cost(e.body, (*around, *e.bound), once)
    parts = [a for a in e.args if not (isinstance(a, Guard) and not a.has(Access))]
    own = max(0, len(parts) - 1) if isinstance(e, sympy.Add | sympy.Mul) else 1
    return own * times + sympy.Add(*(_cost(a, domain, times) for a in e.args if isinstance(a, sympy.Expr)))


def terms(bound: Sequence[Index], factors: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    """Return how many values each index of a sum takes, about: a guard [0 ≤ c i + … < n] leaves n/|c| of them."""
    counts = {b: b.extent for b in bound}
    for guard in factors:
        if isinstance(guard, InRange) and not guard.has(Access):
            u, size = guard.args
            inside = [b for b in bound if b in u.free_symbols]
            step = sympy.expand(u).coeff(inside[-1]) if inside else sympy.S.Zero
            if step.is_Integer and step:
                counts[inside[-1]] = sympy.Min(counts[inside[-1]], sympy.ceiling(size / abs(step)))
    return tuple(counts.values())


__all__ = ["groups", "live", "operations", "outside", "terms"]
