"""Statements with other expressions in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from sympy import Expr

from symbackprop.algebra.nodes import Indicator
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.records import Choose, Largest, Let, Local, Loop, Statement, Total, Update, When

Part = TypeVar("Part")


def rewritten(part: Part, change: Callable[[Expr], Expr]) -> Part:
    """Return a statement, or what one is made of, with every expression in it changed: values, places, bounds, indices, locals."""
    found: Any = part
    if isinstance(part, Expr):
        found = change(part)
    elif isinstance(part, tuple):
        found = tuple(rewritten(p, change) for p in part)
    elif is_dataclass(part) and not isinstance(part, type):
        found = replace(part, **{f.name: rewritten(getattr(part, f.name), change) for f in fields(part)})
    return found  # type: ignore[no-any-return]


def parts(part: Any) -> Iterator[Any]:
    """Yield what statements are made of, records and expressions, outer ones first."""
    if isinstance(part, tuple):
        for p in part:
            yield from parts(p)
    elif isinstance(part, Expr):
        yield part
    elif is_dataclass(part) and not isinstance(part, type):
        yield part
        for f in fields(part):
            yield from parts(getattr(part, f.name))


def expressions(part: Any) -> Iterator[Expr]:
    """Yield every expression in statements, or in what they are made of."""
    return (p for p in parts(part) if isinstance(p, Expr))


def inside(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield statements and those inside them, outer ones first."""
    for s in statements:
        yield s
        if isinstance(s, Loop | When):
            yield from inside(s.body)


def called(e: Expr, names: Mapping[Expr, Expr]) -> Expr:
    """Return an expression with other names for its locals, and comparisons in the form in which they stand.

    SymPy would decide them anew, and to it a real number is never infinite.
    """
    if e in names:
        return names[e]
    if not e.args or not any(e.has(local) for local in names):
        return e
    if isinstance(e, Indicator):
        sides = tuple(called(side, names) for side in e.condition.args)
        return Expr.__new__(Indicator, e.condition.func(*sides, evaluate=False))
    return e.func(*(called(a, names) if isinstance(a, Expr) else a for a in e.args))


def tensors(statements: Sequence[Statement]) -> Iterator[Tensor]:
    """Yield the tensors of which statements read or write entries, or add up rows, each as often as it stands there."""
    for e in expressions(tuple(statements)):
        yield from (a.tensor for a in e.atoms(Access))
    yield from (s.tensor for s in inside(statements) if isinstance(s, Total | Largest))


def named(statements: Sequence[Statement]) -> Iterator[Local]:
    """Yield the locals that statements give values to, in order, each as often as it gets one."""
    for s in inside(statements):
        if isinstance(s, Let | Update):
            yield s.local
        elif isinstance(s, Choose):
            yield from (s.best, s.at)
        elif isinstance(s, Total | Largest) and isinstance(s.target, Local):
            yield s.target


def needed(statements: Sequence[Statement], values: Iterable[Expr]) -> tuple[Statement, ...]:
    """Return those of some statements that give locals a value on which some expressions depend, in order."""
    wanted = {symbol for value in values for symbol in value.free_symbols}
    kept: list[Statement] = []
    for s in reversed(statements):
        if any(local in wanted for local in named((s,))):
            kept.insert(0, s)
            wanted |= {symbol for e in expressions(s) for symbol in e.free_symbols}
    return tuple(kept)


__all__ = ["called", "expressions", "inside", "named", "needed", "parts", "rewritten", "tensors"]
