"""Named rewrites that bring a sum over contributions into textbook form. None changes a value.

All are near linear in the size of the expression; there is no general simplification. Every rule is applied through
`Trace.rewrite`, which records a step exactly where something changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical
from symbackprop.algebra.equation import Fact, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, Indicator, InRange, Reduction, Sum
from symbackprop.algebra.tensor import Access
from symbackprop.derive.records import Step
from symbackprop.derive.stored import Rule, apply_rules


@dataclass
class Trace:
    """The steps made so far towards one cotangent."""

    lhs: Access
    steps: list[Step] = field(default_factory=list)

    def rewrite(self, rule: str, before: Expr, after: Expr) -> Expr:
        """Record ``before -> after`` under the rule's name if it changed anything; return ``after``."""
        if before != after:
            self.steps.append(Step(rule, _raw(self.lhs, before), _raw(self.lhs, after), rewrites=True))
        return after


def normalize(expr: Expr, trace: Trace, rules: tuple[Rule, ...] = (), facts: tuple[Fact, ...] = ()) -> Expr:
    """Apply the rewrites, in their order, until nothing changes any more."""
    given = tuple(Rule.from_fact(f) for f in facts)
    optional = tuple(r for r in rules if r.optional)
    rules = tuple(r for r in rules if not r.optional)
    order: tuple[tuple[str, Callable[[Expr], Expr]], ...] = (
        ("contract labels", contract_comparisons),
        ("pull constants out of the sum", tidy_sums),
        ("use stored values", lambda e: apply_rules(e, rules)),
        ("cancel", cancel),
        ("use stored values", lambda e: shorter(e, optional)),
        ("use the declared fact", lambda e: apply_rules(e, given)),
        ("split sums that vanish or are known", lambda e: split_known(e, rules + given)),
    )
    expr = canonical(expr)
    for _ in range(6):
        start = expr
        for name, rule in order:
            expr = trace.rewrite(name, expr, canonical(rule(expr)))
        if expr == start:
            break
    return trace.rewrite("factor", expr, collect(expr))


def shorter(e: Expr, rules: tuple[Rule, ...]) -> Expr:
    """Use rules and cancel, if that leaves less."""
    used = apply_rules(e, rules)
    if used == e:
        return e
    made = cancel(used)
    return made if _weight(made) < _weight(e) else e


def tidy_sums(e: Expr) -> Expr:
    """Pull factors without a bound index out, drop unused indices, merge nested sums."""
    if not e.args or not e.has(Reduction, ArgMax):
        return e
    e = e.func(*(tidy_sums(a) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))
    return _tidy(e) if isinstance(e, Sum) else e


def _tidy(e: Sum) -> Expr:
    body, bound = e.body, e.bound
    outside: list[Expr] = []
    while True:
        if isinstance(body, Sum):
            body, bound = body.body, bound + body.bound
            continue
        content, body = body.as_content_primitive() if isinstance(body, sympy.Add) else (S.One, body)
        if content != 1:
            outside.append(content)
        factors = sympy.Mul.make_args(body)
        free = [f for f in factors if not (f.free_symbols & set(bound))]
        inside = [f for f in factors if f.free_symbols & set(bound)]
        used = set().union(*(f.free_symbols for f in inside)) if inside else set()
        unused = [b for b in bound if b not in used]
        if free or unused:
            outside += [*free, *(b.extent for b in unused)]
            bound = tuple(b for b in bound if b in used)
            body = sympy.Mul(*inside)
            if isinstance(body, Sum):
                continue
        return sympy.Mul(*outside, Sum(body, *bound)) if bound else sympy.Mul(*outside, body)


def contract_comparisons(e: Expr) -> Expr:
    """Σ_k [k = e] b(k) = b(e), for an index k summed over its whole range."""
    if not e.args or not e.has(Indicator, InRange):
        return e
    e = e.func(*(contract_comparisons(a) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))
    if not isinstance(e, Sum):
        return e
    for factor in sympy.Mul.make_args(e.body):
        if not isinstance(factor, Indicator) or not isinstance(factor.condition, sympy.Eq):
            continue
        for k, value in (factor.condition.args, factor.condition.args[::-1]):
            # A place that is searched for is compared with; it is never an address.
            if k in e.bound and k not in value.free_symbols and not value.has(ArgMax):
                rest = sympy.Mul(*(f for f in sympy.Mul.make_args(e.body) if f != factor)).xreplace({k: value})
                left = tuple(b for b in e.bound if b != k)
                # A label lies in the range of the axis that it names: that is checked where data enters.
                guard = S.One if isinstance(value, Access) and value.tensor.integer else InRange(value, k.extent)
                return contract_comparisons(Sum(rest * guard, *left))
    return e


def split_known(e: Expr, rules: tuple[Rule, ...]) -> Expr:
    """Split a sum of a sum where that makes a part simpler: a term that is a known value or needs no sum any more."""
    if not e.args or not e.has(Sum):
        return e
    e = e.func(*(split_known(a, rules) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))
    if not isinstance(e, Sum):
        return e
    body = e.body
    terms = sympy.Add.make_args(body)
    if len(terms) == 1 and isinstance(body, sympy.Mul):
        sums = [f for f in body.args if isinstance(f, sympy.Add)]
        if len(sums) == 1:
            rest = body / sums[0]
            terms = tuple(t * rest for t in sums[0].args)
    if len(terms) < 2:
        return e
    parts = []
    simpler = False
    for term in terms:
        part = tidy_sums(Sum(term, *e.bound))
        known = cancel(apply_rules(canonical(tidy_sums(contract_comparisons(part))), rules))
        simpler |= not known.has(Sum) or known.count(Sum) < part.count(Sum)
        parts.append(known)
    return sympy.Add(*parts) if simpler else e


def _as_symbols(e: Expr) -> tuple[Expr, dict[sympy.Dummy, Expr]]:
    """Replace everything that is no sum, product or integer power by dummies, so that rational rewrites see through it."""
    atoms: dict[Expr, sympy.Dummy] = {}

    def walk(node: Expr) -> Expr:
        if isinstance(node, sympy.Add | sympy.Mul):
            return node.func(*(walk(a) for a in node.args))
        if isinstance(node, sympy.Pow) and node.exp.is_Integer:
            return walk(node.base) ** node.exp
        if node.is_Number:
            return node
        if node not in atoms:
            atoms[node] = sympy.Dummy(f"a{len(atoms):03d}", real=True, positive=True if node.is_positive else None)
        return atoms[node]

    return walk(e), {d: a for a, d in atoms.items()}


def cancel(e: Expr) -> Expr:
    """Cancel common factors of quotients, inside sums too, and keep the result only where it is shorter."""
    if not e.args:
        return e
    if isinstance(e, Reduction):
        return e.func(cancel(e.body), *e.bound)
    if not any(isinstance(p.exp, sympy.Integer) and p.exp < 0 and not p.base.is_Symbol for p in e.atoms(sympy.Pow)):
        return e
    if e.has(Reduction) and not isinstance(e, Guard | Access):
        swap = {r: cancel(r) for r in _outer_reductions(e)}
        e = e.xreplace({k: v for k, v in swap.items() if k != v})
    plain, back = _as_symbols(e)
    if sympy.count_ops(plain) > 120 or any(a.has(sympy.Function) for a in back.values() if not isinstance(a, Access | Guard | Reduction)):
        # Expanding (1 + exp(-z))² would give up the form in which it is stable.
        return e
    try:
        short = sympy.factor_terms(sympy.cancel(plain))
    except (sympy.PolynomialError, NotImplementedError):
        return e
    if _weight(short) < _weight(plain):
        return short.xreplace(back)
    return e


def _outer_reductions(e: Expr) -> list[Reduction]:
    found: list[Reduction] = []

    def walk(node: Expr) -> None:
        if isinstance(node, Reduction):
            if node not in found:
                found.append(node)
        elif not isinstance(node, Guard | Access):
            for a in node.args:
                walk(a)

    walk(e)
    return found


def _weight(e: Expr) -> int:
    """Operations, with a division counted as three, so that a polynomial beats an equal quotient."""
    divisions = sum(1 for p in sympy.preorder_traversal(e) if isinstance(p, sympy.Pow) and p.exp.is_negative)
    return int(sympy.count_ops(e)) + 2 * divisions


def collect(e: Expr) -> Expr:
    """Take factors that all terms share out of a sum: p/N − y/N becomes (p − y)/N."""
    if isinstance(e, Reduction):
        return e.func(collect(e.body), *e.bound)
    if isinstance(e, Access | Guard) or not e.args:
        return e
    e = e.func(*(collect(a) for a in e.args))
    if isinstance(e, sympy.Mul) and len(e.args) > 2:
        parts = [a.primitive() if isinstance(a, sympy.Add) else (S.One, a) for a in e.args]
        return sympy.Mul(*(c for c, _ in parts), *(a for _, a in parts))
    if not isinstance(e, sympy.Add):
        return e
    plain, back = _as_symbols(e)
    factored = sympy.factor_terms(plain)
    if factored != plain and sympy.count_ops(factored) <= sympy.count_ops(plain):
        return factored.xreplace(back)
    return e
