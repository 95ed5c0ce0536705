"""The one rule: what an equation sends back to the tensors that it reads.

    out[I] = φ(…, A[h(I, R)], …)    ⇒    gA[P] += Σ_{I, R : h(I, R) = P} g[I] · ∂φ/∂A

SymPy differentiates scalars only; sums are walked into, never differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import fresh, rename
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Floor, Guard, Indicator, InRange, LogSumExp, Max, Reduction, Sum, interval
from symbackprop.algebra.tensor import Access
from symbackprop.errors import DerivationError


@dataclass(frozen=True)
class Term:
    """One contribution: ``Σ over bound of coefficient`` flows to the entry ``access``."""

    access: Access
    coefficient: Expr
    bound: tuple[Index, ...]


def differentiate(expr: Expr, seed: Expr, bound: tuple[Index, ...], wanted: Set[str], taken: set[str]) -> Iterator[Term]:
    """Yield every contribution of ``expr`` to the tensors named in ``wanted``.

    Args:
        expr: the right side, with bound names unique and apart from ``taken``.
        seed: what arrives from above: the cotangent of the left side.
        bound: the indices over which the contribution is summed.
        wanted: names of the tensors to differentiate with respect to.
        taken: index names in use; grows.
    """
    phi, atoms = _open(expr)
    for atom, dummy in atoms:
        if not _touches(atom, wanted):
            continue
        slope = sympy.diff(phi, dummy).xreplace({d: a for a, d in atoms})
        if slope == 0:
            continue
        if isinstance(atom, Access):
            yield Term(atom, seed * slope, bound)
        elif isinstance(atom, Sum | LogSumExp | Max):
            inner = rename(atom, taken)
            if isinstance(inner, LogSumExp):
                # log Σ exp(b), differentiated as what it stands for.
                total = rename(Sum(sympy.exp(inner.body), *inner.bound), taken)
                yield from differentiate(total, seed * slope / total, bound, wanted, taken)
            elif isinstance(inner, Sum):
                yield from differentiate(inner.body, seed * slope, bound + inner.bound, wanted, taken)
            else:
                pairs = zip(atom.bound, inner.bound, strict=True)
                chosen = sympy.Mul(*(Indicator(sympy.Eq(b, ArgMax(atom.body, a, *atom.bound))) for a, b in pairs))
                yield from differentiate(inner.body, seed * slope * chosen, bound + inner.bound, wanted, taken)
        else:
            raise DerivationError(f"no derivative rule reaches into {type(atom).__name__}: {atom}")


def _open(expr: Expr) -> tuple[Expr, list[tuple[Expr, sympy.Dummy]]]:
    """Replace every outermost access or reduction by a real dummy; guards keep theirs, for they are not differentiated."""
    atoms: dict[Expr, sympy.Dummy] = {}

    def walk(e: Expr) -> Expr:
        if isinstance(e, Access | Reduction):
            if e not in atoms:
                positive = True if e.is_positive else None
                atoms[e] = sympy.Dummy(f"d{len(atoms)}", real=True, positive=positive)
            return atoms[e]
        if isinstance(e, Guard | ArgMax) or not e.args:
            return e
        return e.func(*(walk(a) for a in e.args))

    return walk(expr), list(atoms.items())


def _touches(expr: Expr, wanted: Set[str]) -> bool:
    return any(a.tensor.name in wanted for a in expr.atoms(Access))


def contract(h: tuple[Expr, ...], target: tuple[Index, ...], coefficient: Expr, bound: tuple[Index, ...], taken: set[str]) -> Expr:
    """Solve the deltas h_k = P_k for summed indices and return the sum that is left.

    Each axis is solved for one summed index where that is exact; the value found must lie in the index's range, which a
    guard states unless it is certain. An axis that cannot be solved keeps the comparison [P = h] and its sum.
    """
    # In the coefficient the delta already holds, so a composite index expression may be called P there: padding guards vanish.
    places = {part: p for part, p in zip(h, target, strict=True) if not isinstance(part, Index) and not part.is_Number}
    # But P may run further than a shorter tensor reaches that is read at the same label.
    short = {a: sympy.Dummy() for a in coefficient.atoms(Access) if _reaches_less(a, places)} if places else {}
    # That a label need not be in range is not to be forgotten: where [P = label] is summed over P it is taken to be.
    stated = {g: sympy.Dummy() for g in coefficient.atoms(InRange) if g.args[0] in places and g.args[0].has(Access)}
    back = {dummy: a for a, dummy in short.items()} | {dummy: g * g.xreplace(places) for g, dummy in stated.items()}
    coefficient = coefficient.xreplace({**short, **stated}).xreplace(places).xreplace(back)
    pending: list[tuple[Expr, Expr]] = sorted(zip(h, target, strict=True), key=lambda pair: not isinstance(pair[0], Index))
    remaining = list(bound)
    while pending:
        part, p = pending.pop(0)
        found = _solve(part, p, remaining, taken)
        if found is None:
            coefficient = coefficient * Indicator(sympy.Eq(p, part))
            continue
        swap = {found.index: found.value}
        coefficient = coefficient.xreplace(swap) * found.guard
        pending = [*found.left, *((other.xreplace(swap), q) for other, q in pending)]
        remaining.remove(found.index)
        remaining.extend(found.new)
    return _drop_unit_extents(coefficient, tuple(remaining))


def _reaches_less(a: Access, places: Mapping[Expr, Index]) -> bool:
    """Whether a tensor is read at a label that is an address of a longer axis."""
    return any(
        part in places and part.has(Access) and (places[part].extent - axis.extent).is_positive
        for part, axis in zip(a.index, a.tensor.axes, strict=True)
    )


def _drop_unit_extents(coefficient: Expr, bound: tuple[Index, ...]) -> Expr:
    unit = {b: S.Zero for b in bound if b.extent == 1}
    return Sum(coefficient.xreplace(unit) if unit else coefficient, *(b for b in bound if b not in unit))


@dataclass(frozen=True)
class _Solution:
    """What makes an index expression equal to its target: a value for one index, where it lies in range.

    Attributes:
        index: the summed index that is solved for.
        value: what it is.
        guard: when it is in range.
        new: indices that are summed instead.
        left: (expression, target) pairs that must hold besides.
    """

    index: Index
    value: Expr
    guard: Expr
    new: tuple[Index, ...] = ()
    left: tuple[tuple[Expr, Expr], ...] = ()


def _solve(part: Expr, p: Expr, remaining: list[Index], taken: set[str]) -> _Solution | None:
    """Return what makes ``part == p``, or None."""
    if isinstance(part, Index):
        return _Solution(part, p, InRange(p, part.extent)) if part in remaining else None
    if isinstance(part, Floor):
        # floor(b/c) = P has the c solutions b = c P + t.
        factor, base = part.args[0].as_independent(*remaining, as_Add=False)
        step = 1 / factor
        if base in remaining and step.is_integer and step.is_positive:
            t = fresh(Index("t", step), taken)
            taken.add(t.name)
            value = step * p + t
            return _Solution(base, value, InRange(value, base.extent), (t,))
        return None
    hidden = {s for node in part.atoms(Access, Floor) for s in node.free_symbols}
    candidates = []
    for b in remaining:
        if b in hidden or b not in part.free_symbols:
            continue
        slope = sympy.expand(part).coeff(b, 1)
        rest = sympy.expand(part - slope * b)
        if slope == 0 or b in rest.free_symbols or any(isinstance(s, Index) for s in slope.free_symbols):
            continue
        candidates.append((slope not in (1, -1), b, slope, rest))
    candidates.sort(key=lambda c: c[0])
    if not candidates:
        return None
    digits = [s for inexact, *s in candidates if inexact]
    for b, slope, rest in digits:
        # c b + r = P with r in c consecutive places: b and r are the quotient and the remainder, and nothing is left to sum.
        low, high = interval(rest)
        if slope.is_positive and rest.free_symbols & set(remaining) and low is not None and high is not None:
            if (slope - 1 - (high - low)).is_nonnegative:
                value = Floor((p - low) / slope)
                return _Solution(b, value, InRange(value, b.extent), left=((rest, sympy.expand(p - slope * value)),))
    inexact, b, slope, rest = candidates[0]
    if not inexact:
        value = sympy.expand((p - rest) / slope)
        return _Solution(b, value, InRange(value, b.extent))
    value = Floor((p - rest) / slope)
    return _Solution(b, value, Divides(slope, p - rest) * InRange(value, b.extent))
