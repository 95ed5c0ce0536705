"""f′(z) through a = f(z): the slope of an activation in terms of the value that the forward pass stores.

Each branch of f is peeled down to a rational function of degree one in a single generator (z, or a function of z), solved
for it, and put into f′. A result is accepted only with a numeric certificate over a wide range of z, kinks included.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import sympy
from sympy import Expr, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import evaluate
from symbackprop.algebra.nodes import Abs, Guard, Indicator, Reduction, Sign, Unspecified
from symbackprop.algebra.tensor import Access, Tensor

#: Where the certificate compares: dense near 0, saturated at both ends, exactly 0, and points of no special meaning.
_SAMPLE = np.concatenate([np.linspace(-8, 8, 41), [-30.0, 30.0, 0.0, 1e-3, -1e-3, 0.7853, -2.7182, 5.4321]])


@lru_cache(maxsize=512)
def reexpress(f: Expr, slope: Expr, z: Access, a: Access) -> Expr | None:
    """Return ``slope`` = f′(z) as an expression in ``a`` = f(z) only, or None where f′ is no (found) function of a."""
    if slope.has(Unspecified) or f.has(Reduction) or not slope.atoms(Access) <= {z} or z not in slope.atoms(Access):
        return None
    t, v = sympy.Dummy("z", real=True), sympy.Dummy("a", real=True)
    if f.has(Abs, Sign):
        result = _by_sides(f.xreplace({z: t}), slope.xreplace({z: t}), t, v)
        return None if result is None else _accepted(f, slope, result.xreplace({v: a}), z, a)
    branches = _branches(f.xreplace({z: t}))
    slopes = _branches(slope.xreplace({z: t}))
    if branches is None or slopes is None:
        return None
    result = S.Zero
    for guard, local in slopes.items():
        value = branches.get(guard, branches.get(S.One) if len(branches) == 1 else None)
        if t in local.free_symbols:
            if value is None:
                return None
            inverted = _eliminate(value, local, t, v)
            if inverted is None:
                return None
            local = inverted
        mapped = _map_guard(guard, f.xreplace({z: t}), t, v)
        if mapped is None:
            return None
        result = result + local * mapped
    return _accepted(f, slope, result.xreplace({v: a, sympy.Float(1.0): S.One}), z, a)


def _accepted(f: Expr, slope: Expr, result: Expr, z: Access, a: Access) -> Expr | None:
    if _transcendental(result) and not _transcendental(slope):
        # A slope that is rational in z gains nothing from an exponential of a.
        return None
    return result if _certified(f, slope, result, z, a) else None


def _transcendental(e: Expr) -> bool:
    return any(not isinstance(n, Abs | Sign) for n in e.atoms(sympy.Function))


def _by_sides(f: Expr, slope: Expr, t: sympy.Dummy, v: sympy.Dummy) -> Expr | None:
    """Invert an f that speaks of |z| on both sides of 0; an odd one has a single form, in |a|."""
    found = []
    for side in (1, -1):
        value, local = _on_side(f, t, side), _on_side(slope, t, side)
        if value is None or local is None:
            return None
        inverted = _eliminate(value, local, t, v) if t in local.free_symbols else local
        if inverted is None:
            return None
        found.append(inverted)
    above, below = found
    if sympy.expand(above - below.xreplace({v: -v})) == 0:
        return above.xreplace({v: Abs(v)})
    right = Indicator(sympy.Gt(v, _at(f, t, S.Zero), evaluate=False))
    return above * right + below * (1 - right)


def _on_side(e: Expr, t: sympy.Dummy, side: int) -> Expr | None:
    """Write out |c z|, sign(c z) and comparisons of z with 0 on one side of z = 0, or return None where more is compared."""
    swap: dict[Expr, Expr] = {}
    for node in e.atoms(Abs, Sign, Guard):
        parts = node.args if not isinstance(node, Indicator) else (node.condition.args[0] - node.condition.args[1],)
        rate = parts[0] / t
        if not rate.is_number or rate == 0 or (isinstance(node, Guard) and not isinstance(node, Indicator)):
            return None
        sign = side if rate.is_positive else -side
        if isinstance(node, Abs):
            swap[node] = sign * parts[0]
        elif isinstance(node, Sign):
            swap[node] = sympy.Integer(sign)
        else:
            swap[node] = S.One if node.condition.func(sign, 0) else S.Zero
    return e.xreplace(swap)


def _branches(f: Expr) -> dict[Expr, Expr] | None:
    """Split a sum of guarded terms into {product of guards: value}; unguarded terms have guard 1 and must be alone."""
    out: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(sympy.expand_mul(f) if f.has(Guard) else f):
        guards = [x for x in sympy.Mul.make_args(term) if isinstance(x, Guard)]
        guard = sympy.Mul(*guards)
        rest = sympy.Mul(*(x for x in sympy.Mul.make_args(term) if not isinstance(x, Guard)))
        if rest.has(Guard):
            return None
        out[guard] = out.get(guard, S.Zero) + rest
    if len(out) > 1 and S.One in out:
        return None
    return out


def _eliminate(value: Expr, local: Expr, t: sympy.Dummy, v: sympy.Dummy) -> Expr | None:
    """Solve v = value(t) for the one generator of ``local`` and substitute it."""
    target: Expr = v
    while True:
        if isinstance(value, sympy.log):
            target, value = sympy.exp(target), value.args[0]
        elif isinstance(value, sympy.Mul) and value.args[0].is_number:
            target, value = target / value.args[0], sympy.Mul(*value.args[1:])
        else:
            break
    if value.has(sympy.sinh, sympy.cosh) and not value.has(sympy.tanh):
        value, local = (_in_exponentials(e) for e in (value, local))
    g = sympy.Dummy("g", real=True)
    for generator in _generators(value, local, t):
        plain, slope = generator.replace(value, g), generator.replace(local, g)
        if t in plain.free_symbols or t in slope.free_symbols:
            continue
        numerator, denominator = sympy.fraction(sympy.together(plain))
        try:
            p, q = sympy.Poly(numerator, g), sympy.Poly(denominator, g)
        except sympy.PolynomialError:
            continue
        common = 0
        for (degree,) in (*p.monoms(), *q.monoms()):
            common = gcd(common, degree)
        if common > 1 and generator.kind == "exponential":
            # tanh by its exponentials is of degree 2 in e^z, but speaks of e^2z alone.
            lowered = _lowered(slope, g, common)
            if lowered is None:
                continue
            slope = lowered
            p, q = (sympy.Poly({(d // common,): c for (d,), c in part.terms()}, g) for part in (p, q))
        if max(p.degree(), q.degree()) != 1:
            continue
        # (p1 g + p0)/(q1 g + q0) = target
        p1, p0, q1, q0 = p.coeff_monomial(g), p.coeff_monomial(1), q.coeff_monomial(g), q.coeff_monomial(1)
        symbol = sympy.Dummy("w", positive=True)
        inverse = (q0 * symbol - p0) / (p1 - q1 * symbol)
        found = sympy.factor(sympy.cancel(slope.xreplace({g: inverse})))
        numerator, denominator = sympy.fraction(found)
        if denominator != 1 and sympy.Poly(denominator, symbol).is_monomial:
            # Divide out: 1 - 1/w stays finite where (w - 1)/w overflows.
            found = sympy.expand(found)
        return _signs(found).xreplace({symbol: target})
    return None


def _in_exponentials(e: Expr) -> Expr:
    return e.replace(lambda n: isinstance(n, sympy.sinh | sympy.cosh), lambda n: n.rewrite(sympy.exp))


def _lowered(e: Expr, g: sympy.Dummy, step: int) -> Expr | None:
    """Return a rational function of g^step with g for it, or None where e is none."""
    parts = []
    for part in sympy.fraction(sympy.cancel(sympy.together(e))):
        terms = sympy.Poly(part, g).terms()
        if any(degree % step for (degree,), _ in terms):
            return None
        parts.append(sympy.Add(*(c * g ** (degree // step) for (degree,), c in terms)))
    return parts[0] / parts[1]


class _Generator:
    """A function of z in which both f and f′ are rational."""

    def __init__(self, kind: str, t: sympy.Dummy, base: Expr) -> None:
        self.kind, self.t, self.base = kind, t, base

    def replace(self, e: Expr, g: sympy.Dummy) -> Expr:
        if self.kind == "identity":
            return e.xreplace({self.t: g})
        if self.kind == "function":
            return e.xreplace({self.base: g})
        return e.replace(lambda n: isinstance(n, sympy.exp), lambda n: g ** (n.args[0] / self.base))


def _generators(value: Expr, local: Expr, t: sympy.Dummy) -> list[_Generator]:
    found = [_Generator("identity", t, t)]
    functions = sorted((n for n in value.atoms(sympy.Function) if t in n.free_symbols), key=sympy.default_sort_key)
    exponents = [n.args[0] for n in functions if isinstance(n, sympy.exp)]
    rates = [e.coeff(t, 1) for e in exponents]
    if exponents and all(r.is_Rational and r != 0 and e == r * t for e, r in zip(exponents, rates, strict=True)):
        step = rates[0]
        for r in rates[1:]:
            step = sympy.gcd(step, r)
        found.append(_Generator("exponential", t, step * t))
    found += [_Generator("function", t, n) for n in functions if not isinstance(n, sympy.exp)]
    return found


def _signs(e: Expr) -> Expr:
    """Write −a(a − 1) as a(1 − a), −(a − 1)(a + 1) as 1 − a², and (a − 1)² as (1 − a)²."""
    if isinstance(e, sympy.Mul) and _difference_of_squares(e):
        return sympy.expand(e)
    if isinstance(e, sympy.Pow) and e.exp.is_even and isinstance(e.base, sympy.Add) and e.base.args[0] == -1:
        return sympy.Add(*(-x for x in e.base.args)) ** e.exp
    if isinstance(e, sympy.Mul) and e.args[0].is_Number and e.args[0].is_negative:
        for factor in e.args[1:]:
            if isinstance(factor, sympy.Add):
                rest = sympy.Mul(*(x for x in e.args if x != factor))
                return -rest * sympy.Add(*(-x for x in factor.args))
            if isinstance(factor, sympy.Pow) and isinstance(factor.base, sympy.Add) and factor.exp.is_odd:
                rest = sympy.Mul(*(x for x in e.args if x != factor))
                return -rest * sympy.Add(*(-x for x in factor.base.args)) ** factor.exp
    return e


def _difference_of_squares(e: sympy.Mul) -> bool:
    """Whether the product is −(a − 1)(a + 1), which reads better as 1 − a²."""
    adds = [f for f in e.args if isinstance(f, sympy.Add)]
    return len(adds) == 2 and len(sympy.Add.make_args(sympy.expand(e))) == 2


def _map_guard(guard: Expr, f: Expr, t: sympy.Dummy, v: sympy.Dummy) -> Expr | None:
    """Map [z > c] to [a > f(c)]; right for an increasing f, which the certificate decides."""
    result = S.One
    for g in sympy.Mul.make_args(guard):
        if g == 1:
            continue
        if not isinstance(g, Indicator):
            return None
        left, right = g.condition.args
        if left == t and right.is_number:
            result = result * Indicator(g.condition.func(v, _at(f, t, right), evaluate=False))
        elif right == t and left.is_number:
            result = result * Indicator(g.condition.func(_at(f, t, left), v, evaluate=False))
        else:
            return None
    return result


def _at(f: Expr, t: sympy.Dummy, c: Expr) -> Expr:
    return sympy.nsimplify(f.xreplace({t: c})) if f.xreplace({t: c}).is_Rational else f.xreplace({t: c})


def _certified(f: Expr, slope: Expr, result: Expr, z: Access, a: Access) -> bool:
    kinks = [float(x) for g in f.atoms(Indicator) for x in g.condition.args if x.is_number]
    points = np.unique(np.concatenate([_SAMPLE, kinks]))
    k = Index("k", len(points))
    at_z, at_a = Tensor("z", (k,)), Tensor("a", (k,))
    swap = {z: at_z[k], a: at_a[k]}
    with np.errstate(all="ignore"):
        sizes: dict[Expr, Expr] = {}
        values = {"z": points, "a": np.zeros_like(points)}
        values["a"] = np.broadcast_to(np.asarray(evaluate(f.xreplace(swap), values, sizes, (k,)), dtype=float), points.shape)
        expected = np.broadcast_to(np.asarray(evaluate(slope.xreplace(swap), values, sizes, (k,)), dtype=float), points.shape)
        got = np.broadcast_to(np.asarray(evaluate(result.xreplace(swap), values, sizes, (k,)), dtype=float), points.shape)
    # Absolute: 1 - a rounds once at |a| = 1, which is 1e-16 of the slope's own scale.
    usable = np.isfinite(values["a"]) & np.isfinite(expected)
    off = np.abs(got[usable] - expected[usable])
    return bool(usable.sum() > 20 and np.all(off <= 1e-12 * np.maximum(1.0, np.abs(expected[usable]))))
