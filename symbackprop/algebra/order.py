"""The order in which people write factors and terms: what index forms and matrix forms have in common."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, S

from symbackprop.algebra.nodes import Guard, Reduction
from symbackprop.algebra.tensor import Access

_ROLE = {"parameter": 0, "state": 0, "cotangent": 1, "tangent": 1}


def signed_factors(product: Expr, free: Sequence[Expr] = ()) -> tuple[Expr, tuple[Expr, ...]]:
    """Return (number, factors in reading order) of a product, with the sign moved into a difference where there is one.

    −(a − 1) a becomes (1, (a, 1 − a)); −(y − p) becomes (1, (p − y,)).

    Args:
        product: the expression; anything that is no product is a single factor.
        free: the indices on the left side, in order: δ[i] a[j] rather than a[j] δ[i] for an entry [i, j].
    """
    number, rest = product.as_coeff_Mul()
    factors = list(sympy.Mul.make_args(rest)) if rest is not S.One else []
    if number.is_negative:
        flips = [k for k, f in enumerate(factors) if isinstance(f, sympy.Add) and any(_negative(t) for t in f.args)]
        with_number = [k for k in flips if any(t.is_number and _negative(t) for t in factors[k].args)]
        for k in (with_number or flips)[:1]:
            factors[k] = sympy.Add(*(-t for t in factors[k].args))
            number = -number
    return number, tuple(sorted(factors, key=lambda f: _factor_key(f, free)))


def ordered_terms(total: Expr) -> tuple[Expr, ...]:
    """Return the terms of a sum in reading order: contractions first, then positive terms, then negative ones."""
    return tuple(sorted(sympy.Add.make_args(total), key=lambda t: _term_key(t)))


def _negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _term_key(term: Expr) -> tuple[object, ...]:
    number = term.as_coeff_Mul()[0]
    size = 0 if term.has(Reduction) else 1
    rank = min((_ROLE.get(a.tensor.role, 2) for a in term.atoms(Access)), default=-1)
    # A number comes first (1 − a), a bias after its product (W x + b), what is subtracted last (p − y).
    first = {-1: 0, 1: 1, 2: 2, 0: 3}[rank] if size else 1
    return (number.is_negative is True, first, size, sympy.default_sort_key(term))


def _factor_key(factor: Expr, free: Sequence[Expr]) -> tuple[object, ...]:
    accesses = factor.atoms(Access)
    tensors = {a.tensor for a in accesses}
    if isinstance(factor, Access):
        position = min((free.index(part) for part in factor.index if part in free), default=-1)
        return (2, _ROLE.get(factor.tensor.role, 2), position, sympy.default_sort_key(factor))
    if isinstance(factor, Guard):
        return (5, 0, 0, sympy.default_sort_key(factor))
    if not accesses:
        return (0, 0, 0, sympy.default_sort_key(factor))
    contracts = factor.has(Reduction) or any(t.role in ("cotangent", "tangent") for t in tensors)
    if contracts:
        return (1, 0, 0, sympy.default_sort_key(factor))
    if isinstance(factor, sympy.Add):
        return (1, 1, 0, sympy.default_sort_key(factor)) if len(tensors) > 1 else (3, 0, 0, sympy.default_sort_key(factor))
    return (4, 0, 0, sympy.default_sort_key(factor))


__all__ = ["ordered_terms", "signed_factors"]
