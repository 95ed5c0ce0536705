"""Equations as Unicode text for the comments above the code: delta[n, j] = (1 − a[n, j]²) Σ_i W[i, j] delta[n, i]."""

from __future__ import annotations

from itertools import pairwise

import sympy
from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Floor, Guard, Indicator, InRange, LogSumExp, Max, Named, Reduction, remainders
from symbackprop.algebra.tensor import Access

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


def heading(equation: Equation) -> str:
    """Return an equation as one line of Unicode."""
    return f"{_access(equation.lhs)} = {_show(equation.rhs, _ADD)}"


def _access(a: Access) -> str:
    return f"{a.tensor.name}[{', '.join(_show(part, _ADD) for part in a.index)}]" if a.index else a.tensor.name


def _show(e: Expr, level: int) -> str:
    text, own = _text(e)
    return f"({text})" if own < level else text


def _text(e: Expr) -> tuple[str, int]:
    if isinstance(e, sympy.Add) and e.has(Floor) and not e.has(Access):
        e = remainders(e)
    if isinstance(e, sympy.Mod):
        return f"{_show(e.args[0], _POW)} mod {_show(e.args[1], _POW)}", _ADD
    if isinstance(e, Access):
        return _access(e), _ATOM
    if isinstance(e, Index | sympy.Symbol):
        return e.name, _ATOM
    if e.is_Number or isinstance(e, sympy.NumberSymbol):
        return _number(e)
    if isinstance(e, sympy.Add):
        return _sum(e), _ADD
    if isinstance(e, sympy.Mul):
        return _product(e)
    if isinstance(e, sympy.Pow):
        return _power(e)
    if isinstance(e, Indicator):
        c = e.condition
        return f"[{_show(c.args[0], _ADD)} {_OPERATORS[type(c)]} {_show(c.args[1], _ADD)}]", _ATOM
    if isinstance(e, InRange):
        return f"[0 ≤ {_show(e.args[0], _ADD)} < {_show(e.args[1], _ADD)}]", _ATOM
    if isinstance(e, Divides):
        return f"[{_show(e.args[0], _ADD)} divides {_show(e.args[1], _ADD)}]", _ATOM
    if isinstance(e, ArgMax):
        return f"({_show(e.wanted, _ADD)} at max_{_names(e.bound)} {_show(e.body, _MUL)})", _ATOM
    if isinstance(e, LogSumExp):
        return f"log Σ_{_names(e.bound)} exp({_show(e.body, _ADD)})", _MUL
    if isinstance(e, Reduction):
        sign = "max" if isinstance(e, Max) else "Σ"
        return f"{sign}_{_names(e.bound)} {_show(e.body, _MUL)}", _MUL
    name = type(e).__name__
    if name == "Abs":
        return f"|{_show(e.args[0], _ADD)}|", _ATOM
    name = {"Sigmoid": "σ", "Floor": "floor"}.get(name, name.lower() if isinstance(e, Named) else name)
    return f"{name}({', '.join(_show(a, _ADD) for a in e.args)})", _ATOM


def _names(bound: tuple[Index, ...]) -> str:
    return bound[0].name if len(bound) == 1 else "{" + ", ".join(b.name for b in bound) + "}"


def _number(e: Expr) -> tuple[str, int]:
    if e.is_Rational and not e.is_Integer:
        p, q = int(e.p), int(e.q)
        text = f"{p}/{q}" if q < 100 else repr(float(e))
        return text.replace("-", "−"), _ADD if p < 0 else (_MUL if q < 100 else _ATOM)
    text = {"Pi": "π", "Exp1": "e", "Infinity": "∞", "NegativeInfinity": "−∞"}.get(type(e).__name__) or (
        str(e) if e.is_Integer else repr(float(e))
    )
    return text.replace("-", "−"), _ADD if text.startswith("-") else _ATOM


def _sum(e: sympy.Add) -> str:
    terms = sorted(e.args, key=_negative)
    words = []
    for k, term in enumerate(terms):
        minus = _negative(term)
        shown = _show(-term if minus else term, _MUL)
        words.append(("− " if minus else "+ ") + shown if k else ("−" if minus else "") + shown)
    return " ".join(words)


def _negative(e: Expr) -> bool:
    return bool(e.could_extract_minus_sign()) if isinstance(e, sympy.Mul) else bool(e.is_Number and e < 0)


def _product(e: sympy.Mul) -> tuple[str, int]:
    if _negative(e):
        return f"−{_show(-e, _MUL)}", _ADD
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
    shown = [_show(f, _MUL if k + 1 == len(top) and not bottom else _POW) for k, f in enumerate(top)]
    text = _joined(shown) if shown else "1"
    if not bottom:
        return text, _MUL
    below = _joined([_show(f, _POW) for f in bottom])
    return f"{text}/{below}" if len(bottom) == 1 else f"{text}/({below})", _MUL


def _joined(parts: list[str]) -> str:
    text = parts[0]
    for before, after in pairwise(parts):
        text += (" · " if before.endswith(")") or after.startswith("(") else " ") + after
    return text


def _power(e: sympy.Pow) -> tuple[str, int]:
    base, exponent = e.base, e.exp
    if exponent == sympy.S.Half:
        return f"√{_show(base, _ATOM)}", _POW
    if exponent.is_Number and exponent < 0:
        return f"1/{_show(sympy.Pow(base, -exponent), _POW)}", _MUL
    if isinstance(base, sympy.Function | Guard) and not isinstance(base, Access):
        shown = f"({_show(base, _ADD)})"
    else:
        shown = _show(base, _ATOM)
    if exponent.is_Integer:
        return shown + str(exponent).translate(_SUPERSCRIPT), _POW
    return f"{shown}^{_show(exponent, _ATOM)}", _POW


__all__ = ["heading"]
