"""Quotients whose divisor is the same all along a loop, as products with a factor that is computed once before it.

A division costs as much as several products. With 1/s rounded once, a product with it is within one and a half units of the last
place of what it stands for. What is divided by a power of two alone stays as it is: no compiler divides there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy
from sympy import Expr, S

from symbackprop.algebra.nodes import Floor, Guard
from symbackprop.algebra.tensor import Access
from symbackprop.plan.nests import leaves, rebuilt
from symbackprop.plan.records import (
    Add,
    Choose,
    Largest,
    Let,
    Local,
    Loop,
    Multiply,
    Raise,
    Slide,
    Statement,
    Store,
    Total,
    TotalOfRows,
    Update,
    When,
    Zero,
)
from symbackprop.plan.rewriting import inside


def factored(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Return the statements of a kernel with products in innermost loops where it would divide by the same at every entry."""
    return _Factors(statements).placed(statements)


class _Factors:
    def __init__(self, statements: Sequence[Statement]) -> None:
        self.taken = {s.local.name for s in inside(statements) if isinstance(s, Let)}

    def placed(self, body: Sequence[Statement]) -> tuple[Statement, ...]:
        """Return a body in which every loop comes after the factors that it needs."""
        made: list[Statement] = []
        for s in body:
            found: dict[Expr, Local] = {}
            changed = self.statement(s, found)
            made += [Let(local, value) for value, local in found.items()]
            made.append(changed)
        return tuple(made)

    def statement(self, s: Statement, found: dict[Expr, Local]) -> Statement:
        """Return a statement with factors; those that must be known before it come to ``found``."""
        if isinstance(s, When):
            # What a guard keeps from being done is not done before it.
            return replace(s, body=self.placed(s.body))
        if not isinstance(s, Loop):
            return s
        changing = _Changing(s)
        if not any(isinstance(inner, Loop) for inner in inside(s.body)):
            return replace(s, body=tuple(self.multiplied(inner, changing, found) for inner in s.body))
        made: list[Statement] = []
        for inner in s.body:
            # One factor for all that want it.
            needed = {value: local for value, local in found.items() if not changing.has(value)}
            changed = self.statement(inner, needed)
            made += [Let(local, value) for value, local in needed.items() if changing.has(value)]
            made.append(changed)
            found.update((value, local) for value, local in needed.items() if not changing.has(value))
        return replace(s, body=tuple(made))

    def multiplied(self, s: Statement, changing: _Changing, found: dict[Expr, Local]) -> Statement:
        """Return a statement of an innermost loop, with its factors in ``found``."""
        if isinstance(s, When):
            return replace(s, body=tuple(self.multiplied(inner, changing, found) for inner in s.body))
        if isinstance(s, Store | Add | Raise | Update) or (isinstance(s, Let) and not s.local.is_integer):
            return replace(s, value=self.value(s.value, changing, found))
        return s

    def value(self, e: Expr, changing: _Changing, found: dict[Expr, Local]) -> Expr:
        if not e.args or isinstance(e, Access | Guard | Floor | sympy.Mod) or e.is_integer or not changing.has(e):
            return e
        if isinstance(e, sympy.Mul):
            fixed = [a for a in e.args if not isinstance(a, Guard) and not changing.has(a) and not leaves(a)]
            if any(map(_divides, fixed)):
                moving = [self.value(a, changing, found) for a in e.args if a not in fixed]
                sign = S.NegativeOne if e.args[0].is_Number and e.args[0] < 0 else S.One
                factor = sign * sympy.Mul(*fixed)
                if factor not in found:
                    found[factor] = self.local()
                return sympy.Mul(sign, found[factor], *moving)
        return rebuilt(e, tuple(self.value(a, changing, found) for a in e.args))

    def local(self) -> Local:
        names = (f"factor_{count}" if count > 1 else "factor" for count in range(1, len(self.taken) + 2))
        name = next(name for name in names if name not in self.taken)
        self.taken.add(name)
        return Local(name)


def _divides(e: Expr) -> bool:
    """Whether a factor is printed as a quotient 1/s, and s is no power of two."""
    if e.is_Rational:
        return bool(e.p == 1 and e.q < 100 and e.q & (e.q - 1))
    return bool(isinstance(e, sympy.Pow) and e.exp.is_Number and e.exp < 0)


class _Changing:
    """What a loop changes."""

    def __init__(self, loop: Loop) -> None:
        self.symbols: set[Expr] = set()
        self.tensors: set[str] = set()
        for s in inside((loop,)):
            if isinstance(s, Loop):
                self.symbols.add(s.index)
            elif isinstance(s, Let | Update):
                self.symbols.add(s.local)
            elif isinstance(s, Choose):
                self.symbols.update((s.best, s.at))
            elif isinstance(s, When):
                continue
            elif isinstance(s, Zero):
                self.tensors.add(s.operand.tensor.name)
            elif isinstance(s, Multiply | Slide | TotalOfRows):
                self.tensors.add(s.result.tensor.name)
            elif isinstance(s, Total | Largest):
                self.symbols.update([s.target] if isinstance(s.target, Local) else [])
                self.tensors.update([] if isinstance(s.target, Local) else [s.target.tensor.name])
            else:
                self.tensors.add(s.access.tensor.name)

    def has(self, e: Expr) -> bool:
        """Whether an expression may have another value the next time."""
        return not self.symbols.isdisjoint(e.free_symbols) or any(a.tensor.name in self.tensors for a in e.atoms(Access))


__all__ = ["factored"]
