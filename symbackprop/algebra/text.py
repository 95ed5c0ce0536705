"""Equations as Unicode text: delta[n, j] = (1 − a[n, j]²) Σ_i W[i, j] delta[n, i].

That is how they stand above the code that computes them, and in the errors that mark a part of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Protocol

import sympy
from sympy import Expr

from symbackprop.algebra.fault import Marked
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Floor, Guard, Indicator, InRange, LogSumExp, Max, Named, Reduction, remainders
from symbackprop.algebra.tensor import Access, Tensor

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ADD, _MUL, _POW, _ATOM = 1, 2, 3, 4
_OPERATORS = {
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: "≥",
    sympy.StrictLessThan: "<",
    sympy.LessThan: "≤",
    sympy.Eq: "=",
    sympy.Ne: "≠",
}


#: Stand around a marked part until its place in the line is known.
_OPEN, _CLOSE = "\1", "\2"


class Line(Protocol):
    """What is asked of an equation here: its sides."""

    @property
    def lhs(self) -> Expr: ...
    @property
    def rhs(self) -> Expr: ...


def heading(equation: Line) -> str:
    """Return an equation as one line of Unicode."""
    return marked(equation.lhs, equation.rhs).text


def marked(lhs: Expr | None, rhs: Expr, parts: Iterable[Expr] = (), binders: Iterable[Index] = ()) -> Marked:
    """Return an equation, or an expression where ``lhs`` is None, with some of its parts marked.

    Args:
        lhs: the left side.
        rhs: the right side.
        parts: to mark wherever they stand; an index is marked where it is free.
        binders: indices to mark under the sums, maxima and argmaxima that bind them.
    """
    printer = _Printer(frozenset(parts), frozenset(binders))
    shown = printer.show(rhs, _ADD)
    if lhs is not None:
        shown = f"{printer.show(lhs, _ADD)} = {shown}"
    text: list[str] = []
    places: list[tuple[int, int]] = []
    starts: list[int] = []
    for c in shown:
        if c == _OPEN:
            starts.append(len(text))
        elif c == _CLOSE:
            places.append((starts.pop(), len(text)))
        else:
            text.append(c)
    return Marked("".join(text), tuple(sorted(places)))


class _Printer:
    """Writes expressions; a part that is to be marked comes out between two control characters."""

    def __init__(self, marked: frozenset[Expr], binders: frozenset[Index]) -> None:
        self.marked, self.binders = marked, binders

    def access(self, a: Access) -> str:
        return f"{a.tensor.name}[{', '.join(self.show(part, _ADD) for part in a.index)}]" if a.index else a.tensor.name

    def show(self, e: Expr, level: int) -> str:
        text, own = self.text(e)
        if e in self.marked:
            text = f"{_OPEN}{text}{_CLOSE}"
        return f"({text})" if own < level else text

    def inside(self, bound: tuple[Index, ...]) -> _Printer:
        """Return the printer for what stands under bound indices: there they are not the free ones of their name."""
        hidden = self.marked.intersection(bound)
        return _Printer(self.marked - hidden, self.binders) if hidden else self

    def text(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, sympy.Add) and e.has(Floor) and not e.has(Access):
            e = remainders(e)
        if isinstance(e, sympy.Mod):
            return f"{self.show(e.args[0], _POW)} mod {self.show(e.args[1], _POW)}", _ADD
        if isinstance(e, Access):
            return self.access(e), _ATOM
        if isinstance(e, Index | sympy.Symbol | Tensor):
            return e.name, _ATOM
        if e.is_Number or isinstance(e, sympy.NumberSymbol):
            return self.number(e)
        if isinstance(e, sympy.Add):
            return self.sum(e), _ADD
        if isinstance(e, sympy.Mul):
            return self.product(e)
        if isinstance(e, sympy.Pow):
            return self.power(e)
        if isinstance(e, Indicator):
            c = e.condition
            return f"[{self.show(c.args[0], _ADD)} {_OPERATORS[type(c)]} {self.show(c.args[1], _ADD)}]", _ATOM
        if isinstance(e, InRange):
            return f"[0 ≤ {self.show(e.args[0], _ADD)} < {self.show(e.args[1], _ADD)}]", _ATOM
        if isinstance(e, Divides):
            return f"[{self.show(e.args[0], _ADD)} divides {self.show(e.args[1], _ADD)}]", _ATOM
        if isinstance(e, ArgMax):
            inner = self.inside(e.bound)
            return f"({inner.show(e.wanted, _ADD)} at max_{self.names(e.bound)} {inner.show(e.body, _MUL)})", _ATOM
        if isinstance(e, LogSumExp):
            return f"log Σ_{self.names(e.bound)} exp({self.inside(e.bound).show(e.body, _ADD)})", _MUL
        if isinstance(e, Reduction):
            sign = "max" if isinstance(e, Max) else "Σ"
            return f"{sign}_{self.names(e.bound)} {self.inside(e.bound).show(e.body, _MUL)}", _MUL
        if type(e) in _OPERATORS:
            return f"{self.show(e.args[0], _ADD)} {_OPERATORS[type(e)]} {self.show(e.args[1], _ADD)}", _ADD
        if not e.args:
            return str(e), _ATOM
        name = type(e).__name__
        if name == "Abs":
            return f"|{self.show(e.args[0], _ADD)}|", _ATOM
        name = {"Sigmoid": "σ", "Floor": "floor"}.get(name, name.lower() if isinstance(e, Named) else name)
        return f"{name}({', '.join(self.show(a, _ADD) for a in e.args)})", _ATOM

    def names(self, bound: tuple[Index, ...]) -> str:
        names = [f"{_OPEN}{b.name}{_CLOSE}" if b in self.binders else b.name for b in bound]
        return names[0] if len(bound) == 1 else "{" + ", ".join(names) + "}"

    @staticmethod
    def number(e: Expr) -> tuple[str, int]:
        if e.is_Rational and not e.is_Integer:
            p, q = int(e.p), int(e.q)
            text = f"{p}/{q}" if q < 100 else repr(float(e))
            return text.replace("-", "−"), _ADD if p < 0 else (_MUL if q < 100 else _ATOM)
        text = {"Pi": "π", "Exp1": "e", "Infinity": "∞", "NegativeInfinity": "−∞"}.get(type(e).__name__) or (
            str(e) if e.is_Integer else repr(float(e))
        )
        return text.replace("-", "−"), _ADD if text.startswith("-") else _ATOM

    def sum(self, e: sympy.Add) -> str:
        terms = sorted(e.args, key=self.negative)
        words = []
        for k, term in enumerate(terms):
            minus = self.negative(term)
            shown = self.show(-term if minus else term, _MUL)
            words.append(("− " if minus else "+ ") + shown if k else ("−" if minus else "") + shown)
        return " ".join(words)

    @staticmethod
    def negative(e: Expr) -> bool:
        return bool(e.could_extract_minus_sign()) if isinstance(e, sympy.Mul) else bool(e.is_Number and e < 0)

    def product(self, e: sympy.Mul) -> tuple[str, int]:
        if self.negative(e):
            return f"−{self.show(-e, _MUL)}", _ADD
        top, bottom = [], []
        for f in e.args:
            if isinstance(f, sympy.Pow) and f.exp.is_Number and f.exp < 0:
                bottom.append(sympy.Pow(f.base, -f.exp))
            elif f.is_Rational and not f.is_Integer and f.p == 1 and f.q < 100:
                bottom.append(sympy.Integer(f.q))
            else:
                top.append(f)
        # A sum reaches as far to the right as it can, so it comes last.
        top.sort(key=lambda f: isinstance(f, Reduction | ArgMax))
        shown = [self.show(f, _MUL if k + 1 == len(top) and not bottom else _POW) for k, f in enumerate(top)]
        text = self.joined(shown) if shown else "1"
        if not bottom:
            return text, _MUL
        below = self.joined([self.show(f, _POW) for f in bottom])
        return f"{text}/{below}" if len(bottom) == 1 else f"{text}/({below})", _MUL

    @staticmethod
    def joined(parts: list[str]) -> str:
        text = parts[0]
        for before, after in pairwise(parts):
            text += (" · " if before.rstrip(_CLOSE).endswith(")") or after.lstrip(_OPEN).startswith("(") else " ") + after
        return text

    def power(self, e: sympy.Pow) -> tuple[str, int]:
        base, exponent = e.base, e.exp
        if exponent == sympy.S.Half:
            return f"√{self.show(base, _ATOM)}", _POW
        if exponent.is_Number and exponent < 0:
            return f"1/{self.show(sympy.Pow(base, -exponent), _POW)}", _MUL
        if isinstance(base, sympy.Function | Guard) and not isinstance(base, Access):
            shown = f"({self.show(base, _ADD)})"
        else:
            shown = self.show(base, _ATOM)
        if exponent.is_Integer:
            return shown + str(exponent).translate(_SUPERSCRIPT), _POW
        return f"{shown}^{self.show(exponent, _ATOM)}", _POW


__all__ = ["heading", "marked"]
