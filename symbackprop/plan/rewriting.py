"""Statements with other expressions in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from sympy import Expr

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


def expressions(part: Any) -> Iterator[Expr]:
    """Yield every expression in statements, or in what they are made of."""
    if isinstance(part, Expr):
        yield part
    elif isinstance(part, tuple):
        for p in part:
            yield from expressions(p)
    elif is_dataclass(part) and not isinstance(part, type):
        for f in fields(part):
            yield from expressions(getattr(part, f.name))


def named(statements: Sequence[Statement]) -> Iterator[Local]:
    """Yield the locals that statements give values to, in order, each as often as it gets one."""
    for s in statements:
        if isinstance(s, Let | Update):
            yield s.local
        elif isinstance(s, Choose):
            yield from (s.best, s.at)
        elif isinstance(s, Total | Largest) and isinstance(s.target, Local):
            yield s.target
        elif isinstance(s, Loop | When):
            yield from named(s.body)


__all__ = ["expressions", "named", "rewritten"]
