"""Bound index names: unique while rewriting, canonical afterwards, readable when printed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import lru_cache

from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Reduction


def _binds(node: object) -> bool:
    return isinstance(node, Reduction | ArgMax)


def bound_indices(expr: Expr) -> tuple[Index, ...]:
    """Return every bound index of ``expr``, outermost first, in reading order."""
    found: list[Index] = []
    stack = [expr]
    while stack:
        node = stack.pop()
        if _binds(node):
            found.extend(b for b in node.bound if b not in found)
        stack.extend(reversed(node.args))
    return tuple(found)


def shadows(expr: Expr, free: Iterable[Index] = ()) -> bool:
    """Whether a name is bound inside itself, or inside the range of a free index: Σ_u (… Σ_u …)."""

    def walk(node: Expr, around: frozenset[Index]) -> bool:
        if _binds(node):
            if around & set(node.bound):
                return True
            around = around | set(node.bound)
        return any(walk(a, around) for a in node.args)

    return walk(expr, frozenset(free))


def fresh(index: Index, taken: Iterable[str]) -> Index:
    """Return an index of the same extent whose name is not in ``taken``: i~1, i~2, ...

    The mark ~ keeps these apart from the user's names and from the canonical ones (@0, @1, ...).
    """
    names = set(taken)
    base = index.name.split("~")[0].split("@")[0] or "r"
    for count in itertools.count(1):
        name = f"{base}~{count}"
        if name not in names:
            return Index(name, index.extent)
    raise AssertionError("unreachable")


def rename(expr: Expr, taken: set[str]) -> Expr:
    """Return ``expr`` with every bound index renamed apart from ``taken``, which grows by the names used.

    Each reduction gets names of its own, so that afterwards no two share a bound index and no substitution can capture one.
    Nor can the renaming itself: a new name is none that is bound further in and still waits for its turn.
    """
    if not expr.args or not expr.has(Reduction, ArgMax):
        return expr
    return _rename(expr, taken, frozenset(b.name for b in bound_indices(expr)))


def _rename(expr: Expr, taken: set[str], waiting: frozenset[str]) -> Expr:
    if _binds(expr):
        swap: dict[Index, Index] = {}
        for index in expr.bound:
            new = fresh(index, taken | waiting)
            taken.add(new.name)
            swap[index] = new
        body = _rename(expr.body.xreplace(swap), taken, waiting)
        if isinstance(expr, ArgMax):
            return ArgMax(body, expr.wanted.xreplace(swap), *(swap[b] for b in expr.bound))
        return expr.func(body, *(swap[b] for b in expr.bound))
    if not expr.args or not expr.has(Reduction, ArgMax):
        return expr
    return expr.func(*(_rename(arg, taken, waiting) for arg in expr.args))


def canonical(expr: Expr) -> Expr:
    """Return ``expr`` with bound names that depend on nesting depth and position only.

    Two sums that differ in the names of their bound indices become equal, cancel, and share. The order of the indices of
    one sum follows their first occurrence in the body.
    """
    if not expr.args or not expr.has(Reduction, ArgMax):
        return expr
    return _brought(expr)


# Every rewrite is followed by this, and most change nothing.
@lru_cache(maxsize=16384)
def _brought(expr: Expr) -> Expr:
    return _canonical(rename(expr, set()), 0)


def _canonical(expr: Expr, depth: int) -> Expr:
    if not expr.args or not expr.has(Reduction, ArgMax):
        return expr
    if _binds(expr):
        bound = expr.bound
        if len(bound) > 1 and not isinstance(expr, ArgMax):
            bound = _by_occurrence(expr.body, bound)
        swap = {index: Index(f"@{depth + k}", index.extent) for k, index in enumerate(bound)}
        body = _canonical(expr.body, depth + len(bound)).xreplace(swap)
        if isinstance(expr, ArgMax):
            return ArgMax(body, expr.wanted.xreplace(swap), *(swap[b] for b in bound))
        return expr.func(body, *(swap[b] for b in bound))
    return expr.func(*(_canonical(arg, depth) for arg in expr.args))


def _by_occurrence(body: Expr, bound: tuple[Index, ...]) -> tuple[Index, ...]:
    order: list[Index] = []
    stack: list[Expr] = [body]
    while stack and len(order) < len(bound):
        node = stack.pop()
        if node in bound and node not in order:
            order.append(node)
        stack.extend(reversed(node.args))
    return tuple(order) + tuple(b for b in bound if b not in order)
