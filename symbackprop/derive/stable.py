"""Numerically stable forms, chosen by rewriting: log-sum-exp, softplus, sigmoid, expm1, log1p.

Textbook equations are what is derived and printed; these forms are what is computed. A logarithm or a quotient looks
through a stored value into its definition where that makes it stable: log p with p = exp(z)/S becomes z − lse(z).
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical, rename
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Abs, ArgMax, Expm1, Guard, Log1p, LogSumExp, Max, Reduction, Sigmoid, Softplus, Sum
from symbackprop.algebra.tensor import Access

_Definitions = Mapping[str, Equation]


def stabilize(e: Expr, definitions: _Definitions) -> Expr:
    """Return an expression of the same value that neither overflows nor cancels where the given one would.

    Args:
        e: the expression, with canonical bound names.
        definitions: equations of stored values that may be looked through, by tensor name.
    """
    return canonical(_walk(rename(e, set()), definitions))


def selected(e: Expr) -> Expr:
    """Return a product without its guards inside its other factors, where they hold: [m] f([m] u) is [m] f(u)."""
    factors = sympy.Mul.make_args(e)
    guards = [f for f in factors if isinstance(f, Guard)]
    here: dict[Expr, Expr] = dict.fromkeys(guards, S.One)
    return sympy.Mul(*guards, *(f.xreplace(here) for f in factors if f not in guards)) if guards else e


def looks_through(e: Expr) -> tuple[str, ...]:
    """Return the names of tensors whose definition a stable form may need: those under a logarithm."""
    names = []
    for node in sympy.preorder_traversal(e):
        if isinstance(node, sympy.log):
            names += [a.tensor.name for a in node.args[0].atoms(Access)]
    return tuple(sorted(set(names)))


def _walk(e: Expr, definitions: _Definitions) -> Expr:
    if isinstance(e, Access) or not e.args:
        return e
    if isinstance(e, Guard | ArgMax):
        return e
    if isinstance(e, Reduction):
        return e.func(_walk(e.body, definitions), *e.bound)
    if isinstance(e, sympy.log):
        seen = _see_through(e.args[0], definitions)
        if seen is not None:
            return seen
    if isinstance(e, sympy.Mul):
        quotient = _softmax_quotient(e, definitions)
        if quotient is not None:
            return _walk(quotient, definitions)
    e = e.func(*(_walk(a, definitions) for a in e.args))
    return primitive(e)


def primitive(e: Expr) -> Expr:
    """Apply the local rewrites to one node whose arguments are done."""
    if isinstance(e, sympy.Pow):
        u = _one_plus_exp(e.base)
        if u is not None and e.exp.is_Integer and e.exp < 0:
            return Sigmoid(-u) ** (-e.exp)
    elif isinstance(e, sympy.Mul):
        return _product(e)
    elif isinstance(e, sympy.Add):
        return _sum(e)
    elif isinstance(e, sympy.log):
        return _log(e.args[0]) or e
    return e


def _one_plus_exp(e: Expr) -> Expr | None:
    """Return u for 1 + exp(u)."""
    if isinstance(e, sympy.Add) and len(e.args) == 2 and e.args[0] == 1 and isinstance(e.args[1], sympy.exp):
        return e.args[1].args[0]
    return None


def _product(e: sympy.Mul) -> Expr:
    """exp(u)·σ(−u) = σ(u) and sinh(u)/cosh(u) = tanh(u)."""
    for f in e.args:
        if isinstance(f, sympy.sinh) and 1 / sympy.cosh(f.args[0]) in e.args:
            rest = (g for g in e.args if g not in (f, 1 / sympy.cosh(f.args[0])))
            return _product_again(sympy.Mul(*rest) * sympy.tanh(f.args[0]))
    exps = [f for f in e.args if isinstance(f, sympy.exp)]
    for f in e.args:
        base, power = f.as_base_exp()
        if not isinstance(base, Sigmoid) or not power.is_Integer or power < 1:
            continue
        for x in exps:
            times = sympy.cancel(-x.args[0] / base.args[0])
            if times.is_Integer and 1 <= times <= power:
                rest = sympy.Mul(*(g for g in e.args if g not in (f, x)))
                return _product_again(rest * base ** (power - times) * Sigmoid(-base.args[0]) ** times)
    return e


def _product_again(e: Expr) -> Expr:
    return _product(e) if isinstance(e, sympy.Mul) else e


def _sum(e: sympy.Add) -> Expr:
    """1 − σ(u) = σ(−u), c·exp(u) − c = c·expm1(u), 1 − tanh²… is left alone."""
    constant, rest = e.as_coeff_Add()
    if constant == 0:
        return e
    for term in sympy.Add.make_args(rest):
        factor, core = term.as_coeff_Mul()
        if factor != -constant:
            continue
        others = rest - term
        if isinstance(core, Sigmoid):
            return others + constant * Sigmoid(-core.args[0])
        if isinstance(core, sympy.exp):
            return others + factor * Expm1(core.args[0])
    return e


def _log(u: Expr) -> Expr | None:
    inner = _one_plus_exp(u)
    if inner is not None:
        return Softplus(inner)
    if isinstance(u, Sigmoid):
        return -Softplus(-u.args[0])
    if isinstance(u, sympy.exp):
        return u.args[0]
    if isinstance(u, sympy.cosh):
        size = Abs(u.args[0])
        return size + Log1p(sympy.exp(-2 * size)) - sympy.log(2)
    if isinstance(u, Sum) and (whole := _log_sum_exp(u)) is not None:
        return whole
    if isinstance(u, sympy.Add) and u.args[0] == 1 and not any(isinstance(a, Access) for a in u.args[1:]):
        return Log1p(u - 1)
    if isinstance(u, sympy.Mul):
        # Logarithms of quotients with exponentials: log(exp(a)/b) = a − log b.
        if any(isinstance(f, sympy.exp) for f in u.args) and all(f.is_positive for f in u.args):
            return sympy.Add(*(_log(f) or sympy.log(f) for f in u.args))
    if isinstance(u, sympy.Pow) and u.exp.is_Integer and u.base.is_positive:
        return u.exp * (_log(u.base) or sympy.log(u.base))
    return None


def _log_sum_exp(total: Sum) -> Expr | None:
    """Return log Σ exp(u); where guards say which terms there are, the others count as exp(−∞): u + log [guard]."""
    factors = sympy.Mul.make_args(total.body)
    exps = [f for f in factors if isinstance(f, sympy.exp)]
    guards = [f for f in factors if isinstance(f, Guard)]
    if len(exps) != 1 or len(exps) + len(guards) < len(factors):
        return None
    (u,) = exps[0].args
    if guards:
        # What a guard excludes is not read; an infinity there would be no −∞ any more.
        seen = sympy.Mul(*guards)
        u = seen * u + sympy.log(seen)
    return LogSumExp(u, *total.bound)


def _define(access: Access, definitions: _Definitions) -> Expr | None:
    equation = definitions.get(access.tensor.name)
    if equation is None:
        return None
    taken = {s.name for s in access.free_symbols if isinstance(s, Index)}
    body = rename(equation.rhs, taken | {i.name for i in equation.lhs.index})
    return body.xreplace(dict(zip(equation.lhs.index, access.index, strict=True)))


def _see_through(u: Expr, definitions: _Definitions) -> Expr | None:
    """Return a stable log(u) with the stored values in u written out, or None where that does not help."""
    accesses = sorted((a for a in u.atoms(Access) if a.tensor.name in definitions), key=str)
    if not accesses:
        return None
    swap = {a: d for a in accesses if (d := _define(a, definitions)) is not None and _exponential(d)}
    if not swap:
        return None
    result = _log_of(u.xreplace(swap), definitions)
    if result is None:
        return None
    still = {a.tensor.name for n in sympy.preorder_traversal(result) if isinstance(n, sympy.log) for a in n.atoms(Access)}
    return None if still & set(definitions) else result


def _log_of(u: Expr, definitions: _Definitions) -> Expr | None:
    total = S.Zero
    for f in sympy.Mul.make_args(u):
        base, power = f.as_base_exp() if isinstance(f, sympy.Pow) and not isinstance(f, sympy.exp) else (f, S.One)
        if isinstance(base, Access):
            inner = _define(base, definitions)
            if inner is None:
                total = total + power * sympy.log(base)
                continue
            base = inner
        done = primitive(_walk(base, definitions)) if not isinstance(base, Sum | sympy.exp) else base
        one = _log(done)
        if one is None:
            return None
        total = total + power * _walk(one, definitions)
    return total


def _exponential(e: Expr) -> bool:
    """Whether a logarithm of this can be opened: it is made of exponentials, without guards or maxima."""
    return e.has(sympy.exp) and not e.has(Guard, Max, ArgMax)


def _softmax_quotient(e: sympy.Mul, definitions: _Definitions) -> Expr | None:
    """exp(u)/Σ exp(v) = exp(u − lse(v)), also where the sum is a stored value."""
    exps = [f for f in e.args if isinstance(f, sympy.exp)]
    if len(exps) != 1:
        return None
    for f in e.args:
        if not isinstance(f, sympy.Pow) or f.exp != -1:
            continue
        base = f.base
        if isinstance(base, Access):
            base = _define(base, definitions)
        if isinstance(base, Sum) and (total := _log_sum_exp(base)) is not None:
            rest = sympy.Mul(*(g for g in e.args if g not in (f, exps[0])))
            return rest * sympy.exp(exps[0].args[0] - total)
    return None
