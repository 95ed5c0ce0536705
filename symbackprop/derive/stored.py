"""Stored values: an equation read backwards, so that results speak of what the forward pass already holds.

``p = exp(z)/S`` is solved for its single generator exp(z) = p·S and used wherever exp(z[·]) occurs, for any indices. A
declared fact is the same thing given by the user.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import bound_indices, canonical
from symbackprop.algebra.equation import Equation, Fact
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, Reduction, Sum, interval
from symbackprop.algebra.tensor import Access, Tensor


@dataclass(frozen=True)
class Rule:
    """``pattern -> value`` for every value of the pattern's free indices."""

    pattern: Expr
    value: Expr
    variables: tuple[Index, ...]
    #: Whether it is used only where the result is shorter.
    optional: bool = False
    #: What has to stand beside the pattern, as a factor of the same product: p = [m] exp(z)/S knows exp(z) only where m is.
    guards: tuple[Expr, ...] = ()

    @classmethod
    def from_fact(cls, fact: Fact) -> Rule:
        pattern = canonical(fact.lhs)
        return cls(pattern, fact.rhs, _free_indices(pattern))


def _free_indices(e: Expr) -> tuple[Index, ...]:
    return tuple(sorted((s for s in e.free_symbols if isinstance(s, Index)), key=lambda i: i.name))


def stored_rules(equations: tuple[Equation, ...]) -> tuple[Rule, ...]:
    """Return the rules that equations offer: those that can be solved for one generator with all of its indices."""
    rules = []
    for e in equations:
        solved = _solve_for_generator(e)
        if solved is not None:
            rules.append(solved)
            rules += _solve_for_term(solved)
    centred = [r for e in equations for r in _centred(e, rules)]
    return (*rules, *centred)


def _centred(equation: Equation, rules: list[Rule]) -> list[Rule]:
    """Return Σ_j h_j = 0 for h = (x − μ)/σ, where Σ_j x_j is known to be J μ."""
    found = _solve_for_generator(equation)
    if found is None or not isinstance(found.pattern, sympy.Add):
        return []
    made = []
    for term in found.pattern.args:
        for rule in rules:
            total = rule.pattern
            if rule.guards:
                continue
            if not isinstance(term, Access) or not isinstance(total, Sum) or not isinstance(total.body, Access):
                continue
            swap = dict(zip(total.body.index, term.index, strict=True)) if total.body.tensor == term.tensor else {}
            bound = [swap[b] for b in total.bound if b in swap]
            others = found.pattern - term
            if not bound or not all(isinstance(b, Index) for b in bound) or others.free_symbols & set(bound):
                continue
            count = sympy.Mul(*(b.extent for b in bound))
            if sympy.expand(rule.value.xreplace(swap) + count * others) == 0:
                pattern = canonical(Sum(equation.lhs, *bound))
                made.append(Rule(pattern, sympy.S.Zero, _free_indices(pattern)))
    return made


def _solve_for_term(rule: Rule) -> list[Rule]:
    """Solve a known difference for its largest part: from x − μ = h σ follows x = h σ + μ, where differences were multiplied out."""
    if not isinstance(rule.pattern, sympy.Add) or rule.guards:
        return []
    whole = [a for a in rule.pattern.args if isinstance(a, Access) and set(_free_indices(a)) == set(rule.variables)]
    others = [a for a in rule.pattern.args if isinstance(-a, Access) and set(_free_indices(a)) < set(rule.variables)]
    if len(whole) != 1 or len(others) != len(rule.pattern.args) - 1:
        return []
    return [Rule(whole[0], rule.value - sympy.Add(*others), rule.variables, optional=True)]


def _solve_for_generator(equation: Equation) -> Rule | None:
    out: Expr = equation.lhs
    rhs = equation.rhs
    guards: tuple[Expr, ...] = ()
    while True:
        if isinstance(rhs, Reduction | sympy.Function):
            break
        if guards:
            # Only of what they multiply do guards say something.
            return None
        if isinstance(rhs, sympy.Mul) and (guards := tuple(a for a in rhs.args if isinstance(a, Guard))):
            rhs = sympy.Mul(*(a for a in rhs.args if a not in guards))
            if isinstance(rhs, Reduction | sympy.Function):
                break
        if isinstance(rhs, sympy.Add | sympy.Mul):
            hard = [a for a in rhs.args if not _is_read(a) and not a.is_number and not _is_size(a) and not _is_quotient(a)]
            if not hard and isinstance(rhs, sympy.Add) and out != equation.lhs:
                # h = (x − μ)/σ is solved for the difference as a whole: no part of it stands alone in a derivative.
                break
            if not hard and isinstance(rhs, sympy.Mul):
                # h = x/σ, where σ has fewer indices: every x is h σ.
                hard = [a for a in rhs.args if isinstance(a, Access) and set(equation.lhs.index) <= a.free_symbols]
            if len(hard) != 1 or isinstance(hard[0], Guard):
                return None
            rest = rhs.func(*(a for a in rhs.args if a != hard[0]))
            if isinstance(rhs, sympy.Mul) and any(map(_may_vanish, sympy.Mul.make_args(rest))):
                # Solving z·g(z) for g would divide by z, which may be 0.
                return None
            out = out - rest if isinstance(rhs, sympy.Add) else out / rest
            rhs = hard[0]
            continue
        if isinstance(rhs, sympy.Pow) and (rhs.exp == -1 or (abs(rhs.exp) == sympy.Rational(1, 2) and equation.tensor.positive)):
            # The root of something is known where its square is: a root is real only of what is not negative.
            out, rhs = out ** (1 / rhs.exp), rhs.base
            continue
        if isinstance(rhs, Access) and out != equation.lhs and all(map(_is_quotient, sympy.Mul.make_args(equation.rhs / rhs))):
            break
        return None
    pattern = canonical(rhs)
    variables = _free_indices(pattern)
    if set(variables) != set(equation.lhs.index):
        return None
    return Rule(pattern, out, variables, guards=guards)


def _may_vanish(factor: Expr) -> bool:
    """Whether a factor is a value, or a power of one, that may be 0."""
    base, exponent = factor.as_base_exp()
    return isinstance(base, Access) and not base.is_positive and not exponent.is_negative


def _is_read(e: Expr) -> bool:
    """An access, or its negative."""
    return isinstance(-e if e.could_extract_minus_sign() else e, Access)


def _is_size(e: Expr) -> bool:
    return not e.atoms(Access) and not e.has(Reduction)


def _is_quotient(e: Expr) -> bool:
    """A reciprocal of an access: 1/S[n]."""
    return isinstance(e, sympy.Pow) and isinstance(e.base, Access) and bool(e.exp.is_Integer)


def apply_rules(e: Expr, rules: tuple[Rule, ...]) -> Expr:
    """Replace every instance of a rule's pattern by its value, outermost first."""
    if not rules or not e.args:
        return e
    if isinstance(e, sympy.Mul):
        e = _apply_guarded(e, rules)
        if not isinstance(e, sympy.Mul):
            return apply_rules(e, rules)
    for rule in rules:
        if type(rule.pattern) is type(e) and not rule.guards:
            bound = match(rule.pattern, e, set(rule.variables), {})
            if bound is not None:
                return rule.value.xreplace(bound)
            if isinstance(e, sympy.Add) and isinstance(rule.pattern, sympy.Add):
                bound = match(rule.pattern, -e, set(rule.variables), {})
                if bound is not None:
                    return -rule.value.xreplace(bound)
    if isinstance(e, Guard | Access):
        return e
    return e.func(*(apply_rules(a, rules) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))


def _apply_guarded(e: sympy.Mul, rules: tuple[Rule, ...]) -> Expr:
    """Use the rules whose guards stand in a product. The value is 0 where a guard is, so that the guard may go."""
    for rule in rules:
        if not rule.guards:
            continue
        for f in e.args:
            if type(f) is not type(rule.pattern):
                continue
            bound = match(rule.pattern, f, set(rule.variables), {})
            if bound is None:
                continue
            guards = tuple(g.xreplace(bound) for g in rule.guards)
            if not set(guards) <= set(e.args):
                continue
            rest = sympy.Mul(*(a for a in e.args if a != f and a not in guards))
            # What is read only where a guard holds, or finite only there, keeps it.
            kept = S.One if _everywhere(rest) else sympy.Mul(*guards)
            made = rest * kept * rule.value.xreplace(bound)
            return _apply_guarded(made, rules) if isinstance(made, sympy.Mul) else made
    return e


def _everywhere(e: Expr) -> bool:
    """Whether an expression has a finite value at every place: whole axes are read, and no function may overflow."""
    if e.has(sympy.log, sympy.exp) or any(p.exp.is_negative and not p.base.is_positive for p in e.atoms(sympy.Pow)):
        return False
    return all(
        isinstance(i, Index) and i.extent == axis.extent for a in e.atoms(Access) for i, axis in zip(a.index, a.tensor.axes, strict=True)
    )


_Binding = dict[sympy.Basic, sympy.Basic]


def match(pattern: sympy.Basic, e: sympy.Basic, variables: set[Index], found: _Binding) -> _Binding | None:
    """Match one-sidedly: only the pattern's free indices are variables. Return what they stand for, or None."""
    if isinstance(pattern, Index) and pattern in variables:
        if pattern in found:
            return found if found[pattern] == e else None
        if isinstance(e, Index) and e.extent != pattern.extent:
            return None
        return {**found, pattern: e}
    if pattern == e and not (pattern.free_symbols & variables):
        return found
    if type(pattern) is not type(e) or len(pattern.args) != len(e.args) or not pattern.args or isinstance(pattern, Tensor):
        return None
    if isinstance(pattern, Reduction):
        if pattern.bound != e.bound:
            # Canonical names differ where the nesting depth does: bring the candidate's to the pattern's.
            if tuple(b.extent for b in pattern.bound) != tuple(b.extent for b in e.bound):
                return None
            if bound_indices(pattern.body):
                return None
            e = pattern.func(e.body.xreplace(dict(zip(e.bound, pattern.bound, strict=True))), *pattern.bound)
        return match(pattern.body, e.args[0], variables - set(pattern.bound), found)
    if isinstance(pattern, Access) and not _within(pattern, e, variables):
        return None
    if isinstance(pattern, sympy.Add | sympy.Mul):
        return _match_unordered(list(pattern.args), list(e.args), variables, found)
    for p, a in zip(pattern.args, e.args, strict=True):
        result = match(p, a, variables, found)
        if result is None:
            return None
        found = result
    return found


def _within(pattern: Access, e: Access, variables: set[Index]) -> bool:
    """Whether what an access reads is stored: of an axis that a rule covers in part, only that part is."""
    for axis, p, part in zip(pattern.tensor.axes, pattern.index, e.index, strict=True):
        if p in variables and p.extent != axis.extent and not isinstance(part, Index):
            low, high = interval(part)
            if low is None or high is None or not low.is_nonnegative or not (p.extent - 1 - high).is_nonnegative:
                return False
    return True


def _match_unordered(
    patterns: list[sympy.Basic], args: list[sympy.Basic], variables: set[Index], found: dict[sympy.Basic, sympy.Basic]
) -> dict[sympy.Basic, sympy.Basic] | None:
    if not patterns:
        return found
    first, *rest = patterns
    for k, a in enumerate(args):
        result = match(first, a, variables, found)
        if result is not None:
            done = _match_unordered(rest, args[:k] + args[k + 1 :], variables, result)
            if done is not None:
                return done
    return None
