"""Scalar expressions as Python that Numba compiles: strict types, guards as selections, NaN passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy
from sympy import Expr

from symbackprop.algebra.entry import negation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import (
    Abs,
    ArgMax,
    Divides,
    Expm1,
    Floor,
    Guard,
    Indicator,
    InRange,
    Log1p,
    Reduction,
    Sigmoid,
    Sign,
    Softplus,
    Unspecified,
    remainders,
)
from symbackprop.algebra.tensor import Access, depth
from symbackprop.errors import EmissionError
from symbackprop.plan.records import HalfTanh, Local

_TEST, _ADD, _MUL, _UNARY, _POW, _ATOM = range(6)

_FUNCTIONS: dict[type, str] = {
    sympy.exp: "np.exp",
    sympy.log: "np.log",
    sympy.sin: "np.sin",
    sympy.cos: "np.cos",
    sympy.tan: "np.tan",
    sympy.asin: "np.arcsin",
    sympy.acos: "np.arccos",
    sympy.atan: "np.arctan",
    sympy.sinh: "np.sinh",
    sympy.cosh: "np.cosh",
    sympy.tanh: "np.tanh",
    sympy.asinh: "np.arcsinh",
    sympy.acosh: "np.arccosh",
    sympy.atanh: "np.arctanh",
    sympy.erf: "erf",
    sympy.erfc: "erfc",
    Expm1: "np.expm1",
    Log1p: "np.log1p",
    Abs: "abs",
    sympy.Abs: "abs",
    Sign: "np.sign",
    sympy.sign: "np.sign",
    Sigmoid: "sigmoid",
    Softplus: "softplus",
    HalfTanh: "half_tanh",
}

#: Functions that the runtime file has without branches, by the names of those that they stand for; f g stands for f(g(x)).
VECTOR: dict[str, str] = {
    "np.exp": "exp",
    "np.expm1": "expm1",
    "np.log": "log",
    "np.log1p": "log1p",
    "np.sin": "sin",
    "np.cos": "cos",
    "np.tan": "tan",
    "np.arcsin": "asin",
    "np.arccos": "acos",
    "np.arctan": "atan",
    "np.sinh": "sinh",
    "np.cosh": "cosh",
    "np.tanh": "tanh",
    "np.arcsinh": "asinh",
    "np.arccosh": "acosh",
    "np.arctanh": "atanh",
    "erf": "erf",
    "erfc": "erfc",
    "sigmoid": "sigmoid",
    "softplus": "softplus",
    "np.tanh softplus": "tanh_softplus",
    "half_tanh": "half_tanh",
    "**": "power",
}

_OPPOSITE = {sympy.StrictGreaterThan: "<=", sympy.GreaterThan: ">=", sympy.Eq: "==", sympy.Ne: "!="}


class ScalarPrinter:
    """Prints expressions with given names for what stands in them.

    Args:
        name: the text of an index, a local or a size.
        access: the text of an access, given the printed index expressions.
        single: whether real numbers are float32, so that every literal must say so.
        vector: whether functions of the runtime file stand for NumPy's, where it has some.
    """

    #: What functions are called, those of the runtime file that stand for some of them, as in `VECTOR`, a square root, the next whole
    #: number below, and infinity.
    functions: Mapping[type, str] = _FUNCTIONS
    runtime: Mapping[str, str] = {}
    root = "np.sqrt"
    floor = "np.floor"
    infinity = "np.inf"

    def __init__(
        self, name: Callable[[Expr], str], access: Callable[[Access, tuple[str, ...]], str], *, single: bool, vector: bool = False
    ) -> None:
        self.name, self.access, self.single, self.vector = name, access, single, vector
        if vector:
            self.runtime = VECTOR
        self.used: set[str] = set()

    def real(self, e: Expr) -> str:
        """Return the text of a real value."""
        return self._at(e, _TEST)

    def whole(self, e: Expr) -> str:
        """Return the text of an index expression, which is computed in integers."""
        return self._whole(e)[0]

    def test(self, guards: tuple[Expr, ...]) -> str:
        """Return the text of the condition that all guards hold."""
        return " and ".join(self._guard(g) for g in guards)

    def literal(self, value: float) -> str:
        """Return a real number."""
        if value != value or value in (float("inf"), float("-inf")):
            text = self.infinity if value > 0 else f"-{self.infinity}"
        else:
            text = repr(float(value))
        return f"real({text})" if self.single else text

    # Real values

    def _at(self, e: Expr, level: int) -> str:
        text, own = self._real(e)
        return f"({text})" if own < level else text

    def _real(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, Access):
            text = self.access(e, tuple(self.whole(part) for part in e.index))
            return (self._cast(text), _ATOM) if e.tensor.integer else (text, _ATOM)
        if isinstance(e, Local):
            return (self._cast(self.name(e)), _ATOM) if e.is_integer else (self.name(e), _ATOM)
        if isinstance(e, sympy.Symbol):
            return self._cast(self.name(e)), _ATOM
        if e.is_Number or isinstance(e, sympy.NumberSymbol):
            value = float(e)
            return self.literal(value), _ATOM if value >= 0 or self.single else _UNARY
        if isinstance(e, Guard):
            return self._selection((e,), sympy.S.One), _TEST
        if isinstance(e, sympy.Add):
            return self._add(e)
        if isinstance(e, sympy.Mul):
            return self._mul(e)
        if isinstance(e, sympy.Pow):
            return self._pow(e)
        if isinstance(e, Floor):
            if _computed_whole(e):
                return self._cast(self.whole(e)), _ATOM if self.single else _MUL
            return f"{self.floor}({self._at(e.args[0], _TEST)})", _ATOM
        if isinstance(e, Unspecified):
            remedy = f"give one with Activation({e.label!r}, expression)"
            raise EmissionError(f"the function {e.label} has no expression, so no code can be written for it; {remedy}")
        if isinstance(e, HalfTanh) and not self.vector:
            e = sympy.tanh(e.args[0] / 2)
        if type(e) in self.functions:
            function, (argument,) = self.functions[type(e)], e.args
            both = f"{function} {self.functions.get(type(argument), '')}"
            if both in self.runtime:
                # One function in closed form for two.
                function, (argument,) = both, argument.args
            function = self.runtime.get(function, function)
            self.used.add(function)
            return f"{function}({self._argument(argument)})", _ATOM
        if isinstance(e, Reduction | ArgMax):
            raise EmissionError(f"{e} is left inside an expression; the planner must place it")
        raise EmissionError(f"cannot print {type(e).__name__} in {e}; add it to {type(self).__name__}")

    def _cast(self, text: str) -> str:
        return f"real({text})" if self.single else text

    def _add(self, e: sympy.Add) -> tuple[str, int]:
        terms: list[Expr] = list(e.args)
        seen = [t for t in terms if isinstance(t, sympy.log) and all(isinstance(f, Guard) for f in sympy.Mul.make_args(t.args[0]))]
        if len(seen) == 1:
            # u + log [guard] is u where the guard holds, and −∞ elsewhere.
            value = sympy.Add(*(t for t in terms if t is not seen[0]))
            return self._selection(sympy.Mul.make_args(seen[0].args[0]), value, -sympy.oo), _TEST
        pair = _branches(terms)
        words: list[str] = []
        if pair is not None:
            guard, inside, outside, terms = pair
            text = self._branch(guard, inside, outside)
            if not terms:
                return text, _TEST
            words.append(f"({text})")
        for term in sorted(terms, key=_negative):
            minus = _negative(term)
            shown = self._at(-term if minus else term, _MUL if minus else _ADD)
            if not words:
                words.append(f"-{self._at(-term, _UNARY)}" if minus else shown)
            else:
                words.append(f"- {shown}" if minus else f"+ {shown}")
        return " ".join(words), _ADD

    def _mul(self, e: sympy.Mul) -> tuple[str, int]:
        guards = tuple(f for f in e.args if isinstance(f, Guard))
        if guards:
            rest = sympy.Mul(*(f for f in e.args if not isinstance(f, Guard)))
            return self._selection(guards, rest), _TEST
        if _negative(e):
            text, own = self._real(-e)
            return f"-{text if own >= _MUL else f'({text})'}", _MUL
        top: list[Expr] = []
        bottom: list[Expr] = []
        for f in e.args:
            if isinstance(f, sympy.Pow) and f.exp.is_Number and f.exp < 0:
                bottom.append(sympy.Pow(f.base, -f.exp))
            elif f.is_Rational and not f.is_Integer and f.p == 1 and f.q < 100:
                bottom.append(sympy.Integer(f.q))
            else:
                top.append(f)
        text = " * ".join(self._at(f, _MUL if k == 0 else _UNARY) for k, f in enumerate(top)) if top else self.literal(1.0)
        if bottom and all(f.is_Number for f in top):
            text = self._quotient(text, bottom)
        for f in bottom:
            text += f" / {self._at(f, _UNARY)}"
        return text, _MUL

    def _quotient(self, number: str, bottom: list[Expr]) -> str:
        """Return a number that is divided by a value: as plain Python, too, that is infinite where the value is 0."""
        return number if self.single or all(f.is_Number for f in bottom) else f"np.float64({number})"

    def _pow(self, e: sympy.Pow) -> tuple[str, int]:
        base, exponent = e.base, e.exp
        if exponent == sympy.S.Half:
            return f"{self.root}({self._at(base, _TEST)})", _ATOM
        if exponent.is_Number and exponent < 0:
            return f"{self._quotient(self.literal(1.0), [base])} / {self._at(sympy.Pow(base, -exponent), _UNARY)}", _MUL
        if exponent.is_Integer and 2 <= exponent <= 4:
            return " * ".join([self._at(base, _UNARY)] * int(exponent)), _MUL
        if self.vector:
            function = VECTOR["**"]
            self.used.add(function)
            return f"{function}({self._argument(base)}, {self._argument(exponent)})", _ATOM
        return f"{self._at(base, _ATOM)} ** {self._at(exponent, _ATOM)}", _POW

    def _argument(self, e: Expr) -> str:
        """Return the text of what a function is applied to; those of the runtime file take real numbers only."""
        text = self._at(e, _TEST)
        whole = self.vector and not self.single and not e.is_Number and bool(e.is_integer)
        return f"real({text})" if whole else text

    # Selections

    def _selection(self, guards: tuple[Expr, ...], value: Expr, other: Expr = sympy.S.Zero) -> str:
        zero = self.literal(float(other))
        if len(guards) == 1 and isinstance(guards[0], Indicator) and isinstance(guards[0].condition, sympy.StrictGreaterThan):
            return f"{zero} if {self._guard(guards[0], opposite=True)} else {self._at(value, _ADD)}"
        # Where an address is guarded the test of the address comes first.
        ordered = sorted(guards, key=lambda g: (not isinstance(g, InRange | Divides), depth(g)))
        return f"{self._at(value, _ADD)} if {self.test(tuple(ordered))} else {zero}"

    def _branch(self, guard: Indicator, inside: Expr, outside: Expr) -> str:
        condition = guard.condition
        if isinstance(condition, sympy.StrictGreaterThan):
            return f"{self._at(outside, _ADD)} if {self._guard(guard, opposite=True)} else {self._at(inside, _ADD)}"
        return f"{self._at(inside, _ADD)} if {self._guard(guard)} else {self._at(outside, _ADD)}"

    def _guard(self, g: Expr, *, opposite: bool = False) -> str:
        if isinstance(g, InRange):
            return f"0 <= {self._whole(g.args[0])[0]} < {self._whole(g.args[1])[0]}"
        if isinstance(g, Divides):
            return f"{self._whole_at(g.args[1], _MUL)} % {self._divisor(g.args[0], _UNARY)} == 0"
        if not isinstance(g, Indicator):
            raise EmissionError(f"cannot print the guard {g}")
        c = g.condition
        # A stored place is a real number, what it is compared with is not.
        whole = [_integral(c) or (s.has(Index) and _computed_whole(s)) for s in c.args]
        sides = [self._whole_at(s, _ADD) if w else self._at(s, _ADD) for s, w in zip(c.args, whole, strict=True)]
        if any(whole) and not all(whole):
            sides = [self._beside_real(side) if w else side for side, w in zip(sides, whole, strict=True)]
        text = f"{sides[0]} {_OPPOSITE[type(c)]} {sides[1]}"
        strict = isinstance(c, sympy.StrictGreaterThan)
        return f"not {text}" if strict and not opposite else text

    # Integers

    def _whole_at(self, e: Expr, level: int) -> str:
        text, own = self._whole(e)
        return f"({text})" if own < level else text

    def _whole(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, Access):
            return self.access(e, tuple(self.whole(part) for part in e.index)), _ATOM
        if isinstance(e, sympy.Symbol):
            return self.name(e), _ATOM
        if e.is_Integer:
            return str(e), _ATOM if e >= 0 else _UNARY
        if isinstance(e, sympy.Add):
            short = remainders(e)
            if short != e:
                return self._whole(short)
            words: list[str] = []
            for term in sorted(e.args, key=lambda a: (_negative(a), not a.free_symbols)):
                minus = _negative(term)
                # A sign at the beginning belongs to what stands next to it: -i // 2 is not -(i // 2).
                alone = minus and not words and isinstance(-term, Floor | sympy.Mod)
                shown = self._whole_at(-term if minus else term, _UNARY if alone else _MUL)
                words.append((("- " if minus else "+ ") if words else ("-" if minus else "")) + shown)
            return " ".join(words), _ADD
        if isinstance(e, sympy.Mul):
            if _negative(e):
                return f"-{self._whole_at(-e, _UNARY)}", _UNARY
            return " * ".join(self._whole_at(f, _UNARY) for f in e.args), _MUL
        if isinstance(e, sympy.Max | sympy.Min):
            return self._extreme(e, [self.whole(a) for a in e.args]), _ATOM
        if isinstance(e, Floor):
            top, bottom = sympy.fraction(sympy.together(e.args[0]))
            return f"{self._whole_at(top, _MUL)} // {self._divisor(bottom, _UNARY)}", _MUL
        if isinstance(e, sympy.Mod):
            return f"{self._whole_at(e.args[0], _MUL)} % {self._divisor(e.args[1], _UNARY)}", _MUL
        if isinstance(e, sympy.Pow) and e.exp.is_Integer and e.exp > 0:
            return f"{self._whole_at(e.base, _ATOM)}**{e.exp}", _POW
        raise EmissionError(f"cannot print {e} as an index")

    def _extreme(self, e: Expr, words: Sequence[str]) -> str:
        """Return the largest or the smallest of some whole numbers."""
        return f"{'max' if isinstance(e, sympy.Max) else 'min'}({', '.join(words)})"

    def _beside_real(self, text: str) -> str:
        """Return a whole number that is compared with a real one."""
        return text

    def _divisor(self, e: Expr, level: int) -> str:
        """Return what a whole number is divided by."""
        return self._whole_at(e, level)


def _integral(condition: Expr) -> bool:
    """Whether both sides of a comparison are computed in integers."""
    return all(_computed_whole(side) for side in condition.args)


def _computed_whole(e: Expr) -> bool:
    if isinstance(e, Access):
        return bool(e.tensor.integer)
    if isinstance(e, Index | sympy.Symbol):
        return bool(e.is_integer)
    if e.is_Number:
        return bool(e.is_Integer)
    if isinstance(e, Floor):
        return all(_computed_whole(a) for a in sympy.fraction(sympy.together(e.args[0])))
    return isinstance(e, sympy.Add | sympy.Mul | sympy.Mod) and all(_computed_whole(a) for a in e.args)


def _negative(e: Expr) -> bool:
    """Whether a term is printed with a minus sign."""
    if e.is_Number:
        return bool(e < 0)
    return isinstance(e, sympy.Mul) and bool(e.args[0].is_Number and e.args[0] < 0)


def _branches(terms: list[Expr]) -> tuple[Indicator, Expr, Expr, list[Expr]] | None:
    """Return (guard, value where it holds, value elsewhere, other terms) if two terms have opposite guards."""
    alone: dict[Expr, Expr] = {}
    for term in terms:
        guards = [f for f in sympy.Mul.make_args(term) if isinstance(f, Guard)]
        if len(guards) == 1 and isinstance(guards[0], Indicator):
            alone.setdefault(guards[0], term)
    for guard, term in alone.items():
        other = alone.get(negation(guard))
        if other is None:
            continue
        values = [sympy.Mul(*(f for f in sympy.Mul.make_args(t) if not isinstance(f, Guard))) for t in (term, other)]
        rest = [t for t in terms if t is not term and t is not other]
        return guard, values[0], values[1], rest
    return None


__all__ = ["ScalarPrinter"]
