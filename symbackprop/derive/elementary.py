"""f′ for a function of one variable, as it is derived by hand, and through f itself where that goes.

A derivative is taken one node at a time: for y = φ(u, v, …) it is Σ ∂φ/∂u · u′, and ∂φ/∂u is SymPy's. What follows is one
general rewrite: a numerator is written in terms of the denominator (divide with remainder: e⁻ˣ = (1 + e⁻ˣ) − 1), the fraction is
split, and what is left of it is recognised as f. It goes through wherever f is a quotient of degree one in an exponential or in x:
σ′ = (1 − σ) σ, tanh′ = 1 − tanh², and their scaled and shifted kin.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, S, Symbol

from symbackprop.algebra.entry import enter
from symbackprop.algebra.nodes import Abs, Guard
from symbackprop.algebra.written import Leaf, Over, Plus, Raised, Slope, Times, Written
from symbackprop.derive.records import Elementary, ElementaryLine
from symbackprop.errors import DerivationError

#: More single derivatives than this are not taken one by one.
MAX_NODES = 24


def derive_elementary(expression: Expr, variable: Symbol, letter: str = "f") -> Elementary:
    """Derive f′ step by step.

    Args:
        expression: f(x), in SymPy's functions.
        variable: x.
        letter: how f is called.

    Raises:
        DerivationError: it has other symbols than the variable, or SymPy has no derivative of it.
    """
    stray = sorted(str(s) for s in expression.free_symbols if s != variable)
    if stray:
        raise DerivationError(f"{expression} is no function of {variable} alone: it has {', '.join(stray)}")
    f = sympy.Dummy("f", real=True)
    # Decimals stand for the numbers that they write.
    expression = enter(expression.xreplace({n: sympy.Rational(str(n)) for n in expression.atoms(sympy.Float)}))
    lines: list[ElementaryLine] = []
    shape, ways = _one_generator(expression, variable)
    if shape is None:
        ways = []
    lines += [ElementaryLine(rule, term, slope=False) for rule, term in ways]
    start = ways[-1][1] if ways else Leaf(expression)
    form = start.value(variable)
    lines += _differentiated(form, variable)
    slope = sympy.diff(form, variable)
    if slope.has(sympy.Derivative):
        raise DerivationError(f"{expression} has no derivative in closed form")
    through = None
    odd = _odd(expression, variable) if shape is None else None
    if shape is not None:
        more, through = _through(shape, f, variable, sympy.diff(shape.generator, variable))
        lines += more
    elif odd is not None:
        # Where f = x h(|x|), f′ is the slope of |f| along |x|.
        more, through = _through(odd, Abs(f), variable, S.One)
        lines += more
    elif expression != slope and slope.subs(expression, f).free_symbols <= {f}:
        through = slope.subs(expression, f)
    if through is None and _same(slope, expression):
        through = f
    lines = [line for k, line in enumerate(lines) if k == 0 or line.term != lines[k - 1].term]
    if through is not None and lines[-1].term != Leaf(through) and lines[-1].term.value(variable) != through:
        lines.append(ElementaryLine("this is the function itself", Leaf(through)))
    return Elementary(expression, variable, f, tuple(lines), through, letter)


# --- one node at a time ----------------------------------------------------------------------------------------------


def _differentiated(form: Expr, x: Symbol) -> list[ElementaryLine]:
    """Return the lines from (…)′ to the derivative without any (…)′ left."""
    lines = [ElementaryLine("", Slope(_fraction(form)))]
    term: Written = lines[0].term
    for count in range(MAX_NODES):
        term, rule = _one_step(term, x)
        if not rule:
            break
        lines.append(ElementaryLine(rule, term, detail=count > 0))
    done = _tidy(term.value(x), x)
    if lines[-1].term != done:
        lines.append(ElementaryLine("differentiate the parts", done))
    return lines


def _fraction(e: Expr) -> Written:
    top, bottom = sympy.fraction(e, exact=True)
    return Leaf(e) if bottom.is_number else Over(Leaf(top), Leaf(bottom))


def _tidy(e: Expr, x: Symbol) -> Written:
    """Return a derivative as one fraction whose denominator is a power."""
    top, bottom = sympy.fraction(sympy.together(e) if len(sympy.Add.make_args(e)) > 1 else e, exact=True)
    top = sympy.factor_terms(sympy.expand(top, power_exp=False)) if top.is_Add else top
    base, exponent = bottom.as_base_exp()
    if bottom.is_number:
        return Leaf(e)
    return Over(Leaf(top), Raised(Leaf(base), exponent) if exponent != 1 else Leaf(base))


def _one_step(term: Written, x: Symbol) -> tuple[Written, str]:
    """Take the first derivative that is still to be taken, by the rule of its outermost node."""
    if isinstance(term, Slope):
        return _rule(term.arg, x)
    if isinstance(term, Plus | Times):
        for k, part in enumerate(term.args):
            made, rule = _one_step(part, x)
            if rule:
                return type(term)((*term.args[:k], made, *term.args[k + 1 :])), rule
        return term, ""
    if isinstance(term, Over):
        made, rule = _one_step(term.top, x)
        if rule:
            return Over(made, term.bottom), rule
        made, rule = _one_step(term.bottom, x)
        return Over(term.top, made), rule
    return term, ""


def _rule(arg: Written, x: Symbol) -> tuple[Written, str]:
    """Return Σ ∂φ/∂u · u′ for the outermost node φ, and the name of its rule."""
    e = arg.value(x)
    if x not in e.free_symbols:
        return Leaf(S.Zero), "a constant has no slope"
    if e == x:
        return Leaf(S.One), "the slope of x is 1"
    if isinstance(arg, Over):
        return _quotient(e, x), "quotient rule"
    if e.is_Add:
        parts = tuple(Slope(_fraction(t)) for t in e.as_ordered_terms() if x in t.free_symbols)
        return (parts[0] if len(parts) == 1 else Plus(parts)), "sum rule: term by term"
    if isinstance(e, Guard):
        return Leaf(S.Zero), "a step is constant on both of its sides"
    number, rest = e.as_independent(x, as_Add=False)
    if number != 1:
        return Times((Leaf(number), Slope(_fraction(rest)))), "a constant factor stays"
    if e.is_Mul:
        return _slopes(e, tuple(e.args), x), "product rule"
    if e.is_Pow:
        return _slopes(e, (e.base,) if x not in e.exp.free_symbols else e.args, x), "power rule and chain rule"
    if isinstance(e, sympy.Function) and len(e.args) == 1:
        return _slopes(e, e.args, x), "chain rule"
    return Leaf(sympy.diff(e, x)), "differentiate"


def _slopes(e: Expr, children: tuple[Expr, ...], x: Symbol) -> Written:
    """Return Σ ∂e/∂child · child′, the partial derivatives by SymPy on one node."""
    stands = {c: sympy.Dummy(f"u{k}", real=True, positive=c.is_positive) for k, c in enumerate(children)}
    node = e.func(*(stands.get(a, a) for a in e.args))
    back = {d: c for c, d in stands.items()}
    terms = []
    for c, d in stands.items():
        if x not in c.free_symbols:
            continue
        outer = sympy.diff(node, d).xreplace(back)
        terms.append(Leaf(outer) if c == x else Times((Leaf(outer), Slope(_fraction(c)))))
    return terms[0] if len(terms) == 1 else Plus(tuple(terms))


def _quotient(e: Expr, x: Symbol) -> Written:
    """Return the derivative of u/v over the common denominator, u′ and v′ not yet taken."""
    top, bottom = sympy.fraction(e, exact=True)
    u, v, du, dv = (sympy.Dummy(name, real=True) for name in ("u", "v", "du", "dv"))
    total = sum(sympy.diff(u / v, part) * slope for part, slope, of in ((u, du, top), (v, dv, bottom)) if x in of.free_symbols)
    numerator, denominator = sympy.fraction(sympy.together(total))
    pieces: dict[Expr, Written] = {u: Leaf(top), v: Leaf(bottom), du: Slope(Leaf(top)), dv: Slope(Leaf(bottom))}
    terms: list[Written] = []
    # Positive terms first: u′v − uv′.
    for t in sorted(sympy.Add.make_args(sympy.expand(numerator)), key=lambda t: (t.could_extract_minus_sign(), str(t))):
        number, rest = t.as_coeff_Mul()
        factors = [pieces[p] for p in (du, u, v, dv) if p in rest.free_symbols]
        factors = [p for p in factors if p != Leaf(S.One)]
        terms.append(Times((Leaf(number), *factors)) if number != 1 else Times(tuple(factors)))
    base, exponent = denominator.as_base_exp()
    return Over(terms[0] if len(terms) == 1 else Plus(tuple(terms)), Raised(pieces[base], exponent) if exponent != 1 else pieces[base])


# --- through f -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Moebius:
    """f = (p₁ g + p₀)/(q₁ g + q₀) for a generator g: an exponential, or x itself."""

    generator: Expr
    p1: Expr
    p0: Expr
    q1: Expr
    q0: Expr

    @property
    def bottom(self) -> Expr:
        return self.q1 * self.generator + self.q0


def _one_generator(e: Expr, x: Symbol) -> tuple[_Moebius | None, list[tuple[str, Written]]]:
    """Write f as a quotient of degree one in a single generator, with the lines that lead there."""
    ways: list[tuple[str, Written]] = []
    form = e
    if form.has(Guard):
        return None, ways
    hyperbolic = [n for n in form.atoms(sympy.Function) if isinstance(n, sympy.tanh | sympy.coth)]
    if hyperbolic:
        form = form.rewrite(sympy.exp)
        ways.append(("definition", _fraction(form)))
    exponentials = sorted((n for n in form.atoms(sympy.exp) if x in n.free_symbols), key=sympy.default_sort_key)
    if not exponentials:
        shape = _degree_one(form, x, x, 1, 0)
        return shape, []
    base = exponentials[0].args[0]
    powers = {n: sympy.simplify(n.args[0] / base) for n in exponentials}
    if not all(p.is_Rational for p in powers.values()):
        return None, ways
    scale = sympy.ilcm(1, *(p.q for p in powers.values()))
    g = sympy.Dummy("g", positive=True)
    plain = sympy.together(form.xreplace({n: g ** (p * scale) for n, p in powers.items()}))
    if x in plain.free_symbols:
        return None, ways
    both = _polynomials(plain, g)
    if not both:
        return None, ways
    top, bottom = both
    exponents = [m[0] for poly in (top, bottom) for m in poly.monoms() if m[0]]
    step = sympy.igcd(0, *exponents)
    if not exponents or max(exponents) != step:
        return None, ways
    rate = base * step / scale
    # The generator that is written already is the one to keep: e⁻ˣ stays e⁻ˣ.
    if not hyperbolic and len(exponentials) == 1:
        kept = exponentials[0]
        parts = _polynomials(sympy.together(form.xreplace({kept: g})), g)
        if parts and max(q.degree() for q in parts) == 1:
            shape = _shape(kept, *(q.coeff_monomial(m) for q in parts for m in (g, 1)))
            return shape, _joined(form, shape, "write it as one fraction", x)
    shape = _shape(sympy.exp(rate), *(q.coeff_monomial(g**m) for q in (top, bottom) for m in (step, 0)))
    return shape, [*ways, *_joined(form, shape, "expand the fraction: one exponential is left", x)]


def _polynomials(e: Expr, g: Symbol) -> tuple[sympy.Poly, ...]:
    """Return numerator and denominator as polynomials in g, or nothing where they are none."""
    if not e.is_rational_function(g):
        return ()
    return tuple(sympy.Poly(sympy.expand(part), g) for part in sympy.fraction(sympy.cancel(e)))


def _shape(generator: Expr, p1: Expr, p0: Expr, q1: Expr, q0: Expr) -> _Moebius:
    """Return the quotient with the smallest whole numbers below."""
    if q1.is_Rational and q0.is_Rational and (q1 or q0):
        content = sympy.gcd(q1, q0) * (-1 if q1.is_negative and q0.is_negative else 1)
        p1, p0, q1, q0 = (c / content for c in (p1, p0, q1, q0))
    return _Moebius(generator, p1, p0, q1, q0)


def _joined(form: Expr, shape: _Moebius, rule: str, x: Symbol) -> list[tuple[str, Written]]:
    """Return the line that writes f as one fraction, if it is not written so."""
    fraction = Over(Leaf(shape.p1 * shape.generator + shape.p0), Leaf(shape.bottom))
    return [] if _fraction(form) == fraction or fraction.value(x) == form else [(rule, fraction)]


def _degree_one(e: Expr, g: Symbol, generator: Expr, step: int, low: int) -> _Moebius | None:
    both = _polynomials(sympy.together(e), g)
    if not both or both[1].degree() != 1 or both[0].degree() > 1:
        return None
    p, q = both
    return _shape(generator, *(r.coeff_monomial(g**m) for r in (p, q) for m in (step, low)))


def in_terms_of(numerator: Expr, denominator: Expr, generator: Expr) -> tuple[Expr, Expr]:
    """Write a numerator as c·(denominator − r): add and subtract what is missing. Return (c, r).

    Raises:
        DerivationError: the quotient is no number.
    """
    g = sympy.Dummy("g")
    quotient, remainder = sympy.div(sympy.Poly(numerator.xreplace({generator: g}), g), sympy.Poly(denominator.xreplace({generator: g}), g))
    if quotient.degree() > 0 or quotient.is_zero:
        raise DerivationError(f"{numerator} is no multiple of {denominator} and a rest")
    c = quotient.as_expr()
    return c, -remainder.as_expr() / c


def _odd(e: Expr, x: Symbol) -> _Moebius | None:
    """Return |f| as a quotient of degree one in |x|, for f = x h(|x|)."""
    t = sympy.Dummy("t", positive=True)
    rest = sympy.cancel(e.xreplace({Abs(x): t}) / x)
    return None if x in rest.free_symbols or not e.has(Abs) else _degree_one(t * rest, t, Abs(x), 1, 0)


def _through(shape: _Moebius, f: Expr, x: Symbol, rate: Expr) -> tuple[list[ElementaryLine], Expr | None]:
    """Return the lines from N/d² to a polynomial in f, for a quotient of degree one in a generator with this slope."""
    g, d = shape.generator, shape.bottom
    at = sympy.Dummy("g", real=True)
    slope = sympy.diff((shape.p1 * at + shape.p0) / (shape.q1 * at + shape.q0), at)
    numerator = sympy.cancel(slope * (shape.q1 * at + shape.q0) ** 2) * rate
    constant = shape.p1 / shape.q1 if shape.q1 != 0 else S.Zero
    factor = shape.p0 - constant * shape.q0
    if shape.q1 == 0 or factor == 0 or not d.has(x):
        return [], None
    # 1/d through f, from f = constant + factor/d.
    w = min(sympy.together((f - constant) / factor), sympy.expand((f - constant) / factor), key=lambda e: len(str(e)))
    lines = [ElementaryLine("simplify", Over(Leaf(numerator), Raised(Leaf(d), sympy.Integer(2))))]
    one: Written = Leaf(S.One)
    if numerator.has(x):
        c, rest = in_terms_of(numerator, d, g)
        front: tuple[Written, ...] = () if c == 1 else (Leaf(c),)
        added = Plus((*(Leaf(t) for t in _terms(d, g)), Leaf(-rest)))
        lines.append(
            ElementaryLine(
                f"add and subtract {rest if rest.is_positive else -rest} in the numerator",
                Times((*front, Over(added, Leaf(d)), Over(one, Leaf(d)))),
            )
        )
        split = Plus((one, Times((Leaf(S.NegativeOne), Over(Leaf(rest), Leaf(d))))))
        lines.append(ElementaryLine("split the fraction", Times((*front, split, Over(one, Leaf(d))))))
        inner = _plus(S.One, -rest * w)
        lines.append(ElementaryLine("recognise the function", Times((*front, inner, _leaf(w)))))
        value = c * (1 - rest * w) * w
    else:
        square = Raised(_leaf(w), sympy.Integer(2))
        lines.append(ElementaryLine("recognise the function", square if numerator == 1 else Times((Leaf(numerator), square))))
        return lines, numerator * w**2
    if w == f:
        return lines, value
    shortest = min(_forms(value, f), key=lambda e: (_signed(e), sympy.count_ops(e)))
    if lines[-1].term != Leaf(shortest):
        lines.append(ElementaryLine("multiply out", Leaf(shortest)))
    return lines, shortest


def _forms(value: Expr, f: Symbol) -> tuple[Expr, ...]:
    """Return ways to write a polynomial in f: expanded, factored, and k f (1 − f/c)."""
    expanded = sympy.expand(value)
    lowest = expanded.coeff(f, 1)
    forms = (expanded, sympy.factor(value))
    if expanded.subs(f, 0) == 0 and lowest != 0:
        return (sympy.Mul(lowest, f, sympy.expand(sympy.cancel(expanded / (lowest * f)))), *forms)
    return forms


def _signed(e: Expr) -> bool:
    """Whether a product begins with a minus."""
    return bool(e.is_Mul and e.as_coeff_Mul()[0].is_negative)


def _terms(d: Expr, g: Expr) -> tuple[Expr, ...]:
    """Return a denominator's terms as they are written: the number first."""
    return tuple(sorted(sympy.Add.make_args(d), key=lambda t: (t.has(g), sympy.default_sort_key(t))))


def _leaf(e: Expr) -> Written:
    return _fraction(e) if not e.is_Symbol else Leaf(e)


def _plus(one: Expr, other: Expr) -> Written:
    number, rest = other.as_coeff_Mul()
    if number == -1:
        return Plus((Leaf(one), Times((Leaf(S.NegativeOne), _leaf(rest)))))
    return Plus((Leaf(one), Leaf(other) if not other.is_Add else Leaf(sympy.factor(other))))


def _same(left: Expr, right: Expr) -> bool:
    return bool(left == right)


__all__ = ["derive_elementary", "in_terms_of"]
