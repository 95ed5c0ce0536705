"""Functions of places alone, such as the waves of a positional encoding: the same for all samples, so computed before the first."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Reduction
from symbackprop.algebra.tensor import Access
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import loops
from symbackprop.plan.records import Statement
from symbackprop.plan.reductions import Place


def tabled(equations: Sequence[Equation], place: Place, samples: Expr) -> tuple[tuple[Statement, ...], tuple[Equation, ...]]:
    """Return the loops that write functions of places into tables, and the equations that read them there.

    Args:
        equations: their left sides have the same indices.
        place: makes workspace.
        samples: the extent of the batch axis; only where that is the first one anything is done.
    """
    domain = equations[0].lhs.index
    if len(domain) < 2 or domain[0].extent != samples or any(e.lhs.index != domain for e in equations):
        return (), tuple(equations)
    known: dict[Expr, Expr] = {}
    statements: list[Statement] = []

    def read(e: Expr) -> Expr:
        if e in known:
            return known[e]
        if not e.args or isinstance(e, Access | Guard | Reduction | ArgMax):
            return e
        inside = {s for s in e.free_symbols if isinstance(s, Index)}
        if not _function(e) or e.has(Access, Guard, Reduction, ArgMax) or not inside or not inside <= {*domain[1:]}:
            parts = tuple(read(a) if isinstance(a, Expr) else a for a in e.args)
            return e.func(*parts) if parts != e.args else e
        axes = tuple(i for i in domain if i in inside)
        table = place("table", axes)
        statements.extend(loops((with_right_side(Equation(table[axes], S.Zero), e),), frozenset({table.name})))
        known[e] = table[axes]
        return known[e]

    changed = tuple(with_right_side(e, read(e.rhs)) for e in equations)
    return tuple(statements), changed


def _function(e: Expr) -> bool:
    """Whether an expression is a function that costs more than to read a number."""
    if isinstance(e, sympy.Pow):
        return not (e.exp.is_Integer or (e.base.is_Number and not e.exp.free_symbols))
    return isinstance(e, sympy.Function) and not isinstance(e, sympy.Mod | sympy.floor | sympy.ceiling)


__all__ = ["tabled"]
