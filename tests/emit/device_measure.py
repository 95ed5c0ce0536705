"""How far results may be from what the equations say.

An error is relative to the largest entry of the tensor that it is in. That is no measure for a gradient which is a difference of large
numbers: the gradient of a bias before a batch normalization is exactly 0, and of no arithmetic but an exact one. Such a tensor is
measured by its *terms*: its own equation in numbers, with the absolute value of every term in place of the term. Rounding a sum of
terms t is an error of the size ε Σ|t|, whatever they add up to, and a kernel that leaves out a term, turns a sign or forgets a factor
is wrong by about as much as a term, which is a million times more.

Whether a tensor is measured in this way follows from the equations and the data alone, never from what a kernel computes: one rounding
of its terms, ε Σ|t|, is more than what its largest entry may be wrong. Everywhere else the largest entry is the measure. A tensor that
cancels so has more rounding than its value tells, so the equations of gradients that read it read its terms in place of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.interpret import evaluate_equation

#: Largest errors, relative to the largest entry of what is compared or to its terms.
TOLERANCE = {"float32": 2e-6, "float64": 1e-10}
#: By so much the terms of a tensor that cancels exceed its largest entry: 17 times in float32, 450,000 times in float64.
CANCELS = {dtype: tolerance / float(np.finfo(dtype).eps) for dtype, tolerance in TOLERANCE.items()}


def terms(e: Expr) -> Expr:
    """Return an expression with the absolute value of each of its terms: |a| + |b| for a - b, |a| (|b| + |c|) for a (b - c)."""
    if isinstance(e, sympy.Add | sympy.Mul):
        return e.func(*map(terms, e.args))
    if isinstance(e, nodes.Sum):
        return nodes.Sum(terms(e.body), *e.bound)
    if isinstance(e, sympy.Pow) and e.exp.is_Integer and e.exp > 0:
        return terms(e.base) ** e.exp
    if isinstance(e, nodes.Guard) or e.is_Symbol:
        return e
    return abs(e) if e.is_Number else nodes.Abs(e)


@dataclass(frozen=True)
class Expected:
    """What the equations say.

    Attributes:
        results: values by name.
        gradients: name of a result -> the tensor that it is.
        backward: the equations of gradients, in the order of computing.
        values: of every tensor.
        sizes: the value of each symbolic size.
    """

    results: dict[str, np.ndarray]
    gradients: Mapping[str, str] = field(default_factory=dict)
    backward: tuple[Equation, ...] = ()
    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    sizes: Mapping[Expr, Expr] = field(default_factory=dict)

    @cached_property
    def cancelled(self) -> dict[str, dict[str, float]]:
        """For each type the largest terms of each gradient that is small beside them."""
        return {dtype: self.small(factor) for dtype, factor in CANCELS.items()}

    def small(self, factor: float) -> dict[str, float]:
        """Return the largest terms of each gradient that they exceed by a factor."""
        read, found = dict(self.values), {}
        for e in self.backward:
            name = e.tensor.name
            with np.errstate(all="ignore"):
                large = evaluate_equation(e.xreplace({e.rhs: terms(e.rhs)}), read, self.sizes)
            if greatest(large) > factor * greatest(self.values[name]):
                read[name], found[name] = large, greatest(large)
        return found

    def scale(self, name: str, dtype: str) -> float:
        """Return what errors of a result in a type are relative to."""
        return self.cancelled[dtype].get(self.gradients.get(name, ""), 0.0) or greatest(self.results[name])


def greatest(array: Any) -> float:
    """Return the largest absolute value of the entries that are finite."""
    array = np.asarray(array)
    return float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0))


def errors(found: Mapping[str, Any], expected: Expected, dtype: str, names: Iterable[str] | None = None) -> dict[str, float]:
    """Return the largest error of each result, or of some; infinite where it is not a number and should be one."""
    wrong = {}
    for name in expected.results if names is None else names:
        want = expected.results[name]
        got = np.asarray(found[name], np.float64).reshape(np.shape(want))
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        away = float(np.max(np.where(same, 0.0, np.abs(got - want)), initial=0.0))
        if np.isnan(away):
            away = float("inf")
        wrong[name] = away / max(expected.scale(name, dtype), 1e-30) if away else 0.0
    return wrong
