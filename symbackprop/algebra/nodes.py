"""The nodes that SymPy lacks: sums and maxima over indices, guards, and functions with stated kinks.

SymPy's own Sum, KroneckerDelta, Piecewise and Max are silently wrong, or leave unusable forms, in cases that occur in
networks (name capture under substitution, half-integer solutions, Heaviside at the kink); these nodes do no evaluation
beyond what is stated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Function, Integer, S
from sympy.core.relational import Relational
from sympy.core.sorting import ordered
from sympy.core.symbol import Str

from symbackprop.algebra.index import Index, operand
from symbackprop.errors import DeclarationError


class Reduction(Expr):
    """An operation over bound indices. ``args`` is (body, *bound indices)."""

    is_commutative = True
    is_real = True
    is_number = False
    is_comparable = False

    def __new__(cls, body: Any, *bound: Any) -> Expr:
        body = operand(body)
        if any(not isinstance(b, Index) for b in bound):
            raise DeclarationError(f"{cls.__name__} ranges over indices, got {', '.join(map(str, bound))}")
        if not bound:
            return body
        if len(set(bound)) != len(bound):
            raise DeclarationError(f"{cls.__name__} names an index twice: {', '.join(map(str, bound))}")
        return Expr.__new__(cls, body, *bound)

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def bound(self) -> tuple[Index, ...]:
        found: tuple[Index, ...] = self.args[1:]
        return found

    @property
    def free_symbols(self) -> set[Any]:
        outside: set[Any] = set()
        for index in self.bound:
            outside |= index.extent.free_symbols
        free: set[Any] = (self.body.free_symbols - set(self.bound)) | outside
        return free

    def _eval_derivative(self, symbol: Any) -> Expr:
        if symbol in self.free_symbols:
            raise TypeError("a reduction is not differentiated in place; the derivation walks into it")
        return S.Zero

    def _sympystr(self, printer: Any) -> str:
        return f"{type(self).__name__}({printer._print(self.body)}, {', '.join(b.name for b in self.bound)})"


class Sum(Reduction):
    """Σ over the bound indices: ``Sum(W[i, j] * x[j], j)``."""

    def __new__(cls, body: Any, *bound: Any) -> Expr:
        if operand(body) == 0:
            return S.Zero
        return super().__new__(cls, body, *bound)

    def _eval_is_positive(self) -> bool | None:
        return True if self.body.is_positive else None


class Max(Reduction):
    """The largest value over the bound indices; the first in row-major order wins a tie. Guards are read as −∞."""


class LogSumExp(Reduction):
    """log Σ exp(body) over the bound indices, evaluated with the maximum shifted out."""


class ArgMax(Expr):
    """The value of ``wanted`` at the maximiser of ``body`` over the bound indices; the first in row-major order wins a tie.

    ``wanted`` is a bound index, or an expression of them such as the place 2 i + j in a window. ``args`` is (body, wanted, *bound).
    """

    is_commutative = True
    is_real = True
    is_integer = True
    is_number = False
    is_comparable = False

    def __new__(cls, body: Any, wanted: Any, *bound: Any) -> Expr:
        wanted = operand(wanted)
        if any(not isinstance(b, Index) for b in bound):
            raise DeclarationError(f"ArgMax ranges over indices, got {', '.join(map(str, bound))}")
        return Expr.__new__(cls, operand(body), wanted, *bound)

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def wanted(self) -> Expr:
        return self.args[1]

    @property
    def bound(self) -> tuple[Index, ...]:
        found: tuple[Index, ...] = self.args[2:]
        return found

    @property
    def free_symbols(self) -> set[Any]:
        free: set[Any] = (self.body.free_symbols | self.wanted.free_symbols) - set(self.bound)
        return free.union(*(index.extent.free_symbols for index in self.bound))

    def _eval_derivative(self, symbol: Any) -> Expr:
        return S.Zero

    def _sympystr(self, printer: Any) -> str:
        ranges = ", ".join(b.name for b in self.bound)
        return f"ArgMax({printer._print(self.body)}, {printer._print(self.wanted)}, {ranges})"


def row_major(values: Sequence[Expr], bound: Sequence[Index]) -> Expr:
    """Return the place of an entry in reading order: i J + j for (i, j), where j takes J values."""
    place = S.Zero
    for value, index in zip(values, bound, strict=True):
        place = place * index.extent + value
    return sympy.expand(place)


class Guard(Expr):
    """A 0/1 factor. Its derivative is 0, and a product with it is a selection: what it switches off is never read."""

    is_commutative = True
    is_real = True
    is_integer = True
    is_nonnegative = True
    is_number = False
    is_comparable = False

    def _eval_derivative(self, symbol: Any) -> Expr:
        return S.Zero

    def _eval_power(self, exponent: Any) -> Expr | None:
        return self if exponent.is_Number and exponent > 0 else None


_SWAPPED = {sympy.StrictLessThan: sympy.StrictGreaterThan, sympy.LessThan: sympy.GreaterThan}


class Indicator(Guard):
    """[condition]: 1 where the comparison holds, 0 elsewhere. ``args`` is (comparison,): ``>``, ``>=``, ``==`` or ``!=``.

    A strict comparison means "not the opposite one", so that a NaN counts as true there and false in ``>=``: an
    activation written with strict branches propagates NaN, and [u > v] + [v >= u] = 1 always holds.
    """

    def __new__(cls, condition: Any) -> Expr:
        condition = operand(condition)
        if condition is S.true:
            return S.One
        if condition is S.false:
            return S.Zero
        if isinstance(condition, sympy.And):
            return sympy.Mul(*(cls(part) for part in ordered(condition.args)))
        if isinstance(condition, sympy.Or):
            rest = [1 - cls(part) for part in ordered(condition.args)]
            return 1 - sympy.Mul(*rest)
        if not isinstance(condition, Relational):
            raise DeclarationError(f"Indicator takes a comparison such as z > 0, got {condition}")
        left, right = condition.lhs, condition.rhs
        if type(condition) in _SWAPPED:
            condition = _SWAPPED[type(condition)](right, left, evaluate=False)
            left, right = right, left
        if not (left.is_integer and right.is_integer):
            # [9z/10 > 0] is [z > 0], [z + 3 > 0] is [z > -3], [z/10 > z] is [0 > z].
            shift, rest = (left - right).as_coeff_Add()
            factor, core = rest.as_coeff_Mul()
            if core.is_Number:
                return cls(condition.func(shift + rest, 0))
            if not core.is_Add and factor.is_Number:
                left, right = (core, -shift / factor) if factor > 0 else (-shift / factor, core)
        condition = condition.func(left, right, evaluate=False)
        return Expr.__new__(cls, condition)

    @property
    def condition(self) -> Relational:
        return self.args[0]

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer._print(self.condition)}]"


class InRange(Guard):
    """[0 <= e < size]. ``args`` is (e, size)."""

    def __new__(cls, e: Any, size: Any) -> Expr:
        e, size = operand(e), operand(size)
        low, high = interval(e)
        if low is not None and high is not None and low.is_nonnegative and (size - 1 - high).is_nonnegative:
            return S.One
        if (high is not None and high.is_negative) or (low is not None and (low - size).is_nonnegative):
            return S.Zero
        return Expr.__new__(cls, e, size)

    def _sympystr(self, printer: Any) -> str:
        return f"[0<={printer._print(self.args[0])}<{printer._print(self.args[1])}]"


class Divides(Guard):
    """[step divides e]. ``args`` is (step, e)."""

    def __new__(cls, step: Any, e: Any) -> Expr:
        step, e = operand(step), operand(e)
        if step in (1, -1) or e == 0:
            return S.One
        if step.is_Integer and e.is_Integer:
            return S.One if e % step == 0 else S.Zero
        return Expr.__new__(cls, step, e)


def interval(e: Expr) -> tuple[Expr | None, Expr | None]:
    """Return the least and greatest value of an affine index expression, or None where that is not known.

    ⌊a/c⌋ of an affine a counts as affine, and a − c⌊a/c⌋ as what it is: a remainder.
    """
    return _interval(operand(e))


@lru_cache(maxsize=16384)
def _interval(e: Expr) -> tuple[Expr | None, Expr | None]:
    low, high = S.Zero, S.Zero
    for node in sorted(e.atoms(Floor), key=sympy.default_sort_key):
        step = -sympy.expand(e).coeff(node, 1)
        shift = sympy.expand(e + step * node - step * node.args[0])
        if step.is_integer and step.is_positive and not shift.atoms(Index, Floor) and sympy.expand(step * node.args[0]).is_integer:
            return shift, shift + step - 1
    for term in sympy.Add.make_args(e):
        indices = [s for s in term.free_symbols if isinstance(s, Index)]
        if not indices:
            low, high = low + term, high + term
            continue
        factor, rest = term.as_independent(*indices, as_Add=False)
        if isinstance(rest, Floor):
            ends = interval(rest.args[0])
            if ends[0] is None or ends[1] is None or not (factor.is_nonnegative or factor.is_nonpositive):
                return None, None
            small, large = (factor * Floor(end) for end in (ends if factor.is_nonnegative else ends[::-1]))
            low, high = low + small, high + large
            continue
        if not isinstance(rest, Index):
            return None, None
        far = factor * (rest.extent - 1)
        if factor.is_nonnegative:
            high = high + far
        elif factor.is_nonpositive:
            low = low + far
        else:
            return None, None
    return sympy.expand(low), sympy.expand(high)


class Named(Function):
    """A scalar function given by its defining expression; its derivative is derived from that, never written down.

    ``definition(u)`` is the meaning. Subclasses exist where the plain expression is not stable in floating point, or has a
    kink at which SymPy's convention differs from the field's.
    """

    is_real = True

    @classmethod
    def eval(cls, u: Any) -> Expr | None:
        return None

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        raise NotImplementedError

    def fdiff(self, argindex: int = 1) -> Expr:
        u = sympy.Dummy("u", real=True)
        slope = fold(sympy.diff(type(self).definition(u), u))
        return slope.xreplace({u: self.args[0]})


class Abs(Named):
    """|u|, with derivative 0 at 0."""

    @classmethod
    def eval(cls, u: Any) -> Expr | None:
        if u.is_Number:
            return abs(u)
        return u if u.is_nonnegative else None

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        return u * (Indicator(u > 0) - Indicator(u < 0))


class Sign(Named):
    """The sign of u: −1, 0 or 1."""

    @classmethod
    def eval(cls, u: Any) -> Expr | None:
        return sympy.sign(u) if u.is_Number else None

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        return Indicator(u > 0) - Indicator(u < 0)


class Floor(Function):
    """The largest integer not above u: piecewise constant, so its derivative is 0 everywhere."""

    is_real = True
    is_integer = True

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None

    @classmethod
    def eval(cls, u: Any) -> Expr | None:
        if u.is_Number or u.is_integer:
            return sympy.floor(u) if u.is_Number else u
        terms = sympy.Add.make_args(sympy.expand(u))
        whole = sympy.Add(*(term for term in terms if term.is_integer))
        if whole != 0:
            return whole + cls(sympy.Add(*(term for term in terms if not term.is_integer)))
        low, high = interval(u)
        if low is None or high is None:
            return None
        if low.is_nonnegative and (1 - high).is_positive:
            return S.Zero
        return S.NegativeOne if (1 + low).is_nonnegative and high.is_negative else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


def remainders(e: Expr) -> Expr:
    """Return an index expression with its remainders written as such: p − 2⌊p/2⌋ is Mod(p, 2).

    The text of a kernel reads better so; expressions that are still rewritten keep the floor.
    """
    e = operand(e)
    if not e.has(Floor):
        return e
    if not isinstance(e, sympy.Add):
        return e.func(*map(remainders, e.args)) if isinstance(e, sympy.Mul | Floor) else e
    found = S.Zero
    for node in sorted(e.atoms(Floor), key=sympy.default_sort_key):
        factor = e.coeff(node, 1)
        for times in dict.fromkeys(abs(term.as_coeff_Mul()[0]) for term in e.args):
            # −m s ⌊x/s⌋ beside m x, where x may itself be a floor: ⌊⌊k/a⌋/s⌋ is written ⌊k/(a s)⌋.
            step = -factor / times
            if not step.is_integer or not step.is_positive or step == 1:
                continue
            inside = sympy.expand(step * node.args[0])
            whole = inside if inside.is_integer else Floor(inside)
            rest = sympy.expand(e - factor * node - times * whole)
            if len(sympy.Add.make_args(rest)) < len(e.args) - 1 or rest == 0:
                found, e = found + times * sympy.Mod(whole, step, evaluate=False), rest
                break
        if not isinstance(e, sympy.Add):
            break
    left = sympy.Add(*map(remainders, sympy.Add.make_args(e)))
    return left + found


class Sigmoid(Named):
    """1/(1 + exp(−u)), evaluated without overflow."""

    is_positive = True

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        return 1 / (1 + sympy.exp(-u))


class Softplus(Named):
    """log(1 + exp(u)), evaluated without overflow."""

    is_positive = True

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        return sympy.log(1 + sympy.exp(u))


class Expm1(Named):
    """exp(u) − 1, accurate near 0."""

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        return sympy.exp(u) - 1


class Log1p(Named):
    """log(1 + u), accurate near 0."""

    @classmethod
    def definition(cls, u: Expr) -> Expr:
        return sympy.log(1 + u)


class Unspecified(Function):
    """A function that has a name but no expression: f(z), f′(z), f″(z). ``args`` is (name, order, z)."""

    is_real = True
    nargs = 3

    @classmethod
    def eval(cls, name: Any, order: Any, z: Any) -> Expr | None:
        return None

    @property
    def label(self) -> str:
        return str(self.args[0])

    @property
    def order(self) -> int:
        return int(self.args[1])

    def _eval_derivative(self, symbol: Any) -> Expr:
        inner = self.args[2].diff(symbol)
        return S.Zero if inner == 0 else Unspecified(self.args[0], self.args[1] + 1, self.args[2]) * inner

    def _sympystr(self, printer: Any) -> str:
        return f"{self.label}{chr(39) * self.order}({printer._print(self.args[2])})"


def unspecified(name: str, z: Expr, order: int = 0) -> Expr:
    """Return f(z) (or a derivative of it) for a function without an expression."""
    return Unspecified(Str(name), Integer(order), z)


def fold(expr: Expr) -> Expr:
    """Recognise [u>0] − [u<0] as sign(u): the one derivative that would otherwise leave two guards for one function."""
    if isinstance(expr, sympy.Add) and len(expr.args) == 2:
        for first, second in (expr.args, expr.args[::-1]):
            if isinstance(first, Indicator) and isinstance(-second, Indicator):
                c, d = first.condition, (-second).condition
                strict = isinstance(c, sympy.StrictGreaterThan) and isinstance(d, sympy.StrictGreaterThan)
                if strict and c.rhs == 0 and d.lhs == 0 and c.lhs == d.rhs:
                    return Sign(c.lhs)
    return expr


__all__ = [
    "Abs",
    "ArgMax",
    "Divides",
    "Expm1",
    "Floor",
    "Guard",
    "InRange",
    "Indicator",
    "Log1p",
    "LogSumExp",
    "Max",
    "Named",
    "Reduction",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Sum",
    "Unspecified",
    "fold",
    "interval",
    "remainders",
    "row_major",
    "unspecified",
]
