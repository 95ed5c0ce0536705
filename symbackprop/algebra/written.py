"""Functions of one variable as they stand on paper: quotients, products and sums that nobody has evaluated yet.

SymPy evaluates 1 + e⁻ˣ − 1 to e⁻ˣ on sight; here it stays, because it is the point of a line. Each node has a `value`.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol


@dataclass(frozen=True)
class Written:
    """A written expression."""

    def value(self, variable: Symbol) -> Expr:
        """Return what it is, as a SymPy expression."""
        raise NotImplementedError


@dataclass(frozen=True)
class Leaf(Written):
    """An expression that is written as SymPy has it."""

    expr: Expr

    def value(self, variable: Symbol) -> Expr:
        return self.expr


@dataclass(frozen=True)
class Plus(Written):
    """A sum, term after term."""

    args: tuple[Written, ...]

    def value(self, variable: Symbol) -> Expr:
        return sympy.Add(*(a.value(variable) for a in self.args))


@dataclass(frozen=True)
class Times(Written):
    """A product, factor after factor."""

    args: tuple[Written, ...]

    def value(self, variable: Symbol) -> Expr:
        return sympy.Mul(*(a.value(variable) for a in self.args))


@dataclass(frozen=True)
class Over(Written):
    """A fraction."""

    top: Written
    bottom: Written

    def value(self, variable: Symbol) -> Expr:
        return self.top.value(variable) / self.bottom.value(variable)


@dataclass(frozen=True)
class Raised(Written):
    """A power."""

    base: Written
    exponent: Expr

    def value(self, variable: Symbol) -> Expr:
        return self.base.value(variable) ** self.exponent


@dataclass(frozen=True)
class Slope(Written):
    """The derivative of something, not yet taken."""

    arg: Written

    def value(self, variable: Symbol) -> Expr:
        return sympy.diff(self.arg.value(variable), variable)


__all__ = ["Leaf", "Over", "Plus", "Raised", "Slope", "Times", "Written"]
